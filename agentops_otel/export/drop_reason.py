"""The reasons for dropping spans, each with its sentence in docs/troubleshooting.md."""

from enum import StrEnum
from typing import Self


class DropReason(StrEnum):
    """A key of `Stats.dropped`, beside the HTTP and gRPC statuses of destinations that refuse spans."""

    meaning: str
    """The reason as a sentence."""

    def __new__(cls, text: str, meaning: str) -> Self:
        """Make a member of the text; the sentence is its `meaning`."""
        member = str.__new__(cls, text)
        member._value_ = text
        member.meaning = meaning
        return member

    __repr__ = str.__repr__  # people print stats()

    PARTIAL_SUCCESS = "partial success", "the destination took the request and said that it rejected some of its spans"
    UNAUTHORISED = "unauthorised", "the key or the headers were refused"
    OUTBOX_FULL = "outbox full", "what may wait in memory was full, and there was no disk to wait on"
    SPOOL_FULL = "spool full", "what may wait on disk was full; the oldest made room"
    TOO_OLD = "too old", "the spans had waited on disk for longer than seven days"
    DAMAGED = "damaged on disk", "a record of the spool could not be read back as it was written"
    DISK_FAILED = "the disk failed", "the spool could not be read or written"
    NOT_ENCODABLE = "not encodable", "the span cannot be written as OTLP"
    SENDER_FAILED = "the sender failed", "a fault of agentops_otel's own; the log has it"
    EXPORTER_BUSY = "the exporter is busy", "an exporter within the process was still at earlier spans"
    EXPORTER_FAILED = "the exporter failed", "an exporter within the process, such as the trace file, said so or raised"
    NO_ROOM = "no room", "AgentOps had not yet accepted the key, and more than 512 spans waited for the trace file"
    EXIT = "exit", "the process ended, and there was no disk to leave the span on"
    SHUT_DOWN = "shut down", "the span ended after `shutdown()`"
