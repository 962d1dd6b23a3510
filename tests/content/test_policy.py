"""Any Python value becomes bounded, valid JSON, and none of its code is run."""

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import uuid
import zoneinfo
from collections.abc import Iterator
from typing import Any, NamedTuple

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentops_otel.guard as guard_module
from agentops_otel.content import Content, LazyList, json_writer


class _Colour(enum.Enum):
    RED = "red"


class _Place(enum.IntEnum):
    FIRST = 1


class _Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class _Account:
    name: str
    api_key: str = "letmein"
    hidden: str = dataclasses.field(default="unshown", repr=False)


@dataclasses.dataclass(slots=True)
class _Slotted:
    a: int


class _Ticket:
    def __init__(self) -> None:
        self.title = "broken"
        self.parent = _Plain()
        self._internal = "unshown"


class _Plain:
    def __init__(self) -> None:
        self.a = 1


class _Bare:
    __slots__ = ("a",)


class _Text(str):
    __slots__ = ()


class _Dict(dict[str, int]):
    def items(self) -> Any:
        raise AssertionError("items() was called")

    def __iter__(self) -> Any:
        raise AssertionError("__iter__ was called")


class _Hostile:
    """Every way to ask it is an error that would reach the app."""

    def __init__(self) -> None:
        object.__setattr__(self, "a", 1)

    def __getattribute__(self, name: str) -> Any:
        raise KeyboardInterrupt(name)

    def __repr__(self) -> str:
        raise KeyboardInterrupt

    __str__ = __repr__
    __hash__ = None  # type: ignore[assignment]  # unhashable on purpose

    def __eq__(self, other: object) -> bool:
        raise KeyboardInterrupt

    def __len__(self) -> int:
        raise KeyboardInterrupt

    def __iter__(self) -> Iterator[int]:
        raise KeyboardInterrupt


class _Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise KeyboardInterrupt(name)


class _LyingDict:
    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # that is the lie
        raise KeyboardInterrupt


class _Zone(datetime.tzinfo):
    def utcoffset(self, when: datetime.datetime | None) -> datetime.timedelta:
        raise KeyboardInterrupt

    dst = tzname = utcoffset  # type: ignore[assignment]  # none of them is asked


def shown(value: object, limit: int = 32 * 1024, redact: Any = None) -> Any:
    """What the JSON of the value reads as."""
    text = Content(limit_bytes=limit, redact=redact).json("x", value)
    assert text is not None
    assert len(text.encode()) <= limit
    return json.loads(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"q": "weather", "n": 3, "on": True}, {"q": "weather", "n": 3, "on": True}),
        ({"none": None, "f": 1.5}, {"none": None, "f": 1.5}),
        ((1, "a"), [1, "a"]),
        ([], []),
        ({}, {}),
        ("", ""),
        (2**63, 2**63),
        (2**64, "18446744073709551616"),
        (-(2**70), "-1180591620717411303424"),
        (10**5000, "<int, 16610 bits>"),
        (2**1024 - 1, str(2**1024 - 1)),
        (2**1024, "<int, 1025 bits>"),
        ([math.nan, math.inf, -math.inf], ["nan", "inf", "-inf"]),
        ([1.5, 2.5], [1.5, 2.5]),
        ({"a": math.nan}, {"a": "nan"}),
        (["a", "b" * 40_000][:1], ["a"]),
        ("a\ud800b", "a?b"),
        ({"a\ud800": 1}, {"a?": 1}),
        (_Colour.RED, "red"),
        (_Place.FIRST, 1),
        (_Text("text"), "text"),
        (_Point(1, 2), {"x": 1, "y": 2}),
        (_Account("ann"), {"name": "ann", "api_key": "[redacted]"}),
        (_Slotted(1), {"a": 1}),
        (_Ticket(), {"__class__": f"{__name__}._Ticket", "title": "broken", "parent": f"<{__name__}._Plain>"}),
        (_Bare(), "<tests.content.test_policy._Bare>"),
        (_Dict(a=1), {"a": 1}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.deque([1, 2]), [1, 2]),
        ({1}, [1]),
        ({"a": 1}.keys(), ["a"]),
        (b"abc", "<bytes, 3 B>"),
        (bytearray(2000), "<bytearray, 2 kB>"),
        (memoryview(bytes(50_000_000)), "<memoryview, 50 MB>"),
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.time(3, 4), "03:04:00"),
        (datetime.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo("UTC")), "2026-01-02T00:00:00+00:00"),
        (datetime.datetime(2026, 1, 2, tzinfo=_Zone()), "<datetime.datetime>"),
        (ValueError("bad", 3), {"__class__": "ValueError", "args": ["bad", 3]}),
        ({1: "a", None: "b", (1, 2): "c", b"k": "d"}, {"1": "a", "null": "b", "[1,2]": "c", "<bytes, 1 B>": "d"}),
        (int, "<class int>"),
        (shown, "<function shown>"),
        (json, "<module json>"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_value_is_shown_by_its_data_alone(value: object, expected: object) -> None:
    """Plain values stay what they are; objects are told by type and stored fields, and none of their code runs."""
    assert shown(value) == expected


def test_an_object_that_fails_at_every_question_is_not_asked() -> None:
    """Classes, metaclasses and attributes that raise on any access are told by type and stored fields all the same."""
    name = f"{__name__}._Hostile"
    # pytest itself would ask a class that stands in the module.
    hostile_class = _Meta("Closed", (), {})

    assert shown(_Hostile()) == {"__class__": name, "a": 1}
    assert shown(hostile_class()) == f"<{__name__}.Closed>"
    assert shown(hostile_class) == f"<class {__name__}.Closed>"
    assert shown(_LyingDict()) == f"<{__name__}._LyingDict>"


def test_an_iterator_is_not_consumed() -> None:
    """A generator is told by its type and yields all its items afterwards."""
    numbers = (n for n in range(3))

    assert shown({"numbers": numbers}) == {"numbers": "<generator>"}
    assert list(numbers) == [0, 1, 2]


def test_a_cycle_ends() -> None:
    """A list within itself is named, not followed."""
    cyclic: list[object] = [1]
    cyclic.append(cyclic)

    assert shown(cyclic) == [1, "<list, seen above>"]


def test_what_lies_too_deep_is_so_after_other_values_too() -> None:
    """However many nested ones were written before it: the levels of a message have an end for its readers."""
    deep: object = _Ticket()
    for _ in range(100):
        deep = {"in": deep}
    before = [[{"a": [_Ticket()]}]] * 20

    assert shown({"before": before, "deep": deep})["deep"] == shown({"deep": deep})["deep"]


def test_what_lies_too_deep_is_named() -> None:
    """Nesting ends at a depth that any reader of JSON takes."""
    deep: object = "bottom"
    for _ in range(100_000):
        deep = [deep]

    assert "<list>" in json.dumps(shown(deep))


def test_a_value_that_fits_to_the_byte_is_whole() -> None:
    """A list of digits takes two bytes an item, and one more."""
    assert shown([1] * 1000, limit=2001) == [1] * 1000
    assert shown([1] * 1000, limit=2000) != [1] * 1000


def test_keys_are_whole_however_many_there_are() -> None:
    """Only long values, and keys of more than a kilobyte, count towards what is searched."""
    value = {f"{number:0600}": number for number in range(300)}

    assert shown({**value, "password": "x"}, limit=400_000) == {**value, "password": "[redacted]"}


@pytest.mark.parametrize("levels", [28, 29, 30])
@pytest.mark.parametrize("inside", ["plain", {"password": "x"}], ids=["plain", "not plain"])
def test_values_are_told_to_the_thirtieth_level(inside: object, levels: int) -> None:
    """Whether they are written at once or piece by piece."""
    value: object = inside
    expected: object = inside if inside == "plain" else {"password": "[redacted]"}
    for _ in range(levels):
        value, expected = [value], [expected]

    if levels == 30 and inside != "plain":
        assert "<dict>" in json.dumps(shown(value))
    else:
        assert shown(value) == expected


@pytest.mark.parametrize(("limit", "has_end"), [(2047, False), (2048, True)])
def test_a_text_keeps_its_end_where_there_is_room_for_both(limit: int, has_end: bool) -> None:
    """In a small room a text has its beginning only."""
    kept = shown("begin " + "x" * 100_000 + " end", limit)

    assert kept.startswith("begin ")
    assert kept.endswith(" end") is has_end


def test_a_long_text_keeps_both_ends() -> None:
    """The middle of a text goes, and its place says how many characters went."""
    value = "begin " + "x" * 10_000_000 + " end"

    text = shown(value)

    head, rest = text.split("…[+")
    count, tail = rest.split(" characters]")
    assert text.startswith("begin ")
    assert text.endswith(" end")
    assert len(head) + int(count) + len(tail) == len(value)


@pytest.mark.parametrize("filler", ["\x00", "é", "😀", '"', "\\"])
def test_the_bound_is_bytes_of_json(filler: str) -> None:
    """Characters that take several bytes, or an escape, count as what they take."""
    assert len(shown(filler * 40_000)) > 1000


def test_a_long_conversation_keeps_its_first_and_last_messages() -> None:
    """The system prompt and the newest messages are there, shortened if need be; the middle is counted."""
    messages = [
        {"role": "system", "content": "rules " * 10_000},
        *({"role": "user", "content": f"message {n} " * 50} for n in range(1000)),
        {"role": "user", "content": "the question"},
    ]

    kept = shown(messages)

    assert kept[0]["content"].startswith("rules ")
    assert kept[-1] == messages[-1]
    assert kept[-2] == messages[-2]
    (mark,) = [item for item in kept if isinstance(item, str)]
    assert mark == f"…(+{len(messages) - len(kept) + 1} more)"


def test_a_mapping_keeps_its_small_values_whole() -> None:
    """One long parameter does not push out the short ones beside it, wherever it stands."""
    kept = shown({"long": "x" * 100_000, "a": 1, "b": "short"})

    assert (kept["a"], kept["b"]) == (1, "short")
    assert list(kept) == ["long", "a", "b"]
    assert len(kept["long"]) > 30_000


def test_a_large_mapping_says_how_many_are_missing() -> None:
    """The keys that do not fit are counted under an ellipsis."""
    kept = shown({f"k{n}": n for n in range(100_000)})

    assert kept["…"] == f"+{100_000 - len(kept) + 1} more"


class _Counted(list[int]):
    """A list that counts how many of its items are handed out."""

    touched = 0

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("iterated")

    def __getitem__(self, index: Any) -> Any:
        raise AssertionError("indexed")


@pytest.mark.parametrize(
    "value",
    [
        list(range(1_000_000)),
        tuple(range(1_000_000)),
        _Counted(range(1_000_000)),
        set(range(1_000_000)),
        dict.fromkeys(range(1_000_000)),
        {"items": ["text"] * 1_000_000},
        [["nested"] * 1000] * 1000,
        [b"x" * 50_000_000],
    ],
    ids=["list", "tuple", "subclass", "set", "dict", "inner", "nested", "bytes"],
)
def test_the_work_is_bounded_by_the_limit(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many items there are, no more are written than the limit has room for."""
    written = 0
    json_of = json_writer.Writer.json

    def counted(self: json_writer.Writer, *args: Any) -> bytes:
        nonlocal written
        written += 1
        return json_of(self, *args)

    monkeypatch.setattr(json_writer.Writer, "json", counted)

    shown(value)

    assert 0 < written <= 32 * 1024 // 16 * 2


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.datetimes()
ANYTHING = st.recursive(
    PLAIN | st.builds(_Hostile) | st.builds(_Ticket) | st.builds(_Account, st.text()),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.binary() | st.none(), inner)
    ),
    max_leaves=60,
)


@pytest.mark.no_cover
@settings(deadline=None, max_examples=150)
@given(value=ANYTHING, limit=st.integers(64, 3000))
def test_any_value_is_valid_json_within_the_limit(value: object, limit: int) -> None:
    """Whatever the value and the limit, the answer is JSON and not longer, and something is said of the value."""
    shown(value, limit)


@pytest.mark.parametrize("length", [1, 5, 20, 40, 60])
def test_keys_count_among_the_bytes_of_a_mapping(length: int) -> None:
    """However long they are beside their values."""
    text, other = "x" * 600, {"b": "y" * 600}
    key = "k" * length
    for value in ({key: text}, {key: text, **other}, {"a": {key: text}}, {(key * 20,): text}, {(key,): text}):
        for limit in range(128, 400, 7):
            assert isinstance(shown(value, limit), dict)


@pytest.mark.parametrize("limit", [150, 200, 300])
def test_a_list_in_little_room_shows_both_its_ends(limit: int) -> None:
    """However little of each item."""
    items = shown([{"password": "x"}] * 20, limit)

    assert isinstance(items[0], dict)
    assert isinstance(items[-1], dict)
    assert "more)" in items[len(items) // 2]


@pytest.mark.parametrize("limit", [5, 47, 48, 64])
def test_a_tiny_limit_leaves_a_mark(limit: int) -> None:
    """Where hardly anything fits an ellipsis is still valid JSON."""
    shown({"key": ["x" * 1000] * 10}, limit)


@pytest.mark.parametrize("characters", [1, 40_000])
def test_a_text_that_is_not_unicode_is_kept(characters: int) -> None:
    """Half a character is a question mark, as it is in JSON: a receiver refuses what is not UTF-8."""
    halves = "\ud800" * characters
    text = Content().text("x", f"before {halves} after") or ""

    assert text.encode().startswith(b"before ?")
    assert text.endswith("? after")


def test_nothing_is_said_when_content_is_off() -> None:
    """With content off neither a value nor a text leaves."""
    content = Content(enabled=False)

    assert content.json("x", {"a": 1}) is None
    assert content.text("x", "a") is None


def test_the_users_redaction_comes_after_ours() -> None:
    """The user's function is told the attribute's name and a text without the secrets we know."""
    seen: list[tuple[str, str]] = []

    def redact(name: str, text: str) -> str | None:
        seen.append((name, text))
        return text.replace("ann@example.org", "someone")

    content = Content(redact=redact)

    assert (
        content.json("x", {"password": "hunter2", "to": "ann@example.org"})
        == '{"password":"[redacted]","to":"someone"}'
    )
    assert content.text("y", "hello") == "hello"
    assert seen[1] == ("y", "hello")


def test_the_users_redaction_may_drop_or_lengthen() -> None:
    """None drops the attribute; a text that grew too long is bounded again."""
    assert Content(redact=lambda name, text: None).json("x", 1) is None
    assert len(Content(redact=lambda name, text: "x" * 99_999).text("x", "a") or "") <= 32 * 1024


@pytest.mark.parametrize("answer", [ZeroDivisionError, 3])
def test_a_failing_redaction_withholds_the_value(
    answer: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Privacy comes first: what could not be redacted is not said, and the log says so once."""
    monkeypatch.setattr(guard_module, "reraise", False)
    monkeypatch.setattr(guard_module, "_reported", set())

    def redact(name: str, text: str) -> Any:
        if answer is ZeroDivisionError:
            raise answer
        return answer

    content = Content(redact=redact)

    assert (content.json("x", 1), content.json("x", 1), content.text("x", "a")) == (None, None, None)
    assert len(caplog.records) == 1


def test_the_end_of_the_stack_is_no_error() -> None:
    """Deep in the app's own recursion the value is withheld, and the app does not notice."""
    content, value = Content(), {"a": [_Ticket()]}

    def descend() -> None:
        content.json("x", value)
        descend()

    with pytest.raises(RecursionError) as error:
        descend()
    assert {entry.name for entry in error.traceback if str(entry.path).endswith("agentops_otel/content/policy.py")} <= {
        "json"
    }


class _Message(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    role: str
    key: pydantic.SecretStr
    hidden: str = pydantic.Field(default="unshown", repr=False)

    def model_dump(self, **options: Any) -> Any:
        raise AssertionError("model_dump was called")


def test_a_pydantic_object_is_told_by_its_fields() -> None:
    """Fields and extra ones are read as they are stored; a secret type keeps its secret."""
    message = _Message.model_validate({"role": "user", "key": "hunter2", "extra": 1})

    assert shown(message) == {"role": "user", "key": "<pydantic.types.SecretStr>", "extra": 1}


class _Attribute:
    def __init__(self, name: str, *, repr: bool = True) -> None:
        self.name = name
        self.repr = repr


class _Attrs:
    __slots__ = ("a", "b", "hidden")
    __attrs_attrs__ = (_Attribute("a"), _Attribute("b"), _Attribute("hidden", repr=False))


def test_an_attrs_object_is_told_by_the_fields_it_has() -> None:
    """A declared field without a value is left out, and so is one that its repr would not show."""
    value = _Attrs()
    value.a = 1  # type: ignore[attr-defined]  # a slot
    value.hidden = "unshown"  # type: ignore[attr-defined]

    assert shown(value) == {"a": 1}


def test_a_key_that_is_an_odd_text_or_member_is_written() -> None:
    """Keys of enum members and very long keys are keys all the same."""
    assert shown({_Colour.RED: 1, "k" * 2000: 2}) == {"red": 1, "k" * 2000: 2}


def test_many_long_texts_are_read_no_further_than_the_budget() -> None:
    """Of thirty long texts each shows its beginning; of hundreds the later ones are told by their length."""
    few = shown({str(n): f"text {n} " * 5000 for n in range(30)})
    many = shown({str(n): f"text {n} " * 5000 for n in range(200)})

    assert all(text.startswith(f"text {name} ") for name, text in few.items())
    assert "<str, 45000 characters>" in many.values()


def test_of_a_long_list_only_what_is_told_is_read() -> None:
    """A list that is read item by item is read at its beginning and from its end, until the room is full."""
    asked = []

    def read(number: int) -> dict[str, object] | None:
        asked.append(number)
        return {"number": number, "text": "x" * 100} if number % 3 else None

    told = json.loads(Content(limit_bytes=4000).json("list", LazyList(read, range(100_000))) or "")

    (middle,) = (index for index, item in enumerate(told) if isinstance(item, str))
    numbers = [item["number"] for item in told if isinstance(item, dict) and "number" in item]
    assert numbers == sorted(set(numbers))
    assert (numbers[0], numbers[-1]) == (1, 99_998)
    assert middle == 1
    assert len(told) > 20
    assert len(asked) < 200


@given(st.lists(st.text(max_size=400) | st.none(), max_size=40), st.integers(200, 8000))
def test_a_list_that_is_read_item_by_item_says_what_the_list_says(texts: list[str | None], room: int) -> None:
    """In as much room, and without the items of which there is nothing to say."""
    whole = [text for text in texts if text is not None]
    content = Content(limit_bytes=room)

    data = content.json("list", LazyList(lambda text: text, texts)) or ""

    assert len(data.encode()) <= room
    if len(json.dumps(whole, ensure_ascii=False).encode()) < room // 8:
        assert json.loads(data) == whole


@pytest.mark.parametrize("limit", [200, 1000, 4000, 20_000])
def test_a_long_list_of_texts_is_told_from_both_ends(limit: int) -> None:
    """As many of them as fit, and how many more there were."""
    texts = [f"some text {number}" for number in range(3000)]

    written = Content(limit_bytes=limit).json("x", texts) or ""

    kept = json.loads(written)
    assert limit / 2 < len(written) <= limit
    assert (kept[0], kept[-1]) == (texts[0], texts[-1])
    assert f"…(+{len(texts) - len(kept) + 1} more)" in kept


def test_a_value_for_which_there_is_no_room_is_a_sign() -> None:
    """Of one letter, which is JSON too; with a little more room it says how much it leaves out."""
    kept = [Content().json("value", ["a" * 90] * 10, limit_bytes=limit) for limit in (3, 47, 48)]

    assert kept == ['"…"', '"…"', '["…(+10 more)"]']
