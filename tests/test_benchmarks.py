"""The benchmarks of one call run: they reach further into the package than a program does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("program", "rows"),
    [
        ("import profile as b; b.CALLS = b.BLOCKS = 1; b.main()", ["DecoratedCall.begin", "a copy of the response"]),
        (
            "import asyncio, decorated_call as b; b.BLOCKS = 1; asyncio.run(b.measure(guest=False))",
            ["raw OpenTelemetry span", "three arguments, disabled", "by hand, ten attributes"],
        ),
        ("import llm_call as b; b.CALLS = b.BLOCKS = 1; b.main(guest=False)", ["a further chunk", "without content"]),
        ("import delivery as b; b.SPANS = b.ROUNDS = 1; b.encoders()", ["of theirs"]),
    ],
    ids=["profile", "decorated_call", "llm_call", "delivery"],
)
def test_a_benchmark_prints_its_table(program: str, rows: list[str]) -> None:
    """One block of each kind is enough to see that it runs."""
    environment = {**os.environ, "PYTHONPATH": str(FOLDER)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=FOLDER.parent)

    assert (done.stderr, done.returncode) == ("", 0)
    assert [row for row in rows if row not in done.stdout] == []
