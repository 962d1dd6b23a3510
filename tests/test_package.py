"""What is shipped: a wheel and an sdist that hold what they should, and install."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import agentops_otel
from agentops_otel import distribution
from tests.loopback.otlp_sink import OtlpSink
from tests.program import ROOT, run

SHIPPED = {path.relative_to(ROOT).as_posix() for path in (ROOT / "agentops_otel").rglob("*") if path.suffix != ".pyc"}
SHIPPED.add("agentops_otel_pytest.py")


def pip(*arguments: str) -> str:
    """Run pip and give back what it printed."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by what locks/install.txt pins, which each environment has."""
    return built(".", tmp_path_factory.mktemp("wheel"))


def built(source: str, folder: Path) -> Path:
    """The wheel of the source."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder), source)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Every file of the package is in the wheel, with py.typed, and no test or example is."""
    files = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("agentops_otel_bridge-")}

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


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Path:
    """A folder with our wheel and, beside it, what pip leaves of the other project that is called agentops-otel."""
    folder = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(folder)
    other = folder / "agentops_otel-0.4.13.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: agentops-otel\nVersion: 0.4.13\n")
    return folder


CLASH = (
    "agentops-otel 0.4.13 is installed in the same folder as agentops-otel-bridge: each overwrites the other"
    "; pip uninstall agentops-otel, then install agentops-otel-bridge again\n"
)


def test_import_beside_the_other_distribution_says_so_in_one_line(site: Path, tmp_path: Path) -> None:
    """Where `agentops-otel` is installed over this package, importing it says how to mend that."""
    finished = run("import agentops_otel, agentops_otel.cli", cwd=tmp_path, PYTHONPATH=str(site))

    assert finished.stderr == CLASH


def test_command_says_so_where_the_other_distribution_came_last(site: Path, tmp_path: Path) -> None:
    """The command says it too where the `__init__` has been overwritten, and the doctor finds it wrong."""
    (site / "agentops_otel/__init__.py").write_text("")

    finished = run(
        "import sys; from agentops_otel.cli import main; sys.argv = ['agentops-otel', 'doctor']; main()",
        expect=1,
        cwd=tmp_path,
        PYTHONPATH=str(site),
    )

    assert finished.stderr.startswith(CLASH)
    assert CLASH.split(";")[0] in finished.stdout


def test_all_that_we_log_has_one_name() -> None:
    """A program that silences or keeps it names one logger."""
    texts = [path.read_text() for path in (ROOT / "agentops_otel").rglob("*.py")]

    assert {name for text in texts for name in re.findall(r"^_logger = (.*)$", text, re.MULTILINE)} == {
        'logging.getLogger("agentops_otel")'
    }


def test_nobody_is_told_to_install_another_project() -> None:
    """No page, message or file tells anybody to install a distribution that is called like the import."""
    kinds = (".md", ".py", ".toml", ".txt", ".yaml", ".yml", ".cfg", ".ini", ".sh", "")
    files = [
        ROOT / name
        for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
        if Path(name).suffix in kinds
    ]
    ours = r"agentops[-_.]otel(?!-bridge)"
    command = re.compile(rf"""\b(?:install|add|uvx|--with)\b[^\n`]*?[ '"]{ours}(?![\w/.-])|{ours}\[""")

    told = {
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files
        if path.exists()
        for found in command.finditer(path.read_text(errors="ignore"))
    }

    assert len(files) > 100
    assert told == set()


def test_distribution_has_the_name_that_the_package_says() -> None:
    """pyproject.toml, the extra that names itself, and the package agree on the distribution's name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["name"] == distribution.NAME
    assert project["optional-dependencies"]["all"] == [f"{distribution.NAME}[cost,zstd]"]


def test_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """The sdist holds package, tests, pages and licence, and a wheel built from it has the same files."""
    run(f"from hatchling.build import build_sdist\nbuild_sdist({str(tmp_path)!r})")
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.split("/", 1)[1] for name in archive.getnames()}
    again = built(str(sdist), tmp_path / "again")

    tracked = set(subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines())

    # What the tests read is in it, so that they run from it too: all but what only this repository needs.
    assert {path for path in tracked if not path.startswith(".")} <= inside
    assert zipfile.ZipFile(again).namelist() == zipfile.ZipFile(wheel).namelist()


MODULES = {
    "opentelemetry-api": "opentelemetry.trace",
    "opentelemetry-sdk": "opentelemetry.sdk",
    "opentelemetry-proto": "opentelemetry.proto",
    "googleapis-common-protos": "google.rpc",
    "protobuf": "google.protobuf",
}
FOR_OTHERS = {"opentelemetry-exporter-otlp"}
"""What nothing of ours imports; the two tests below use it as its comment in pyproject.toml says."""


def test_each_dependency_is_imported_and_says_what_for() -> None:
    """No dependency is there for nothing, and each has its reason beside it in pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text()
    lines = text[text.index("\ndependencies = [") :].partition("\n]")[0].splitlines()[2:]
    source = "\n".join(path.read_text() for path in (ROOT / "agentops_otel").rglob("*.py"))
    names = [re.split("[<>=]", line.strip().strip('"'))[0] for line in lines]
    unused = {
        name
        for name in names
        if not re.search(rf"^\s*(?:from|import) {re.escape(MODULES.get(name, name))}\b", source, re.MULTILINE)
    }

    assert len(names) > 10
    assert [line for line in lines if "# " not in line] == []
    assert unused == FOR_OTHERS


def test_a_provider_of_the_users_own_sends_by_otlp_with_what_is_installed() -> None:
    """A program that set OpenTelemetry up itself needs no further package to send its spans, and ours, by OTLP."""
    with OtlpSink() as sink:
        run(
            """
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            import agentops_otel
            provider = TracerProvider()
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
            trace.set_tracer_provider(provider)
            agentops_otel.init()
            agentops_otel.record_action("step")(lambda: None)()
            provider.shutdown()
            """,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint,
        )

        assert list(sink.spans) == ["step"]
        assert sink.received[0].headers["user-agent"].startswith("OTel-OTLP-Exporter-Python/")


def test_the_default_exporter_of_opentelemetrys_launcher_is_installed() -> None:
    """`opentelemetry-instrument` sends by the exporter called otlp unless it is told another."""
    (exporter,) = metadata.entry_points(group="opentelemetry_traces_exporter", name="otlp")

    assert hasattr(exporter.load(), "export")


def test_installed_dependencies_agree() -> None:
    """`pip check` finds nothing that is missing or at odds."""
    assert "No broken requirements found" in pip("check")
