"""A span in the names that the AgentOps backend and its dashboard read, for that destination alone.

Names are literals here: this file is their table. What they do there is in https://github.com/AgentOps-AI/agentops
(`app/api`, `app/dashboard`). Four habits of the reader shape everything below:

- a trace is named and tagged by its oldest span, which should be called `<name>.session`; a root starts before its
  children and arrives after them, and only the start counts, so that nothing has to be put in order;
- a span with any `gen_ai.*` attribute counts as an LLM call, one with any `tool.*` as a tool call;
- flat names become nested objects, so a name can never be both a value (`a.b`) and a prefix (`a.b.c`);
- a step is a success only when its status says OK.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import orjson
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv

Attributes = dict[str, AttributeValue]

LLM = "llm"

_SUFFIX = {kind: kind for kind in ("session", "agent", "operation", "task", "workflow", "tool", "guardrail")}
_SUFFIX["action"] = "operation"
"""Kind -> the end of the span's name, by which the dashboard knows it. An LLM call is known by its attributes."""

_LLM_NAMES = {
    semconv.GEN_AI_PROVIDER_NAME: "gen_ai.system",
    semconv.GEN_AI_USAGE_INPUT_TOKENS: "gen_ai.usage.prompt_tokens",
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "gen_ai.usage.completion_tokens",
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "gen_ai.usage.cache_read_input_tokens",
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: "gen_ai.usage.reasoning_tokens",
    semconv.AGENTOPS_USAGE_COST: "gen_ai.usage.total_cost",
}

_TOOL_NAMES = {
    semconv.GEN_AI_TOOL_CALL_ARGUMENTS: "tool.parameters",
    semconv.GEN_AI_TOOL_CALL_RESULT: "tool.result",
    # The one cost that is summed up. It makes an LLM call of the tool in the counts, as AgentOps' own tools are.
    semconv.AGENTOPS_USAGE_COST: "gen_ai.usage.total_cost",
}

_TOOL_TELLS = (
    ("tool.name", semconv.OPERATION_NAME),
    ("tool.parameters", semconv.AGENTOPS_ENTITY_INPUT),
    ("tool.result", semconv.AGENTOPS_ENTITY_OUTPUT),
    (semconv.OPERATION_NAME, "tool.name"),
    (semconv.AGENTOPS_ENTITY_INPUT, "tool.parameters"),
    (semconv.AGENTOPS_ENTITY_OUTPUT, "tool.result"),
)
"""One panel reads a tool's own names, the other those of any step: each is told the other's where its own is absent."""

_MESSAGES = (semconv.GEN_AI_SYSTEM_INSTRUCTIONS, semconv.GEN_AI_INPUT_MESSAGES, semconv.GEN_AI_OUTPUT_MESSAGES)
_PART_TEXT = {"text": "content", "tool_call_response": "response"}


def translate(span: ReadableSpan) -> tuple[str, Mapping[str, AttributeValue], Status]:
    """The name, the attributes and the status of *span* as the AgentOps backend reads them.

    ```python
    name, attributes, status = translate(span)  # "search.tool", {"tool.name": "search", ...}, OK
    ```
    """
    given = dict(span.attributes or {})
    kind = _kind(span, given)
    failed = span.status.status_code is StatusCode.ERROR
    attributes = _llm(given) if kind == LLM else _step(kind, given, failed=failed)
    if kind is not None:
        attributes[semconv.AGENTOPS_SPAN_KIND] = kind
    if semconv.AGENTOPS_ENTITY_INPUT in attributes:
        attributes[semconv.AGENTOPS_ENTITY_INPUT] = _call_input(attributes[semconv.AGENTOPS_ENTITY_INPUT])
    if failed and span.status.description:
        attributes["error.message"] = span.status.description
    return _name(span, kind, given), attributes, span.status if failed else Status(StatusCode.OK)


def _kind(span: ReadableSpan, given: Attributes) -> str | None:
    """What the span says it is, else what its operation or its marks say; any other step inside is an operation."""
    match given.get(semconv.AGENTOPS_SPAN_KIND), given.get(semconv.GEN_AI_OPERATION_NAME):
        case str(kind), _:
            return kind
        case _, str(operation):
            return semconv.OPERATION_ROLES.get(operation, LLM)
    if given.keys() & {semconv.GEN_AI_REQUEST_MODEL, "gen_ai.system"}:
        return LLM
    return "operation" if span.kind is SpanKind.INTERNAL else None


def _name(span: ReadableSpan, kind: str | None, given: Attributes) -> str:
    """The name with its suffix: `.session` for the root, else the kind's. `execute_tool search` is `search.tool`."""
    name = span.name if kind == LLM else span.name.removeprefix(f"{given.get(semconv.GEN_AI_OPERATION_NAME)} ")
    suffix = "session" if _is_root(span) else _SUFFIX.get(kind or "")
    return name if suffix is None or name.endswith(f".{suffix}") else f"{name}.{suffix}"


def _is_root(span: ReadableSpan) -> bool:
    """No parent, or the entry of a remote call: a parent that is remote to a step inside (a kernel) is a session's."""
    if span.parent is None:
        return True
    return span.parent.is_remote and span.kind in (SpanKind.SERVER, SpanKind.CONSUMER)


def _llm(given: Attributes) -> Attributes:
    attributes = {_LLM_NAMES.get(name, name): value for name, value in given.items()}
    used = [attributes.get(f"gen_ai.usage.{name}_tokens") for name in ("prompt", "completion")]
    counted = [tokens for tokens in used if isinstance(tokens, int)]
    if counted:
        # Without a total the backend adds the cached and reasoning tokens, which are part of these two, once more.
        attributes.setdefault("gen_ai.usage.total_tokens", sum(counted))
    system, asked, answered = (_messages(given.get(name)) for name in _MESSAGES)
    for name, messages in zip(_MESSAGES, (system, asked, answered), strict=True):
        if messages:
            del attributes[name]
    prompts: list[Mapping[str, object]] = [{"role": "system", "parts": system}] if system else []
    for prefix, indexed in (
        ("gen_ai.prompt", dict(_prompts([*prompts, *asked]))),
        ("gen_ai.completion", dict(_completions(answered, given.get(semconv.GEN_AI_RESPONSE_FINISH_REASONS)))),
    ):
        attributes.update(indexed)
        if any(name.startswith(f"{prefix}.") for name in attributes):
            attributes.pop(prefix, None)
    return attributes


def _messages(text: AttributeValue | None) -> list[Mapping[str, object]]:
    """The messages of a JSON array; what is no object in it is said too."""
    value = _parsed(text)
    items = value if isinstance(value, list) else []
    return [item if isinstance(item, dict) else {"content": item} for item in items]


def _prompts(messages: Iterable[Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    """`gen_ai.prompt.{i}.*`. A prompt without content is not shown, so calls of tools are its content then."""
    for i, message in enumerate(messages):
        calls = _calls(message)
        called = "\n".join(f"{call.get('name')}({_text(call.get('arguments', ''))})" for call in calls)
        yield f"gen_ai.prompt.{i}.content", _content(message) or called
        yield f"gen_ai.prompt.{i}.role", str(message.get("role", "user"))
        yield from _tool_calls(f"gen_ai.prompt.{i}", calls)


def _completions(messages: Iterable[Mapping[str, object]], reasons: object) -> Iterator[tuple[str, str]]:
    """`gen_ai.completion.{i}.*`. Content comes first: the dashboard shows the first value of what calls no tool."""
    finished = reasons if isinstance(reasons, tuple | list) else ()
    for i, message in enumerate(messages):
        calls = _calls(message)
        content = _content(message)
        if content or not calls:
            yield f"gen_ai.completion.{i}.content", content
        yield f"gen_ai.completion.{i}.role", str(message.get("role", "assistant"))
        reason = finished[i] if i < len(finished) else message.get("finish_reason")
        if reason is not None:
            yield f"gen_ai.completion.{i}.finish_reason", str(reason)
        yield from _tool_calls(f"gen_ai.completion.{i}", calls)


def _tool_calls(prefix: str, calls: Iterable[Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    for j, call in enumerate(calls):
        for name in ("id", "name", "arguments"):
            if call.get(name) is not None:
                yield f"{prefix}.tool_calls.{j}.{name}", _text(call[name])


def _parts(message: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The message's parts, also where it is the older `{role, content}`."""
    parts = message.get("parts", message.get("content"))
    if isinstance(parts, list):
        return [part if isinstance(part, dict) else {"type": "text", "content": part} for part in parts]
    return [] if parts is None else [{"type": "text", "content": parts}]


def _calls(message: Mapping[str, object]) -> list[Mapping[str, object]]:
    return [part for part in _parts(message) if part.get("type") == "tool_call"]


def _content(message: Mapping[str, object]) -> str:
    """What the message says: text as it is, any other part (reasoning, an image) as JSON; calls are told apart."""
    said = (
        _text(part.get(_PART_TEXT.get(str(part.get("type")), ""), part))
        for part in _parts(message)
        if part.get("type") != "tool_call"
    )
    return "\n".join(text for text in said if text)


def _step(kind: str | None, given: Attributes, *, failed: bool) -> Attributes:
    """Everything that is no LLM call: it must not keep a `gen_ai.*` name, or it would be counted as one."""
    attributes = {
        _step_name(kind, name): value for name, value in given.items() if name != semconv.GEN_AI_OPERATION_NAME
    }
    if kind == "tool":
        for name, source in _TOOL_TELLS:
            if source in attributes:
                attributes.setdefault(name, attributes[source])
        attributes["tool.status"] = "failed" if failed else "succeeded"
    if kind == "agent" and "agent.name" in attributes:
        # Without an id the dashboard has no card for the agent, and the card's title is the role.
        attributes = {"agent.id": attributes["agent.name"], "agent.role": attributes["agent.name"], **attributes}
    return attributes


@lru_cache(maxsize=1024)
def _step_name(kind: str | None, name: str) -> str:
    """The name without `gen_ai.`; one that would make an agent or a tool of another step is spelled flat."""
    if kind == "tool" and name in _TOOL_NAMES:
        return _TOOL_NAMES[name]
    rest = name.removeprefix("gen_ai.")
    owner = rest.split(".", 1)[0]
    return rest.replace(".", "_") if rest != name and owner in ("agent", "tool") and owner != kind else rest


def _call_input(text: AttributeValue) -> AttributeValue:
    """JSON as `{args, kwargs}`: an object is named arguments, a list positional ones, anything else the only one."""
    match _parsed(text):
        case dict() as value if value and value.keys() <= {"args", "kwargs"}:
            return text
        case dict() as value:
            return _text({"args": [], "kwargs": value})
        case list() as value:
            return _text({"args": value, "kwargs": {}})
        case None:
            return text
        case value:
            return _text({"args": [value], "kwargs": {}})


def _parsed(text: object) -> object:
    """The JSON value of a text; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value


def _text(value: object) -> str:
    """A text as it is, anything else as JSON; what is nested deeper than JSON is written here has no text."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return ""
