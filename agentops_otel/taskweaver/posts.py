"""One reply of a role, put together from the pieces in which its events bring it."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.tracing import Recorder

KEPT_CHARACTERS = 64 * 1024
"""What is kept of one attachment; images come as text of megabytes. The content policy bounds further."""

_CODE = "reply_content"
_VERDICT = "verification"
_STATUS = "execution_status"
_RESULT = "execution_result"
_OF_EXECUTION = (_VERDICT, "code_error", _STATUS)
_RAISED = re.compile(r"([a-z_]\w*\.)*[A-Z]\w*(: |$)")
_NOTHING_NEW = {"shared_memory_entry"}
_WORDS = {"CORRECT", "INCORRECT", "SUCCESS", "FAILURE", "python", "text", "InProcess", "Completed", "Clarification"}
_WORDS |= {"AdditionalInformation", "SecurityRisks", "TaskFailure"}


class EventType(Protocol):
    """A member of TaskWeaver's enumerations of event types."""

    @property
    def value(self) -> str:
        """The name of the type: `post_start`."""


class Event(Protocol):
    """What we read of a `TaskWeaverEvent`."""

    t: EventType
    round_id: str | None
    post_id: str | None
    msg: Any
    extra: Any


class Post:
    """One reply of a role and the span that says it.

    Args:
        recorder: Fills the span.
        span: The `invoke_agent` span.
        role: Who replies.
        attempt: 1, or more when the role has sent its reply back to itself.
    """

    def __init__(self, recorder: Recorder, span: Span, role: str, attempt: int) -> None:
        self.span = span
        self.role = role
        self.attempt = attempt
        self.id: str | None = None
        self.send_to: str | None = None
        self.message = ""
        self.executed = False
        self.ended_at: int | None = None
        self._recorder = recorder
        self._attachments: dict[str, _Attachment] = {}
        self._failure: tuple[str, str] | None = None

    def tell(self, event: Event) -> None:
        """Take what the event says."""
        self.id = self.id or event.post_id
        if tell := _TELL.get(event.t.value):
            tell(self, event)

    def attachment(self, kind: str) -> str | None:
        """All that the attachments of that kind say, or None where there is none."""
        found = [attachment.text for attachment in self._attachments.values() if attachment.kind == kind]
        return "\n".join(found) if found else None

    def describe(self) -> None:
        """Write what is known onto the span."""
        told = {
            semconv.TASKWEAVER_POST_ID: self.id,
            semconv.TASKWEAVER_POST_ATTEMPT: self.attempt,
            semconv.TASKWEAVER_POST_SEND_TO: self.send_to,
        }
        self.span.set_attributes({name: value for name, value in told.items() if value is not None})
        for kind in dict.fromkeys(attachment.kind for attachment in self._attachments.values()):
            if self._is_news(kind):
                self._say(self.span, kind)
        if self.message:
            said = message("assistant", self.message, name=self.role)
            self._recorder.set_content(self.span, semconv.GEN_AI_OUTPUT_MESSAGES, [said])
        if self.attachment(_VERDICT) == "INCORRECT":
            self._failure = self._failure or ("verification_failed", self.attachment("code_error") or "")
        elif self.attachment("revise_message") is not None and not self.executed:
            self._failure = self._failure or ("invalid_response", self.message)
        if self._failure is not None:
            kind, text = self._failure
            self._recorder.set_error(self.span, kind, self._recorder.content.text(semconv.EXCEPTION_MESSAGE, text))

    def describe_execution(self, span: Span) -> None:
        """Write onto the `execute_tool` span what this reply knows of the code that it runs."""
        self.executed = True
        for kind in _OF_EXECUTION:
            if self._has_happened(kind):
                self._say(span, kind)

    def _say(self, span: Span, kind: str) -> None:
        name, text = semconv.TASKWEAVER_ATTACHMENT_PREFIX + kind, self.attachment(kind) or ""
        if text in _WORDS:
            span.set_attribute(name, text)
        else:
            self._recorder.set_text(span, name, text)

    def _is_news(self, kind: str) -> bool:
        elsewhere = self.executed and kind in (_CODE, _RESULT, "artifact_paths", *_OF_EXECUTION)
        return kind not in _NOTHING_NEW and not elsewhere and self._has_happened(kind)

    def _has_happened(self, kind: str) -> bool:
        """Whether the attachment says more than that there was no verification, no error, no execution."""
        return {
            _VERDICT: self.attachment(_VERDICT) not in (None, "NONE"),
            "code_error": self.attachment(_VERDICT) == "INCORRECT",
            _STATUS: self.attachment(_STATUS) not in (None, "NONE"),
            _RESULT: self.attachment(_STATUS) not in (None, "NONE"),
        }.get(kind, True)

    def _status(self, event: Event) -> None:
        status = {"taskweaver.status": str(event.msg)}
        self.span.add_event(semconv.TASKWEAVER_STATUS_EVENT, status, timestamp=self._recorder.clock())

    def _sent(self, event: Event) -> None:
        self.send_to = str(event.extra["role"])

    def _said(self, event: Event) -> None:
        self.message = (self.message + event.msg)[:KEPT_CHARACTERS]

    def _attached(self, event: Event) -> None:
        known = self._attachments.get(event.extra["id"])
        if known is None:
            # Only the first piece is sure to name the type.
            kind = event.extra["type"]
            known = self._attachments[event.extra["id"]] = _Attachment(str(getattr(kind, "value", kind)))
        known.add(event.msg)

    def _failed(self, event: Event) -> None:
        # TaskWeaver drops what it had announced, and goes on with the same post.
        self._attachments.clear()
        self._failure = ("invalid_response", str(event.msg))

    def _ended(self, event: Event) -> None:
        self.ended_at = self._recorder.clock()


class _Attachment:
    __slots__ = ("kind", "text")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.text = ""

    def add(self, piece: object) -> None:
        text = "\n".join(map(str, piece)) if isinstance(piece, list) else str(piece)
        self.text = (self.text + text)[:KEPT_CHARACTERS]


_TELL: Mapping[str, Callable[[Post, Event], None]] = {
    "post_status_update": Post._status,
    "post_send_to_update": Post._sent,
    "post_message_update": Post._said,
    "post_attachment_update": Post._attached,
    "post_error": Post._failed,
    "post_end": Post._ended,
}


def message(role: str, text: str, name: str | None = None) -> Mapping[str, object]:
    """One message of the GenAI conventions."""
    said: dict[str, object] = {"role": role, "parts": [{"type": "text", "content": text}]}
    return said if name is None else {**said, "name": name}


def error_of(trace: str) -> tuple[str, str]:
    """The exception's class and what a printed traceback says of it, as `error.type` and message."""
    found = [line for line in trace.splitlines() if _RAISED.match(line)]
    return (found[-1].partition(":")[0], found[-1]) if found else ("_OTHER", trace)


def execution(post_id: str | None) -> dict[str, AttributeValue]:
    """What is known of an `execute_tool python` span at its start."""
    told: dict[str, AttributeValue] = {
        semconv.GEN_AI_OPERATION_NAME: "execute_tool",
        semconv.GEN_AI_TOOL_NAME: "python",
    }
    return told if post_id is None else {**told, semconv.GEN_AI_TOOL_CALL_ID: post_id}
