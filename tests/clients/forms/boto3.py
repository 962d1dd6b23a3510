"""Bedrock through boto3: Converse."""

import json
from contextlib import closing
from typing import Any

import boto3
from botocore.config import Config

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback.bedrock_server import converse
from tests.loopback.llm_server import Answer

ASKED = {
    "modelId": "amazon.nova-pro-v1:0",
    "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
    "inferenceConfig": {"maxTokens": 100},
}


def bedrock(url: str) -> Any:
    """A client of the server."""
    options = {"region_name": "us-east-1", "aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    config = Config(retries={"total_max_attempts": 1})
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
