"""What holds for every wrapped client, shown on openai: nothing changed, one span a call, off when it is to be off."""

import asyncio
import inspect
import json
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import get_current_span

from agentops_otel import testing
from agentops_otel.clients import SPECS
from agentops_otel.instrumentation import ClientSpec, Operation, add_text, install
from agentops_otel.tracing import OwnSpan
from agentops_otel.tracing.content_policy import MARK_BYTES, SPAN_LIMIT_BYTES
from tests.clients.capture import Captured, capture
from tests.clients.openai_calls import ASKED, async_client, sync_client
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import answer, chunks, completion

HOSTILE = [
    Answer(body=b""),
    Answer(body=b"{"),
    Answer(body=b"null"),
    Answer(body=b"[]"),
    Answer(body=b"<html>busy</html>", headers={"content-type": "text/html"}),
    Answer.json({}),
    Answer.json({"choices": None, "usage": None}),
    Answer.json({"choices": [None, 7, {"message": None}], "usage": "many", "model": 4, "id": ["a"]}),
    Answer.json(completion({"role": "assistant", "content": "\ud800"}, usage=None)),
    Answer.json(completion({"role": 3, "content": [1, {"type": []}], "tool_calls": [None, {"function": 1}]})),
    Answer.json(completion() | {"usage": {"prompt_tokens": 2**80, "completion_tokens": -0.5}}),
    Answer.json(completion({"role": "assistant", "tool_calls": [{"id": 1, "function": {"arguments": "{nope"}}]})),
    Answer.json({"error": {"message": "too many"}}, status=429),
    Answer(status=503, body=b"busy"),
]


class Model:
    """A client of nobody's."""

    def ask(self, question: str) -> dict[str, str]:
        """Answer."""
        return {"answer": question}

    def say(self, question: str) -> Generator[str]:
        """Answer word by word."""
        yield from question.split()


def outcome(call: Callable[[], Any]) -> tuple[str, str]:
    """What the program sees of a call: the answer, or the exception."""
    try:
        found = call()
    except Exception as error:  # noqa: BLE001  # whatever it is, it has to be the same
        return type(error).__qualname__, str(error)
    return type(found).__qualname__, repr(found)


@pytest.mark.no_cover
@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_the_server_says_the_program_gets_the_same(hostile: Answer, server: LlmServer) -> None:
    """The outcome of a call is what it would be without us, and the call has its span."""
    server.answer(hostile, times=2)

    with sync_client(server) as client:
        bare = outcome(lambda: client.chat.completions.create(**ASKED))
        with capture() as captured:
            recorded = outcome(lambda: client.chat.completions.create(**ASKED))

    assert recorded == bare
    assert [span.name for span in captured.spans] == ["chat gpt-4.1"]


HOSTILE_CHUNKS: list[list[Any]] = [
    [],
    [b"data: {\n\n"],
    [b"data: null\n\n", b"data: 7\n\n", b"data: []\n\n"],
    [b"<html>busy</html>"],
    [{"choices": None}, {"choices": [None, {"delta": 4, "index": "one"}]}],
    [{"choices": [{"index": 0, "delta": {"tool_calls": [{"index": None, "function": {"arguments": 7}}, 3]}}]}],
    [{"type": "surprise", "choices": [{"delta": {"content": "\ud800"}}]}],
    [{"id": 5, "model": {}, "usage": [1]}],
]


@pytest.mark.parametrize("hostile", HOSTILE_CHUNKS)
def test_whatever_a_stream_says_the_program_gets_the_same(hostile: list[Any], server: LlmServer) -> None:
    """The outcome of a stream is what it would be without us, and the call has its span."""
    server.answer(Answer.events(hostile), times=2)

    with sync_client(server) as client:
        bare = outcome(lambda: list(client.chat.completions.create(**ASKED, stream=True)))
        with capture() as captured:
            recorded = outcome(lambda: list(client.chat.completions.create(**ASKED, stream=True)))

    assert recorded == bare
    assert [span.name for span in captured.spans] == ["chat gpt-4.1"]


def test_a_huge_answer_is_bounded_on_the_span(captured: Captured, server: LlmServer) -> None:
    """The program gets all of it, the span as much as content may hold."""
    said = "word " * 400_000
    server.answer(answer(completion({"role": "assistant", "content": said}), stream=False), times=2)
    server.answer(Answer.events(chunks(completion({"role": "assistant", "content": said}), size=10_000)))

    with sync_client(server) as client:
        whole = client.chat.completions.create(**ASKED).choices[0].message.content
        with client.chat.completions.with_streaming_response.create(**ASKED) as response:
            read = b"".join(response.iter_bytes())
        streamed = list(client.chat.completions.create(**ASKED, stream=True))

    assert whole == said
    assert len(read) > len(said)
    assert len(streamed) == len(chunks(completion({"role": "assistant", "content": said}), size=10_000))
    assert len(captured.spans) == 3
    assert all(len(span.to_json()) < 150_000 for span in captured.spans)


@pytest.mark.parametrize("own", [True, False], ids=["our tracer", "the SDK's"])
def test_the_content_of_a_call_is_bounded_as_a_whole(own: bool) -> None:
    """However many attributes it has: what no longer fits is a mark."""
    names = tuple(f"mine.{number}" for number in range(12))
    asking = Operation(name="chat", methods=("Model.ask",), request_content=dict.fromkeys(names, "question"))
    spec = ClientSpec(name="model", module=__name__, operations=(asking,), provider="model", body=dict)
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with testing.capture() as captured:
        ours = captured.client.recorder
        assert ours is not None
        recorder = ours if own else replace(ours, tracer=provider.get_tracer("t"))
        installation = install([spec], lambda: recorder)
        Model().ask("word " * 10_000)
        installation.uninstall()
        (span,) = captured.spans if own else exporter.get_finished_spans()

    sizes = [len(str((span.attributes or {})[name])) for name in names]
    assert 7 * 30_000 < sum(sizes) <= SPAN_LIMIT_BYTES + len(names) * MARK_BYTES


class Nesting:
    """A client whose calls make further calls."""

    def outer(self, inner: Callable[[], Any]) -> Any:
        """Make the other call."""
        return inner()

    def inner(self) -> dict[str, str]:
        """Answer."""
        return {}


@pytest.mark.parametrize("outer", ["chat", "embeddings", "invoke_agent"])
@pytest.mark.parametrize("inner", ["chat", "generate_content", "embeddings", "fetch_response"])
def test_a_call_within_a_call_has_a_span_if_it_is_of_another_kind(outer: str, inner: str) -> None:
    """Two that ask a model are one, and what fetches a response is a part of any."""
    made = [Operation(name=name, methods=(f"Nesting.{at}",)) for name, at in ((outer, "outer"), (inner, "inner"))]
    spec = ClientSpec(name="nesting", module=__name__, operations=tuple(made), provider="nobody", body=dict)
    with testing.capture() as captured:
        installation = install([spec], lambda: captured.client.recorder)
        Nesting().outer(Nesting().inner)
        installation.uninstall()

    asking = ("chat", "generate_content")
    is_part = inner in ("fetch_response", outer) or (inner in asking and outer in asking)
    assert [span.name for span in captured.spans] == ([outer] if is_part else [inner, outer])


def sent(server: LlmServer, ask: Callable[[OpenAI], Any]) -> list[tuple[Any, ...]]:
    """The requests of a fresh client, but for the random key of each call."""
    server.answer(answer(completion(), stream=False))
    with sync_client(server) as client:
        ask(client)
    return [
        (request.path, [pair for pair in request.headers if pair[0] != "idempotency-key"], request.body)
        for request in server.requests[-1:]
    ]


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.chat.completions.create(**ASKED),
        lambda client: client.chat.completions.create(model="gpt-4.1", messages=iter(ASKED["messages"])),
        lambda client: client.chat.completions.create(**ASKED, extra_headers={"x-mine": "1"}, extra_body={"mine": 1}),
    ],
)
def test_the_request_is_the_same_byte_for_byte(ask: Callable[[OpenAI], Any], server: LlmServer) -> None:
    """No header is added, no field, and an iterator given as messages goes out whole."""
    bare = sent(server, ask)

    with capture() as captured:
        recorded = sent(server, ask)

    assert recorded == bare
    assert "How warm is it in Paris?" in str((captured.spans[0].attributes or {})["gen_ai.input.messages"])


def test_the_exception_is_the_very_one(captured: Captured, server: LlmServer) -> None:
    """An exception passes as the object that the client raised, and names itself on the span."""
    refused = httpx2.ConnectError("no way")

    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise refused

    http = httpx2.Client(transport=httpx2.MockTransport(refuse))

    with sync_client(server, http_client=http) as client, pytest.raises(openai.APIConnectionError) as caught:
        client.chat.completions.create(**ASKED)

    (node,) = captured.tree()
    assert caught.value.__cause__ is refused
    assert node["status"] == "ERROR"
    assert node["events"] == ["exception"]
    assert isinstance(node["attributes"], dict)
    assert node["attributes"]["error.type"] == "openai.APIConnectionError"


def test_retries_are_inside_the_one_span(captured: Captured, server: LlmServer) -> None:
    """A call that succeeds the second time is one call, and no failure."""
    server.answer(Answer.json({"error": {}}, 503, **{"retry-after-ms": "1"}))
    server.answer(answer(completion(), stream=False))

    with sync_client(server, max_retries=1) as client:
        client.chat.completions.create(**ASKED)

    assert [(span.name, span.status.status_code.name) for span in captured.spans] == [("chat gpt-4.1", "UNSET")]
    assert len(server.requests) == 2


def test_with_content_off_nothing_that_was_said_is_kept(server: LlmServer) -> None:
    """Neither prompt nor answer, nor the message of an error, is on the span."""
    server.answer(answer(completion(), stream=True))
    server.answer(Answer.json({"error": {"message": "no Paris"}}, 400))

    with capture(content=False) as captured, sync_client(server) as client:
        list(client.chat.completions.create(**ASKED, stream=True))
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(**ASKED)

    assert len(captured.spans) == 2
    assert "Paris" not in "".join(span.to_json() for span in captured.spans)


def test_suppressed_calls_make_no_span(captured: Captured, server: LlmServer) -> None:
    """OpenTelemetry's suppression is kept, plain and streamed."""
    server.answer(answer(completion(), stream=False))
    server.answer(answer(completion(), stream=True))
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))

    try:
        with sync_client(server) as client:
            client.chat.completions.create(**ASKED)
            stream = client.chat.completions.create(**ASKED, stream=True)
            kind = type(stream)
            list(stream)
    finally:
        detach(token)

    assert kind is openai.Stream
    assert captured.spans == ()


def test_a_coroutine_is_still_a_coroutine(captured: Captured, server: LlmServer) -> None:
    """What the asynchronous client gives back passes for its own coroutine and can become a task."""
    server.answer(answer(completion(), stream=False))

    async def run() -> Any:
        async with async_client(server) as client:
            coroutine = client.request(openai.types.chat.ChatCompletion, options(client))
            assert asyncio.iscoroutine(coroutine)
            assert inspect.iscoroutine(coroutine)
            assert coroutine.__qualname__.endswith(".request")
            assert repr(coroutine).startswith("<coroutine object ")
            return await asyncio.create_task(coroutine)

    assert asyncio.run(run()).choices[0].message.content == "It is 21 degrees in Paris."
    assert len(captured.spans) == 1


def options(client: AsyncOpenAI) -> Any:
    """What the client's `post` would hand to `request`."""
    return openai._models.FinalRequestOptions.construct(method="post", url="/chat/completions", json_data=ASKED)


def test_a_call_that_is_cancelled_ends_its_span(captured: Captured, server: LlmServer) -> None:
    """The cancellation reaches the program, and the span says that there was one."""

    async def run() -> None:
        arrived = asyncio.Event()

        async def hang(request: httpx2.Request) -> httpx2.Response:
            arrived.set()
            await asyncio.Event().wait()
            raise AssertionError

        http = httpx2.AsyncClient(transport=httpx2.MockTransport(hang))
        async with async_client(server, http_client=http) as client:
            task = asyncio.create_task(client.chat.completions.create(**ASKED))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())

    (span,) = captured.spans
    assert (span.attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"


def test_calls_at_the_same_time_keep_apart(captured: Captured, server: LlmServer) -> None:
    """Each of many concurrent calls is a child of the span that was current where it was made."""
    tracer = captured.provider.get_tracer("program")
    server.answer(answer(completion(), stream=False), times=8)

    async def ask(client: AsyncOpenAI, number: int) -> None:
        with tracer.start_as_current_span(f"task {number}"):
            await client.chat.completions.create(**ASKED)

    async def run() -> None:
        async with async_client(server) as client:
            await asyncio.gather(*(ask(client, number) for number in range(8)))

    asyncio.run(run())

    tree = captured.tree()
    assert sorted(str(node["name"]) for node in tree) == [f"task {number}" for number in range(8)]
    assert all(len(node["children"]) == 1 for node in tree if isinstance(node["children"], list))


def test_uninstalled_means_as_it_was(captured: Captured, server: LlmServer) -> None:
    """Methods are the client's own again, also under raw-response wrappers and streams that outlive it."""
    for stream in (False, True, False):
        server.answer(answer(completion(), stream=stream))

    with sync_client(server) as client:
        wrapper = client.chat.completions.with_raw_response
        wrapper.create(**ASKED)
        outlives = client.chat.completions.create(**ASKED, stream=True)
        captured.installation.uninstall()
        rest = list(outlives)
        wrapper.create(**ASKED)

    assert len(rest) == len(chunks(completion()))
    assert "request" not in vars(OpenAI)
    assert "request" not in vars(AsyncOpenAI)
    assert len(captured.spans) == 2


def test_installed_twice_makes_one_span(captured: Captured, server: LlmServer) -> None:
    """Two installations of ours do not double a call."""
    again = install(SPECS, lambda: captured.recorder)
    server.answer(answer(completion(), stream=False))

    try:
        with sync_client(server) as client:
            client.chat.completions.create(**ASKED)
    finally:
        again.uninstall()

    assert len(captured.spans) == 1


def test_without_a_recorder_a_call_passes_through(server: LlmServer) -> None:
    """While no client of ours runs, the wrapped method is the bare method."""
    server.answer(answer(completion(), stream=True))
    installation = install(SPECS, lambda: None)

    try:
        with sync_client(server) as client:
            stream = client.chat.completions.create(**ASKED, stream=True)
            kind = type(stream)
            stream.close()
    finally:
        installation.uninstall()

    assert kind is openai.Stream


@pytest.mark.parametrize("limit", [3, 8, 128])
def test_a_span_says_what_it_is_however_few_attributes_it_may_have(
    limit: int, server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a provider allows few attributes, those that every viewer asks for are not the ones that go."""
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", str(limit))
    server.answer(answer(completion(), stream=False))

    with sync_client(server) as client, capture() as captured:
        client.chat.completions.create(**ASKED)

    (span,) = captured.spans
    attributes = dict(span.attributes or {})
    named = {name: attributes.get(f"gen_ai.{name}") for name in ("operation.name", "provider.name", "request.model")}
    assert named == {"operation.name": "chat", "provider.name": "openai", "request.model": "gpt-4.1"}
    assert len(attributes) <= limit


def test_a_conversation_is_recorded_as_it_was_sent(captured: Captured, server: LlmServer) -> None:
    """Its messages are read after the call, from a copy: the program may go on with its list, and None is no NaN."""
    server.answer(answer(completion(), stream=False))
    function = {"name": "look", "arguments": '{"key": null}'}
    call: Any = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": function}],
    }
    asked: list[Any] = [{"role": "user", "content": "Look."}, call]

    with sync_client(server) as client:
        client.chat.completions.create(**{**ASKED, "messages": asked})
    asked[0]["content"] = "changed"
    asked.append(asked[0])

    (span,) = captured.spans
    assert json.loads(str((span.attributes or {})["gen_ai.input.messages"])) == [
        {"role": "user", "parts": [{"type": "text", "content": "Look."}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "1", "name": "look", "arguments": {"key": None}}],
        },
    ]


def test_a_span_with_little_room_drops_nothing_for_content_that_is_not_there(server: LlmServer) -> None:
    """A request without tools has no definitions of tools, which must not put out another attribute."""
    server.answer(answer(completion(), stream=False), times=2)

    def names(limit: int) -> set[str]:
        with capture(limits=SpanLimits(max_span_attributes=limit)) as captured, sync_client(server) as client:
            client.chat.completions.create(**ASKED)
        (span,) = captured.spans
        return set(span.attributes or {})

    all_of_it = names(128)

    assert names(len(all_of_it)) == all_of_it


def test_the_program_does_not_wait_for_what_can_be_read_from_a_copy(
    server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its request and its answer, whole or in part; no answer of a client whose tables ask more than fields."""
    server.answer(answer(completion(), stream=False))
    server.answer(answer(completion(), stream=True))
    deferred, defer = [], OwnSpan.defer

    def watched(span: OwnSpan, part: Any) -> None:
        deferred.append(type(part).__name__)
        defer(span, part)

    monkeypatch.setattr(OwnSpan, "defer", watched)
    asking = ClientSpec(
        name="model", module=__name__, operations=(Operation(name="chat", methods=("Model.ask",)),), provider="model"
    )
    with testing.capture() as captured, sync_client(server) as client:
        installation = install([asking], lambda: captured.client.recorder)
        Model().ask("what")
        client.chat.completions.create(**ASKED)
        list(client.chat.completions.create(**ASKED, stream=True))
        installation.uninstall()

    assert deferred == ["DeferredRequest", "DeferredResponse"] * 2


SAYING = Operation(
    name="chat",
    methods=("Model.ask", "Model.say"),
    response={"mine.answer": "answer"},
    fold=lambda whole, word: add_text(whole, "answer", word),
)
MODEL = ClientSpec(name="model", module=__name__, operations=(SAYING,), provider="model")


def test_an_answer_that_is_cut_off_says_so_where_it_says_no_reason() -> None:
    """One that is whole says none, and one of an operation that knows none never does."""

    def reasons(operation: Operation) -> list[object]:
        with capture(conventional=False) as captured:
            installation = install([replace(MODEL, operations=(operation,))], lambda: captured.recorder)
            Model().ask("what")
            list(Model().say("this and that"))
            with closing(Model().say("this and that")) as left:
                next(left)
            installation.uninstall()
        return [(span.attributes or {}).get("gen_ai.response.finish_reasons") for span in captured.spans]

    assert reasons(SAYING) == [None, None, ("error",)]
    assert reasons(replace(SAYING, has_finish_reasons=False)) == [None, None, None]


def test_a_stream_that_is_open_when_the_program_ends_is_told_as_far_as_it_came() -> None:
    """Once; whoever reads on gets the rest."""
    with testing.capture() as captured:
        installation = install([MODEL], lambda: captured.client.recorder)
        stream = Model().say("this and that")
        read = [next(stream)]
        captured.client.end_open()
        told = [dict(span.attributes or {}) for span in captured.spans]
        read += stream
        installation.uninstall()
        spans = captured.spans

    assert [(said["mine.answer"], said["agentops.stream.abandoned"]) for said in told] == [("this", True)]
    assert (read, len(spans)) == (["this", "and", "that"], 1)


class Telling:
    """A client that tells of its call on the span itself."""

    def ask(self, question: str) -> dict[str, str]:
        """Answer."""
        get_current_span().set_attribute("mine.asked", "its own")
        get_current_span().set_attribute("mine.answered", "its own")
        return {"answer": question.upper()}


def test_what_is_read_later_stands_where_it_would_stand_if_it_had_been_read_at_once() -> None:
    """What was asked before what the client has set, and what was answered behind it."""
    reads: list[bool] = []

    def read(response: Any) -> object:
        reads.append(called)
        return response["answer"]

    asking = Operation(
        name="chat",
        methods=("Telling.ask",),
        request={"mine.asked": "question", "mine.both": "question"},
        response={"mine.answered": "answer", "mine.both": read},
        copies_response=True,
    )
    spec = ClientSpec(
        name="telling",
        module=__name__,
        operations=(asking,),
        provider="model",
        body=lambda given: {"question": given["question"]},
    )
    said = []
    for content in (True, False):  # without content the request is read at once
        with testing.capture(capture_content=content) as captured:
            installation = install([spec], lambda: captured.client.recorder)
            called = False
            Telling().ask("why")
            called = True
            installation.uninstall()
            (span,) = captured.spans
        said.append({name: value for name, value in (span.attributes or {}).items() if name.startswith("mine.")})

    assert said == [{"mine.asked": "its own", "mine.answered": "WHY", "mine.both": "WHY"}] * 2
    assert reads == [True, True]


class Seeing(Sampler):
    """Takes each span, and knows what it was told of it."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def should_sample(self, parent_context: Any, trace_id: int, name: str, *rest: Any, **named: Any) -> SamplingResult:
        """Yes."""
        self.seen.append((name, dict(named.get("attributes") or rest[1])))
        return SamplingResult(Decision.RECORD_AND_SAMPLE)

    def get_description(self) -> str:
        """None."""
        return ""


def test_a_sampler_is_told_all_that_a_call_asks_for(captured: Captured) -> None:
    """It may decide by any of it."""
    sampler = Seeing()
    tracer = TracerProvider(sampler=sampler, shutdown_on_exit=False).get_tracer("test")
    asking = Operation(name="chat", methods=("Model.ask",), request={"mine.asked": "question"})
    spec = ClientSpec(
        name="model", module=__name__, operations=(asking,), provider="m", body=lambda given: {"question": "why"}
    )
    installation = install([spec], lambda: replace(captured.recorder, tracer=tracer))
    Model().ask("what")
    installation.uninstall()

    told = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "m", "mine.asked": "why"}
    assert sampler.seen == [("chat", told)]


def test_an_answer_that_nobody_reads_ends_its_call() -> None:
    """One that is handed over to be read later, and is dropped, is abandoned."""
    asking = ClientSpec(
        name="model",
        module=__name__,
        operations=(Operation(name="chat", methods=("Model.ask",)),),
        provider="model",
        wrap_result=lambda call, answer: answer,
    )
    with capture(conventional=False) as captured:
        installation = install([asking], lambda: captured.recorder)
        Model().ask("what")
        installation.uninstall()
        (span,) = captured.spans

    assert (span.attributes or {})["agentops.stream.abandoned"] is True
