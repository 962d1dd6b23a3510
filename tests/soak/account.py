"""What became of each span that ended, and whether the answers are those without us."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentops_otel.export.spool import Spool
from tests.soak.collector import Collector
from tests.soak.service import ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The spans of a soak, by what became of them."""

    ended: int
    delivered: int
    rejected: int
    """The collector took their request, and said that it did not take them."""
    on_disk: int
    counted: int
    """Rejected spans that processes which ended in order have in their `stats()`."""
    lost_by_kills: int
    """Of processes with `durability="batch"` that were killed: what was not yet written."""
    oldest_lost_s: float
    """How long before its process's last span the oldest of these ended."""
    twice: int
    """Delivered twice: in a request that was on its way when its process was killed."""
    faults: list[str] = field(default_factory=list)
    """What must not be."""


def account(folder: Path, collector: Collector, killed: set[int]) -> Account:
    """Compare what processes noted with what the collector took and what lies on disk.

    Args:
        folder: Where the processes put their notes.
        collector: With what it took.
        killed: The process ids that were killed.
    """
    ended = {path: _ended(path) for path in (folder / "ended").iterdir()}
    stats = {path.name: json.loads(path.read_text()) for path in (folder / "stats").iterdir()}
    on_disk = _on_disk(folder / "spool")
    known = set(collector.times) | collector.rejected | on_disk
    faults, lost, oldest = [], 0, 0.0
    for path, spans in ended.items():
        missing = {span: at for span, at in spans.items() if span not in known}
        number, pid = path.name.split("-")
        durable = int(number) % 2
        if missing and (int(pid) not in killed or durable):
            faults.append(f"{len(missing)} of {len(spans)} spans of {path.name} are nowhere")
        elif missing:
            lost += len(missing)
            oldest = max(oldest, (max(spans.values()) - min(missing.values())) / 1e9)
        if int(pid) not in killed:
            faults += _does_not_add_up(path.name, stats.get(path.name), len(spans))
    orderly = {span for path, spans in ended.items() if int(path.name.split("-")[1]) not in killed for span in spans}
    twice = {span for span, times in collector.times.items() if times > 1}
    if again := len(twice & orderly):
        faults.append(f"{again} spans of processes that ended in order were delivered twice")
    return Account(
        ended=sum(map(len, ended.values())),
        delivered=len(collector.times),
        rejected=len(collector.rejected),
        on_disk=len(on_disk),
        counted=sum(sum(each["dropped"].values()) + each["given_up"] for each in stats.values()),
        lost_by_kills=lost,
        oldest_lost_s=oldest,
        twice=len(twice),
        faults=faults,
    )


def _does_not_add_up(name: str, stats: dict[str, Any] | None, ended: int) -> list[str]:
    if stats is None:
        return [f"{name} did not end in order"]
    dropped: Counter[str] = Counter(stats["dropped"])
    told = stats["sent"] + stats["spooled"] + dropped.total()
    if stats["produced"] == ended == told and not stats["pending"] and dropped.keys() <= {"partial success"}:
        return []
    return [f"{name}: {ended} spans ended, and its stats are {stats}"]


def _ended(path: Path) -> dict[bytes, int]:
    return {span.to_bytes(8, "big"): at for span, at in ENDED.iter_unpack(path.read_bytes())}


def _on_disk(folder: Path) -> set[bytes]:
    """The ids of the spans that lie in the spools of the folder; they are taken off it."""
    ids: set[bytes] = set()
    for place in {path.parent for path in folder.rglob("*.spans")}:
        spool = Spool(place)
        while stored := spool.read(0, 0):
            request = ExportTraceServiceRequest.FromString(stored.body)
            ids |= {s.span_id for r in request.resource_spans for scope in r.scope_spans for s in scope.spans}
            spool.settle(stored.places)
        spool.close()
    return ids


def other_answers(folder: Path) -> list[str]:
    """The jobs of which the answer is not that of the run without us."""
    wrong = []
    for bare in (folder / "answers").glob("*-bare"):
        number = bare.name.removesuffix("-bare")
        expected, given = _answers(bare), _answers(folder / "answers" / number)
        wrong += [f"{number}/{job}" for job, answer in given.items() if expected.get(job) != answer]
    return wrong


def _answers(path: Path) -> dict[int, str]:
    lines = path.read_bytes().split(b"\n")[:-1]  # of a killed process the last may be cut
    return dict(json.loads(line) for line in lines)
