"""Models that make pictures and videos, or watch them: Stability, Titan, Nova Canvas and Reel, Luma, TwelveLabs."""

from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.bedrock.request import METHODS, asks, either, invokes
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.reading import field, first, items
from agentops_otel.instrumentation.spec import Operation

_PROMPT = either(
    *("prompt", "inputPrompt", "textToImageParams.text", "textToVideoParams.text", "inPaintingParams.text"),
    *("outPaintingParams.text", "imageVariationParams.text", "colorGuidedGenerationParams.text"),
)


def _prompted(request: Any) -> list[gen_ai.Message]:
    return gen_ai.texts(_PROMPT(request) or field(first(request, "text_prompts"), "text"))


def _images(response: Any) -> list[gen_ai.Message]:
    """The images of the response, as base64: in `images`, or in `artifacts` for Stability's first models."""
    pictures = [*items(response, "images"), *(field(made, "base64") for made in items(response, "artifacts"))]
    return gen_ai.listed(gen_ai.message("assistant", [gen_ai.blob("image", None, one) for one in pictures]))


IMAGES = Operation(
    name="generate_content",
    methods=METHODS,
    matches=invokes("stability.", "titan-image", "nova-canvas", mark="text_prompts"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model",
        semconv.GEN_AI_OUTPUT_TYPE: lambda _: "image",
        semconv.GEN_AI_REQUEST_CHOICE_COUNT: lambda request: gen_ai.choice_count(
            field(request, "imageGenerationConfig", "numberOfImages")
        ),
    },
    request_content={semconv.GEN_AI_INPUT_MESSAGES: _prompted},
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _images},
    has_finish_reasons=False,
)

WATCHING = Operation(
    name="generate_content",
    methods=METHODS,
    matches=invokes("twelvelabs.pegasus"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model",
        semconv.GEN_AI_OUTPUT_TYPE: lambda _: "text",
        semconv.GEN_AI_REQUEST_MAX_TOKENS: "maxOutputTokens",
        semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
    },
    request_content={semconv.GEN_AI_INPUT_MESSAGES: _prompted},
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
            gen_ai.finish_reason(field(response, "finishReason"))
        ],
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.texts(field(response, "message"), role="assistant")
    },
)

VIDEOS = Operation(
    name="generate_content",
    methods=METHODS,
    matches=lambda arguments: (
        asks("StartAsyncInvoke")(arguments)
        and any(model in str(arguments["api_params"].get("modelId")) for model in ("nova-reel", "luma."))
    ),
    request={semconv.GEN_AI_REQUEST_MODEL: "model", semconv.GEN_AI_OUTPUT_TYPE: lambda _: "video"},
    request_content={semconv.GEN_AI_INPUT_MESSAGES: _prompted},
    response={semconv.GEN_AI_RESPONSE_ID: "invocationArn"},
    has_finish_reasons=False,
)
"""Starts a job that writes the video to the S3 address in the request."""
