"""What holds of any value and any text. `make fuzz` looks longer."""

import base64
import json
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentops_otel.content import Content
from agentops_otel.content.redaction import redact
from tests.content.secret_examples import EXAMPLES, SECRETS

pytestmark = pytest.mark.no_cover

LIMIT = 2_000
PROPERTY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Trap:
    """Each way to ask it is an error that would reach the program."""

    def __init__(self, state: dict[str, object]) -> None:
        object.__setattr__(self, "__dict__", state)

    def __getattribute__(self, name: str) -> Any:
        raise KeyboardInterrupt(name)

    def __repr__(self) -> str:
        raise KeyboardInterrupt

    def __eq__(self, other: object) -> bool:
        raise KeyboardInterrupt

    __str__ = __repr__
    __hash__ = object.__hash__
    __len__ = __iter__ = __bool__ = __index__ = __float__ = __reduce__ = __repr__


atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.characters(categories=["Cs"]),
    st.binary(),
    st.binary().map(bytearray),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.ip_addresses(),
    st.builds(range, st.integers(0, 9), st.integers(10, 99)),
    st.sampled_from([object, len, type, json, Trap, ..., NotImplemented]),
)
keys = st.text(max_size=80) | st.sampled_from(["password", "tokens", "data", "name", "value", "role", "--token"])
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys | st.integers() | st.none(), inner)
        | st.frozensets(st.integers() | st.text())
        | st.dictionaries(keys, inner).map(Trap)
        | st.builds(ValueError, inner)
        | st.builds(map, st.just(len), st.lists(st.text()))
    ),
    max_leaves=40,
)


@PROPERTY
@given(value=values, name=keys, limit=st.integers(64, LIMIT))
def test_any_value_is_bounded_valid_json_and_nothing_of_it_runs(value: object, name: str, limit: int) -> None:
    """Within its bytes, in every budget."""
    recorded = Content(limit_bytes=limit).json(name, value)

    assert recorded is not None
    assert len(recorded.encode()) <= limit
    json.loads(recorded)


SHAPES = [*SECRETS.values(), *EXAMPLES.values()]
FRAMES: list[Callable[[str], str]] = [
    lambda secret: secret,
    lambda secret: json.dumps({"text": secret}),
    lambda secret: json.dumps(json.dumps([secret])),
    lambda secret: repr({"a": secret}),
    lambda secret: f"https://x.org/a?b={secret}&c=1",
    lambda secret: f"X-Header: {secret}\r\n",
    lambda secret: f"\n  File 'x.py', line 1\nValueError: {secret}\n",
    lambda secret: base64.b64encode(f"text {secret} text".encode()).decode(),
]


@PROPERTY
@given(
    secret=st.sampled_from(SHAPES),
    frame=st.sampled_from(FRAMES),
    before=st.text(max_size=300),
    after=st.text(max_size=300),
    in_list=st.booleans(),
    limit=st.integers(400, LIMIT),
)
def test_no_secret_of_a_known_shape_survives(
    secret: str, frame: Callable[[str], str], before: str, after: str, in_list: bool, limit: int
) -> None:
    """In any text, frame and budget, as a value or as free text."""
    framed = frame(secret)
    text = f"{before} {framed} {after}"
    content = Content(limit_bytes=limit)

    recorded = (content.json("x", [text] if in_list else {"a": text}) or "") + (content.text("x", text) or "")

    middle = len(secret) // 2
    assert secret[middle - 6 : middle + 6].replace("\n", "\\n") not in recorded.replace("\n", "\\n")
    if framed != secret and secret not in framed and "\\n" not in framed:
        middle = len(framed) // 2
        assert framed[middle - 6 : middle + 6] not in recorded


@PROPERTY
@given(text=st.text() | st.text(alphabet="pasword=: '\"{}<>-_,\n&%3Dktyn1"))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    """What is left has no secret, and marks are none."""
    once = redact(text)

    assert redact(once) == once


PIECES = [
    "://a:", "abc=token=", "-----BEGIN PRIVATE KEY-----", "sk-", "eyJ.", "data:;base64,", "Bearer ", "\\\"'",
    "password='", "token ", "--token ", "cookie:", "-----END ", "://a:b/", "SG.aaaaaaaaaaaa", "auth=(",
    '{"name": "password", ',
    '"value": "x", "name": "', "<password ", "password is ", "-u a", "QUFBQUFBQUFBQUFBQUFBQUFBQUFB", "%22", "&quot;",
    "api key", "ENV password ", "login x password ", "('password', ",
    "%2522token%2522", "&quot;token&quot;:", "\\u0022token", "token\\", "\\ntoken=&", "%253A%252F%252Fa%253A", "%2540",
]  # fmt: skip


def _seconds(text: str) -> float:
    begun = time.process_time()
    redact(text)
    return time.process_time() - begun


@pytest.mark.parametrize("piece", PIECES)
def test_time_grows_with_the_length(piece: str) -> None:
    """Twice the text takes about twice the time, however it is made: four times and more would be its square."""
    text = piece * (64_000 // len(piece))
    redact("warm")
    whole = half = math.inf

    for turn in range(20):  # the quickest of each, in turn: other programs take their time too
        whole, half = min(whole, _seconds(text + text)), min(half, _seconds(text))
        if turn >= 4 and whole < 3.2 * half + 0.002:
            break

    assert whole < 3.2 * half + 0.002
