"""Finds secrets in text by the name before them, in all usual notations of names and values.

`password=x`, `"password": "x"`, `--password x`, `<password>x</password>`, `{"name": "password", "value": "x"}`, ...
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Literal

from agentops_otel.content.escapes import LEVELS, Unescaped
from agentops_otel.content.patterns import compiled
from agentops_otel.content.secret_names import LONGEST_NAME, SECRETS, SHORTEST_NAME, KeyKind, classify_key
from agentops_otel.content.secret_shapes import REDACTED

_QUOTE = r"""(?:'"'"'|'\\''|["'])"""
"""A quote; a single one within a shell's single quotes is written `'"'"'` or `'\''`."""
_NAME_FIELD = r"(?:name|key|header|field|param|parameter|variable|var|env|option|setting|property|attribute|label|id|k)"
_VALUE_FIELD = r"(?:value|val|default|v)"

_PLUS = r"\+(?=[\"'])"
"""A space in a query."""
_SPACE = rf"(?:[ \t]|{_PLUS})"

_ELEMENT_START = r"(?:[ ][^<>]{0,200})?>(?=[^<\s])"

# Between a name and its value. The order matters: the first that matches sets where the value begins.
_IN_ELEMENT = rf"""(?x)
      (?P<equals>{_QUOTE}?\]?{_SPACE}{{0,8}}(?:=>|:=|=(?!=)){_SPACE}{{0,8}})
    | (?P<colon>{_QUOTE}?{_SPACE}{{0,8}}:(?!//|[=:]){_SPACE}{{0,8}})
    | (?P<field>{_QUOTE}?\s{{0,8}},?(?:\s{{0,80}}|{_PLUS})
        {_QUOTE}?(?i:{_VALUE_FIELD}){_QUOTE}?{_SPACE}{{0,8}}[:=]{_SPACE}{{0,8}})
    | (?P<pair>{_QUOTE}\s{{0,8}},(?:\s{{0,8}}|{_PLUS})(?={_QUOTE}))
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
_UNCLOSED = r".*"
_PREFIX_CHARACTERS = 40
"""Of a closing element before its name: `</soap:password`."""
_SCHEME = r"(?i:bearer|basic|digest|token)[ \t]+"
_QUOTED_TOKEN = rf"{_SCHEME}\\{{0,3}}(?:{'|'.join(_IN_QUOTES.values())})"
_BARE = rf"""{_QUOTED_TOKEN}|(?:{_SCHEME})?(?:[^\s"'&;,<\\]|\\(?!\\*+(?:["'&]|u0026))|,(?=\S))+"""
_CODE = r"""(?:None|True|False|null|true|false|str|self\.[\w.]*|[A-Za-z_.]+[(\[].*)(?![\w.])"""
_DIGIT = r"\d"
_NUMBER = r"[\d.,]+%?"
_NAME = r"-{0,2}([\w.-]{3,80})[:=]?"
_NAME_BEFORE = (
    rf"\b(?i:{_NAME_FIELD}){_QUOTE}?"
    rf"{_SPACE}{{0,8}}[:=]{_SPACE}{{0,8}}{_QUOTE}?\Z"
)
_VALUE_BEFORE = (
    rf"{_QUOTE}(?i:{_VALUE_FIELD}){_QUOTE}{_SPACE}{{0,8}}:(?:\s{{0,8}}|{_PLUS})({_QUOTE})(?P<value>(?:(?!\1).)+)\1"
    rf"\s{{0,8}},(?:\s{{0,80}}|{_PLUS})"
    rf"{_QUOTE}(?i:{_NAME_FIELD}){_QUOTE}{_SPACE}{{0,8}}:(?:\s{{0,8}}|{_PLUS}){_QUOTE}\Z"
)
_PAIR_BEFORE = rf"[(\[]\s{{0,8}}{_QUOTE}\Z"
_PAIR_AFTER = rf"{_QUOTE}\s{{0,8}}[)\]]"
_WORD_BEFORE = r"(?<![\w.-])([A-Za-z]{2,16}) \Z"
_COMMAND_BEFORE = r"(?:\b(?i:ENV|setenv) |\blogin\s{1,8}\S{1,64}\s{1,8})\Z"
_ASSIGNED = rf"{_SPACE}{{0,8}}[:=]"
_QUOTES = ('"', "'")
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


def redact_named(text: str, stems: Sequence[int]) -> str:
    """The text with the values of secret names replaced, also in text that is escaped within it.

    Args:
        text: Any text.
        stems: Where the stems of secret names are, in order.
    """
    parts = []
    done = 0
    for start, end in sorted(_values(text, stems)):
        if start >= done:
            parts += [text[done:start], REDACTED]
        done = max(done, end)
    return "".join([*parts, text[done:]]) if parts else text


def _values(text: str, stems: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Start and end of each value of a secret name; some may overlap."""
    layers: list[Unescaped] = []
    while True:
        starts = word_starts(text, stems)
        for start, end in _values_beside(text, starts):
            yield _in_text(layers, start), _in_text(layers, end)
        if len(layers) == LEVELS or not _are_escaped(text, starts):
            return
        layers.append(Unescaped(text))
        text, stems = layers[-1].text, [layers[-1].place_of(stem) for stem in stems]


def word_starts(text: str, stems: Iterable[int]) -> list[int]:
    """Where the words begin that have these stems in them."""
    return sorted({_word_start(text, stem) for stem in stems})


def _word_start(text: str, at: int) -> int:
    while at and (text[at - 1].isalnum() or text[at - 1] in "_.-"):
        at -= 1
    return at


def _values_beside(text: str, starts: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Start and end of each value whose name begins at one of *starts*."""
    done = 0
    for at in starts:
        if at < done:
            continue
        start, end = _value_of_name_at(text, at, done)
        if end > start >= done:
            yield start, end
            done = end


def _in_text(layers: Sequence[Unescaped], place: int) -> int:
    for layer in reversed(layers):
        place = layer.escaped_place_of(place)
    return place


def _are_escaped(text: str, starts: Iterable[int]) -> bool:
    """Whether an escape is right before or behind one of the words."""
    beside = compiled(_ESCAPE_BESIDE)
    return any(text[start - 1 : start] in ("%", "\\") or beside.match(text, start) for start in starts)


_WORD = r"-{0,2}+([\w.-]*+)"
_ESCAPE_BESIDE = rf"""{_WORD}[ \t=:>"']{{0,8}}[%\\&]"""
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
            return _value_in_element(text, start, name)
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


def _value_in_element(text: str, start: int, name: str) -> tuple[int, int]:
    """Up to the element's end; of one that is cut the rest of the line. `<password>@host` in prose is no element."""
    end = text.find("<", start)
    if end < 0:
        return compiled(_UNCLOSED).match(text, start).span()  # type: ignore[union-attr]  # matches anything
    closing = text[end : end + len(name) + _PREFIX_CHARACTERS].lower()
    return (start, end) if closing.startswith("</") and name in closing else _NOTHING


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
