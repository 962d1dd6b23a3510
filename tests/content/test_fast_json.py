"""What is written in one piece is what the careful walk writes, and never a secret."""

import enum
import json
import math
import uuid
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentops_otel.content import Content
from agentops_otel.content.fast_json import plain_json
from agentops_otel.content.json_writer import Writer
from tests.content.secret_examples import IMAGE, SECRET_NAMES, SECRETS

LIMIT = 32 * 1024
ROOMY = 1 << 30
"""So much that the careful walk shortens nothing."""


def walked(value: object) -> Any:
    """What the careful walk says of the value."""
    return json.loads(Writer().json(value, ROOMY))


NAMES = st.text(max_size=70) | st.sampled_from(["role", "content", "data", "max_tokens", "image_url", "key 1"])
TEXTS = st.text() | st.sampled_from(["see https://x.org/a?b=c", "a-b_c.d:e", "max_tokens=3, key", "null", "nan"])
ATOMS = st.none() | st.booleans() | st.integers() | st.integers(2**63, 2**64) | st.floats() | TEXTS


def nested(atoms: st.SearchStrategy[Any], names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Plain values of every form that hold such atoms under such names."""
    return st.recursive(
        atoms,
        lambda inner: (
            st.lists(inner)
            | st.lists(inner).map(tuple)
            | st.dictionaries(names, inner)
            | st.lists(st.fixed_dictionaries({"a": inner, "b": inner}), max_size=4)
        ),
        max_leaves=30,
    )


@pytest.mark.no_cover
@settings(deadline=None, max_examples=120)
@given(value=nested(ATOMS, NAMES))
@example(value={"a": [math.nan, None]})
@example(value={"a": [0.5, None, "null"]})
@example(value=[2**63, -(2**63), 2**64 - 1])
@example(value=["a-b", "MIIE\n-----END RSA PRIVATE KEY-----"])
def test_what_is_written_in_one_piece_is_what_the_walk_writes(value: object) -> None:
    """The short way to the answer never changes it."""
    data = plain_json(value, LIMIT)

    assert data is None or json.loads(data) == walked(value)


SHORT = ["pwd=abc", "jwt=a", "sig=ab", "dsn:a1", "Bearer a1b2c3d4e5", "--token abc", "postgresql://ann:hunter2@db/x"]


@pytest.mark.no_cover
@settings(deadline=None, max_examples=120)
@given(
    value=nested(st.just("PLANT") | TEXTS, st.text(max_size=20)).filter(lambda value: "PLANT" in json.dumps(value)),
    secret=st.sampled_from([*SECRETS.values(), *SHORT]),
    frame=st.sampled_from(["{}", "my key is {} keep it", "({})", "a-b\n{}\nline", '{{"a": "{}"}}', "'{}'", "\x00 {}"]),
)
@example(value=["PLANT", ">000"], secret="--token abc", frame="{}")
@example(value=[">000", "PLANT"], secret="--token abc", frame="{}")
def test_a_planted_secret_is_left_to_the_walk(value: object, secret: str, frame: str) -> None:
    """Wherever in a value a secret stands, the value is not written in one piece."""
    assert plain_json(_replaced(value, frame.format(secret)), LIMIT) is None


def _replaced(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {name.replace("PLANT", text): _replaced(item, text) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_replaced(item, text) for item in value)
    return text if value == "PLANT" else value


@pytest.mark.no_cover
@pytest.mark.parametrize("name", SECRET_NAMES.split())
@pytest.mark.parametrize("depth", [0, 1, 5])
def test_a_secret_name_is_left_to_the_walk(name: str, depth: int) -> None:
    """At any depth, whatever is kept under it, also as the first of a pair."""
    values: list[Any] = [{name: "a"}, {name: 1}, {name: {"user": "a"}}, {"a": 1, name: ["b"]}, [(name, "a")]]
    for _ in range(depth):
        values = [[{"inside": value}] for value in values]

    assert [plain_json(value, LIMIT) for value in values] == [None] * len(values)


class _Text(str):
    __slots__ = ()

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise KeyboardInterrupt

    def __len__(self) -> int:
        raise KeyboardInterrupt


class _Colour(enum.Enum):
    RED = "red"


class _Dict(dict[str, int]):
    pass


def _cycle() -> list[object]:
    cyclic: list[object] = []
    cyclic.append(cyclic)
    return cyclic


def _deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        _Text("a"),
        [_Text("a")],
        {_Text("a"): 1},
        [{"a": 1}, {_Text("a"): 1}],
        {1: "a"},
        [{1: "a"}],
        [{None: 1, "a": 2}],
        _Dict(a=1),
        [_Dict(a=1)],
        [_Colour.RED],
        {"a": _Colour.RED},
        [uuid.UUID(int=1)],
        [b"a"],
        [{1}],
        [math.nan],
        {"a": math.inf},
        [[1, -math.inf, None]],
        [2**64],
        -(2**63) - 1,
        "a\ud800",
        ["a\ud800"],
        [{"a\ud800": 1}],
        _cycle(),
        _deep(100_000),
        {"a" * 65: 1},
        [{"a" * 65: 1}],
        {"data": IMAGE},
        {"images": ["short", IMAGE]},
        "data:image/png;base64,AAAA",
        [("name", "a")],
        "a" * LIMIT,
        "a" * (LIMIT + 1),
        ["é" * (LIMIT - 10)],
        ["a" * 50_000_000],
        [["text"] * 1000] * 1000,
        {str(n): n for n in range(LIMIT)},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_or_does_not_fit_is_left_to_the_walk(value: object) -> None:
    """Subclasses, odd keys and numbers, media, cycles and depth are refused, and none of their code runs."""
    assert plain_json(value, LIMIT) is None


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1, "b": "two words", "c": 3.0, "d": None, "e": True},
        {f"key {n}": {"text": "x" * 40, "numbers": [n, n + 1, 0.5]} for n in range(250)},
        [{"role": "user", "content": "Which keys are there? See https://x.org/a?b=c, max_tokens=3."}] * 20,
        {"data": "text of words " * 30, "images": ["a", "b"]},
        {"value": [[1, None, 0.5, "null"], (), {}, (1, "a"), ("a", "b", "c")]},
        [2**63, -(2**63)],
        _deep(18),
        "plain",
        5,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_recorder_sees_most_is_written_in_one_piece(value: object) -> None:
    """Arguments, rows and conversations take the short way, and come out as they are."""
    data = plain_json(value, LIMIT)

    assert data is not None
    assert json.loads(data) == json.loads(json.dumps(value)) == walked(value)
    assert Content().json("x", value) == data.decode()


def many(**more: object) -> Any:
    """A dict of many keys as orjson makes it, which a snapshot is read with: the collector sees its keys too."""
    return orjson.loads(orjson.dumps({**{f"key {n}": {"number": n} for n in range(20)}, **more}))


def test_a_snapshot_of_many_keys_is_written_in_one_piece() -> None:
    """As the value itself is."""
    assert plain_json(many(text="two words"), LIMIT) == orjson.dumps(many(text="two words"))


@pytest.mark.parametrize(
    "value",
    [many(password="a"), many(text=SECRETS["openai"]), {**many(), 1: 2}, {**many(), _Text("a"): 1}, [many(), {1: 2}]],
    ids=repr,
)
def test_a_secret_or_an_odd_key_among_many_is_left_to_the_walk(value: object) -> None:
    """A dict of which the collector sees the keys is searched like any other."""
    assert plain_json(value, LIMIT) is None
