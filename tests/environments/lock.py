"""Renews `locks/`: every package that an environment gets, with the digests of its files, for every Python we name."""

import os
import subprocess
import sys

from tests.environments.install import LOCKS, ROOT

FRAMEWORKS = (
    *("agent-framework", "agno", "autogen", "claude-agent-sdk", "crewai", "dspy", "google-adk", "haystack"),
    *("langchain", "llama-index", "mcp-1", "mcp-2", "openai-agents", "pydantic-ai", "semantic-kernel"),
    *("smolagents", "strands-agents"),
)

WITH_US = (
    *("test", "clients", "litellm", "backends", "second", "older-1", "older-2", "older-together", "lowest", "demo"),
    *FRAMEWORKS,
    "agent-benchmark",
)
"""What is installed for our own requirements too."""

BESIDE_TEST = ("check", "demo", "install", "taskweaver")
"""What is installed beside the tests, so that no version may be another."""


def lock() -> int:
    """Write every lock anew; 0 when all could be."""
    return max(_compile(name) for name in dict.fromkeys((*WITH_US, *BESIDE_TEST)))


def _compile(name: str) -> int:
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade", "--generate-hashes"]
    command += ["--python-version", "3.11", "--annotation-style", "line", "--custom-compile-command", "make lock"]
    command += ["--no-emit-package", "taskweaver", "--group", name, "--output-file", f"locks/{name}.txt"]
    if name in WITH_US:
        command.append("pyproject.toml")
    if name in BESIDE_TEST:
        command += ["--constraint", "locks/test.txt"]
    # grpcio's lowest version is not for Python 3.13.
    command += ["--constraint", "locks/lowest.in"] if name == "lowest" else ["--universal"]
    (LOCKS / f"{name}.txt").touch()
    variables = {**os.environ, "BUILD_SOURCEBRANCHNAME": "main"}  # TaskWeaver's version wants it
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode
