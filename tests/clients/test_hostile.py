"""Whatever a server says: the program gets what it would get without us, and the span says what could be read."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.trace import StatusCode

from tests.clients.capture import Captured, capture
from tests.clients.contract import each_client, outcome, pytestmark
from tests.clients.conventions import assert_conventional
from tests.clients.forms.form import CLIENTS, OTHERS, Forms, installed
from tests.loopback import bedrock_server
from tests.loopback.llm_server import Answer, LlmServer

__all__ = ["pytestmark"]


@pytest.fixture(params=installed(*CLIENTS, *OTHERS))
def client(request: pytest.FixtureRequest) -> Iterator[Forms]:
    """One after the other."""
    yield from each_client(request)


STRANGE = {
    "nothing": Answer(body=b""),
    "a page": Answer(body=b"<html>Bad gateway</html>", headers={"content-type": "text/html"}),
    "an empty object": Answer.json({}),
    "an empty list": Answer.json([]),
    "null": Answer.json(None),
    "wrong kinds": Answer.json({"choices": None, "usage": "many", "message": 3, "output": [], "id": {}}),
    "holes": Answer.json({"choices": [None, {"message": {"tool_calls": [{"function": {"arguments": "{"}}]}}]}),
    "a refusal": Answer.json({"error": {"message": "no"}}, status=400),
    "another refusal": Answer.json({"error": "no"}, status=401),
    "strange events": Answer.events(
        [b"data: null\n\n", b"data: 7\n\n", {"choices": [None, {"delta": 4, "index": "one"}]}, {"usage": [1]}]
    ),
    "half an event": Answer.events([b"data: {\n\n"]),
}
"""Answers in nobody's dialect."""

TOKENS = [b"null", b"-1", b"1e999", b'"', b"}", b"[]", b"\n\n", b"data: ", b"\xff", b'{"index": 7}', b"\\ud800"]
"""What damages an answer more than random bytes do."""

Change = Callable[[Any], Any]


def _everywhere(change: Change) -> Change:
    """The change, made to every value from the innermost to the whole."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return change({name: changed(inner) for name, inner in value.items()})
        return change([changed(inner) for inner in value] if isinstance(value, list) else value)

    return changed


def _texts(change: Callable[[str], Any]) -> Change:
    """The change, made to what is said; the words of the dialect have no spaces."""
    return _everywhere(lambda value: change(value) if isinstance(value, str) and " " in value else value)


def _within(change: Change) -> Change:
    """The change, made to what is in the whole."""
    return lambda whole: {name: _everywhere(change)(value) for name, value in whole.items()}


def _without(*kinds: type) -> Change:
    return _everywhere(lambda value: None if isinstance(value, kinds) else value)


KINDS = ("type", "event_type", "object")
CHANGES: dict[str, Change] = {
    "no texts": _without(str),
    "no numbers": _without(int, float),
    "no lists": _without(list),
    "no objects": _within(lambda value: None if isinstance(value, dict) else value),
    "numbers as words": _everywhere(lambda value: "many" if isinstance(value, int | float) else value),
    "words as numbers": _everywhere(lambda value: 7 if isinstance(value, str) else value),
    "objects as words": _within(lambda value: "many" if isinstance(value, dict) else value),
    "nulls in lists": _everywhere(lambda value: [None, *value] if isinstance(value, list) else value),
    "arguments that are cut": _everywhere(
        lambda value: value[:-1] if isinstance(value, str) and value.endswith("}") else value
    ),
    "kinds that nobody knows": _everywhere(
        lambda value: {**value, **dict.fromkeys(value.keys() & KINDS, "surprise")} if isinstance(value, dict) else value
    ),
    "more than anybody knows": _everywhere(
        lambda value: {**value, "surprise": {"new": [1]}} if isinstance(value, dict) and "city" not in value else value
    ),
    "surrogates": _texts(lambda text: f"{text}\ud800"),
    "huge texts": _texts(lambda text: text * 6_000),
}
"""What may become of an answer in the client's own dialect."""


def changed(answer: Answer, change: Change) -> Answer:
    """The answer with every JSON value in it changed, whichever way they are packed."""
    if answer.body is not None:
        return replace(answer, body=_rewritten(answer.body, change))
    return replace(answer, chunks=[_rewritten(chunk, change) for chunk in answer.chunks])


def _rewritten(said: bytes, change: Change) -> bytes:
    if b":event-type" in said:
        name, payload = bedrock_server.unpacked(said)
        return bedrock_server.packed(name, _rewritten_event(payload, change))
    found = re.search(rb"\{.*\}", said, re.DOTALL)
    if found is None:
        return said
    return said[: found.start()] + json.dumps(change(json.loads(found[0]))).encode() + said[found.end() :]


def _rewritten_event(payload: bytes, change: Change) -> bytes:
    event = json.loads(payload)
    if (packed := event.get("bytes")) is None:
        return json.dumps(change(event)).encode()
    inner = json.dumps(change(json.loads(base64.b64decode(packed))))
    return json.dumps({**event, "bytes": base64.b64encode(inner.encode()).decode()}).encode()


@pytest.mark.parametrize("form", ["plain", "streamed"])
def test_an_answer_in_nobodys_dialect(form: str, client: Forms, server: LlmServer) -> None:
    """The outcome of a call is what it would be without us, and the call has its span."""
    _compared(form, client, server, STRANGE)


@pytest.mark.no_cover
@pytest.mark.parametrize("form", ["plain", "streamed"])
def test_an_answer_that_is_half_right(form: str, client: Forms, server: LlmServer) -> None:
    """The outcome is the same, and what is right in an answer is on the span."""
    whole = client.answer(stream=form == "streamed")
    answers = {"right": whole, **{name: changed(whole, change) for name, change in CHANGES.items()}}

    told = _compared(form, client, server, answers)

    right = told["right"]
    in_headers = _counts(right) if any("count" in name for name in whole.headers) else {}
    assert told.get("more than anybody knows", right) == right
    for name in ("surrogates", "huge texts"):
        assert _counts(told.get(name, right)) == _counts(right)
    for name in ("no numbers", "numbers as words"):
        assert _counts(told.get(name, {})) in ({}, in_headers)
        if form == "plain":  # what belongs together in a stream is told by numbers
            assert told.get(name, right).get("gen_ai.output.messages") == right.get("gen_ai.output.messages")


@pytest.mark.no_cover
@settings(
    max_examples=settings().max_examples // 20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    form=st.sampled_from(["plain", "streamed"]),
    damages=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 30), st.binary(max_size=30) | st.sampled_from(TOKENS)), max_size=3
    ),
)
def test_an_answer_with_any_bytes_in_it(
    form: str, damages: list[tuple[float, int, bytes]], client: Forms, server: LlmServer
) -> None:
    """Bytes of a right answer are replaced by others: the outcome is the same, and the call has its span."""
    answer = client.answer(stream=form == "streamed")
    for place, removed, put in damages:
        answer = _damaged(answer, place, removed, put)

    _compared(form, client, server, {"damaged": answer})


def _damaged(answer: Answer, place: float, removed: int, put: bytes) -> Answer:
    """The answer with some bytes, at a fraction of its length, replaced; the pieces that it comes in stay pieces."""
    pieces = list(answer.chunks) if answer.body is None else [answer.body]
    number = min(int(place * len(pieces)), len(pieces) - 1)
    piece = pieces[number]
    start = int((place * len(pieces) - number) * len(piece))
    pieces[number] = piece[:start] + put + piece[start + removed :]
    return replace(answer, chunks=pieces) if answer.body is None else replace(answer, body=pieces[0])


def _compared(form: str, client: Forms, server: LlmServer, answers: Mapping[str, Answer]) -> dict[str, Any]:
    """What the spans say of the calls that brought no exception, after all outcomes were compared."""
    bare = _outcomes(form, client, server, answers)
    with capture(conventional=False) as captured:
        ours = _outcomes(form, client, server, answers)

    assert ours == bare
    assert_conventional(captured.spans, damaged=True)
    assert len(captured.spans) == len(answers)
    return {name: attributes for name, attributes in _told(captured, ours).items() if attributes is not None}


def _outcomes(form: str, client: Forms, server: LlmServer, answers: Mapping[str, Answer]) -> dict[str, str]:
    found = {}
    with client.client(server.url) as opened:
        for name, answer in answers.items():
            server.answer(answer)
            found[name] = outcome(lambda: client.read(form, opened))
    return found


def _told(captured: Captured, outcomes: Mapping[str, str]) -> dict[str, dict[str, Any] | None]:
    found: dict[str, dict[str, Any] | None] = {}
    for (name, got), span in zip(outcomes.items(), captured.spans, strict=True):
        attributes = dict(span.attributes or {})
        attributes.pop("gen_ai.response.time_to_first_chunk", None)
        failed = span.status.status_code is StatusCode.ERROR
        if failed and span.events:
            assert str(attributes["error.type"]) in got
        found[name] = None if failed else attributes
    return found


def _counts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name.startswith("gen_ai.usage.")}
