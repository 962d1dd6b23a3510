"""The zhipuai package."""

import zhipuai

from tests.clients.forms.form import QUESTION, Forms

ASKED = {"model": "glm-4", "messages": [{"role": "user", "content": QUESTION}]}

FORMS = Forms(
    client=lambda url: zhipuai.ZhipuAI(base_url=url, api_key="key.secret", max_retries=0, disable_token_cache=True),
    plain=lambda client: client.chat.completions.create(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    embed=lambda client: client.embeddings.create(model="embedding-3", input=["Paris", "Rome"]),
)
