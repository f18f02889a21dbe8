"""The service as a process, between real databases and stubbed neighbours."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import sqlalchemy as sa
from redis.asyncio import Redis

from order_service.postgres import sqlalchemy_url
from order_service.settings import Settings
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
    dependencies = running.http.get("/health/dependencies")
    logs = running.stop()

    assert (cart.status_code, cart.json()["amount"]) == (200, "100.00")
    assert (placed.status_code, placed.json()["status"]) == (201, "paid")
    assert again.status_code == 409
    assert found.json() == placed.json()
    assert dependencies.json() == {"postgresql": "up", "redis": "up"}
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
        running.process.terminate()
        unready = wait_until_refused(str(running.http.base_url))
        logs = running.stop()
        response = request.result()

    assert unready
    assert (response.status_code, response.json()["status"]) == (201, "paid")
    assert running.process.returncode in (0, -signal.SIGTERM)
    assert {"stopped", "Application shutdown complete."} <= {line["event"] for line in logs}


# --8<-- [end:graceful-shutdown]


def wait_until_refused(url: str) -> bool:
    """Tell whether new connections are refused within a second, as a probe of a drain finds."""
    for _ in range(20):
        try:
            httpx.get(f"{url}/health/ready")
        except httpx.ConnectError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.usefixtures("unreachable_redis")
def test_service_that_never_reached_redis_lives_and_is_not_ready(
    request: pytest.FixtureRequest,
) -> None:
    running: Running = request.getfixturevalue("running")

    live = running.http.get("/health/live")
    ready = running.http.get("/health/ready")
    dependencies = running.http.get("/health/dependencies")
    metrics = running.http.get("/metrics")

    assert (live.status_code, ready.status_code) == (200, 503)
    assert dependencies.json() == {"postgresql": "up", "redis": "down"}
    assert 'dependency_up{dependency="redis"} 0.0' in metrics.text


def test_dependencies_asked_often_open_no_connection(
    running: Running, settings: Settings, database: None
) -> None:
    url = sqlalchemy_url(settings.database_url.get_secret_value())
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    query = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")

    def count() -> int:
        with engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    before = count()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: running.http.get("/health/dependencies"), range(100)))

    assert count() <= before
