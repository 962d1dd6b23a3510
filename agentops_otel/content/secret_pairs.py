"""Secrets in lists and mappings, by the name that stands beside them."""

import re
from collections.abc import Sequence
from typing import Any

from agentops_otel.content.named_values import USER_OPTIONS, name_kind
from agentops_otel.content.secret_names import SECRETS, KeyKind
from agentops_otel.content.text import as_plain_str

_NAME_FIELDS = {
    *("name", "key", "k", "id", "label", "header", "field", "option", "setting", "property", "attribute"),
    *("param", "parameter", "variable", "var", "env"),
}
_VALUE_FIELDS = frozenset({"value", "val", "default", "v", "values"})
_FIELD_NAME = re.compile(r"[\w.-]{1,80}:?")


def kind_of_values(items: Sequence[tuple[object, object]]) -> KeyKind:
    """The kind of the values in a name-value mapping: `{"name": "DB_PASSWORD", "value": "x"}` holds a secret."""
    kinds = (name_kind(_text(value)) for name, value in items if _lower(name) in _NAME_FIELDS)
    return next((kind for kind in kinds if kind in SECRETS), KeyKind.PLAIN)


def is_value_field(name: object) -> bool:
    """True for the fields of such a mapping that hold the secret: `value`, `Value`, `default`."""
    return _lower(name) in _VALUE_FIELDS


def secret_items(items: Sequence[Any], *, complete: bool = True) -> dict[int, KeyKind]:
    """The places of a list's items that are secrets because of the item before them.

    Three forms are known: a pair (`["X-Api-Key", "x"]`), a command line (`["--password", "x"]`) and a flat list of
    names and values (`["X-Api-Key", "x", "Accept", "*"]`).

    Args:
        items: The items.
        complete: False for the ends of a longer list, which is no pair.
    """
    texts = [_text(item) for item in items]
    are_names = complete and len(texts) % 2 == 0 and all(map(_FIELD_NAME.fullmatch, texts[::2]))
    kinds = {}
    for place, text in enumerate(texts[:-1]):
        is_option = text.startswith("-") and not texts[place + 1].startswith("-")
        if is_option or (are_names and place % 2 == 0):
            kinds[place + 1] = name_kind(text)
        if text in USER_OPTIONS and ":" in texts[place + 1]:
            kinds[place + 1] = KeyKind.SECRET
    return {place: kind for place, kind in kinds.items() if kind in SECRETS}


def _text(value: object) -> str:
    return as_plain_str(value) if issubclass(type(value), str) else ""  # type: ignore[arg-type]  # asked just before


def _lower(name: object) -> str:
    return _text(name).lower()
