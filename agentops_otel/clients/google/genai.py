"""The google-genai package, for Gemini and Vertex.

The private methods that send one request each are wrapped. The public ones also call the program's functions and send
their results: each such request is a call with its own tokens, and the functions are not part of it.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.google import contents
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import indexed, joined
from agentops_otel.instrumentation.reading import field, first, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation, server_table
from agentops_otel.instrumentation.tables import Table


def _provider(models: Any, host: str | None) -> str:
    return semconv.GCP_VERTEX_AI if field(models, "_api_client", "vertexai") else semconv.GCP_GEMINI


def _url(models: Any) -> object:
    # `Models` has no public attribute for the URL.
    return field(models, "_api_client", "_http_options", "base_url")


def model(request: Any) -> object:
    """The model's name without the prefix `models/`."""
    name = field(request, "model")
    return name.removeprefix("models/") if isinstance(name, str) else None


def _config(*path: str) -> Callable[[Any], Any]:
    """Reads a field of the request's config."""
    return lambda request: reduce(contents.named, path, field(request, "config"))


def _instructions(request: Any) -> list[gen_ai.Part]:
    return [part for message in contents.contents(_config("system_instruction")(request)) for part in message["parts"]]


def _tools(request: Any) -> list[Any]:
    return [definition for tool in items(request, "config", "tools") for definition in contents.tools(tool)]


def _output_type(request: Any) -> str | None:
    """The modality that the request asks for; for text, its format."""
    modalities = [_word(kind) for kind in items(_config("response_modalities")(request))]
    kind = _config("response_mime_type")(request)
    written = MIME_TYPES.get(kind) if isinstance(kind, str) else None
    return next(
        (_MEDIA[modality] for modality in modalities if modality in _MEDIA),
        written or ("text" if "TEXT" in modalities else None),
    )


def _word(value: Any) -> str:
    """The value of an enumeration member, which may be given as a string."""
    return str(getattr(value, "value", value)).upper()


_MEDIA = {"IMAGE": "image", "AUDIO": "speech", "VIDEO": "video"}


MIME_TYPES = {"application/json": "json", "text/plain": "text"}
"""`gen_ai.output.type` by the MIME type that a request asks for."""


def _finish_reason(candidate: Any) -> str | None:
    reason = gen_ai.finish_reason(field(candidate, "finish_reason"))
    calls = any(field(part, "function_call") is not None for part in items(candidate, "content", "parts"))
    return "tool_call" if reason == "stop" and calls else reason


def total(*names: str) -> Callable[[Any], int | None]:
    """The sum of the counts that the response has; None if it has none of them."""

    def add(response: Any) -> int | None:
        counts = [field(response, "usage_metadata", name) for name in names]
        reported = [count for count in counts if isinstance(count, int)]
        return sum(reported) if reported else None

    return add


def _answer(candidate: Any) -> gen_ai.Message | None:
    """The message of a candidate. Successive texts become one part, as they do in a stream."""
    parts: list[Any] = []
    for part in items(candidate, "content", "parts"):
        contents.fold_part(parts, part)
    return contents.content({"parts": joined(parts)}, role="model")


def _finish_reasons(response: Any) -> list[str | None]:
    reasons = [_finish_reason(candidate) for candidate in items(response, "candidates")]
    blocked = not reasons and field(response, "prompt_feedback", "block_reason")
    return ["content_filter"] if blocked else reasons


Details = Callable[[Any], Sequence[Any]]
"""Reads the token counts by modality from a response."""


def _medium(modality: str, details: Details) -> Callable[[Any], int | None]:
    """Reads the tokens of one modality."""

    def count(response: Any) -> int | None:
        reported = (
            field(one, "token_count") or field(one, "tokens")
            for one in details(response)
            if _word(field(one, "modality")) == modality
        )
        return sum(counts) if (counts := [one for one in reported if isinstance(one, int)]) else None

    return count


def media(prompt: Details, answer: Details) -> Table:
    """A table of the input and output tokens by modality."""
    return {
        semconv.GEN_AI_USAGE_TEXT_INPUT_TOKENS: _medium("TEXT", prompt),
        semconv.GEN_AI_USAGE_IMAGE_INPUT_TOKENS: _medium("IMAGE", prompt),
        semconv.GEN_AI_USAGE_AUDIO_INPUT_TOKENS: _medium("AUDIO", prompt),
        semconv.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS: _medium("TEXT", answer),
        semconv.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS: _medium("IMAGE", answer),
        semconv.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: _medium("AUDIO", answer),
    }


def details(name: str) -> Details:
    """Reads the details of that name from a response's usage."""
    return lambda response: items(response, "usage_metadata", name)


def fold(response: dict[str, Any], chunk: Any) -> None:
    """Add a chunk to the response. Both have the same shape."""
    for name in ("response_id", "model_version", "usage_metadata", "prompt_feedback"):
        if (value := field(chunk, name)) is not None:
            response[name] = value
    for candidate in items(chunk, "candidates"):
        entry = indexed(response, "candidates", field(candidate, "index"))
        if (reason := field(candidate, "finish_reason")) is not None:
            entry["finish_reason"] = reason
        content = entry.setdefault("content", {"parts": []})
        for part in items(candidate, "content", "parts"):
            contents.fold_part(content["parts"], part)


_ASKED: Table = {semconv.GEN_AI_REQUEST_MODEL: model, **server_table(_config("http_options", "base_url"))}


def _asking(method: str) -> str:
    """The alternatives for the private method that sends one request, in several versions of the package."""
    return "|".join(method.format(*around) for around in (("_", "_with_continuation"), ("_", ""), ("", "")))


GENERATE = Operation(
    name="generate_content",
    methods=(
        *(_asking(f"{models}.{{}}generate_content{{}}") for models in ("Models", "AsyncModels")),
        *(_asking(f"{models}.{{}}generate_content_stream{{}}") for models in ("Models", "AsyncModels")),
    ),
    request={
        **_ASKED,
        semconv.GEN_AI_OUTPUT_TYPE: _output_type,
        semconv.GEN_AI_REQUEST_CHOICE_COUNT: lambda request: gen_ai.choice_count(_config("candidate_count")(request)),
        semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY: _config("frequency_penalty"),
        semconv.GEN_AI_REQUEST_MAX_TOKENS: _config("max_output_tokens"),
        semconv.GEN_AI_REQUEST_PRESENCE_PENALTY: _config("presence_penalty"),
        semconv.GEN_AI_REQUEST_REASONING_LEVEL: _config("thinking_config", "thinking_level"),
        semconv.GEN_AI_REQUEST_SEED: _config("seed"),
        semconv.GEN_AI_REQUEST_STOP_SEQUENCES: _config("stop_sequences"),
        semconv.GEN_AI_REQUEST_TEMPERATURE: _config("temperature"),
        semconv.GEN_AI_REQUEST_TOP_K: _config("top_k"),
        semconv.GEN_AI_REQUEST_TOP_P: _config("top_p"),
    },
    request_content={
        semconv.GEN_AI_SYSTEM_INSTRUCTIONS: _instructions,
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: contents.contents(field(request, "contents")),
        semconv.GEN_AI_TOOL_DEFINITIONS: _tools,
    },
    response={
        **media(details("prompt_tokens_details"), details("candidates_tokens_details")),
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: _finish_reasons,
        semconv.GEN_AI_RESPONSE_ID: "response_id",
        semconv.GEN_AI_RESPONSE_MODEL: "model_version",
        semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "usage_metadata.cached_content_token_count",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: total("prompt_token_count", "tool_use_prompt_token_count"),
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: total("candidates_token_count", "thoughts_token_count"),
        semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: "usage_metadata.thoughts_token_count",
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            message for candidate in items(response, "candidates") if (message := _answer(candidate))
        ]
    },
    fold=fold,
)


def _embedded(response: Any) -> Any:
    """The tokens of an embeddings request: the total, or the sum over its texts."""
    if (total := field(response, "usage_metadata", "prompt_token_count")) is not None:
        return total
    counts = [field(one, "statistics", "token_count") for one in items(response, "embeddings")]
    reported = [count for count in counts if isinstance(count, int | float)]
    return sum(reported) if reported else None


EMBED = Operation(
    name="embeddings",
    methods=("Models.embed_content", "AsyncModels.embed_content"),
    request={
        **_ASKED,
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: _config("output_dimensionality"),
    },
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: contents.contents(field(request, "contents"))},
    response={
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: (
            len(items(first(response, "embeddings"), "values")) or None
        ),
        semconv.GEN_AI_USAGE_INPUT_TOKENS: _embedded,
    },
    has_finish_reasons=False,
)

COUNT_TOKENS = Operation(
    name="count_tokens",
    methods=("Models.count_tokens", "AsyncModels.count_tokens"),
    request=_ASKED,
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: contents.contents(field(request, "contents"))},
    response={semconv.AGENTOPS_COUNTED_INPUT_TOKENS: "total_tokens"},
    has_finish_reasons=False,
)


def _images(response: Any) -> list[gen_ai.Message]:
    parts = [
        gen_ai.blob("image", field(image, "image", "mime_type"), field(image, "image", "image_bytes"))
        for image in items(response, "generated_images")
    ]
    return gen_ai.listed(gen_ai.message("assistant", parts))


def _prompted(request: Any) -> list[gen_ai.Message]:
    return gen_ai.texts(field(request, "prompt") or field(request, "source", "prompt"))


IMAGES = Operation(
    name="generate_content",
    methods=tuple(
        f"{models}.{method}"
        for models in ("Models", "AsyncModels")
        for method in ("generate_images", "edit_image", "upscale_image", "recontext_image", "segment_image")
    ),
    request={
        **_ASKED,
        semconv.GEN_AI_OUTPUT_TYPE: lambda _: "image",
        semconv.GEN_AI_REQUEST_CHOICE_COUNT: lambda request: gen_ai.choice_count(_config("number_of_images")(request)),
    },
    request_content={semconv.GEN_AI_INPUT_MESSAGES: _prompted},
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _images},
    has_finish_reasons=False,
)

VIDEOS = Operation(
    name="generate_content",
    methods=("Models.generate_videos", "AsyncModels.generate_videos"),
    request={**_ASKED, semconv.GEN_AI_OUTPUT_TYPE: lambda _: "video"},
    request_content={semconv.GEN_AI_INPUT_MESSAGES: _prompted},
    response={semconv.GEN_AI_RESPONSE_ID: "name"},
    has_finish_reasons=False,
)
"""Starts a job. The program fetches the video later by the job's name."""

SPEC = ClientSpec(
    name="google-genai",
    module="google.genai.models",
    operations=(GENERATE, EMBED, COUNT_TOKENS, IMAGES, VIDEOS),
    provider=_provider,
    url=_url,
    also_check=("Models.generate_content", "AsyncModels.generate_content"),
)
