"""Two chats of Gradio's, asked by its own clients."""

import gradio
from ask import ask
from gradio_client import Client

if __name__ == "__main__":
    page = gradio.Interface(lambda text: ask(text), "text", "text", api_name="ask")
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True)
    for chat in [Client(url, verbose=False) for _ in range(2)]:
        print(chat.predict("hi", api_name="/ask"))
    page.close()
