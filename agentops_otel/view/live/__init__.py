"""`agentops-otel view`: a store of spans, an OTLP receiver and a web server for the page."""

from agentops_otel.view.live import files, saved
from agentops_otel.view.live.server import LiveView
from agentops_otel.view.live.store import Store

__all__ = ["LiveView", "Store", "files", "saved"]
