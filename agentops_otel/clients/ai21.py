"""The ai21 package: chats of both generations, conversational RAG, and runs of Maestro and of its agents."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.reading import field, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation


def _url(client: Any) -> object:
    return field(field(client, "_maestro_runs") or client, "_client", "_base_url")


def _methods(owner: str, *methods: str) -> tuple[str, ...]:
    return tuple(f"{kind}{owner}.{method}" for kind in ("", "Async") for method in methods)


RAG = Operation(
    name="chat",
    methods=_methods("StudioConversationalRag", "create"),
    request_content={semconv.GEN_AI_INPUT_MESSAGES: chat_completions.REQUEST_CONTENT[semconv.GEN_AI_INPUT_MESSAGES]},
    response={semconv.GEN_AI_RESPONSE_ID: "id"},
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            message
            for choice in items(response, "choices")
            if (message := chat_completions.message(choice, "assistant"))
        ]
    },
)


def _old_message(message: Any, role: str = "user") -> gen_ai.Message | None:
    return gen_ai.message(field(message, "role") or role, [gen_ai.text(field(message, "text"))])


OLD_CHAT = Operation(
    name="chat",
    methods=_methods("StudioChat", "create"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model",
        semconv.GEN_AI_REQUEST_CHOICE_COUNT: lambda request: gen_ai.choice_count(field(request, "num_results")),
        semconv.GEN_AI_REQUEST_MAX_TOKENS: "max_tokens",
        semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "stop_sequences",
        semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
        semconv.GEN_AI_REQUEST_TOP_P: "top_p",
    },
    request_content={
        semconv.GEN_AI_SYSTEM_INSTRUCTIONS: lambda request: gen_ai.listed(gen_ai.text(field(request, "system"))),
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.conversation(_old_message, items(request, "messages")),
    },
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
            gen_ai.finish_reason(field(output, "finish_reason", "reason")) for output in items(response, "outputs")
        ]
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            message for output in items(response, "outputs") if (message := _old_message(output, "assistant"))
        ]
    },
)

_ENDS = {"completed": ["stop"], "failed": ["error"], "requires_action": ["tool_call"]}
"""Finish reasons by the status of a run. A run in progress has none."""


def _status(response: Any) -> str:
    return str(field(response, "status"))


def _model(request: Any) -> object:
    """The model, if the run may use only one."""
    models = items(request, "models")
    return models[0] if len(models) == 1 else None


def _asked(request: Any) -> Any:
    given = field(request, "input")
    return (
        gen_ai.texts(given) if isinstance(given, str) else gen_ai.conversation(chat_completions.message, items(given))
    )


def _answer(response: Any) -> Iterator[gen_ai.Part | None]:
    """The parts of a run's answer: the calls of service tools that the response has, and the result."""
    for call in items(response, "data_sources", "tool_calls"):
        kind, name = field(call, "tool_type"), field(call, "tool_name")
        yield gen_ai.server_tool_call(None, name, kind, {"arguments": field(call, "parameters")})
        yield gen_ai.server_tool_call_response(None, kind, {"response": field(call, "response")})
    result = field(response, "result")
    yield gen_ai.text(result if result is None or isinstance(result, str) else json.dumps(result))


FETCHED = Operation(
    name="fetch_response",
    methods=_methods("MaestroRun", "retrieve", "poll_for_status"),
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: _ENDS.get(_status(response)),
        semconv.GEN_AI_RESPONSE_ID: "id",
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.listed(gen_ai.message("assistant", _answer(response)))
    },
    failure=lambda response: "_OTHER" if _status(response) == "failed" else None,
    fetched_id=lambda arguments: arguments.get("run_id"),
)

RUN = replace(
    FETCHED,
    name="invoke_agent",
    methods=_methods("MaestroRun", "create", "create_and_poll"),
    request={
        semconv.GEN_AI_AGENT_NAME: lambda request: "maestro",
        semconv.GEN_AI_REQUEST_MODEL: _model,
    },
    request_content={
        semconv.GEN_AI_INPUT_MESSAGES: _asked,
        semconv.GEN_AI_TOOL_DEFINITIONS: chat_completions.REQUEST_CONTENT[semconv.GEN_AI_TOOL_DEFINITIONS],
    },
    background_id=lambda response: field(response, "id") if _status(response) == "in_progress" else None,
    fetched_id=lambda arguments: None,
)

AGENT_RUN = replace(
    RUN,
    methods=("AgentRuns.create", "AgentRuns.create_and_poll"),
    request={semconv.GEN_AI_AGENT_ID: "agent_id"},
)


def _spec(module: str, *operations: Operation) -> ClientSpec:
    return ClientSpec(
        name="ai21",
        module=f"ai21.clients.studio.resources.{module}",
        operations=operations,
        provider=semconv.AI21,
        url=_url,
    )


SPECS = (
    _spec("chat.chat_completions", replace(chat_completions.CHAT, methods=("ChatCompletions.create",))),
    _spec("chat.async_chat_completions", replace(chat_completions.CHAT, methods=("AsyncChatCompletions.create",))),
    _spec("studio_chat", OLD_CHAT),
    _spec("studio_conversational_rag", RAG),
    _spec("maestro.run", RUN, FETCHED),
    _spec("agents.agents", AGENT_RUN),
    _spec("agents.async_agents", replace(AGENT_RUN, methods=tuple(f"Async{path}" for path in AGENT_RUN.methods))),
)
