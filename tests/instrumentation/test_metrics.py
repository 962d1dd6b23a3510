"""The conventions' metrics of a call, under the names of v1.41 and the newest ones."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from inline_snapshot import snapshot
from opentelemetry import metrics
from opentelemetry.metrics import NoOpMeter
from opentelemetry.metrics._internal import _ProxyMeterProvider
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext
from opentelemetry.util.types import AttributeValue

import agentops_otel
from agentops_otel.metrics import span_metrics
from agentops_otel.metrics.call_metrics import SECONDS, TOKENS, Metrics, are_kept
from agentops_otel.metrics.span_metrics import AGENT_SECONDS, CALLS, SpanMetrics
from agentops_otel.view import cost
from tests.clients.capture import capture
from tests.clients.openai_calls import ASKED, sync_client
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import answer, completion, embeddings, response
from tests.loopback.otlp_sink import OtlpSink
from tests.meter_provider import restored_meter_provider

_reader: InMemoryMetricReader


@pytest.fixture(scope="module", autouse=True)
def _meters() -> Iterator[None]:
    """OpenTelemetry takes one meter provider a process; the tests of other modules have none again.

    With several workers those may run between two of these: a reader is for one provider.
    """
    global _reader
    deltas: dict[type, AggregationTemporality] = {
        Counter: AggregationTemporality.DELTA,
        Histogram: AggregationTemporality.DELTA,
    }
    _reader = InMemoryMetricReader(preferred_temporality=deltas)
    provider = MeterProvider([_reader], shutdown_on_exit=False)
    with restored_meter_provider():
        metrics.set_meter_provider(provider)
        assert metrics.get_meter_provider() is provider
        yield
        provider.shutdown()


LATEST = {"gen_ai_latest_experimental"}
OURS = ("gen_ai.", "agentops.usage.")


def measured() -> dict[str, list[dict[str, Any]]]:
    """The points of each metric of calls since the last look, without the server's port.

    The providers and exporters of other tests, which the collector has not met yet, may have metrics of their own.
    """
    data = _reader.get_metrics_data()
    found: dict[str, list[dict[str, Any]]] = {}
    scopes = [scope for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics]
    for metric in (metric for scope in scopes for metric in scope.metrics if metric.name.startswith(OURS)):
        for point in metric.data.data_points:
            said = {name: value for name, value in (point.attributes or {}).items() if not name.startswith("server.")}
            value = point.sum if isinstance(point, HistogramDataPoint) else getattr(point, "value", None)
            found.setdefault(metric.name, []).append({"unit": metric.unit, "value": value, **said})
            if isinstance(point, HistogramDataPoint):
                assert tuple(point.explicit_bounds) in (SECONDS, TOKENS, AGENT_SECONDS, CALLS)
    return found


def summary(point: dict[str, Any]) -> str:
    """A point in one line, without its duration."""
    value = point["value"] if point["unit"] == "{token}" else ""
    said = [point["gen_ai.request.model"], point.get("gen_ai.token.type"), point.get("error.type"), value]
    return " ".join(str(word) for word in said if word not in (None, ""))


def calls(server: LlmServer) -> None:
    """A call, a stream, an embedding and a failure, each of another model."""
    server.answer(answer(completion(), stream=False))
    server.answer(answer(completion(), stream=True))
    server.answer(embeddings([0.1]))
    server.answer(Answer.json({"error": {}}, 400))
    with sync_client(server) as client:
        client.chat.completions.create(**ASKED)
        list(client.chat.completions.create(**{**ASKED, "model": "streamed"}, stream=True))
        client.embeddings.create(model="embed", input="warm")
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(**{**ASKED, "model": "failed"})


def test_the_bounds_of_histograms_are_those_of_the_conventions() -> None:
    """As the page about GenAI metrics lists them."""
    assert SECONDS == (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
    assert (*(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864),) == TOKENS
    assert AGENT_SECONDS == (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)
    assert CALLS == (1, 2, 4, 8, 16, 32, 64, 128)


def test_an_instrument_without_one_behind_it_keeps_nothing() -> None:
    """As the API's placeholder is before there is a meter provider; with one, each keeps what it is given."""
    placeholders = [SimpleNamespace(_real_instrument=real) for real in (None, object())]

    assert [are_kept(instrument) for instrument in (*placeholders, object(), None)] == [False, True, True, True]


@pytest.mark.parametrize(
    ("provider", "keeps"),
    [
        (metrics.NoOpMeterProvider, False),
        (_ProxyMeterProvider, False),
        (partial(MeterProvider, shutdown_on_exit=False), True),
    ],
)
def test_the_apis_own_providers_keep_nothing(
    provider: Callable[[], metrics.MeterProvider], keeps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does nothing, and the one that stands for what is set later."""
    monkeypatch.setattr(metrics, "get_meter_provider", provider)

    assert are_kept() is keeps


class Late:
    """Prices that are not known until they are told."""

    loaded = False

    def price(self, attributes: Mapping[str, AttributeValue], *, wait: bool) -> float | None:
        """A dollar a call."""
        assert not wait
        return 1.0 if self.loaded else None

    def wait_until_loaded(self, timeout_s: float) -> bool:
        """Whether they are."""
        return self.loaded


def test_so_many_calls_wait_for_their_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest; once the prices are known all of them are counted, once."""
    monkeypatch.setattr(span_metrics, "UNPRICED", 3)
    prices = Late()
    processor = SpanMetrics(prices)
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    for number in range(5):
        processor.on_end(ReadableSpan("chat", SpanContext(1, number + 1, False), attributes=call))
    waiting = processor.force_flush(0)
    before = measured().get("agentops.usage.cost", [])

    prices.loaded = True

    assert (waiting, before, processor.force_flush(), processor.force_flush()) == (False, [], True, True)
    assert [point["value"] for point in measured()["agentops.usage.cost"]] == [3.0]


def ended(
    name: str,
    own: int,
    above: int | None = None,
    *,
    is_remote: bool = False,
    said: Mapping[str, str] | None = None,
    times: tuple[int | None, int | None] = (None, None),
) -> ReadableSpan:
    """A span of that operation, as another provider ends it."""
    parent = None if above is None else SpanContext(1, above, is_remote)
    attributes = {"gen_ai.operation.name": name, **(said or {})} if name else {}
    context = SpanContext(1, own, is_remote=False)
    return ReadableSpan(name, context, parent, attributes=attributes, start_time=times[0], end_time=times[1])


def test_a_span_is_measured_in_seconds() -> None:
    """An agent and a tool, with what they say of themselves; one without times lasts no time."""
    processor, half = SpanMetrics(Late()), (1_000_000_000, 1_500_000_000)
    tool = {"gen_ai.tool.name": "t", "gen_ai.tool.type": "function", "gen_ai.agent.name": "a", "error.type": "E"}
    measured()

    processor.on_end(ended("execute_tool", 2, 1, said=tool, times=half))
    processor.on_end(ended("invoke_agent", 1, said={"gen_ai.agent.name": "a", "gen_ai.tool.name": "no"}, times=half))
    processor.on_end(ended("invoke_agent", 3, said={"gen_ai.agent.name": "timeless"}))

    found = measured()
    assert found["gen_ai.execute_tool.duration"] == [{"unit": "s", "value": 0.5, **tool}]
    agent = {"unit": "s", "gen_ai.operation.name": "invoke_agent"}
    assert found["gen_ai.invoke_agent.duration"] == [
        {**agent, "value": 0.5, "gen_ai.agent.name": "a"},
        {**agent, "value": 0, "gen_ai.agent.name": "timeless"},
    ]


def agent(name: str, own: int, above: int | None = None) -> ReadableSpan:
    """An agent's run."""
    return ended("invoke_agent", own, above, said={"gen_ai.agent.name": name})


def calls_of(processor: SpanMetrics, *spans: ReadableSpan) -> dict[str, tuple[int, int]]:
    """How many calls of models and of tools each agent among them is said to have made."""
    measured()
    for span in spans:
        processor.on_end(span)
    found = measured()
    inferences, tools = (found[f"gen_ai.invoke_agent.{name}_calls"] for name in ("inference", "tool"))
    return {one["gen_ai.agent.name"]: (one["value"], two["value"]) for one, two in zip(inferences, tools, strict=True)}


def test_calls_are_counted_for_the_agent_that_is_next_above_them() -> None:
    """Through steps, tools and calls of models; not through another agent, nor for who is in another process."""
    spans = [
        ended("execute_tool", 11, 10),  # below a call of a tool
        ended("execute_tool", 10, 9),
        ended("chat", 12, 9),
        ended("embeddings", 13, 9),  # asks no model
        ended("", 9, 1),  # a step
        ended("text_completion", 8, 1),
        ended("execute_tool", 7, 6),
        agent("inner", 6, 1),
        ended("execute_tool", 5, 1, is_remote=True),
        ended("execute_tool", 4),  # a root
        agent("outer", 1),
        agent("again", 1),  # what was counted is counted once
    ]

    assert calls_of(SpanMetrics(Late()), *spans) == {"inner": (0, 1), "outer": (2, 2), "again": (0, 0)}


def test_the_calls_of_so_many_open_spans_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest: a span that never ends is forgotten for those that do."""
    monkeypatch.setattr(span_metrics, "UNFINISHED", 2)
    calls = [ended("execute_tool", 10 + above, above) for above in (1, 2, 3)]
    agents = [agent(name, own) for own, name in enumerate(("first", "second", "third"), start=1)]

    assert calls_of(SpanMetrics(Late()), *calls, *agents) == {"first": (0, 0), "second": (0, 1), "third": (0, 1)}


def test_prices_are_waited_for_as_long_as_a_flush_may_take() -> None:
    """In seconds; a call that ends waits for nothing, and a flush that has none to price for nothing either."""
    waited: list[float] = []

    class Waiting(Late):
        def wait_until_loaded(self, timeout_s: float) -> bool:
            waited.append(timeout_s)
            return False

    processor = SpanMetrics(Waiting())
    assert processor.force_flush() is True
    processor.on_end(ended("chat", 1))

    assert (processor.force_flush(250), processor.force_flush(), waited) == (False, False, [0.0, 0.25, 30.0])


def test_a_call_whose_price_is_not_in_the_list_waits_no_longer() -> None:
    """It costs nobody knows what."""

    class Unknown(Late):
        loaded = True
        asked = 0

        def price(self, attributes: Mapping[str, AttributeValue], *, wait: bool) -> float | None:
            self.asked += 1
            return None

    prices = Unknown()
    processor = SpanMetrics(prices)
    processor.on_end(ended("chat", 1))

    assert (processor.force_flush(), prices.asked) == (True, 1)


def test_each_instrument_is_the_conventions() -> None:
    """Kind, name, unit, what it says of itself, and the bounds that a histogram has by default."""
    made: list[tuple[object, ...]] = []

    class Meter(NoOpMeter):
        def create_histogram(self, name: str, unit: str = "", description: str = "", **more: Any) -> Any:
            made.append(("histogram", name, unit, description, len(more["explicit_bucket_boundaries_advisory"])))
            return super().create_histogram(name, unit, description, **more)

        def create_counter(self, name: str, unit: str = "", description: str = "") -> Any:
            made.append(("counter", name, unit, description))
            return super().create_counter(name, unit, description)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(metrics, "get_meter", Meter)
        for opt_in in (frozenset(), frozenset(LATEST)):
            Metrics(opt_in)
        SpanMetrics(cost)

    assert made == snapshot(
        [
            ("histogram", "gen_ai.client.operation.duration", "s", "Duration of an operation.", 14),
            ("histogram", "gen_ai.client.operation.time_to_first_chunk", "s", "Time to the first chunk.", 14),
            ("histogram", "gen_ai.client.operation.time_per_output_chunk", "s", "Time from one chunk to the next.", 14),
            ("histogram", "gen_ai.client.token.usage", "{token}", "Tokens of a call.", 14),
            ("histogram", "gen_ai.client.operation.duration", "s", "Duration of an operation.", 14),
            ("histogram", "gen_ai.client.inference.duration", "s", "Duration of an inference.", 14),
            ("histogram", "gen_ai.client.inference.time_to_first_chunk", "s", "Time to the first chunk.", 14),
            ("histogram", "gen_ai.client.inference.time_per_output_chunk", "s", "Time from one chunk to the next.", 14),
            ("counter", "gen_ai.client.inference.usage.input_tokens", "{token}", "Tokens in all."),
            ("counter", "gen_ai.client.inference.usage.output_tokens", "{token}", "Tokens in all."),
            ("counter", "gen_ai.client.inference.usage.cache_read.input_tokens", "{token}", "Tokens in all."),
            ("counter", "gen_ai.client.inference.usage.cache_write.input_tokens", "{token}", "Tokens in all."),
            ("counter", "gen_ai.client.inference.usage.reasoning.output_tokens", "{token}", "Tokens in all."),
            ("histogram", "gen_ai.client.inference.operation.input_tokens", "{token}", "Tokens of a call.", 14),
            ("histogram", "gen_ai.client.inference.operation.output_tokens", "{token}", "Tokens of a call.", 14),
            ("histogram", "gen_ai.invoke_agent.duration", "s", "Duration of an agent's run.", 13),
            (
                "histogram",
                "gen_ai.invoke_agent.inference_calls",
                "{inference_call}",
                "Calls of a model in an agent's run.",
                8,
            ),
            ("histogram", "gen_ai.invoke_agent.tool_calls", "{tool_call}", "Calls of tools in an agent's run.", 8),
            ("histogram", "gen_ai.execute_tool.duration", "s", "Duration of a call of a tool.", 14),
            ("counter", "agentops.usage.cost", "{USD}", "Cost of calls of a model, where it is known."),
        ]
    )


@pytest.mark.parametrize("opt_in", [frozenset(), frozenset(LATEST)], ids=["v1.41", "latest"])
def test_calls_are_measured(opt_in: frozenset[str], server: LlmServer) -> None:
    """Durations, tokens and the time to the first chunk are recorded under the names that were chosen."""
    with capture(opt_in=opt_in):
        calls(server)

    said = {name: [summary(point) for point in points] for name, points in measured().items()}
    expected = snapshot(
        {
            "v1.41": {
                "gen_ai.client.operation.duration": [
                    "gpt-4.1",
                    "streamed",
                    "embed",
                    "failed openai.BadRequestError",
                ],
                "gen_ai.client.token.usage": [
                    "gpt-4.1 input 11",
                    "gpt-4.1 output 7",
                    "streamed input 11",
                    "streamed output 7",
                    "embed input 2",
                ],
                "gen_ai.client.operation.time_to_first_chunk": ["streamed"],
                "gen_ai.client.operation.time_per_output_chunk": ["streamed"],
            },
            "latest": {
                "gen_ai.client.operation.duration": ["embed"],
                "gen_ai.client.inference.duration": ["gpt-4.1", "streamed", "failed openai.BadRequestError"],
                "gen_ai.client.inference.usage.input_tokens": ["gpt-4.1 11", "streamed 11", "embed 2"],
                "gen_ai.client.inference.usage.output_tokens": ["gpt-4.1 7", "streamed 7"],
                "gen_ai.client.inference.usage.cache_read.input_tokens": ["gpt-4.1 4", "streamed 4"],
                "gen_ai.client.inference.usage.reasoning.output_tokens": ["gpt-4.1 3", "streamed 3"],
                "gen_ai.client.inference.operation.input_tokens": ["gpt-4.1 11", "streamed 11", "embed 2"],
                "gen_ai.client.inference.operation.output_tokens": ["gpt-4.1 7", "streamed 7"],
                "gen_ai.client.inference.time_to_first_chunk": ["streamed"],
                "gen_ai.client.inference.time_per_output_chunk": ["streamed"],
            },
        }
    )
    assert said == expected["latest" if opt_in else "v1.41"]


def test_the_times_of_a_stream_are_those_of_its_chunks(server: LlmServer) -> None:
    """In seconds, of a clock that goes on by a millisecond each time that it is looked at."""
    server.answer(answer(completion(), stream=True))
    measured()

    with capture() as captured, sync_client(server) as client:
        chunks = list(client.chat.completions.create(**ASKED, stream=True))

    (span,) = captured.spans
    assert span.start_time
    assert span.end_time
    values = {name.rpartition(".")[2]: [point["value"] for point in points] for name, points in measured().items()}
    assert len(chunks) > 2
    assert values["duration"] == [(span.end_time - span.start_time) / 1e9]
    assert values["duration"] == pytest.approx([0.001 * (len(chunks) + 1)])
    assert values["time_to_first_chunk"] == pytest.approx([0.001])
    assert values["time_per_output_chunk"] == pytest.approx([0.001 * (len(chunks) - 1)])


def test_an_answer_that_says_that_it_failed_is_measured_as_failed(server: LlmServer) -> None:
    """By the code of its error, though nothing was raised."""
    failed = response(status="failed", error={"code": "server_error", "message": "no luck"})
    server.answer(Answer.json(failed))
    with capture(), sync_client(server) as client:
        client.responses.create(model="gpt-5", input="hello")

    (point,) = measured()["gen_ai.client.operation.duration"]
    assert point["error.type"] == "server_error"


@agentops_otel.record_tool("search")
def search(text: str) -> str:
    """A tool that fails for what it does not know."""
    if text == "unknown":
        raise LookupError(text)
    return text


@agentops_otel.agent(name="helper")
def helper(server: LlmServer) -> None:
    """An agent below another one, with one call."""
    server.answer(answer(completion(), stream=False))
    with sync_client(server) as client:
        client.chat.completions.create(**ASKED)


@agentops_otel.agent(name="writer")
def writer(server: LlmServer) -> None:
    """Two calls of a tool, one of a model, and another agent."""
    search("tea")
    with pytest.raises(LookupError):
        search("unknown")
    server.answer(answer(completion(), stream=False))
    with sync_client(server) as client:
        client.chat.completions.create(**ASKED)
    helper(server)


@contextmanager
def started() -> Iterator[None]:
    """Tracing as a program starts it; at the end all that has ended is measured."""
    measured()
    with OtlpSink() as sink:
        agentops_otel.init(endpoint=sink.endpoint, console=False, spool_dir=False)
        try:
            yield
            assert agentops_otel.flush(120)  # the price list is read meanwhile: on a busy machine that takes its time
        finally:
            agentops_otel.shutdown()


def of_spans() -> dict[str, list[dict[str, Any]]]:
    """What was measured of spans, without the durations, which are more than nothing."""
    found = {name: points for name, points in measured().items() if not name.startswith("gen_ai.client.")}
    for point in (point for name, points in found.items() if name.endswith((".duration", ".cost")) for point in points):
        assert point.pop("value") > 0
    return found


def test_agents_and_tools_are_measured_and_calls_priced(server: LlmServer) -> None:
    """How long they took and how many calls each agent made itself; what the calls cost, by the price list."""
    with started():
        writer(server)

    assert of_spans() == snapshot(
        {
            "gen_ai.execute_tool.duration": [
                {"unit": "s", "gen_ai.tool.name": "search", "gen_ai.agent.name": "writer"},
                {"unit": "s", "gen_ai.tool.name": "search", "gen_ai.agent.name": "writer", "error.type": "LookupError"},
            ],
            "gen_ai.invoke_agent.duration": [
                {"unit": "s", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"},
                {"unit": "s", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"},
            ],
            "gen_ai.invoke_agent.inference_calls": [
                {
                    "unit": "{inference_call}",
                    "value": 1,
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": "helper",
                },
                {
                    "unit": "{inference_call}",
                    "value": 1,
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": "writer",
                },
            ],
            "gen_ai.invoke_agent.tool_calls": [
                {
                    "unit": "{tool_call}",
                    "value": 0,
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": "helper",
                },
                {
                    "unit": "{tool_call}",
                    "value": 2,
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": "writer",
                },
            ],
            "agentops.usage.cost": [
                {
                    "unit": "{USD}",
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4.1",
                    "gen_ai.response.model": "gpt-4.1-2025-04-14",
                }
            ],
        }
    )


def test_the_calls_below_a_step_are_counted_for_the_agent_above_it() -> None:
    """A step is no agent; one below which nothing is called changes nothing."""

    @agentops_otel.tool
    def look_up() -> None: ...

    @agentops_otel.record_action
    def step(calls: int) -> None:
        for _ in range(calls):
            look_up()

    @agentops_otel.agent(name="stepping")
    def stepping() -> None:
        for calls in (2, 0, 1):
            step(calls)

    with started():
        stepping()

    assert [point["value"] for point in of_spans()["gen_ai.invoke_agent.tool_calls"]] == [3]


def test_a_run_that_failed_and_a_workflow_are_measured() -> None:
    """The error is on the duration alone; a workflow is an agent of its name, as the conventions have it."""

    @agentops_otel.agent(name="failing")
    def failing() -> None:
        raise LookupError

    @agentops_otel.workflow(name="all")
    def workflow() -> None:
        with pytest.raises(LookupError):
            failing()

    with started():
        workflow()

    assert of_spans() == snapshot(
        {
            "gen_ai.invoke_agent.duration": [
                {
                    "unit": "s",
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": "failing",
                    "error.type": "LookupError",
                },
                {"unit": "s", "gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "all"},
            ],
            "gen_ai.invoke_agent.inference_calls": [
                {
                    "unit": "{inference_call}",
                    "value": 0,
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": "failing",
                },
                {
                    "unit": "{inference_call}",
                    "value": 0,
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.agent.name": "all",
                },
            ],
            "gen_ai.invoke_agent.tool_calls": [
                {
                    "unit": "{tool_call}",
                    "value": 0,
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": "failing",
                },
                {
                    "unit": "{tool_call}",
                    "value": 0,
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.agent.name": "all",
                },
            ],
        }
    )
