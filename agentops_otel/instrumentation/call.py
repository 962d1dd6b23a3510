"""The one wrapper round a client's methods, and the `Call` that owns a span and ends it once, whoever comes first."""

import inspect
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from opentelemetry.context import create_key, get_current, get_value, set_value
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, set_span_in_context
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.instrumentation.metrics import Metrics
from agentops_otel.instrumentation.reading import Seen, attributes, contents, joined
from agentops_otel.instrumentation.spec import ClientSpec, Fold, Operation
from agentops_otel.instrumentation.stream import Awaited, watch, watched
from agentops_otel.tracing import Recorder, qualified_name

_FAMILY = create_key("agentops_otel.call")
"""Says in the context that a call is under way, and of which family: a client within a client stays silent."""

_BATCH = 256
"""Chunks kept as they came before they are folded: reading one costs an append, and memory stays bounded."""


class Known:
    """The calls whose answers are still to come, by the id that the server gave them: a bounded memory."""

    def __init__(self, most: int = 1024) -> None:
        self._spans: OrderedDict[str, SpanContext] = OrderedDict()
        self._most = most

    def keep(self, identity: str, span: Span) -> None:
        """Remember the span under the id."""
        self._spans[identity] = span.get_span_context()
        if len(self._spans) > self._most:
            self._spans.popitem(last=False)

    def links(self, identity: str | None) -> list[Link]:
        """A link to the span of that id, if it is known."""
        found = self._spans.get(identity) if identity else None
        return [Link(found)] if found else []


@dataclass(frozen=True, slots=True)
class Shared:
    """What the calls of one installation have in common."""

    known: Known
    metrics: Metrics
    notice: Callable[[ClientSpec], None]
    """Told of a client's first call."""


class Call:
    """One call of a client: its span, from the request to the last chunk.

    Every way out leads to one of `answered`, `failed` and `left`; the first ends the span, the others do nothing. A
    call that nobody holds any more has been left.
    """

    __slots__ = (
        "_once",
        "_said",
        "_shared",
        "_started",
        "client",
        "context",
        "operation",
        "recorder",
        "span",
        "streams",
        "unread",
    )

    def __init__(
        self,
        recorder: Recorder,
        client: ClientSpec,
        operation: Operation,
        shared: "Shared",
        span: Span,
        said: dict[str, AttributeValue],
        started: int,
    ) -> None:
        self.recorder = recorder
        self.client = client
        self.operation = operation
        self.span = span
        self._shared = shared
        self._said = said
        self.context = set_value(_FAMILY, operation.family, set_span_in_context(span))
        self.streams = False
        """Whether the answer comes in chunks."""
        self.unread: Any = None
        """The request, where iterators in it were still to be read when the call began."""
        self._started = started
        self._once = Lock()

    def returned(self, value: Any) -> Any:
        """What the program gets for what the client's method returned."""
        result = value
        with guard("reading a response"):
            if isinstance(value, Coroutine):
                result = Awaited(value, self)
            elif hasattr(value, "__next__") or hasattr(value, "__anext__"):
                result = self.stream(value)
            elif self.client.returned is not None:
                result = self.client.returned(self, value)
            else:
                self.answered(value)
        return result

    def raised(self, error: BaseException) -> None:
        """The client's method raised."""
        self.failed(error)

    def stream(self, stream: Any) -> Any:
        """The stream, watched: its end is the call's end."""
        self.streams = True
        self.span.set_attribute(semconv.GEN_AI_REQUEST_STREAM, True)
        return watched(stream, Reading(self, self.operation.fold))

    def answered(self, response: Any) -> None:
        """The whole answer is there."""
        if self._once.acquire(blocking=False):
            self._read(response)
            self._end()

    def failed(self, error: BaseException, response: Any = None) -> None:
        """The call ended by an exception, after as much of the response as there is."""
        if self._once.acquire(blocking=False):
            with guard("reading what came before an error"):
                response = self.client.partial(error) if response is None else response
                if response is not None:
                    self._read(response, whole=False)
            self._said[semconv.ERROR_TYPE] = qualified_name(type(error))
            self.recorder.fail(self.span, error)
            self._end()

    def left(self, response: Any = None) -> None:
        """The program lost interest in the rest of the answer."""
        if self._once.acquire(blocking=False):
            with guard("reading an abandoned stream"):
                self.span.set_attribute(semconv.AGENTOPS_STREAM_ABANDONED, True)
                self._read(response, whole=False)
            self._end()

    def first_chunk(self) -> None:
        """The first chunk of a stream is here."""
        with guard("timing the first chunk"):
            if not self.streams:
                return
            waited = (self.recorder.clock() - self._started) / 1e9
            self._said[semconv.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = waited
            self.span.set_attribute(semconv.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, waited)

    def __del__(self) -> None:
        self.left()

    def _read(self, response: Any, *, whole: bool = True) -> None:
        operation = self.operation
        with guard("reading a response"):
            found = attributes(operation.response_rows, response)
            if not whole and operation.finishes:
                found.setdefault(semconv.GEN_AI_RESPONSE_FINISH_REASONS, ["error"])
            if (written := found.get(semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS)) is not None:
                found[semconv.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS] = written
            self.span.set_attributes(found)
            _set_contents(self.recorder, self.span, operation.response_content_rows, response)
            if self.unread is not None:
                _set_contents(self.recorder, self.span, operation.request_content_rows, self.unread)
            if identity := operation.keeps(response):
                self._shared.known.keep(identity, self.span)
            self._said.update(found)
            if failure := operation.failure(response):
                self._said[semconv.ERROR_TYPE] = failure
                self.recorder.mark_failed(self.span, failure)

    def _end(self) -> None:
        with guard("ending a span"):
            ended = self.recorder.clock()
            self.recorder.end(self.span, ended)
            self._shared.metrics.record(self._said, (ended - self._started) / 1e9)


class Reading:
    """Sees the chunks of one stream and tells the call how it ended."""

    __slots__ = ("_call", "_chunks", "_finish", "_fold", "_lock", "_whole", "context")

    def __init__(self, call: Call, fold: Fold | None, finish: Callable[[Any], Any] = joined) -> None:
        self.context = call.context
        self._call = call
        self._chunks: list[Any] = []
        self._fold = fold
        self._finish = finish
        self._whole: dict[str, Any] | None = None
        self._lock = Lock()

    def returned(self, chunk: Any) -> Any:
        """A chunk was read."""
        chunks = self._chunks
        chunks.append(chunk)
        if len(chunks) == 1 and self._whole is None:
            self._call.first_chunk()
        elif len(chunks) >= _BATCH:
            self._fold_chunks()
        return chunk

    def raised(self, error: BaseException) -> None:
        """The stream ended: read to its end, by an error of its own, or because the program was called away."""
        if isinstance(error, StopIteration | StopAsyncIteration):
            self._call.answered(self._answer())
        elif isinstance(error, Exception):
            self._call.failed(error, self._answer())
        else:
            self.left()

    def left(self) -> None:
        """The stream was closed; after its end that changes nothing."""
        self._call.left(self._answer())

    def __del__(self) -> None:
        self.left()

    def _answer(self) -> Any:
        self._fold_chunks()
        with guard("reading a folded stream"):
            return self._finish(self._whole)

    def _fold_chunks(self) -> None:
        with guard("folding a stream"), self._lock:
            chunks, self._chunks = self._chunks, []
            if self._whole is None:
                self._whole = {}
            if self._fold is not None:
                for chunk in chunks:
                    self._fold(self._whole, chunk)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One call of a method: its arguments by name, and as they are passed on."""

    operation: Operation
    named: Mapping[str, Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Wrapper:
    """Stands before one method of a client; a bare pass-through unless there is a recorder.

    Args:
        client: Whose method it is.
        operations: What the method may do; the first that applies counts.
        method: The method.
        current: The recorder at the moment of a call, or None.
        shared: What the calls of one installation have in common.
    """

    __slots__ = ("_awaits", "_called", "_client", "_current", "_operations", "_parameters", "_shared", "off")

    def __init__(
        self,
        client: ClientSpec,
        operations: Sequence[Operation],
        method: Callable[..., Any],
        current: Callable[[], Recorder | None],
        shared: Shared,
    ) -> None:
        self._shared = shared
        self._client = client
        self._operations = operations
        self._parameters = _parameters(method)
        self._called = False
        self._awaits = inspect.iscoroutinefunction(method)
        self._current = current
        self.off = False
        """True once uninstalled: a wrapper may outlive that, held by someone else's wrapper."""

    def __call__(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the method as it was called, and watch what comes of it."""
        recorder = None if self.off else self._current()
        asked = None if recorder is None else self._asked(args, kwargs)
        if recorder is None or asked is None:
            return wrapped(*args, **kwargs)
        if self._awaits:
            coroutine = wrapped(*asked.args, **asked.kwargs)
            return Awaited(coroutine, begin=lambda: self._begin(recorder, instance, asked))
        call = self._begin(recorder, instance, asked)
        if call is None:
            return wrapped(*asked.args, **asked.kwargs)
        return watch(call, wrapped, *asked.args, **asked.kwargs)

    def _asked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "_Asked | None":
        """What is asked for; None when it is nothing that has a span."""
        with guard("reading a request"):
            named = {**dict(zip(self._parameters, args, strict=False)), **kwargs}
            operation = next((known for known in self._operations if known.applies(named)), None)
            if operation is None:
                return None
            changed = self._client.prepare(named)
            if changed is not named:
                args = tuple(changed[name] for name in self._parameters[: len(args)])
                kwargs = {name: changed[name] for name in kwargs}
            return _Asked(operation, changed, args, kwargs)
        return None

    def _begin(self, recorder: Recorder, instance: Any, asked: "_Asked") -> Call | None:
        """The call with its span started; None under suppression, and within a call that has its span already."""
        if get_value(_FAMILY) == asked.operation.family:
            return None
        if not self._called:
            self._called = True
            self._shared.notice(self._client)
        with guard("starting a span"):
            body = self._client.body(asked.named)
            links = self._shared.known.links(asked.operation.continues(asked.named))
            return self._start(recorder, asked.operation, instance, body, links)
        return None

    def _start(
        self, recorder: Recorder, operation: Operation, instance: Any, body: Any, links: Sequence[Link]
    ) -> Call | None:
        found = attributes(operation.request_rows, body)
        said = {semconv.GEN_AI_OPERATION_NAME: operation.name, **self._client.place(instance), **found}
        model = said.get(semconv.GEN_AI_REQUEST_MODEL)
        started = recorder.clock()
        span = recorder.start(
            f"{operation.name} {model}" if model else operation.name,
            kind=SpanKind.CLIENT,
            attributes=said,
            context=get_current(),
            links=links,
            start_time=started,
        )
        if not span.get_span_context().is_valid:
            return None
        with guard("reading a request"):
            _set_contents(recorder, span, operation.request_content_rows, body)
        call = Call(recorder, self._client, operation, self._shared, span, said, started)
        call.streams = found.get(semconv.GEN_AI_REQUEST_STREAM) is True
        if isinstance(body, dict) and any(isinstance(value, Seen) for value in body.values()):
            call.unread = body
        return call


def _set_contents(recorder: Recorder, span: Span, table: Sequence[Any], source: Any) -> None:
    if recorder.content.enabled and span.is_recording():
        for name, value in contents(table, source).items():
            recorder.content_of(span, name, value)


def _parameters(method: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the positional parameters, without `self`."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [name for name, known in inspect.signature(method).parameters.items() if known.kind in positional]
    return tuple(names[1:] if names[:1] == ["self"] else names)
