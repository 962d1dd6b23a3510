"""Conversations that Mistral stores: their entries, and the events of their streams."""

from collections.abc import Callable, Mapping
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text, begin_entry, entry_with, indexed
from agentops_otel.instrumentation.reading import as_mapping, field, items
from agentops_otel.instrumentation.spec import Operation
from agentops_otel.instrumentation.tables import Table


def body(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, and `completion_args` as arguments of their own."""
    return {**as_mapping(arguments.get("completion_args")), **arguments}


def fold(response: dict[str, Any], event: Any) -> None:
    """Add an event to the response, which takes the shape of the unstreamed one."""
    data = as_mapping(field(event, "data"))
    kind = data.get("type")
    folder = _FOLDERS.get(kind) if isinstance(kind, str) else None
    if folder is not None:
        folder(response, data)


def _keeping(*names: str) -> Callable[[dict[str, Any], Mapping[str, Any]], None]:
    def keep(response: dict[str, Any], data: Mapping[str, Any]) -> None:
        response.update((name, value) for name in names if (value := data.get(name)) is not None)

    return keep


def _entry(response: dict[str, Any], data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    index, call_id = data.get("output_index"), data.get("tool_call_id")
    entry = entry_with(response, "outputs", "tool_call_id", call_id) or indexed(response, "outputs", index)
    if entry.get("type", kind) != kind or entry.get("tool_call_id", call_id) != call_id:
        entry = begin_entry(response, "outputs", index)
    entry["type"] = kind
    _keeping("id", "name", "tool_call_id", "model", "agent_id", "info")(entry, data)
    return entry


def _fold_message(response: dict[str, Any], data: Mapping[str, Any]) -> None:
    content = data.get("content")
    kind = "text" if isinstance(content, str) else field(content, "type")
    parts: list[dict[str, Any]] = _entry(response, data, "message.output").setdefault("content", [])
    if kind not in ("text", "thinking"):
        parts.append(dict(as_mapping(content)))
        return
    if not parts or parts[-1].get("type") != kind:
        parts.append({"type": kind})
    piece = content if isinstance(content, str) else field(content, "text")
    add_text(parts[-1], kind, chat_completions.thought(content) if kind == "thinking" else piece)


def _asking(kind: str) -> Callable[[dict[str, Any], Mapping[str, Any]], None]:
    """A fold that adds a piece to the arguments of a tool call."""

    def ask(response: dict[str, Any], data: Mapping[str, Any]) -> None:
        add_text(_entry(response, data, kind), "arguments", data.get("arguments"))

    return ask


_FOLDERS: Mapping[str, Callable[[dict[str, Any], Mapping[str, Any]], None]] = {
    "conversation.response.started": _keeping("conversation_id"),
    "conversation.response.done": _keeping("usage"),
    "conversation.response.error": _keeping("code"),
    "message.output.delta": _fold_message,
    "function.call.delta": _asking("function.call"),
    "tool.execution.started": _asking("tool.execution"),
    "tool.execution.delta": _asking("tool.execution"),
    "tool.execution.done": _asking("tool.execution"),
}


def _failure(response: Any) -> str | None:
    """`error.type`: the code of the error event that ended the stream."""
    code = field(response, "code")
    return None if code is None else str(code)


def _first(name: str) -> Callable[[Any], Any]:
    """Reads a field from the first entry that has it."""
    return lambda response: next(filter(None, (field(entry, name) for entry in items(response, "outputs"))), None)


def _finish_reasons(response: Any) -> list[str] | None:
    """The finish reason "tool_call", if the response calls a function. The API reports no other."""
    calls = any(field(entry, "type") == "function.call" for entry in items(response, "outputs"))
    return ["tool_call"] if calls else None


def _input(given: Any) -> list[gen_ai.Message]:
    if isinstance(given, str):
        return gen_ai.texts(given)
    return [message for entry in items(given) if (message := _message(entry))]


def _message(entry: Any) -> gen_ai.Message | None:
    """An entry of the input as a message. Entries without a type are recognised by their fields."""
    if (answer := field(entry, "result")) is not None:
        return gen_ai.message("tool", [gen_ai.tool_call_response(field(entry, "tool_call_id"), answer)])
    is_answer = field(entry, "type") not in (None, "message.input")
    return gen_ai.message("assistant" if is_answer else field(entry, "role"), _parts(entry))


def _output(response: Any) -> list[gen_ai.Message]:
    return gen_ai.listed(
        gen_ai.message("assistant", [part for entry in items(response, "outputs") for part in _parts(entry)])
    )


def _parts(entry: Any) -> list[gen_ai.Part | None]:
    name, arguments = field(entry, "name"), field(entry, "arguments")
    match field(entry, "type"):
        case "function.call":
            return [gen_ai.tool_call(field(entry, "tool_call_id"), name, arguments)]
        case "tool.execution":
            identity, info = field(entry, "id"), field(entry, "info")
            answer = gen_ai.server_tool_call_response(identity, name, info) if isinstance(info, dict) else None
            return [gen_ai.server_tool_call(identity, name, name, {"arguments": arguments}), answer]
        case _:
            content = field(entry, "content")
            return [gen_ai.text(content)] if isinstance(content, str) else [_part(part) for part in items(content)]


def _part(part: Any) -> gen_ai.Part | None:
    return (
        chat_completions.part(part)
        or gen_ai.media("document", field(part, "document_url"))
        or gen_ai.file(field(part, "file_id"))
    )


_RESPONSE: Table = {
    semconv.GEN_AI_AGENT_ID: _first("agent_id"),
    semconv.GEN_AI_CONVERSATION_ID: "conversation_id",
    semconv.GEN_AI_RESPONSE_FINISH_REASONS: _finish_reasons,
    semconv.GEN_AI_RESPONSE_MODEL: _first("model"),
    semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.prompt_tokens",
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "usage.completion_tokens",
}

_NAMES = [f"{way}{stream}" for way in ("start", "append", "restart") for stream in ("", "_stream")]

CONVERSATION = Operation(
    name="chat",
    methods=tuple(f"Conversations.{name}{mode}" for name in _NAMES for mode in ("", "_async")),
    request={
        **chat_completions.REQUEST,
        semconv.GEN_AI_AGENT_ID: "agent_id",
        semconv.GEN_AI_CONVERSATION_ID: "conversation_id",
        semconv.GEN_AI_REQUEST_SEED: "random_seed",
    },
    request_content={
        semconv.GEN_AI_SYSTEM_INSTRUCTIONS: lambda request: gen_ai.listed(gen_ai.text(field(request, "instructions"))),
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: _input(field(request, "inputs")),
        semconv.GEN_AI_TOOL_DEFINITIONS: chat_completions.REQUEST_CONTENT[semconv.GEN_AI_TOOL_DEFINITIONS],
    },
    response=_RESPONSE,
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _output},
    fold=fold,
    failure=_failure,
)
