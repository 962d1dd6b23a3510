"""The together package."""

from dataclasses import replace

import together

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback.openai_server import text_completion

ASKED = {"model": "meta-llama/Llama-3.3-70B", "messages": [{"role": "user", "content": QUESTION}], "top_k": 40}

FORMS = Forms(
    client=lambda url: together.Together(base_url=url, api_key="key", max_retries=0),
    async_client=lambda url: together.AsyncTogether(base_url=url, api_key="key", max_retries=0),
    plain=lambda client: client.chat.completions.create(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    embed=lambda client: client.embeddings.create(model="m2-bert", input=["Paris", "Rome"]),
)

CONTINUED = {"model": "meta-llama/Llama-3.3-70B", "prompt": QUESTION, "max_tokens": 100}

OTHERS = {
    "completions": replace(
        FORMS,
        plain=lambda client: client.completions.create(**CONTINUED),
        stream=lambda client: client.completions.create(**CONTINUED, stream=True),
        answer=text_completion,
    )
}
