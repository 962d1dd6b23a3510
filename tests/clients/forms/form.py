"""The calls of one client in all forms, and the answers of its server, as data for the shared tests."""

import asyncio
import importlib
import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest

from tests.clients.capture import Captured
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import answer, completion

QUESTION = "How warm is it in Paris?"
TEXT = "It is 21 degrees in Paris."
STREAMED = {"gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": 0.001}

CLIENTS = (
    "ai21",
    "anthropic",
    "boto3",
    "cohere",
    "dashscope",
    "google.genai",
    "google.genai:interactions",
    "google.generativeai",
    "groq",
    "huggingface_hub",
    "ibm_watsonx_ai",
    "llama_stack_client",
    "mistralai",
    "ollama",
    "openai",
    "together",
    "zhipuai",
)
"""What a program imports; the modules beside this one, named so without the dots, describe each in `FORMS`.

After a colon, a further API of it that a client of the first rank has: one of `OTHERS` in its module.
"""

OTHERS = (
    "ai21:chat",
    "ai21:maestro",
    "ai21:rag",
    "boto3:claude",
    "boto3:cohere",
    "boto3:llama",
    "boto3:mistral",
    "boto3:nova",
    "boto3:titan",
    "boto3:tools",
    "cohere:chat",
    "cohere:generate",
    "cohere:raw_chat",
    "cohere:raw_generate",
    "cohere:tools",
    "dashscope:application",
    "dashscope:application_incremental",
    "dashscope:client",
    "dashscope:client_again",
    "dashscope:client_application",
    "dashscope:client_application_incremental",
    "dashscope:client_anthropic",
    "dashscope:client_multimodal",
    "dashscope:client_openai",
    "dashscope:code",
    "dashscope:completions",
    "dashscope:conversation",
    "dashscope:incremental",
    "dashscope:multimodal",
    "dashscope:tools",
    "huggingface_hub:details",
    "huggingface_hub:text",
    "ibm_watsonx_ai:gateway",
    "ibm_watsonx_ai:gateway_text",
    "ibm_watsonx_ai:generate",
    "ibm_watsonx_ai:own",
    "ibm_watsonx_ai:own_text",
    "ibm_watsonx_ai:text",
    "llama_stack_client:batch",
    "llama_stack_client:batch_completion",
    "llama_stack_client:completion",
    "llama_stack_client:inference",
    "llama_stack_client:responses",
    "llama_stack_client:resume",
    "llama_stack_client:turn",
    "mistralai:agents",
    "mistralai:conversations",
    "mistralai:conversations_tools",
    "mistralai:fim",
    "mistralai:responses",
    "ollama:generate",
    "ollama:tools",
    "together:completions",
    "zhipuai:agents",
    "zhipuai:assistant",
    "zhipuai:search",
)
"""Further APIs of a client: those of `OTHERS` in its module."""

VECTORS = Answer.json(
    {
        "id": "embed-1",
        "object": "list",
        "model": "embed-2026",
        "data": [{"object": "embedding", "index": index, "embedding": [0.25, -0.5]} for index in range(2)],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
)

Ask = Callable[[Any], Any]


def _answer(*, stream: bool, whole: dict[str, Any] | None = None) -> Answer:
    return answer(whole or completion(), stream=stream)


def _unheard(client: Any) -> Any:
    pytest.skip("it has no streams")


@dataclass(frozen=True, kw_only=True)
class Forms:
    """One client. A client of the chat-completions dialect needs its calls alone."""

    client: Callable[[str], AbstractContextManager[Any]]
    """A client of the server at the URL, open."""
    plain: Ask
    stream: Ask = _unheard
    """Gives the stream, unread."""
    async_client: Callable[[str], AbstractAsyncContextManager[Any]] | None = None
    async_plain: Ask | None = None
    """The streaming method, if it is another than `plain`."""
    async_stream: Ask | None = None
    embed: Ask | None = None
    """Vectors for "Paris" and "Rome", two numbers each."""
    answer: Callable[..., Answer] = _answer
    """The server's answer, plain or as a stream; the chat-completions dialect may pass the `whole` response."""
    vectors: Answer = VECTORS
    """The server's answer to `embed`."""
    untold: Sequence[str] = ()
    """Attributes that a stream does not carry."""
    raises: bool = True
    """Whether a refusal is an exception; an answer otherwise."""
    leaves_open: bool = False
    """Whether the connection of a stream that is left early stays open until the garbage collector comes."""
    lazy: bool = False
    """Whether a stream asks for nothing until it is read."""
    varying: Sequence[str] = ()
    """Headers that are others each time, without us too."""

    @property
    def names(self) -> Sequence[str]:
        """The forms that there are."""
        both = ("plain", "streamed")
        return (*both, *(f"async_{name}" for name in both)) if self.async_client else both

    def ask(self, form: str, url: str) -> Any:
        """Ask in the form; a stream is read to its end. Gives the answer, or the chunks."""
        if form.startswith("async_"):
            return asyncio.run(self._ask_async(form.removeprefix("async_"), url))
        with self.client(url) as client:
            return self.read(form, client)

    def read(self, form: str, client: Any) -> Any:
        """The answer of a client that exists already."""
        if form == "embed":
            assert self.embed is not None
            return self.embed(client)
        return self.plain(client) if form == "plain" else list(self.stream(client))

    async def _ask_async(self, form: str, url: str) -> Any:
        assert self.async_client is not None
        async with self.async_client(url) as client:
            return await self.read_async(form, client)

    async def read_async(self, form: str, client: Any) -> Any:
        """The answer of an asynchronous client that exists already."""
        if form == "plain":
            return await (self.async_plain or self.plain)(client)
        return [chunk async for chunk in await self.begin(client)]

    async def begin(self, client: Any) -> Any:
        """The stream of an asynchronous client."""
        found = (self.async_stream or self.stream)(client)
        return await found if inspect.isawaitable(found) else found


class Taken:
    """Passes for a client, or a part of one; a method that was asked of it once is the same bound one ever after."""

    def __init__(self, found: Any) -> None:
        self._found = found
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in self._known:
            found = getattr(self._found, name)
            self._known[name] = found if inspect.isroutine(found) else Taken(found)
        return self._known[name]


def forms_of(name: str) -> Forms:
    """The forms of the client, or of something else that it does; skips where its package is not installed."""
    package, _, other = name.partition(":")
    pytest.importorskip(package, reason=f"{package} is not installed", exc_type=ImportError)
    module = importlib.import_module(f"tests.clients.forms.{package.replace('.', '_')}")
    found = module.OTHERS[other] if other else module.FORMS
    assert isinstance(found, Forms)
    return found


def installed(*names: str) -> list[Any]:
    """The names as parameters of a test: those whose package is here, and one that skips for each that is not."""
    packages = {name.partition(":")[0] for name in names}
    missing = sorted(package for package in packages if not _is_here(package))
    here = [name for name in names if name.partition(":")[0] not in missing]
    return here + [pytest.param(one, marks=pytest.mark.skip(reason=f"{one} is not installed")) for one in missing]


def _is_here(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even the folder that it would be in
        return False


def told(client: Forms, form: str, captured: Captured, server: LlmServer) -> dict[str, object]:
    """The one span of a call in the form, without what differs: the port, and what only a stream has."""
    server.answer(client.vectors if form == "embed" else client.answer(stream=form.endswith("streamed")))

    client.ask(form, server.url)

    (span,) = captured.tree()
    attributes = span["attributes"]
    assert isinstance(attributes, dict)
    assert attributes.pop("server.port") == server.port
    if form.endswith("streamed"):
        assert {name: attributes.pop(name, None) for name in STREAMED} == STREAMED
    return span
