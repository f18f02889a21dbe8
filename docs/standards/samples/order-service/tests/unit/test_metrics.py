"""Metrics: few series, and no request forgotten."""

import pytest
from fastapi import Response
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY


def requests(**labels: str) -> float:
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0.0


def series() -> set[tuple[str, ...]]:
    return {
        tuple(sample.labels.values())
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "http_requests_total"
    }


def test_requests_to_51_orders_make_one_series(client: TestClient) -> None:
    client.get("/orders/first")
    before = series()
    labels = {"method": "GET", "endpoint": "/orders/{order_id}", "status_code": "404"}
    count = requests(**labels)

    for number in range(51):
        client.get(f"/orders/{number}")

    assert series() == before
    assert requests(**labels) == count + 51


def test_requests_without_route_share_one_series(client: TestClient) -> None:
    labels = {"method": "GET", "endpoint": "unmatched", "status_code": "404"}
    count = requests(**labels)

    for number in range(3):
        client.get(f"/nope-{number}")

    assert requests(**labels) == count + 3


def test_request_with_made_up_method_counts_as_other(client: TestClient) -> None:
    labels = {"method": "other", "endpoint": "/health/live", "status_code": "405"}
    count = requests(**labels)

    client.request("BREW", "/health/live")

    assert requests(**labels) == count + 1


def test_crash_is_counted_as_500(client: TestClient) -> None:
    client.app.add_api_route("/boom", lambda: 1 / 0)  # type: ignore[attr-defined]
    labels = {"method": "GET", "endpoint": "/boom", "status_code": "500"}
    count = requests(**labels)

    client.get("/boom")

    assert requests(**labels) == count + 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(201, "success"), (302, "success"), (409, "client_error"), (503, "server_error")],
)
def test_duration_says_how_the_request_ended(client: TestClient, status: int, outcome: str) -> None:
    path = f"/answers/{status}"
    client.app.add_api_route(path, lambda: Response(status_code=status))  # type: ignore[attr-defined]

    client.get(path, follow_redirects=False)

    labels = {"method": "GET", "endpoint": path, "outcome": outcome}
    assert REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) == 1


def test_failure_in_no_time_is_not_a_fast_success(client: TestClient) -> None:
    client.app.add_api_route("/crash", lambda: 1 / 0)  # type: ignore[attr-defined]

    client.get("/crash")

    labels = {"method": "GET", "endpoint": "/crash"}
    fast, failed = (
        REGISTRY.get_sample_value(
            "http_request_duration_seconds_bucket", labels | {"outcome": outcome, "le": "2.0"}
        )
        for outcome in ("success", "server_error")
    )
    assert (fast, failed) == (None, 1)


@pytest.mark.parametrize(
    "line",
    [
        "# TYPE http_requests_total counter",
        "# TYPE http_request_duration_seconds histogram",
        "# TYPE orders_active gauge",
        "# TYPE orders_placed_total counter",
        "# TYPE order_processing_errors_total counter",
        'http_request_duration_seconds_bucket{endpoint="/metrics",le="2.0",method="GET",'
        'outcome="success"}',
    ],
)
def test_metrics_page_after_requests_shows_final_names(client: TestClient, line: str) -> None:
    client.get("/metrics")

    response = client.get("/metrics")

    assert response.headers["content-type"].startswith("text/plain")
    assert line in response.text
