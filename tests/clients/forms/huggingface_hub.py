"""The huggingface_hub package."""

from dataclasses import replace
from typing import Any

from huggingface_hub import AsyncInferenceClient, InferenceClient

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback.llm_server import Answer

ASKED = {"model": "meta-llama/Llama-3.1-8B", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 100}

FORMS = Forms(
    client=lambda url: InferenceClient(base_url=url, api_key="key"),
    async_client=lambda url: AsyncInferenceClient(base_url=url, api_key="key"),
    plain=lambda client: client.chat_completion(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    embed=lambda client: client.feature_extraction(["Paris", "Rome"]),
    vectors=Answer.json([[0.25, -0.5]] * 2),
    varying=("x-amzn-trace-id",),
)

PROMPT: dict[str, Any] = {"prompt": QUESTION, "max_new_tokens": 100, "temperature": 0.5, "seed": 7, "top_k": 40}
DETAILS = {"finish_reason": "eos_token", "generated_tokens": 7, "seed": 7}


def _piece(text: str, **more: Any) -> dict[str, Any]:
    return {"index": 0, "token": {"id": 1, "text": text, "logprob": -0.1, "special": False}, **more}


WRITTEN = {
    False: Answer.json([{"generated_text": TEXT, "details": {**DETAILS, "prefill": [], "tokens": []}}]),
    True: Answer.events(
        [_piece(TEXT[:9]), _piece(TEXT[9:], generated_text=TEXT, details={**DETAILS, "input_length": 11})], done=False
    ),
}

TEXT_GENERATION = replace(
    FORMS,
    plain=lambda client: client.text_generation(**PROMPT),
    stream=lambda client: client.text_generation(**PROMPT, stream=True),
    answer=lambda *, stream: WRITTEN[stream],
)
OTHERS = {
    "text": TEXT_GENERATION,
    "details": replace(
        TEXT_GENERATION,
        plain=lambda client: client.text_generation(**PROMPT, details=True),
        stream=lambda client: client.text_generation(**PROMPT, details=True, stream=True),
    ),
}
