"""What holds of a run of every framework: the tests that each framework's own module inherits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, ClassVar

from opentelemetry.trace import get_current_span

import agentops_otel
from agentops_otel.testing import Capture, capture
from tests.frameworks.runs import assert_unchanged, cancel
from tests.frameworks.shown import holds_together, names
from tests.frameworks.whole_program import spans
from tests.loopback.llm_server import LlmServer

Names = list[Any]


@agentops_otel.record_action("look up")
def look_up(city: str) -> str:
    """Work of the program's own, in a tool."""
    return f"sunny in {city}"


class Contract:
    """How an agent "guide" of the framework is asked, and the spans that come of it, by `names`.

    It has the tools weather(city), which calls `look_up`, broken(city), which raises a ValueError, and any others.
    """

    run: ClassVar[Names]
    """Of an agent that calls weather."""
    left: ClassVar[Names]
    """Of a stream that is left after its first item."""
    cancelled: ClassVar[Names]
    """Of a run that is cancelled in the tool wait."""
    program: ClassVar[tuple[str, str]]
    """The imports of a program, and what it does; the server's address is put into it."""
    found: ClassVar[list[str]]
    """The spans of the program, in the order of their ends."""
    disabled: ClassVar[dict[str, list[str]]]
    """The name that switches the framework off -> the spans of the program then; empty: it makes its spans itself."""

    runs_tools_in_turn: ClassVar[bool] = False
    """Whether the tools that the model asks for at once run one after the other."""
    is_current_in_reader: ClassVar[bool] = False
    """Whether the framework's own span is current in the reader of a stream, as it is without us."""

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run an agent to its end; its answer."""
        raise NotImplementedError

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """The same run, streamed."""
        raise NotImplementedError

    def names(self, captured: Capture) -> Names:
        """The names of the spans that the framework's runs made."""
        return names(captured.tree())

    def test_parallel_tools(self, model: LlmServer) -> None:
        """Tools that run side by side are below their agent both, and what they do is below each."""
        met: list[str] = []

        async def meet(city: str) -> str:
            """Say the weather of a city, when both are there."""
            met.append(city)
            while len(met) < 2 and not self.runs_tools_in_turn:
                await asyncio.sleep(0.01)
            return look_up(city)

        with capture() as captured:
            asyncio.run(self.ask(model, "meet(Oslo) meet(Bern)", meet))

        assert self.names(captured) == _twice(_renamed(self.run, "meet"))
        holds_together(captured, model)

    def test_a_span_of_the_programs_own_between(self, model: LlmServer) -> None:
        """It is below the tool that opens it, and above the agent that is asked in it."""

        @agentops_otel.record_action("own")
        async def own(city: str) -> str:
            return str(await self.ask(model, f"weather({city})"))

        async def research(city: str) -> str:
            """Ask another agent."""
            return await own(city)

        with capture() as captured:
            asyncio.run(self.ask(model, "research(Paris)", research))

        assert self.names(captured) == _with_agent(_renamed(self.run, "research"), self.run)
        holds_together(captured, model)

    def test_two_runs_at_once(self, model: LlmServer) -> None:
        """Runs beside each other have a trace each."""

        async def both() -> None:
            await asyncio.gather(self.ask(model, "weather(Oslo)"), self.ask(model, "weather(Bern)"))

        with capture() as captured:
            asyncio.run(both())

        assert self.names(captured) == [*self.run, *self.run]
        holds_together(captured, model, traces=2)

    def test_a_stream(self, model: LlmServer) -> None:
        """It is recorded as a plain run is, and no span of it is current in its reader."""

        async def read() -> None:
            async for _ in self.stream(model, "weather(Paris)"):
                assert get_current_span().get_span_context().is_valid is self.is_current_in_reader

        with capture() as captured:
            asyncio.run(read())

        assert self.names(captured) == self.run
        holds_together(captured, model)

    def test_a_stream_that_is_left(self, model: LlmServer) -> None:
        """Its spans end, it is no error, and nothing of it stays current."""

        async def leave() -> None:
            stream: Any = self.stream(model, "weather(Paris)")
            await anext(stream)
            await stream.aclose()
            assert not get_current_span().get_span_context().is_valid

        with capture() as captured:
            asyncio.run(leave())

        assert self.names(captured) == self.left
        holds_together(captured, model)

    def test_a_run_that_is_cancelled(self, model: LlmServer) -> None:
        """It ends all its spans."""

        async def cancelled() -> None:
            began = asyncio.Event()

            async def wait(city: str) -> str:
                """Wait."""
                began.set()
                await asyncio.Event().wait()
                return city

            with suppress(asyncio.CancelledError):
                await cancel(self.ask(model, "wait(Paris)", wait), began)

        with capture() as captured:
            asyncio.run(cancelled())

        assert self.names(captured) == self.cancelled
        holds_together(captured, model)

    def test_the_program_gets_what_it_gets_without_us(self, model: LlmServer) -> None:
        """Answer and requests are the same with us as without."""
        assert_unchanged(lambda: asyncio.run(self.ask(model, "weather(Paris) broken(Rome)")), model)

    def test_a_stream_gives_what_it_gives_without_us(self, model: LlmServer) -> None:
        """The kinds of what is streamed, and the requests, are the same."""

        async def read() -> list[type]:
            return [type(item) async for item in self.stream(model, "weather(Paris)")]

        assert_unchanged(lambda: asyncio.run(read()), model)

    def test_content_off(self, model: LlmServer) -> None:
        """Without content the steps are there, and none of what was said."""
        with capture(capture_content=False) as captured:
            asyncio.run(self.ask(model, "weather(Paris)"))

        assert self.names(captured) == self.run
        assert "Paris" not in str(captured.tree())

    def test_a_whole_program(self, model: LlmServer) -> None:
        """It does not matter whether the package is imported before `init()`, and its name switches it off.

        It takes long: each is a process, which imports the framework.
        """
        imports, work = self.program[0], self.program[1].format(model.url)

        assert spans(imports, work, imported="before") == self.found
        assert spans(imports, work, imported="after") == self.found
        for name, found in self.disabled.items():
            assert spans(imports, work, disabled=name) == found


def _twice(run: Names) -> Names:
    """The run with its tool twice, side by side."""
    found: Names = []
    for name, below in zip(run, [*run[1:], None], strict=True):
        if isinstance(name, list):
            continue
        span = [name, *([_twice(below)] if isinstance(below, list) else [])]
        found += span * 2 if name.startswith("execute_tool") else span
    return found


def _renamed(run: Names, tool: str) -> Names:
    return [_renamed(one, tool) if isinstance(one, list) else one.replace("weather", tool) for one in run]


def _with_agent(run: Names, inner: Names) -> Names:
    """The run of an agent whose tool runs the inner one in a span of the program's own."""
    if run == ["look up"]:
        return ["own", inner]
    return [_with_agent(one, inner) if isinstance(one, list) else one for one in run]
