"""MCP, versions 1 and 2: calls of tools, in the client and in the server, in one trace.

A call carries its trace context in `_meta`, as the protocol defines, and the server continues the trace. Version 2
makes spans of its own: where our span is current, it sets its attributes on ours. A call inside a framework's span of
the tool gets no second span.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from functools import partial
from types import ModuleType
from typing import Any

from opentelemetry.context import Context
from opentelemetry.propagate import extract, get_global_textmap, inject
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, get_current_span

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field, items
from agentops_otel.wrapping.patch import Hook, Patch

Args = tuple[Any, ...]
Kwargs = dict[str, Any]

CALL = "tools/call"
only_calls: ContextVar[bool] = ContextVar("agentops_otel_mcp_only_calls", default=False)
"""True in a server that a framework runs within the program: with what else it asks of it there, no span is wanted."""
_headers: ContextVar[Mapping[str, str] | None] = ContextVar("agentops_otel_mcp_headers", default=None)


def _listen_to_client(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Make a span for each `ClientSession.call_tool`, and send the trace context along."""
    takes_meta = "meta" in inspect.signature(module.ClientSession.call_tool).parameters

    def call_tool(wrapped: Any, session: Any, args: Args, kwargs: Kwargs) -> Any:
        async def work() -> Any:
            meta = dict(kwargs.get("meta") or {})
            inject(meta)
            return await wrapped(*args, **({**kwargs, "meta": meta} if meta and takes_meta else kwargs))

        async def within_tool() -> Any:
            get_current_span().set_attribute(semconv.MCP_METHOD_NAME, CALL)
            return await work()

        if _is_tool_of_framework():
            return within_tool()
        named = dict(zip(("name", "arguments"), args, strict=False))
        return _around(steps, {"side": "client", **named, **kwargs}, work)

    return Patch(module.ClientSession, "call_tool", Hook(call_tool)).undo


def _is_tool_of_framework() -> bool:
    span = get_current_span()
    is_tool = _attribute(span, semconv.GEN_AI_OPERATION_NAME) == "execute_tool"
    return is_tool and field(span, "kind") is SpanKind.INTERNAL


def _attribute(span: Span, name: str) -> object:
    return (getattr(span, "attributes", None) or {}).get(name)


def _listen_to_first_server(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Version 1: make a server span for each request of a tool."""

    def handle(wrapped: Any, server: Any, args: Args, kwargs: Kwargs) -> Any:
        request = kwargs.get("req") or args[1]
        if field(request, "method") != CALL:
            return wrapped(*args, **kwargs)
        answers = _answers(kwargs.get("message") or args[0])
        return _served(steps, request.params, lambda: wrapped(*args, **kwargs), lambda _: next(iter(answers), None))

    is_first = hasattr(module.Server, "_handle_request")
    return Patch(module.Server, "_handle_request", Hook(handle)).undo if is_first else _nothing


def _answers(message: Any) -> list[Any]:
    """The list that gets the answer to the message."""
    answers: list[Any] = []
    respond = message.respond

    def kept(response: Any) -> Any:
        answers.append(getattr(response, "root", response))
        return respond(response)

    message.respond = kept
    return answers


def _listen_to_second_server(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Version 2: replace its own span of a tool request by ours; its spans of other requests stay."""

    def handle(wrapped: Any, middleware: Any, args: Args, kwargs: Kwargs) -> Any:
        request = args[0]
        if request.method != CALL:
            return wrapped(*args, **kwargs)
        params = {**(request.params or {}), "meta": request.meta}
        return _served(steps, params, lambda: wrapped(*args, **kwargs), lambda result: result)

    def extracted(wrapped: Any, instance: Any, args: Args, kwargs: Kwargs) -> Any:
        return wrapped(*args, **kwargs) if steps.follows_callers else None

    patches = [
        Patch(module.OpenTelemetryMiddleware, "__call__", Hook(handle)),
        Patch(module, "extract_trace_context", Hook(extracted)),
        Patch(module, "otel_span", Hook(_recorded_on_ours)),
    ]
    return partial(_undo, patches)


def _undo(patches: list[Patch]) -> None:
    for patch in patches:
        patch.undo()


def _nothing() -> None:
    pass


def _served(
    steps: Steps, params: Any, work: Callable[[], Any], read_result: Callable[[Any], Any]
) -> Coroutine[Any, Any, Any]:
    meta = field(params, "meta")
    carrier = meta if isinstance(meta, dict) else field(meta, "__pydantic_extra__")
    context = extract(carrier) if carrier and "traceparent" in carrier and steps.follows_callers else None
    source = {"side": "server", "name": field(params, "name"), "arguments": field(params, "arguments")}
    return _around(steps, source, work, read_result, context)


async def _around(
    steps: Steps,
    source: Mapping[str, Any],
    work: Callable[[], Awaitable[Any]],
    read_result: Callable[[Any], Any] = lambda result: result,
    context: Context | None = None,
) -> Any:
    with steps.step(source, context=context) as step:
        result = await work()
        step.result = read_result(result)
        return result


def _listen_to_dispatcher(module: ModuleType, steps: Steps) -> Callable[[], None]:
    return Patch(module, "otel_span", Hook(_recorded_on_ours)).undo


def _listen_to_http(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Send the trace context in the HTTP headers too, for servers that read only those."""

    def post(wrapped: Any, transport: Any, args: Args, kwargs: Kwargs) -> Any:
        async def work() -> Any:
            message = field(kwargs.get("ctx") or args[0], "session_message", "message")
            meta = field(message, "root", "params", "_meta") or field(message, "params", "_meta") or {}
            _headers.set({name: meta[name] for name in get_global_textmap().fields if name in meta})
            return await wrapped(*args, **kwargs)

        return work()

    def prepare(wrapped: Any, transport: Any, args: Args, kwargs: Kwargs) -> Any:
        return {**wrapped(*args, **kwargs), **(_headers.get() or {})}

    hooks = {"_handle_post_request": post, "_prepare_headers": prepare}
    transport = module.StreamableHTTPTransport
    return partial(_undo, [Patch(transport, name, Hook(hook)) for name, hook in hooks.items()])


def _recorded_on_ours(wrapped: Any, instance: Any, args: Args, kwargs: Kwargs) -> Any:
    """The package's own span of a call: our span, if that is current."""
    name, span = kwargs.get("name") or args[0], get_current_span()
    if CALL not in name and only_calls.get():
        return nullcontext(INVALID_SPAN)
    if CALL not in name or _attribute(span, semconv.MCP_METHOD_NAME) != CALL:
        return wrapped(*args, **kwargs)
    span.set_attributes(kwargs.get("attributes") or {})
    return nullcontext(span)


def _result(result: Any) -> object:
    """The tool's result: its structured content, otherwise its texts."""
    structured = field(result, "structuredContent") or field(result, "structured_content")
    texts = [field(part, "text") for part in items(field(result, "content"))]
    return structured or (texts[0] if len(texts) == 1 else texts)


def _failure(result: Any) -> str | None:
    if field(result, "isError") or field(result, "is_error"):
        return "tool_error"
    return None if (code := field(result, "code")) is None else str(code)


def _call(side: str, kind: SpanKind) -> Step:
    return Step(
        operation="execute_tool",
        span_name=CALL,
        kind=kind,
        matches=lambda source: source["side"] == side,
        name="name",
        attributes={semconv.MCP_METHOD_NAME: lambda source: CALL},
        content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: "arguments"},
        result={semconv.GEN_AI_TOOL_CALL_RESULT: _result},
        failure=_failure,
    )


CLIENT = _call("client", SpanKind.CLIENT)
SERVER = _call("server", SpanKind.SERVER)

MCP = FrameworkSpec(
    name="mcp",
    module="mcp",
    steps=(CLIENT, SERVER),
    listeners={
        "mcp.client.session": _listen_to_client,
        "mcp.client.streamable_http": _listen_to_http,
        "mcp.server.lowlevel.server": _listen_to_first_server,
        "mcp.server._otel": _listen_to_second_server,
        "mcp.shared.jsonrpc_dispatcher": _listen_to_dispatcher,
    },
)
