"""Calls of the litellm package, run in a process of their own: litellm leaves threads and event loops behind."""

import asyncio
import contextlib
import functools
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from agentops_otel import guard
from tests.clients.capture import capture
from tests.loopback import anthropic_server, openai_server
from tests.loopback.llm_server import Answer, LlmServer

# Not everyone who checks these tests has it.
litellm: Any = importlib.import_module("litellm")

bound = litellm.completion
"""Taken out of the module before anything is wrapped, as `from litellm import completion` does."""
async_bound = litellm.acompletion
bound_embedding = litellm.embedding
in_main = importlib.import_module("litellm.main").completion
in_part = functools.partial(litellm.completion, timeout=60)

ASKED: dict[str, Any] = {
    "model": "openai/gpt-4.1",
    "messages": [{"role": "user", "content": "How warm is it in Paris?"}],
    "temperature": 0.5,
    "api_key": "key",
}


def plain(base: str) -> None:
    """The function."""
    litellm.completion(**ASKED, api_base=base)


class Weather(BaseModel):
    """What the answer is to be."""

    degrees: int


def of_a_class(base: str) -> None:
    """The answer is to be of a pydantic class."""
    litellm.completion(**ASKED, api_base=base, response_format=Weather)


def streamed(base: str) -> None:
    """The function, streamed."""
    list(litellm.completion(**ASKED, api_base=base, stream=True))


def async_plain(base: str) -> None:
    """The asynchronous function."""
    asyncio.run(litellm.acompletion(**ASKED, api_base=base))


def async_streamed(base: str) -> None:
    """The asynchronous function, streamed."""

    async def run() -> None:
        async for _ in await litellm.acompletion(**ASKED, api_base=base, stream=True):
            pass

    asyncio.run(run())


def router(base: str) -> Any:
    """A Router of one model."""
    known = {"model": "openai/gpt-4.1", "api_key": "key", "api_base": base}
    return litellm.Router(model_list=[{"model_name": "gpt", "litellm_params": known}])


def routed(base: str) -> None:
    """Through a Router."""
    router(base).completion(model="gpt", messages=ASKED["messages"], temperature=0.5)


def async_routed_streamed(base: str) -> None:
    """Through a Router, asynchronous and streamed."""

    async def run() -> None:
        stream = await router(base).acompletion(model="gpt", messages=ASKED["messages"], temperature=0.5, stream=True)
        async for _ in stream:
            pass

    asyncio.run(run())


def bound_plain(base: str) -> None:
    """The function that was imported by name."""
    bound(**ASKED, api_base=base)


def bound_in_main(base: str) -> None:
    """The function of the module beneath, as `from litellm.main import completion` has it."""
    in_main(**ASKED, api_base=base)


def bound_in_part(base: str) -> None:
    """A part of the arguments is there from before."""
    in_part(**ASKED, api_base=base)


def retried(base: str) -> None:
    """A refusal that litellm itself asks again after."""
    litellm.completion(**ASKED, api_base=base, num_retries=2)


def bound_retried(base: str) -> None:
    """The same by the function that was imported by name."""
    bound(**ASKED, api_base=base, num_retries=2)


def bound_streamed(base: str) -> None:
    """The same, streamed."""
    stream = bound(**ASKED, api_base=base, stream=True)
    assert isinstance(stream, litellm.CustomStreamWrapper)
    list(stream)


def async_bound_plain(base: str) -> None:
    """The asynchronous function that was imported by name."""
    asyncio.run(async_bound(**ASKED, api_base=base))


def async_bound_streamed(base: str) -> None:
    """The same, streamed."""

    async def run() -> None:
        async for _ in await async_bound(**ASKED, api_base=base, stream=True):
            pass

    asyncio.run(run())


def bound_vectors(base: str) -> None:
    """A vector, by the function that was imported by name."""
    bound_embedding(model="openai/embed-test", input=["warm"], api_key="key", api_base=base)


def anthropic(base: str) -> None:
    """A model of Anthropic, which litellm asks without Anthropic's client."""
    litellm.completion(model="anthropic/claude-test", messages=ASKED["messages"], api_key="key", api_base=base)


def anthropic_streamed(base: str) -> None:
    """The same, streamed."""
    stream = litellm.completion(
        model="anthropic/claude-test", messages=ASKED["messages"], api_key="key", api_base=base, stream=True
    )
    assert isinstance(stream, litellm.CustomStreamWrapper)
    list(stream)


def by_azure(base: str, **more: Any) -> Any:
    """A model of Azure's, which litellm asks with a client of the openai package."""
    azure = {"model": "azure/gpt-4.1", "api_version": "2025-01-01"}
    return litellm.completion(**{**ASKED, **azure}, api_base=base, **more)


def by_azure_streamed(base: str) -> None:
    """The same, streamed."""
    list(by_azure(base, stream=True))


def by_groq_streamed(base: str) -> None:
    """One of those that litellm asks by itself."""
    list(litellm.completion(**{**ASKED, "model": "groq/gpt-4.1"}, api_base=base, stream=True))


def by_huggingface(base: str) -> None:
    """Another one, whose name is not the conventions'."""
    litellm.completion(**{**ASKED, "model": "huggingface/gpt-4.1"}, api_base=base)


PROMPT: dict[str, Any] = {"model": "openai/gpt-5", "input": "How warm is it in Paris?", "api_key": "key"}
MESSAGES: dict[str, Any] = {
    "model": "anthropic/claude-test",
    "max_tokens": 100,
    "messages": ASKED["messages"],
    "api_key": "key",
}


def responses(base: str) -> None:
    """The Responses API."""
    litellm.responses(**PROMPT, api_base=base)


def responses_streamed(base: str) -> None:
    """The same, streamed."""
    list(litellm.responses(**PROMPT, api_base=base, stream=True))


def async_responses(base: str) -> None:
    """The same, asynchronous."""
    asyncio.run(litellm.aresponses(**PROMPT, api_base=base))


def async_responses_streamed(base: str) -> None:
    """The same, asynchronous and streamed."""
    asyncio.run(_read(litellm.aresponses(**PROMPT, api_base=base, stream=True)))


async def _read(answering: Any) -> None:
    async for _ in await answering:
        pass


def _routed(base: str, params: dict[str, Any]) -> Any:
    known = {"model": params["model"], "api_key": "key", "api_base": base}
    return litellm.Router(model_list=[{"model_name": "routed", "litellm_params": known}])


def routed_responses(base: str) -> None:
    """The Responses API, through a Router."""
    _routed(base, PROMPT).responses(model="routed", input=PROMPT["input"])


def async_routed_responses_streamed(base: str) -> None:
    """The same, asynchronous and streamed."""
    asyncio.run(_read(_routed(base, PROMPT).aresponses(model="routed", input=PROMPT["input"], stream=True)))


def anthropic_messages(base: str) -> None:
    """Anthropic's API."""
    asyncio.run(litellm.anthropic.messages.acreate(**MESSAGES, api_base=base))


def anthropic_messages_routed(base: str) -> None:
    """The same, through a Router."""
    messages = {name: MESSAGES[name] for name in ("max_tokens", "messages")}
    asyncio.run(_routed(base, MESSAGES).aanthropic_messages(model="routed", **messages))


def embedding(base: str) -> None:
    """A vector."""
    litellm.embedding(model="openai/embed-test", input=["warm"], api_key="key", api_base=base)


def left(base: str) -> None:
    """A stream that is dropped after a chunk."""
    next(litellm.completion(**ASKED, api_base=base, stream=True))


def refused(base: str) -> None:
    """An error."""
    try:
        litellm.completion(**ASKED, api_base=base)
    except litellm.BadRequestError:
        return
    raise AssertionError


TOLD = openai_server.completion()
RESPONSE = openai_server.response()
REFUSED = Answer.json({"error": {"message": "How warm? It is 21 degrees"}}, 400)
CALLS: dict[Callable[[str], None], Answer] = {
    plain: openai_server.answer(TOLD, stream=False),
    of_a_class: openai_server.answer(TOLD, stream=False),
    async_plain: openai_server.answer(TOLD, stream=False),
    routed: openai_server.answer(TOLD, stream=False),
    streamed: openai_server.answer(TOLD, stream=True),
    async_streamed: openai_server.answer(TOLD, stream=True),
    async_routed_streamed: openai_server.answer(TOLD, stream=True),
    bound_plain: openai_server.answer(TOLD, stream=False),
    async_bound_plain: openai_server.answer(TOLD, stream=False),
    bound_in_part: openai_server.answer(TOLD, stream=False),
    retried: openai_server.answer(TOLD, stream=False),
    bound_retried: openai_server.answer(TOLD, stream=False),
    bound_in_main: openai_server.answer(TOLD, stream=False),
    bound_streamed: openai_server.answer(TOLD, stream=True),
    async_bound_streamed: openai_server.answer(TOLD, stream=True),
    bound_vectors: openai_server.embeddings([0.1, 0.2]),
    anthropic: anthropic_server.answer(anthropic_server.text(), stream=False),
    anthropic_streamed: anthropic_server.answer(anthropic_server.text(), stream=True),
    by_azure: openai_server.answer(TOLD, stream=False),
    by_azure_streamed: openai_server.answer(TOLD, stream=True),
    by_groq_streamed: openai_server.answer(TOLD, stream=True),
    by_huggingface: openai_server.answer(TOLD, stream=False),
    **dict.fromkeys((responses, async_responses, routed_responses), Answer.json(RESPONSE)),
    **dict.fromkeys(
        (responses_streamed, async_responses_streamed, async_routed_responses_streamed),
        Answer.events(openai_server.events(RESPONSE)),
    ),
    **dict.fromkeys(
        (anthropic_messages, anthropic_messages_routed),
        anthropic_server.answer(anthropic_server.text(), stream=False),
    ),
    embedding: openai_server.embeddings([0.1, 0.2]),
    left: openai_server.answer(TOLD, stream=True),
    refused: Answer.json({"error": {"message": "no"}}, 400),
}


def told() -> dict[str, Any]:
    """The attributes of each call's spans."""
    found = {}
    for call, answer in CALLS.items():
        with LlmServer() as server, capture() as captured:
            server.answer(REFUSED, times="retried" in call.__name__)
            server.answer(answer)
            call(server.url if "anthropic" in call.__name__ else f"{server.url}/v1")
            found[call.__name__] = _without_port(captured.tree(), server)
    return found


def _without_port(tree: list[dict[str, Any]], server: LlmServer) -> list[dict[str, Any]]:
    for node in tree:
        assert node["attributes"].pop("server.port", server.port) == server.port
    return tree


def sent() -> list[list[Any]]:
    """Pairs of what is sent, without us and with us; which connection it is, and whose, differs each time."""
    found = []
    for call in (
        plain,
        of_a_class,
        streamed,
        async_plain,
        async_streamed,
        routed,
        anthropic,
        anthropic_streamed,
        embedding,
    ):
        with LlmServer() as server:
            server.answer(CALLS[call], times=2)
            base = server.url if "anthropic" in call.__name__ else f"{server.url}/v1"
            call(base)
            with capture():
                call(base)
        found.append([[each.path, each.body.decode(), sorted(each.headers)] for each in server.requests])
    return found


def unsaid() -> list[str]:
    """All spans with content off, as text."""
    found = []
    for call, answer in ((plain, CALLS[plain]), (streamed, CALLS[streamed]), (refused, REFUSED), (anthropic, REFUSED)):
        with LlmServer() as server, capture(content=False) as captured:
            server.answer(answer)
            with contextlib.suppress(litellm.BadRequestError):
                call(server.url if call is anthropic else f"{server.url}/v1")
        (span,) = captured.spans
        found.append(str([span.to_json(), [(event.name, dict(event.attributes or {})) for event in span.events]]))
    return found


def main() -> None:
    """Print what became of the calls."""
    guard.reraise = True
    litellm.num_retries = 0
    json.dump({"told": told(), "sent": sent(), "unsaid": unsaid()}, sys.stdout)


if __name__ == "__main__":
    main()
