"""The websocket connections of the openai package: one call for each response, as over HTTP."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from agentops_otel import semconv
from agentops_otel.clients.openai import spec as openai
from agentops_otel.clients.openai.realtime import REALTIME
from agentops_otel.instrumentation.connection import CallStarter, ConnectionTracker, Turn, attached
from agentops_otel.instrumentation.reading import field, loads
from agentops_otel.instrumentation.spec import ClientSpec, Operation


class ResponsesTracker(ConnectionTracker):
    """Tracks the Responses API over a websocket: in each lane (`stream_id`) one response after another.

    After input that steers a response (`response.steer`), the server may begin another one itself, with the settings of
    that response.
    """

    def __init__(self, start_call: CallStarter) -> None:
        super().__init__(start_call)
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
        """Add the event to the oldest turn of its lane."""
        kind, lane = field(message, "type"), field(message, "stream_id")
        turn = next((candidate for candidate in self.turns if field(candidate.request, "stream_id") == lane), None)
        if kind == "response.created":
            turn = self._steered(turn, lane, field(message, "response", "previous_response_id")) or turn
            turn = turn or self._unasked(lane)
        elif turn is not None and kind != "error" and not turn.has_begun and _goes_on(message):
            turn = self._unasked(lane)
        if turn is None or not isinstance(kind, str) or kind.startswith("response.steer."):
            return
        self.add(turn, message)
        if kind in _ENDS:
            self._settings[lane] = {name: value for name, value in turn.request.items() if name != "input"}
            self.end(turn)

    def _unasked(self, lane: object) -> Turn:
        """A turn whose request was not seen. It has no span, and comes before all others."""
        turn = Turn({"stream_id": lane})
        self.turns.insert(0, turn)
        return turn

    def _steered(self, turn: Turn | None, lane: object, parent: object) -> Turn | None:
        """A turn that the server began itself, before those that wait in its lane; None if it did not."""
        steers = self._steers.pop(parent, None)
        if steers is None or (turn is not None and field(turn.request, "previous_response_id") == parent):
            return None
        steering = [item for items in steers for item in (items if isinstance(items, list) else [_message(items)])]
        begun = self.begin({**self._settings.get(lane, {}), "previous_response_id": parent, "input": steering})
        self.turns.insert(0, self.turns.pop())
        return begun


def _message(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _goes_on(message: Any) -> bool:
    """Whether the event is later than the first two of a response, which are numbered 0 and 1."""
    number = field(message, "sequence_number")
    return isinstance(number, int) and number > 1


_ENDS = frozenset({"response.completed", "response.failed", "response.incomplete", "error"})


def _own(manager: Any, name: str) -> Any:
    """A private attribute of a connection manager, by its name before mangling."""
    return next((value for attribute, value in vars(manager).items() if attribute.endswith(f"Manager__{name}")), None)


def _address(socket: Any) -> Any:
    """The address of an open connection of the websockets package."""
    return field(socket, "protocol", "uri") or field(socket, "protocol", "wsuri")  # `wsuri` until websockets 14


def _query(opener: Any, *names: str) -> object:
    query = parse_qs(str(field(_address(opener), "query")))
    return next((query[name][0] for name in names if name in query), None)


def _url(opener: Any) -> object:
    if (client := _own(opener, "client")) is not None:
        return field(client, "websocket_base_url") or field(client, "base_url")
    place = _address(opener)
    return place and f"//{place.host}:{place.port}"


def _provider(opener: Any, host: str | None) -> str:
    if _query(opener, "api-version"):
        return semconv.AZURE_AI_OPENAI
    return openai.provider(_own(opener, "client"), host)


def _model(opener: Any) -> object:
    return _own(opener, "model") or _query(opener, "model", "deployment")


def _join(connection: Any, start_call: CallStarter, *_: Any) -> None:
    _attached(connection, start_call)


def _parse(connection: Any, start_call: CallStarter, *data: Any) -> None:
    """Read an event that a `recv()` from before we attached returned, when the program parses it."""
    if not hasattr(connection, "_connection"):  # made without a socket, to parse alone
        return
    if (tracker := _attached(connection, start_call)).has_unseen_recv and data:
        tracker.received(loads(data[0]))


def _attached(connection: Any, start_call: CallStarter) -> Any:
    start_call.instance = socket = connection._connection
    return attached(socket, start_call, lambda tracker: setattr(connection, "_connection", tracker.opened(socket)))


def _methods(*paths: str) -> tuple[str, ...]:
    return tuple(path.replace("*", prefix) for path in paths for prefix in ("", "Async"))


def _spec(module: str, name: str, operation: Operation) -> ClientSpec:
    """A spec for one kind of connection. The private method that opens it is wrapped: all public ones call it."""
    opens = _methods(f"*{name}Manager._connect_ws")
    speaks = _methods(f"*{name}._send|*{name}.send", f"*{name}.recv_bytes")
    return ClientSpec(
        name="openai",
        module=f"openai.resources.{module}",
        operations=(
            replace(operation, methods=opens, matches=lambda _: True),
            replace(operation, methods=speaks, attach=_join),
            replace(operation, methods=_methods(f"*{name}.parse_event"), attach=_parse),
        ),
        provider=_provider,
        url=_url,
        client_attributes={semconv.GEN_AI_REQUEST_MODEL: _model},
    )


_RESPONSES = replace(openai.RESPONSES, tracker=ResponsesTracker)

SPECS = (
    _spec("responses.responses", "ResponsesConnection", _RESPONSES),
    _spec("beta.responses.responses", "ResponsesConnection", _RESPONSES),
    _spec("realtime.realtime", "RealtimeConnection", REALTIME),
)
