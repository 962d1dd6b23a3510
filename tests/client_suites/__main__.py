"""Runs clients' own test suites without us, with us from before the import and from after it, and compares each test.

The suites come in the source packages of the versions that are installed, are kept in `.client-suites`, and are run as
they are. `python -m tests.client_suites groq ollama` runs two; `-k` chooses tests, as pytest does.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".client-suites"
LIMIT_S = 900
WAYS = ("off", "before", "after")
WANTED = ("pytest-asyncio", "pytest-httpserver", "nest-asyncio", "dirty-equals", "http-snapshot", "rich")
"""What the suites import besides the clients."""

SUITES = {
    # The tests in api_resources ask a server that a tool of the vendor's plays: they are left out.
    "openai": ("--ignore=tests/api_resources",),
    "anthropic": ("--ignore=tests/api_resources",),
    "groq": ("--ignore=tests/api_resources",),
    "together": ("--ignore=tests/api_resources",),
    "mistralai": (),
    "ollama": (),
    "google-genai": ("google/genai/tests/transformers", "google/genai/tests/types", "google/genai/tests/client"),
}


def main() -> int:
    """Run the suites and print a table; 1 where a test comes to something else with us."""
    parser = argparse.ArgumentParser(prog="python -m tests.client_suites")
    parser.add_argument("names", nargs="*", default=list(SUITES))
    parser.add_argument("-k", default="", help="the tests to run, as pytest's -k")
    chosen = parser.parse_args()
    if not (KEPT / "wanted").exists():
        _pip("install", "--no-deps", "--target", str(KEPT / "wanted"), *WANTED)
    lines: list[str] = []
    alike = True
    for name in chosen.names:
        try:
            folder = _source(name, version(name))
        except PackageNotFoundError:
            lines.append(f"{name}: not installed")
            continue
        told = {way: _outcomes(folder, name, way, chosen.k) for way in WAYS}
        lines += _compared(name, told)
        alike &= all(told["off"]["outcomes"] == one["outcomes"] for one in told.values())
    print("\n".join(lines))
    return 0 if alike else 1


def _source(name: str, number: str) -> Path:
    """The unpacked source package, fetched once."""
    stem = f"{name.replace('-', '_')}-{number}"
    if not (KEPT / stem).exists():
        KEPT.mkdir(exist_ok=True)
        _pip("download", "--no-deps", "--no-binary", name, "--dest", str(KEPT), f"{name}=={number}")
        with tarfile.open(KEPT / f"{stem}.tar.gz") as packed:
            packed.extractall(KEPT, filter="data")
    return KEPT / stem


def _outcomes(folder: Path, name: str, way: str, k: str) -> dict[str, Any]:
    """What each test came to, what was logged, and how many spans were made."""
    said = KEPT / f"{name}-{way}.json"
    said.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=no",
        "--continue-on-collection-errors",
        "-W",
        "default",
        "-o",
        "addopts=",
        "-k",
        k,
    ]
    for plugin in ("with_us", "no:cacheprovider", "no:randomly", "no:xdist"):
        command += ["-p", plugin]
    settings = {"SUITE_WITH_US": way, "SUITE_OUTCOMES": str(said), "OTEL_TRACES_EXPORTER": "none"}
    settings["PYTHONPATH"] = os.pathsep.join((str(Path(__file__).parent), str(KEPT / "wanted")))
    done = subprocess.run(
        [*command, *SUITES[name]],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    told: dict[str, Any] = json.loads(said.read_text()) if said.exists() else {}
    if not told.get("outcomes"):
        raise SystemExit(f"{name}, {way}: no test was run\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return told


def _compared(name: str, told: dict[str, dict[str, Any]]) -> list[str]:
    """A line for the suite, and one for each test that differs."""
    off = told["off"]["outcomes"]
    passed = sum(outcome == "passed" for outcome in off.values())
    lines = [f"{name} {version(name)}: {len(off)} tests, {passed} pass without us"]
    for way in WAYS[1:]:
        with_us = told[way]["outcomes"]
        other = sorted(test for test in off.keys() | with_us.keys() if off.get(test) != with_us.get(test))
        records = told[way]["records"]
        lines.append(f"  {way} the import: {len(other)} differ, {told[way]['spans']} spans, {len(records)} log records")
        lines += [f"    {test}: {off.get(test)}, with us {with_us.get(test)}" for test in other]
        lines += [f"    {record}" for record in dict.fromkeys(records)]
    return lines


def _pip(command: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", command, "--quiet", *arguments], check=True, timeout=LIMIT_S)


if __name__ == "__main__":
    raise SystemExit(main())
