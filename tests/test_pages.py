"""The pages say only what runs, and lead somewhere: README, docs/ and the rest."""

import re
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import agentops_otel
from agentops_otel.clients import SPECS
from agentops_otel.export.drop_reason import DropReason
from tests.program import ROOT, run

DOCS = sorted((ROOT / "docs").glob("*.md"))
OTHERS = ("llms.txt", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "deploy/sizing.md")
PAGES = [ROOT / "README.md", *DOCS, *(ROOT / name for name in OTHERS)]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
BLOCKS = {
    f"{name}:{number}": block
    for page, name in zip(PAGES, NAMES, strict=True)
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL), 1)
}


MAY_BE_MISSING = {"celery", "fastapi", "flask", "streamlit"}
"""What a block may import besides us; without it the block skips."""


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS.keys())
def test_every_python_block_runs(block: str, tmp_path: Path) -> None:
    """Each block of Python is a whole program that ends well, without a warning."""
    for package in MAY_BE_MISSING & set(re.findall(r"^(?:from|import) (\w+)", block, re.MULTILINE)):
        pytest.importorskip(package)
    program = tmp_path / "block.py"  # a file: what it defines may be pickled or inspected
    program.write_text(block)

    finished = run(f"import runpy; runpy.run_path({str(program)!r}, run_name='__main__')")

    assert "Traceback" not in finished.stderr


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    seen: Counter[str] = Counter()
    found = set()
    for slug in slugs:
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def links(page: Path) -> list[tuple[str, str]]:
    """The relative links of a page: path and anchor, either of which may be empty."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return [(path, anchor) for path, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text) if "://" not in path]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file or a folder of the repository, and every anchor a heading of its page."""
    targets = [((page.parent / path).resolve() if path else page, anchor) for path, anchor in links(page)]

    assert [str(target) for target, _ in targets if not target.exists()] == []
    assert [f"{target.name}#{anchor}" for target, anchor in targets if anchor and anchor not in anchors(target)] == []


def test_links_and_anchors_are_found() -> None:
    """The two searches above see what there is to see."""
    assert ("docs/jaeger.md", "") in links(ROOT / "README.md")
    assert ("jaeger.md", "warnings-that-jaeger-shows") in links(ROOT / "docs/several-processes.md")
    assert "where-the-spans-go" in anchors(ROOT / "README.md")


def test_readme_leads_to_every_page() -> None:
    """Each page of docs/ stands in README's table, by its question."""
    table = dict(re.findall(r"^\| (.+?) \| \[.*\]\((docs/.*?)\) \|$", (ROOT / "README.md").read_text(), re.MULTILINE))
    headings = {f"docs/{page.name}": page.read_text().partition("\n")[0].removeprefix("# ") for page in DOCS}

    assert {path: question for question, path in table.items()} == headings


def test_readme_is_short() -> None:
    """README is a screen and a bit; what is longer has a page of its own."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 110


def test_what_a_coding_assistant_reads_is_short() -> None:
    """llms.txt has fewer than 150 lines, and its blocks run as those of the pages do."""
    assert len((ROOT / "llms.txt").read_text().splitlines()) < 150
    assert sum(name.startswith("llms.txt") for name in BLOCKS) == 4


def test_the_table_of_settings_is_whole() -> None:
    """Every argument of init stands in the table of settings with its default, and nothing else does."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    defaults = {"api_key": None, **(agentops_otel.init.__kwdefaults__ or {})}
    words = {True: "true", False: "false", "batch": '`"batch"`', 2.0: "2.0"}

    assert {name for name, _ in rows} == defaults.keys()
    assert [
        (name, told)
        for name, told in rows
        if defaults[name] not in (None, ()) and not told.startswith(words[defaults[name]])
    ] == []


def test_troubleshooting_explains_every_reason_for_a_drop() -> None:
    """The page has each reason that `stats().dropped` may have, with the sentence that the code has for it."""
    rows = dict(
        re.findall(r"^\| `([a-z ]+)` \| (.*) \|$", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    )

    assert rows == {str(reason): reason.meaning for reason in DropReason}


def test_measured_figures_have_a_command_and_a_date() -> None:
    """Each section of docs/benchmarks.md with a table names the command that makes its figures; the page has a date."""
    head, *sections = (ROOT / "docs/benchmarks.md").read_text().split("\n## ")
    commands = [re.findall(r"`python (?:-m pytest )?([\w/.]+)[^`]*`", section) for section in sections]
    targets = [re.findall(r"`make ([\w-]+)`", section) for section in sections]
    makefile = (ROOT / "Makefile").read_text()

    assert re.search(r"measured on \d+ [A-Z]\w+ \d{4}", " ".join(head.split()))
    assert all(map(any, zip(commands, targets, strict=True)))
    assert [name for section in targets for name in section if f"\n{name}:" not in makefile] == []
    assert [path for section in commands for path in section if not (ROOT / path).exists()] == []


def test_security_names_every_extra() -> None:
    """SECURITY.md lists the extras of pyproject.toml and what each of them installs."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    section = (ROOT / "SECURITY.md").read_text().partition("| extra |")[2]
    told = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))

    assert told.keys() == extras.keys()
    for name, packages in extras.items():
        if name != "all":
            assert set(told[name].split(", ")) == {re.split("[<>=]", package)[0] for package in packages}


WORDS = {
    "chat": "chats",
    "embeddings": "embeddings|embed_content",
    "fetch_response": "fetched later",
    "generate_content": "generate_content|decisions",
    "invoke_agent": "applications|hosted agents",
    "text_completion": "text generation",
}
CLIENTS = {
    package: (version, told)
    for packages, told in re.findall(
        r"^\| (\w.*) \| (.*) \|$", (ROOT / "docs/llm-clients.md").read_text(), re.MULTILINE
    )
    for package, version in re.findall(r"(?:^|, )([\w-]+) ([\d.]+)", packages)
}


def test_the_table_of_clients_is_what_their_specs_say() -> None:
    """Every client stands in it, with the version that is tested and the very kinds of calls that have a span."""
    known: dict[str, set[str]] = defaultdict(set)
    for spec in SPECS:
        name = {"botocore": "boto3"}.get(spec.name, spec.name).replace("_", "-")
        known[name].update(operation.name for operation in spec.operations)
    locks = "".join((ROOT / f"locks/{name}.txt").read_text() for name in ("litellm", "clients"))
    pins = dict(re.findall(r"^([\w-]+)==([\d.]+)", locks, re.MULTILINE))

    assert {package.replace("_", "-") for package in CLIENTS} == known.keys()
    for package, (version, told) in CLIENTS.items():
        name = package.replace("_", "-")
        assert f"{pins[name]}.".startswith(f"{version}.")
        if "everything" not in told:
            assert {kind for kind, words in WORDS.items() if re.search(words, told)} == known[name]


def test_clients_can_be_left_out_by_the_names_of_the_page() -> None:
    """The page of limits lists the names by which OTEL_PYTHON_DISABLED_INSTRUMENTATIONS knows the clients."""
    listed = re.search(r"left out by the names (.*?),? in\n?\s*`OTEL", (ROOT / "docs/limits.md").read_text(), re.DOTALL)

    assert listed
    assert set(re.findall(r"`([\w-]+)`", listed[1])) == {spec.name for spec in SPECS}
