"""Every example runs, as a newcomer would run it."""

import re
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from agentops_otel.export.file import read
from agentops_otel.view.tree import build
from tests.loopback.otlp_sink import OtlpSink
from tests.program import ROOT, run

EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py") if "__main__" in path.read_text())
RUN = "import runpy, sys; sys.path.insert(0, 'examples'); runpy.run_path('examples/{}', run_name='__main__')"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_runs(name: str) -> None:
    """Each example ends well without a key and without a server, and without a warning.

    TaskWeaver's takes the seconds that its kernel takes to start.
    """
    finished = run(RUN.format(name))

    assert "Warning" not in finished.stderr
    assert "Traceback" not in finished.stderr


def test_quickstart_prints_its_tree_and_keeps_it(tmp_path: Path) -> None:
    """The demo prints the finished tree, says where the trace file is, and the file holds the same spans."""
    finished = run(RUN.format("quickstart.py"))

    (trace_file,) = (tmp_path / "state" / "agentops_otel" / "traces").iterdir()
    printed = re.sub(r" +[\d.]+ m?s", " ms", finished.stderr)
    assert str(trace_file) in finished.stdout
    assert "Jaeger" in finished.stdout
    assert [line.rstrip() for line in printed.splitlines()[1:-1]] == snapshot(
        [
            'agent ms  "Where is it warm in November?"',
            "├─ plan ms",
            "│  └─ chat gpt-4o-mini ms  31→5 tok",
            "├─ research ms",
            "│  ├─ execute_tool weather ms",
            "│  ├─ execute_tool weather ms",
            "│  └─ ✗ execute_tool weather ms  LookupError: no weather station in Atlantis",
            "└─ write ms",
            "   └─ chat gpt-4o-mini ms  118→14 tok",
        ]
    )
    (root,) = build(span for span in read(trace_file) if not isinstance(span, ValueError))
    assert len(list(root.walk())) == 9


def test_quickstart_reaches_a_collector() -> None:
    """With a collector there the same run is in it, as one trace without orphans."""
    with OtlpSink() as sink:
        run(RUN.format("quickstart.py"), OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint)

        spans = [span for received in sink.received for span in received.spans]
    assert len(spans) == 9
    assert len({span.trace_id for span in spans}) == 1
    assert {span.parent_span_id for span in spans} - {b""} <= {span.span_id for span in spans}
