"""The service under load: `python -m tests.soak.service NUMBER SEED FOLDER LLM JOBS`, traced where COLLECTOR is set.

Fifty jobs run at once, each of a kind that its number says: streams that are read, left or cancelled, agents with
tools that fail, sessions, forks. A line of `FOLDER/answers/NUMBER` is the answer of a job. Traced, it notes each span
that has ended in `FOLDER/ended`, after the span was handed to be delivered, and what became of all when it ends.
It begins no job after the JOBS-th, or after its standard input is closed.
"""

import asyncio
import json
import os
import random
import select
import struct
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import openai
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

import agentops_otel

AT_ONCE = 50
KINDS = ("read", "read", "read", "left", "cancelled", "agent", "agent", "session", "forked")
ENDED = struct.Struct(">QQ")
"""The id of a span that ended, and when."""


class Ledger(SpanProcessor):
    """Notes each ended span in a file of its process, so that a kill takes none of it."""

    def __init__(self, folder: Path, number: str) -> None:
        self._folder, self._number = folder, number
        self._files: dict[int, int] = {}

    def on_end(self, span: ReadableSpan) -> None:
        """Write its id and the time."""
        assert span.context is not None
        pid = os.getpid()
        if pid not in self._files:
            path = self._folder / f"{self._number}-{pid}"
            self._files[pid] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self._files[pid], ENDED.pack(span.context.span_id, time.time_ns()))


@agentops_otel.record_tool("lookup")
def lookup(place: str) -> dict[str, object]:
    """A tool, which fails for some places."""
    if place.endswith("7"):
        raise LookupError(f"no {place}")
    return {"place": place, "degrees": len(place)}


@agentops_otel.agent("planner")
def plan(place: str) -> str:
    """An agent that asks two tools and handles their failures."""
    found = []
    for name in (place, f"{place}7"):
        try:
            found.append(str(lookup(name)))
        except LookupError as error:
            found.append(str(error))
    return "; ".join(found)


class Service:
    """Answers jobs.

    Args:
        seed: Of the kinds and questions.
        url: Of the model's server.
    """

    def __init__(self, seed: str, url: str) -> None:
        self._seed = seed
        self._model = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none")

    async def job(self, number: int) -> str:
        """The answer of the job of that number."""
        rng = random.Random(f"{self._seed} {number}")
        kind = rng.choice(KINDS)
        place = f"place {number}"
        if kind in ("read", "left"):
            return f"{kind}: {await self._read(place, rng.randrange(1, 9) if kind == 'left' else None)}"
        if kind == "cancelled":
            return f"cancelled: {await self._cancelled(place, rng.randrange(1, 9))}"
        if kind == "forked":
            return f"forked: {await forked(place)}"
        if kind == "session":
            with agentops_otel.start_session([f"job {number}"]):
                return f"session: {plan(place)} {await self._read(place)}"
        return f"agent: {plan(place)} {await self._read(place)}"

    async def _read(self, place: str, most: int | None = None) -> str:
        said: list[str] = []
        async with await self._stream(place) as stream:
            async for chunk in stream:
                said += [choice.delta.content or "" for choice in chunk.choices]
                if len(said) == most:
                    break
        return "".join(said)

    async def _cancelled(self, place: str, chunks: int) -> str:
        """What a task had read when it was cancelled, in a stream that it would have read on."""
        said: list[str] = []
        enough = asyncio.Event()

        async def read() -> None:
            async with await self._stream(place) as stream:
                async for chunk in stream:
                    said.extend(choice.delta.content or "" for choice in chunk.choices)
                    if len(said) == chunks:
                        enough.set()
                        await asyncio.Event().wait()

        task = asyncio.create_task(read())
        await enough.wait()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return f"{''.join(said)} and was cancelled"
        return "was not cancelled"

    async def _stream(self, place: str) -> Any:
        question: Any = {"role": "user", "content": f"How warm is it in {place}?"}
        return await self._model.chat.completions.create(model="m", messages=[question], stream=True)


async def forked(place: str) -> str:
    """What a child of this process has planned; it ends as any process does."""
    reads, writes = os.pipe()
    if not (pid := os.fork()):
        code = 1
        try:
            os.write(writes, plan(place).encode())
            note_the_end()
            code = 0
        finally:
            os._exit(code)
    os.close(writes)
    try:
        said = await asyncio.to_thread(_read_all, reads)
        await asyncio.to_thread(os.waitpid, pid, 0)
    finally:
        os.close(reads)
    return said


def _read_all(file: int) -> str:
    said = b""
    while piece := os.read(file, 65536):
        said += piece
    return said.decode()


def note_the_end() -> None:
    """Shut down as at an exit, and note what became of the spans."""
    if "COLLECTOR" in os.environ:
        agentops_otel.shutdown(timeout_s=2)
        folder, number = Path(sys.argv[3]), sys.argv[1]
        (folder / "stats" / f"{number}-{os.getpid()}").write_text(json.dumps(asdict(agentops_otel.stats())))


def told_to_stop() -> bool:
    """Whether standard input was closed."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


async def serve(service: Service, jobs: int, answers: int) -> None:
    """Fifty at once, until all are answered or it is told to stop."""
    numbers = iter(range(jobs))

    async def work() -> None:
        for number in numbers:
            if told_to_stop():
                return
            answer = json.dumps([number, await service.job(number)])
            os.write(answers, f"{answer}\n".encode())

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


def main() -> None:
    """Serve, and end in order."""
    number, seed, folder, url, jobs = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])
    if "COLLECTOR" in os.environ:
        agentops_otel.init(
            endpoint=os.environ["COLLECTOR"],
            spool_dir=folder / "spool",
            durability="span" if int(number) % 2 else "batch",
            console=False,
            tags=[f"service {number}"],
            span_processors=[Ledger(folder / "ended", number)],
        )
    name = f"{number}" if "COLLECTOR" in os.environ else f"{number}-bare"
    answers = os.open(folder / "answers" / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    asyncio.run(serve(Service(f"{seed} {number}", url), jobs, answers))
    note_the_end()


if __name__ == "__main__":
    main()
