"""One client: its recorder, its sessions, its span processors and its pipeline. No global state."""

import os
import pkgutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from opentelemetry.context import get_current
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanContext, get_current_span

from agentops_otel import environment, export, semconv
from agentops_otel.compat_settings import CompatEndSettings, CompatSessionSettings, log_ignored
from agentops_otel.config import Config
from agentops_otel.content import Content
from agentops_otel.export import Stats
from agentops_otel.export.agentops_logs import LogUpload
from agentops_otel.export.trace_directory import DIRECTORY, default_path
from agentops_otel.export.user_processors import UserProcessors
from agentops_otel.guard import guard
from agentops_otel.launcher import Report, program_name
from agentops_otel.metrics.call_metrics import are_kept
from agentops_otel.metrics.span_metrics import SpanMetrics
from agentops_otel.recording.compat_client import CompatClient
from agentops_otel.recording.event_spans import record
from agentops_otel.recording.events import Event
from agentops_otel.recording.printed import PrintedText
from agentops_otel.recording.session import Session, Sessions
from agentops_otel.tracing import Recorder, gc_safe
from agentops_otel.tracing.provider import ProviderChoice, tracer_of
from agentops_otel.version import VERSION
from agentops_otel.view import cost, format, locations, terminal
from agentops_otel.view.open_spans import OpenSpans
from agentops_otel.view.session_totals import SessionTotals

if TYPE_CHECKING:
    from agentops_otel.view.notebook import CellOutput
    from agentops_otel.view.terminal_processor import TerminalProcessor

DRAIN_SHARE = 0.5
"""Share of the time to flush or exit for spans whose end a garbage collection deferred, or that are queued."""


class ClientBase(CompatClient):
    """A client without global state, as `init()` builds it from its settings.

    Args:
        config: The settings, read.
        settings: The settings as `init()` got them.
        source: The tracer provider; None if tracing is disabled.
        clock: Nanoseconds since the epoch.
    """

    recorder: Recorder | None = None
    """None when tracing is disabled (`OTEL_SDK_DISABLED`) and after `shutdown()`."""
    sees_spans = True
    """False if the program's provider makes the spans and none of our processors was added: spans are not counted."""

    def __init__(
        self, config: Config, settings: dict[str, object], source: ProviderChoice | None, *, clock: Callable[[], int]
    ) -> None:
        super().__init__(_RecorderOf(self))
        self.config = config
        self.settings = settings
        own = _own_trace_file(config)
        self.trace_file = own if config.own_trace_file else config.trace_file
        self._totals = SessionTotals()
        open_spans = OpenSpans()
        self._guest = source is not None and source.guest
        self._cells: CellOutput | None = None
        self._shown: TerminalProcessor | None = None
        if config.console:
            self._cells, self._shown = self._console(open_spans)
        self._users = UserProcessors(() if source is None else config.span_processors)
        self._measured = SpanMetrics(cost)
        self._observers: tuple[SpanProcessor, ...] = (self._totals, self._measured)
        self._observers += (self._shown,) if self._shown else ()
        self._observers += (self._users,) if config.span_processors else ()
        self.sessions = Sessions(
            config.tags,
            self._session_ended,
            self._analytics,
            (config.run.starter or config.run.parent) if config.run else None,
            self._trace_as_html,
        )
        logs = export.log_upload(config)
        self.metrics = export.metric_upload(config)
        self._observers += (self.metrics,) if self.metrics else ()
        self.pipeline = export.build(
            replace(config, trace_file=self.trace_file),
            own if config.spare_trace_file else None,
            tags=lambda: self.sessions.tags,
            senders=((logs.sender,) if logs else ()) + (self.metrics.senders if self.metrics else ()),
            observers=self._observers,
        )
        self.processors: tuple[SpanProcessor, ...] = ()
        self._closing = False
        if source is not None:
            self._start_recording(source, logs, open_spans, clock)

    def _console(self, open_spans: OpenSpans) -> "tuple[CellOutput | None, TerminalProcessor]":
        from agentops_otel.view.notebook import CellOutput  # on use: most programs print nothing
        from agentops_otel.view.terminal_processor import TerminalProcessor

        shell = environment.notebook_shell()
        cells = CellOutput(shell, self._cell_ended) if shell else None
        return cells, TerminalProcessor(cells, open_spans=open_spans)

    def _start_recording(
        self, source: ProviderChoice, logs: LogUpload | None, open_spans: OpenSpans, clock: Callable[[], int]
    ) -> None:
        """Make the span processors, and the recorder that makes spans on the provider."""
        config = self.config
        gc_safe.install_gc_callback()
        content = Content(enabled=config.capture_content, redact=config.redact)
        printed = (PrintedText(sys.stdout, self._where, content, logs),) if logs and sys.stdout else ()
        opened = (open_spans,) if config.console else ()
        self.processors = (*printed, *opened, self.pipeline, *config.span_processors)
        trusts_callers = config.trust_callers or source.guest
        self.recorder = Recorder(
            tracer=tracer_of(source.provider, semconv.SCOPE, VERSION, content, trusts_callers=trusts_callers),
            content=content,
            event_content=None
            if config.event_content is None
            else Content(enabled=config.event_content, redact=config.redact),
            defaults=self.sessions,
            clock=clock,
            trusts_callers=trusts_callers,
            follows_mcp=config.follow_mcp,
            provider=source.provider,
        )

    def report(self) -> Report:
        """The report of this process for `agentops-otel run`."""
        trace_file = str(self.trace_file) if self.trace_file else None
        report = Report(pid=os.getpid(), program=program_name(sys.orig_argv[1:]), trace_file=trace_file)
        return self._totals.report(report)

    def __repr__(self) -> str:
        """A short form that names the destinations."""
        return f"<agentops_otel.Client: {self._destinations()}>"

    def _cell_ended(self) -> None:
        """Show the traces that ended in a notebook cell below the cell."""
        self.pipeline.drain(1.0)
        if self._shown:
            self._shown.show_open(0.0)

    def _trace_as_html(self, session: Session) -> str | None:
        """The trace of a session so far; None outside of a notebook."""
        if self._cells is None:
            return None
        self._cell_ended()
        return self._cells.html(session.trace_id)

    def _where(self) -> SpanContext:
        """The context of the current span, or of the session's root span."""
        return get_current_span(self.sessions.context(get_current())).get_span_context()

    def announce(self) -> None:
        """Print one line that names the destinations."""
        terminal.announce(self._destinations())

    def _destinations(self) -> str:
        return locations.describe_destinations(self.config, self.trace_file, guest=self._guest)

    def record(self, event: Event) -> None:
        """See `agentops_otel.record`."""
        if self.recorder is not None:
            record(self.recorder, event, agents=self.sessions.agents)

    def start_session(
        self,
        tags: Iterable[str] | None = None,
        *,
        name: str = "session",
        session_id: str | None = None,
        **compat: Unpack[CompatSessionSettings],
    ) -> Session:
        """See `agentops_otel.start_session`."""
        session_id = compat.pop("inherited_session_id", None) or session_id
        log_ignored("start_session(config=..., jwt=...)", *compat.values())
        return self.sessions.start(self.recorder, name=name, tags=tags or (), session_id=session_id)

    def end_session(
        self,
        end_state: str | Enum = "Indeterminate",
        *,
        rating: object = None,
        end_state_reason: str | None = None,
        **compat: Unpack[CompatEndSettings],
    ) -> None:
        """See `agentops_otel.end_session`."""
        if session := self.sessions.current():
            session.end_session(end_state, rating=rating, end_state_reason=end_state_reason, **compat)

    @property
    def session_id(self) -> str | None:
        """The current session's id; AgentOps 0.3 and 0.4 gave a session where `init()` gives the client."""
        session = self.sessions.current()
        return session.session_id if session else None

    def end_open(self) -> None:
        """End all open streams as abandoned, and all sessions as indeterminate. Does not deliver them."""
        self._closing = True
        if self.recorder is not None:
            self.recorder.end_open_streams()
        for session in reversed(self.sessions.open):
            if session.process_id == os.getpid():
                session.end()

    def add_tags(self, tags: Iterable[str]) -> None:
        """See `agentops_otel.add_tags`."""
        self.sessions.add_tags(tags)

    def set_tags(self, tags: Iterable[str]) -> None:
        """See `agentops_otel.set_tags`."""
        self.sessions.set_tags(tags)

    def flush(self, timeout_s: float = 10.0) -> bool:
        """See `agentops_otel.flush`."""
        deadline = time.monotonic() + timeout_s
        timeout_s = max(timeout_s - gc_safe.drain(timeout_s * DRAIN_SHARE), 0.0)
        flushed = self._users.begin_flush(timeout_s)
        timeout_s -= self._measure(timeout_s * DRAIN_SHARE)
        delivered = self.pipeline.force_flush(int(timeout_s * 1000))
        return self._users.wait(flushed, deadline - time.monotonic()) and delivered

    def deliver_at_once(self) -> None:
        """Deliver what has ended, and each span from now on when it ends."""
        self._measure(self.config.exit_timeout_s * DRAIN_SHARE)
        self.pipeline.deliver_at_once()

    def _measure(self, timeout_s: float) -> float:
        """Record the metrics of all spans that have ended, and collect them; returns the seconds that it took."""
        begun = time.monotonic()
        if are_kept():
            self.pipeline.drain(timeout_s)
            self._measured.force_flush(int(max(0.0, begun + timeout_s - time.monotonic()) * 1000))
        if self.metrics is not None:
            self.metrics.collect(begun + timeout_s - time.monotonic())
        return time.monotonic() - begun

    def stats(self) -> Stats:
        """See `agentops_otel.stats`."""
        return self.pipeline.stats()

    def close(self, timeout_s: float | None) -> bool:
        """Stop recording, deliver the remaining spans and release all resources. A second call does nothing."""
        timeout_s = self.config.exit_timeout_s if timeout_s is None else timeout_s
        timeout_s = max(timeout_s - gc_safe.drain(timeout_s * DRAIN_SHARE), 0.0)
        deadline = time.monotonic() + timeout_s
        processors, self.processors, self.recorder = self.processors, (), None
        ended = self._users.begin_shutdown()
        delivered = self.pipeline.close(timeout_s - self._measure(timeout_s * DRAIN_SHARE))
        if self.metrics is not None:
            self.metrics.close()
        for processor in (*self._observers, *processors):
            if processor is not self.pipeline and processor not in self.config.span_processors:
                with guard("shutting down a span processor"):
                    processor.shutdown()
        delivered &= self._users.wait(ended, deadline - time.monotonic())
        self._users.close(deadline - time.monotonic())
        return delivered

    def _analytics(self, session: Session) -> dict[str, str]:
        """The totals of a session so far, in the form of `Session.get_analytics`."""
        self.pipeline.drain(1.0)
        totals = self._totals.get(session.session_id, session.duration_ns)
        counts = {
            "LLM calls": totals.llm_calls,
            "Tool calls": totals.tools,
            "Actions": totals.actions,
            "Errors": totals.errors,
        }
        return {
            **{name: str(count) if self.sees_spans else "unknown" for name, count in counts.items()},
            "Duration": format.seconds(totals.duration_ns),
            "Cost": "unknown" if totals.cost_usd is None else format.dollars(totals.cost_usd),
        }

    def _session_ended(self, session: Session) -> None:
        """Deliver the session's spans and print its totals."""
        with guard("summing up a session"):
            if self._closing:
                self.pipeline.drain(self.config.exit_timeout_s * DRAIN_SHARE)
            else:
                gc_safe.drain(self.config.exit_timeout_s * DRAIN_SHARE)
                self.pipeline.deliver(self.config.exit_timeout_s)
            summary = self._totals.pop(session.session_id, session.duration_ns)
            if not self.config.quiet:
                links = locations.links_to_trace(self.config, self.trace_file, session.trace_id)
                terminal.summary(summary, end_state=str(session.end_state), links=links, counted=self.sees_spans)

    def conversation_went_on(self, conversation_id: str) -> None:
        """Price a TaskWeaver session's calls now, so that its end need not wait for the price list."""
        if not self.config.quiet:
            self._totals.get(conversation_id, 0)

    def conversation_ended(self, conversation_id: str, rounds: int, duration_ns: int) -> None:
        """Print the totals of a TaskWeaver session."""
        self.pipeline.drain(1.0)
        summary = self._totals.pop(conversation_id, duration_ns)
        if not self.config.quiet:
            terminal.summary(summary, end_state=f"stopped after {format.plural(rounds, 'round')}")


def _own_trace_file(config: Config) -> Path:
    """Path of the process's own trace file, named after the run or the service."""
    if config.run is not None:
        return config.state_dir / DIRECTORY / f"{config.run.name}.{os.getpid()}.jsonl"
    service = config.service_name or program_name(sys.orig_argv[1:])
    group = os.getpgrp() if hasattr(os, "getpgrp") else None  # not on Windows
    return default_path(service, datetime.now(UTC), os.getpid(), config.state_dir, group)


class _RecorderOf:
    """Returns the client's recorder. Pickled, it is that of the client that runs in the process that loads it."""

    def __init__(self, client: ClientBase) -> None:
        self._client = client

    def __call__(self) -> Recorder | None:
        return self._client.recorder

    def __reduce__(self) -> tuple[object, ...]:
        return pkgutil.resolve_name, ("agentops_otel.sdk:current",)
