"""AgentOps' callback handler of LangChain: a program that passes one keeps working. LangChain is traced without it."""

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks.base import AsyncCallbackHandler, BaseCallbackHandler

from agentops_otel import sdk


class LangchainCallbackHandler(BaseCallbackHandler):  # type: ignore[misc]  # of a package that is seldom installed
    """Starts tracing, if nothing has; the spans are made with and without it.

    Args:
        api_key: The key of an AgentOps account.
        tags: Tags of all spans.
        settings: Further settings of AgentOps' handlers, without effect.
    """

    def __init__(self, api_key: str | None = None, tags: Sequence[str] | None = None, **settings: Any) -> None:
        super().__init__()
        if sdk.client() is None:
            sdk.init(api_key=api_key, tags=tags)


class AsyncLangchainCallbackHandler(AsyncCallbackHandler, LangchainCallbackHandler):  # type: ignore[misc]
    """The same for programs that await."""
