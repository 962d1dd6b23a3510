"""Finds secrets in text by the name before them, in all usual notations of names and values.

`password=x`, `"password": "x"`, `--password x`, `<password>x</password>`, `{"name": "password", "value": "x"}`, ...
"""

from collections.abc import Iterable
from functools import cache
from typing import Literal

from agentops_otel.content.patterns import compiled
from agentops_otel.content.secret_names import LONGEST_NAME, SECRETS, SHORTEST_NAME, KeyKind, classify_key
from agentops_otel.content.secret_shapes import REDACTED

_QUOTE = r"""(?:\\{0,3}["']|%22|&quot;|\\{1,3}u002[27])"""
_NAME_FIELD = r"(?:name|key|header|field|param|parameter|variable|var|env|option|setting|property|attribute|label|id|k)"
_VALUE_FIELD = r"(?:value|val|default|v)"

# As they are, and in an address.
_SPACE = r"(?:[ \t]|%20|\+(?=%22))"
_COLON = r"(?::|%3[Aa])"
_COMMA = r"(?:,|%2[Cc])"
_ASSIGNS = r"(?:[:=]|%3[AaDd])"

_ELEMENT_START = r"(?:[ ][^<>]{0,200})?>(?=[^<\s])"

# Between a name and its value. The order matters: the first that matches sets where the value begins.
_IN_ELEMENT = rf"""(?x)
      (?P<equals>{_QUOTE}?\]?{_SPACE}{{0,8}}(?:=>|:=|=(?!=)|%3[Dd]){_SPACE}{{0,8}})
    | (?P<colon>{_QUOTE}?{_SPACE}{{0,8}}(?::(?!//|[=:])|%3[Aa]){_SPACE}{{0,8}})
    | (?P<field>{_QUOTE}?\s{{0,8}}{_COMMA}?(?:\s{{0,80}}|{_SPACE})
        {_QUOTE}?(?i:{_VALUE_FIELD}){_QUOTE}?{_SPACE}{{0,8}}{_ASSIGNS}{_SPACE}{{0,8}})
    | (?P<pair>{_QUOTE}\s{{0,8}}{_COMMA}(?:\s{{0,8}}|{_SPACE})(?={_QUOTE}))
    | (?P<form>{_QUOTE}(?:\r?\n){{2}})
    | (?P<element>{_ELEMENT_START})
    | (?P<quoted>[ \t]{{1,8}}(?=["']))
    | (?P<prose>[ \t]{{1,8}}(?i:is|was)[ \t]{{1,8}})
    | (?P<space>[ \t]{{1,8}}(?![-=:]))
    """
# Elsewhere a ">" belongs to a shell, or to the next line: `--token abc >file`.
_SEPARATOR = _IN_ELEMENT.replace(_ELEMENT_START, "(?!)")
Form = Literal["equals", "colon", "pair", "field", "form", "element", "quoted", "prose", "space"]

_QUOTED = rf"(?m)({_QUOTE})(?!\1)(.+?)(?=(?<!\\)\1|$)"
_IN_QUOTES = {"'": r"'[^'\r\n]*'?", '"': r'"[^"\r\n]*"?'}
"""A quoted part of a header's value: `Bearer "x"`, `Digest response="x"`."""
_ELEMENT = r"[^<]+"
_SCHEME = r"(?i:bearer|basic|digest|token)[ \t]+"
_QUOTED_TOKEN = rf"{_SCHEME}\\{{0,3}}(?:{'|'.join(_IN_QUOTES.values())})"
_BARE = rf"""{_QUOTED_TOKEN}|(?:{_SCHEME})?(?:(?!&quot;|%2[26])[^\s"'&;,<]|,(?=\S))+"""
_CODE = r"""(?:None|True|False|null|true|false|str|self\.[\w.]*|[A-Za-z_.]+[(\[].*)(?![\w.])"""
_DIGIT = r"\d"
_NUMBER = r"[\d.,]+%?"
_NAME = r"-{0,2}([\w.-]{3,80})[:=]?"
_NAME_BEFORE = (
    rf"{_QUOTE}?(?:\b|(?<=%22)|(?<=u002[27]))(?i:{_NAME_FIELD}){_QUOTE}?"
    rf"{_SPACE}{{0,8}}{_ASSIGNS}{_SPACE}{{0,8}}{_QUOTE}?\Z"
)
_VALUE_BEFORE = (
    rf"{_QUOTE}(?i:{_VALUE_FIELD}){_QUOTE}{_SPACE}{{0,8}}{_COLON}(?:\s{{0,8}}|{_SPACE})({_QUOTE})(?P<value>(?:(?!\1).)+)\1"
    rf"\s{{0,8}}{_COMMA}(?:\s{{0,80}}|{_SPACE})"
    rf"{_QUOTE}(?i:{_NAME_FIELD}){_QUOTE}{_SPACE}{{0,8}}{_COLON}(?:\s{{0,8}}|{_SPACE}){_QUOTE}\Z"
)
_PAIR_BEFORE = rf"(?:[(\[]|%5[Bb])\s{{0,8}}{_QUOTE}\Z"
_PAIR_AFTER = rf"{_QUOTE}\s{{0,8}}(?:[)\]]|%5[Dd])"
_WORD_BEFORE = r"(?<![\w.-])([A-Za-z]{2,16}) \Z"
_COMMAND_BEFORE = r"(?:\b(?i:ENV|setenv) |\blogin\s{1,8}\S{1,64}\s{1,8})\Z"
_ASSIGNED = rf"{_SPACE}{{0,8}}{_ASSIGNS}"
_QUOTES = ('"', "'", "%22", "&quot;", "u0022", "u0027")
_LOOK_BACK_CHARACTERS = 600
"""Characters before a name in which its value, or the field that it stands in, is looked for."""
_WORD_CHARACTERS = 19
"""The word before a name, or the bracket and the quote before a pair."""
_COMMAND_CHARACTERS = 100
_PROSE_CHARACTERS = 20
USER_OPTIONS = frozenset({"-u", "--user"})
"""Options of commands such as curl, whose value is a name and a password: `ann:x`."""


def is_secret_name(text: str) -> bool:
    """True if the text is nothing but the name of a secret: `X-Api-Key`, `--password`, `-u`."""
    return text in USER_OPTIONS or name_kind(text) in SECRETS


def name_kind(text: str) -> KeyKind:
    """The kind of the value beside a text that is a name; PLAIN for any other text."""
    if not SHORTEST_NAME <= len(text) <= LONGEST_NAME + 3:
        return KeyKind.PLAIN
    name = compiled(_NAME).fullmatch(text)
    return classify_key(name[1]) if name else KeyKind.PLAIN


def redact_named(text: str, starts: Iterable[int]) -> str:
    """The text with the values of secret names replaced.

    Args:
        text: Any text.
        starts: Where words begin that may be such names, in order.
    """
    parts = []
    done = 0
    for at in starts:
        if at < done:
            continue
        start, end = _value_of_name_at(text, at, done)
        if end > start >= done:
            parts += [text[done:start], REDACTED]
            done = end
    return "".join([*parts, text[done:]]) if parts else text


_WORD = r"-{0,2}+([\w.-]*+)"
_NOTHING = (0, 0)


def _value_of_name_at(text: str, at: int, done: int) -> tuple[int, int]:
    """Start and end of the value of the name at *at*; an empty range if there is none."""
    word = compiled(_WORD).match(text, at)
    assert word is not None, "the pattern matches anything"
    name = word[1].rstrip(".-")
    kind = classify_key(name)
    after = word.start(1) + len(name)
    if kind not in SECRETS and not compiled(_ASSIGNED).match(text, after):
        return _NOTHING
    before = text[max(at - _LOOK_BACK_CHARACTERS, done) : at]
    if kind not in SECRETS:
        # "API key: ...", "client secret = ..."
        first = compiled(_WORD_BEFORE).search(before[-_WORD_CHARACTERS:])
        if first is None or (kind := classify_key(f"{first[1]}_{name}")) is not KeyKind.SECRET:
            return _NOTHING
    is_option = word[0].startswith("-")
    separators = _IN_ELEMENT if before.endswith(("<", ":")) and not is_option else _SEPARATOR
    separator = compiled(separators).match(text, after)
    if separator is not None and separator.lastgroup is not None:
        start, end = _value_span(text, separator.end(), separator.lastgroup, name.lower(), is_option, before)
        if end > start and _is_secret(text[start:end], kind, name, quoted=text[start - 1 : start] in ('"', "'")):
            return start, end
    if before.endswith(_QUOTES) and (value := compiled(_VALUE_BEFORE).search(before)):
        return at - len(before) + value.start("value"), at - len(before) + value.end("value")
    return _NOTHING


def _is_secret(value: str, kind: KeyKind, name: str, *, quoted: bool) -> bool:
    """False for the numbers and plain words that are kept under a name that may be a secret's."""
    if kind is KeyKind.SECRET:
        return True
    if compiled(_NUMBER).fullmatch(value):
        return False
    return name.isupper() or (bool(compiled(_DIGIT).search(value)) and (quoted or len(value) > SHORTEST_NAME))


def _value_span(text: str, start: int, form: str, name: str, is_option: bool, before: str) -> tuple[int, int]:
    """Start and end of the value after a secret's name; an empty range if prose or code follows."""
    match form:
        case "element":
            value = compiled(_ELEMENT).match(text, start)
            return value.span() if value else _NOTHING
        case "field" | "form" if not compiled(_NAME_BEFORE).search(before[-_COMMAND_CHARACTERS:]):
            return _NOTHING
        case "space" if not (is_option or compiled(_COMMAND_BEFORE).search(before[-_COMMAND_CHARACTERS:])):
            return _NOTHING
        case "pair":
            return _second_of_pair(text, start, before, is_option)
    if quoted := compiled(_QUOTED).match(text, start):
        return quoted.span(2)
    header = form == "colon" and ("cookie" in name or "authorization" in name)
    bare = compiled(_line(before[-1:]) if header else _BARE).match(text, start)
    if bare is None or form == "quoted" or compiled(_CODE).match(text, start, bare.end() + 1):
        return _NOTHING
    # "Password: must be long" and "the password is wrong" are prose, `password: hunter2` is not.
    is_spaced = form == "colon" and text[start - 1].isspace() and not header
    may_be_prose = form == "prose" or (is_spaced and bare.end() - start < _PROSE_CHARACTERS)
    return _NOTHING if may_be_prose and not compiled(_DIGIT).search(bare[0]) else bare.span()


@cache
def _line(opened: str) -> str:
    """The rest of a header's line, up to the quote that *opened* it, if one did; other quotes belong to its value."""
    quoted = "|".join(pattern for quote, pattern in _IN_QUOTES.items() if quote != opened)
    return rf"""(?:(?<=[=\s])\\{{0,3}}(?:{quoted})|[^\r\n"'])+"""


def _second_of_pair(text: str, start: int, before: str, is_option: bool) -> tuple[int, int]:
    """The value in `("password", "x")` and in `["--password", "x"]`."""
    quoted = compiled(_QUOTED).match(text, start)
    if quoted is None:
        return _NOTHING
    opened = compiled(_PAIR_BEFORE).search(before[-_WORD_CHARACTERS:])
    is_pair = opened and compiled(_PAIR_AFTER).match(text, quoted.end())
    return quoted.span(2) if is_option or is_pair else _NOTHING
