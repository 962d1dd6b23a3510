"""What is shipped: a wheel and an sdist that hold what they should, and install."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import agentops_otel
from tests.program import ROOT, run

SHIPPED = {path.relative_to(ROOT).as_posix() for path in (ROOT / "agentops_otel").rglob("*") if path.suffix != ".pyc"}


def pip(*arguments: str) -> str:
    """Run pip and give back what it printed."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip install .` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder), ".")
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Every file of the package is in the wheel, with py.typed, and no test or example is."""
    files = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("agentops_otel-")}

    assert "agentops_otel/py.typed" in files
    assert files == {name for name in SHIPPED if (ROOT / name).is_file()}


def test_wheel_installs_and_runs(wheel: Path, tmp_path: Path) -> None:
    """The wheel alone, on the dependencies it names, imports, has its version and its command line."""
    pip("install", "--no-deps", "--quiet", "--target", str(tmp_path / "site"), str(wheel))

    printed = run(
        "import agentops_otel, agentops_otel.cli; print(agentops_otel.__version__, agentops_otel.__file__)",
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path / "site"),
    )

    assert printed.stdout.split() == [agentops_otel.__version__, str(tmp_path / "site/agentops_otel/__init__.py")]
    assert (tmp_path / "site/bin/agentops-otel").exists()


def test_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """The sdist holds package, tests and licence, and a wheel built from it has the same files."""
    pip("install", "--quiet", "--target", str(tmp_path / "build"), "hatchling")
    run(
        f"import os; os.chdir({str(ROOT)!r})\nfrom hatchling.build import build_sdist\nbuild_sdist({str(tmp_path)!r})",
        PYTHONPATH=str(tmp_path / "build"),
    )
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.split("/", 1)[1] for name in archive.getnames()}
    pip("wheel", "--no-deps", "--quiet", "--wheel-dir", str(tmp_path / "again"), str(sdist))
    (again,) = (tmp_path / "again").glob("*.whl")

    assert {"LICENSE", "README.md", "CHANGELOG.md", "tests/test_package.py", "examples/quickstart.py"} <= inside
    assert zipfile.ZipFile(again).namelist() == zipfile.ZipFile(wheel).namelist()


def test_installed_dependencies_agree() -> None:
    """`pip check` finds nothing that is missing or at odds."""
    assert "No broken requirements found" in pip("check")
