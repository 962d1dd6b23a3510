"""Conversations, parts and definitions that do not fit: shortened without breaking their shape."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.content import Content, LazyList
from tests.clients.conventions import assert_conventional

INPUT = "gen_ai.input.messages"
DEFINITIONS = "gen_ai.tool.definitions"


def text(content: str) -> dict[str, Any]:
    """One part."""
    return {"type": "text", "content": content}


def message(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    """One message."""
    return {"role": role, "parts": list(parts)}


def written(value: object, *, name: str = INPUT, limit: int = 32 * 1024) -> list[Any]:
    """What is said of the value, which holds the conventions' shape within its limit."""
    said = Content(limit_bytes=limit).json(name, value) or ""
    assert len(said.encode()) <= limit
    assert_conventional([ReadableSpan("chat", attributes={name: said})])
    found: list[Any] = json.loads(said)
    return found


def test_a_long_conversation_keeps_its_beginning_and_its_newest_messages_whole() -> None:
    """The system's and the first of the user's, one gap that counts, then the newest; nothing is cut."""
    rules, task = message("system", text("rules " * 300)), message("user", text("Mend it. " * 100))
    steps = [message("assistant", text(f"step {n} " * 60)) for n in range(200)]

    first, second, gap, *newest = written([rules, task, *steps])

    assert [first, second] == [rules, task]
    assert gap == message("system", text(f"…(+{len(steps) - len(newest)} more)"))
    assert newest == steps[-len(newest) :]
    assert len(newest) > 40


def test_messages_that_are_too_long_are_cut_in_their_texts() -> None:
    """Each gets half of the room that is left; the newest of all gets the rest."""
    long = [message(role, text(f"{role} " * 20_000)) for role in ("system", "user", "assistant")]

    kept = written(long)

    assert [said["role"] for said in kept] == ["system", "user", "assistant"]
    sizes = [len(said["parts"][0]["content"]) for said in kept]
    assert [15_000 < sizes[0] < 17_000, 7_000 < sizes[1] < 9_000, 7_000 < sizes[2] < 9_000] == [True] * 3


@pytest.mark.parametrize(
    "part",
    [
        text("word " * 100),
        {"type": "tool_call", "id": "c" * 100, "name": "f", "arguments": {"path": "x" * 300}},
        {"type": "server_tool_call", "name": "f", "server_tool_call": {"type": "search", "a": 1, "q": ["x" * 400]}},
        {"type": "tool_call_response", "id": "c", "response": {"password": "hunter2", "found": ["x" * 200]}},
    ],
    ids=lambda part: str(part["type"]),
)
def test_parts_that_are_too_many_have_a_gap_that_is_a_part(part: dict[str, Any]) -> None:
    """Lists in a message are shortened in the same way, between messages that are whole."""
    question = message("user", text("?"))

    first, many, last = written([question, message("user", *[part] * 500), question])

    assert [first, last] == [question, question]
    (gap,) = [found for found in many["parts"] if "more)" in str(found)]
    assert gap == text(f"…(+{500 - len(many['parts']) + 1} more)")
    assert many["parts"].index(gap) == 1


def test_definitions_that_are_too_many_have_a_gap_that_is_a_definition() -> None:
    """It has a type and a name, as every one has."""
    tools = [{"type": "function", "name": f"tool_{n}", "parameters": {"type": "object"}} for n in range(2000)]

    kept = written(tools, name=DEFINITIONS)

    assert kept[1] == {"type": "function", "name": f"…(+{2000 - len(kept) + 1} more)"}
    assert [kept[0], *kept[2:]] == [tools[0], *tools[-len(kept) + 2 :]]


@pytest.mark.parametrize(("before", "kept"), [(6, 7), (7, 8), (8, 1)])
def test_the_first_question_is_looked_for_in_eight_messages(before: int, kept: int) -> None:
    """All up to it are kept; of a conversation that begins otherwise, the first message."""
    messages = [*(message("system", text(f"rule {n}")) for n in range(before)), message("user", text("Who?"))]
    steps = [message("assistant", text(f"step {n} " * 60)) for n in range(200)]

    said = written([*messages, *steps])

    assert said[:kept] == messages[:kept]
    assert said[kept] == message("system", text(f"…(+{len(messages) + len(steps) - len(said) + 1} more)"))


def test_a_beginning_that_does_not_fit_is_counted() -> None:
    """Where there is room for no part of it, it is one of those that are left out."""
    messages = [message("user", text("x" * 3000)), message("user", text("?"))]

    assert written(messages, limit=1000) == [message("system", text("…(+1 more)")), messages[1]]


def test_what_says_nothing_leaves_no_gap() -> None:
    """Items of which there is nothing to say are not missing."""
    told = [None, message("user", text("?")), *[None] * 200, message("assistant", text("!")), None]

    assert written(LazyList(lambda said: said, told)) == [told[1], told[-2]]


# A text is drawn as a word and how often it comes, so that a conversation of megabytes is a short example.
PART_OF: dict[str, Callable[[str], dict[str, Any]]] = {
    "text": text,
    "call": lambda said: {"type": "tool_call", "id": said, "name": said, "arguments": {"q": said}},
    "server call": lambda said: {"type": "server_tool_call", "name": said, "server_tool_call": {"type": said}},
    "response": lambda said: {"type": "tool_call_response", "id": said, "response": [said] * 50},
    "uri": lambda said: {"type": "uri", "modality": "image", "uri": said},
}
WORDS = st.sampled_from(["rain ", "é ", '" ', "password=hunter2 ", "sk-abcdefghijklmnop "])
PARTS = st.tuples(st.sampled_from([*PART_OF]), WORDS, st.sampled_from([1, 10, 100, 1000, 30_000]))
MESSAGES = st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), st.lists(PARTS, min_size=1, max_size=8))


LONG_RESPONSE = ("response", "rain ", 30_000)


@example(  # the long texts use up what is searched for secrets in one value
    [
        ("system", [LONG_RESPONSE] * 3),
        ("system", [("call", "sk-abcdefghijklmnop ", 1000)]),
        ("system", [("text", "rain ", 30_000)]),
        ("user", [("response", "rain ", 1000)]),
        ("system", [("text", "rain ", 1)]),
        ("system", [("text", "rain ", 1000)]),
    ],
    32768,
    True,
)
@given(st.lists(MESSAGES, min_size=1, max_size=40), st.sampled_from([128, 500, 2048, 8192, 32768]), st.booleans())
def test_a_conversation_keeps_its_shape(
    drawn: list[tuple[str, list[tuple[str, str, int]]]], limit: int, lazily: bool
) -> None:
    """However long its messages are, and however little room there is."""
    said = [message(role, *(PART_OF[kind](word * times) for kind, word, times in parts)) for role, parts in drawn]
    value = LazyList(lambda one: {**one, "parts": LazyList(dict, one["parts"])}, said) if lazily else said

    kept = written(value, limit=limit)

    gaps = [one for one in kept if one["parts"][0].get("content", "").startswith("…(+")]
    assert len(kept) == len(said) if not gaps else len(kept) <= len(said)
    assert len(gaps) <= 1 or limit < 4096
