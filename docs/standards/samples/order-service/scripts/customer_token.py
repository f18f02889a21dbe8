"""Sign tokens for tests: `new` makes a pair of keys, `sign SUBJECT` prints a token."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "order-service"
MINUTES = 15


def new_keys(key_id: str) -> tuple[str, str]:
    """Return a private key, and a set of keys with its public half, as JSON."""
    private = jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), True)
    private |= {"kid": key_id, "alg": "ES256"}
    public = {name: value for name, value in private.items() if name not in ("d", "key_ops")}
    return json.dumps(private), json.dumps({"keys": [public]})


def sign(key: str, subject: str, *, issuer: str, scope: str = "", minutes: int = MINUTES) -> str:
    """Return a token of the subject."""
    jwk = jwt.PyJWK.from_json(key)
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": subject,
        "scope": scope,
        "exp": datetime.now(UTC) + timedelta(minutes=minutes),
    }
    return jwt.encode(claims, jwk.key, algorithm="ES256", headers={"kid": jwk.key_id})


def main(arguments: Sequence[str] | None = None) -> int:
    """Print keys or a token; the private key and the issuer come from the environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("new", help="print TEST_TOKEN_KEY (secret) and TOKEN_KEYS (public)")
    command = commands.add_parser("sign", help="print a token")
    command.add_argument("subject")
    command.add_argument("--minutes", type=int, default=MINUTES, help="until it expires")
    options = parser.parse_args(arguments)
    if options.command == "new":
        private, public = new_keys("test")
        print(f"TEST_TOKEN_KEY={private}\nTOKEN_KEYS={public}")
        return 0
    if not {"TEST_TOKEN_KEY", "TOKEN_ISSUER"} <= os.environ.keys():
        print("TEST_TOKEN_KEY and TOKEN_ISSUER must be set", file=sys.stderr)
        return 2
    key, issuer = os.environ["TEST_TOKEN_KEY"], os.environ["TOKEN_ISSUER"]
    print(sign(key, options.subject, issuer=issuer, minutes=options.minutes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
