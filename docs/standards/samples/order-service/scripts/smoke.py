"""Smoke test: does the service that was just deployed work at all? It changes nothing.

With TOKEN (see customer_token.py), it also asks as a customer. Production trusts no test key.
"""

import os
import sys
from collections.abc import Sequence
from uuid import uuid4

import httpx


class SmokeError(Exception):
    """The service does not do what it should."""


def expect(name: str, actual: object, expected: object) -> None:
    """Raise unless the two are the same."""
    if actual != expected:
        raise SmokeError(f"{name}: expected {expected}, got {actual}")


# --8<-- [start:smoke]
def smoke(http: httpx.Client, token: str | None = None) -> None:
    """Ask what can be asked without leaving a trace."""
    correlation_id = f"smoke-{uuid4()}"
    headers = {"X-Correlation-ID": correlation_id}
    live = http.get("/health/live", headers=headers)
    expect("/health/live", live.status_code, 200)
    expect("correlation ID", live.headers.get("X-Correlation-ID"), correlation_id)
    order = f"/orders/{correlation_id}"
    expect("an order without a token", http.get(order).status_code, 401)
    if token is None:
        return
    # A 404 of our own comes from a query: the whole way to the database works.
    missing = http.get(order, headers={"Authorization": f"Bearer {token}"})
    expect("an unknown order", missing.status_code, 404)
    expect("its error", missing.json().get("error"), "OrderNotFound")


# --8<-- [end:smoke]


def main(arguments: Sequence[str]) -> int:
    """Test the service at the URL given; 1 with the reason if it does not work."""
    if len(arguments) != 1:
        print("usage: smoke.py URL", file=sys.stderr)
        return 2
    try:
        with httpx.Client(base_url=arguments[0], timeout=5) as http:
            smoke(http, os.environ.get("TOKEN"))
    except (SmokeError, httpx.HTTPError, ValueError) as error:
        print(f"smoke test failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
