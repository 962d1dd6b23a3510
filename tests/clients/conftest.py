"""What the tests of every client need: a server to talk to, and the spans that come of it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pydantic
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


GENERATED = ("google.genai._gaos.utils.serializers", "mistralai.client.utils.serializers")
"""Make a pydantic model of a type each time that they read or write a value of it, which takes longer than the call."""
_models: dict[tuple[str, int], tuple[object, Any]] = {}


def _model(name: str, /, *, body: tuple[Any, ...], **options: Any) -> Any:
    """The same each time that it is asked for."""
    key = (name, id(body[0]))
    if key not in _models:
        _models[key] = body[0], pydantic.create_model(name, body=body, **options)
    return _models[key][1]


@pytest.fixture(autouse=True)
def _models_are_made_once() -> None:
    """It is not what these tests are about."""
    for module in filter(None, map(sys.modules.get, GENERATED)):
        vars(module)["create_model"] = _model


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
