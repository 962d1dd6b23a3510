"""Disks that are full, small, read-only or gone while spans wait: one line, bounded memory, and delivery goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentops_otel.config import Config
from tests.export.delivery import adds_up, destination, make_spans, running
from tests.export.processes import stopped_sink

SIZE_KB = 256


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", f"size={SIZE_KB}k", "tmpfs", folder):
        pytest.skip("needs root, and the right to mount")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def _mount(*arguments: str | Path) -> int:
    try:
        return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode
    except FileNotFoundError:
        return 1


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_disk_that_takes_no_more_costs_one_line_and_no_span(
    fault: str, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What it does not take waits in memory, and all of it arrives when the collector is back."""
    if fault == "read-only":
        assert _mount("-o", "remount,ro", disk) == 0
    sink = stopped_sink()
    config = Config(destinations=(destination(sink),), spool_dir=disk / "spool")
    with running(config) as (pipeline, tracer):
        make_spans(tracer, 20, "first", text="x" * 1000)
        pipeline.force_flush(500)
        make_spans(tracer, 1000, text="x" * 1000)
        pipeline.force_flush(500)

        waiting = pipeline.stats()
        assert waiting.pending + waiting.spooled == 1020
        assert waiting.pending >= 1000 - SIZE_KB
        with sink:
            sink.wait_for(1020)
            pipeline.force_flush()
            assert adds_up(pipeline.stats())
            assert sink.duplicates == 0
    said = [record.getMessage() for record in caplog.records if str(disk) in record.getMessage()]
    assert len(said) == 1, said


def test_a_disk_that_goes_and_comes_back_costs_no_span(disk: Path) -> None:
    """Unmounted while spans wait: those that were on it are still read through what is open."""
    sink = stopped_sink()
    with running(Config(destinations=(destination(sink),), spool_dir=disk / "spool")) as (pipeline, tracer):
        make_spans(tracer, 20, "first")
        pipeline.force_flush(500)
        assert pipeline.stats().spooled == 20
        subprocess.run(["umount", "-l", disk], check=True)
        make_spans(tracer, 20)
        with sink:
            sink.wait_for(40)
            pipeline.force_flush()
            assert adds_up(pipeline.stats())
    assert _mount("-t", "tmpfs", "tmpfs", disk) == 0  # for the fixture to unmount
