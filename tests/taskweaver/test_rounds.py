"""Rounds of the real TaskWeaver with the hooks on: what the trace says when all goes well, and when it does not."""

import re
from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import Capture
from tests.loopback.taskweaver_llm import Cut, Failure, ScriptedLLM, code, final, plan
from tests.taskweaver.conftest import MakeApp, send_failing_code
from tests.taskweaver.shown import outline, whole

# A kernel that shuts down tells everybody; one that is killed says nothing, and TaskWeaver waits for three minutes.
DYING = """
import os, threading, time
kernel = get_ipython().kernel
kernel.session.send(kernel.iopub_socket, "shutdown_reply", {})
threading.Timer(1, os._exit, [3]).start()
time.sleep(60)
"""


def test_good_round(app: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """A round is one trace: the replies, the LLM call of each, the kernel's start and the code that ran.

    A kernel takes seconds to start.
    """
    session = app.get_session()
    llm.script(plan("compute 6*7"), code("print('so')\n6*7"), final("It is 42."))

    round_ = session.send_message("What is 6*7?")

    assert round_.post_list[-1].message == "It is 42."
    assert whole(traced) == snapshot(
        [
            {
                "name": "invoke_workflow taskweaver",
                "attributes": {
                    "agentops.tags": ["mine", "taskweaver"],
                    "gen_ai.conversation.id": "ID",
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"…',
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","conte…',
                    "gen_ai.workflow.name": "taskweaver",
                    "taskweaver.roles": ["planner", "code_interpreter"],
                    "taskweaver.round.id": "round-ID",
                    "taskweaver.round.index": 0,
                    "taskweaver.round.state": "finished",
                },
                "children": [
                    {
                        "name": "invoke_agent Planner",
                        "attributes": {
                            "agentops.tags": ["mine", "taskweaver"],
                            "gen_ai.agent.name": "Planner",
                            "gen_ai.conversation.id": "ID",
                            "gen_ai.operation.name": "invoke_agent",
                            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","conte…',
                            "taskweaver.current_plan_step": "1",
                            "taskweaver.init_plan": "1. compute",
                            "taskweaver.plan": "1. compute",
                            "taskweaver.plan_reasoning": "needs code",
                            "taskweaver.post.attempt": 1,
                            "taskweaver.post.id": "post-ID",
                            "taskweaver.post.send_to": "CodeInterpreter",
                            "taskweaver.stop": "InProcess",
                        },
                        "events": [
                            {"name": "taskweaver.status", "taskweaver.status": "composing prompt"},
                            {"name": "taskweaver.status", "taskweaver.status": "calling LLM endpoint"},
                            {"name": "taskweaver.status", "taskweaver.status": "receiving LLM response"},
                        ],
                        "children": [
                            {
                                "name": "chat scripted-model",
                                "kind": "CLIENT",
                                "attributes": {
                                    "agentops.tags": ["mine", "taskweaver"],
                                    "gen_ai.conversation.id": "ID",
                                    "gen_ai.input.messages": "(the prompt)",
                                    "gen_ai.operation.name": "chat",
                                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","conte…',
                                    "gen_ai.output.type": "json",
                                    "gen_ai.provider.name": "openai",
                                    "gen_ai.request.frequency_penalty": 0.0,
                                    "gen_ai.request.max_tokens": 1024,
                                    "gen_ai.request.model": "scripted-model",
                                    "gen_ai.request.presence_penalty": 0.0,
                                    "gen_ai.request.seed": 123456,
                                    "gen_ai.request.stop_sequences": ["<EOS>"],
                                    "gen_ai.request.stream": True,
                                    "gen_ai.request.temperature": 0.0,
                                    "gen_ai.request.top_p": 0.0,
                                    "gen_ai.response.finish_reasons": ["stop"],
                                    "gen_ai.response.id": "chatcmpl-1",
                                    "gen_ai.response.model": "scripted-model",
                                    "gen_ai.usage.input_tokens": 20,
                                    "gen_ai.usage.output_tokens": 7,
                                    "openai.api.type": "chat_completions",
                                    "server.address": "127.0.0.1",
                                },
                            }
                        ],
                    },
                    {
                        "name": "invoke_agent CodeInterpreter",
                        "attributes": {
                            "agentops.tags": ["mine", "taskweaver"],
                            "gen_ai.agent.name": "CodeInterpreter",
                            "gen_ai.conversation.id": "ID",
                            "gen_ai.operation.name": "invoke_agent",
                            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","conte…',
                            "taskweaver.post.attempt": 1,
                            "taskweaver.post.id": "post-ID",
                            "taskweaver.post.send_to": "Planner",
                            "taskweaver.reply_type": "python",
                            "taskweaver.thought": "simple",
                        },
                        "events": [
                            {"name": "taskweaver.status", "taskweaver.status": "generating code"},
                            {"name": "taskweaver.status", "taskweaver.status": "verifying code"},
                            {"name": "taskweaver.status", "taskweaver.status": "executing code"},
                        ],
                        "children": [
                            {
                                "name": "taskweaver.kernel.start",
                                "attributes": {
                                    "agentops.tags": ["mine", "taskweaver"],
                                    "gen_ai.conversation.id": "ID",
                                    "taskweaver.kernel.mode": "local",
                                },
                            },
                            {
                                "name": "chat scripted-model",
                                "kind": "CLIENT",
                                "attributes": {
                                    "agentops.tags": ["mine", "taskweaver"],
                                    "gen_ai.conversation.id": "ID",
                                    "gen_ai.input.messages": "(the prompt)",
                                    "gen_ai.operation.name": "chat",
                                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","conte…',
                                    "gen_ai.output.type": "json",
                                    "gen_ai.provider.name": "openai",
                                    "gen_ai.request.frequency_penalty": 0.0,
                                    "gen_ai.request.max_tokens": 1024,
                                    "gen_ai.request.model": "scripted-model",
                                    "gen_ai.request.presence_penalty": 0.0,
                                    "gen_ai.request.seed": 123456,
                                    "gen_ai.request.stop_sequences": ["<EOS>"],
                                    "gen_ai.request.stream": True,
                                    "gen_ai.request.temperature": 0.0,
                                    "gen_ai.request.top_p": 0.0,
                                    "gen_ai.response.finish_reasons": ["stop"],
                                    "gen_ai.response.id": "chatcmpl-1",
                                    "gen_ai.response.model": "scripted-model",
                                    "gen_ai.usage.input_tokens": 20,
                                    "gen_ai.usage.output_tokens": 7,
                                    "openai.api.type": "chat_completions",
                                    "server.address": "127.0.0.1",
                                },
                            },
                            {
                                "name": "execute_tool python",
                                "attributes": {
                                    "agentops.tags": ["mine", "taskweaver"],
                                    "gen_ai.conversation.id": "ID",
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.tool.call.arguments": '{"code":"print(\'so\')\\n6*7"}',
                                    "gen_ai.tool.call.id": "post-ID",
                                    "gen_ai.tool.call.result": '{"output":42,"stdout":"so\\n"}',
                                    "gen_ai.tool.name": "python",
                                    "taskweaver.artifact.count": 0,
                                    "taskweaver.execution_status": "SUCCESS",
                                    "taskweaver.kernel.mode": "local",
                                },
                            },
                        ],
                    },
                    {
                        "name": "invoke_agent Planner",
                        "attributes": {
                            "agentops.tags": ["mine", "taskweaver"],
                            "gen_ai.agent.name": "Planner",
                            "gen_ai.conversation.id": "ID",
                            "gen_ai.operation.name": "invoke_agent",
                            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","conte…',
                            "taskweaver.current_plan_step": "1",
                            "taskweaver.init_plan": "1. compute",
                            "taskweaver.plan": "1. compute",
                            "taskweaver.plan_reasoning": "needs code",
                            "taskweaver.post.attempt": 1,
                            "taskweaver.post.id": "post-ID",
                            "taskweaver.post.send_to": "User",
                            "taskweaver.stop": "Completed",
                        },
                        "events": [
                            {"name": "taskweaver.status", "taskweaver.status": "composing prompt"},
                            {"name": "taskweaver.status", "taskweaver.status": "calling LLM endpoint"},
                            {"name": "taskweaver.status", "taskweaver.status": "receiving LLM response"},
                        ],
                        "children": [
                            {
                                "name": "chat scripted-model",
                                "kind": "CLIENT",
                                "attributes": {
                                    "agentops.tags": ["mine", "taskweaver"],
                                    "gen_ai.conversation.id": "ID",
                                    "gen_ai.input.messages": "(the prompt)",
                                    "gen_ai.operation.name": "chat",
                                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","conte…',
                                    "gen_ai.output.type": "json",
                                    "gen_ai.provider.name": "openai",
                                    "gen_ai.request.frequency_penalty": 0.0,
                                    "gen_ai.request.max_tokens": 1024,
                                    "gen_ai.request.model": "scripted-model",
                                    "gen_ai.request.presence_penalty": 0.0,
                                    "gen_ai.request.seed": 123456,
                                    "gen_ai.request.stop_sequences": ["<EOS>"],
                                    "gen_ai.request.stream": True,
                                    "gen_ai.request.temperature": 0.0,
                                    "gen_ai.request.top_p": 0.0,
                                    "gen_ai.response.finish_reasons": ["stop"],
                                    "gen_ai.response.id": "chatcmpl-1",
                                    "gen_ai.response.model": "scripted-model",
                                    "gen_ai.usage.input_tokens": 20,
                                    "gen_ai.usage.output_tokens": 7,
                                    "openai.api.type": "chat_completions",
                                    "server.address": "127.0.0.1",
                                },
                            }
                        ],
                    },
                ],
            }
        ]
    )


def test_rounds_of_a_session(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """Each round is a trace of its own, linked with the round before; the session's id ties them."""
    llm.script(final("one"), final("two"))

    session.send_message("first")
    session.send_message("second", files=[{"name": "a.csv", "content": b"1"}])

    first, second = [span for span in traced.spans if span.parent is None]
    assert first.context
    assert second.context
    assert [link.context.span_id for link in second.links] == [first.context.span_id]
    assert first.context.trace_id != second.context.trace_id
    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
invoke_workflow taskweaver
  - file.count='1'  round.state='finished'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


def test_code_is_corrected(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """Code that fails fails its own span alone; the second try is a sibling that says it is the second."""
    answers = [plan("divide"), code("1/0"), code("'ok'"), final("done")]

    send_failing_code(session, llm, traced, answers)

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python ERROR: ZeroDivisionError: division by zero
      - error.type='ZeroDivisionError'  tool.call.arguments='{"code":"1/0"}'
        tool.call.result='{"error":"Traceback (most recent call last):\\\\n\\\\n Ce…'  execution_status='FAILURE'
  invoke_agent CodeInterpreter
    - post.attempt='2'  post.send_to='Planner'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python
      - tool.call.arguments='{"code":"\\'ok\\'"}'  tool.call.result='{"output":"ok"}'
        execution_status='SUCCESS'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


def test_retries_exhausted(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """A round in which no code ever ran through is still a finished round."""
    answers = [plan("divide"), *[code("1/0")] * 4, final("I give up")]

    send_failing_code(session, llm, traced, answers, failures=4)

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python ERROR: ZeroDivisionError: division by zero
      - error.type='ZeroDivisionError'  tool.call.arguments='{"code":"1/0"}'
        tool.call.result='{"error":"Traceback (most recent call last):\\\\n\\\\n Ce…'  execution_status='FAILURE'
  invoke_agent CodeInterpreter
    - post.attempt='2'  post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python ERROR: ZeroDivisionError: division by zero
      - error.type='ZeroDivisionError'  tool.call.arguments='{"code":"1/0"}'
        tool.call.result='{"error":"Traceback (most recent call last):\\\\n\\\\n Ce…'  execution_status='FAILURE'
  invoke_agent CodeInterpreter
    - post.attempt='3'  post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python ERROR: ZeroDivisionError: division by zero
      - error.type='ZeroDivisionError'  tool.call.arguments='{"code":"1/0"}'
        tool.call.result='{"error":"Traceback (most recent call last):\\\\n\\\\n Ce…'  execution_status='FAILURE'
  invoke_agent CodeInterpreter
    - post.attempt='4'  post.send_to='Planner'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python ERROR: ZeroDivisionError: division by zero
      - error.type='ZeroDivisionError'  tool.call.arguments='{"code":"1/0"}'
        tool.call.result='{"error":"Traceback (most recent call last):\\\\n\\\\n Ce…'  execution_status='FAILURE'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


def test_planner_answers_nonsense(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """A reply that TaskWeaver cannot read is a failed attempt, with what was said, and not a failed round.

    It stops reading there: whether the usage, which comes last, has been read by then is a matter of time.
    """
    llm.script("this is not JSON", final("better"))

    session.send_message("plan something")

    assert re.sub(r" +- usage.*\n", "", outline(traced)) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner ERROR: Failed to parse LLM output due to Missing elements: send_to, message, init_plan,
    plan, current_plan_step in the `response` element
    - error.type='invalid_response'  post.send_to='Planner'
    chat scripted-model
  invoke_agent Planner
    - post.attempt='2'  post.send_to='User'
    chat scripted-model
""")


def test_coder_answers_nonsense(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """The CodeInterpreter asks itself again when its LLM writes no code."""
    llm.script(plan("code it"), "this is not JSON", code("'ok'"), final("done"))

    session.send_message("code something")

    # TaskWeaver leaves the stream where it is no JSON: the usage, which comes last, has been read by then or has not.
    left = "error.type='invalid_response'  post.send_to='CodeInterpreter'\n    chat scripted-model\n"
    shown = outline(traced).replace(f"{left}      - usage.input_tokens='20'  usage.output_tokens='7'\n", left)
    assert shown == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter ERROR: Failed to generate code.
    - error.type='invalid_response'  post.send_to='CodeInterpreter'
    chat scripted-model
  invoke_agent CodeInterpreter
    - post.attempt='2'  post.send_to='Planner'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python
      - tool.call.arguments='{"code":"\\'ok\\'"}'  tool.call.result='{"output":"ok"}'
        execution_status='SUCCESS'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            429,
            snapshot("""\
invoke_workflow taskweaver ERROR: Exception: OpenAI API request exceeded rate limit: Error code: 429 -
  scripted
  - error.type='Exception'  round.state='failed'
  invoke_agent Planner ERROR: OpenAI API request exceeded rate limit: Error code: 429 - scripted
    - error.type='Exception'
    chat scripted-model ERROR: Error code: 429 - scripted
      - error.type='openai.RateLimitError'
"""),
        ),
        (
            500,
            snapshot("""\
invoke_workflow taskweaver ERROR: Exception: OpenAI API returned an API Error: Error code: 500 - scripted
  - error.type='Exception'  round.state='failed'
  invoke_agent Planner ERROR: OpenAI API returned an API Error: Error code: 500 - scripted
    - error.type='Exception'
    chat scripted-model ERROR: Error code: 500 - scripted
      - error.type='openai.InternalServerError'
"""),
        ),
    ],
)
def test_llm_refuses(session: Any, llm: ScriptedLLM, traced: Capture, status: int, expected: str) -> None:
    """An LLM that answers with an error fails the call, the reply and the round."""
    llm.script(*[Failure(status=status)] * 3)

    session.send_message("hello")

    assert outline(traced) == expected


def test_stream_is_cut(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """A stream that breaks off fails the call, the reply and the round."""
    llm.script(Cut(text=plan("never arrives")[:60]))

    session.send_message("hello")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver ERROR: Exception: OpenAI API request failed to connect: Connection error.
  - error.type='Exception'  round.state='failed'
  invoke_agent Planner ERROR: OpenAI API request failed to connect: Connection error.
    - error.type='Exception'
    chat scripted-model ERROR: Connection error.
      - error.type='openai.APIConnectionError'
""")


def test_verification_refuses(make_app: MakeApp, llm: ScriptedLLM, traced: Capture) -> None:
    """Code that verification refuses is not run: the reply says why and fails; verified code says it was."""
    session = make_app(**{"code_interpreter.code_verification_on": True}).get_session()
    llm.script(plan("read it"), code("import subprocess"), code("'fine'"), final("done"))

    session.send_message("read a file")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter ERROR: Error on line 1: import subprocess => Importing module 'subprocess' is
    not allowed.
    - error.type='verification_failed'  code_error='Error on line 1: import subprocess => Importing mod…'
      post.send_to='CodeInterpreter'  reply_content='import subprocess'  verification='INCORRECT'
    taskweaver.kernel.start
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter
    - post.attempt='2'  post.send_to='Planner'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python
      - tool.call.arguments='{"code":"\\'fine\\'"}'  tool.call.result='{"output":"fine"}'
        execution_status='SUCCESS'  verification='CORRECT'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


def test_kernel_dies(app: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """A kernel that dies fails the execution, the reply and the round, and leaves nothing open."""
    session = app.get_session()
    llm.script(plan("die"), code(DYING))

    session.send_message("die")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver ERROR: KeyError: 'msg_id'
  - error.type='KeyError'  round.state='failed'
  invoke_agent Planner
    - post.send_to='CodeInterpreter'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
  invoke_agent CodeInterpreter ERROR: 'msg_id'
    - error.type='KeyError'  post.send_to='Planner'
    taskweaver.kernel.start
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python ERROR: 'msg_id'
      - error.type='KeyError'  tool.call.arguments='{"code":"\\\\nimport os, threading, time\\\\nkernel = get…'
""")


def test_unknown_recipient(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """A reply to nobody fails the round only."""
    llm.script(plan("hello?", to="Nobody"))

    session.send_message("hello")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver ERROR: Exception: Unknown recipient Nobody
  - error.type='Exception'  round.state='failed'
  invoke_agent Planner
    - post.send_to='Nobody'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


def test_no_planner(make_app: MakeApp, llm: ScriptedLLM, traced: Capture) -> None:
    """Without a planner the worker's replies are the round."""
    session = make_app(**{"session.roles": ["code_interpreter"]}).get_session()
    llm.script(code("40+2"))

    session.send_message("compute")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent CodeInterpreter
    - post.send_to='Planner'
    taskweaver.kernel.start
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
    execute_tool python
      - tool.call.arguments='{"code":"40+2"}'  tool.call.result='{"output":42}'  execution_status='SUCCESS'
""")
