"""Spans that are made in TaskWeaver's kernel: by plugins, and by the code that TaskWeaver runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel import semconv
from agentops_otel.testing import Capture, capture
from tests.loopback.taskweaver_llm import ScriptedLLM, code, final, plan
from tests.taskweaver.conftest import MakeApp, send_failing_code
from tests.taskweaver.shown import outline

PLUGIN = """
from opentelemetry import trace
from taskweaver.plugin import Plugin, register_plugin


@register_plugin
class Weather(Plugin):
    def __call__(self, city: str, api_key: str = "none"):
        with trace.get_tracer("plugin").start_as_current_span("look up", attributes={"city": city}):
            if city == "Atlantis":
                raise LookupError(city)
        return {"city": city, "degrees": 21}
"""
ABOUT = """
name: weather
enabled: true
required: false
description: The weather of a city.
parameters:
  - {name: city, type: str, required: true, description: Which city.}
returns:
  - {name: weather, type: dict, description: The weather.}
"""
REPORT = """
from taskweaver.plugin import Plugin, register_plugin


@register_plugin
class Report(Plugin):
    def __call__(self):
        self.ctx.add_artifact("report", "report.txt", "txt", "all is well")
"""
ABOUT_REPORT = """
name: report
enabled: true
required: false
description: Writes a report.
parameters: []
returns: []
"""
PLUGINS = {"weather.py": PLUGIN, "weather.yaml": ABOUT, "report.py": REPORT, "report.yaml": ABOUT_REPORT}


@pytest.fixture(scope="module")
def session(make_app: MakeApp, llm: ScriptedLLM) -> Any:
    """A session whose kernel has plugins, and has been started already."""
    session = make_app(plugins=PLUGINS).get_session()
    llm.script(plan("start"), code("0"), final("started"))
    with capture():
        session.send_message("start")
    return session


def test_plugin(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """A plugin's call is a span under the execution, with what it was given and what it gave; so are spans inside.

    A kernel takes seconds to start.
    """
    llm.script(plan("ask"), code("weather('Paris')"), final("done"))

    session.send_message("weather?")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter
    - post.send_to='Planner'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python
      - tool.call.arguments='{"code":"weather(\\'Paris\\')"}'
        tool.call.result='{"output":{"city":"Paris","degrees":21}}'  execution_status='SUCCESS'
      execute_tool weather
        - tool.call.arguments='{"city":"Paris","api_key":"[redacted]"}'
          tool.call.result='{"city":"Paris","degrees":21}'
        look up
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


def test_a_plugin_that_is_called_wrongly_says_what_it_was_given(
    session: Any, llm: ScriptedLLM, traced: Capture
) -> None:
    """A keyword that the plugin does not have is on the span that fails by it.

    A kernel takes seconds to start.
    """
    send_failing_code(session, llm, traced, (plan("ask"), code("weather(town='Paris')"), final("no")))

    span = next(span for span in traced.spans if span.name == "execute_tool weather")
    given = json.loads(str((span.attributes or {})[semconv.GEN_AI_TOOL_CALL_ARGUMENTS]))
    assert given["kwargs"] == {"town": "Paris"}
    assert (span.attributes or {})[semconv.ERROR_TYPE] == "TypeError"


def test_code(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """Spans of the generated code nest under the execution, also those of its threads; its output stays its own."""
    source = """
import threading
from opentelemetry import trace
tracer = trace.get_tracer("mine")
with tracer.start_as_current_span("outer"):
    with tracer.start_as_current_span("inner"):
        print("hello")
thread = threading.Thread(target=lambda: tracer.start_span("in a thread").end())
thread.start(); thread.join()
"""
    llm.script(plan("trace"), code(source), final("done"))

    session.send_message("trace it")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter
    - post.send_to='Planner'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python
      - tool.call.arguments='{"code":"\\\\nimport threading\\\\nfrom opentelemetry imp…'
        tool.call.result='{"stdout":"hello\\\\n"}'  execution_status='SUCCESS'
      outer
        inner
      in a thread
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


RECORDED = """
import agentops_otel
from openai import OpenAI

@agentops_otel.record_action("look up", tags=["db"])
def look_up(word):
    with OpenAI(base_url={url!r}, api_key="none") as client:
        said = client.chat.completions.create(model="inner", messages=[{{"role": "user", "content": word}}])
    return said.choices[0].message.content

look_up("SECRET question")
"""
"""Generated code that records itself, and asks a model."""


def test_recorded_code(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """`record_action` and LLM clients work in the generated code: below the execution, with the tags of the round."""
    llm.script(plan("record"), code(RECORDED.format(url=llm.url)), "SECRET answer", final("done"))

    session.send_message("record it")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter
    - post.send_to='Planner'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python
      - tool.call.arguments='{"code":"\\\\nimport agentops_otel\\\\nfrom openai import…'
        tool.call.result='{"output":"SECRET answer"}'  execution_status='SUCCESS'
      look up
        chat inner
          - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")
    (action,) = [span.attributes or {} for span in traced.spans if span.name == "look up"]
    assert action[semconv.AGENTOPS_TAGS] == ("mine", "taskweaver", "db")
    assert {(span.attributes or {})[semconv.SESSION_ID] for span in traced.spans} == {action[semconv.SESSION_ID]}


@pytest.mark.parametrize(
    "settings",
    [{"capture_content": False}, {"redact": lambda name, text: text.replace("SECRET", "[out]")}],
    ids=["off", "redacted"],
)
def test_content_of_recorded_code(session: Any, llm: ScriptedLLM, settings: dict[str, Any]) -> None:
    """What is said of content outside holds for what is made in the kernel: it is off, or the user's rule sees it."""
    llm.script(plan("record"), code(RECORDED.format(url=llm.url)), "SECRET answer", final("done"))

    with capture(**settings) as captured:
        session.send_message("record it")

    assert {"look up", "chat inner"} <= {span.name for span in captured.spans}
    assert "SECRET" not in "".join(span.to_json() for span in captured.spans)


def test_output_is_the_same(session: Any, llm: ScriptedLLM) -> None:
    """What generated code prints, shows and leaves in its namespace is what it is without us."""
    source = "import sys\nprint('out'); print('err', file=sys.stderr)\nsorted(n for n in dir() if 'begin' in n)"
    said = []
    for on in (False, True):
        with capture(instrument_taskweaver=on):
            llm.script(plan("print"), code(source), final("done"))
            round_ = session.send_message("print it")
        said.append([attachment.content for post in round_.post_list for attachment in post.attachment_list])

    assert said[0] == said[1]
    assert "out" in str(said)


def test_files(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """The files that an execution leaves are named on its span: those of a plugin, and the pictures it shows."""
    source = """
from IPython.display import SVG, display
display(SVG("<svg xmlns='http://www.w3.org/2000/svg'/>"))
report()
"""
    llm.script(plan("write"), code(source), final("done"))

    session.send_message("write it")

    (execution,) = [span for span in traced.spans if span.name == "execute_tool python"]
    said = execution.attributes or {}
    files = json.loads(str(said[semconv.TASKWEAVER_ARTIFACTS]))
    assert [name.rpartition("_")[2] for name in files] == ["svg.svg", "report.txt"]
    assert said[semconv.TASKWEAVER_ARTIFACT_COUNT] == len(files)
    assert all((Path(session.execution_cwd) / name).is_file() for name in files)


def test_kernel_leaves_nothing_behind(app: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """The file between the kernel and us goes with the kernel."""
    session = app.get_session()
    llm.script(plan("run"), code("1"), final("done"))
    session.send_message("run")
    there = list(Path(session.workspace).rglob("agentops_otel*"))

    session.stop()

    assert (len(there), list(Path(session.workspace).rglob("agentops_otel*"))) == (1, [])
