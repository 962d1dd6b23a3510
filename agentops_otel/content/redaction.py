"""Secrets in texts, found by shape and by the name before them, and replaced by a mark.

E-mail addresses, card and phone numbers are content and kept: a text about a person needs them, and no rule can tell
which of them may be recorded. `init(redact=...)` is the place to remove them.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from agentops_otel.content.embedded import redact_base64
from agentops_otel.content.media import replace_data_urls
from agentops_otel.content.named_values import USER_OPTIONS, is_secret_name, redact_named, word_starts
from agentops_otel.content.patterns import compiled
from agentops_otel.content.secret_names import STEMS
from agentops_otel.content.secret_shapes import REDACTED, find_any, redact_shapes

__all__ = [
    "CLEAN_CHARACTERS",
    "REDACTED",
    "SHORTEST_SECRET",
    "Clean",
    "clean",
    "contain_no_secrets",
    "redact",
    "redact_cached",
]

SHORTEST_SECRET = 5
"""Characters of the shortest text that can hold a name and a secret: `dsn=x`."""
CLEAN_CHARACTERS = 2_000_000
"""Characters of texts without secrets that are cached."""
ENTRY_CHARACTERS = 100
"""The memory that an entry takes beside its text, counted as characters."""

# The stems of secret names, by a sign that they all contain. One letter is found at the speed of memory.
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "k": ("key", "token", "cookie"),
    "w": ("pwd", "jwt"),
    "p": ("pass", "phrase", "otp"),
    "_": ("_pat",),
    "c": ("cred", "conn", "csrf"),
    "s": ("secret", "sess", "sig"),
    "x": ("xsrf",),
    "dsn": ("dsn",),
    "auth": ("auth",),
    "bearer": ("bearer",),
}
if missing := set(STEMS).symmetric_difference(stem for row in _SIGNS.values() for stem in row):
    raise ValueError(f"these stems of secret names are in one of STEMS and _SIGNS only: {missing}")
_NAME_SEARCHES = tuple((sign, find_any(sign, stems)) for sign, stems in _SIGNS.items())


def _not_in_prose(stem: str) -> str:
    # `the key of`, `a token?`, but not `ENV key of`: none of the forms that `named_values` knows begins so.
    return rf"(?!(?<=[\s(]{stem})(?<!env {stem})[\w.-]*+(?:[?!;()]|[ ][a-ce-hj-uxyz]))"


_SEARCHES_OF_PROSE = tuple((sign, find_any(sign, stems, after=_not_in_prose)) for sign, stems in _SIGNS.items())
_COMMAND = "login"
"""In a text with this, a value may follow a word: `docker login ann token x`."""
# One of these is between a name and its value in every form that `named_values` knows.
_BETWEEN = ("=", ":", '"', "'", "-", ">", "%", "\\", "&", " is ", " was ", "ENV ", "setenv ", "login ")
_FEW_CHARACTERS = 64
"""Up to this length of a text, in characters, one search for all stems is faster than one for each sign."""
_ANY_STEM = "|".join(STEMS)
_WORD_END = re.compile(r"[\w.-]*+")


def redact(text: str) -> str:
    """The text with every secret in it replaced by a mark, and base64 data URLs by their type and size.

    Example:
        ```python
        redact("curl -H 'X-Api-Key: 3f2b' x.org")  # "curl -H 'X-Api-Key: [redacted]' x.org"
        ```
    """
    if len(text) < SHORTEST_SECRET:
        return text
    text = _redact_unnamed(text)
    return redact_named(text, stems) if _may_have_values(text) and (stems := _stems(text)) else text


def _redact_unnamed(text: str) -> str:
    """The text without the secrets that are known by their shape."""
    return redact_base64(redact_shapes(replace_data_urls(text)), redact)


def _may_have_values(text: str) -> bool:
    # A loop, since a generator takes as long as the search of a short text.
    for mark in _BETWEEN:  # noqa: SIM110
        if mark in text:
            return True
    return False


def _stems(text: str) -> list[int]:
    """Where the stems of words are that may be the name of a secret."""
    # The one letter that becomes two in lower case would shift what comes after it.
    lower = text.replace("\u0130", "i").lower()
    if len(text) <= _FEW_CHARACTERS and not compiled(_ANY_STEM).search(lower):
        return []
    found: list[int] = []
    for sign, pattern in _NAME_SEARCHES if _COMMAND in lower else _SEARCHES_OF_PROSE:
        if sign in lower and (stem := (seeker := compiled(pattern)).search(lower)):
            found += _each(seeker, stem, lower, text)
    return sorted(found)


def _each(seeker: re.Pattern[str], first: re.Match[str], lower: str, text: str) -> Iterator[int]:
    """The place of one stem in each word that has any."""
    stem: re.Match[str] | None = first
    while stem:
        yield stem.start()
        end = _WORD_END.match(text, stem.end()).end()  # type: ignore[union-attr]  # matches anything
        stem = seeker.search(lower, end)


class Clean(set[str]):
    """Texts in which no secret was found. An agent sends its conversation again with each call: it is searched once."""

    remaining_characters = CLEAN_CHARACTERS

    def keep(self, texts: Collection[str]) -> None:
        """Remember the texts. When they are too many, all are forgotten."""
        self.update(texts)
        self.remaining_characters -= sum(map(len, texts)) + ENTRY_CHARACTERS * len(texts)
        if self.remaining_characters < 0:
            self.clear()
            self.remaining_characters = CLEAN_CHARACTERS


clean = Clean()


def contain_no_secrets(texts: Collection[str]) -> bool:
    """True if no text holds a secret, or is a name of one: what stands beside it may be its value."""
    if clean.issuperset(texts):
        return True
    new = set(texts).difference(clean)
    if not USER_OPTIONS.isdisjoint(new):
        return False
    joined = "\n".join(new)
    # The end of a PEM block is recognised at the beginning of a text, which joining hides.
    if ("-" in joined and "-----END" in joined) or _redact_unnamed(joined) != joined:
        return False
    stems = _stems(joined)
    if stems and (
        redact_named(joined, stems) != joined
        or any(is_secret_name(_line(joined, start)) for start in word_starts(joined, stems))
    ):
        return False
    clean.keep(new)
    return True


def _line(text: str, start: int) -> str:
    """The line that begins there; nothing if none does."""
    if start and text[start - 1] != "\n":
        return ""
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def redact_cached(text: str) -> str:
    """`redact`, for a text that may come again."""
    if text in clean:
        return text
    redacted = redact(text)
    if redacted == text and not is_secret_name(text):
        clean.keep((text,))
    return redacted
