"""A client has every function of the module as a method, those of AgentOps' generations too."""

import inspect
import logging
import pickle
from importlib.util import find_spec
from inspect import getattr_static

import openai
import pytest
from inline_snapshot import snapshot

import agentops_otel
from agentops_otel.sdk import decorators
from agentops_otel.testing import capture

STARTS = ("init", "get_client")
"""The functions that give the client."""
FUNCTIONS = [
    name
    for name in agentops_otel.__all__
    if callable(getattr(agentops_otel, name)) and not inspect.isclass(getattr(agentops_otel, name))
]


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in STARTS])
def test_a_function_is_a_method_with_the_same_parameters(name: str) -> None:
    """What is written for the module can be written for a client, and means the same."""
    function, method = getattr(agentops_otel, name), inspect.getattr_static(agentops_otel.Client, name)
    assert method is not None
    bound = getattr(object.__new__(agentops_otel.Client), name)

    of_method, of_function = (inspect.signature(each).parameters.values() for each in (bound, function))
    assert [(each.name, each.kind, each.default) for each in of_method] == [
        (each.name, each.kind, each.default) for each in of_function
    ]


def test_a_method_of_the_client_does_what_the_function_does() -> None:
    """Those that start, stop and configure; what they keep is for the next client."""
    key = "00000000-0000-4000-8000-000000000000"
    before = getattr_static(openai.OpenAI, "request")
    with capture() as captured:
        client = captured.client
        with client.suppress():
            client.record(agentops_otel.Event("hidden"))
        client.record(agentops_otel.Event("seen"))
        wrapped = getattr_static(openai.OpenAI, "request")
        client.uninstrument()
        off = getattr_static(openai.OpenAI, "request")
        client.instrument()
        again = getattr_static(openai.OpenAI, "request")
        client.stop_instrumenting()
        stopped = getattr_static(openai.OpenAI, "request")
        agentops_otel.instrument()
        agentops_otel.stop_instrumenting()
        stopped_again = getattr_static(openai.OpenAI, "request")

    assert [span.name for span in captured.spans] == ["seen"]
    assert (wrapped is before, off is before, again is before, stopped is before) == (False, True, False, True)
    assert stopped_again is before

    client.configure(console=False, trace_file=False, spool_dir=False, auto_start_session=False, service_name="bot")
    client.set_api_key(key)
    started = agentops_otel.init(service_name="shop")
    assert (started.get_api_key(), started.config.service_name, started.config.quiet) == (key, "shop", True)
    agentops_otel.shutdown()
    assert agentops_otel.init(console=False, trace_file=False, spool_dir=False).get_api_key() is None
    assert agentops_otel.get_api_key() is None
    agentops_otel.shutdown()
    agentops_otel.set_api_key(key)
    agentops_otel.init(console=False, trace_file=False, spool_dir=False, auto_start_session=False)
    assert agentops_otel.get_api_key() == key


def test_a_session_before_init_has_what_it_is_given() -> None:
    """It records nothing, and a program that asks it is answered."""
    session = agentops_otel.start_session(["a"], session_id="abc")
    other = agentops_otel.start_session(inherited_session_id="def")
    session.end_session("Fail")

    assert not agentops_otel.update_trace_metadata({"a": 1})
    assert (session.tags, session.session_id, session.end_state) == (("a",), "abc", None)
    assert (other.tags, other.session_id) == ((), "def")


def test_sessions_are_found_and_ended_by_the_client() -> None:
    """AgentOps 0.3's client told its sessions' ids, and ended them all."""
    with capture() as captured:
        client = captured.client
        first, second = client.start_session(), client.start_trace("second", tags={"team": "a"})
        named = client.start_session(inherited_session_id="abc")
        named.end_session("Success")
        ids = client.current_session_ids
        updated = client.update_trace_metadata({"tags": ["b"]})
        client.end_all_sessions("Success")

        assert (ids, named.session_id) == ([first.session_id, second.session_id], "abc")
        assert client.get_session(first.session_id) is None
        assert (first.end_state, second.end_state) == ("Success", "Success")
        assert (updated, second.tags) == (True, ("b",))
        assert client.current_session_ids == []


def test_what_a_function_is_given_is_on_the_spans() -> None:
    """Each argument of those that open and end a session, or name an agent."""
    with capture() as captured:
        agentops_otel.set_tags(["all"])
        agentops_otel.start_session(["one"], name="nightly", session_id="abc")
        agentops_otel.add_tags(["two"])
        agentops_otel.end_session("Fail", rating=5, end_state_reason="no answer")
        agentops_otel.start_session(inherited_session_id="def")
        found = agentops_otel.get_session("def")
        agentops_otel.end_all_sessions("Success")
        trace = agentops_otel.start_trace("by day", {"team": "red"})
        updated = agentops_otel.update_trace_metadata({"x": 1}, "mine")
        agentops_otel.end_trace(trace, "Fail")
        agentops_otel.start_trace()
        agentops_otel.end_trace()
        agent = agentops_otel.create_agent("Researcher", "id7")
        agentops_otel.record(agentops_otel.ActionEvent(action_type="search", agent_id=agent))

    assert (agent, updated, found and found.session_id) == ("id7", True, "def")
    assert [span.attributes and span.attributes["session.id"] for span in captured.spans][:2] == ["abc", "def"]
    assert captured.tree() == snapshot(
        [
            {
                "name": "invoke_workflow nightly",
                "status": "ERROR: no answer",
                "attributes": {
                    "agentops.session.end_state": "Fail",
                    "agentops.session.end_state_reason": "no answer",
                    "agentops.session.rating": "5",
                    "agentops.span.kind": "session",
                    "agentops.tags": ["all", "one", "two"],
                    "error.type": "agentops.session.fail",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "nightly",
                },
            },
            {
                "name": "invoke_workflow session",
                "attributes": {
                    "agentops.session.end_state": "Success",
                    "agentops.span.kind": "session",
                    "agentops.tags": ["all", "two"],
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "session",
                },
            },
            {
                "name": "invoke_workflow by day",
                "status": "ERROR: the session ended as failed",
                "attributes": {
                    "agentops.session.end_state": "Fail",
                    "agentops.span.kind": "session",
                    "agentops.tags": ["all", "two", "team:red"],
                    "error.type": "agentops.session.fail",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "by day",
                    "mine.x": 1,
                },
            },
            {
                "name": "invoke_workflow session",
                "attributes": {
                    "agentops.session.end_state": "Success",
                    "agentops.span.kind": "session",
                    "agentops.tags": ["all", "two"],
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "session",
                },
            },
            {
                "name": "search",
                "attributes": {
                    "agentops.action.type": "search",
                    "agentops.span.kind": "operation",
                    "agentops.tags": ["all", "two"],
                    "gen_ai.agent.id": "id7",
                    "gen_ai.agent.name": "Researcher",
                    "operation.name": "search",
                },
            },
        ]
    )


def test_a_metadata_key_that_agentops_knows_sets_its_own_attribute() -> None:
    """The others are below the prefix."""
    known = ("agent_id", "agent_name", "error_type", "operation_name", "operation_version", "tool_name")
    with capture() as captured, captured.client.start_session():
        captured.client.update_trace_metadata({name: f"the {name}" for name in (*known, "workflow_name", "other")})

    (session,) = captured.spans
    assert {name: value for name, value in (session.attributes or {}).items() if "the " in str(value)} == snapshot(
        {
            "gen_ai.agent.id": "the agent_id",
            "gen_ai.agent.name": "the agent_name",
            "error.type": "the error_type",
            "operation.name": "the operation_name",
            "operation.version": "the operation_version",
            "gen_ai.tool.name": "the tool_name",
            "gen_ai.workflow.name": "the workflow_name",
            "trace.metadata.other": "the other",
        }
    )


def test_the_words_of_a_traces_end_are_on_the_module() -> None:
    """AgentOps 0.4 exports them beside `TraceState`."""
    assert (agentops_otel.SUCCESS, agentops_otel.ERROR, agentops_otel.UNSET) == (
        agentops_otel.TraceState.SUCCESS,
        agentops_otel.TraceState.ERROR,
        agentops_otel.TraceState.UNSET,
    )
    with capture():
        trace = agentops_otel.start_trace()
        agentops_otel.end_trace(trace, agentops_otel.ERROR)

    assert trace.end_state == "Fail"


def test_the_client_is_had_at_any_time() -> None:
    """`get_client()` gives the running one, and starts it where there is none."""
    agentops_otel.configure(console=False, trace_file=False, spool_dir=False)
    started = agentops_otel.get_client()
    again = agentops_otel.get_client()
    agentops_otel.shutdown()

    assert started is again
    assert isinstance(started, agentops_otel.Client)


@pytest.mark.parametrize("name", decorators.__all__)
def test_decorators_are_where_agentops_has_them(name: str) -> None:
    """`from agentops_otel.sdk.decorators import operation` is the module's decorator."""
    assert getattr(decorators, name) == getattr(agentops_otel, name)


def test_a_decorator_is_pickled_by_its_name() -> None:
    """Another process has its own."""
    assert pickle.loads(pickle.dumps(decorators.operation)) == agentops_otel.operation


def test_a_logger_goes_on_with_the_next_client() -> None:
    """A program keeps its loggers; one that was made for a client that has stopped records with the running one."""
    with capture() as stopped:
        logger = agentops_otel.AgentOpsLogger.get_agentops_logger(stopped.client, "test_client")
        logger.propagate = False
    with capture() as running:
        logger.info("still here")
    logger.info("nobody listens")
    logging.getLogger("test_client").handlers.clear()

    assert [span.name for span in running.spans] == ["test_client:INFO"]
    assert stopped.spans == ()


@pytest.mark.parametrize(("level", "result"), [("INFO", "Indeterminate"), ("ERROR", "Fail"), ("CRITICAL", "Fail")])
def test_a_log_record_is_an_event_of_its_moment(level: str, result: str) -> None:
    """What it says and when; from ERROR on it has failed, and below the handler's level it is none."""
    with capture() as captured:
        handler = agentops_otel.AgentOpsLogger.get_agentops_handler(captured.client, "search", logging.INFO)
        record = logging.LogRecord("any", getattr(logging, level), __file__, 1, "no %s", ("hits",), None)
        record.created = 1_767_225_600.5
        handler.handle(record)

    (span,) = captured.spans
    attributes = span.attributes or {}
    assert (span.name, span.start_time, handler.level) == (f"search:{level}", 1_767_225_600_500_000_000, logging.INFO)
    assert (attributes["agentops.event.result"], attributes["agentops.entity.output"]) == (result, '"no hits"')
    assert span.status.is_ok is (result != "Fail")


@pytest.mark.parametrize("name", ["LangchainCallbackHandler", "AsyncLangchainCallbackHandler"])
def test_the_handlers_for_langchain_are_imported_when_they_are_asked_for(name: str) -> None:
    """Where there is no LangChain, it is what is missed."""
    if find_spec("langchain_core"):
        assert getattr(agentops_otel, name).__name__ == name
    else:
        with pytest.raises(ModuleNotFoundError, match="langchain_core"):
            getattr(agentops_otel, name)
