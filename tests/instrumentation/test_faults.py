"""A fault while a call is read is ours, and the program goes on; an interrupt is the program's, and reaches it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from agentops_otel import guard
from agentops_otel.instrumentation import ClientSpec, Operation, install
from tests.clients.capture import capture


class Model:
    """A client of nobody's."""

    def ask(self, question: str) -> str:
        """Answer."""
        if not question:
            raise ValueError("no question")
        return question.upper()

    def say(self, question: str) -> Iterator[str]:
        """Answer letter by letter."""
        yield from question.upper()


ASK = Operation(name="chat", methods=("Model.ask", "Model.say"), fold=lambda response, chunk: None)
SPEC = ClientSpec(name="model", module=__name__, operations=(ASK,), provider="model")
ANSWERS = ["WHY", "WHY", "W", "no question"]
TABLES = ("request", "request_content", "response", "response_content", "client_attributes")
EACH_CALL, AN_ANSWER, A_CHUNK = [0, 1, 2, 3], [0, 1, 2], [1, 2]
PLACES = {
    **dict.fromkeys(("matches", "fetched_id", "request", "request_content"), EACH_CALL),
    **dict.fromkeys(("response", "response_content", "failure", "background_id"), AN_ANSWER),
    "fold": A_CHUNK,
    **dict.fromkeys(("client_attributes", "provider", "url", "body"), EACH_CALL),
    **dict.fromkeys(("rewrite_arguments", "rewrite_other_arguments"), EACH_CALL),
    "wrap_result": [0],
    "partial_response": [3],
}
"""What a description may have a function for, and which of the calls of `outcomes` come to it."""
OF_SPEC = tuple(PLACES)[tuple(PLACES).index("client_attributes") :]


def spec_with(name: str, function: Callable[..., Any]) -> ClientSpec:
    """The client's, with that function in one place."""
    value: Any = {"mine": function} if name in TABLES else function
    if name in OF_SPEC:
        matches = (lambda given: False) if name == "rewrite_other_arguments" else ASK.matches
        return replace(SPEC, operations=(replace(ASK, matches=matches),), **{name: value})
    return replace(SPEC, operations=(replace(ASK, **{name: value}),))


def first(stream: Any) -> str:
    """No more of it than that."""
    with closing(stream):
        return str(next(stream))


def outcomes(of: Model) -> list[str]:
    """What the program gets of an answer, a stream, the beginning of one, and a call that fails."""
    calls: list[Callable[[], str]] = [
        lambda: of.ask("why"),
        lambda: "".join(of.say("why")),
        lambda: first(of.say("why")),
        lambda: of.ask(""),
    ]
    got = []
    for call in calls:
        try:
            got.append(call())
        except (ValueError, KeyboardInterrupt) as error:
            got.append(str(error))
    return got


@pytest.mark.parametrize(("place", "comes"), PLACES.items())
def test_a_fault_of_ours_is_held_back_and_an_interrupt_is_not(
    place: str, comes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a client's description does while a call is read."""
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(guard, "_reported", set())  # each place is told once

    def outcomes_with(error: BaseException) -> list[str]:
        def fail(*args: object, **kwargs: object) -> object:
            raise error

        with capture(conventional=False) as captured:
            installation = install([spec_with(place, fail)], lambda: captured.recorder)
            got = outcomes(Model())
            installation.uninstall()
        return got

    assert outcomes_with(RuntimeError("ours")) == ANSWERS
    interrupted = ["an interrupt" if n in comes else answer for n, answer in enumerate(ANSWERS)]
    assert outcomes_with(KeyboardInterrupt("an interrupt")) == interrupted
