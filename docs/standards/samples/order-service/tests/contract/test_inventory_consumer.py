"""What we expect of the inventory service."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pact import Pact

from order_service.clients import InventoryClient, http_client
from order_service.domain import (
    Book,
    BookId,
    CartItem,
    CustomerId,
    Money,
    Order,
    OrderId,
    OutOfStockError,
)

BOOK = Book(BookId("abc123"), "Clean Code", Money(Decimal("29.99"), "USD"))
ORDER = Order(
    OrderId("ord-abc123"),
    CustomerId("cust-xyz789"),
    (CartItem(BOOK, quantity=2),),
    Money(Decimal("59.98"), "USD"),
    datetime(2026, 5, 18, tzinfo=UTC),
)


@pytest.mark.parametrize(("state", "status"), [("is", 201), ("is not", 409)])
async def test_inventory_asked_to_reserve_answers_by_stock(
    pacts: Path, state: str, status: int
) -> None:
    pact = Pact("order-service", "inventory-service").with_specification("V4")
    (
        pact.upon_receiving(f"a reservation of a book that {state} in stock")
        .given(f"book abc123 {state} in stock")
        .with_request("POST", "/reservations")
        .with_body(
            {"order_id": "ord-abc123", "items": [{"book_id": "abc123", "quantity": 2}]},
            content_type="application/json",
        )
        .will_respond_with(status)
    )

    with pact.serve() as server:
        async with http_client(str(server.url)) as http:
            inventory = InventoryClient(http)
            if status == 201:
                await inventory.reserve(ORDER)
            else:
                with pytest.raises(OutOfStockError):
                    await inventory.reserve(ORDER)

    pact.write_file(pacts)
