"""What a user of AgentOps would have seen wrong: each by what its API and its pages make of the spans."""

import json
from collections.abc import Mapping
from decimal import Decimal

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

import agentops_otel
from agentops_otel.export.agentops_names import translate
from tests.export.agentops_spans import CHAT, SPANS, messages, said, span, text
from tests.loopback import agentops_dashboard, agentops_traces
from tests.loopback.agentops_backend import AgentOpsBackend

CACHED: Mapping[str, AttributeValue] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 10_200,
    "gen_ai.usage.cache_read.input_tokens": 9_000,
    "gen_ai.usage.cache_write.input_tokens": 1_000,
    "gen_ai.usage.cache_creation.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 100,
}
CLAUDE = "claude-sonnet-4-20250514"


def show(made: ReadableSpan) -> dict[str, object]:
    """The span as the pages have it."""
    return agentops_dashboard.show(*translate(made))


def kept(made: ReadableSpan) -> agentops_traces.Stored:
    """The span as the backend keeps it."""
    name, attributes, status = translate(made)
    return agentops_traces.Stored(b"1", name, made.start_time or 0, made.end_time or 0, attributes, status)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", CLAUDE),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
        ("aws.bedrock", "amazon.nova-pro-v1:0"),
        ("gcp.vertex_ai", "claude-sonnet-4@20250514"),
        ("litellm", f"bedrock/anthropic.{CLAUDE}"),
    ],
)
def test_cached_tokens_do_not_have_the_price_of_fresh_ones(provider: str, model: str) -> None:
    """Where a provider counts cached tokens apart, only the fresh ones are the prompt; the total is that of all."""
    made = span("chat", {**CACHED, "gen_ai.provider.name": provider, "gen_ai.request.model": model})

    assert show(made)["tokens"] == {
        "prompt_tokens": 200,
        "completion_tokens": 100,
        "cache_read_input_tokens": 9000,
        "reasoning_tokens": 0,
        "total": 10_300,
    }


def test_a_cached_prompt_costs_its_fresh_tokens_in_the_list() -> None:
    """The backend prices the prompt's tokens alone: 200 fresh and 100 answered, not ten thousand."""
    made = span("chat", {**CACHED, "gen_ai.provider.name": "anthropic", "gen_ai.request.model": CLAUDE})

    assert kept(made).cost == Decimal("0.0021")


def test_cached_tokens_stay_in_the_prompt_where_the_provider_has_them_there() -> None:
    """OpenAI's prompt tokens are all of them, cached or not."""
    made = span("chat", {**CACHED, "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"})

    assert kept(made).text("gen_ai.usage.prompt_tokens") == "10200"


@pytest.mark.parametrize(
    ("name", "attributes", "header"),
    [
        ("chat gpt-4.1", CHAT, "LLM: chat gpt-4.1"),
        ("openai.chat", {"gen_ai.system": "openai"}, "LLM: openai.chat"),
        ("thinking 2.5", {"agentops.span.kind": "chain"}, "thinking 2.5"),
        ("execute_tool v1.2", {"gen_ai.operation.name": "execute_tool"}, "Tool: v1.2"),
    ],
)
def test_a_name_with_a_dot_is_shown_whole(name: str, attributes: Mapping[str, AttributeValue], header: str) -> None:
    """The heading is what stands before a name's last dot: a model's version is no end of a name."""
    assert show(span(name, attributes))["header"] == header


def test_a_name_with_a_dot_of_somebody_elses_is_shown_whole() -> None:
    """A request's span is no kind of ours, and its name has the host."""
    assert show(span("GET api.test", {}, kind=SpanKind.CLIENT))["header"] == "GET api.test"


@pytest.mark.parametrize(("what", "bar"), [("tool", "tool: weather"), ("tool told as a step", "tool: weather")])
def test_a_tool_is_labelled_by_its_name(what: str, bar: str) -> None:
    """A tool's arguments are on its panel, not on its bar."""
    shown = show(SPANS[what]())

    assert shown["bar"] == bar


def test_an_agent_is_labelled_by_its_name() -> None:
    """What an agent was asked is kept, and is not the label of its bar."""
    asked = {"gen_ai.agent.name": "Planner", "agentops.entity.input": '{"query": "oslo"}'}
    made = span("invoke_agent Planner", {"gen_ai.operation.name": "invoke_agent", **asked})

    assert show(made)["bar"] == "agent: Planner"
    assert kept(made).text("agentops.agent.input") == '{"args":[],"kwargs":{"query":"oslo"}}'


def test_reasoning_is_not_in_the_answer() -> None:
    """What a model thought is beside what it said; where it said nothing else, it is what is shown."""
    thought = {"type": "reasoning", "content": "It is autumn."}
    answer = said("assistant", thought, text("Rain"))
    both = span("chat", {**CHAT, "gen_ai.output.messages": messages(answer)})
    alone = span("chat", {**CHAT, "gen_ai.output.messages": messages(said("assistant", thought))})
    asked = span("chat", {**CHAT, "gen_ai.input.messages": messages(answer)})

    assert show(both)["completions"] == ["assistant: Rain"]
    assert kept(both).text("gen_ai.completion.0.reasoning") == "It is autumn."
    assert show(alone)["completions"] == ["assistant: It is autumn."]
    assert show(asked)["prompts"] == ["assistant: Rain"]


def test_a_tool_with_a_cost_is_a_tool() -> None:
    """The API types a span by the first attribute that it knows, and a cost is one of an LLM call."""
    assert show(SPANS["tool that costs"]())["type"] == "tool"


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (lambda: span("chat gpt-4.1", CHAT, parent=None), "chat gpt-4.1.llm"),
        (lambda: span("execute_tool clock", {"gen_ai.operation.name": "execute_tool"}, parent=None), "clock.tool"),
        (lambda: span("invoke_agent A", {"gen_ai.operation.name": "invoke_agent"}, parent=None), "A.agent"),
    ],
)
def test_a_lone_call_is_no_session_that_lacks_spans(made: object, name: str) -> None:
    """A trace of one LLM call, tool or agent is what it is, without the warning of a single session span."""
    assert callable(made)
    row = agentops_traces.row([kept(made())])

    assert row["name"] == name
    assert "warning" not in row


@pytest.mark.parametrize("name", ["agentops.session.end_state", "agentops.event.result"])
def test_indeterminate_is_no_success(name: str) -> None:
    """Who said how it ended did not say that it ended well."""
    undecided, decided = (kept(span("f", {name: state})) for state in ("Indeterminate", "Success"))

    assert agentops_traces.counts([undecided, decided]) == {"indeterminate": 1, "success": 1}


def test_an_error_stays_one_whatever_its_end_state_says() -> None:
    """ERROR is what the pages count as a failure."""
    assert show(span("f", {"agentops.session.end_state": "Indeterminate"}, error="no"))["outcome"] == "fail"


def test_text_is_shown_without_quotes() -> None:
    """A text result, logs and a screenshot are text; whatever else a result is stays JSON."""
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}
    told = {"agentops.event.logs": '"GET \\"x\\""', "agentops.event.screenshot": '"https://x/y.png"'}
    made = span("execute_tool weather", {**tool, **told, "gen_ai.tool.call.result": json.dumps("21 °C")})
    number = span("execute_tool weather", {**tool, "gen_ai.tool.call.result": '{"c": 21}'})

    found = [kept(made).text(name) for name in ("tool.result", *told)]

    assert found == ["21 °C", 'GET "x"', "https://x/y.png"]
    assert kept(number).text("tool.result") == '{"c": 21}'


def test_a_span_without_tags_has_those_of_the_settings() -> None:
    """The list is tagged by the earliest span, which a web framework may have made."""
    root = span("POST /ask", {}, parent=None, kind=SpanKind.SERVER)
    tagged = span("f", {"agentops.tags": ("own",)})

    found = [translate(made, lambda: ("team",))[1]["agentops.tags"] for made in (root, tagged)]

    assert found == [("team",), ("own",)]


def test_the_list_has_the_tags_of_a_run_whose_root_is_a_web_frameworks(monkeypatch: pytest.MonkeyPatch) -> None:
    """`init(tags=)` and tags that came later are in the list, though somebody else's span is the trace's first."""
    provider = TracerProvider(shutdown_on_exit=False)
    with AgentOpsBackend() as backend:
        monkeypatch.setenv("AGENTOPS_API_ENDPOINT", backend.account.api_endpoint)
        client = agentops_otel.init(
            api_key=backend.api_key,
            exporter_endpoint=backend.sink.endpoint,
            tags=["team"],
            auto_start_session=False,
            tracer_provider=provider,
            spool_dir=False,
        )
        with provider.get_tracer("web").start_as_current_span("POST /ask", kind=SpanKind.SERVER):
            client.record_action("answer")(lambda: "yes")()
            client.add_tags(["later"])
        agentops_otel.shutdown()
        backend.sink.wait_for(2)

    (spans,) = agentops_traces.of(backend.sink.every)
    assert agentops_traces.row(spans) == {
        "name": "POST /ask.session",
        "tags": ["team", "later"],
        "spans": 2,
        "state": "success",
    }
