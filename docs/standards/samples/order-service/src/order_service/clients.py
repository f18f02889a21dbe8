"""Clients of the services we depend on: the catalog and the inventory."""

from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from urllib.parse import quote

import httpx

from order_service.correlation import send_on
from order_service.domain import BookId, BookNotFoundError, Money, Order, OutOfStockError

# --8<-- [start:timeouts]
# Without limits, a neighbour that hangs would hang us too.
TIMEOUT = httpx.Timeout(2.0, connect=0.5)
# --8<-- [end:timeouts]


# --8<-- [start:http-client]
def http_client(base_url: str) -> httpx.AsyncClient:
    """Make a client that gives up in time and passes the correlation ID on."""
    return httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT, event_hooks={"request": [send_on]})


# --8<-- [end:http-client]


@dataclass(frozen=True, slots=True)
class BookPrice:
    """What the catalog says of a book."""

    price: Decimal
    currency: str
    available: bool

    @property
    def money(self) -> Money:
        """The price with its currency."""
        return Money(self.price, self.currency)


class CatalogClient:
    """Asks the catalog service."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get_book_price(self, book_id: BookId) -> BookPrice:
        """Return what a book costs now or raise BookNotFoundError."""
        response = await self._http.get(f"/books/{quote(book_id, safe='')}/price")
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise BookNotFoundError(f"there is no book {book_id}")
        response.raise_for_status()
        body = response.json()
        return BookPrice(Decimal(body["price"]), body["currency"], body["available"])


class InventoryClient:
    """Asks the inventory service."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def reserve(self, order: Order) -> None:
        """Set the copies aside or raise OutOfStockError.

        A reservation that no payment follows lapses by itself, so nothing has to be undone.
        """
        items = [{"book_id": item.book.id, "quantity": item.quantity} for item in order.items]
        response = await self._http.post(
            "/reservations", json={"order_id": order.id, "items": items}
        )
        if response.status_code == HTTPStatus.CONFLICT:
            raise OutOfStockError("not enough copies left")
        response.raise_for_status()
