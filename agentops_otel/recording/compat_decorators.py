"""The decorators of older AgentOps generations, made by the same mechanism."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import FunctionType
from typing import Any, overload

from opentelemetry.context import Context

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.recording.actions import Decorate, Decorators, F
from agentops_otel.recording.decorated import MethodCall, SpanTemplate, decorate_class, decorated_object, name_of
from agentops_otel.recording.endpoint import EndpointCall
from agentops_otel.recording.kinds import AGENT, WORKFLOW
from agentops_otel.recording.wrappers import traced_by
from agentops_otel.tracing import with_inherited

AGENT_ID, AGENT_NAME = "agent_ops_agent_id", "agent_ops_agent_name"
"""The attributes that AgentOps 0.1 to 0.3 set on a tracked object; programs read them."""


class AllDecorators(Decorators):
    """All decorators of all generations."""

    record_function = Decorators.record_action
    """`record_action` under its name in AgentOps 0.1 to 0.3.6."""
    track_tool = Decorators.record_tool
    """`record_tool` under its name in AgentOps 0.3."""

    @overload
    def track_agent(self, name: F, /) -> F: ...
    @overload
    def track_agent(self, name: str | None = None) -> Decorate: ...
    def track_agent(self, name: Any = None) -> Any:
        """Record the calls of an agent, a class or a function, as `invoke_agent {name}`; from AgentOps 0.1 to 0.3.

        Each object of a class has its own id. Its name is the argument `agentops_name` of its constructor.

        ```python
        @agentops_otel.track_agent(name="Researcher")
        class Researcher: ...
        ```

        Args:
            name: The agent's name. Default: that of the class or function.

        Returns:
            The class or function, wrapped; with a name, a decorator for it.
        """

        def decorator(subject: Any) -> Any:
            if not isinstance(subject, type):
                return self.agent(name if isinstance(name, str) else None)(subject)
            import wrapt  # on use: it imports asyncio

            template = self.template(AGENT, name if isinstance(name, str) else subject.__name__)
            decorate_class(subject, template, self._get_recorder, _TrackedCall)
            wrapt.wrap_function_wrapper(
                subject, "__init__", _initializer(template.inherited[semconv.GEN_AI_AGENT_NAME])
            )
            return subject

        return decorator if name is None or isinstance(name, str) else decorator(name)

    @overload
    def track_endpoint(self, name: F, /) -> F: ...
    @overload
    def track_endpoint(
        self,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        *,
        version: str | None = None,
        capture_request: bool = True,
        capture_response: bool = True,
    ) -> Decorate: ...
    def track_endpoint(
        self,
        name: Any = None,
        tags: Iterable[str] | None = None,
        *,
        version: str | None = None,
        capture_request: bool = True,
        capture_response: bool = True,
    ) -> Any:
        """Record each request to a Flask view as `invoke_workflow {name}`, with the request and the response.

        ```python
        @agentops_otel.track_endpoint  # below @app.post("/ask")
        def ask() -> dict[str, str]: ...
        ```

        Args:
            name: The workflow's name. Default: the view's `__qualname__`.
            tags: Tags of the span, in addition to those of the session. Default: none.
            version: The view's version, recorded as `operation.version`. Default: none.
            capture_request: False leaves out the query and the body. Default: True.
            capture_response: False leaves out the response's body. Default: True.

        Returns:
            The view, wrapped; with arguments, a decorator for it.
        """

        def decorator(view: Callable[..., Any]) -> Any:
            named = name if isinstance(name, str) else name_of(view)
            template = self.template(WORKFLOW, named, tags, {semconv.OPERATION_VERSION: version})
            call = EndpointCall(view, template, self._get_recorder, capture_request, capture_response)
            return traced_by(view, call) if isinstance(view, FunctionType) else decorated_object(view, call)

        return decorator if name is None or isinstance(name, str) else decorator(name)


class _TrackedCall(MethodCall):
    """Makes a span for each call of a tracked agent's method, with the object's own name and id."""

    __slots__ = ()

    def template_for_call(self, instance: object, context: Context | None) -> tuple[SpanTemplate, Context | None]:
        """As for any method, with the object's name and id."""
        template, context = super().template_for_call(instance, context)
        name, identity = getattr(instance, AGENT_NAME, None), getattr(instance, AGENT_ID, None)
        if name is None or identity is None:
            return template, context
        agent = {semconv.GEN_AI_AGENT_NAME: str(name), semconv.GEN_AI_AGENT_ID: str(identity)}
        own = replace(template, span_name=AGENT.span_name(str(name)), attributes={**template.attributes, **agent})
        return own, with_inherited(agent, context)


def _initializer(default_name: object) -> Callable[..., None]:
    """Gives each new object its name and id, before the object's own `__init__`."""

    def initialize(wrapped: Callable[..., None], instance: object, args: Any, kwargs: dict[str, Any]) -> None:
        name = kwargs.pop("agentops_name", None) or default_name
        with guard("naming a tracked agent"):
            setattr(instance, AGENT_NAME, name)
            setattr(instance, AGENT_ID, str(uuid.uuid4()))
        wrapped(*args, **kwargs)

    return initialize
