"""Whatever a file, a collector or AgentOps says: what reads it answers, and raises nothing that it does not name."""

import base64
import json
import math
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.config import AgentOps, Destination
from agentops_otel.export import file, otlp_json
from agentops_otel.export.agentops import TokenAuthorization
from agentops_otel.export.grpc import GrpcTransport
from agentops_otel.export.http import answer
from agentops_otel.export.sender import Verdict
from agentops_otel.export.spool import Spool

pytestmark = pytest.mark.no_cover

SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY, FEW = settings(max_examples=settings().max_examples * 3), settings(max_examples=settings().max_examples * 3 // 5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
SPAN = {
    "traceId": "0123456789abcdef0123456789abcdef",
    "spanId": "0123456789abcdef",
    "parentSpanId": "1123456789abcdef",
    "traceState": "a=b",
    "name": "span",
    "kind": 1,
    "startTimeUnixNano": "1",
    "endTimeUnixNano": "2",
    "attributes": [{"key": "a", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "x"}]}}}],
    "events": [{"timeUnixNano": "1", "name": "event", "attributes": [{"key": "b", "value": {"doubleValue": 1.5}}]}],
    "links": [{"traceId": "0123456789abcdef0123456789abcdef", "spanId": "0123456789abcdef"}],
    "status": {"code": 2, "message": "failed"},
    "droppedAttributesCount": 1,
}
MESSAGE = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]},
            "scopeSpans": [{"scope": {"name": "scope"}, "spans": [SPAN]}],
        }
    ]
}


def places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The way to each value in a message."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def replaced(value: object, path: tuple[object, ...], new: object) -> object:
    """The message with another value at the place."""
    if not path:
        return new
    key, *rest = path
    if isinstance(value, dict):
        return {**value, key: replaced(value[key], tuple(rest), new)}
    assert isinstance(value, list)
    return [replaced(item, tuple(rest), new) if number == key else item for number, item in enumerate(value)]


@MANY
@given(place=st.sampled_from(list(places(MESSAGE))), value=VALUES)
def test_any_value_anywhere_in_otlp_json_gives_spans_or_a_value_error(place: tuple[object, ...], value: object) -> None:
    """What is read can be written again, as spans."""
    line = json.dumps(replaced(MESSAGE, place, value))
    try:
        spans = otlp_json.loads(line)
    except ValueError:
        return

    assert all(isinstance(span, ReadableSpan) for span in spans)
    assert len(otlp_json.loads(otlp_json.dumps(spans))) == len(spans)


@SHARED_FOLDER
@given(
    before=st.binary(max_size=200),
    cut=st.integers(0, 2_000),
    between=st.binary(max_size=50),
    flipped=st.integers(0, 2_000),
)
def test_a_trace_file_of_any_bytes_is_read_line_by_line(
    tmp_path: Path, before: bytes, cut: int, between: bytes, flipped: int
) -> None:
    """A whole line is read whatever is before and behind it; a line that holds no spans is an error in its place."""
    whole = orjson.dumps(MESSAGE)
    changed = bytearray(whole)
    changed[flipped % len(changed)] ^= 0x80
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"\n".join((before, whole, whole[: cut % len(whole)], between, whole, bytes(changed))))

    found = list(file.read(path))

    assert all(isinstance(one, ReadableSpan | ValueError) for one in found)
    assert [one.name for one in found if isinstance(one, ReadableSpan)].count("span") >= 2


@SHARED_FOLDER
@given(content=st.binary(max_size=300), begins=st.booleans(), bodies=st.lists(st.binary(max_size=20), max_size=3))
def test_a_spool_with_a_file_of_any_bytes_gives_out_what_is_whole(
    tmp_path: Path, content: bytes, begins: bool, bodies: list[bytes]
) -> None:
    """It neither raises nor stops the records of the other segments."""
    folder = tmp_path / os.urandom(8).hex()
    written = Spool(folder)
    for body in bodies:
        assert written.append(body, 1)
    written.close()
    folder.mkdir(exist_ok=True)
    (folder / f"{1 << 62:020d}-1-a.spans").write_bytes((b"AOTSPAN1" if begins else b"") + content)

    spool, read = Spool(folder, limit_age_s=math.inf), []
    while stored := spool.read(0, 0):
        read.append(stored.body)
        spool.settle(stored.places)
    spool.close()

    assert [body for body in read if body in bodies] == bodies


@MANY
@given(
    status=st.integers(100, 999),
    content=st.binary(max_size=100),
    retry_after=st.none() | st.text(max_size=30) | st.floats().map(str) | st.integers().map(str),
    content_type=st.text(max_size=30) | st.just("application/x-protobuf"),
)
def test_any_answer_over_http_has_a_meaning(
    status: int, content: bytes, retry_after: str | None, content_type: str
) -> None:
    """A wait that can be waited, counts that are counts, and acceptance only by a 2xx."""
    headers = {"content-type": content_type, **({} if retry_after is None else {"retry-after": retry_after})}

    meaning = answer(status, headers, content)

    assert (meaning.verdict is Verdict.ACCEPTED) is (200 <= status < 300)
    assert meaning.retry_after_s is None or 0 <= meaning.retry_after_s < math.inf
    assert 0 <= meaning.rejected < 1 << 63
    assert len(meaning.message) <= 200


@contextmanager
def saying(said: bytes) -> Iterator[str]:
    """The URL of a server that takes what it is sent, says these bytes and hangs up."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


SETTINGS = frame(4, 0, 0, b"")
FRAMES = st.builds(
    frame, st.integers(0, 12), st.integers(0, 255), st.sampled_from([0, 1, 2, 3, 7]), st.binary(max_size=40)
)


@FEW
@given(st.lists(FRAMES, max_size=4).map(b"".join), st.binary(max_size=60), st.booleans())
def test_any_frames_of_a_collector_are_an_answer(frames: bytes, rest: bytes, polite: bool) -> None:
    """What is no gRPC answer is a failure of the collector's: the spans wait, nothing is raised."""
    with saying((SETTINGS if polite else b"") + frames + rest) as url:
        transport = GrpcTransport(Destination(endpoint=url, protocol="grpc"))
        meaning = transport.send(b"x", {}, 60)
        transport.close()

    assert meaning.verdict is not Verdict.ACCEPTED


def test_each_status_has_a_meaning() -> None:
    """Those that are tried again, for ever or a few times, those that say why, and all others, which are refusals."""
    assert answer(307, {}, b"").message == "a redirect is not followed: name the new endpoint"
    found: dict[str, list[int]] = {}
    for status in range(200, 1000):
        found.setdefault(answer(status, {}, b"").verdict.name, []).append(status)

    assert found == {
        "ACCEPTED": [*range(200, 300)],
        "RETRY": [*range(300, 400), 429, *range(502, 1000)],
        "BAD": [400],
        "UNAUTHORISED": [401, 403],
        "RETRY_FEW": [408, 500],
        "TOO_LARGE": [413],
        "REFUSED": [status for status in (*range(402, 500), 501) if status not in (403, 408, 413, 429)],
    }


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "-5", "١٢", "1_0", " 7 ", "Wed, 99 Foo 9999", ""])
def test_a_retry_after_is_seconds_that_can_be_waited_or_nothing(value: str) -> None:
    """A collector that says for ever is tried again as any other."""
    wait = answer(503, {"retry-after": value}, b"").retry_after_s

    assert wait is None or 0 <= wait < math.inf


TOKENS = st.text(max_size=40) | st.builds(
    lambda claims: f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln",
    st.binary(max_size=30) | st.builds(lambda end: json.dumps({"exp": end}).encode(), VALUES),
)
ANSWERS = st.one_of(
    st.binary(max_size=60),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.builds(lambda name, value: json.dumps({name: value}).encode(), st.sampled_from(["token", "error"]), VALUES),
    TOKENS.map(lambda token: json.dumps({"token": token}).encode()),
)
DATES = st.text(alphabet="MonThu, 0123456789NovJan:GMT+-", max_size=40) | st.sampled_from(
    ["Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -0000", "Mon, 01 Jan 0001 00:00:00 -0000"]
)
HEADER_LINES = st.lists(
    st.binary(max_size=30) | st.builds(lambda date: b"date: " + date.encode(), DATES) | st.just(b"content-length: 5"),
    max_size=3,
)


@MANY
@given(
    status=st.sampled_from([b"200", b"400", b"401", b"403", b"500", b"302", b"100", b"999"]) | st.binary(max_size=4),
    lines=HEADER_LINES,
    content=ANSWERS,
)
def test_any_answer_to_an_exchange_of_a_key_is_a_token_a_refusal_or_an_outage(
    status: bytes, lines: list[bytes], content: bytes
) -> None:
    """Any status, headers and body: a token that fits into a header, or the spans wait."""
    said = b"\r\n".join((b"HTTP/1.1 " + status + b" x", *lines, b"", content))
    with saying(said) as url:
        account = AgentOps(api_key="secret-key", api_endpoint=url)
        authorization = TokenAuthorization(account, Destination(endpoint=url), timeout_s=60)
        headers = authorization.headers()

    assert headers is None or (headers["authorization"].isascii() and headers["authorization"].isprintable())
    assert not (headers and authorization.refused)
    assert not headers or status == b"200"
    assert not authorization.refused or status in (b"400", b"401", b"403")
