"""A framework's run in a short form for snapshots, and the assertions that hold for every run."""

import gc
from typing import Any

from opentelemetry.trace import INVALID_SPAN, get_current_span

from agentops_otel import semconv
from agentops_otel.testing import Capture, Tree
from tests.loopback.llm_server import LlmServer

OF_AGENTS = ("gen_ai.agent.", "gen_ai.conversation.")
"""Attributes of an LLM call that come from its agent; the client's own tests show the others."""


LONGEST = 40
"""Characters of a value."""

CHANGING = ("gen_ai.agent.id", "agent_framework.function.invocation.duration", "event_loop.", "gen_ai.event.")
"""Ids and times, which frameworks record."""


def shown(tree: Tree) -> Tree:
    """The tree with the LLM calls cut to what they have from their agent, and parallel steps in the order of names."""
    # What a program left open warns now. Within the parsing of a snapshot that is an error of Python 3.11, whose
    # tracebacks parse too.
    gc.collect()
    return _in_order(tree)


def _in_order(tree: Tree) -> Tree:
    return sorted(map(_shown, tree), key=lambda span: (str(span["name"]), str(span.get("attributes"))))


def _shown(span: dict[str, Any]) -> dict[str, Any]:
    attributes = span.get("attributes", {})
    if attributes.get(semconv.GEN_AI_OPERATION_NAME) == "chat":
        attributes = {name: value for name, value in attributes.items() if name.startswith(OF_AGENTS)}
        span = {"name": span["name"], "attributes": attributes, "children": span.get("children", [])}
    else:
        span = {**span, "children": span.get("children", [])}
        span.pop("events", None)
    if "attributes" in span:
        # Frameworks' own names are enums, of which a slice is the text.
        said = {name[:]: _cut(value) for name, value in span["attributes"].items()}
        span["attributes"] = {name: value for name, value in said.items() if not name.startswith(CHANGING)}
    span["children"] = _in_order(span["children"])
    return {name: value for name, value in span.items() if value}


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return f"{value[:LONGEST]}..." if len(value) > LONGEST else value[:]
    return value


def names(tree: Tree) -> list[Any]:
    """The names alone: a span, and those below it in a list behind it."""
    found: list[Any] = []
    for span in shown(tree):
        found.append(str(span["name"]) + (f" {str(span['status'])[:5]}" if "status" in span else ""))
        if below := span.get("children"):
            found.append(names(below))  # type: ignore[arg-type]  # a tree
    return found


def holds_together(captured: Capture, server: LlmServer, *, traces: int = 1) -> None:
    """One trace a run, no orphan, an LLM span for each request, and nothing current afterwards."""
    spans = captured.spans
    ids = {span.context.span_id for span in spans}

    assert len({span.context.trace_id for span in spans}) == traces
    assert [span.name for span in spans if span.parent is not None and span.parent.span_id not in ids] == []
    assert sum(_is_llm(span.attributes) for span in spans) == len(server.requests)
    assert get_current_span() is INVALID_SPAN


def _is_llm(attributes: Any) -> bool:
    return (attributes or {}).get(semconv.GEN_AI_OPERATION_NAME) in semconv.INFERENCE_OPERATIONS
