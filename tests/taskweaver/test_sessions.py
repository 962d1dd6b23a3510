"""Sessions of TaskWeaver: several at once, stopped, other interpreters, and nothing changed for the app."""

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Event
from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel.taskweaver.hooks import Hook, Hooks
from agentops_otel.taskweaver.install import _HOOKS
from agentops_otel.testing import Capture, capture
from agentops_otel.view.tree import build
from tests.loopback.taskweaver_llm import Failure, Held, ScriptedLLM, code, final, plan
from tests.taskweaver.conftest import MakeApp
from tests.taskweaver.shown import outline, tree

IDS = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}|atta-\w+|\d{8}-\d{6}")


@pytest.fixture
def silent() -> Iterator[Capture]:
    """The spans of one test, without content."""
    with capture(capture_content=False) as captured:
        yield captured


def test_three_sessions_at_once(app: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """Each session's rounds are its own traces: nothing of one is under another's.

    Three kernels take seconds to start.
    """
    keys = ("red", "green", "blue")
    for key in keys:
        llm.script(plan(f"compute #{key}"), code(f"'{key}'"), final(f"it is {key}"), key=key)
    sessions = {key: app.get_session() for key in keys}

    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda key: sessions[key].send_message(f"what is #{key}").post_list[-1].message, keys))

    assert said == [f"it is {key}" for key in keys]
    roots = build(traced.spans)
    assert len(roots) == 3
    for root in roots:
        told = [dict(node.span.attributes or {}) for node in root.walk()]
        mine = {attributes["gen_ai.conversation.id"] for attributes in told}
        assert len(mine) == 1
        (key,) = [key for key in keys if sessions[key].session_id in mine]
        results = [attributes.get("gen_ai.tool.call.result") for attributes in told]
        assert [result for result in results if result] == [json.dumps({"output": key}, separators=(",", ":"))]
        assert len(told) == 9


def test_content_off(session: Any, llm: ScriptedLLM, silent: Capture) -> None:
    """Without content no span holds a word of what was asked, planned, written, run or answered."""
    llm.script(plan("SECRET plan"), code("print('SECRET'); raise_ = 1"), final("SECRET answer"))
    session.send_message("SECRET question")
    llm.script(Failure(status=500), Failure(status=500), Failure(status=500))
    session.send_message("SECRET again")

    assert len(silent.spans) > 8
    assert "SECRET" not in "".join(span.to_json() for span in silent.spans)
    assert "compute" not in "".join(span.to_json() for span in silent.spans)


def test_replies_are_equal(session: Any, llm: ScriptedLLM) -> None:
    """The app gets the same rounds with us and without: posts, attachments, states."""
    answers = (plan("compute"), code("print('so')\n6*7"), final("42"))
    rounds = []
    for on in (False, True):
        with capture(instrument_taskweaver=on, instrument_llm_calls=on):
            llm.script(*answers)
            round_ = session.send_message("What is 6*7?")
        rounds.append(IDS.sub("ID", json.dumps(_comparable(round_.to_dict()), default=str, indent=1)))

    assert rounds[0] == rounds[1]
    assert '"state": "finished"' in rounds[0]


def test_stopped_in_the_middle(app: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """A session that is stopped in the middle of a round leaves no span open, whatever becomes of the round."""
    session = app.get_session()
    held = Held(text=final("too late")[:60], rest="")
    llm.script(held)
    asked = Event()

    with ThreadPoolExecutor(1) as pool:
        round_ = pool.submit(session.send_message, "hello", event_handler=Noticing("receiving LLM response", asked))
        asked.wait(60)
        session.stop()
        ended = outline(traced)
        held.event.set()
        round_.exception(60)

    assert ended == snapshot("""\
invoke_workflow taskweaver ERROR: cancelled
  - error.type='cancelled'  round.state='created'
  invoke_agent Planner
""")
    assert [span.name for span in traced.spans if span.parent is None] == ["invoke_workflow taskweaver"]


def test_from_an_async_program(app: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """The web UI's way: sessions made in the event loop, rounds in worker threads, a handler of its own for each."""
    keys = ("red", "green")
    for key in keys:
        llm.script(plan(f"ask #{key}", to="Planner"), final(f"it is {key}"), key=key)
    seen: list[str] = []

    async def chat(key: str) -> str:
        session = app.get_session()
        round_ = await asyncio.to_thread(
            session.send_message, f"what is #{key}", event_handler=Noticing("", Event(), seen)
        )
        return str(round_.post_list[-1].message)

    async def serve() -> list[str]:
        return await asyncio.gather(*map(chat, keys))

    assert asyncio.run(serve()) == ["it is red", "it is green"]
    assert {"round_start", "post_end", "round_end"} <= set(seen)
    assert sorted(tree([node.span for node in root.walk()]) for root in build(traced.spans)) == [
        [
            "invoke_workflow taskweaver",
            "  invoke_agent Planner",
            "    chat scripted-model",
            "  invoke_agent Planner",
            "    chat scripted-model",
        ]
    ] * len(keys)


class Noticing:
    """A handler of the program's that notices a message, and each kind of event."""

    def __init__(self, message: str, noticed: Event, kinds: list[str] | None = None) -> None:
        self.message = message
        self.noticed = noticed
        self.kinds = [] if kinds is None else kinds

    def handle(self, event: Any) -> None:
        """Take the event."""
        self.kinds.append(event.t.value)
        if event.msg == self.message:
            self.noticed.set()


def test_uninstall(app: Any) -> None:
    """What was hooked is put back when the client is gone: each function of the table."""
    owners = {
        (module, path): getattr(import_module(module), path.partition(".")[0])
        for module, hooks in _HOOKS.items()
        for path in hooks
    }

    def found() -> dict[tuple[str, str], object]:
        return {place: vars(owner)[place[1].partition(".")[2]] for place, owner in owners.items()}

    before = found()
    with capture():
        during = found()

    assert [".".join(place) for place in before] == snapshot(
        [
            "taskweaver.session.session.Session.send_message",
            "taskweaver.session.session.Session.stop",
            "taskweaver.module.event_emitter.SessionEventEmitter.emit",
            "taskweaver.llm.LLMApi.chat_completion",
            "taskweaver.llm.LLMApi.chat_completion_stream",
            "taskweaver.llm.LLMApi._stream_smoother",
            "taskweaver.llm.LLMApi.get_embedding",
            "taskweaver.llm.LLMApi.get_embedding_list",
            "taskweaver.llm.ollama.OllamaService._stream_process",
            "openai.resources.chat.completions.Completions.create",
            "taskweaver.code_interpreter.code_executor.CodeExecutor.start",
            "taskweaver.code_interpreter.code_executor.CodeExecutor.execute_code",
            "taskweaver.ces.environment.Environment.start_session",
            "taskweaver.ces.environment.Environment.execute_code",
            "taskweaver.ces.environment.Environment.stop_session",
            "taskweaver.memory.compression.RoundCompressor.compress_rounds",
            "taskweaver.memory.experience.ExperienceGenerator.refresh",
            "taskweaver.memory.experience.ExperienceGenerator.retrieve_experience",
            "taskweaver.code_interpreter.plugin_selection.PluginSelector.plugin_select",
            "taskweaver.module.tracing.Tracing.__init__",
        ]
    )
    assert [place for place in before if during[place] is before[place]] == []
    assert found() == before


@pytest.mark.parametrize(
    "hook", [pair for hooks in _HOOKS.values() for pair in hooks.items()], ids=lambda pair: pair[0]
)
def test_a_hook_that_outlives_its_client_does_nothing(hook: tuple[str, Hook]) -> None:
    """Someone else's wrapper holds it: the function is called once, with what it was given, and its result returned."""
    called: list[object] = []

    def function(*args: object, **kwargs: object) -> object:
        called.append((args, kwargs))
        return called

    path, outlived = hook
    result = outlived(Hooks(lambda: None), function, Left(), ("a",), {"b": 2})

    assert called == [(("a",), {"b": 2})]
    assert result is (None if path.endswith("__init__") else called)


class Left:
    """An object of TaskWeaver's, whatever its attributes are."""

    def __getattr__(self, name: str) -> None:
        """None of them is there yet."""


PLUGIN = """
from taskweaver.plugin import Plugin, register_plugin

@register_plugin
class Double(Plugin):
    def __call__(self, number: int):
        return 2 * number
"""
ABOUT = """
name: double
enabled: true
required: false
plugin_only: true
description: Twice a number.
parameters:
  - {name: number, type: int, required: true, description: The number.}
returns:
  - {name: doubled, type: int, description: Twice as much.}
"""


def test_plugin_only(make_app: MakeApp, llm: ScriptedLLM, traced: Capture) -> None:
    """The interpreter that calls plugins only fails in TaskWeaver itself, after its LLM call: the trace says where."""
    plugins = {"double.py": PLUGIN, "double.yaml": ABOUT}
    session = make_app(plugins, **{"session.roles": ["planner", "code_interpreter_plugin_only"]}).get_session()
    call = json.dumps([{"name": "double", "arguments": {"number": 21}}])
    llm.script(plan("double it", to="PluginOrchestrator"), call, final("42"))

    session.send_message("twice 21?")
    session.stop()  # which waits for the kernel that TaskWeaver starts meanwhile

    said = outline(traced).replace("type object 'AttachmentType' has no attribute 'python'", "python")  # Python 3.12
    assert said == snapshot("""\
invoke_workflow taskweaver ERROR: AttributeError: python
  - error.type='AttributeError'  round.state='failed'
  invoke_agent Planner
    - post.send_to='PluginOrchestrator'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent PluginOrchestrator ERROR: python
    - error.type='AttributeError'  post.send_to='Planner'
    taskweaver.kernel.start
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


def test_cli_only(make_app: MakeApp, llm: ScriptedLLM, traced: Capture) -> None:
    """The interpreter that runs shell commands: the reply ends once, after the command has run."""
    session = make_app(**{"session.roles": ["planner", "code_interpreter_cli_only"]}).get_session()
    llm.script(
        plan("say it", to="CLIAgent"), json.dumps({"description": "greets", "code": "echo hello"}), final("done")
    )

    session.send_message("greet")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='CLIAgent'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CLIAgent
    - post.send_to='Planner'
    taskweaver.kernel.start
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python
      - tool.call.arguments='{"code":"! echo hello"}'  tool.call.result='{"stdout":"hello\\\\r\\\\n"}'
        execution_status='SUCCESS'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _comparable(item) for name, item in value.items() if name != "id"}
    return [_comparable(item) for item in value] if isinstance(value, list) else value
