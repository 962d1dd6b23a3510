"""What a client looks like from outside: which methods to wrap, and how to read what they are given and give back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.instrumentation.reading import Row, Table, attributes, rows, seen

Fold = Callable[[dict[str, Any], Any], None]
"""`fold(whole, chunk)`: adds one streamed chunk to the whole, which takes the shape of the unstreamed response."""

Returned = Callable[[Any, Any], Any]
"""`returned(call, value)`: what the program gets for what the client returned."""


def _always(request: Any) -> bool:
    return True


def _nothing(value: Any) -> None:
    return None


def _same(arguments: Mapping[str, Any]) -> Any:
    return arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of call that a client makes, described as data.

    A request is read by the names of the method's parameters, a response as the client returns it. A table says where
    each attribute's value stands: a dotted path (`"usage.prompt_tokens"`) or a function. What is missing, or of a kind
    that the attribute does not take, is left out.
    """

    name: str
    """`gen_ai.operation.name`: "chat", "embeddings", ...; the span is called `{name} {model}`."""
    where: tuple[str, ...]
    """The methods, as paths in the client's module: `("Client.chat", "AsyncClient.chat")`.

    `"Client.chat|Client.complete"` is whichever of them this version of the client has, the first one first. A program
    that holds the method or function already, bound or imported by name, is reached too.
    `"Client.__init__.<locals>._Chat.ask"` is a method of a class that another method makes anew at each call.
    """
    applies: Callable[[Mapping[str, Any]], bool] = _always
    """Whether a call of the method, by its arguments, is this operation."""
    request: Table = field(default_factory=dict)
    """Attributes read from the request before it is sent."""
    request_content: Table = field(default_factory=dict)
    """Attributes whose values are content: kept only when content is captured, bounded, redacted, as JSON."""
    response: Table = field(default_factory=dict)
    response_content: Table = field(default_factory=dict)
    fold: Fold | None = None
    """How a streamed answer becomes a whole one; None: a stream's chunks are not read."""
    failure: Callable[[Any], str | None] = _nothing
    """`error.type` for an answer that says it failed without an exception; None: it did not."""
    keeps: Callable[[Any], str | None] = _nothing
    """The id under which the program may ask for the answer again later, where this one is not the last."""
    continues: Callable[[Mapping[str, Any]], str | None] = _nothing
    """The id, in a call's arguments, of an earlier answer that it asks for again: its span is linked."""
    finishes: bool = True
    """Whether an answer has finish reasons; one that never came is "error"."""
    silent: bool = False
    """Of a method that the client calls itself from a thread of its own: no span, nor has what it calls in turn."""
    talk: Callable[[Any], Any] | None = None
    """Of a method that opens a connection: from the `Ask` that starts calls, the `Talk` of what goes over it."""
    join: Callable[..., Any] | None = None
    """Of a method of a connection that may be older than the wrapper: `join(connection, ask, *arguments)`, told of each
    call before it is made, sees to it that a talk is heard; the watcher that it may return sees the call."""
    request_rows: tuple[Row, ...] = field(init=False, repr=False)
    request_content_rows: tuple[Row, ...] = field(init=False, repr=False)
    response_rows: tuple[Row, ...] = field(init=False, repr=False)
    response_content_rows: tuple[Row, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for table in ("request", "request_content", "response", "response_content"):
            object.__setattr__(self, f"{table}_rows", rows(getattr(self, table)))

    @property
    def family(self) -> str:
        """What a call inside a call is compared by: one chat within another is the same call, told by two clients."""
        return "inference" if self.name in semconv.INFERENCE_OPERATIONS else self.name

    def is_part(self, family: object) -> bool:
        """Whether it is no call of its own within one of the family: the same, or what that one waits for."""
        return family is not None and (family == self.family or self.name == "fetch_response")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSpec:
    """A client library, described as data: `install` wraps it when the program imports it, never before.

    `examples/own_client.py` describes one in a few lines:

    ```python
    ask = Operation(name="chat", where=("Client.ask",), request={"gen_ai.request.model": "model"})
    install([ClientSpec(name="mine", module="mine", operations=(ask,), provider="mine")], lambda: client.recorder)
    ```

    Args:
        name: What it is called in `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` and in warnings.
        module: The import to wait for; the operations' methods are found in it.
        operations: What it does. Of several on one method the first that applies counts.
        provider: `gen_ai.provider.name`, or a function of the client and the server's host.
    """

    name: str
    module: str
    operations: tuple[Operation, ...]
    provider: str | Callable[[Any, str | None], str]
    url: Callable[[Any], object] = _nothing
    """The server's base URL, from the object that the method is called on."""
    client: Table = field(default_factory=dict)
    """Attributes read from the object that the method is called on."""
    prepare: Callable[[Mapping[str, Any]], Mapping[str, Any]] = seen
    """The arguments that the method gets instead: with their iterators watched, by default."""
    passed_on: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _same
    """The arguments that the method gets instead where a call is none of the operations."""
    body: Callable[[Mapping[str, Any]], Any] = _same
    """What the operations' tables read, from the method's arguments by name; those themselves by default.

    The object that the method is called on is among them as `self`.
    """
    returned: Returned | None = None
    """For answers that are neither the answer nor an iterator of chunks: what the program gets in their place."""
    partial: Callable[[BaseException], Any] = _nothing
    """The answer that came with an exception, where the client's exceptions carry it."""
    others: tuple[str, ...] = ()
    """Further methods on which another instrumentation may sit; noticed with one warning."""
    traced: Callable[[Any], str | None] = _nothing
    """Who traces the calls by the module's own means, where the program has asked for that; noticed likewise."""
    client_rows: tuple[Row, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "client_rows", rows(self.client))

    def place(self, client: Any) -> dict[str, AttributeValue]:
        """Provider, server address and port of a call on the client."""
        url = self.url(client)
        host, port = server(url)
        provider = self.provider if isinstance(self.provider, str) else self.provider(client, host)
        found: dict[str, AttributeValue] = {semconv.GEN_AI_PROVIDER_NAME: provider}
        if host:
            found[semconv.SERVER_ADDRESS] = host
            if port:
                found[semconv.SERVER_PORT] = port
        return {**found, **attributes(self.client_rows, client)}


def server(url: object) -> tuple[str | None, int | None]:
    """Address and port of the server at a URL, as far as it says them."""
    return _server(str(url)) if url else (None, None)


def placed(url: Callable[[Any], object]) -> Table:
    """The server's address and port, for a client that can be told another one with a request, or tells it after."""
    return {
        semconv.SERVER_ADDRESS: lambda said: server(url(said))[0],
        semconv.SERVER_PORT: lambda said: server(url(said))[1],
    }


@lru_cache(maxsize=256)
def _server(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or _PORTS.get(parts.scheme)


_PORTS = {"https": 443, "http": 80, "wss": 443, "ws": 80}
