"""Truncates texts to a budget of bytes: leaves out the middle, and never shows part of a secret at a cut."""

from collections.abc import Callable

import orjson

from agentops_otel.content.redaction import redact, redact_cached

MARGIN_CHARACTERS = 8 * 1024
"""Characters that are searched beyond a cut, so that a secret across it is seen whole. No key is longer."""
HIDDEN_CHARACTERS = 1024
"""Characters before the end of what was searched that are not shown: a secret may begin there."""


def truncate(text: str, budget_bytes: int, encode: Callable[[str], bytes]) -> bytes:
    """The text without secrets, encoded in at most *budget_bytes*. Its middle goes first, with a note how much went.

    Of a text that is much longer than the budget only the two ends are searched, each with a margin beyond the cut.
    With a small budget only the beginning is searched and shown.

    Args:
        text: Any text.
        budget_bytes: The largest size of the result.
        encode: Encodes a text: as UTF-8, or as a JSON string.
    """
    margin = searched_margin(budget_bytes)
    if len(text) <= budget_bytes + margin:
        head = tail = redact_cached(text)
        total = len(head)
        encoded = encode(head)
        if len(encoded) <= budget_bytes:
            return encoded
    else:
        half = budget_bytes // 2
        head = redact(text[: half + margin])[:-HIDDEN_CHARACTERS]
        # A secret that begins before the part that is read is not recognised. It lies in the margin: never shown.
        tail = redact(text[-half - margin :])[margin:] if margin == MARGIN_CHARACTERS else ""
        total = len(text)
    keep = min(budget_bytes // 2, total // 2)
    while True:
        start, end = head[:keep], tail[max(len(tail) - keep, 0) :]
        encoded = encode(f"{start}…[+{total - len(start) - len(end)} characters]{end}")
        if len(encoded) <= budget_bytes or keep == 0:
            return encoded
        keep = min(keep - 1, keep * budget_bytes // len(encoded))


def searched_margin(budget_bytes: int) -> int:
    """Characters beyond the budget that are searched for secrets."""
    return MARGIN_CHARACTERS if budget_bytes >= 2 * HIDDEN_CHARACTERS else 2 * HIDDEN_CHARACTERS


SHORT_CHARACTERS = 64
_FEW = 8
_TEXTS = {str}


def is_short(value: object) -> bool:
    """Whether the value is a short text, or a tuple of a few: names and tags, which come again with each span."""
    if type(value) is str:
        return len(value) <= SHORT_CHARACTERS
    return (
        type(value) is tuple
        and len(value) <= _FEW
        and _TEXTS.issuperset(map(type, value))
        and max(map(len, value), default=0) <= SHORT_CHARACTERS
    )


def as_plain_str(text: str) -> str:
    """The text as an exact `str`: methods that a subclass overrides are not called."""
    return str.__getitem__(text, slice(None))


def json_string(text: str) -> bytes:
    """The text as a JSON string; a lone surrogate becomes `?`."""
    try:
        return orjson.dumps(text)
    except TypeError:
        return orjson.dumps(text.encode(errors="replace").decode())
