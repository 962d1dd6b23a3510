"""The anthropic package traces itself since 2.0: one span a call all the same, whichever of its options is set."""

import inspect
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from anthropic import Anthropic

from tests.program import ROOT

pytestmark = pytest.mark.skipif(
    "open_telemetry" not in inspect.signature(Anthropic.__init__).parameters,
    reason="this version of anthropic does not trace itself",
)

OF_NO_MODEL = ("models", "async models", "files", "batches", "session", "session's events", "agents", "got")

Seen = dict[str, Any]


SITUATIONS = ("ours", "guest", "foreign")
"""The global tracer provider: ours, the program's, a vendor's."""


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """By situation, what the program of `anthropic_tracing` saw of its hundreds of calls, which take seconds."""
    command = [sys.executable, "-m", "tests.clients.anthropic_tracing", *SITUATIONS]
    nowhere = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}  # but to the processors that the program has
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT, env=nowhere, check=True)
    return dict(zip(SITUATIONS, done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_one_span_a_call_whichever_option_is_set(situation: str, told: dict[str, str]) -> None:
    """Beside each provider a call's one span is ours, and no trace header leaves.

    A client that the program gave a provider of its own has its spans there too, and sends the header that it would.
    Requests of no model are what they are without us. Where ours is off, the package traces itself.
    """
    off: list[tuple[str, str, Seen, Seen]]
    on: list[tuple[str, str, Seen, Seen]]
    off, on = json.loads(told[situation])

    assert len(on) > 200
    for who, form, bare, seen in on:
        call = (who, form, bare, seen)
        if form in OF_NO_MODEL:
            assert {**seen, "ours": []} == bare, call
            assert seen["ours"] == (seen["app"] if situation == "guest" else []), call
        else:
            made = "count_tokens claude-test" if form == "counted" else "chat claude-test"
            assert [name for name in seen["ours"] if not _of_tools(name)] == [made] * seen["requests"], call
            assert seen["app"] == (seen["ours"] if situation == "guest" else [*filter(_of_tools, bare["app"])]), call
            chosen = "own provider" in who
            assert seen["own"] == [name for name in bare["own"] if chosen or _of_tools(name)], call
            assert seen["headers"] == (bare["headers"] if chosen else 0), call
    if situation == "ours":
        seen = next(seen for who, form, _, seen in off if (who, form) == ("Anthropic(nothing)", "create"))
        assert (seen["ours"], seen["headers"]) == (["anthropic.messages.create"], 1)
    else:
        assert [{**seen, "ours": []} for *_, seen in off] == [bare for *_, bare, _ in off]


def _of_tools(name: str) -> bool:
    """Whether the package's span is of no call of a model: the tool runner's, and those of its tools."""
    return name.startswith(("anthropic.messages.tool_runner", "anthropic.custom_tool_use"))
