"""Docstrings of tests that are sentences of README and docs, word for word."""

from types import ModuleType

from tests.program import ROOT

PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
TEXT = " ".join(" ".join(page.read_text() for page in PAGES).split())


def on_no_page(module: ModuleType, *others: str) -> dict[str, str]:
    """The tests of the module whose docstring no page has, but for *others*, whose docstring is no sentence of one."""
    sentences = {
        name: " ".join((test.__doc__ or "").split())
        for name, test in vars(module).items()
        if name.startswith("test_") and name not in others
    }
    return {name: told for name, told in sentences.items() if not told or told[1:].rstrip(".") not in TEXT}
