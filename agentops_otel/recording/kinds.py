"""The kinds of spans that decorators and events make: names and attributes by kind."""

from typing import NamedTuple

from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv


class ActionKind(NamedTuple):
    """The part of a span that all spans of one decorator, or of one class of events, share."""

    word: str
    """`agentops.span.kind`."""
    operation: str | None = None
    """`gen_ai.operation.name`; it also leads the span's name."""
    name_attribute: str = semconv.OPERATION_NAME
    input_attribute: str = semconv.AGENTOPS_ENTITY_INPUT
    output_attribute: str = semconv.AGENTOPS_ENTITY_OUTPUT

    def span_name(self, name: str) -> str:
        """The span's name: `x`, or `execute_tool x`; the operation alone if *name* is empty."""
        return " ".join(word for word in (self.operation, name) if word)

    def attributes(self, name: str) -> dict[str, AttributeValue]:
        """The attributes for the kind of span and its name."""
        kind: dict[str, AttributeValue] = {semconv.AGENTOPS_SPAN_KIND: self.word, self.name_attribute: name}
        return kind | ({semconv.GEN_AI_OPERATION_NAME: self.operation} if self.operation else {})


OPERATION = ActionKind(word="operation")
TASK = ActionKind(word="task")
GUARDRAIL = ActionKind(word="guardrail")
AGENT = ActionKind(word="agent", operation="invoke_agent", name_attribute=semconv.GEN_AI_AGENT_NAME)
WORKFLOW = ActionKind(word="workflow", operation="invoke_workflow", name_attribute=semconv.GEN_AI_WORKFLOW_NAME)
SESSION = ActionKind(word="session", operation="invoke_workflow", name_attribute=semconv.GEN_AI_WORKFLOW_NAME)
TOOL = ActionKind(
    word="tool",
    operation="execute_tool",
    name_attribute=semconv.GEN_AI_TOOL_NAME,
    input_attribute=semconv.GEN_AI_TOOL_CALL_ARGUMENTS,
    output_attribute=semconv.GEN_AI_TOOL_CALL_RESULT,
)
CHAT = ActionKind(word="llm", operation="chat", name_attribute=semconv.GEN_AI_REQUEST_MODEL)
