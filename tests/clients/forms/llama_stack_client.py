"""The llama_stack_client package."""

from dataclasses import replace
from typing import Any

from llama_stack_client import AsyncLlamaStackClient, LlamaStackClient

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback.llm_server import Answer
from tests.loopback.openai_server import chunks, completion, events, response

ASKED = {"model": "llama-4", "messages": [{"role": "user", "content": QUESTION}]}


def _answer(*, stream: bool, whole: dict[str, Any] | None = None) -> Answer:
    """Its server ends a stream without the mark that OpenAI's has, and its client does not know that one."""
    said = whole or completion()
    return Answer.events(chunks(said), done=False) if stream else Answer.json(said)


FORMS = Forms(
    client=lambda url: LlamaStackClient(base_url=url, max_retries=0),
    async_client=lambda url: AsyncLlamaStackClient(base_url=url, max_retries=0),
    plain=lambda client: client.chat.completions.create(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    answer=_answer,
    embed=lambda client: client.embeddings.create(model="all-minilm", input=["Paris", "Rome"]),
)

METRICS = [{"metric": "prompt_tokens", "value": 11}, {"metric": "completion_tokens", "value": 7}]
CALL = {"call_id": "call_1", "tool_name": "weather", "arguments": {"city": "Paris"}, "arguments_json": "{}"}
SAMPLING = {"strategy": {"type": "top_p", "temperature": 0.5, "top_p": 0.9}, "max_tokens": 100}
MESSAGES = [
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": "", "stop_reason": "end_of_turn", "tool_calls": [CALL]},
    {"role": "tool", "call_id": "call_1", "content": "21"},
]
TOOL = {"tool_name": "weather", "description": "How it is.", "parameters": {"city": {"param_type": "string"}}}
OLDER: dict[str, Any] = {"model_id": "llama-3.2", "messages": MESSAGES, "sampling_params": SAMPLING, "tools": [TOOL]}
PROMPT: dict[str, Any] = {"model_id": "llama-3.2", "content": QUESTION, "sampling_params": SAMPLING}


def _event(kind: str, delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"event": {"event_type": kind, "delta": delta, **more}}


MESSAGE = {"role": "assistant", "content": TEXT, "stop_reason": "end_of_turn", "tool_calls": [CALL]}
CHATTED = {
    False: Answer.json({"completion_message": MESSAGE, "metrics": METRICS}),
    True: Answer.events(
        [
            _event("start", {"type": "text", "text": ""}),
            _event("progress", {"type": "text", "text": TEXT[:9]}),
            _event("progress", {"type": "text", "text": TEXT[9:]}),
            _event("progress", {"type": "tool_call", "tool_call": '{"ci', "parse_status": "in_progress"}),
            _event("progress", {"type": "tool_call", "tool_call": CALL, "parse_status": "succeeded"}),
            {
                **_event("complete", {"type": "text", "text": ""}, stop_reason="end_of_turn"),
                "metrics": METRICS,
            },
        ],
        done=False,
    ),
}
CONTINUED = {
    False: Answer.json({"content": TEXT, "stop_reason": "end_of_turn", "metrics": METRICS}),
    True: Answer.events(
        [{"delta": TEXT[:9]}, {"delta": TEXT[9:]}, {"delta": "", "stop_reason": "end_of_turn", "metrics": METRICS}],
        done=False,
    ),
}

RESPONDED = response(output=response()["output"][2:])
RESPONDING: dict[str, Any] = {"model": "llama-4", "input": QUESTION}

BATCH = {"model_id": "llama-3.2", "sampling_params": SAMPLING}
CHATS = [[{"role": "user", "content": QUESTION}]]
SAID = {"role": "assistant", "content": TEXT, "stop_reason": "end_of_turn"}
USED = {
    "step_type": "tool_execution",
    "step_id": "step-1",
    "turn_id": "turn-1",
    "tool_calls": [CALL],
    "tool_responses": [{"call_id": "call_1", "tool_name": "weather", "content": "21"}],
}
TURNED = {
    "turn_id": "turn-1",
    "session_id": "session-1",
    "input_messages": [],
    "steps": [USED],
    "output_message": SAID,
    "started_at": "2026-01-01T00:00:00Z",
}
TURN = {"agent_id": "agent-1", "session_id": "session-1"}
BEGIN = {**TURN, "messages": CHATS[0]}
RESUME = {**TURN, "turn_id": "turn-1", "tool_responses": USED["tool_responses"]}


def _progress(text: str) -> dict[str, Any]:
    payload = {"step_type": "inference", "step_id": "step-2", "delta": {"type": "text", "text": text}}
    return {"event": {"payload": {"event_type": "step_progress", **payload}}}


def _turned(*, stream: bool) -> Answer:
    if not stream:
        return Answer.json(TURNED)
    start = {"event": {"payload": {"event_type": "turn_start", "turn_id": "turn-1"}}}
    end = {"event": {"payload": {"event_type": "turn_complete", "turn": TURNED}}}
    return Answer.events([start, _progress(TEXT[:9]), _progress(TEXT[9:]), end], done=False)


OTHERS = {
    "batch": replace(
        FORMS,
        plain=lambda client: client.inference.batch_chat_completion(messages_batch=CHATS, **BATCH),
        stream=Forms.stream,
        answer=lambda *, stream: Answer.json({"batch": [{"completion_message": SAID}]}),
    ),
    "batch_completion": replace(
        FORMS,
        plain=lambda client: client.inference.batch_completion(content_batch=[QUESTION], **BATCH),
        stream=Forms.stream,
        answer=lambda *, stream: Answer.json({"batch": [{"content": TEXT, "stop_reason": "end_of_turn"}]}),
    ),
    "turn": replace(
        FORMS,
        plain=lambda client: client.agents.turn.create(**BEGIN),
        stream=lambda client: client.agents.turn.create(**BEGIN, stream=True),
        answer=_turned,
    ),
    "resume": replace(
        FORMS,
        plain=lambda client: client.agents.turn.resume(**RESUME),
        stream=lambda client: client.agents.turn.resume(**RESUME, stream=True),
        answer=_turned,
    ),
    "responses": replace(
        FORMS,
        plain=lambda client: client.responses.create(**RESPONDING),
        stream=lambda client: client.responses.create(**RESPONDING, stream=True),
        answer=lambda *, stream: Answer.events(events(RESPONDED), done=False) if stream else Answer.json(RESPONDED),
    ),
    "inference": replace(
        FORMS,
        plain=lambda client: client.inference.chat_completion(**OLDER),
        stream=lambda client: client.inference.chat_completion(**OLDER, stream=True),
        embed=lambda client: client.inference.embeddings(model_id="all-minilm", contents=["Paris", "Rome"]),
        answer=lambda *, stream: CHATTED[stream],
        vectors=Answer.json({"embeddings": [[0.25, -0.5]] * 2}),
    ),
    "completion": replace(
        FORMS,
        plain=lambda client: client.inference.completion(**PROMPT),
        stream=lambda client: client.inference.completion(**PROMPT, stream=True),
        answer=lambda *, stream: CONTINUED[stream],
    ),
}
