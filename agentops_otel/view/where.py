"""Where the spans go and where to look at them, in words."""

from pathlib import Path

from agentops_otel.config import Config
from agentops_otel.export.agentops import session_link


def going(config: Config, trace_file: Path | None) -> str:
    """One line for the start: `spans go to http://c:4318/v1/traces and to /tmp/t.jsonl`."""
    places = [
        f"{destination.display_url}{' if a collector answers there' if destination.probe else ''}"
        for destination in config.destinations
    ]
    places += [f"the {name} exporter" for name in config.exporters]
    places += [str(trace_file)] if trace_file else []
    places += ["this terminal"] if config.console else []
    if not places:
        return "spans go where the tracer provider sends them"
    return f"spans go to {', to '.join(places)}"


def look(config: Config, trace_file: Path | None, trace_id: str) -> list[str]:
    """Where a session's trace can be seen: AgentOps' dashboard, the trace file."""
    links = [session_link(place.agentops, trace_id) for place in config.destinations if place.agentops]
    return links + ([f"agentops-otel show {trace_file}"] if trace_file else [])
