"""Haystack: pipelines, components, agents and tools, recorded from its tracer. The program's own tracer still works."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field
from agentops_otel.wrapping.patch import Hook, Patch

Tags = dict[str, Any]
"""The tags of a Haystack span, content tags included, and the traced object."""

_PARAMETERS = ("operation_name", "tags", "parent_span")
_OPERATION = "operation_name"


def _listen_to_tracer(module: ModuleType, steps: Steps) -> Callable[[], None]:
    recorded: Any = type("RecordedSpan", (_RecordedSpan, module.Span), {})

    @contextmanager
    def traced(wrapped: Any, tags: Tags, arguments: dict[str, Any]) -> Iterator[Any]:
        with steps.step(tags) as step, wrapped(**arguments) as span:
            step.result = tags  # tags are added to it until it ends
            yield recorded(span, tags)

    def trace(wrapped: Any, tracer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments = {**dict(zip(_PARAMETERS, args, strict=False)), **kwargs}
        parent = arguments.get("parent_span")
        arguments["parent_span"] = getattr(parent, "theirs", parent)
        return traced(wrapped, {**(arguments.get("tags") or {}), _OPERATION: arguments[_OPERATION]}, arguments)

    return Patch(module.ProxyTracer, "trace", Hook(trace)).undo


class _RecordedSpan:
    """Wraps a span of the program's own tracer, if it has one, and keeps the tags."""

    def __init__(self, theirs: Any, tags: Tags) -> None:
        self.theirs, self._tags = theirs, tags

    def set_tag(self, key: str, value: Any) -> None:
        """Pass the tag on, and keep it."""
        self._tags[key] = value
        self.theirs.set_tag(key, value)

    def set_content_tag(self, key: str, value: Any) -> None:
        """Keep the tag, and pass it on: the other tracer's setting decides whether it records content."""
        self._tags[key] = value
        self.theirs.set_content_tag(key, value)

    def raw_span(self) -> Any:
        """The other tracer's."""
        return self.theirs.raw_span()

    def get_correlation_data_for_logs(self) -> Any:
        """The other tracer's."""
        return self.theirs.get_correlation_data_for_logs()


def _is(operation: str) -> Callable[[Tags], bool]:
    return lambda tags: tags[_OPERATION] == f"haystack.{operation}"


def _tag(name: str) -> Callable[[Tags], Any]:
    return lambda tags: tags.get(f"haystack.{name}")


def _readable_tag(name: str) -> Callable[[Tags], Any]:
    """Reads an input or output tag; of messages only their text, not all that Haystack keeps in them."""
    return lambda tags: _readable(tags.get(f"haystack.{name}"))


def _readable(value: Any) -> Any:
    if (role := field(value, "_role")) is not None:
        return {
            "role": field(role, "value"),
            "content": value.text or [field(one, "result") for one in value.tool_call_results],
        }
    if isinstance(value, dict):
        return {name: _readable(part) for name, part in value.items() if name not in ("tools", "state")}
    return [_readable(part) for part in value] if isinstance(value, list | tuple) else value


WORKFLOW = Step(
    operation="invoke_workflow",
    matches=_is("pipeline.run"),
    content={semconv.AGENTOPS_ENTITY_INPUT: _readable_tag("pipeline.input_data")},
    result={semconv.AGENTOPS_ENTITY_OUTPUT: _readable_tag("pipeline.output_data")},
)
COMPONENT = Step(
    operation="component",
    matches=_is("component.run"),
    name=_tag("component.name"),
    result={
        semconv.AGENTOPS_ENTITY_INPUT: _readable_tag("component.input"),
        semconv.AGENTOPS_ENTITY_OUTPUT: _readable_tag("component.output"),
    },
)
AGENT = Step(
    operation="invoke_agent",
    matches=_is("agent.run"),
    result={
        semconv.AGENTOPS_ENTITY_INPUT: _readable_tag("agent.input"),
        semconv.AGENTOPS_ENTITY_OUTPUT: _readable_tag("agent.output"),
    },
)
TOOL = Step(
    operation="execute_tool",
    matches=_is("agent.step.tool"),
    name=_tag("tool.name"),
    attributes={
        semconv.GEN_AI_TOOL_DESCRIPTION: _tag("tool.description"),
        semconv.GEN_AI_TOOL_TYPE: lambda tags: "function",
    },
    result={
        semconv.GEN_AI_TOOL_CALL_ARGUMENTS: _tag("agent.step.tool.input"),
        semconv.GEN_AI_TOOL_CALL_RESULT: _tag("agent.step.tool.output"),
    },
    failure=lambda tags: "tool_error" if tags.get("haystack.tool.error") else None,
)

HAYSTACK = FrameworkSpec(
    name="haystack",
    module="haystack",
    steps=(WORKFLOW, COMPONENT, AGENT, TOOL),
    listeners={"haystack.tracing.tracer": _listen_to_tracer},
)
