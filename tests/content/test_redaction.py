"""Secrets are told by name and by shape, wherever they stand."""

import base64
import enum
import json
import re
import traceback
from collections.abc import Callable
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentops_otel.content import Content
from agentops_otel.content.media import size
from agentops_otel.content.named_values import is_secret_name
from agentops_otel.content.redaction import (
    CLEAN_CHARACTERS,
    ENTRY_CHARACTERS,
    Clean,
    contain_no_secrets,
    redact,
    redact_cached,
)
from agentops_otel.content.secret_names import STEMS, KeyKind, classify_key
from agentops_otel.content.secret_shapes import find_any
from tests.content.secret_examples import EXAMPLES, IMAGE, PREFIXES_OF_KEYS, SECRET_NAMES, SECRETS

SECRET_KINDS = {KeyKind.SECRET, KeyKind.MAYBE_SECRET}


def recorded(value: object) -> Any:
    """What a span says of the value."""
    return json.loads(Content().json("x", value) or "")


FRAMES = ["{}", "my key is {}, keep it", "https://x.org/a?b={}&c=1", "({})", "line\n{}\nline", '{{"a": "{}"}}', "'{}'"]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_is_told_by_its_shape_in_any_text(secret: str, frame: str) -> None:
    """A key in a prompt, a URL or JSON is replaced, and the text around it stays."""
    before, after = frame.format("|").split("|")

    clean = redact(frame.format(secret))

    assert clean == f"{before}[redacted]{after}"


def test_the_prefixes_of_keys_are_those_that_are_known() -> None:
    """Each has an example, which its pattern finds whole."""
    assert EXAMPLES.keys() == {"FlyV1 fm", *PREFIXES_OF_KEYS.split()}


@pytest.mark.parametrize("prefix", ["FlyV1 fm", *PREFIXES_OF_KEYS.split()])
def test_a_key_with_the_prefix_of_a_service_is_replaced(prefix: str) -> None:
    """Each service's keys are known, and the same letters within a word are none."""
    key = EXAMPLES[prefix]

    assert redact(f"it is {key}, is it") == "it is [redacted], is it"
    assert "[redacted]" not in redact(f"it is a{key[:30]}")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("DB_PASS=hunter2 PGPASSWORD=x", "DB_PASS=[redacted] PGPASSWORD=[redacted]"),
        ("TAVILY_KEY=abc", "TAVILY_KEY=[redacted]"),
        ("tokens: 25, keys: 3, total tokens = 12", "tokens: 25, keys: 3, total tokens = 12"),
        (r'{"a": "x\nauth=abc"}', r'{"a": "x\nauth=[redacted]"}'),
        (r'{"a": "x\nsk-proj-a1B2c3D4"}', r'{"a": "x\n[redacted]"}'),
        ('["psql", "--password", "x"]', '["psql", "--password", "[redacted]"]'),
        ("('X-Api-Key', 'x')", "('X-Api-Key', '[redacted]')"),
        ('[["X-Api-Key", "x"], ["Accept", "*"]]', '[["X-Api-Key", "[redacted]"], ["Accept", "*"]]'),
        ('{"name": "DB_PASSWORD", "value": "x"}', '{"name": "DB_PASSWORD", "value": "[redacted]"}'),
        ('{"value": "x", "name": "DB_PASSWORD"}', '{"value": "[redacted]", "name": "DB_PASSWORD"}'),
        ("- name: DB_PASSWORD\n  value: hunter2\n", "- name: DB_PASSWORD\n  value: [redacted]\n"),
        ('<add key="password" value="x"/>', '<add key="password" value="[redacted]"/>'),
        ("<password>x y</password>", "<password>[redacted]</password>"),
        ("<a:Password b='1'>x\ny</a:Password> z", "<a:Password b='1'>[redacted]</a:Password> z"),
        ("<password>x y", "<password>[redacted]"),
        ("<password>x y\nz", "<password>[redacted]\nz"),
        (f"<password>x</{'a' * 31}:password>", f"<password>[redacted]</{'a' * 31}:password>"),
        ('<wsse:Password Type="t">x</wsse:Password>', '<wsse:Password Type="t">[redacted]</wsse:Password>'),
        ("os.environ['DB_PASSWORD'] = 'x'", "os.environ['DB_PASSWORD'] = '[redacted]'"),
        ('{"password" => "x", :secret => "y"}', '{"password" => "[redacted]", :secret => "[redacted]"}'),
        ("password := 'x'", "password := '[redacted]'"),
        ("ENV DB_PASSWORD hunter2", "ENV DB_PASSWORD [redacted]"),
        ("machine x login ann password letmein", "machine x login ann password [redacted]"),
        ("CREATE USER ann WITH PASSWORD 'x'", "CREATE USER ann WITH PASSWORD '[redacted]'"),
        ("CREATE USER ann IDENTIFIED BY 'x'", "CREATE USER ann IDENTIFIED BY '[redacted]'"),
        ("connect -Password x -Port 3", "connect -Password [redacted] -Port 3"),
        ("java -Ddb.password=x Main", "java -Ddb.password=[redacted] Main"),
        ("curl -u ann:hunter2 http://x", "curl -u ann:[redacted] http://x"),
        ("docker run -u 1000:1000 x", "docker run -u 1000:1000 x"),
        ("my password is hunter2", "my password is [redacted]"),
        ("the password is wrong", "the password is wrong"),
        ("API key: a1b2c3, Client Secret = abc", "API key: [redacted], Client Secret = [redacted]"),
        ("The sort key: name1", "The sort key: name1"),
        ("my_tavily_key: ab1 my_tavily_key: ab12", "my_tavily_key: ab1 my_tavily_key: [redacted]"),
        ("my_tavily_key: monkeys, exa_key='monkey'", "my_tavily_key: monkeys, exa_key='monkey'"),
        ("exa_key='a1' TAVILY_KEY=monkey", "exa_key='[redacted]' TAVILY_KEY=[redacted]"),
        ("tokens = 1,234.5 key = 50%", "tokens = 1,234.5 key = 50%"),
        (f"password: {'abcdefghij' * 2}", "password: [redacted]"),
        (f"password: {'abcdefghij' * 2}"[:-1], f"password: {'abcdefghij' * 2}"[:-1]),
        ("my password was hunter2, the password was lost", "my password was [redacted], the password was lost"),
        ("setenv TOKEN abc and TOKEN abc", "setenv TOKEN [redacted] and TOKEN abc"),
        (f'{{"value": "{"x" * 500}", "name": "DB_PASSWORD"}}', '{"value": "[redacted]", "name": "DB_PASSWORD"}'),
        ('["password", "x"] ["--password", "x", "y"]', '["password", "[redacted]"] ["--password", "[redacted]", "y"]'),
        ('["a", "password", "x"]', '["a", "password", "x"]'),
        ("Cookie: a=b; c\nmy-cookies=a=b c", "Cookie: [redacted]\nmy-cookies=[redacted] c"),
        ("Authorization: Digest a b\nx", "Authorization: [redacted]\nx"),
        ("token: Bearer abc1 rest", "token: [redacted] rest"),
        ("token=basic ;rest", "token=[redacted] ;rest"),
        ("secret='it''s', secret=\"a 'b'\"", "secret='[redacted]''s', secret=\"[redacted]\""),
        ("password%3Dletmein%26n%3D1", "password%3D[redacted]%26n%3D1"),
        ("%7B%22password%22%3A%22letmein%22%7D", "%7B%22password%22%3A%22[redacted]%22%7D"),
        ("{&quot;password&quot;:&quot;x&quot;}", "{&quot;password&quot;:&quot;[redacted]&quot;}"),
        ('form-data; name="password"\r\n\r\nletmein\r\n--', 'form-data; name="password"\r\n\r\n[redacted]\r\n--'),
        ("https://a1B2c3D4e5F6g7H8@sentry.io/1", "https://[redacted]@sentry.io/1"),
        ("MIIabc\n-----END RSA PRIVATE KEY----- and", "[redacted] and"),
        ("bot12345678:AAa1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q", "bot12345678:[redacted]"),
        ("https://discord.com/api/webhooks/1/x-y", "https://discord.com/api/webhooks/[redacted]"),
        ("https://a.webhook.office.com/webhookb2/1-2@3/x", "https://a.webhook.office.com/webhookb2/[redacted]"),
    ],
)  # fmt: skip
def test_a_secret_is_found_in_every_way_to_write_name_and_value(text: str, clean: str) -> None:
    """Options, pairs, fields, elements, environments, forms, prose: the value goes, and nothing else."""
    assert redact(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc", "Authorization: [redacted]"),
        ("sent Bearer a1b2c3d4e5 along", "sent Bearer [redacted] along"),
        ("BASIC dXNlcjpwYXNz==", "BASIC [redacted]"),
        ("postgresql://ann:hunter2@db:5432/x", "postgresql://[redacted]@db:5432/x"),
        ("redis://:pa/ss@cache/0", "redis://[redacted]@cache/0"),
        ("https://x.org/?api_key=abc&limit=3&token=xyz", "https://x.org/?api_key=[redacted]&limit=3&token=[redacted]"),
        ("https://x.org/?url=https://y?password=abc", "https://x.org/?url=https://y?password=[redacted]"),
        ("https://s3/x?X-Amz-Signature=abc&sig=d", "https://s3/x?X-Amz-Signature=[redacted]&sig=[redacted]"),
        ("AccountName=a;AccountKey=abc==;Suffix=b", "AccountName=a;AccountKey=[redacted];Suffix=b"),
        ("OPENAI_API_KEY=abc python x.py", "OPENAI_API_KEY=[redacted] python x.py"),
        ("run --api-key abc --n 3", "run --api-key [redacted] --n 3"),
        ("run --token=abc", "run --token=[redacted]"),
        ("curl --token abc >out.txt", "curl --token [redacted] >out.txt"),
        ("mysql --password hunter22 >/dev/null 2>&1", "mysql --password [redacted] >/dev/null 2>&1"),
        ("--token abc\n>000", "--token [redacted]\n>000"),
        ("ENV TOKEN abc1 >x", "ENV TOKEN [redacted] >x"),
        ("login(password='hunter2', n=1)", "login(password='[redacted]', n=1)"),
        ('{"api_key": "a b c", "n": 1}', '{"api_key": "[redacted]", "n": 1}'),
        (r"{\"password\": \"abc\"}", r"{\"password\": \"[redacted]\"}"),
        ("{'password': ''}", "{'password': ''}"),
        ("<password></password>", "<password></password>"),
        ("<password>x y</b>", "<password>x y</b>"),
        ("https://<user>:<password>@x.org and <b>so</b> on", "https://<user>:<password>@x.org and <b>so</b> on"),
        ("<password>@x.org and <password>@y.org on", "<password>@x.org and <password>[redacted]"),
        ("password: hunter2", "password: [redacted]"),
        ("Set-Cookie: a=b; c=d\nHost: x", "Set-Cookie: [redacted]\nHost: x"),
        ("x-api-key: 3f2b", "x-api-key: [redacted]"),
        ("https://hooks.slack.com/services/T0/B0/x", "https://hooks.slack.com/services/[redacted]"),
        ("![](data:image/png;base64,AAAA) and", "![](<image/png, 3 B>) and"),
    ],
)
def test_a_secret_is_told_by_the_words_before_it(text: str, clean: str) -> None:
    """Headers, queries, assignments, options, and JSON or Python in a text name what is secret."""
    assert redact(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('Authorization: Bearer "abc"', "Authorization: [redacted]"),
        ("Authorization: Basic 'YTpi=='\nHost: x", "Authorization: [redacted]\nHost: x"),
        ('Authorization: Bearer "abc', "Authorization: [redacted]"),
        ('Authorization=Bearer "a b" c', "Authorization=[redacted] c"),
        (r'{"Authorization": "Bearer \"abc\"", "n": 1}', '{"Authorization": "[redacted]", "n": 1}'),
        (r"say('Authorization: Bearer \"abc\"')", "say('Authorization: [redacted]')"),
        ('Proxy-Authorization: Digest username="M", response="66 29"', "Proxy-Authorization: [redacted]"),
        ('Cookie: a="b c"; d=e', "Cookie: [redacted]"),
        ('curl -H "Authorization: Bearer \'abc\'" -d "x"', 'curl -H "Authorization: [redacted]" -d "x"'),
        ('curl -H "Authorization: Basic YTpi==" -d "x" y', 'curl -H "Authorization: [redacted]" -d "x" y'),
        (
            "curl -H 'Authorization: Basic YTpi==' -d '{\"a\": 1}'",
            "curl -H 'Authorization: [redacted]' -d '{\"a\": 1}'",
        ),
        (r'{"password": "a\"b c", "n": 1}', '{"password": "[redacted]", "n": 1}'),
    ],
)
def test_a_secret_with_quotes_in_it_goes_as_a_whole(text: str, clean: str) -> None:
    """Quotes within a header's value, or escaped ones within a quoted value, do not end it; those around it do."""
    assert redact(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Password: must be at least eight letters",
        "the basic functionality of a bearer certificate",
        "risk-averse, task-oriented and disk-bound-operation-names",
        "def f(api_key: str, token: Optional[str] = None): ...",
        "client = OpenAI(api_key=os.environ['K'], token=self.token)",
        "max_tokens=100, prompt_tokens: 25, eos_token='</s>'",
        "if token == 'a': pass",
        "http://localhost:8080/users/@me",
        "write to ann@example.org, card 4111 1111 1111 1111",
        "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        "keyboard = monkey; passage: author=Borges",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """Prose, code, numbers of tokens, e-mail addresses and certificates are content."""
    assert redact(text) == text


MAYBE_SECRET_NAMES = "tokens github_tokens TAVILY_KEY tavily_key exaKey DB_PASS PGPASS pass GITHUB_PAT"


OF_EACH_ROW = """
    passcode passkeys recovery_phrase backup_phrases secrets secretkey X-Amz-Credential X-Goog-Credential account_key
    subscription_key signing_key encryption_key master_key shared_key service_key storage_key deploy_key license_key
    session_key anthropic_key azure_key gemini_key google_key mistral_key cohere_key groq_key serpapi_key agentops_key
    langfuse_key oauth proxy_auth digest_auth bearer_auth x_auth npm_auth docker_auth registry_auth redis_auth smtp_auth
    ldap_auth auth_tokens api_tokens bearer_tokens session_tokens id_tokens oauth_tokens security_tokens personal_tokens
    secret_tokens access_tokens jwts PHPSESSID jsessionid sessid conn_str connstrings sig shared_access_signature
    X-Amz-Signature X-Goog-Signature csrf xsrf otp
"""
"""What nothing but its own word in the table makes a secret."""


@pytest.mark.parametrize("name", [*SECRET_NAMES.split(), *OF_EACH_ROW.split()])
def test_a_name_of_a_secret(name: str) -> None:
    """The name is understood in any spelling."""
    assert classify_key(name) is KeyKind.SECRET


@pytest.mark.parametrize("name", MAYBE_SECRET_NAMES.split())
def test_a_name_of_a_secret_or_a_count(name: str) -> None:
    """A text under it is a secret; a number is a count, and can be read, also within."""
    assert classify_key(name) is KeyKind.MAYBE_SECRET
    assert recorded({name: "letmein"}) == {name: "[redacted]"}
    assert recorded({name: 25}) == {name: 25}
    assert recorded({name: {"input": 5, "x": ["letmein"]}}) == {name: {"input": 5, "x": ["[redacted]"]}}


PLAIN_NAMES = """
    max_tokens maxTokens prompt_tokens total_tokens token_count cached_tokens tokenizer sort_key cache_key publicKey
    first_pass bypass passage pass_rate token_type tokens_used keyboard next_page_token eos_token author
    authority key keys keyword primary monkey passenger compass session_id sessionId secretary cookiecutter tokenization
    signature connection model new_token max_token of_tokens new_tokens low_high_key primary_key low_keys first_pass
    mountain_pass
"""


@pytest.mark.parametrize("name", PLAIN_NAMES.split())
def test_a_name_of_no_secret(name: str) -> None:
    """Counts of tokens and words that merely contain one of ours are plain."""
    assert classify_key(name) not in SECRET_KINDS


class Named(enum.Enum):
    """A key that is no text, and whose name is known as a whole alone."""

    DSN = "dsn"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"password": "a", "n": 1}, {"password": "[redacted]", "n": 1}),
        ({"password": None, "token": "", "secret": True}, {"password": None, "token": "", "secret": True}),
        ({"password": 1234, "credentials": {"user": "a"}}, {"password": "[redacted]", "credentials": "[redacted]"}),
        ({"a": [{"headers": {"X-Api-Key": "b"}}]}, {"a": [{"headers": {"X-Api-Key": "[redacted]"}}]}),
        ([("X-Api-Key", "abc"), ("Accept", "*")], [["X-Api-Key", "[redacted]"], ["Accept", "*"]]),
        ({"sk-a1b2c3d4e5": 1}, {"[redacted]": 1}),
        ({b"k": 1, "arguments": '{"password":"a"}'}, {"<bytes, 1 B>": 1, "arguments": '{"password":"[redacted]"}'}),
        (ValueError("token=abc"), {"__class__": "ValueError", "args": ["token=[redacted]"]}),
        ({"x" * 200 + "_api_key": "a"}, {"x" * 200 + "_api_key": "[redacted]"}),
        ({Named.DSN: "a"}, {"dsn": "[redacted]"}),
        ({"tokens": ["a"] * 20}, {"tokens": ["[redacted]"] * 20}),
        (
            {"tokens": [["a", "b"], 25, {"n": ["c", "d"]}]},
            {"tokens": [["[redacted]"] * 2, 25, {"n": ["[redacted]"] * 2}]},
        ),
    ],
)
def test_values_under_a_secret_name_are_replaced(value: object, expected: Any) -> None:
    """The whole value goes, whatever it is; that it is absent or a flag may be said."""
    assert json.loads(Content().json("x", value) or "") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["psql", "--password", "x"], ["psql", "--password", "[redacted]"]),
        (("curl", "-u", "ann:x", "--token", "--verbose"), ["curl", "-u", "[redacted]", "--token", "--verbose"]),
        (["curl", "--user", "ann:x", "-u", "ann"], ["curl", "--user", "[redacted]", "-u", "ann"]),
        (["docker", "-p", "80:80"], ["docker", "-p", "80:80"]),
        (["password", "user name", "email"], ["password", "user name", "email"]),
        (["Accept", "password", "my words", "x"], ["Accept", "password", "my words", "x"]),
        (["no name!", "x", "password", "y"], ["no name!", "x", "password", "y"]),
        (["Accept", "password", "Host", "x"], ["Accept", "password", "Host", "x"]),
        (["Accept", "*", "X-Api-Key", "x"], ["Accept", "*", "X-Api-Key", "[redacted]"]),
        ([["X-Api-Key", "x"], ["Accept", "*"]], [["X-Api-Key", "[redacted]"], ["Accept", "*"]]),
        (["X-Api-Key", "x", "Accept", "*"], ["X-Api-Key", "[redacted]", "Accept", "*"]),
        ({"name": "DB_PASSWORD", "value": "x"}, {"name": "DB_PASSWORD", "value": "[redacted]"}),
        ({"Value": "x", "Key": "tavily_key"}, {"Value": "[redacted]", "Key": "tavily_key"}),
        ({"name": "tokens", "value": 25}, {"name": "tokens", "value": 25}),
        ({"env": [{"name": "PGPASSWORD", "value": "x"}]}, {"env": [{"name": "PGPASSWORD", "value": "[redacted]"}]}),
        ({"required": ["api_key", "query"]}, {"required": ["api_key", "query"]}),
        (["what is my password", "I do not know"], ["what is my password", "I do not know"]),
        ({"name": "get_secret", "content": "42"}, {"name": "get_secret", "content": "42"}),
        ({"usage": {"input_tokens": 5, "tokens": 7}}, {"usage": {"input_tokens": 5, "tokens": 7}}),
    ],
)  # fmt: skip
def test_a_secret_is_told_by_the_name_beside_it(value: object, expected: Any) -> None:
    """In pairs, command lines, lists of headers and mappings of a name and a value, whatever is recorded first."""
    assert recorded(value) == expected
    assert recorded({"again": [value, value]}) == {"again": [expected, expected]}


NAME_FIELDS = """
    name key k id label header field option setting property attribute param parameter variable var env
"""
VALUE_FIELDS = "value val default v values"


@pytest.mark.parametrize("value_field", VALUE_FIELDS.split())
@pytest.mark.parametrize("name_field", NAME_FIELDS.split())
def test_each_field_for_a_name_says_what_is_beside_it(name_field: str, value_field: str) -> None:
    """As a mapping, and as text but for `values`, whose value is a list."""
    value = {name_field.title(): "db_password", value_field: "x", "n": "kept"}

    assert recorded(value) == {**value, value_field: "[redacted]"}
    if value_field != "values":
        text = f'<add {name_field}="db_password" {value_field}="letmein"/>'
        assert redact(text) == text.replace("letmein", "[redacted]")


@pytest.mark.parametrize("count", [2, 200])
def test_the_ends_of_a_long_list_are_no_list_of_names_and_values(count: int) -> None:
    """Names and values take turns from the first item to the last; what lies between the ends is not looked at."""
    items = ["password", "mine"] * count

    written = Content(limit_bytes=1000).json("x", items) or ""

    assert ("mine" in written, "[redacted]" in written) == ((False, True) if count == 2 else (True, False))


@pytest.mark.parametrize("name", ["required", "enum", "columns", "fields", "propertyOrdering"])
def test_a_list_of_names_is_kept(name: str) -> None:
    """As in the JSON schema of a tool: no name in it has a value beside it."""
    value = {name: ["--password", "letmein", "api_key", "query"]}

    assert recorded(value) == value


def test_a_command_line_of_any_length_keeps_its_secret() -> None:
    """Also where it is so long that its items are written in groups."""
    command = ["run", *[f"--option-{n}" for n in range(100)], "--password", "letmein", *map(str, range(100))]

    assert "letmein" not in json.dumps(recorded(command))
    assert recorded(command)[100:104] == ["--option-99", "--password", "[redacted]", "0"]


@pytest.mark.parametrize("name", [*SECRET_NAMES.split(), *MAYBE_SECRET_NAMES.split()])
def test_every_name_is_searched_for(name: str) -> None:
    """A name that is known in a mapping is found in text: its stem is among those that are searched."""
    assert any(stem in name.replace("GITHUB_PAT", "x_pat").lower() for stem in STEMS)
    assert redact(f"x {name}=a1b2c3") == f"x {name}=[redacted]"


def test_a_row_that_would_never_match_is_refused() -> None:
    """A prefix without the sign of its row, by which it is searched, is an error when the module is imported."""
    with pytest.raises(ValueError, match="never be found"):
        find_any("_", ["ghp_", "sk-"])


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize(
    "embed",
    [
        lambda secret: json.dumps({"a": json.dumps({"b": secret})}),
        lambda secret: quote(f"https://x.org/?q={secret}", safe=""),
        lambda secret: repr(ValueError(secret)),
        lambda secret: base64.b64encode(f"user:{secret}".encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        lambda secret: "/v1/" + base64.b64encode(f"{{'key': '{secret}'}}".encode()).decode(),
        lambda secret: base64.b64encode(base64.b64encode(secret.encode())).decode(),
        lambda secret: "".join(traceback.format_exception(RuntimeError(f"cannot use {secret!r}"))),
        lambda secret: f"X-Thing: {secret}\r\nHost: x",
        lambda secret: f"<a href='?x={secret}'>{secret}</a>",
    ],
    ids=["json in json", "url", "repr", "base64", "base64 url-safe", "base64 in a path", "base64 twice", "traceback",
         "header", "html"],
)  # fmt: skip
def test_no_embedding_hides_a_secret(embed: Callable[[str], str], secret: str) -> None:
    """A secret of a known shape survives in no encoding that people use."""
    text = embed(secret)
    hidden = max(re.split(r"[^A-Za-z0-9+/=_-]+", secret), key=len)
    carried = hidden if hidden in text else text[len(text) // 2 - 8 : len(text) // 2 + 8]

    assert carried not in redact(text)


@pytest.mark.parametrize("before", ["??>??>??>", *("x" * count for count in range(24, 28))])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_in_base64_is_found_to_its_last_letter(encode: Callable[[bytes], bytes], before: str) -> None:
    """Of each length, padded or not, and beside the letters that the alphabet for URLs has others for."""
    word = encode(f"{before} sk-a1b2c3d4".encode()).decode()

    assert redact(f"it is {word.rstrip('=')} and") == "it is [redacted] and"
    assert redact(f"it is {word} and").replace("=", "") == "it is [redacted] and"
    assert redact(f"\u4e2d {word} {word}").replace("=", "") == "\u4e2d [redacted] [redacted]"


@pytest.mark.parametrize("path", ["", "/a/", "/ab/", "/abc/", "/v1/x/"])
def test_a_named_secret_in_base64_is_found_wherever_its_letters_begin(path: str) -> None:
    """The letters of a path are base64 too: where those of the secret begin is tried."""
    assert redact(f"{path}{base64.b64encode(b'password=letmein-please!').decode()}") == "[redacted]"


def test_the_shortest_base64_that_is_searched() -> None:
    """24 letters, alone in a text or not."""
    word = base64.b64encode(b"123456 sk-a1b2c3d4").decode()

    assert len(word) == 24
    assert [redact(word), redact(f"{word}."), redact(f"{word}A")] == ["[redacted]", "[redacted].", "[redacted]"]
    assert redact(word[4:]) == word[4:]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"url": "data:image/png;base64," + IMAGE}, {"url": "<image/png, 3 kB>"}),
        ({"url": "data:image/png;base64," + IMAGE * 99}, {"url": f"<image/png, {size(len(IMAGE) * 99 * 3 // 4)}>"}),
        ({"b64_json": IMAGE}, {"b64_json": "<image/png, 3 kB>"}),
        ({"audio": {"data": "Uk9X" + IMAGE, "format": "raw"}}, {"audio": {"data": "<base64, 3 kB>", "format": "raw"}}),
        ({"images": [IMAGE, IMAGE]}, {"images": ["<image/png, 3 kB>", "<image/png, 3 kB>"]}),
        ({"images": ["Uk9X" + IMAGE] * 4}, {"images": ["<base64, 3 kB>"] * 4}),
        *(
            ({name: "Uk9X" + IMAGE}, {name: "<base64, 3 kB>"})
            for name in ("picture", "photo", "userPhoto", "screenshots", "thumbnail", "img", "attachment", "clip")
        ),
        ({"anything": IMAGE, "of": [IMAGE]}, {"anything": "<image/png, 3 kB>", "of": ["<image/png, 3 kB>"]}),
        ((IMAGE,), ["<image/png, 3 kB>"]),
        (IMAGE, "<image/png, 3 kB>"),
        ({"picture": "a" * 300, "photo": "of a cat " * 60}, {"picture": "a" * 300, "photo": "of a cat " * 60}),
        ({"data": "short"}, {"data": "short"}),
        ({"data": IMAGE[:300] + "QQ=="}, {"data": "<image/png, 228 B>"}),
        ({"data": IMAGE[:900] + "QQ=="}, {"data": "<image/png, 678 B>"}),
        (f"data:image/png;base64,{IMAGE[:400]} and", "<image/png, 300 B> and"),
        (f"data:image/png;base64,{IMAGE} and", "<image/png, 3 kB> and"),
        (["data:;base64," + IMAGE, f"data:;base64,{IMAGE}\n"], ["<base64, 3 kB>", "<base64, 3 kB>\n"]),
        ({"data": "a" * 300}, {"data": "a" * 300}),
        ({"data": "text of words " * 30}, {"data": "text of words " * 30}),
    ],
)  # fmt: skip
def test_media_is_told_by_type_and_size(value: object, expected: Any) -> None:
    """Base64 says nothing to a reader: its type and size do."""
    assert json.loads(Content().json("x", value) or "") == expected


@pytest.mark.parametrize(
    ("begins", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x24\x08\x00\x00WEBP", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"ID3\x04", "audio/mpeg"),
        (b"OggS\x00", "audio/ogg"),
    ],
)
def test_media_are_told_by_their_first_bytes(begins: bytes, kind: str) -> None:
    """Whatever they are called, from 256 characters on."""
    media = base64.b64encode(begins + bytes(range(256))).decode()

    assert recorded([media[:256], media[:255]]) == [f"<{kind}, 192 B>", media[:255]]
    assert recorded({"x": f"data:{kind};base64,{media}"}) == {"x": f"<{kind}, {len(media) * 3 // 4} B>"}


@settings(deadline=None, max_examples=60)
@given(
    secret=st.sampled_from(list(SECRETS.values())),
    before=st.integers(0, 60_000),
    after=st.integers(0, 60_000),
    filler=st.sampled_from([" ", "words and ", "é ", "\n"]),
)
def test_no_part_of_a_secret_leaks_at_a_cut(secret: str, before: int, after: int, filler: str) -> None:
    """However a long text is cut, not even half a secret is left: it is replaced before the cut."""
    text = (filler * before)[:before] + " " + secret + " " + (filler * after)[:after]
    content = Content()

    kept = (content.text("x", text) or "") + (content.json("x", [text]) or "")

    assert secret[4:14] not in kept
    assert secret[-10:].replace("\n", "\\n") not in kept


@pytest.mark.parametrize("offset", range(-80, 80, 7))
def test_a_secret_across_the_cut_is_replaced(offset: int) -> None:
    """A secret that stands exactly where the head ends or the tail begins does not leak."""
    secret = SECRETS["openai"]
    half = 16 * 1024 + offset
    text = "." * half + secret + "." * 100_000 + secret + "." * half

    kept = Content().text("x", text) or ""

    assert "a1B2" not in kept
    assert "J0" not in kept


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "piece",
    ["://a:", "abc=token=", "-----BEGIN PRIVATE KEY-----", "sk-", "eyJ.", "data:;base64,", "Bearer ", "\\\"'",
     "password='", "a", "token", "token ", "--token ", "cookie:", "A.", "-----END ", "://a:b/", "SG.aaaaaaaaaaaa",
     "auth=(", "=", "%3A%2F%2Fa%3A", "%40%3A%2F%2F%3A", "%22token%22%2C%20", "\\u0022token\\u0022:",
     "%252522token%252522", "&amp;token&quot;", "token\\", "%253A%252F%252Fa%253A", "%2540"],
)  # fmt: skip
def test_no_text_makes_redaction_slow(piece: str) -> None:
    """A megabyte made to mislead a pattern is done in a moment: steps grow with the length, not with its square."""
    text = (piece * (1_000_000 // len(piece)))[:1_000_000] + " token="

    assert Content().json("x", {"text": text}) is not None
    assert redact(text[:100_000]) is not None


@pytest.mark.parametrize("offset", range(-80, 1200, 41))
def test_a_secret_across_the_cut_of_a_small_room_is_replaced(offset: int) -> None:
    """Where there is room for a beginning only, a secret across its end does not leak either."""
    text = "." * (100 + offset) + SECRETS["openai"] + "." * 100_000

    kept = Content(limit_bytes=200).text("x", text) or ""

    assert "a1B2" not in kept


@pytest.mark.parametrize(
    ("count", "text"),
    [
        *((0, "0 B"), (12, "12 B"), (999, "999 B"), (1000, "1 kB"), (1600, "2 kB"), (152_400, "152 kB")),
        *((999_400, "999 kB"), (1_600_000, "2 MB"), (50_000_000, "50 MB"), (7_000_000_000, "7 GB")),
    ],
)
def test_a_size_is_written_for_people(count: int, text: str) -> None:
    """Three digits and a unit."""
    assert size(count) == text


@pytest.mark.parametrize("name", ["csrf", "XSRF-token", "pass\u0130key_token"])
def test_a_name_is_found_whatever_its_letters(name: str) -> None:
    """Each name that is judged a secret is looked for in texts too, also behind letters that lower case lengthens."""
    for before in ("\u0130", "\u0130" * 50):
        assert redact(f"{before} {name}=a1b2c3, it is") == f"{before} {name}=[redacted], it is"


TEXTS = ("a harmless text of more than thirty letters", "key: a1b2c3d4", "short", "password", "max_tokens", "secretary")


@given(st.lists(st.sampled_from(TEXTS), max_size=5))
def test_a_text_that_comes_again_is_judged_as_before(texts: list[str]) -> None:
    """What is remembered of clean texts changes no answer. A name of a secret may have its value beside it."""
    clean = all(redact(text) == text and not is_secret_name(text) for text in texts)

    assert [contain_no_secrets(texts), contain_no_secrets(texts)] == [clean, clean]
    assert [redact_cached(text) for text in texts * 2] == [redact(text) for text in texts * 2]


BEFORE = [
    "", "the ", "(", "a\n", "ENV ", "setenv ", "docker login ann ", "-", "--", "x-", '"', "<", ":", "name: ",
    "value: 'x7', name: ", "x.",
]  # fmt: skip
NAMES = ("key", "api_key", "Token", "passwords", "PGPASSWORD.", "session", "my token")
BETWEEN = [
    "=", " = ", ":", ": ", " :", " is ", " was ", "=>", "]=", '"] = ', '", "', '"', ' "', '"\n\n', '\\"=', "%3D",
    "&quot;:", "", ">", " a='b'>", " value=", ", value: ", " default: ", " ", "  ", "\t", "\n", " of ", "? ", "(",
    ") ", "; ", "! ", ", ", ". ",
]  # fmt: skip


def test_a_word_in_prose_is_passed_over_only_where_no_value_follows() -> None:
    """`the token of` is not read closely, and `ENV token of` is: what is found is the same as if all were."""
    for before, name, between, value in product(BEFORE, NAMES, BETWEEN, ("hunter22", "'x 7'", "dune")):
        text = f"{before}{name}{between}{value}"

        # In a text with `login` each word is read closely.
        assert redact(f"xlogin\n{text} and more") == f"xlogin\n{redact(f'{text} and more')}"


@given(words=st.lists(st.text("abcdefgh_-.", min_size=1, max_size=6).map(lambda word: f"{word}_x"), min_size=1))
def test_any_of_many_words_is_found(words: list[str]) -> None:
    """However many begin or end alike, and no other."""
    pattern = re.compile(find_any("_", words))

    assert [bool(pattern.search(f"so {word}!")) for word in words] == [True] * len(words)
    assert not pattern.search("so no")
    assert bool(pattern.search("i_x")) is ("i_x" in words)


def test_a_text_with_every_sign_between_names_and_values_is_searched() -> None:
    """However many of them stand beside the one that counts."""
    others = """a=1 b:"2" c:'3' -d >e %3 it is so, it was so, ENV x, setenv y, login z, &quot;q&quot;, """

    assert redact(f"{others} password=letmein") == f"{others} password=[redacted]"


@pytest.mark.parametrize("number", range(8))
def test_what_is_a_secret_by_itself_is_one_among_others(number: int) -> None:
    """Texts are searched together, but those that were before: the end of a key, and a name among other words."""

    def others(name: str) -> list[str]:
        return [f"a harmless text {name}-{number}-{other}" for other in range(number)]

    assert contain_no_secrets([*others("a"), f"none-{number}"])
    assert not contain_no_secrets([*others("b"), f"MII{number}\n-----END RSA PRIVATE KEY-----"])
    assert not contain_no_secrets([*others("c"), "password", "the secretary"])


@pytest.mark.parametrize("length", [1, 1000])
@pytest.mark.parametrize("together", [1, 20])
def test_the_memory_of_clean_texts_is_bounded(length: int, together: int) -> None:
    """However many texts come, what is kept of them has a limit; each short one takes more than its letters."""
    clean, most = Clean(), 0
    entry = max(length, 5) + ENTRY_CHARACTERS

    for number in range(0, CLEAN_CHARACTERS // entry + 40, together):
        clean.keep([f"{number + more:0{length}}" for more in range(together)])
        most = max(most, len(clean))

    assert CLEAN_CHARACTERS / 2 < most * entry <= CLEAN_CHARACTERS + 5 * most


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Basic", "basic", "BASIC"])
def test_what_follows_a_scheme_is_a_secret_however_it_is_written(scheme: str) -> None:
    """Also in a text that has no header's name."""
    assert redact(f"sent {scheme} a1b2c3d4e5f6g7h8i9j0") == f"sent {scheme} [redacted]"
