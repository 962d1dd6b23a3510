"""Describes an agent framework as data: how it reports its steps, and which span each of them is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

from agentops_otel.instrumentation.step import Step
from agentops_otel.instrumentation.steps import Steps

Listen = Callable[[ModuleType, Steps], Callable[[], None]]
"""`listen(module, steps)`: makes the imported module report to *steps*; returns what undoes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkSpec:
    """An agent framework, described as data: `install_frameworks` listens to it when the program imports it.

    `examples/own_framework.py` describes one in a few lines:

    ```python
    agent = Step(operation="invoke_agent", matches=lambda step: step["kind"] == "agent", name="name")
    spec = FrameworkSpec(name="crew", module="crew", steps=(agent,), listeners={"crew": lambda crew, steps: crew.stop})
    ```

    Args:
        name: Its name in `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`.
        module: The package that is imported where the framework is used.
        steps: The kinds of its steps. The first that matches counts; a step that none matches has no span, and what is
            below it goes below its parent.
        listeners: Module -> what is done when that module is imported: it registers a listener, or wraps a function.
        control_flow: Exceptions with which the framework interrupts or diverts a step, by their qualified names. They
            are no failures.
    """

    name: str
    module: str
    steps: tuple[Step, ...]
    listeners: Mapping[str, Listen]
    control_flow: frozenset[str] = frozenset()
