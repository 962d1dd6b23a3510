"""`Call`: one request to a model. It owns the request's span and ends it exactly once."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from opentelemetry.context import Context, create_key
from opentelemetry.trace import Span
from opentelemetry.util.types import AnyValue, AttributeValue

from agentops_otel import semconv
from agentops_otel.content import copy_fields
from agentops_otel.guard import guard
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.adoption import Adoptions
from agentops_otel.instrumentation.background import BackgroundResponses
from agentops_otel.instrumentation.deferred import DeferredRequest, DeferredResponse, response_attributes
from agentops_otel.instrumentation.events import Events, structured
from agentops_otel.instrumentation.folding import joined
from agentops_otel.instrumentation.reading import is_stream
from agentops_otel.instrumentation.spec import ClientSpec, Fold, Operation
from agentops_otel.instrumentation.tables import Row, attributes, contents
from agentops_otel.metrics.call_metrics import Metrics
from agentops_otel.tracing import SPAN_KEY, OwnSpan, Recorder, current_context, qualified_name
from agentops_otel.tracing.gc_safe import run_outside_gc
from agentops_otel.wrapping.stream import StreamObserver, observed_stream

CALL_IN_PROGRESS = create_key("agentops_otel.call")
"""Context key: the group of the call in progress. A call of the same group inside it gets no span."""

# Made once: a call enters each of them.
_folding = guard("folding a stream")
_reading = guard("reading a response")
_ending = guard("ending a span")

_IDENTITY = (semconv.GEN_AI_REQUEST_MODEL, semconv.GEN_AI_PROVIDER_NAME, semconv.GEN_AI_OPERATION_NAME)
"""Attributes that identify a call. A full span drops its oldest attributes, and these are set again."""


@dataclass(frozen=True, slots=True)
class CallServices:
    """Services shared by the calls of one installation."""

    metrics: Metrics
    events: Events
    check_instrumentations: Callable[[ClientSpec], None]
    """Called at the first call of each method, to look for a second instrumentation."""
    background: BackgroundResponses
    adoptions: Adoptions

    def defers(self, recorder: Recorder) -> bool:
        """Whether a call's attributes may be read later: nothing but its span needs them."""
        return recorder.event_content is None and not self.metrics.kept and recorder.defers()


class Call:
    """One call of a client and its span, from the request to the last chunk.

    `completed`, `failed` or `abandoned` ends the span; only the first counts. Garbage collection counts as abandoned.

    Args:
        recorder: Fills and ends the span.
        client: The client that is called.
        operation: What the call is.
        services: What the calls of an installation share.
        span: The call's span.
        attributes: The attributes read from the request.
        started: Start of the call, in nanoseconds since the epoch.
        owns_span: False if the span is a framework's (see `adoption`): it is filled, and its owner ends it.
        pending_request: The request, if it has parts that the client has not read yet; read again at the end.
        is_streamed: Whether the response comes in chunks.
        defers: Whether the response may be read later.
    """

    _chunk_at = 0
    """When the last chunk came, in nanoseconds since the epoch."""
    _deferring: OwnSpan | None = None
    """The span, if it takes attributes that are read later."""
    _has_stream = False
    _waits_s: "array[float] | None" = None

    def __init__(
        self,
        recorder: Recorder,
        client: ClientSpec,
        operation: Operation,
        services: CallServices,
        span: Span,
        attributes: dict[str, AttributeValue],
        started: int,
        *,
        owns_span: bool,
        pending_request: Any,
        is_streamed: bool,
        defers: bool,
    ) -> None:
        self.recorder = recorder
        self.client = client
        self.operation = operation
        self.span = span
        self.context = Context({**current_context(), SPAN_KEY: span, CALL_IN_PROGRESS: operation.dedup_group})
        self._services = services
        self._attributes = attributes
        self._content: dict[str, AnyValue] = {}
        self._content_bytes: int | None = 0 if owns_span else None
        self._owns_span = owns_span
        self._pending_request = pending_request
        self._is_streamed = is_streamed
        self._started = started
        self._once = Lock()
        if not owns_span:
            self._set({**recorder.defaults.attributes(self.context), **attributes})
        elif defers and type(span) is OwnSpan:
            self._deferring = span

    def returned(self, value: Any) -> Any:
        """The client's method returned *value*; the result goes to the program."""
        try:
            if is_stream(type(value)):  # type: ignore[arg-type]  # a class is hashable
                return self.observe_stream(value)
            if self.client.wrap_result is not None:
                return self.client.wrap_result(self, value)
            self.completed(value)
        except BaseException as error:
            if not _reading.holds_back(error):
                raise
        return value

    def raised(self, error: BaseException) -> None:
        """The client's method raised."""
        self.failed(error)

    def observe_stream(self, stream: Any, fold: Fold | None = None) -> Any:
        """A proxy of the stream; the end of the stream ends the call."""
        return observed_stream(stream, self.stream_observer(fold))

    def stream_observer(
        self, fold: Fold | None = None, finish: Callable[[Any], Any] = joined, *, says_streamed: bool = True
    ) -> "FoldingObserver":
        """An observer of the response's chunks; the end of the stream ends the call.

        Args:
            fold: Adds a chunk to the response; the operation's by default.
            finish: Makes the response of what was folded.
            says_streamed: Whether the response is a stream of chunks, and not a body read in pieces.
        """
        self._has_stream = True
        if says_streamed:
            self._is_streamed = True
            self._set({semconv.GEN_AI_REQUEST_STREAM: True})
        times = says_streamed and self._services.metrics.kept
        return FoldingObserver(self, fold or self.operation.fold, finish, times=times)

    def completed(self, response: Any) -> None:
        """The whole response is there."""
        if self._once.acquire(blocking=False):
            self._read(response)
            self._end()

    def failed(self, error: BaseException, response: Any = None) -> None:
        """The call ended by an exception, after *response* or a part of it."""
        if self._once.acquire(blocking=False):
            with guard("reading what came before an error"):
                response = self.client.partial_response(error) if response is None else response
                if response is not None:
                    self._read(response, is_complete=False)
            self._attributes[semconv.ERROR_TYPE] = qualified_name(type(error))
            if self._owns_span:  # otherwise the framework may handle the error, or try again
                self.recorder.fail(self.span, error)
            with guard("writing an event"):
                if self.recorder.event_content is not None:
                    self._services.events.exception(self.context, error, self.recorder.event_content)
            self._end()

    def abandoned(self, response: Any = None) -> None:
        """The program reads no more of the response."""
        if self._once.acquire(blocking=False):
            with guard("reading an abandoned stream"):
                self._set({semconv.AGENTOPS_STREAM_ABANDONED: True})
                self._read(response, is_complete=False)
            self._end()

    def first_chunk(self) -> None:
        """Record the time to the first chunk."""
        with guard("timing the first chunk"):
            if not self._is_streamed:
                return
            self._chunk_at = self.recorder.clock()
            self._set({semconv.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: (self._chunk_at - self._started) / 1e9})

    def next_chunk(self) -> None:
        """Record the time since the previous chunk. Called only if metrics are kept."""
        with guard("timing a chunk"):
            now = self.recorder.clock()
            if self._waits_s is None:
                self._waits_s = array("d")
            self._waits_s.append((now - self._chunk_at) / 1e9)
            self._chunk_at = now

    def __del__(self) -> None:
        if not self._has_stream and not self._once.locked():  # a stream's observer ends the call, at any time later
            run_outside_gc(self.abandoned)

    def _set(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set attributes. On a framework's span only those that it has not set itself, and only while it is open."""
        self._attributes.update(attributes)
        if self._owns_span:
            self.span.set_attributes(attributes)
        elif self.span.is_recording():
            present = getattr(self.span, "attributes", None) or {}
            self.span.set_attributes({name: value for name, value in attributes.items() if name not in present})

    def _read(self, response: Any, *, is_complete: bool = True) -> None:
        operation = self.operation
        try:
            if not self._defer_response(response, is_complete=is_complete):
                self._set(response_attributes(operation, response, is_complete=is_complete))
                self._record_content(operation.response_content_rows, response)
            if self._pending_request is not None:
                self._record_content(operation.request_content_rows, self._pending_request)
            if response_id := operation.background_id(response):
                self._services.background.keep(response_id, self.span)
            if failure := operation.failure(response):
                self._attributes[semconv.ERROR_TYPE] = failure
                if self._owns_span:
                    self.recorder.set_error(self.span, failure)
        except BaseException as error:
            if not _reading.holds_back(error):
                raise

    def _defer_response(self, response: Any, *, is_complete: bool) -> bool:
        """Have a copy of the response read later. False if it must be read now."""
        span = self._deferring
        copied = None if span is None or not self.operation.copies_response else copy_fields(response)
        if span is None or copied is None:
            return False
        span.defer(DeferredResponse(self.operation, copied, is_complete=is_complete))
        return True

    def record_request(self, body: Any, deferred: DeferredRequest | None) -> None:
        """Record the request: its content now, or all that the span did not start with later, from its copy."""
        if deferred is not None and self._deferring is not None:
            self._deferring.defer(deferred)
            return
        if deferred is not None:
            self._set(attributes(self.operation.request_rows, body))
        self._record_content(self.operation.request_content_rows, body)

    def _record_content(self, table: Sequence[Row], source: Any) -> None:
        """Record the content that the table reads from the source, on the span and in the call's event."""
        recorder, events = self.recorder, self.recorder.event_content
        on_span = recorder.content.enabled and self.span.is_recording()
        in_event = events is not None and events.enabled
        for name, read in contents(table, source).items() if on_span or in_event else ():
            value = gen_ai.read_now(read)
            if on_span:
                added = recorder.set_content(self.span, name, value, held=self._content_bytes)
                self._content_bytes = None if self._content_bytes is None else self._content_bytes + added
            if events is not None and in_event:
                self._content[name] = structured(events, name, value)

    def _end(self) -> None:
        recorder, span = self.recorder, self.span
        try:
            ended = recorder.clock()
            if self._owns_span and getattr(span, "dropped_attributes", None):
                # dropped with the oldest attributes
                kept = self._attributes
                span.set_attributes({name: kept[name] for name in _IDENTITY if name in kept})
            if self._owns_span:
                recorder.end(span, ended)
            if self._deferring is None:
                self._tell_others(ended)
        except BaseException as error:
            if not _ending.holds_back(error):
                raise

    def _tell_others(self, ended: int) -> None:
        """Those who want to know of the call at once, beside its span. If there are any, it defers nothing."""
        services = self._services
        if self.recorder.event_content is not None and self.operation.name in semconv.INFERENCE_OPERATIONS:
            services.events.details(self.context, self._attributes, self._content)
        if services.metrics.kept:
            services.metrics.record(self._attributes, (ended - self._started) / 1e9, self._waits_s or ())


class FoldingObserver(StreamObserver):
    """Folds the chunks of one stream into its response, and ends the call with it.

    Args:
        call: The call whose response it is.
        fold: Adds a chunk to the response; None: chunks are not read.
        finish: Makes the response of what was folded.
        times: Whether the time between chunks is measured.
    """

    __slots__ = ("__weakref__", "_call", "_finish", "_fold", "_lock", "_response", "_times")

    def __init__(self, call: Call, fold: Fold | None, finish: Callable[[Any], Any], *, times: bool) -> None:
        super().__init__(call.context)
        self._call = call
        self._fold = fold
        self._finish = finish
        self._response: dict[str, Any] | None = None
        self._lock = Lock()
        self._times = times
        call.recorder.track_stream(self)

    def chunk(self, chunk: Any) -> Any:
        """Fold the chunk before the program gets it, which may change it."""
        if self._response is None:
            self._response = {}
            self._call.first_chunk()
        elif self._times:
            self._call.next_chunk()
        if self._fold is not None:
            try:
                with self._lock:
                    self._fold(self._response, chunk)
            except BaseException as error:  # not `with`: this is paid for each chunk
                if not _folding.holds_back(error):
                    raise
        return chunk

    def exhausted(self) -> None:
        """The response is complete."""
        self._call.completed(self._finished())

    def failed(self, error: BaseException) -> None:
        """The stream raised."""
        self._call.failed(error, self._finished())

    def abandoned(self) -> None:
        """The program reads no further."""
        self._call.abandoned(self._finished())

    def __del__(self) -> None:
        run_outside_gc(self.abandoned)

    def _finished(self) -> Any:
        with guard("reading a folded stream"):
            with self._lock:  # a chunk that another thread reads now is in no response
                response, self._response = self._response, {}
            return self._finish(response or {})
