"""Calls for which a client sends several requests, from threads too: one span each; and answers that come later."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import pytest

from tests.clients.capture import Captured, capture
from tests.clients.contract import pytestmark
from tests.clients.forms.form import QUESTION, TEXT, forms_of
from tests.loopback.llm_server import Answer, LlmServer

__all__ = ["pytestmark"]

MANY = {"model": "embed-v3", "texts": ["Paris"] * 200, "input_type": "search_document"}
ONCE: dict[str, Any] = {"poll_interval_sec": 0, "poll_timeout_sec": 60}
STARTED = Answer.json({"id": "run-1", "status": "in_progress", "result": None})
ENDED = Answer.json({"id": "run-1", "status": "completed", "result": {"warm": TEXT}})
AGENT = Answer.json(
    {
        **dict.fromkeys(("id", "name", "organization_id", "user_id"), "agent-1"),
        **dict.fromkeys(("created_at", "updated_at"), "2026-01-01T00:00:00Z"),
    }
)
VECTORS = {"id": "1", "response_type": "embeddings_floats", "texts": [], "embeddings": [[0.25, -0.5]] * 96}

CALLS: dict[str, tuple[Callable[[Any], Any], Sequence[Answer], str]] = {
    "cohere:chat": (lambda client: client.embed(**MANY), [Answer.json(VECTORS)] * 3, "embeddings embed-v3"),
    "cohere:chat streamed": (
        lambda client: list(client.embed_stream(**MANY, batch_size=100)),
        [Answer.json(VECTORS)] * 2,
        "embeddings embed-v3",
    ),
    "ai21": (
        lambda client: client.beta.maestro.runs.create_and_poll(input=QUESTION, **ONCE),
        [STARTED, STARTED, ENDED],
        "invoke_agent maestro",
    ),
    "ai21 agent": (
        lambda client: client.beta.agents.runs.create_and_poll("agent-1", input=QUESTION, **ONCE),
        [AGENT, STARTED, STARTED, ENDED],
        "invoke_agent",
    ),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_however_many_requests_a_call_has_one_span(
    call: str, asynchronous: bool, captured: Captured, server: LlmServer
) -> None:
    """Batches of texts, runs that are asked after until they end: told by the call that the program makes."""
    ask, answers, name = CALLS[call]
    client = forms_of(call.partition(" ")[0])
    for answer in answers:
        server.answer(answer)

    if not asynchronous:
        with client.client(server.url) as opened:
            ask(opened)
    elif call == "cohere:chat streamed":
        pytest.skip("the asynchronous client has no such method")
    else:
        asyncio.run(_asked(client.async_client, server.url, ask))

    (span,) = captured.spans
    assert len(server.requests) == len(answers)
    assert span.name == name
    said = span.attributes or {}
    assert said.get("gen_ai.embeddings.dimension.count", 2) == 2
    assert said.get("gen_ai.agent.id", "agent-1") == "agent-1"
    if "ai21" in call:
        assert TEXT in str(said["gen_ai.output.messages"])
        assert said["gen_ai.response.finish_reasons"] == ("stop",)


async def _asked(open_client: Any, url: str, ask: Callable[[Any], Any]) -> None:
    async with open_client(url) as opened:
        await ask(opened)


def test_a_run_that_is_asked_after_later_is_linked(captured: Captured, server: LlmServer) -> None:
    """One span that starts it, and one a look at it, however many requests that takes."""
    for answer in (STARTED, STARTED, STARTED, Answer.json({"id": "run-1", "status": "failed", "result": None})):
        server.answer(answer)

    with forms_of("ai21").client(server.url) as client:
        runs = client.beta.maestro.runs
        run = runs.create(input=QUESTION)
        runs.retrieve(run.id)
        runs.poll_for_status(run_id=run.id, **ONCE)

    started, looked, ended = captured.spans
    assert [span.name for span in captured.spans] == ["invoke_agent maestro", "fetch_response", "fetch_response"]
    assert [link.context for link in (*looked.links, *ended.links)] == [started.context] * 2
    assert [(span.attributes or {}).get("error.type") for span in captured.spans] == [None, None, "_OTHER"]


def test_an_agent_of_zhipu_that_answers_later_is_linked(captured: Captured, server: LlmServer) -> None:
    """One span that asks, and one a look at the answer, without tokens; one that failed says so."""
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    choices = [{"index": 0, "finish_reason": "stop", "messages": [{"role": "assistant", "content": TEXT}]}]
    for answer in (
        {"agent_id": "agent-1", "async_id": "later-1", "status": "pending", "choices": []},
        {"agent_id": "agent-1", "status": "success", "choices": choices, "usage": usage},
        {"agent_id": "agent-1", "status": "failed", "choices": [], "error": {"code": "1234", "message": "no"}},
    ):
        server.answer(Answer.json(answer))

    with forms_of("zhipuai").client(server.url) as client:
        client.agents.invoke(agent_id="agent-1", messages=[{"role": "user", "content": QUESTION}])
        for _ in range(2):
            client.agents.async_result(agent_id="agent-1", async_id="later-1")

    asked, fetched, failed = captured.spans
    assert [span.name for span in captured.spans] == ["invoke_agent", "fetch_response", "fetch_response"]
    assert [link.context for link in (*fetched.links, *failed.links)] == [asked.context] * 2
    assert TEXT in str((fetched.attributes or {})["gen_ai.output.messages"])
    assert not [name for name in fetched.attributes or {} if name.startswith("gen_ai.usage.")]
    assert (failed.attributes or {})["error.type"] == "1234"


def test_what_a_watsonx_gateway_is_made_of_is_forgotten_with_it(server: LlmServer) -> None:
    """Each gateway has classes of its own: wrapped or not, they go when it goes."""
    client = forms_of("ibm_watsonx_ai:own")

    with capture() as captured:
        server.answer(client.answer(stream=False))
        with client.client(server.url) as gateway:
            client.plain(gateway)
            kind = ref(type(gateway.embeddings))
        del gateway
        gc.collect()

    assert len(captured.spans) == 1
    assert kind() is None
