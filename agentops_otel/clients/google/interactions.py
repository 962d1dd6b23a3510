"""The interactions and decisions of the google-genai package, in modules that it imports at the first use.

If a response is too long for one request, the package continues it with further ones. All of them are one call.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import raw_response, stainless
from agentops_otel.clients.google import genai, interaction_steps
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.reading import field, first, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.tables import STREAM, Table


def _provider(interactions: Any, host: str | None) -> str:
    version = field(interactions, "sdk_configuration", "globals", "api_version")
    return semconv.GCP_VERTEX_AI if isinstance(version, str) and "/projects/" in version else semconv.GCP_GEMINI


def _body(arguments: Mapping[str, Any]) -> Any:
    """The request's body: in arguments of its own, or in the one argument `request`."""
    body = field(arguments.get("request"), "body") or arguments
    extra = arguments.get("extra_body")
    return {**body, **extra} if isinstance(body, Mapping) and isinstance(extra, Mapping) else body


def _asks_an_agent(arguments: Mapping[str, Any]) -> bool:
    return isinstance(field(_body(arguments), "agent"), str)


def _is_raw(arguments: Mapping[str, Any]) -> bool:
    headers = arguments.get("extra_headers")
    return isinstance(headers, Mapping) and "x-google-genai-response-mode" in map(str.lower, headers)


def _output_type(request: Any) -> str | None:
    response_format = field(request, "response_format")
    form = next(iter(items(response_format)), response_format)
    kind, mime = field(form, "type"), field(form, "mime_type") or field(request, "response_mime_type")
    if isinstance(kind, str) and kind in _MEDIA:
        return _MEDIA[kind]
    return genai.MIME_TYPES.get(mime) if isinstance(mime, str) else None


_MEDIA = {"image": "image", "audio": "speech", "video": "video"}


def _output(response: Any) -> list[gen_ai.Message]:
    messages = interaction_steps.messages(items(response, "steps") or items(response, "outputs"), "assistant")
    return gen_ai.listed(
        gen_ai.message(
            "assistant", [part for message in messages if message["role"] == "assistant" for part in message["parts"]]
        )
    )


_FINISHED = {
    "completed": "stop",
    "requires_action": "tool_call",
    "incomplete": "length",
    "requires_continuation": "length",
    "budget_exceeded": "length",
    "failed": "error",
    "cancelled": "error",
}
_UNFINISHED = ("queued", "in_progress")


def _finish_reason(response: Any) -> str | None:
    """The finish reason for the status; None while a background response is in progress."""
    status = field(response, "status")
    if isinstance(status, str) and status in _FINISHED:
        return _FINISHED[status]
    return "error" if field(response, "streamed") else None


def _failure(response: Any) -> str | None:
    """`error.type` of a failed interaction: the error's code."""
    if field(response, "status") != "failed":
        return None
    code = field(first(response, "errors"), "code")
    return code if isinstance(code, str) and code else "_OTHER"


def _usages(response: Any) -> Sequence[Any]:
    """The usage of each request of the call: a stream may have several."""
    return items(response, "usages") or [field(response, "usage")]


def _details(name: str) -> genai.Details:
    return lambda response: [one for usage in _usages(response) for one in items(usage, name)]


def _count(*names: str) -> Callable[[Any], int | None]:
    """Reads the sum of the counts of those names."""

    def count(response: Any) -> int | None:
        counts = [
            count for usage in _usages(response) for name in names if isinstance(count := field(usage, name), int)
        ]
        return sum(counts) if counts else None

    return count


_USAGE: Table = {
    **genai.media(_details("input_tokens_by_modality"), _details("output_tokens_by_modality")),
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: _count("total_cached_tokens"),
    semconv.GEN_AI_USAGE_INPUT_TOKENS: _count("total_input_tokens", "total_tool_use_tokens"),
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: _count("total_output_tokens", "total_thought_tokens"),
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: _count("total_thought_tokens"),
}


def _methods(method: str, owner: str = "GeminiNextGenInteractions") -> tuple[str, ...]:
    return f"{owner}.{method}", f"Async{owner}.{method}"


FETCH = Operation(
    name="fetch_response",
    methods=_methods("get"),
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: _finish_reason,
        semconv.GEN_AI_RESPONSE_ID: "id",
        semconv.GEN_AI_RESPONSE_MODEL: "model",
    },
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _output},
    fold=interaction_steps.fold,
    failure=_failure,
    fetched_id=lambda arguments: arguments.get("id"),
)

INTERACT = replace(
    FETCH,
    name="generate_content",
    methods=_methods("create"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: genai.model,
        semconv.GEN_AI_OUTPUT_TYPE: _output_type,
        semconv.GEN_AI_REQUEST_MAX_TOKENS: "generation_config.max_output_tokens",
        semconv.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: "previous_interaction_id",
        semconv.GEN_AI_REQUEST_REASONING_LEVEL: "generation_config.thinking_level",
        semconv.GEN_AI_REQUEST_SEED: "generation_config.seed",
        semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "generation_config.stop_sequences",
        **STREAM,
        semconv.GEN_AI_REQUEST_TEMPERATURE: "generation_config.temperature",
        semconv.GEN_AI_REQUEST_TOP_P: "generation_config.top_p",
    },
    request_content={
        semconv.GEN_AI_SYSTEM_INSTRUCTIONS: lambda request: gen_ai.listed(
            gen_ai.text(field(request, "system_instruction"))
        ),
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: interaction_steps.messages(field(request, "input"), "user"),
        semconv.GEN_AI_TOOL_DEFINITIONS: lambda request: list(items(request, "tools")),
    },
    response={**FETCH.response, **_USAGE},
    background_id=lambda response: field(response, "id") if field(response, "status") in _UNFINISHED else None,
    fetched_id=lambda arguments: None,
)

AGENT = replace(
    INTERACT,
    name="invoke_agent",
    matches=_asks_an_agent,
    request={semconv.GEN_AI_AGENT_NAME: "agent", **INTERACT.request},
)


def _held(operation: Operation) -> Operation:
    """The operation at the private class, for a raw-response wrapper that the program bound before `init()`."""
    method = operation.methods[0].rpartition(".")[2]
    return replace(
        operation,
        methods=(f"GeneratedInteractions.{method}", f"GeneratedAsyncInteractions.{method}"),
        matches=lambda arguments: _is_raw(arguments) and operation.matches(arguments),
    )


def _named(source: Any, name: str, kind: str) -> list[gen_ai.Part]:
    """Parts for the entries of a mapping: a decision's questions or answers."""
    entries = field(source, f"{name}s")
    return [
        {"type": kind, "id": identity, name: entry}
        for identity, entry in (entries.items() if isinstance(entries, Mapping) else ())
    ]


def _asked(request: Any) -> list[gen_ai.Message]:
    """Messages for the input and the questions about it."""
    questions = gen_ai.message("user", _named(request, "question", "question"))
    return interaction_steps.messages(field(request, "input"), "user") + ([questions] if questions else [])


def _decided(response: Any) -> list[gen_ai.Message]:
    return gen_ai.listed(gen_ai.message("assistant", _named(response, "answer", "decision")))


def _decision(response: Any) -> str | None:
    if field(response, "prompt_feedback", "block_reason"):
        return "content_filter"
    return "stop" if field(response, "answers") else None


DECISION = Operation(
    name="generate_content",
    methods=_methods("create", "GeminiNextGenDecisions"),
    request={semconv.GEN_AI_REQUEST_MODEL: genai.model, semconv.GEN_AI_OUTPUT_TYPE: lambda _: "json"},
    request_content={semconv.GEN_AI_INPUT_MESSAGES: _asked},
    response={
        **_USAGE,
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: _decision,
    },
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _decided},
)

SPEC = ClientSpec(
    name="google-genai",
    module="google.genai._gaos.google_genai",
    operations=(AGENT, INTERACT, FETCH, _held(AGENT), _held(INTERACT), _held(FETCH), DECISION),
    provider=_provider,
    url=lambda interactions: field(interactions, "sdk_configuration", "server_url"),
    body=_body,
    wrap_result=raw_response.wrap_result,
    partial_response=lambda error: field(error, "partial_interaction"),
)


def _fetched(arguments: Mapping[str, Any]) -> str | None:
    """The interaction's id, if the request fetches an interaction."""
    options = arguments.get("options")
    match = re.fullmatch(r".*/interactions/([^/?]+)(\?.*)?", str(field(options, "url")))
    return match[1] if match and str(field(options, "method")).lower() == "get" else None


def _created(arguments: Mapping[str, Any]) -> bool:
    options = arguments.get("options")
    path = str(field(options, "url")).partition("?")[0]
    return path.endswith("/interactions") and str(field(options, "method")).lower() == "post"


def _first(operation: Operation, applies: Callable[[Mapping[str, Any]], bool], **changes: Any) -> Operation:
    methods = ("GeminiNextGenAPIClient.request", "AsyncGeminiNextGenAPIClient.request")
    return replace(operation, methods=methods, matches=applies, **changes)


FIRST = ClientSpec(
    name="google-genai",
    module="google.genai._interactions._client",
    operations=(
        _first(AGENT, lambda arguments: _created(arguments) and bool(field(stainless.body(arguments), "agent"))),
        _first(INTERACT, _created),
        _first(FETCH, lambda arguments: _fetched(arguments) is not None, fetched_id=_fetched),
    ),
    provider=lambda client, host: semconv.GCP_VERTEX_AI if field(client, "_is_vertex") else semconv.GCP_GEMINI,
    url=stainless.url,
    rewrite_arguments=stainless.rewrite_arguments,
    body=stainless.body,
    wrap_result=raw_response.wrap_result,
)
"""The spec for google-genai 1, whose interactions had a client made by Stainless."""

SPECS = (SPEC, FIRST)
