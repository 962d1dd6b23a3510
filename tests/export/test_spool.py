"""The spool on disk: what is written comes back, whatever ended the process and whoever reads it."""

import fcntl
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from agentops_otel.config import AgentOps, Destination
from agentops_otel.export.encode import Batch
from agentops_otel.export.outbox import Entry, Outbox, Stats
from agentops_otel.export.spool import SCAN_S, RecordRef, Spool, folder

MANY = 1 << 30
HEAD = 13
"""The bytes of a record beside its body."""
NO_TIME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def filled(directory: Path, *bodies: bytes) -> Spool:
    """A spool with a record of one span for each body."""
    spool = Spool(directory)
    for body in bodies:
        assert spool.append(body, 1)
    return spool


def everything(spool: Spool) -> list[bytes]:
    """What it gives out, record by record, each settled."""
    bodies = []
    while stored := spool.read(0, 0):
        bodies.append(stored.body)
        spool.settle(stored.places)
    return bodies


def files(directory: Path) -> list[Path]:
    """The segments in it."""
    return sorted(directory.glob("*.spans"))


def test_what_one_process_leaves_the_next_one_reads(tmp_path: Path) -> None:
    """The records are there in their order, and gone once they are settled."""
    filled(tmp_path, b"one", b"two", b"three").close()

    after = Spool(tmp_path)

    assert everything(after) == [b"one", b"two", b"three"]
    assert files(tmp_path) == []


def test_records_are_read_as_one_request_up_to_a_limit(tmp_path: Path) -> None:
    """Small records travel together."""
    spool = filled(tmp_path, b"aa", b"bb", b"cc", b"dd")

    by_bytes, by_spans = spool.read(4, MANY), spool.read(MANY, 3)

    assert by_bytes is not None
    assert by_spans is not None
    assert (by_bytes.body, by_bytes.spans) == (b"aabb", 2)
    assert (by_spans.body, by_spans.spans) == (b"aabbcc", 3)
    spool.close()


def test_its_own_records_and_those_of_ended_processes_take_turns(tmp_path: Path) -> None:
    """Neither waits for all of the others."""
    filled(tmp_path, b"left 1", b"left 2", b"left 3").close()
    spool = filled(tmp_path, b"own 1", b"own 2", b"own 3")

    bodies = everything(spool)

    assert [body[:3] for body in bodies[:4]] in ([b"own", b"lef"] * 2, [b"lef", b"own"] * 2)
    assert sorted(bodies) == [b"left 1", b"left 2", b"left 3", b"own 1", b"own 2", b"own 3"]


def test_a_segment_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    """Its lock is held; the moment it is let go the segment is anybody's."""
    owner, other = filled(tmp_path, b"mine"), Spool(tmp_path)

    assert other.read(MANY, MANY) is None
    owner.close()
    third = Spool(tmp_path)
    assert everything(third) == [b"mine"]


def test_folder_and_files_are_the_users_alone(tmp_path: Path) -> None:
    """0700 and 0600, whatever the umask."""
    before = os.umask(0)
    try:
        spool = filled(tmp_path / "spool" / "deep", b"x")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "spool" / "deep").stat().st_mode) == 0o700
    assert stat.S_IMODE(files(tmp_path / "spool" / "deep")[0].stat().st_mode) == 0o600
    spool.close()


def test_nothing_is_made_before_something_is_written(tmp_path: Path) -> None:
    """Reading, settling nothing and closing leave no folder behind."""
    spool = Spool(tmp_path / "none")

    assert spool.read(MANY, MANY) is None
    spool.close()

    assert not (tmp_path / "none").exists()


@NO_TIME
@given(
    bodies=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6),
    killed_after=st.integers(0, 400),
    settled=st.integers(0, 6),
)
def test_a_process_killed_at_any_byte_loses_its_last_record_at_most(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes], killed_after: int, settled: int
) -> None:
    """Whatever of a segment reached the disk: each whole record that was not settled is read, and nothing else."""
    directory = tmp_path_factory.mktemp("spool")
    spool = Spool(directory)
    places: list[RecordRef] = []
    ends: list[int] = []
    for body in bodies:
        place = spool.append(body, 1)
        assert place is not None
        places.append(place)
        ends.append(place.segment.size)
    spool.settle(places[:settled])
    spool.forked()  # as death leaves it: open no more, nothing tidied
    remaining = files(directory)
    if settled < len(bodies):
        os.truncate(remaining[0], killed_after) if killed_after < ends[-1] else None

    read = everything(Spool(directory))

    whole = [body for body, end in zip(bodies, ends, strict=True) if end <= killed_after or killed_after >= ends[-1]]
    assert read == (whole[settled:] if settled < len(bodies) else [])


@NO_TIME
@given(data=st.data(), bodies=st.lists(st.binary(min_size=5, max_size=40), min_size=2, max_size=6))
def test_a_damaged_record_costs_itself(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, bodies: list[bytes]
) -> None:
    """A byte that changed in one body: the others are read, and nothing waits for ever."""
    directory = tmp_path_factory.mktemp("spool")
    spool = Spool(directory)
    places = [spool.append(body, 1) for body in bodies]
    broken = data.draw(st.integers(0, len(bodies) - 1))
    place = places[broken]
    assert place is not None
    at = place.offset + 13 + data.draw(st.integers(0, len(bodies[broken]) - 1))
    [byte] = os.pread(place.segment.file, 1, at)
    os.pwrite(place.segment.file, bytes((byte ^ 0xFF,)), at)

    read = everything(spool)

    assert read == [body for n, body in enumerate(bodies) if n != broken]
    assert spool.expired() == {"damaged on disk": 1}
    assert spool.own_spans == 0
    spool.close()


def test_a_file_in_which_all_is_damaged_is_removed(tmp_path: Path) -> None:
    """When it is read; it takes room no longer."""
    filled(tmp_path, b"a record").close()
    [file] = files(tmp_path)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    spool = Spool(tmp_path)

    assert everything(spool) == []
    assert files(tmp_path) == []
    spool.close()


def test_the_oldest_make_room_and_are_counted(tmp_path: Path) -> None:
    """The folder does not outgrow its limit by more than a segment; what went is known to the span."""
    spool = Spool(tmp_path, limit_bytes=40_000)

    for _ in range(100):
        spool.append(b"x" * 1000, 1)

    size = sum(path.stat().st_size for path in files(tmp_path))
    assert 20_000 < size <= 50_000
    dropped = spool.expired()
    assert dropped == {"spool full": 100 - spool.own_spans}
    assert spool.expired() == {}
    assert spool.given_up == 0  # that is of earlier processes
    spool.close()


@NO_TIME
@given(limit=st.integers(1, 4000), sizes=st.lists(st.integers(1, 600), min_size=1, max_size=40))
def test_a_limit_of_any_size_is_kept_to_and_every_span_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, limit: int, sizes: list[int]
) -> None:
    """Also one that a single segment fills: the newest record is there, beyond the limit is a record at most."""
    directory = tmp_path_factory.mktemp("spool")
    spool = Spool(directory, limit_bytes=limit)
    dropped = 0
    for number, size in enumerate(sizes):
        assert spool.append(bytes((number,)) * size, 1)
        dropped += spool.expired().get("spool full", 0)

        assert spool.own_spans + dropped == number + 1
        # A segment goes on until it is full, so the last record may stand out of it.
        assert sum(path.stat().st_size for path in files(directory)) <= limit + max(sizes) + 2 * HEAD
    assert everything(spool)[-1][:1] == bytes((len(sizes) - 1,))
    spool.close()


def test_a_segment_is_closed_at_its_size_and_another_begun(tmp_path: Path) -> None:
    """A file holds as many records as begin below its size; read back, they are in their order."""
    spool = Spool(tmp_path, segment_bytes=100)
    for number in range(9):
        spool.append(bytes((number,)) * 50, 1)

    assert [path.stat().st_size for path in files(tmp_path)] == [8 + 2 * (50 + HEAD)] * 4 + [8 + 50 + HEAD]
    assert [body[0] for body in everything(spool)] == list(range(9))
    spool.close()


def test_what_many_ended_processes_left_is_taken_in_one_go(tmp_path: Path) -> None:
    """A few files at a time, one after the other, without waiting for the next look."""
    for number in range(50):
        filled(tmp_path, bytes((number,))).close()

    after = Spool(tmp_path, clock=lambda: 1e9, limit_age_s=1e12)

    assert everything(after) == [bytes((number,)) for number in range(50)]
    assert files(tmp_path) == []


def test_what_was_delivered_takes_no_room_and_is_not_read_again(tmp_path: Path) -> None:
    """Nor is what lay behind the record that was written in its place."""
    spool = filled(tmp_path, b"x" * 1000, b"y" * 1000)
    stored = spool.read(MANY, MANY)
    assert stored is not None
    spool.settle(stored.places)
    emptied = [path.stat().st_size for path in files(tmp_path)]
    assert spool.append(b"short", 1)
    written = [path.stat().st_size for path in files(tmp_path)]
    spool.forked()  # as death leaves it

    assert (emptied, written) == ([8], [8 + HEAD + 5])
    assert everything(Spool(tmp_path)) == [b"short"]


@pytest.mark.parametrize(("more", "kept"), [(1, True), (0, False)])
def test_a_file_that_has_its_size_is_removed_when_it_was_delivered(more: int, kept: bool, tmp_path: Path) -> None:
    """One that has not is written to again."""
    spool = Spool(tmp_path, segment_bytes=8 + HEAD + 5 + more)
    place = spool.append(b"whole", 1)
    assert place is not None
    spool.settle([place])

    assert bool(files(tmp_path)) is kept
    spool.close()


def test_it_is_told_once_that_something_is_written(tmp_path: Path) -> None:
    """When the folder is there, and not for each file."""
    told: list[bool] = []
    spool = Spool(tmp_path / "spool", segment_bytes=10, begun=lambda: told.append((tmp_path / "spool").is_dir()))
    before = list(told)
    for _ in range(3):
        spool.append(b"x" * 20, 1)

    assert (before, told, len(files(tmp_path / "spool"))) == ([], [True], 3)
    spool.close()


def held(directory: Path) -> int:
    """How many of the segments somebody has locked."""
    locked = 0
    for path in files(directory):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                locked += 1
    return locked


def test_no_more_than_sixteen_files_of_ended_processes_are_held_at_a_time(tmp_path: Path) -> None:
    """Others may deliver the rest; one that comes later is taken as soon as there is room for it."""
    now, counts = [0.0], list[int]()
    spool = Spool(tmp_path, clock=lambda: now[0], limit_age_s=1e12)
    for left in (15, 1, 1):
        for _ in range(left):
            filled(tmp_path, b"x").close()
        now[0] += SCAN_S
        spool.read(0, 0)
        counts.append(held(tmp_path))
    stored = spool.read(0, 0)
    assert stored is not None
    spool.settle(stored.places)
    now[0] += SCAN_S
    spool.read(0, 0)

    assert [*counts, held(tmp_path), len(files(tmp_path))] == [15, 16, 16, 16, 16]
    assert len(everything(spool)) == 16
    spool.close()


def test_half_a_record_is_taken_off_the_disk_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What a full disk took of one: the file ends with the last that is whole, and what fits is written."""
    resource = pytest.importorskip("resource")
    spool = filled(tmp_path, b"whole")
    whole, limits = files(tmp_path)[0].stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)

    # A limit on the file's size is what a full disk is to `write`: half of it, then an error.
    resource.setrlimit(resource.RLIMIT_FSIZE, (whole + 50, limits[1]))
    try:
        assert spool.append(b"x" * 100, 1) is None
        size = files(tmp_path)[0].stat().st_size
        assert spool.append(b"fits", 1) is not None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert size == whole
    assert everything(spool) == [b"whole", b"fits"]
    assert "(the disk is full): what cannot be sent waits in memory" in caplog.text
    spool.close()


@pytest.mark.parametrize("bodies", [(b"old",), (b"old", b"as old", b"older")])
def test_what_is_too_old_is_given_up(bodies: Sequence[bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What an earlier process left is not delivered after a week; a line says so, and the count."""
    now = [os.stat(tmp_path).st_mtime]
    filled(tmp_path, *bodies).close()

    now[0] += 6 * 24 * 3600
    early = Spool(tmp_path, clock=lambda: now[0])
    assert early.read(MANY, MANY) is not None
    early.close()

    now[0] += 2 * 24 * 3600
    late = Spool(tmp_path, clock=lambda: now[0])

    assert late.read(MANY, MANY) is None
    assert files(tmp_path) == []
    assert late.given_up == len(bodies)
    assert f"{len(bodies)} spans that earlier processes left were given up: too old" in caplog.text
    assert Outbox(late).stats(0).given_up == len(bodies)


def test_the_file_of_a_living_sibling_is_not_kept_open(tmp_path: Path) -> None:
    """It is looked at again and again, for as long as both live."""
    living = filled(tmp_path, b"sibling's")
    now, opened = [0.0], set()
    spool = Spool(tmp_path, clock=lambda: now[0], limit_age_s=1e12)

    for _ in range(3):
        now[0] += 100
        assert spool.read(MANY, MANY) is None
        opened.add(len(os.listdir("/dev/fd")))
    living.close()
    spool.close()

    assert len(opened) == 1


def test_what_a_sibling_leaves_is_found_later(tmp_path: Path) -> None:
    """A process looks again after a while for what others left meanwhile."""
    now = [0.0]
    spool = Spool(tmp_path, clock=lambda: now[0], limit_age_s=1e12)
    assert spool.read(MANY, MANY) is None
    filled(tmp_path, b"sibling's").close()

    assert spool.read(MANY, MANY) is None
    now[0] += SCAN_S
    assert everything(spool) == [b"sibling's"]


def test_no_place_to_write_is_said_once_and_nothing_raised(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file where the folder should be: memory has to do."""
    (tmp_path / "taken").write_text("in the way")
    spool = Spool(tmp_path / "taken" / "spool")

    assert spool.append(b"x", 1) is None
    assert spool.append(b"y", 1) is None

    assert caplog.text.count("No spool at") == 1
    assert f"No spool at {tmp_path}/taken/spool (Not a directory): " in caplog.text
    assert "spool_dir=" in caplog.text


def test_a_folder_has_the_name_that_earlier_versions_gave_it(tmp_path: Path) -> None:
    """What they left is found."""
    local = Destination(endpoint="http://localhost:4318/v1/traces", protocol="http/protobuf")
    named = [folder(tmp_path, each).name for each in (local, replace(local, headers={"x": "y"}))]

    assert named == snapshot(["80496d649377ac9f", "510b5c6c3324b34e"])


def test_only_what_this_user_wrote_is_read(tmp_path: Path) -> None:
    """In a folder that others share: no file of theirs, no link, no pipe, no other file of mine; all of it stays."""
    shared, elsewhere = tmp_path / "shared", tmp_path / "elsewhere"
    filled(shared, b"mine").close()
    filled(elsewhere, b"linked").close()
    (linked,) = files(elsewhere)
    (shared / "2-1-a.spans").symlink_to(linked)
    os.link(linked, shared / "3-1-a.spans")
    os.mkfifo(shared / "4-1-a.spans")
    (shared / "5-1-a.spans").write_bytes(b"a letter of mine, of more than some bytes")
    (shared / "6-1-a.spans").mkdir()
    if os.geteuid() == 0:
        filled(shared, b"theirs").close()
        os.chown(files(shared)[1], 12345, 12345)
    others = [path for path in files(shared) if path != files(shared)[0]] + [linked]

    spool = Spool(shared)

    assert everything(spool) == [b"mine"]
    assert all(os.path.lexists(path) for path in others)
    assert linked.read_bytes().endswith(b"linked")
    assert b"letter" in (shared / "5-1-a.spans").read_bytes()
    spool.close()


def test_a_directory_that_vanishes_is_made_again(tmp_path: Path) -> None:
    """What is written after it is there for the next process; what was in it goes out from here, or is counted."""
    outbox = Outbox(Spool(tmp_path / "spool"))
    outbox.failed()
    outbox.add(Batch(b"before", 1))
    shutil.rmtree(tmp_path / "spool")
    outbox.add(Batch(b"after", 1))

    assert outbox.stats(2).spooled == 2
    outbox.close()
    outbox.release()

    assert everything(Spool(tmp_path / "spool")) == [b"after"]
    stats = outbox.stats(2)
    assert (stats.spooled, stats.pending, stats.dropped) == (1, 0, {"the disk failed": 1})


OTHERS = (
    "https://localhost:4318/v1/traces",
    "http://localhost:4319/v1/traces",
    "http://localhost/v1/traces",
    "http://collector:4318/v1/traces",
    "http://me:x@localhost:4318/v1/traces",
    "http://you:x@localhost:4318/v1/traces",
    "http://localhost:4318/v1/Traces",
    "http://localhost:4318/v1/traces?team=a",
    "http://localhost:4318/v1/traces?team=b",
    "https://collector/",
    "http://collector/",
)
"""Endpoints that are not one another's."""


def test_each_account_has_a_folder_of_its_own_and_its_name_tells_no_key(tmp_path: Path) -> None:
    """Spans left under one key are never sent under another."""
    url = "http://localhost:4318/v1/traces"
    destinations = [
        Destination(endpoint=url),
        Destination(endpoint=url, protocol="grpc"),
        Destination(endpoint=url, headers={"x-team": "a-secret"}),
        Destination(endpoint=url, agentops=AgentOps(api_key="b-secret")),
        Destination(endpoint=url, signal="metrics"),
        *(Destination(endpoint=other) for other in OTHERS),
    ]

    folders = [folder(tmp_path, destination) for destination in destinations]

    assert len(set(folders)) == len(folders)
    assert "secret" not in str(folders)
    assert folders == [folder(tmp_path, destination) for destination in destinations]


@pytest.mark.parametrize(
    "spellings",
    [
        ("http://collector", "http://collector:80/", "HTTP://COLLECTOR.", "http://collector/"),
        ("https://collector/a", "https://collector:443/a/", "https://Collector/a"),
        ("http://localhost:4318", "http://127.0.0.1:4318", "http://[::1]:4318/"),
    ],
)
def test_an_endpoint_has_one_folder_however_it_is_written(spellings: Sequence[str], tmp_path: Path) -> None:
    """A default port, a last slash or dot, the case of the host and the name of loopback make no difference."""
    assert len({folder(tmp_path, Destination(endpoint=endpoint)) for endpoint in spellings}) == 1


# The outbox over it.


def stored_outbox(tmp_path: Path) -> Outbox:
    """An outbox whose destination fails, with a spool."""
    outbox = Outbox(Spool(tmp_path))
    outbox.failed()
    return outbox


def test_a_failing_destination_has_its_spans_on_disk_at_once(tmp_path: Path) -> None:
    """What waits and what comes is written; nothing is before."""
    outbox = Outbox(Spool(tmp_path))
    outbox.add(Batch(b"before", 1))
    assert files(tmp_path) == []

    outbox.failed()
    outbox.add(Batch(b"after", 2))

    stats = outbox.stats(3)
    assert (stats.spooled, stats.pending) == (3, 0)
    outbox.close()
    outbox.release()
    assert everything(Spool(tmp_path)) == [b"before", b"after"]


def test_a_destination_that_takes_something_has_the_next_in_memory(tmp_path: Path) -> None:
    """It no longer fails; a flush then waits until it is delivered."""
    outbox = stored_outbox(tmp_path)
    outbox.add(Batch(b"before", 1))
    stored = (outbox.settled, outbox.has_left_overs)
    entry = outbox.take()
    assert entry is not None
    outbox.delivered(entry)
    outbox.add(Batch(b"after", 2))

    assert stored == (True, True)
    assert (outbox.stats(3).spooled, outbox.stats(3).pending, outbox.settled) == (0, 2, False)
    outbox.close()
    outbox.release()


@pytest.mark.parametrize("disk", [True, False])
def test_what_an_earlier_process_left_is_known_before_it_is_read(disk: bool, tmp_path: Path) -> None:
    """Without a file, and without a disk, there is nothing."""
    outbox = Outbox(Spool(tmp_path / "spool") if disk else None)
    before = outbox.has_left_overs
    filled(tmp_path / "spool", b"x").close()

    assert (before, outbox.has_left_overs) == (False, disk)


@pytest.mark.parametrize("disk", [True, False])
def test_what_a_child_of_a_fork_finds_is_its_parents(disk: bool, tmp_path: Path) -> None:
    """It counts nothing of it and takes nothing of it, and on disk it stays where it was."""
    outbox = Outbox(Spool(tmp_path) if disk else None)
    outbox.failed()
    outbox.add(Batch(b"of the parent", 2))
    before = files(tmp_path)

    outbox.forked()

    assert outbox.settled
    assert outbox.stats(0) == Stats()
    assert files(tmp_path) == before


def test_what_is_lost_when_a_request_is_taken_off_a_disk_is_counted_then(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk has become one that is only read: the request is delivered, and what lies behind it is given up."""
    spool = Spool(tmp_path)
    outbox = Outbox(spool, request_spans=1)
    outbox.failed()
    for body, spans in ((b"delivered", 1), (b"behind", 2)):
        outbox.add(Batch(body, spans))
    entry = outbox.take()
    assert entry is not None
    assert spool._open is not None
    only_read = os.open(spool._open.path, os.O_RDONLY)
    os.dup2(only_read, spool._open.file)
    os.close(only_read)

    outbox.delivered(entry)

    assert outbox.stats(3) == Stats(produced=3, sent=1, dropped={"the disk failed": 2})
    assert caplog.messages == []  # which would tell of what earlier processes have left


def test_a_disk_that_takes_nothing_is_tried_again(tmp_path: Path) -> None:
    """What could not be written waits in memory, and there is a time at which it is tried again."""
    (tmp_path / "taken").touch()
    outbox = Outbox(Spool(tmp_path / "taken"))
    outbox.add(Batch(b"waits", 1))

    again_s = outbox.spool_older_than()

    assert again_s == 1.0
    assert (outbox.stats(1).pending, outbox.stats(1).spooled) == (1, 0)
    outbox.release()


def test_a_request_is_put_on_disk_when_it_has_its_age(tmp_path: Path) -> None:
    """And not before; until then it is said when that will be, of the oldest, and of none where all are there."""
    now = [100.0]
    outbox = Outbox(Spool(tmp_path), clock=lambda: now[0])
    assert outbox.spool_older_than(5.0) is None
    outbox.add(Batch(b"first", 1))
    now[0] += 1.0
    outbox.add(Batch(b"second", 1))
    entry = outbox.take()
    assert entry is not None
    due = []
    for seconds in (3.0, 0.5, 0.5, 1.0):
        now[0] += seconds
        outbox.add(Batch(b"", 0))  # of no spans: nothing to keep
        due.append((outbox.spool_older_than(5.0), outbox.stats(2).spooled))

    assert entry.body == b"firstsecond"
    assert due == [(1.0, 0), (0.5, 0), (None, 2), (None, 2)]
    outbox.close()
    outbox.release()


@pytest.mark.parametrize("disk", [True, False])
def test_what_fills_the_memory_just_so_stays_there(disk: bool, tmp_path: Path) -> None:
    """A byte more goes to disk, or has the oldest make room for it."""
    outbox = Outbox(Spool(tmp_path) if disk else None, memory_bytes=1000)
    outbox.add(Batch(b"x" * 500, 1))
    outbox.add(Batch(b"x" * 500, 1))
    fits = outbox.stats(2)
    outbox.add(Batch(b"x", 1))

    assert fits == Stats(produced=2, pending=2)
    more = {"spooled": 1} if disk else {"dropped": {"outbox full": 1}}
    assert outbox.stats(3) == Stats(produced=3, pending=2, **more)
    outbox.close()
    outbox.release()


def test_a_backlog_is_joined_up_to_a_number_of_spans() -> None:
    """One that has just so many is full."""
    outbox = Outbox(request_spans=4)
    for spans in (2, 2, 2, 3, 1, 9):
        outbox.add(Batch(b"x", spans))

    taken = []
    while entry := outbox.take(time.monotonic() + 60):
        taken.append(entry.spans)
        outbox.delivered(entry)

    assert taken == [4, 5, 10]


def test_what_was_damaged_on_disk_is_counted_when_it_is_read(tmp_path: Path) -> None:
    """Nothing else has to happen."""
    outbox = stored_outbox(tmp_path)
    outbox.store(Batch(b"whole", 1))
    [file] = files(tmp_path)
    file.write_bytes(file.read_bytes()[:-1] + b"?")

    assert outbox.take(time.monotonic() + 60) is None

    assert outbox.stats(1).dropped == {"damaged on disk": 1}
    outbox.close()
    outbox.release()


def test_what_is_on_disk_is_work_to_do(tmp_path: Path) -> None:
    """For the sender that goes on after a fork."""
    outbox = stored_outbox(tmp_path)
    assert not outbox.has_work

    outbox.add(Batch(b"x", 1))

    assert outbox.has_work
    outbox.close()
    outbox.release()


def test_what_has_gone_to_disk_takes_no_room_in_memory(tmp_path: Path) -> None:
    """The next request waits in memory, as the first did."""
    outbox = Outbox(Spool(tmp_path), memory_bytes=1000)
    outbox.add(Batch(b"x" * 600, 1))
    outbox.spool_older_than()
    assert outbox.stats(1).spooled == 1

    outbox.add(Batch(b"y" * 600, 1))

    assert outbox.stats(2).spooled == 1
    outbox.close()
    outbox.release()


def test_what_is_in_a_request_is_written_when_it_takes_too_long_and_not_sent_twice(tmp_path: Path) -> None:
    """Overdue it is on disk; accepted after all it is off again."""
    outbox = Outbox(Spool(tmp_path))
    outbox.add(Batch(b"slow", 1))
    entry = outbox.take()
    assert entry is not None

    assert outbox.spool_older_than(60) is not None
    assert outbox.stats(1).spooled == 0
    assert outbox.spool_older_than() is None
    assert outbox.stats(1).spooled == 1
    outbox.delivered(entry)

    assert (outbox.stats(1).sent, outbox.stats(1).spooled) == (1, 0)
    outbox.close()
    outbox.release()
    assert files(tmp_path) == []


def test_halves_of_what_is_on_disk_are_on_disk_before_the_whole_is_taken_off(tmp_path: Path) -> None:
    """A crash while a request is bisected sends spans twice rather than never."""
    outbox = stored_outbox(tmp_path)
    outbox.add(Batch(b"whole", 2))
    entry = outbox.take()
    assert entry is not None

    outbox.replace(entry, [Batch(b"wh", 1), Batch(b"ole", 1)])

    assert outbox.spool is not None
    outbox.spool.forked()  # as death leaves it
    assert everything(Spool(tmp_path)) == [b"wh", b"ole"]


def test_an_adopted_request_is_not_counted_among_our_own(tmp_path: Path) -> None:
    """It is `recovered`; halves of it too, and what is given up of it is nobody's loss here."""
    filled(tmp_path, b"one", b"two").close()
    outbox = Outbox(Spool(tmp_path))
    entry = outbox.take()
    assert entry is not None
    outbox.replace(entry, [Batch(b"one", 1), Batch(b"two", 1)])
    assert (outbox.stats(0).spooled, outbox.stats(0).pending) == (0, 0)

    for expected in (b"two", b"one"):
        part = outbox.take()
        assert part is not None
        assert part.body == expected
        outbox.delivered(part) if expected == b"two" else outbox.dropped(part, "404")

    stats = outbox.stats(0)
    assert (stats.recovered, stats.given_up, stats.sent, stats.spooled, stats.dropped) == (1, 1, 0, 0, {})
    outbox.close()
    outbox.release()


def test_what_is_refused_of_an_adopted_request_is_given_up(tmp_path: Path) -> None:
    """The rest of it is recovered."""
    left = Spool(tmp_path)
    left.append(b"seven spans", 7)
    left.close()
    outbox = Outbox(Spool(tmp_path))
    entry = outbox.take()
    assert entry is not None

    outbox.delivered(entry, rejected=2)

    stats = outbox.stats(0)
    assert (stats.recovered, stats.given_up, stats.dropped) == (5, 2, {})
    outbox.close()
    outbox.release()


def test_what_made_room_while_it_was_on_its_way_is_counted_once(tmp_path: Path) -> None:
    """Dropped from disk and accepted at the same time: it stays dropped, the sum is right."""
    outbox = Outbox(Spool(tmp_path, limit_bytes=4000))
    outbox.failed()
    outbox.add(Batch(b"a" * 900, 1))
    outbox.add(Batch(b"a" * 900, 1))
    entry = outbox.take()
    assert entry is not None
    for _ in range(20):
        outbox.add(Batch(b"b" * 900, 1))

    outbox.delivered(entry)

    stats = outbox.stats(22)
    assert stats.sent == 0
    assert stats.pending == 0
    assert stats.spooled + stats.dropped["spool full"] == 22
    outbox.close()
    outbox.release()


def test_memory_alone_drops_the_oldest_and_counts_them() -> None:
    """Without a disk what fits is kept."""
    outbox = Outbox(memory_bytes=1000)

    for n in range(20):
        outbox.add(Batch(bytes((n,)) * 100, 2))

    assert outbox.stats(40).dropped == {"outbox full": 20}
    entry = outbox.take()
    assert entry is not None
    assert entry.body[0] == 10


def test_what_has_been_sent_takes_no_room_in_memory() -> None:
    """However much that was; what comes then waits as the first did."""
    outbox = Outbox(memory_bytes=1000)
    for _ in range(20):
        outbox.add(Batch(b"x" * 600, 1))
        entry = outbox.take()
        assert entry is not None
        outbox.delivered(entry)

    outbox.add(Batch(b"x" * 300, 1))
    outbox.add(Batch(b"x" * 300, 1))

    assert outbox.stats(22).dropped == {}


def test_what_was_lost_before_it_was_added_settles_nothing_else() -> None:
    """A flush still waits for the spans that were encoded."""
    outbox = Outbox()

    outbox.count_lost(2, "not encodable")
    outbox.add(Batch(b"x", 1))

    assert not outbox.settled
    assert not outbox.wait(0.0)
    assert outbox.stats(3).pending == 1


def test_a_sender_that_was_idle_is_waited_for_when_it_is_not() -> None:
    """Whoever waits for what is on disk does so while a request is on its way."""
    outbox = Outbox()
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(outbox.take()))
    thread.start()
    idle = outbox.recover(time.monotonic() + 60)
    outbox.add(Batch(b"x", 1))
    thread.join()

    began = time.monotonic()
    outbox.recover(began + 0.05)

    assert idle == (0, 0)
    assert len(taken) == 1
    assert time.monotonic() - began >= 0.05


def in_the_way(directory: Path) -> Path:
    """A file where the spool should be: nothing can be written."""
    directory.write_text("in the way")
    return directory


ENDS_OF_A_WAIT: dict[str, Callable[[Outbox, Entry], object]] = {
    "delivered": lambda outbox, entry: outbox.delivered(entry),
    "dropped": lambda outbox, entry: outbox.dropped(entry, "404"),
    "forgotten": lambda outbox, entry: outbox.discard(),
    "closed": lambda outbox, entry: outbox.close(),
    "on disk again, as the destination fails": lambda outbox, entry: outbox.failed(),
    "on disk again, when it is overdue": lambda outbox, entry: outbox.spool_older_than(),
    "on disk again, for a process that may be killed": lambda outbox, entry: outbox.persist(),
}


@pytest.mark.parametrize("what", ENDS_OF_A_WAIT)
def test_whoever_waits_for_a_request_is_woken_by_what_becomes_of_it(what: str, tmp_path: Path) -> None:
    """Nobody waits for the rest of the time, which is long."""
    waits, ended = threading.Event(), list[bool]()

    def clock() -> float:
        if threading.current_thread() is thread:
            waits.set()  # under the lock: whoever comes to it next does so when this thread waits
        return 0.0

    spool = Spool(in_the_way(tmp_path / "spool"))
    outbox = Outbox(spool, clock=clock)
    thread = threading.Thread(target=lambda: ended.append(outbox.wait(1000.0)), daemon=True)
    outbox.add(Batch(b"x", 1))
    entry = outbox.take()
    assert entry is not None
    outbox.failed()  # the disk takes nothing
    (tmp_path / "spool").unlink()

    thread.start()
    assert waits.wait(60)
    ENDS_OF_A_WAIT[what](outbox, entry)
    thread.join(15)

    assert ended == [True]
    outbox.close()
    outbox.release()


@pytest.mark.parametrize("fails", [True, False], ids=["the destination fails", "nothing is left"])
def test_whoever_waits_for_what_is_on_disk_is_woken_when_no_more_of_it_is_sent(fails: bool) -> None:
    """Nobody waits for the rest of the time, which is long."""
    waits, ended = threading.Event(), list[tuple[int, int]]()

    def clock() -> float:
        if threading.current_thread() is waiting:
            waits.set()  # under the lock: whoever comes to it next does so when this thread waits
        return 0.0

    outbox = Outbox(clock=clock)
    waiting = threading.Thread(target=lambda: ended.append(outbox.recover(1000.0)), daemon=True)
    sending = threading.Thread(target=outbox.failed if fails else outbox.take, daemon=True)

    waiting.start()
    assert waits.wait(60)
    sending.start()
    waiting.join(15)
    in_time = list(ended)
    outbox.close()
    sending.join(15)

    assert in_time == [(0, 0)]


@pytest.mark.parametrize(
    ("pauses", "wake", "given"),
    [
        pytest.param(False, lambda outbox: outbox.add(Batch(b"x", 1)), b"x", id="added"),
        pytest.param(False, lambda outbox: outbox.store(Batch(b"x", 1)), b"x", id="stored"),
        pytest.param(False, lambda outbox: outbox.interrupt(), None, id="interrupted"),
        pytest.param(False, lambda outbox: outbox.close(), None, id="closed"),
        pytest.param(True, lambda outbox: outbox.resume(), b"x", id="the end of a pause"),
        pytest.param(True, lambda outbox: outbox.interrupt(), None, id="interrupted in a pause"),
        pytest.param(True, lambda outbox: outbox.close(), None, id="closed in a pause"),
    ],
)
def test_a_sender_that_sleeps_is_woken_by_what_it_sleeps_for(
    pauses: bool, wake: Callable[[Outbox], object], given: bytes | None, tmp_path: Path
) -> None:
    """In a pause by what ends that, and with nothing to do by what there is to do."""
    waits, taken = threading.Event(), list[bytes | None]()

    def clock() -> float:
        if threading.current_thread() is thread:
            waits.set()  # under the lock: whoever comes to it next does so when this thread waits
        return 0.0

    def take() -> None:
        entry = outbox.take()
        taken.append(entry.body if entry else None)

    outbox = Outbox(Spool(tmp_path), clock=clock)
    thread = threading.Thread(target=take, daemon=True)
    if pauses:
        outbox.add(Batch(b"x", 1))
        outbox.pause(1000.0, by_destination=False)

    thread.start()
    assert waits.wait(60)
    wake(outbox)
    thread.join(15)

    assert taken == [given]
    outbox.close()
    outbox.release()


def test_a_closed_outbox_gives_out_nothing_and_ends_the_wait() -> None:
    """The sender's thread is let go."""
    outbox = Outbox()
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(outbox.take()))
    thread.start()

    outbox.close()
    thread.join(5)

    assert taken == [None]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.sampled_from(["add", "store", "take", "deliver", "drop", "fail", "split", "secure", "expire"]))
)
def test_whatever_happens_every_span_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    """Any order of events: the sum is right at each step, and a death at the end loses only what was in memory."""
    directory = tmp_path_factory.mktemp("spool")
    outbox = Outbox(Spool(directory, limit_bytes=3000), memory_bytes=300)
    added = 0
    hand = None
    for step in steps:
        match step:
            case "add" | "store":
                added += 2
                (outbox.add if step == "add" else outbox.store)(Batch(b"x" * 100, 2))
            case "take" if added and outbox.stats(added).spooled + outbox.stats(added).pending:
                hand = outbox.take()
            case "deliver" if hand:
                outbox.delivered(hand)
                hand = None
            case "drop" if hand:
                outbox.dropped(hand, "404")
                hand = None
            case "split" if hand and hand.spans > 1:
                outbox.replace(hand, [Batch(b"x", 1), Batch(b"x", hand.spans - 1)])
                hand = None
            case "fail":
                outbox.failed()
            case "secure":
                outbox.spool_older_than()
        stats = outbox.stats(added)
        assert stats.pending >= 0
    spooled = outbox.stats(added).spooled
    assert outbox.spool is not None
    outbox.spool.forked()  # as death leaves it

    after = Spool(directory)
    found = 0
    while stored := after.read(MANY, MANY):
        found += stored.spans
        after.settle(stored.places)
    assert found == spooled
