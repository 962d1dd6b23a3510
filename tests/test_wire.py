"""All that leaves a process or is written by it, searched for planted secrets: a program with a real client; doctor."""

import base64
import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import completion
from tests.loopback.otlp_sink import Answer as Refusal
from tests.loopback.otlp_sink import OtlpSink
from tests.program import ROOT, TIMEOUT_S
from tests.python_process import run_python

PLACES = [
    *("argument", "named argument", "result", "raised", "note", "cause", "url", "tag", "session name", "reason"),
    *("rating", "metadata", "event params", "event returns", "event prompt", "error details", "prompt", "system"),
    *("tool arguments", "answer", "tool definition", "request user", "resource", "span name", "their attribute"),
    *("their event", "their status", "their link", "base64", "header error", "agent name", "caller's state"),
    *("scope", "header of delivery", "setting"),
]
NAMES = {"tag", "session name", "resource", "span name", "their attribute", "their event", "their link", "agent name"}
NAMES |= {"caller's state", "scope", "setting"}
"""What the program's own words are, and what other libraries and callers put on their spans."""
PROGRAM = """
import base64, json, logging, os, sys
logging.basicConfig(level="DEBUG")  # everything of ours, on stderr
import openai
from opentelemetry import trace
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, TraceState
import agentops_otel
from agentops_otel import ActionEvent, ErrorEvent, LLMEvent

S = json.loads(os.environ["PLANTED"])
try:
    agentops_otel.init(headers={"x-key": S["header error"] + "\\n"})
except agentops_otel.ConfigError as error:
    print(error)
try:
    agentops_otel.init(durability=S["setting"])
except agentops_otel.ConfigError as error:
    print(error)
agentops_otel.init(endpoint=sys.argv[1], trace_file=sys.argv[2], console=True, spool_dir=sys.argv[3])

@agentops_otel.record_action("works")
def works(given, **named):
    return {"text": S["result"], "in base64": base64.b64encode(S["base64"].encode()).decode()}

@agentops_otel.record_action("fails")
def fails():
    error = ValueError(f"it was {S['raised']}")
    error.add_note(S["note"])
    raise error from KeyError(S["cause"])

with agentops_otel.start_session([f"tag {S['tag']}"], name=f"run {S['session name']}") as session:
    url = f"https://u:{S['url']}@host/?key={S['url']}"
    works(f"use {S['argument']}", url=url, other={"deep": [S["named argument"]]})
    try:
        fails()
    except ValueError:
        pass
    agentops_otel.update_trace_metadata({"about": S["metadata"]})
    identity = agentops_otel.create_agent(f"agent {S['agent name']}")
    given = {"x": S["event params"]}
    agentops_otel.record(ActionEvent("a", agent_id=identity, params=given, returns=S["event returns"]))
    agentops_otel.record(LLMEvent(model="m", prompt=S["event prompt"]))
    agentops_otel.record(ErrorEvent(details=S["error details"]))
    client = openai.OpenAI(base_url=sys.argv[4], api_key="none")
    client.chat.completions.create(
        model="m",
        user=S["request user"],
        messages=[
            {"role": "system", "content": S["system"]},
            {"role": "user", "content": [{"type": "text", "text": S["prompt"]}]},
        ],
        tools=[{"type": "function", "function": {"name": "f", "description": S["tool definition"]}}],
    )
    with trace.get_tracer("theirs").start_as_current_span(
        f"GET {S['span name']}",
        attributes={"http.url": S["their attribute"]},
        links=[Link(SpanContext(1, 2, False), {"of": S["their link"]})],
    ) as span:
        span.add_event("said", {"text": S["their event"]})
        span.set_status(Status(StatusCode.ERROR, S["their status"]))
    state = TraceState([("vendor", S["caller's state"])])
    caller = NonRecordingSpan(SpanContext(1, 2, True, TraceFlags(1), state))
    attributes = {"of": S["scope"]}
    with trace.get_tracer("theirs", "1", attributes=attributes).start_as_current_span(
        "served", trace.set_span_in_context(caller)
    ):
        works("served")
    session.end_session("Fail", rating=S["rating"], end_state_reason=S["reason"])
agentops_otel.flush()
"""


def test_each_secret_is_planted() -> None:
    """The program uses each, but for what the model says and the environment has."""
    used = {place for place in PLACES if f'S["{place}"]' in PROGRAM or f"S['{place}']" in PROGRAM}

    assert set(PLACES) - used == {"tool arguments", "answer", "resource", "header of delivery"}


def planted() -> dict[str, str]:
    """A key of a known shape for each place, which is nowhere else."""
    return {place: "ghp_" + hashlib.sha256(place.encode()).hexdigest()[:36] for place in PLACES}


def left_behind(secrets: dict[str, str], tmp_path: Path, *, up: bool = True, **variables: str) -> bytes:
    """All that went over the wire, was printed, or is in a file, of the program and of what shows its file."""
    said = completion()
    message = said["choices"][0]["message"]
    message["content"] = f"Here: {secrets['answer']}"
    function = {"name": "f", "arguments": json.dumps({"key": secrets["tool arguments"]})}
    message["tool_calls"] = [{"id": "c1", "type": "function", "function": function}]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
        "PLANTED": json.dumps(secrets),
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment={secrets['resource']}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-key={secrets['header of delivery']}",
        "PYTHONPATH": str(ROOT),
        **variables,
    }
    trace_file, spool = tmp_path / "t.jsonl", tmp_path / "spool"

    def run(*command: str | Path, expect: int = 0, **more: str) -> str:
        done = run_python(*command, env={**environment, **more}, cwd=tmp_path, timeout=TIMEOUT_S)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    with OtlpSink() as sink, LlmServer() as model:
        if not up:
            sink.decide = lambda received: Refusal(status=503)
        model.answer(Answer.json(said))
        printed = run("-c", PROGRAM, sink.endpoint, trace_file, spool, f"{model.url}/v1")
        for arguments in ((), ("--json",)):
            printed += run(
                *("-m", "agentops_otel", "doctor", *arguments),
                expect=not up,
                OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint,
            )
        wire = b"".join(received.request.SerializeToString() for received in sink.received)
    printed += run("-m", "agentops_otel", "show", trace_file)
    printed += run("-m", "agentops_otel", "show", trace_file, "--html", tmp_path / "page.html")

    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.suffix == ".spans" for path in files) is not up
    assert b"chat m" in wire or not up
    assert b"chat m" in files[trace_file]
    return b"\0".join([wire, printed.encode(), *files.values()])


@pytest.mark.parametrize("up", [True, False], ids=["delivered", "on disk"])
def test_no_planted_secret_leaves_or_is_written(up: bool, tmp_path: Path) -> None:
    """With content on: wire, trace file, spool, terminal, log at DEBUG, doctor, and the page and trees made of it."""
    secrets = planted()

    everything = left_behind(secrets, tmp_path, up=up)

    assert everything.count(b"[redacted]") > len(PLACES)
    assert {place for place, secret in secrets.items() if secret[8:].encode() in everything} == set()
    assert base64.b64encode(secrets["base64"].encode())[8:-8] not in everything


def test_with_content_off_not_a_word_of_content_leaves_or_is_written(tmp_path: Path) -> None:
    """Words that look like no secret: names, tags, and what others set stay, and nothing else."""
    words = {place: f"quokka{hashlib.sha256(place.encode()).hexdigest()[:10]}" for place in PLACES}

    everything = left_behind(words, tmp_path, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="NO_CONTENT")

    assert {place for place, word in words.items() if word.encode() in everything} == NAMES
