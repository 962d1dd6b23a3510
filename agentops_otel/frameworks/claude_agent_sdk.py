"""Claude Agent SDK: an agent for each request, and its tools, recorded from the messages of Claude Code.

Claude Code is another program: it asks the model and runs the tools. So there are no spans of LLM calls, and tokens and
cost are those of the whole request. The SDK itself gives the program our trace (TRACEPARENT).
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from copy import copy
from functools import partial
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.context import Context
from opentelemetry.propagate import inject

from agentops_otel import semconv
from agentops_otel.frameworks.mcp import CALL, only_calls
from agentops_otel.guard import guard
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field, items, whole_call
from agentops_otel.wrapping.patch import Hook, Patch

Args = tuple[Any, ...]
Kwargs = dict[str, Any]
Told = dict[str, Any]
"""What began, of which kind it is, and what it was given."""


_last: "WeakKeyDictionary[Any, _Request]" = WeakKeyDictionary()
"""What speaks with Claude Code for a client -> the client's last request."""


class _Request:
    """One request, the key of its step: what its messages say of tools."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._tools: set[str] = set()
        self._within: dict[str, Context | None] = {}
        self._session: str | None = None

    def hear(self, message: Any) -> None:
        """A tool begins with the message that asks for it, and ends with the one that has its result."""
        self._session = self._session or field(message, "session_id") or field(message, "data", "session_id")
        for block in items(message, "content"):
            if (used := field(block, "tool_use_id")) is not None:
                self._tools.discard(used)
                self._steps.end(used, block)
            elif field(block, "input") is not None and (called := field(block, "id")) is not None:
                self._begin(called, {"kind": "tool", "of": block, "session": self._session}, message)

    def _begin(self, called: str, told: Told, message: Any) -> None:
        """Begin a tool, below the one that started its sub-agent: that one may have ended, and the agent goes on."""
        self._tools.add(called)
        above = self._within.get(field(message, "parent_tool_use_id"))
        self._steps.begin(called, told, parent=self, context=above)
        self._within[called] = self._steps.context_of(called)

    def ended(self) -> None:
        """A tool whose result did not come is left."""
        while self._tools:
            self._steps.end(self._tools.pop(), error=GeneratorExit())

    def end(self, result: Any = None, error: BaseException | None = None) -> None:
        """End the step; its tools before it."""
        self.ended()
        self._steps.end(self, result, error)


def _listen_to_queries(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Listen below `query`, which the program may have imported by its name."""

    def run(wrapped: Any, client: Any, args: Args, kwargs: Kwargs) -> Any:
        told = {"kind": "agent", **dict(zip(("prompt", "options"), args, strict=False)), **kwargs}
        request = _Request(steps)
        return whole_call(steps, told, wrapped, args, kwargs, key=request, heard=request)

    return Patch(module.InternalClient, "process_query", Hook(run)).undo


class _Connection:
    """A client's connection: the requests that have no result yet, and the last result."""

    def __init__(self) -> None:
        self.requests: deque[_Request] = deque()
        self._last: Any = None

    def hear(self, message: Any) -> None:
        """A message of the first of them; its result ends it."""
        with guard("hearing a message of Claude Code"):
            if self.requests:
                self.requests[0].hear(message)
                if field(message, "num_turns") is not None:
                    self.requests.popleft().end(_since(message, self._last))
                    self._last = message

    def end(self, error: BaseException) -> None:
        """End those without a result."""
        while self.requests:
            self.requests.popleft().end(error=error)


def _since(result: Any, last: Any) -> Any:
    """The result, with what was used since the last one: Claude Code counts from the beginning of the connection."""
    since = copy(result)
    since.total_cost_usd = _number(result, "total_cost_usd") - _number(last, "total_cost_usd")
    since.model_usage = {
        model: {name: _number(counts, name) - _number(last, "model_usage", model, name) for name in _COUNTS}
        for model, counts in _models(result).items()
    }
    return since


def _number(source: Any, *path: str) -> Any:
    """The number at the end of the path; 0 for anything else."""
    value = field(source, *path)
    return value if isinstance(value, int | float) else 0


def _models(result: Any) -> dict[str, Any]:
    """What each model has used."""
    models = field(result, "model_usage")
    return models if isinstance(models, dict) else {}


def _listen_to_clients(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """A request of a client ends with its result, whoever reads that; those without one with the connection."""
    connections: WeakKeyDictionary[Any, _Connection] = WeakKeyDictionary()

    async def query(wrapped: Any, client: Any, args: Args, kwargs: Kwargs) -> Any:
        request = _Request(steps)
        with guard("beginning a request to Claude Code"):
            prompt = args[0] if args else kwargs.get("prompt")
            steps.begin(request, {"kind": "agent", "prompt": prompt, "options": client.options})
            connections.setdefault(client, _Connection()).requests.append(request)
            if client._query is not None:
                _last[client._query] = request
        try:
            return await wrapped(*args, **kwargs)
        except BaseException as error:
            request.end(error=error)
            raise

    def receive(wrapped: Any, client: Any, args: Args, kwargs: Kwargs) -> Any:
        return _heard(wrapped(*args, **kwargs), connections.setdefault(client, _Connection()))

    async def disconnect(wrapped: Any, client: Any, args: Args, kwargs: Kwargs) -> Any:
        if (connection := connections.pop(client, None)) is not None:
            connection.end(GeneratorExit())
        return await wrapped(*args, **kwargs)

    hooks = {"query": query, "receive_messages": receive, "disconnect": disconnect}
    patches = [Patch(module.ClaudeSDKClient, name, Hook(hook)) for name, hook in hooks.items()]
    return partial(_undo, patches)


async def _heard(messages: Any, connection: _Connection) -> AsyncIterator[Any]:
    try:
        async for message in messages:
            connection.hear(message)
            yield message
    except Exception as error:
        connection.end(error)
        raise
    finally:
        await messages.aclose()


def _undo(patches: list[Patch]) -> None:
    for patch in patches:
        patch.undo()


def _enter_tools(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Send the trace along to a tool of an MCP server within the program: its call names the tool's id.

    The call may come before the program reads the message that begins the tool. It is then below the request itself.
    """

    def handle(wrapped: Any, query: Any, args: Args, kwargs: Kwargs) -> Any:
        given = {**dict(zip(("server_name", "message"), args, strict=False)), **kwargs}
        with guard("sending the trace to a tool of Claude Code"):
            if field(given, "message", "method") == CALL:
                given["message"] = with_trace(query, given["message"])
        return wrapped(**given)

    def with_trace(query: Any, message: dict[str, Any]) -> dict[str, Any]:
        meta = dict(field(message, "params", "_meta") or {})
        context = steps.context_of(meta.get("claudecode/toolUseId")) or steps.context_of(_last.get(query))
        inject(meta, context)
        return {**message, "params": {**message["params"], "_meta": meta}}

    return Patch(module.Query, "_handle_sdk_mcp_request", Hook(handle)).undo


def _leave_out_the_rest(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Make no span of how such a server is set up and left: the first of its requests would be a trace of its own."""

    async def quiet(wrapped: Any, bridge: Any, args: Args, kwargs: Kwargs) -> Any:
        token = only_calls.set(True)  # in the server, too, which the first message starts
        try:
            return await wrapped(*args, **kwargs)
        finally:
            only_calls.reset(token)

    return partial(_undo, [Patch(module.SdkMcpBridge, name, Hook(quiet)) for name in ("handle", "aclose")])


def _is(kind: str) -> Callable[[Told], bool]:
    return lambda told: told["kind"] == kind


def _prompt(told: Told) -> object:
    return prompt if isinstance(prompt := told.get("prompt"), str) else None


_COUNTS = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "outputTokens")


def _used(result: Any, *names: str) -> int:
    """Of all models, those of sub-agents too."""
    return sum(_number(counts, name) for counts in _models(result).values() for name in names)


def _input_tokens(result: Any) -> int:
    """All of them, as the conventions count; Claude's own number leaves out those of its cache."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return _used(result, *_COUNTS[:3]) or sum(_number(result, "usage", name) for name in names)


def _output_tokens(result: Any) -> int:
    return _used(result, _COUNTS[3]) or _number(result, "usage", "output_tokens")


def _failure(result: Any) -> str | None:
    return str(field(result, "subtype")) if field(result, "is_error") else None


AGENT = Step(
    operation="invoke_agent",
    matches=_is("agent"),
    attributes={semconv.GEN_AI_REQUEST_MODEL: "options.model"},
    content={semconv.AGENTOPS_ENTITY_INPUT: _prompt},
    outcome={
        semconv.GEN_AI_CONVERSATION_ID: "session_id",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: _input_tokens,
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: _output_tokens,
        semconv.AGENTOPS_USAGE_COST: "total_cost_usd",
    },
    result={semconv.AGENTOPS_ENTITY_OUTPUT: "result"},
    failure=_failure,
)
TOOL = Step(
    operation="execute_tool",
    matches=_is("tool"),
    name="of.name",
    attributes={
        semconv.GEN_AI_CONVERSATION_ID: "session",
        semconv.GEN_AI_TOOL_CALL_ID: "of.id",
        semconv.GEN_AI_TOOL_TYPE: lambda told: "function",
    },
    content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: "of.input"},
    result={semconv.GEN_AI_TOOL_CALL_RESULT: "content"},
    failure=lambda block: "tool_error" if field(block, "is_error") else None,
)

CLAUDE_AGENT_SDK = FrameworkSpec(
    name="claude-agent-sdk",
    module="claude_agent_sdk",
    steps=(AGENT, TOOL),
    listeners={
        "claude_agent_sdk._internal.client": _listen_to_queries,
        "claude_agent_sdk._internal.query": _enter_tools,
        "claude_agent_sdk._internal.sdk_mcp_bridge": _leave_out_the_rest,
        "claude_agent_sdk.client": _listen_to_clients,
    },
)
