"""Runs that the tests of each framework make: with us and without, cancelled, and in a process of their own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agentops_otel.testing import capture
from tests.loopback.llm_server import LlmServer
from tests.program import ROOT


def assert_unchanged(work: Callable[[], object], server: LlmServer) -> None:
    """What the work gives or raises, and what it asks the model, are the same with us as without."""
    without = _outcome(work, server)
    assert without[1]
    with capture():
        assert _outcome(work, server) == without


def _outcome(work: Callable[[], object], server: LlmServer) -> tuple[object, list[Any]]:
    before = len(server.requests)
    try:
        result = work()
    except ValueError as error:
        result = (type(error), str(error))
    asked = server.requests[before:]
    return result, [(request.path, sorted(dict(request.headers)), request.json) for request in asked]


async def cancel(run: Coroutine[Any, Any, object], began: asyncio.Event) -> None:
    """Start the run, and cancel it once the event is set."""
    task = asyncio.create_task(run)
    waiting = asyncio.create_task(began.wait())
    await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def variables(model: LlmServer) -> dict[str, str]:
    """What sends an example to the model, and nothing to the framework's makers."""
    return {
        "OPENAI_BASE_URL": f"{model.url}/v1",
        "OPENAI_API_BASE": f"{model.url}/v1",
        "OPENAI_API_KEY": "none",
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "AGNO_TELEMETRY": "false",
        "CLAUDE_CLI": str(ROOT / "tests/frameworks/claude_cli.py"),
    }
