"""The directory of the trace files: their names, which of them are one run's, and which make room for new ones."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    _LOCKS = False
else:
    _LOCKS = True

DIRECTORY = "traces"
"""The directory of trace files in the user's state directory."""
KEEP = 100
"""Number of trace files that are kept."""
FILE_BYTES = 64 * 1024 * 1024
"""The size at which a process continues in another file."""
DIRECTORY_BYTES = 1024 * 1024 * 1024
"""The most that all trace files may take; beyond that the oldest are removed."""

_OURS = re.compile(
    r"(?P<when>\d{8}T\d{6}(\.\d{3})?Z)-(?P<service>.*)-(?P<group>\d+)(?P<process>\.\d+)?(?P<part>\.part\d+)?\.jsonl"
)


def default_path(service: str, when: datetime, pid: int, state_dir: Path, group: int | None = None) -> Path:
    """The trace file of one process, if no path was given.

    Args:
        service: The service's name; what a file name cannot hold is replaced.
        when: When the process began to record.
        pid: The process.
        state_dir: The user's state directory, from the settings.
        group: The process group, which the processes of one command share.

    Example:
        ```python
        default_path("bot", datetime(2026, 1, 2, tzinfo=UTC), 7, Path("/s"))
        # /s/traces/20260102T000000.000Z-bot-7.jsonl
        ```
    """
    name = re.sub(r"[^\w.-]+", "_", service, flags=re.ASCII)[:64]
    process = f"{pid}" if group in (pid, None) else f"{group}.{pid}"
    when = when.astimezone(UTC)
    return state_dir / DIRECTORY / f"{when:%Y%m%dT%H%M%S}.{when.microsecond // 1000:03}Z-{name}-{process}.jsonl"


def next_part(path: Path) -> Path:
    """The next file of a process: `...-7.jsonl`, `...-7.part2.jsonl`, `...-7.part3.jsonl`."""
    stem, _, number = path.stem.partition(".part")
    return path.with_name(f"{stem}.part{int(number or 1) + 1}{path.suffix}")


def trace_files(directory: Path) -> list[Path]:
    """The trace files of ours in the directory, the one written last first."""
    return [path for _, path in _by_time(directory)]


def latest_run(directory: Path) -> list[Path]:
    """The trace files of the run that wrote last, in the order they were written.

    A run is what `agentops-otel run` started, or the processes of one service in one process group that wrote at the
    same time, such as the workers of a server.
    """
    files = _by_time(directory)
    if not files:
        return []
    newest = _parts(files[0][1])
    began = _began(newest)
    run = [files[0][1]]
    for written, path in files[1:]:
        name = _parts(path)
        if (name["service"], name["group"]) == (newest["service"], newest["group"]) and written >= began:
            began = min(began, _began(name))
            run.insert(0, path)
    return run


def files_of_run(directory: Path, run: str) -> list[Path]:
    """The trace files of a run of `agentops-otel run`, by its name, in the order they were written."""
    return [path for path in reversed(trace_files(directory)) if path.name.startswith(f"{run}.")]


def hold(descriptor: int) -> int | None:
    """Keep an open file from `prune` for as long as this process and its forks live, or until what it gives is closed.

    None where files cannot be locked.
    """
    lock = None
    if _LOCKS:
        with suppress(OSError):
            lock = os.dup(descriptor)
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return lock


def prune(directory: Path, keep: int = KEEP, limit_bytes: int = DIRECTORY_BYTES) -> None:
    """Remove the oldest files beyond a number of files or of bytes; never those of a living process."""
    taken = 0
    for number, path in enumerate(trace_files(directory), 1):
        with suppress(OSError):  # another process prunes too
            taken += path.stat().st_size
            if (number > keep or taken > limit_bytes) and not _is_held(path):
                path.unlink()


def _is_held(path: Path) -> bool:
    if not _LOCKS:
        return False
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _by_time(directory: Path) -> list[tuple[float, Path]]:
    files = [(path.stat().st_mtime_ns, path.name, path) for path in _found(directory) if path.is_file()]
    return [(written / 1e9, path) for written, _, path in sorted(files, reverse=True)]


def _found(directory: Path) -> Iterator[Path]:
    return (path for path in directory.iterdir() if _OURS.fullmatch(path.name)) if directory.is_dir() else iter(())


def _parts(path: Path) -> dict[str, str]:
    match = _OURS.fullmatch(path.name)
    return match.groupdict("") if match else {}


def _began(name: dict[str, str]) -> float:
    return datetime.fromisoformat(name["when"]).timestamp()
