"""Replaces one method by a wrapper, and puts it back; also in classes that are defined inside a method."""

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
    """Receives the calls of a patched method."""

    off: bool
    """True once it passes calls through: another library's wrapper may keep it longer than the patch exists."""

    def __call__(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the wrapped method."""


class Hook:
    """A function as a `PatchCallback`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.off = False
        self._function = function

    def __call__(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the function, or the wrapped method once the hook is off."""
        return wrapped(*args, **kwargs) if self.off else self._function(wrapped, instance, args, kwargs)


class Patch:
    """One method of a class, or function of a module, replaced by a wrapper.

    Args:
        owner: The class or module.
        name: The method or function.
        callback: What its calls go to.
        patch_code: Whether calls by references from before the patch (`ask = client.chat`) go there too.
    """

    def __init__(self, owner: Any, name: str, callback: PatchCallback, *, patch_code: bool = False) -> None:
        self._owner = ref(owner)  # a class that is defined inside a method goes with its last instance
        self._name = name
        self._callback = callback
        self._before = vars(owner).get(name)
        bound = inspect.isclass(owner)
        self._code = CodePatch.within(self._before, callback, bound=bound) if patch_code else None
        if self._code is not None:
            setattr(owner, name, self._code.unpatched(self._before))
        wrapt.wrap_object(owner, name, Function, (callback,))
        self._after = vars(owner)[name]
        if self._code is not None:
            self._code.apply()

    def is_in_place(self) -> bool:
        """Whether the owner's method still is the wrapper, or another library's wrapper around it.

        It is not once the module was loaded anew, which defines the method again.
        """
        method = vars(owner).get(self._name) if (owner := self._owner()) is not None else None
        while method is not None:
            if method is self._after:
                return True
            method = getattr(method, "__wrapped__", None)
        return False

    def undo(self) -> None:
        """Put the method back. If another library has wrapped it since, the wrapper stays and passes calls through."""
        self._callback.off = True
        if self._code is not None:
            self._code.undo()
        owner = self._owner()
        if owner is None or vars(owner).get(self._name) is not self._after:
            return
        if self._before is None:
            delattr(owner, self._name)
        else:
            setattr(owner, self._name, self._before)


class LocalClassPatch:
    """Wraps methods of classes that are defined inside a method: existing classes now, new ones after each call."""

    def __init__(self, maker: type, name: str) -> None:
        self.off = False
        self._lock = threading.RLock()
        self._bases: tuple[type, ...] = maker.__mro__[1:-1]
        self._prefix = f"{maker.__qualname__}.{name}.<locals>."
        self._wraps: dict[str, Callable[[Any, str], Patch]] = {}
        self._patches: WeakKeyDictionary[type, dict[str, Patch]] = WeakKeyDictionary()
        self._maker = Patch(maker, name, self, patch_code=True)

    def add(self, path: str, wrap: Callable[[Any, str], Patch]) -> None:
        """Wrap the method at the path in each of the classes."""
        self._wraps[path] = wrap
        self._patch_classes()

    def is_in_place(self) -> bool:
        """Whether the method that defines the classes is still wrapped."""
        return self._maker.is_in_place()

    def __call__(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the method, and wrap the classes that it defined."""
        result = wrapped(*args, **kwargs)
        with guard("wrapping a class defined inside a method"):
            self._patch_classes()
        return result

    def undo(self) -> None:
        """Put the methods back in each of the classes."""
        self._maker.undo()
        with self._lock:
            for patch in [patch for patches in self._patches.values() for patch in patches.values()]:
                patch.undo()

    def _patch_classes(self) -> None:
        with self._lock:
            if self.off:
                return
            for cls in self._classes():
                for path, wrap in self._wraps.items():
                    class_name, _, name = path.rpartition(".")
                    if cls.__qualname__ == self._prefix + class_name and hasattr(cls, name):
                        patches = self._patches.setdefault(cls, {})
                        if path not in patches:
                            patches[path] = wrap(cls, name)

    def _classes(self) -> Iterator[type]:
        """Candidates: the subclasses of the maker's base classes."""
        for base in self._bases:
            yield from base.__subclasses__()
