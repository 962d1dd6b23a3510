"""An LLM for TaskWeaver that answers by script: OpenAI's chat and embeddings endpoints, and Ollama's chat."""

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An HTTP error instead of an answer; *retry_after_s* keeps clients that retry quick."""

    status: int
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The beginning of an answer, then the connection breaks."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An answer whose rest waits until the test sets the event, or thirty seconds."""

    text: str
    rest: str
    event: Event = field(default_factory=Event)


Answer = str | Failure | Cut | Held


def plan(message: str, *, to: str = "CodeInterpreter", stop: str = "InProcess", **other: str) -> str:
    """What the Planner answers: a short plan and a message to *to*."""
    steps = {"plan_reasoning": "needs code", "init_plan": "1. compute", "plan": "1. compute", "current_plan_step": "1"}
    return json.dumps({"response": {**steps, "stop": stop, "send_to": to, "message": message, **other}})


def final(message: str) -> str:
    """What the Planner answers at the end of a round."""
    return plan(message, to="User", stop="Completed")


def code(source: str, kind: str = "python") -> str:
    """What the CodeGenerator answers: a thought and the code."""
    return json.dumps({"response": {"thought": "simple", "reply_type": kind, "reply_content": source}})


@dataclass(slots=True)
class ScriptedLLM:
    """The running server; `script` says what comes next, `requests` what was asked."""

    url: str
    _scripts: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def script(self, *answers: Answer, key: str = "") -> None:
        """The next answers, in order; with a *key*, only for conversations that hold `#key`."""
        with self._lock:
            self._scripts[key] = deque(answers)
            self.requests.clear()

    def next_answer(self, request: Mapping[str, Any]) -> Answer:
        """The answer that the script has for the request; a 500 when the script is at its end."""
        found = re.findall(r"#(\w+)", str(request["messages"]))
        with self._lock:
            self.requests.append(request)
            script = self._scripts[next((key for key in reversed(found) if key in self._scripts), "")]
            return script.popleft() if script else Failure(status=500)


@contextmanager
def scripted_llm() -> Iterator[ScriptedLLM]:
    """A server on a free port of loopback for the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    llm = ScriptedLLM(f"http://127.0.0.1:{server.server_port}/v1")
    server.llm = llm  # type: ignore[attr-defined]  # the handler's way to the script
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="scripted-llm")
    thread.start()
    try:
        yield llm
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    head: Mapping[str, object]

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/embeddings"):
            return self._json(200, _embeddings(request))
        llm: ScriptedLLM = self.server.llm  # type: ignore[attr-defined]  # set by scripted_llm
        answer = llm.next_answer(request)
        if isinstance(answer, Failure):
            return self._json(answer.status, {"error": {"message": "scripted"}}, retry_after_s=answer.retry_after_s)
        if self.path == "/api/chat":
            return self._lines(answer)
        if request.get("stream"):
            self.head = _model(request)
            return self._stream(answer, usage=bool(request.get("stream_options", {}).get("include_usage")))
        assert isinstance(answer, str)
        return self._json(200, {**_completion(answer), **_model(request)})

    def handle(self) -> None:
        """One connection, to its end; TaskWeaver ends it when it has what it needs."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests' output stays clean."""

    def _json(self, status: int, body: object, retry_after_s: float = 0.0) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        if status >= 400:
            self.send_header("retry-after-ms", str(int(retry_after_s * 1000) or 1))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, answer: str | Cut | Held, *, usage: bool) -> None:
        self._begin("text/event-stream")
        self._event(_delta({"role": "assistant", "content": ""}))
        text = answer if isinstance(answer, str) else answer.text
        for start in range(0, len(text), 40):
            self._event(_delta({"content": text[start : start + 40]}))
        if isinstance(answer, Cut):
            self.close_connection = True
            return
        if isinstance(answer, Held):
            answer.event.wait(30)
            self._event(_delta({"content": answer.rest}))
        self._event(_delta({}, finish_reason="stop"))
        if usage:
            self._event({**_delta({}), "choices": [], "usage": _USAGE})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _lines(self, answer: str | Cut | Held) -> None:
        """Ollama's way to stream."""
        self._begin("application/x-ndjson")
        text = answer if isinstance(answer, str) else answer.text
        for start in range(0, len(text), 40):
            self._line({"message": {"role": "assistant", "content": text[start : start + 40]}})
        if isinstance(answer, Held):
            answer.event.wait(30)
            self._line({"message": {"role": "assistant", "content": answer.rest}})
        self._line({"done": True, "done_reason": "stop", "prompt_eval_count": 20, "eval_count": 7})
        self._chunk(b"")

    def _line(self, body: Mapping[str, object]) -> None:
        self._chunk(json.dumps({"model": _HEAD["model"], **body}).encode() + b"\n")

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _event(self, body: Mapping[str, object]) -> None:
        self._chunk(b"data: " + json.dumps({**body, **self.head}).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        try:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        except OSError:
            # TaskWeaver stops reading when it has what it needs.
            self.close_connection = True


def _model(request: Mapping[str, Any]) -> Mapping[str, object]:
    """The model that answers is the one that was asked."""
    return {"model": request["model"]}


def _delta(delta: Mapping[str, str], finish_reason: str | None = None) -> Mapping[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {**_HEAD, "object": "chat.completion.chunk", "choices": [choice]}


def _completion(text: str) -> Mapping[str, Any]:
    message: dict[str, object] = {"role": "assistant", "content": text}
    if text.startswith("[{"):
        calls = [{"name": call["name"], "arguments": json.dumps(call["arguments"])} for call in json.loads(text)]
        message = {"role": "assistant", "content": None}
        message["tool_calls"] = [{"id": f"call-{n}", "type": "function", "function": c} for n, c in enumerate(calls)]
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": _USAGE}


def _embeddings(request: Mapping[str, Any]) -> Mapping[str, Any]:
    texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
    data = [{"object": "embedding", "index": n, "embedding": [0.1, 0.2]} for n, _ in enumerate(texts)]
    usage = {"prompt_tokens": 5, "total_tokens": 5}
    return {"object": "list", "data": data, "model": "scripted-embedding", "usage": usage}


_HEAD = {"id": "chatcmpl-1", "created": 1, "model": "scripted-model"}
_USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}
