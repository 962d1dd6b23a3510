"""TaskWeaver's own tracing (`tracing.enabled`), set aside while ours is on."""

import logging
from types import SimpleNamespace
from typing import Any

from opentelemetry.trace import INVALID_SPAN, NoOpTracer

MODULE = "taskweaver.module.tracing"

_logger = logging.getLogger("agentops_otel")
_aside: Any = SimpleNamespace(get_current_span=lambda: INVALID_SPAN)
_own: dict[str, Any] = {}


def set_aside(tracing: Any) -> None:
    """Make TaskWeaver's tracing module tell nothing, if it was about to, and warn.

    It would tell everything a second time, onto our spans and past the content switch.
    """
    if tracing._tracer is None or tracing._trace is _aside:
        return
    _logger.warning(
        "TaskWeaver's own tracing is set aside while agentops_otel traces it: it would tell everything twice, and tell "
        "prompts when content is off. Set tracing.enabled to false in taskweaver_config.json; or keep it, and call "
        "agentops_otel.init(instrument_taskweaver=False), with content on"
    )
    _own.update(_tracer=tracing._tracer, _trace=tracing._trace)
    tracing._tracer, tracing._trace = NoOpTracer(), _aside


def put_back(tracing: Any) -> None:
    """Let TaskWeaver's tracing go on."""
    if tracing._trace is _aside:
        tracing._tracer, tracing._trace = _own["_tracer"], _own["_trace"]
