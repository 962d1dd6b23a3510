"""The decorators: `record_action` and its family, one mechanism with a table of kinds."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol, SupportsFloat, TypeVar, overload

from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.recording.decorated import SpanTemplate, decorate, name_of
from agentops_otel.recording.kinds import AGENT, GUARDRAIL, OPERATION, SESSION, TASK, TOOL, WORKFLOW, ActionKind
from agentops_otel.recording.tags import distinct
from agentops_otel.tracing import Recorder

F = TypeVar("F", bound=Callable[..., Any])


class Decorate(Protocol):
    """A decorator that keeps the function's type."""

    def __call__(self, function: F, /) -> F:
        """Return the function, wrapped so that each call makes a span."""


class Decorators:
    """The decorators of one client, or of the client that runs when a function is called, as *get_recorder* decides.

    Each works bare (`@operation`) and with arguments (`@operation(name="search")`), on functions, coroutine functions,
    generators, async generators, methods of every sort and callable objects, above and below other decorators. The
    function stays what it was: name, signature, type, pickling; arguments, results and exceptions pass untouched.

    The result of a generator is what it returns, not what it yields. On a class, the public methods that it defines for
    its objects are recorded when they are called from outside; inherited, class and static methods are not.

    Args:
        get_recorder: Returns the running recorder; None: the function is called without a span.
    """

    def __init__(self, get_recorder: Callable[[], Recorder | None]) -> None:
        self._get_recorder = get_recorder

    @overload
    def record_action(self, event_type: F, /) -> F: ...
    @overload
    def record_action(self, event_type: str | None = None, tags: Iterable[str] | None = None) -> Decorate: ...
    def record_action(self, event_type: Any = None, tags: Iterable[str] | None = None) -> Any:
        """Record each call of the function as a span: parameters, result or exception, duration.

        ```python
        @agentops_otel.record_action("search", tags=["db"])
        def search(query: str, limit: int = 10) -> list[str]: ...
        ```

        Args:
            event_type: The span's name. Default: the function's `__qualname__`.
            tags: Tags of the span, in addition to those of the session. Default: none.

        Returns:
            The function, wrapped; with arguments, a decorator for it.
        """
        return self._decorator(OPERATION, event_type, tags)

    @overload
    def record_tool(self, tool_name: F, /) -> F: ...
    @overload
    def record_tool(self, tool_name: str | None = None, tags: Iterable[str] | None = None) -> Decorate: ...
    def record_tool(self, tool_name: Any = None, tags: Iterable[str] | None = None) -> Any:
        """Record each call of the function as the call of a tool: a span `execute_tool {tool_name}`.

        ```python
        @agentops_otel.record_tool("calculator")
        def calculate(expression: str) -> float: ...
        ```

        Args:
            tool_name: The tool's name. Default: the function's `__qualname__`.
            tags: Tags of the span, in addition to those of the session. Default: none.

        Returns:
            The function, wrapped; with arguments, a decorator for it.
        """
        return self._decorator(TOOL, tool_name, tags)

    @overload
    def operation(self, name: F, /) -> F: ...
    @overload
    def operation(
        self, name: str | None = None, tags: Iterable[str] | None = None, *, version: str | None = None
    ) -> Decorate: ...
    def operation(self, name: Any = None, tags: Iterable[str] | None = None, *, version: str | None = None) -> Any:
        """Record each call as a step of the program: `record_action`, with the arguments of AgentOps 0.4.

        ```python
        @agentops_otel.operation
        def rank(hits: list[str]) -> list[str]: ...
        ```

        Args:
            name: The span's name. Default: the function's `__qualname__`.
            tags: Tags of the span, in addition to those of the session. Default: none.
            version: The function's version, recorded as `operation.version`. Default: none.

        Returns:
            The function, wrapped; with arguments, a decorator for it.
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

        ```python
        @agentops_otel.task
        def summarise(text: str) -> str: ...
        ```
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

        ```python
        @agentops_otel.agent(name="Researcher")
        def research(question: str) -> str: ...
        ```

        The span is that of https://github.com/open-telemetry/semantic-conventions-genai for agents; spans
        below it have the agent's name too.
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

        ```python
        @agentops_otel.workflow
        def answer(question: str) -> str: ...
        ```
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

        ```python
        @agentops_otel.trace
        def main() -> None: ...
        ```
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

        ```python
        @agentops_otel.tool(name="web_search", cost=0.01)
        def search(query: str) -> list[str]: ...
        ```

        Args:
            name: The tool's name. Default: the function's `__qualname__`.
            tags: Tags of the span, in addition to those of the session. Default: none.
            version: The function's version, recorded as `operation.version`. Default: none.
            cost: The price of a call in USD, recorded as `agentops.usage.cost`. Default: none.

        Returns:
            The function, wrapped; with arguments, a decorator for it.
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
        """Record each call as a check of an input or an output.

        ```python
        @agentops_otel.guardrail(spec="input")
        def no_secrets(prompt: str) -> bool: ...
        ```

        Args:
            name: The span's name. Default: the function's `__qualname__`.
            tags: Tags of the span, in addition to those of the session. Default: none.
            version: The function's version, recorded as `operation.version`. Default: none.
            spec: The side that is checked: "input" or "output". Default: none.

        Returns:
            The function, wrapped; with arguments, a decorator for it.
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
        """The decorated function if *subject* is a function (used bare); otherwise a decorator with that name."""
        more = {
            semconv.OPERATION_VERSION: version,
            # A Decimal or a number of numpy's is one too.
            semconv.AGENTOPS_USAGE_COST: float(cost) if isinstance(cost, SupportsFloat) else cost,
            semconv.AGENTOPS_GUARDRAIL_SPEC: spec,
        }

        def decorator(function: Any) -> Any:
            name = subject if isinstance(subject, str) else name_of(function)
            return decorate(function, self.template(kind, name, tags, more), self._get_recorder)

        return decorator if subject is None or isinstance(subject, str) else decorator(subject)

    @staticmethod
    def template(
        kind: ActionKind,
        name: str,
        tags: Iterable[str] | None = None,
        more: Mapping[str, AttributeValue | None] | None = None,
    ) -> SpanTemplate:
        """The template of the spans of one decorated function."""
        given = {key: value for key, value in (more or {}).items() if value is not None}
        return SpanTemplate(
            span_name=kind.span_name(name),
            attributes=kind.attributes(name) | given,
            tags=distinct(tags),
            input_name=kind.input_attribute,
            output_name=kind.output_attribute,
            inherited={kind.name_attribute: name} if kind is AGENT else {},
        )
