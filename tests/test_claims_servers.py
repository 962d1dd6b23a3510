"""What the pages about servers and recipes promise, tried: each test's docstring is the sentence, as a page has it."""

import asyncio
import sys
from pathlib import Path

import openai
import pytest

import agentops_otel
from agentops_otel import record_tool, workflow
from agentops_otel.testing import capture
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import answer, completion
from tests.loopback.otlp_sink import OtlpSink
from tests.program import ROOT, run
from tests.sentences import on_no_page

CLOSED = "http://127.0.0.1:9"
"""Where nobody listens."""
STEP = "agentops_otel.record_action('step')(lambda: None)()"


def test_every_sentence_here_is_on_a_page() -> None:
    """Whoever edits a sentence of the pages meets its test: a docstring that is on no page is an error."""
    here = sys.modules[__name__]

    assert on_no_page(here, "test_every_sentence_here_is_on_a_page") == {}
    assert list(on_no_page(here)) == ["test_every_sentence_here_is_on_a_page"]


def test_the_terminal_is_the_servers() -> None:
    """Name a destination, and keep the terminal for the server's log."""
    with OtlpSink() as sink:
        said = run(f"import agentops_otel; agentops_otel.init(endpoint={sink.endpoint!r}, console=False); {STEP}")

        assert list(sink.spans) == ["step"]
    assert (said.stdout, said.stderr) == ("", "")


@record_tool("weather")
async def weather() -> str:
    """A tool that lets other requests go on."""
    await asyncio.sleep(0)
    return "warm"


def test_one_trace_a_request() -> None:
    """Each request is then one trace, with the LLM calls and tools that it took below it."""

    async def requests() -> None:
        client = openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none")

        @workflow(name="answer")
        async def answered() -> None:
            await weather()
            await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])

        async with client:
            await asyncio.gather(answered(), answered())

    with LlmServer() as server, capture() as captured:
        for _ in range(2):
            server.answer(answer(completion(), stream=False))
        asyncio.run(requests())

    trees = [(tree["name"], [child["name"] for child in tree["children"]]) for tree in captured.tree()]  # type: ignore[attr-defined]
    assert trees == [("invoke_workflow answer", ["execute_tool weather", "chat m"])] * 2
    assert len({span.context.trace_id for span in captured.spans}) == 2


def test_the_end_of_a_session(tmp_path: Path) -> None:
    """When it ends it waits until its spans are delivered or on disk."""
    with OtlpSink() as sink:
        agentops_otel.init(endpoint=sink.endpoint, console=False)
        agentops_otel.start_session(name="sent").end_session("Success")
        assert list(sink.spans) == ["invoke_workflow sent"]
    agentops_otel.shutdown()

    agentops_otel.init(endpoint=CLOSED, console=False)
    agentops_otel.start_session(name="kept").end_session("Success")
    (segment,) = tmp_path.rglob("*.spans")
    assert b"invoke_workflow kept" in segment.read_bytes()


@pytest.mark.parametrize("place", ["stays", "false"])
def test_a_folder_that_stays(place: str, tmp_path: Path) -> None:
    """Name a collector, and a folder that stays (`AGENTOPS_SPOOL_DIR`) or none."""
    run(
        f"import agentops_otel; agentops_otel.init(endpoint={CLOSED!r}, console=False, exit_timeout_s=0.5); {STEP}",
        cwd=tmp_path,
        AGENTOPS_SPOOL_DIR=place,
        PYTHONPATH=str(ROOT),
    )

    folders = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.spans")}
    assert folders == ({place} if place == "stays" else set())


def test_a_function_without_a_session() -> None:
    """Without a session, call `agentops_otel.flush()` before the function returns."""
    with OtlpSink() as sink:
        program = f"import os, agentops_otel; agentops_otel.init(endpoint={sink.endpoint!r}, console=False); {STEP}"
        run(f"{program}; agentops_otel.flush(); os._exit(0)")  # frozen: nothing more is done

        assert list(sink.spans) == ["step"]
