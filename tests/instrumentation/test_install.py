"""Applying specs when a client is imported, before or after, and taking them off again."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
{first}
from agentops_otel.clients import SPECS
from agentops_otel.instrumentation import install
installation = install(SPECS, lambda: None)
assert ("openai" in sys.modules) is {imported}
install(SPECS, lambda: None).uninstall()
{second}
from openai import OpenAI
assert "request" in vars(OpenAI)
installation.uninstall()
assert "request" not in vars(OpenAI)
"""


@pytest.mark.parametrize(
    ("first", "second", "imported"),
    [("import openai", "", True), ("", "import openai", False)],
    ids=["after", "before"],
)
def test_clients_are_wrapped_whenever_they_are_imported(first: str, second: str, imported: bool) -> None:
    """A client is wrapped at once when it is there, else when the program imports it; nobody imports it for us."""
    script = SCRIPT.format(first=first, second=second, imported=imported)

    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


def test_uninstalled_before_the_import_leaves_the_client_alone() -> None:
    """A post-import hook of ours that fires too late does nothing."""
    script = """
from agentops_otel.clients import SPECS
from agentops_otel.instrumentation import install
install(SPECS, lambda: None).uninstall()
from openai import OpenAI
assert "request" not in vars(OpenAI)
"""

    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
