"""Chooses the tracer provider: the user's, the global one, or one of ours."""

import logging
import sys
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace.id_generator import IdGenerator

from agentops_otel.semconv import SERVICE_NAME

_logger = logging.getLogger("agentops_otel")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderChoice:
    """A tracer provider, and whether it is ours."""

    provider: trace.TracerProvider
    guest: bool
    """True if the program made it: we never replace it, shut it down, or change its resource or sampler."""


def choose_provider(given: trace.TracerProvider | None, service_name: str | None) -> ProviderChoice:
    """Choose the provider that makes our spans.

    OpenTelemetry's placeholder is replaced by a provider of ours. An SDK provider is used as it is. Any other global
    provider (a vendor's) stays the global one, and ours is private.
    """
    found = trace.get_tracer_provider() if given is None else given
    if given is not None or (hasattr(found, "add_span_processor") and not isinstance(found, OwnProvider)):
        return ProviderChoice(provider=found, guest=True)
    own = OwnProvider(service_name)
    if isinstance(found, trace.ProxyTracerProvider):
        trace.set_tracer_provider(own)
    elif not isinstance(found, OwnProvider):
        _logger.warning(
            "The global tracer provider is a %s, which takes no span processors: spans of agentops_otel go to a"
            " provider of their own. Pass tracer_provider= to choose.",
            type(found).__name__,
        )
    return ProviderChoice(provider=own, guest=False)


class OwnProvider(sdk_trace.TracerProvider):
    """The tracer provider that we own; its sampler and limits come from the `OTEL_*` variables."""

    def __init__(self, service_name: str | None, id_generator: IdGenerator | None = None) -> None:
        super().__init__(resource=_resource(service_name), shutdown_on_exit=False, id_generator=id_generator)

    def _handle_fork(self) -> None:
        """After a fork, detect the child's resource, as the SDK does, in threads.

        Not if gevent has made threads greenlets: waiting for one runs all others in the child too. gevent forks for
        each subprocess, and each of these children would fork again.
        """
        monkey = sys.modules.get("gevent.monkey")
        if monkey is None or not monkey.is_module_patched("threading"):
            super()._handle_fork()


def _resource(service_name: str | None) -> Resource:
    """The resource as the SDK makes it: its own attributes, those of its detectors and of the environment, the name."""
    named = {SERVICE_NAME: service_name} if service_name else {}
    try:
        return Resource.create(named)
    except RuntimeError:  # The interpreter is ending: the SDK asks its detectors in threads, and none can be started.
        return OTELResourceDetector().detect().merge(Resource(named))
