"""Websocket sessions: one span per response."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Protocol

from opentelemetry.context import get_current

from agentops_otel.guard import guard
from agentops_otel.instrumentation.reading import loads
from agentops_otel.wrapping.proxy import proxied
from agentops_otel.wrapping.stream import StreamObserver, observed_call


class Starter(Protocol):
    """Starts calls on connections: the wrapper of a client's method."""

    off: bool

    def start_on_connection(self, operation: Any, instance: Any, arguments: Mapping[str, Any]) -> StreamObserver | None:
        """Start the call; None if it gets no span."""


class CallStarter:
    """Starts the calls of one connection.

    Args:
        by: The wrapper that starts them. Replaced after `uninstrument()` and `instrument()`.
        operation: What the calls are.
        instance: The object to read provider and server from: what opened the connection, or the connection itself.
        arguments: The arguments that the connection was opened with, as far as they can be read.
    """

    def __init__(self, by: Starter, operation: Any, instance: Any, arguments: Mapping[str, Any]) -> None:
        self.operation = operation
        self.instance = instance
        self.arguments = arguments
        self._by = by

    def __call__(self, request: Mapping[str, Any]) -> StreamObserver | None:
        """Start the call that the request asks for; None if it gets no span."""
        return self._by.start_on_connection(self.operation, self.instance, {**self.arguments, **request})

    def use_wrapper_of(self, other: "CallStarter") -> None:
        """Start calls with the other's wrapper if ours is off."""
        if self._by.off:
            self._by = other._by


class Turn:
    """One response on a connection. Kept without a span too, to preserve the order."""

    __slots__ = ("has_begun", "observer", "request")

    def __init__(self, request: Any, observer: StreamObserver | None = None) -> None:
        self.request = request
        self.observer = observer
        self.has_begun = False


class ConnectionTracker:
    """Tracks one connection as a sequence of turns. A subclass decides which message begins a turn, and ends it.

    Args:
        start_call: Starts the call that a request asks for.
    """

    def __init__(self, start_call: CallStarter) -> None:
        self.turns: list[Turn] = []
        """The turns that have not ended, the oldest first."""
        self.start_call = start_call
        self.has_unseen_recv = False
        """True if a `recv()` that began before the tracker was attached may return a message that it does not see."""

    def opened(self, connection: Any) -> Any:
        """The result for the program that opens a connection: a proxy of the connection, by default."""
        return tracked(connection, self)

    def sent(self, message: Any) -> Turn | None:
        """The program is about to send the message; returns the turn that it begins, if it begins one."""

    def received(self, message: Any) -> None:
        """The program received the message."""

    def failed(self, error: BaseException) -> None:
        """Receiving raised."""
        # All other errors (a timeout, a cancelled task) leave the message for the next `recv()`.
        if any(kind.__name__ == "ConnectionClosed" for kind in type(error).__mro__):
            self.broke(error)

    def begin(self, request: Any) -> Turn:
        """Begin a turn for the request."""
        turn = Turn(request, self.start_call(request))
        self.turns.append(turn)
        return turn

    def add(self, turn: Turn, message: Any) -> None:
        """Add a message to the turn's response."""
        turn.has_begun = True
        if turn.observer is not None:
            turn.observer.chunk(message)

    def end(self, turn: Turn, error: BaseException | None = None) -> None:
        """End the turn: its response is complete, or the error ended it."""
        if turn in self.turns:
            self.turns.remove(turn)
        if turn.observer is not None:
            if error is None:
                turn.observer.exhausted()
            else:
                turn.observer.raised(error)

    def broke(self, error: BaseException) -> None:
        """The connection is gone: every open turn ends with the error."""
        for turn in list(self.turns):
            self.end(turn, error)

    def abandoned(self) -> None:
        """The program closes the connection."""
        for turn in list(self.turns):
            self.turns.remove(turn)
            if turn.observer is not None:
                turn.observer.abandoned()


def tracked(connection: Any, tracker: ConnectionTracker, *names: str) -> Any:
    """A proxy of the connection that reports what is sent and received to the tracker.

    Args:
        connection: An object with the methods `send`, `recv` and `close`.
        tracker: The tracker.
        *names: The methods to report; all of them by default.
    """
    return proxied(connection, tracker, {name: hook for name, hook in _HOOKS.items() if not names or name in names})


_attaching = Lock()


def attached(connection: Any, start_call: CallStarter, replace: Callable[[Any], None]) -> Any:
    """The tracker of a connection: the one it has, or a new one.

    Args:
        connection: The connection as its holder has it.
        start_call: Starts the calls of a new tracker.
        replace: Replaces the connection in its holder by the one that a new tracker tracks.
    """
    with _attaching:
        if (tracker := getattr(connection, "_self_observer", None)) is None:
            tracker = start_call.operation.tracker(start_call)
            tracker.has_unseen_recv = True
            replace(tracker)
    tracker.start_call.use_wrapper_of(start_call)
    return tracker


class Opening:
    """Observes a client that opens a connection; the program gets the tracked one."""

    def __init__(self, tracker: ConnectionTracker) -> None:
        self.context = get_current()
        self._tracker = tracker

    def returned(self, value: Any) -> Any:
        """The connection is open."""
        return self._tracker.opened(value)

    def raised(self, error: BaseException) -> None:
        """There is no connection, and no call."""


class _Sending:
    def __init__(self, tracker: ConnectionTracker, message: Any) -> None:
        self._tracker = tracker
        self._turn: Turn | None = None
        with guard("reading what is sent"):
            self._turn = tracker.sent(loads(message))
        self.context = get_current()

    def returned(self, value: Any) -> Any:
        return value

    def raised(self, error: BaseException) -> None:
        if self._turn is not None:
            self._tracker.end(self._turn, error)


class Receiving:
    """Observes a program that receives a message, as text or as the client parses it."""

    def __init__(self, tracker: ConnectionTracker) -> None:
        self._tracker = tracker
        self.context = get_current()

    def returned(self, value: Any) -> Any:
        """A message."""
        with guard("reading what is received"):
            self._tracker.received(loads(value) if isinstance(value, str | bytes | bytearray) else value)
            self._tracker.has_unseen_recv = False
        return value

    def raised(self, error: BaseException) -> None:
        """No message."""
        self._tracker.failed(error)


def _send(self: Any, message: Any, *args: Any, **kwargs: Any) -> Any:
    return observed_call(_Sending(self._self_observer, message), self.__wrapped__.send, message, *args, **kwargs)


def _recv(self: Any, *args: Any, **kwargs: Any) -> Any:
    return observed_call(Receiving(self._self_observer), self.__wrapped__.recv, *args, **kwargs)


def _close(self: Any, *args: Any, **kwargs: Any) -> Any:
    self._self_observer.abandoned()
    return self.__wrapped__.close(*args, **kwargs)


_HOOKS = {"send": _send, "recv": _recv, "close": _close}
