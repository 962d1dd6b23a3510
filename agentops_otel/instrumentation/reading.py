"""Reads values from requests and responses of any type. Never raises, and consumes no iterator."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from types import NoneType
from typing import Any, NamedTuple

import orjson
import wrapt
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.tracing import CheckedAttributes

Extractor = str | Callable[[Any], object]
"""Reads a value: a dotted path (`"usage.prompt_tokens"`), or a function of the source."""

SEEN_LIMIT = 10_000
"""Items that are kept of an iterator that a client consumes."""

Table = Mapping[str, Extractor]
"""Extractors by attribute name."""

STREAM: Table = {semconv.GEN_AI_REQUEST_STREAM: lambda request: field(request, "stream") or None}
"""The row of a request's `stream`, which is set only if it is true."""

LONGEST = 4096
"""Characters of a plain attribute (a model's name, an id). Content has its own limits."""

_HEAD = slice(LONGEST)

TEXT_LIMIT = 128 * 1024
"""Characters that are kept of a streamed text, more than `content` writes."""


def field(value: Any, *path: str) -> Any:
    """The value at the end of the path through dicts and objects; None when a step is missing.

    >>> field({"usage": {"prompt_tokens": 3}}, "usage", "prompt_tokens")
    3
    """
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        else:
            own = getattr(value, "__dict__", _NOTHING)
            value = own[step] if step in own else _attribute(value, step)
        if value is None:
            return None
    return value


def _attribute(value: Any, name: str) -> Any:
    """A value that is not in the object's `__dict__`. For pydantic, `getattr` of a missing one would be slow."""
    if isinstance(value, type):  # its attributes are descriptors and methods, no data
        return None
    extra = _NOTHING if name.startswith("_") else getattr(value, "__pydantic_extra__", _NOTHING)
    if extra is not _NOTHING and name not in _names(type(value)):  # type: ignore[arg-type]  # a class is hashable
        return extra.get(name) if extra else None
    return getattr(value, name, None)


_NOTHING: Mapping[str, Any] = {}


@cache
def _names(kind: type) -> frozenset[str]:
    return frozenset(dir(kind))


def lookup_in(value: Any) -> Callable[[str], Any]:
    """`field` of the value, for reading several fields. For a dict it is the dict's own `get`.

    >>> lookup_in({"role": "user"})("role")
    'user'
    """
    if isinstance(value, dict):
        return value.get
    return as_mapping(value).get if hasattr(value, "__pydantic_extra__") else partial(field, value)


def as_mapping(value: Any) -> Mapping[str, Any]:
    """The fields of a dict or an object, for reading several at once."""
    if isinstance(value, dict):
        return value
    own: Mapping[str, Any] = getattr(value, "__dict__", _NOTHING)
    if type(own) is not dict:  # a class has descriptors and methods, no data
        return _NOTHING
    extra = getattr(value, "__pydantic_extra__", None)
    return {**own, **extra} if extra else own


def items(value: Any, *path: str) -> Sequence[Any]:
    """The list at the end of the path; empty if there is none. Iterators are not consumed.

    >>> items({"choices": None}, "choices")
    ()
    """
    value = field(value, *path) if path else value
    if isinstance(value, list | tuple):
        return value
    return value._self_seen if isinstance(value, RecordedIterator) else ()


def first(value: Any, *path: str) -> Any:
    """The first item of the list at the end of the path; None if there is none.

    >>> first({"choices": [1, 2]}, "choices")
    1
    """
    return next(iter(items(value, *path)), None)


class RecordedIterator(wrapt.ObjectProxy):  # type: ignore[type-arg]  # cannot be subscripted in wrapt 1
    """An iterator argument that keeps the items that the client consumes, and passes isinstance()."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        super().__init__(iterator)
        self._self_seen: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        item = next(self.__wrapped__)
        if len(self._self_seen) < SEEN_LIMIT:
            self._self_seen.append(item)
        return item


def record_iterators(body: Any) -> Any:
    """The body with its iterators as `RecordedIterator`; the same object if it has none."""
    if not isinstance(body, dict):
        return body
    recorded = {
        name: _seen(value)
        for name, value in body.items()
        if (kind := type(value)) not in _PLAIN and _is_iterator(kind)  # type: ignore[arg-type]  # a class is hashable
    }
    return {**body, **recorded} if recorded else body


@lru_cache(maxsize=1024)
def _is_iterator(kind: type) -> bool:
    return issubclass(kind, Iterator)


@lru_cache(maxsize=1024)
def is_stream(kind: type) -> bool:
    """Whether objects of that class are read step by step."""
    return hasattr(kind, "__next__") or hasattr(kind, "__anext__")


_PLAIN = {bool, dict, float, int, list, str, tuple, NoneType}


def loads(body: Any) -> Any:
    """The value of JSON text or bytes; None if it is no JSON. `json` accepts lone surrogates, `orjson` does not.

    >>> loads(b'{"id": 1}')
    {'id': 1}
    """
    for read in (orjson.loads, json.loads):
        try:
            return read(body)
        except (TypeError, ValueError, RecursionError):
            continue
    return None


def _seen(iterator: Iterator[Any]) -> RecordedIterator:
    kind = type(iterator)
    return _seen_class(kind.__name__, kind.__module__)(iterator)


@cache
def _seen_class(name: str, module: str) -> type[RecordedIterator]:
    """A class with the iterator's name and module: pydantic decides by the module how to serialise an object."""
    return type(name, (RecordedIterator,), {"__module__": module, "__qualname__": name})


class TextBuilder(list[str]):
    """A text that arrives in pieces, joined once at the end."""

    size = 0

    def __str__(self) -> str:
        return "".join(self)


def add_text(entry: dict[str, Any], key: str, piece: object) -> None:
    """Add a piece of streamed text to `entry[key]`, up to `TEXT_LIMIT` characters. Other types are left out."""
    if not isinstance(piece, str):
        return
    pieces = entry.get(key)
    if not isinstance(pieces, TextBuilder):
        pieces = entry[key] = TextBuilder()
    if pieces.size <= TEXT_LIMIT:
        pieces.append(piece)
        pieces.size += len(piece)


def indexed(response: dict[str, Any], key: str, index: object) -> dict[str, Any]:
    """The entry with that index in the list `response[key]`, created if it is missing.

    Without an index, or if several have it, the last entry (see `begin_entry`).
    """
    listed = response.get(key)
    if (
        isinstance(listed, list)
        and listed
        and isinstance(last := listed[-1], dict)
        and (index is None or last.get("index") == index)
    ):
        return last
    entries = _entries(response, key)
    if (wanted := _integer(index)) is None:  # together's indices are floats
        wanted = entries[-1]["index"] if entries else 0
    for entry in entries[::-1]:
        if entry["index"] == wanted:
            return entry
    return begin_entry(response, key, wanted)


def begin_entry(response: dict[str, Any], key: str, index: object = None) -> dict[str, Any]:
    """A new entry of the list `response[key]`. Some servers give every entry the index 0, or none."""
    entries = _entries(response, key)
    if (wanted := _integer(index)) is None:
        wanted = entries[-1]["index"] if entries else 0
    entry: dict[str, Any] = {"index": wanted}
    entries.append(entry)
    entries.sort(key=lambda entry: entry["index"])  # stable: those of one index stay in their order
    return entry


def entry_with(response: dict[str, Any], key: str, name: str, value: object) -> dict[str, Any] | None:
    """The last entry of the list `response[key]` in which *name* is *value*; None if there is none, or no value."""
    entries = reversed(_entries(response, key)) if isinstance(value, str) and value else ()
    return next((entry for entry in entries if entry.get(name) == value), None)


def _entries(response: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The list `response[key]`, created if it is missing or has items that are no entries."""
    listed = response.get(key)
    if isinstance(listed, list) and all(isinstance(entry, dict) and "index" in entry for entry in listed):
        return listed
    entries: list[dict[str, Any]] = []
    response[key] = entries
    return entries


def joined(value: Any) -> Any:
    """The folded response with each `TextBuilder` as text."""
    if isinstance(value, TextBuilder):
        return str(value)
    if isinstance(value, dict):
        return {key: joined(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [joined(inner) for inner in value]
    return value


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    kept = str.__getitem__(value, _HEAD)
    return kept if kept.isascii() else kept.encode("utf-8", "replace").decode("utf-8")


def _texts(value: object) -> tuple[str, ...] | None:
    values = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else ()
    return tuple(text for text in map(_text, values) if text is not None) or None


def _integer(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


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
    semconv.AGENTOPS_COUNTED_INPUT_TOKENS: _integer,
    semconv.AGENTOPS_USAGE_COST: _number,
    semconv.ANTHROPIC_COUNTED_INPUT_TOKENS: _integer,
    semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: _integer,
    semconv.GEN_AI_REQUEST_CHOICE_COUNT: _integer,
    semconv.GEN_AI_REQUEST_ENCODING_FORMATS: _texts,
    semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY: _number,
    semconv.GEN_AI_REQUEST_MAX_TOKENS: _integer,
    semconv.GEN_AI_REQUEST_PRESENCE_PENALTY: _number,
    semconv.GEN_AI_REQUEST_SEED: _integer,
    semconv.GEN_AI_REQUEST_STOP_SEQUENCES: _texts,
    semconv.GEN_AI_REQUEST_STREAM: _flag,
    semconv.GEN_AI_REQUEST_TEMPERATURE: _number,
    semconv.GEN_AI_REQUEST_TOP_K: _integer,
    semconv.GEN_AI_REQUEST_TOP_P: _number,
    semconv.GEN_AI_RESPONSE_FINISH_REASONS: _texts,
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_AUDIO_INPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_IMAGE_INPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_TEXT_INPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_INPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: _integer,
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: _integer,
    semconv.LANGGRAPH_STEP: _integer,
    semconv.OPENAI_AGENTS_GUARDRAIL_TRIGGERED: _flag,
    semconv.SERVER_PORT: _integer,
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
        raise ValueError(f"the attribute {name} has no type: add it to CONVERTERS in instrumentation/reading.py")
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
    # Written for speed: most rows read from the source itself or from its usage, and most of their values are missing.
    owner, own, at = source, _NOTHING, None
    for name, path, key, reader, convert in table:
        if key:
            if path is not at:
                owner, own = _owner(source, path)
                at = path
            value = own[key] if key in own else None if owner is own else _attribute(owner, key)
        else:
            value = reader(source)
        if value is not None and (checked := convert(value)) is not None:
            read[name] = checked
    return read


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
