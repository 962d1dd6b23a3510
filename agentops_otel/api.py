"""Public functions that act on the running client. `sdk` starts and stops the client."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Unpack

from agentops_otel import sdk
from agentops_otel.compat_settings import CompatEndSettings, CompatSessionSettings
from agentops_otel.export import Stats
from agentops_otel.recording import events
from agentops_otel.recording.session import Session, Sessions
from agentops_otel.tracing import suppressed


def flush(timeout_s: float = 10.0) -> bool:
    """Deliver all spans that have ended. Waits until they are accepted, or spooled for a destination that fails.

    Waits for the processors of `init(span_processors=)` too. Those that the program added to the provider itself are
    the provider's: `trace.get_tracer_provider().force_flush()`.

    ```python
    if not agentops_otel.flush(timeout_s=5):
        print(agentops_otel.stats().dropped)
    ```

    Args:
        timeout_s: The longest wait, in seconds. Default: 10.

    Returns:
        True if this finished within the time and nothing was dropped since the last call. The counts of dropped spans,
        by reason, are in `stats().dropped`.
    """
    client = sdk.client()
    return client.flush(timeout_s) if client else True


def stats() -> Stats:
    """Counts of spans since `init()`: `produced == sent + spooled + pending + sum(dropped.values())`.

    After `shutdown()` they are the final counts, until the next `init()`.

    ```python
    print(agentops_otel.stats().sent)
    ```

    Returns:
        The counts, all 0 before the first `init()`.
    """
    client = sdk.latest_client()
    return client.stats() if client else Stats()


@contextmanager
def suppress() -> Iterator[None]:
    """Make no spans in this block, neither ours nor those of other OpenTelemetry instrumentations.

    ```python
    with agentops_otel.suppress():
        agentops_otel.record(agentops_otel.Event("health check"))  # no span, as for an LLM call here
    ```
    """
    with suppressed():
        yield


def start_session(
    tags: Iterable[str] | None = None,
    *,
    name: str = "session",
    session_id: str | None = None,
    **compat: Unpack[CompatSessionSettings],
) -> Session:
    """Open a session: a trace of its own, under which everything that starts in this context nests.

    In a thread without a context of its own, spans nest under the session that is open; if several are, such as those
    of two users, under the newest only if it was started within the others, else under none. The session is a
    context manager; `end_session()` ends it too.

    ```python
    agentops_otel.start_session(["nightly"])
    agentops_otel.end_session("Success")
    ```

    Args:
        tags: Tags of every span in the session, in addition to the client's. Default: none.
        name: The session's name; the root span is called `invoke_workflow <name>`. Default: "session".
        session_id: `session.id` of its spans. Default: a new UUID's hex.
        compat: Arguments of AgentOps' SDK: `inherited_session_id` is *session_id*; the others are ignored.

    Returns:
        The session. Before `init()`, and if tracing is disabled, it records nothing.
    """
    client = sdk.client_for("start_session")
    session_id = compat.pop("inherited_session_id", None) or session_id
    if client is None:
        return Sessions().start(None, name=name, tags=tags or (), session_id=session_id)
    return client.start_session(tags, name=name, session_id=session_id, **compat)


def end_session(
    end_state: str | Enum = "Indeterminate",
    *,
    rating: object = None,
    end_state_reason: str | None = None,
    **compat: Unpack[CompatEndSettings],
) -> None:
    """End the current session, deliver its spans and print its totals on stderr.

    ```python
    agentops_otel.start_session()
    agentops_otel.end_session("Fail", end_state_reason="no answer")
    ```

    Args:
        end_state: "Success", "Fail" or "Indeterminate", or a member of `EventState`. Default: "Indeterminate".
        rating: The user's rating: a string or a number. Default: none.
        end_state_reason: The reason for the end state, as text. Default: none.
        compat: Arguments of AgentOps' SDK; ignored.

    Raises:
        ValueError: *end_state* is none of the three.
    """
    if client := sdk.client_for("end_session"):
        client.end_session(end_state, rating=rating, end_state_reason=end_state_reason, **compat)


def record(event: events.Event) -> None:
    """Record an event: a span with the event's own times, below the current span.

    ```python
    agentops_otel.record(agentops_otel.Event("api call", params={"q": "x"}, returns=[1], result="Success"))
    ```

    Args:
        event: An `Event`, `ActionEvent`, `LLMEvent`, `ToolEvent` or `ErrorEvent`.

    Raises:
        TypeError: *event* is no Event.
    """
    if client := sdk.client_for("record"):
        client.record(event)


def add_tags(tags: Iterable[str]) -> None:
    """Add tags to every span that starts from now on, and to the current session.

    ```python
    agentops_otel.add_tags(["staging"])
    ```

    Args:
        tags: The tags; those that are there already are not added again.
    """
    if client := sdk.client_for("add_tags"):
        client.add_tags(tags)


def set_tags(tags: Iterable[str]) -> None:
    """Replace the tags of every span that starts from now on, and those of the current session.

    ```python
    agentops_otel.set_tags(["staging", "nightly"])
    ```

    Args:
        tags: The new tags; an empty list removes all.
    """
    if client := sdk.client_for("set_tags"):
        client.set_tags(tags)
