"""Which tracer provider spans are made by: the user's, the one that is global already, or one of ours."""

import logging
import sys
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.id_generator import IdGenerator

from agentops_otel.semconv import SERVICE_NAME

_logger = logging.getLogger("agentops_otel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A tracer provider, and how far it is ours."""

    provider: trace.TracerProvider
    guest: bool
    """True when somebody else made it: we never replace it, shut it down, or change its resource or sampler."""


def find(given: trace.TracerProvider | None, service_name: str | None) -> Source:
    """The provider to make spans with.

    OpenTelemetry's placeholder is replaced by a provider of ours; an SDK provider is used as it is; any other
    (a vendor's) stays where it is, and ours is private.
    """
    found = trace.get_tracer_provider() if given is None else given
    if given is not None or (hasattr(found, "add_span_processor") and not isinstance(found, OwnProvider)):
        return Source(provider=found, guest=True)
    own = OwnProvider(service_name)
    if isinstance(found, trace.ProxyTracerProvider):
        trace.set_tracer_provider(own)
    elif not isinstance(found, OwnProvider):
        _logger.warning(
            "The global tracer provider is a %s, which takes no span processors: spans of agentops_otel go to a"
            " provider of their own. Pass tracer_provider= to choose.",
            type(found).__name__,
        )
    return Source(provider=own, guest=False)


class OwnProvider(sdk_trace.TracerProvider):
    """The SDK's provider as we make it; its sampler and limits come from the `OTEL_*` variables."""

    def __init__(self, service_name: str | None, id_generator: IdGenerator | None = None) -> None:
        named = {SERVICE_NAME: service_name} if service_name else {}
        super().__init__(resource=Resource.create(named), shutdown_on_exit=False, id_generator=id_generator)

    def _handle_fork(self) -> None:
        """In a child: the resource asked for anew, as the SDK does, in threads.

        Not where gevent has made threads greenlets: to wait for one lets all others run in the child too, which gevent
        forks for each subprocess, and so does each of those.
        """
        monkey = sys.modules.get("gevent.monkey")
        if monkey is None or not monkey.is_module_patched("threading"):
            super()._handle_fork()
