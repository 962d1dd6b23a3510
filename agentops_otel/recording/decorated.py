"""One decorated function: what it stays for its callers, and the span that each of its calls makes.

Coroutines and generators are driven by `driven.py`; what a span says is decided by the kind that `actions.py` hands in.
"""

import copy
import functools
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry.context import get_current
from opentelemetry.trace import INVALID_SPAN, Span
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.recording import driven, parameters
from agentops_otel.tracing import Recorder

if TYPE_CHECKING:
    # Only the stubs are generic; at run time the classes take no parameters.
    FunctionWrapper = wrapt.FunctionWrapper[..., Any]
    BoundFunctionWrapper = wrapt.BoundFunctionWrapper[..., Any]
else:
    FunctionWrapper = wrapt.FunctionWrapper
    BoundFunctionWrapper = wrapt.BoundFunctionWrapper

_MAX_LAYERS = 100
"""A chain of wrappers longer than this is an object that invents attributes, such as a mock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the spans of one decorated function say, whatever it is called with."""

    span_name: str
    attributes: Mapping[str, AttributeValue]
    tags: tuple[str, ...]
    input_name: str
    """The attribute of the arguments."""
    output_name: str
    """The attribute of the result."""

    def all_attributes(self, recorder: Recorder) -> Mapping[str, AttributeValue]:
        """The attributes of a span that starts now: the session's tags come first, none twice."""
        return with_tags(recorder, self.tags, self.attributes)


def with_tags(
    recorder: Recorder, tags: Sequence[str], attributes: Mapping[str, AttributeValue]
) -> Mapping[str, AttributeValue]:
    """The attributes with *tags* behind those of the running session, none twice."""
    if not tags:
        return attributes
    of_session = recorder.scope.attributes(get_current()).get(semconv.AGENTOPS_TAGS, ())
    known = of_session if isinstance(of_session, Sequence) else ()
    return {**attributes, semconv.AGENTOPS_TAGS: tuple(str(tag) for tag in dict.fromkeys((*known, *tags)))}


def as_tags(tags: Iterable[str] | str | None) -> tuple[str, ...]:
    """Tags as they are given: several, one, or none."""
    return (tags,) if isinstance(tags, str) else tuple(tags or ())


class Call:
    """What is done round each call of one function: the `wrapper` of wrapt.

    Args:
        function: What was decorated.
        label: What its spans say.
        current: The running recorder; None makes a call the bare call.
    """

    __slots__ = ("_current", "_direct", "_driver", "_function", "_label", "_parameters")

    def __init__(self, function: Callable[..., Any], label: Label, current: Callable[[], Recorder | None]) -> None:
        code, self._direct = _code_of(function)
        self._driver = driven.driver_for(code)
        self._function = function
        self._label = label
        self._current = current
        self._parameters: parameters.Parameters | None = None

    def __call__(
        self, wrapped: Callable[..., Any], instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call *wrapped* and give back what it gives, with a span about it."""
        recorder = self._current()
        if recorder is None:
            return wrapped(*args, **kwargs)
        if self._driver is not None and self._direct:
            return self._defer(self._driver, recorder, wrapped, instance is not None, args, kwargs)
        span = self._start(recorder, instance is not None, args, kwargs)
        if span is INVALID_SPAN:
            return wrapped(*args, **kwargs)
        try:
            with recorder.current(span):
                result = wrapped(*args, **kwargs)
        except BaseException as error:
            self.fail(recorder, span, error)
            raise
        if self._driver is not None and self._driver.drives(result):
            return self._driver(self, recorder, result, lambda: span)
        self.finish(recorder, span, result)
        return result

    def _defer(
        self,
        driver: driven.Driver,
        recorder: Recorder,
        wrapped: Callable[..., Any],
        has_receiver: bool,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Call a coroutine or generator function: its span starts with its body, later; a bad call's, at once."""
        try:
            body = wrapped(*args, **kwargs)
        except BaseException as error:
            self.fail(recorder, self._start(recorder, has_receiver, args, kwargs), error)
            raise
        return driver(self, recorder, body, functools.partial(self._start, recorder, has_receiver, args, kwargs))

    def _start(self, recorder: Recorder, has_receiver: bool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
        span: Span = INVALID_SPAN
        with guard("starting the span of a decorated function"):
            span = recorder.start(self._label.span_name, attributes=self._label.all_attributes(recorder))
            if recorder.content.enabled and span.is_recording():
                if self._parameters is None:
                    self._parameters = parameters.read(_callable(self._function))
                given = self._parameters.of(has_receiver, args, kwargs)
                if given:
                    recorder.content_of(span, self._label.input_name, given)
        return span

    def finish(self, recorder: Recorder, span: Span, result: object) -> None:
        """End the span of a call that returned; None says nothing."""
        with guard("ending the span of a decorated function"):
            now = recorder.clock()
            try:
                if result is not None:
                    recorder.content_of(span, self._label.output_name, result)
            finally:
                recorder.end(span, now)

    def fail(self, recorder: Recorder, span: Span, error: BaseException) -> None:
        """End the span of a call that raised.

        A cancellation and Ctrl-C are failures, since the work was not done, as they are in OpenTelemetry's conventions
        for RPC. The closing of a generator or coroutine (GeneratorExit) and an exit without an error (`sys.exit()`)
        are not.
        """
        with guard("ending the span of a failed function"):
            try:
                if not isinstance(error, GeneratorExit) and not (isinstance(error, SystemExit) and not error.code):
                    recorder.fail(span, error)
            finally:
                recorder.end(span)


class _Bound(BoundFunctionWrapper):
    """A decorated method as an instance or a class hands it out."""

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


class Decorated(FunctionWrapper):
    """A decorated function; for all but the span it is the function itself, down to pickling and copying."""

    __bound_function_wrapper__ = _Bound

    def __reduce_ex__(self, protocol: object) -> str:
        return str(self.__qualname__)

    def __copy__(self) -> "Decorated":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Decorated":
        return self


def decorate(function: Any, label: Label, current: Callable[[], Recorder | None]) -> Any:
    """The function with a span about each of its calls; of a property, its getter.

    Raises:
        TypeError: *function* is nothing that can be called.
    """
    if isinstance(function, property):
        return function.getter(decorate(function.fget, label, current))
    if isinstance(function, functools.cached_property):
        return functools.cached_property(decorate(function.func, label, current))
    if not callable(function) and not hasattr(function, "__get__"):
        raise TypeError(f"a function is wanted to decorate, not {type(function).__name__}")
    return Decorated(function, Call(function, label, current))


def name_of(function: Any) -> str:
    """The name that a function's spans have when none was given."""
    while isinstance(function, functools.partial | functools.cached_property):
        function = function.func
    if isinstance(function, property):
        function = function.fget
    return str(getattr(function, "__name__", None) or type(function).__name__)


def _callable(function: Any) -> Any:
    """What `inspect.signature` understands: a class method's function, everything else as it is."""
    return function.__func__ if isinstance(function, classmethod | staticmethod) else function


def _code_of(function: Any) -> tuple[int, bool]:
    """The code flags of the innermost function, and whether calling *function* calls that one and nothing else."""
    direct = True
    for _ in range(_MAX_LAYERS):
        match function:
            case functools.partial():
                function = function.func
            case classmethod() | staticmethod():
                function = function.__func__
            case _ if inspect.ismethod(function):
                function = function.__func__
            case _ if hasattr(function, "__wrapped__"):
                direct = direct and type(function) is Decorated
                function = function.__wrapped__
            case _ if hasattr(function, "__code__"):
                return function.__code__.co_flags, direct
            case type():
                break
            case _ if not callable(function):
                break
            case _:
                function = type(function).__call__
    return 0, direct
