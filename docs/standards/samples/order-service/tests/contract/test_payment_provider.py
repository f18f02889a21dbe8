"""What the payment service expects of us: its contract, run against our application."""

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from pact import Verifier

from order_service.app import create_app
from order_service.domain import (
    Book,
    BookId,
    CartItem,
    CustomerId,
    Money,
    Order,
    OrderId,
    OrderStatus,
)
from tests.unit.fakes import Backing, bearer, make_settings


@pytest.fixture
def backing() -> Backing:
    return Backing()


@pytest.fixture
def url(backing: Backing) -> Iterator[str]:
    """Serve the application, its backing services replaced, on a free port."""
    app = create_app(make_settings(), backing.build)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


# --8<-- [start:provider]
def with_contracts(verifier: Verifier, pacts: Path) -> Verifier:
    """Take what consumers published, and publish our answer; without a broker, the example here."""
    if "PACT_BROKER_BASE_URL" not in os.environ:
        return verifier.add_source(pacts / "payment-service-order-service.json")
    verifier.broker_source()
    return verifier.set_publish_options(
        os.environ["CONTRACT_VERSION"], branch=os.environ["CONTRACT_BRANCH"]
    )


def test_order_service_for_payment_service_keeps_contract(
    backing: Backing, url: str, pacts: Path
) -> None:
    def order_exists(**_: Any) -> None:
        price = Money(Decimal("99.99"), "USD")
        item = CartItem(Book(BookId("abc123"), "Clean Code", price))
        order = Order(
            OrderId("ord-abc123"),
            CustomerId("cust-xyz789"),
            (item,),
            price,
            datetime(2026, 5, 18, tzinfo=UTC),
            OrderStatus.PAID,
        )
        backing.orders.orders[order.id] = order

    def no_order_exists(**_: Any) -> None:
        backing.orders.orders.clear()

    verifier = (
        with_contracts(Verifier("order-service", host="127.0.0.1"), pacts)
        .add_transport(url=url)
        # The example in the contract is no valid token; the payment-service sends one like this.
        .add_custom_headers(bearer("payment-service", "orders:read"))
        .state_handler(
            {"order ord-abc123 exists": order_exists, "order ord-abc123 is gone": no_order_exists}
        )
    )

    verifier.verify()


# --8<-- [end:provider]
