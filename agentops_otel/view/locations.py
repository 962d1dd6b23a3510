"""Describes destinations in words, and links to a trace."""

from pathlib import Path

from agentops_otel.config import Config
from agentops_otel.environment import env, notebook_shell


def describe_destinations(config: Config, trace_file: Path | None, *, guest: bool = False) -> str:
    """The line printed at the start: `spans go to http://c:4318/v1/traces and to /tmp/t.jsonl`.

    Args:
        config: The settings.
        trace_file: The trace file, if there is one.
        guest: Whether the program's own tracer provider makes the spans.
    """
    places = [
        f"{destination.display_url}{' if a collector answers there' if destination.probe else ''}"
        for destination in config.destinations
    ]
    places += [f"the {name} exporter" for name in config.exporters]
    places += [str(trace_file)] if trace_file else []
    places += ["this notebook" if notebook_shell() else "this terminal"] if config.console else []
    places += ["your span processors"] if config.span_processors else []
    if not places and not guest and env("OTEL_TRACES_EXPORTER") == "none":
        return "spans are made and go nowhere, since OTEL_TRACES_EXPORTER=none"
    if not places:
        return "spans go where the tracer provider sends them"
    metrics = [place.display_url for place in config.metrics]
    return f"spans go to {', to '.join(places)}" + (f"; metrics go to {', to '.join(metrics)}" if metrics else "")


def links_to_trace(config: Config, trace_file: Path | None, trace_id: str) -> list[str]:
    """The URLs and commands that show a trace: the AgentOps dashboard, the trace file."""
    links = [place.agentops.session_url(trace_id) for place in config.destinations if place.agentops]
    return links + ([f"agentops-otel show {trace_file}"] if trace_file else [])
