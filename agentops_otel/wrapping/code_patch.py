"""Functions that a program holds already, in a bound method or under a name of its own: reached in their code."""

import functools
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType
from typing import Any, Self

import wrapt

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class CodePatch:
    """A function that leads to a wrapper, from `lead()` to `undo()`, by whatever reference it is called.

    A bound method, a `functools.partial` and a name in another module all hold the function itself, which asks its
    `__code__` at each call. What stood there is in a copy of the function, and that is what the wrapper calls.
    """

    def __init__(self, function: FunctionType, wrapper: Wrapper, *, bound: bool) -> None:
        self._function = function
        self._copy = _copy(function)
        self._before = function.__code__
        self._after = _leading_to(_entry(self._copy, wrapper, bound=bound), function.__code__)
        self._signed = "__signature__" in vars(function)

    @classmethod
    def within(cls, found: Any, wrapper: Wrapper, *, bound: bool) -> Self | None:
        """The Python function beneath a class method and other people's wrappers, if there is one.

        Args:
            found: What stands in a class or a module.
            wrapper: Where calls of the function are to lead.
            bound: Whether its first argument is an instance or a class.
        """
        while isinstance(found, wrapt.FunctionWrapper | classmethod):
            found = found.__wrapped__
        return cls(found, wrapper, bound=bound) if type(found) is FunctionType else None

    def stand_in(self, found: Any) -> Any:
        """What may stand in the function's place beneath the same wrapper, which then need not run twice."""
        if found is self._function:
            return self._copy
        return classmethod(self._copy) if isinstance(found, classmethod) else found

    def lead(self) -> None:
        """From now on calls of the function go to the wrapper."""
        if not self._signed:
            vars(self._function)["__signature__"] = inspect.signature(self._function)
        self._function.__code__ = self._after

    def undo(self) -> None:
        """Put back what was there, unless someone else has replaced it since."""
        if self._function.__code__ is self._after:
            self._function.__code__ = self._before
            if not self._signed:
                vars(self._function).pop("__signature__", None)


def _copy(function: FunctionType) -> FunctionType:
    made = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    functools.update_wrapper(made, function)
    made.__dict__ = dict(vars(function))  # it does not wrap the function, it is the function
    return made


def _entry(copy: FunctionType, wrapper: Wrapper, *, bound: bool) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        return wrapper(copy, None, args, kwargs)

    def method(*args: Any, **kwargs: Any) -> Any:
        if not args:
            return copy(**kwargs)  # an error, and the function's own
        return wrapper(MethodType(copy, args[0]), args[0], args[1:], kwargs)

    return method if bound else function


def _plain(*args: Any, **kwargs: Any) -> Any:
    entry: Any = "the entry"
    return entry(*args, **kwargs)


async def _coroutine(*args: Any, **kwargs: Any) -> Any:
    entry: Any = "the entry"
    return await entry(*args, **kwargs)


# What a call makes of code is in its instructions; these are for those who ask (`inspect.isgeneratorfunction`).
_GENERATORS = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def _leading_to(entry: Callable[..., Any], code: CodeType) -> CodeType:
    """Code that calls the entry, and says of itself what the other code says."""
    shape = (_coroutine if code.co_flags & inspect.CO_COROUTINE else _plain).__code__
    return shape.replace(
        co_flags=shape.co_flags | code.co_flags & _GENERATORS,
        co_consts=tuple(entry if const == "the entry" else const for const in shape.co_consts),
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
        co_freevars=code.co_freevars,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
    )
