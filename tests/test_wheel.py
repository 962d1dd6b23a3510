"""A user who has the wheel alone: an empty environment of each Python, and README's first program."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments.interpreters import NAMED, find
from tests.loopback.otlp_sink import OtlpSink
from tests.program import ROOT

pytestmark = pytest.mark.wheel

FIRST = next(iter(re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by what locks/install.txt pins."""
    folder = tmp_path_factory.mktemp("wheel")
    command = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    _run(sys.executable, "-m", *command)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def constraints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The versions of locks/demo.txt without digests, which pip takes for requirements alone."""
    path = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    path.write_text(
        "\n".join(re.findall(r"^[a-z0-9-]+==[^\\\n]+", (ROOT / "locks/demo.txt").read_text(), re.MULTILINE))
    )
    return path


@pytest.mark.parametrize("version", NAMED)
def test_the_first_program_of_the_readme_sends_its_span(
    version: str, wheel: Path, constraints: Path, tmp_path: Path
) -> None:
    """`pip install` of the wheel into an empty environment, then `agentops-otel run`: one span, and no warning.

    It takes what making an environment and installing from the registry take.
    """
    interpreter = find(version)
    if interpreter is None:
        pytest.skip(f"there is no Python {version} here")
    _run(interpreter, "-m", "venv", str(tmp_path / "venv"))
    programs = tmp_path / "venv" / "bin"
    _run(str(programs / "python"), "-m", "pip", "install", "--quiet", "--constraint", str(constraints), str(wheel))
    (tmp_path / "first.py").write_text(FIRST)

    with OtlpSink() as sink:
        finished = _run(
            *(str(programs / "agentops-otel"), "run", "first.py"),
            cwd=tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
            PYTHONWARNINGS="error",
        )
        sink.wait_for(1)

    assert list(sink.spans) == ["search"]
    assert sink.duplicates == 0
    assert "Traceback" not in finished.stderr


def _run(*command: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    finished = subprocess.run(
        command, cwd=cwd, env={**environment, **variables}, capture_output=True, text=True, timeout=300, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished
