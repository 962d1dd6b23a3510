"""An ended span of any library without its secrets, and otherwise as it was."""

from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace.span import TraceState

from agentops_otel.content import SpanRedaction

KEY = "sk-proj-a1B2c3D4e5F6g7H8i9J0"
PARTS = ("name", "attribute", "event", "of_event", "link", "status", "state", "scope", "resource")


def ended(**given: Any) -> ReadableSpan:
    """A span with something in each of its parts: what is given, or a word."""
    part = {name: given.get(name, "plain") for name in PARTS}
    provider = TracerProvider(
        resource=Resource({"service.name": "x", "note": part["resource"]}, "https://x.org/resource"),
        span_limits=SpanLimits(max_span_attributes=3, max_events=2, max_links=2),
    )
    state = TraceState([("mine", part["state"]), ("other", "plain")])
    caller = SpanContext(7, 8, True, TraceFlags(1), state)
    tracer = provider.get_tracer("another.library", "1.2", "https://x.org/scope", {"note": part["scope"]})
    with tracer.start_as_current_span(
        part["name"],
        set_span_in_context(NonRecordingSpan(caller)),
        SpanKind.SERVER,
        links=[Link(SpanContext(9, number, False), {"n": number}) for number in (1, 2)]
        + [Link(SpanContext(9, 3, False), {"note": part["link"], "n": 3})],
        start_time=10,
        end_on_exit=False,
    ) as span:
        for number in range(4):
            span.set_attribute(f"n{number}", number)
        span.set_attribute("note", part["attribute"])
        for number in (1, 2):
            span.add_event(f"event {number}", {"n": number}, 11)
        span.add_event(part["event"], {"note": part["of_event"], "n": 3}, 12)
        span.set_status(StatusCode.ERROR, part["status"])
        span.end(13)
    assert isinstance(span, ReadableSpan)
    return span


def dropped(span: ReadableSpan) -> tuple[int, int, int]:
    """How many attributes, events and links did not fit."""
    return span.dropped_attributes, span.dropped_events, span.dropped_links


def scope(span: ReadableSpan) -> tuple[object, ...]:
    """Whose span it is."""
    of = span.instrumentation_scope
    assert isinstance(of, InstrumentationScope)
    return of.name, of.version, of.schema_url, dict(of.attributes or {})


@pytest.mark.parametrize("part", PARTS)
def test_a_secret_in_one_part_changes_that_part_alone(part: str) -> None:
    """Ids, times, kind, parent, schema addresses, and how much had been dropped, stay; the span that was read too."""
    span = ended(**{part: f"with {KEY}"})
    before, of_scope = span.to_json(), scope(span)

    redacted = SpanRedaction(capture_content=True)(span)

    assert redacted.to_json() == before.replace(KEY, "[redacted]")
    assert scope(redacted)[:3] == of_scope[:3]
    assert scope(redacted)[3] == {"note": "with [redacted]" if part == "scope" else "plain"}
    assert redacted.resource.schema_url == "https://x.org/resource"
    assert dropped(redacted) == dropped(span) == (2, 1, 1)
    assert (span.to_json(), scope(span)) == (before, of_scope)
    assert redacted.context is not None
    assert span.context is not None
    assert redacted.context.trace_flags == span.context.trace_flags


def test_without_a_secret_it_is_the_same_object() -> None:
    """Also the second time, when resource and scope are known."""
    redaction = SpanRedaction(capture_content=True)
    spans = [ended(), ended()]

    assert [redaction(span) for span in spans * 2] == spans * 2


def test_what_is_known_of_resources_and_scopes_has_a_bound() -> None:
    """A program may make a provider for each of its jobs."""
    redaction, known = SpanRedaction(capture_content=True), []
    spans = [ended(resource=f"note {n}", scope=f"note {n}") for n in range(200)]
    for span in spans:
        redaction(span)
        known.append((len(redaction._resources), len(redaction._scopes)))

    assert known[:64] == [(n, n) for n in range(1, 65)]
    assert [max(counts) for counts in zip(*known, strict=True)] == [64, 64]


def test_resources_and_scopes_are_judged_each_by_itself() -> None:
    """However many there are: more than are remembered, some with a secret."""
    redaction = SpanRedaction(capture_content=True)
    notes = [f"{n} {KEY if n % 3 else 'plain'}" for n in range(150)]
    spans = [ended(resource=note, scope=note) for note in notes]

    for note, span in zip(notes * 2, spans * 2, strict=True):
        redacted, kept = redaction(span), note.replace(KEY, "[redacted]")
        assert (redacted.resource.attributes["note"], scope(redacted)[3]) == (kept, {"note": kept})


JUDGED: list[tuple[str, Any, Any]] = [
    ("password", "x", "[redacted]"),
    ("password", "", ""),
    ("password", 5, "[redacted]"),
    ("password", True, True),
    ("password", 1, "[redacted]"),
    ("password", 1.0, "[redacted]"),
    ("password", ("", ""), ("", "")),
    ("password", ("a", "b"), ("[redacted]", "[redacted]")),
    ("tokens", "x", "[redacted]"),
    ("tokens", "25", "25"),
    ("tokens", 25, 25),
    ("n", 5, 5),
    ("n", "5", "5"),
    ("n", ("a", "b"), ("a", "b")),
    ("n", (True, 1, None), (True, 1, None)),
    ("n", KEY, "[redacted]"),
    ("n", (KEY, "a"), ("[redacted]", "a")),
    ("command", ("run", "--password", "x", "y"), ("run", "--password", "[redacted]", "y")),
    ("headers", ("X-Api-Key", "x", "Accept", "*"), ("X-Api-Key", "[redacted]", "Accept", "*")),
    ("curl", ("curl", "-u", "ann:x"), ("curl", "-u", "[redacted]")),
    ("texts", tuple(f"{n} with {KEY}" for n in range(12)), tuple(f"{n} with [redacted]" for n in range(12))),
    ("long", f"{'word ' * 40}{KEY}", f"{'word ' * 40}[redacted]"),
    ("nested", {"a": {"secret": [1, {"b": "x"}]}}, {"a": {"secret": ("[redacted]", {"b": "[redacted]"})}}),
    ("keys", {"a": KEY, "b": [KEY, "c"]}, {"a": "[redacted]", "b": ("[redacted]", "c")}),
    ("bytes", {"token": b"x", "c": b"y"}, {"token": "[redacted]", "c": b"y"}),
    ("nothing", {"token": None, "c": [None, 1.5]}, {"token": None, "c": (None, 1.5)}),
    ("n", (["a", KEY],), (("a", "[redacted]"),)),
    ("list", ["a", KEY], ("a", "[redacted]")),
]  # fmt: skip
"""Of an attribute: its name, its value, and what stays of the value."""


@pytest.mark.parametrize(("name", "value", "kept"), JUDGED)
@pytest.mark.parametrize("capture_content", [True, False])
def test_an_attribute_is_judged_by_its_name_and_its_value(
    name: str, value: Any, kept: Any, capture_content: bool
) -> None:
    """Texts, numbers, and lists and mappings of them; a second time as the first."""
    redaction = SpanRedaction(capture_content=capture_content)
    attributes = {name: value, "other": "stays"}

    for _ in range(2):
        told = redaction.attributes(attributes)
        assert ({**attributes, **told} if told is not None else attributes) == {name: kept, "other": "stays"}
        assert (told is None) is (kept == value)


@pytest.mark.parametrize("capture_content", [True, False])
@pytest.mark.parametrize("rows", [JUDGED, JUDGED[::-1]], ids=["in order", "reversed"])
def test_what_is_known_of_an_attribute_holds_for_no_other(
    rows: list[tuple[str, Any, Any]], capture_content: bool
) -> None:
    """One name with other values, equal values of other types, one value under other names."""
    redaction = SpanRedaction(capture_content=capture_content)
    pairs = [(name, value, kept) for name, value, kept in rows for _ in range(2)]

    for name, value, kept in pairs:
        told = redaction.attributes({name: value})
        after = value if told is None else told[name]
        assert (after, type(after)) == (kept, type(kept) if told is not None else type(value))


def test_what_is_known_of_attributes_has_a_bound() -> None:
    """Names and values may differ each time."""
    redaction, known = SpanRedaction(capture_content=True), []
    for n in range(8200):
        assert redaction.attributes({"id": f"id {n}", f"n{n}": n}) is None
        known.append((len(redaction._known), len(redaction._numeric)))

    assert known[:8192] == [(n, n) for n in range(1, 8193)]
    assert known[8192:] == [(n, n) for n in range(1, 9)]
    redaction.attributes({"long": "a" * 65, "many": ("a",) * 9, "short": "a" * 64})
    assert len(redaction._known) == 9
