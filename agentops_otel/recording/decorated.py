"""One decorated function: it behaves as before for its callers, and each call makes a span.

`wrappers.py` has the functions in its place, `generator_driver.py` runs coroutines and generators; `actions.py` makes
the span's template.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from contextvars import Token
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.trace import INVALID_SPAN, Span
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content import snapshot
from agentops_otel.guard import guard
from agentops_otel.recording import generator_driver, parameters
from agentops_otel.recording.session import Session
from agentops_otel.recording.tags import with_tags
from agentops_otel.recording.wrappers import is_wrapper, traced, traced_by, traced_coroutine, traced_method
from agentops_otel.tracing import (
    INHERITED_KEY,
    SPAN_KEY,
    CallForm,
    OwnSpan,
    Recorder,
    attach_context,
    current_context,
    detach_context,
    with_inherited,
)

_starting = guard("starting the span of a decorated function")
_ending = guard("ending the span of a decorated function")
_failing = guard("ending the span of a failed function")
_AT_WORK = create_key("agentops_otel_at_work")
"""Context key: the instance whose method runs. Calls to its own methods make no spans."""
_MAX_LAYERS = 100
"""A longer chain of wrappers is an object that invents attributes, such as a mock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanTemplate:
    """The part of a span that is the same for all calls of one decorated function."""

    span_name: str
    attributes: Mapping[str, AttributeValue]
    tags: tuple[str, ...]
    input_name: str
    """The name of the attribute for the arguments."""
    output_name: str
    """The name of the attribute for the result."""
    inherited: Mapping[str, AttributeValue] = field(default_factory=dict)
    """Attributes of every span below it too: the agent's name."""


class DecoratedCall:
    """Makes a span for each call of one function: the `wrapper` that wrapt calls.

    Args:
        function: The decorated function.
        template: The template of its spans.
        get_recorder: Returns the running recorder; None: the function is called without a span.
    """

    __slots__ = (
        "_direct",
        "_driver",
        "_form",
        "_function",
        "_parameters",
        "added",
        "detach",
        "get_recorder",
        "template",
    )

    def __init__(
        self, function: Callable[..., Any], template: SpanTemplate, get_recorder: Callable[[], Recorder | None]
    ) -> None:
        code, self._direct = _code_of(function)
        self._driver = generator_driver.driver_for(code)
        self._function = function
        self.template = template
        self.get_recorder = get_recorder
        self._parameters: parameters.Parameters | None = None
        self._form: tuple[Any, object, object] = (None, None, None)
        self.added: dict[str, object] = {INHERITED_KEY: template.inherited} if template.inherited else {}
        """Values that the context of a call has besides the span."""
        self.detach = detach_context
        """Detaches what `enter` attached: `wrappers.py` says why the wrappers do not."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._function, self.template, self.get_recorder)

    @property
    def is_plain(self) -> bool:
        """True for a function (`def`) that is neither a coroutine function nor a generator function."""
        return type(self._function) is FunctionType and self._driver is None

    def takes(self, count: int) -> bool:
        """Whether a call with *count* positional arguments and no others fits the signature."""
        names = self._parameters or self.names()
        return names.required <= count <= len(names.positional)

    def enter(
        self, recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[OwnSpan, Token[Context]] | None:
        """Start the span of a plain function's call and make it the current one.

        Returns:
            The span and the token for `leave`; None if the fast path does not apply: use `__call__`.
        """
        try:
            current, added = current_context(), self.added
            span = self.begin(recorder, current, args, kwargs)
            if span is not None:
                values = {**current, **added, SPAN_KEY: span} if current or added else {SPAN_KEY: span}
                return span, attach_context(Context(values))
        except BaseException as error:  # not `with`, which costs a twentieth of the whole call
            if not _starting.__exit__(type(error), error, None):
                raise
        return None

    def begin(
        self, recorder: Recorder, current: Context, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> OwnSpan | None:
        """Start the span of a plain function's call; None if the fast path does not apply."""
        defaults, parent = recorder.defaults.at(current)
        form, of_defaults, of_inherited = self._form
        inherited = self.template.inherited or (current.get(INHERITED_KEY) if current else None)
        if of_defaults is not defaults or of_inherited is not inherited:
            form = self._form_of(recorder, current, defaults, inherited)
        if not recorder.content.enabled:
            return recorder.begin(form, None, parent, current)
        names = self._parameters or self.names()
        given: Any = None if kwargs else names.plain(args)
        if given is None:
            named = names.of(False, args, kwargs)
            given = snapshot(named)
        span = recorder.begin(form, given, parent, current)
        if given is None and span is not None:
            recorder.set_content(span, form.input_name, named)
        return span

    def _form_of(self, recorder: Recorder, current: Context, defaults: Any, inherited: Any) -> CallForm:
        """The common part of the function's spans, cached until the session's attributes or the agent change."""
        template = self.template
        own = with_tags(recorder, current, template.tags, template.attributes)
        form = CallForm(
            template.span_name,
            {**defaults, **(inherited or {}), **own},
            template.input_name,
            template.output_name,
            self.names().named,
        )
        if inherited is None or type(inherited) is dict:
            self._form = (form, defaults, inherited)
        return form

    def __call__(
        self, wrapped: Callable[..., Any], instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call *wrapped* in a span and return its result."""
        context = None
        if "session" in kwargs and self._names_session(kwargs["session"]):
            context = kwargs["session"].context
            kwargs = {name: value for name, value in kwargs.items() if name != "session"}
        recorder = self.get_recorder()
        if recorder is None:
            return wrapped(*args, **kwargs)
        if self._driver is not None and self._direct:
            return self._defer(recorder, context, wrapped, instance, args, kwargs)
        span, context = self._start(recorder, context, instance, args, kwargs)
        if span is INVALID_SPAN:
            return wrapped(*args, **kwargs)
        try:
            with recorder.active(span, context):
                result = wrapped(*args, **kwargs)
        except BaseException as error:
            self.fail(recorder, span, error)
            raise
        if self._driver is not None and self._driver.accepts(result):
            return self._driver(self, recorder, result, lambda: (span, context))
        self.finish(recorder, span, result)
        return result

    def _names_session(self, session: object) -> bool:
        """True for a Session, if the function has no parameter `session`: AgentOps 0.3's way to choose a session."""
        # Not isinstance: it asks the object for `__class__`, which may raise.
        return issubclass(type(session), Session) and "session" not in self.names().keywords

    def _defer(
        self,
        recorder: Recorder,
        context: Context | None,
        wrapped: Callable[..., Any],
        instance: object,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Call a coroutine or generator function; the span starts when its body does, or now if the call fails."""
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
    ) -> generator_driver.StartedSpan:
        span: Span = INVALID_SPAN
        with _starting:
            template, context = self.template_for_call(instance, context)
            attributes = (
                with_tags(recorder, context, template.tags, template.attributes)
                if template.tags
                else template.attributes
            )
            span = recorder.start(template.span_name, attributes=attributes, context=context)
            if recorder.content.enabled and span.is_recording():
                given = (self._parameters or self.names()).of(instance is not None, args, kwargs)
                if given:
                    recorder.set_content(span, template.input_name, given)
        return span, context

    def template_for_call(self, instance: object, context: Context | None) -> tuple[SpanTemplate, Context | None]:
        """The template of the call's span, and the context of the body without the span; None: the current one."""
        template = self.template
        return template, with_inherited(template.inherited, context) if template.inherited else context

    def names(self) -> parameters.Parameters:
        """The function's parameters, read on first use."""
        if self._parameters is None:
            self._parameters = parameters.read(_callable(self._function))
        return self._parameters

    def finish(self, recorder: Recorder, span: Span, result: object) -> None:
        """End the span of a call that returned; a result of None is no attribute."""
        with _ending:
            now = recorder.clock()
            try:
                if result is not None:
                    recorder.set_content(span, self.template.output_name, result)
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


class MethodCall(DecoratedCall):
    """Makes a span for each call of one method of a decorated class, unless the object's own methods call it."""

    __slots__ = ()

    def __call__(
        self, wrapped: Callable[..., Any], instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call *wrapped* in a span; without one if a method of the same object is running."""
        if get_value(_AT_WORK) is instance:
            return wrapped(*args, **kwargs)
        return super().__call__(wrapped, instance, args, kwargs)

    def template_for_call(self, instance: object, context: Context | None) -> tuple[SpanTemplate, Context | None]:
        """As for a function; the context names the object whose method runs."""
        template, context = super().template_for_call(instance, context)
        return template, set_value(_AT_WORK, instance, context)


def decorate(function: Any, template: SpanTemplate, get_recorder: Callable[[], Recorder | None]) -> Any:
    """Wrap a function so that each call makes a span; of a property the getter, of a class the public methods.

    Raises:
        TypeError: *function* cannot be called.
    """
    if isinstance(function, type):
        return decorate_class(function, template, get_recorder, MethodCall)
    if isinstance(function, property):
        return function.getter(decorate(function.fget, template, get_recorder))
    if isinstance(function, functools.cached_property):
        return functools.cached_property(decorate(function.func, template, get_recorder))
    if type(function) in (classmethod, staticmethod):
        return type(function)(decorate(function.__func__, template, get_recorder))
    if not callable(function) and not hasattr(function, "__get__"):
        raise TypeError(f"a function is wanted to decorate, not {type(function).__name__}")
    call = DecoratedCall(function, template, get_recorder)
    if type(function) is not FunctionType:
        return decorated_object(function, call)
    if function.__code__.co_flags & inspect.CO_COROUTINE:
        return traced_coroutine(function, call)
    return traced(function, call) if call.is_plain else traced_by(function, call)


def decorated_object(function: Any, call: DecoratedCall) -> Any:
    """Wrap something that can be called and is no function."""
    return _object_class()(function, call)


def _object_class() -> type:
    from agentops_otel.recording.decorated_object import DecoratedObject  # on use: wrapt imports asyncio

    return DecoratedObject


def decorate_class(
    cls: type, template: SpanTemplate, get_recorder: Callable[[], Recorder | None], method_call: "type[MethodCall]"
) -> type:
    """Return the class itself, changed: each call of its own public methods from outside of the object makes a span."""
    for name, method in list(vars(cls).items()):
        if (name == "__call__" or not name.startswith("_")) and inspect.isfunction(method):
            where = {semconv.CODE_FUNCTION_NAME: f"{cls.__module__}.{method.__qualname__}"}
            for_method = replace(template, attributes={**template.attributes, **where})
            setattr(cls, name, traced_method(method, method_call(method, for_method, get_recorder)))
    return cls


def name_of(function: Any) -> str:
    """The default name of a function's spans."""
    while isinstance(function, functools.partial | functools.cached_property):
        function = function.func
    if isinstance(function, property):
        function = function.fget
    return str(getattr(function, "__name__", None) or type(function).__name__)


def _callable(function: Any) -> Any:
    """The callable whose signature is read: the function of a class method, otherwise *function* itself."""
    return function.__func__ if isinstance(function, classmethod | staticmethod) else function


def _code_of(function: Any) -> tuple[int, bool]:
    """The code flags of the innermost function, and whether calling *function* calls only that one."""
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
                direct = direct and (is_wrapper(function) or type(function) is _object_class())
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
