"""Everything that a package can do, and whether that is a call of a model: nothing that nobody has decided on."""

import pytest

from tests.clients.surfaces import SURFACES, not_installed


@pytest.mark.parametrize("what", SURFACES)
def test_everything_has_been_decided_on(what: str) -> None:
    """What the locked version has is in tests/clients/decided.py, and what stands there is in it."""
    try:
        undecided = SURFACES[what]()
    except ImportError as error:
        if not not_installed(error):
            raise
        pytest.skip(str(error))

    assert undecided == set()
