"""The llama_stack_client package: its OpenAI-compatible API, the inference API before that, and agents' turns."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings, raw_response, responses, stainless
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text
from agentops_otel.instrumentation.reading import field, first, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.tables import STREAM, Table

_METHODS = ("LlamaStackClient.request", "AsyncLlamaStackClient.request")


def _message(message: Any, role: str = "user") -> gen_ai.Message | None:
    content, role = field(message, "content"), field(message, "role") or role
    if role == "tool":
        return gen_ai.message(role, [gen_ai.tool_call_response(field(message, "call_id"), content)])
    parts = [gen_ai.text(content)] if isinstance(content, str) else map(chat_completions.part, items(content))
    calls = (
        gen_ai.tool_call(field(call, "call_id"), field(call, "tool_name"), field(call, "arguments"))
        for call in items(message, "tool_calls")
    )
    return gen_ai.message(role, [*parts, *calls])


def _tool(tool: Any) -> dict[str, Any]:
    details = {name: field(tool, name) for name in ("description", "parameters")}
    return {"type": "function", "name": field(tool, "tool_name"), **details}


def _metric(response: Any, name: str) -> Any:
    values = (field(metric, "value") for metric in items(response, "metrics") if field(metric, "metric") == name)
    return next(values, None)


def _fold(response: dict[str, Any], chunk: Any) -> None:
    message = response.setdefault("completion_message", {"role": "assistant"})
    event = field(chunk, "event")
    add_text(message, "content", field(event, "delta", "text"))
    call = field(event, "delta", "tool_call")
    if call is not None and not isinstance(call, str):  # a string is a piece of an unfinished call
        message.setdefault("tool_calls", []).append(call)
    if (reason := field(event, "stop_reason")) is not None:
        message["stop_reason"] = reason
    if (metrics := field(chunk, "metrics")) is not None:
        response["metrics"] = metrics


_REQUEST: Table = {
    semconv.GEN_AI_REQUEST_MODEL: "model_id",
    semconv.GEN_AI_OUTPUT_TYPE: lambda request: gen_ai.output_type(field(request, "response_format", "type")),
    semconv.GEN_AI_REQUEST_MAX_TOKENS: "sampling_params.max_tokens",
    semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "sampling_params.stop",
    **STREAM,
    semconv.GEN_AI_REQUEST_TEMPERATURE: "sampling_params.strategy.temperature",
    semconv.GEN_AI_REQUEST_TOP_K: "sampling_params.strategy.top_k",
    semconv.GEN_AI_REQUEST_TOP_P: "sampling_params.strategy.top_p",
}


def _response(reason: str) -> Table:
    return {
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
            gen_ai.finish_reason(field(response, *reason.split(".")))
        ],
        semconv.GEN_AI_USAGE_INPUT_TOKENS: lambda response: _metric(response, "prompt_tokens"),
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: lambda response: _metric(response, "completion_tokens"),
    }


INFERENCE = Operation(
    name="chat",
    methods=_METHODS,
    matches=stainless.posts("/v1/inference/chat-completion"),
    request=_REQUEST,
    request_content={
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: [
            message for source in items(request, "messages") if (message := _message(source))
        ],
        semconv.GEN_AI_TOOL_DEFINITIONS: lambda request: [*map(_tool, items(request, "tools"))],
    },
    response=_response("completion_message.stop_reason"),
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.listed(
            _message(field(response, "completion_message"), role="assistant")
        )
    },
    fold=_fold,
)


def _fold_completion(response: dict[str, Any], chunk: Any) -> None:
    add_text(response, "content", field(chunk, "delta"))
    for name in ("stop_reason", "metrics"):
        if (value := field(chunk, name)) is not None:
            response[name] = value


COMPLETION = Operation(
    name="text_completion",
    methods=_METHODS,
    matches=stainless.posts("/v1/inference/completion"),
    request=_REQUEST,
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.texts(field(request, "content"))},
    response=_response("stop_reason"),
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.texts(field(response, "content"), role="assistant")
    },
    fold=_fold_completion,
)

EMBEDDINGS = Operation(
    name="embeddings",
    methods=_METHODS,
    matches=stainless.posts("/v1/inference/embeddings"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model_id",
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "output_dimension",
    },
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.texts(field(request, "contents"))},
    response={
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(first(response, "embeddings"))
    },
    has_finish_reasons=False,
)


def _batch(response: Any, *path: str) -> list[Any]:
    return [field(answer, *path) for answer in items(response, "batch")]


BATCH = replace(
    INFERENCE,
    matches=stainless.posts("/v1/inference/batch-chat-completion"),
    request_content={
        **INFERENCE.request_content,
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: [
            message
            for conversation in items(request, "messages_batch")
            for source in items(conversation)
            if (message := _message(source))
        ],
    },
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
            gen_ai.finish_reason(reason) for reason in _batch(response, "completion_message", "stop_reason")
        ]
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            message
            for source in _batch(response, "completion_message")
            if (message := _message(source, role="assistant"))
        ]
    },
)
"""A batch of conversations or texts. The response has an answer for each."""

BATCH_COMPLETION = replace(
    COMPLETION,
    matches=stainless.posts("/v1/inference/batch-completion"),
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.texts(field(request, "content_batch"))},
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
            gen_ai.finish_reason(reason) for reason in _batch(response, "stop_reason")
        ]
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            message for content in _batch(response, "content") for message in gen_ai.texts(content, role="assistant")
        ]
    },
)


def _turn(arguments: Mapping[str, Any]) -> Mapping[str, str]:
    """The agent's and the session's id, if the request begins or resumes a turn."""
    options = arguments.get("options")
    path = r"/v1/agents/(?P<agent_id>[^/]+)/session/(?P<session_id>[^/]+)/turn(/[^/]+/resume)?"
    match = re.fullmatch(path, str(field(options, "url")))
    return match.groupdict() if match and str(field(options, "method")).lower() == "post" else {}


def _body(arguments: Mapping[str, Any]) -> Any:
    sent, turn = stainless.body(arguments), _turn(arguments)
    return {**sent, **turn} if turn and isinstance(sent, dict) else sent


def _fold_turn(response: dict[str, Any], chunk: Any) -> None:
    """Add a chunk. The last one has the complete turn, those before have pieces of its message."""
    payload = field(chunk, "event", "payload")
    for name in ("session_id", "steps", "output_message"):
        if (value := field(payload, "turn", name)) is not None:
            response[name] = value
    message = response.setdefault("output_message", {})
    if isinstance(message, dict):
        add_text(message, "content", field(payload, "delta", "text"))


def _turned(response: Any) -> Iterator[gen_ai.Part]:
    """The parts of a turn: calls and results of the service's tools, and the agent's message."""
    for step in items(response, "steps"):
        for call in items(step, "tool_calls"):
            name, details = field(call, "tool_name"), {"arguments": field(call, "arguments")}
            yield gen_ai.server_tool_call(field(call, "call_id"), name, name, details)
        for answer in items(step, "tool_responses"):
            name, details = field(answer, "tool_name"), {"content": field(answer, "content")}
            yield gen_ai.server_tool_call_response(field(answer, "call_id"), name, details)
    if (message := _message(field(response, "output_message"), role="assistant")) is not None:
        yield from message["parts"]


TURN = Operation(
    name="invoke_agent",
    methods=_METHODS,
    matches=lambda arguments: bool(_turn(arguments)),
    request={
        semconv.GEN_AI_AGENT_ID: "agent_id",
        semconv.GEN_AI_CONVERSATION_ID: "session_id",
        **STREAM,
    },
    request_content={
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: [
            *gen_ai.lazily(_message, items(request, "messages")),
            *gen_ai.lazily(_tool_answer, items(request, "tool_responses")),
        ]
    },
    response={
        semconv.GEN_AI_CONVERSATION_ID: "session_id",
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
            gen_ai.finish_reason(field(response, "output_message", "stop_reason"))
        ],
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.listed(gen_ai.message("assistant", _turned(response)))
    },
    fold=_fold_turn,
)


def _tool_answer(answer: Any) -> gen_ai.Message | None:
    return gen_ai.message("tool", [gen_ai.tool_call_response(field(answer, "call_id"), field(answer, "content"))])


SPEC = ClientSpec(
    name="llama_stack_client",
    module="llama_stack_client",
    operations=(
        replace(
            chat_completions.CHAT,
            methods=_METHODS,
            matches=stainless.posts("/v1/chat/completions", "/v1/openai/v1/chat/completions"),
        ),
        replace(
            chat_completions.TEXT_COMPLETION,
            methods=_METHODS,
            matches=stainless.posts("/v1/completions", "/v1/openai/v1/completions"),
        ),
        replace(
            responses.RESPONSES,
            methods=_METHODS,
            matches=stainless.posts("/v1/responses", "/v1/openai/v1/responses"),
        ),
        INFERENCE,
        COMPLETION,
        BATCH,
        BATCH_COMPLETION,
        TURN,
        EMBEDDINGS,
        replace(
            embeddings.EMBEDDINGS,
            methods=_METHODS,
            matches=stainless.posts("/v1/embeddings", "/v1/openai/v1/embeddings"),
        ),
    ),
    provider=semconv.LLAMA_STACK,
    url=stainless.url,
    body=_body,
    wrap_result=raw_response.wrap_result,
)

SPECS = (SPEC,)
