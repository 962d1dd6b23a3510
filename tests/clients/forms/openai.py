"""The openai package."""

from openai import AsyncOpenAI, OpenAI

from tests.clients.forms.form import QUESTION, Forms

ASKED = {"model": "gpt-4.1", "messages": [{"role": "user", "content": QUESTION}]}

FORMS = Forms(
    client=lambda url: OpenAI(base_url=f"{url}/v1", api_key="key", max_retries=0),
    async_client=lambda url: AsyncOpenAI(base_url=f"{url}/v1", api_key="key", max_retries=0),
    plain=lambda client: client.chat.completions.create(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    embed=lambda client: client.embeddings.create(model="embed-2026", input=["Paris", "Rome"]),
)
