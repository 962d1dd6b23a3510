"""Methods of a client under the names of older AgentOps SDKs."""

from collections.abc import Iterable, Mapping

from agentops_otel import semconv
from agentops_otel.compat_settings import end_state_of
from agentops_otel.config import Config
from agentops_otel.recording.compat_decorators import AllDecorators
from agentops_otel.recording.session import Session, Sessions
from agentops_otel.tracing import Recorder

METADATA = {
    "agent_id": semconv.GEN_AI_AGENT_ID,
    "agent_name": semconv.GEN_AI_AGENT_NAME,
    "error_type": semconv.ERROR_TYPE,
    "operation_name": semconv.OPERATION_NAME,
    "operation_version": semconv.OPERATION_VERSION,
    "tool_name": semconv.GEN_AI_TOOL_NAME,
    "workflow_name": semconv.GEN_AI_WORKFLOW_NAME,
}
"""Metadata keys of AgentOps 0.4 -> the attribute that each one sets."""


class CompatClient(AllDecorators):
    """The methods of AgentOps' own client, implemented on our sessions."""

    config: Config
    sessions: Sessions
    recorder: Recorder | None

    def start_trace(
        self, trace_name: str = "session", tags: Iterable[str] | Mapping[str, object] | None = None
    ) -> Session:
        """See `agentops_otel.start_trace`."""
        return self.sessions.start(self.recorder, name=trace_name, tags=as_tags(tags or ()))

    def end_trace(self, trace_context: Session | None = None, end_state: object = "Success") -> None:
        """See `agentops_otel.end_trace`."""
        for session in (trace_context,) if trace_context is not None else reversed(self.sessions.open):
            end_by_any_word(session, end_state)

    def end_all_sessions(self, end_state: object = "Indeterminate") -> None:
        """See `agentops_otel.end_all_sessions`."""
        self.end_trace(None, end_state)

    def update_trace_metadata(self, metadata: Mapping[str, object], prefix: str = "trace.metadata") -> bool:
        """See `agentops_otel.update_trace_metadata`."""
        session = self.sessions.current()
        if session is None:
            return False
        rest = dict(metadata)
        if (tags := rest.pop("tags", rest.pop(semconv.AGENTOPS_TAGS, None))) is not None:
            session.set_tags(as_tags(tags))
        session.say({METADATA.get(name, f"{prefix}.{name}"): value for name, value in rest.items()})
        return True

    def create_agent(self, name: str, agent_id: object = None, session: Session | None = None) -> str:
        """See `agentops_otel.create_agent`."""
        return self.sessions.name_agent(name, agent_id)

    def get_session(self, session_id: str) -> Session | None:
        """See `agentops_otel.get_session`."""
        return next((session for session in self.sessions.open if session.session_id == str(session_id)), None)

    @property
    def current_session_ids(self) -> list[str]:
        """The ids of the open sessions, the oldest first; as AgentOps 0.3 has it."""
        return [session.session_id for session in self.sessions.open]

    def get_api_key(self) -> str | None:
        """See `agentops_otel.get_api_key`."""
        accounts = (destination.agentops for destination in self.config.destinations)
        return next((account.api_key for account in accounts if account), None)


def end_by_any_word(session: Session, end_state: object) -> None:
    """End the session. Any other state than the three becomes the reason: AgentOps 0.4 accepted any word."""
    word = end_state_of(end_state)
    try:
        session.end(word)
    except ValueError:
        session.end(end_state_reason=word)


def as_tags(given: object) -> tuple[str, ...]:
    """Tags in the forms of AgentOps 0.4: one string, several, or a mapping (each item as `key:value`)."""
    match given:
        case str():
            return (given,)
        case Mapping():
            return tuple(f"{key}:{value}" for key, value in given.items())
        case Iterable():
            return tuple(map(str, given))
        case _:
            return (str(given),)
