"""The zhipuai package: chats at once or fetched later, agents, and embeddings."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings, raw_response, stainless
from agentops_otel.clients.zhipuai import agents
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.spec import ClientSpec, Operation

_WHERE = ("ZhipuAI.request",)


def _fetched(arguments: Mapping[str, Any]) -> str | None:
    """The id of the answer that a request asks for, if that is what it does."""
    options = arguments.get("options")
    found = re.fullmatch(r"/async-result/([^/?]+)", str(field(options, "url")))
    return found[1] if found and str(field(options, "method")).lower() == "get" else None


CHAT = replace(chat_completions.CHAT, where=_WHERE, applies=stainless.posts("/chat/completions"))

BEGUN = replace(
    CHAT,
    applies=stainless.posts("/async/chat/completions"),
    keeps=lambda response: field(response, "id"),
    finishes=False,
)
"""A chat whose answer is fetched later."""

FETCHED = Operation(
    name="fetch_response",
    where=_WHERE,
    applies=lambda arguments: _fetched(arguments) is not None,
    response={name: reader for name, reader in CHAT.response.items() if ".usage." not in name},
    response_content=CHAT.response_content,
    failure=lambda response: "_OTHER" if field(response, "task_status") == "FAIL" else None,
    continues=_fetched,
)

SPEC = ClientSpec(
    name="zhipuai",
    module="zhipuai",
    operations=(
        CHAT,
        BEGUN,
        FETCHED,
        *agents.operations(_WHERE),
        replace(embeddings.EMBEDDINGS, where=_WHERE, applies=stainless.posts("/embeddings")),
    ),
    provider=semconv.ZHIPU_AI,
    url=lambda client: getattr(client, "_base_url", None),
    body=stainless.body,
    returned=raw_response.returned,
    others=("api_resource.chat.completions.Completions.create",),
)
