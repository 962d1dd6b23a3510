"""Watching a connection over which a program asks a model again and again: each answer is a call of its own."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Protocol

from opentelemetry.context import get_current

from agentops_otel.guard import guard
from agentops_otel.instrumentation.call import Reading
from agentops_otel.instrumentation.reading import loads
from agentops_otel.wrapping.proxy import proxied
from agentops_otel.wrapping.stream import watch


class Starter(Protocol):
    """Who starts the calls that are asked for over connections: the wrapper of a client's method."""

    off: bool

    def ask(self, operation: Any, instance: Any, request: Mapping[str, Any]) -> Reading | None:
        """The call that a request asks for; None where it has no span."""


class CallStarter:
    """Starts the calls that are asked for over one connection.

    Args:
        by: Whose they are; someone else's once the client was unwrapped and wrapped again.
        operation: What they are.
        opener: What tells provider and server: what opened the connection, or else the connection itself.
        known: What was said when it was opened, as far as it is known.
    """

    def __init__(self, by: Starter, operation: Any, opener: Any, known: Mapping[str, Any]) -> None:
        self.operation = operation
        self.opener = opener
        self.known = known
        self._by = by

    def __call__(self, request: Mapping[str, Any]) -> Reading | None:
        """The call that the request asks for, or None."""
        return self._by.ask(self.operation, self.opener, {**self.known, **request})

    def renew(self, other: "CallStarter") -> None:
        """Go on by the other's wrapper where our own is off."""
        if self._by.off:
            self._by = other._by


class Turn:
    """One answer on a connection; it has a place there whether it has a span or not."""

    __slots__ = ("begun", "reading", "request")

    def __init__(self, request: Any, reading: Reading | None = None) -> None:
        self.request = request
        self.reading = reading
        self.begun = False


class ConnectionTracker:
    """What is said over one connection, as turns: each client's own tells which message begins one, and ends it.

    Args:
        ask: Starts the call that a request asks for.
    """

    def __init__(self, ask: CallStarter) -> None:
        self.turns: list[Turn] = []
        """The answers that are still to come to their ends, the oldest first."""
        self.ask = ask
        self.unheard = False
        """Whether the program may be waiting for a message, since before the talk was joined, that we do not see."""

    def opened(self, found: Any) -> Any:
        """What the program gets for what the client opened: the connection, by default."""
        return connected(found, self)

    def sent(self, message: Any) -> Turn | None:
        """The program is about to send this; the turn that it begins, if it does."""

    def received(self, message: Any) -> None:
        """The program received this."""

    def failed(self, error: BaseException) -> None:
        """The program received this instead."""
        # Everything else (a timeout, a cancelled task) leaves the message for the next one who asks.
        if any(kind.__name__ == "ConnectionClosed" for kind in type(error).__mro__):
            self.broke(error)

    def begin(self, request: Any) -> Turn:
        """An answer is asked for from now on."""
        turn = Turn(request, self.ask(request))
        self.turns.append(turn)
        return turn

    def add(self, turn: Turn, message: Any) -> None:
        """A piece of the answer is here."""
        turn.begun = True
        if turn.reading is not None:
            turn.reading.returned(message)

    def end(self, turn: Turn, error: BaseException | None = None) -> None:
        """The answer is whole, or will never be because of the error."""
        if turn in self.turns:
            self.turns.remove(turn)
        if turn.reading is not None:
            turn.reading.raised(error or StopIteration())

    def broke(self, error: BaseException) -> None:
        """The connection is gone, and with it every answer that was still to come."""
        for turn in list(self.turns):
            self.end(turn, error)

    def left(self) -> None:
        """The program closes the connection."""
        self.broke(GeneratorExit())


def connected(connection: Any, tracker: ConnectionTracker, *names: str) -> Any:
    """A proxy of the connection that reports what is sent and received to the tracker.

    Args:
        connection: An object with the methods `send`, `recv` and `close`.
        tracker: The tracker.
        *names: The methods to report; all of them by default.
    """
    return proxied(connection, tracker, {name: hook for name, hook in _HOOKS.items() if not names or name in names})


_joining = Lock()


def joined(socket: Any, ask: CallStarter, put: Callable[[Any], None]) -> Any:
    """The talk over a socket: the one that is heard already, or one that is from now on.

    Args:
        socket: The socket as its holder has it.
        ask: Starts the calls of a new talk.
        put: Puts the socket that a new talk watches in the socket's place.
    """
    with _joining:
        if (tracker := getattr(socket, "_self_watcher", None)) is None:
            tracker = ask.operation.tracker(ask)
            tracker.unheard = True
            put(tracker)
    tracker.ask.renew(ask)
    return tracker


class Opening:
    """Watches a client open a connection, which comes back watched."""

    def __init__(self, tracker: ConnectionTracker) -> None:
        self.context = get_current()
        self._tracker = tracker

    def returned(self, value: Any) -> Any:
        """The connection."""
        return self._tracker.opened(value)

    def raised(self, error: BaseException) -> None:
        """There is no connection, and nothing was asked."""


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
    """Watches a program receive a message, as text or as what the client makes of it."""

    def __init__(self, tracker: ConnectionTracker) -> None:
        self._tracker = tracker
        self.context = get_current()

    def returned(self, value: Any) -> Any:
        """The message."""
        with guard("reading what is received"):
            self._tracker.received(loads(value) if isinstance(value, str | bytes | bytearray) else value)
            self._tracker.unheard = False
        return value

    def raised(self, error: BaseException) -> None:
        """There is none."""
        self._tracker.failed(error)


def _send(self: Any, message: Any, *args: Any, **kwargs: Any) -> Any:
    return watch(_Sending(self._self_watcher, message), self.__wrapped__.send, message, *args, **kwargs)


def _recv(self: Any, *args: Any, **kwargs: Any) -> Any:
    return watch(Receiving(self._self_watcher), self.__wrapped__.recv, *args, **kwargs)


def _close(self: Any, *args: Any, **kwargs: Any) -> Any:
    self._self_watcher.left()
    return self.__wrapped__.close(*args, **kwargs)


_HOOKS = {"send": _send, "recv": _recv, "close": _close}
