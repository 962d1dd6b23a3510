"""The `Call` that owns a span and ends it once, whoever comes first."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from opentelemetry.context import create_key, set_value
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, Span, SpanContext, set_span_in_context
from opentelemetry.util.types import AnyValue, AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.instrumentation.events import Events, structured
from agentops_otel.instrumentation.metrics import Metrics
from agentops_otel.instrumentation.reading import Row, attributes, contents, joined
from agentops_otel.instrumentation.spec import ClientSpec, Fold, Operation
from agentops_otel.tracing import Recorder, qualified_name
from agentops_otel.tracing.gc_safe import run_outside_gc
from agentops_otel.wrapping.stream import watched

CALL_IN_PROGRESS = create_key("agentops_otel.call")
"""Says in the context that a call is under way, and of which family: a client within a client stays silent."""

_folding = guard("folding a stream")

_WHAT_IT_IS = (semconv.GEN_AI_REQUEST_MODEL, semconv.GEN_AI_PROVIDER_NAME, semconv.GEN_AI_OPERATION_NAME)


class BackgroundResponses:
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
class CallServices:
    """What the calls of one installation have in common."""

    known: BackgroundResponses
    metrics: Metrics
    events: Events
    notice: Callable[[ClientSpec], None]
    """Told of a client's first call."""


class Call:
    """One call of a client: its span, from the request to the last chunk.

    Every way out leads to one of `answered`, `failed` and `left`; the first ends the span, the others do nothing. A
    call that nobody holds any more has been left.
    """

    __slots__ = (
        "_chunk_at",
        "_held",
        "_once",
        "_said",
        "_shared",
        "_started",
        "_told",
        "_waits_s",
        "client",
        "context",
        "operation",
        "read",
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
        shared: CallServices,
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
        self._told: dict[str, AnyValue] = {}
        self._held = 0
        self.context = set_value(CALL_IN_PROGRESS, operation.dedup_group, set_span_in_context(span))
        self.streams = False
        """Whether the answer comes in chunks."""
        self.read = False
        """Whether somebody reads the answer bit by bit, and ends the call where the program leaves it."""
        self.unread: Any = None
        """The request, where iterators in it were still to be read when the call began."""
        self._chunk_at = started
        self._waits_s = array("d")
        self._started = started
        self._once = Lock()

    def returned(self, value: Any) -> Any:
        """What the program gets for what the client's method returned."""
        result = value
        with guard("reading a response"):
            if hasattr(type(value), "__next__") or hasattr(type(value), "__anext__"):
                result = self.stream(value)
            elif self.client.wrap_result is not None:
                result = self.client.wrap_result(self, value)
            else:
                self.answered(value)
        return result

    def raised(self, error: BaseException) -> None:
        """The client's method raised."""
        self.failed(error)

    def stream(self, stream: Any) -> Any:
        """The stream, watched: its end is the call's end."""
        return watched(stream, self.reading())

    def reading(self) -> "Reading":
        """Sees the answer's chunks, from now on: its end is the call's end."""
        self.streams = True
        self._say(semconv.GEN_AI_REQUEST_STREAM, True)
        return Reading(self, self.operation.fold, times=self._shared.metrics.kept)

    def answered(self, response: Any) -> None:
        """The whole answer is there."""
        if self._once.acquire(blocking=False):
            self._read(response)
            self._end()

    def failed(self, error: BaseException, response: Any = None) -> None:
        """The call ended by an exception, after as much of the response as there is."""
        if self._once.acquire(blocking=False):
            with guard("reading what came before an error"):
                response = self.client.partial_response(error) if response is None else response
                if response is not None:
                    self._read(response, whole=False)
            self._said[semconv.ERROR_TYPE] = qualified_name(type(error))
            self.recorder.fail(self.span, error)
            with guard("writing an event"):
                if self.recorder.event_content is not None:
                    self._shared.events.exception(self.context, error, self.recorder.event_content)
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
            self._chunk_at = self.recorder.clock()
            self._say(semconv.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, (self._chunk_at - self._started) / 1e9)

    def next_chunk(self) -> None:
        """A later chunk is here, where anybody measures: it is timed by the one before it."""
        with guard("timing a chunk"):
            now = self.recorder.clock()
            self._waits_s.append((now - self._chunk_at) / 1e9)
            self._chunk_at = now

    def __del__(self) -> None:
        if not self.read:
            run_outside_gc(self.left)

    def _say(self, name: str, value: AttributeValue) -> None:
        self._said[name] = value
        self.span.set_attribute(name, value)

    def _read(self, response: Any, *, whole: bool = True) -> None:
        operation = self.operation
        with guard("reading a response"):
            found = attributes(operation.response_rows, response)
            if not whole and operation.has_finish_reasons:
                found.setdefault(semconv.GEN_AI_RESPONSE_FINISH_REASONS, ["error"])
            if (written := found.get(semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS)) is not None:
                found[semconv.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS] = written
            self.span.set_attributes(found)
            self.tell(operation.response_content_rows, response)
            if self.unread is not None:
                self.tell(operation.request_content_rows, self.unread)
            if identity := operation.background_id(response):
                self._shared.known.keep(identity, self.span)
            self._said.update(found)
            if failure := operation.failure(response):
                self._said[semconv.ERROR_TYPE] = failure
                self.recorder.set_error(self.span, failure)

    def tell(self, table: Sequence[Row], source: Any) -> None:
        """Say the content that the table finds in the source, on the span and in the call's event."""
        recorder, events = self.recorder, self.recorder.event_content
        on_span = recorder.content.enabled and self.span.is_recording()
        in_event = events is not None and events.enabled
        for name, value in contents(table, source).items() if on_span or in_event else ():
            if on_span:
                self._held += recorder.set_content(self.span, name, value, held=self._held)
            if events is not None and in_event:
                self._told[name] = structured(events, name, value)

    def _end(self) -> None:
        with guard("ending a span"):
            ended = self.recorder.clock()
            if isinstance(self.span, ReadableSpan) and self.span.dropped_attributes:
                # A full span drops its oldest attributes, and those say what it is.
                self.span.set_attributes({name: self._said[name] for name in _WHAT_IT_IS if name in self._said})
            if self.recorder.event_content is not None and self.operation.name in semconv.INFERENCE_OPERATIONS:
                self._shared.events.details(self.context, self._said, self._told)
            self.recorder.end(self.span, ended)
            if self._shared.metrics.kept:
                self._shared.metrics.record(self._said, (ended - self._started) / 1e9, self._waits_s)


class Reading:
    """Sees the chunks of one stream and tells the call how it ended.

    Args:
        call: Whose answer it is.
        fold: Adds a chunk to the whole; None: chunks are not read.
        finish: Makes the answer of the whole.
        times: Whether anybody measures the time from each chunk to the next.
    """

    __slots__ = ("__weakref__", "_call", "_finish", "_fold", "_lock", "_times", "_whole", "context")

    def __init__(
        self, call: Call, fold: Fold | None, finish: Callable[[Any], Any] = joined, *, times: bool = False
    ) -> None:
        self.context = call.context
        self._call = call
        call.read = True
        self._fold = fold
        self._finish = finish
        self._whole: dict[str, Any] | None = None
        self._lock = Lock()
        self._times = times
        call.recorder.track_stream(self)

    def returned(self, chunk: Any) -> Any:
        """A chunk was read: it is folded before the program has it, who may change it."""
        whole = self._whole
        if whole is None:
            whole = self._whole = {}
            self._call.first_chunk()
        elif self._times:
            self._call.next_chunk()
        if self._fold is not None:
            with _folding, self._lock:
                self._fold(whole, chunk)
        return chunk

    def raised(self, error: BaseException) -> None:
        """The stream ended: read to its end, by an error of its own, or because the program was called away."""
        if isinstance(error, StopIteration | StopAsyncIteration):
            self._call.answered(self._answer())
        elif not isinstance(error, Exception):
            self.left()
        elif not _reads_elsewhere(error):
            self._call.failed(error, self._answer())

    def left(self) -> None:
        """The stream was closed; after its end that changes nothing."""
        self._call.left(self._answer())

    def __del__(self) -> None:
        run_outside_gc(self.left)

    def _answer(self) -> Any:
        with guard("reading a folded stream"):
            return self._finish(self._whole or {})


def _reads_elsewhere(error: Exception) -> bool:
    """Whether Python says that another thread or task is at the stream, which goes on for that one."""
    return type(error) in (ValueError, RuntimeError) and str(error).endswith(_ELSEWHERE)


_ELSEWHERE = ("generator already executing", "generator is already running")
