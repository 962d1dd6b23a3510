"""An agent framework that agentops_otel does not know, described in a few lines: its agents and tools become spans."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import agentops_otel
from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, install_frameworks

listeners: list[Any] = []


class Crew:
    """Somebody else's framework: it tells its listeners what begins and ends."""

    def run(self, task: str) -> str:
        """What the agent answers, with the help of a tool."""
        return self._step("agent", 1, None, "helper", task, lambda: self._step("tool", 2, 1, "shout", task, task.upper))

    def _step(self, kind: str, key: int, parent: int | None, name: str, given: str, work: Callable[[], str]) -> str:
        for listener in listeners:
            listener.begun({"kind": kind, "key": key, "parent": parent, "name": name, "given": given})
        result = work()
        for listener in listeners:
            listener.ended(key, result)
        return result


class Listener:
    """Passes on what the framework tells, by the framework's own keys."""

    def __init__(self, steps: Steps) -> None:
        self.ended = steps.end
        self.begun = lambda step: steps.begin(step["key"], step, parent=step["parent"], is_current=True)


def listen(module: ModuleType, steps: Steps) -> Callable[[], None]:
    listener = Listener(steps)
    listeners.append(listener)
    return lambda: listeners.remove(listener)


AGENT = Step(operation="invoke_agent", matches=lambda step: step["kind"] == "agent", name="name")
TOOL = Step(
    operation="execute_tool",
    matches=lambda step: step["kind"] == "tool",
    name="name",
    content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: "given"},
    result={semconv.GEN_AI_TOOL_CALL_RESULT: lambda result: result},
)
SPEC = FrameworkSpec(name="crew", module=__name__, steps=(AGENT, TOOL), listeners={__name__: listen})

if __name__ == "__main__":
    client = agentops_otel.init()
    installation = install_frameworks([SPEC], lambda: client.recorder)
    print(Crew().run("hello"))
    installation.uninstall()
