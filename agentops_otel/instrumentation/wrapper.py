"""The one wrapper round a client's methods: it starts a `Call` and hands it what comes back."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.context import get_current, get_value, set_value
from opentelemetry.trace import INVALID_SPAN, Link, SpanKind

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.instrumentation.call import CALL_IN_PROGRESS, Call, CallServices, Reading
from agentops_otel.instrumentation.connection import CallStarter, Opening
from agentops_otel.instrumentation.reading import RecordedIterator, attributes
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.tracing import Recorder
from agentops_otel.wrapping.stream import Awaited, Watcher, watch


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one call of a method is, and its arguments by name."""

    operation: Operation
    named: Mapping[str, Any]


class _Part:
    """Watches a part of a call that is under way in another thread."""

    def __init__(self, operation: Operation) -> None:
        self.context = set_value(CALL_IN_PROGRESS, operation.dedup_group)

    def returned(self, value: Any) -> Any:
        """What came of it is the client's own."""
        return value

    def raised(self, error: BaseException) -> None:
        """The client hears of it."""


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
        shared: CallServices,
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
        if recorder is None:
            return wrapped(*args, **kwargs)
        if self._operations[0].attach is not None:
            watcher = self._joined(self._operations[0], instance, args)
            return wrapped(*args, **kwargs) if watcher is None else watch(watcher, wrapped, *args, **kwargs)
        asked, args, kwargs = self._asked(instance, args, kwargs)
        if asked is None:
            return wrapped(*args, **kwargs)
        if asked.operation.suppress:
            return watch(_Part(asked.operation), wrapped, *args, **kwargs)
        if asked.operation.tracker is not None:
            tracker = asked.operation.tracker(CallStarter(self, asked.operation, instance, asked.named))
            return watch(Opening(tracker), wrapped, *args, **kwargs)
        if self._awaits:
            return Awaited(wrapped(*args, **kwargs), begin=lambda: self._begin(recorder, instance, asked))
        call = self._begin(recorder, instance, asked)
        if call is None:
            return wrapped(*args, **kwargs)
        return watch(call, wrapped, *args, **kwargs)

    def _asked(
        self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[_Asked | None, tuple[Any, ...], dict[str, Any]]:
        """What is asked for, None when it is nothing that has a span; and the arguments as they are passed on."""
        asked = None
        with guard("reading a request"):
            named = {"self": instance, **dict(zip(self._parameters, args, strict=False)), **kwargs}
            operation = next((known for known in self._operations if known.matches(named)), None)
            changed = (self._client.rewrite_arguments if operation else self._client.rewrite_other_arguments)(named)
            if changed is not named:
                args = tuple(changed[name] for name in self._parameters[: len(args)])
                kwargs = {name: changed[name] for name in kwargs}
            asked = _Asked(operation, changed) if operation else None
        return asked, args, kwargs

    def _joined(self, operation: Operation, connection: Any, args: tuple[Any, ...]) -> Watcher | None:
        """Who is to see a call of a connection's method, if anybody; whoever opened it, what goes over it is heard."""
        watcher: Watcher | None = None
        with guard("joining a connection"):
            if operation.attach is not None:
                watcher = operation.attach(connection, CallStarter(self, operation, connection, {}), *args)
        return watcher

    def ask(self, operation: Operation, instance: Any, request: Mapping[str, Any]) -> Reading | None:
        """The call that a request asks for over a connection that was opened before; it may be added to later."""
        recorder = None if self.off else self._current()
        call = None if recorder is None else self._begin(recorder, instance, _Asked(operation, request))
        if call is None:
            return None
        call.unread = request
        return call.reading()

    def _begin(self, recorder: Recorder, instance: Any, asked: _Asked) -> Call | None:
        """The call with its span started; None under suppression, and within a call that has its span already."""
        if asked.operation.belongs_to(get_value(CALL_IN_PROGRESS)):
            return None
        call = None
        with guard("starting a span"):
            body = self._client.body(asked.named)
            links = self._shared.known.links(asked.operation.fetched_id(asked.named))
            call = self._start(recorder, asked.operation, instance, body, links)
        if call is not None and not self._called:
            self._called = True
            self._shared.notice(self._client)
        return call

    def _start(
        self, recorder: Recorder, operation: Operation, instance: Any, body: Any, links: Sequence[Link]
    ) -> Call | None:
        found = attributes(operation.request_rows, body)
        said = {semconv.GEN_AI_OPERATION_NAME: operation.name, **self._client.server_attributes(instance), **found}
        whom = said.get(semconv.GEN_AI_REQUEST_MODEL) or said.get(semconv.GEN_AI_AGENT_NAME)
        started = recorder.clock()
        span = recorder.start(
            f"{operation.name} {whom}" if whom else operation.name,
            kind=SpanKind.CLIENT,
            attributes=said,
            context=get_current(),
            links=links,
            start_time=started,
        )
        if span is INVALID_SPAN:
            return None
        call = Call(recorder, self._client, operation, self._shared, span, said, started)
        with guard("reading a request"):
            call.tell(operation.request_content_rows, body)
        call.streams = found.get(semconv.GEN_AI_REQUEST_STREAM) is True
        if isinstance(body, dict) and any(issubclass(kind, RecordedIterator) for kind in set(map(type, body.values()))):
            call.unread = body
        return call


def _parameters(method: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the positional parameters, without `self`."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [name for name, known in inspect.signature(method).parameters.items() if known.kind in positional]
    return tuple(names[1:] if names[:1] == ["self"] else names)
