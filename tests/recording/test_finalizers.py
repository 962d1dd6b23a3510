"""Finalizers that record, wherever the garbage collector runs."""

import re
from pathlib import Path

from tests.program import run

COLLECTED_BY_US = """
import gc, os, threading
import agentops_otel

gc.disable()
where = []


class Connection:
    def __init__(self):
        self.me = self

    @agentops_otel.record_action
    def close(self):
        where.append(threading.current_thread() is threading.main_thread())
        self.leave()

    @agentops_otel.record_action
    def leave(self):
        pass

    def __del__(self):
        self.close()


def redact(path, value):
    gc.collect()
    return value


agentops_otel.init(console=False, spool_dir=False, trace_file=os.environ["TRACE_FILE"], redact=redact)
Connection()
agentops_otel.record_action("first")(lambda text: text)("a text")
agentops_otel.flush()
agentops_otel.flush()
print(where)
"""


def test_a_finalizer_that_a_thread_of_ours_runs(tmp_path: Path) -> None:
    """A `__del__` that the collector calls in the exporting thread makes its spans as anywhere else."""
    file = tmp_path / "trace.jsonl"

    finished = run(COLLECTED_BY_US, TRACE_FILE=str(file))

    assert finished.stdout == "[False]\n"
    assert sorted(re.findall('"name": ?"([a-z]+)"', file.read_text())) == ["close", "first", "leave"]
