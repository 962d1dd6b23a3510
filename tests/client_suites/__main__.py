"""Runs clients' own test suites without us, with us from before the import and from after it, and compares each test.

The suites come in the source packages of the versions that are installed, are kept in `.client-suites`, and are run as
they are. `python -m tests.client_suites groq ollama` runs two; `-k` chooses tests, as pytest does. Of a run that takes
longer than `LIMIT_S` the tests that each of the three ways has run are compared.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.environments.install import CannotInstall, install

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".client-suites"
LIMIT_S = float(os.environ.get("LIMIT_S", "900"))
"""The longest that a suite may run, one way."""
ENDING_S = 10.0
WAYS = ("off", "before", "after")
WANTED = (
    "pytest-asyncio",
    "pytest-httpserver",
    "nest-asyncio",
    "dirty-equals",
    "http-snapshot",
    "rich",
    "werkzeug",
    "markupsafe",
)
"""What the suites import besides the clients."""

_NO_ENDPOINTS = ("--ignore=tests/api_resources",)
"""The tests of each endpoint ask a server that a tool of the vendor's plays: they are left out."""


@dataclass(frozen=True, slots=True)
class ClientSuite:
    """A client's tests."""

    tests: Sequence[str] = ()
    """What pytest is told to run, or to leave out; by default all."""
    environment: str = ""
    """The lock whose environment has the client; by default the one that this runs in."""
    needs: Sequence[str] = ()
    """What it imports besides the client and `WANTED`."""


SUITES = {
    "openai": ClientSuite(_NO_ENDPOINTS),
    "anthropic": ClientSuite(_NO_ENDPOINTS),
    "groq": ClientSuite(_NO_ENDPOINTS),
    "mistralai": ClientSuite(),
    "ollama": ClientSuite(),
    # The other folders replay recordings that the package does not ship. Without the option the tests would import the
    # client as `genai`, which is a copy under another name.
    "google-genai": ClientSuite(
        [
            *("-o", "consider_namespace_packages=true"),
            *(
                f"google/genai/tests/{folder}"
                for folder in (
                    "afc",
                    "chats",
                    "errors",
                    "gaos",
                    "interactions",
                    "live",
                    "transformers",
                    "types",
                    "client",
                )
            ),
        ]
    ),
    "together": ClientSuite(_NO_ENDPOINTS, "clients"),
    "langchain-openai": ClientSuite(
        ["tests/unit_tests"],
        "langchain",
        [
            *("langchain-tests", "vcrpy", "wrapt", "yarl", "numpy", "freezegun", "pytest-mock", "syrupy"),
            *("pytest-socket", "pytest-recording", "pytest-benchmark", "py-cpuinfo"),
        ],
    ),
    "openai-agents": ClientSuite(["tests/models"], "openai-agents"),
}


class NothingRun(Exception):
    """Says of which suite no test was run, and what pytest said."""


def main() -> int:
    """Run the suites and print a table; 1 where a test comes to something else with us."""
    parser = argparse.ArgumentParser(prog="python -m tests.client_suites")
    parser.add_argument("names", nargs="*", default=list(SUITES))
    parser.add_argument("-k", default="", help="the tests to run, as pytest's -k")
    chosen = parser.parse_args()
    _wanted("wanted", WANTED)
    lines: list[str] = []
    alike = True
    for name in chosen.names:
        try:
            python, number = _installed(name)
        except (PackageNotFoundError, CannotInstall) as error:
            lines.append(f"{name}: not installed: {error}")
            continue
        folder = _source(name, number)
        _wanted(f"{name}-wanted", SUITES[name].needs)
        try:
            told = {way: _outcomes(python, folder, name, way, chosen.k) for way in WAYS}
        except NothingRun as error:
            lines.append(str(error))
            alike = False
            continue
        lines += compared(f"{name} {number}", told)
        alike &= not any(_differing(told["off"], one) for one in told.values())
    print("\n".join(lines))
    return 0 if alike else 1


def _installed(name: str) -> tuple[str, str]:
    """The Python that has the client, and the client's version."""
    environment = SUITES[name].environment
    if not environment:
        return sys.executable, version(name)
    python = str(install(Path(f".venv-{environment}"), environment, sys.executable, locked=True).absolute())
    ask = f"from importlib.metadata import version; print(version({name!r}))"
    return python, subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()


def _wanted(folder: str, packages: Sequence[str]) -> None:
    if packages and not (KEPT / folder).exists():
        _pip("install", "--no-deps", "--target", str(KEPT / folder), *packages)


def _source(name: str, number: str) -> Path:
    """The unpacked source package, fetched once."""
    stem = f"{name.replace('-', '_')}-{number}"
    if not (KEPT / stem).exists():
        KEPT.mkdir(exist_ok=True)
        _pip("download", "--no-deps", "--no-binary", name, "--dest", str(KEPT), f"{name}=={number}")
        with tarfile.open(KEPT / f"{stem}.tar.gz") as packed:
            packed.extractall(KEPT, filter="data")
    return KEPT / stem


def _outcomes(python: str, folder: Path, name: str, way: str, k: str) -> dict[str, Any]:
    """What each test came to, what was logged, how many spans were made, and which files could not be collected."""
    said = KEPT / f"{name}-{way}.json"
    said.unlink(missing_ok=True)
    command = [
        python,
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
    settings["PYTHONPATH"] = os.pathsep.join(
        (str(Path(__file__).parent), str(KEPT / "wanted"), str(KEPT / f"{name}-wanted"))
    )
    out, was_ended = _run([*command, *SUITES[name].tests], folder, settings)
    told: dict[str, Any] = json.loads(said.read_text()) if said.exists() else {}
    told["cut"] = was_ended or told.get("cut", False)
    if not told.get("outcomes"):
        raise NothingRun(f"{name}, {way}: no test was run\n{out[-4000:]}")
    return told


def _run(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> tuple[str, bool]:
    """Run pytest, and end it after `LIMIT_S`, as Ctrl-C does or by force: what it said, and whether it was ended."""
    environment = {**os.environ, **settings}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for limit_s, end in ((LIMIT_S, signal.SIGINT), (ENDING_S, signal.SIGKILL)):
            try:
                return process.communicate(timeout=limit_s)[0], end is signal.SIGKILL
            except subprocess.TimeoutExpired:
                process.send_signal(end)
        return process.communicate()[0], True


def compared(title: str, told: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for the suite, one for each way with us, and one for each test and file that differs."""
    off = told["off"]
    passed = sum(outcome == "passed" for outcome in off["outcomes"].values())
    lines = [
        f"{title}: {len(off['outcomes'])} tests, {passed} pass without us, "
        f"{len(off['uncollected'])} files cannot be collected"
    ]
    for way in WAYS[1:]:
        one = told[way]
        other = _differing(off, one)
        cut = ", cut short" if off["cut"] or one["cut"] else ""
        lines.append(
            f"  {way} the import: {len(other)} differ, {one['spans']} spans, {len(one['records'])} log records, "
            f"{len(one['uncollected'])} files cannot be collected{cut}"
        )
        lines += [f"    {test}: {before}, with us {with_us}" for test, (before, with_us) in other.items()]
        lines += [f"    {record}" for record in dict.fromkeys(one["records"])]
    lines += [f"  not collected: {file}" for file in off["uncollected"]]
    return lines


def _differing(off: Mapping[str, Any], with_us: Mapping[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    """The tests, and files that cannot be collected, that come to something else: without us, and with us.

    Of a run that was cut short, those that both have run.
    """
    before, after = (
        {**one["outcomes"], **dict.fromkeys(one["uncollected"], "not collected")} for one in (off, with_us)
    )
    both = before.keys() & after.keys() if off["cut"] or with_us["cut"] else before.keys() | after.keys()
    return {test: (before.get(test), after.get(test)) for test in sorted(both) if before.get(test) != after.get(test)}


def _pip(command: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", command, "--quiet", *arguments], check=True, timeout=LIMIT_S)


if __name__ == "__main__":
    raise SystemExit(main())
