"""Copies of responses: dicts and lists of numbers and texts."""

import datetime
from typing import Any

import pydantic
import pytest

from agentops_otel.content import copy_fields, field_copy


class _Choice(pydantic.BaseModel):
    index: int
    text: str | None = None


class _Answer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    id: str
    choices: list[_Choice]
    usage: dict[str, Any] = {}


class _Silent(pydantic.BaseModel):
    shown: str = "shown"
    password: str = pydantic.Field(default="hidden", repr=False)


class _Excluded(pydantic.BaseModel):
    shown: str = "shown"
    password: str = pydantic.Field(default="hidden", exclude=True)


class _Watched(_Choice):
    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} was read")


class _Other:
    pass


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


def test_models_become_dicts() -> None:
    """Of their fields, those beyond the class too; what changes later is not in the copy."""
    answer = _Answer.model_validate(
        {"id": "a", "choices": [{"index": 0, "text": "é"}, {"index": 1}], "usage": {"in": 1.5}, "tier": "flex"}
    )
    copied = copy_fields(answer)
    answer.choices[0].text = "changed"
    answer.choices.clear()
    answer.usage["in"] = 2

    assert copied is not None
    assert copied.value() == {
        "id": "a",
        "choices": [{"index": 0, "text": "é"}, {"index": 1, "text": None}],
        "usage": {"in": 1.5},
        "tier": "flex",
    }


def test_a_model_that_was_made_without_its_init_is_copied() -> None:
    """Clients make models of answers that are not as they should be."""
    answer = object.__new__(_Answer)
    answer.__dict__["id"] = "a"

    copied = copy_fields({"answer": answer})
    assert copied is not None
    assert copied.value() == {"answer": {"id": "a"}}


def test_an_interrupt_while_fields_are_read_is_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes through the library that writes the copy."""

    def interrupted(kind: type) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(field_copy, "_is_model", interrupted)

    with pytest.raises(KeyboardInterrupt):
        copy_fields(_Choice(index=0))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        b"bytes",
        _Other(),
        {"at": datetime.datetime(2026, 1, 1)},
        {"answer": object.__new__(_Watched)},
        {"answer": _Silent()},
        {"answer": _Excluded()},
        ["x" * 300_000],
        {"count": 2**70},
        {1: "a number as a name"},
        ["\ud800"],
        CYCLE,
    ],
    ids=[
        *(
            "None",
            "text",
            "bytes",
            "another object",
            "a time",
            "a watched model",
            "a silent model",
            "a model with a hidden field",
        ),
        *("a long text", "a large number", "another name", "half a letter", "a cycle"),
    ],
)
def test_what_is_not_such_is_refused(value: Any) -> None:
    """Other types, models with fields that they do not show, what is long or holds itself."""
    assert copy_fields(value) is None
