"""What is written to disk is for the user alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export.file import FileExporter
from agentops_otel.export.spool import Spool
from agentops_otel.private_files import make_directories
from tests.view.spans import Trace


@pytest.fixture(autouse=True)
def hostile_umask() -> Iterator[None]:
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(path: Path, root: Path) -> list[int]:
    """The modes of the path and of the directories above it, below *root*."""
    return [stat.S_IMODE(one.stat().st_mode) for one in (path, *path.parents) if root in one.parents]


@pytest.fixture
def span() -> ReadableSpan:
    """A span that has ended."""
    return Trace().span("a", 0, 1)


def test_a_trace_file_and_every_directory_above_it_are_private(tmp_path: Path, span: ReadableSpan) -> None:
    """Also those above the last one, which `os.makedirs` leaves open."""
    path = tmp_path / "state" / "agentops_otel" / "traces" / "a.jsonl"

    FileExporter(path).export([span])

    assert modes(path, tmp_path) == [0o600, 0o700, 0o700, 0o700]


def test_a_spool_and_every_directory_above_it_are_private(tmp_path: Path) -> None:
    """The same holds where spans wait."""
    spool = Spool(tmp_path / "state" / "agentops_otel" / "spool" / "x")

    spool.append(b"body", 1)
    [segment] = spool.directory.iterdir()

    assert modes(segment, tmp_path) == [0o600, 0o700, 0o700, 0o700, 0o700]
    spool.close()


def test_directories_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    """Only what is missing is made."""
    (tmp_path / "shared").mkdir(mode=0o755)

    make_directories(tmp_path / "shared" / "ours")
    make_directories(tmp_path / "shared" / "ours")

    assert modes(tmp_path / "shared" / "ours", tmp_path) == [0o700, 0o755]
