"""Describes a client library as data: the methods to wrap, and how to read their requests and responses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from agentops_otel import semconv
from agentops_otel.instrumentation.reading import record_iterators
from agentops_otel.instrumentation.tables import Row, Table, add_attributes, compile_table
from agentops_otel.tracing import CheckedAttributes

Fold = Callable[[dict[str, Any], Any], None]
"""`fold(response, chunk)`: adds one streamed chunk to the response, which takes the shape of the unstreamed one."""

WrapResult = Callable[[Any, Any], Any]
"""`wrap_result(call, result)`: what the program gets in place of the result that the client's method returned."""


_START = frozenset({semconv.GEN_AI_AGENT_NAME, semconv.GEN_AI_REQUEST_MODEL, semconv.GEN_AI_REQUEST_STREAM})


def _always(request: Any) -> bool:
    return True


def _nothing(value: Any) -> None:
    return None


def _same(arguments: Mapping[str, Any]) -> Any:
    return arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of call that a client makes, described as data.

    A table maps an attribute to the place of its value: a dotted path (`"usage.prompt_tokens"`) or a function. The
    request tables read the method's arguments by name, the response tables read the object that the client returns. A
    missing value, or one of the wrong type, sets no attribute. The attributes and their types are those of
    https://github.com/open-telemetry/semantic-conventions-genai.

    ```python
    ask = Operation(name="chat", methods=("Client.ask",), request={"gen_ai.request.model": "model"})
    ```

    Raises:
        ValueError: A table has an attribute of the conventions whose type is missing in `CONVERTERS`.
    """

    name: str
    """`gen_ai.operation.name`: "chat", "embeddings", ...; the span is named `{name} {model}`."""
    methods: tuple[str, ...]
    """The methods to wrap, as paths in the client's module: `("Client.chat", "AsyncClient.chat")`.

    `"Client.chat|Client.complete"` names alternatives: the first that this version of the client has is wrapped.
    `"Client.__init__.<locals>._Chat.ask"` is a method of a class that is defined inside another method.
    References that the program took before (`ask = client.chat`, `from client import chat`) are traced too.
    """
    matches: Callable[[Mapping[str, Any]], bool] = _always
    """Whether a call with these arguments is this operation."""
    request: Table = field(default_factory=dict)
    """Attributes that are read from the request, before it is sent."""
    request_content: Table = field(default_factory=dict)
    """Attributes whose values are content: set as JSON, redacted and truncated, and only if content is captured."""
    response: Table = field(default_factory=dict)
    response_content: Table = field(default_factory=dict)
    fold: Fold | None = None
    """Adds a streamed chunk to the response; None: a stream's chunks are not read."""
    failure: Callable[[Any], str | None] = _nothing
    """`error.type` of a response that reports a failure without an exception; None: the call succeeded."""
    background_id: Callable[[Any], str | None] = _nothing
    """Id of a background response, which the program may fetch later; None: the response is final."""
    fetched_id: Callable[[Mapping[str, Any]], str | None] = _nothing
    """Id of the background response that a call with these arguments fetches. Its span gets a link to the first one."""
    has_finish_reasons: bool = True
    """Whether a response has finish reasons. If so, the reason of a failed or abandoned call is "error"."""
    copies_response: bool = False
    """Whether the response is read from a copy of its fields, on the exporting thread: quicker for the program.

    For tables that read nothing of a response but fields: no property, no method.
    """
    suppress: bool = False
    """Make no span for this method, or for calls inside it."""
    tracker: Callable[[Any], Any] | None = None
    """For a method that opens a connection: makes the `ConnectionTracker` of the connection, from a `CallStarter`."""
    attach: Callable[..., Any] | None = None
    """For a method of an open connection: `attach(connection, call_starter, *args)` runs before each call.

    It attaches a tracker if the connection has none, and may return an observer of this call. It must be the only
    operation of its methods.
    """
    start_rows: tuple[Row, ...] = field(init=False, repr=False)
    """The rows of `request` that a call's start needs: its name, and whether it is a stream."""
    request_rows: tuple[Row, ...] = field(init=False, repr=False)
    request_content_rows: tuple[Row, ...] = field(init=False, repr=False)
    response_rows: tuple[Row, ...] = field(init=False, repr=False)
    response_content_rows: tuple[Row, ...] = field(init=False, repr=False)
    dedup_group: str = field(init=False, repr=False)
    """Nested calls of one group are one logical call (LiteLLM over OpenAI) and make one span."""

    def __post_init__(self) -> None:
        for table in ("request", "request_content", "response", "response_content"):
            compiled = compile_table(getattr(self, table), is_content=table.endswith("_content"))
            object.__setattr__(self, f"{table}_rows", compiled)
        object.__setattr__(self, "start_rows", tuple(row for row in self.request_rows if row.name in _START))
        group = "inference" if self.name in semconv.INFERENCE_OPERATIONS else self.name
        object.__setattr__(self, "dedup_group", group)

    def belongs_to(self, group: object) -> bool:
        """Whether a call inside one of the group is a part of it, and makes no span of its own."""
        return group is not None and (group == self.dedup_group or self.name == "fetch_response")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSpec:
    """A client library, described as data: `install` wraps it when the program imports it, never before.

    `examples/own_client.py` describes one in a few lines:

    ```python
    ask = Operation(name="chat", methods=("Client.ask",), request={"gen_ai.request.model": "model"})
    spec = ClientSpec(name="mine", module="mine", operations=(ask,), provider="mine")
    install([spec], lambda: agentops_otel.get_client().recorder)
    ```

    Args:
        name: Its name in `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` and in warnings.
        module: The module whose import to wait for; the operations' methods are looked up in it.
        operations: Its operations. If several share a method, the first that matches counts.
        provider: `gen_ai.provider.name`, or a function of the client object and the server's host.
    """

    name: str
    module: str
    operations: tuple[Operation, ...]
    provider: str | Callable[[Any, str | None], str]
    url: Callable[[Any], object] = _nothing
    """The server's base URL, from the object whose method is called."""
    client_attributes: Table = field(default_factory=dict)
    """Attributes that are read from the object whose method is called."""
    rewrite_arguments: Callable[[Mapping[str, Any]], Mapping[str, Any]] = record_iterators
    """The arguments that the method gets instead. By default iterators are replaced by ones that keep what is read."""
    rewrite_other_arguments: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _same
    """The same for calls that match no operation."""
    body: Callable[[Mapping[str, Any]], Any] = _same
    """Gives the request that the tables read, from the arguments by name (`self` included). Default: the arguments."""
    wrap_result: WrapResult | None = None
    """Handles results that are neither a response nor an iterator of chunks; returns what the program gets."""
    partial_response: Callable[[BaseException], Any] = _nothing
    """The response that an exception carries, if the client's exceptions do."""
    also_check: tuple[str, ...] = ()
    """Further methods to check for another instrumentation, for the warning about doubled spans."""
    builtin_tracing: Callable[[Any], str | None] = _nothing
    """Name of the library's own tracing if it is on, None otherwise; takes the module. Warned about once."""
    client_rows: tuple[Row, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "client_rows", compile_table(self.client_attributes))

    def server_attributes(self, instance: Any) -> CheckedAttributes:
        """Provider, server address and port of a call on the object."""
        host, port = server(self.url(instance))
        provider = self.provider if isinstance(self.provider, str) else self.provider(instance, host)
        read = CheckedAttributes({semconv.GEN_AI_PROVIDER_NAME: provider})
        if host:
            read[semconv.SERVER_ADDRESS] = host
            if port:
                read[semconv.SERVER_PORT] = port
        if self.client_rows:
            add_attributes(read, self.client_rows, instance)
        return read


def server(url: object) -> tuple[str | None, int | None]:
    """Host and port of a URL; None for what it does not contain."""
    return _server(str(url)) if url else (None, None)


def server_table(url: Callable[[Any], object]) -> Table:
    """A table of server address and port, for a URL that only the request or the response contains."""
    return {
        semconv.SERVER_ADDRESS: lambda source: server(url(source))[0],
        semconv.SERVER_PORT: lambda source: server(url(source))[1],
    }


@lru_cache(maxsize=256)
def _server(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or _PORTS.get(parts.scheme)


_PORTS = {"https": 443, "http": 80, "wss": 443, "ws": 80}
