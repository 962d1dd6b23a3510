"""Text within text: JSON in JSON, in an address, in HTML or in code, whose signs are escaped, once for each level."""

from bisect import bisect_right

from agentops_otel.content.patterns import compiled

LEVELS = 4
"""Levels of text within text that are read."""

_ESCAPE = r"""(?x)
      %(?P<percent>[2-7][0-9A-Fa-f] | 0[9ADad])
    | \\(?:u00|x)(?P<hex>[2-7][0-9A-Fa-f])
    | \\(?P<sign>["'\\/nrt])
    | &(?: \#(?P<decimal>[3-9][0-9] | 1[01][0-9]) | \#[xX](?P<html>[2-7][0-9A-Fa-f]) | (?P<name>quot|apos|amp|lt|gt) );
    """
_NAMES = {"quot": '"', "apos": "'", "amp": "&", "lt": "<", "gt": ">"}
_WHITE_SPACE = {"n": "\n", "r": "\r", "t": "\t"}


class Unescaped:
    """A text with its escapes replaced by what they stand for.

    Args:
        text: The text with escapes.
    """

    def __init__(self, text: str) -> None:
        pieces: list[str] = []
        # Where a piece without escapes begins: here, and in the text with escapes.
        self._here, self._there = [0], [0]
        here = there = 0
        for escape in compiled(_ESCAPE).finditer(text):
            pieces += [text[there : escape.start()], _meaning(escape.lastgroup or "", escape[escape.lastgroup or 0])]
            here += escape.start() - there + 1
            there = escape.end()
            self._here.append(here)
            self._there.append(there)
        self.text = "".join([*pieces, text[there:]])

    def place_of(self, place: int) -> int:
        """Where a character of the text with escapes is in this one."""
        piece = bisect_right(self._there, place) - 1
        return self._here[piece] + place - self._there[piece]

    def escaped_place_of(self, place: int) -> int:
        """Where a character of this text, or its escape, begins in the text with escapes."""
        piece = bisect_right(self._here, place) - 1
        return self._there[piece] + place - self._here[piece]


def _meaning(kind: str, escape: str) -> str:
    if kind == "sign":
        return _WHITE_SPACE.get(escape, escape)
    return _NAMES[escape] if kind == "name" else chr(int(escape, 10 if kind == "decimal" else 16))
