"""The live sessions of the google-genai package, over a websocket: one call for each turn of the model.

Messages that the program sends are read at the socket. Messages from the model are read as the package gives them to
the program. The session object stays the package's own; its receiver and socket are replaced.
"""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import AsyncGeneratorType, SimpleNamespace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.google import contents, genai
from agentops_otel.guard import guard
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.connection import CallStarter, ConnectionTracker, Receiving, Turn, attached, tracked
from agentops_otel.instrumentation.folding import TextBuilder, add_text
from agentops_otel.instrumentation.reading import field, items
from agentops_otel.instrumentation.spec import ClientSpec
from agentops_otel.wrapping.proxy import proxied
from agentops_otel.wrapping.stream import observed_call


class UserInput:
    """The program's input to a turn: contents, transcribed speech, and the sizes of audio and video."""

    def __init__(self) -> None:
        self.contents: list[Any] = []
        self._media: dict[object, int] = {}
        self._transcript: dict[str, TextBuilder] = {}

    def add_transcript(self, text: object) -> None:
        """Add transcribed speech."""
        add_text(self._transcript, "text", text)

    def add_media(self, blob: Any) -> None:
        """Add the size of a piece of audio or video."""
        kind = contents.named(blob, "mime_type")
        self._media[kind] = self._media.get(kind, 0) + (gen_ai.size_of(field(blob, "data")) or 0)

    @property
    def messages(self) -> list[gen_ai.Message]:
        """The input as messages."""
        media = [gen_ai.blob(contents.modality(kind), kind, None, size) for kind, size in self._media.items()]
        message = gen_ai.message("user", [*media, gen_ai.text(str(self._transcript.get("text", "")))])
        return [*contents.contents(self.contents), *([message] if message else [])]


class LiveTracker(ConnectionTracker):
    """Tracks a session. A turn begins when the program completes its input, or when the model answers without that.

    Input that the program sends before the model answers belongs to the turn that waits for the answer.
    """

    def __init__(self, start_call: CallStarter) -> None:
        super().__init__(start_call)
        self._session: object = None
        self._input = UserInput()
        self._answering: Turn | None = None
        self._interrupted = False
        self._midway = False

    def opened(self, manager: Any) -> Any:
        """A proxy of the package's context manager, which returns the session."""
        return proxied(manager, self, {"__aenter__": _enter, "__aexit__": _exit})

    def join(self, session: Any) -> None:
        """Track the session that the program got."""
        self._session = field(session, "session_id")
        receive = session._receive
        if self.has_unseen_recv:
            self._remember(session)
        session._ws = tracked(session._ws, self, "send", "close")
        session._receive = lambda: observed_call(Receiving(self), receive)

    def _remember(self, session: Any) -> None:
        """Find the arguments of a session that was opened before: only the frame of `connect` holds them.

        If the program is in the middle of receiving a turn, that turn gets no span, because its beginning is lost.
        """
        self.start_call.instance = SimpleNamespace(_api_client=session._api_client)
        for holder in gc.get_referrers(session, session._ws):
            if isinstance(holder, AsyncGeneratorType) and holder.ag_frame is not None:
                values = holder.ag_frame.f_locals
                self._midway = self._midway or holder.ag_code.co_name == "receive"
                if holder.ag_code.co_name == "connect":
                    self.start_call.arguments = {name: values.get(name) for name in ("model", "config")}

    def sent(self, message: Any) -> Turn | None:
        """A turn begins with complete contents, a text, a tool's result, or the end of speech."""
        content, realtime, tools = (field(message, name) for name in _SENT)
        if tools is not None and self.turns:
            self.add(self.turns[0], message)
            return None
        waiting = self._waiting()
        waiting.contents += items(content, "turns")
        waiting.contents += [{"parts": [{"function_response": one}]} for one in _answers_of(tools)]
        waiting.contents += [{"parts": [{"text": text}]}] if (text := field(realtime, "text")) else []
        for blob in (
            *(field(realtime, name) for name in ("audio", "video")),
            *items(contents.named(realtime, "media_chunks")),
        ):
            if blob is not None:
                waiting.add_media(blob)
        ends = contents.named(content, "turn_complete") or any(
            contents.named(realtime, name) is not None for name in _ENDS
        )
        return self._begin() if (ends or tools is not None) and waiting is self._input else None

    def received(self, message: Any) -> None:
        """Add the message to the turn that the model is answering."""
        content = field(message, "server_content")
        ends = bool(field(content, "turn_complete"))
        self._heard_by().add_transcript(field(content, "input_transcription", "text"))
        if _answers(message):
            if self._interrupted and self._answering is not None:
                self.end(self._answering)
            self._answering = self.turns[0] if self.turns else self._begin()
        if self.turns:
            self.add(self.turns[0], message)
            self._interrupted = self._interrupted or bool(field(content, "interrupted"))
            if ends:
                self.end(self.turns[0])
        self._midway = self._midway and not ends

    def failed(self, error: BaseException) -> None:
        """End the turns if the package raises its error for a lost connection.

        If another task is already receiving, the package raises too, and nothing ends.
        """
        if isinstance(error, Exception) and type(error).__name__ != "ConcurrencyError":
            self.broke(error)

    def end(self, turn: Turn, error: BaseException | None = None) -> None:
        """End the turn, and forget whether it was interrupted."""
        self._answering, self._interrupted = None, False
        super().end(turn, error)

    def _waiting(self) -> UserInput:
        """The input that the program adds to now: of the next turn, or of the one that has no answer yet."""
        last = self.turns[-1] if self.turns else None
        return self._input if last is None or last is self._answering else last.request["input"]

    def _heard_by(self) -> UserInput:
        """The input that a transcript belongs to: it arrives late, maybe while the model answers."""
        answering = None if self._interrupted else self._answering
        return self._waiting() if answering is None else answering.request["input"]

    def _begin(self) -> Turn:
        given, self._input = self._input, UserInput()
        request = {"input": given, "session": self._session}
        if not self._midway:
            return self.begin(request)
        self.turns.append(turn := Turn(request))
        return turn


_SENT = ("client_content", "realtime_input", "tool_response")
_ENDS = ("text", "activity_end", "audio_stream_end")


def _answers(message: Any) -> bool:
    content = field(message, "server_content")
    return any(
        part is not None
        for part in (field(message, "tool_call"), field(content, "model_turn"), field(content, "output_transcription"))
    )


async def _enter(self: Any) -> Any:
    session = await self.__wrapped__.__aenter__()
    with guard("watching a session"):
        self._self_observer.join(session)
    return session


async def _exit(self: Any, *error: Any) -> Any:
    self._self_observer.abandoned()
    return await self.__wrapped__.__aexit__(*error)


def _join(session: Any, start_call: CallStarter, *_: Any) -> Any:
    return attached(session._ws, start_call, lambda tracker: tracker.join(session))


def _speak(session: Any, start_call: CallStarter, *_: Any) -> None:
    _join(session, start_call)


def _hear(session: Any, start_call: CallStarter, *_: Any) -> Receiving | None:
    """Attach to a session, and observe the call of `_receive` that is under way; later ones are observed already."""
    before = session._ws
    tracker = _join(session, start_call)
    return None if session._ws is before else Receiving(tracker)


def fold(response: dict[str, Any], message: Any) -> None:
    """Add a message to the turn's response: the model's, or a tool's result."""
    if (usage := field(message, "usage_metadata")) is not None:
        response["usage_metadata"] = usage
    content = field(message, "server_content")
    for part in items(content, "model_turn", "parts"):
        _fold_part(_spoken(response, "model"), part)
    if text := field(content, "output_transcription", "text"):
        contents.fold_part(_spoken(response, "model"), {"text": text})
    for call in items(message, "tool_call", "function_calls"):
        _spoken(response, "model").append({"function_call": call})
    for tool_response in _answers_of(field(message, "tool_response")):
        _spoken(response, "user").append({"function_response": tool_response})
    if field(content, "interrupted"):
        response["finish_reason"] = "interrupted"
    if field(content, "turn_complete"):
        reason = field(content, "turn_complete_reason")
        response.setdefault("finish_reason", _REASONS.get(reason, "content_filter"))


_REASONS: Mapping[object, str] = {
    None: "stop",
    "TURN_COMPLETE_REASON_UNSPECIFIED": "stop",
    "NEED_MORE_INPUT": "stop",
    "MALFORMED_FUNCTION_CALL": "error",
}
"""The finish reason by a turn's `turn_complete_reason`; the others are about forbidden content."""


def _answers_of(tools: Any) -> Sequence[Any]:
    return items(contents.named(tools, "function_responses"))


def _spoken(response: dict[str, Any], role: str) -> list[Any]:
    """The parts of the last content, in a new one if the role changed."""
    contents: list[Any] = response.setdefault("contents", [])
    if not contents or contents[-1]["role"] != role:
        contents.append({"role": role, "parts": []})
    parts: list[Any] = contents[-1]["parts"]
    return parts


def _fold_part(parts: list[Any], part: Any) -> None:
    """Add a part. Audio comes in many pieces; only their size is kept."""
    data = field(part, "inline_data")
    kind = field(data, "mime_type")
    if data is None or contents.modality(kind) != "audio":
        contents.fold_part(parts, part)
        return
    sounds = (entry["inline_data"] for entry in parts if isinstance(entry, dict) and "inline_data" in entry)
    sound = next((entry for entry in sounds if entry["mime_type"] == kind), None)
    if sound is None:
        parts.append({"inline_data": (sound := {"mime_type": kind, "byte_size": 0})})
    sound["byte_size"] += gen_ai.size_of(field(data, "data")) or 0


LIVE = replace(
    genai.GENERATE,
    methods=("AsyncLive.connect",),
    request={
        **genai.GENERATE.request,
        semconv.GEN_AI_CONVERSATION_ID: "session",
    },
    request_content={
        **genai.GENERATE.request_content,
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: field(request, "input", "messages"),
    },
    response={
        **genai.GENERATE.response,
        **genai.media(genai.details("prompt_tokens_details"), genai.details("response_tokens_details")),
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: "finish_reason",
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: genai.total("response_token_count", "thoughts_token_count"),
    },
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: contents.contents(items(response, "contents"))},
    fold=fold,
    tracker=LiveTracker,
)

_SPEAKS = ("send", "send_client_content", "send_realtime_input", "send_tool_response")

SPEC = ClientSpec(
    name="google-genai",
    module="google.genai.live",
    operations=(
        LIVE,
        replace(LIVE, methods=tuple(f"AsyncSession.{name}" for name in _SPEAKS), attach=_speak),
        replace(LIVE, methods=("AsyncSession._receive",), attach=_hear),
    ),
    provider=genai.SPEC.provider,
    url=genai.SPEC.url,
)
