"""Which span processors are called at a span's start and end. Computed again when the provider's processors change."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, SynchronousMultiSpanProcessor

from agentops_otel.guard import guard
from agentops_otel.tracing.relay import Relay

_NO_RELAY = Relay()


@dataclass(slots=True, kw_only=True)
class Dispatch:
    """The calls for one set of processors. Processors that do not override the method are left out."""

    source: Any
    """The provider's `SynchronousMultiSpanProcessor`, or an object with the same attribute."""
    processors: Sequence[SpanProcessor]
    """The processors for which the calls were computed; compared by identity."""
    relay: Relay
    targets: Sequence[SpanProcessor]
    """The relay's targets, likewise."""
    on_start: Sequence[Callable[..., None]]
    on_ending: Sequence[Callable[[Any], None]]
    on_end: Sequence[Callable[[ReadableSpan], None]]
    takes_running: bool
    """True if all `on_end` calls are ours: they get the span itself and not a read-only copy."""


class _Fixed:
    """A processor that calls others in its own way, such as `ConcurrentMultiSpanProcessor`, as a list of one."""

    def __init__(self, processor: SpanProcessor) -> None:
        self._span_processors = (processor,)


def dispatch_for(processor: SpanProcessor) -> Dispatch:
    """The calls for the processors inside a provider's processor, with our relay replaced by its targets."""
    source: Any = processor if type(processor) is SynchronousMultiSpanProcessor else _Fixed(processor)
    processors: tuple[SpanProcessor, ...] = source._span_processors
    relay = next((one for one in processors if type(one) is Relay), _NO_RELAY)
    targets = relay.targets
    flat: list[tuple[SpanProcessor, bool]] = []
    for processor in processors:
        if processor is relay:
            flat += [(target, True) for target in targets if not any(target is other for other in processors)]
        else:
            flat.append((processor, False))
    return Dispatch(
        source=source,
        processors=processors,
        relay=relay,
        targets=targets,
        on_start=_calls(flat, "on_start", "starting a span"),
        on_ending=_calls(flat, "_on_ending", "ending a span"),
        on_end=_calls(flat, "on_end", "ending a span"),
        takes_running=all(getattr(processor, "takes_running_spans", False) for processor, _ in flat),
    )


def not_in(provider: object, processors: Iterable[SpanProcessor]) -> tuple[SpanProcessor, ...]:
    """The processors that the provider does not have yet, each once. One added twice would see each span twice."""
    seen = list(getattr(getattr(provider, "_active_span_processor", None), "_span_processors", ()))
    kept = []
    for processor in processors:
        if not any(processor is other for other in seen):
            seen.append(processor)
            kept.append(processor)
    return tuple(kept)


def _calls(flat: Sequence[tuple[SpanProcessor, bool]], method: str, doing: str) -> tuple[Callable[..., None], ...]:
    return tuple(
        _guarded(getattr(processor, method), doing) if relayed else getattr(processor, method)
        for processor, relayed in flat
        if hasattr(processor, method) and not _is_base_method(getattr(processor, method), method)
    )


def _is_base_method(call: object, method: str) -> bool:
    return getattr(call, "__func__", None) is getattr(SpanProcessor, method)


def _guarded(call: Callable[..., None], doing: str) -> Callable[..., None]:
    """Wrap the call of a processor given to `init()`: its exceptions are logged and do not reach the program."""
    place = guard(doing)

    def guarded(*arguments: Any, **named: Any) -> None:
        with place:
            call(*arguments, **named)

    return guarded if not getattr(getattr(call, "__self__", None), "takes_running_spans", False) else call
