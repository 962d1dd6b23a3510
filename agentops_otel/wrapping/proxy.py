"""Proxies that pass isinstance() and have exactly the methods and attributes of the wrapped object."""

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

Hooks = Mapping[str, Any]
"""Method name -> the function that replaces it on the proxy; it is called with the proxy as `self`."""


def proxied(wrapped: Any, observer: Any, hooks: Hooks) -> Any:
    """A proxy of the object, with those of the hooks whose methods the object has.

    A hook finds the object in `self.__wrapped__` and the observer in `self._self_observer`.
    """
    kind, own = type(wrapped), getattr(wrapped, "__dict__", ())
    # Looked up on the class: a property of the object may run code.
    present = tuple((name, hooks[name]) for name in hooks if name in own or callable(getattr(kind, name, None)))
    return _proxy_class(kind, present)(wrapped, observer)  # type: ignore[arg-type]  # a class is hashable


class _Proxy:
    """Behaves as the object in everything but the hooks.

    wrapt's proxy defines every special method: a length, items and numbers, even if the object has none.
    """

    def __init__(self, wrapped: Any, observer: Any) -> None:
        object.__setattr__(self, "__wrapped__", wrapped)
        object.__setattr__(self, "_self_observer", observer)

    @property  # type: ignore[misc]  # typeshed has it writable
    def __class__(self) -> Any:  # isinstance() asks here
        return self.__wrapped__.__class__

    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # the object's; names of the proxy's own begin with _self_
        return self.__wrapped__.__dict__

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # A method that the program sets in place of a hook may call that hook. Set on the object it would call itself.
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
        return type(self)(copy.copy(self.__wrapped__), self._self_observer)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)


@cache
def _proxy_class(kind: type, hooks: tuple[tuple[str, Any], ...]) -> Callable[[Any, Any], Any]:
    identity = {name: getattr(kind, name) for name in ("__module__", "__qualname__", "__doc__")}
    return type(kind.__name__, (_Proxy,), {**identity, **dict(_special(kind)), **dict(hooks)})


def _special(kind: type) -> Iterator[tuple[str, Any]]:
    """The special methods: Python looks them up on the class, past `__getattr__`."""
    for name in set(dir(kind)) - set(dir(_Proxy)) - _NOT_PASSED_ON:
        if name.startswith("__") and name.endswith("__") and callable(getattr(kind, name)):
            yield name, _passing(name)


_NOT_PASSED_ON = {"__del__", "__class_getitem__"}


def _passing(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.__wrapped__, name)(*args, **kwargs)

    return method
