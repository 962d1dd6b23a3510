"""The Collector's configuration masks what the library masks, as a second line of defence."""

import re

import pytest

from agentops_otel.content.secret_shapes import PREFIXES
from tests.content.secret_examples import EXAMPLES, SECRETS
from tests.program import ROOT


def blocked_values() -> list[str]:
    """The patterns of the redaction processor, but for the one that the environment gives."""
    text = (ROOT / "collector-config.yaml").read_text().partition("blocked_values:")[2].partition("summary:")[0]
    lines = re.findall(r"^ +- (.+)$", text, re.MULTILINE)
    return [line.strip("'").replace("''", "'") for line in lines if not line.startswith("$")]


BLOCKED = [re.compile(pattern) for pattern in blocked_values()]


@pytest.mark.parametrize("secret", [*EXAMPLES.values(), *SECRETS.values()])
def test_a_key_that_the_library_masks_is_masked_there_too(secret: str) -> None:
    """No more than its first letters are left, whichever pattern finds it."""
    text = f"use {secret} now"
    for pattern in BLOCKED:
        text = pattern.sub("****", text)

    assert secret[-12:] not in text
    assert "****" in text


def test_every_prefix_has_its_line() -> None:
    """The list is the library's own: each prefix and what follows it, in the patterns of RE2."""
    lines = {pattern.pattern for pattern in BLOCKED}
    ours = {re.escape(prefix).replace("\\-", "-").replace("\\ ", " ").replace("\\~", "~") + body
            for row in PREFIXES.values() for prefix, body in row.items()}  # fmt: skip

    assert ours - lines == {"sk-[A-Za-z0-9_-]{8,}"}


def test_patterns_are_of_re2() -> None:
    """The Collector's expressions know no looking ahead or back, and begin with a letter that can be searched for."""
    assert [pattern.pattern for pattern in BLOCKED if re.search(r"\(\?[=!<]|\\[1-9]", pattern.pattern)] == []


@pytest.mark.parametrize("text", ["risk-averse, task-oriented-and-disk-bound-operation-names", "max_tokens=100"])
def test_ordinary_text_stays_there_too(text: str) -> None:
    """What is no key is not masked."""
    assert [pattern.pattern for pattern in BLOCKED if pattern.search(text)] == []
