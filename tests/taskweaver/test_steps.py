"""What a reply asks an LLM besides its answer: experience, the summary of earlier rounds, which plugins to offer."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import Capture
from tests.loopback.taskweaver_llm import ScriptedLLM, code, final, plan
from tests.taskweaver.conftest import MakeApp
from tests.taskweaver.shown import outline

PLUGIN = """
from taskweaver.plugin import Plugin, register_plugin

@register_plugin
class It(Plugin):
    def __call__(self):
        return 1
"""
ABOUT = "name: {0}\nenabled: true\ndescription: does {0}\nparameters: []\nreturns: []\n"


SETTINGS = {
    "planner.prompt_compression": True,
    "round_compressor.rounds_to_compress": 1,
    "round_compressor.rounds_to_retain": 1,
    "planner.use_experience": True,
    "code_generator.enable_auto_plugin_selection": True,
    "code_generator.auto_plugin_selection_topk": 1,
}


@pytest.fixture
def clever(make_app: MakeApp) -> Any:
    """A session that does all three; what TaskWeaver's scripts have to embed before is embedded."""
    from taskweaver.code_interpreter.plugin_selection import PluginSelector
    from taskweaver.llm import LLMApi
    from taskweaver.memory.plugin import PluginRegistry

    plugins = {f"{name}.yaml": ABOUT.format(name) for name in ("one", "two")}
    app = make_app({**plugins, "one.py": PLUGIN, "two.py": PLUGIN}, **SETTINGS)
    PluginSelector(app.app_injector.get(PluginRegistry), app.app_injector.get(LLMApi)).refresh()
    session = app.get_session()
    (Path(session.config.experience_dir) / "raw_exp_1.yaml").write_text(
        "enabled: true\nrounds: [{user_query: compute, post_list: []}]"
    )
    return session


@pytest.mark.no_cover
def test_steps(clever: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """Each is a span of the reply that it is made for, with the LLM calls that it makes, tokens and all.

    It takes the seconds that TaskWeaver's kernel and its scripts take to start.
    """
    llm.script("compute with care", plan("compute"), code("1"), final("one"), "the story so far", final("two"))

    for message in ("first", "second"):
        clever.send_message(message)

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
    taskweaver.experience
      chat scripted-model
        - usage.input_tokens='20'  usage.output_tokens='7'
      embeddings scripted-embedding
        - usage.input_tokens='5'
    taskweaver.experience
      embeddings scripted-embedding
        - usage.input_tokens='5'
    taskweaver.compress
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter
    - post.send_to='Planner'
    taskweaver.kernel.start
    taskweaver.select_plugins
      embeddings scripted-embedding
        - usage.input_tokens='5'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python
      - tool.call.arguments='{"code":"1"}'  tool.call.result='{"output":1}'  execution_status='SUCCESS'
  invoke_agent Planner
    - post.send_to='User'
    taskweaver.compress
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='User'
    taskweaver.compress
      chat scripted-model
        - usage.input_tokens='20'  usage.output_tokens='7'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")
