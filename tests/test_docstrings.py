"""The docstrings of what people import: each has an example that runs, and names every argument."""

import inspect
import json
import re
from typing import Any

import agentops_otel
from agentops_otel import instrumentation, testing
from agentops_otel.taskweaver import TaskWeaverEventHandler
from tests.program import run

OFFERED = [getattr(agentops_otel, name) for name in agentops_otel.__all__]
PUBLIC: dict[str, Any] = {
    thing.__qualname__: thing
    for thing in (
        *(thing for thing in OFFERED if callable(thing)),
        *(getattr(instrumentation, name) for name in ("ClientSpec", "FrameworkSpec", "Operation", "Step", "install")),
        instrumentation.install_frameworks,
        testing.Capture,
        testing.capture,
        TaskWeaverEventHandler,
    )
}
"""By name; an older name of the same thing is left out."""
EXAMPLES = {
    name: re.findall(r"```python\n(.*?)```", inspect.getdoc(it) or "", re.DOTALL) for name, it in PUBLIC.items()
}

RUN_EACH = """
import json, runpy, sys, traceback
import agentops_otel, agentops_otel.testing
from agentops_otel.instrumentation import *

failures = {{}}
for name, blocks in json.loads({examples!r}).items():
    for block in blocks:
        if name not in ("init", "Client", "ConfigError"):
            agentops_otel.init(console=False)
        try:
            exec(compile(block, name, "exec"), dict(globals()))
        except Exception:
            failures[name] = traceback.format_exc()
        agentops_otel.shutdown()
print(json.dumps(failures))
"""


def test_every_public_name_has_an_example() -> None:
    """Two lines that can be copied, in the docstring of each function and class."""
    assert len(PUBLIC) > 40
    assert [name for name, blocks in EXAMPLES.items() if len(blocks) != 1] == []


def test_every_example_runs() -> None:
    """Each docstring's example is a program that ends well where `agentops_otel` was imported."""
    finished = run(RUN_EACH.format(examples=json.dumps(EXAMPLES)))

    assert json.loads(finished.stdout.splitlines()[-1]) == {}


def test_every_argument_is_explained() -> None:
    """Each parameter of a public function is under its Args, unless it has the arguments of another by its word."""
    functions = {name: it for name, it in PUBLIC.items() if inspect.isroutine(it)}
    silent = {
        name: missing
        for name, it in functions.items()
        if "the arguments are those of" not in (explained := inspect.getdoc(it) or "")
        and (
            missing := [
                arg for arg in inspect.signature(it).parameters if not re.search(rf"^    {arg}: ", explained, re.M)
            ]
        )
    }

    assert len(functions) > 30
    assert silent == {}


def test_every_default_is_said() -> None:
    """A parameter with a default has it in its sentence, or what it stands for."""
    silent = [
        f"{name}: {parameter.name}"
        for name, it in PUBLIC.items()
        if inspect.isroutine(it) and "the arguments are those of" not in (explained := inspect.getdoc(it) or "")
        for parameter in inspect.signature(it).parameters.values()
        if parameter.default is not parameter.empty
        and (sentence := re.search(rf"^    {parameter.name}: (.*(?:\n        .*)*)", explained, re.M))
        and not re.search("[Dd]efault|Ignored", sentence[1])
    ]

    assert silent == []
