"""With content off, no text of the user's own is on a span, but for names and tags."""

import pytest

import agentops_otel
from agentops_otel import ErrorEvent, Event
from agentops_otel.testing import capture
from agentops_otel.tracing.content_policy import SPAN_LIMIT_BYTES

WORDS = "private words"


class Unprintable:
    """A rating that cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def test_ratings_and_errors_are_content() -> None:
    """A free-text rating, and an error's code and type as the program gave them, stay in; a number is a number."""
    with capture(capture_content=False) as captured:
        agentops_otel.start_session()
        agentops_otel.record(ErrorEvent(error_type=WORDS, code=WORDS, details=WORDS, trigger_event=Event("x")))
        agentops_otel.record(ErrorEvent(error_type=WORDS, code=WORDS))
        agentops_otel.end_session("Success", rating=WORDS)
        agentops_otel.start_session()
        agentops_otel.end_session("Success", rating=4)

    said = "".join(span.to_json() for span in captured.spans)
    assert len(captured.spans) == 4
    assert WORDS not in said
    assert '"agentops.session.rating": "4"' in said


def test_with_content_they_are_recorded() -> None:
    """Nothing is lost where content is on."""
    with capture() as captured:
        agentops_otel.start_session()
        agentops_otel.record(ErrorEvent(error_type="timeout", code="E1"))
        agentops_otel.end_session("Success", rating=f"{WORDS}, and sk-proj-a1B2c3D4e5F6g7H8")

    error, session = captured.spans
    assert (error.attributes or {})["agentops.event.error.code"] == "E1"
    assert (session.attributes or {})["agentops.session.rating"] == f"{WORDS}, and [redacted]"


@pytest.mark.parametrize("rating", [Unprintable(), ["good", {"password": "letmein"}], None])
def test_a_rating_that_cannot_be_read_loses_no_session(rating: object) -> None:
    """None of its code is run, and the session ends."""
    with capture() as captured:
        agentops_otel.start_session()
        agentops_otel.end_session("Success", rating=rating)

    [session] = captured.spans
    assert (session.attributes or {})["agentops.session.end_state"] == "Success"
    assert "letmein" not in session.to_json()


def test_metadata_is_redacted_by_its_name_and_bounded_like_all_content() -> None:
    """A password is replaced, and a hundred texts are at most what one span holds."""
    with capture() as captured, agentops_otel.start_trace("x", tags={"api_key": "letmein"}):
        agentops_otel.update_trace_metadata({"password": "letmein", "tokens": 25, "TAVILY_KEY": ["letmein"]})
        agentops_otel.update_trace_metadata({f"text {n}": "x" * 40_000 for n in range(100)})

    attributes = captured.spans[0].attributes or {}
    assert attributes["trace.metadata.password"] == "[redacted]"
    assert attributes["trace.metadata.tokens"] == 25
    assert attributes["trace.metadata.TAVILY_KEY"] == '["[redacted]"]'
    assert sum(len(value) for value in attributes.values() if isinstance(value, str)) <= SPAN_LIMIT_BYTES
    assert "letmein" not in str(attributes)
