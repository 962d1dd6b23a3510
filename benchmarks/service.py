"""A saturated web service of one worker: requests a second and CPU a request, without tracing, with us, with the SDK.

FastAPI under uvicorn. Each request asks openai's asynchronous client for a stream of forty chunks that calls a tool,
runs the tool, which is decorated, and answers; a model on this machine answers at once. Thirty-two connections ask all
the time. "SDK" is OpenTelemetry's provider with its OTLP exporter and FastAPI's own spans, without a span of the call
or the tool; "calls" is ours without FastAPI's own spans. Rounds of all take turns; the medians count. CPU time is that
of the service's process, which a busy machine changes least. Needs `pip install fastapi uvicorn openai`; run it with
`python benchmarks/service.py`. With `instructions` it counts those of a request under valgrind's callgrind, of the
event loop's thread and of all others, for requests one after the other: a busy machine does not change them. That
takes ten minutes.
"""

import asyncio
import contextlib
import gc
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from delivery import collector

CONNECTIONS, SECONDS, ROUNDS, CHUNKS = 32, 4.0, 5, 40
KINDS = ("without", "ours", "calls", "SDK")
OURS = ("ours", "calls")
WARM_UP, FEW, MORE = 6, 10, 40
"""Requests under valgrind, which takes fifty times as long."""
DELIVERED_S = 3.0
"""Seconds in which the last spans are sent."""
QUESTION = {"role": "user", "content": "How warm is it in Paris? " * 20}


def app(kind: str) -> Any:
    """The service."""
    import fastapi
    import openai

    if kind in OURS:
        import agentops_otel

        agentops_otel.init(endpoint=os.environ["COLLECTOR"], console=False, trace_file=False)
    elif kind == "SDK":
        _set_up_sdk()
    service = fastapi.FastAPI(telemetry={"tracing": kind != "calls"})
    client = openai.AsyncOpenAI(base_url=os.environ["MODEL"], api_key="key", max_retries=0)

    def weather(city: str) -> dict[str, Any]:
        return {"city": city, "degrees": 21}

    if kind in OURS:
        weather = agentops_otel.record_tool(weather)

    @service.get("/")
    async def answer() -> dict[str, Any]:
        stream = await client.chat.completions.create(model="gpt-4.1", messages=[QUESTION], stream=True)  # type: ignore[call-overload]
        texts = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
        return {"text": "".join(texts), **weather("Paris")}

    @service.get("/cpu")
    async def cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    @service.get("/steady")
    async def steady() -> bool:
        gc.collect()
        gc.disable()  # a collection now and then would be counted with one request
        return True

    @service.get("/leave")
    async def leave() -> None:
        os._exit(0)

    return service


def _set_up_sdk() -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=os.environ["COLLECTOR"])))
    trace.set_tracer_provider(provider)


def serve(kind: str) -> None:
    """Run the service at a free port, which is printed."""
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listening.getsockname()[1], flush=True)
    server = uvicorn.Server(uvicorn.Config(app(kind), log_level="error", access_log=False))
    asyncio.run(server.serve(sockets=[listening]))


def streamed() -> bytes:
    """What the model answers."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "word "}] * CHUNKS
    function = {"name": "weather", "arguments": '{"city": "Paris"}'}
    deltas.append({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]})
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    body = b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks) + b"data: [DONE]\n\n"
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def model() -> AsyncIterator[str]:
    """A model that answers at once; its address."""
    said = streamed()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            await reader.readexactly(_length(head))
            writer.write(said)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    server.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):  # cancelled at the very end
        return b""


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)


async def ask(port: int, path: str = "/") -> AsyncIterator[bytes]:
    """Ask over one connection, again and again; each answer's body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: service\r\n\r\n".encode())
        head = await _head(reader)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode() or "the service has closed the connection")
        yield await reader.readexactly(_length(head))


async def load(port: int, seconds: float) -> list[float]:
    """Ask over all connections for so long; the seconds that each request took."""
    until, took = time.perf_counter() + seconds, []

    async def one() -> None:
        start = time.perf_counter()
        async for _ in ask(port):
            took.append(time.perf_counter() - start)
            if (start := time.perf_counter()) > until:
                return

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return took


async def measure(kind: str, environment: dict[str, str]) -> tuple[float, float, float]:
    """Requests a second, the slowest of a hundred in milliseconds, and CPU a request in microseconds."""
    command = [sys.executable, __file__, kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}) as service:
        assert service.stdout is not None
        port = int(service.stdout.readline())
        try:
            await load(port, 1.0)
            used = float(await anext(ask(port, "/cpu")))
            took = await load(port, SECONDS)
            used = float(await anext(ask(port, "/cpu"))) - used
        finally:
            service.terminate()
    took.sort()
    return len(took) / SECONDS, took[len(took) * 99 // 100] * 1e3, used / len(took) * 1e6


async def instructions() -> None:
    """Print millions of instructions a request."""
    with collector() as endpoint:
        async for address in model():
            for kind in KINDS:
                few, more = [await count(kind, {"COLLECTOR": endpoint, "MODEL": address}, n) for n in (FEW, MORE)]
                loop, others = ((b - a) / (MORE - FEW) / 1e6 for a, b in zip(few, more, strict=True))
                print(f"{kind:8}{loop:8.2f} in the event loop's thread{others:8.2f} in the others", flush=True)


async def count(kind: str, environment: dict[str, str], requests: int) -> tuple[int, int]:
    """Instructions of the event loop's thread and of the others, for a service with so many requests."""
    with TemporaryDirectory() as folder:
        counts = Path(folder, "counts")
        callgrind = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={counts}"]
        command, environment = [*callgrind, sys.executable, __file__, kind], {**os.environ, **environment}
        # Another order of the entries of sets and dicts is another number of steps.
        environment["PYTHONHASHSEED"] = "0"
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as service:
            assert service.stdout is not None
            port = int(service.stdout.readline())
            asked = ask(port)
            for _ in range(WARM_UP):
                await anext(asked)
            await anext(ask(port, "/steady"))
            for _ in range(requests):
                await anext(asked)
            await asyncio.sleep(DELIVERED_S)
            with contextlib.suppress(RuntimeError):  # it leaves without an answer
                await anext(ask(port, "/leave"))
        first, *others = (_total(path) for path in sorted(Path(folder).glob("counts-*")))
        return first, sum(others)


def _total(path: Path) -> int:
    found = re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


async def main() -> None:
    """Print the table."""
    rounds: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in KINDS}
    with collector() as endpoint:
        async for address in model():
            for _ in range(ROUNDS):
                for kind, cells in rounds.items():
                    cells.append(await measure(kind, {"COLLECTOR": endpoint, "MODEL": address}))
    medians = {
        kind: [statistics.median(column) for column in zip(*cells, strict=True)] for kind, cells in rounds.items()
    }
    bare = medians["without"]
    print(f"{'':8}{'requests a second':>26}{'99 %':>22}{'CPU a request':>24}")
    for kind, (rate, slow, cpu) in medians.items():
        print(
            f"{kind:8}{rate:16.0f}{rate / bare[0]:8.2f} x{slow:12.0f} ms{slow / bare[1]:5.2f} x"
            f"{cpu:12.0f} µs{cpu / bare[2]:7.2f} x"
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            asyncio.run(main())
        case ["instructions"]:
            asyncio.run(instructions())
        case [kind]:
            serve(kind)
