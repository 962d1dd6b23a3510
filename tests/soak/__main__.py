"""An hour's load and faults in minutes, and an account of each span: `make soak MINUTES=3 SEED=1`.

Two services at a time answer fifty jobs at once. One is killed, or told to stop, at random moments, and another takes
its place. The collector fails in turn in every way it can. At the end `agentops-otel send` delivers what is on disk,
and each service's jobs are done again without tracing, which takes as long again. The exit code is the number of
faults found.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.loopback import openai_server
from tests.loopback.llm_server import Answer, LlmServer, Request
from tests.soak.account import account, other_answers
from tests.soak.collector import Collector

SERVICES = 2
JOBS = 1_000_000
END_S = 120
"""What a service may take to end, on any machine."""
RSS_MB = 100
"""What tracing may add to a service's memory: 4 MB queued, 16 MB of requests, and what is imported."""


class Services:
    """Processes under load, which come and go."""

    def __init__(self, seed: int, folder: Path, url: str, environment: dict[str, str]) -> None:
        self.killed: set[int] = set()
        self.ended = self.begun = 0
        self.most_kb: Counter[str] = Counter()
        """The most memory that a process had, by whether it was traced."""
        self.errors: list[str] = []
        self._command = [sys.executable, "-m", "tests.soak.service"]
        self._rest = [str(seed), str(folder), url]
        self._environment = environment
        self._running: list[tuple[int, subprocess.Popen[bytes]]] = []

    def begin(self, number: int | None = None, jobs: int = JOBS) -> None:
        """Start a process: the next one traced, or one again without tracing."""
        bare = number is not None
        if number is None:
            number, self.begun = self.begun, self.begun + 1
        environment = {k: v for k, v in self._environment.items() if not (bare and k == "COLLECTOR")}
        command = [*self._command, str(number), *self._rest, str(jobs)]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self._running.append((number, process))

    def live(self, plan: random.Random, until: float) -> None:
        """Kill or end one at random moments, and put another in its place."""
        for _ in range(SERVICES):
            self.begin()
        while (left := until - time.monotonic()) > 0:
            self.watch("traced", min(plan.uniform(4, 15), left))
            if time.monotonic() < until:
                self._end(plan.randrange(len(self._running)), kill=plan.random() < 0.6)
                self.begin()
        while self._running:
            self._end(0, kill=False)

    def repeat(self, jobs: dict[int, int], until: float) -> None:
        """Do the jobs of each process again, without tracing."""
        for number, many in jobs.items():
            self.begin(number, many)
            while self._running[0][1].poll() is None and time.monotonic() < until:
                self.watch("bare", 0.2)
            self._end(0, kill=False)

    def watch(self, kind: str, seconds: float) -> None:
        """Note the memory of those that run, for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for _, process in self._running:
                self.most_kb[kind] = max(self.most_kb[kind], _rss_kb(process.pid))
            time.sleep(0.1)

    def _end(self, place: int, *, kill: bool) -> None:
        number, process = self._running.pop(place)
        if kill:
            process.send_signal(signal.SIGKILL)
            self.killed.add(process.pid)
        self.ended += not kill
        try:
            _, said = process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            self.errors.append(f"service {number} did not end in {END_S} s")
            return
        if not kill and process.returncode:
            self.errors.append(f"service {number} ended with {process.returncode}: {said.decode()[-2000:]}")


def _rss_kb(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)


def said(request: Request) -> Answer:
    """The model's answer: what it was asked, as a stream."""
    question = request.json["messages"][0]["content"]
    message = {"role": "assistant", "content": f"You asked: {question} It is 21 degrees, and it will rain by noon."}
    return openai_server.answer(openai_server.completion(message), stream=True)


@contextmanager
def _sizes(folder: Path) -> Iterator[list[int]]:
    """The most bytes that the folder had, looked at often."""
    most, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(0.2):
            most[0] = max(most[0], sum(path.stat().st_size for path in folder.rglob("*.spans") if path.exists()))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    yield most
    ended.set()
    thread.join()


def soak(seconds: float, seed: int, folder: Path) -> dict[str, object]:
    """One run: what happened, and what became of the spans."""
    for name in ("answers", "ended", "stats", "spool"):
        (folder / name).mkdir()
    collector = Collector(folder)
    collector.start()
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COVERAGE_", "OTEL_", "AGENTOPS_"))
        },
        "COLLECTOR": collector.endpoint,
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(collector.ca_file),
        "OTEL_EXPORTER_OTLP_TIMEOUT": "2",
        "XDG_STATE_HOME": str(folder / "state"),
    }
    until = time.monotonic() + seconds
    with LlmServer(said) as model, _sizes(folder / "spool") as spool_bytes:
        services = Services(seed, folder, model.url, environment)
        faults: Counter[str] = Counter()
        failing = threading.Thread(target=lambda: faults.update(collector.fail(random.Random(f"{seed} faults"), until)))
        failing.start()
        services.live(random.Random(f"{seed} kills"), until)
        failing.join()
        sent = _send(environment, folder / "spool")
        services.repeat(_jobs(folder / "answers"), time.monotonic() + 2 * seconds + END_S)
    collector.stop()
    found = account(folder, collector, services.killed)
    wrong = other_answers(folder)
    problems = [*found.faults, *services.errors, *sent, *(f"another answer: {one}" for one in wrong)]
    more_mb = (services.most_kb["traced"] - services.most_kb["bare"]) / 1024
    if more_mb > RSS_MB:
        problems.append(f"tracing took {more_mb:.0f} MB")
    return {
        "seed": seed,
        "seconds": seconds,
        "services": services.begun,
        "killed": len(services.killed),
        "faults of the collector": dict(faults),
        "answers": sum(_jobs(folder / "answers").values()),
        "other answers": len(wrong),
        **{name: value for name, value in asdict(found).items() if name != "faults"},
        "spool at most, kB": round(spool_bytes[0] / 1024),
        "memory, MB more than without": round(more_mb),
        "problems": problems,
    }


def _jobs(answers: Path) -> dict[int, int]:
    """How many jobs each traced service began at most: the highest that it answered, and one."""
    found = {}
    for path in answers.iterdir():
        if path.name.isdecimal():
            lines = path.read_bytes().split(b"\n")[:-1]
            found[int(path.name)] = max((json.loads(line)[0] for line in lines), default=-1) + 1
    return found


def _send(environment: dict[str, str], spool: Path) -> list[str]:
    """Deliver what is on disk, as a user would."""
    given = {**environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": environment["COLLECTOR"]}
    command = [sys.executable, "-m", "agentops_otel", "send", "--timeout", "60"]
    done = subprocess.run(
        command,
        env={**given, "AGENTOPS_SPOOL_DIR": str(spool)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return [] if done.returncode == 0 else [f"send: {done.stdout}{done.stderr}"]


def main() -> int:
    """Run it, print what came of it."""
    parser = argparse.ArgumentParser(prog="tests.soak")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = soak(options.minutes * 60, options.seed, Path(folder))
    print(json.dumps(result, indent=2))
    problems = result["problems"]
    assert isinstance(problems, list)
    return min(len(problems), 100)


if __name__ == "__main__":
    sys.exit(main())
