"""One reply of a role, assembled from its events."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.tracing import Recorder

KEPT_CHARACTERS = 64 * 1024
"""The length to which an attachment is cut: images are megabytes of text. The content policy cuts further."""

_CODE = "reply_content"
_VERDICT = "verification"
_STATUS = "execution_status"
_RESULT = "execution_result"
_ARTIFACTS = semconv.TASKWEAVER_ARTIFACTS.removeprefix(semconv.TASKWEAVER_ATTACHMENT_PREFIX)
_OF_EXECUTION = (_VERDICT, "code_error", _STATUS)
_RAISED = r"([a-z_]\w*\.)*[A-Z]\w*(: |$)"
_NOT_RECORDED = {"shared_memory_entry"}
_WORDS = {"CORRECT", "INCORRECT", "SUCCESS", "FAILURE", "python", "text", "InProcess", "Completed", "Clarification"}
_WORDS |= {"AdditionalInformation", "SecurityRisks", "TaskFailure"}


class EventType(Protocol):
    """A member of TaskWeaver's enumerations of event types."""

    @property
    def value(self) -> str:
        """The name of the type: `post_start`."""


class Event(Protocol):
    """The fields of a `TaskWeaverEvent` that are read."""

    t: EventType
    round_id: str | None
    post_id: str | None
    msg: Any
    extra: Any


class Post:
    """One reply of a role and its span.

    Args:
        recorder: Records the content.
        span: The `invoke_agent` span.
        role: The role that replies.
        attempt: 1, or more if the role sent its previous reply to itself.
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

    def handle_event(self, event: Event) -> None:
        """Record an event of the reply."""
        self.id = self.id or event.post_id
        if handler := _HANDLERS.get(event.t.value):
            handler(self, event)

    def attachment(self, kind: str) -> str | None:
        """The text of all attachments of that kind; None if there are none."""
        texts = [attachment.text for attachment in self._attachments.values() if attachment.kind == kind]
        return "\n".join(texts) if texts else None

    def describe(self) -> None:
        """Set the attributes of the span."""
        attributes = {
            semconv.TASKWEAVER_POST_ID: self.id,
            semconv.TASKWEAVER_POST_ATTEMPT: self.attempt,
            semconv.TASKWEAVER_POST_SEND_TO: self.send_to,
        }
        self.span.set_attributes({name: value for name, value in attributes.items() if value is not None})
        for kind in dict.fromkeys(attachment.kind for attachment in self._attachments.values()):
            if self._is_recorded_here(kind):
                self._record(self.span, kind)
        if self.message:
            reply = message("assistant", self.message, name=self.role)
            self._recorder.set_content(self.span, semconv.GEN_AI_OUTPUT_MESSAGES, [reply])
        if self.attachment(_VERDICT) == "INCORRECT":
            self._failure = self._failure or ("verification_failed", self.attachment("code_error") or "")
        elif self.attachment("revise_message") is not None and not self.executed:
            self._failure = self._failure or ("invalid_response", self.message)
        if self._failure is not None:
            kind, text = self._failure
            self._recorder.set_error(self.span, kind, self._recorder.content.text(semconv.EXCEPTION_MESSAGE, text))

    def describe_execution(self, span: Span) -> None:
        """Set the attributes of the `execute_tool` span that come from this reply."""
        self.executed = True
        for kind in _OF_EXECUTION:
            if self._has_happened(kind):
                self._record(span, kind)

    def _record(self, span: Span, kind: str) -> None:
        name, text = semconv.TASKWEAVER_ATTACHMENT_PREFIX + kind, self.attachment(kind) or ""
        if text in _WORDS:
            span.set_attribute(name, text)
        else:
            self._recorder.set_text(span, name, text)

    def _is_recorded_here(self, kind: str) -> bool:
        elsewhere = self.executed and kind in (_CODE, _RESULT, _ARTIFACTS, *_OF_EXECUTION)
        return kind not in _NOT_RECORDED and not elsewhere and self._has_happened(kind)

    def _has_happened(self, kind: str) -> bool:
        """False for an attachment that only states that no verification, error or execution took place."""
        return {
            _VERDICT: self.attachment(_VERDICT) not in (None, "NONE"),
            "code_error": self.attachment(_VERDICT) == "INCORRECT",
            _STATUS: self.attachment(_STATUS) not in (None, "NONE"),
            _RESULT: self.attachment(_STATUS) not in (None, "NONE"),
        }.get(kind, True)

    def _add_status(self, event: Event) -> None:
        status = {semconv.TASKWEAVER_STATUS: str(event.msg)}
        self.span.add_event(semconv.TASKWEAVER_STATUS_EVENT, status, timestamp=self._recorder.clock())

    def _set_receiver(self, event: Event) -> None:
        self.send_to = str(event.extra["role"])

    def _add_message(self, event: Event) -> None:
        self.message = (self.message + event.msg)[:KEPT_CHARACTERS]

    def _add_attachment(self, event: Event) -> None:
        attachment = self._attachments.get(event.extra["id"])
        if attachment is None:
            # Only the first piece is sure to name the type.
            kind = event.extra["type"]
            attachment = self._attachments[event.extra["id"]] = _Attachment(str(getattr(kind, "value", kind)))
        attachment.add(event.msg)

    def _fail(self, event: Event) -> None:
        # TaskWeaver drops the attachments so far and continues the same post.
        self._attachments.clear()
        self._failure = ("invalid_response", str(event.msg))

    def _end(self, event: Event) -> None:
        self.ended_at = self._recorder.clock()


class _Attachment:
    __slots__ = ("kind", "text")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.text = ""

    def add(self, piece: object) -> None:
        text = "\n".join(map(str, piece)) if isinstance(piece, list) else str(piece)
        self.text = (self.text + text)[:KEPT_CHARACTERS]


_HANDLERS: Mapping[str, Callable[[Post, Event], None]] = {
    "post_status_update": Post._add_status,
    "post_send_to_update": Post._set_receiver,
    "post_message_update": Post._add_message,
    "post_attachment_update": Post._add_attachment,
    "post_error": Post._fail,
    "post_end": Post._end,
}


def message(role: str, text: str, name: str | None = None) -> Mapping[str, object]:
    """One message of the GenAI conventions."""
    fields: dict[str, object] = {"role": role, "parts": [{"type": "text", "content": text}]}
    return fields if name is None else {**fields, "name": name}


def error_of(trace: str) -> tuple[str, str]:
    """`error.type` and message of a printed traceback."""
    raised = [line for line in trace.splitlines() if re.match(_RAISED, line)]
    return (raised[-1].partition(":")[0], raised[-1]) if raised else ("_OTHER", trace)


def execution(post_id: str | None) -> dict[str, AttributeValue]:
    """The attributes of an `execute_tool python` span at its start."""
    attributes: dict[str, AttributeValue] = {
        semconv.GEN_AI_OPERATION_NAME: "execute_tool",
        semconv.GEN_AI_TOOL_NAME: "python",
    }
    return attributes if post_id is None else {**attributes, semconv.GEN_AI_TOOL_CALL_ID: post_id}
