"""What the openai package asks over websockets: one call a response, as over HTTP."""

from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients import openai
from agentops_otel.clients.openai_realtime import REALTIME
from agentops_otel.instrumentation.connection import Ask, Talk, Turn
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.spec import ClientSpec, Operation


class ResponsesTalk(Talk):
    """The Responses API over a socket: in each lane (`stream_id`) one answer after another.

    Input that steers an answer may make the server begin the next one by itself, with the settings of the one before.
    """

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._settings: dict[object, dict[str, Any]] = {}
        self._steers: dict[object, list[Any]] = {}

    def sent(self, message: Any) -> Turn | None:
        """A `response.create` begins a turn."""
        match field(message, "type"):
            case "response.create":
                return self.begin(message)
            case "response.steer":
                self._steers.setdefault(field(message, "previous_response_id"), []).append(field(message, "input"))
        return None

    def received(self, message: Any) -> None:
        """What is received belongs to the oldest answer of its lane."""
        kind, lane = field(message, "type"), field(message, "stream_id")
        turn = next((known for known in self.turns if field(known.request, "stream_id") == lane), None)
        if kind == "response.created":
            turn = self._steered(turn, lane, field(message, "response", "previous_response_id")) or turn
        if turn is None or not isinstance(kind, str) or kind.startswith("response.steer."):
            return
        self.add(turn, message)
        if kind in _ENDS:
            self._settings[lane] = {name: value for name, value in turn.request.items() if name != "input"}
            self.end(turn)

    def _steered(self, turn: Turn | None, lane: object, parent: object) -> Turn | None:
        """The turn that the server began by itself, which comes before those that wait in its lane."""
        steers = self._steers.pop(parent, None)
        if steers is None or (turn is not None and field(turn.request, "previous_response_id") == parent):
            return None
        said = [item for items in steers for item in (items if isinstance(items, list) else [_message(items)])]
        begun = self.begin({**self._settings.get(lane, {}), "previous_response_id": parent, "input": said})
        self.turns.insert(0, self.turns.pop())
        return begun


def _message(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


_ENDS = frozenset({"response.completed", "response.failed", "response.incomplete", "error"})


def _own(manager: Any, name: str) -> Any:
    """What a connection manager, of which nothing is public, was made with."""
    return next((value for known, value in vars(manager).items() if known.endswith(f"Manager__{name}")), None)


def _url(manager: Any) -> object:
    client = _own(manager, "client")
    return field(client, "websocket_base_url") or field(client, "base_url")


def _provider(manager: Any, host: str | None) -> str:
    return openai.provider(_own(manager, "client"), host)


def _spec(module: str, manager: str, operation: Operation) -> ClientSpec:
    """The spec of one of the package's sockets; it is opened by a method that is not public, below all that is."""
    where = tuple(f"{prefix}{manager}._connect_ws" for prefix in ("", "Async"))
    return ClientSpec(
        name="openai",
        module=f"openai.resources.{module}",
        operations=(replace(operation, where=where, applies=lambda _: True),),
        provider=_provider,
        url=_url,
        client={semconv.GEN_AI_REQUEST_MODEL: lambda manager: _own(manager, "model")},
    )


_RESPONSES = replace(openai.RESPONSES, talk=ResponsesTalk)

SPECS = (
    _spec("responses.responses", "ResponsesConnectionManager", _RESPONSES),
    _spec("beta.responses.responses", "ResponsesConnectionManager", _RESPONSES),
    _spec("realtime.realtime", "RealtimeConnectionManager", REALTIME),
)
