"""Calls a function when a module's import begins, or each time that a module has been imported."""

import importlib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec
from threading import Lock, local
from types import ModuleType
from typing import Any

from agentops_otel.guard import guard

Callback = Callable[[ModuleType], None]

_callbacks: dict[str, list[Callback]] = {}
_beginnings: dict[str, list[Callable[[], None]]] = {}
_lock = Lock()


def before_import(module: str, callback: Callable[[], None]) -> Callable[[], object]:
    """Call *callback* once, when somebody begins to import the module or looks for it; now if it is imported already.

    Args:
        module: The module's full name.
        callback: What to call, before anything of the module has run. It may call `on_import`.

    Returns:
        A function that takes the callback back.
    """
    _register(_beginnings, module, callback)  # first: another thread may begin now
    if module in sys.modules and _remove(_beginnings, module, callback):
        _report_beginning(module, callback)
    return partial(_remove, _beginnings, module, callback)


def on_import(module: str, callback: Callback) -> Callable[[], object]:
    """Call *callback* with the module each time it is imported or reloaded; nothing is imported for it.

    Args:
        module: The module's full name.
        callback: What to call, while the import lock of the module is held.

    Returns:
        A function that takes the callback back.
    """
    _register(_callbacks, module, callback)
    if module in sys.modules:
        with guard(f"reporting the import of {module}"):
            # Waits for another thread that is in the middle of the import.
            callback(importlib.import_module(module))
    return partial(_remove, _callbacks, module, callback)


def _register(registry: dict[str, list[Any]], module: str, callback: Any) -> None:
    with _lock:
        registry.setdefault(module, []).append(callback)
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)


def _remove(registry: dict[str, list[Any]], module: str, callback: Any) -> bool:
    """Take it back; False if it was not there any more."""
    with _lock:
        if was_there := callback in (registered := registry.get(module, [])):
            registered.remove(callback)
        if not registered:
            registry.pop(module, None)
        if not _callbacks and not _beginnings and _finder in sys.meta_path:
            sys.meta_path.remove(_finder)
    return was_there


def _report_beginning(module: str, callback: Callable[[], None]) -> None:
    with guard(f"reporting that the import of {module} begins"):
        callback()


class _Finder:
    """Finds a module as the other finders do, and gives it a loader that reports the import."""

    def __init__(self) -> None:
        self._finding = local()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec, if its import is to be reported."""
        if name in _beginnings:
            with _lock:
                beginnings = _beginnings.pop(name, [])
            for callback in beginnings:
                _report_beginning(name, callback)
        # Another finder of this kind (wrapt's) searches with all finders, this one among them.
        if name not in _callbacks or getattr(self._finding, "name", None) == name:
            return None
        self._finding.name = name
        try:
            spec = self._find(name, path, target)
        finally:
            self._finding.name = None
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]  # a proxy of one
        return spec

    def _find(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if finder is not self and find_spec is not None:
                spec: ModuleSpec | None = find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None


class _Loader:
    """The module's own loader in all but that it reports the module once it has run."""

    def __init__(self, loader: Any) -> None:
        self.__wrapped__ = loader

    @property  # type: ignore[misc]  # typeshed has it writable
    def __class__(self) -> Any:  # isinstance() asks here
        return type(self.__wrapped__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module."""
        loader: Any = self.__wrapped__
        if module.__spec__ is not None:
            module.__spec__.loader = loader  # what reads data files or sources asks the loader
        module.__loader__ = loader
        loader.exec_module(module)
        with _lock:
            callbacks = list(_callbacks.get(module.__name__, ()))
        for callback in callbacks:
            with guard(f"reporting the import of {module.__name__}"):
                callback(module)


_finder: Any = _Finder()
