"""Bedrock through boto3: Converse, and the models in their own dialects."""

import json
from contextlib import closing
from dataclasses import replace
from typing import Any

import boto3
from botocore.config import Config

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback import bedrock_server
from tests.loopback.bedrock_server import converse
from tests.loopback.llm_server import Answer

ASKED = {
    "modelId": "amazon.nova-pro-v1:0",
    "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
    "inferenceConfig": {"maxTokens": 100},
}


def bedrock(url: str, attempts: int = 1) -> Any:
    """A client of the server."""
    options = {"region_name": "us-east-1", "aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    config = Config(retries={"total_max_attempts": attempts, "mode": "standard"})
    return closing(boto3.client("bedrock-runtime", endpoint_url=url, config=config, **options))


def invoked(client: Any, model: str, **body: Any) -> Any:
    """What the model says, read."""
    return json.loads(client.invoke_model(modelId=model, body=json.dumps(body))["body"].read())


FORMS = Forms(
    client=bedrock,
    plain=lambda client: client.converse(**ASKED),
    stream=lambda client: client.converse_stream(**ASKED)["stream"],
    embed=lambda client: invoked(client, "amazon.titan-embed-text-v2:0", inputText="Paris"),
    answer=converse,
    vectors=Answer.json({"embedding": [0.25, -0.5], "inputTextTokenCount": 4}),
    leaves_open=True,
    varying=("amz-sdk-invocation-id", "authorization", "x-amz-date"),
)

MESSAGES = [
    {"role": "user", "content": [{"text": QUESTION}]},
    {"role": "assistant", "content": [{"toolUse": bedrock_server.CALL}]},
    {"role": "user", "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": "21"}]}}]},
]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = {
    **ASKED,
    "messages": MESSAGES,
    "system": [{"text": "Be brief."}],
    "toolConfig": {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": SCHEMA}}}]},
}
SAID = [{"role": "user", "content": QUESTION}]
INVOKED: dict[str, tuple[str, dict[str, Any]]] = {
    "titan": ("amazon.titan-text-express-v1", {"inputText": QUESTION, "textGenerationConfig": {"maxTokenCount": 100}}),
    "nova": ("amazon.nova-pro-v1:0", {name: ASKED[name] for name in ("messages", "inferenceConfig")}),
    "llama": ("meta.llama3-3-70b-instruct-v1:0", {"prompt": QUESTION, "max_gen_len": 100}),
    "mistral": ("mistral.mistral-7b-instruct-v0:2", {"prompt": QUESTION, "max_tokens": 100, "top_k": 40}),
    "cohere": ("cohere.command-r-v1:0", {"message": QUESTION, "max_tokens": 100, "p": 0.5}),
    "claude": (
        "anthropic.claude-4-v1:0",
        {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": SAID},
    ),
}


def _invoking(family: str) -> Forms:
    model, body = INVOKED[family]
    asked = {"modelId": model, "body": json.dumps(body)}
    whole, chunks = bedrock_server.DIALECTS[family]
    return replace(
        FORMS,
        plain=lambda client: json.loads(client.invoke_model(**asked)["body"].read()),
        stream=lambda client: client.invoke_model_with_response_stream(**asked)["body"],
        embed=None,
        answer=lambda *, stream: bedrock_server.invoked(whole, *chunks, stream=stream),
    )


OTHERS = {
    "tools": replace(
        FORMS,
        plain=lambda client: client.converse(**TOOLS),
        stream=lambda client: client.converse_stream(**TOOLS)["stream"],
        answer=bedrock_server.tools,
    ),
    **{family: _invoking(family) for family in INVOKED},
}
