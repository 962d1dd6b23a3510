"""Wrapped functions that behave as the functions themselves, also when pickled or copied."""

import copy
import pkgutil
from types import MethodType
from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    FunctionWrapper = wrapt.FunctionWrapper[..., Any]
    BoundFunctionWrapper = wrapt.BoundFunctionWrapper[..., Any]
else:  # cannot be subscripted in wrapt 1
    FunctionWrapper = wrapt.FunctionWrapper
    BoundFunctionWrapper = wrapt.BoundFunctionWrapper


class _Bound(BoundFunctionWrapper):
    """A wrapped method, bound to its instance or class."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 2:  # `weakref.WeakMethod` rebuilds a method from function and receiver
            return MethodType(getattr(type(args[1]), args[0].__name__), args[1])
        return super().__new__(cls, *args, **kwargs)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        receiver = getattr(self.__wrapped__, "__self__", None)
        if receiver is None:
            return pkgutil.resolve_name, (f"{self.__module__}:{self.__qualname__}",)
        return getattr, (receiver, self.__name__)

    def __copy__(self) -> "_Bound":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        receiver = getattr(self.__wrapped__, "__self__", None)
        return self if receiver is None else getattr(copy.deepcopy(receiver, memo), self.__name__)


class Function(FunctionWrapper):
    """A wrapped function. It is pickled by its name, as the function would be."""

    __bound_function_wrapper__ = _Bound

    def __reduce_ex__(self, protocol: object) -> Any:
        return pkgutil.resolve_name, (f"{self.__module__}:{self.__qualname__}",)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self
