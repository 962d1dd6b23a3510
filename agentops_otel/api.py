"""The functions of the package that act on the running client; `sdk` starts and stops it."""

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
    """Wait until each span that has ended is delivered or, for a destination that fails, on disk.

    Waits for the processors of `init(span_processors=)` too. Those that the program added to the provider itself are
    the provider's: `trace.get_tracer_provider().force_flush()`.

    Args:
        timeout_s: The longest to wait, in seconds.

    Returns:
        True if that was done within the time, and nothing was dropped since the last time. What was dropped, and
        why, is in `stats().dropped`.
    """
    client = sdk.client()
    return client.flush(timeout_s) if client else True


def stats() -> Stats:
    """What became of the spans so far: `produced == sent + spooled + pending + sum(dropped.values())`.

    After `shutdown()` it is the account of what was, until the next `init()`.
    """
    client = sdk.latest_client()
    return client.stats() if client else Stats()


@contextmanager
def suppress() -> Iterator[None]:
    """Make no spans in this block, neither ours nor those of other OpenTelemetry instrumentations.

    ```python
    with agentops_otel.suppress():
        client.chat.completions.create(...)  # leaves no trace
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
        tags: Besides those of the client; every span of the session carries them.
        name: The root span is called `invoke_workflow <name>`.
        session_id: `session.id` of its spans. Default: a new UUID's hex.
        compat: What AgentOps took besides: `inherited_session_id` is *session_id*, the rest is left aside.

    Returns:
        The session. Before `init()`, and when tracing is disabled, it is one in name only.
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
    """End the current session with a state, deliver its spans and print one line about it on stderr.

    Args:
        end_state: "Success", "Fail" or "Indeterminate", also as a member of `EventState`.
        rating: The user's verdict: a string or a number.
        end_state_reason: Why it ended like that, in words.
        compat: What AgentOps took besides; left aside.

    Raises:
        ValueError: An end state that is none of the three.
    """
    if client := sdk.client_for("end_session"):
        client.end_session(end_state, rating=rating, end_state_reason=end_state_reason, **compat)


def record(event: events.Event) -> None:
    """Record something that has happened, as a span with the event's own times under the current one.

    ```python
    agentops_otel.record(agentops_otel.Event("api call", params={"q": "x"}, returns=[1], result="Success"))
    ```

    Raises:
        TypeError: *event* is no Event.
    """
    if client := sdk.client_for("record"):
        client.record(event)


def add_tags(tags: Iterable[str]) -> None:
    """Add tags to every span that starts from now on, and to the current session."""
    if client := sdk.client_for("add_tags"):
        client.add_tags(tags)


def set_tags(tags: Iterable[str]) -> None:
    """Replace the tags of every span that starts from now on, and those of the current session."""
    if client := sdk.client_for("set_tags"):
        client.set_tags(tags)
