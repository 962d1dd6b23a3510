"""The zhipuai package: chats, chats that are fetched later, agents, and embeddings."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings, raw_response, stainless
from agentops_otel.clients.zhipuai import agents
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.spec import ClientSpec, Operation

_METHODS = ("ZhipuAI.request",)


def _fetched(arguments: Mapping[str, Any]) -> str | None:
    """The response's id, if the request fetches a response."""
    options = arguments.get("options")
    match = re.fullmatch(r"/async-result/([^/?]+)", str(field(options, "url")))
    return match[1] if match and str(field(options, "method")).lower() == "get" else None


CHAT = replace(chat_completions.CHAT, methods=_METHODS, matches=stainless.posts("/chat/completions"))

BEGUN = replace(
    CHAT,
    matches=stainless.posts("/async/chat/completions"),
    background_id=lambda response: field(response, "id"),
    has_finish_reasons=False,
)
"""A chat whose response is fetched later."""

FETCHED = Operation(
    name="fetch_response",
    methods=_METHODS,
    matches=lambda arguments: _fetched(arguments) is not None,
    response={name: reader for name, reader in CHAT.response.items() if ".usage." not in name},
    response_content=CHAT.response_content,
    failure=lambda response: "_OTHER" if field(response, "task_status") == "FAIL" else None,
    fetched_id=_fetched,
)

SPEC = ClientSpec(
    name="zhipuai",
    module="zhipuai",
    operations=(
        CHAT,
        BEGUN,
        FETCHED,
        *agents.operations(_METHODS),
        replace(embeddings.EMBEDDINGS, methods=_METHODS, matches=stainless.posts("/embeddings")),
    ),
    provider=semconv.ZHIPU_AI,
    url=lambda client: getattr(client, "_base_url", None),
    body=stainless.body,
    wrap_result=raw_response.wrap_result,
    also_check=("api_resource.chat.completions.Completions.create",),
)
