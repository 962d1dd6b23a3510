"""A chat of Chainlit's."""

import chainlit
from ask import ask


@chainlit.on_message
async def answer(message):
    """One turn."""
    await chainlit.Message(content=ask(message.content)).send()
