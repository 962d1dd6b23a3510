"""Two runs of a graph, asked of `langgraph dev` over HTTP."""

import json
import signal
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import Request, urlopen

START_S = 60.0


def ask(url, path, asked=None):
    """The answer, once the server is there."""
    end = time.monotonic() + START_S
    while True:
        try:
            return urlopen(Request(url + path, asked, {"content-type": "application/json"}), timeout=60).read()
        except URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    command = ["langgraph", "dev", "--no-browser", "--port", sys.argv[1]]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{sys.argv[1]}"
        ask(url, "/ok")
        for text in ("hi", "ho"):
            wanted = {"assistant_id": "agent", "input": {"text": text}}
            print(ask(url, "/runs/wait", json.dumps(wanted).encode()).decode())
        server.send_signal(signal.SIGINT)
