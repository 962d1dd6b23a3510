"""The fixtures of the clients' tests, with clients that the tests make up."""

from collections.abc import Iterator

import pytest

from tests.clients.capture import Captured, capture
from tests.clients.conftest import _one_authority, server

__all__ = ["_one_authority", "captured", "server"]


@pytest.fixture
def captured() -> Iterator[Captured]:
    """The spans of the test, with every client wrapped until its end."""
    with capture(conventional=False) as running:
        yield running
