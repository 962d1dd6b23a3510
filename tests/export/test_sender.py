"""What a sender makes of each answer: when it asks again, what it says and what it counts; by a clock of ours."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from agentops_otel import guard
from agentops_otel.export.encode import Batch, Encoder
from agentops_otel.export.outbox import Outbox, Stats
from agentops_otel.export.sender import Answer, Sender, Verdict
from agentops_otel.export.spool import Spool

LONG_S = 1e6
ACCEPTED, RETRY = Answer(Verdict.ACCEPTED), Answer(Verdict.RETRY, "503")
PROBE = b""


class Destination:
    """Answers from a list, or as it is told; what it was asked, and with what, is kept."""

    limit_bytes = 1 << 20

    def __init__(self, *answers: Answer, decide: Callable[[bytes], Answer] = lambda body: ACCEPTED) -> None:
        self.answers, self._decide = list(answers), decide
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self.timeouts: list[float] = []

    def prepare(self) -> None:
        """Nothing is left to import."""

    def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
        """The next answer."""
        self.bodies.append(body)
        self.headers.append(headers)
        self.timeouts.append(timeout_s)
        return self.answers.pop(0) if self.answers else self._decide(body)

    def close(self) -> None:
        """Nothing is open."""

    forked = close


class Waiting(Outbox):
    """Whose pauses pass at once, by its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[tuple[float, bool]] = []
        super().__init__(clock=lambda: self.now, request_spans=1)

    def pause(self, seconds: float, *, by_destination: bool) -> None:
        """It has passed."""
        super().pause(seconds, by_destination=by_destination)
        self.pauses.append((seconds, by_destination))
        self.now += seconds


class Account:
    """Gives tokens with numbers."""

    def __init__(self, *, has_one: bool = True, renews: bool = True, refused: bool = False) -> None:
        self.refused, self._has_one, self._renews, self.renewals = refused, has_one, renews, 0

    def headers(self) -> Mapping[str, str] | None:
        """With the newest."""
        return {"token": str(self.renewals)} if self._has_one else None

    def renew(self) -> bool:
        """The next."""
        self.renewals += 1
        return self._renews


def sends(
    where: Destination, *batches: Batch, outbox: Waiting | None = None, for_s: float = LONG_S, **options: object
) -> Stats:
    """Send these, and say what became of them."""
    outbox = outbox or Waiting()
    sender = Sender("there", outbox, where, clock=lambda: outbox.now, **options)  # type: ignore[arg-type]
    for batch in batches:
        outbox.add(batch)
    sender.send_here(outbox.now + for_s)
    return outbox.stats(sum(batch.spans for batch in batches))


def spans(number: int, text: str = "x") -> Batch:
    """A request of so many."""
    resource = Resource({})
    contexts = [SpanContext(1, n, is_remote=False) for n in range(1, number + 1)]
    return Encoder().batch(
        [ReadableSpan(f"span {c.span_id}", c, resource=resource, attributes={"a": text}) for c in contexts]
    )


def names(body: bytes) -> list[str]:
    """Of the spans in a request."""
    [resource] = ExportTraceServiceRequest.FromString(body).resource_spans
    return [span.name for scope in resource.scope_spans for span in scope.spans]


def test_a_destination_that_fails_is_asked_at_doubling_distances_of_five_seconds_at_most() -> None:
    """Each between half and the whole of it, and from the beginning once it has taken something."""
    outbox = Waiting()
    where = Destination(*[RETRY] * 12, ACCEPTED, *[RETRY] * 2, ACCEPTED)

    sends(where, Batch(b"a", 1), Batch(b"b", 1), outbox=outbox)

    most = [min(5.0, 0.2 * 2**n) for n in (*range(12), 0, 1)]
    assert where.bodies == [b"a"] * 13 + [b"b"] * 3
    assert all(whole / 2 <= seconds <= whole for (seconds, _), whole in zip(outbox.pauses, most, strict=True))
    assert all(one != other for (one, _), (other, _) in pairwise(outbox.pauses))
    assert not any(by_destination for _, by_destination in outbox.pauses)


def test_the_child_of_a_fork_has_not_failed_yet() -> None:
    """Its first pause is a short one, however often its parent was refused."""
    outbox = Waiting()
    where = Destination(*[RETRY] * 6, ACCEPTED)
    sender = Sender("there", outbox, where, clock=lambda: outbox.now)
    outbox.add(Batch(b"of the parent", 1))
    sender.send_here(outbox.now + 2.0)
    parents = len(outbox.pauses)
    sender.forked()
    outbox.add(Batch(b"of the child", 1))
    where.answers[:] = [RETRY, ACCEPTED]
    sender.send_here(outbox.now + LONG_S)

    [(first, _)] = outbox.pauses[parents:]
    assert parents >= 3
    assert 0.1 <= first <= 0.2
    assert where.bodies[-2:] == [b"of the child"] * 2


@pytest.mark.parametrize(("asked_s", "by_destination"), [(7.0, True), (0.0, False)])
def test_a_pause_that_the_destination_asks_for_is_made(asked_s: float, by_destination: bool) -> None:
    """Not asking for one is no leave to ask again at once."""
    outbox = Waiting()

    sends(Destination(RETRY._replace(retry_after_s=asked_s)), Batch(b"a", 1), outbox=outbox)

    [(seconds, asked)] = outbox.pauses
    assert asked is by_destination
    assert seconds == asked_s if by_destination else 0 < seconds <= 0.2


def test_a_fault_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """The same one; another is told at once."""
    outbox = Waiting()
    where = Destination(decide=lambda body: Answer(Verdict.REFUSED, body.decode()))
    sender = Sender("there", outbox, where, clock=lambda: outbox.now)

    for at, fault in ((0.0, b"404"), (1.0, b"405"), (59.0, b"404"), (60.0, b"404"), (60.5, b"405")):
        outbox.now = 1000.0 + at
        outbox.add(Batch(fault, 1))
        sender.send_here(LONG_S)

    assert caplog.messages == [f"there refused spans: {fault} " for fault in ("404", "405", "404")]
    assert outbox.stats(5).dropped == {"404": 3, "405": 2}


def test_a_request_that_may_be_at_fault_itself_is_tried_four_times() -> None:
    """Then it is dropped, and the next has as many tries."""
    where = Destination(decide=lambda body: Answer(Verdict.RETRY_FEW, "500"))

    assert sends(where, Batch(b"a", 1), Batch(b"b", 2)) == Stats(produced=3, dropped={"500": 3})
    assert where.bodies == [b"a"] * 4 + [b"b"] * 4


def test_what_is_too_large_is_split_and_the_limit_is_learnt() -> None:
    """The next of that size is not sent whole."""
    whole = len(spans(4).body)
    where = Destination(decide=lambda body: ACCEPTED if len(body) < whole else Answer(Verdict.TOO_LARGE, "413"))

    assert sends(where, spans(4), spans(4)) == Stats(produced=8, sent=8)
    halves = [["span 1", "span 2"], ["span 3", "span 4"]]
    assert sorted(map(names, where.bodies)) == sorted([halves[0] + halves[1], *halves, *halves])


def test_a_span_that_is_too_large_is_cut_once() -> None:
    """Its texts to a kilobyte; if that is too large, too, it is dropped."""
    where = Destination(decide=lambda body: Answer(Verdict.TOO_LARGE, "413"))

    assert sends(where, spans(1, "x" * 5000)) == Stats(produced=1, dropped={"413": 1})
    assert [text.count(b"x") for text in where.bodies] == [5000, 1024]


def test_a_bad_span_is_found_among_the_others() -> None:
    """By halves."""
    where = Destination(decide=lambda body: Answer(Verdict.BAD, "400") if b"span 3" in body else ACCEPTED)

    assert sends(where, spans(8)) == Stats(produced=8, sent=7, dropped={"400": 1})
    assert len(where.bodies) == 7


@pytest.mark.parametrize("verdict", [Verdict.TOO_LARGE, Verdict.BAD])
def test_what_cannot_be_split_is_dropped_as_a_whole(verdict: Verdict) -> None:
    """As metrics are."""
    where = Destination(decide=lambda body: Answer(verdict, "no"))

    assert sends(where, Batch(b"a", 4), splits=False) == Stats(produced=4, dropped={"no": 4})
    assert where.bodies == [b"a"]


def test_a_token_is_renewed_once_between_two_requests_that_are_taken() -> None:
    """If the new one is refused, the destination is asked later."""
    outbox = Waiting()
    no = Answer(Verdict.UNAUTHORISED, "401")
    where = Destination(no, ACCEPTED, no, no, no, ACCEPTED)

    sends(where, Batch(b"a", 1), Batch(b"b", 1), outbox=outbox, authorization=Account())

    assert [headers["token"] for headers in where.headers] == ["0", "1", "1", "2", "2", "3"]
    assert len(outbox.pauses) == 1


def test_without_a_new_token_the_spans_wait() -> None:
    """Also without any authorisation to ask."""
    for account in (Account(renews=False), None):
        outbox = Waiting()
        where = Destination(Answer(Verdict.UNAUTHORISED, "401"))

        assert sends(where, Batch(b"a", 1), outbox=outbox, authorization=account).sent == 1
        assert len(outbox.pauses) == 1


def test_without_a_token_nothing_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    """The spans wait, or are dropped if there will never be one; why, its account has told."""
    where = Destination()

    waits = sends(where, Batch(b"a", 1), for_s=100, authorization=Account(has_one=False))
    dropped = sends(where, Batch(b"a", 1), authorization=Account(has_one=False, refused=True))

    assert waits == Stats(produced=1, pending=1)
    assert dropped == Stats(produced=1, dropped={"unauthorised": 1})
    assert (where.bodies, caplog.messages) == ([], [])


def test_a_destination_that_nobody_named_is_asked_every_five_seconds_whether_it_is_there() -> None:
    """Until it says so as a collector does its spans are not counted; then they are sent."""
    outbox = Waiting()
    where = Destination(RETRY, ACCEPTED, Answer(Verdict.ACCEPTED, is_otlp=True))
    sender = Sender("there", outbox, where, probe=True, clock=lambda: outbox.now)
    asked = []

    for at in (0.0, 4.9, 5.0, 9.9, 10.0, 10.1):
        outbox.now = 1000.0 + at
        outbox.add(Batch(b"a", 1))
        sender.send_here(LONG_S)
        asked.append((list(where.bodies), sender.wanted))
        where.bodies.clear()

    nothing: list[bytes] = []
    assert asked == [
        *(([PROBE], False), (nothing, False), ([PROBE], False), (nothing, False)),
        *(([PROBE, b"a"], True), ([b"a"], True)),
    ]
    assert outbox.stats(6) == Stats(produced=2, sent=2)
    assert where.timeouts[:3] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(("for_s", "timeout_s"), [(3.0, 3.0), (LONG_S, 10.0)])
def test_a_request_has_ten_seconds_or_what_is_left(for_s: float, timeout_s: float) -> None:
    """Of the time until the deadline."""
    where = Destination()

    sends(where, Batch(b"a", 1), for_s=for_s)

    assert where.timeouts == [timeout_s]


@pytest.mark.parametrize(
    ("rejected", "message", "sent", "line"),
    [
        (0, "", 3, []),
        (0, "slow down", 3, ["there took all but 0 spans: slow down"]),
        (2, "", 1, ["there took all but 2 spans: "]),
        (9, "", 0, ["there took all but 9 spans: "]),
    ],
)
def test_what_is_taken_in_part_is_counted_and_told(
    rejected: int, message: str, sent: int, line: Sequence[str], caplog: pytest.LogCaptureFixture
) -> None:
    """No more is rejected than there was."""
    where = Destination(Answer(Verdict.ACCEPTED, rejected=rejected, message=message))

    stats = sends(where, Batch(b"a", 3))

    assert (stats.sent, stats.pending, sum(stats.dropped.values())) == (sent, 0, 3 - sent)
    assert caplog.messages == line


def test_a_fault_of_ours_costs_a_request_at_most(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where it is not known whether it was sent, it is sent again; where the answer cannot be understood, it is not."""
    monkeypatch.setattr(guard, "reraise", False)

    def fails_once(body: bytes) -> Answer:
        if len(where.bodies) == 1:
            raise ValueError
        return ACCEPTED._replace(rejected=None) if body == b"odd" else ACCEPTED  # type: ignore[arg-type]

    where = Destination(decide=fails_once)
    stats = sends(where, Batch(b"a", 1), Batch(b"odd", 2), Batch(b"b", 4))

    assert where.bodies == [b"a", b"a", b"odd", b"b"]
    assert stats == Stats(produced=7, sent=5, dropped={"the sender failed": 2})
    assert "there: failed. The spans wait, and are sent when it takes them." in caplog.messages


@pytest.mark.parametrize("disk", [True, False])
@pytest.mark.parametrize("cargo", ["spans", "logs"])
def test_what_is_left_at_the_end_is_told_in_a_line(
    disk: bool, cargo: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """How much waits, and where, or what was dropped; else nothing is said."""
    told = []
    for requests in (0, 2):
        outbox = Outbox(Spool(tmp_path / "spool" / "there") if disk else None)
        sender = Sender("there", outbox, Destination(), cargo=cargo)
        for _ in range(requests):
            outbox.add(Batch(b"x", 2))
        sender.stop(LONG_S)
        sender.say_what_is_left()
        told.append(list(caplog.messages))

    waits = f"there: 4 {cargo} wait in {tmp_path / 'spool'} for the next run."
    assert told == [[], [waits if disk else f"there: {cargo} were dropped: {{'exit': 4}}"]]
