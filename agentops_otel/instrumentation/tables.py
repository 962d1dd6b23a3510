"""Tables of attributes: where the value of each is in a request or a response, and of which type it must be."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.instrumentation.reading import field, field_elsewhere
from agentops_otel.tracing import CheckedAttributes

_NOTHING: Mapping[str, Any] = {}

Extractor = str | Callable[[Any], object]
"""Reads a value: a dotted path (`"usage.prompt_tokens"`), or a function of the source."""

Table = Mapping[str, Extractor]
"""Extractors by attribute name."""

STREAM: Table = {semconv.GEN_AI_REQUEST_STREAM: "stream"}
"""The row of a request's `stream`, which is set only if it is true."""

LONGEST = 4096
"""Characters of a plain attribute (a model's name, an id). Content has its own limits."""

_HEAD = slice(LONGEST)


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    kept = str.__getitem__(value, _HEAD)
    return kept if kept.isascii() else kept.encode("utf-8", "replace").decode("utf-8")


def _texts(value: object) -> tuple[str, ...] | None:
    values = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else ()
    return tuple(text for text in map(_text, values) if text is not None) or None


def integer(value: object) -> int | None:
    """An integer of 64 bits, also from a float that is one; None for all else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _true(value: object) -> bool | None:
    return True if value is True else None


Converter = Callable[[object], AttributeValue | None]

_TEXTS = (
    semconv.GEN_AI_AGENT_DESCRIPTION,
    semconv.GEN_AI_AGENT_ID,
    semconv.GEN_AI_AGENT_NAME,
    semconv.GEN_AI_CONVERSATION_ID,
    semconv.GEN_AI_DATA_SOURCE_ID,
    semconv.GEN_AI_OUTPUT_TYPE,
    semconv.GEN_AI_PROMPT_NAME,
    semconv.GEN_AI_PROMPT_VERSION,
    semconv.GEN_AI_PROVIDER_NAME,
    semconv.GEN_AI_REQUEST_MODEL,
    semconv.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID,
    semconv.GEN_AI_REQUEST_REASONING_LEVEL,
    semconv.GEN_AI_RESPONSE_ID,
    semconv.GEN_AI_RESPONSE_MODEL,
    semconv.GEN_AI_TOOL_CALL_ID,
    semconv.GEN_AI_TOOL_DESCRIPTION,
    semconv.GEN_AI_TOOL_NAME,
    semconv.GEN_AI_TOOL_TYPE,
    semconv.GEN_AI_TRANSFER_MODE,
    semconv.GEN_AI_TRANSFER_TARGET_NAME,
    semconv.GEN_AI_TRANSFER_TARGET_TYPE,
    semconv.GEN_AI_WORKFLOW_NAME,
    semconv.LANGGRAPH_NODE,
    semconv.MCP_METHOD_NAME,
    semconv.OPENAI_API_TYPE,
    semconv.OPENAI_REQUEST_SERVICE_TIER,
    semconv.OPENAI_RESPONSE_SERVICE_TIER,
    semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
    semconv.SERVER_ADDRESS,
)

CONVERTERS: Mapping[str, Converter] = {
    **dict.fromkeys(_TEXTS, _text),
    semconv.AGENTOPS_COUNTED_INPUT_TOKENS: integer,
    semconv.AGENTOPS_USAGE_COST: _number,
    semconv.ANTHROPIC_COUNTED_INPUT_TOKENS: integer,
    semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: integer,
    semconv.GEN_AI_REQUEST_CHOICE_COUNT: integer,
    semconv.GEN_AI_REQUEST_ENCODING_FORMATS: _texts,
    semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY: _number,
    semconv.GEN_AI_REQUEST_MAX_TOKENS: integer,
    semconv.GEN_AI_REQUEST_PRESENCE_PENALTY: _number,
    semconv.GEN_AI_REQUEST_SEED: integer,
    semconv.GEN_AI_REQUEST_STOP_SEQUENCES: _texts,
    semconv.GEN_AI_REQUEST_STREAM: _true,
    semconv.GEN_AI_REQUEST_TEMPERATURE: _number,
    semconv.GEN_AI_REQUEST_TOP_K: integer,
    semconv.GEN_AI_REQUEST_TOP_P: _number,
    semconv.GEN_AI_RESPONSE_FINISH_REASONS: _texts,
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_AUDIO_INPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_IMAGE_INPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_TEXT_INPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_INPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: integer,
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: integer,
    semconv.LANGGRAPH_STEP: integer,
    semconv.OPENAI_AGENTS_GUARDRAIL_TRIGGERED: _flag,
    semconv.SERVER_PORT: integer,
}
"""Converters by attribute. A value that cannot be converted is left out."""

_CONVENTIONS = frozenset(value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str))


def _as_it_is(value: object) -> AttributeValue | None:
    """The value of an attribute outside the conventions, of any attribute type."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return int(value) if isinstance(value, int) else float(value)
    return _texts(value) if isinstance(value, list | tuple) else _text(value)


def _converter(name: str) -> Converter:
    """The attribute's converter: an attribute of the conventions needs a row in `CONVERTERS`."""
    if name in CONVERTERS:
        return CONVERTERS[name]
    if name in _CONVENTIONS:
        raise ValueError(f"the attribute {name} has no type: add it to CONVERTERS in instrumentation/tables.py")
    return _as_it_is


class Row(NamedTuple):
    """An attribute, and how its value is read."""

    name: str
    path: tuple[str, ...]
    """The steps to the object that has the value."""
    key: str
    """The value's name in that object; empty if *read* reads it."""
    read: Callable[[Any], object]
    """Reads the value from the source."""
    convert: Converter


def _row(name: str, extractor: Extractor, convert: Converter) -> Row:
    if not isinstance(extractor, str):
        return Row(name, (), "", extractor, convert)
    *path, key = steps = tuple(extractor.split("."))
    return Row(name, _one(tuple(path)), key, lambda source: field(source, *steps), convert)


@cache
def _one(path: tuple[str, ...]) -> tuple[str, ...]:
    """One object for equal paths, which `attributes` compares by identity."""
    return path


def compile_table(table: Table, *, is_content: bool = False) -> tuple[Row, ...]:
    """The table, ready for `attributes`, or for `contents`, whose values have no type.

    Raises:
        ValueError: An attribute of the conventions has no type in `CONVERTERS`.
    """
    return tuple(
        _row(name, extractor, _as_it_is if is_content else _converter(name)) for name, extractor in table.items()
    )


def attributes(table: Iterable[Row], source: Any) -> CheckedAttributes:
    """The attributes that the table reads from the source. Missing values and those of a wrong type are left out."""
    read = CheckedAttributes()
    add_attributes(read, table, source)
    return read


def add_attributes(read: CheckedAttributes, table: Iterable[Row], source: Any) -> None:
    """Add to *read* the attributes that the table reads from the source."""
    # Written for speed: most rows read from the source itself or from its usage, and most of their values are missing.
    owner, own, at = source, _NOTHING, None
    for name, path, key, reader, convert in table:
        if key:
            if path is not at:
                owner, own = _owner(source, path)
                at = path
            value = own[key] if key in own else None if owner is own else field_elsewhere(owner, key)
        else:
            value = reader(source)
        if value is not None and (checked := convert(value)) is not None:
            read[name] = checked


def _owner(source: Any, path: tuple[str, ...]) -> tuple[Any, Mapping[str, Any]]:
    """The object at the end of the path, and what it has in its `__dict__`: for a dict and None itself."""
    owner = field(source, *path) if path else source
    if owner is None:
        owner = _NOTHING
    return owner, owner if isinstance(owner, dict) else getattr(owner, "__dict__", _NOTHING)


def contents(table: Iterable[Row], source: Any) -> dict[str, object]:
    """The content that the table reads from the source, without empty values."""
    values = ((row.name, row.read(source)) for row in table)
    return {name: value for name, value in values if value}
