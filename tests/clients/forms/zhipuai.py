"""The zhipuai package."""

from dataclasses import replace
from typing import Any

import zhipuai

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback.llm_server import Answer

ASKED = {"model": "glm-4", "messages": [{"role": "user", "content": QUESTION}]}

FORMS = Forms(
    client=lambda url: zhipuai.ZhipuAI(base_url=url, api_key="key.secret", max_retries=0, disable_token_cache=True),
    plain=lambda client: client.chat.completions.create(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    embed=lambda client: client.embeddings.create(model="embedding-3", input=["Paris", "Rome"]),
)

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
CONVERSATION = {"id": "task-1", "conversation_id": "conv_1", "agent_id": "agent-1"}
PICTURE = {"type": "video_url", "video_url": "https://example.com/paris.mp4"}
AGENT: dict[str, Any] = {"agent_id": "agent-1", "messages": ASKED["messages"]}
ASSISTANT: dict[str, Any] = {
    "assistant_id": "agent-1",
    "messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}],
    "conversation_id": "conv_0",
}
HELD = {**CONVERSATION, "assistant_id": "agent-1", "created": 1, "last_error": None, "metadata": None, "usage": USAGE}
SEARCH: dict[str, Any] = {"model": "web-search-pro", "messages": ASKED["messages"]}
INTENT = {"query": TEXT, "intent": "SEARCH_ALL", "keywords": "Paris", "city": "Paris"}


def _choice(said: dict[str, Any], reason: str | None = None, name: str = "delta") -> dict[str, Any]:
    return {"choices": [{"index": 0, name: said, "finish_reason": reason}]}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _agent(*, stream: bool) -> Answer:
    if not stream:
        said = {"role": "assistant", "content": [_text(TEXT), PICTURE]}
        return Answer.json({**CONVERSATION, "status": "success", "usage": USAGE, **_choice(said, "stop", "message")})
    pieces = [_text(TEXT[:9]), _text(TEXT[9:]), PICTURE]
    begun = [{**CONVERSATION, **_choice({"role": "assistant", "content": piece})} for piece in pieces]
    return Answer.events([*begun, {**CONVERSATION, **_choice({}, "stop"), "usage": USAGE}])


def _ran(**said: Any) -> dict[str, Any]:
    used = {"type": "code_interpreter", "code_interpreter": {"input": "", "outputs": [], "city": [], **said}}
    return {
        **HELD,
        "status": "in_progress",
        **_choice({"role": "tool", "type": "tool_calls", "tool_calls": [used]}, ""),
    }


def _wrote(text: str, reason: str, status: str) -> dict[str, Any]:
    return {**HELD, "status": status, **_choice({"role": "assistant", "type": "content", "content": text}, reason)}


def _assistant(*, stream: bool) -> Answer:
    """At once too, an answer says what it says as the chunks of a stream do: one choice for each."""
    output = {"type": "logs", "logs": "21", "error_msg": "", "city": "Paris"}
    chunks = [_ran(input="print("), _ran(input="21)"), _ran(outputs=[output]), _wrote(TEXT[:9], "", "in_progress")]
    chunks.append(_wrote(TEXT[9:], "stop", "completed"))
    if stream:
        return Answer.events(chunks)
    return Answer.json({**chunks[-1], "choices": [choice for chunk in chunks for choice in chunk["choices"]]})


def _search(*, stream: bool) -> Answer:
    said = {"role": "tool", "tool_calls": [{"id": "call_1", "type": "search_intent", "search_intent": INTENT}]}
    if not stream:
        return Answer.json({"id": "task-1", **_choice(said, "stop", "message")})
    chunks = [_choice({"role": "tool"}), _choice(said), _choice({}), _choice({}, "stop")]
    return Answer.events([{"id": "task-1", **chunk} for chunk in chunks])


OTHERS = {
    "agents": replace(
        FORMS,
        plain=lambda client: client.agents.invoke(**AGENT),
        stream=lambda client: client.agents.invoke(**AGENT, stream=True),
        answer=_agent,
    ),
    "assistant": replace(
        FORMS,
        plain=lambda client: client.assistant.conversation(**ASSISTANT),
        stream=lambda client: client.assistant.conversation(**ASSISTANT, stream=True),
        answer=_assistant,
    ),
    "search": replace(
        FORMS,
        plain=lambda client: client.tools.web_search(**SEARCH),
        stream=lambda client: client.tools.web_search(**SEARCH, stream=True),
        answer=_search,
    ),
}
