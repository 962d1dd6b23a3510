"""A call of the openai package with us and with six other libraries, each in an environment of its own: one table.

`python benchmarks/llm_peers.py` makes the environments (`.venv-llm-*`, from the registry that pip knows), measures, and
prints the table in Markdown. The client is the real one; its transport answers at once. Cells are the CPU time that
tracing adds to a call, in the program's thread and in the process until its spans are exported, to nowhere, as a ratio
to a raw span of OpenTelemetry's SDK in the same process; and the same for a chunk of a stream. `... NAME...` measures
some.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "benchmarks" / "_llm_peer.py"
CHUNKS, LIMIT_S, ROUNDS = 100, 300, 3
NEEDS = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")
OURS = f"openai=={version('openai')}"
PEERS = {
    "by_hand": ("a span by hand, ten attributes, `json.dumps`", ()),
    "agentops_otel": ("agentops_otel", ()),
    "agentops": ("AgentOps", ("agentops==0.4.21",)),
    "openlit": ("OpenLIT, with openai 2", ("openlit==1.45.0", "openai<3")),
    "langfuse": ("Langfuse", ("langfuse==5.0.4",)),
    "openinference": ("OpenInference", ("openinference-instrumentation-openai",)),
    "logfire": ("Logfire", ("logfire==5.4.0",)),
    "openllmetry": ("OpenLLMetry", ("traceloop-sdk==0.62.4", "httpx")),
}
"""Title and what pip installs; nothing: it is in this environment."""


def python_of(name: str) -> str:
    """The Python that a library is measured with; its environment is made if it is not there."""
    packages = PEERS[name][1]
    if not packages:
        return sys.executable
    python = ROOT / f".venv-llm-{name}" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        client = () if any(package.startswith("openai<") for package in packages) else (OURS,)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages, *NEEDS, *client], check=True)
    return str(python)


def measured(name: str) -> dict[str, Any]:
    """What `_llm_peer.py` says: the round whose question costs least."""
    rounds = []
    for _ in range(ROUNDS):
        with TemporaryDirectory() as folder:  # some write a log where they run
            command = [python_of(name), str(PROGRAM), name]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, cwd=folder, env=os.environ)
        if ended.returncode:
            return {"error": ended.stderr.strip().splitlines()[-1]}
        rounds.append(json.loads(ended.stdout.splitlines()[-1]))
    best: dict[str, Any] = min(rounds, key=lambda cells: cells["question"]["thread"])
    return best


def main() -> None:
    """Measure, and print the table."""
    names = sys.argv[1:] or list(PEERS)
    print(
        f"{date.today():%d %B %Y}, openai {version('openai')}, CPython {platform.python_version()}; thread / process\n"
    )
    print("| | a question | a chunk of a stream |\n|---|---|---|", flush=True)
    for name in names:
        title, packages = PEERS[name]
        said = measured(name)
        if "error" in said:
            print(f"| {title} {' '.join(packages)} | {said['error']} | |", flush=True)
            continue
        cells = [_ratios(said, lambda call: call["question"]), _ratios(said, _chunk)]
        print(f"| {' '.join([title, *packages])} | {' | '.join(cells)} |", flush=True)


def _chunk(part: dict[str, float]) -> float:
    return (part["stream"] - part["question"]) / CHUNKS


def _ratios(said: dict[str, Any], of: Callable[[dict[str, float]], float]) -> str:
    parts = ({call: said[call][part] for call in ("question", "stream")} for part in ("thread", "process"))
    return " / ".join(f"{of(part) / said['raw']:.2f}" for part in parts)


if __name__ == "__main__":
    main()
