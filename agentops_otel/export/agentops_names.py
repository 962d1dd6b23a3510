"""Translates spans into the names that the AgentOps backend and dashboard read, for that destination alone.

Names are literals here: this file is their table. What they do there is in https://github.com/AgentOps-AI/agentops
(`app/api`, `app/dashboard`). Six habits of the reader shape everything below:

- a trace is named and tagged by its oldest span, which should be called `<name>.session`; a root starts before its
  children and arrives after them, and only the start counts, so that nothing has to be put in order;
- a name is split at its last dot, and what is behind it says what the span is;
- a span with any `gen_ai.*` attribute counts as an LLM call, one with any `tool.*` as a tool call; its type is that of
  the first attribute that says one;
- flat names become nested objects, so a name can never be both a value (`a.b`) and a prefix (`a.b.c`);
- a step is a success only when its status says OK;
- all prompt tokens have one price.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.export import agentops_messages
from agentops_otel.export.agentops_messages import as_text, parsed

Attributes = dict[str, AttributeValue]

LLM = "llm"

_SUFFIX = {kind: kind for kind in ("session", "agent", "operation", "task", "workflow", "tool", "guardrail", LLM)}
_SUFFIX["action"] = "operation"
"""Kind -> suffix of the span's name that the dashboard reads the kind from."""

_OWN_SUFFIX = (LLM, "agent", "tool")
"""Kinds whose root keeps its suffix: a lone `.session` is shown as a session that lacks instrumentation."""

_NAMESPACE = {LLM: "gen_ai.", "agent": "agent.", "tool": "tool."}
"""Kind -> the attributes that the backend types a span by. They come first: the first one decides."""

_CACHE_NAMES = ("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_creation_input_tokens")
_PROMPT_TOKENS = "gen_ai.usage.prompt_tokens"
_TOTAL_TOKENS = "gen_ai.usage.total_tokens"

_LLM_NAMES = {
    semconv.GEN_AI_PROVIDER_NAME: "gen_ai.system",
    semconv.GEN_AI_USAGE_INPUT_TOKENS: _PROMPT_TOKENS,
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "gen_ai.usage.completion_tokens",
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: _CACHE_NAMES[0],
    semconv.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: _CACHE_NAMES[1],
    semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: _CACHE_NAMES[1],
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: "gen_ai.usage.reasoning_tokens",
    semconv.AGENTOPS_USAGE_COST: "gen_ai.usage.total_cost",
}

_TOOL_INPUT = "agentops.tool.input"

_STEP_NAMES = {
    "agent": {
        # In `agentops.entity.input` it would replace the agent's name as the label of its bar.
        semconv.AGENTOPS_ENTITY_INPUT: "agentops.agent.input",
    },
    "tool": {
        semconv.AGENTOPS_ENTITY_INPUT: "tool.parameters",
        semconv.AGENTOPS_ENTITY_OUTPUT: "tool.result",
        semconv.GEN_AI_TOOL_CALL_ARGUMENTS: "tool.parameters",
        semconv.GEN_AI_TOOL_CALL_RESULT: "tool.result",
        # The only cost that the dashboard adds up. It counts the tool as an LLM call, as it counts AgentOps' own tools.
        semconv.AGENTOPS_USAGE_COST: "gen_ai.usage.total_cost",
    },
}

_CALLS = (semconv.AGENTOPS_ENTITY_INPUT, "agentops.agent.input", _TOOL_INPUT)
"""Attributes that the dashboard reads as `{args, kwargs}`."""

_TEXTS = (
    "tool.result",
    semconv.AGENTOPS_ENTITY_OUTPUT,
    semconv.AGENTOPS_EVENT_LOGS,
    semconv.AGENTOPS_EVENT_SCREENSHOT,
)
"""Attributes that the dashboard shows verbatim: a text loses its JSON quotes."""

_MESSAGES = (semconv.GEN_AI_SYSTEM_INSTRUCTIONS, semconv.GEN_AI_INPUT_MESSAGES, semconv.GEN_AI_OUTPUT_MESSAGES)

_UNDECIDED = "Indeterminate"


def _no_tags() -> tuple[str, ...]:
    return ()


def translate(
    span: ReadableSpan, tags: Callable[[], tuple[str, ...]] = _no_tags
) -> tuple[str, Mapping[str, AttributeValue], Status]:
    """The name, the attributes and the status of *span* as the AgentOps backend reads them.

    ```python
    name, attributes, status = translate(span)  # "search.tool", {"tool.name": "search", ...}, OK
    ```

    Args:
        span: An ended span.
        tags: Tags for a span without tags, such as the root span of a web framework.
    """
    given = dict(span.attributes or {})
    kind = _kind(span, given)
    failed = span.status.status_code is StatusCode.ERROR
    attributes = _llm(given) if kind == LLM else _step(kind, given, failed=failed)
    if kind is not None:
        attributes[semconv.AGENTOPS_SPAN_KIND] = kind
    if not attributes.get(semconv.AGENTOPS_TAGS) and (default := tags()):
        attributes[semconv.AGENTOPS_TAGS] = default
    for name in attributes.keys() & _CALLS:
        attributes[name] = _call_input(attributes[name])
    for name in attributes.keys() & _TEXTS:
        attributes[name] = _unquoted(attributes[name])
    if failed and span.status.description:
        attributes["error.message"] = span.status.description
    return _name(span, kind, given), _ordered(kind, attributes), _status(span, given)


def _kind(span: ReadableSpan, given: Attributes) -> str | None:
    """The span's kind, by its own attribute, its operation or others; any other inner step is an operation."""
    match given.get(semconv.AGENTOPS_SPAN_KIND), given.get(semconv.GEN_AI_OPERATION_NAME):
        case str(kind), _:
            return kind
        case _, str(operation):
            return semconv.OPERATION_ROLES.get(operation, "operation")
    if given.keys() & {semconv.GEN_AI_REQUEST_MODEL, "gen_ai.system"}:
        return LLM
    return "operation" if span.kind is SpanKind.INTERNAL else None


def _name(span: ReadableSpan, kind: str | None, given: Attributes) -> str:
    """The name with its suffix: `.session` for the root, else the kind's. `execute_tool search` is `search.tool`."""
    name = span.name if kind == LLM else span.name.removeprefix(f"{given.get(semconv.GEN_AI_OPERATION_NAME)} ")
    suffix = _SUFFIX.get(kind or "")
    if _is_root(span) and suffix not in _OWN_SUFFIX:
        suffix = "session"
    if suffix is None and "." in name:
        suffix = kind or "span"  # any suffix: the dashboard does not show it
    return name if suffix is None or name.endswith(f".{suffix}") else f"{name}.{suffix}"


def _is_root(span: ReadableSpan) -> bool:
    """True without a parent, and at the entry of a remote call; not for steps in a kernel, whose parent is remote."""
    if span.parent is None:
        return True
    return span.parent.is_remote and span.kind in (SpanKind.SERVER, SpanKind.CONSUMER)


def _status(span: ReadableSpan, given: Attributes) -> Status:
    """ERROR stays, an indeterminate end is UNSET, everything else is OK."""
    if span.status.status_code is StatusCode.ERROR:
        return span.status
    undecided = _UNDECIDED in (given.get(semconv.AGENTOPS_SESSION_END_STATE), given.get(semconv.AGENTOPS_EVENT_RESULT))
    return Status(StatusCode.UNSET if undecided else StatusCode.OK)


def _ordered(kind: str | None, attributes: Attributes) -> Attributes:
    namespace = _NAMESPACE.get(kind or "")
    if namespace is None:
        return attributes
    first = {name: value for name, value in attributes.items() if name.startswith(namespace)}
    return {**first, **attributes}


def _llm(given: Attributes) -> Attributes:
    attributes = {_LLM_NAMES.get(name, name): value for name, value in given.items()}
    _count_tokens(given, attributes)
    system, asked, answered = (agentops_messages.read(given.get(name)) for name in _MESSAGES)
    for name, messages in zip(_MESSAGES, (system, asked, answered), strict=True):
        if messages:
            del attributes[name]
    before: list[Mapping[str, object]] = [{"role": "system", "parts": system}] if system else []
    prompts = agentops_messages.prompts([*before, *asked])
    completions = agentops_messages.completions(answered, given.get(semconv.GEN_AI_RESPONSE_FINISH_REASONS))
    for prefix, indexed in (("gen_ai.prompt", dict(prompts)), ("gen_ai.completion", dict(completions))):
        attributes.update(indexed)
        if any(name.startswith(f"{prefix}.") for name in attributes):
            attributes.pop(prefix, None)
    return attributes


def _count_tokens(given: Attributes, attributes: Attributes) -> None:
    """Set the total tokens (the backend would add parts that overlap), and the prompt tokens at full price."""
    used = (attributes.get(name) for name in (_PROMPT_TOKENS, "gen_ai.usage.completion_tokens"))
    counted = [tokens for tokens in used if isinstance(tokens, int)]
    if counted:
        attributes.setdefault(_TOTAL_TOKENS, sum(counted))
    prompt = given.get(semconv.GEN_AI_USAGE_INPUT_TOKENS)
    if isinstance(prompt, int) and _bills_cache_apart(given):
        cached = sum(tokens for name in _CACHE_NAMES if isinstance(tokens := attributes.get(name), int))
        attributes[_PROMPT_TOKENS] = max(0, prompt - cached)


def _bills_cache_apart(given: Attributes) -> bool:
    """True if the provider does not count cached tokens as prompt tokens: Claude at any provider, and Bedrock."""
    models = (given.get(semconv.GEN_AI_RESPONSE_MODEL), given.get(semconv.GEN_AI_REQUEST_MODEL))
    provider = given.get(semconv.GEN_AI_PROVIDER_NAME)
    is_claude = any("claude" in str(model).lower() for model in models)
    return is_claude or provider in (semconv.ANTHROPIC, semconv.AWS_BEDROCK)


def _step(kind: str | None, given: Attributes, *, failed: bool) -> Attributes:
    """The attributes of any other span than an LLM call: with a `gen_ai.*` name it would be counted as one."""
    attributes = {
        _step_name(kind, name): value for name, value in given.items() if name != semconv.GEN_AI_OPERATION_NAME
    }
    if kind == "tool":
        for name, source in (("tool.name", semconv.OPERATION_NAME), (semconv.OPERATION_NAME, "tool.name")):
            if source in attributes:
                attributes.setdefault(name, attributes[source])
        if "tool.parameters" in attributes:
            attributes[_TOOL_INPUT] = attributes["tool.parameters"]
        attributes["tool.status"] = "failed" if failed else "succeeded"
    if kind == "agent" and "agent.name" in attributes:
        # Without an id the dashboard has no card for the agent, and the card's title is the role.
        attributes = {"agent.id": attributes["agent.name"], "agent.role": attributes["agent.name"], **attributes}
    return attributes


@lru_cache(maxsize=1024)
def _step_name(kind: str | None, name: str) -> str:
    """The name without `gen_ai.`; one that would make an agent or a tool of another step is spelled flat."""
    if renamed := _STEP_NAMES.get(kind or "", {}).get(name):
        return renamed
    rest = name.removeprefix("gen_ai.")
    owner = rest.split(".", 1)[0]
    return rest.replace(".", "_") if rest != name and owner in ("agent", "tool") and owner != kind else rest


def _call_input(text: AttributeValue) -> AttributeValue:
    """JSON as `{args, kwargs}`: an object is named arguments, a list positional ones, anything else the only one."""
    match parsed(text):
        case dict() as value if value and value.keys() <= {"args", "kwargs"}:
            return text
        case dict() as value:
            return as_text({"args": [], "kwargs": value})
        case list() as value:
            return as_text({"args": value, "kwargs": {}})
        case None:
            return text
        case value:
            return as_text({"args": [value], "kwargs": {}})


def _unquoted(text: AttributeValue) -> AttributeValue:
    """The value of a JSON string; any other text as it is."""
    value = parsed(text)
    return value if isinstance(value, str) else text
