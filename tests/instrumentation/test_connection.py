"""A connection that reports what goes over it, to whom it is the program's own object; each answer is a call."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel import semconv
from agentops_otel.instrumentation import ClientSpec, Operation, add_text, install
from agentops_otel.instrumentation.connection import CallStarter, ConnectionTracker, Turn, attached, tracked
from tests.clients.capture import Captured


class Socket:
    """Takes what websockets' connections take."""

    def send(self, *args: Any, **named: Any) -> Any:
        """Send a message."""
        return args, named

    def recv(self, *args: Any, **named: Any) -> Any:
        """Receive one."""
        return args, named

    def close(self, *args: Any, **named: Any) -> Any:
        """Close."""
        return args, named


def test_what_a_method_is_given_is_passed_on() -> None:
    """By place and by name."""
    connection = tracked(Socket(), ConnectionTracker(lambda request: None))  # type: ignore[arg-type]  # begins none

    assert connection.send("{}", True, text=False) == (("{}", True), {"text": False})
    assert connection.recv(1, decode=False) == ((1,), {"decode": False})
    assert connection.close(1000, reason="done") == ((1000,), {"reason": "done"})


class ConnectionClosed(Exception):
    """As that of websockets, which is known by its name."""


class ClosedByServer(ConnectionClosed):
    """One kind of it."""


class Line:
    """A connection on which a server says one word after the other; what it says last is a full stop."""

    def __init__(self, *said: object) -> None:
        self.said = iter(said)

    def send(self, message: object) -> None:
        """Send a question."""
        if message == "too long":
            raise ValueError(message)

    def recv(self) -> object:
        """The next word."""
        said = next(self.said)
        if isinstance(said, BaseException):
            raise said
        return said

    def close(self) -> None:
        """Hang up."""


class Telephone:
    """A client of nobody's."""

    def dial(self, model: str, *said: object) -> Line:
        """A line to the model."""
        if not model:
            raise ValueError("no model")
        return Line(*said)


class Held:
    """Has a line that may be older than the wrappers."""

    def __init__(self, *said: object) -> None:
        self.line: Any = Line(*said)

    def hear(self) -> object:
        """The next word."""
        heard: object = self.line.recv()
        return heard


class Talk(ConnectionTracker):
    """Each message that is sent is a question; the words up to a full stop are its answer."""

    def sent(self, message: Any) -> Turn | None:
        """A question."""
        return self.begin(message if isinstance(message, dict) else {"asked": "something"})

    def received(self, message: Any) -> None:
        """A word."""
        if not self.turns:
            return
        self.add(self.turns[0], message)
        if message == {"word": "."}:
            self.end(self.turns[0])


TALK = Operation(
    name="chat",
    methods=("Telephone.dial",),
    tracker=Talk,
    request={semconv.GEN_AI_REQUEST_MODEL: "model", "mine.asked": "asked"},
    response={"mine.said": "said"},
    fold=lambda whole, chunk: add_text(whole, "said", chunk["word"]),
)


def join(held: Any, start_call: CallStarter) -> None:
    """Track a line that was open before."""
    attached(held.line, start_call, lambda tracker: setattr(held, "line", tracker.opened(held.line)))


JOIN = replace(TALK, methods=("Held.hear",), attach=join)
SPEC = ClientSpec(name="telephone", module=__name__, operations=(TALK, JOIN), provider="model")


@pytest.fixture(autouse=True)
def _wrapped(captured: Captured) -> Iterator[None]:
    installation = install([SPEC], lambda: captured.recorder)
    yield
    installation.uninstall()


def word(text: str) -> str:
    """As it is sent."""
    return json.dumps({"word": text})


def told(captured: Captured) -> list[dict[str, object]]:
    """What the spans say, in the order they ended: of us, and how they failed."""
    return [
        {
            **{name: value for name, value in (span.attributes or {}).items() if not name.startswith("gen_ai.")},
            "name": span.name,
        }
        for span in captured.spans
    ]


def test_each_answer_on_a_connection_is_a_call(captured: Captured) -> None:
    """What it was opened with counts for each; a word may be text, bytes, or read by the client already."""
    line = Telephone().dial("m", word("two"), b'{"word": "."}', {"word": "four"}, bytearray(b'{"word": "."}'), "noise")

    line.send('{"asked": "1 + 1"}')
    line.send('{"asked": "2 + 2"}')
    heard = [line.recv() for _ in range(4)]

    assert heard == [word("two"), b'{"word": "."}', {"word": "four"}, bytearray(b'{"word": "."}')]
    assert isinstance(line, Line)
    assert told(captured) == snapshot(
        [
            {"mine.asked": "1 + 1", "mine.said": "two.", "name": "chat m"},
            {"mine.asked": "2 + 2", "mine.said": "four.", "name": "chat m"},
        ]
    )


@pytest.mark.parametrize(
    ("ends", "failed"),
    [(ClosedByServer("gone"), "ClosedByServer"), (TimeoutError("later"), None), (OSError("not now"), None)],
    ids=repr,
)
def test_an_answer_fails_where_its_connection_is_gone(ends: Exception, failed: str | None, captured: Captured) -> None:
    """Another error leaves the word for the next time."""
    line = Telephone().dial("m", word("one"), ends, word("."))
    line.send("{}")
    line.send("{}")
    line.recv()

    with pytest.raises(type(ends)) as raised:
        line.recv()
    assert raised.value is ends
    if not failed:
        line.recv()
        line.close()

    spans = captured.spans
    kinds = [str((span.attributes or {}).get("error.type", "")).rpartition(".")[2] or None for span in spans]
    assert kinds == [failed, failed]
    assert [(span.attributes or {}).get("mine.said") for span in spans] == ["one" if failed else "one.", None]
    assert [(span.attributes or {}).get("agentops.stream.abandoned") for span in spans] == [
        None,
        None if failed else True,
    ]


def test_a_message_that_cannot_be_sent_is_a_call_that_failed(captured: Captured) -> None:
    """The next one is answered; a connection that cannot be opened makes no call."""
    line = Telephone().dial("m", word("yes"), word("."))
    with pytest.raises(ValueError, match="too long"):
        line.send("too long")
    line.send("{}")
    line.recv()
    line.recv()
    with pytest.raises(ValueError, match="no model"):
        Telephone().dial("")

    assert told(captured) == snapshot(
        [
            {"mine.asked": "something", "error.type": "ValueError", "name": "chat m"},
            {"mine.said": "yes.", "name": "chat m"},
        ]
    )


def test_a_program_that_hangs_up_leaves_the_answers_that_are_open(captured: Captured) -> None:
    """Each is told with what had come, once."""
    line = Telephone().dial("m", word("on"), word("e"))
    tracker: Talk = line._self_observer  # type: ignore[attr-defined]  # the proxy's
    assert not tracker.has_unseen_recv
    line.send("{}")
    line.send("{}")
    line.recv()
    waiting = list(tracker.turns)

    line.close()
    line.close()

    assert ([turn.has_begun for turn in waiting], tracker.turns) == ([True, False], [])
    assert told(captured) == snapshot(
        [
            {"agentops.stream.abandoned": True, "mine.said": "on", "name": "chat m"},
            {"agentops.stream.abandoned": True, "name": "chat m"},
        ]
    )


def test_a_connection_that_was_open_before_is_tracked_from_then_on(captured: Captured) -> None:
    """By one tracker, whatever is asked; what was asked before has no call."""
    held = Held(word("a"), word("b"), word("."))
    first = held.line
    held.hear()
    tracker = held.line._self_observer
    held.line.send('{"asked": "more"}')
    heard = [held.hear(), held.hear()]

    assert (held.line == first, held.line._self_observer is tracker) == (True, True)
    assert (heard, tracker.has_unseen_recv) == ([word("b"), word(".")], False)
    assert told(captured) == snapshot([{"mine.asked": "more", "mine.said": "b.", "name": "chat"}])


def test_what_was_read_before_a_connection_is_tracked_may_come_unseen(captured: Captured) -> None:
    """Until a word has been seen; it goes on with the wrappers that are there, after others were taken off."""
    line, made = Line(word("a"), word(".")), list[Any]()
    first, second = _Starts(), _Starts()
    tracker = attached(line, CallStarter(first, TALK, line, {"model": "m"}), made.append)
    tracked_line = tracker.opened(line)
    unseen = [tracker.has_unseen_recv]
    tracked_line.recv()
    unseen.append(tracker.has_unseen_recv)

    again = [attached(tracked_line, CallStarter(second, TALK, line, {}), made.append)]
    tracked_line.send('{"n": 1}')
    first.off = True
    again.append(attached(tracked_line, CallStarter(second, TALK, line, {}), made.append))
    tracked_line.send('{"n": 2}')

    assert (made, again, unseen) == ([tracker], [tracker, tracker], [True, False])
    assert (first.asked, second.asked) == ([{"model": "m", "n": 1}], [{"model": "m", "n": 2}])


class _Starts:
    """Starts no call, and knows for what it was asked."""

    def __init__(self) -> None:
        self.off = False
        self.asked: list[Mapping[str, Any]] = []

    def start_on_connection(self, operation: Any, instance: Any, arguments: Mapping[str, Any]) -> None:
        """None."""
        self.asked.append(arguments)
