"""Names of secrets, each word that makes one, and the words that make a count or an index of it."""

import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from agentops_otel.content.named_values import is_secret_name
from agentops_otel.content.redaction import redact
from agentops_otel.content.secret_names import KeyKind, classify_key
from tests.content.secret_examples import EXAMPLES

OF_SECRETS = """
    password passwords passwd passphrase passcode passkey passkeys user_password password_of_ann
    pwd pwd_old seed_phrase recovery_phrases backupphrase
    secret secrets client_secret secret_name secretkey secret_key secret_keys secret_key_id secretkey_id
    cred creds credential credentials aws_cred credentials_json x_amz_credential x_goog_credential
    apikey api_key api_keys api_key_id access_key accesskey private_key private_keys
    account_key subscription_key signing_key encryption_key master_key shared_key service_key storage_key deploy_key
    ssh_key license_key session_key openai_key anthropic_key azure_key gemini_key google_key mistral_key cohere_key
    groq_key serpapi_key agentops_key langfuse_keys langfuse_key_eu
    authorization x_authorization authorization_header auth oauth
    basic_auth http_auth proxy_auth digest_auth bearer_auth x_auth npm_auth docker_auth registry_auth redis_auth
    smtp_auth ldap_auth my_ldap_auth
    bearer my_bearer cookie cookies set_cookie session_cookie_name
    access_token refresh_tokens auth_token_x api_token bearer_token session_token id_token oauth_token security_tokens
    personal_token secret_token_id token github_token githubtoken
    jwt jwts my_jwt jwt_of sessid sessionid phpsessid jsessionid jsessid
    conn_str connstr connection_string connectionstrings conn_strings db_conn_str_x dsn sentry_dsn
    sig shared_access_signature shared_access_signature_x x_amz_signature x_goog_signature csrf xsrf otp totp
"""
MAYBE = """
    pass db_pass pgpass dbpass sudopass sshpass mysqlpass tavily_key exa_keys a1_key tokens github_tokens github_pat
    my_pat
"""
OF_NONE = """
    passage compass trespasser key keys token_count secretary credit sessions session conn sigma design csrfx author
    authority oauths basic_auths bearers cookiecutter jwtx dsns otps atotp signature x_amz_signatures spat pat my_pats
    monkey keyboard tokenize passes xpass strings connection
"""
COUNTS = {
    "token": "max min prompt next image new pad per",
    "tokens": "max new image total num reasoning cached used tool system user bad prefix suffix chunk all of",
    "key": "primary foreign sort partition cache config s3 map dict json by the a any locale shift is musical low high",
    "keys": "primary metadata has missing low high",
    "pass": "first second forward backward render tests low by boarding compiler optimization can must ski mountain",
}
"""Some of them: the first and the last of each row's words, and some between."""


def spellings(name: str) -> list[str]:
    """The name as it is written in code, variables, headers and options."""
    words = name.split("_")
    return [
        *(name, name.upper(), name.replace("_", "-"), "-".join(word.title() for word in words)),
        *("".join(word.title() for word in words), words[0] + "".join(word.title() for word in words[1:])),
        *(f"_{name}", f"__{name}__", f"--{name}", name.replace("_", "."), f"{name}_"),
    ]


@pytest.mark.parametrize(
    ("names", "kind"),
    [(OF_SECRETS, KeyKind.SECRET), (MAYBE, KeyKind.MAYBE_SECRET), (OF_NONE, None)],
    ids=["secrets", "maybe", "none"],
)
def test_each_word_of_a_secrets_name_is_known_in_every_spelling(names: str, kind: KeyKind | None) -> None:
    """Also with numbers behind it; a name that only looks like one is none."""
    for name in names.split():
        of = {spelling: classify_key(spelling) for spelling in spellings(name)}
        if kind is None:
            assert set(of.values()) <= {KeyKind.PLAIN, KeyKind.MEDIA}, of
        elif "a1" not in name:  # in which a word begins and ends otherwise
            assert set(of.values()) == {kind}, of
            numbered = {f"{name}{number}": classify_key(f"{name}{number}") for number in range(20)}
            numbered |= {f"{name}_{number}": classify_key(f"{name}_{number}") for number in range(20)}
            assert set(numbered.values()) == {kind}, numbered


def test_a_count_or_an_index_is_no_secret() -> None:
    """By the word before the last one, and only beside that."""
    for last, words in COUNTS.items():
        for word in words.split():
            for name in (f"{word}_{last}", f"my_{word}_{last}", f"{word.title()}{last.title()}", f"{word}-{last}_2"):
                assert classify_key(name) in (KeyKind.PLAIN, KeyKind.MEDIA), name
        assert classify_key(f"github_{last}") in (KeyKind.SECRET, KeyKind.MAYBE_SECRET)
    assert classify_key("boarding_token") is KeyKind.SECRET
    assert classify_key("github_high_value_token") is KeyKind.SECRET


def test_a_name_is_read_from_its_end() -> None:
    """The last 64 characters count."""
    assert classify_key(f"{'x' * 200}_password") is KeyKind.SECRET
    assert classify_key(f"password_{'x' * 64}") is KeyKind.PLAIN
    assert classify_key(f"sig{'_' * 300}") is KeyKind.PLAIN
    longest = f"--{'x' * 55}_password:"
    assert len(longest) == 67
    assert is_secret_name(longest)
    assert not is_secret_name(longest.replace("x_", "xx_"))


@pytest.mark.parametrize("name", ["pwd", "dsn", "jwt", "otp", "sig", "-u", "--user", "--api-key", "X-Api-Key:", "pwd="])
def test_a_text_that_is_nothing_but_a_name_is_told(name: str) -> None:
    """Of three characters or more, with a sign behind it or not; what is no name by itself is none."""
    assert is_secret_name(name)
    assert not is_secret_name(f"{name} and")
    assert not is_secret_name(f"{name}?")


@pytest.mark.parametrize("quote", ["'", '"', "%22", "&quot;", "\\'", '\\"', '\\\\"', "\\u0022", "\\u0027"])
@pytest.mark.parametrize("between", [": ", ":", "=", " => ", " := "])
def test_a_value_is_found_in_each_kind_of_quotes(quote: str, between: str) -> None:
    """With its name in them, as in JSON, Python, Ruby and what is written within these."""
    text = f"{quote}password{quote}{between}{quote}let me in{quote}, {quote}n{quote}{between}{quote}1{quote}"

    assert redact(text) == text.replace("let me in", "[redacted]")


@pytest.mark.parametrize("quote", ["'", '"', "&quot;", "\\'", '\\"', "\\u0022", "\\u0027"])
@pytest.mark.parametrize(
    "form",
    [
        "{`value`: `let me in`, `name`: `DB_PASSWORD`} and",
        "{`value`: `let me in`, `name`: `DB_PASSWORD`, `n`: `1`} and",
        "{`name`: `DB_PASSWORD`, `value`: `let me in`} and",
        "(`DB_PASSWORD`, `let me in`), (`n`, `1`)",
        "[`DB_PASSWORD`, `let me in`] and",
        "[`--db-password`, `let me in`, `x`]",
    ],
)
def test_a_value_is_found_beside_its_name_in_each_kind_of_quotes(form: str, quote: str) -> None:
    """As fields, before and after the name, as a pair, and as an option with its value."""
    text = form.replace("`", quote)

    assert redact(text) == text.replace("let me in", "[redacted]")


@pytest.mark.parametrize("write", [quote, quote_plus])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize(
    "value",
    [
        {"password": "letmein", "n": 1},
        {"auth": "letmein"},
        {"name": "DB_PASSWORD", "value": "letmein"},
        {"value": "letmein", "name": "DB_PASSWORD"},
        {"headers": [["X-Api-Key", "letmein"], ["Accept", "x"]]},
        ["run", "--password", "letmein", "x"],
        [["password", "letmein"]],
    ],
)
def test_a_value_is_found_in_json_that_is_written_in_an_address(
    value: object, separators: tuple[str, str], write: Callable[[str], str]
) -> None:
    """As in a query: with every sign encoded, and white space or none."""
    text = f"https://x.org/?data={write(json.dumps(value, separators=separators))}&n=1"

    assert redact(text) == text.replace("letmein", "[redacted]")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("exa_key='a1' exa_key=\"a1\" exa_key=a1", "exa_key='[redacted]' exa_key=\"[redacted]\" exa_key=a1"),
        ("create user ann identified by 'x y'", "create user ann identified by '[redacted]'"),
        ("CREATE USER ann IDENTIFIED BY 'x y'", "CREATE USER ann IDENTIFIED BY '[redacted]'"),
        ("curl -u ann:x7 y", "curl -u ann:[redacted] y"),
        ("curl -u=ann:x7 y", "curl -u=ann:[redacted] y"),
        ("curl --user ann:x7 y", "curl --user ann:[redacted] y"),
        ("curl --user=ann:x7 y", "curl --user=ann:[redacted] y"),
        ("curl -u 'ann:x7' y", "curl -u 'ann:[redacted]' y"),
        ('["curl", "-u", "ann:x7", "y"]', '["curl", "-u", "ann:[redacted]", "y"]'),
        ("curl -H 'Cookie: a=' -d 'x'", "curl -H 'Cookie: [redacted]' -d 'x'"),
        ('curl -H "Cookie: a=" -d "x"', 'curl -H "Cookie: [redacted]" -d "x"'),
        ("sent bearer%20a1b2c3d4e5 on", "sent bearer%20[redacted] on"),
        ("sent Bearer: a1b2c3d4e5 on", "sent Bearer: [redacted] on"),
        ("sent BEARER: a1b2c3d4e5 on", "sent BEARER: [redacted] on"),
        ("sent basic%20a1b2c3d4e5 on", "sent basic%20[redacted] on"),
        ("https://ann@x.org/y", "https://ann@x.org/y"),
        ("https://ann:x7@x.org/y", "https://[redacted]@x.org/y"),
        ("https://x.org:8080/a@b", "https://x.org:8080/a@b"),
        ("u=https%3A%2F%2Fann%3Ax7%21y%40x.org%2Fz", "u=https%3A%2F%2F[redacted]%40x.org%2Fz"),
        ("u=https%3a%2f%2f%3ax7%40x.org%2fz&b=1", "u=https%3a%2f%2f[redacted]%40x.org%2fz&b=1"),
        ("u=https%3A%2F%2Fx.org%3A8080%2Fa%40b", "u=https%3A%2F%2Fx.org%3A8080%2Fa%40b"),
        ("u=https%3A%2F%2Fx.org%2Fa%3Ab%40c", "u=https%3A%2F%2Fx.org%2Fa%3Ab%40c"),
        ("-----BEGIN+PRIVATE+KEY-----\nMII\n-----END+PRIVATE+KEY----- y", "[redacted] y"),
        ("-----BEGIN%20EC%20PRIVATE%20KEY-----MII-----END%20EC%20PRIVATE%20KEY----- y", "[redacted] y"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK----- y", "[redacted] y"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "[redacted]"),
    ],
)  # fmt: skip
def test_a_credential_is_found_in_each_place_for_one(text: str, clean: str) -> None:
    """In commands, statements, headers, addresses and keys, in each way that they are written."""
    assert redact(text) == clean
    assert redact(f"so {text}") == f"so {clean}" or "BEGIN" in text


@pytest.mark.parametrize(
    "name", ["sig", "auth", "authorization", "jwt", "sessionid", "dsn", "Token", "db_password", "A1_KEY"]
)
@pytest.mark.parametrize(
    "url",
    [
        "https://x.org/?to=https%3A%2F%2Fy.org%2F%3Fa%3D1%26{}%3Dlet-me-1n%26b%3D2",
        "https://x.org/?to=https%3a%2f%2fy.org%2f%3f{}%3Dlet-me-1n",
        "https://x.org/?data=%7B%22a%22%3A1%2C%22{}%22%3A%22let-me-1n%22%7D",
        "https://x.org/?data=%7B%22a%22%3A+1%2C+%22{}%22%3A+%22let-me-1n%22%7D",
        "{}%3Dlet-me-1n",
        "{}%3dlet-me-1n",
        "50%{}=let-me-1n",
    ],
)
def test_a_name_in_an_encoded_address_begins_behind_the_encoded_letter(url: str, name: str) -> None:
    """`%26sig%3D`, as where an address is a parameter of another."""
    text = url.format(name)

    assert redact(text) == text.replace("let-me-1n", "[redacted]")


@pytest.mark.parametrize(
    "before", ["%3D", "%3d", "%2f", "%2F", "\\n", "\\t", "\\u0026", "\\u003d", "\\u003D", "%0A", "%0a"]
)
def test_an_escape_before_a_secret_is_no_part_of_it(before: str) -> None:
    """Of a URL in letters of either case, and of JSON: before a key of a known shape, and before a name."""
    for key in (EXAMPLES["sk-"], EXAMPLES["ghp_"], EXAMPLES["AKIA"], EXAMPLES["SG."]):
        assert redact(f"x{before}{key} and") == f"x{before}[redacted] and"
    for name in ("sig", "auth", "jwt", "password"):
        assert redact(f"x{before}{name}=let-me-1n and") == f"x{before}{name}=[redacted] and"
