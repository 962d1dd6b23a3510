"""The ai21 package."""

from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients import chat_completions
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.spec import ClientSpec

_CLASSES = {"chat_completions": "ChatCompletions", "async_chat_completions": "AsyncChatCompletions"}


def _url(client: Any) -> object:
    return field(client, "_client", "_base_url")


SPECS = tuple(
    ClientSpec(
        name="ai21",
        module=f"ai21.clients.studio.resources.chat.{module}",
        operations=(replace(chat_completions.CHAT, where=(f"{owner}.create",)),),
        provider=semconv.AI21,
        url=_url,
    )
    for module, owner in _CLASSES.items()
)
