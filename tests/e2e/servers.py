"""A Collector and a Jaeger as processes of a test: free loopback ports, ready when entered, gone when left.

with Collector(folder, {"JAEGER_OTLP": f"127.0.0.1:{sink.port}"}) as collector:
    agentops_otel.init(endpoint=collector.endpoint)
"""

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import pytest

from tests.e2e.install_servers import COLLECTOR, JAEGER, Program

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "collector-config.yaml"
JAEGER_CONFIG = Path(__file__).with_name("jaeger.yaml")
READY = "Everything is ready"
BUSY = "address already in use"
WAIT_S = 60.0
T = TypeVar("T")


def program(of: Program) -> Path:
    """Where the program is; the test is skipped, and says what to do, where it is not."""
    found = of.find()
    if found is None:
        pytest.skip(f"no {of.name}: `make e2e-servers` builds it, or set {of.variable}")
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def get(url: str) -> bytes:
    """The body of an answer of 200; HTTPError for another."""
    with urllib.request.urlopen(url, timeout=WAIT_S) as response:
        return bytes(response.read())


def eventually(look: Callable[[], T | None], what: str) -> T:
    """The first answer that is not None, False or empty: a server in another process has no event to wait on."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if found := look():
                return found
        threading.Event().wait(0.05)
    raise AssertionError(f"{what} did not come in {WAIT_S} s")


class Server:
    """A process that says when it is ready; started by `with`, stopped at its end.

    Args:
        command: What to run.
        environment: Its variables besides those that name the ports.
        ports: The variables that name a port each; `port` says which.
        folder: Its working directory and home.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], ports: Sequence[str], folder: Path
    ) -> None:
        self.command = command
        self.log: list[str] = []
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **environment}
        self._ports = dict.fromkeys(ports, 0)
        self._folder = folder
        self._spoke = threading.Condition()

    def port(self, variable: str) -> int:
        """The port that the variable names, once the server is ready."""
        return self._ports[variable]

    def __enter__(self) -> Self:
        # A port that was free when it was chosen may be somebody else's when the server comes to it.
        for _ in range(5):
            if self._started():
                return self
            self.log.clear()
        raise AssertionError(f"{self.command[0]}: {BUSY}, five times")

    def _started(self) -> bool:
        """Whether it is ready; False where one of its ports is taken."""
        self._ports = dict(zip(self._ports, free_ports(len(self._ports)), strict=True))
        self._process = subprocess.Popen(
            self.command,
            env={**self._environment, **{name: str(port) for name, port in self._ports.items()}},
            cwd=self._folder,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            self.wait_for_log(READY)
        except AssertionError:
            self.kill()
            if any(BUSY in line for line in self.log):
                return False
            raise
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask it to stop, as a service manager would."""
        self._process.terminate()
        try:
            self._process.wait(WAIT_S)
        finally:
            self.kill()

    def kill(self) -> None:
        """No chance to save anything."""
        self._process.kill()
        self._process.wait(WAIT_S)
        self._reader.join(WAIT_S)

    def wait_for_log(self, text: str) -> str:
        """The first line that has the text in it.

        Raises:
            AssertionError: It did not come in time, or the process ended; with the last lines.
        """
        with self._spoke:
            self._spoke.wait_for(lambda: self._line_with(text) or self._process.poll() is not None, WAIT_S)
            line = self._line_with(text)
        assert line, f"{self.command[0]} did not say {text!r}:\n{''.join(self.log[-20:])}"
        return line

    def _line_with(self, text: str) -> str | None:
        return next((line for line in self.log if text in line), None)

    def _read(self) -> None:
        assert self._process.stdout is not None, "it was opened with a pipe"
        with self._process.stdout as lines:
            for line in lines:
                with self._spoke:
                    self.log.append(line)
                    self._spoke.notify_all()
        self._process.wait()
        with self._spoke:
            self._spoke.notify_all()


class Collector(Server):
    """A Collector with a configuration of ours.

    Args:
        folder: For its queue; a second Collector with the same folder finds what the first one left.
        settings: The environment variables of the configuration.
        overlay: A further configuration, laid over `collector-config.yaml`.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None, *, overlay: Path | None = None) -> None:
        environment = {
            "OTELCOL_METRICS_EVERY": "1s",
            "OTELCOL_DECIDE_AFTER": "1s",
            "OTELCOL_QUEUE": str(folder / "queue"),
            **(settings or {}),
        }
        ports = [f"OTELCOL_{name}_PORT" for name in ("GRPC", "HTTP", "HEALTH", "METRICS", "TELEMETRY")]
        command = [str(program(COLLECTOR)), f"--config={CONFIG}"]
        super().__init__(command + [f"--config={overlay}"] * (overlay is not None), environment, ports, folder)

    def url(self, which: str, path: str = "") -> str:
        """The address of one of its HTTP ports: "HTTP" (OTLP), "HEALTH", "METRICS", "TELEMETRY"."""
        return f"http://127.0.0.1:{self.port(f'OTELCOL_{which}_PORT')}{path}"

    @property
    def endpoint(self) -> str:
        """Where programs send, over HTTP."""
        return self.url("HTTP")

    @property
    def grpc_port(self) -> int:
        """Where they send over gRPC."""
        return self.port("OTELCOL_GRPC_PORT")

    @property
    def metrics_url(self) -> str:
        """The counts of the spans."""
        return self.url("METRICS", "/metrics")

    def metric(self, url: str, name: str, **labels: str) -> float | None:
        """The sum over the series of this name that have these labels; None if there are none."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = get(url).decode().splitlines()
        values = [line for line in lines if line.startswith(name) and all(label in line for label in wanted)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in values) if values else None

    def own(self, name: str, **labels: str) -> float | None:
        """As `metric`, of what it says of itself."""
        return self.metric(self.url("TELEMETRY", "/metrics"), name, **labels)


class Jaeger(Server):
    """A Jaeger that keeps traces in memory, read through its HTTP API.

    Args:
        folder: Its working directory.
        settings: The environment variables of another configuration than ours.
        config: That configuration.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, str] | None = None, *, config: Path = JAEGER_CONFIG
    ) -> None:
        ports = [f"JAEGER_{name}_PORT" for name in ("GRPC", "HTTP", "QUERY", "QUERY_GRPC")]
        environment = {"JAEGER_UI": os.environ.get("JAEGER_UI", ""), **(settings or {})}
        super().__init__([str(program(JAEGER)), f"--config={config}"], environment, ports, folder)

    @property
    def endpoint(self) -> str:
        """Where programs send, over HTTP."""
        return f"http://127.0.0.1:{self.port('JAEGER_HTTP_PORT')}"

    @property
    def grpc_port(self) -> int:
        """Where they send over gRPC."""
        return self.port("JAEGER_GRPC_PORT")

    @property
    def url(self) -> str:
        """Its pages and its query API."""
        return f"http://127.0.0.1:{self.port('JAEGER_QUERY_PORT')}"

    def stop(self) -> None:
        """At once: in good order it waits for every connection, and its memory holds nothing to save."""
        self.kill()

    def api(self, path: str) -> Any:
        """The JSON at this path."""
        return json.loads(get(self.url + path))

    def post(self, path: str, body: bytes) -> Any:
        """The JSON that it answers to a posted JSON body."""
        request = urllib.request.Request(self.url + path, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=WAIT_S) as response:
            return json.loads(response.read())

    def trace(self, trace_id: int, spans: int) -> list[dict[str, Any]]:
        """The spans of a trace as `/api/traces` tells them, once there are this many."""
        return self._once_there(f"/{trace_id:032x}?", spans)[f"{trace_id:032x}"]

    def traces(self, service: str, spans: int) -> dict[str, list[dict[str, Any]]]:
        """The spans of every trace of the service by trace id, once there are this many in all."""
        return self._once_there(f"?service={service}&limit=1000", spans)

    def _once_there(self, query: str, spans: int) -> dict[str, list[dict[str, Any]]]:
        def look() -> dict[str, list[dict[str, Any]]] | None:
            found = {trace["traceID"]: trace["spans"] for trace in self.api(f"/api/traces{query}")["data"]}
            return found if sum(map(len, found.values())) >= spans else None

        return eventually(look, f"{spans} spans of /api/traces{query}")

    def otlp_trace(self, trace_id: int) -> list[dict[str, Any]]:
        """The spans of a trace as `/api/v3/traces` tells them: OTLP's own JSON."""
        result = self.api(f"/api/v3/traces/{trace_id:032x}")["result"]
        return [s for r in result["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]
