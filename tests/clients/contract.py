"""The contract of every client: the same outcome without us and with us, and one span for an abandoned stream."""

import gc
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from tests.clients.capture import Captured, capture
from tests.clients.forms.form import CLIENTS, OTHERS, Forms, forms_of, installed
from tests.loopback.llm_server import Answer, LlmServer

LEFT = {"agentops.stream.abandoned": True, "gen_ai.response.finish_reasons": ("error",)}

pytestmark = pytest.mark.filterwarnings(
    # ai21's own, about itself and httpx
    "ignore:Use 'content=:DeprecationWarning",
    "ignore:The 'from_dict' method:DeprecationWarning",
    # google-genai's own, where aiohttp is installed
    "ignore:Inheritance class AiohttpClientSession from ClientSession is discouraged:DeprecationWarning",
    # google-genai 1 says so of its interactions, and of what it takes from httpx for them
    "ignore:Interactions usage is experimental",
    # google-generativeai's, when an answer is shown
    "ignore:The argument `including_default_value_fields`:DeprecationWarning",
    # of those that leave a connection open; as an error it would hold the frame in which the collector found it
    "ignore:unclosed:ResourceWarning",
)


def each_client(request: pytest.FixtureRequest) -> Iterator[Forms]:
    """The client that the fixture is asked for; what it leaves open is collected while the test's filters hold."""
    found = forms_of(request.param)
    yield found
    if found.leaves_open:
        gc.collect()


@pytest.fixture(params=installed(*CLIENTS, *OTHERS))
def any_client(request: pytest.FixtureRequest) -> Iterator[Forms]:
    """One client after the other, then the other APIs that clients have."""
    yield from each_client(request)


def outcome(ask: Callable[[], Any]) -> str:
    """The outcome for the program, by type and value: an answer, chunks, or an exception."""
    try:
        return described(ask())
    except Exception as error:  # noqa: BLE001  # whatever it is, it has to be the same
        before = f" of {type(error.__context__).__module__}.{type(error.__context__).__qualname__}"
        return _timeless(f"{type(error).__module__}.{type(error).__qualname__}: {error}{before}")


def described(value: Any) -> str:
    """A value by its type and what it shows, without the time."""
    if isinstance(value, list):
        return "\n".join(map(described, value))
    return _timeless(f"{type(value).__module__}.{type(value).__qualname__} {value!r}")


def _timeless(told: str) -> str:
    return re.sub(r"\d\d:\d\d:\d\d GMT", "", told)


def both(client: Forms, form: str, server: LlmServer, answer: Answer) -> tuple[str, str, Captured]:
    """The outcomes without us and with us."""
    server.answer(answer, times=2)
    bare = outcome(lambda: client.ask(form, server.url))
    with capture() as captured:
        ours = outcome(lambda: client.ask(form, server.url))
    return bare, ours, captured


def was_left(captured: Captured) -> None:
    """Assert that there is one span, of an abandoned stream."""
    (span,) = captured.spans
    assert span.status.status_code is StatusCode.UNSET
    assert LEFT.items() <= dict(span.attributes or {}).items()
