"""What the tests of the views share."""

import pytest

from agentops_otel.view import cost
from tests.view.spans import CHAT


@pytest.fixture(scope="session", autouse=True)
def _prices() -> None:
    """The price list is imported by another thread when a trace is printed: here it is there from the start."""
    cost.price(CHAT)
