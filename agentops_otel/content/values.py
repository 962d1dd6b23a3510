"""Any Python value as bounded JSON text; redaction is applied here, before anybody else sees the text."""

from collections.abc import Callable

Redact = Callable[[str, str], str | None]
"""`(attribute name, text) -> the text to keep, or None to drop it`."""

LIMIT_BYTES = 32 * 1024
"""The longest text of one attribute, in UTF-8 bytes."""


class Content:
    """The content policy of one client.

    Args:
        enabled: False keeps every value to itself: `json` and `text` answer None.
        redact: The user's own redaction, applied after the built-in one.
        limit_bytes: The longest text, in UTF-8 bytes.
    """

    def __init__(self, *, enabled: bool = True, redact: Redact | None = None, limit_bytes: int = LIMIT_BYTES) -> None:
        self.enabled = enabled
        self._redact = redact
        self._limit_bytes = limit_bytes

    def json(self, name: str, value: object) -> str | None:
        """The value as JSON text for the attribute *name*; None when content is off."""
        raise NotImplementedError

    def text(self, name: str, value: str) -> str | None:
        """Free text (an exception's message, a log line) for the attribute *name*; None when content is off."""
        raise NotImplementedError
