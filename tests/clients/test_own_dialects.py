"""The clients that speak a dialect of their own, over HTTP on loopback: what their spans say."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import StatusCode

from tests.clients.capture import Captured
from tests.clients.forms.form import QUESTION, TEXT, forms_of, told
from tests.loopback.bedrock_server import events
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import completion

FORMS = ["plain", "streamed", "async_plain", "async_streamed"]


@pytest.mark.parametrize("form", ["plain", "streamed"])
def test_every_form_of_a_chat_with_bedrock_makes_the_same_span(
    form: str, captured: Captured, server: LlmServer
) -> None:
    """Converse and its stream; cached tokens count as input."""
    assert told(forms_of("boto3"), form, captured, server) == snapshot(
        {
            "name": "chat amazon.nova-pro-v1:0",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "aws.bedrock",
                "gen_ai.request.max_tokens": 100,
                "gen_ai.request.model": "amazon.nova-pro-v1:0",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.usage.cache_creation.input_tokens": 0,
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.cache_write.input_tokens": 0,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "server.address": "127.0.0.1",
            },
        }
    )


def test_embeddings_of_bedrock_have_a_span(captured: Captured, server: LlmServer) -> None:
    """A model that is invoked: its body is told when the program has read it."""
    assert told(forms_of("boto3"), "embed", captured, server) == snapshot(
        {
            "name": "embeddings amazon.titan-embed-text-v2:0",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.embeddings.dimension.count": 2,
                "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Paris"}]}],
                "gen_ai.operation.name": "embeddings",
                "gen_ai.provider.name": "aws.bedrock",
                "gen_ai.request.model": "amazon.titan-embed-text-v2:0",
                "gen_ai.usage.input_tokens": 4,
                "server.address": "127.0.0.1",
            },
        }
    )


CLAUDE = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-4",
    "content": [{"type": "text", "text": TEXT}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 11, "output_tokens": 7},
}


def test_each_family_of_models_is_read_in_its_own_dialect(captured: Captured, server: LlmServer) -> None:
    """InvokeModel hands over whatever the model speaks: Claude, Nova, chat completions, Llama, Titan."""
    family = forms_of("boto3")
    asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("anthropic.claude-4-v1:0", {**CLAUDE, "messages": [{"role": "user", "content": QUESTION}]}, MESSAGE),
        (
            "amazon.nova-pro-v1:0",
            {"messages": [{"role": "user", "content": [{"text": QUESTION}]}], "inferenceConfig": {"maxTokens": 100}},
            json.loads(family.answer(stream=False).body or b""),
        ),
        ("mistral.large", {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 100}, completion()),
        (
            "meta.llama4",
            {"prompt": QUESTION, "max_gen_len": 100},
            {"generation": TEXT, "prompt_token_count": 11, "generation_token_count": 7, "stop_reason": "stop"},
        ),
        (
            "amazon.titan-text-express-v1",
            {"inputText": QUESTION, "textGenerationConfig": {"maxTokenCount": 100}},
            {
                "inputTextTokenCount": 11,
                "results": [{"tokenCount": 7, "outputText": TEXT, "completionReason": "FINISH"}],
            },
        ),
    ]

    with family.client(server.url) as client:
        for model, body, said in asked:
            whole = Answer.json(said)
            counted = {**whole.headers, "x-amzn-bedrock-output-token-count": "7"}
            server.answer(replace(whole, headers=counted))
            read = client.invoke_model(modelId=model, body=json.dumps(body))["body"]
            assert json.loads(b"".join(read.iter_chunks(16))) == said

    for node in captured.tree():
        attributes = node["attributes"]
        assert isinstance(attributes, dict)
        assert attributes["gen_ai.request.max_tokens"] == 100
        assert attributes["gen_ai.usage.input_tokens"] == 11
        assert attributes["gen_ai.usage.output_tokens"] == 7
        assert attributes["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": TEXT}]
    assert [(span.name, (span.attributes or {})["gen_ai.response.finish_reasons"]) for span in captured.spans] == (
        snapshot(
            [
                ("chat anthropic.claude-4-v1:0", ("stop",)),
                ("chat amazon.nova-pro-v1:0", ("stop",)),
                ("chat mistral.large", ("stop",)),
                ("text_completion meta.llama4", ("stop",)),
                ("text_completion amazon.titan-text-express-v1", ("stop",)),
            ]
        )
    )


def test_pictures_rankings_and_videos_of_bedrock_are_no_texts(captured: Captured, server: LlmServer) -> None:
    """A picture, a video and what is said of one are `generate_content`; a ranking has no span, as with Cohere."""
    family = forms_of("boto3")
    picture = base64.b64encode(b"\x89PNG" * 400).decode()
    asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("stability.sd3-5-large-v1:0", {"prompt": QUESTION}, {"images": [picture], "finish_reasons": [None]}),
        (
            "stability.stable-diffusion-xl-v1",
            {"text_prompts": [{"text": QUESTION}]},
            {"artifacts": [{"base64": picture}]},
        ),
        (
            "amazon.nova-canvas-v1:0",
            {
                "taskType": "TEXT_IMAGE",
                "textToImageParams": {"text": QUESTION},
                "imageGenerationConfig": {"numberOfImages": 2},
            },
            {"images": [picture, picture]},
        ),
        ("twelvelabs.pegasus-1-2-v1:0", {"inputPrompt": QUESTION}, {"message": TEXT, "finishReason": "stop"}),
        ("amazon.rerank-v1:0", {"query": QUESTION, "documents": ["Paris"]}, {"results": [{"index": 0}]}),
        ("arn:aws:mine", {"query": QUESTION, "documents": ["Paris"]}, {"results": [{"index": 0}]}),
    ]
    with family.client(server.url) as client:
        for model, body, said in asked:
            server.answer(Answer.json(said))
            assert json.loads(client.invoke_model(modelId=model, body=json.dumps(body))["body"].read()) == said
        server.answer(
            Answer.json({"invocationArn": "arn:aws:bedrock:us-east-1:123456789012:async-invoke/a1b2c3d4e5f6"})
        )
        client.start_async_invoke(
            modelId="amazon.nova-reel-v1:1",
            modelInput={"taskType": "TEXT_VIDEO", "textToVideoParams": {"text": QUESTION}},
            outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://films"}},
        )

    told = []
    for node in captured.tree():
        attributes = node["attributes"]
        assert isinstance(attributes, dict)
        assert attributes["gen_ai.input.messages"][0]["parts"] == [{"type": "text", "content": QUESTION}]
        parts = [part for message in attributes.get("gen_ai.output.messages", ()) for part in message["parts"]]
        told.append((node["name"], attributes["gen_ai.output.type"], parts))
    blob = {"type": "blob", "modality": "image", "byte_size": 1600}
    assert told == [
        ("generate_content stability.sd3-5-large-v1:0", "image", [blob]),
        ("generate_content stability.stable-diffusion-xl-v1", "image", [blob]),
        ("generate_content amazon.nova-canvas-v1:0", "image", [blob, blob]),
        ("generate_content twelvelabs.pegasus-1-2-v1:0", "text", [{"type": "text", "content": TEXT}]),
        ("generate_content amazon.nova-reel-v1:1", "video", []),
    ]


def test_a_streamed_model_of_bedrock_is_folded(captured: Captured, server: LlmServer) -> None:
    """InvokeModelWithResponseStream packs the model's own events; the span says what the plain call's says."""
    family = forms_of("boto3")
    pieces = [
        {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
    ]
    packed = [("chunk", {"bytes": base64.b64encode(json.dumps(piece).encode()).decode()}) for piece in pieces]
    server.answer(events(packed))
    asked = json.dumps({**CLAUDE, "messages": [{"role": "user", "content": QUESTION}]})

    with family.client(server.url) as client:
        answer = client.invoke_model_with_response_stream(modelId="anthropic.claude-4-v1:0", body=asked)
        assert len(list(answer["body"])) == len(pieces)

    (node,) = captured.tree()
    attributes = node["attributes"]
    assert isinstance(attributes, dict)
    assert attributes.pop("server.port") == server.port
    assert node == snapshot(
        {
            "name": "chat anthropic.claude-4-v1:0",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "aws.bedrock",
                "gen_ai.request.max_tokens": 100,
                "gen_ai.request.model": "anthropic.claude-4-v1:0",
                "gen_ai.request.stream": True,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.id": "msg_1",
                "gen_ai.response.model": "claude-4",
                "gen_ai.response.time_to_first_chunk": 0.001,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "server.address": "127.0.0.1",
            },
        }
    )


def _readinto(body: Any) -> bytes:
    read, buffer = b"", bytearray(50)
    while count := body.readinto(buffer):
        read += buffer[:count]
    return read


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda body: body.read(), id="read"),
        pytest.param(lambda body: b"".join(body), id="iterate"),
        pytest.param(lambda body: b"".join(body.iter_lines()), id="iter_lines"),
        pytest.param(lambda body: b"".join(body.readlines()), id="readlines"),
        pytest.param(_readinto, id="readinto"),
        pytest.param(lambda body: b"".join(body.__enter__()), id="iterate the raw stream"),
        pytest.param(lambda body: b"".join(iter(body.__enter__().readline, b"")), id="readline of the raw stream"),
        pytest.param(lambda body: b"".join(body.__enter__().stream(50)), id="stream of the raw stream"),
    ],
)
def test_a_body_is_told_in_whichever_way_the_program_reads_it(
    read: Callable[[Any], bytes], captured: Captured, server: LlmServer
) -> None:
    """The program reads what the server sent, and the span has the tokens."""
    server.answer(Answer.json(MESSAGE))

    with forms_of("boto3").client(server.url) as client:
        answer = client.invoke_model(modelId="anthropic.claude-4-v1:0", body=json.dumps(CLAUDE))
        assert json.loads(read(answer["body"])) == MESSAGE

    (span,) = captured.spans
    attributes = span.attributes or {}
    assert attributes["gen_ai.usage.output_tokens"] == 7
    assert "agentops.stream.abandoned" not in attributes


class OwnBody:
    """A raw body that the program puts in the place of an answer, as botocore's `before-send` event lets it."""

    def __init__(self, *pieces: Any) -> None:
        self._pieces = pieces

    def stream(self, *_: object) -> Iterator[Any]:
        """The pieces; one that is an exception is raised."""
        for piece in self._pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece


def _of(body: OwnBody, client: Any, answer: Callable[[Any], Any]) -> Any:
    from botocore.awsrequest import AWSResponse

    client.meta.events.register("before-send", lambda request, **_: AWSResponse(request.url, 200, {}, body))
    return answer(client.invoke_model(modelId="anthropic.claude-4-v1:0", body=json.dumps(CLAUDE))["body"]._raw_stream)


def test_a_body_that_is_interrupted_has_failed(captured: Captured, server: LlmServer) -> None:
    """Ctrl-C while the program iterates goes to it, and the span says so."""
    with forms_of("boto3").client(server.url) as client, pytest.raises(KeyboardInterrupt):
        _of(OwnBody(b"{", KeyboardInterrupt()), client, lambda raw: list(raw.stream(50)))

    (span,) = captured.spans
    assert (span.attributes or {})["error.type"] == "KeyboardInterrupt"


def test_a_body_of_another_kind_reaches_the_program(
    captured: Captured, server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces that are no bytes are the program's own affair: it has them as without us."""
    monkeypatch.setattr("agentops_otel.guard.reraise", False)
    with forms_of("boto3").client(server.url) as client:
        assert _of(OwnBody("{", "}"), client, lambda raw: list(raw.stream(50))) == ["{", "}"]

    assert len(captured.spans) == 1


@pytest.mark.parametrize("read", [False, True])
def test_a_body_that_nobody_reads_is_an_abandoned_call(read: bool, captured: Captured, server: LlmServer) -> None:
    """The answer of InvokeModel is the very object, and closed or dropped it ends the span."""
    family = forms_of("boto3")
    server.answer(Answer.json(MESSAGE))

    with family.client(server.url) as client:
        answer = client.invoke_model(modelId="anthropic.claude-4-v1:0", body=json.dumps(CLAUDE))
        assert type(answer["body"]).__name__ == "StreamingBody"
        if read:
            answer["body"].read(3)
            answer["body"].close()
        del answer

    (span,) = captured.spans
    assert (span.attributes or {})["agentops.stream.abandoned"] is True


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_chat_with_cohere_makes_the_same_span(form: str, captured: Captured, server: LlmServer) -> None:
    """What is billed is what counts as tokens."""
    assert told(forms_of("cohere"), form, captured, server) == snapshot(
        {
            "name": "chat command-a",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "cohere",
                "gen_ai.request.model": "command-a",
                "gen_ai.request.top_k": 40,
                "gen_ai.request.top_p": 0.5,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.id": "chat-1",
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "server.address": "127.0.0.1",
            },
        }
    )


def test_embeddings_of_cohere_have_a_span(captured: Captured, server: LlmServer) -> None:
    """The vectors' length and the texts."""
    assert told(forms_of("cohere"), "embed", captured, server) == snapshot(
        {
            "name": "embeddings embed-v4",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.embeddings.dimension.count": 2,
                "gen_ai.input.messages": [
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "Paris"}, {"type": "text", "content": "Rome"}],
                    }
                ],
                "gen_ai.operation.name": "embeddings",
                "gen_ai.provider.name": "cohere",
                "gen_ai.request.encoding_formats": ["float"],
                "gen_ai.request.model": "embed-v4",
                "gen_ai.usage.input_tokens": 4,
                "server.address": "127.0.0.1",
            },
        }
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"images": ["data:image/png;base64,AAAA"], "input_type": "image"},
        {
            "inputs": [
                {
                    "content": [
                        {"type": "text", "text": "Paris"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                    ]
                }
            ],
            "input_type": "search_document",
        },
    ],
    ids=["images", "inputs"],
)
def test_images_that_cohere_embeds_are_told_by_their_size(
    asked: dict[str, Any], captured: Captured, server: LlmServer
) -> None:
    """As other media are."""
    cohere = forms_of("cohere")
    server.answer(cohere.vectors)

    with cohere.client(server.url) as client:
        client.embed(model="embed-v4", embedding_types=["float"], **asked)

    (span,) = captured.spans
    (message,) = json.loads(str((span.attributes or {})["gen_ai.input.messages"]))
    text = [{"type": "text", "content": "Paris"}] if "inputs" in asked else []
    image = {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 3}
    assert message == {"role": "user", "parts": [*text, image]}


@pytest.mark.parametrize("form", ["plain", "streamed"])
def test_every_form_of_a_chat_with_dashscope_makes_the_same_span(
    form: str, captured: Captured, server: LlmServer
) -> None:
    """A stream that says everything again in each chunk is told once."""
    assert told(forms_of("dashscope"), form, captured, server) == snapshot(
        {
            "name": "chat qwen-max",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "dashscope",
                "gen_ai.request.model": "qwen-max",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.id": "req-1",
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "server.address": "127.0.0.1",
            },
        }
    )


def test_a_refusal_of_dashscope_is_an_error(captured: Captured, server: LlmServer) -> None:
    """It is an answer for the program, and ERROR with the server's code on the span."""
    server.answer(Answer.json({"code": "InvalidApiKey", "message": "no", "request_id": "req-1"}, status=401))

    answer = forms_of("dashscope").ask("plain", server.url)

    (span,) = captured.spans
    assert answer.status_code == 401
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "InvalidApiKey"


def test_embeddings_of_dashscope_have_a_span(captured: Captured, server: LlmServer) -> None:
    """The vectors' length, the tokens and the texts."""
    assert told(forms_of("dashscope"), "embed", captured, server) == snapshot(
        {
            "name": "embeddings text-embedding-v4",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.embeddings.dimension.count": 2,
                "gen_ai.input.messages": [
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "Paris"}, {"type": "text", "content": "Rome"}],
                    }
                ],
                "gen_ai.operation.name": "embeddings",
                "gen_ai.provider.name": "dashscope",
                "gen_ai.request.model": "text-embedding-v4",
                "gen_ai.usage.input_tokens": 4,
                "server.address": "127.0.0.1",
            },
        }
    )


def test_a_conversation_with_an_agent_that_fails_in_its_stream(captured: Captured, server: LlmServer) -> None:
    """The server's code is on the span, and whom the program asked for; no exception comes out of it."""
    begun = {"type": "conversation.response.started", "conversation_id": "conv_1"}
    failed = {"type": "conversation.response.error", "message": "no", "code": 3000}
    server.answer(Answer.events([begun, failed], done=False))

    with forms_of("mistralai").client(server.url) as client:
        events = list(client.beta.conversations.start_stream(agent_id="ag-1", inputs=QUESTION))

    assert len(events) == 2
    (span,) = captured.spans
    assert span.status.status_code is StatusCode.ERROR
    told = {name: (span.attributes or {})[name] for name in ("error.type", "gen_ai.agent.id", "gen_ai.conversation.id")}
    assert told == {"error.type": "3000", "gen_ai.agent.id": "ag-1", "gen_ai.conversation.id": "conv_1"}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_chat_with_ollama_makes_the_same_span(form: str, captured: Captured, server: LlmServer) -> None:
    """Settings are read from the options."""
    assert told(forms_of("ollama"), form, captured, server) == snapshot(
        {
            "name": "chat llama3.2",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "ollama",
                "gen_ai.request.max_tokens": 100,
                "gen_ai.request.model": "llama3.2",
                "gen_ai.request.temperature": 0.5,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.model": "llama3.2",
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "server.address": "127.0.0.1",
            },
        }
    )


def test_embeddings_of_ollama_have_a_span(captured: Captured, server: LlmServer) -> None:
    """The vectors' length, the tokens and the texts."""
    assert told(forms_of("ollama"), "embed", captured, server) == snapshot(
        {
            "name": "embeddings nomic-embed-text",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.embeddings.dimension.count": 2,
                "gen_ai.input.messages": [
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "Paris"}, {"type": "text", "content": "Rome"}],
                    }
                ],
                "gen_ai.operation.name": "embeddings",
                "gen_ai.provider.name": "ollama",
                "gen_ai.request.model": "nomic-embed-text",
                "gen_ai.response.model": "embed-2026",
                "gen_ai.usage.input_tokens": 4,
                "server.address": "127.0.0.1",
            },
        }
    )
