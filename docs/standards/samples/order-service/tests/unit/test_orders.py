"""How an order is placed, and what happens when it cannot be."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client import REGISTRY

from order_service.domain import (
    Book,
    BookId,
    Cart,
    CartItem,
    CustomerId,
    EmptyCartError,
    Money,
    OrderStatus,
    OutOfStockError,
    PaymentDeclinedError,
    UnknownCouponError,
)
from order_service.orders import Checkout, OrderService, PaymentUnclearError
from tests.unit.fakes import (
    FakeEmailService,
    FakeInventory,
    FakePayments,
    InMemoryCartRepository,
    InMemoryOrderRepository,
)

CUSTOMER = CustomerId("cust-xyz789")
CHECKOUT = Checkout(CUSTOMER, "reader@example.com", "pm_card_visa")


def full_cart() -> Cart:
    book = Book(BookId("clean-code"), "Clean Code", Money(Decimal("99.99"), "USD"))
    return Cart(CUSTOMER, [CartItem(book)])


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


# --8<-- [start:order-service]
class TestOrderService:
    def setup_method(self) -> None:
        self.orders = InMemoryOrderRepository()
        self.emails = FakeEmailService()
        self.carts = InMemoryCartRepository()
        self.inventory = FakeInventory()
        self.payments = FakePayments()
        self.service = OrderService(
            self.orders,
            self.emails,
            carts=self.carts,
            inventory=self.inventory,
            payments=self.payments,
        )

    async def test_place_with_full_cart_charges_and_confirms_order(self) -> None:
        await self.carts.put(full_cart())

        order = await self.service.place(CHECKOUT)

        assert order.status is OrderStatus.PAID
        assert self.orders.orders == {order.id: order}
        assert self.inventory.reserved == [order.id]
        assert self.payments.charged == [(order.id, "pm_card_visa")]
        assert self.emails.sent == [(order.id, "reader@example.com")]

    # --8<-- [end:order-service]

    async def test_place_with_empty_cart_raises_and_charges_nothing(self) -> None:
        placed = metric("orders_placed_total")

        with pytest.raises(EmptyCartError):
            await self.service.place(CHECKOUT)

        assert self.payments.charged == []
        assert metric("orders_placed_total") == placed

    async def test_place_twice_with_one_cart_charges_once(self) -> None:
        await self.carts.put(full_cart())
        await self.service.place(CHECKOUT)

        with pytest.raises(EmptyCartError):
            await self.service.place(CHECKOUT)

        assert len(self.payments.charged) == 1

    async def test_place_with_coupon_charges_discounted_total(self) -> None:
        await self.carts.put(full_cart())

        order = await self.service.place(
            Checkout(CUSTOMER, "reader@example.com", "pm_card_visa", coupon_code="SAVE20")
        )

        assert order.total == Money(Decimal("79.99"), "USD")

    async def test_place_with_unknown_coupon_leaves_cart_alone(self) -> None:
        await self.carts.put(full_cart())

        with pytest.raises(UnknownCouponError):
            await self.service.place(
                Checkout(CUSTOMER, "reader@example.com", "pm_card_visa", coupon_code="SAVE99")
            )

        assert await self.carts.get(CUSTOMER) == full_cart()

    @pytest.mark.parametrize("error", [OutOfStockError("none left"), PaymentDeclinedError("no")])
    async def test_place_when_refused_gives_cart_back_and_counts_no_error(
        self, error: Exception
    ) -> None:
        await self.carts.put(full_cart())
        self.payments.error = error
        errors = metric("order_processing_errors_total", error_type=type(error).__name__)

        with pytest.raises(type(error)):
            await self.service.place(CHECKOUT)

        assert [order.status for order in self.orders.orders.values()] == [OrderStatus.REJECTED]
        assert await self.carts.get(CUSTOMER) == full_cart()
        assert metric("order_processing_errors_total", error_type=type(error).__name__) == errors

    async def test_place_when_inventory_breaks_counts_error_and_gives_cart_back(
        self, json_logs: Callable[[], list[dict[str, Any]]]
    ) -> None:
        await self.carts.put(full_cart())
        self.inventory.error = ConnectionError("gone")
        placed = metric("orders_placed_total")
        errors = metric("order_processing_errors_total", error_type="ConnectionError")

        with pytest.raises(ConnectionError):
            await self.service.place(CHECKOUT)

        assert metric("orders_placed_total") == placed + 1
        assert metric("order_processing_errors_total", error_type="ConnectionError") == errors + 1
        assert metric("orders_active") == 0
        assert [order.status for order in self.orders.orders.values()] == [OrderStatus.FAILED]
        assert await self.carts.get(CUSTOMER) == full_cart()
        [line] = json_logs()
        assert (line["event"], line["level"]) == ("order_failed", "error")
        assert line["error_type"] == "ConnectionError"

    async def test_place_when_payment_is_unclear_keeps_order_open_and_cart_taken(self) -> None:
        await self.carts.put(full_cart())
        self.payments.error = PaymentUnclearError("timeout")

        with pytest.raises(PaymentUnclearError):
            await self.service.place(CHECKOUT)

        assert [order.status for order in self.orders.orders.values()] == [OrderStatus.PROCESSING]
        assert (await self.carts.get(CUSTOMER)).items == []

    async def test_place_when_cleanup_fails_too_raises_first_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await self.carts.put(full_cart())
        self.inventory.error = ConnectionError("first")

        async def fail(*_: object) -> None:
            raise ConnectionError("second")

        monkeypatch.setattr(self.orders, "set_status", fail)

        with pytest.raises(ConnectionError, match="first"):
            await self.service.place(CHECKOUT)

    async def test_place_when_paid_status_is_not_kept_still_succeeds_and_counts_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await self.carts.put(full_cart())
        errors = metric("order_processing_errors_total", error_type="TimeoutError")

        async def fail(*_: object) -> None:
            raise TimeoutError

        monkeypatch.setattr(self.orders, "set_status", fail)

        order = await self.service.place(CHECKOUT)

        assert self.payments.charged == [(order.id, "pm_card_visa")]
        assert metric("order_processing_errors_total", error_type="TimeoutError") == errors + 1
        assert (await self.carts.get(CUSTOMER)).items == []

    async def test_place_when_mail_fails_still_succeeds(self) -> None:
        await self.carts.put(full_cart())
        self.emails.error = OSError("no relay")

        order = await self.service.place(CHECKOUT)

        assert order.status is OrderStatus.PAID

    async def test_place_with_full_cart_logs_business_fields(
        self, json_logs: Callable[[], list[dict[str, Any]]]
    ) -> None:
        await self.carts.put(full_cart())

        order = await self.service.place(CHECKOUT)

        payment, placed = json_logs()
        assert payment["event"] == "payment_processed"
        assert payment["order_id"] == order.id
        assert payment["customer_id"] == "cust-xyz789"
        assert payment["amount"] == "99.99"
        assert payment["gateway"] == "stripe"
        assert isinstance(payment["duration_ms"], int)
        assert placed["event"] == "order_placed"
        assert (placed["order_id"], placed["currency"]) == (order.id, "USD")
