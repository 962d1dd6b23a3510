"""Applies the specs it is given when their clients are imported, and undoes it."""

import importlib
import logging
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Set
from functools import cache, partial
from types import ModuleType
from typing import Any
from weakref import WeakSet

import wrapt

from agentops_otel.guard import guard
from agentops_otel.instrumentation.call import BackgroundResponses, CallServices
from agentops_otel.instrumentation.events import Events
from agentops_otel.instrumentation.metrics import Metrics
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.wrapper import Wrapper
from agentops_otel.tracing import Recorder
from agentops_otel.wrapping.patch import LocalClassPatch, Patch

_logger = logging.getLogger("agentops_otel")

Current = Callable[[], Recorder | None]


def install(specs: Iterable[ClientSpec], current: Current, *, semconv_opt_in: Set[str] = frozenset()) -> "Installation":
    """Wrap the clients that are imported, and each other one when it is; no client is imported for it.

    Args:
        specs: The clients to wrap.
        current: The recorder at the moment of a call; None lets the call pass untouched.
        semconv_opt_in: The words of `OTEL_SEMCONV_STABILITY_OPT_IN`, which decide the names of metrics.
    """
    installation = Installation(specs, current, semconv_opt_in)
    for module in installation.modules:
        _installations(module).add(installation)
        if module in sys.modules:
            installation.apply(module)
    return installation


class Installation:
    """What was wrapped, until `uninstall()`."""

    def __init__(self, specs: Iterable[ClientSpec], current: Current, semconv_opt_in: Set[str]) -> None:
        self._specs: dict[str, list[ClientSpec]] = defaultdict(list)
        for spec in specs:
            self._specs[spec.module].append(spec)
        self._current = current
        self._patches: dict[tuple[str, str, str], Patch] = {}
        self._made: dict[tuple[str, str], LocalClassPatch] = {}
        self._shared = CallServices(BackgroundResponses(), Metrics(semconv_opt_in), Events(), self.notice)
        self._warned: set[str] = set()
        self._lock = threading.RLock()
        self._off = False

    @property
    def modules(self) -> tuple[str, ...]:
        """The imports that it waits for."""
        return tuple(self._specs)

    @property
    def wrapped(self) -> set[str]:
        """The modules in which something is wrapped."""
        return {module for module, _, _ in self._patches} | {module for module, _ in self._made}

    def apply(self, module: str) -> None:
        """Wrap what the specs name in a module that is imported; again changes nothing."""
        with guard("wrapping a client"), self._lock:
            if self._off:
                return
            # Waits for another thread that is in the middle of importing it.
            imported = importlib.import_module(module)
            for spec in self._specs[module]:
                self.notice(spec)
                for path, operations in _methods(spec):
                    if (module, spec.name, path) not in self._patches:
                        self._patch(imported, spec, path, operations)

    def notice(self, spec: ClientSpec) -> None:
        """Warn once where another instrumentation sits on the client; asked at its import and at its first call."""
        with guard("looking for another instrumentation"):
            module = sys.modules.get(spec.module)
            other = None if module is None or spec.name in self._warned else _another(spec, module)
            if other is not None:
                self._warned.add(spec.name)
                _logger.warning(
                    "%s is instrumented by %s too: each call has two spans. Keep one: leave the other's instrument() "
                    "out, or set OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=%s to do without ours.",
                    spec.name,
                    other,
                    spec.name,
                )

    def uninstall(self) -> None:
        """Take every wrapper off; those that something still holds pass calls through from now on."""
        with guard("unwrapping a client"), self._lock:
            self._off = True
            for made in self._made.values():
                made.undo()
            for patch in reversed(self._patches.values()):
                patch.undo()
            self._patches.clear()
            self._made.clear()

    def _patch(self, module: ModuleType, spec: ClientSpec, path: str, operations: list[Operation]) -> None:
        """Wrap one method, where this version of the client has it; what cannot be done costs the others nothing."""
        with guard(f"wrapping {spec.name}'s {path}"):
            maker, _, inner = path.partition(".<locals>.")
            known = next((known for known in maker.split("|") if _resolve(module, known)), "")
            place, _, name = known.rpartition(".")
            owner, wrap = _resolve(module, place), partial(self._wrapped, spec=spec, operations=operations)
            if not name or owner is None:  # None has methods too
                return
            if not inner:
                self._patches[spec.module, spec.name, path] = wrap(owner, name)
                return
            if (spec.module, known) not in self._made:
                self._made[spec.module, known] = LocalClassPatch(owner, name)
            self._made[spec.module, known].add(inner, wrap)

    def _wrapped(self, owner: Any, name: str, spec: ClientSpec, operations: list[Operation]) -> Patch:
        return Patch(owner, name, Wrapper(spec, operations, getattr(owner, name), self._current, self._shared))


@cache
def _installations(module: str) -> WeakSet[Installation]:
    """Who is to hear when the module is imported.

    A post-import hook cannot be taken back, so there is one a module for the life of the process; it finds nobody here
    once every installation is gone.
    """
    waiting: WeakSet[Installation] = WeakSet()

    def imported(_: ModuleType) -> None:
        for installation in list(waiting):
            installation.apply(module)

    if module not in sys.modules:
        wrapt.register_post_import_hook(imported, module)
    return waiting


def _methods(spec: ClientSpec) -> Iterator[tuple[str, list[Operation]]]:
    """Each method that the spec names, with what it may do."""
    methods: dict[str, list[Operation]] = defaultdict(list)
    for operation in spec.operations:
        for path in operation.methods:
            methods[path].append(operation)
    yield from methods.items()


def _resolve(module: ModuleType, path: str) -> Any:
    found: Any = module
    for name in path.split(".") if path else ():
        found = getattr(found, name, None)
    return found


def _another(spec: ClientSpec, module: ModuleType) -> str | None:
    """The other instrumentation of the client, if any: it sits on a method, or is part of the client."""
    if (own := spec.builtin_tracing(module)) is not None:
        return own
    where = {path for operation in spec.operations for places in operation.methods for path in places.split("|")}
    names = {name for path in where.union(spec.also_check) for name in _wrappers(_resolve(module, path))}
    return min((name for name in names if not name.startswith("agentops_otel.")), default=None)


def _wrappers(method: Any) -> Iterator[str]:
    """The modules of those who stand before the method."""
    while method is not None:
        if isinstance(method, _WRAPPERS):
            yield str(method._self_wrapper.__module__)
        elif (by := str(getattr(method, "__globals__", {}).get("__name__"))).partition(".")[0] in _REPLACERS:
            yield by
        method = getattr(method, "__wrapped__", None)


_WRAPPERS = (wrapt.FunctionWrapper, wrapt.BoundFunctionWrapper)
_REPLACERS = ("logfire", "mlflow", "openinference", "sentry_sdk")
"""Instrumentations that put functions of their own in the place of a client's."""
