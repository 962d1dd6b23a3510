"""The mistralai package."""

from dataclasses import replace
from typing import Any

try:
    from mistralai.client import Mistral
except ImportError:  # before its second version
    from mistralai import Mistral

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback.llm_server import Answer
from tests.loopback.openai_server import answer, completion, events, response

ASKED = {"model": "mistral-large", "messages": [{"role": "user", "content": QUESTION}], "random_seed": 7}


def _answer(*, stream: bool, whole: dict[str, Any] | None = None) -> Answer:
    """Its client wants the call of a tool to come in one piece."""
    if not stream or whole is None:
        return answer(whole or completion(), stream=stream)
    (choice,) = whole["choices"]
    calls = [{**call, "index": index} for index, call in enumerate(choice["message"]["tool_calls"])]
    delta = {"role": "assistant", "content": "", "tool_calls": calls}
    return Answer.events(
        [{**whole, "choices": [{"index": 0, "delta": delta, "finish_reason": choice["finish_reason"]}]}]
    )


FORMS = Forms(
    answer=_answer,
    client=lambda url: Mistral(server_url=url, api_key="key"),
    async_client=lambda url: Mistral(server_url=url, api_key="key"),
    plain=lambda client: client.chat.complete(**ASKED),
    stream=lambda client: client.chat.stream(**ASKED),
    async_plain=lambda client: client.chat.complete_async(**ASKED),
    async_stream=lambda client: client.chat.stream_async(**ASKED),
    embed=lambda client: client.embeddings.create(model="mistral-embed", inputs=["Paris", "Rome"]),
)

OF_AGENT = {"agent_id": "ag-1", "messages": ASKED["messages"], "max_tokens": 100}
BETWEEN = {"model": "codestral", "prompt": QUESTION, "suffix": "In Paris.", "max_tokens": 100}

RESPONDING: dict[str, Any] = {"model": "mistral-large", "input": QUESTION, "max_output_tokens": 100}


def _whole(found: Any) -> Any:
    """The answer; a stream, where the server sends one unasked."""
    return found if hasattr(found, "output") else list(found)


ANSWERED = response(output=response()["output"][2:])

OTHERS = {
    "responses": replace(
        FORMS,
        plain=lambda client: _whole(client.responses.create(**RESPONDING)),
        stream=lambda client: client.responses.create(**RESPONDING, stream=True),
        async_plain=lambda client: client.responses.create_async(**RESPONDING),
        async_stream=lambda client: client.responses.create_async(**RESPONDING, stream=True),
        answer=lambda *, stream: Answer.events(events(ANSWERED), done=False) if stream else Answer.json(ANSWERED),
    ),
    "agents": replace(
        FORMS,
        plain=lambda client: client.agents.complete(**OF_AGENT),
        stream=lambda client: client.agents.stream(**OF_AGENT),
        async_plain=lambda client: client.agents.complete_async(**OF_AGENT),
        async_stream=lambda client: client.agents.stream_async(**OF_AGENT),
    ),
    "fim": replace(
        FORMS,
        plain=lambda client: client.fim.complete(**BETWEEN),
        stream=lambda client: client.fim.stream(**BETWEEN),
        async_plain=lambda client: client.fim.complete_async(**BETWEEN),
        async_stream=lambda client: client.fim.stream_async(**BETWEEN),
    ),
}
