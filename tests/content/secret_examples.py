"""Examples of secrets: keys of services, and names of fields that hold one."""

import re

from agentops_otel.content.secret_shapes import PREFIXES

BODY = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"

HEX = "0123456789abcdef" * 3

_BODIES = (
    *(
        BODY,
        BODY.lower(),
        BODY.upper(),
        BODY * 2,
        HEX[:32],
        HEX[:40],
        f"b-1234567890-{BODY}",
        f"xoxb-1-{BODY}",
        f"Ab{BODY}",
    ),
    *(f"{BODY}.{BODY}", f"{BODY.upper()}.{BODY.upper()}"),
)

EXAMPLES = {
    prefix: prefix + example
    for row in PREFIXES.values()
    for prefix, body in row.items()
    for example in _BODIES
    if re.fullmatch(body, example)
}

SECRETS = {
    "openai": "sk-proj-a1B2c3D4e5F6g7H8i9J0",
    "anthropic": "sk-ant-api03-a1B2c3D4-e5F6_g7H8i9J0",
    "github": "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "github fine": "github_pat_11AAAAAAA0a1B2c3D4e5F6_g7H8i9J0",
    "gitlab": "glpat-a1B2c3D4e5F6g7H8",
    "slack": "xoxb-1234567890-a1B2c3D4e5F6",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "google": "AIzaSyA1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q",
    "stripe": "sk_live_a1B2c3D4e5F6g7H8",
    "hugging face": "hf_a1B2c3D4e5F6g7H8i9J0",
    "groq": "gsk_a1B2c3D4e5F6g7H8i9J0",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabcd\n-----END RSA PRIVATE KEY-----",
}

SECRET_NAMES = """
    api_key apiKey API-KEY x-api-key OPENAI_API_KEY apikey APIKey openai_key
    authorization Proxy-Authorization
    password passwd db_password userPassword passphrase pwd secret client_secret secretKey
    token access_token accessToken id_token HF_TOKEN refresh_tokens access_key aws_secret_access_key private_key
    ssh_key cookie Set-Cookie cookies credential
    credentials connection_string connectionString auth sessionid session_token csrftoken jwt dsn
    password1 password_2 PGPASSWORD userpassword bearer basic_auth http_auth githubToken NPMTOKEN xapikey api_key_2
    creds DB_CRED clientsecret seed_phrase totp SENTRY_DSN passkey mysql_pwd MYSQLPWD _authToken //registry/:_authToken
"""

IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 100
