"""Correlation: one ID from the caller, through us, to the next service."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send
from structlog.contextvars import bound_contextvars, get_contextvars

from order_service.correlation import HEADER, CorrelationMiddleware, send_on


def test_request_with_good_id_keeps_it(client: TestClient) -> None:
    response = client.get("/health/live", headers={HEADER: "req-def456"})

    assert response.headers[HEADER] == "req-def456"


@pytest.mark.parametrize("given", ["", "x" * 5000, "a b", 'a"}'])
def test_request_with_missing_or_bad_id_gets_new_one(client: TestClient, given: str) -> None:
    response = client.get("/health/live", headers={HEADER: given})

    assert UUID(response.headers[HEADER]).version == 4


def test_request_logged_carries_id_method_and_path(
    client: TestClient, json_logs: Callable[[], list[dict[str, Any]]]
) -> None:
    client.app.add_api_route("/boom", lambda: 1 / 0)  # type: ignore[attr-defined]

    client.get("/boom", headers={HEADER: "req-def456"})

    [line] = [line for line in json_logs() if line["event"] == "unhandled_exception"]
    assert line["correlation_id"] == "req-def456"
    assert (line["request_method"], line["request_path"]) == ("GET", "/boom")
    assert "ZeroDivisionError" in line["exception"]


def test_crash_is_answered_with_500_and_header(client: TestClient) -> None:
    client.app.add_api_route("/boom", lambda: 1 / 0)  # type: ignore[attr-defined]

    response = client.get("/boom", headers={HEADER: "req-def456"})

    assert response.status_code == 500
    assert response.json() == {"error": "Internal", "detail": "internal error"}
    assert response.headers[HEADER] == "req-def456"


def test_crash_after_answer_began_is_passed_on_to_server() -> None:
    async def half(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half way")

    client = TestClient(CorrelationMiddleware(half))

    with pytest.raises(RuntimeError, match="half way"):
        client.get("/")


def test_context_after_request_is_empty(client: TestClient) -> None:
    client.get("/health/live")

    assert get_contextvars() == {}


async def test_call_inside_request_sends_id_on() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get(HEADER))
        return httpx.Response(200)

    http = httpx.AsyncClient(
        transport=httpx.MockTransport(answer), event_hooks={"request": [send_on]}
    )

    async with http:
        with bound_contextvars(correlation_id="req-def456"):
            await http.get("http://catalog.example/")
        await http.get("http://catalog.example/")

    assert seen == ["req-def456", None]


def test_lifespan_passes_through_untouched() -> None:
    started: list[bool] = []
    app = FastAPI(on_startup=[lambda: started.append(True)])

    with TestClient(CorrelationMiddleware(app)):
        pass

    assert started == [True]
