"""The functions that stand in place of decorated ones.

cloudpickle and dill (multiprocess, pathos, datasets) pickle a function of the main program by value, with the globals
of the file that its code is in: this one. So it has only what can be pickled, no guard and no context variable, and the
functions in the closures use no such globals either.
"""

import functools
import inspect
import sys
from collections.abc import Callable
from contextvars import Token
from types import FunctionType, MethodType
from typing import Any, Protocol

from opentelemetry.context import Context

from agentops_otel.tracing import OwnSpan, Recorder, leave_context

_KINDS = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


class Call(Protocol):
    """What a wrapper needs of the `DecoratedCall` that makes its spans."""

    get_recorder: Callable[[], Recorder | None]
    detach: Callable[[Token[Context]], None]

    def takes(self, count: int) -> bool:
        """See `DecoratedCall`."""

    def enter(
        self, recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[OwnSpan, Token[Context]] | None:
        """See `DecoratedCall`."""

    def fail(self, recorder: Recorder, span: OwnSpan, error: BaseException) -> None:
        """See `DecoratedCall`."""

    def __call__(
        self, wrapped: Callable[..., Any], instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """See `DecoratedCall`."""


def traced(function: Callable[..., Any], call: Call) -> Callable[..., Any]:
    """Wrap the function: each call makes a span."""
    get_recorder = call.get_recorder

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        recorder = get_recorder()
        if recorder is None:
            return function(*args, **kwargs) if "session" not in kwargs else call(function, None, args, kwargs)
        entered = None if "session" in kwargs else call.enter(recorder, args, kwargs)
        if entered is None:
            return call(function, None, args, kwargs)
        span, token = entered
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            call.detach(token)
            call.fail(recorder, span, error)
            raise
        call.detach(token)
        recorder.end_call(span, result)
        return result

    return wrapper


def traced_coroutine(function: Callable[..., Any], call: Call) -> Callable[..., Any]:
    """Wrap the coroutine function: each run of its coroutine makes a span. Wrong arguments raise at the call."""
    get_recorder = call.get_recorder

    async def run(recorder: Recorder, args: tuple[Any, ...]) -> Any:
        entered = call.enter(recorder, args, {})
        if entered is None:
            return await call(function, None, args, {})
        span, token = entered
        try:
            result = await function(*args)
        except BaseException as error:
            leave_context(token)
            call.fail(recorder, span, error)
            raise
        leave_context(token)
        recorder.end_call(span, result)
        return result

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        recorder = get_recorder()
        if recorder is None or kwargs or not call.takes(len(args)):
            return call(function, None, args, kwargs)
        return run(recorder, args)

    run.__name__, run.__qualname__ = function.__name__, function.__qualname__
    return _in_place_of(function, wrapper)


def traced_by(function: Callable[..., Any], call: Call) -> Callable[..., Any]:
    """Wrap a function of which *call* decides all: one whose result is run step by step."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return call(function, None, args, kwargs)

    return _in_place_of(function, wrapper)


def traced_method(function: Callable[..., Any], call: Call) -> Callable[..., Any]:
    """Wrap a method of a decorated class."""

    def wrapper(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return call(MethodType(function, self), self, args, kwargs)

    return _in_place_of(function, wrapper)


def _in_place_of(function: Any, wrapper: Any) -> Callable[..., Any]:
    """The wrapper as `functools.wraps` makes it, which `inspect` takes for the kind of function that *function* is.

    Python recognises generator functions, and Python 3.11 coroutine functions, by flags that change nothing of how code
    runs.
    """
    flags = function.__code__.co_flags & _KINDS
    if flags & inspect.CO_COROUTINE and sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(functools.update_wrapper(wrapper, function))
    if flags:
        code = wrapper.__code__.replace(co_flags=wrapper.__code__.co_flags | flags)
        wrapper = FunctionType(code, wrapper.__globals__, closure=wrapper.__closure__)
    return functools.update_wrapper(wrapper, function)


def is_wrapper(function: Any) -> bool:
    """Whether it is a wrapper of this file, which calls what it wraps and nothing else."""
    return type(function) is FunctionType and function.__code__.co_filename == __file__
