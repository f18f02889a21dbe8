"""Logs: every line is a JSON object, whoever wrote it."""

import logging
from collections.abc import Callable
from typing import Any

import structlog
from opentelemetry.sdk.trace import TracerProvider

Logs = Callable[[], list[dict[str, Any]]]


# --8<-- [start:event]
def test_event_with_business_fields_becomes_json_object(json_logs: Logs) -> None:
    log = structlog.get_logger("shop")

    log.info("order_placed", order_id="abc123", amount="99.99", currency="USD")

    [line] = json_logs()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "order_placed",
        "level": "info",
        "logger": "shop",
        "service": "order-service",
        "order_id": "abc123",
        "amount": "99.99",
        "currency": "USD",
    }


# --8<-- [end:event]


def test_event_below_level_is_not_written(json_logs: Logs) -> None:
    log = structlog.get_logger("shop")

    log.debug("detail")
    logging.getLogger("library").debug("detail")

    assert json_logs() == []


def test_access_line_of_uvicorn_becomes_json_object(json_logs: Logs) -> None:
    access = logging.getLogger("uvicorn.access")
    arguments = ("127.0.0.1:5000", "GET", "/health/live", "1.1", 200)

    access.info('%s - "%s %s HTTP/%s" %d', *arguments)

    [line] = json_logs()
    assert line["event"] == '127.0.0.1:5000 - "GET /health/live HTTP/1.1" 200'
    assert (line["logger"], line["service"]) == ("uvicorn.access", "order-service")


def test_exception_logged_keeps_its_traceback(json_logs: Logs) -> None:
    log = structlog.get_logger("shop")

    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("failed")

    [line] = json_logs()
    assert line["level"] == "error"
    assert "Traceback" in line["exception"]
    assert "ValueError: broken" in line["exception"]


def test_event_inside_span_carries_trace_id(json_logs: Logs) -> None:
    tracer = TracerProvider().get_tracer("test")

    with tracer.start_as_current_span("request") as span:
        structlog.get_logger("shop").info("inside")

    [line] = json_logs()
    assert int(line["trace_id"], 16) == span.get_span_context().trace_id
