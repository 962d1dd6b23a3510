"""Watching a connection over which a program asks a model again and again: each answer is a call of its own."""

from collections.abc import Callable, Coroutine
from typing import Any

from opentelemetry.context import get_current

from agentops_otel.guard import guard
from agentops_otel.instrumentation.call import Reading
from agentops_otel.instrumentation.proxy import proxied
from agentops_otel.instrumentation.reading import loads
from agentops_otel.instrumentation.stream import Awaited, watch

Ask = Callable[[Any], Reading | None]
"""Starts the call that a request asks for; None where it has no span."""


class Turn:
    """One answer on a connection; it has a place there whether it has a span or not."""

    __slots__ = ("reading", "request")

    def __init__(self, request: Any, reading: Reading | None) -> None:
        self.request = request
        self.reading = reading


class Talk:
    """What is said over one connection, as turns: each client's own tells which message begins one, and ends it.

    Args:
        ask: Starts the call that a request asks for.
    """

    def __init__(self, ask: Ask) -> None:
        self.turns: list[Turn] = []
        """The answers that are still to come to their ends, the oldest first."""
        self._ask = ask

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
        turn = Turn(request, self._ask(request))
        self.turns.append(turn)
        return turn

    def add(self, turn: Turn, message: Any) -> None:
        """A piece of the answer is here."""
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


def connected(connection: Any, talk: Talk, *names: str) -> Any:
    """The connection behind a proxy of its own kind; the talk hears what is sent and received over it.

    Args:
        connection: What has the methods `send`, `recv` and `close`.
        talk: Who hears.
        *names: Those of the methods by which it does; all of them where none is named.
    """
    return proxied(connection, talk, {name: hook for name, hook in _HOOKS.items() if not names or name in names})


class Opening:
    """Watches a client open a connection, which comes back watched."""

    def __init__(self, talk: Talk) -> None:
        self.context = get_current()
        self._talk = talk

    def returned(self, value: Any) -> Any:
        """The connection, or the coroutine that opens it."""
        return Awaited(value, self) if isinstance(value, Coroutine) else self._talk.opened(value)

    def raised(self, error: BaseException) -> None:
        """There is no connection, and nothing was asked."""


class _Sending:
    def __init__(self, talk: Talk, message: Any) -> None:
        self._talk = talk
        self._turn: Turn | None = None
        with guard("reading what is sent"):
            self._turn = talk.sent(loads(message))
        self.context = get_current()

    def returned(self, value: Any) -> Any:
        return Awaited(value, self) if isinstance(value, Coroutine) else value

    def raised(self, error: BaseException) -> None:
        if self._turn is not None:
            self._talk.end(self._turn, error)


class Receiving:
    """Watches a program receive a message, as text or as what the client makes of it."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.context = get_current()

    def returned(self, value: Any) -> Any:
        """The message, or the coroutine that waits for it."""
        if isinstance(value, Coroutine):
            return Awaited(value, self)
        with guard("reading what is received"):
            self._talk.received(loads(value) if isinstance(value, str | bytes | bytearray) else value)
        return value

    def raised(self, error: BaseException) -> None:
        """There is none."""
        self._talk.failed(error)


def _send(self: Any, message: Any, *args: Any, **kwargs: Any) -> Any:
    return watch(_Sending(self._self_watcher, message), self.__wrapped__.send, message, *args, **kwargs)


def _recv(self: Any, *args: Any, **kwargs: Any) -> Any:
    return watch(Receiving(self._self_watcher), self.__wrapped__.recv, *args, **kwargs)


def _close(self: Any, *args: Any, **kwargs: Any) -> Any:
    self._self_watcher.left()
    return self.__wrapped__.close(*args, **kwargs)


_HOOKS = {"send": _send, "recv": _recv, "close": _close}
