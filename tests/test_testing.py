"""`testing.capture` is OpenTelemetry's own provider, whatever the environment says."""

import pytest
from opentelemetry.sdk.trace import SpanLimits

import agentops_otel
from agentops_otel import testing


def test_the_limits_of_captured_spans_are_opentelemetrys_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which the environment does not change."""
    defaults = vars(SpanLimits())
    for name in ("SPAN_ATTRIBUTE_COUNT", "SPAN_EVENT_COUNT", "SPAN_LINK_COUNT", "ATTRIBUTE_COUNT"):
        monkeypatch.setenv(f"OTEL_{name}_LIMIT", "1")

    with testing.capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        span = recorder.start("many", attributes={str(n): n for n in range(200)})
        recorder.end(span)

    assert vars(testing._LIMITS) == defaults
    assert len(captured.spans[0].attributes or {}) == 128


def test_a_capture_is_told_what_it_leaves_alone() -> None:
    """Nothing, unless it is said; and threads have no span of their starter's. The environment is not asked."""
    with testing.capture() as captured:
        settings = captured.client.config
        captured.client.record_action("work")(lambda: None)()

    assert settings.instrument_llm_calls
    assert settings.instrument_taskweaver
    assert settings.instrument_frameworks
    assert settings.capture_content
    assert not settings.propagate_threads
    assert testing._provider().resource.attributes == {"service.name": "test"}


def test_captured_spans_are_shown_by_their_client() -> None:
    """And not with what keeps them, when a test prints what it compared."""
    with testing.capture() as captured:
        shown = repr(captured)

    assert shown == f"Capture(client={captured.client!r})"


def test_a_capture_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither where spans go, nor what a session came to."""
    with testing.capture() as captured:
        agentops_otel.start_session().end_session("Success")

    assert [span.name for span in captured.spans] == ["invoke_workflow session"]
    assert capfd.readouterr() == ("", "")
