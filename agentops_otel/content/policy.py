"""The content policy: any Python value as JSON text, redacted and within its limit."""

from collections.abc import Callable

import orjson

from agentops_otel.content.fast_json import plain_json
from agentops_otel.content.json_writer import OMITTED, Writer
from agentops_otel.content.redaction import REDACTED
from agentops_otel.content.secret_names import SECRETS, classify_key
from agentops_otel.content.snapshot import Snapshot
from agentops_otel.content.text import as_plain_str, truncate
from agentops_otel.content.truncation import SHAPES
from agentops_otel.guard import guard

Redact = Callable[[str, str], str | None]
"""`(attribute name, text) -> the text to keep, or None to drop it`."""

LIMIT_BYTES = 32 * 1024
"""The longest text of one attribute, in UTF-8 bytes."""


class Content:
    """The content policy of one client.

    A value that is too long stays valid JSON, with marks for what is left out. Texts keep their two ends;
    lists are written from both ends in turn, each item with at most half of the remaining bytes; mappings share
    their bytes, small values first. A conversation keeps its beginning, up to the first message of the user, and the
    newest messages, whole as far as they fit; one message in the place of the others counts them.

    Objects are read without running their code: dataclasses, attrs, pydantic and namedtuple objects by their fields,
    others by the name of their type and their public plain attributes, iterators by their type alone.

    Args:
        enabled: False records nothing: `json` and `text` return None.
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
            name: The attribute's name, which the user's `redact` gets too.
            value: Anything, also a `Snapshot` of it; it is neither changed nor consumed.
            limit_bytes: Less room than usual, in UTF-8 bytes.
        """
        if not self.enabled:
            return None
        limit = self._limit_bytes if limit_bytes is None else min(limit_bytes, self._limit_bytes)
        try:
            text = _json(name, value, limit)
            return text if self._redact is None else self._redacted(name, text, limit, orjson.dumps)
        except RecursionError:
            pass  # so near the end of the stack even the guard's log line may not fit
        except BaseException as error:  # not `with`: that takes as long as a small value
            if not _recording.holds_back(error):
                raise
        return None

    def text(self, name: str, value: str) -> str | None:
        """Free text (an exception's message, a log line) for the attribute *name*; None when content is off."""
        if not self.enabled:
            return None
        try:
            text = _text(name, as_plain_str(value), self._limit_bytes)
            return text if self._redact is None else self._redacted(name, text, self._limit_bytes, _utf8)
        except RecursionError:
            pass
        except BaseException as error:
            if not _recording.holds_back(error):
                raise
        return None

    def _redacted(self, name: str, text: str, limit: int, encode: Callable[[str], bytes]) -> str | None:
        with guard("applying your redact function"):
            kept = self._redact(name, text) if self._redact else text
            if kept is None or kept == text:
                return kept
            data = _utf8(kept)
            return (data if len(data) <= limit else truncate(kept, limit, encode)).decode()
        return None


_recording = guard("recording a value")


def _json(name: str, value: object, limit: int) -> str:
    """Plain values are serialised in one call; large, unusual or secret ones are written piece by piece."""
    if type(value) is Snapshot:
        value = value.value()
    kind = classify_key(name)
    if kind not in SECRETS and (plain := plain_json(value, limit)) is not None:
        return plain.decode()
    shape = SHAPES.get(name)
    data = Writer().json(value if shape is None else shape.of(value), limit, kind)
    return (data if len(data) <= limit else OMITTED).decode()


def _text(name: str, value: str, limit: int) -> str:
    is_secret = classify_key(name) in SECRETS and not value.isdecimal()
    return REDACTED if is_secret else truncate(value, limit, _utf8).decode()


def _utf8(text: str) -> bytes:
    return text.encode(errors="replace")
