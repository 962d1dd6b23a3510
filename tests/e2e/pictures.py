"""Takes the pictures of Jaeger that README shows, from the running system: `python -m tests.e2e.pictures`.

Needs the servers of `make e2e-servers`, `chromium` on PATH (Debian: `apt-get install chromium`), and in `JAEGER_UI` a
folder with a build of Jaeger's user interface, 2.20 or later: a Jaeger from Go's module registry brings none. And
TaskWeaver, for the picture of its round; it brings Pillow.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from tests.e2e.servers import ROOT, Jaeger
from tests.frameworks.scripted_model import scripted_model

PICTURES = ROOT / "docs" / "pictures"
# Without the last three a browser start looks for hosts of its maker.
QUIET = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def run_example(
    name: str, jaeger: Jaeger, folder: Path, *arguments: str, python: str = sys.executable, **variables: str
) -> None:
    """Run the example as a user would, with Jaeger as its collector."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.endpoint}
    command = [python, f"examples/{name}.py", *arguments]
    subprocess.run(command, cwd=ROOT, env={**environment, **variables}, check=True, timeout=300)


def take(url: str, picture: str, height: int, folder: Path) -> None:
    """Save what a browser shows at this address."""
    file = PICTURES / picture
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--hide-scrollbars", *QUIET]
    command += [f"--user-data-dir={folder / 'browser'}", f"--window-size=1400,{height}", "--virtual-time-budget=15000"]
    subprocess.run([*command, f"--screenshot={file}", url], check=True, timeout=120, stderr=subprocess.DEVNULL)
    # A third of the size, and this way the few red pixels of an error stay red.
    small = Image.open(file).convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1000} kB")


def main() -> None:
    """Run the examples against a Jaeger and take pictures of their traces."""
    with tempfile.TemporaryDirectory() as name, Jaeger(Path(name)) as jaeger:
        folder = Path(name)
        run_example("quickstart", jaeger, folder)
        page, trace = the_trace("quickstart", jaeger)
        take(page, "jaeger-trace.png", 520, folder)
        take(f"{page}?uiFind={first(trace, 'chat')}", "jaeger-conversation.png", 860, folder)
        take_graph(jaeger, folder)
        run_example("taskweaver_session", jaeger, folder, OTEL_SERVICE_NAME="taskweaver")
        page, trace = the_trace("taskweaver", jaeger)
        take(page, "jaeger-taskweaver.png", 720, folder)
        take(f"{page}?uiFind={first(trace, 'execute_tool python')}", "jaeger-taskweaver-code.png", 860, folder)


def take_graph(jaeger: Jaeger, folder: Path) -> None:
    """A LangGraph run, in the environment that `make frameworks` makes."""
    with scripted_model() as model:
        variables = {"OPENAI_BASE_URL": f"{model.url}/v1", "OPENAI_API_KEY": "none", "OTEL_SERVICE_NAME": "trip"}
        python = str(ROOT / ".venv-langchain" / "bin" / "python")
        run_example("frameworks/langgraph_trip", jaeger, folder, "weather(Paris)", python=python, **variables)
    page, trace = the_trace("trip", jaeger)
    take(f"{page}?uiFind={first(trace, 'execute_tool')}", "jaeger-langgraph.png", 760, folder)


def the_trace(service: str, jaeger: Jaeger) -> tuple[str, dict[str, Any]]:
    """The page of the only trace of the service, and what is in it."""
    [trace] = jaeger.api(f"/api/traces?service={service}")["data"]
    return f"{jaeger.url}/trace/{trace['traceID']}", trace


def first(trace: dict[str, Any], name: str) -> str:
    """The id of the first span whose name begins so."""
    spans = sorted(trace["spans"], key=lambda span: int(span["startTime"]))
    return next(str(span["spanID"]) for span in spans if span["operationName"].startswith(name))


if __name__ == "__main__":
    main()
