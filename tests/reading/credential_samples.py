"""Credentials of every kind that the check finds, and texts that only look like credentials.

No credential is in this file as a whole: each is made of a prefix and random characters when a test
runs. A scanner of the repository therefore finds nothing here.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Mapping
from typing import Final

Make = Callable[[random.Random], str]
"""A function that makes a text from random characters."""

WORD: Final = string.ascii_letters + string.digits
LOWER: Final = string.ascii_lowercase + string.digits
UPPER: Final = string.ascii_uppercase + string.digits
HEX: Final = string.digits + "abcdef"
URL_SAFE: Final = WORD + "-_"
BASE64: Final = WORD + "+/"
BASE32: Final = string.ascii_uppercase + "234567"
BECH32: Final = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"


def chars(chance: random.Random, alphabet: str, count: int) -> str:
    """Return random characters. The first and the last are never a mark such as `-`."""
    middle = "".join(chance.choices(alphabet, k=count - 2))
    marks = [character for character in alphabet if character.isalnum()]
    return chance.choice(marks) + middle + chance.choice(marks)


def after(prefix: str, alphabet: str, count: int, suffix: str = "") -> Make:
    """Make a prefix, random characters and a suffix."""
    return lambda chance: f"{prefix}{chars(chance, alphabet, count)}{suffix}"


def joined(*parts: str | tuple[str, int]) -> Make:
    """Make fixed texts and random characters, one after the other."""
    return lambda chance: "".join(
        part if isinstance(part, str) else chars(chance, *part) for part in parts
    )


def make_uuid(chance: random.Random) -> str:
    """Make a UUID."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def encode_json(value: Mapping[str, object]) -> str:
    """Return JSON as base64 for URLs, without padding."""
    text = json.dumps(value, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def make_jwt(chance: random.Random, payload: Mapping[str, object] | None = None) -> str:
    """Make a JSON Web Token."""
    head = encode_json({"alg": "RS256", "typ": "JWT"})
    body = encode_json(payload or {"iss": "https://issuer.example", "sub": "deploy", "exp": 2**31})
    return f"{head}.{body}.{chars(chance, URL_SAFE, 86)}"


def make_key(kind: str) -> Make:
    """Make a private key of a kind, such as `RSA `."""
    begin, end = (f"-----{mark} {kind}" + "PRIVATE KEY-----" for mark in ("BEGIN", "END"))

    def make(chance: random.Random) -> str:
        lines = [chars(chance, BASE64, 64) for _ in range(4)]
        return "\n".join([begin, *lines, end])

    return make


def make_google_key(chance: random.Random) -> str:
    """Make the JSON of a Google service account."""
    key = make_key("")(chance).replace("\n", "\\n")
    return f'{{"type": "service_account", "private_key": "{key}\\n"}}'


def make_putty_key(chance: random.Random) -> str:
    """Make a private key of PuTTY."""
    return "PuTTY-User-Key" + f"-File-3: ssh-ed25519\nEncryption: none\n{chars(chance, BASE64, 64)}"


CREDENTIALS: Final[Mapping[str, Make]] = {
    # Cloud providers
    "AWS access key": after("AK" + "IA", BASE32, 16),
    "AWS session key": after("AS" + "IA", BASE32, 16),
    "AWS secret key in a file": joined("aws_secret_access_key = ", (BASE64, 40)),
    "AWS secret key in JSON": joined('"SecretAccessKey": "', (BASE64, 40), '"'),
    "AWS Bedrock key": after("AB" + "SK", BASE64, 128, "="),
    "Azure storage key": joined("AccountKey=", (BASE64, 86), "=="),
    "Azure client secret": joined((WORD, 3), "8" + "Q~", (WORD, 34)),
    "Google API key": after("AI" + "za", URL_SAFE, 35),
    "Google client secret": after("GOC" + "SPX-", URL_SAFE, 28),
    "Google access token": after("ya" + "29.", URL_SAFE, 120),
    "Google service account": make_google_key,
    "Alibaba access key": after("LT" + "AI", WORD, 20),
    "DigitalOcean token": after("dop" + "_v1_", HEX, 64),
    "Heroku key": after("HRKU" + "-AA", URL_SAFE, 58),
    "Cloudflare origin key": joined("v1.0" + "-", (HEX, 24), "-", (HEX, 146)),
    "Fly token": after("FlyV1 " + "fm2_", BASE64, 200),
    # Code hosts and registries
    "GitHub token": after("gh" + "p_", WORD, 36),
    "GitHub OAuth token": after("gh" + "o_", WORD, 36),
    "GitHub app token": after("gh" + "s_", WORD, 36),
    "GitHub refresh token": after("gh" + "r_", WORD, 76),
    "GitHub fine-grained token": joined("github" + "_pat_", (WORD, 22), "_", (WORD, 59)),
    "GitLab token": after("gl" + "pat-", URL_SAFE, 20),
    "GitLab routable token": joined("gl" + "pat-", (URL_SAFE, 27), ".01.", (LOWER, 9)),
    "GitLab deploy token": after("gl" + "dt-", URL_SAFE, 20),
    "GitLab runner token": after("gl" + "rt-", URL_SAFE, 20),
    "GitLab registration token": after("GR" + "1348941", URL_SAFE, 20),
    "Bitbucket app password": after("AT" + "BB", WORD, 32),
    "Atlassian token": after("ATAT" + "T3xFfGF0", URL_SAFE, 171, "=1A2B3C4D"),
    "npm token": after("np" + "m_", WORD, 36),
    "npm token in a file": lambda chance: f"//npm.example/:_auth{'Token'}={make_uuid(chance)}",
    "PyPI token": after("pypi" + "-AgEIcHlwaS5vcmc", URL_SAFE, 150),
    "RubyGems key": after("ruby" + "gems_", HEX, 48),
    "crates.io token": after("ci" + "o", WORD, 32),
    "NuGet key": after("oy" + "2", LOWER, 43),
    "Docker Hub token": after("dckr" + "_pat_", URL_SAFE, 27),
    "Artifactory key": after("AK" + "Cp", WORD, 69),
    # Operations
    "Vault token": after("hv" + "s.", URL_SAFE, 95),
    "Vault batch token": after("hv" + "b.", URL_SAFE, 140),
    "Terraform token": joined((WORD, 14), ".atlas" + "v1.", (URL_SAFE, 67)),
    "Pulumi token": after("pul" + "-", HEX, 40),
    "Doppler token": after("dp" + ".pt.", WORD, 43),
    "Grafana service account": joined("gl" + "sa_", (WORD, 32), "_", (HEX, 8)),
    "Grafana Cloud token": after("gl" + "c_", BASE64, 80, "="),
    "New Relic key": after("NR" + "AK-", UPPER, 27),
    "Dynatrace token": joined("dt0" + "c01.", (UPPER, 24), ".", (UPPER, 64)),
    "Sentry token": after("sn" + "tryu_", HEX, 64),
    "Sonar token": after("sq" + "u_", HEX, 40),
    "CircleCI token": joined("CCI" + "PAT_", (WORD, 22), "_", (HEX, 40)),
    "Buildkite token": after("bk" + "ua_", HEX, 40),
    "Tailscale key": joined("tskey" + "-auth-", (WORD, 12), "CNTRL-", (WORD, 32)),
    "Databricks token": after("da" + "pi", HEX, 32),
    "PlanetScale password": after("pscale" + "_pw_", URL_SAFE, 43),
    "Supabase token": after("sb" + "p_", HEX, 40),
    "1Password service account": joined("op" + "s_eyJ", (URL_SAFE, 300)),
    "age key": after("AGE" + "-SECRET-KEY-1", BECH32, 58),
    # Messages and work
    "Slack bot token": joined(
        "xo" + "xb-", (string.digits, 12), "-", (string.digits, 12), "-", (WORD, 24)
    ),
    "Slack app token": joined(
        "xa" + "pp-1-", (UPPER, 11), "-", (string.digits, 13), "-", (HEX, 64)
    ),
    "Slack webhook": joined(
        "https://hooks.slack" + ".com/services/T", (UPPER, 10), "/B", (UPPER, 10), "/", (WORD, 24)
    ),
    "Discord webhook": joined(
        "https://discord" + ".com/api/webhooks/", (string.digits, 18), "/", (URL_SAFE, 68)
    ),
    "Teams webhook": lambda chance: (
        f"https://shop.webhook{'.office.com'}/webhookb2/{make_uuid(chance)}@{make_uuid(chance)}"
        f"/IncomingWebhook/{chars(chance, HEX, 32)}/{make_uuid(chance)}"
    ),
    "Telegram token": joined((string.digits, 10), ":A" + "A", (URL_SAFE, 33)),
    "Notion token": after("nt" + "n_", WORD, 46),
    "Linear key": after("lin" + "_api_", WORD, 40),
    "Airtable token": joined("pa" + "t", (WORD, 14), ".", (HEX, 64)),
    "Figma token": after("fi" + "gd_", URL_SAFE, 40),
    "Postman key": joined("PM" + "AK-", (HEX, 24), "-", (HEX, 34)),
    # Payment and mail
    "Stripe key": after("sk" + "_live_", WORD, 24),
    "Stripe restricted key": after("rk" + "_live_", WORD, 99),
    "Stripe webhook secret": after("wh" + "sec_", WORD, 32),
    "Square token": after("sq0" + "csp-", URL_SAFE, 43),
    "Shopify token": after("shp" + "at_", HEX, 32),
    "SendGrid key": joined("S" + "G.", (URL_SAFE, 22), ".", (URL_SAFE, 43)),
    "Mailgun key": after("MAILGUN_API_KEY=ke" + "y-", HEX, 32),
    "Mailchimp key": joined((HEX, 32), "-u" + "s12"),
    # Models
    "OpenAI key": joined("sk" + "-", (WORD, 20), "T3Blbk" + "FJ", (WORD, 20)),
    "OpenAI project key": joined("sk" + "-proj-", (URL_SAFE, 74), "T3Blbk" + "FJ", (URL_SAFE, 74)),
    "Anthropic key": after("sk" + "-ant-api03-", URL_SAFE, 93, "AA"),
    "Hugging Face token": after("hf" + "_", string.ascii_letters, 34),
    "Groq key": after("gs" + "k_", WORD, 52),
    "Replicate token": after("r8" + "_", WORD, 37),
    # Keys and passwords
    "private key": make_key(""),
    "RSA key": make_key("RSA "),
    "EC key": make_key("EC "),
    "OpenSSH key": make_key("OPENSSH "),
    "encrypted key": make_key("ENCRYPTED "),
    "PGP key": lambda chance: make_key("PGP ")(chance).replace("KEY-----", "KEY BLOCK-----"),
    "PuTTY key": make_putty_key,
    "JSON Web Token": make_jwt,
    "password in a database URL": joined("postgres://orders:", (WORD, 14), "@db.example/orders"),
    "password in a message URL": joined("amqp://orders:", (WORD, 14), "@mq.example"),
    "password in a query": joined("https://host.example/?user=a&password=", (WORD, 14)),
}


def make_text(name: str, seed: int = 0) -> str:
    """Return the credential of a kind, from a random generator with this seed."""
    return CREDENTIALS[name](random.Random(f"{name} {seed}"))  # noqa: S311 - samples, no secrets


def repeat(prefix: str, count: int, suffix: str = "") -> Make:
    """Make a prefix and a mask."""
    return lambda chance: f"{prefix}{'x' * count}{suffix}"


def fixed(*parts: str) -> Make:
    """Make a fixed text. It is in parts, so that scanners do not find it in this file."""
    return lambda chance: "".join(parts)


LOOK_ALIKES: Final[Mapping[str, Make]] = {
    # Hashes and ids
    "Git commit": after("commit ", HEX, 40),
    "short Git commit": after("fixed in ", HEX, 12),
    "MD5": after("etag: ", HEX, 32),
    "SHA-256": after("sha256:", HEX, 64),
    "SHA-512": after("", HEX, 128),
    "image digest": after("registry.example/orders@sha256:", HEX, 64),
    "hash of a Python package": after("--hash=sha256:", HEX, 64),
    "integrity of a Node package": after('"integrity": "sha512-', BASE64, 86, '=="'),
    "integrity attribute": after('<script integrity="sha384-', BASE64, 64, '">'),
    "UUID": make_uuid,
    "UUID in a path": lambda chance: f"/api/orders/{make_uuid(chance)}/items",
    "ULID": after("01", "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24),
    "trace id": joined("traceparent: 00-", (HEX, 32), "-", (HEX, 16), "-01"),
    "pod name": joined("orders-", (LOWER, 10), "-", (LOWER, 5)),
    "cache key": after("cache-key-", HEX, 32),
    "bucket in a region": after("", HEX, 32, "-us-east-1"),
    "branch name": after("feature/sk-", LOWER, 30),
    "AWS account and role": fixed("arn:aws:iam::123456789012:role/orders-deploy"),
    "AWS resource": after("vpc-", HEX, 17),
    "fingerprint of an SSH key": after("SHA256:", BASE64, 43),
    "time in nanoseconds": fixed("1764152512000000000"),
    # Public parts of keys
    "public SSH key": after("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", BASE64, 43),
    "public key": lambda chance: make_key("")(chance).replace("PRIVATE", "PUBLIC"),
    "certificate": lambda chance: make_key("")(chance).replace("PRIVATE KEY", "CERTIFICATE"),
    "age recipient": after("age1", BECH32.lower(), 58),
    "public Stripe key": after("pk" + "_live_", WORD, 24),
    # Published examples
    "example key of AWS": fixed("AK" + "IA", "IOSFODNN7EXAMPLE"),
    "example secret of AWS": fixed(
        "aws_secret_access_key = wJalr", "XUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    ),
    "key of the Azure emulator": fixed(
        "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6",
        "tq/K1SZFPTOtr/KBHBeksoGMGw==",
    ),
    "example of jwt.io": lambda chance: make_jwt(
        chance, {"sub": "1234567890", "name": "John Doe", "iat": 1516239022}
    ),
    "test key of Stripe": fixed("sk" + "_test_", "4eC39HqLyjWDarjtT1zdp7dc"),
    # Placeholders
    "placeholder of GitHub": fixed("GITHUB_TOKEN=ghp", "_your-token"),
    "masked GitHub token": repeat("gh" + "p_", 36),
    "masked fine-grained token": repeat("github" + "_pat_", 22, "_" + "x" * 59),
    "masked GitLab token": repeat("gl" + "pat-", 20),
    "masked AWS key": fixed("AK" + "IA", "X" * 16),
    "masked Stripe key": repeat("sk" + "_live_", 24),
    "masked SendGrid key": repeat("S" + "G.", 22, "." + "x" * 43),
    "Slack placeholder": fixed("xo" + "xb-", "your-bot-token"),
    "Slack webhook placeholder": fixed(
        "https://hooks.slack.com/", "services/T00000000/B00000000/", "X" * 24
    ),
    "token variable": fixed("//npm.example/:_authToken=${NPM_TOKEN}"),
    "secret of a workflow": fixed("token: ${{ secrets.GITHUB_TOKEN }}"),
    "header of a private key in a sentence": fixed(
        "A file with BEGIN PRIVATE ", "KEY is a secret."
    ),
    "password variable in a URL": fixed("postgres://orders:$PGPASSWORD@db.example/orders"),
    "password placeholder in a URL": fixed("postgres://user:password@db.example/orders"),
    "hidden password in a URL": fixed("amqp://orders:***@mq.example"),
    "user in a URL": fixed("ssh://git@git.example/orders.git"),
    "port in a URL": fixed("http://db.example:5432/orders@v1"),
    "password placeholder in a query": fixed("https://host.example/?password=<password>"),
    "bearer placeholder": fixed("Authorization: Bearer <token>"),
    # Words and code
    "identifier with npm": fixed("npm_config_registry_timeout_in_seconds_default"),
    "identifier with hf": fixed("hf_hub_download_snapshot_of_a_repository_now"),
    "identifier with gsk": fixed("gsk_transform_to_matrix_and_translate_by_offset"),
    "Kubernetes secret name": fixed("secretName: orders-database-credentials-v2"),
    "name of a Vault path": fixed("vault kv get secret/data/orders/database"),
    "Vault domain": fixed("hvs.example.com/a-long-path-of-some-service/and-more-of-it"),
    "base64 of text": fixed("data: aGVsbG8gd29ybGQsIHRoaXMgaXMgYSBsb25nIHRleHQ="),
    "picture in base64": after("data:image/png;base64,iVBORw0KGgo", BASE64, 4_000),
    "long path": fixed(
        "/usr/lib/python3/dist-packages/cryptography/hazmat/primitives/serialization"
    ),
    "Telegram-like time": fixed("1234567890:ABCDEF"),
    "PromQL": fixed('sum(rate(http_requests_total{job="orders",code=~"5.."}[5m])) by (instance)'),
    "version": fixed("v1.0-20240102030405-0123456789ab"),
}


def make_look_alike(name: str, seed: int = 0) -> str:
    """Return the text that looks like a credential, from a random generator with this seed."""
    return LOOK_ALIKES[name](random.Random(f"{name} {seed}"))  # noqa: S311 - samples, no secrets
