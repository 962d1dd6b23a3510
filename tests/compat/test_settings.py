"""Settings of AgentOps' generations, and its functions where no client runs."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode

import agentops_otel
from agentops_otel import compat, compat_settings
from agentops_otel.config import read_config
from agentops_otel.recording.events import Event
from agentops_otel.testing import capture

OURS = ("api_key", "endpoint", "tags", "span_processors", "instrument_llm_calls", "auto_start_session")


class Nowhere(SpanExporter):
    """Takes spans and does nothing with them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Nothing."""
        return SpanExportResult.SUCCESS


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ({"default_tags": ["a"]}, {"tags": ["a"]}),
        ({"default_tags": ["a"], "tags": ["b"]}, {"tags": ["b"]}),
        ({"override": False}, {"instrument_llm_calls": False}),
        ({"bypass_new_session": True}, {"auto_start_session": False}),
        ({"trace_name": "x", "inherited_session_id": "y"}, {"trace_name": "x", "inherited_session_id": "y"}),
        (
            {"app_url": "http://a", "exporter_endpoint": "http://b"},
            {"app_url": "http://a", "exporter_endpoint": "http://b"},
        ),
        ({"endpoint": "https://api.agentops.ai/v2"}, {"api_endpoint": "https://api.agentops.ai/v2"}),
        ({"endpoint": "http://localhost:4318"}, {"endpoint": "http://localhost:4318"}),
        ({"endpoint": "https://api.mine.example"}, {"endpoint": "https://api.mine.example"}),
        ({"endpoint": "https://otlp.agentops.ai"}, {"endpoint": "https://otlp.agentops.ai"}),
        ({"endpoint": None, "api_key": "key"}, {"api_key": "key"}),
        ({"bypass_new_session": False, "override": None}, {"auto_start_session": True, "instrument_llm_calls": False}),
        ({"bypass_new_session": True, "auto_start_session": True}, {"auto_start_session": True}),
        ({"exporter": None}, {"span_processors": ()}),
        ({"max_wait_time": 1, "log_level": "INFO", "processor": None, "trace_name": None}, {"span_processors": ()}),
    ],
)
def test_older_settings_become_ours(given: dict[str, Any], ours: dict[str, Any]) -> None:
    """Each goes where it has its meaning now, or aside."""
    assert compat_settings.translate_settings(given, OURS) == ours


def test_exporter_and_processor_are_used() -> None:
    """AgentOps 0.4 took both and did nothing with them."""
    processor = SpanProcessor()

    found = compat_settings.translate_settings({"processor": processor, "exporter": Nowhere()}, OURS)["span_processors"]

    assert processor in found
    (batch,) = (other for other in found if other is not processor)
    assert isinstance(batch, BatchSpanProcessor)
    batch.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry's


def test_account_is_where_the_settings_say() -> None:
    """API, dashboard and exporter of a self-hosted AgentOps; the session's name and id."""
    config = read_config(
        api_key="11111111-2222-3333-4444-555555555555",
        api_endpoint="http://api.local/",
        app_url="http://app.local",
        exporter_endpoint="http://otlp.local/v1/traces",
        trace_name="nightly",
        inherited_session_id="abc",
    )

    (destination,) = config.destinations
    assert destination.agentops is not None
    assert (destination.agentops.api_endpoint, destination.agentops.app_url) == ("http://api.local", "http://app.local")
    assert destination.endpoint == "http://otlp.local/v1/traces"
    assert (config.session_name, config.session_id) == ("nightly", "abc")


def test_unknown_setting_is_a_type_error() -> None:
    """What no generation knew is a slip of the pen."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'endpiont'"):
        agentops_otel.init(endpiont="http://localhost")  # type: ignore[call-arg]  # wrong on purpose


def end_a_session(client: agentops_otel.Client) -> None:
    """By the functions of the module."""
    client.start_session()
    agentops_otel.end_session(video="url")


@pytest.mark.parametrize(
    ("what", "use"),
    [
        ("init(fail_safe=...)", lambda client: compat_settings.translate_settings({"fail_safe": True}, OURS)),
        ("set_parent_key()", lambda client: client.set_parent_key("key")),
        ("set_parent_key()", lambda client: agentops_otel.set_parent_key("key")),
        ("start_session(config=..., jwt=...)", lambda client: client.start_session(jwt="token")),
        ("end_session(video=..., is_auto_end=...)", lambda client: client.start_session().end_session(video="url")),
        (
            "end_session(video=..., is_auto_end=...)",
            lambda client: [client.start_session(), client.end_session(is_auto_end=False)],
        ),
        ("start_session(config=..., jwt=...)", lambda client: agentops_otel.start_session(config={})),
        ("end_session(video=..., is_auto_end=...)", end_a_session),
        ("Session.set_video()", lambda client: client.start_session().set_video("url")),
    ],
)
def test_what_has_no_meaning_is_said_once_at_debug(
    what: str,
    use: Callable[[agentops_otel.Client], object],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line, and no more; none where None is given."""
    monkeypatch.setattr(compat_settings, "_said", set())
    caplog.set_level(logging.DEBUG, "agentops_otel")
    with capture() as captured:
        for _ in range(2):
            use(captured.client)
            compat_settings.log_ignored("nothing at all", None)

    said = [message for message in caplog.messages if "no meaning" in message]
    assert said == [f"{what} has no meaning any more and is left aside"]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Success", "Success"),
        ("Error", "Fail"),
        (agentops_otel.TraceState.FAILURE, "Fail"),
        (agentops_otel.EventState.INDETERMINATE, "Indeterminate"),
        (StatusCode.OK, "Success"),
        (StatusCode.ERROR, "Fail"),
        (StatusCode.UNSET, "Indeterminate"),
    ],
)
def test_end_states_of_all_generations_are_known(word: object, state: str) -> None:
    """Words, enums and status codes."""
    with capture() as captured:
        agentops_otel.end_trace(agentops_otel.start_trace("x"), word)

    assert (captured.spans[0].attributes or {})["agentops.session.end_state"] == state


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("ok", "Success"), ("OK", "Success"), ("failure", "Fail"), ("Error", "Fail"), ("unset", "Indeterminate"),
        ("Success", "Success"), ("Fail", "Fail"), ("Indeterminate", "Indeterminate"), ("Completed", "Completed"),
        (StatusCode.OK, "Success"), (None, "None"),
    ],
)  # fmt: skip
def test_words_for_an_end_state_are_ours_or_stay_as_they_are(word: object, state: str) -> None:
    """In any case; of an enum its name counts."""
    assert compat_settings.end_state_of(word) == state


def test_names_of_older_generations_are_there() -> None:
    """With the values that they have in ours."""
    assert {name: state.value for name, state in agentops_otel.TraceState.__members__.items()} == {
        "SUCCESS": "Success",
        "ERROR": "Fail",
        "FAILURE": "Fail",
        "UNSET": "Indeterminate",
    }
    assert compat.EndState is compat.SessionState is agentops_otel.EventState
    assert compat.AgentOps is agentops_otel.Client


def test_another_end_state_is_kept_as_the_reason() -> None:
    """AgentOps 0.4 took any word."""
    with capture() as captured:
        agentops_otel.end_trace(agentops_otel.start_trace("x"), "Completed")

    assert (captured.spans[0].attributes or {})["agentops.session.end_state_reason"] == "Completed"


def test_without_a_client_everything_is_accepted() -> None:
    """Every function may be called before `init()`."""
    trace = agentops_otel.start_trace("x")
    trace.record(Event("x"))
    trace.say({"a": 1, "b": "text", "c": []})
    agentops_otel.update_trace_metadata({"a": 1})
    agentops_otel.end_trace(trace)
    agentops_otel.end_trace()
    agentops_otel.end_all_sessions()

    assert agentops_otel.get_session("x") is None
    assert agentops_otel.get_api_key() is None
    assert agentops_otel.create_agent("name", "id") == "id"
    assert agentops_otel.start_session(inherited_session_id="y").session_id == "y"


def test_metadata_is_said_as_it_is_or_as_content() -> None:
    """Numbers stay numbers; texts and all else are redacted, and left out when content is off."""
    metadata = {"number": 1.5, "text": "sk-" + "a1B2" * 12, "list": [1]}

    with capture() as captured, agentops_otel.start_trace("on"):
        agentops_otel.update_trace_metadata(metadata, prefix="run")
    with capture(capture_content=False) as bare, agentops_otel.start_trace("off"):
        agentops_otel.update_trace_metadata(metadata, prefix="run")

    said = {name: value for name, value in (captured.spans[0].attributes or {}).items() if name.startswith("run.")}
    assert said["run.number"] == 1.5
    assert said["run.list"] == "[1]"
    assert "a1B2a1B2" not in str(said["run.text"])
    assert [name for name in bare.spans[0].attributes or {} if name.startswith("run.")] == ["run.number"]


@pytest.mark.parametrize(
    ("tags", "kept"), [(["b", "c"], ("b", "c")), ("b", ("b",)), ({"team": "a"}, ("team:a",)), (7, ("7",))]
)
def test_metadata_replaces_the_tags(tags: object, kept: tuple[str, ...]) -> None:
    """`tags` are the session's tags, on its root and on what follows; the answer says whether there was a session."""
    with capture() as captured:
        trace = agentops_otel.start_trace("nightly", tags=["a"])
        updated = agentops_otel.update_trace_metadata({"tags": tags})
        agentops_otel.record(Event("after"))
        trace.end("Success")
        without = agentops_otel.update_trace_metadata({"tags": ["x"]})

    assert (updated, without) == (True, False)
    assert {span.name: (span.attributes or {})["agentops.tags"] for span in captured.spans} == {
        "after": kept,
        "invoke_workflow nightly": kept,
    }


def test_metadata_knows_the_names_of_the_conventions() -> None:
    """`agent_name` and `workflow_name` are those attributes; any other name has the prefix."""
    with capture() as captured, agentops_otel.start_trace("x"):
        agentops_otel.update_trace_metadata({"agent_name": "Planner", "workflow_name": "plan", "mine": 1})

    said = captured.spans[0].attributes or {}
    assert (said["gen_ai.agent.name"], said["gen_ai.workflow.name"], said["trace.metadata.mine"]) == (
        "Planner",
        "plan",
        1,
    )


def test_logger_is_not_given_a_second_handler() -> None:
    """Asked twice, it is the same logger; a handler alone can be had too."""
    with capture() as captured:
        logger = agentops_otel.AgentOpsLogger.get_agentops_logger(captured.client, "test_settings")
        again = agentops_otel.AgentOpsLogger.get_agentops_logger(captured.client, "test_settings")
        handler = agentops_otel.AgentOpsLogger.get_agentops_handler(captured.client, "alone")
        logger.propagate = False
        logger.info("one %s", "two")
        handler.handle(logger.makeRecord("x", logging.ERROR, "f", 1, "three", (), None))
    handlers = list(logger.handlers)
    logger.handlers.clear()

    assert again is logger
    assert len(handlers) == 1
    assert [(span.name, span.status.status_code.name) for span in captured.spans] == [
        ("test_settings:INFO", "UNSET"),
        ("alone:ERROR", "ERROR"),
    ]
    assert (captured.spans[0].attributes or {})["agentops.entity.output"] == '"one two"'


def test_a_logger_records_from_its_level_on() -> None:
    """By default everything; the event is of the moment of the record."""
    with capture() as captured:
        logger = agentops_otel.AgentOpsLogger.get_agentops_logger(
            captured.client, "test_settings.from", logging.WARNING
        )
        every = agentops_otel.AgentOpsLogger.get_agentops_logger(captured.client, "test_settings.every")
        handler = agentops_otel.AgentOpsLogger.get_agentops_handler(captured.client, "alone", logging.ERROR)
        logger.propagate = every.propagate = False
        logger.info("no")
        logger.warning("yes")
        every.debug("this too")
        handler.handle(record := logger.makeRecord("x", logging.CRITICAL, "f", 1, "late", (), None))
    levels = [logger.level, logger.handlers[0].level, every.level, every.handlers[0].level, handler.level]
    logger.handlers.clear()
    every.handlers.clear()
    for each in (logger, every):
        each.setLevel(logging.NOTSET)
        each.propagate = True

    assert levels == [logging.WARNING, logging.WARNING, logging.DEBUG, logging.DEBUG, logging.ERROR]
    assert [(span.name, span.status.status_code.name) for span in captured.spans] == [
        ("test_settings.from:WARNING", "UNSET"),
        ("test_settings.every:DEBUG", "UNSET"),
        ("alone:CRITICAL", "ERROR"),
    ]
    assert captured.spans[-1].start_time == pytest.approx(record.created * 1e9, abs=1e6)
