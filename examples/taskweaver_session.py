"""A TaskWeaver session, traced from the round down to the plugin that its code calls, without a key.

TaskWeaver comes from GitHub: BUILD_SOURCEBRANCHNAME=main python -m pip install --group taskweaver
The LLM is scripted: it plans, writes code that fails, corrects it, and answers.
"""

import json
import tempfile
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import agentops_otel

PLUGIN = """
from taskweaver.plugin import Plugin, register_plugin

@register_plugin
class Weather(Plugin):
    def __call__(self, city: str):
        return {"city": city, "degrees": 21}
"""
ABOUT = """
name: weather
enabled: true
description: The weather of a city.
parameters: [{name: city, type: str, required: true, description: Which city.}]
returns: [{name: weather, type: dict, description: The weather.}]
"""


def planned(message: str, to: str, stop: str) -> str:
    steps = {"plan_reasoning": "ask the plugin", "init_plan": "1. ask", "plan": "1. ask", "current_plan_step": "1. ask"}
    return json.dumps({"response": {**steps, "stop": stop, "send_to": to, "message": message}})


def written(code: str) -> str:
    return json.dumps({"response": {"thought": "call it", "reply_type": "python", "reply_content": code}})


ANSWERS = [
    planned("What is the weather in Lisbon?", "CodeInterpreter", "InProcess"),
    written("weather(town='Lisbon')"),
    written("weather(city='Lisbon')"),
    planned("It is 21 degrees in Lisbon.", "User", "Completed"),
]


def chosen(delta: dict[str, str], end: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]}


class ScriptedLLM(BaseHTTPRequestHandler):
    """Answers every chat completion with the next line of the script, as a stream."""

    def do_POST(self) -> None:
        """Answer; a token is about four characters."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = ANSWERS.pop(0)
        said = [chosen({"role": "assistant", "content": answer}), chosen({}, "stop")]
        if asked.get("stream_options"):
            tokens = {"prompt_tokens": len(str(asked["messages"])) // 4, "completion_tokens": len(answer) // 4}
            said.append({"choices": [], "usage": {**tokens, "total_tokens": sum(tokens.values())}})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for chunk in said:
            head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1767225600, "model": "scripted"}
            self.wfile.write(f"data: {json.dumps({**head, **chunk})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def project(folder: Path, url: str) -> Path:
    """Write a TaskWeaver project with one plugin."""
    for name in ("examples/planner_examples", "examples/code_generator_examples", "plugins"):
        (folder / name).mkdir(parents=True)
    (folder / "plugins" / "weather.py").write_text(PLUGIN)
    (folder / "plugins" / "weather.yaml").write_text(ABOUT)
    llm = {"llm.api_type": "openai", "llm.api_base": url, "llm.api_key": "none", "llm.model": "scripted"}
    settings = {**llm, "llm.embedding_api_type": "openai", "execution_service.kernel_mode": "local"}
    (folder / "taskweaver_config.json").write_text(json.dumps(settings))
    return folder


def main() -> None:
    if find_spec("taskweaver") is None:
        return print("TaskWeaver is not installed; the first lines of this file say how.")
    warnings.simplefilter("ignore")  # of TaskWeaver's own making

    agentops_otel.init(console=True)

    from taskweaver.app.app import TaskWeaverApp

    server = ThreadingHTTPServer(("127.0.0.1", 0), ScriptedLLM)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        app = TaskWeaverApp(app_dir=str(project(Path(folder), f"http://127.0.0.1:{server.server_port}/v1")))
        session = app.get_session()
        print(session.send_message("How warm is it in Lisbon?").post_list[-1].message)
        session.stop()
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
