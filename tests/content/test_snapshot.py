"""Copies of values: what is written of a copy is what is written of the value, and none of its code runs."""

import math
import sys
import threading
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentops_otel.content import Content, snapshot, source_of

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=20)
    | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=10) | st.integers(0, 99), inner, max_size=5)
    ),
    max_leaves=20,
)


@pytest.mark.no_cover
@given(PLAIN)
@example({"error": None, "value": math.nan})
@example({"headers": [("authorization", "hunter2"), ("accept", "text")]})
@example([["password", "hunter2"], None])
def test_a_copy_is_written_as_the_value_is(value: Any) -> None:
    """None, NaN, pairs that name a secret, bytes and large numbers among them."""
    content = Content()

    assert content.json("x", snapshot(value)) == content.json("x", value)


def test_a_copy_does_not_follow_the_value() -> None:
    """The program may go on changing what it passed."""
    rows: list[Any] = [{"n": n, "of": None} for n in range(3)]
    copied = snapshot(rows)
    rows[0]["n"] = "changed"
    rows.clear()

    assert Content().json("x", copied) == '[{"n":0,"of":null},{"n":1,"of":null},{"n":2,"of":null}]'


class Touchy:
    """Fails whatever one does with it."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} was read")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise AssertionError("it was pickled")


class Text(str):
    """A str with code of its own."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise AssertionError("it was pickled")


CYCLE: list[Any] = []
for _ in range(100_000):
    CYCLE = [CYCLE]


@pytest.mark.parametrize(
    "value",
    [
        [Touchy()],
        {"key": {"text": Text("a")}},
        [Touchy],
        [len],
        [OrderedDict(a=1)],
        [bytearray(8), memoryview(b"a")],
        [...],
        CYCLE,
        ["word " * 100_000],
        [f"{n}" * 50 for n in range(1000)],
    ],
    ids=lambda value: str(type(value[0]) if type(value) is list else type(value)),
)
def test_what_cannot_be_copied_is_refused(value: Any) -> None:
    """Objects of other types, whose code would run, and what is too large or too deep."""
    assert snapshot(value) is None


def test_a_copy_of_a_request_is_loaded_once() -> None:
    """And is not changed with the request."""
    request = {"messages": [{"role": "user", "content": None}], "tools": []}
    copied = source_of(request)
    assert copied is not None
    request["messages"] = []

    assert copied.value() == {"messages": [{"role": "user", "content": None}], "tools": []}
    assert copied.value() is copied.value()


def test_a_value_is_copied_while_another_one_is() -> None:
    """The collector may run a finalizer that records, while a value is being copied."""
    copies: list[Any] = []

    class Finalized:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            copies.append(snapshot([["inner"]]).value())

    value = [[f"outer {n}"] for n in range(300)]
    while not copies:
        Finalized()
        outer = snapshot(value)
    assert outer.value() == value
    assert copies[0] == [["inner"]]


@pytest.mark.parametrize(("characters", "is_copied"), [(100_000, True), (200_000, False)])
def test_a_request_is_copied_up_to_a_limit(characters: int, is_copied: bool) -> None:
    """It is longer than what is written of it."""
    assert (source_of({"messages": ["x" * characters]}) is not None) is is_copied


@pytest.mark.parametrize("texts", [1, 30, 31, 60])
def test_a_long_request_is_copied_whole(texts: int) -> None:
    """Also where a pickle of it comes in several pieces."""
    request = {"messages": [f"{number} {'x' * 2000}" for number in range(texts)], "long": "y" * 70_000 * (texts == 1)}
    copied = source_of(request)

    assert copied is not None
    assert copied.value() == request


def test_a_request_that_another_thread_changes_meanwhile_raises_nothing() -> None:
    """It is copied or refused: a dict that grows while it is copied is no error of the program."""
    request: dict[str, Any] = {f"key {n}": f"{n} " + "x" * 1000 for n in range(100)}
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            request.update({f"more {n}": n for n in range(10)})
            for n in range(10):
                del request[f"more {n}"]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        copies = [source_of(request) for _ in range(500)]
    finally:
        done.set()
        thread.join()
        sys.setswitchinterval(interval)

    assert any(copies)
