"""One decorated function: what it stays for its callers, and the span that each of its calls makes.

Coroutines and generators are driven by `driven.py`; what a span says is decided by the kind that `actions.py` hands in.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opentelemetry.context import Context, create_key, get_current, get_value, set_value
from opentelemetry.trace import INVALID_SPAN, Span
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.recording import driven, parameters
from agentops_otel.recording.session import Session
from agentops_otel.tracing import Recorder, inheriting
from agentops_otel.wrapping.function import Function

_starting = guard("starting the span of a decorated function")
_ending = guard("ending the span of a decorated function")
_failing = guard("ending the span of a failed function")
_AT_WORK = create_key("agentops_otel_at_work")
"""The object of a decorated class whose method runs."""
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
    inherited: Mapping[str, AttributeValue] = field(default_factory=dict)
    """What every span under it says too: the agent's name."""


def with_tags(
    recorder: Recorder, context: Context | None, tags: Sequence[str], attributes: Mapping[str, AttributeValue]
) -> Mapping[str, AttributeValue]:
    """The attributes with *tags* behind those of the context's session, none twice."""
    if not tags:
        return attributes
    of_session = recorder.scope.attributes(get_current() if context is None else context).get(semconv.AGENTOPS_TAGS, ())
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
        context = None
        if "session" in kwargs and self._is_for_us(kwargs["session"]):
            context = kwargs["session"].context
            kwargs = {name: value for name, value in kwargs.items() if name != "session"}
        recorder = self._current()
        if recorder is None:
            return wrapped(*args, **kwargs)
        if self._driver is not None and self._direct:
            return self._defer(recorder, context, wrapped, instance, args, kwargs)
        span, context = self._start(recorder, context, instance, args, kwargs)
        if span is INVALID_SPAN:
            return wrapped(*args, **kwargs)
        try:
            with recorder.current(span, context):
                result = wrapped(*args, **kwargs)
        except BaseException as error:
            self.fail(recorder, span, error)
            raise
        if self._driver is not None and self._driver.drives(result):
            return self._driver(self, recorder, result, lambda: (span, context))
        self.finish(recorder, span, result)
        return result

    def _is_for_us(self, session: object) -> bool:
        """True for a session of ours that the function does not ask for, as AgentOps 0.3 had it."""
        # Not isinstance: an object may answer for its class itself, and with an error.
        return issubclass(type(session), Session) and "session" not in self._names().keywords

    def _defer(
        self,
        recorder: Recorder,
        context: Context | None,
        wrapped: Callable[..., Any],
        instance: object,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Call a coroutine or generator function: its span starts with its body, later; a bad call's, at once."""
        assert self._driver is not None
        start = functools.partial(self._start, recorder, context, instance, args, kwargs)
        try:
            body = wrapped(*args, **kwargs)
        except BaseException as error:
            self.fail(recorder, start()[0], error)
            raise
        return self._driver(self, recorder, body, start)

    def _start(
        self,
        recorder: Recorder,
        context: Context | None,
        instance: object,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> driven.Opened:
        span: Span = INVALID_SPAN
        with _starting:
            label, context = self.opening(instance, context)
            attributes = with_tags(recorder, context, label.tags, label.attributes) if label.tags else label.attributes
            span = recorder.start(label.span_name, attributes=attributes, context=context)
            if recorder.content.enabled and span.is_recording():
                given = (self._parameters or self._names()).of(instance is not None, args, kwargs)
                if given:
                    recorder.content_of(span, label.input_name, given)
        return span, context

    def opening(self, instance: object, context: Context | None) -> tuple[Label, Context | None]:
        """What the span of a call says, and what holds in the call apart from it; None is the current context."""
        label = self._label
        return label, inheriting(label.inherited, context) if label.inherited else context

    def _names(self) -> parameters.Parameters:
        """The function's parameters, read when they are first asked for."""
        if self._parameters is None:
            self._parameters = parameters.read(_callable(self._function))
        return self._parameters

    def finish(self, recorder: Recorder, span: Span, result: object) -> None:
        """End the span of a call that returned; None says nothing."""
        with _ending:
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
        with _failing:
            try:
                if not isinstance(error, GeneratorExit) and not (isinstance(error, SystemExit) and not error.code):
                    recorder.fail(span, error)
            finally:
                recorder.end(span)


class MethodCall(Call):
    """What is done round each call of one method of a decorated class: nothing while the object is at work already."""

    __slots__ = ()

    def __call__(
        self, wrapped: Callable[..., Any], instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """As for a function, unless the call comes from the object itself."""
        if get_value(_AT_WORK) is instance:
            return wrapped(*args, **kwargs)
        return super().__call__(wrapped, instance, args, kwargs)

    def opening(self, instance: object, context: Context | None) -> tuple[Label, Context | None]:
        """As for a function, and the object is at work in it."""
        label, context = super().opening(instance, context)
        return label, set_value(_AT_WORK, instance, context)


class Decorated(Function):
    """A decorated function; for all but the span it is the function itself."""

    def __reduce_ex__(self, protocol: object) -> str:
        return str(self.__qualname__)


def decorate(function: Any, label: Label, current: Callable[[], Recorder | None]) -> Any:
    """The function with a span about each of its calls; of a property, its getter; of a class, its methods.

    Raises:
        TypeError: *function* is nothing that can be called.
    """
    if isinstance(function, type):
        return decorate_class(function, label, current, MethodCall)
    if isinstance(function, property):
        return function.getter(decorate(function.fget, label, current))
    if isinstance(function, functools.cached_property):
        return functools.cached_property(decorate(function.func, label, current))
    if not callable(function) and not hasattr(function, "__get__"):
        raise TypeError(f"a function is wanted to decorate, not {type(function).__name__}")
    return Decorated(function, Call(function, label, current))


def decorate_class(
    cls: type, label: Label, current: Callable[[], Recorder | None], method_call: "type[MethodCall]"
) -> type:
    """The class itself, in which a call from outside of each public method of its own makes a span."""
    for name, method in list(vars(cls).items()):
        if (name == "__call__" or not name.startswith("_")) and inspect.isfunction(method):
            where = {semconv.CODE_FUNCTION_NAME: f"{cls.__module__}.{method.__qualname__}"}
            labelled = replace(label, attributes={**label.attributes, **where})
            setattr(cls, name, Decorated(method, method_call(method, labelled, current)))
    return cls


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
