"""The domain: money, books, carts and orders. It knows of no database and no HTTP."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NewType

CustomerId = NewType("CustomerId", str)
BookId = NewType("BookId", str)
OrderId = NewType("OrderId", str)


# --8<-- [start:errors]
class DomainError(Exception):
    """The request was understood and refused; nothing is broken."""


class EmptyCartError(DomainError):
    """There is nothing to check out."""


class UnknownCouponError(DomainError):
    """No coupon has this code."""


class BookNotFoundError(DomainError):
    """The catalog does not know the book."""


class BookUnavailableError(DomainError):
    """The catalog knows the book but does not sell it at present."""


class OutOfStockError(DomainError):
    """The inventory cannot reserve as many copies as were ordered."""


class PaymentDeclinedError(DomainError):
    """The customer's bank refused the charge."""


class OrderNotFoundError(DomainError):
    """There is no order with this ID."""


# --8<-- [end:errors]


# --8<-- [start:money]
@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency; a float could not hold it."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __mul__(self, factor: int | Decimal) -> "Money":
        cents = (self.amount * factor).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return Money(cents, self.currency)

    @property
    def minor_units(self) -> int:
        """The amount in cents, as payment gateways count."""
        return int(self.amount * 100)


# --8<-- [end:money]


@dataclass(frozen=True, slots=True)
class Book:
    """A book at the price the customer was shown."""

    id: BookId
    title: str
    price: Money


# --8<-- [start:cart]
@dataclass(frozen=True, slots=True)
class CartItem:
    """Some copies of one book."""

    book: Book
    quantity: int = 1

    @property
    def subtotal(self) -> Money:
        """The price of all copies."""
        return self.book.price * self.quantity


@dataclass(frozen=True, slots=True)
class Coupon:
    """A discount on a whole cart."""

    code: str
    percent: int

    def discounted(self, price: Money) -> Money:
        """Return what is left to pay."""
        return price * (Decimal(100 - self.percent) / 100)


@dataclass(slots=True)
class Cart:
    """What a customer is about to order."""

    customer_id: CustomerId
    items: list[CartItem] = field(default_factory=list)
    coupon: Coupon | None = None

    def total(self) -> Money:
        """Return what the customer would pay now."""
        if not self.items:
            raise EmptyCartError(f"the cart of {self.customer_id} is empty")
        first, *rest = self.items
        price = sum((item.subtotal for item in rest), first.subtotal)
        return self.coupon.discounted(price) if self.coupon else price

    def check_out(self, order_id: OrderId, placed_at: datetime) -> "Order":
        """Turn the cart into an order that is still to be processed."""
        return Order(order_id, self.customer_id, tuple(self.items), self.total(), placed_at)


# --8<-- [end:cart]


class OrderStatus(StrEnum):
    """Where an order stands; only PROCESSING is left by a process that died."""

    PROCESSING = "processing"
    PAID = "paid"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer ordered, at the price agreed on."""

    id: OrderId
    customer_id: CustomerId
    items: tuple[CartItem, ...]
    total: Money
    placed_at: datetime
    status: OrderStatus = OrderStatus.PROCESSING

    def with_status(self, status: OrderStatus) -> "Order":
        """Return the same order further on its way."""
        return replace(self, status=status)
