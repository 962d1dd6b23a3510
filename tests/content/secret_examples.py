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

PREFIXES_OF_KEYS = """
    sk- sess- xapp- GOCSPX- xai- glpat- gldt- glrt- glsoat- glptt- glcbt- glft- glimt- glagent- pplx- nvapi- tvly-
    csk- fc- pa- pypi- PMAK- NRAK- CFPAT- HRKU- pul- key- sq0atp- sq0csp- AGE-SECRET-KEY- bedrock-api-key- as-
    ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ hf_ api_org_ gsk_ r8_ sk_live_ sk_test_ rk_live_ rk_test_ sk_org_ sk_
    whsec_ npm_ dop_v1_ doo_v1_ dor_v1_ lsv2_ ls__ shpat_ shpca_ shppa_ shpss_ pcsk_ tgp_v1_ fw_ esecret_ e2b_
    jina_ wandb_v1_ ntn_ secret_ lin_api_ lin_oauth_ figd_ sbp_ sb_secret_ napi_ pscale_tkn_ pscale_pw_
    pscale_oauth_ glc_ glsa_ sntrys_ sntryu_ sgp_ CCIPAT_ dckr_pat_ dckr_oat_ rubygems_ nfp_ pnu_ pnb_ rdme_ tfp_
    aio_ CLOJARS_ shippo_live_ shippo_test_ vcp_ vck_ ya29. SG. hvs. hvb. hvr. dp.pt. dp.ct. dp.sa. dp.st. dt0c01.
    AQ. AKIA ASIA ABIA ACCA AIza ABSK ATATT3 ATCTT3 ATBB AKCp LTAI EAA xox eyJ dapi sha256~
"""
"""All of them but `FlyV1 fm`, said a second time: a row that is left out by mistake takes its example with it."""

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
