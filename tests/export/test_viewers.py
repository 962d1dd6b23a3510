"""Viewers of a sent span are asked for it over real HTTP; time is counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from agentops_otel.export import viewers

TRACE = "0123456789abcdef0123456789abcdef"


class Time:
    """Passes as somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, list[float]()

    def monotonic(self) -> float:
        """The time now."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """It is later."""
        self.pauses.append(seconds)
        self.now += seconds


@contextmanager
def viewer(*statuses: int) -> Iterator[tuple[int, list[str]]]:
    """The port of one that answers these, the last of them again and again, and what it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(statuses[min(len(asked), len(statuses)) - 1])
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    asked: list[str] = []
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_trace_is_asked_for_where_it_was_sent_and_in_jaeger(host: str) -> None:
    """Each that has it is named, and where it shows it."""
    with viewer(200) as (own, asked), viewer(200) as (jaeger, asked_of_jaeger):
        endpoint = f"http://{host}:{own}/v1/traces"
        found = list(viewers.showing(endpoint, TRACE, jaeger_port=jaeger, patience_s=0.0))

    assert found == ["agentops-otel view", f"Jaeger at http://{host}:{jaeger}/trace/{TRACE}"]
    assert (asked, asked_of_jaeger) == ([f"/v1/traces/{TRACE}"], [f"/api/traces/{TRACE}"])


def test_another_machine_is_asked_for_jaeger_alone() -> None:
    """`agentops-otel view` listens on the user's own; an address of six numbers has its brackets."""
    with viewer(200) as (own, asked), viewer(500) as (jaeger, asked_of_jaeger):
        assert list(viewers.showing(f"http://127.1:{own}", TRACE, jaeger_port=jaeger, patience_s=0.0)) == []
        nobody = list(viewers.showing(f"http://[::1]:{own}", TRACE, jaeger_port=9, patience_s=0.0))

    assert (asked, len(asked_of_jaeger), nobody) == ([], 1, [])


@pytest.mark.parametrize(
    ("statuses", "patience_s", "is_shown", "pauses"),
    [
        ((404, 404, 200), 3.0, True, 2),
        ((404,), 0.5, False, 3),
        ((404,), 0.0, False, 0),
        ((503, 200), 3.0, False, 0),
        ((204,), 3.0, False, 0),
    ],
)
def test_a_viewer_that_does_not_know_a_trace_yet_is_asked_again(
    statuses: tuple[int, ...], patience_s: float, is_shown: bool, pauses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five times a second for as long as there is patience; one that says anything else is not."""
    time = Time()
    monkeypatch.setattr(viewers, "time", time)
    with viewer(*statuses) as (jaeger, asked):
        found = list(viewers.showing("http://127.1:9", TRACE, jaeger_port=jaeger, patience_s=patience_s))

    assert bool(found) is is_shown
    assert (len(asked), time.pauses) == (pauses + 1, [0.2] * pauses)
