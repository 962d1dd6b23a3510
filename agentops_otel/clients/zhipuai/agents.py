"""zhipuai's agents, assistants and web search: texts, media, and tools that the service runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, stainless
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text, indexed, joined
from agentops_otel.instrumentation.reading import as_mapping, field, items
from agentops_otel.instrumentation.spec import Operation
from agentops_otel.instrumentation.tables import STREAM, Table

_HEAD = ("id", "agent_id", "conversation_id", "status", "error", "last_error", "usage")


def _fold(response: dict[str, Any], chunk: Any) -> None:
    """Add a chunk, or a complete response, to the response."""
    for name in _HEAD:
        if (value := field(chunk, name)) is not None:
            response[name] = value
    for choice in items(chunk, "choices"):
        entry = indexed(response, "choices", field(choice, "index"))
        if reason := field(choice, "finish_reason"):
            entry["finish_reason"] = reason
        parts = entry.setdefault("message", {}).setdefault("content", [])
        for message in items(choice, "messages") or [field(choice, "message") or field(choice, "delta")]:
            content = field(message, "content")
            for part in content if isinstance(content, list) else [content]:
                _fold_part(parts, part)
            for call in items(message, "tool_calls"):
                _fold_call(parts, call)


def _fold_part(parts: list[Any], part: Any) -> None:
    text = part if isinstance(part, str) else field(part, "text")
    if (call := field(part, "tool")) is not None:
        _fold_call(parts, call)
    elif not isinstance(text, str):
        parts.extend([] if part is None else [part])
    else:
        if not parts or field(parts[-1], "text") is None:
            parts.append({"type": "text"})
        add_text(parts[-1], "text", text)


def _fold_call(parts: list[Any], call: Any) -> None:
    """Add a piece of a tool call: its arguments come in pieces, its outputs after them."""
    kind = str(field(call, "type"))
    if not parts or field(parts[-1], "tool", "type") != kind:
        parts.append({"tool": {"type": kind, "id": field(call, "id"), "folded": {}}})
    piece, folded = field(call, "folded") or field(call, kind), parts[-1]["tool"]["folded"]
    fields: Mapping[str, Any] = {"outputs": piece} if isinstance(piece, list) else as_mapping(piece)
    for name, value in fields.items():
        if isinstance(value, str):
            add_text(folded, name, value)
        else:
            folded[name] = [*folded.get(name, ()), *value] if isinstance(value, list) else value


def _choices(response: Any) -> Sequence[Any]:
    folded: dict[str, Any] = {}
    _fold(folded, response)
    return items(joined(folded), "choices")


def _output(response: Any) -> list[gen_ai.Message]:
    parts = ([read for part in choice["message"]["content"] for read in _parts(part)] for choice in _choices(response))
    return [message for read_parts in parts if (message := gen_ai.message("assistant", read_parts))]


def _parts(part: Any) -> list[gen_ai.Part | None]:
    if (tool := field(part, "tool")) is None:
        return [_part(part)]
    identity, kind, folded = tool["id"], tool["type"], tool["folded"]
    arguments = {name: value for name, value in folded.items() if name != "outputs"}
    call = gen_ai.server_tool_call(identity, folded.get("name") or kind, kind, arguments)
    if "outputs" not in folded:
        return [call]
    return [call, gen_ai.server_tool_call_response(identity, kind, {"outputs": folded["outputs"]})]


_MEDIA = {"video_url": "video", "audio_url": "audio", "file_url": "document"}


def _part(part: Any) -> gen_ai.Part | None:
    kind = str(field(part, "type"))
    if kind not in _MEDIA:
        return chat_completions.part(part)
    return gen_ai.media(_MEDIA[kind], field(part, kind, "url") or field(part, kind))


def _failure(response: Any) -> str | None:
    error = field(response, "error") or field(response, "last_error")
    if error is None and field(response, "status") != "failed":
        return None
    return str(field(error, "code") or "_OTHER")


def _message(message: Any) -> gen_ai.Message | None:
    return chat_completions.message(message, read=_part)


_USAGE: Table = {
    semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.prompt_tokens",
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "usage.completion_tokens",
}


def operations(methods: tuple[str, ...]) -> tuple[Operation, ...]:
    """The operations of the service's agents."""
    agent = Operation(
        name="invoke_agent",
        methods=methods,
        matches=stainless.posts("/v1/agents", "/assistant"),
        request={
            semconv.GEN_AI_AGENT_ID: lambda request: field(request, "agent_id") or field(request, "assistant_id"),
            semconv.GEN_AI_CONVERSATION_ID: "conversation_id",
            **STREAM,
        },
        request_content={
            semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.conversation(_message, items(request, "messages"))
        },
        response={
            semconv.GEN_AI_CONVERSATION_ID: "conversation_id",
            semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
                gen_ai.finish_reason(choice.get("finish_reason")) for choice in _choices(response)
            ],
            semconv.GEN_AI_RESPONSE_ID: "id",
            **_USAGE,
        },
        response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _output},
        fold=_fold,
        failure=_failure,
        background_id=lambda response: field(response, "async_id"),
    )
    return (
        agent,
        replace(
            agent,
            name="fetch_response",
            matches=stainless.posts("/v1/agents/async-result"),
            response={name: reader for name, reader in agent.response.items() if name not in _USAGE},
            background_id=lambda response: None,
            fetched_id=_fetched,
        ),
        replace(
            agent,
            name="chat",
            matches=stainless.posts("/tools"),
            request={**agent.request, semconv.GEN_AI_REQUEST_MODEL: "model"},
        ),
    )


def _fetched(arguments: Mapping[str, Any]) -> str | None:
    async_id = field(arguments.get("options"), "json_data", "async_id")
    return async_id if isinstance(async_id, str) else None
