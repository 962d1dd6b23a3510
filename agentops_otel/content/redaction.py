"""Secrets, told by the name they are kept under and by their shape in any text, and replaced by a mark.

E-mail addresses, card and phone numbers are content, not credentials: what a prompt is about cannot be told from what
it should not say, and no agent works without them. They are kept; `init(redact=...)` is the place to take them out.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from functools import lru_cache

REDACTED = "[redacted]"
"""What stands in the place of a secret."""

LONGEST_NAME = 64
"""Names are judged by their last so many characters."""

SHORTEST_SECRET = 5
"""`dsn=x`: no shorter text holds a secret."""
CLEAN_CHARACTERS = 2_000_000
"""How much text is remembered to have no secrets."""
_WORTH_KEEPING = 8
_ENTRY = 100
"""What it takes in memory to remember one, beside its characters."""


class KeyKind(Enum):
    """What is kept under a name."""

    PLAIN = auto()
    SECRET = auto()
    MEDIA = auto()
    """A long text here is base64 media."""
    IS_SECRET = auto()
    """The name itself has the shape of a secret."""

    # Enum's own is slow, written in Python; members are compared by identity anyway.
    __hash__ = object.__hash__


_SECRET_NAME = re.compile(
    r"""(?:^|_)(?:
        pass(?:word|wd|phrase|code)s? | pwd | secrets? | authorization | credentials? | (?:set_)?cookies?
      | (?:api|access|private|secret|account|subscription|signing|encryption|master|shared|service|storage|deploy|ssh
           |license|openai|anthropic|azure|gemini|google|mistral|cohere|groq|serpapi|agentops|langfuse)_?keys?
      | (?:access|refresh|auth|api|bearer|session|id|oauth|security|personal)_?tokens? | jwts?
      | (?:connection|conn)_?str(?:ing)?s? | shared_access_signature
    )(?:_|$)
    | ^(?:auth|oauth|apikey|dsn|sig|x_(?:amz|goog)_(?:signature|credential)|sessionid|phpsessid|jsessionid
         |csrf|xsrf)$
    | (?:^|_)(?:csrf|xsrf)_?token$
    | (?<![a-z])(?<!max_)(?<!min_)(?<!prompt_)(?<!completion_)(?<!input_)(?<!output_)(?<!stop_)(?<!eos_)(?<!bos_)
      (?<!pad_)(?<!unk_)(?<!sep_)(?<!cls_)(?<!mask_)(?<!special_)(?<!next_)(?<!first_)(?<!last_)(?<!per_)(?<!page_)
      (?<!continuation_)(?<!image_)(?<!new_)token$
    """,
    re.VERBOSE,
)
_MEDIA_NAME = re.compile(r"(?:^|_)(?:data|b64|base64|json_b64|image|images|audio|video|blob|file)(?:_|$)")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


@lru_cache(maxsize=4096)
def classify_key(name: str) -> KeyKind:
    """What is kept under *name*, however it is written: `api_key`, `X-Api-Key`, `apiKey`, `OPENAI_API_KEY`."""
    words = _WORD_START.sub("_", name).strip("_").lower()
    if _SECRET_NAME.search(words):
        return KeyKind.SECRET
    if redact(name) != name:
        return KeyKind.IS_SECRET
    return KeyKind.MEDIA if _MEDIA_NAME.search(words) else KeyKind.PLAIN


def _shape(mark: str, body: str, *, word: bool = True) -> tuple[str, re.Pattern[str]]:
    """A secret that *mark* announces. The pattern begins with the mark, since `re` finds a literal ten times faster."""
    begin = re.escape(mark)
    return mark, re.compile(f"{begin}(?<![A-Za-z0-9]{begin})(?:{body})" if word else f"({begin})(?:{body})")


_OPAQUE = r"[A-Za-z0-9_-]{12,}"
_PLAIN = r"[A-Za-z0-9]{12,}"
_PEM = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_AFTER_SCHEME = r"(?=[A-Za-z._~+/-]{0,64}[0-9=]|[A-Za-z._~+/-]{20})[A-Za-z0-9._~+/=-]{6,}"

# By a sign that is in all marks of a line.
_SHAPES: Mapping[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "-": (
        ("-----BEGIN ", re.compile(rf"-----BEGIN {_PEM}(?s:.*?)(?:-----END {_PEM}|\Z)")),
        ("-----END ", re.compile(rf"\A[^-]*-----END {_PEM}")),
        _shape("sk-", r"[A-Za-z0-9_-]{8,}"), _shape("xapp-", _OPAQUE), _shape("glpat-", _OPAQUE),
        _shape("GOCSPX-", _OPAQUE), _shape("xai-", _OPAQUE), _shape("pplx-", _OPAQUE), _shape("nvapi-", _OPAQUE),
        _shape("tvly-", _OPAQUE), _shape("pypi-", _OPAQUE),
    ),
    "xox": (_shape("xox", r"[a-z]-[A-Za-z0-9-]{8,}"),),
    "_": (
        _shape("ghp_", _PLAIN), _shape("gho_", _PLAIN), _shape("ghu_", _PLAIN), _shape("ghs_", _PLAIN),
        _shape("ghr_", _PLAIN), _shape("github_pat_", _OPAQUE), _shape("hf_", _PLAIN), _shape("gsk_", _PLAIN),
        _shape("sk_live_", _PLAIN), _shape("sk_test_", _PLAIN), _shape("rk_live_", _PLAIN), _shape("rk_test_", _PLAIN),
        _shape("whsec_", r"[A-Za-z0-9+/=]{12,}"), _shape("npm_", _PLAIN), _shape("r8_", _PLAIN),
        _shape("dop_v1_", _PLAIN), _shape("lsv2_", _OPAQUE), _shape("shpat_", _PLAIN),
    ),
    "eyJ": (_shape("eyJ", r"[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)+"),),
    ".": (
        _shape("ya29.", _OPAQUE), _shape("SG.", r"[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
        _shape("hooks.slack.com/services/", r"[A-Za-z0-9/]+", word=False),
    ),
    "://": (_shape("://", r"[^\s/:@]{0,256}:(?!\d{1,5}/)(?:[^\s\"'<>/]|/(?!/)){1,256}(?=@)", word=False),),
    "A": (
        _shape("AKIA", r"[A-Z0-9]{12,}"), _shape("ASIA", r"[A-Z0-9]{12,}"), _shape("AIza", r"[A-Za-z0-9_-]{16,}"),
        _shape("BEARER ", _AFTER_SCHEME, word=False), _shape("BASIC ", _AFTER_SCHEME, word=False),
    ),
    "earer ": (_shape("earer ", _AFTER_SCHEME, word=False),),
    "asic ": (_shape("asic ", _AFTER_SCHEME, word=False),),
}  # fmt: skip
_DATA_URL = re.compile(r"data:([\w.+-]{1,64}/[\w.+-]{1,64})?(?:;[\w=.-]{1,64}){0,4};base64,([A-Za-z0-9+/=_-]*)")

# What the names of secrets have in them, by a sign that is rare in text.
_STEMS: Mapping[str, tuple[str, ...]] = {
    "k": ("key", "token", "cookie"),
    "w": ("pwd", "jwt"),
    "ss": ("pass", "sess"),
    "cre": ("secret", "credential"),
    "srf": ("csrf", "xsrf"),
    **{stem: (stem,) for stem in ("auth", "conn", "sig", "dsn")},
}


def _seeker(sign: str, words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the words by a sign that is in all of them, since `re` finds a literal ten times faster."""
    halves = (word.partition(sign) for word in words)
    around = [f"(?<={re.escape(before + sign)})(?={re.escape(after)})" for before, _, after in halves]
    return re.compile(f"{re.escape(sign)}(?:{'|'.join(around)})")


_SEARCHES = tuple((_seeker(sign, [mark for mark, _ in shapes]), shapes) for sign, shapes in _SHAPES.items())
_NAME_SEARCHES = tuple(_seeker(sign, stems) for sign, stems in _STEMS.items())
_NAMED = re.compile(
    r"""(?<![\w.-])(?:(--[\w-]++)[ \t]++(?![-=:])|([\w.-]++)(?:\\{0,3}["'])?[ \t]{0,8}(=(?!=)|:(?!//|=))[ \t]{0,8})"""
)
_WORD_END = re.compile(r"[\w.-]*+")
_QUOTED = re.compile(r"""(\\{0,3}["'])(?!\1)(.+?)(?=\1|$)""", re.MULTILINE)
_LINE = re.compile(r"""[^\r\n"']+""")
_BARE = re.compile(r"""(?:(?i:bearer|basic|digest|token)[ \t]+)?(?:[^\s"'&;,]|,(?=\S))+""")
_CODE = re.compile(r"""(?:None|True|False|null|true|false|str|self\.[\w.]*|[A-Za-z_.]+[(\[].*)(?![\w.])""")


def redact(text: str) -> str:
    """The text with every secret in it replaced by a mark, and base64 data URLs by their type and size."""
    if len(text) < SHORTEST_SECRET:
        return text
    if ";" in text and ";base64," in text:
        text = _DATA_URL.sub(_media_mark, text)
    for seeker, shapes in _SEARCHES:
        if seeker.search(text):
            for mark, pattern in shapes:
                if mark in text:
                    text = pattern.sub(_marked, text)
    may_have_names = "=" in text or ":" in text or ("-" in text and "--" in text)
    return _redact_named(text) if may_have_names else text


class Clean(set[str]):
    """Texts that were found to have no secrets. A conversation's come again with each call: they are searched once."""

    remaining_characters = CLEAN_CHARACTERS

    def keep(self, texts: Iterable[str]) -> None:
        """Remember the texts; when they are too many, begin anew."""
        for text in texts:
            if len(text) >= _WORTH_KEEPING:
                self.add(text)
                self.remaining_characters -= len(text) + _ENTRY
        if self.remaining_characters < 0:
            self.clear()
            self.remaining_characters = CLEAN_CHARACTERS


_clean = Clean()


def contain_no_secrets(texts: Iterable[str]) -> bool:
    """Whether there is no secret in any of the texts."""
    new = set(texts).difference(_clean)
    if not new:
        return True
    joined = "\n".join(new)
    # The end of a key's block is told at a text's beginning, which joining hides.
    if ("-" in joined and "-----END " in joined) or redact(joined) != joined:
        return False
    _clean.keep(new)
    return True


def redact_cached(text: str) -> str:
    """`redact`, for a text that may come again."""
    if text in _clean:
        return text
    found = redact(text)
    if found == text:
        _clean.keep((text,))
    return found


def _marked(found: re.Match[str]) -> str:
    return found[1] + REDACTED if found.re.groups else REDACTED


def _redact_named(text: str) -> str:
    """Secrets by their name in free text: `?api_key=...`, `"password": "..."`, `X-Api-Key: ...`, `--token ...`."""
    parts = []
    done = 0
    for start in _names(text):
        named = _NAMED.match(text, start) if start >= done else None
        name = named and (named[1] or named[2])
        if named and name and classify_key(name[-LONGEST_NAME:]) is KeyKind.SECRET:
            start, end = _value_span(text, named.end(), name.lower(), named[3])
            if end > start:
                parts += [text[done:start], REDACTED]
                done = end
    return "".join([*parts, text[done:]])


def _names(text: str) -> list[int]:
    """Where the words begin that may be the name of a secret."""
    # The one letter that becomes two in lower case would shift what comes after it.
    lower = text.replace("\u0130", "i").lower()
    found = set()
    for seeker in _NAME_SEARCHES:
        end = 0
        while stem := seeker.search(lower, end):
            start, end = stem.start(), _WORD_END.match(text, stem.end()).end()  # type: ignore[union-attr]  # matches anything
            while start and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
                start -= 1
            found.add(start)
    return sorted(found)


def _value_span(text: str, start: int, name: str, separator: str | None) -> tuple[int, int]:
    """Where the value of a secret's name is; empty when what follows is prose or code, not a value."""
    if quoted := _QUOTED.match(text, start):
        return quoted.span(2)
    header = separator == ":" and ("cookie" in name or "authorization" in name)
    bare = (_LINE if header else _BARE).match(text, start)
    if bare is None or _CODE.match(text, start, bare.end() + 1):
        return start, start
    # "Password: must be long" is prose, `password: hunter2` is not.
    prose = separator == ":" and not header and bare.end() - start < 20 and not re.search(r"\d", bare[0])
    return (start, start) if prose else bare.span()


_MAGIC = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": "application/pdf",
    "SUQz": "audio/mpeg",
    "T2dnUw": "audio/ogg",
}
# Any real base64 of this length has all three sorts of characters; a line of one letter has not.
_BASE64 = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9+/_-]+={0,2}")
MEDIA_CHARACTERS = 256
"""A base64 text shorter than this is no media."""


def media_of(text: str, kind: KeyKind) -> str | None:
    """The mark of a text that is base64 media as a whole, such as `<image/png, 152 kB>`; None for any other text."""
    if text.startswith("data:"):
        head = text[:512]
        if (url := _DATA_URL.match(head)) and _DATA_URL.fullmatch(head):
            return _mark(url[1], len(text) - url.start(2))
    elif kind is KeyKind.MEDIA and len(text) >= MEDIA_CHARACTERS and _BASE64.fullmatch(text[:1024] + text[-1024:]):
        return _mark(next((media for magic, media in _MAGIC.items() if text.startswith(magic)), None), len(text))
    return None


def _media_mark(url: re.Match[str]) -> str:
    return _mark(url[1], len(url[2]))


def _mark(media: str | None, characters: int) -> str:
    return f"<{media or 'base64'}, {size(characters * 3 // 4)}>"


def size(count: int) -> str:
    """A number of bytes for people: `12 B`, `152 kB`, `50 MB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count} {unit}"
        count = round(count / 1000)
    return f"{count} GB"
