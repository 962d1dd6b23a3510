"""Never run: mypy reads here that decorated functions keep their types."""

from collections.abc import AsyncIterator, Generator
from typing import assert_type

import agentops_otel
from agentops_otel import Event, EventState


@agentops_otel.record_action
def bare(a: int, *, b: str = "") -> list[str]:
    """Used bare."""
    return [b] * a


@agentops_otel.record_action("named", tags=["x"])
async def named(a: int) -> float:
    """With arguments."""
    return a / 2


@agentops_otel.tool(name="numbers", cost=0.1)
def numbers(n: int) -> Generator[int, str, bool]:
    """A generator."""
    yield n
    return True


@agentops_otel.guardrail(spec="output")
async def letters() -> AsyncIterator[str]:
    """An async generator."""
    yield "a"


class Robot:
    """Methods."""

    @agentops_otel.operation
    def move(self, by: int) -> int:
        """A method."""
        return by

    @agentops_otel.task
    @classmethod
    def make(cls) -> "Robot":
        """A class method."""
        return cls()


async def check() -> None:
    """What mypy is to find."""
    assert_type(bare(1, b="x"), list[str])
    assert_type(await named(1), float)
    assert_type(numbers(1), Generator[int, str, bool])
    assert_type(letters(), AsyncIterator[str])
    assert_type(Robot().move(1), int)
    assert_type(Robot.make(), Robot)
    bare("x")  # type: ignore[arg-type]  # not an int
    agentops_otel.guardrail(spec="both")  # type: ignore[call-overload]  # neither input nor output
    agentops_otel.record(Event("x", result=EventState.SUCCESS))
    Event()  # type: ignore[call-arg]  # the type of an event is wanted
