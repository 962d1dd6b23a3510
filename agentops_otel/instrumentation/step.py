"""Describes one kind of step of an agent framework as data: which span it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.trace import SpanKind

from agentops_otel import semconv
from agentops_otel.instrumentation.tables import Extractor, Row, Table, compile_table


def _always(source: Any) -> bool:
    return True


def _nothing(value: Any) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of step that a framework takes, and the span that it becomes.

    The tables are those of `Operation`. `outcome` and `result` read the framework's data at the end of a step, the
    others that at its beginning.

    ```python
    tool = Step(operation="execute_tool", name="name", content={"gen_ai.tool.call.arguments": "input"})
    ```
    """

    operation: str
    """`gen_ai.operation.name` ("invoke_agent", "execute_tool", ...), or a word of the framework's own ("node").

    The span is named `{operation} {name}`.
    """
    span_name: str = ""
    """Beginning of the span's name; the operation by default."""
    name: Extractor = _nothing
    """The name of the agent, tool, workflow or node; without one the span is named after the operation."""
    matches: Callable[[Any], bool] = _always
    """Whether this step is of the kind."""
    attributes: Table = field(default_factory=dict)
    inherited: Table = field(default_factory=dict)
    """Attributes that all spans below the step have too. An agent's name is inherited without a row."""
    content: Table = field(default_factory=dict)
    """Attributes whose values are content: set as JSON, redacted and truncated, and only if content is captured."""
    result: Table = field(default_factory=dict)
    """The same, read at the end of the step."""
    outcome: Table = field(default_factory=dict)
    """Attributes, as `attributes`, read at the end of the step."""
    failure: Callable[[Any], str | None] = _nothing
    """`error.type` of a result that reports a failure without an exception; None: the step succeeded."""
    kind: SpanKind = SpanKind.INTERNAL
    name_row: tuple[Row, ...] = field(init=False, repr=False)
    attribute_rows: tuple[Row, ...] = field(init=False, repr=False)
    inherited_rows: tuple[Row, ...] = field(init=False, repr=False)
    content_rows: tuple[Row, ...] = field(init=False, repr=False)
    outcome_rows: tuple[Row, ...] = field(init=False, repr=False)
    result_rows: tuple[Row, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        name = {_NAME_OF.get(self.operation, "name"): self.name}
        inherited = {**(name if semconv.GEN_AI_AGENT_NAME in name else {}), **self.inherited}
        tables = {
            "name_row": name,
            "attribute_rows": {**self.attributes, **self.inherited},
            "inherited_rows": inherited,
            "outcome_rows": self.outcome,
        }
        for rows, table in tables.items():
            object.__setattr__(self, rows, compile_table(table))
        object.__setattr__(self, "content_rows", compile_table(self.content, is_content=True))
        object.__setattr__(self, "result_rows", compile_table(self.result, is_content=True))


_NAME_OF = {
    "execute_tool": semconv.GEN_AI_TOOL_NAME,
    "invoke_agent": semconv.GEN_AI_AGENT_NAME,
    "invoke_workflow": semconv.GEN_AI_WORKFLOW_NAME,
    "retrieval": semconv.GEN_AI_DATA_SOURCE_ID,
}
"""The attribute for the name, by operation. The name of other steps is only in the span's name."""
