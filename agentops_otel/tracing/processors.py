"""The calls that a span's start and end make: a provider's span processors, looked through when they change."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, SynchronousMultiSpanProcessor

from agentops_otel.guard import guard
from agentops_otel.tracing.relay import Relay

_NO_RELAY = Relay()


@dataclass(slots=True, kw_only=True)
class Dispatch:
    """The calls for the processors of one moment; those whose method is the base class's are left out."""

    source: Any
    """What holds the processors: the provider's `SynchronousMultiSpanProcessor`, or something that looks like one."""
    processors: Sequence[SpanProcessor]
    """What they were when this was made: compared by identity."""
    relay: Relay
    targets: Sequence[SpanProcessor]
    """The relay's, likewise."""
    on_start: Sequence[Callable[..., None]]
    on_ending: Sequence[Callable[[Any], None]]
    on_end: Sequence[Callable[[ReadableSpan], None]]
    takes_running: bool
    """True if all of `on_end` are ours: they are given the span itself, and not a read-only copy."""


class _Fixed:
    """A processor that calls others in its own way, such as `ConcurrentMultiSpanProcessor`: one that never changes."""

    def __init__(self, processor: SpanProcessor) -> None:
        self._span_processors = (processor,)


def dispatch_for(processor: SpanProcessor) -> Dispatch:
    """The calls for a provider's processor: for those in it, and for the targets of our relay among them."""
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
    """The processors that the provider does not have already, each once: added twice, one would see each span twice."""
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
    """The call of a processor that came by `init()`: the program that makes the span does not see its exception."""
    place = guard(doing)

    def guarded(*arguments: Any, **named: Any) -> None:
        with place:
            call(*arguments, **named)

    return guarded if not getattr(getattr(call, "__self__", None), "takes_running_spans", False) else call
