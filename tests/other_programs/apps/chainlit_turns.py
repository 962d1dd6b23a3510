"""Two turns in one window of Chainlit's, asked as its page does."""

import asyncio
import signal
import subprocess
import sys
import uuid

import socketio

NOW = "2026-01-01T00:00:00Z"


async def turns(url):
    """Ask twice, over one websocket."""
    answers = asyncio.Queue()
    window = socketio.AsyncClient()

    @window.on("new_message")
    async def received(step):
        if step["type"] == "assistant_message":
            await answers.put(step["output"])

    session = {"sessionId": str(uuid.uuid4()), "clientType": "webapp", "userEnv": "{}", "chatProfile": ""}
    await window.connect(url, socketio_path="/ws/socket.io", auth=session, transports=["websocket"], retry=True)
    await window.emit("connection_successful")
    for text in ("hi", "ho"):
        message = {"id": str(uuid.uuid4()), "type": "user_message", "name": "user", "output": text, "createdAt": NOW}
        await window.emit("client_message", {"message": message, "fileReferences": []})
        print(await asyncio.wait_for(answers.get(), 60))
    await window.disconnect()


if __name__ == "__main__":
    command = [sys.executable, "-m", "chainlit", "run", "chainlit_app.py", "--headless", "--port", sys.argv[1]]
    with subprocess.Popen([*command, "--host", "127.0.0.1"], stdout=subprocess.DEVNULL) as server:
        asyncio.run(turns(f"http://127.0.0.1:{sys.argv[1]}"))
        server.send_signal(signal.SIGINT)
