"""What the tests of every client need: a server to talk to, and the spans that come of it."""

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from tests.clients.capture import Captured, capture
from tests.loopback.llm_server import LlmServer


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Loading a hundred authorities takes a client longer than a call on loopback; none of them is asked here."""
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    path = tmp_path_factory.mktemp("authority") / "one.pem"
    path.write_text(first + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


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
