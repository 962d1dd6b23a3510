"""The mistralai package."""

from dataclasses import replace

from mistralai.client import Mistral

from tests.clients.forms.form import QUESTION, Forms

ASKED = {"model": "mistral-large", "messages": [{"role": "user", "content": QUESTION}], "random_seed": 7}

FORMS = Forms(
    client=lambda url: Mistral(server_url=url, api_key="key"),
    async_client=lambda url: Mistral(server_url=url, api_key="key"),
    plain=lambda client: client.chat.complete(**ASKED),
    stream=lambda client: client.chat.stream(**ASKED),
    async_plain=lambda client: client.chat.complete_async(**ASKED),
    async_stream=lambda client: client.chat.stream_async(**ASKED),
    embed=lambda client: client.embeddings.create(model="mistral-embed", inputs=["Paris", "Rome"]),
)

OF_AGENT = {"agent_id": "ag-1", "messages": ASKED["messages"], "max_tokens": 100}
BETWEEN = {"model": "codestral", "prompt": QUESTION, "suffix": "In Paris.", "max_tokens": 100}

OTHERS = {
    "agents": replace(
        FORMS,
        plain=lambda client: client.agents.complete(**OF_AGENT),
        stream=lambda client: client.agents.stream(**OF_AGENT),
        async_plain=lambda client: client.agents.complete_async(**OF_AGENT),
        async_stream=lambda client: client.agents.stream_async(**OF_AGENT),
    ),
    "fim": replace(
        FORMS,
        plain=lambda client: client.fim.complete(**BETWEEN),
        stream=lambda client: client.fim.stream(**BETWEEN),
        async_plain=lambda client: client.fim.complete_async(**BETWEEN),
        async_stream=lambda client: client.fim.stream_async(**BETWEEN),
    ),
}
