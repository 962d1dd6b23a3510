"""The tests that want an environment of their own, and what each environment has."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tests.environments.interpreters import NAMED, find
from tests.environments.lock import FRAMEWORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Tests, and what they need."""

    name: str
    tests: Sequence[str]
    lock: str
    interpreter: str = sys.executable
    locked: bool = True
    """False takes what the registry has today; its failures are told, and fail nothing."""


_FIRST = (
    *("contract", "streams", "hostile_by_client", "openai", "openai_apis", "openai_streams", "raw_response"),
    *("anthropic", "google_genai", "google_interactions", "google_live"),
)


_MORE = {"claude_agent_sdk": ("claude_code",)}
"""Further tests in the environment of a framework."""


def _of_framework(name: str) -> Sequence[str]:
    """Its own tests, if it has some, which are those of all its versions, and its example."""
    own = name.rstrip("-0123456789").replace("-", "_")
    modules = ("examples", "second_instrumentation", own, *_MORE.get(own, ()))
    # Programs of agents seldom close their clients.
    return (
        *("-W", "ignore::pytest.PytestUnraisableExceptionWarning"),
        *(f"tests/frameworks/test_{module}.py" for module in modules),
    )


_TESTS: dict[str, Sequence[str]] = {
    "clients": ("tests/clients",),
    "litellm": ("--noconftest", "tests/clients/test_litellm.py"),
    "backends": ("tests/taskweaver/test_backends.py",),
    "second": ("tests/instrumentation/test_second_instrumentation.py",),
    "older-1": [f"tests/clients/test_{name}.py" for name in _FIRST],
    "older-2": [f"tests/clients/test_{name}.py" for name in _FIRST],
    "older-together": [f"tests/clients/test_{name}.py" for name in ("contract", "streams", "chat_completions_clients")],
    "lowest": ("-n", "2", "--dist", "worksteal"),
    **{name: _of_framework(name) for name in FRAMEWORKS},
}
SUITES = {name: Suite(name=name, lock=name, tests=tests) for name, tests in _TESTS.items()}

_ANY_PYTHON = ("-m", "not one_version and not wheel", "--ignore=tests/e2e")

# Without the decisions on each surface: what is undecided is printed at the end.
_NEWEST: dict[str, Sequence[str]] = {
    "test": (*_ANY_PYTHON, "--ignore=tests/clients/test_surfaces.py"),
    "clients": ("tests/clients/test_contract.py",),
    "litellm": _TESTS["litellm"],
}
SUITES |= {
    f"newest-{lock}": Suite(name=f"newest-{lock}", lock=lock, tests=tests, locked=False)
    for lock, tests in _NEWEST.items()
}


def named(name: str) -> list[Suite]:
    """The suite of the name; of `pythons`, one for each Python of this machine; of `frameworks`, one for each."""
    if name == "pythons":
        return _pythons()
    return [SUITES[each] for each in (FRAMEWORKS if name == "frameworks" else (name,))]


def _pythons() -> list[Suite]:
    """Those that BESIDE names are tested by another command."""
    found = {version: find(version) for version in NAMED}
    for version, interpreter in found.items():
        print(f"Python {version}: {interpreter or 'not found, and not tested'}", flush=True)
    beside = os.environ.get("BESIDE", "").split()
    return [
        Suite(name=f"python-{version}", lock="test", tests=_ANY_PYTHON, interpreter=interpreter)
        for version, interpreter in found.items()
        if interpreter and version not in beside
    ]
