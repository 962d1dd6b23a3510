"""The openai package, for OpenAI, Azure and all servers with the same API."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings, raw_response, responses, stainless
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text
from agentops_otel.instrumentation.reading import field, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.tables import Table

_HOSTS: Mapping[str, str] = {
    "api.anthropic.com": semconv.ANTHROPIC,
    "api.cohere.ai": semconv.COHERE,
    "api.cohere.com": semconv.COHERE,
    "api.deepseek.com": semconv.DEEPSEEK,
    "api.groq.com": semconv.GROQ,
    "api.mistral.ai": semconv.MISTRAL_AI,
    "api.moonshot.ai": semconv.MOONSHOT_AI,
    "api.moonshot.cn": semconv.MOONSHOT_AI,
    "api.perplexity.ai": semconv.PERPLEXITY,
    "api.together.ai": semconv.TOGETHER_AI,
    "api.together.xyz": semconv.TOGETHER_AI,
    "api.x.ai": semconv.X_AI,
    "dashscope-intl.aliyuncs.com": semconv.DASHSCOPE,
    "dashscope.aliyuncs.com": semconv.DASHSCOPE,
    "generativelanguage.googleapis.com": semconv.GCP_GEMINI,
    "open.bigmodel.cn": semconv.ZHIPU_AI,
    "router.huggingface.co": semconv.HUGGING_FACE,
}
_HOST_ENDINGS: Mapping[str, str] = {
    ".api.x.ai": semconv.X_AI,
    ".cognitiveservices.azure.com": semconv.AZURE_AI_OPENAI,
    ".openai.azure.com": semconv.AZURE_AI_OPENAI,
    ".services.ai.azure.com": semconv.AZURE_AI_INFERENCE,
    ".models.ai.azure.com": semconv.AZURE_AI_INFERENCE,
    "aiplatform.googleapis.com": semconv.GCP_VERTEX_AI,
    ".amazonaws.com": semconv.AWS_BEDROCK,
}


def provider(client: Any, host: str | None) -> str:
    """The provider by the client's class, then by the host; "openai" for an unknown host."""
    if _is_azure(type(client)):  # type: ignore[arg-type]  # a class is hashable
        return semconv.AZURE_AI_OPENAI
    return _provider_at(host or "")


@lru_cache(maxsize=64)
def _is_azure(client: type) -> bool:
    return any(kind.__name__ in ("AzureOpenAI", "AsyncAzureOpenAI") for kind in client.__mro__)


@lru_cache(maxsize=256)
def _provider_at(host: str) -> str:
    endings = (name for ending, name in _HOST_ENDINGS.items() if host.endswith(ending))
    return _HOSTS.get(host) or next(endings, semconv.OPENAI)


def _unless_auto(tier: Any) -> Any:
    return None if tier == "auto" else tier


def _detail(response: Any, name: str) -> Any:
    """A token count of the usage's details, whose name differs between images and audio."""
    return field(response, "usage", "input_tokens_details", name) or field(
        response, "usage", "input_token_details", name
    )


def _images(response: Any) -> list[gen_ai.Message]:
    kind = f"image/{field(response, 'output_format') or 'png'}"
    parts = [
        gen_ai.media("image", field(image, "url")) or gen_ai.blob("image", kind, field(image, "b64_json"))
        for image in items(response, "data")
    ]
    return gen_ai.listed(gen_ai.message("assistant", parts))


def _speech(response: Any) -> list[gen_ai.Message]:
    http, size = field(response, "response"), field(response, "audio_bytes")
    if http is not None:
        spoken = gen_ai.blob("audio", http.headers.get("content-type"), http.content)
    elif size is not None:
        spoken = {"type": "blob", "modality": "audio", "byte_size": size}
    else:
        return []
    return gen_ai.listed(gen_ai.message("assistant", [spoken]))


def _decisions(response: Any) -> list[gen_ai.Message]:
    parts = [{"type": "decision", "answer": answer} for answer in items(response, "answers")]
    return gen_ai.listed(gen_ai.message("assistant", parts))


def _fold_image(response: dict[str, Any], event: Any) -> None:
    if field(event, "type") in ("image_generation.completed", "image_edit.completed"):
        response["usage"] = field(event, "usage")
        response["output_format"] = field(event, "output_format")
        response.setdefault("data", []).append({"b64_json": field(event, "b64_json")})


def _fold_speech(response: dict[str, Any], event: Any) -> None:
    if (usage := field(event, "usage")) is not None:
        response["usage"] = usage
    size = gen_ai.blob("audio", None, field(event, "audio")).get("byte_size", 0)
    response["audio_bytes"] = response.get("audio_bytes", 0) + size


def _fold_transcript(response: dict[str, Any], event: Any) -> None:
    if (usage := field(event, "usage")) is not None:
        response["usage"] = usage
    add_text(response, "text", field(event, "delta"))
    if "text" not in response and field(event, "type") == "transcript.text.done":
        add_text(response, "text", field(event, "text"))


_METHODS = ("OpenAI.request", "AsyncOpenAI.request")
_TIERS: Table = {
    semconv.OPENAI_RESPONSE_SERVICE_TIER: "service_tier",
    semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: "system_fingerprint",
}
_USAGE: Table = {
    semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.input_tokens",
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "usage.output_tokens",
    semconv.GEN_AI_USAGE_TEXT_INPUT_TOKENS: lambda response: _detail(response, "text_tokens"),
    semconv.GEN_AI_USAGE_IMAGE_INPUT_TOKENS: lambda response: _detail(response, "image_tokens"),
    semconv.GEN_AI_USAGE_AUDIO_INPUT_TOKENS: lambda response: _detail(response, "audio_tokens"),
}
_TEXT: Table = {
    semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.texts(
        response if isinstance(response, str) else field(response, "text"), role="assistant"
    )
}


def _asked(api_type: str) -> Table:
    return {
        semconv.OPENAI_API_TYPE: lambda _: api_type,
        semconv.OPENAI_REQUEST_SERVICE_TIER: lambda body: _unless_auto(field(body, "service_tier")),
    }


CHAT = replace(
    chat_completions.CHAT,
    methods=_METHODS,
    matches=stainless.posts("/chat/completions"),
    request={**_asked("chat_completions"), **chat_completions.REQUEST},
    response={**_TIERS, **chat_completions.RESPONSE},
    copies_response=True,
)

RESPONSES = replace(
    responses.RESPONSES,
    methods=_METHODS,
    matches=stainless.posts("/responses"),
    request={**_asked("responses"), **responses.REQUEST},
    response={**_TIERS, **responses.RESPONSE},
    background_id=lambda response: field(response, "id") if field(response, "background") else None,
    copies_response=True,
)

FETCH_RESPONSE = Operation(
    name="fetch_response",
    methods=_METHODS,
    matches=lambda arguments: responses.fetched(field(arguments, "options")) is not None,
    response={**_TIERS, **responses.FETCHED},
    response_content=responses.RESPONSE_CONTENT,
    fold=responses.fold,
    failure=responses.failure,
    fetched_id=lambda arguments: responses.fetched(field(arguments, "options")),
    copies_response=True,
)

COMPLETIONS = replace(
    chat_completions.TEXT_COMPLETION,
    methods=_METHODS,
    matches=stainless.posts("/completions"),
    response={**_TIERS, **chat_completions.RESPONSE},
    copies_response=True,
)

EMBEDDINGS = replace(embeddings.EMBEDDINGS, methods=_METHODS, matches=stainless.posts("/embeddings"))

IMAGES = Operation(
    name="generate_content",
    methods=_METHODS,
    matches=stainless.posts("/images/generations", "/images/edits", "/images/variations"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model",
        semconv.GEN_AI_OUTPUT_TYPE: lambda _: "image",
        semconv.GEN_AI_REQUEST_CHOICE_COUNT: lambda body: gen_ai.choice_count(field(body, "n")),
    },
    request_content=chat_completions.PROMPT,
    response=_USAGE,
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _images},
    fold=_fold_image,
    has_finish_reasons=False,
)

SPEECH = Operation(
    name="generate_content",
    methods=_METHODS,
    matches=stainless.posts("/audio/speech"),
    request={semconv.GEN_AI_REQUEST_MODEL: "model", semconv.GEN_AI_OUTPUT_TYPE: lambda _: "speech"},
    request_content=embeddings.INPUT,
    response=_USAGE,
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _speech},
    fold=_fold_speech,
    has_finish_reasons=False,
)

TRANSCRIPTION = Operation(
    name="generate_content",
    methods=_METHODS,
    matches=stainless.posts("/audio/transcriptions", "/audio/translations"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model",
        semconv.GEN_AI_OUTPUT_TYPE: lambda _: "text",
        semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
    },
    request_content=chat_completions.PROMPT,
    response=_USAGE,
    response_content=_TEXT,
    fold=_fold_transcript,
    has_finish_reasons=False,
)

MODERATION = Operation(
    name="moderation",
    methods=_METHODS,
    matches=stainless.posts("/moderations"),
    request={semconv.GEN_AI_REQUEST_MODEL: "model"},
    request_content=embeddings.INPUT,
    response={semconv.GEN_AI_RESPONSE_ID: "id", semconv.GEN_AI_RESPONSE_MODEL: "model"},
    has_finish_reasons=False,
)

COMPACTION = Operation(
    name="chat",
    methods=_METHODS,
    matches=stainless.posts("/responses/compact"),
    request={**_asked("responses"), **responses.REQUEST},
    request_content=responses.REQUEST_CONTENT,
    response={
        **responses.RESPONSE,
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: ["compaction"] if items(response, "output") else None,
    },
    response_content=responses.RESPONSE_CONTENT,
)

COUNT_TOKENS = Operation(
    name="count_tokens",
    methods=_METHODS,
    matches=stainless.posts("/responses/input_tokens"),
    request={semconv.GEN_AI_REQUEST_MODEL: "model"},
    request_content=responses.REQUEST_CONTENT,
    response={semconv.AGENTOPS_COUNTED_INPUT_TOKENS: "input_tokens"},
    has_finish_reasons=False,
)

DECISION = Operation(
    name="generate_content",
    methods=_METHODS,
    matches=stainless.posts("/decisions"),
    request={semconv.GEN_AI_REQUEST_MODEL: "model", semconv.GEN_AI_OUTPUT_TYPE: lambda _: "json"},
    request_content=responses.REQUEST_CONTENT,
    response={
        **responses.RESPONSE,
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: ["stop"] if items(response, "answers") else None,
    },
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _decisions},
)

SPEC = ClientSpec(
    name="openai",
    module="openai",
    operations=(
        CHAT,
        RESPONSES,
        FETCH_RESPONSE,
        COMPLETIONS,
        EMBEDDINGS,
        IMAGES,
        SPEECH,
        TRANSCRIPTION,
        MODERATION,
        COMPACTION,
        COUNT_TOKENS,
        DECISION,
    ),
    provider=provider,
    url=stainless.url,
    body=stainless.body,
    wrap_result=raw_response.wrap_result,
    partial_response=lambda error: field(error, "completion"),
    also_check=("resources.chat.completions.Completions.create", "resources.responses.Responses.create"),
)
