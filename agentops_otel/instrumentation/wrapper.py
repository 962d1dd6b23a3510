"""Wrappers of a client's methods: they start a `Call` and give it what the method returns.

`wrapper_of` chooses the kind of wrapper once, when the method is wrapped.
"""

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.context import Context, set_value
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.instrumentation.call import CALL_IN_PROGRESS, Call, CallServices, FoldingObserver
from agentops_otel.instrumentation.connection import CallStarter, Opening
from agentops_otel.instrumentation.deferred import copy_request
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.tables import add_attributes
from agentops_otel.tracing import (
    OWN_WORK,
    SUPPRESS_KEY,
    SUPPRESSED_BY_US,
    Recorder,
    current_context,
    is_suppressed,
)
from agentops_otel.wrapping.stream import Awaited, Observer, observed_call

# Made once: a call enters each of them.
_reading = guard("reading a request")
_starting = guard("starting a span")

_logger = logging.getLogger("agentops_otel")

GetRecorder = Callable[[], Recorder | None]
Wrapped = Callable[..., Any]
Args = tuple[Any, ...]
Kwargs = dict[str, Any]


_Request = tuple[Operation, Mapping[str, Any], bool]
"""One call of a method: the operation, its arguments by name, and whether some of it is read only when it is sent."""


def wrapper_of(
    spec: ClientSpec,
    operations: Sequence[Operation],
    method: Callable[..., Any],
    get_recorder: GetRecorder,
    services: CallServices,
) -> "Wrapper":
    """The wrapper for a method.

    Args:
        spec: The client that the method belongs to.
        operations: What a call of the method may be; the first that matches counts.
        method: The method.
        get_recorder: The recorder at the moment of a call; None lets the call pass untouched.
        services: What the calls of one installation share.
    """
    kind = _kind(operations[0], method)
    if len(operations) > 1 and kind not in (CallWrapper, AsyncCallWrapper):
        raise ValueError(f"{spec.name}: an operation with attach, tracker or suppress must be its method's only one")
    return kind(spec, operations, method, get_recorder, services)


def _kind(operation: Operation, method: Callable[..., Any]) -> type["Wrapper"]:
    if operation.attach is not None:
        return AttachWrapper
    if operation.suppress:
        return SilentWrapper
    if operation.tracker is not None:
        return OpeningWrapper
    return AsyncCallWrapper if inspect.iscoroutinefunction(method) else CallWrapper


class Wrapper:
    """Wraps one method of a client. Without a recorder it only passes calls through."""

    __slots__ = (
        "_get_recorder",
        "_method",
        "_name",
        "_names",
        "_operations",
        "_services",
        "_spec",
        "_was_called",
        "off",
    )

    def __init__(
        self,
        spec: ClientSpec,
        operations: Sequence[Operation],
        method: Callable[..., Any],
        get_recorder: GetRecorder,
        services: CallServices,
    ) -> None:
        self._spec = spec
        self._operations = operations
        self._name = getattr(method, "__qualname__", "")
        self._method = method
        self._names: tuple[str, ...] | None = None
        self._get_recorder = get_recorder
        self._services = services
        self._was_called = False
        self.off = False
        """True once uninstalled: another library's wrapper may hold this one longer."""

    def __call__(self, wrapped: Wrapped, instance: Any, args: Args, kwargs: Kwargs) -> Any:
        """Call the method as it was called, and observe the call."""
        recorder = None if self.off else self._get_recorder()
        if recorder is None:
            return wrapped(*args, **kwargs)
        return self._observe(recorder, wrapped, instance, args, kwargs)

    def _observe(self, recorder: Recorder, wrapped: Wrapped, instance: Any, args: Args, kwargs: Kwargs) -> Any:
        raise NotImplementedError

    def start_on_connection(
        self, operation: Operation, instance: Any, arguments: Mapping[str, Any]
    ) -> FoldingObserver | None:
        """Start the call that a message on an open connection asks for; its request may grow later."""
        recorder = None if self.off else self._get_recorder()
        call = None if recorder is None else self._start(recorder, instance, (operation, arguments, True))
        return None if call is None else call.stream_observer()

    def _parameters(self) -> tuple[str, ...]:
        """The names of the method's positional parameters, read at the first call that needs them."""
        if self._names is None:
            self._names = _parameters(self._method)
        return self._names

    def _match(self, instance: Any, args: Args, kwargs: Kwargs) -> tuple[_Request | None, Args, Kwargs]:
        """The request, None if it matches no operation; and the arguments to pass on."""
        request = None
        try:
            given = {"self": instance, **kwargs}
            if args:
                given.update(zip(self._parameters(), args, strict=False))
            operation = self._operation(given)
            rewrite = self._spec.rewrite_arguments if operation else self._spec.rewrite_other_arguments
            arguments = rewrite(given)
            if arguments is not given:
                args = tuple(arguments[name] for name in self._parameters()[: len(args)])
                kwargs = {name: arguments[name] for name in kwargs}
            request = (operation, arguments, arguments is not given) if operation else None
        except BaseException as error:
            if not _reading.holds_back(error):
                raise
        if request is None:
            self._log_no_span("no operation matches")
        return request, args, kwargs

    def _operation(self, given: Mapping[str, Any]) -> Operation | None:
        for operation in self._operations:
            if operation.matches(given):
                return operation
        return None

    def _start(self, recorder: Recorder, instance: Any, request: _Request) -> Call | None:
        """The call with its span; None if tracing is suppressed or a call in progress has the span already."""
        (operation, _, _), current = request, current_context()
        if not self._was_called and current.get(SUPPRESS_KEY) not in (SUPPRESSED_BY_US, OWN_WORK):
            self._was_called = True
            self._services.check_instrumentations(self._spec)
        if current and is_suppressed(current):
            self._log_no_span("suppressed")
            return None
        if current and operation.belongs_to(group := current.get(CALL_IN_PROGRESS)):
            self._log_no_span(f"nested in a call of the group {group!r}")
            return None
        call = None
        try:
            call = self._start_call(recorder, instance, request, current)
        except BaseException as error:
            if not _starting.holds_back(error):
                raise
        if call is not None and not call.span.is_recording():
            self._log_no_span("sampled out")
        return call

    def _start_call(self, recorder: Recorder, instance: Any, request: _Request, current: Context) -> Call | None:
        (operation, arguments, has_iterators), spec, services = request, self._spec, self._services
        body = spec.body(arguments)
        defers = services.defers(recorder)
        deferred = copy_request(operation, body) if defers and recorder.content.enabled else None
        started_with = spec.server_attributes(instance)
        started_with[semconv.GEN_AI_OPERATION_NAME] = operation.name
        add_attributes(started_with, operation.start_rows if deferred else operation.request_rows, body)
        started = recorder.clock()
        adopted = services.adoptions.adopt(recorder, operation.name, current)
        links = services.background.links(operation.fetched_id(arguments))
        span = adopted or _start_span(recorder, started_with, links, started, current)
        if span is INVALID_SPAN:
            return None
        call = Call(
            recorder,
            spec,
            operation,
            services,
            span,
            started_with,
            started,
            owns_span=adopted is None,
            pending_request=body if has_iterators else None,
            is_streamed=started_with.get(semconv.GEN_AI_REQUEST_STREAM) is True,
            defers=defers,
        )
        try:
            call.record_request(body, deferred)
        except BaseException as error:
            if not _reading.holds_back(error):
                raise
        return call

    def _log_no_span(self, reason: str) -> None:
        _logger.debug("%s: %s makes no span: %s", self._spec.name, self._name, reason)


class CallWrapper(Wrapper):
    """For a method that sends a request and returns the response."""

    __slots__ = ()

    def _observe(self, recorder: Recorder, wrapped: Wrapped, instance: Any, args: Args, kwargs: Kwargs) -> Any:
        request, args, kwargs = self._match(instance, args, kwargs)
        call = None if request is None else self._start(recorder, instance, request)
        return wrapped(*args, **kwargs) if call is None else observed_call(call, wrapped, *args, **kwargs)


class AsyncCallWrapper(Wrapper):
    """For a coroutine function: the call starts when the coroutine does."""

    __slots__ = ()

    def _observe(self, recorder: Recorder, wrapped: Wrapped, instance: Any, args: Args, kwargs: Kwargs) -> Any:
        request, args, kwargs = self._match(instance, args, kwargs)
        coroutine = wrapped(*args, **kwargs)
        if request is None:
            return coroutine
        return Awaited(coroutine, begin=lambda: self._start(recorder, instance, request))


class SilentWrapper(Wrapper):
    """For a method that the client calls from a thread of its own, as a part of a call that has a span."""

    __slots__ = ()

    def _observe(self, recorder: Recorder, wrapped: Wrapped, instance: Any, args: Args, kwargs: Kwargs) -> Any:
        request, args, kwargs = self._match(instance, args, kwargs)
        if request is None:
            return wrapped(*args, **kwargs)
        operation, _, _ = request
        return observed_call(_PartOfCall(operation), wrapped, *args, **kwargs)


class OpeningWrapper(Wrapper):
    """For a method that opens a connection, whose messages are calls."""

    __slots__ = ()

    def _observe(self, recorder: Recorder, wrapped: Wrapped, instance: Any, args: Args, kwargs: Kwargs) -> Any:
        request, args, kwargs = self._match(instance, args, kwargs)
        if request is None:
            return wrapped(*args, **kwargs)
        operation, arguments, _ = request
        if operation.tracker is None:
            return wrapped(*args, **kwargs)
        starter = CallStarter(self, operation, instance, arguments)
        return observed_call(Opening(operation.tracker(starter)), wrapped, *args, **kwargs)


class AttachWrapper(Wrapper):
    """For a method of an open connection, which may be older than the wrapper."""

    __slots__ = ()

    def _observe(self, recorder: Recorder, wrapped: Wrapped, instance: Any, args: Args, kwargs: Kwargs) -> Any:
        observer: Observer | None = None
        with guard("attaching to a connection"):
            (operation,) = self._operations
            if operation.attach is not None:
                observer = operation.attach(instance, CallStarter(self, operation, instance, {}), *args)
        return wrapped(*args, **kwargs) if observer is None else observed_call(observer, wrapped, *args, **kwargs)


class _PartOfCall:
    """Observes a part of a call that runs in another thread: calls inside it make no span."""

    def __init__(self, operation: Operation) -> None:
        self.context = set_value(CALL_IN_PROGRESS, operation.dedup_group)

    def returned(self, value: Any) -> Any:
        return value

    def raised(self, error: BaseException) -> None:
        """The client handles it."""


def _start_span(
    recorder: Recorder, attributes: Mapping[str, AttributeValue], links: Sequence[Link], started: int, current: Context
) -> Span:
    operation: object = attributes[semconv.GEN_AI_OPERATION_NAME]
    target: object = attributes.get(semconv.GEN_AI_REQUEST_MODEL) or attributes.get(semconv.GEN_AI_AGENT_NAME)
    return recorder.start(
        f"{operation!s} {target!s}" if target else str(operation),
        kind=SpanKind.CLIENT,
        attributes=attributes,
        context=current,
        links=links,
        start_time=started,
    )


def _parameters(method: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the positional parameters, without `self`."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(method).parameters.items()
    names = [name for name, parameter in parameters if parameter.kind in positional]
    return tuple(names[1:] if names[:1] == ["self"] else names)
