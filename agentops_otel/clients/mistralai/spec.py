"""The mistralai package, whose APIs are a module each; its second version moved them into `mistralai.client`."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings, responses
from agentops_otel.clients.mistralai import conversations
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.reading import field, items
from agentops_otel.instrumentation.spec import ClientSpec


def _methods(owner: str) -> tuple[str, ...]:
    return tuple(f"{owner}.{name}" for name in ("complete", "complete_async", "stream", "stream_async"))


def _url(client: Any) -> object:
    return client.sdk_configuration.get_server_details()[0]


def _fold(whole: dict[str, Any], event: Any) -> None:
    chunk = field(event, "data")
    chat_completions.fold(whole, chunk)
    for choice in items(chunk, "choices"):
        for part in items(choice, "delta", "content"):
            delta = {"content": field(part, "text"), "reasoning_content": chat_completions.thought(part)}
            chat_completions.fold(whole, {"choices": [{"index": field(choice, "index"), "delta": delta}]})


CHAT = replace(
    chat_completions.CHAT,
    methods=_methods("Chat"),
    request={
        **chat_completions.REQUEST,
        semconv.GEN_AI_REQUEST_SEED: "random_seed",
        semconv.GEN_AI_REQUEST_TOP_K: "top_k",
    },
    fold=_fold,
)

AGENT = replace(CHAT, methods=_methods("Agents"), request={**CHAT.request, semconv.GEN_AI_AGENT_ID: "agent_id"})

FIM = replace(
    CHAT,
    name="text_completion",
    methods=_methods("Fim"),
    request_content=chat_completions.PROMPT,
)

RESPONSES = replace(
    responses.RESPONSES,
    methods=("Responses.create", "Responses.create_async"),
    fold=lambda whole, event: responses.fold(whole, field(event, "data")),
)

EMBEDDINGS = replace(
    embeddings.EMBEDDINGS,
    methods=("Embeddings.create", "Embeddings.create_async"),
    request={**embeddings.EMBEDDINGS.request, semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "output_dimension"},
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.texts(field(request, "inputs"))},
)


_APIS = {"chat": CHAT, "agents": AGENT, "fim": FIM, "responses": RESPONSES, "embeddings": EMBEDDINGS}


def _specs(package: str) -> Iterator[ClientSpec]:
    for api, operation in _APIS.items():
        module = f"{package}.{api}"
        yield ClientSpec(name="mistralai", module=module, operations=(operation,), provider="mistral_ai", url=_url)
    yield ClientSpec(
        name="mistralai",
        module=f"{package}.conversations",
        operations=(conversations.CONVERSATION,),
        provider="mistral_ai",
        url=_url,
        body=conversations.body,
    )


SPECS = (*_specs("mistralai.client"), *_specs("mistralai"))
