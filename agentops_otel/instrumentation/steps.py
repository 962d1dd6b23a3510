"""The open steps of a framework, by the framework's own keys. A step has a span or none."""

from asyncio import CancelledError
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Token
from threading import RLock
from typing import Any

from opentelemetry.context import Context, create_key, set_value
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span, set_span_in_context
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.instrumentation.adoption import is_exported_with_ours
from agentops_otel.instrumentation.step import Step
from agentops_otel.instrumentation.tables import Row, attributes, contents
from agentops_otel.tracing import (
    INHERITED_KEY,
    Recorder,
    attach_context,
    current_context,
    is_suppressed,
    leave_context,
    qualified_name,
    with_inherited,
)

OPEN_LIMIT = 10_000
"""Open steps of one framework at a time. Beyond that, the oldest one ends."""

_STEP = create_key("agentops_otel_step")
"""Context key: the innermost step around it."""

Source = Any
"""The framework's data about a step, which the tables of the step's kind read."""


class OpenStep:
    """One step with a span. The framework, the limit of open steps or the shutdown ends it; only the first counts."""

    def __init__(self, recorder: Recorder, kind: Step, key: Hashable, source: Source, context: Context) -> None:
        self.key = key
        self.aliases: set[Hashable] = set()
        """Keys of steps without a span below this one."""
        self.token: Token[Context] | None = None
        """Set if the step was made the current one."""
        self._recorder = recorder
        self.kind = kind
        self._above: object = context.get(_STEP)
        self._lock = RLock()
        self._ended = False
        self.span = self._start(source, context)
        inherited = attributes(kind.inherited_rows, source)
        if inherited:
            context = with_inherited({**context.get(INHERITED_KEY, {}), **inherited}, context)  # type: ignore[dict-item]
        self.context = set_value(_STEP, self, set_span_in_context(self.span, context))
        """The context of the work that the step does."""
        recorder.track_stream(self)

    def _start(self, source: Source, context: Context) -> Span:
        named = attributes(self.kind.name_row, source)
        operation = self.kind.operation
        own: dict[str, AttributeValue] = {**attributes(self.kind.attribute_rows, source)}
        if operation in semconv.OPERATION_ROLES:
            own = {semconv.GEN_AI_OPERATION_NAME: operation, **named, **own}
        else:
            own[semconv.AGENTOPS_SPAN_KIND] = operation
        name = " ".join((self.kind.span_name or operation, *map(str, named.values())))
        span = self._recorder.start(name, kind=self.kind.kind, attributes=own, context=context)
        self._set_content(span, self.kind.content_rows, source)
        return span

    def is_around(self, context: Context) -> bool:
        """Whether the context is within the step, also by way of the program's own spans."""
        step: object = context.get(_STEP)
        while isinstance(step, OpenStep):
            if step is self:
                return True
            step = step._above
        return False

    def end(self, result: object = None, error: BaseException | None = None) -> None:
        """End the span with the step's result, and with the exception that ended the step or that it handled."""
        if not self._is_first_end():
            return
        try:
            failure = self._add_outcome(result) if result is not None else None
            if error is not None:
                self._recorder.fail(self.span, error)
            elif failure is not None:
                self._recorder.set_error(self.span, failure)
        finally:
            self._recorder.end(self.span)

    def _add_outcome(self, result: object) -> str | None:
        self.span.set_attributes(attributes(self.kind.outcome_rows, result))
        self._set_content(self.span, self.kind.result_rows, result)
        return self.kind.failure(result)

    def abandoned(self) -> None:
        """End the span of a step that has no end: its stream was abandoned, or the process ends."""
        if self._is_first_end():
            self.span.set_attribute(semconv.AGENTOPS_STREAM_ABANDONED, True)
            self._recorder.end(self.span)

    def _is_first_end(self) -> bool:
        with self._lock:
            first, self._ended = not self._ended, True
        # Steps below that were given up may still be current.
        if self.token is not None and self.is_around(current_context()):
            leave_context(self.token)
        return first

    def _set_content(self, span: Span, rows: Sequence[Row], source: Source) -> None:
        if self._recorder.content.enabled and span is not INVALID_SPAN:
            for name, value in contents(rows, source).items():
                self._recorder.set_content(span, name, value)


class Outcome:
    """The result of a step that is a `with` block."""

    result: object = None


class Steps:
    """Makes the spans of a framework's steps from its listener's calls. No method ever raises.

    Args:
        kinds: The kinds of steps, the first that matches counts.
        control_flow: Qualified names of exceptions that are no failures.
        get_recorder: The recorder at the moment of a step; None: nothing is recorded.
        on_begin: Called when a step with a span begins.
    """

    def __init__(
        self,
        kinds: Sequence[Step],
        control_flow: frozenset[str],
        get_recorder: Callable[[], Recorder | None],
        on_begin: Callable[[], None] = lambda: None,
    ) -> None:
        self.off = False
        """True once closed. A listener that cannot be removed then records nothing."""
        self._kinds = kinds
        self._control_flow = control_flow
        self._get_recorder = get_recorder
        self._on_begin = on_begin
        self._open: dict[Hashable, OpenStep] = {}
        self._lock = RLock()

    @property
    def recorder(self) -> Recorder | None:
        """The running recorder; None if there is none."""
        return None if self.off else self._get_recorder()

    def add(self, attributes: Mapping[str, AttributeValue], content: Mapping[str, object]) -> None:
        """Add attributes to the current span, which the framework made, if it goes where ours go."""
        with guard("adding to a framework's span"):
            recorder, span = self.recorder, get_current_span()
            if recorder is None or not span.is_recording() or not is_exported_with_ours(span, recorder):
                return
            span.set_attributes(attributes)
            if recorder.content.enabled:
                for name, value in content.items():
                    recorder.set_content(span, name, value)

    @property
    def follows_callers(self) -> bool:
        """Whether to continue a caller's trace that the framework's protocol carries."""
        recorder = self.recorder
        return recorder is not None and recorder.follows_mcp

    def begin(
        self,
        key: Hashable,
        source: Source,
        *,
        parent: Hashable = None,
        is_current: bool = False,
        context: Context | None = None,
    ) -> None:
        """A step began.

        Args:
            key: The framework's own key of the step; `end` names it.
            source: What the framework says of the step.
            parent: The key of the step that this one belongs to.
            is_current: Make the step the current one until its end. Only where begin and end are called in the context
                in which the work runs, and never across a `yield` to the program.
            context: What the step begins in, where that is not the current context: a caller's.
        """
        with guard("beginning a step of a framework"):
            recorder, current = self._get_recorder(), context or current_context()
            if self.off or recorder is None or is_suppressed(current):
                return
            above = self._open.get(parent)
            kind = next((kind for kind in self._kinds if kind.matches(source)), None)
            if kind is None:
                self._add_alias(key, above)
                return
            self._on_begin()
            context = current if above is None or above.is_around(current) else above.context
            step = OpenStep(recorder, kind, key, source, context)
            self._add(step)
            if is_current:
                step.token = attach_context(step.context)

    def end(self, key: Hashable, result: object = None, error: BaseException | None = None) -> None:
        """A step ended, with a result or by an exception; a step that is not open is left alone."""
        with guard("ending a step of a framework"):
            step = self._open.pop(key, None)
            if step is None:
                return
            if step.key != key:
                with self._lock:
                    step.aliases.discard(key)
                return
            self._forget(step)
            if isinstance(error, CancelledError | GeneratorExit):
                self._end_below(step, error)
            self._end(step, result, error)

    def _end(self, step: OpenStep, result: object, error: BaseException | None) -> None:
        if isinstance(error, GeneratorExit):
            step.abandoned()
        else:
            step.end(result, None if error is None or self._is_control_flow(error) else error)

    def _end_below(self, step: OpenStep, error: BaseException) -> None:
        """End all open steps below one that is cancelled or left, the innermost first: none reports them all."""
        with self._lock:
            below = [one for one in dict.fromkeys(self._open.values()) if step.is_around(one.context)]
            for one in below:
                self._open.pop(one.key, None)
        for one in reversed(below):
            self._forget(one)
            self._end(one, None, error)

    @contextmanager
    def step(self, source: Source, *, context: Context | None = None) -> Iterator["Outcome"]:
        """A block that is one step, the current one meanwhile; what it raises ends the step, and goes on.

        Args:
            source: What the framework says of the step.
            context: As of `begin`.

        Yields:
            What takes the step's result.
        """
        outcome = Outcome()
        self.begin(outcome, source, is_current=True, context=context)
        try:
            yield outcome
        except BaseException as error:
            self.end(outcome, outcome.result, error)
            raise
        self.end(outcome, outcome.result)

    def kind_of(self, key: Hashable) -> Step | None:
        """The kind of the open step that the key stands for; None if there is none."""
        step = self._open.get(key)
        return step.kind if step is not None else None

    def context_of(self, key: Hashable) -> Context | None:
        """The context of the work of the open step that the key stands for; None if there is none."""
        step = self._open.get(key)
        return step.context if step is not None else None

    def enter(self, key: Hashable) -> None:
        """Make a step the current one in a context that the framework has copied for the step's work.

        Nothing undoes it: the copy is dropped with the work. A context that is within the step already is left alone.
        """
        with guard("entering a step of a framework"):
            step = self._open.get(key)
            if step is not None and not step.is_around(current_context()):
                attach_context(step.context)

    def close(self) -> None:
        """Record nothing from now on; the open steps end."""
        with guard("leaving the steps of a framework"):
            self.off = True
            with self._lock:
                steps, self._open = list(self._open.values()), {}
            for step in reversed(steps):
                step.abandoned()

    def _add(self, step: OpenStep) -> None:
        with self._lock:
            self._open[step.key] = step
            oldest = next(iter(self._open.values())) if len(self._open) > OPEN_LIMIT else None
        if oldest is not None:
            self._open.pop(oldest.key, None)
            self._forget(oldest)
            oldest.abandoned()

    def _add_alias(self, key: Hashable, above: OpenStep | None) -> None:
        if above is not None:
            with self._lock:
                above.aliases.add(key)
                self._open[key] = above

    def _forget(self, step: OpenStep) -> None:
        """Remove the step with its aliases."""
        with self._lock:
            for alias in step.aliases:
                self._open.pop(alias, None)

    def _is_control_flow(self, error: BaseException) -> bool:
        return not self._control_flow.isdisjoint(map(qualified_name, type(error).__mro__))
