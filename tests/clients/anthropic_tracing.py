"""A program with anthropic clients of every kind, each with every option of the package's own tracing.

`python -m tests.clients.anthropic_tracing SITUATION...` makes each call without us and then with us. It prints a line
for each situation, what was seen each time: the names of the spans, by exporter, and how many trace headers left.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import anthropic
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_otel
from tests.loopback.anthropic_server import answer, message, text
from tests.loopback.llm_server import Answer, LlmServer

ASKED: dict[str, Any] = {
    "model": "claude-test",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "How warm is it in Paris?"}],
}
OWN = InMemorySpanExporter()
WHOLE, STREAM = answer(text(), stream=False), answer(text(), stream=True)
COUNTED = Answer.json({"input_tokens": 14})
LISTED = Answer.json({"data": [], "has_more": False})
MADE = Answer.json({"id": "made_1"})

Form = tuple[Callable[[Any], Any], Sequence[Answer]]
Case = tuple[str, str, Callable[[], Any], Sequence[Answer]]


class Foreign(trace.TracerProvider):
    """A vendor's tracer provider: OpenTelemetry's interface, and nothing else of its SDK."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._inner = provider(exporter)

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        """The vendor's tracer."""
        return self._inner.get_tracer(*args, **kwargs)


class Subclass(anthropic.Anthropic):
    """As programs have them."""


def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    """An SDK provider with the exporter."""
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


PROVIDERS: dict[str, Callable[[InMemorySpanExporter], trace.TracerProvider]] = {"guest": provider, "foreign": Foreign}
"""The global tracer provider that the program has before ours."""


@anthropic.beta_tool
def weather(city: str, unit: str) -> str:
    """Look up the weather."""
    return f"21 {unit} in {city}"


def unread(client: Any) -> None:
    """A response whose body is read by parsing it."""
    with client.messages.with_streaming_response.create(**ASKED) as response:
        response.parse()


def helped(messages: Any) -> None:
    """The stream() helper."""
    with messages.stream(**ASKED) as stream:
        stream.until_done()


MODEL: dict[str, Form] = {
    "create": (lambda client: client.messages.create(**ASKED), [WHOLE]),
    "streamed": (lambda client: list(client.messages.create(**ASKED, stream=True)), [STREAM]),
    "helped": (lambda client: helped(client.messages), [STREAM]),
    "raw": (lambda client: client.messages.with_raw_response.create(**ASKED).parse(), [WHOLE]),
    "raw streamed": (
        lambda client: list(client.messages.with_raw_response.create(**ASKED, stream=True).parse()),
        [STREAM],
    ),
    "unread": (unread, [WHOLE]),
    "beta": (lambda client: client.beta.messages.create(**ASKED), [WHOLE]),
    "beta streamed": (lambda client: list(client.beta.messages.create(**ASKED, stream=True)), [STREAM]),
    "posted": (lambda client: client.post("/v1/messages", body=ASKED, cast_to=object), [WHOLE]),
}
FIRST_PARTY: dict[str, Form] = {
    "parsed": (lambda client: client.messages.parse(**ASKED), [WHOLE]),
    "beta helped": (lambda client: helped(client.beta.messages), [STREAM]),
    "counted": (
        lambda client: client.messages.count_tokens(model="claude-test", messages=ASKED["messages"]),
        [COUNTED],
    ),
    "tool runner": (
        lambda client: client.beta.messages.tool_runner(**ASKED, tools=[weather]).until_done(),
        [answer(message(), stream=False), WHOLE],
    ),
    "tool runner streamed": (
        lambda client: [
            list(stream) for stream in client.beta.messages.tool_runner(**ASKED, tools=[weather], stream=True)
        ],
        [answer(message(), stream=True), STREAM],
    ),
    "thread": (
        lambda client: client.beta.messages.thread(model="claude-test", max_tokens=9).send(ASKED["messages"]),
        [WHOLE],
    ),
}
OTHERS: dict[str, Form] = {
    "models": (lambda client: client.models.list(), [LISTED]),
    "files": (lambda client: client.beta.files.list(), [LISTED]),
    "batches": (
        lambda client: client.messages.batches.create(requests=[{"custom_id": "1", "params": ASKED}]),
        [MADE],
    ),
    "session": (lambda client: client.beta.sessions.create(agent="agent_1", environment_id="env_1"), [MADE]),
    "session's events": (
        lambda client: list(client.beta.sessions.events.stream("session_1")),
        [Answer.events([{"type": "session.status_idle", "id": "1"}], done=False)],
    ),
    "agents": (lambda client: client.beta.agents.with_raw_response.list(), [LISTED]),
    "got": (lambda client: client.get("/v1/models", cast_to=object), [LISTED]),
}


async def _async_streamed(client: Any) -> None:
    async for _ in await client.messages.create(**ASKED, stream=True):
        pass


ASYNC: dict[str, Form] = {
    "async streamed": (_async_streamed, [STREAM]),
    "async models": (lambda client: client.models.list(), [LISTED]),
}

OPTIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "None": {"open_telemetry": None},
    "False": {"open_telemetry": False},
    "{}": {"open_telemetry": {}},
    "traces": {"open_telemetry": {"traces": True}},
    "no traces": {"open_telemetry": {"traces": False}},
    "content": {"open_telemetry": {"traces": {"content_mode": "content", "max_content_bytes": 1000}}},
    "propagation": {"open_telemetry": {"propagation": True}},
    "no propagation": {"open_telemetry": {"propagation": False}},
    "conversation": {"open_telemetry": {"conversation_id": "conv_1"}},
    "own provider": {"open_telemetry": {"tracer_provider": provider(OWN)}},
    "own provider, no propagation": {"open_telemetry": {"tracer_provider": provider(OWN), "propagation": False}},
}
WHOLLY = ("nothing", "own provider")
"""The options with which everything is asked."""

VARIABLES: tuple[dict[str, str], ...] = (
    {},
    {"ANTHROPIC_OPEN_TELEMETRY": "false"},
    {"ANTHROPIC_OPEN_TELEMETRY": "true"},
    {"ANTHROPIC_OPEN_TELEMETRY_PROPAGATION": "false"},
    {"ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content"},
    {"ANTHROPIC_OPEN_TELEMETRY_TRACES_MAX_CONTENT_BYTES": "10"},
)
KINDS: dict[str, dict[str, Any]] = {
    "Anthropic": {"api_key": "key"},
    "AnthropicAWS": {"skip_auth": True, "aws_region": "us-east-1", "workspace_id": "w"},
    "AnthropicFoundry": {"api_key": "key"},
    "AnthropicGoogleCloud": {"skip_auth": True, "project": "p", "workspace_id": "w"},
    "AnthropicBedrock": {"api_key": "key", "aws_region": "us-east-1"},
    "AnthropicBedrockMantle": {"api_key": "key", "aws_region": "us-east-1"},
    "AnthropicVertex": {"access_token": "key", "region": "r", "project_id": "p"},
}


FORMS = {**MODEL, **FIRST_PARTY, **OTHERS}
SOME = {name: FORMS[name] for name in ("create", "streamed", "tool runner", "models", "session's events")}
FEW = {name: FORMS[name] for name in ("create", "models")}
CLOUD = {name: FORMS[name] for name in ("create", "streamed", "raw", "beta")}


def cases(url: str) -> Iterator[Case]:
    """Every call to make: one client at a time, what it is asked, and what the server says to it."""

    def client(kind: Any = anthropic.Anthropic, **options: Any) -> Any:
        given = KINDS.get(kind.__name__, KINDS["Anthropic"])
        return kind(base_url=url, http_client=http, max_retries=0, **given, **options)

    http = anthropic.DefaultHttpxClient(verify=False)
    for name, option in OPTIONS.items():
        yield from _asking(f"Anthropic({name})", client(**option), FORMS if name in WHOLLY else SOME)
        yield from _asking(f"copy({name})", client(Subclass).copy(**option), FEW)
        yield from _asking(f"with_options after ({name})", client(**option).with_options(timeout=9), FEW)
        yield from _asking_async(f"AsyncAnthropic({name})", url, option)
    for kind in KINDS:
        for name in WHOLLY:
            yield from _asking(f"{kind}({name})", client(getattr(anthropic, kind), **OPTIONS[name]), _cloud(kind))
    for variables in VARIABLES:
        os.environ.update(variables)
        yield from _asking(f"with {variables}", client(), SOME)
        for variable in variables:
            del os.environ[variable]


def _cloud(kind: str) -> Mapping[str, Form]:
    """What can be asked of the kind; Bedrock frames its streams in a way of its own."""
    return {name: form for name, form in CLOUD.items() if kind != "AnthropicBedrock" or name != "streamed"}


def _asking(who: str, client: Any, forms: Mapping[str, Form]) -> Iterator[Case]:
    for name, (ask, said) in forms.items():
        yield who, name, partial(ask, client), said


def _asking_async(who: str, url: str, option: dict[str, Any]) -> Iterator[Case]:
    async def asked(ask: Callable[[Any], Awaitable[Any]]) -> None:
        http = anthropic.DefaultAsyncHttpxClient(verify=False)
        async with anthropic.AsyncAnthropic(
            base_url=url, http_client=http, api_key="key", max_retries=0, **option
        ) as client:
            await ask(client)

    def run(ask: Callable[[Any], Awaitable[Any]]) -> None:
        asyncio.run(asked(ask))

    for name, (ask, said) in ASYNC.items():
        yield who, name, partial(run, ask), said


class Watch:
    """Makes calls, and says what was seen of each."""

    def __init__(self, server: LlmServer, exporters: dict[str, InMemorySpanExporter]) -> None:
        self._server = server
        self.exporters = exporters

    def __call__(self, case: Case) -> dict[str, Any]:
        """The names of the spans that each exporter got, how many requests there were, and how many trace headers."""
        *_, ask, said = case
        for one in said:
            self._server.answer(one)
        ask()
        spans = {name: [span.name for span in found.get_finished_spans()] for name, found in self.exporters.items()}
        requests = tuple(self._server.requests)
        self._server.requests.clear()
        for exporter in self.exporters.values():
            exporter.clear()
        return {**spans, "requests": len(requests), "headers": sum("traceparent" in dict(r.headers) for r in requests)}


@contextmanager
def running(seen: Watch, **settings: Any) -> Iterator[None]:
    """Run the block with us."""
    exporter = seen.exporters["ours"] = InMemorySpanExporter()
    quiet: Any = {"console": False, "trace_file": False, "auto_start_session": False, **settings}
    agentops_otel.init(span_processors=[SimpleSpanProcessor(exporter)], **quiet)
    yield
    agentops_otel.shutdown(timeout_s=0)


def main(situation: str) -> None:
    """Print what each call came to: without us, with our part switched off, and with us, by clients of both times."""
    app = InMemorySpanExporter()
    if situation in PROVIDERS:
        trace.set_tracer_provider(PROVIDERS[situation](app))
    with LlmServer() as server:
        seen = Watch(server, {"app": app, "ours": InMemorySpanExporter(), "own": OWN})
        earlier = list(cases(server.url))
        some = [case for case in earlier if case[1] in FEW]
        bare = {case[:2]: seen(case) for case in earlier}
        with running(seen, instrument_llm_calls=False):
            off = [(case, seen(case)) for case in some]
        with running(seen):
            on = [(case, seen(case)) for case in (*some, *cases(server.url))]
    print(json.dumps([[(*case[:2], bare[case[:2]], found) for case, found in told] for told in (off, on)]), flush=True)


if __name__ == "__main__":
    # A process of its own for each, as the global tracer provider is set once: anthropic takes a second to import.
    for each in sys.argv[1:]:
        if not (child := os.fork()):
            main(each)
            sys.exit()
        assert not os.waitpid(child, 0)[1], each
