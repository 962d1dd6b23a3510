"""Programs that call others: `examples/distributed/`, read back from a real Jaeger."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.servers import ROOT, Jaeger
from tests.loopback.otlp_sink import OtlpSink

FOLDER = ROOT / "examples" / "distributed"
SERVICES = {
    "celery_tasks": "celery",
    "http_service": "http",
    "message_queue": "queue",
    "process_pool": "pool",
    "subprocess_call": "subprocess",
}
EXAMPLES = sorted(SERVICES)
Trace = list[tuple[str, ...]]
WEATHER = "execute_tool weather"
TRACES: dict[str, list[Trace]] = {
    "celery_tasks": [[("celery", "delegate"), ("celery worker", WEATHER, "delegate")]],
    "http_service": [[("http", "ask"), ("weather service", WEATHER, "ask")]],
    "message_queue": [[("queue", "send"), ("queue worker", WEATHER, "send")]] * 2,
    "process_pool": [[("pool", WEATHER, "gather"), ("pool", WEATHER, "gather"), ("pool", "gather")]] * 2,
    "subprocess_call": [[("subprocess", "call"), ("weather command", WEATHER, "call")]],
}


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    """One Jaeger for all examples, each of which has a service of its own."""
    with Jaeger(tmp_path_factory.mktemp("jaeger")) as jaeger:
        yield jaeger


def play(example: str, folder: Path, **variables: str) -> str:
    """Run it as a user would; what it printed."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    command = [sys.executable, str(FOLDER / f"{example}.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(jaeger: Jaeger, example: str) -> list[Trace]:
    """The traces of the example: each span's service, name and parent's name."""
    spans = sum(map(len, TRACES[example]))
    found = jaeger.traces(SERVICES[example], spans)
    return sorted(trace(jaeger.api(f"/api/traces/{trace_id}")["data"][0]) for trace_id in found)


def trace(found: dict[str, Any]) -> Trace:
    """One trace, as Jaeger tells it."""
    assert [span["warnings"] for span in found["spans"]] == [None] * len(found["spans"])
    names = {span["spanID"]: span["operationName"] for span in found["spans"]}
    services = {key: process["serviceName"] for key, process in found["processes"].items()}
    return sorted(
        (services[span["processID"]], span["operationName"], *(names[r["spanID"]] for r in span["references"]))
        for span in found["spans"]
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_one_trace_goes_through_every_process(example: str, jaeger: Jaeger, tmp_path: Path) -> None:
    """The tool that ran in another process stands under the call that asked for it, in one trace.

    Celery takes seconds to start.
    """
    if example == "celery_tasks":
        pytest.importorskip("celery")

    # A message's receiver may outlast its sender. Jaeger takes that for a wrong clock, and warns, unless both say the
    # same host: `ip` is what the API that is read here looks for, `host.name` what its newer one does.
    host = {"OTEL_RESOURCE_ATTRIBUTES": "ip=127.0.0.1,host.name=here"}
    play(example, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=jaeger.endpoint, **host)

    assert told(jaeger, example) == TRACES[example]


def test_every_example_is_played() -> None:
    """Nothing in the folder is left out, but what the others import."""
    assert {path.stem for path in FOLDER.glob("*.py")} - {"carry"} == set(EXAMPLES)


def test_no_context_travels_where_no_propagator_is_wanted(tmp_path: Path) -> None:
    """OTEL_PROPAGATORS is honoured: with none, each process has a trace of its own, and every span is there."""
    with OtlpSink() as sink:
        variables = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": sink.endpoint, "OTEL_PROPAGATORS": "none"}
        play("subprocess_call", tmp_path, **variables)

    assert {span.name: span.parent_span_id for span in sink.every} == {"call": b"", "execute_tool weather": b""}
    assert len({span.trace_id for span in sink.every}) == 2


def test_what_a_caller_says_is_not_believed_unasked(tmp_path: Path) -> None:
    """A TRACEPARENT in the environment that the program does not read changes nothing: its trace is its own."""
    theirs = "0af7651916cd43dd8448eb211c80319c"
    with OtlpSink() as sink:
        variables = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": sink.endpoint}
        play("process_pool", tmp_path, TRACEPARENT=f"00-{theirs}-b7ad6b7169203331-01", **variables)

    roots = [span for span in sink.every if span.name == "gather"]
    assert [span.parent_span_id for span in roots] == [b"", b""]
    assert theirs not in {span.trace_id.hex() for span in sink.every}
