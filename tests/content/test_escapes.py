"""A secret is found in text within text: JSON in JSON, in an address, in HTML, in code."""

import html
import json
import re
import shlex
from collections.abc import Callable
from itertools import product
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentops_otel.content.escapes import LEVELS, Unescaped
from agentops_otel.content.redaction import contain_no_secrets, redact

SECRET = "letme1nx7"
FORMS = (
    '{"password": "%s", "n": 1}',
    '{"a": {"api_key":"%s"}}',
    '{"name": "DB_PASSWORD", "value": "%s"}',
    '{"value": "%s", "name": "DB_PASSWORD"}',
    '{"Authorization": "Basic %s"}',
    "['--token', '%s']",
    "[('password', '%s')]",
    "password=%s&n=1",
    "https://x.org/?a=1&password=%s&n=1",
    "<password>%s</password>",
    '<a password="%s" n="1"/>',
    "<a password='%s' n='1'/>",
    "password: %s\nn: 1",
    "Authorization: Bearer %s",
    "x-api-key: %s",
    "Cookie: sid=%s",
    "export DB_PASSWORD='%s'",
    "mysql --password=%s -h x",
    "Server=h;Pwd=%s;Db=x",
    "postgres://ann:%s@h/db",
)


def of_go(text: str) -> str:
    """As Go writes JSON."""
    return json.dumps(text).translate({ord(sign): f"\\u00{ord(sign):x}" for sign in "<>&"})


def of_gson(text: str) -> str:
    """As Java's Gson writes JSON."""
    return of_go(text).translate({ord(sign): f"\\u00{ord(sign):x}" for sign in "='"})


def in_lower_case(text: str) -> str:
    """As some write addresses."""
    return re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe=""))


def in_numbers(text: str) -> str:
    """As some write HTML and XML."""
    return re.sub(r"[^\w\s]", lambda sign: f"&#{ord(sign[0])};", text)


def in_hex(text: str) -> str:
    """As JavaScript writes texts."""
    return re.sub(r"[^\w\s]", lambda sign: f"\\x{ord(sign[0]):x}", text)


WRITERS = (quote, quote_plus, in_lower_case, json.dumps, of_go, of_gson, html.escape, in_numbers, in_hex, repr)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_however_its_text_is_written(form: str) -> None:
    """Once or twice, by any two writers. The text about it stays."""
    for inner, outer in product((str, *WRITERS), WRITERS):
        if form.startswith("postgres") and {inner, outer} & {in_numbers, in_hex}:
            continue  # a password in an address is found by the signs of addresses
        text = f"see {outer(inner(form % SECRET))} there"
        clean = redact(text)
        assert SECRET not in clean, text
        assert not contain_no_secrets([text]), text
        assert clean.startswith("see ")
        assert clean.endswith(" there") or form.startswith(("Authorization", "Cookie")), clean  # all of the line


def test_a_harmless_text_stays_however_it_is_written() -> None:
    """What has the name of a secret and no value beside it, and what has no such name."""
    for form in ('{"path": "%s"}', "the key of %s", "https://x.org/?path=%s&n=1", "<a n='%s'/>"):
        for inner, outer in product((str, *WRITERS), WRITERS):
            text = outer(inner(form % SECRET))
            assert redact(text) == text


@pytest.mark.parametrize("levels", range(LEVELS + 2))
@pytest.mark.parametrize("write", [json.dumps, quote, html.escape])
def test_so_many_levels_are_read(write: Callable[[str], str], levels: int) -> None:
    """Each level of each kind, up to the last one."""
    text = '{"password": "let me in, please"}'
    for _ in range(levels):
        text = write(text)

    assert ("please" in redact(text)) == (levels > LEVELS)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (r'{"to": "a?password\u003dx1\u0026n\u003d1"}', r'{"to": "a?password\u003d[redacted]\u0026n\u003d1"}'),
        (r'{"to": "a?password=x1\u0026n=1"}', r'{"to": "a?password=[redacted]\u0026n=1"}'),
        (r'{"run": "x --password \"x 1\" -n"}', r'{"run": "x --password \"[redacted]\" -n"}'),
        (r'{"run": "x --password x1\", \"n\""}', r'{"run": "x --password [redacted]\", \"n\""}'),
        (r'{"run": "x --password x\\1 y"}', r'{"run": "x --password [redacted] y"}'),
        ("&lt;a password=&#x27;x1&#x27; n=&#39;1&#39;", "&lt;a password=&#x27;[redacted]&#x27; n=&#39;1&#39;"),
        (r"\x3cpassword\x3ex1\x3c/password\x3e", r"\x3cpassword\x3e[redacted]\x3c/password\x3e"),
        ("a%253Fpassword%253Dx1%2526n%253D1", "a%253Fpassword%253D[redacted]%2526n%253D1"),
        ("a?password=x%261&n=1", "a?password=[redacted]&n=1"),
        ("""sh -c 'export PASSWORD='"'"'x1'"'"' y'""", """sh -c 'export PASSWORD='"'"'[redacted]'"'"' y'"""),
        (r"sh -c 'export PASSWORD='\''x1'\'' y'", r"sh -c 'export PASSWORD='\''[redacted]'\'' y'"),
        ("postgres%3A//ann%3Ax1%40h/db", "postgres%3A//[redacted]%40h/db"),
        ("a%2525253Db%252525253Fpassword%252525253Dx1", "a%2525253Db%252525253Fpassword%252525253Dx1"),
    ],
)  # fmt: skip
def test_the_value_goes_and_the_escapes_about_it_stay(text: str, clean: str) -> None:
    """From the sign before the value to the one behind it."""
    assert redact(text) == clean


PIECES = ("%3D", "%3d", "%0A", "%09", "%2", "%zz", "%e9", r"\u0022", r"\u00e9", r"\x3d", r"\"", r"\\", r"\/", r"\n",
          "\\", "&quot;", "&amp;", "&#39;", "&#x27;", "&#X3D;", "&lt", "&", "%",
          "token", "é", " ", "&#126;", "&#200;")  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)))
def test_each_place_is_found_again(pieces: list[str]) -> None:
    """Of what is no escape, in both texts; of an escape its beginning."""
    text = "".join(pieces)
    unescaped = Unescaped(text)

    for place, letter in enumerate(unescaped.text):
        there = unescaped.escaped_place_of(place)
        assert text[there] in (letter, "%", "\\", "&")
        assert unescaped.place_of(there) == place
    assert unescaped.escaped_place_of(len(unescaped.text)) == len(text)
    assert unescaped.place_of(len(text)) == len(unescaped.text)


@given(st.text(st.characters(max_codepoint=126)))
def test_what_is_escaped_is_read_as_its_own_readers_do(text: str) -> None:
    """Addresses, HTML, JSON and Python's literals."""
    signs = re.sub(r"[\x00-\x1f]", " ", text)
    assert Unescaped(quote(signs, safe="")).text == unquote(quote(signs)) == signs
    assert Unescaped(html.escape(signs.replace("\\", "").replace("%", ""))).text == re.sub(r"[\\%]", "", signs)
    for write in (json.dumps, of_gson):
        bare = re.sub(r"[%&]", "", signs)
        assert Unescaped(write(bare)[1:-1]).text == bare


@pytest.mark.parametrize(
    ("escape", "meaning"),
    [("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), (r"\n", "\n"), (r"\r", "\r"),
     (r"\t", "\t"), (r"\'", "'"), (r"\"", '"'), (r"\/", "/"), (r"\\", "\\"), ("%0d", "\r"), ("%0A", "\n"),
     ("%09", "\t"), ("%20", " "), ("%7E", "~"), (r"\x7e", "~"), (r"\u0020", " "), ("&#30;", "\x1e"), ("&#119;", "w"),
     ("&#x7E;", "~"),
     ("%1F", "%1F"), ("%80", "%80"), (r"\u0080", r"\u0080"), (r"\u0141", r"\u0141"), ("&#130;", "&#130;"),
     ("&nbsp;", "&nbsp;")],
)  # fmt: skip
def test_an_escape_stands_for_a_letter(escape: str, meaning: str) -> None:
    """One of ASCII; what is not in the table stays, as in a text that is no more than that."""
    assert Unescaped(f"a{escape}b").text == f"a{meaning}b"


def test_shells_words_within_words_are_read() -> None:
    """A command in a command."""
    for form in FORMS:
        assert SECRET not in redact(shlex.quote(form % SECRET))
