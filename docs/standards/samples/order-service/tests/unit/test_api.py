"""The HTTP interface, from request to answer."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import stripe
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from order_service import dependencies
from order_service.app import create_app
from order_service.clients import BookPrice
from order_service.domain import BookId, OutOfStockError, PaymentDeclinedError
from order_service.flags import FeatureFlags
from order_service.postgres import PoolTimeoutError
from order_service.settings import Settings
from tests.unit.fakes import Backing, bearer, make_settings

ORDER = {
    "customer_id": "cust-xyz789",
    "email": "reader@example.com",
    "payment_method": "pm_card_visa",
}


def customer(settings: Settings, backing: Backing) -> TestClient:
    return TestClient(create_app(settings, backing.build), headers=bearer("cust-xyz789"))


def fill_cart(client: TestClient) -> dict[str, Any]:
    response = client.put("/carts/cust-xyz789/books/clean-code", json={"title": "Clean Code"})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_put_book_that_is_for_sale_returns_cart_with_price(client: TestClient) -> None:
    cart = fill_cart(client)

    assert cart == {
        "customer_id": "cust-xyz789",
        "items": [
            {"book_id": "clean-code", "title": "Clean Code", "price": "100.00", "quantity": 1}
        ],
        "amount": "100.00",
        "currency": "USD",
    }


@pytest.mark.parametrize(
    ("book_id", "status", "error"),
    [("unknown", 404, "BookNotFound"), ("out-of-print", 409, "BookUnavailable")],
)
def test_put_book_that_is_not_for_sale_says_why(
    client: TestClient, backing: Backing, book_id: str, status: int, error: str
) -> None:
    backing.catalog.prices[BookId("out-of-print")] = BookPrice(Decimal(1), "USD", available=False)

    response = client.put(f"/carts/cust-xyz789/books/{book_id}", json={"title": "A Book"})

    assert (response.status_code, response.json()["error"]) == (status, error)


@pytest.mark.parametrize("title", ["\ud800", "Clean\0Code", "Clean\nCode", "", "x" * 201])
def test_put_book_with_malformed_title_returns_422(client: TestClient, title: str) -> None:
    response = client.put(
        "/carts/cust-xyz789/books/clean-code",
        content=json.dumps({"title": title}),
        headers={"Content-Type": "application/json"},
    )

    [error] = response.json()["detail"]
    assert (response.status_code, error["loc"]) == (422, ["body", "title"])


def test_put_book_with_title_beyond_ascii_keeps_it(client: TestClient) -> None:
    title = "Ça va? 三体 📚"

    response = client.put("/carts/cust-xyz789/books/clean-code", json={"title": title})

    assert response.json()["items"][0]["title"] == title


def test_post_order_with_full_cart_returns_paid_order(client: TestClient) -> None:
    fill_cart(client)

    response = client.post("/orders", json=ORDER)

    order = response.json()
    assert (response.status_code, order["status"], order["amount"]) == (201, "paid", "100.00")
    assert client.get(f"/orders/{order['order_id']}").json() == order


def test_post_order_with_empty_cart_returns_409(client: TestClient) -> None:
    response = client.post("/orders", json=ORDER)

    assert (response.status_code, response.json()["error"]) == (409, "EmptyCart")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "nul\x00@b.example"),
        ("email", "a@b\r\nBcc: c@d"),
        ("email", "\ud800@b.example"),
        ("coupon", "\ud800"),
        ("payment_method", "4242"),
    ],
)
def test_post_order_with_malformed_field_returns_422(
    client: TestClient, field: str, value: str
) -> None:
    body = json.dumps({**ORDER, field: value})
    response = client.post("/orders", content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 422
    assert value not in response.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OutOfStockError("none left"), 409),
        (PaymentDeclinedError("declined"), 402),
        (stripe.RateLimitError("too many"), 503),
        (PoolTimeoutError("busy"), 503),
        (ZeroDivisionError(), 500),
    ],
)
def test_post_order_that_fails_answers_by_kind_of_failure(
    client: TestClient, backing: Backing, error: Exception, status: int
) -> None:
    fill_cart(client)
    backing.payments.error = error

    response = client.post("/orders", json=ORDER)

    assert response.status_code == status
    assert set(response.json()) == {"error", "detail"}


def test_post_order_at_rate_limit_logs_name_the_runbook_looks_for(
    client: TestClient, backing: Backing, json_logs: Callable[[], list[dict[str, Any]]]
) -> None:
    fill_cart(client)
    backing.payments.error = stripe.RateLimitError("too many")

    client.post("/orders", json=ORDER)

    errors = [line for line in json_logs() if line["level"] == "error"]
    assert {line["error_type"] for line in errors} == {"RateLimitError"}


def test_get_order_that_does_not_exist_returns_404(client: TestClient) -> None:
    response = client.get("/orders/ord-abc123")

    assert (response.status_code, response.json()["error"]) == (404, "OrderNotFound")


# --8<-- [start:flags]
def test_post_order_with_coupon_while_flag_is_off_is_refused(client: TestClient) -> None:
    fill_cart(client)

    response = client.post("/orders", json={**ORDER, "coupon": "SAVE20"})

    assert (response.status_code, response.json()["error"]) == (422, "UnknownCoupon")


def test_post_order_with_coupon_while_flag_is_on_is_discounted(backing: Backing) -> None:
    settings = make_settings(FeatureFlags(_env_file=None, new_checkout_flow=True))
    with customer(settings, backing) as client:
        fill_cart(client)

        response = client.post("/orders", json={**ORDER, "coupon": "SAVE20"})

    assert (response.status_code, response.json()["amount"]) == (201, "80.00")


# --8<-- [end:flags]


def test_put_book_while_recommendations_are_on_names_other_books(backing: Backing) -> None:
    settings = make_settings(FeatureFlags(_env_file=None, ai_recommendations=True))

    with customer(settings, backing) as client:
        cart = fill_cart(client)

    assert cart["recommended"] == ["refactoring"]


# --8<-- [start:stateless]
def test_second_process_after_first_died_knows_cart_and_order(backing: Backing) -> None:
    with customer(make_settings(), backing) as first:
        fill_cart(first)

    with customer(make_settings(), backing) as second:
        placed = second.post("/orders", json=ORDER)

    with customer(make_settings(), backing) as third:
        found = third.get(f"/orders/{placed.json()['order_id']}")
    assert placed.status_code == 201
    assert found.json() == placed.json()


# --8<-- [end:stateless]


def test_live_returns_commit(client: TestClient) -> None:
    response = client.get("/health/live")

    assert response.json() == {"status": "ok", "commit": "0123abc"}


def test_ready_once_started_returns_200_and_after_the_end_503(backing: Backing) -> None:
    app = create_app(make_settings(), backing.build)
    before = TestClient(app).get("/health/ready")

    with TestClient(app) as client:
        ready = client.get("/health/ready")

    after = TestClient(app).get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok"})
    assert (before.status_code, after.status_code) == (503, 503)


# --8<-- [start:ready]
def test_ready_of_pod_that_never_reached_redis_returns_503(backing: Backing) -> None:
    backing.redis_error = ConnectionError("refused")

    with customer(make_settings(), backing) as client:
        live = client.get("/health/live")
        ready = client.get("/health/ready")

    assert (live.status_code, ready.status_code) == (200, 503)


def test_ready_when_redis_goes_away_stays_200_and_dependencies_say_so(
    backing: Backing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "INTERVAL_SECONDS", 0.01)

    with customer(make_settings(), backing) as client:
        backing.redis_error = ConnectionError("refused by redis://user:example@redis")
        pings = backing.redis_pings
        while backing.redis_pings < pings + 2:
            client.get("/health/live")
        ready = client.get("/health/ready")
        states = client.get("/health/dependencies")

    assert ready.status_code == 200
    assert states.json() == {"redis": "down"}
    assert REGISTRY.get_sample_value("dependency_up", {"dependency": "redis"}) == 0


# --8<-- [end:ready]


def test_dependencies_asked_often_are_checked_no_more_often(
    client: TestClient, backing: Backing
) -> None:
    checks = backing.redis_pings

    for _ in range(50):
        client.get("/health/dependencies")

    assert backing.redis_pings - checks <= 1  # the schedule's own
