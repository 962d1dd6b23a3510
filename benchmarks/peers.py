"""A decorated call with us and with seven other libraries, each in an environment of its own: one table.

`python benchmarks/peers.py` makes the environments (`.venv-peer-*`, from the registry that pip knows), measures, and
prints the table in Markdown. Ratios are to a raw span of OpenTelemetry's SDK in the same process. `... install` makes
the environments alone, `... NAME...` measures some.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from delivery import collector

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "benchmarks" / "_peer.py"
STARTS, DELIVERIES, LIMIT_S = 7, 5, 300
PATH = "/v1/traces"
SDK = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A library that is measured."""

    title: str
    package: str = ""
    """What pip installs, with its version; nothing: it is in this environment."""
    needs: tuple[str, ...] = ()
    """What it imports and does not bring."""
    notes: str = ""
    skips: tuple[str, ...] = field(default=())
    """What is not measured: `deliver`, where it does not speak OTLP, or sends nothing without its vendor's token."""


PEERS = {
    "sdk": Peer(title="a raw span, empty"),
    "by_hand": Peer(title="a span by hand, with `bind` and `json.dumps`"),
    "agentops_otel": Peer(title="agentops_otel"),
    "agentops": Peer(title="AgentOps", package="agentops==0.4.21", skips=("deliver",)),
    "openlit": Peer(title="OpenLIT", package="openlit==1.45.0"),
    "langfuse": Peer(title="Langfuse", package="langfuse==5.0.4"),
    "openinference": Peer(title="OpenInference", package="openinference-instrumentation==0.1.72"),
    "logfire": Peer(title="Logfire", package="logfire==5.4.0"),
    "ddtrace": Peer(title="ddtrace", package="ddtrace==4.16.0", notes="records no values", skips=("deliver",)),
    "openllmetry": Peer(title="OpenLLMetry", package="traceloop-sdk==0.62.4", needs=("httpx",)),
}
CASES = ("no arguments", "three arguments", "20 KB dict", "async, three arguments", "nested, one of ten")


def python_of(name: str) -> Path:
    """The Python that a library is measured with."""
    if not PEERS[name].package:
        return Path(sys.executable)
    return ROOT / f".venv-peer-{name}" / "bin" / "python"


def install(name: str) -> None:
    """Make the library's environment, if it is not there."""
    python, package = python_of(name), PEERS[name].package
    if package and not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", package, *PEERS[name].needs, *SDK], check=True)


def version_of(name: str, package: str) -> str:
    """The version that is measured."""
    program = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run(
        [str(python_of(name)), "-c", program], check=True, capture_output=True, text=True
    ).stdout.strip()


def measured(name: str, endpoint: str, what: str, *arguments: str) -> dict[str, Any]:
    """What `_peer.py` says; *endpoint* is where ddtrace sends."""
    command = [str(python_of(name)), str(PROGRAM), name, what, *arguments]
    environment = {**os.environ, "DD_TRACE_AGENT_URL": endpoint.removesuffix(PATH)}
    with TemporaryDirectory() as folder:  # some write a log where they run
        ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, cwd=folder, env=environment)
    if ended.returncode:
        sys.exit(f"{name} {what}\n{ended.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return said


def main() -> None:
    """Measure, and print the table."""
    chosen = sys.argv[1:]
    names = [name for name in PEERS if name in chosen or not set(chosen) & set(PEERS)]
    for name in names:
        install(name)
    if "install" in chosen:
        return
    with collector() as endpoint:
        calls = {name: measured(name, endpoint, "calls") for name in names}
        starts = _in_turn(names, STARTS, endpoint, "start")
        delivering = [name for name in names if "deliver" not in PEERS[name].skips]
        deliveries = _in_turn(delivering, DELIVERIES, endpoint, "deliver", endpoint)
    sdk = version_of("sdk", "opentelemetry-sdk")
    print(
        f"{date.today():%d %B %Y}, OpenTelemetry {sdk}, CPython {platform.python_version()}; app's thread / process.\n"
    )
    print(f"| | {' | '.join(CASES)} | delivered over OTLP/HTTP | import and init |")
    print("|---|" + "---|" * (len(CASES) + 2))
    for name in names:
        cells = [_ratios(calls[name], case) for case in CASES]
        cells += [_against(deliveries, name), _against(starts, name)]
        print(f"| {_title(name)} | {' | '.join(cells)} |")


def _in_turn(names: list[str], rounds: int, endpoint: str, what: str, *arguments: str) -> dict[str, float]:
    """The median CPU time of each, which take turns."""
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            taken[name].append(measured(name, endpoint, what, *arguments)["cpu"])
    return {name: statistics.median(times) for name, times in taken.items()}


def _ratios(said: dict[str, Any], case: str) -> str:
    raw, cost = said["raw"], said[case]
    return f"{cost['thread'] / raw['thread']:.2f} / {cost['process'] / raw['process']:.2f}"


def _against(taken: dict[str, float], name: str) -> str:
    return f"{taken[name] / taken['sdk']:.2f}" if {name, "sdk"} <= taken.keys() else "-"


def _title(name: str) -> str:
    peer = PEERS[name]
    package = peer.package.partition("==")[0]
    return " ".join(part for part in (peer.title, package and version_of(name, package), peer.notes) if part)


if __name__ == "__main__":
    main()
