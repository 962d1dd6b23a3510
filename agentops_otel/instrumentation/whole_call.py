"""One call of a framework's method as one step, whatever it returns: a value, a coroutine or a stream."""

from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from opentelemetry.context import Context

from agentops_otel.guard import guard
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.steps import Source, Steps
from agentops_otel.wrapping.stream import StreamObserver, observed_call, observed_stream


class Heard(Protocol):
    """Hears the items of a stream, in which a framework may tell of further steps."""

    def hear(self, item: Any) -> None:
        """An item was read."""

    def ended(self) -> None:
        """There are no more: the step is about to end."""


def whole_call(
    steps: Steps,
    source: Source,
    call: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    key: Hashable = None,
    heard: Heard | None = None,
    holders: Sequence[Any] = (),
) -> Any:
    """Make the call a step, which is current while the framework's own code runs and never in the program.

    Of a stream the last item is the step's result, and *heard* hears each. A *key* is of this call alone, for those
    who say that something is within it. The stream may be the `result` of what is returned; *holders* have it there
    too.
    """
    key = key or object()
    steps.begin(key, source)
    context = steps.context_of(key)
    if context is None:
        return call(*args, **kwargs)
    return observed_call(_Call(steps, key, context, heard, holders), call, *args, **kwargs)


class _Call:
    """The call itself, which ends the step unless it returns a stream."""

    def __init__(
        self, steps: Steps, key: Hashable, context: Context, heard: Heard | None, holders: Sequence[Any]
    ) -> None:
        self.context = context
        self._steps = steps
        self._key = key
        self._heard = heard
        self._holders = holders

    def returned(self, value: Any) -> Any:
        """End the step, or observe the stream."""
        if isinstance(value, Iterator | AsyncIterator):
            return self._observed(value)
        with guard("observing the stream in what a call returned"):
            held = field(value, "result") if self._holders else None
            if isinstance(held, Iterator | AsyncIterator):
                observed = self._observed(held)
                for holder in (value, *self._holders):
                    holder.result = observed
                return value
        self._steps.end(self._key, value)
        return value

    def _observed(self, stream: Any) -> Any:
        return observed_stream(stream, _Stream(self._steps, self._key, self.context, self._heard))

    def raised(self, error: BaseException) -> None:
        """End the step by the exception."""
        self._steps.end(self._key, error=error)


class _Stream(StreamObserver):
    """The stream that the call returned; its end is the step's."""

    def __init__(self, steps: Steps, key: Hashable, context: Context, heard: Heard | None) -> None:
        super().__init__(context)
        self._steps = steps
        self._key = key
        self._heard = heard
        self._last: Any = None

    def chunk(self, chunk: Any) -> Any:
        """Keep it, it may be the last."""
        self._last = chunk
        if self._heard is not None:
            with guard("hearing an item of a stream"):
                self._heard.hear(chunk)
        return chunk

    def exhausted(self) -> None:
        """End the step with the last item."""
        self._end(self._last)

    def failed(self, error: Exception) -> None:
        """End the step by the exception."""
        self._end(error=error)

    def abandoned(self) -> None:
        """End the step as abandoned."""
        self._end(error=GeneratorExit())

    def _end(self, result: Any = None, error: BaseException | None = None) -> None:
        if self._heard is not None:
            self._heard.ended()
        self._steps.end(self._key, result, error)
