"""Takes the pictures of Jaeger that README shows, from the running system: `python -m tests.e2e.pictures`.

Needs the servers of `make e2e-servers`, `chromium` on PATH (Debian: `apt-get install chromium`), and in `JAEGER_UI` a
folder with a build of Jaeger's user interface, 2.20 or later: a Jaeger from Go's module registry brings none.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.servers import ROOT, Jaeger

PICTURES = ROOT / "docs" / "pictures"
# Without the last three a browser start looks for hosts of its maker.
QUIET = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def run_example(name: str, jaeger: Jaeger, folder: Path) -> None:
    """Run the example as a user would, with Jaeger as its collector."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.endpoint}
    subprocess.run([sys.executable, f"examples/{name}.py"], cwd=ROOT, env=environment, check=True, timeout=60)


def take(url: str, picture: str, height: int, folder: Path) -> None:
    """Save what a browser shows at this address."""
    file = PICTURES / picture
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--hide-scrollbars", *QUIET]
    command += [f"--user-data-dir={folder / 'browser'}", f"--window-size=1400,{height}", "--virtual-time-budget=15000"]
    subprocess.run([*command, f"--screenshot={file}", url], check=True, timeout=120, stderr=subprocess.DEVNULL)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1000} kB")


def main() -> None:
    """Run the quickstart against a Jaeger and take its traces' pictures."""
    with tempfile.TemporaryDirectory() as name, Jaeger(Path(name)) as jaeger:
        folder = Path(name)
        run_example("quickstart", jaeger, folder)
        [trace] = jaeger.api("/api/traces?service=quickstart")["data"]
        chat = next(span for span in trace["spans"] if span["operationName"].startswith("chat"))
        page = f"{jaeger.url}/trace/{trace['traceID']}"
        take(page, "jaeger-trace.png", 520, folder)
        take(f"{page}?uiFind={chat['spanID']}", "jaeger-conversation.png", 860, folder)


if __name__ == "__main__":
    main()
