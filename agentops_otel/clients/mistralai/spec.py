"""The mistralai package, whose APIs are a module each; its second version moved them into `mistralai.client`."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from opentelemetry import trace
from opentelemetry.context import get_value

from agentops_otel import environment, semconv
from agentops_otel.clients.dialects import chat_completions, embeddings, responses
from agentops_otel.clients.mistralai import conversations
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.call import CALL_IN_PROGRESS
from agentops_otel.instrumentation.reading import field, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.tracing.provider import OwnProvider


def _methods(owner: str) -> tuple[str, ...]:
    return tuple(f"{owner}.{name}" for name in ("complete", "complete_async", "stream", "stream_async"))


def _url(client: Any) -> object:
    return client.sdk_configuration.get_server_details()[0]


def _fold(response: dict[str, Any], event: Any) -> None:
    chunk = field(event, "data")
    chat_completions.fold(response, chunk)
    for choice in items(chunk, "choices"):
        for part in items(choice, "delta", "content"):
            delta = {"content": field(part, "text"), "reasoning_content": chat_completions.thought(part)}
            chat_completions.fold(response, {"choices": [{"index": field(choice, "index"), "delta": delta}]})


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
    fold=lambda response, event: responses.fold(response, field(event, "data")),
)

EMBEDDINGS = replace(
    embeddings.EMBEDDINGS,
    methods=("Embeddings.create", "Embeddings.create_async"),
    request={**embeddings.EMBEDDINGS.request, semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "output_dimension"},
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.texts(field(request, "inputs"))},
)


_APIS = {"chat": CHAT, "agents": AGENT, "fim": FIM, "responses": RESPONSES, "embeddings": EMBEDDINGS}


def _builtin_tracing(_: Any) -> str | None:
    """The name of the package's own telemetry, if the program enabled it by variable for the global provider."""
    chosen = environment.env("MISTRAL_SDK_TELEMETRY") if _has_telemetry_setting() else ""
    return "its own telemetry (MISTRAL_SDK_TELEMETRY)" if chosen.lower() == "global" else None


def _specs(package: str) -> Iterator[ClientSpec]:
    for api, operation in _APIS.items():
        module = f"{package}.{api}"
        yield ClientSpec(
            name="mistralai",
            module=module,
            operations=(operation,),
            provider=semconv.MISTRAL_AI,
            url=_url,
            builtin_tracing=_builtin_tracing,
        )
    yield ClientSpec(
        name="mistralai",
        module=f"{package}.conversations",
        operations=(conversations.CONVERSATION,),
        provider=semconv.MISTRAL_AI,
        url=_url,
        body=conversations.body,
    )


def _without_own_span(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of the package's own tracing, switched off unless the program asked for it.

    Before version 3 the package makes a span for each request as soon as there is a global tracer provider, and sends
    the trace to the server. Version 3 does so only if the program asks for it.
    """
    if _has_telemetry_setting() or not arguments.get("tracing_enabled"):
        return arguments
    is_unasked = get_value(CALL_IN_PROGRESS) is not None or isinstance(trace.get_tracer_provider(), OwnProvider)
    return {**arguments, "tracing_enabled": False} if is_unasked else arguments


def _has_telemetry_setting() -> bool:
    return "mistralai.extra.observability.telemetry" in sys.modules


_OWN_TRACING = ClientSpec(
    name="mistralai",
    module="mistralai.extra.observability.otel",
    operations=(Operation(name="chat", methods=("get_traced_request_and_span",), matches=lambda _: False),),
    provider=semconv.MISTRAL_AI,
    rewrite_other_arguments=_without_own_span,
)

SPECS = (*_specs("mistralai.client"), *_specs("mistralai"), _OWN_TRACING)
