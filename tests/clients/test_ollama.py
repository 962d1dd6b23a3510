"""The functions of the ollama package, which are methods of a client that it makes when it is imported."""

import asyncio
import base64
import inspect
import json
import os
import subprocess
import sys
from functools import partial
from typing import Any

import pytest

from tests.clients.capture import Captured, capture
from tests.clients.forms.form import QUESTION, TEXT, forms_of
from tests.clients.forms.ollama import OTHERS
from tests.loopback.llm_server import Answer, LlmServer
from tests.program import WARNINGS

IMPORT = "import functools, ollama; from ollama import chat, generate, embed, embeddings"
SCRIPT = """
import asyncio
import base64
import json
{before}
from tests.clients.capture import capture
with capture() as captured:
    {after}
    asked = {{"model": "llama3.2", "messages": [{{"role": "user", "content": "How warm is it in Paris?"}}]}}
    prompt = {{"model": "llama3.2", "prompt": "How warm is it in Paris?"}}
    said = [ask(**asked).message.content for ask in (chat, ollama.chat)]
    said += ["".join(chunk.message.content for chunk in ask(**asked, stream=True)) for ask in (chat, ollama.chat)]
    said += [ask(**prompt).response for ask in (generate, ollama.generate)]
    said += ["".join(chunk.response for chunk in ask(**prompt, stream=True)) for ask in (generate, ollama.generate)]
    for ask in (embed, ollama.embed):
        ask(model="nomic-embed-text", input=["Paris", "Rome"])
    for ask in (embeddings, ollama.embeddings):
        ask(model="nomic-embed-text", prompt="Paris")
print(json.dumps([said, captured.tree()]))
"""
SPANS = {"chat llama3.2": 4, "text_completion llama3.2": 4, "embeddings nomic-embed-text": 4}


@pytest.mark.parametrize(("before", "after"), [(IMPORT, "pass"), ("pass", IMPORT)], ids=["before", "after"])
def test_the_packages_functions_have_one_span_a_call(before: str, after: str, server: LlmServer) -> None:
    """Imported by name or asked of the module, before the client is wrapped or after: plain, streamed, vectors."""
    chat, generate = forms_of("ollama"), OTHERS["generate"]
    for client in (chat, generate):
        server.answer(client.answer(stream=False), times=2)
        server.answer(client.answer(stream=True), times=2)
    for client in (chat, generate):
        server.answer(client.vectors, times=2)
    command = [sys.executable, *WARNINGS, "-c", SCRIPT.format(before=before, after=after)]
    there = {**os.environ, "OLLAMA_HOST": server.url}

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=there)

    assert done.returncode == 0, done.stderr
    said, tree = json.loads(done.stdout.splitlines()[-1])
    assert said == [TEXT] * 8
    assert [node["name"] for node in tree] == [name for name, times in SPANS.items() for _ in range(times)]
    assert [told["gen_ai.usage.input_tokens"] for told in map(_attributes, tree[:8])] == [11] * 8
    assert {told["gen_ai.input.messages"][0]["parts"][0]["content"] for told in map(_attributes, tree)} == {
        QUESTION,
        "Paris",
    }


def _attributes(node: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = node["attributes"]
    return found


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_decision_is_told_with_its_answers(asynchronous: bool, captured: Captured, server: LlmServer) -> None:
    """What is decided on, the answers by question, and the tokens."""
    client = forms_of("ollama")
    answer = {"type": "choice", "choice": "warm", "probabilities": {"warm": 0.9, "cold": 0.1}, "confidence": 0.9}
    usage = {"input_tokens": 11, "output_tokens": 1}
    server.answer(Answer.json({"model": "decider", "answers": {"how": answer}, "usage": usage}))
    question = {"type": "choice", "instructions": "How is it?", "criteria": {"warm": None, "cold": None}}
    asked = {"model": "decider", "state": "21 degrees in Paris", "questions": {"how": question}}

    async def ask() -> None:
        assert client.async_client is not None
        async with client.async_client(server.url) as opened:
            await opened.systemone(**asked)

    if asynchronous:
        asyncio.run(ask())
    else:
        with client.client(server.url) as opened:
            opened.systemone(**asked)

    (node,) = captured.tree()
    assert _attributes(node).pop("server.port") == server.port
    assert node == (
        {
            "name": "generate_content decider",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "21 degrees in Paris"}]}
                ],
                "gen_ai.operation.name": "generate_content",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "decision", "answer": {"question": "how", **answer}}]}
                ],
                "gen_ai.output.type": "json",
                "gen_ai.provider.name": "ollama",
                "gen_ai.request.model": "decider",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.model": "decider",
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 1,
                "server.address": "127.0.0.1",
            },
        }
    )


@pytest.mark.parametrize("stream", [False, True])
def test_a_generated_image_is_told_by_its_size(stream: bool, captured: Captured, server: LlmServer) -> None:
    """The image that the request shows and the one that the model makes: never their bytes."""
    image = base64.b64encode(bytes(3000)).decode()
    last = {"model": "painter", "done": True, "done_reason": "stop", "image": image}
    server.answer(Answer(body=json.dumps(last).encode() + b"\n", headers={"content-type": "application/x-ndjson"}))

    with forms_of("ollama").client(server.url) as client:
        answer = client.generate(model="painter", prompt="A dog, as here", images=[bytes(2000)], stream=stream)
        shown = [chunk.image for chunk in answer] if stream else [answer.image]

    assert shown == [image]
    (span,) = captured.spans
    attributes: dict[str, Any] = dict(span.attributes or {})
    assert json.loads(attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "blob", "modality": "image", "byte_size": 3000}]}
    ]
    assert json.loads(attributes["gen_ai.input.messages"])[0]["parts"] == [
        {"type": "text", "content": "A dog, as here"},
        {"type": "blob", "modality": "image", "byte_size": 2000},
    ]


def test_what_was_taken_from_a_wrapped_client_takes_part_in_the_next_wrapping(server: LlmServer) -> None:
    """As under `agentops-otel run`: the program holds what its launcher wrapped, and calls `init()` itself."""
    forms = forms_of("ollama")
    server.answer(forms.answer(stream=False), times=6)
    asked = {"model": "llama3.2", "messages": [{"role": "user", "content": QUESTION}]}

    with forms.client(server.url) as client:
        own = str(inspect.signature(client.chat))
        with capture():
            held = [client.chat, partial(type(client).chat, client), partial(client.chat, stream=False)]
        signatures = [str(inspect.signature(ask)) for ask in held]
        unwrapped = [ask(**asked).message.content for ask in held]
        with capture() as captured:
            wrapped = [ask(**asked).message.content for ask in held]
        after = [str(inspect.signature(ask)) for ask in held]

    assert [span.name for span in captured.spans] == ["chat llama3.2"] * 3
    assert unwrapped == wrapped == [TEXT] * 3
    assert after == signatures
    assert signatures[:2] == [own, own]
