"""The service as a process, between real databases and stubbed neighbours."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.asyncio import Redis

from tests.integration.conftest import Running
from tests.integration.stubs import Neighbours

ORDER = {
    "customer_id": "cust-xyz789",
    "email": "reader@example.com",
    "payment_method": "pm_card_visa",
}
BOOK = "/carts/cust-xyz789/books/clean-code"


async def test_order_through_http_is_charged_kept_and_logged(
    redis: Redis, running: Running, neighbours: Neighbours
) -> None:
    headers = {"X-Correlation-ID": "req-def456"}

    cart = running.http.put(BOOK, json={"title": "Clean Code"}, headers=headers)
    placed = running.http.post("/orders", json=ORDER, headers=headers)
    again = running.http.post("/orders", json=ORDER)
    found = running.http.get(f"/orders/{placed.json()['order_id']}")
    ready = running.http.get("/health/ready")
    logs = running.stop()

    assert (cart.status_code, cart.json()["amount"]) == (200, "100.00")
    assert (placed.status_code, placed.json()["status"]) == (201, "paid")
    assert again.status_code == 409
    assert found.json() == placed.json()
    assert ready.status_code == 200
    assert neighbours.idempotency_keys == [placed.json()["order_id"]]
    assert neighbours.correlation_ids == ["req-def456", "req-def456"]
    events = {line["event"]: line for line in logs}
    assert events["payment_processed"]["correlation_id"] == "req-def456"
    assert events["order_placed"]["amount"] == "100.00"
    assert events["confirmation_failed"]["level"] == "error"  # there is no mail relay here


# --8<-- [start:graceful-shutdown]
async def test_process_told_to_stop_finishes_request_in_flight(
    redis: Redis, running: Running, neighbours: Neighbours
) -> None:
    neighbours.payment_seconds = 1
    running.http.put(BOOK, json={"title": "Clean Code"})

    with ThreadPoolExecutor() as pool:
        request = pool.submit(running.http.post, "/orders", json=ORDER)
        neighbours.payment_asked.wait(timeout=5)
        logs = running.stop()
        response = request.result()

    assert (response.status_code, response.json()["status"]) == (201, "paid")
    assert running.process.returncode in (0, -signal.SIGTERM)
    assert {"stopped", "Application shutdown complete."} <= {line["event"] for line in logs}


# --8<-- [end:graceful-shutdown]


@pytest.mark.usefixtures("unreachable_redis")
def test_ready_while_redis_is_away_returns_503_and_live_stays_200(
    request: pytest.FixtureRequest,
) -> None:
    running: Running = request.getfixturevalue("running")

    ready = running.http.get("/health/ready")
    live = running.http.get("/health/live")

    assert (ready.status_code, ready.json()["failed"]) == (503, ["redis"])
    assert live.status_code == 200
