"""A chat of Gradio's, asked by its own client."""

import gradio
from ask import ask
from gradio_client import Client

if __name__ == "__main__":
    page = gradio.Interface(lambda text: ask(text), "text", "text", api_name="ask")
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True)
    print(Client(url, verbose=False).predict("hi", api_name="/ask"))
    page.close()
