"""Tags: strings that spans have as `agentops.tags`, none twice."""

from collections.abc import Iterable, Mapping, Sequence

from opentelemetry.context import Context, get_current
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content.redaction import redact_cached
from agentops_otel.tracing import Recorder


def distinct(tags: Iterable[str] | str | None) -> tuple[str, ...]:
    """Redacted tags without duplicates, in their order. A single string is one tag."""
    return tuple(dict.fromkeys(map(redact_cached, (tags,) if isinstance(tags, str) else tags or ())))


def with_tags(
    recorder: Recorder, context: Context | None, tags: Sequence[str], attributes: Mapping[str, AttributeValue]
) -> Mapping[str, AttributeValue]:
    """The attributes of a span, with the tags of the context's session followed by *tags*."""
    if not tags:
        return attributes
    defaults = recorder.defaults.attributes(get_current() if context is None else context)
    of_session = defaults.get(semconv.AGENTOPS_TAGS, ())
    before = of_session if isinstance(of_session, Sequence) else ()
    return {**attributes, semconv.AGENTOPS_TAGS: distinct(str(tag) for tag in (*before, *tags))}
