"""Wraps functions that the program already references, by replacing their `__code__`."""

import functools
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType
from typing import Any, Self

import wrapt

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class CodePatch:
    """A function whose calls go to a wrapper from `apply()` to `undo()`, by whatever reference they are made.

    A bound method, a `functools.partial` and a name in another module hold the function itself, and Python looks up its
    `__code__` at each call. The original code is in a copy of the function, which the wrapper calls.
    """

    def __init__(self, function: FunctionType, wrapper: Wrapper, *, bound: bool) -> None:
        self._function = function
        self._copy = _copy(function)
        self._before = function.__code__
        self._after = _leading_to(_entry(self._copy, wrapper, bound=bound), function.__code__)
        self._signed = "__signature__" in vars(function)
        self._signature = inspect.signature(function)

    @classmethod
    def within(cls, attribute: Any, wrapper: Wrapper, *, bound: bool) -> Self | None:
        """A patch of the Python function inside a class method or wrappers; None if there is no such function.

        Args:
            attribute: The attribute of a class or module.
            wrapper: What the calls of the function go to.
            bound: Whether the function's first argument is an instance or a class.
        """
        while isinstance(attribute, wrapt.FunctionWrapper | classmethod):
            attribute = attribute.__wrapped__
        return cls(attribute, wrapper, bound=bound) if type(attribute) is FunctionType else None

    def unpatched(self, attribute: Any) -> Any:
        """The unpatched copy, for the class attribute: a call must not pass the wrapper twice."""
        if attribute is self._function:
            return self._copy
        return classmethod(self._copy) if isinstance(attribute, classmethod) else attribute

    def apply(self) -> None:
        """Send calls of the function to the wrapper."""
        if not self._signed:
            vars(self._function)["__signature__"] = self._signature
        self._function.__code__ = self._after

    def undo(self) -> None:
        """Put the code back, unless another library has replaced it since.

        The copy leads to the function from now on: what the program holds of this patch takes part in the next one.
        """
        if self._function.__code__ is self._after:
            self._function.__code__ = self._before
            vars(self._copy).setdefault("__signature__", self._signature)
            self._copy.__code__ = _leading_to(self._function, self._before)
            if not self._signed:
                vars(self._function).pop("__signature__", None)


def _copy(function: FunctionType) -> FunctionType:
    made = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    functools.update_wrapper(made, function)
    made.__dict__ = dict(vars(function))  # drops the `__wrapped__` that update_wrapper sets
    return made


def _entry(copy: FunctionType, wrapper: Wrapper, *, bound: bool) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        return wrapper(copy, None, args, kwargs)

    def method(*args: Any, **kwargs: Any) -> Any:
        if not args:
            return copy(**kwargs)  # raises the function's own TypeError
        return wrapper(MethodType(copy, args[0]), args[0], args[1:], kwargs)

    return method if bound else function


def _plain(*args: Any, **kwargs: Any) -> Any:
    entry: Any = "the entry"
    return entry(*args, **kwargs)


async def _coroutine(*args: Any, **kwargs: Any) -> Any:
    entry: Any = "the entry"
    return await entry(*args, **kwargs)


# The instructions decide what a call does; these flags are for `inspect.isgeneratorfunction` and the like.
_GENERATORS = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def _leading_to(entry: Callable[..., Any], code: CodeType) -> CodeType:
    """Code that calls the entry, with the flags, names and lines of the other code."""
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
