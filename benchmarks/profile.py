"""Where the time of one decorated call and of one LLM call goes, a line a step: `python -m benchmarks.profile`.

Each step is timed alone, in CPU time of the thread; the least of fifteen blocks counts. Indented steps are part of the
one above them. Nothing is delivered meanwhile.
"""

import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider

import agentops_otel
from agentops_otel import sdk
from agentops_otel.content import copy_fields, snapshot
from agentops_otel.instrumentation.adoption import Adoptions
from agentops_otel.instrumentation.background import BackgroundResponses
from agentops_otel.instrumentation.call import Call, CallServices
from agentops_otel.instrumentation.deferred import copy_request
from agentops_otel.instrumentation.events import Events
from agentops_otel.instrumentation.tables import attributes, contents
from agentops_otel.instrumentation.wrapper import wrapper_of
from agentops_otel.metrics.call_metrics import Metrics
from agentops_otel.recording.decorated import DecoratedCall
from agentops_otel.tracing import SPAN_KEY, CheckedAttributes, attach_context, current_context, detach_context

sys.path.insert(0, str(Path(__file__).parent))
from _calls import PLAIN  # beside this file, as the benchmarks that are run as files import it

CALLS, BLOCKS = 400, 15
ARGUMENTS = (1, "two", 3.0)
BACK = {"answer": 42, "text": "some", "ok": True}


def three(a: int, b: str, c: float = 0.5) -> dict[str, object]:
    return BACK


def steps(decorated: Callable[..., Any], client: Any) -> dict[str, Callable[[], object]]:
    """What is timed, by its name."""
    call: DecoratedCall = next(
        cell.cell_contents for cell in decorated.__closure__ or () if isinstance(cell.cell_contents, DecoratedCall)
    )
    recorder, current = client.recorder, current_context()
    span = call.begin(recorder, current, ARGUMENTS, {})
    assert span is not None
    form, names, tracer = span._form, call.names(), recorder.tracer

    def end_call() -> None:
        running = tracer.begin("three", None, 0, form, ARGUMENTS)
        running._start_time = 1
        recorder.end_call(running, BACK)

    def end() -> None:
        running = tracer.begin("three", None)
        running._start_time = 1
        running.end(2)

    return {
        "the whole call": lambda: decorated(*ARGUMENTS),
        "the bare function": lambda: three(*ARGUMENTS),
        "the running recorder": sdk.current,
        "start: DecoratedCall.begin": lambda: call.begin(recorder, current, ARGUMENTS, {}),
        "  the session's attributes and parent": lambda: recorder.defaults.at(current),
        "  the arguments: whether they may be kept": lambda: names.plain(ARGUMENTS),
        "  Recorder.begin": lambda: recorder.begin(form, ARGUMENTS, None, current),
        "    Tracer.begin: the span and its ids": lambda: tracer.begin("three", None, 0, form, ARGUMENTS),
        "    which processors there are": tracer.dispatch,
        "    the clock": time.time_ns,
        "the context of the body": lambda: Context({**current, SPAN_KEY: span}),
        "attach and detach": lambda: detach_context(attach_context(current)),
        "the result's snapshot": lambda: snapshot(BACK),
        "Tracer.begin and Recorder.end_call": end_call,
        "an empty span, begun and ended": end,
    }


class Client:
    """Answers at once, where a vendor's package sends."""

    base_url = "http://model/v1"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def request(self, options: object) -> Any:
        """The answer."""
        return self.answer


def llm_steps(client: Any, number: int) -> dict[str, Callable[[], object]]:
    """The same of one LLM call: the *number*th of `_calls.PLAIN`."""
    asked = PLAIN[number]
    spec, operation, answer, options = asked.spec, asked.operation, asked.answer, asked.options()
    model, recorder = Client(answer), client.recorder
    services = CallServices(Metrics(), Events(), lambda spec: None, BackgroundResponses(), Adoptions())
    wrapper = wrapper_of(spec, [operation], Client.request, sdk.current, services)
    given = {"options": options}
    request, _, _ = wrapper._match(model, (), given)
    assert request is not None
    _, arguments, _ = request
    body = spec.body(arguments)
    started_with = attributes(operation.start_rows, body)
    started_with.update({"gen_ai.operation.name": operation.name, **spec.server_attributes(model)})
    copied, answer_copy = copy_request(operation, body), copy_fields(answer)
    assert answer_copy is not None
    copied_answer = answer_copy.value()

    def begin() -> Call:
        requested = CheckedAttributes(started_with)
        span = recorder.start("chat", attributes=requested, context=current_context())
        call = Call(
            recorder,
            spec,
            operation,
            services,
            span,
            requested,
            1,
            owns_span=True,
            pending_request=None,
            is_streamed=False,
            defers=True,
        )
        call.record_request(body, copied)
        return call

    def complete() -> None:
        begin().completed(answer)

    return {
        f"the whole call: {asked.name}": lambda: wrapper(model.request, model, (), given),
        "the bare call": lambda: model.request(**given),
        "which operation it is, and its arguments": lambda: wrapper._match(model, (), given),
        "provider and server": lambda: spec.server_attributes(model),
        "a copy of the request's body": lambda: copy_request(operation, body),
        "the span and its call, begun and completed": complete,
        "  a copy of the response": lambda: copy_fields(answer),
        "not in this thread: the request's attributes": lambda: attributes(operation.request_rows, body),
        "  its messages": lambda: contents(operation.request_content_rows, body),
        "  the response's attributes": lambda: attributes(operation.response_rows, copied_answer),
        "  its messages ": lambda: contents(operation.response_content_rows, copied_answer),
    }


def main() -> None:
    """Print the table."""
    client = agentops_otel.init(console=False, trace_file=False, spool_dir=False, instrument_llm_calls=False)
    raw = TracerProvider().get_tracer("raw")

    def raw_span() -> None:
        with raw.start_as_current_span("raw"):
            pass

    decorated = agentops_otel.record_action(three)
    decorated(*ARGUMENTS)
    first = {"a raw span of the SDK, no processor": raw_span, **steps(decorated, client)}
    for table in (first, llm_steps(client, 0), llm_steps(client, 1)):
        for name, step in table.items():
            print(f"{name:56} {_least_ns(step, client):7.0f} ns")
        print()


def _least_ns(step: Callable[[], object], client: Any) -> float:
    least = float("inf")
    for _ in range(BLOCKS):
        client.pipeline.drain(10)
        least = min(least, timeit.timeit(step, timer=time.thread_time, number=CALLS) / CALLS * 1e9)
    return least


if __name__ == "__main__":
    main()
