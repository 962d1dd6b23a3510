"""One run of `agentops-otel run`: the folder through which its processes join it, and their reports in it."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.util.types import AttributeValue


class Report(NamedTuple):
    """The report of one traced process: written when it starts and, with all fields, when it ends."""

    pid: int
    program: str
    ended: bool = False
    trace_file: str | None = None
    clients: Mapping[str, str] = {}
    """The LLM clients that the process has imported, with their versions."""
    not_wrapped: Sequence[str] = ()
    """Clients in which no method could be wrapped."""
    traces: int = 0
    """Traces that began in it."""
    joined: int = 0
    """Spans with a parent in another process, as those of a pool's tasks have."""
    llm_calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    errors: int = 0
    cost_usd: float | None = None
    unpriced: Sequence[tuple[Mapping[str, AttributeValue], int]] = ()
    """The attributes that price a call, and the number of such calls, of those that `cost_usd` lacks."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, by its folder. The folder's name begins the names of the processes' trace files."""

    folder: Path
    VARIABLE: ClassVar[str] = "AGENTOPS_OTEL_RUN"
    """The environment variable that names the folder."""
    STARTER: ClassVar[str] = "agentops_otel_starter"
    """The option of `sys._xoptions` that has the span in which the process was spawned."""

    @classmethod
    def begin(cls, program: str, modules: Iterable[str]) -> Self:
        """Make the folder of a run.

        Args:
            program: What is run: "uvicorn".
            modules: The imports that make a child process start tracing.
        """
        when = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        program = re.sub(r"[^\w.-]+", "_", program, flags=re.ASCII)[:64]
        import tempfile  # on use: only the command's own process begins a run

        run = cls(Path(tempfile.mkdtemp(prefix="agentops-otel-")) / f"{when}-{program}-{os.getpid()}")
        run.folder.mkdir(mode=0o700)
        (run.folder / "modules").write_text("\n".join(modules))
        return run

    @property
    def name(self) -> str:
        """The run's name, from its start, program and process id: `20260102T000000Z-uvicorn-4711`."""
        return self.folder.name

    @property
    def is_main_process(self) -> bool:
        """Whether this process is the command itself, and no child of it."""
        return self.name.endswith(f"-{os.getppid()}")

    @property
    def parent(self) -> SpanContext | None:
        """The span above all spans of the run; None without `--one-trace`."""
        with suppress(FileNotFoundError):
            return _context((self.folder / "parent").read_text())
        return None

    @property
    def starter(self) -> SpanContext | None:
        """The span of another process in which this one was spawned; see `recording.processes`."""
        option = sys._xoptions.get(self.STARTER)
        return _context(option) if isinstance(option, str) else None

    def set_parent(self, context: SpanContext) -> None:
        """Put the spans of the run's processes below this one."""
        (self.folder / "parent").write_text(f"{context.trace_id:032x} {context.span_id:016x}")

    def write(self, report: Report) -> None:
        """Write a process's report, in place of its previous one. Nothing once the run is over."""
        with suppress(FileNotFoundError):
            new = self.folder / f"{report.pid}.new"
            new.write_text(json.dumps(report._asdict()))
            new.replace(self.folder / f"{report.pid}.json")

    def reports(self) -> list[Report]:
        """The reports so far."""
        return [Report(**json.loads(path.read_text())) for path in sorted(self.folder.glob("*.json"))]

    def unreached(self) -> list[str]:
        """The interpreters that started without the package, one entry a process."""
        return [path.read_text() for path in sorted(self.folder.glob("*.unreached"))]

    def isolated(self) -> list[str]:
        """For each Python of the run that did not import our `sitecustomize`, the option that prevented it."""
        return [path.read_text() for path in sorted(self.folder.glob("*.isolated"))]

    def end(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder.parent, ignore_errors=True)


def _context(ids: str) -> SpanContext:
    trace_id, span_id = (int(word, 16) for word in ids.split())
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
