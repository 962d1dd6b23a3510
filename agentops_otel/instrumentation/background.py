"""Background responses: the server goes on working, and the program fetches the result in a later call."""

from collections import OrderedDict

from opentelemetry.trace import Link, Span, SpanContext


class BackgroundResponses:
    """The span contexts of background responses by response id, for links from the calls that fetch them.

    Args:
        limit: How many are remembered; the oldest is forgotten first.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._spans: OrderedDict[str, SpanContext] = OrderedDict()
        self._limit = limit

    def keep(self, response_id: str, span: Span) -> None:
        """Remember the span of a response."""
        self._spans[response_id] = span.get_span_context()
        if len(self._spans) > self._limit:
            self._spans.popitem(last=False)

    def links(self, response_id: str | None) -> list[Link]:
        """A link to the span of that response, if it is remembered."""
        span = self._spans.get(response_id) if response_id else None
        return [Link(span)] if span else []
