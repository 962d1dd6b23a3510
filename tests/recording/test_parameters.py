"""Which calls have arguments that can be copied as they are and be named later: the quick way, with the same result."""

from collections.abc import Callable
from typing import Any

import pytest

from agentops_otel.content.snapshot import LIMIT_BYTES
from agentops_otel.recording.parameters import read

Args = tuple[Any, ...]


def _plain(a: object, b: object = 1) -> None: ...
def _with_large_default(a: object, b: object = ("large",)) -> None: ...
def _method(self: object, a: object, b: object = 1) -> None: ...
def _keyword_only(a: object, *, b: object = 1) -> None: ...
def _keyword_only_large(a: object, *, b: object = ("large",)) -> None: ...


@pytest.mark.parametrize(
    ("function", "args", "quick"),
    [
        (_plain, (1,), (1,)),
        (_plain, ("a", None), ("a", None)),
        (_plain, ("a" * LIMIT_BYTES,), ("a" * LIMIT_BYTES,)),
        (_plain, ("a" * (LIMIT_BYTES + 1),), None),
        (_plain, ([],), None),
        (_method, (object(), 2), (2,)),
        (_with_large_default, (1,), None),
        (_with_large_default, (1, 2), (1, 2)),
        (_keyword_only, (1,), (1,)),
        (_keyword_only_large, (1,), None),
    ],
)
def test_numbers_and_short_texts_are_named_later(function: Callable[..., None], args: Args, quick: Args | None) -> None:
    """Where a default that is no such value would be recorded, they are not."""
    parameters = read(function)
    taken = parameters.plain(args)

    assert taken == quick
    if taken is not None:
        assert parameters.named(taken) == parameters.of(False, args, {})


@pytest.mark.parametrize(
    ("function", "required"),
    [(_plain, 1), (_method, 2), (lambda: None, 0), (lambda *args, **more: None, 0)],
)
def test_a_call_without_keywords_needs_so_many_arguments(function: Callable[..., None], required: int) -> None:
    """With so many it can be made directly; a function with keywords alone never is."""
    assert read(function).required == required
    assert read(_keyword_only).required > 1000


def test_a_function_that_tells_no_parameters_has_all_of_its_arguments() -> None:
    """Under the name of those that are beyond any."""

    def told(*args: object) -> None: ...

    told.__signature__ = "none"  # type: ignore[attr-defined]  # as a library may set it
    parameters = read(told)

    assert parameters.plain((1, 2)) == (1, 2)
    assert parameters.named((1, 2)) == parameters.of(False, (1, 2), {}) == {"args": (1, 2)}
