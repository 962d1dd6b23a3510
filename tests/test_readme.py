"""README says only what runs."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

import agentops_otel
from agentops_otel.clients import SPECS
from tests.program import ROOT, run

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_python_block_runs(block: str, tmp_path: Path) -> None:
    """Each block of Python is a whole program that ends well, without a warning."""
    program = tmp_path / "block.py"  # a file: what it defines may be pickled or inspected
    program.write_text(block)

    finished = run(f"import runpy; runpy.run_path({str(program)!r}, run_name='__main__')")

    assert "Traceback" not in finished.stderr


def test_the_table_of_settings_is_whole() -> None:
    """Every argument of init stands in the table of settings, and nothing else does."""
    named = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)

    assert set(named) == {*(agentops_otel.init.__kwdefaults__ or {}), "api_key"}


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
    for packages, told in re.findall(r"^\| (\w.*) \| (.*) \|$", README, re.MULTILINE)
    for package, version in re.findall(r"(?:^|, )([\w-]+) ([\d.]+)", packages)
}


def test_the_table_of_clients_is_what_their_specs_say() -> None:
    """Every client stands in it, with the version that is tested and the very kinds of calls that have a span."""
    known: dict[str, set[str]] = defaultdict(set)
    for spec in SPECS:
        name = {"botocore": "boto3"}.get(spec.name, spec.name).replace("_", "-")
        known[name].update(operation.name for operation in spec.operations)
    pinned = (ROOT / "tests/clients.txt").read_text().replace("_", "-")
    pins = dict(re.findall(r"^([\w-]+)==(\d+\.\d+)", pinned, re.MULTILINE))

    assert {package.replace("_", "-") for package in CLIENTS} == known.keys()
    for package, (version, told) in CLIENTS.items():
        name = package.replace("_", "-")
        assert version == pins.get(name, version)
        if "everything" not in told:
            assert {kind for kind, words in WORDS.items() if re.search(words, told)} == known[name]


def test_links_lead_somewhere() -> None:
    """Every relative link is a file or a folder of the repository."""
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
