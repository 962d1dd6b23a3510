"""Names of secrets: `api_key`, `X-Api-Key`, `PGPASSWORD`, `--password`. Classifies keys by their name."""

from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache

from agentops_otel.content.patterns import compiled

LONGEST_NAME = 64
"""Characters of a name that are read: the last ones."""
SHORTEST_NAME = 3
"""Characters of the shortest name of a secret: `pwd`."""


class KeyKind(Enum):
    """The kind of value under a key."""

    PLAIN = auto()
    SECRET = auto()
    MAYBE_SECRET = auto()
    """A text is a secret and a number is a count or an index: `tokens`, `TAVILY_KEY`."""
    MEDIA = auto()
    """A long text is base64 media."""
    NAMES = auto()
    """A list of names, such as `required` of a JSON schema: no name in it has a value beside it."""

    # Enum's own hash is slow, written in Python; members are compared by identity anyway.
    __hash__ = object.__hash__


SECRETS = {KeyKind.SECRET, KeyKind.MAYBE_SECRET}

# Each row's patterns contain the row's stem, by which names are searched for in text. Checked below.
# The patterns are matched against lower-case words joined by `_`, without digits at the end.
_SECRET: Mapping[str, tuple[str, ...]] = {
    "pass": (r"pass(?:word|wd|phrase|code|key)s?(?:_|$)",),
    "pwd": (r"pwd(?:_|$)",),
    "phrase": (r"(?:seed|recovery|backup)_?phrases?$",),
    "secret": (r"secrets?(?:_|$)",),
    "cred": (r"(?:^|_)(?:cred|credential)s?(?:_|$)",),
    "key": (
        r"(?:api|access|private|secret)_?keys?(?:_|$)",
        r"(?:^|_)(?:account|subscription|signing|encryption|master|shared|service|storage|deploy|ssh|license|session"
        r"|openai|anthropic|azure|gemini|google|mistral|cohere|groq|serpapi|agentops|langfuse)_?keys?(?:_|$)",
    ),
    "auth": (
        r"(?:^|_)authorization(?:_|$)",
        r"^o?auth$",
        r"(?:^|_)(?:basic|http|proxy|digest|bearer|x|npm|docker|registry|redis|smtp|ldap)_?auth$",
    ),
    "bearer": (r"(?:^|_)bearer$",),
    "cookie": (r"(?:^|_)(?:set_)?cookies?(?:_|$)",),
    "token": (
        r"(?:access|refresh|auth|api|bearer|session|id|oauth|security|personal|secret)_?tokens?(?:_|$)",
        r"token$",
    ),
    "jwt": (r"(?:^|_)jwts?(?:_|$)",),
    "sess": (r"^(?:php|j)?sess(?:ion)?id$",),
    "conn": (r"(?:^|_)conn(?:ection)?_?str(?:ing)?s?(?:_|$)",),
    "dsn": (r"(?:^|_)dsn$",),
    "sig": (r"^sig$", r"(?:^|_)shared_access_signature(?:_|$)", r"^x_(?:amz|goog)_signature$"),
    "csrf": (r"^csrf$",),
    "xsrf": (r"^xsrf$",),
    "otp": (r"^t?otp$",),
}
_MAYBE_SECRET: Mapping[str, tuple[str, ...]] = {
    "pass": (r"(?:^|_)pass$", r"^(?:pg|db|sudo|ssh|mysql)pass$"),
    "key": (r"[a-z0-9]_keys?$",),
    "token": (r"tokens$",),
    "_pat": (r"[a-z0-9]_pat$",),
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The word before the last one, for `..._token`, `..._tokens`, `..._key` and `..._pass` that are no secrets.
_ONE_TOKEN = _words(
    """max min prompt completion input output stop eos bos pad unk sep cls mask special next first last per page
    continuation image new"""
)
_COUNTED = _ONE_TOKEN | _words(
    """total num n reasoning cached cache audio text video thinking thoughts candidates prediction accepted rejected
    used remaining budget generated estimated average avg tool system user assistant context query document added bad
    sampled logprob top start end prefix suffix vocab question answer chunk all of"""
)
_INDEXING = _words(
    """primary foreign sort partition cache public group row object idempotency dedup deduplication routing message
    index lookup registry hot arrow translation issue project column composite unique candidate answer config s3 map
    dict json by the a any every each this that first last next sub parent child order ordering range hash search filter
    join left right on shard cluster document doc record item node edge attribute attr metadata meta data field label
    prop property event topic natural business surrogate alternate function tool param parameter arg input output state
    thread conversation context memory store bucket file path url image blob queue job task run span trace metric tag
    locale lang i18n shortcut modifier keyboard press tab escape enter delete backspace return shift ctrl alt command
    pressed is has get set no missing unknown duplicate valid invalid default musical major minor minimum maximum turn
    low high"""
)
_STAGES = _words(
    """first second third one two multi single forward backward render did should tests all low high band by boarding
    compiler optimization final prefill decode does must can will ski day season mountain"""
)
_PLAIN_AFTER = {"token": _ONE_TOKEN, "tokens": _COUNTED, "key": _INDEXING, "keys": _INDEXING, "pass": _STAGES}

_MEDIA = (
    r"(?:^|_)(?:data|bytes|b64|base64|json_b64|blobs?|files?|attachments?|images?|img|pictures?|pics?|photos?|portraits?"
    r"|avatars?|thumbnails?|screenshots?|scans?|frames?|png|jpe?g|gif|webp|pdf|audios?|sounds?|speech|voices?"
    r"|recordings?|wav|mp3|videos?|clips?|mp4)(?:_|$)"
)
_LISTS_OF_NAMES = frozenset({"required", "enum", "columns", "fields", "property_ordering"})
_WORD_START = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+"


def _one_of(rows: Mapping[str, tuple[str, ...]]) -> str:
    for stem, patterns in rows.items():
        if wrong := [pattern for pattern in patterns if stem not in pattern]:
            raise ValueError(f"{wrong} would never be searched for: the stem {stem!r} is not in it")
    return "|".join(pattern for patterns in rows.values() for pattern in patterns)


_SECRET_NAME, _MAYBE_SECRET_NAME = _one_of(_SECRET), _one_of(_MAYBE_SECRET)
STEMS = (*_SECRET, *(stem for stem in _MAYBE_SECRET if stem not in _SECRET))
"""Every name of a secret contains one of these, in lower case."""


@lru_cache(maxsize=4096)
def classify_key(name: str) -> KeyKind:
    """The kind of value under *name*, in any spelling: `api_key`, `X-Api-Key`, `apiKey`, `OPENAI_API_KEY`.

    Example:
        ```python
        classify_key("DB_PASSWORD_2")  # KeyKind.SECRET
        ```
    """
    words = compiled(_WORD_START).sub("_", name[-LONGEST_NAME:]).strip("_").lower()
    name_words = words.rstrip("0123456789").rstrip("_")
    if not _is_count_or_index(name_words):
        if compiled(_SECRET_NAME).search(name_words):
            return KeyKind.SECRET
        if compiled(_MAYBE_SECRET_NAME).search(name_words):
            return KeyKind.MAYBE_SECRET
    if words in _LISTS_OF_NAMES:
        return KeyKind.NAMES
    return KeyKind.MEDIA if compiled(_MEDIA).search(words) else KeyKind.PLAIN


def _is_count_or_index(words: str) -> bool:
    """True for `max_tokens`, `sort_key`, `first_pass`."""
    before, _, last = words.rpartition("_")
    return last in _PLAIN_AFTER and before.rpartition("_")[2] in _PLAIN_AFTER[last]
