"""Wraps clients when they are imported, and unwraps them."""

import logging
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Set
from functools import partial
from types import ModuleType
from typing import Any

import wrapt

from agentops_otel.guard import guard
from agentops_otel.instrumentation.adoption import Adoptions
from agentops_otel.instrumentation.background import BackgroundResponses
from agentops_otel.instrumentation.call import CallServices
from agentops_otel.instrumentation.events import Events
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.wrapper import GetRecorder, wrapper_of
from agentops_otel.metrics.call_metrics import Metrics
from agentops_otel.wrapping.import_hook import on_import
from agentops_otel.wrapping.patch import LocalClassPatch, Patch

_logger = logging.getLogger("agentops_otel")


def install(
    specs: Iterable[ClientSpec], get_recorder: GetRecorder, *, semconv_opt_in: Set[str] = frozenset()
) -> "Installation":
    """Wrap the clients that are imported, and each other one when it is; no client is imported for it.

    ```python
    installation = install([], lambda: agentops_otel.get_client().recorder)  # a list of ClientSpec
    installation.uninstall()
    ```

    Args:
        specs: The clients to wrap.
        get_recorder: Gives the recorder at the moment of a call; None: the call makes no span.
        semconv_opt_in: The words of `OTEL_SEMCONV_STABILITY_OPT_IN`, which decide the names of metrics.
            Default: none.

    Returns:
        The installation; it lasts until its `uninstall()`.
    """
    installation = Installation(get_recorder, semconv_opt_in)
    installation.add(specs)
    return installation


class Installation:
    """The wrapped clients, until `uninstall()`."""

    def __init__(self, get_recorder: GetRecorder, semconv_opt_in: Set[str]) -> None:
        self._specs: dict[str, list[ClientSpec]] = defaultdict(list)
        self._get_recorder = get_recorder
        self._patches: list[Patch | LocalClassPatch] = []
        self._current: dict[tuple[int, str, str], Patch] = {}
        self._local_classes: dict[tuple[int, str], LocalClassPatch] = {}
        self._services = CallServices(
            Metrics(semconv_opt_in), Events(), self.check_instrumentations, BackgroundResponses(), Adoptions()
        )
        self._warned: set[str] = set()
        self._lock = threading.RLock()
        self._off = False
        self._stop_listening: list[Callable[[], object]] = []
        self.wrapped: set[str] = set()
        """The modules in which something is wrapped."""

    def add(self, specs: Iterable[ClientSpec]) -> None:
        """Wrap each of these clients when its module is imported; now if it is imported already."""
        modules: dict[str, list[ClientSpec]] = defaultdict(list)
        for spec in specs:
            modules[spec.module].append(spec)
        for module, described in modules.items():
            self._specs[module] += described
            self._stop_listening.append(on_import(module, self.apply))

    def apply(self, module: ModuleType) -> None:
        """Wrap the methods that the specs name in an imported module; those that are wrapped already stay."""
        with guard("wrapping a client"), self._lock:
            if self._off:
                return
            for spec in self._specs[module.__name__]:
                self.check_instrumentations(spec)
                for path, operations in _methods(spec):
                    self._patch(module, spec, path, operations)

    def check_instrumentations(self, spec: ClientSpec) -> None:
        """Warn once if another instrumentation wraps the client. Checked at its import and at its first call."""
        with guard("looking for another instrumentation"):
            module = sys.modules.get(spec.module)
            other = None if module is None or spec.name in self._warned else _another(spec, module)
            if other is not None:
                self._warned.add(spec.name)
                _logger.warning(
                    "%s is instrumented by %s too: each call has two spans, or none of ours where the other one "
                    "suppresses it. Keep one: leave the other's instrument() out, or set "
                    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=%s to do without ours.",
                    spec.name,
                    other,
                    spec.name,
                )

    def uninstall(self) -> None:
        """Unwrap every method. Another library's wrapper may keep ours, which then only passes calls through."""
        while self._stop_listening:
            self._stop_listening.pop()()
        with guard("unwrapping a client"), self._lock:
            self._off = True
            for patch in reversed(self._patches):
                patch.undo()
            self.wrapped.clear()

    def _patch(self, module: ModuleType, spec: ClientSpec, path: str, operations: list[Operation]) -> None:
        """Wrap one method if this version of the client has it. A failure costs this method alone."""
        with guard(f"wrapping {spec.name}'s {path}"):
            outer, _, inner = path.partition(".<locals>.")
            existing = next((candidate for candidate in outer.split("|") if _resolve(module, candidate)), "")
            owner_path, _, name = existing.rpartition(".")
            owner = _resolve(module, owner_path)
            if not name or owner is None:  # None has methods too
                return
            wrap = partial(self._wrapped, spec=spec, operations=operations)
            self.wrapped.add(spec.module)
            if inner:
                self._local_class(owner, name).add(inner, wrap)
                return
            key = (id(owner), name, spec.name)
            if key not in self._current or not self._current[key].is_in_place():
                self._current[key] = wrap(owner, name)
                self._patches.append(self._current[key])

    def _local_class(self, owner: Any, name: str) -> LocalClassPatch:
        """The patch of the classes that the method defines."""
        patch = self._local_classes.get((id(owner), name))
        if patch is None or not patch.is_in_place():
            patch = self._local_classes[id(owner), name] = LocalClassPatch(owner, name)
            self._patches.append(patch)
        return patch

    def _wrapped(self, owner: Any, name: str, spec: ClientSpec, operations: list[Operation]) -> Patch:
        callback = wrapper_of(spec, operations, getattr(owner, name), self._get_recorder, self._services)
        return Patch(owner, name, callback, patch_code=True)


def _methods(spec: ClientSpec) -> Iterator[tuple[str, list[Operation]]]:
    """Each method that the spec names, with its operations."""
    methods: dict[str, list[Operation]] = defaultdict(list)
    for operation in spec.operations:
        for path in operation.methods:
            methods[path].append(operation)
    yield from methods.items()


def _resolve(module: ModuleType, path: str) -> Any:
    value: Any = module
    for name in path.split(".") if path else ():
        value = getattr(value, name, None)
    return value


def _another(spec: ClientSpec, module: ModuleType) -> str | None:
    """The name of another instrumentation of the client, if any: a wrapper of a method, or the client's own."""
    if (own := spec.builtin_tracing(module)) is not None:
        return own
    wrapped = {path for operation in spec.operations for paths in operation.methods for path in paths.split("|")}
    names = {name for path in wrapped.union(spec.also_check) for name in _wrappers(_resolve(module, path))}
    return min((name for name in names if not name.startswith("agentops_otel.")), default=None)


def _wrappers(method: Any) -> Iterator[str]:
    """The modules of the wrappers around the method."""
    while method is not None:
        if isinstance(method, _WRAPPERS):
            yield str(method._self_wrapper.__module__)
        elif (by := str(getattr(method, "__globals__", {}).get("__name__"))).partition(".")[0] in _REPLACERS:
            yield by
        method = getattr(method, "__wrapped__", None)


_WRAPPERS = (wrapt.FunctionWrapper, wrapt.BoundFunctionWrapper)
_REPLACERS = ("logfire", "mlflow", "openinference", "sentry_sdk")
"""Instrumentations that replace a client's functions by their own."""
