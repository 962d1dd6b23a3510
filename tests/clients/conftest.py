"""What the tests of every client need: a server to talk to, and the spans that come of it."""

from collections.abc import Iterator

import pytest

from tests.clients.capture import Captured, capture
from tests.loopback.llm_server import LlmServer


@pytest.fixture
def server() -> Iterator[LlmServer]:
    """A model's server on loopback."""
    with LlmServer() as running:
        yield running


@pytest.fixture
def captured() -> Iterator[Captured]:
    """The spans of the test, with every client wrapped until its end."""
    with capture() as running:
        yield running
