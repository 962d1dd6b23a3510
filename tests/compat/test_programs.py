"""Programs written for each AgentOps generation run with another import, and are recorded in full."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_otel
from agentops_otel import semconv
from agentops_otel.view.tree import Node, build
from tests.loopback import agentops_traces
from tests.loopback.agentops_backend import AgentOpsBackend

SHOWN = (
    semconv.AGENTOPS_TAGS,
    semconv.GEN_AI_AGENT_NAME,
    semconv.AGENTOPS_SESSION_END_STATE,
    semconv.AGENTOPS_USAGE_COST,
    semconv.ERROR_TYPE,
    "trace.metadata.note",
)
KEY = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[AgentOpsBackend]:
    """An AgentOps backend to which the programs' key belongs, named by the variables of AgentOps."""
    with AgentOpsBackend(api_key=KEY) as backend:
        monkeypatch.setenv("AGENTOPS_API_ENDPOINT", backend.account.api_endpoint)
        monkeypatch.setenv("AGENTOPS_EXPORTER_ENDPOINT", backend.sink.endpoint)
        yield backend


def _run(name: str) -> list[Any]:
    """Run the program and give its traces: each span's name, what it says of SHOWN, its children."""
    exporter = InMemorySpanExporter()
    agentops_otel.configure(processor=SimpleSpanProcessor(exporter), console=False, trace_file=False, spool_dir=False)
    importlib.import_module(f"tests.compat.programs.{name}").main()
    agentops_otel.shutdown()
    return [_shown(node) for node in build(exporter.get_finished_spans())]


def _shown(node: Node) -> Any:
    attributes = node.span.attributes or {}
    said = [str(attributes[name]) for name in SHOWN if name in attributes]
    return (" ".join([node.span.name, *said]), *map(_shown, node.children))


def test_program_for_0_0_runs(backend: AgentOpsBackend) -> None:
    """A client object, its decorators, events with models, a logger; and all of it arrives with the account."""
    assert _run("generation_0_0") == snapshot(
        [
            (
                "invoke_workflow session ('beta', 'tenant 1', 'first', 'added') Success",
                ("sample function being recorded ('beta', 'tenant 1', 'first')",),
                ("async function ('beta', 'tenant 1', 'first', 'async')",),
                ("failing ('beta', 'tenant 1', 'first') ValueError",),
                ("chat gpt-3.5-turbo ('beta', 'tenant 1', 'first')",),
                ("plain event ('beta', 'tenant 1', 'first')",),
                ("generation_0_0_logger:ERROR ('beta', 'tenant 1', 'first', 'added') agentops.event.fail",),
            )
        ]
    )
    assert backend.sink.wait_for(7)


def test_program_for_0_2_runs() -> None:
    """The module's functions, event classes and tracked agents; a failure loses neither the action nor the error."""
    assert _run("generation_0_2") == snapshot(
        [
            (
                "invoke_workflow session ('replaced',) Fail agentops.session.fail",
                (
                    "invoke_agent researcher ('v0.2', 'one') researcher",
                    ("research ('v0.2', 'one') researcher", ("chat gpt-4 ('v0.2', 'one') researcher",)),
                ),
                (
                    "invoke_agent second ('v0.2', 'one') second",
                    ("research ('v0.2', 'one') second", ("chat gpt-4 ('v0.2', 'one') second",)),
                ),
                ("click ('v0.2', 'one')",),
                ("execute_tool browser ('v0.2', 'one') ConnectionError",),
            )
        ]
    )


def test_program_for_0_3_runs(backend: AgentOpsBackend) -> None:
    """Several sessions at once, each with what was recorded in it, and agents that were named by hand."""
    assert _run("generation_0_3") == snapshot(
        [
            (
                "invoke_workflow session ('v0.3', 'one', 'more') Success",
                ("plan ('v0.3', 'one')",),
                ("think ('v0.3', 'one') by hand",),
            ),
            (
                "invoke_workflow session ('v0.3', 'two') Indeterminate",
                ("plan ('v0.3', 'two')",),
                ("execute_tool calculator ('v0.3', 'two')",),
                ("speak ('v0.3', 'two') named",),
            ),
        ]
    )
    assert backend.sink.wait_for(7)


def test_program_for_0_4_runs() -> None:
    """Decorators on functions and classes, and traces that end in their own way."""
    assert _run("generation_0_4") == snapshot(
        [
            (
                "invoke_workflow auto ('v0.4',) Success",
                (
                    "invoke_workflow whole run ('v0.4', 'nightly')",
                    ("check ('v0.4',)",),
                    (
                        "invoke_agent Writer ('v0.4',) Writer",
                        ("draft ('v0.4',) Writer", ("execute_tool polisher ('v0.4',) Writer 0.05",)),
                    ),
                    ("invoke_agent Writer ('v0.4',) Writer", ("publish ('v0.4',) Writer",)),
                    ("invoke_workflow paragraphs ('v0.4',)",),
                ),
                ("invoke_workflow older_run ('v0.4',)",),
            ),
            (
                "invoke_workflow by hand ('v0.4', 'team:a') Fail agentops.session.fail text",
                ("check ('v0.4', 'team:a')",),
            ),
            ("invoke_workflow in a block ('v0.4',) Success", ("check ('v0.4',)",)),
            ("invoke_workflow odd ('v0.4',) Indeterminate",),
        ]
    )


PAGES = snapshot(
    {
        "generation_0_0": [
            {
                "name": "session.session",
                "tags": ["beta", "tenant 1", "first", "added"],
                "spans": 7,
                "errors": 2,
                "state": "fail",
                "cost": "0.0000040",
                "counts": {"success": 4, "fail": 2, "indeterminate": 1},
                "bars": [
                    "session: session",
                    "operation: sample function being recorded",
                    "operation: async function",
                    "error: no luck",
                    "llm: hi",
                    "operation: plain event",
                    "error: the event was recorded as failed",
                ],
            }
        ],
        "generation_0_2": [
            {
                "name": "session.session",
                "tags": ["replaced"],
                "spans": 9,
                "errors": 2,
                "state": "fail",
                "cost": "0.00030",
                "counts": {"fail": 2, "success": 7},
                "bars": [
                    "error: refused",
                    "agent: researcher",
                    "operation: research",
                    "llm: a",
                    "agent: second",
                    "operation: research",
                    "llm: a",
                    "operation: click",
                    "error: refused",
                ],
            }
        ],
        "generation_0_3": [
            {
                "name": "session.session",
                "tags": ["v0.3", "one", "more"],
                "spans": 3,
                "state": "success",
                "counts": {"success": 3},
                "bars": ["session: session", "operation: plan", "operation: think"],
            },
            {
                "name": "session.session",
                "tags": ["v0.3", "two"],
                "spans": 4,
                "state": "success",
                "counts": {"indeterminate": 1, "success": 3},
                "bars": ["session: session", "operation: plan", "tool: calculator", "operation: speak"],
            },
        ],
        "generation_0_4": [
            {
                "name": "auto.session",
                "tags": ["v0.4"],
                "spans": 10,
                "state": "success",
                "cost": "0.05",
                "counts": {"success": 10},
                "bars": [
                    "session: auto",
                    "session: whole run",
                    "other: check",
                    "agent: Writer",
                    "operation: draft",
                    "tool: polisher",
                    "agent: Writer",
                    "task: publish",
                    "workflow: paragraphs",
                    "session: older_run",
                ],
            },
            {
                "name": "by hand.session",
                "tags": ["v0.4", "team:a"],
                "spans": 2,
                "errors": 1,
                "state": "success",
                "counts": {"fail": 1, "success": 1},
                "bars": ["error: the session ended as failed", "other: check"],
            },
            {
                "name": "in a block.session",
                "tags": ["v0.4"],
                "spans": 2,
                "state": "success",
                "counts": {"success": 2},
                "bars": ["session: in a block", "other: check"],
            },
            {
                "name": "odd.session",
                "tags": ["v0.4"],
                "spans": 1,
                "state": "indeterminate",
                "warning": True,
                "counts": {"indeterminate": 1},
                "bars": ["session: odd"],
            },
        ],
    }
)


@pytest.mark.parametrize("name", ["generation_0_0", "generation_0_2", "generation_0_3", "generation_0_4"])
def test_agentops_shows_the_whole_program(name: str, backend: AgentOpsBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list and the detail of each trace are what AgentOps' own functions would answer for the spans that came."""
    monkeypatch.setenv("AGENTOPS_API_KEY", KEY)

    _run(name)

    pages = [
        {**agentops_traces.row(spans), "counts": agentops_traces.counts(spans), "bars": agentops_traces.bars(spans)}
        for spans in agentops_traces.of(backend.sink.every)
    ]
    assert pages == PAGES[name]
