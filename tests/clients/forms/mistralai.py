"""The mistralai package."""

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
