"""OpenAI's Realtime API over a websocket: one call for each response."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import responses
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.connection import CallStarter, ConnectionTracker, Turn
from agentops_otel.instrumentation.reading import SEEN_LIMIT, field, first, items
from agentops_otel.instrumentation.spec import Operation


class RealtimeTracker(ConnectionTracker):
    """Tracks a session: its settings, its input, and its responses by id.

    `response.created` begins the oldest pending `response.create`; without one, the server began the response itself
    when it detected the end of speech.
    """

    def __init__(self, start_call: CallStarter) -> None:
        super().__init__(start_call)
        self._session: dict[str, Any] = {}
        self._input_items: deque[Any] = deque(maxlen=SEEN_LIMIT)
        self._audio_bytes = 0
        self._commits = 0
        self._begun: dict[object, Turn] = {}
        self._doubts: dict[Turn, Any] = {}

    def sent(self, message: Any) -> Turn | None:
        """`response.create` begins a turn. Settings and input are kept for it."""
        match field(message, "type"):
            case "session.update":
                self._set(field(message, "session"))
            case "conversation.item.create":
                self._input_items.append(_item(field(message, "item")))
            case "input_audio_buffer.append":
                self._audio_bytes += _size(field(message, "audio"))
            case "input_audio_buffer.clear":
                self._audio_bytes = 0
            case "input_audio_buffer.commit":
                self._commits += 1
                self._hear(self._audio_bytes)
            case "response.create":
                return self._answer({"event_id": field(message, "event_id"), **_given(field(message, "response"))})
        return None

    def received(self, message: Any) -> None:
        """Add the message to the turn of its response id."""
        kind, identity = field(message, "type"), field(message, "response_id") or field(message, "response", "id")
        match kind:
            case "session.created" | "session.updated":
                self._set(field(message, "session"))
            case "input_audio_buffer.committed":
                self._committed()
            case "response.created" if isinstance(identity, str):
                self._begun[identity] = self._next()
            case "response.output_audio.delta":
                message = _light(message, "delta")
            case "error":
                self._refused(message)
        turn = self._begun.get(identity) if isinstance(identity, str) else None
        if turn is None:
            return
        self.add(turn, message)
        if kind == "response.done":
            del self._begun[identity]
            self.end(turn)

    def broke(self, error: BaseException) -> None:
        """Refused requests end first: they were not interrupted."""
        self._end_all_refused()
        super().broke(error)

    def abandoned(self) -> None:
        """Refused requests end first: they were not abandoned."""
        self._end_all_refused()
        super().abandoned()

    def _end_all_refused(self) -> None:
        for turn in list(self._doubts):
            self._end_refused(turn)
        self._begun.clear()

    def _set(self, session: Any) -> None:
        self._session |= _given(session)

    def _hear(self, size: int | None) -> None:
        self._input_items.append({"role": "user", "content": [{"type": "input_audio", "byte_size": size}]})
        self._audio_bytes = 0

    def _committed(self) -> None:
        """Add audio that the server committed, of unknown size unless the program committed it."""
        if self._commits:
            self._commits -= 1
        else:
            self._hear(None)

    def _answer(self, request: dict[str, Any]) -> Turn:
        """Begin a turn with its own input, or with all input since the last one."""
        if "input" not in request:
            request["input"] = list(self._input_items)
            self._input_items.clear()
        return self.begin({**self._session, **request})

    def _next(self) -> Turn:
        waiting = [turn for turn in self.turns if turn not in self._begun.values()]
        if not waiting:
            return self._answer({})
        turn = next((turn for turn in waiting if turn not in self._doubts), waiting[0])
        # Requests are answered in order: earlier ones without a response were refused.
        for refused in waiting[: waiting.index(turn)]:
            self._end_refused(refused)
        self._doubts.pop(turn, None)
        return turn

    def _refused(self, message: Any) -> None:
        """Note an error for the request that it names, or for the oldest pending one."""
        named = field(message, "error", "event_id")
        waiting = [turn for turn in self.turns if turn not in self._begun.values() and turn not in self._doubts]
        refused = next((turn for turn in waiting if named is None or field(turn.request, "event_id") == named), None)
        if refused is not None:
            self._doubts[refused] = message
        if refused is not None and named is not None:
            self._end_refused(refused)

    def _end_refused(self, turn: Turn) -> None:
        self.add(turn, self._doubts.pop(turn))
        self.end(turn)


def _given(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _item(item: Any) -> Any:
    """The item with the size of its audio in place of the audio."""
    parts = items(item, "content")
    return {**item, "content": [_light(part, "audio") for part in parts]} if parts else item


def _light(holder: Any, name: str) -> Any:
    audio = field(holder, name)
    return holder if audio is None else {**holder, name: None, "byte_size": _size(audio)}


def _size(audio: Any) -> int:
    size: int = gen_ai.blob("audio", None, audio).get("byte_size", 0)
    return size


def fold(response: dict[str, Any], event: Any) -> None:
    """Add an event to the response. Of audio, the size is added."""
    responses.fold(response, event)
    if (conversation := field(event, "response", "conversation_id")) is not None:
        response["conversation"] = conversation
    if (details := field(event, "response", "status_details")) is not None:
        response["incomplete_details"], response["error"] = details, field(details, "error")
    if (size := field(event, "byte_size")) is not None:
        response["audio_bytes"] = response.get("audio_bytes", 0) + size


def _messages(response: Any) -> list[gen_ai.Message]:
    messages = responses.answer(items(response, "output"))
    if (size := field(response, "audio_bytes")) is not None:
        spoken = {"type": "blob", "modality": "audio", "byte_size": size}
        return [*messages[:-1], {"role": "assistant", "parts": [*(messages[-1]["parts"] if messages else ()), spoken]}]
    return messages


def _output_type(request: Any) -> str | None:
    return _OUTPUT_TYPES.get(str(first(request, "output_modalities")))


_OUTPUT_TYPES: Mapping[str, str] = {"audio": "speech", "text": "text"}
_DETAILS: Mapping[str, str] = {
    semconv.GEN_AI_USAGE_AUDIO_INPUT_TOKENS: "usage.input_token_details.audio_tokens",
    semconv.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: "usage.output_token_details.audio_tokens",
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "usage.input_token_details.cached_tokens",
    semconv.GEN_AI_USAGE_IMAGE_INPUT_TOKENS: "usage.input_token_details.image_tokens",
    semconv.GEN_AI_USAGE_TEXT_INPUT_TOKENS: "usage.input_token_details.text_tokens",
    semconv.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS: "usage.output_token_details.text_tokens",
}

_REQUEST = {name: reader for name, reader in responses.REQUEST.items() if name != semconv.GEN_AI_CONVERSATION_ID}

REALTIME = Operation(
    name="chat",
    methods=(),
    request={**_REQUEST, semconv.GEN_AI_OUTPUT_TYPE: _output_type},
    request_content=responses.REQUEST_CONTENT,
    response={**responses.RESPONSE, **_DETAILS},
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _messages},
    fold=fold,
    failure=responses.failure,
    tracker=RealtimeTracker,
)
