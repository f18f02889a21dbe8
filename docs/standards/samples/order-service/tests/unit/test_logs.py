"""Logs: every line is a JSON object, whoever wrote it."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
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


def test_line_of_uvicorn_becomes_json_object(json_logs: Logs) -> None:
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)

    [line] = json_logs()
    assert line["event"] == "Started server process [7]"
    assert (line["logger"], line["service"]) == ("uvicorn.error", "order-service")


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


# --8<-- [start:redact]
@pytest.mark.parametrize(
    "secret",
    [
        "reader@example.com",
        "4242424242424242",
        "4242 4242 4242 4242",
        "3782-822463-10005",
        "sk_test_51example",
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjdXN0LTEifQ.c2lnbmF0dXJl",  # pragma: allowlist secret
    ],
)
def test_secret_or_personal_data_in_any_line_is_removed(json_logs: Logs, secret: str) -> None:
    log = structlog.get_logger("shop")

    log.info(f"sent to {secret}", note=secret, nested={"list": [secret]})
    logging.getLogger("library").warning("failed for %s", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("failed")

    assert len(json_logs()) == 3
    assert secret not in str(json_logs())


def test_personal_data_in_a_key_is_removed(json_logs: Logs) -> None:
    structlog.get_logger("shop").info("event", failed={"reader@example.com": 1, ("a@b.io",): 2})

    [line] = json_logs()
    assert line["failed"] == {"[email]": 1, "('[email]',)": 2}


@dataclass(frozen=True)
class Recipient:
    """A type that the JSON renderer does not know."""

    contact: str


@pytest.mark.parametrize(
    "value",
    [
        Recipient("reader@example.com"),
        {"reader@example.com"},
        b"reader@example.com",
        ValueError("reader@example.com"),
        4242424242424242,
    ],
)
def test_personal_data_in_a_value_of_any_type_is_removed(json_logs: Logs, value: object) -> None:
    structlog.get_logger("shop").info("event", value=value, list=[value], user_id={"of": value})

    assert "event" in str(json_logs())
    assert not re.search("reader|4242", str(json_logs()))


def test_plain_values_keep_their_type(json_logs: Logs) -> None:
    plain = {"count": 3, "ratio": 0.5, "retried": True, "coupon": None}

    structlog.get_logger("shop").info("event", **plain)

    [line] = json_logs()
    assert line.items() >= plain.items()


@pytest.mark.parametrize(
    "field",
    [
        "email",
        "payment_method",
        "token",
        "Authorization",
        "name",
        "customer_email",
        "first_name",
        "full_name",
        "shipping_address",
        "phone_number",
        "firstName",
        "X-Api-Token",
    ],
)
def test_field_for_personal_data_is_removed(json_logs: Logs, field: str) -> None:
    structlog.get_logger("shop").info("event", **{field: "value"})

    [line] = json_logs()
    assert line[field] == "[removed]"


def test_password_in_an_address_is_removed(json_logs: Logs) -> None:
    url = "postgresql://orders:example@db/orders"  # pragma: allowlist secret

    structlog.get_logger("shop").info("connect", url=url)

    assert "example" not in str(json_logs())


def test_ids_stay(json_logs: Logs) -> None:
    ids = {"order_id": "ord-4242424242424242", "customer_id": "cust-1", "span_id": "1" * 16}

    structlog.get_logger("shop").info("event", **ids, request_path="/orders/ord-abc123")

    [line] = json_logs()
    assert line.items() >= {**ids, "request_path": "/orders/ord-abc123"}.items()


# --8<-- [end:redact]
