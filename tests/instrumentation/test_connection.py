"""A connection that reports what goes over it, to whom it is the program's own object."""

from typing import Any

from agentops_otel.instrumentation.connection import ConnectionTracker, tracked


class Socket:
    """Takes what websockets' connections take."""

    def send(self, *args: Any, **named: Any) -> Any:
        """Send a message."""
        return args, named

    def recv(self, *args: Any, **named: Any) -> Any:
        """Receive one."""
        return args, named

    def close(self, *args: Any, **named: Any) -> Any:
        """Close."""
        return args, named


def test_what_a_method_is_given_is_passed_on() -> None:
    """By place and by name."""
    connection = tracked(Socket(), ConnectionTracker(lambda request: None))  # type: ignore[arg-type]  # begins none

    assert connection.send("{}", True, text=False) == (("{}", True), {"text": False})
    assert connection.recv(1, decode=False) == ((1,), {"decode": False})
    assert connection.close(1000, reason="done") == ((1000,), {"reason": "done"})
