"""The tracer: starts spans. It works on any SDK provider, with the settings of the SDK's own tracer."""

import sys
from collections.abc import Sequence
from time import time_ns
from typing import Any, cast

from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.trace import sampling
from opentelemetry.sdk.trace._tracer_metrics import NoOpTracerMetrics
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    get_current_span,
)
from opentelemetry.trace import Span as AnySpan
from opentelemetry.util.types import Attributes

from agentops_otel.content import Content
from agentops_otel.tracing.context import SPAN_KEY, current_context
from agentops_otel.tracing.current_span import CurrentSpan
from agentops_otel.tracing.ids import EntropyIdGenerator, random_bits
from agentops_otel.tracing.lazy_span import SAMPLED, SAMPLED_RANDOM, SpanSource
from agentops_otel.tracing.processors import Dispatch, dispatch_for
from agentops_otel.tracing.span import Span
from agentops_otel.tracing.span_attributes import CallForm, CheckedAttributes

_UNBOUNDED = sys.maxsize
_new = object.__new__


class Tracer(SpanSource):
    """Makes spans of ours for one instrumentation scope.

    Args:
        tracer: The SDK's tracer for that scope; its sampler, processors, limits, ids and resource are taken over.
        policy: The content policy for what anybody records; None: it is kept as it is.
    """

    _source: sdk_trace.Tracer
    """Has the resource and the configuration of now: the SDK's tracer on the program's provider, else this one."""

    def __init__(self, tracer: sdk_trace.Tracer, policy: Content | None = None, *, followed: bool = False) -> None:
        self.take_over(tracer, policy, followed=followed)

    def take_over(self, tracer: sdk_trace.Tracer, policy: Content | None, *, followed: bool = True) -> None:
        """Make spans as *tracer* would from now on, under *policy*.

        Args:
            tracer: The SDK's tracer.
            policy: The content policy for all that is recorded.
            followed: Whether the program's provider still changes *tracer*: its resource in a forked child, and
                whether it is enabled. A provider of ours changes this tracer itself.
        """
        for name, value in vars(tracer).items():  # not by `vars(self)`: an instance whose dict was touched is slower
            setattr(self, name, value)
        self.policy = policy
        self._source = tracer if followed else self
        self.instrumentation_scope: InstrumentationScope = tracer._instrumentation_scope
        self.read_limits()
        self._own_ids = type(self.id_generator) is EntropyIdGenerator
        self.counts_spans = type(self._tracer_metrics) is not NoOpTracerMetrics
        self.latest_dispatch = dispatch_for(self.span_processor)

    def read_limits(self) -> None:
        """Take the limits of a span's attributes from the provider's `SpanLimits`."""
        limits = self._span_limits
        self.attribute_limit = _UNBOUNDED if limits.max_span_attributes is None else limits.max_span_attributes
        self.text_limit = limits.max_span_attribute_length

    def dispatch(self) -> Dispatch:
        """The calls for the provider's current processors."""
        dispatch = self.latest_dispatch
        if dispatch.source._span_processors is dispatch.processors and dispatch.relay.targets is dispatch.targets:
            return dispatch
        self.latest_dispatch = dispatch = dispatch_for(self.span_processor)
        return dispatch

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> AnySpan:
        """Start a span; see `opentelemetry.trace.Tracer.start_span`."""
        parent: Any = (current_context() if context is None else context).get(SPAN_KEY)
        if self.begins(parent):
            span = self.begin(name, parent)
        elif (asked := self._ask(name, context, kind, attributes, links or ())) is None:
            return NonRecordingSpan(get_current_span(context).get_span_context())
        elif type(asked[0]) is not Span:
            return cast(AnySpan, asked[0])
        else:
            span, attributes = asked
        if kind is not SpanKind.INTERNAL:
            span._kind = kind
        if attributes:
            span.set_attributes(attributes)
        if links:
            span._links = span._new_links(links)
        if not record_exception:
            span._record_exception = False
        if not set_status_on_exception:
            span._set_status_on_exception = False
        self.start(span, context, start_time)
        return span

    def start_as_current_span(  # type: ignore[override]  # the SDK's is a class of its own too
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> CurrentSpan:
        """A block in which a new span is the current one; see `opentelemetry.trace.Tracer.start_as_current_span`."""
        settings = (name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception)
        return CurrentSpan(self, settings, record_exception, set_status_on_exception, end_on_exit)

    def start_checked(
        self,
        name: str,
        parent: Any,
        context: Context,
        kind: SpanKind,
        attributes: CheckedAttributes,
        links: Sequence[Link],
        start_time: int,
    ) -> Span:
        """Start a span with attributes that are nobody else's. `begins(parent)` must be true."""
        span = self.begin(name, parent)
        span._kind = kind
        if span.takes(attributes):
            span._values = attributes
        else:
            span.set_attributes(attributes)
        if links:
            span._links = span._new_links(links)
        self.start(span, context, start_time)
        return span

    def begins(self, parent: object) -> bool:
        """Whether a child of *parent* needs neither the sampler nor a look at its context."""
        return self.is_always_sampled(parent) and bool(self._source._tracer_config.is_enabled)

    def is_always_sampled(self, parent: object) -> bool:
        """Whether the default sampler is sure to sample a child of *parent*: None, or a sampled span of ours."""
        return self.sampler is sampling.DEFAULT_ON and (
            parent is None
            or (type(parent) is Span and (parent._trace_flags is SAMPLED_RANDOM or parent._trace_flags.sampled))
        )

    def start(self, span: Span, context: Context | None = None, start_time: int | None = None) -> None:
        """Set the span's start time and call the processors. The last step, so that our work is not in its duration.

        Args:
            span: The span.
            context: The parent's context as it was given to the tracer.
            start_time: Nanoseconds since the epoch; now by default.
        """
        if self.counts_spans:
            decision = (
                sampling.Decision.RECORD_AND_SAMPLE if span._trace_flags.sampled else sampling.Decision.RECORD_ONLY
            )
            span._record_end_metrics = self._tracer_metrics.start_span(span._parent, decision)
        span._start_time = time_ns() if start_time is None else start_time
        dispatch = self.dispatch()
        if dispatch.on_start:
            for on_start in dispatch.on_start:
                on_start(span, parent_context=context)

    def begin(
        self, name: str, parent: Span | None, trace_id: int = 0, form: CallForm | None = None, given: object = None
    ) -> Span:
        """Make a sampled span, a root or a child of a sampled span of ours. The caller starts it.

        Args:
            name: The span's name.
            parent: The parent; None for a root.
            trace_id: The trace that the span belongs to, if it has no parent; 0: a new one.
            form: Of the span of a decorated call: what the function's spans have in common.
            given: The arguments of that call, see `LazySpan`.
        """
        span: Span = _new(Span)
        span._tracer = self
        span._resource = self._source.resource
        span._name = name
        if form is None:
            span._values = {}
        else:
            span._form = form
            span._given = given
            span._result = None
            span._has_values = False
            span._has_unread = True
        if parent is not None:
            span._trace_id = parent._trace_id
            span._parent_id = parent._span_id
            if parent._trace_flags is not SAMPLED_RANDOM:
                span._trace_flags = parent._trace_flags
            if parent._trace_state is not None:
                span._trace_state = parent._trace_state
        elif self._own_ids:
            span._trace_id = trace_id or random_bits(128) or 1
        else:
            span._trace_id = trace_id or self.id_generator.generate_trace_id()
            if not self.id_generator.is_trace_id_random():
                span._trace_flags = SAMPLED
        span._span_id = (random_bits(64) or 1) if self._own_ids else self.id_generator.generate_span_id()
        return span

    def _ask(
        self, name: str, context: Context | None, kind: SpanKind, attributes: Attributes, links: Sequence[Link]
    ) -> tuple[Any, Attributes] | None:
        """The span that the sampler decides on, and its attributes; None where the tracer is disabled."""
        parent: SpanContext | None = get_current_span(context).get_span_context()
        if parent is not None and not isinstance(parent, SpanContext):
            raise TypeError("parent_span_context must be a SpanContext or None.")
        if not self._source._tracer_config.is_enabled:
            return None
        if parent is not None and not parent.is_valid:
            parent = None
        trace_id = self.id_generator.generate_trace_id() if parent is None else parent.trace_id
        is_random = self.id_generator.is_trace_id_random() if parent is None else parent.trace_flags.random_trace_id
        result = self.sampler.should_sample(context, trace_id, name, kind, attributes, links)
        is_sampled = result.decision is sampling.Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED * is_sampled | TraceFlags.RANDOM_TRACE_ID * is_random)
        if result.decision is sampling.Decision.DROP:
            if self.counts_spans:
                self._tracer_metrics.start_span(parent, result.decision)
            span_id = self.id_generator.generate_span_id()
            own = SpanContext(trace_id, span_id, is_remote=False, trace_flags=flags, trace_state=result.trace_state)
            return NonRecordingSpan(own), None
        span = self.begin(name, None, trace_id)
        span._trace_flags, span._trace_state, span._parent_context = flags, result.trace_state, parent
        return span, result.attributes
