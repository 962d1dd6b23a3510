"""The decorators: `record_action` and its family, one mechanism with a table of kinds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, overload

from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.recording.decorated import Label, as_tags, decorate, name_of
from agentops_otel.tracing import Recorder

F = TypeVar("F", bound=Callable[..., Any])


class Decorate(Protocol):
    """A decorator that leaves the function's type what it is."""

    def __call__(self, function: F, /) -> F:
        """The function, with a span about each of its calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionKind:
    """What the spans of one decorator, or of one class of events, have in common."""

    word: str
    """`agentops.span.kind`."""
    operation: str | None = None
    """`gen_ai.operation.name`; it also leads the span's name."""
    name_attribute: str = semconv.OPERATION_NAME
    input_attribute: str = semconv.AGENTOPS_ENTITY_INPUT
    output_attribute: str = semconv.AGENTOPS_ENTITY_OUTPUT

    def span_name(self, name: str) -> str:
        """`x`, or `execute_tool x`; the operation alone where there is no name."""
        return " ".join(word for word in (self.operation, name) if word)

    def attributes(self, name: str) -> dict[str, AttributeValue]:
        """What says which kind of span it is, and of what name."""
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


class Decorators:
    """The decorators of one client or, where *current* looks it up, of whichever client runs when a function is called.

    Each works bare (`@operation`) and with arguments (`@operation(name="search")`), on functions, coroutine functions,
    generators, async generators, methods of every sort and callable objects, above and below other decorators. The
    function stays what it was: name, signature, type, pickling; arguments, results and exceptions pass untouched.

    Args:
        current: The running recorder; None makes a call the bare call.
    """

    def __init__(self, current: Callable[[], Recorder | None]) -> None:
        self._current = current

    @overload
    def record_action(self, event_type: F, /) -> F: ...
    @overload
    def record_action(self, event_type: str | None = None, tags: Iterable[str] | None = None) -> Decorate: ...
    def record_action(self, event_type: Any = None, tags: Iterable[str] | None = None) -> Any:
        """Record each call of the function as a span: parameters, result or exception, duration.

            @agentops_otel.record_action("search", tags=["db"])
            def search(query: str, limit: int = 10) -> list[str]: ...

        Args:
            event_type: The span's name; the function's by default.
            tags: Added to those of the session.
        """
        return self._decorator(OPERATION, event_type, tags)

    @overload
    def record_tool(self, tool_name: F, /) -> F: ...
    @overload
    def record_tool(self, tool_name: str | None = None, tags: Iterable[str] | None = None) -> Decorate: ...
    def record_tool(self, tool_name: Any = None, tags: Iterable[str] | None = None) -> Any:
        """Record each call of the function as the call of a tool: a span `execute_tool {tool_name}`.

            @agentops_otel.record_tool("calculator")
            def calculate(expression: str) -> float: ...

        Args:
            tool_name: The tool's name; the function's by default.
            tags: Added to those of the session.
        """
        return self._decorator(TOOL, tool_name, tags)

    @overload
    def operation(self, name: F, /) -> F: ...
    @overload
    def operation(
        self, name: str | None = None, tags: Iterable[str] | None = None, *, version: str | None = None
    ) -> Decorate: ...
    def operation(self, name: Any = None, tags: Iterable[str] | None = None, *, version: str | None = None) -> Any:
        """Record each call as a step of the program; as `record_action`, in the words of AgentOps 0.4.

            @agentops_otel.operation
            def rank(hits: list[str]) -> list[str]: ...

        Args:
            name: The span's name; the function's by default.
            tags: Added to those of the session.
            version: The function's version, kept as `operation.version`.
        """
        return self._decorator(OPERATION, name, tags, version=version)

    @overload
    def task(self, name: F, /) -> F: ...
    @overload
    def task(
        self, name: str | None = None, tags: Iterable[str] | None = None, *, version: str | None = None
    ) -> Decorate: ...
    def task(self, name: Any = None, tags: Iterable[str] | None = None, *, version: str | None = None) -> Any:
        """Record each call as a task; the arguments are those of `operation`.

        @agentops_otel.task
        def summarise(text: str) -> str: ...
        """
        return self._decorator(TASK, name, tags, version=version)

    @overload
    def agent(self, name: F, /) -> F: ...
    @overload
    def agent(
        self, name: str | None = None, tags: Iterable[str] | None = None, *, version: str | None = None
    ) -> Decorate: ...
    def agent(self, name: Any = None, tags: Iterable[str] | None = None, *, version: str | None = None) -> Any:
        """Record each call as a turn of an agent: a span `invoke_agent {name}`; the arguments are those of `operation`.

        @agentops_otel.agent(name="Researcher")
        def research(question: str) -> str: ...
        """
        return self._decorator(AGENT, name, tags, version=version)

    @overload
    def workflow(self, name: F, /) -> F: ...
    @overload
    def workflow(
        self, name: str | None = None, tags: Iterable[str] | None = None, *, version: str | None = None
    ) -> Decorate: ...
    def workflow(self, name: Any = None, tags: Iterable[str] | None = None, *, version: str | None = None) -> Any:
        """Record each call as a run of a workflow: `invoke_workflow {name}`; the arguments are those of `operation`.

        @agentops_otel.workflow
        def answer(question: str) -> str: ...
        """
        return self._decorator(WORKFLOW, name, tags, version=version)

    @overload
    def trace(self, name: F, /) -> F: ...
    @overload
    def trace(
        self, name: str | None = None, tags: Iterable[str] | None = None, *, version: str | None = None
    ) -> Decorate: ...
    def trace(self, name: Any = None, tags: Iterable[str] | None = None, *, version: str | None = None) -> Any:
        """Record each call as a run of the program: `invoke_workflow {name}`; the arguments are those of `operation`.

        @agentops_otel.trace
        def main() -> None: ...
        """
        return self._decorator(SESSION, name, tags, version=version)

    session = trace
    """The older name of `trace`."""

    @overload
    def tool(self, name: F, /) -> F: ...
    @overload
    def tool(
        self,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        *,
        version: str | None = None,
        cost: float | None = None,
    ) -> Decorate: ...
    def tool(
        self,
        name: Any = None,
        tags: Iterable[str] | None = None,
        *,
        version: str | None = None,
        cost: float | None = None,
    ) -> Any:
        """Record each call as the call of a tool: a span `execute_tool {name}`.

            @agentops_otel.tool(name="web_search", cost=0.01)
            def search(query: str) -> list[str]: ...

        Args:
            name: The tool's name; the function's by default.
            tags: Added to those of the session.
            version: The function's version, kept as `operation.version`.
            cost: What a call costs, in USD.
        """
        return self._decorator(TOOL, name, tags, version=version, cost=cost)

    @overload
    def guardrail(self, name: F, /) -> F: ...
    @overload
    def guardrail(
        self,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        *,
        version: str | None = None,
        spec: Literal["input", "output"] | None = None,
    ) -> Decorate: ...
    def guardrail(
        self,
        name: Any = None,
        tags: Iterable[str] | None = None,
        *,
        version: str | None = None,
        spec: Literal["input", "output"] | None = None,
    ) -> Any:
        """Record each call as a check of what goes in or comes out.

            @agentops_otel.guardrail(spec="input")
            def no_secrets(prompt: str) -> bool: ...

        Args:
            name: The span's name; the function's by default.
            tags: Added to those of the session.
            version: The function's version, kept as `operation.version`.
            spec: What is checked: "input" or "output".
        """
        return self._decorator(GUARDRAIL, name, tags, version=version, spec=spec)

    def _decorator(
        self,
        kind: ActionKind,
        subject: Any,
        tags: Iterable[str] | None,
        *,
        version: str | None = None,
        cost: float | None = None,
        spec: str | None = None,
    ) -> Any:
        """The decorated function if *subject* is one (used bare), or else the decorator that goes by that name."""
        more = {
            semconv.OPERATION_VERSION: version,
            semconv.AGENTOPS_USAGE_COST: cost,
            semconv.AGENTOPS_GUARDRAIL_SPEC: spec,
        }

        def decorator(function: Any) -> Any:
            name = subject if isinstance(subject, str) else name_of(function)
            return decorate(function, self.label(kind, name, tags, more), self._current)

        return decorator if subject is None or isinstance(subject, str) else decorator(subject)

    @staticmethod
    def label(
        kind: ActionKind,
        name: str,
        tags: Iterable[str] | None = None,
        more: Mapping[str, AttributeValue | None] | None = None,
    ) -> Label:
        """What the spans of one decorated function say."""
        given = {key: value for key, value in (more or {}).items() if value is not None}
        return Label(
            span_name=kind.span_name(name),
            attributes=kind.attributes(name) | given,
            tags=as_tags(tags),
            input_name=kind.input_attribute,
            output_name=kind.output_attribute,
            inherited={kind.name_attribute: name} if kind is AGENT else {},
        )
