"""An OpenAI-compatible server for the examples: scripted answers on loopback, so that they run without a key."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PLAN = "Lisbon, Seville"
STORY = "Go to Seville : it is warm , and the oranges are ripe ."


@contextmanager
def scripted_llm() -> Iterator[None]:
    """Point the OpenAI client at the scripted server for the block, unless there is a key for the real one."""
    if os.environ.get("OPENAI_API_KEY"):
        yield
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    os.environ |= {"OPENAI_API_KEY": "scripted", "OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1"}
    try:
        yield
    finally:
        del os.environ["OPENAI_API_KEY"], os.environ["OPENAI_BASE_URL"]
        server.shutdown()
        server.server_close()


class _Answers(BaseHTTPRequestHandler):
    """Two answers: a plan in one piece, a story in many."""

    def do_POST(self) -> None:
        """Answer a chat completion, as a stream if it was asked for."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = "".join(_story(asked["model"])) if asked.get("stream") else json.dumps(_plan(asked["model"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if asked.get("stream") else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def _plan(model: str) -> dict[str, object]:
    message = {"role": "assistant", "content": PLAN}
    return {
        "id": "chatcmpl-plan",
        "object": "chat.completion",
        "created": 1767225600,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _usage(31, 5),
    }


def _story(model: str) -> Iterator[str]:
    words = STORY.split()
    for index, word in enumerate(words):
        end = "stop" if index == len(words) - 1 else None
        text = ("" if index == 0 or word in ":,." else " ") + word
        yield _chunk(model, [{"index": 0, "delta": {"content": text}, "finish_reason": end}])
    yield _chunk(model, [], usage=_usage(118, len(words)))
    yield "data: [DONE]\n\n"


def _chunk(model: str, choices: list[dict[str, object]], **more: object) -> str:
    chunk = {"id": "chatcmpl-story", "object": "chat.completion.chunk", "created": 1767225601, "model": model}
    return f"data: {json.dumps({**chunk, 'choices': choices, **more})}\n\n"


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
