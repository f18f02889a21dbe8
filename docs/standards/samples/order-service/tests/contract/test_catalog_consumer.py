"""What we expect of the catalog service."""

from decimal import Decimal
from pathlib import Path

import pytest
from pact import Pact, match

from order_service.clients import CatalogClient, http_client
from order_service.domain import BookId, BookNotFoundError


@pytest.fixture
def pact() -> Pact:
    return Pact("order-service", "catalog-service").with_specification("V4")


# --8<-- [start:consumer]
async def test_catalog_with_known_book_returns_its_price(pact: Pact, pacts: Path) -> None:
    (
        pact.upon_receiving("a request for the price of a book")
        .given("book abc123 exists in catalog")
        .with_request("GET", "/books/abc123/price")
        .will_respond_with(200)
        .with_body(
            {
                "book_id": match.like("abc123"),
                "price": match.regex("29.99", regex=r"^\d+\.\d{2}$"),
                "currency": match.regex("USD", regex=r"^[A-Z]{3}$"),
                "available": match.like(True),
            },
            content_type="application/json",
        )
    )

    with pact.serve() as server:
        async with http_client(str(server.url)) as http:
            book = await CatalogClient(http).get_book_price(BookId("abc123"))

    assert book.price == Decimal("29.99")
    assert book.currency == "USD"
    assert book.available
    pact.write_file(pacts)


# --8<-- [end:consumer]


async def test_catalog_without_book_says_404(pact: Pact, pacts: Path) -> None:
    (
        pact.upon_receiving("a request for the price of an unknown book")
        .given("book nope does not exist in catalog")
        .with_request("GET", "/books/nope/price")
        .will_respond_with(404)
    )

    with pact.serve() as server:
        async with http_client(str(server.url)) as http:
            with pytest.raises(BookNotFoundError):
                await CatalogClient(http).get_book_price(BookId("nope"))

    pact.write_file(pacts)
