"""The groq package."""

import groq

from tests.clients.forms.form import QUESTION, Forms

ASKED = {"model": "llama-3.3-70b", "messages": [{"role": "user", "content": QUESTION}]}

FORMS = Forms(
    client=lambda url: groq.Groq(base_url=url, api_key="key", max_retries=0),
    async_client=lambda url: groq.AsyncGroq(base_url=url, api_key="key", max_retries=0),
    plain=lambda client: client.chat.completions.create(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    embed=lambda client: client.embeddings.create(model="nomic-embed-text", input=["Paris", "Rome"]),
)
