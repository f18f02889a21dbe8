"""Identity: no answer without a token, and no customer sees what is another's."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient

from order_service.identity import AUDIENCE, TokenVerifier, UnauthenticatedError
from scripts import customer_token
from scripts.customer_token import new_keys, sign
from tests.unit.fakes import ISSUER, KEY, KEYS, bearer

BOOK = "/carts/cust-xyz789/books/clean-code"
ORDER = {
    "customer_id": "cust-xyz789",
    "email": "reader@example.com",
    "payment_method": "pm_card_visa",
}
OTHER = bearer("cust-other")


@pytest.fixture
def order_id(client: TestClient) -> str:
    """An order of cust-xyz789."""
    client.put(BOOK, json={"title": "Clean Code"})
    placed = client.post("/orders", json=ORDER)
    return str(placed.json()["order_id"])


# --8<-- [start:others]
def test_cart_of_another_customer_is_forbidden(client: TestClient) -> None:
    response = client.put(BOOK, json={"title": "Clean Code"}, headers=OTHER)

    assert (response.status_code, response.json()["error"]) == (403, "Forbidden")


def test_order_as_another_customer_is_forbidden_and_keeps_their_cart(client: TestClient) -> None:
    client.put(BOOK, json={"title": "Clean Code"})

    refused = client.post("/orders", json=ORDER, headers=OTHER)

    assert refused.status_code == 403
    assert client.post("/orders", json=ORDER).status_code == 201


def test_order_of_another_customer_does_not_exist(client: TestClient, order_id: str) -> None:
    response = client.get(f"/orders/{order_id}", headers=OTHER)

    missing = client.get("/orders/ord-none", headers=OTHER)
    assert response.status_code == missing.status_code == 404
    assert response.json()["error"] == missing.json()["error"]


# --8<-- [end:others]


def test_order_of_another_customer_is_logged_with_ids(
    client: TestClient, order_id: str, json_logs: Callable[[], list[dict[str, Any]]]
) -> None:
    client.get(f"/orders/{order_id}", headers=OTHER)

    [line] = [line for line in json_logs() if line["event"] == "access_denied"]
    assert (line["order_id"], line["subject"]) == (order_id, "cust-other")


def test_order_asked_for_by_a_service_needs_the_scope(client: TestClient, order_id: str) -> None:
    with_scope = client.get(
        f"/orders/{order_id}", headers=bearer("payment-service", "openid orders:read")
    )
    without = client.get(f"/orders/{order_id}", headers=bearer("payment-service"))

    assert (with_scope.status_code, without.status_code) == (200, 404)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", BOOK), ("POST", "/orders"), ("GET", "/orders/ord-abc123")]
)
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic dXNlcjpleGFtcGxl"])
def test_request_without_valid_token_is_unauthenticated(
    client: TestClient, method: str, path: str, header: str
) -> None:
    body = {"title": "Clean Code", **ORDER}

    response = client.request(method, path, json=body, headers={"Authorization": header})

    assert (response.status_code, response.json()["error"]) == (401, "Unauthenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def forged() -> str:
    return sign(new_keys("test")[0], "cust-1", issuer=ISSUER)


def unknown_key() -> str:
    return sign(new_keys("other")[0], "cust-1", issuer=ISSUER)


def expired() -> str:
    return sign(KEY, "cust-1", issuer=ISSUER, minutes=-1)


def of_another_issuer() -> str:
    return sign(KEY, "cust-1", issuer="https://evil.example")


def unsigned() -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "cust-1", "exp": 4_000_000_000}
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "test"})


def signed(**changes: Any) -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "cust-1", "exp": 4_000_000_000} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(
        claims, jwt.PyJWK.from_json(KEY).key, algorithm="ES256", headers={"kid": "test"}
    )


@pytest.mark.parametrize(
    "token",
    [
        forged,
        unknown_key,
        expired,
        of_another_issuer,
        unsigned,
        lambda: signed(aud="catalog-service"),
        lambda: signed(sub=None),
        lambda: signed(exp=None),
    ],
    ids=[
        "forged",
        "unknown-key",
        "expired",
        "another-issuer",
        "unsigned",
        "another-audience",
        "no-subject",
        "no-expiry",
    ],
)
def test_token_that_is_not_valid_is_refused(token: Callable[[], str]) -> None:
    verifier = TokenVerifier(ISSUER, KEYS)

    with pytest.raises(UnauthenticatedError):
        verifier.verify(token())


def test_token_of_the_command_is_accepted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    customer_token.main(["new"])
    variables = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    monkeypatch.setenv("TEST_TOKEN_KEY", variables["TEST_TOKEN_KEY"])
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)

    status = customer_token.main(["sign", "cust-1"])

    token = capsys.readouterr().out.strip()
    caller = TokenVerifier(ISSUER, variables["TOKEN_KEYS"]).verify(token)
    assert (status, caller.subject) == (0, "cust-1")
    assert '"d"' not in variables["TOKEN_KEYS"]


def test_token_without_key_is_not_signed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TEST_TOKEN_KEY", raising=False)

    status = customer_token.main(["sign", "cust-1"])

    assert status == 2
    assert "TEST_TOKEN_KEY" in capsys.readouterr().err
