"""Money, carts and orders."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from order_service.domain import (
    Book,
    BookId,
    Cart,
    CartItem,
    Coupon,
    CustomerId,
    EmptyCartError,
    Money,
    OrderId,
    OrderStatus,
)


# --8<-- [start:cart]
def test_cart_with_percentage_coupon_totals_discounted_price() -> None:
    clean_code = Book(BookId("clean-code"), "Clean Code", Money(Decimal("100.00"), "USD"))
    cart = Cart(CustomerId("cust-xyz789"), [CartItem(clean_code, quantity=1)])
    cart.coupon = Coupon("SAVE20", percent=20)

    total = cart.total()

    assert total == Money(Decimal("80.00"), "USD")


def test_cart_checked_out_while_empty_raises_empty_cart_error() -> None:
    cart = Cart(CustomerId("cust-xyz789"))

    with pytest.raises(EmptyCartError):
        cart.check_out(OrderId("ord-abc123"), datetime(2026, 5, 18, tzinfo=UTC))


# --8<-- [end:cart]


def test_cart_with_two_books_totals_every_copy() -> None:
    cart = Cart(
        CustomerId("cust-xyz789"),
        [
            CartItem(Book(BookId("a"), "A", Money(Decimal("10.50"), "USD")), quantity=2),
            CartItem(Book(BookId("b"), "B", Money(Decimal("0.99"), "USD")), quantity=1),
        ],
    )

    total = cart.total()

    assert total == Money(Decimal("21.99"), "USD")


def test_cart_checked_out_becomes_order_to_be_processed() -> None:
    item = CartItem(Book(BookId("a"), "A", Money(Decimal("99.99"), "USD")))
    cart = Cart(CustomerId("cust-xyz789"), [item])

    order = cart.check_out(OrderId("ord-abc123"), datetime(2026, 5, 18, tzinfo=UTC))

    assert order.status is OrderStatus.PROCESSING
    assert order.items == (item,)
    assert order.total == Money(Decimal("99.99"), "USD")


@pytest.mark.parametrize(
    ("price", "percent", "expected"),
    [("99.99", 20, "79.99"), ("0.05", 50, "0.03"), ("10.00", 0, "10.00"), ("10.00", 100, "0.00")],
)
def test_coupon_on_any_price_rounds_to_the_cent(price: str, percent: int, expected: str) -> None:
    coupon = Coupon("ANY", percent)

    discounted = coupon.discounted(Money(Decimal(price), "USD"))

    assert discounted == Money(Decimal(expected), "USD")


def test_money_of_two_currencies_cannot_be_added() -> None:
    dollars, euros = Money(Decimal(1), "USD"), Money(Decimal(1), "EUR")

    with pytest.raises(ValueError, match="cannot add EUR to USD"):
        dollars + euros


def test_money_in_minor_units_counts_cents() -> None:
    price = Money(Decimal("99.99"), "USD")

    cents = price.minor_units

    assert cents == 9999
