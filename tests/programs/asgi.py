"""An ASGI application whose requests are answered once RELEASE, a file, exists. Run by tests/test_servers.py."""

import asyncio
import os
from typing import Any

import agentops_otel
from tests.programs.leaving import start

start(exit_timeout_s=30)


@agentops_otel.record_action("answer")
async def answer() -> None:
    os.write(1, b"busy\n")
    while not os.path.exists(os.environ["RELEASE"]):
        await asyncio.sleep(0.01)


@agentops_otel.record_action("stopped")
def stopped() -> None:
    os.write(1, b"stopped\n")


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        stopped()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await answer()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
