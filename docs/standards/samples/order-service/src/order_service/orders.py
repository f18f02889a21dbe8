"""Orders: how a cart becomes a paid order, and what the service needs of the outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Protocol
from uuid import uuid4

import structlog

from order_service.domain import (
    BookId,
    Cart,
    Coupon,
    CustomerId,
    DomainError,
    Order,
    OrderId,
    OrderStatus,
    UnknownCouponError,
)
from order_service.metrics import ORDER_ERRORS, ORDERS_ACTIVE, ORDERS_PLACED

COUPONS = {coupon.code: coupon for coupon in [Coupon("SAVE20", percent=20)]}

log = structlog.get_logger(__name__)


# --8<-- [start:ports]
class OrderRepository(Protocol):
    """Where orders are kept."""

    async def add(self, order: Order) -> None:
        """Keep a new order."""

    async def set_status(self, order_id: OrderId, status: OrderStatus) -> None:
        """Record how far an order has come."""

    async def get(self, order_id: OrderId) -> Order:
        """Return the order or raise OrderNotFoundError."""

    async def bought_together(
        self, customer_id: CustomerId, book_ids: Sequence[BookId]
    ) -> list[BookId]:
        """Return the books most often ordered along with these, but not by this customer."""


class CartRepository(Protocol):
    """Where carts wait between requests."""

    async def put(self, cart: Cart) -> None:
        """Add the cart's items to those kept for the customer."""

    async def get(self, customer_id: CustomerId) -> Cart:
        """Return the customer's cart, empty if there is none."""

    async def take(self, customer_id: CustomerId) -> Cart:
        """Return the cart and forget it in one step."""


class Inventory(Protocol):
    """Who keeps the books."""

    async def reserve(self, order: Order) -> None:
        """Set the copies aside or raise OutOfStockError."""


class Payments(Protocol):
    """Who takes the money."""

    gateway: str

    async def charge(self, order: Order, payment_method: str) -> None:
        """Charge the total; raise PaymentDeclinedError or PaymentUnclearError."""


class EmailService(Protocol):
    """Who tells the customer."""

    async def send_confirmation(self, order: Order, address: str) -> None:
        """Send the confirmation of an order."""


# --8<-- [end:ports]


class PaymentUnclearError(Exception):
    """Nobody can say whether the customer was charged."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a customer sends to order the content of their cart."""

    customer_id: CustomerId
    email: str
    payment_method: str
    coupon_code: str | None = None


# --8<-- [start:service]
class OrderService:
    """Places orders and finds them again; holds no state of its own between two calls."""

    def __init__(
        self,
        orders: OrderRepository,
        emails: EmailService,
        *,
        carts: CartRepository,
        inventory: Inventory,
        payments: Payments,
    ) -> None:
        self._orders = orders
        self._emails = emails
        self._carts = carts
        self._inventory = inventory
        self._payments = payments

    async def get(self, order_id: OrderId) -> Order:
        """Return an order or raise OrderNotFoundError."""
        return await self._orders.get(order_id)

    async def place(self, checkout: Checkout) -> Order:
        """Order what is in the customer's cart."""
        coupon = find_coupon(checkout.coupon_code)
        # Taken, not read: a second click finds an empty cart instead of paying twice.
        cart = await self._carts.take(checkout.customer_id)
        cart.coupon = coupon
        order = cart.check_out(OrderId(f"ord-{uuid4()}"), datetime.now(UTC))
        ORDERS_PLACED.inc()
        with ORDERS_ACTIVE.track_inprogress():
            try:
                await self._charge(order, checkout.payment_method)
            except Exception as error:
                await self._give_up(order, cart, error)
                raise
            await self._finish(order, checkout.email)
        log.info(
            "order_placed",
            order_id=order.id,
            amount=str(order.total.amount),
            currency=order.total.currency,
        )
        return order.with_status(OrderStatus.PAID)

    async def _charge(self, order: Order, payment_method: str) -> None:
        # Written down before money moves: an order whose process died is found again, and its
        # ID tells whether the gateway has charged it.
        await self._orders.add(order)
        await self._inventory.reserve(order)
        start = perf_counter()
        await self._payments.charge(order, payment_method)
        # --8<-- [start:payment-event]
        log.info(
            "payment_processed",
            order_id=order.id,
            customer_id=order.customer_id,
            amount=str(order.total.amount),
            currency=order.total.currency,
            gateway=self._payments.gateway,
            duration_ms=round((perf_counter() - start) * 1000),
        )
        # --8<-- [end:payment-event]

    async def _give_up(self, order: Order, cart: Cart, error: Exception) -> None:
        if isinstance(error, DomainError):
            status = OrderStatus.REJECTED
            log.info("order_rejected", order_id=order.id, error_type=type(error).__name__)
        else:
            status = OrderStatus.FAILED
            count_failure("order_failed", order, error)
        if isinstance(error, PaymentUnclearError):
            return  # money may have moved: the order stays open and the cart is not given back
        try:
            await self._carts.put(cart)
            await self._orders.set_status(order.id, status)
        except Exception:
            # The first error is the one to answer with; this one often has the same cause.
            log.exception("order_cleanup_failed", order_id=order.id)

    async def _finish(self, order: Order, address: str) -> None:
        # The order is paid: whatever fails from here on is our trouble, not the customer's.
        try:
            await self._orders.set_status(order.id, OrderStatus.PAID)
        except Exception as error:
            count_failure("order_not_marked_paid", order, error)
        try:
            await self._emails.send_confirmation(order, address)
        except Exception:
            log.exception("confirmation_failed", order_id=order.id)


# --8<-- [end:service]


def find_coupon(code: str | None) -> Coupon | None:
    """Return the coupon of a code, None without a code."""
    if code is None:
        return None
    if code not in COUPONS:
        raise UnknownCouponError(f"there is no coupon {code}")
    return COUPONS[code]


def count_failure(event: str, order: Order, error: Exception) -> None:
    """Log and count an order that went wrong through our fault."""
    error_type = type(error).__name__
    ORDER_ERRORS.labels(error_type).inc()
    log.error(event, order_id=order.id, error_type=error_type, exc_info=error)
