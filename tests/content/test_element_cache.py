"""Messages of a conversation that is sent again with each call: written once, and the same each time."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentops_otel.content import Content, LazyList, element_cache, truncation
from agentops_otel.content.element_cache import ENTRY_BYTES, ElementCache, elements, key_of

NAME = "gen_ai.input.messages"
KEY = "sk-proj-" + "Zq3vT9pLr7XbN2mKd5Yw8sHc" * 2


@pytest.fixture(autouse=True)
def _no_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a program that begins."""
    elements.__init__()  # type: ignore[misc]  # as it was made
    elements.clear()


class Reading:
    """Reads messages, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, source: dict[str, Any]) -> dict[str, Any] | None:
        """The message; None for one that says nothing."""
        self.count += 1
        if source["says"] is None:
            return None
        return {"role": source["role"], "parts": [{"type": "text", "content": source["says"]}]}


def said(role: str, says: str | None) -> dict[str, Any]:
    """A message as a program has it."""
    return {"role": role, "says": says}


def written(read: Any, sources: list[dict[str, Any]], *, limit: int = 32 * 1024, copied: bool = True) -> str | None:
    """The conversation's JSON."""
    messages = LazyList(read, sources)
    return Content(limit_bytes=limit).json(NAME, messages.copied() if copied else messages)


def conversation(count: int) -> list[dict[str, Any]]:
    """So many messages, all of them new."""
    return [said("user" if n % 2 else "assistant", f"message {n}") for n in range(count)]


def test_an_agents_next_step_reads_what_is_new() -> None:
    """A message that came twice is not read again: eight of a call are looked up, which is more than a step adds."""
    read, sources, counts = Reading(), conversation(6), []
    for _ in range(12):
        before = read.count
        text = written(read, sources)
        counts.append(read.count - before)
        assert text == written(Reading(), sources, copied=False)
        sources += conversation(len(sources) + 2)[-2:]

    assert counts == [6, 8, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]


def test_a_conversation_that_never_came_is_not_cached() -> None:
    """What comes once may never come again."""
    written(Reading(), conversation(40))

    assert not elements


def test_of_a_long_conversation_eight_messages_a_call_are_looked_up() -> None:
    """Those that come first: what never came costs little, and what comes again is cached within some calls."""
    read, cached = Reading(), []
    for _ in range(7):
        written(read, conversation(20))
        cached.append(len(elements))

    assert cached == [0, 8, 8, 16, 16, 20, 20]


def test_a_message_that_is_cached_is_cut_where_there_is_less_room() -> None:
    """The newest one of all is never left out."""
    read, sources = Reading(), [*conversation(truncation._MANY), said("user", "question " * 500)]
    for limit in (32 * 1024, 32 * 1024, 4096):
        text = written(read, sources, limit=limit) or ""

    assert key_of(read, sources[-1]) in elements
    newest = json.loads(text)[-1]["parts"][0]["content"]
    assert newest.startswith("question ")
    assert "characters]" in newest


def test_a_message_with_a_secret_is_redacted_each_time() -> None:
    """It is never cached, and those around it are."""
    read, sources = Reading(), [*conversation(9), said("user", f"use {KEY}"), said("assistant", "I do.")]
    texts = {written(read, sources) for _ in range(4)}

    assert len(texts) == 1
    assert KEY not in str(texts)
    assert not any(KEY.encode() in text for text in elements.values())
    assert len(elements) == 10


def test_a_message_is_its_values_and_their_types() -> None:
    """Equal in Python is not the same in JSON."""
    for _ in range(3):
        for value in (1, True, 1.0, "1", b"1", None):
            sources = [{"value": value}] * 9
            kept = json.loads(written(lambda source: {"told": source["value"]}, sources) or "")
            assert len(kept) == 9
            assert kept[0]["told"] == (value if type(value) is not bytes else "<bytes, 1 B>")
            assert type(kept[0]["told"]) is (type(value) if type(value) is not bytes else str)


def test_a_message_that_is_nested_deeper_than_a_key_can_be_is_cut_as_ever() -> None:
    """Python 3.12 and later copy some that are; it costs the conversation nothing else."""
    deep: Any = "bottom"
    for _ in range(3000):
        deep = [deep]
    sources: list[dict[str, Any]] = [*conversation(9), {"role": "user", "says": "x", "deep": deep}]

    def read(source: dict[str, Any]) -> dict[str, Any]:
        return {"role": source["role"], "deep": source.get("deep")}

    assert key_of(read, sources[-1]) is None
    assert written(read, sources) == written(read, sources, copied=False)


def test_two_ways_to_read_are_two_messages() -> None:
    """Of one and the same source."""
    sources = conversation(9)
    for _ in range(3):
        assert written(lambda source: {"a": source["says"]}, sources) != written(
            lambda source: {"b": source["says"]}, sources
        )


words = st.sampled_from(["rain", "sun " * 90, "a ‰ of it", f"take {KEY}", "{}", None])
messages = st.lists(st.builds(said, st.sampled_from(["user", "system"]), words), max_size=20)


@given(st.lists(messages, min_size=1, max_size=6), st.sampled_from([512, 2048, 32768]))
def test_a_conversation_that_grows_is_written_as_one_that_is_new(steps: list[list[dict[str, Any]]], limit: int) -> None:
    """Where all of it fits; else it keeps within its limit, and shows no secret either."""
    read, sources = Reading(), list[dict[str, Any]]()
    for step in [*steps, [], []]:
        sources = [*sources, *step]
        text, new = (written(read, sources, limit=limit, copied=copied) or "" for copied in (True, False))
        assert len(text.encode()) <= limit
        assert KEY not in text
        assert text == new or "more)" in new or "characters]" in new
        assert type(json.loads(text)) is type(json.loads(new))


def test_a_list_too_long_to_be_read_as_a_whole_is_cached_too() -> None:
    """Of its newest messages, as many as fit."""
    read, sources = Reading(), conversation(truncation._MANY + 1)
    texts, counts = [], []
    for _ in range(4):
        before = read.count
        texts.append(written(read, sources, limit=4096))
        counts.append(read.count - before)

    assert texts == [texts[0]] * 4
    assert texts[0] is not None
    assert 30 < texts[0].count("message") < 100
    assert counts[0] > 30
    assert counts[3] < 8


def test_what_is_cached_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is forgotten then, and so is what came once."""
    monkeypatch.setattr(element_cache, "CACHED_BYTES", 10_000)
    monkeypatch.setattr(element_cache, "MOST_SEEN", 50)
    cache, most = ElementCache(), 0
    for n in range(300):
        key = key_of(dict, {"n": n, "text": "x" * 500})
        for _ in range(2):
            cache.keep(key, b"y" * 500)
        most = max(most, sum(len(key[1]) + len(text) + ENTRY_BYTES for key, text in cache.items()))
        assert len(cache._seen) <= 50

    assert 7_000 < most <= 10_000
    assert 0 < len(cache) < 8
