"""One method, wrapped where it stands and taken off again; also in classes that a client makes anew each time."""

import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from weakref import WeakKeyDictionary, ref

import wrapt

from agentops_otel.guard import guard
from agentops_otel.wrapping.code_patch import CodePatch
from agentops_otel.wrapping.function import Function


class PatchCallback(Protocol):
    """What calls lead to."""

    off: bool
    """True once it is to pass them through; it may outlive the patch, held by someone else's wrapper."""

    def __call__(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call what is wrapped."""


class Patch:
    """One method of one class or function of a module, wrapped where it stands and for those who hold it already."""

    def __init__(self, owner: Any, name: str, wrapper: PatchCallback) -> None:
        self._owner = ref(owner)  # a class may be one that a client makes anew each time, and forgets
        self._name = name
        self._wrapper = wrapper
        self._before = vars(owner).get(name)
        self._held = CodePatch.within(self._before, wrapper, bound=inspect.isclass(owner))
        if self._held is not None:
            setattr(owner, name, self._held.stand_in(self._before))
        wrapt.wrap_object(owner, name, Function, (wrapper,))
        self._after = vars(owner)[name]
        if self._held is not None:
            self._held.lead()

    def undo(self) -> None:
        """Put back what was there, unless someone else has wrapped it since: then ours stays, and passes through."""
        self._wrapper.off = True
        if self._held is not None:
            self._held.undo()
        owner = self._owner()
        if owner is None or vars(owner).get(self._name) is not self._after:
            return
        if self._before is None:
            delattr(owner, self._name)
        else:
            setattr(owner, self._name, self._before)


class LocalClassPatch:
    """Classes that a method makes anew at each call: those that there are, and each when it is made."""

    def __init__(self, maker: type, name: str) -> None:
        self.off = False
        self._lock = threading.RLock()
        self._bases: tuple[type, ...] = maker.__mro__[1:-1]
        self._within = f"{maker.__qualname__}.{name}.<locals>."
        self._wraps: dict[str, Callable[[Any, str], Patch]] = {}
        self._patches: WeakKeyDictionary[type, dict[str, Patch]] = WeakKeyDictionary()
        self._making = Patch(maker, name, self)

    def add(self, path: str, wrap: Callable[[Any, str], Patch]) -> None:
        """Wrap the class's method at the path, in each."""
        self._wraps[path] = wrap
        self._look()

    def __call__(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Make them, and wrap what was made."""
        result = wrapped(*args, **kwargs)
        with guard("wrapping what was made"):
            self._look()
        return result

    def undo(self) -> None:
        """Put back what was there, in each."""
        self._making.undo()
        with self._lock:
            for patch in [patch for patches in self._patches.values() for patch in patches.values()]:
                patch.undo()
            self._patches.clear()

    def _look(self) -> None:
        """They are found by what the class that makes them is a kind of too."""
        with self._lock:
            if self.off:
                return
            for found in self._there():
                for path, wrap in self._wraps.items():
                    kind, _, name = path.rpartition(".")
                    if found.__qualname__ == self._within + kind and hasattr(found, name):
                        known = self._patches.setdefault(found, {})
                        if path not in known:
                            known[path] = wrap(found, name)

    def _there(self) -> Iterator[type]:
        for base in self._bases:
            yield from base.__subclasses__()
