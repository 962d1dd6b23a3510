"""Every way to leave a process: what is pending is delivered, or on disk for the next one, and nothing is said."""

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export.file import read
from tests.loopback.agentops_backend import AgentOpsBackend
from tests.loopback.otlp_sink import OtlpSink
from tests.run_program import arrived, ended, where


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to leave: what the program says, and how many spans it has made."""

    name: str
    code: int = 0
    err: str = ""
    """A pattern for the whole of what it says on stderr."""
    spans: int = 10
    cut: bool = False
    """It may leave between a request and its answer: what that held is delivered again, by the next process."""


TRACEBACK = r"Traceback \(most recent call last\):\n.*"
WAYS = [
    Way(name="the_end"),
    Way(name="one_call", spans=1),
    Way(name="sys_exit", code=3),
    Way(name="exception", code=1, err=TRACEBACK + r"ValueError: the program's own\n"),
    Way(name="interrupted", code=-2, err=TRACEBACK + r"KeyboardInterrupt\n"),
    Way(name="terminated_and_handled"),
    Way(name="os_exit", cut=True),
    Way(name="an_executor_is_busy"),
    Way(name="a_thread_is_busy"),
    Way(name="asyncio_cancelled", code=-2, err=TRACEBACK + r"KeyboardInterrupt\n"),
    Way(name="init_at_exit"),
    Way(name="a_span_at_exit"),
]


@pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
def test_however_a_process_leaves_its_spans_arrive(way: Way, tmp_path: Path) -> None:
    """Each span, with the exit code and the output that the program has without us."""
    with OtlpSink() as sink:
        done = ended("leaving.py", way.name, **where(sink, tmp_path))

        assert re.fullmatch(way.err, done.err, re.DOTALL), done.err
        assert done.code == way.code
        assert arrived(sink, tmp_path, killed="work" if way.cut else "") == {"work": way.spans}


LAST_MOMENTS = ["one_call", "an_executor_is_busy", "init_at_exit"]


@pytest.mark.parametrize("way", LAST_MOMENTS)
def test_a_last_moment_is_enough_for_grpc(way: str, tmp_path: Path) -> None:
    """The spans of a program that ends at once, and of one that makes them when no thread can be started any more."""
    with OtlpSink("grpc") as sink:
        done = ended("leaving.py", way, **where(sink, tmp_path))

        assert (done.err, done.code) == ("", 0)
        assert arrived(sink, tmp_path) == {"work": 1 if way == "one_call" else 10}


@pytest.mark.parametrize("way", LAST_MOMENTS)
def test_a_last_moment_is_enough_for_an_agentops_account(way: str, tmp_path: Path) -> None:
    """The key is exchanged for a token in it, too."""
    with AgentOpsBackend() as backend:
        done = ended(
            "leaving.py",
            way,
            SPOOL=str(tmp_path),
            SETTINGS=json.dumps({"api_key": backend.account.api_key, "auto_start_session": False}),
            AGENTOPS_API_ENDPOINT=backend.account.api_endpoint,
            AGENTOPS_EXPORTER_ENDPOINT=backend.sink.endpoint,
        )

        assert (done.err, done.code) == ("", 0)
        assert Counter(span.name for span in backend.sink.every) == {"work.session": 1 if way == "one_call" else 10}


@pytest.mark.parametrize("way", LAST_MOMENTS)
def test_a_last_moment_is_enough_for_file_and_terminal(way: str, tmp_path: Path) -> None:
    """Each span is in the trace file and in a printed tree."""
    file = tmp_path / "trace.jsonl"

    done = ended(
        "leaving.py", way, SPOOL=str(tmp_path), SETTINGS=json.dumps({"trace_file": str(file), "console": True})
    )

    expected = 1 if way == "one_call" else 10
    assert done.code == 0
    assert [span.name for span in read(file) if isinstance(span, ReadableSpan)] == ["work"] * expected
    assert done.err.count("work ") == expected


def test_a_daemon_thread_that_goes_on_disturbs_nothing(tmp_path: Path) -> None:
    """What it made before the end has arrived, and it is frozen or makes nothing more."""
    with OtlpSink() as sink:
        done = ended("leaving.py", "a_daemon_goes_on", **where(sink, tmp_path))

        assert (done.err, done.code) == ("", 0)
        assert arrived(sink, tmp_path)["work"] > 10


def test_the_account_is_read_after_the_end(tmp_path: Path) -> None:
    """By a handler of `atexit` that was registered before ours, and so runs after it."""
    with OtlpSink() as sink:
        done = ended("leaving.py", "account_at_exit", **where(sink, tmp_path))

    assert (done.out, done.err, done.code) == ("10\n", "", 0)


def test_a_session_is_ended_by_the_process_that_opened_it(tmp_path: Path) -> None:
    """A fork has a copy of it, and leaves it alone when it ends."""
    with OtlpSink() as sink:
        done = ended("leaving.py", "forked_with_a_session", **where(sink, tmp_path))

        assert (done.err, done.code) == ("", 0)
        assert arrived(sink, tmp_path) == {"work": 9, "invoke_workflow of the parent": 1}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 ends a subinterpreter without its atexit handlers")
def test_a_subinterpreter_delivers_when_it_is_destroyed(tmp_path: Path) -> None:
    """And has no thread of ours by then, which the interpreter would not survive."""
    with OtlpSink() as sink:
        done = ended("leaving.py", "a_subinterpreter", **where(sink, tmp_path))

        assert (done.err, done.code) == ("", 0)
        assert arrived(sink, tmp_path) == {"work": 10}


# A child that is started anew has a client only if it calls `init()` itself.
CHILDREN = [
    ("fork", "parent"),
    *((method, where) for method in ("fork", "spawn", "forkserver") for where in ("child", "both")),
]


@pytest.mark.parametrize(("method", "where_init"), CHILDREN)
def test_children_of_multiprocessing_deliver(method: str, where_init: str, tmp_path: Path) -> None:
    """Process, its finalizer, closed and terminated Pool, executor: no span is lost whose result the parent has.

    Where they start anew, several Pythons start.
    """
    with OtlpSink() as sink:
        done = ended("children.py", method, where_init, **where(sink, tmp_path))

        assert (done.err, done.code) == ("", 0)
        expected = {"process": 10, "finalizer": 1, "closed": 10, "terminated": 10, "executor": 10}
        assert arrived(sink, tmp_path, killed="terminated") == expected
