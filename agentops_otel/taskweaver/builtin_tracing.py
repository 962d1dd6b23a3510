"""TaskWeaver's built-in tracing (`tracing.enabled`), disabled while ours is on."""

import logging
from types import SimpleNamespace
from typing import Any

from opentelemetry.trace import INVALID_SPAN, NoOpTracer

MODULE = "taskweaver.module.tracing"

_logger = logging.getLogger("agentops_otel")
_disabled: Any = SimpleNamespace(get_current_span=lambda: INVALID_SPAN)
_saved: dict[str, Any] = {}


def disable(tracing: Any) -> None:
    """Disable TaskWeaver's tracing module and warn, if it is enabled.

    It would record everything twice, on our spans and regardless of the content switch.
    """
    if tracing._tracer is None or tracing._trace is _disabled:
        return
    _logger.warning(
        "TaskWeaver's own tracing is disabled while agentops_otel traces it: it would record everything twice, and "
        "prompts when content is off. Set tracing.enabled to false in taskweaver_config.json; or keep it, and call "
        "agentops_otel.init(instrument_taskweaver=False), with content on"
    )
    _saved.update(_tracer=tracing._tracer, _trace=tracing._trace)
    tracing._tracer, tracing._trace = NoOpTracer(), _disabled


def restore(tracing: Any) -> None:
    """Undo `disable`."""
    if tracing._trace is _disabled:
        tracing._tracer, tracing._trace = _saved["_tracer"], _saved["_trace"]
