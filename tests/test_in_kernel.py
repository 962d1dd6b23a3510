"""What is written in TaskWeaver's kernel is what the round's process records."""

from pathlib import Path

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from agentops_otel.in_kernel import _Writer
from agentops_otel.taskweaver.kernel import FILE, Kernel
from agentops_otel.testing import capture


def test_a_span_of_the_kernel_is_all_that_it_was(tmp_path: Path) -> None:
    """Kind, times, attributes, events, links and status; below its parent, in a trace of the round."""
    (tmp_path / "ces").mkdir()
    kernel = Kernel(tmp_path, container=False)
    with (tmp_path / "ces" / FILE).open("a", encoding="utf-8", buffering=1) as file:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(_Writer(file))
        tracer = provider.get_tracer("kernel")
        outer = tracer.start_span(
            "outer", Context(), SpanKind.SERVER, {"a": 1, "several": ("x", "y")}, start_time=1_000
        )
        links = [Link(SpanContext(0xA, 0xB, is_remote=True))]
        inner = tracer.start_span("inner", trace.set_span_in_context(outer), links=links, start_time=2_000)
        inner.add_event("seen", {"n": 2}, 2_500)
        inner.set_status(Status(StatusCode.ERROR, "no page"))
        inner.end(3_000)
        outer.set_status(StatusCode.OK)
        outer.end(4_000)

    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        kernel.leave(recorder, Context())

    assert captured.tree() == [
        {
            "name": "outer",
            "kind": "SERVER",
            "status": "OK",
            "attributes": {"a": 1, "several": ["x", "y"]},
            "children": [
                {
                    "name": "inner",
                    "status": "ERROR: no page",
                    "events": [{"name": "seen", "n": 2}],
                    "links": ["b"],
                }
            ],
        }
    ]
    outside, inside = captured.spans
    assert [(one.start_time, one.end_time) for one in (outside, inside)] == [(1_000, 4_000), (2_000, 3_000)]
    assert [event.timestamp for event in inside.events] == [2_500]
    assert [link.context.trace_id for link in inside.links] == [0xA]
    assert inside.context.trace_id == outside.context.trace_id != inner.get_span_context().trace_id
