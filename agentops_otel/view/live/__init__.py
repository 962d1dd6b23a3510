"""What `agentops-otel view` consists of: a store of spans, a receiver of OTLP, and a server of the page."""

from agentops_otel.view.live import files, saved
from agentops_otel.view.live.server import LiveView
from agentops_otel.view.live.store import Store

__all__ = ["LiveView", "Store", "files", "saved"]
