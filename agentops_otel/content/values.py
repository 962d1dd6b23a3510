"""Any Python value as bounded JSON text; redaction is applied here, before anybody else sees the text."""

from collections.abc import Callable
from math import isfinite
from typing import Any

import orjson

from agentops_otel.content.redaction import LONGEST_NAME, MEDIA_CHARACTERS, Name, judge, scrub
from agentops_otel.content.writing import OMITTED, Writer, bounded, exact
from agentops_otel.guard import guard

Redact = Callable[[str, str], str | None]
"""`(attribute name, text) -> the text to keep, or None to drop it`."""

LIMIT_BYTES = 32 * 1024
"""The longest text of one attribute, in UTF-8 bytes."""

_DEPTH = 20
_SHORTEST_SECRET = 8


class Content:
    """The content policy of one client.

    A value that is too long keeps its valid JSON and says what is missing. Texts keep their beginning and their end;
    lists are taken from both ends in turn, each item with at most half of the room that is left, so that the first
    messages of a conversation and the last ones are there and its middle is not; mappings share their room fairly,
    small values first.

    Objects are read without running their code: dataclasses, attrs, pydantic and namedtuple objects by their fields,
    others by the name of their type and their public plain attributes, iterators by their type alone.

    Args:
        enabled: False keeps every value to itself: `json` and `text` answer None.
        redact: The user's own redaction, applied after the built-in one. Where it fails, the value is withheld.
        limit_bytes: The longest text, in UTF-8 bytes.
    """

    def __init__(self, *, enabled: bool = True, redact: Redact | None = None, limit_bytes: int = LIMIT_BYTES) -> None:
        self.enabled = enabled
        self._redact = redact
        self._limit_bytes = limit_bytes

    def json(self, name: str, value: object, *, limit_bytes: int | None = None) -> str | None:
        """The value as JSON text for the attribute *name*; None when content is off.

        Args:
            name: The attribute's name, as the user's `redact` is told.
            value: Anything; it is neither changed nor consumed.
            limit_bytes: Less room than usual, in UTF-8 bytes.
        """
        if not self.enabled:
            return None
        limit = self._limit_bytes if limit_bytes is None else min(limit_bytes, self._limit_bytes)
        return self._kept(name, limit, orjson.dumps, lambda: _json(value, limit))

    def text(self, name: str, value: str) -> str | None:
        """Free text (an exception's message, a log line) for the attribute *name*; None when content is off."""
        if not self.enabled:
            return None
        limit = self._limit_bytes
        return self._kept(name, limit, _utf8, lambda: bounded(exact(value), limit, _utf8).decode())

    def _kept(self, name: str, limit: int, encode: Callable[[str], bytes], write: Callable[[], str]) -> str | None:
        try:
            with _recording:
                text = write()
                return text if self._redact is None else self._redacted(name, text, limit, encode)
        except RecursionError:
            # So near the end of the stack even the guard's log line may not fit.
            pass
        return None

    def _redacted(self, name: str, text: str, limit: int, encode: Callable[[str], bytes]) -> str | None:
        with guard("applying your redact function"):
            kept = self._redact(name, text) if self._redact else text
            if kept is None or kept == text:
                return kept
            data = _utf8(kept)
            return (data if len(data) <= limit else bounded(kept, limit, encode)).decode()
        return None


_recording = guard("recording a value")


def _json(value: object, limit: int) -> str:
    """Small plain values go through C in one piece; what is large, strange or secret is written piece by piece."""
    texts: list[str] = []
    try:
        if _plain(value, limit, texts, _DEPTH) >= 0 and _are_clean(texts):
            data = orjson.dumps(value)
            if len(data) <= limit:
                return data.decode()
    except (TypeError, RuntimeError):
        # Integers over 64 bits, lone surrogates; a dict that another thread changes.
        pass
    data = Writer().json(value, limit)
    return (data if len(data) <= limit else OMITTED).decode()


def _are_clean(texts: list[str]) -> bool:
    joined = "\n".join(texts)
    return not joined or scrub(joined) == joined


def _plain(value: Any, room: int, texts: list[str], depth: int) -> int:
    """The room that is left after a value that orjson may write as it is; negative for any other value.

    Every step takes from the room, so the walk is as short as the limit, whatever the value's size.
    """
    kind = type(value)
    if kind is str:
        length = len(value)
        if length >= _SHORTEST_SECRET:
            if length > room:
                return -1
            texts.append(value)
        return room - length - 2
    if kind is int or value is None or kind is bool:
        return room - 2
    if kind is float:
        return room - 3 if value - value == 0.0 else -1  # False for NaN and infinity
    if depth and kind is dict:
        return _plain_dict(value, room, texts, depth)
    if depth and (kind is list or (kind is tuple and not _is_pair(value))) and len(value) <= room:
        return _plain_list(value, room, texts, depth)
    return -1


def _plain_list(value: Any, room: int, texts: list[str], depth: int) -> int:
    kinds = set(map(type, value))
    if kinds == {str}:
        room -= sum(map(len, value)) + 3 * len(value)
        if room >= 0:
            texts.extend(value)
        return room
    if kinds == {float}:
        # One NaN or infinity makes the sum one.
        return room - 4 * len(value) if isfinite(sum(value)) else -1
    for item in value:
        room = _plain(item, room - 1, texts, depth - 1)
        if room < 0:
            return -1
    return room - 1


def _plain_dict(value: dict[object, object], room: int, texts: list[str], depth: int) -> int:
    for name, item in value.items():
        if type(name) is not str or len(name) > LONGEST_NAME:
            return -1
        kept = judge(name)
        if kept is not Name.PLAIN and not (kept is Name.MEDIA and _is_no_media(item)):
            return -1
        room = _plain(item, room - len(name) - 4, texts, depth - 1)
        if room < 0:
            return -1
    return room - 1


def _is_no_media(value: Any) -> bool:
    kind = type(value)
    if kind is list and value:
        return _is_no_media(value[0])
    return kind is not str or len(value) < MEDIA_CHARACTERS


def _is_pair(value: tuple[object, ...]) -> bool:
    """Whether it may be a header or a parameter: its name has to be looked at."""
    return len(value) == 2 and type(value[0]) is str


def _utf8(text: str) -> bytes:
    return text.encode(errors="replace")
