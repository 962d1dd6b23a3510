"""The settings of one client: argument > AGENTOPS_* > OTEL_* > default."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import platformdirs
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import TracerProvider

from agentops_otel import destinations, environment, settings
from agentops_otel.content import Redact
from agentops_otel.destinations import TRACES_PATH, AgentOps, Destination, OtlpProtocol, Signal
from agentops_otel.environment import TRUTH, ConfigError, Setting
from agentops_otel.launcher import Run

__all__ = ["TRACES_PATH", "AgentOps", "Config", "Destination", "OtlpProtocol", "Signal", "read_config"]

SPOOL = "spool"
"""The spool's directory in the state directory."""
Durability = Literal["batch", "span"]

_BUILT_IN_EXPORTERS = ("otlp", "console", "none", "agentops")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of `init()`, checked, and completed from the environment."""

    disabled: bool = False
    """`OTEL_SDK_DISABLED`: nothing is recorded."""
    service_name: str | None = None
    """None: as OpenTelemetry's resource detection finds it."""
    tags: tuple[str, ...] = ()
    capture_content: bool = True
    event_content: bool | None = None
    """Whether content is in the conventions' events; None: there are no events."""
    redact: Redact | None = None
    instrument_llm_calls: bool = True
    instrument_taskweaver: bool = True
    instrument_frameworks: bool = True
    propagate_threads: bool = False
    auto_start_session: bool = False
    session_name: str = "session"
    """The name of the session that `auto_start_session` opens."""
    session_id: str | None = None
    """The `session.id` of that session; None for a new one."""
    tracer_provider: TracerProvider | None = None
    span_processors: tuple[SpanProcessor, ...] = ()
    destinations: tuple[Destination, ...] = ()
    exporters: tuple[str, ...] = ()
    """Further span exporters, by their OpenTelemetry entry point: `OTEL_TRACES_EXPORTER=zipkin`."""
    console: bool = False
    trace_file: Path | None = None
    own_trace_file: bool = False
    """True: the process makes a trace file of its own in the state directory."""
    spare_trace_file: bool = False
    """True: it makes one only if AgentOps, its one destination, refuses the key."""
    state_dir: Path = field(default_factory=lambda: _state_dir())
    """The user's state directory: trace files and the spool."""
    spool_dir: Path | None = None
    durability: Durability = "batch"
    exit_timeout_s: float = 2.0
    upload_logs: bool = False
    """Whether what is printed goes to the AgentOps account, by trace."""
    upload_metrics: bool = False
    """Whether metrics are sent, if the program has no meter provider of its own."""
    metrics: tuple[Destination, ...] = ()
    """Where they go."""
    metrics_interval_s: float = 60.0
    """Seconds from one collection of metrics to the next."""
    by_name: frozenset[str] = frozenset()
    """The settings among endpoint, api_key, trace_file and console that were set by name, and not only by `OTEL_*`."""
    trust_callers: bool = False
    """Whether the `traceparent` of an unknown caller is followed where a web framework reads it by itself."""
    follow_mcp: bool = True
    """Whether an MCP server continues the trace that its client sends."""
    run: Run | None = None
    """The run of `agentops-otel run` that this process belongs to."""
    quiet: bool = False
    """True: neither the line that names the destinations nor a session's totals are printed on stderr."""
    disabled_instrumentations: frozenset[str] = frozenset()
    """`OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`, by the names of our specs; `*` is all of them."""
    semconv_opt_in: frozenset[str] = frozenset()
    """`OTEL_SEMCONV_STABILITY_OPT_IN`: which generation of metric names is written."""

    def as_guest(self) -> "Config":
        """The settings for use with a foreign provider: only the destinations that were asked for by name."""
        return replace(
            self,
            destinations=tuple(
                destination
                for destination in self.destinations
                if ("api_key" if destination.agentops else "endpoint") in self.by_name and not destination.probe
            ),
            exporters=(),
            own_trace_file=self.own_trace_file and "trace_file" in self.by_name,
            console=self.console and "console" in self.by_name,
        )

    def differences(self, other: "Config") -> list[str]:
        """Names of the settings that differ, for a message; never their values."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]


def read_config(**arguments: Any) -> Config:
    """Check the arguments of `init()` and complete them from the environment.

    Args:
        arguments: Those of `init()`, and those of AgentOps that `compat_settings` passes on. None is not given.

    Raises:
        ConfigError: A setting cannot work; the message names it and says what would be right.
        TypeError: There is no such argument.
    """
    given = settings.check(arguments)
    value = {option.name: settings.read(option.name, given) for option in settings.OPTIONS if option.name not in _SENT}
    exporters = _exporters()
    owner = destinations.account(given)
    collector = destinations.named_collector(given, exporters, keyed=owner is not None)
    hosted = destinations.agentops_destination(owner, given, collector) if owner is not None else None
    named = tuple(destination for destination in (collector, hosted) if destination is not None)
    nowhere = not named and exporters is None and "tracer_provider" not in given
    nowhere = nowhere and not environment.env("OTEL_CONFIG_FILE")
    on_spans, in_events = _content(given.get("capture_content"))
    console, trace_file, state_dir = value["console"], value["trace_file"], _state_dir()
    run = _run()
    is_shown = sys.stderr.isatty() or environment.notebook_shell() is not None
    on_terminal = nowhere and is_shown and not (run and run.parent)  # --one-trace prints at the end
    to = (destinations.local_collector(given),) if nowhere and not isinstance(trace_file, Path) else named
    _check_combinations(given, value, owner)
    return Config(
        **{name: value[name] for name in _UNCHANGED},
        disabled=environment.env("OTEL_SDK_DISABLED").lower() == "true",
        capture_content=on_spans,
        event_content=in_events,
        session_name=settings.read("trace_name", given) or "session",
        session_id=settings.read("inherited_session_id", given),
        auto_start_session=owner is not None if value["auto_start_session"] is None else value["auto_start_session"],
        destinations=to,
        exporters=tuple(name for name in exporters or () if name not in _BUILT_IN_EXPORTERS),
        console=on_terminal or "console" in (exporters or ()) if console is None else console,
        trace_file=trace_file if isinstance(trace_file, Path) else None,
        own_trace_file=trace_file is True or (trace_file is None and nowhere),
        spare_trace_file=trace_file is None and named == (hosted,),
        state_dir=state_dir,
        spool_dir=_spool_dir(value["spool_dir"], state_dir),
        upload_logs=on_spans and owner is not None and value["upload_logs"],
        metrics=destinations.of_metrics(given, to) if value["upload_metrics"] else (),
        metrics_interval_s=_metrics_interval_s() if value["upload_metrics"] else 60.0,
        by_name=_by_name(given, value, owner, exporters),
        trust_callers=environment.flag("AGENTOPS_TRUST_CALLERS", False) or bool(environment.env("OTEL_TRACES_SAMPLER")),
        follow_mcp=environment.flag("AGENTOPS_TRUST_CALLERS", True),
        run=run,
        quiet=console is False,
        disabled_instrumentations=frozenset(environment.words("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS")),
        semconv_opt_in=frozenset(environment.words("OTEL_SEMCONV_STABILITY_OPT_IN")),
    )


_UNCHANGED = (
    *("service_name", "tags", "redact", "instrument_llm_calls", "instrument_taskweaver", "instrument_frameworks"),
    *("propagate_threads", "tracer_provider", "span_processors", "durability", "exit_timeout_s", "upload_metrics"),
)
"""Settings that are fields of `Config` as they are."""
_SENT = ("api_key", "endpoint", "headers", "protocol", "capture_content")
"""Settings that are read by `destinations` and `_content`."""


def _check_combinations(given: Mapping[str, Any], value: Mapping[str, Any], owner: AgentOps | None) -> None:
    """Raise ConfigError for a setting that cannot work beside the others."""
    if given.get("upload_logs") and owner is None:
        raise ConfigError("upload_logs", True, "what is printed goes to an AgentOps account: give api_key too")
    if value["durability"] == "span" and not value["spool_dir"]:
        raise ConfigError("spool_dir", False, 'durability="span" needs the disk; give a directory, or leave it out')


def _metrics_interval_s() -> float:
    """Seconds between two collections of metrics; the words that OpenTelemetry's reader looks at are checked too."""
    for name, allowed in _METRICS_WORDS.items():
        word = environment.env(name)
        if word and word.lower() not in allowed:
            raise Setting(name, word).wrong(f"use {', '.join(allowed[:-1])} or {allowed[-1]}")
    name = "OTEL_METRIC_EXPORT_INTERVAL"
    text = environment.env(name) or "60000"
    if not re.fullmatch(r"[0-9]{1,9}", text) or not int(text):
        raise Setting(name, text).wrong("give a number of milliseconds greater than 0")
    return int(text) / 1000


_METRICS_WORDS: Mapping[str, tuple[str, ...]] = {
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": ("cumulative", "delta", "lowmemory"),
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": (
        "explicit_bucket_histogram",
        "base2_exponential_bucket_histogram",
    ),
}


def _by_name(
    given: Mapping[str, Any], value: Mapping[str, Any], owner: AgentOps | None, exporters: list[str] | None
) -> frozenset[str]:
    conditions = {
        "endpoint": "endpoint" in given,
        # The provider's owner reads OTEL_TRACES_EXPORTER too: two of us would send each span twice.
        "api_key": "api_key" in given or (owner is not None and "agentops" not in (exporters or ())),
        "trace_file": bool(value["trace_file"]),
        "console": bool(given.get("console")),
    }
    return frozenset(name for name, by_name in conditions.items() if by_name)


def _content(argument: str | None) -> tuple[bool, bool | None]:
    """Whether content is on spans, and whether it is in the conventions' events (None: there are no events).

    https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
    """
    on_spans, in_events = _places_of_content(settings.read("capture_content", {}))
    there_are = environment.flag("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", in_events)
    if argument is not None and argument in settings.CONTENT_MODES:
        on_spans, in_events = settings.CONTENT_MODES[argument]
    elif argument is not None:
        on_spans = TRUTH[argument]
        in_events = on_spans and in_events
    return on_spans, in_events if there_are else None


def _places_of_content(mode: str) -> tuple[bool, bool]:
    return settings.CONTENT_MODES[mode] if mode in settings.CONTENT_MODES else (TRUTH[mode], False)


def _exporters() -> list[str] | None:
    """`OTEL_TRACES_EXPORTER` as a list; None when it is not set."""
    words = environment.words("OTEL_TRACES_EXPORTER")
    if "none" in words and len(words) > 1:
        raise Setting("OTEL_TRACES_EXPORTER", ",".join(words)).wrong("none stands alone")
    if not words:
        return None
    for word in words:
        _check_exporter(word)
    return words


def _check_exporter(name: str) -> None:
    """Raise ConfigError for an exporter that is not installed: it would export nothing, without a message."""
    if name in _BUILT_IN_EXPORTERS:
        return
    from importlib.metadata import entry_points

    installed = entry_points(group="opentelemetry_traces_exporter").names
    if name not in installed:
        from difflib import get_close_matches  # on use: for a mistake

        near = get_close_matches(name, [*_BUILT_IN_EXPORTERS, *installed])
        advice = f"did you mean {near[0]}?" if near else "use otlp, console, none or the name of an installed exporter"
        raise Setting("OTEL_TRACES_EXPORTER", name).wrong(f"no such exporter is installed; {advice}")


def _run() -> Run | None:
    folder = Path(environment.env(Run.VARIABLE) or os.devnull)
    return Run(folder) if folder.is_dir() else None


def _spool_dir(setting: Path | bool, state_dir: Path) -> Path | None:
    if isinstance(setting, Path):
        return setting
    return state_dir / SPOOL if setting else None


def _state_dir() -> Path:
    """The user's state directory. Without a home directory, a path that cannot be written: each use logs that once."""
    try:
        path = platformdirs.user_state_path("agentops_otel", appauthor=False)
    except RuntimeError:  # a user id without an entry in passwd, and no HOME
        path = Path()
    return path if path.is_absolute() else Path(os.devnull, "no home directory")
