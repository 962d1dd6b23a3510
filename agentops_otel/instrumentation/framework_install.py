"""Listens to the frameworks it is given when they are imported, and stops listening."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from threading import RLock
from types import ModuleType

from agentops_otel.guard import guard
from agentops_otel.instrumentation.another import another
from agentops_otel.instrumentation.framework import FrameworkSpec, Listen
from agentops_otel.instrumentation.steps import Steps
from agentops_otel.instrumentation.wrapper import GetRecorder
from agentops_otel.wrapping.import_hook import on_import


def install_frameworks(specs: Iterable[FrameworkSpec], get_recorder: GetRecorder) -> "FrameworkInstallation":
    """Listen to the frameworks that are imported, and to each other one when it is; none is imported for it.

    ```python
    installation = install_frameworks([], lambda: agentops_otel.get_client().recorder)  # a list of FrameworkSpec
    installation.uninstall()
    ```

    Args:
        specs: The frameworks to listen to.
        get_recorder: Gives the recorder at the moment of a step; None: the step makes no span.

    Returns:
        The installation; it lasts until its `uninstall()`.
    """
    installation = FrameworkInstallation(get_recorder)
    installation.add(specs)
    return installation


class FrameworkInstallation:
    """The frameworks that are listened to, until `uninstall()`."""

    def __init__(self, get_recorder: GetRecorder) -> None:
        self._get_recorder = get_recorder
        self._steps: list[Steps] = []
        self._undo: dict[tuple[str, str], list[Callable[[], None]]] = defaultdict(list)
        self._stop_waiting: list[Callable[[], object]] = []
        self._lock = RLock()
        self._off = False
        self._checked: set[str] = set()
        self.wrapped: set[str] = set()
        """The packages that are listened to."""

    def add(self, specs: Iterable[FrameworkSpec]) -> None:
        """Listen to these frameworks from the import of each of their modules on; now to those that are imported."""
        for spec in specs:
            self._listen(spec)

    def _listen(self, spec: FrameworkSpec) -> None:
        steps = Steps(spec.steps, spec.control_flow, self._get_recorder, on_begin=partial(self._begun, spec))
        self._steps.append(steps)
        for module, listen in spec.listeners.items():
            self._stop_waiting.append(on_import(module, partial(self._apply, spec, steps, listen)))

    def _begun(self, spec: FrameworkSpec) -> None:
        """Warn once, at its first step, if another instrumentation listens to the framework."""
        if spec.name not in self._checked:
            self._checked.add(spec.name)
            if other := another(spec.name):
                _logger.warning(
                    "%s is instrumented by %s too: its agents and tools have two spans each. Keep one: leave the "
                    "other's instrument() out, or set OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=%s to do without ours.",
                    spec.name,
                    other,
                    spec.name,
                )

    def uninstall(self) -> None:
        """Remove the listeners. Those that the framework keeps record nothing from now on."""
        while self._stop_waiting:
            self._stop_waiting.pop()()
        with self._lock:
            self._off = True
            for steps in self._steps:
                steps.close()
            for key in list(self._undo):
                self._take_back(key)
            self.wrapped.clear()

    def _apply(self, spec: FrameworkSpec, steps: Steps, listen: Listen, module: ModuleType) -> None:
        with guard(f"listening to {spec.name}"), self._lock:
            if self._off:
                return
            key = (spec.name, module.__name__)
            self._take_back(key)  # the module was loaded anew
            self._undo[key].append(listen(module, steps))
            self.wrapped.add(spec.module)

    def _take_back(self, key: tuple[str, str]) -> None:
        for undo in self._undo.pop(key, ()):
            with guard(f"leaving {key[1]}"):
                undo()


_logger = logging.getLogger("agentops_otel")
