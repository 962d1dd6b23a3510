"""The event handler: alone, beside the hooks, and in every combination that doubles events."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel import semconv
from agentops_otel.providers.taskweaver import TaskWeaverEventHandler
from agentops_otel.testing import Capture, capture
from tests.loopback.taskweaver_llm import Failure, ScriptedLLM, code, final, plan
from tests.taskweaver.conftest import send_failing_code
from tests.taskweaver.shown import names, outline

GOOD = (plan("compute"), code("6*7"), final("42"))


@pytest.fixture
def told() -> Iterator[Capture]:
    """The spans of one test, with the hooks off and LLM clients left alone."""
    with capture(instrument_taskweaver=False, instrument_llm_calls=False) as captured:
        yield captured


def test_handler_alone(session: Any, llm: ScriptedLLM, told: Capture) -> None:
    """Without hooks the handler tells rounds, replies and executions, of the session that it was told about."""
    llm.script(*GOOD)

    session.send_message("compute", event_handler=TaskWeaverEventHandler(session.session_id))

    assert {(span.attributes or {})[semconv.GEN_AI_CONVERSATION_ID] for span in told.spans} == {session.session_id}
    assert outline(told) == snapshot("""\
invoke_workflow taskweaver
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
  invoke_agent CodeInterpreter
    - post.send_to='Planner'
    execute_tool python
      - tool.call.arguments='{"code":"6*7"}'  tool.call.result='The execution of the generated python code
        above ha…'  execution_status='SUCCESS'
  invoke_agent Planner
    - post.send_to='User'
""")


def test_handler_alone_tells_failures(session: Any, llm: ScriptedLLM, told: Capture) -> None:
    """Without hooks, too, a failed execution and a failed round say why."""
    handler = TaskWeaverEventHandler()
    send_failing_code(
        session, llm, told, [plan("divide"), code("1/0"), code("1"), final("done")], event_handler=handler
    )
    llm.script(*[Failure(status=500)] * 3)
    session.send_message("hello", event_handler=handler)

    assert outline(told) == snapshot("""\
invoke_workflow taskweaver
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
  invoke_agent CodeInterpreter
    - post.send_to='CodeInterpreter'
    execute_tool python ERROR: ZeroDivisionError: division by zero
      - error.type='ZeroDivisionError'  tool.call.arguments='{"code":"1/0"}'  tool.call.result='The execution
        of the generated python code above ha…'  execution_status='FAILURE'
  invoke_agent CodeInterpreter
    - post.attempt='2'  post.send_to='Planner'
    execute_tool python
      - tool.call.arguments='{"code":"1"}'  tool.call.result='The execution of the generated python code above
        ha…'  execution_status='SUCCESS'
  invoke_agent Planner
    - post.send_to='User'
invoke_workflow taskweaver ERROR: Exception: OpenAI API returned an API Error: Error code: 500 - scripted
  - error.type='Exception'
  invoke_agent Planner ERROR: Exception: OpenAI API returned an API Error: Error code: 500 - scripted
    - error.type='Exception'
""")


def test_handler_beside_hooks(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """With the hooks on, a handler adds nothing, registered and passed."""
    handler = TaskWeaverEventHandler()
    session.event_emitter.register(handler)
    llm.script(*GOOD)

    session.send_message("compute", event_handler=handler)

    session.event_emitter.unregister(handler)
    assert names(traced) == snapshot(
        [
            "invoke_workflow taskweaver",
            "  invoke_agent Planner",
            "    chat scripted-model",
            "  invoke_agent CodeInterpreter",
            "    chat scripted-model",
            "    execute_tool python",
            "  invoke_agent Planner",
            "    chat scripted-model",
        ]
    )


def test_no_stuttering(session: Any, llm: ScriptedLLM, told: Capture) -> None:
    """One handler registered twice and passed, and another one: everything is told once."""
    handler, other = TaskWeaverEventHandler(), TaskWeaverEventHandler()
    for _ in range(2):
        session.event_emitter.register(handler)
    session.event_emitter.register(other)
    llm.script(*GOOD)

    session.send_message("compute", event_handler=handler)

    for one in (handler, handler, other):
        session.event_emitter.unregister(one)
    assert names(told) == snapshot(
        [
            "invoke_workflow taskweaver",
            "  invoke_agent Planner",
            "  invoke_agent CodeInterpreter",
            "    execute_tool python",
            "  invoke_agent Planner",
        ]
    )


class Raising:
    """A handler of the user's that fails at one kind of event."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def handle(self, event: Any) -> None:
        """Raise when it comes."""
        if event.t.value == self.kind:
            raise RuntimeError(f"at {event.t.value}")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "round_start",
            snapshot("""\
invoke_workflow taskweaver ERROR: at round_start
  - error.type='RuntimeError'  round.state='failed'
"""),
        ),
        (
            "post_end",
            snapshot("""\
invoke_workflow taskweaver ERROR: RuntimeError: at post_end
  - error.type='RuntimeError'  round.state='failed'
  invoke_agent Planner ERROR: at post_end
    - error.type='RuntimeError'  post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
"""),
        ),
        (
            "round_end",
            snapshot("""\
invoke_workflow taskweaver ERROR: at round_end
  - error.type='RuntimeError'  round.state='failed'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
"""),
        ),
    ],
)
def test_raising_handler(app: Any, llm: ScriptedLLM, traced: Capture, kind: str, expected: str) -> None:
    """A handler of the user's that raises does what it does without us, and leaves no span open."""
    session = app.get_session()
    llm.script(final("hello"))

    with suppress(RuntimeError):
        session.send_message("hello", event_handler=Raising(kind))

    assert outline(traced) == expected


def test_leaked_registration(app: Any, llm: ScriptedLLM, told: Capture) -> None:
    """A handler that an exception has left registered is told everything twice by TaskWeaver, and tells it once."""
    session = app.get_session()
    handler = TaskWeaverEventHandler()
    session.event_emitter.register(Raising("round_start"))
    with pytest.raises(RuntimeError):
        session.send_message("hello", event_handler=handler)
    session.event_emitter.handlers.pop(0)
    llm.script(final("hello"))

    session.send_message("again", event_handler=handler)

    assert names(told) == snapshot(["invoke_workflow taskweaver", "  invoke_agent Planner"])


def test_round_that_never_began(app: Any, llm: ScriptedLLM, told: Capture) -> None:
    """A round that a handler of the user's breaks at its start is ended when the next one on the thread begins."""
    session = app.get_session()
    handler = TaskWeaverEventHandler()
    session.event_emitter.register(handler)
    with pytest.raises(RuntimeError):
        session.send_message("hello", event_handler=Raising("round_start"))
    session.event_emitter.handlers.pop()
    llm.script(final("hello"))

    session.send_message("again")

    assert outline(told) == snapshot("""\
invoke_workflow taskweaver ERROR: cancelled
  - error.type='cancelled'  round.state='created'
invoke_workflow taskweaver
  invoke_agent Planner
    - post.send_to='User'
""")
