"""Captures spans in tests: in memory, with counted ids and a counted clock, compared as a tree.

The pytest plugin, `agentops_otel_pytest.py`, makes a fixture of it.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import DEFAULT_ON

from agentops_otel import sdk, semconv
from agentops_otel.config import Config
from agentops_otel.content import Redact
from agentops_otel.tracing import gc_safe
from agentops_otel.tracing.ids import EntropyIdGenerator
from agentops_otel.tracing.provider import OwnProvider
from agentops_otel.view.nested import Tree, nested

__all__ = ["Capture", "Tree", "capture"]


@dataclass(frozen=True, slots=True)
class Capture:
    """The spans captured so far.

    ```python
    with agentops_otel.testing.capture() as captured:
        agentops_otel.record(agentops_otel.Event("search"))
    assert [span.name for span in captured.spans] == ["search"]
    ```
    """

    client: sdk.Client
    _exporter: InMemorySpanExporter = field(repr=False)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The ended spans, in the order they ended."""
        gc_safe.drain()
        return self._exporter.get_finished_spans()

    def tree(self) -> Tree:
        """The spans as nested plain dicts, for a snapshot.

        A span has its `name` and, if they are set, `kind` (unless INTERNAL), `status` (unless
        UNSET), `attributes` (without `session.id`, which is new each time), `events` (without stack traces),
        `links` (span ids) and `children` in the order they started.
        """
        return nested(self.spans)

    def clear(self) -> None:
        """Drop the spans captured so far."""
        self._exporter.clear()


@contextmanager
def capture(
    *,
    tags: tuple[str, ...] = (),
    capture_content: bool = True,
    redact: Redact | None = None,
    instrument_llm_calls: bool = True,
    instrument_taskweaver: bool = True,
    instrument_frameworks: bool = True,
    propagate_threads: bool = False,
) -> Iterator[Capture]:
    """Run the block with a client that keeps its spans in memory: no network, no files, nothing printed.

    Ids count from 1, and each reading of the clock is a millisecond later than the one before: two runs make the
    same spans. A client that was running is paused for the block. The settings are those of `init()`;
    the environment is not read.

    ```python
    with agentops_otel.testing.capture() as captured:
        with agentops_otel.start_session(name="nightly"):
            agentops_otel.record(agentops_otel.Event("search"))
    assert captured.tree()[0]["children"][0]["name"] == "search"
    ```

    Args:
        tags: Tags of every span. Default: none.
        capture_content: False keeps arguments, results, prompts and answers off every span. Default: True.
        redact: `(attribute name, text) -> text, or None to drop it`, after the built-in redaction. Default: none.
        instrument_llm_calls: False leaves LLM clients alone. Default: True.
        instrument_taskweaver: False leaves TaskWeaver alone. Default: True.
        instrument_frameworks: False leaves agent frameworks alone. Default: True.
        propagate_threads: True carries the current span into new threads and thread pools. Default: False.
    """
    config = Config(
        tags=tags,
        capture_content=capture_content,
        redact=redact,
        instrument_llm_calls=instrument_llm_calls,
        instrument_taskweaver=instrument_taskweaver,
        instrument_frameworks=instrument_frameworks,
        propagate_threads=propagate_threads,
        quiet=True,
    )
    exporter = InMemorySpanExporter()
    with (
        _ids.counted(),
        sdk.running(config, _provider(), SimpleSpanProcessor(exporter), clock=_clock().__next__) as client,
    ):
        yield Capture(client, exporter)


class _CountedIds(EntropyIdGenerator):
    """Counts ids from 1 during a capture, separately for spans and traces; random ids otherwise."""

    def __init__(self) -> None:
        self._traces: Iterator[int] | None = None
        self._spans: Iterator[int] | None = None

    @contextmanager
    def counted(self) -> Iterator[None]:
        before = self._traces, self._spans
        self._traces, self._spans = itertools.count(1), itertools.count(1)
        try:
            yield
        finally:
            self._traces, self._spans = before

    def generate_trace_id(self) -> int:
        return next(self._traces) if self._traces else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return next(self._spans) if self._spans else super().generate_span_id()

    def is_trace_id_random(self) -> bool:
        return self._traces is None


_ids = _CountedIds()
"""One for all captures: the first capture's provider stays the global one of the process, for a later `init()` too."""


_LIMITS = SpanLimits(
    max_attributes=128,
    max_events=128,
    max_links=128,
    max_span_attributes=128,
    max_event_attributes=128,
    max_link_attributes=128,
    max_attribute_length=SpanLimits.UNSET,
    max_span_attribute_length=SpanLimits.UNSET,
)
"""OpenTelemetry's defaults, all set explicitly: the SDK reads unset ones from the environment."""


def _provider() -> OwnProvider:
    """A provider with counted ids. It becomes the global one if there is none."""
    provider = OwnProvider(
        id_generator=_ids, resource=Resource({semconv.SERVICE_NAME: "test"}), sampler=DEFAULT_ON, span_limits=_LIMITS
    )
    provider._disabled = False  # the SDK reads OTEL_SDK_DISABLED in any case
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(provider)
    return provider


def _clock() -> "itertools.count[int]":
    """Nanoseconds, from 2026-01-01 on."""
    return itertools.count(1_767_225_600_000_000_000, 1_000_000)
