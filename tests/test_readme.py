"""README says only what runs."""

import re
from pathlib import Path

import pytest

import agentops_otel
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


def test_links_lead_somewhere() -> None:
    """Every relative link is a file or a folder of the repository."""
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
