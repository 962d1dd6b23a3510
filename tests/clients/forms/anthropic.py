"""The anthropic package."""

from anthropic import Anthropic, AsyncAnthropic

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback.anthropic_server import answer, text

ASKED = {"model": "claude-test", "max_tokens": 100, "messages": [{"role": "user", "content": QUESTION}]}

FORMS = Forms(
    client=lambda url: Anthropic(base_url=url, api_key="key", max_retries=0),
    async_client=lambda url: AsyncAnthropic(base_url=url, api_key="key", max_retries=0),
    plain=lambda client: client.messages.create(**ASKED),
    stream=lambda client: client.messages.create(**ASKED, stream=True),
    answer=lambda *, stream: answer(text(), stream=stream),
    varying=("idempotency-key",),
)
