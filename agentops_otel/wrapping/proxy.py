"""Objects behind a proxy of their own kind: they have what they have without it, and nothing else."""

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

Hooks = Mapping[str, Any]
"""Method name -> what stands in its place on the proxy, called with the proxy."""


def proxied(found: Any, watcher: Any, hooks: Hooks) -> Any:
    """The object behind a proxy with those of the hooks whose methods it has.

    A hook finds the object in `self.__wrapped__` and the watcher in `self._self_watcher`.
    """
    kind, own = type(found), getattr(found, "__dict__", ())
    # Asked of the class: a property of the object may do things.
    known = tuple((name, hooks[name]) for name in hooks if name in own or callable(getattr(kind, name, None)))
    return _kind(kind, known)(found, watcher)  # type: ignore[arg-type]  # a class is hashable


class _Proxy:
    """Passes for the object in everything but the hooks.

    wrapt's proxy would have every special method there is: a length, items and numbers, also where the object has none.
    """

    def __init__(self, found: Any, watcher: Any) -> None:
        object.__setattr__(self, "__wrapped__", found)
        object.__setattr__(self, "_self_watcher", watcher)

    @property  # type: ignore[misc]  # typeshed has it writable
    def __class__(self) -> Any:  # isinstance() asks here
        return self.__wrapped__.__class__

    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # of the object; what is the proxy's own, is told by its name
        return self.__wrapped__.__dict__

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # A method that the program puts in a hook's place calls the hook: it may not stand where the hook looks.
        if name.startswith("_self_") or callable(getattr(type(self), name, None)):
            object.__setattr__(self, name, value)
        else:
            setattr(self.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        if callable(getattr(type(self), name, None)):
            object.__delattr__(self, name)
        else:
            delattr(self.__wrapped__, name)

    def __dir__(self) -> list[str]:
        return dir(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __str__(self) -> str:
        return str(self.__wrapped__)

    def __format__(self, spec: str) -> str:
        return format(self.__wrapped__, spec)

    def __eq__(self, other: object) -> Any:
        return self.__wrapped__ == other

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __copy__(self) -> Any:
        return type(self)(copy.copy(self.__wrapped__), self._self_watcher)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)


@cache
def _kind(kind: type, hooks: tuple[tuple[str, Any], ...]) -> Callable[[Any, Any], Any]:
    said = {name: getattr(kind, name) for name in ("__module__", "__qualname__", "__doc__")}
    return type(kind.__name__, (_Proxy,), {**said, **dict(_special(kind)), **dict(hooks)})


def _special(kind: type) -> Iterator[tuple[str, Any]]:
    """The methods that the language looks for in the class, where `__getattr__` does not answer."""
    for name in set(dir(kind)) - set(dir(_Proxy)) - _NOT_PASSED_ON:
        if name.startswith("__") and name.endswith("__") and callable(getattr(kind, name)):
            yield name, _passing(name)


_NOT_PASSED_ON = {"__del__", "__getattr__", "__class_getitem__"}


def _passing(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.__wrapped__, name)(*args, **kwargs)

    return method
