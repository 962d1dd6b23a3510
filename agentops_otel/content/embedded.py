"""Secrets in base64: `dXNlcjpzay0...` in a header, a Kubernetes secret, a mail."""

import binascii
import re
from collections.abc import Callable, Iterator

from agentops_otel.content.secret_shapes import REDACTED, redact_shapes

SHORTEST_BASE64 = 24
"""Characters of the shortest base64 text that is decoded."""

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_AS_RUNS = bytes(ord("a") if byte in _ALPHABET else ord(" ") for byte in range(256))
_RUN = b"a" * SHORTEST_BASE64
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")
_URL_SAFE = str.maketrans("-_", "+/")


def redact_base64(text: str, redact: Callable[[str], str]) -> str:
    """The text with each long base64 word replaced that decodes to a text with a secret.

    Args:
        text: Any text.
        redact: Redacts the decoded text.
    """
    if len(text) < SHORTEST_BASE64:
        return text
    # Encodes each character as one byte: positions in bytes and in text are the same.
    runs = text.encode("latin-1", "replace").translate(_AS_RUNS)
    if _RUN not in runs:
        return text
    parts = []
    done = 0
    for start, end in _places(runs):
        if _hides_a_secret(text[start:end], redact):
            parts += [text[done:start], REDACTED]
            done = end
    return "".join([*parts, text[done:]]) if parts else text


def _places(runs: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each long word of base64 letters."""
    start = runs.find(_RUN)
    while start >= 0:
        end = runs.find(b" ", start)
        end = len(runs) if end < 0 else end
        yield start, end
        start = runs.find(_RUN, end)


def _hides_a_secret(word: str, redact: Callable[[str], str]) -> bool:
    if word.lower() == word or word.upper() == word:
        return False  # an identifier, a hash or a UUID: base64 of a text has both
    word = word.translate(_URL_SAFE)
    for offset in range(4):
        # In a path or a URL the word may begin a few letters before the base64.
        decoded = _decoded(word[offset:])
        changed = redact_shapes(decoded) if _BINARY.search(decoded) else redact(decoded)
        if changed != decoded:
            return True
    return False


def _decoded(word: str) -> str:
    if len(word) % 4 == 1:  # one letter is no byte
        word = word[:-1]
    return binascii.a2b_base64(f"{word}==").decode("latin-1")
