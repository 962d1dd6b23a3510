"""Functions behind a wrapper: for all but what it does they are the functions themselves, pickled and copied too."""

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
    """A wrapped method as an instance or a class hands it out."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 2:  # a method's function and receiver, of which `weakref.WeakMethod` makes it again
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
    """A wrapped function, which is pickled as the function is: by its name."""

    __bound_function_wrapper__ = _Bound

    def __reduce_ex__(self, protocol: object) -> Any:
        return pkgutil.resolve_name, (f"{self.__module__}:{self.__qualname__}",)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self
