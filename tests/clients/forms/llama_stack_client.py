"""The llama_stack_client package."""

from llama_stack_client import AsyncLlamaStackClient, LlamaStackClient

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback.llm_server import Answer
from tests.loopback.openai_server import chunks, completion

ASKED = {"model": "llama-4", "messages": [{"role": "user", "content": QUESTION}]}


def _answer(*, stream: bool) -> Answer:
    """Its server ends a stream without the mark that OpenAI's has, and its client does not know that one."""
    return Answer.events(chunks(completion()), done=False) if stream else Answer.json(completion())


FORMS = Forms(
    client=lambda url: LlamaStackClient(base_url=url, max_retries=0),
    async_client=lambda url: AsyncLlamaStackClient(base_url=url, max_retries=0),
    plain=lambda client: client.chat.completions.create(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    answer=_answer,
    embed=lambda client: client.embeddings.create(model="all-minilm", input=["Paris", "Rome"]),
)
