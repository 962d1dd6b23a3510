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
