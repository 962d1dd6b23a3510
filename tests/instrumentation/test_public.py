"""Instrumentation through the functions of the package, with real clients: what is left alone, and what is reached."""

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_otel
from tests.loopback import anthropic_server, openai_server
from tests.loopback.llm_server import LlmServer

ASKED: list[Any] = [{"role": "user", "content": "How warm is it in Paris?"}]


class OwnOpenAI(openai.OpenAI):
    """A program's own kind of client, whose class is older than `init()`."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """As it was."""
        return super().request(*args, **kwargs)


class OwnAnthropic(anthropic.Anthropic):
    """Another one."""


def open_openai(url: str, kind: type[openai.OpenAI] = openai.OpenAI) -> openai.OpenAI:
    """A client of the server."""
    return kind(base_url=f"{url}/v1", api_key="key", max_retries=0)


def open_anthropic(url: str, kind: type[anthropic.Anthropic] = anthropic.Anthropic) -> anthropic.Anthropic:
    """A client of the server."""
    return kind(base_url=url, api_key="key", max_retries=0, open_telemetry=False)


OPEN: dict[str, Callable[..., Any]] = {"openai": open_openai, "anthropic": open_anthropic}
OWN: dict[str, type[Any]] = {"openai": OwnOpenAI, "anthropic": OwnAnthropic}


@pytest.fixture(params=OPEN)
def name(request: pytest.FixtureRequest) -> str:
    """One client after the other."""
    return str(request.param)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Where the spans of the program come out."""
    return InMemorySpanExporter()


@pytest.fixture
def init(exporter: InMemorySpanExporter) -> Iterator[Callable[[], agentops_otel.Client]]:
    """Starts tracing, with everything wrapped."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield lambda: agentops_otel.init(tracer_provider=provider, console=False, trace_file=False, spool_dir=False)
    agentops_otel.shutdown(timeout_s=1)
    provider.shutdown()


def ask(client: Any, server: LlmServer) -> None:
    """One call, answered."""
    if isinstance(client, openai.OpenAI):
        server.answer(openai_server.answer(openai_server.completion(), stream=False))
        client.chat.completions.create(model="m", messages=ASKED)
    else:
        server.answer(anthropic_server.answer(anthropic_server.text(), stream=False))
        client.messages.create(model="m", messages=ASKED, max_tokens=9)


def test_clients_older_than_init_are_traced(
    name: str, init: Callable[[], Any], exporter: InMemorySpanExporter, server: LlmServer
) -> None:
    """A client that was made before has a span a call, and so has one of the program's own kind."""
    with OPEN[name](server.url) as client, OPEN[name](server.url, OWN[name]) as own:
        init()

        ask(client, server)
        ask(own, server)

    assert [span.name for span in exporter.get_finished_spans()] == ["chat m", "chat m"]


def test_suppressed_calls_are_left_alone(
    name: str, init: Callable[[], Any], exporter: InMemorySpanExporter, server: LlmServer
) -> None:
    """In a `suppress()` block a call makes no span; after it, it does."""
    init()

    with OPEN[name](server.url) as client:
        with agentops_otel.suppress():
            ask(client, server)
        assert not exporter.get_finished_spans()
        ask(client, server)

    assert len(exporter.get_finished_spans()) == 1


@pytest.mark.parametrize(("disabled", "left"), [("openai", {"openai"}), ("openai, anthropic", {*OPEN}), ("*", {*OPEN})])
def test_disabled_instrumentations_are_left_alone(
    disabled: str,
    left: set[str],
    init: Callable[[], Any],
    exporter: InMemorySpanExporter,
    server: LlmServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` names the clients that are not wrapped at all."""
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", disabled)

    init()

    assert ("request" in vars(openai.OpenAI)) is ("openai" not in left)
    for name, opens in OPEN.items():
        with opens(server.url) as client:
            ask(client, server)
        spans = exporter.get_finished_spans()
        assert bool(spans) is (name not in left)
        exporter.clear()


def test_uninstrumented_and_instrumented_again(
    name: str, init: Callable[[], Any], exporter: InMemorySpanExporter, server: LlmServer
) -> None:
    """Methods and classes are what they were in between, for clients that outlive it too; nothing is doubled after."""
    before = openai.OpenAI.request, anthropic.Anthropic.request
    init()

    with OPEN[name](server.url) as client:
        created = client.with_options(timeout=9)
        agentops_otel.uninstrument()
        ask(client, server)
        ask(created, server)
        assert (openai.OpenAI.request, anthropic.Anthropic.request) == before
        assert not exporter.get_finished_spans()
        agentops_otel.instrument()
        agentops_otel.instrument()
        ask(client, server)
        ask(created, server)

    assert len(exporter.get_finished_spans()) == 2


def test_a_raw_response_that_was_cached_follows(
    init: Callable[[], Any], exporter: InMemorySpanExporter, server: LlmServer
) -> None:
    """A wrapper that the client keeps (`with_raw_response`) is traced while we are there, and not after."""
    with open_openai(server.url) as client:
        raw = client.chat.completions.with_raw_response
        server.answer(openai_server.answer(openai_server.completion(), stream=False), times=2)
        init()

        raw.create(model="m", messages=ASKED).parse()
        agentops_otel.uninstrument()
        raw.create(model="m", messages=ASKED).parse()

    assert [span.name for span in exporter.get_finished_spans()] == ["chat m"]


def test_a_stream_that_outlives_shutdown_is_read_on(
    init: Callable[[], Any], exporter: InMemorySpanExporter, server: LlmServer
) -> None:
    """The program reads its stream to the end, and the span is told as far as anyone listens."""
    whole = openai_server.completion()
    server.answer(openai_server.answer(whole, stream=True))
    init()

    with open_openai(server.url) as client:
        stream = client.chat.completions.create(model="m", messages=ASKED, stream=True)
        next(stream)
        agentops_otel.shutdown(timeout_s=1)
        rest = list(stream)

    assert len(rest) == len(openai_server.chunks(whole)) - 1
    assert [span.name for span in exporter.get_finished_spans()] == ["chat m"]
