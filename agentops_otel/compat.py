"""Functions under their older names in AgentOps' SDKs. Each acts on the running client."""

import logging
from collections.abc import Iterable, Mapping
from enum import StrEnum

from agentops_otel import api, compat_settings, sdk
from agentops_otel.recording.compat_client import as_tags, end_by_any_word
from agentops_otel.recording.events import Event, EventState
from agentops_otel.recording.session import Session

AgentOps = sdk.Client
"""`Client` under its name in AgentOps 0.0.2."""
EndState = SessionState = EventState
"""The end states of a session under their names in AgentOps 0.0 to 0.3."""


class TraceState(StrEnum):
    """The end states of a trace in AgentOps 0.4.

    ```python
    trace = agentops_otel.start_trace("nightly")
    agentops_otel.end_trace(trace, agentops_otel.TraceState.SUCCESS)
    ```
    """

    SUCCESS = "Success"
    ERROR = "Fail"
    FAILURE = "Fail"
    UNSET = "Indeterminate"


SUCCESS, ERROR, UNSET = TraceState.SUCCESS, TraceState.ERROR, TraceState.UNSET


def get_client() -> sdk.Client:
    """The running client; it is started if there is none.

    ```python
    print(agentops_otel.get_client().stats())
    ```

    Raises:
        ConfigError: The client was started, and a variable of the environment is invalid.
    """
    return sdk.client() or sdk.init()


def set_api_key(key: str) -> None:
    """Keep the key for the next `init()`.

    ```python
    agentops_otel.set_api_key("00000000-0000-0000-0000-000000000000")
    ```

    Args:
        key: A key of an AgentOps account; `init()` checks it.
    """
    sdk.configure(api_key=key)


def get_api_key() -> str | None:
    """The key of the AgentOps account that spans go to.

    ```python
    has_account = agentops_otel.get_api_key() is not None
    ```

    Returns:
        The key, None if spans go to no account.
    """
    client = sdk.client_for("get_api_key")
    return client.get_api_key() if client else None


def set_parent_key(key: str) -> None:
    """Does nothing: sharing spans with a parent project is not supported.

    ```python
    agentops_otel.set_parent_key("00000000-0000-0000-0000-000000000000")  # a DEBUG line says that it is ignored
    ```

    Args:
        key: Ignored.
    """
    compat_settings.log_ignored("set_parent_key()", key)


def stop_instrumenting() -> None:
    """Restore the LLM clients: `uninstrument`, by the name that AgentOps had for it.

    ```python
    agentops_otel.stop_instrumenting()
    ```
    """
    sdk.uninstrument()


def start_trace(trace_name: str = "session", tags: Iterable[str] | Mapping[str, object] | None = None) -> Session:
    """Open a session by AgentOps 0.4's name for it: a trace of its own; also a context manager.

    ```python
    with agentops_otel.start_trace("nightly") as trace:
        ...
    ```

    Args:
        trace_name: The session's name. Default: "session".
        tags: Tags in addition to the client's; of a mapping, each item as `key:value`. Default: none.

    Returns:
        The session. Before `init()`, and if tracing is disabled, it records nothing.
    """
    return api.start_session(as_tags(tags or ()), name=trace_name)


def end_trace(trace_context: Session | None = None, end_state: object = "Success") -> None:
    """End a session that `start_trace` opened; without one, all that are open.

    ```python
    trace = agentops_otel.start_trace("nightly")
    agentops_otel.end_trace(trace, "Success")
    ```

    Args:
        trace_context: The session that `start_trace` returned. Default: all open sessions.
        end_state: "Success", "Fail", "Indeterminate" or a `TraceState`. Any other word is recorded as the reason of
            an indeterminate end. Default: "Success".
    """
    if trace_context is None:
        end_all_sessions(end_state)
    else:
        end_by_any_word(trace_context, end_state)


def update_trace_metadata(metadata: Mapping[str, object], prefix: str = "trace.metadata") -> bool:
    """Add to the current session's root span; `tags` replaces the session's tags.

    ```python
    agentops_otel.update_trace_metadata({"attempt": 2, "tags": ["nightly"]})
    ```

    Args:
        metadata: Names and values; a value that is no text, number or truth value is written as JSON. `agent_name`,
            `workflow_name` and the other names of AgentOps' conventions are those attributes, without the prefix.
        prefix: What the names of all other attributes begin with. Default: "trace.metadata".

    Returns:
        True if there is a session to add to.
    """
    client = sdk.client_for("update_trace_metadata")
    return client.update_trace_metadata(metadata, prefix) if client else False


def create_agent(name: str, agent_id: str | None = None, session: Session | None = None) -> str:
    """Name an agent: recorded events with its id carry the name.

    ```python
    agent_id = agentops_otel.create_agent("Researcher")
    agentops_otel.record(agentops_otel.ActionEvent(action_type="search", agent_id=agent_id))
    ```

    Args:
        name: The agent's name, recorded as `gen_ai.agent.name`.
        agent_id: Its id. Default: a new UUID.
        session: Ignored: the name is used in every session.

    Returns:
        The id.
    """
    client = sdk.client_for("create_agent")
    return client.create_agent(name, agent_id) if client else str(agent_id or "")


def get_session(session_id: str) -> Session | None:
    """The open session with this id.

    ```python
    session = agentops_otel.start_session()
    assert agentops_otel.get_session(session.session_id) is session
    ```

    Args:
        session_id: The session's `session_id`.

    Returns:
        The session, None if no open one has the id.
    """
    client = sdk.client_for("get_session")
    return client.get_session(session_id) if client else None


def end_all_sessions(end_state: object = "Indeterminate") -> None:
    """End every open session, the newest first.

    ```python
    agentops_otel.end_all_sessions("Success")
    ```

    Args:
        end_state: As `end_trace` takes it. Default: "Indeterminate".
    """
    if client := sdk.client_for("end_all_sessions"):
        client.end_all_sessions(end_state)


class AgentOpsLogger:
    """Records log records as events: `AgentOpsLogger` of AgentOps 0.0.

    ```python
    logger = agentops_otel.AgentOpsLogger.get_agentops_logger(agentops_otel.get_client(), "search")
    logger.warning("no hits")
    ```
    """

    @staticmethod
    def get_agentops_logger(client: sdk.Client, name: str, level: int = logging.DEBUG) -> logging.Logger:
        """The logger of that name, with a handler that records; asked again, the same without a second handler."""
        logger = logging.getLogger(name)
        logger.setLevel(level)
        if not any(isinstance(handler, _EventHandler) for handler in logger.handlers):
            logger.addHandler(_EventHandler(client, name, level))
        return logger

    @staticmethod
    def get_agentops_handler(client: sdk.Client, name: str, level: int = logging.DEBUG) -> logging.Handler:
        """A handler that records each log record as an event `<name>:<LEVEL>`."""
        return _EventHandler(client, name, level)


class _EventHandler(logging.Handler):
    def __init__(self, client: sdk.Client, name: str, level: int) -> None:
        super().__init__(level)
        self._client = client
        self._prefix = name

    def emit(self, record: logging.LogRecord) -> None:
        failed = record.levelno >= logging.ERROR
        # A program keeps its loggers; after a shutdown() another client is the running one.
        client = self._client if self._client.recorder else sdk.client() or self._client
        client.record(
            Event(
                f"{self._prefix}:{record.levelname}",
                returns=self.format(record),
                result=EventState.FAIL if failed else EventState.INDETERMINATE,
                timestamp=record.created,
            )
        )
