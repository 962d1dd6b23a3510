"""Shapes of secrets: the prefixes that services give their keys, and credentials in URLs, headers and commands.

A shape begins with a literal: `re` finds a literal ten times faster than a choice or a boundary, and `in` finds one
letter fifty times faster than a word. So each shape is searched for by a sign: its rarest letter, if it has a rare one.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from agentops_otel.content.patterns import compiled

REDACTED = "[redacted]"
"""The text that takes a secret's place."""

_LETTERS = r"[A-Za-z0-9]{12,}"
_WORD = r"[A-Za-z0-9_]{12,}"
_OPAQUE = r"[A-Za-z0-9_-]{12,}"
_HEX_32 = r"[a-f0-9]{32}"
_HEX_40 = r"[a-f0-9]{40}"

PREFIXES: Mapping[str, Mapping[str, str]] = {
    "-": {
        "sk-": r"[A-Za-z0-9_-]{8,}", "sess-": r"[A-Za-z0-9]{30,}", "xapp-": _OPAQUE, "GOCSPX-": _OPAQUE,
        "xai-": _OPAQUE,
        "glpat-": _OPAQUE, "gldt-": _OPAQUE, "glrt-": _OPAQUE, "glsoat-": _OPAQUE, "glptt-": _OPAQUE, "glcbt-": _OPAQUE,
        "glft-": _OPAQUE, "glimt-": _OPAQUE, "glagent-": _OPAQUE, "pplx-": _OPAQUE, "nvapi-": _OPAQUE, "tvly-": _OPAQUE,
        "csk-": r"[A-Za-z0-9]{20,}", "fc-": _HEX_32, "pa-": r"[A-Za-z0-9_-]{40,}", "pypi-": _OPAQUE, "PMAK-": _OPAQUE,
        "NRAK-": _OPAQUE, "CFPAT-": _OPAQUE, "HRKU-": _OPAQUE, "pul-": _HEX_40, "key-": _HEX_32, "sq0atp-": _OPAQUE,
        "sq0csp-": _OPAQUE, "AGE-SECRET-KEY-": r"[A-Z0-9]{12,}", "bedrock-api-key-": _OPAQUE,
        "as-": r"[A-Za-z0-9]{22,}",
    },
    "_": {
        "ghp_": _LETTERS, "gho_": _LETTERS, "ghu_": _LETTERS, "ghs_": _LETTERS, "ghr_": _LETTERS,
        "github_pat_": _OPAQUE,
        "hf_": _LETTERS, "api_org_": _LETTERS, "gsk_": _LETTERS, "r8_": _LETTERS, "sk_live_": _LETTERS,
        "sk_test_": _LETTERS, "rk_live_": _LETTERS, "rk_test_": _LETTERS, "sk_org_": _OPAQUE, "sk_": r"[a-f0-9]{40,}",
        "whsec_": r"[A-Za-z0-9+/=]{12,}", "npm_": _LETTERS, "dop_v1_": _LETTERS, "doo_v1_": _LETTERS,
        "dor_v1_": _LETTERS, "lsv2_": _OPAQUE, "ls__": _LETTERS, "shpat_": _LETTERS, "shpca_": _LETTERS,
        "shppa_": _LETTERS, "shpss_": _LETTERS, "pcsk_": _WORD, "tgp_v1_": _OPAQUE, "fw_": r"[A-Za-z0-9]{20,}",
        "esecret_": _LETTERS, "e2b_": _HEX_40, "jina_": r"[A-Za-z0-9]{30,}", "wandb_v1_": _OPAQUE, "ntn_": _LETTERS,
        "secret_": r"[A-Za-z0-9]{40,}", "lin_api_": _LETTERS, "lin_oauth_": _LETTERS, "figd_": _OPAQUE, "sbp_": _HEX_40,
        "sb_secret_": _OPAQUE, "napi_": r"[a-z0-9]{40,}", "pscale_tkn_": _OPAQUE, "pscale_pw_": _OPAQUE,
        "pscale_oauth_": _OPAQUE, "glc_": r"[A-Za-z0-9+/=]{20,}", "glsa_": _WORD, "sntrys_": _OPAQUE,
        "sntryu_": _LETTERS, "sgp_": r"[A-Za-z0-9_]{20,}", "CCIPAT_": _WORD, "dckr_pat_": _OPAQUE, "dckr_oat_": _OPAQUE,
        "rubygems_": _LETTERS, "nfp_": _LETTERS, "pnu_": _LETTERS, "pnb_": _LETTERS, "rdme_": _LETTERS, "tfp_": _OPAQUE,
        "aio_": r"[A-Za-z0-9]{24,}", "CLOJARS_": _LETTERS, "shippo_live_": _LETTERS, "shippo_test_": _LETTERS,
        "vcp_": r"[A-Za-z0-9]{20,}", "vck_": r"[A-Za-z0-9]{20,}",
    },
    ".": {
        "ya29.": _OPAQUE, "SG.": r"[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}", "hvs.": _OPAQUE, "hvb.": _OPAQUE,
        "hvr.": _OPAQUE, "dp.pt.": _LETTERS, "dp.ct.": _LETTERS, "dp.sa.": _LETTERS,
        "dp.st.": r"(?:[a-z0-9_-]+\.)?[A-Za-z0-9]{12,}",
        "dt0c01.": r"[A-Z0-9]{10,}\.[A-Z0-9]{10,}", "AQ.": r"Ab[A-Za-z0-9_-]{20,}",
    },
    "A": {
        "AKIA": r"[A-Z0-9]{12,}", "ASIA": r"[A-Z0-9]{12,}", "ABIA": r"[A-Z0-9]{12,}", "ACCA": r"[A-Z0-9]{12,}",
        "AIza": r"[A-Za-z0-9_-]{16,}", "ABSK": r"[A-Za-z0-9+/=]{40,}", "ATATT3": r"[A-Za-z0-9_=-]{20,}",
        "ATCTT3": r"[A-Za-z0-9_=-]{20,}", "ATBB": r"[A-Za-z0-9]{28,}", "AKCp": r"[A-Za-z0-9]{40,}",
        "LTAI": r"[A-Za-z0-9]{12,}", "EAA": r"[A-Za-z0-9]{40,}",
    },
    "x": {"xox": r"[a-z]-[A-Za-z0-9-]{8,}"},
    "J": {"eyJ": r"[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)+"},
    "dapi": {"dapi": _HEX_32},
    "V": {"FlyV1 fm": r"[A-Za-z0-9_+/=-]{20,}(?:,[A-Za-z0-9_+/=-]{20,})*"},
    "~": {"sha256~": _OPAQUE},
}  # fmt: skip
"""The first characters of a service's keys -> what follows them, by a sign that all prefixes of the row contain.

Nothing but a letter or a digit before it makes it part of another word. The right sides are RE2 expressions too:
`collector-config.yaml` masks the same.
"""

_PEM = r"(?:[A-Z0-9 +]|%20){0,40}PRIVATE(?: |\+|%20)KEY(?: BLOCK)?-----"
_AFTER_SCHEME = r"(?=[A-Za-z._~+/-]{0,64}[0-9=]|[A-Za-z._~+/-]{20})[A-Za-z0-9._~+/=-]{6,}"
_PASSWORD_IN_URL = r"[^\s/:@]{0,256}:(?!\d{1,5}/)(?:[^\s\"'<>/]|/(?!/)){1,256}(?=@)"
_PERCENT = "%(?:25){0,3}"
"""The beginning of an escape in an address, which may be a part of another address."""
_ENCODED_SLASH = rf"(?:{_PERCENT}2[Ff]|/)"
_PASSWORD_IN_ENCODED_URL = (
    rf"[^\s%/:@]{{0,256}}{_PERCENT}3[Aa](?!\d{{1,5}}{_ENCODED_SLASH})"
    rf"(?:[^\s\"'<>/%]|(?!{_PERCENT}(?:40|2[Ff]))%){{1,256}}(?={_PERCENT}40)"
)
_IN_ENCODED_URL = rf"({_PERCENT}3[Aa]{_ENCODED_SLASH}{{2}}){_PASSWORD_IN_ENCODED_URL}"
_USER_PASSWORD = r"""(?:ser)?(?:[= ]|["'], {0,8}(?=["']))["']?(?!\d+:\d+\b)[^\s:"'/]{1,64}:"""

# Credentials in a URL, a header or a command. Group 1 stays.
_PLACES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "-": (
        ("-----BEGIN", rf"()-----BEGIN(?: |\+|%20){_PEM}(?s:.*?)(?:-----END(?: |\+|%20){_PEM}|\Z)"),
        ("-----END", rf"\A()[^-]*-----END(?: |\+|%20){_PEM}"),
        ("-u", rf"(-u{_USER_PASSWORD})[^\s\"']{{1,128}}"),
    ),
    "/": (
        ("hooks.slack.com/services/", r"(hooks\.slack\.com/services/)[A-Za-z0-9/]+"),
        ("discord.com/api/webhooks/", r"(discord\.com/api/webhooks/)[A-Za-z0-9/_-]+"),
        ("webhook.office.com/webhookb2/", r"(webhook\.office\.com/webhookb2/)[A-Za-z0-9/@_-]+"),
    ),
    ":": ((":AA", r"(:)(?<=\d{8}:)AA[A-Za-z0-9_-]{30,}"),),
    "@": (("@", rf"(://)(?:{_PASSWORD_IN_URL}|[A-Za-z0-9_-]{{16,256}}(?=@))"),),
    "%": (("%40", _IN_ENCODED_URL), ("%2540", _IN_ENCODED_URL), ("%252540", _IN_ENCODED_URL)),
    "B": (("BEARER", rf"(BEARER:? ){_AFTER_SCHEME}"), ("BASIC", rf"(BASIC ){_AFTER_SCHEME}")),
    "earer": (("earer", rf"(earer(?:: ?| |%20)){_AFTER_SCHEME}"),),
    "asic": (("asic", rf"(asic(?: |%20)){_AFTER_SCHEME}"),),
    "'": (("IED BY '", r"(IED BY ')[^']{1,128}"), ("ied by '", r"(ied by ')[^']{1,128}")),
}


_LETTERS_TOGETHER = 5
"""Letters before a sign that are tried at a time, as one set."""


def _anything(_word: str) -> str:
    return ""


def find_any(sign: str, words: Iterable[str], then: str = "", after: Callable[[str], str] = _anything) -> str:
    """A pattern for any of the words, by a sign that they all contain. Words are compared by their last letters first.

    Args:
        sign: Text in all of the words: `re` finds a literal at the speed of memory.
        words: What is searched for.
        then: A pattern that follows the sign.
        after: A word -> a pattern that follows it.

    Raises:
        ValueError: A word does not contain the sign: it would never be found.
    """
    words = list(words)
    if wrong := [word for word in words if sign not in word]:
        raise ValueError(f"{wrong} would never be found: the sign {sign!r} is not in it")
    firsts = [re.escape(word.removeprefix(sign)) + after(word) for word in words if word.startswith(sign)]
    others = _by_letter_before(sign, [word for word in words if not word.startswith(sign)], after)
    return f"{re.escape(sign)}{then}(?:{'|'.join([*firsts, *others])})"


def _by_letter_before(sign: str, words: Sequence[str], after: Callable[[str], str]) -> Iterator[str]:
    """Patterns for the words, a few letters before the sign each: `re` tries one set of letters, not each letter."""
    halves = [(*word.rpartition(sign), after(word)) for word in words]
    parts = sorted((before[-1], before, re.escape(rest) + end) for before, _, rest, end in halves)
    groups = [list(group) for _, group in groupby(parts, key=itemgetter(0))]
    for few in (groups[at : at + _LETTERS_TOGETHER] for at in range(0, len(groups), _LETTERS_TOGETHER)):
        letters = "".join(re.escape(group[0][0]) for group in few)
        choices = "|".join(_around(sign, group) for group in few)
        yield f"(?<=[{letters}]{re.escape(sign)})(?:{choices})"


def _around(sign: str, parts: Sequence[tuple[str, str, str]]) -> str:
    behind = "|".join(f"(?<={re.escape(before + sign)})(?={after})" for _, before, after in parts)
    return f"(?<={re.escape(parts[0][0] + sign)})(?:{behind})"


def _prefixed(prefix: str, body: str) -> str:
    """A pattern of the prefix and the rest, not within a word. An escape before it, of a URL or of JSON, is no word."""
    begin = re.escape(prefix)
    escapes = ("%[0-9A-Fa-f]{2}", r"\\[nrt]", r"\\u00[0-9A-Fa-f]{2}")
    starts = (f"(?<![A-Za-z0-9]{begin})", *(f"(?<={escape}{begin})" for escape in escapes))
    return f"{begin}(?:{'|'.join(starts)})(?:{body})"


# In code and prose a hyphen, an underscore and a dot are frequent, and what follows them is short.
_KEY_AFTER = r"(?=[A-Za-z0-9_+/=.-]{8})"
_SEARCHES = (
    *(
        # The longest prefix first: `sb_secret_` before `secret_`.
        (
            sign,
            find_any(sign, row, _KEY_AFTER if sign in "-_." else ""),
            tuple((prefix, _prefixed(prefix, row[prefix]), REDACTED) for prefix in sorted(row, key=len, reverse=True)),
        )
        for sign, row in PREFIXES.items()
    ),
    *(
        (
            sign,
            find_any(sign, [begin for begin, _ in row]),
            tuple((begin, pattern, rf"\g<1>{REDACTED}") for begin, pattern in row),
        )
        for sign, row in _PLACES.items()
    ),
)


def redact_shapes(text: str) -> str:
    """The text with every secret of a known shape replaced."""
    for sign, seeker, shapes in _SEARCHES:
        if sign in text and compiled(seeker).search(text):
            for begin, pattern, mark in shapes:
                if begin in text:
                    text = compiled(pattern).sub(mark, text)
    return text
