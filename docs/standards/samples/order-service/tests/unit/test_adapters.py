"""The clients of other services, with their network replaced."""

import smtplib
import ssl
from datetime import UTC, datetime
from decimal import Decimal
from email.message import EmailMessage

import httpx
import pytest
import stripe

from order_service.carts import cart_of, dump
from order_service.clients import CatalogClient, InventoryClient
from order_service.domain import (
    Book,
    BookId,
    BookNotFoundError,
    Cart,
    CartItem,
    CustomerId,
    Money,
    OrderId,
    OutOfStockError,
    PaymentDeclinedError,
)
from order_service.mail import SmtpEmailService
from order_service.orders import PaymentUnclearError
from order_service.payments import StripePayments
from order_service.postgres import sqlalchemy_url

ORDER = Cart(
    CustomerId("cust-xyz789"),
    [CartItem(Book(BookId("clean-code"), "Clean Code", Money(Decimal("99.99"), "USD")), 2)],
).check_out(OrderId("ord-abc123"), datetime(2026, 5, 18, tzinfo=UTC))


def answering(status: int, body: object = None) -> httpx.AsyncClient:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    return httpx.AsyncClient(transport=transport, base_url="http://neighbour.example")


async def test_catalog_with_404_raises_book_not_found() -> None:
    catalog = CatalogClient(answering(404))

    with pytest.raises(BookNotFoundError):
        await catalog.get_book_price(BookId("abc123"))


async def test_catalog_with_500_raises_http_error() -> None:
    catalog = CatalogClient(answering(500))

    with pytest.raises(httpx.HTTPStatusError):
        await catalog.get_book_price(BookId("abc123"))


async def test_inventory_with_409_raises_out_of_stock() -> None:
    inventory = InventoryClient(answering(409))

    with pytest.raises(OutOfStockError):
        await inventory.reserve(ORDER)


class FakeIntents:
    """Takes the place of Stripe's payment intents."""

    def __init__(self, outcome: str | Exception) -> None:
        self.outcome = outcome
        self.calls: list[tuple[dict[str, object], dict[str, object]]] = []

    async def create_async(
        self, params: dict[str, object], options: dict[str, object]
    ) -> stripe.PaymentIntent:
        self.calls.append((params, options))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return stripe.PaymentIntent.construct_from({"status": self.outcome}, "key")


def payments_with(outcome: str | Exception) -> tuple[StripePayments, FakeIntents]:
    payments, intents = StripePayments("key", "http://stripe.example"), FakeIntents(outcome)
    payments._client.v1.payment_intents = intents  # type: ignore[assignment]
    return payments, intents


async def test_charge_of_order_uses_cents_and_order_id_as_key() -> None:
    payments, intents = payments_with("succeeded")

    await payments.charge(ORDER, "pm_card_visa")

    [(params, options)] = intents.calls
    assert (params["amount"], params["currency"]) == (19998, "usd")
    assert options == {"idempotency_key": "ord-abc123"}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (stripe.CardError("declined", None, "card_declined"), PaymentDeclinedError),
        ("requires_action", PaymentDeclinedError),
        (stripe.APIConnectionError("reset"), PaymentUnclearError),
        (stripe.APIError("broken"), PaymentUnclearError),
        (stripe.RateLimitError("too many"), stripe.RateLimitError),
    ],
)
async def test_charge_that_fails_tells_refused_unclear_and_limited_apart(
    outcome: str | Exception, expected: type[Exception]
) -> None:
    payments, _ = payments_with(outcome)

    with pytest.raises(expected):
        await payments.charge(ORDER, "pm_card_visa")


async def test_confirmation_of_order_names_books_and_total(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[EmailMessage] = []
    service = SmtpEmailService("localhost", 25)
    monkeypatch.setattr(service, "_send", sent.append)

    await service.send_confirmation(ORDER, "reader@example.com")

    [message] = sent
    assert message["To"] == "reader@example.com"
    assert "2 x Clean Code" in message.get_content()
    assert "Total: 199.98 USD" in message.get_content()


class FakeSmtp:
    """Takes the place of a mail relay."""

    def __init__(self, *, offers_tls: bool) -> None:
        self.offers_tls = offers_tls
        self.calls: list[str] = []

    def __call__(self, host: str, port: int, timeout: float) -> "FakeSmtp":
        self.calls.append(f"connect {host}:{port}")
        return self

    def __enter__(self) -> "FakeSmtp":
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append("quit")

    def ehlo(self) -> None:
        self.calls.append("ehlo")

    def has_extn(self, _: str) -> bool:
        return self.offers_tls

    def starttls(self, *, context: ssl.SSLContext) -> None:
        self.calls.append("starttls")

    def send_message(self, message: EmailMessage) -> None:
        self.calls.append(f"send to {message['To']}")


@pytest.mark.parametrize(("offers_tls", "extra"), [(True, ["starttls"]), (False, [])])
async def test_confirmation_to_relay_is_encrypted_where_offered(
    monkeypatch: pytest.MonkeyPatch, offers_tls: bool, extra: list[str]
) -> None:
    smtp = FakeSmtp(offers_tls=offers_tls)
    monkeypatch.setattr(smtplib, "SMTP", smtp)

    await SmtpEmailService("relay", 587).send_confirmation(ORDER, "reader@example.com")

    assert smtp.calls == [
        "connect relay:587",
        "ehlo",
        *extra,
        "send to reader@example.com",
        "quit",
    ]


def test_cart_written_and_read_back_is_the_same() -> None:
    [item] = ORDER.items

    cart = cart_of(ORDER.customer_id, {item.book.id: dump(item)})

    assert cart == Cart(ORDER.customer_id, [item])


def test_database_url_of_any_driver_names_ours() -> None:
    url = sqlalchemy_url("postgresql://localhost/orders")

    assert url.drivername == "postgresql+psycopg"
