"""Chooses the tracer provider: the user's, the global one, or one of ours."""

import atexit
import logging
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeGuard

from opentelemetry import trace
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.util.types import Attributes

from agentops_otel.content import Content
from agentops_otel.environment import ConfigError
from agentops_otel.guard import guard
from agentops_otel.semconv import SCOPE, SERVICE_NAME
from agentops_otel.tracing.fork_wait import without_new_threads
from agentops_otel.tracing.global_provider import set_global
from agentops_otel.tracing.ids import EntropyIdGenerator
from agentops_otel.tracing.parents import SERVERS, RequestTracer
from agentops_otel.tracing.relay import Relay
from agentops_otel.tracing.tracer import Tracer

_logger = logging.getLogger("agentops_otel")


class ProviderChoice(NamedTuple):
    """A tracer provider, and whether it is ours."""

    provider: trace.TracerProvider
    guest: bool
    """True if the program made it: we never replace it, shut it down, or change its resource or sampler."""


def choose_provider(
    given: trace.TracerProvider | None,
    service_name: str | None,
    replaced: Callable[[trace.TracerProvider], None] = lambda provider: None,
) -> ProviderChoice:
    """Choose the provider that makes our spans.

    OpenTelemetry's placeholder is replaced by a provider of ours. An SDK provider is used as it is. Any other global
    provider (a vendor's) stays the global one, and ours is private.

    Args:
        given: The provider that the user chose.
        service_name: `service.name` of a provider of ours.
        replaced: Called when the program sets a global provider in place of ours, which makes all spans from then on.
    """
    provider = trace.get_tracer_provider() if given is None else given
    if given is not None or (hasattr(provider, "add_span_processor") and not isinstance(provider, OwnProvider)):
        return ProviderChoice(provider=provider, guest=True)
    own = _own_provider(service_name)
    if isinstance(provider, OwnProvider):
        provider.renew(own)
        own = provider
    elif isinstance(provider, trace.ProxyTracerProvider):
        set_global(own, partial(_give_way, own, replaced))
        atexit.register(own.shut_down_added)  # runs after what is registered later: sessions end before
    else:
        _logger.warning(
            "The global tracer provider is a %s, which takes no span processors: spans of agentops_otel go to a"
            " provider of their own. Pass tracer_provider= to choose.",
            type(provider).__name__,
        )
    return ProviderChoice(provider=own, guest=False)


def _give_way(
    own: "OwnProvider", replaced: Callable[[trace.TracerProvider], None], provider: trace.TracerProvider
) -> None:
    if own.follow(provider):
        replaced(provider)


def _own_provider(service_name: str | None) -> "OwnProvider":
    try:
        return OwnProvider(service_name)
    except ValueError as error:  # of `SpanLimits`: "OTEL_... must be a non-negative integer but got -1"
        name, _, problem = str(error).partition(" ")
        raise ConfigError(name, problem.rpartition(" ")[2], "give a number that is not negative") from error


def tracer_of(
    provider: trace.TracerProvider, name: str, version: str, policy: Content, *, trusts_callers: bool = True
) -> trace.Tracer:
    """The tracer that makes our spans on a provider, ours or the program's.

    Spans of an SDK provider that the program made are ours too: they have its resource, sampler, limits and ids, and go
    to its processors. If a future SDK's tracer cannot be taken over, the SDK's own spans are used.

    Args:
        provider: The provider.
        name: The instrumentation scope.
        version: The scope's version.
        policy: The content policy; on a provider of ours it holds for what anybody records.
        trusts_callers: Whether web frameworks' spans, on a provider of ours, follow the `traceparent` of any caller.
    """
    if isinstance(provider, OwnProvider):
        provider.set_policy(policy, trusts_callers=trusts_callers)
    tracer = provider.get_tracer(name, version)
    return Tracer(tracer, policy, followed=True) if _can_take_over(tracer) else tracer


def _can_take_over(tracer: trace.Tracer) -> TypeGuard[sdk_trace.Tracer]:
    return type(tracer) is sdk_trace.Tracer and vars(tracer).keys() >= _TAKEN_OVER


_TAKEN_OVER = {
    "sampler",
    "resource",
    "span_processor",
    "id_generator",
    "instrumentation_info",
    "_span_limits",
    "_instrumentation_scope",
    "_tracer_config",
    "_tracer_metrics",
}
"""The attributes that our tracer takes over from the SDK's tracer; those with an underscore are not public."""


class OwnProvider(sdk_trace.TracerProvider):
    """The tracer provider that we own; its sampler and limits come from the `OTEL_*` variables.

    Args:
        service_name: `service.name` of the resource; from `OTEL_SERVICE_NAME` by default.
        id_generator: Makes the ids; random ones by default.
        settings: Those of `opentelemetry.sdk.trace.TracerProvider`, by name.
    """

    policy: Content | None = None
    """The content policy for everything that is recorded on spans of this provider."""
    successor: sdk_trace.TracerProvider | None = None
    """The provider that makes the spans since the program set it as the global one."""
    trusts_callers = True
    """Whether web frameworks' spans follow the `traceparent` of any caller."""

    def __init__(
        self, service_name: str | None = None, id_generator: IdGenerator | None = None, **settings: Any
    ) -> None:
        settings.setdefault("resource", resource_of(service_name))
        super().__init__(id_generator=id_generator or EntropyIdGenerator(), **{"shutdown_on_exit": False, **settings})

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> trace.Tracer:
        """The tracer of an instrumentation scope, the same one for the same scope."""
        scope_of = (instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        if self.successor is not None:
            return self.successor.get_tracer(*scope_of)
        tracer = super().get_tracer(*scope_of)
        if type(tracer) is not sdk_trace.Tracer:
            return tracer
        with self._tracers_lock:
            scope = tracer._instrumentation_scope
            if self._tracers[scope] is tracer:
                self._tracers[scope] = self._own_tracer(tracer)
            return self._tracers[scope]

    def _own_tracer(self, tracer: sdk_trace.Tracer) -> Tracer:
        if tracer._instrumentation_scope.name not in SERVERS:
            return Tracer(tracer, self.policy)
        own = RequestTracer(tracer, self.policy)
        own.trusts_callers = self.trusts_callers
        return own

    def renew(self, fresh: "OwnProvider") -> None:
        """Take over the resource, sampler and limits of *fresh*, a provider made with the current settings.

        The global provider stays the same over `shutdown()` and a further `init()`, with its tracers and the processors
        that the program added.
        """
        with self._tracers_lock:
            self._resource, self.sampler, self._span_limits = fresh.resource, fresh.sampler, fresh._span_limits
            for tracer in self._tracers.values():
                tracer.resource, tracer.sampler, tracer._span_limits = self._resource, self.sampler, self._span_limits
                if isinstance(tracer, Tracer):
                    tracer.read_limits()

    def follow(self, successor: trace.TracerProvider) -> bool:
        """Have all tracers of this provider make their spans on *successor*, as its guests; False if they cannot.

        Those of ours keep the content policy for what they record themselves.
        """
        if not isinstance(successor, sdk_trace.TracerProvider) or isinstance(successor, OwnProvider):
            _logger.warning("spans of agentops_otel stay with its own provider: the new one is not the SDK's")
            return False
        with self._tracers_lock:
            self.successor = successor
            for tracer in self._tracers.values():
                scope = tracer._instrumentation_scope
                theirs = successor.get_tracer(scope.name, scope.version, scope.schema_url, scope.attributes)
                if isinstance(tracer, Tracer) and _can_take_over(theirs):
                    tracer.take_over(theirs, self.policy if scope.name == SCOPE else None)
        return True

    def shut_down_added(self) -> None:
        """Shut down the processors that the program added, as the SDK's provider does at exit."""
        for processor in self._active_span_processor._span_processors:
            if not isinstance(processor, Relay):
                with guard("shutting down a span processor"):
                    processor.shutdown()

    def set_policy(self, policy: Content | None, *, trusts_callers: bool = True) -> None:
        """Apply a content policy, and whether callers are followed, to everything that is recorded from now on."""
        with self._tracers_lock:
            self.policy, self.trusts_callers = policy, trusts_callers
            for tracer in self._tracers.values():
                if isinstance(tracer, Tracer):
                    tracer.policy = policy
                if isinstance(tracer, RequestTracer):
                    tracer.trusts_callers = trusts_callers

    def _handle_fork(self) -> None:
        """After a fork, detect the child's resource, as the SDK does, in threads.

        Not if gevent has made threads greenlets: waiting for one runs all others in the child too. gevent forks for
        each subprocess, and each of these children would fork again.
        """
        monkey = sys.modules.get("gevent.monkey")
        if monkey is None or not monkey.is_module_patched("threading"):
            with without_new_threads():
                super()._handle_fork()


def resource_of(service_name: str | None) -> Resource:
    """The resource as the SDK makes it: its own attributes, those of its detectors and of the environment, the name."""
    named = {SERVICE_NAME: service_name} if service_name else {}
    try:
        with without_new_threads():
            return Resource.create(named)
    except RuntimeError:  # The interpreter is ending: the SDK asks its detectors in threads, and none can be started.
        return OTELResourceDetector().detect().merge(Resource(named))
