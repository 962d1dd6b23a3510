"""The huggingface_hub package."""

from huggingface_hub import AsyncInferenceClient, InferenceClient

from tests.clients.forms.form import QUESTION, Forms

ASKED = {"model": "meta-llama/Llama-3.1-8B", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 100}

FORMS = Forms(
    client=lambda url: InferenceClient(base_url=url, api_key="key"),
    async_client=lambda url: AsyncInferenceClient(base_url=url, api_key="key"),
    plain=lambda client: client.chat_completion(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    varying=("x-amzn-trace-id",),
)
