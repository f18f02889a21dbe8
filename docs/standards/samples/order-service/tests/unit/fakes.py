"""Stand-ins for everything outside the process: they keep what they are given in memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from opentelemetry.sdk.trace import TracerProvider

from order_service.api import Services
from order_service.clients import BookPrice
from order_service.dependencies import Dependencies
from order_service.domain import (
    BookId,
    BookNotFoundError,
    Cart,
    CustomerId,
    Order,
    OrderId,
    OrderNotFoundError,
    OrderStatus,
)
from order_service.flags import FeatureFlags
from order_service.identity import TokenVerifier
from order_service.orders import OrderService
from order_service.settings import Settings
from scripts.customer_token import new_keys, sign

ISSUER = "https://login.example"
KEY, KEYS = new_keys("test")


def bearer(subject: str, scope: str = "") -> dict[str, str]:
    """Headers of a caller."""
    return {"Authorization": f"Bearer {sign(KEY, subject, issuer=ISSUER, scope=scope)}"}


class InMemoryOrderRepository:
    def __init__(self) -> None:
        self.orders: dict[OrderId, Order] = {}

    async def add(self, order: Order) -> None:
        self.orders[order.id] = order

    async def set_status(self, order_id: OrderId, status: OrderStatus) -> None:
        self.orders[order_id] = self.orders[order_id].with_status(status)

    async def get(self, order_id: OrderId) -> Order:
        if order_id not in self.orders:
            raise OrderNotFoundError(f"there is no order {order_id}")
        return self.orders[order_id]

    async def bought_together(self, _: CustomerId, book_ids: Sequence[BookId]) -> list[BookId]:
        return [BookId("refactoring")]


class InMemoryCartRepository:
    def __init__(self) -> None:
        self.carts: dict[CustomerId, Cart] = {}

    async def put(self, cart: Cart) -> None:
        kept = await self.get(cart.customer_id)
        items = {item.book.id: item for item in [*kept.items, *cart.items]}
        self.carts[cart.customer_id] = Cart(cart.customer_id, list(items.values()))

    async def get(self, customer_id: CustomerId) -> Cart:
        return self.carts.get(customer_id, Cart(customer_id))

    async def take(self, customer_id: CustomerId) -> Cart:
        return self.carts.pop(customer_id, Cart(customer_id))


class FakeCatalog:
    def __init__(self) -> None:
        self.prices = {BookId("clean-code"): BookPrice(Decimal("100.00"), "USD", available=True)}

    async def get_book_price(self, book_id: BookId) -> BookPrice:
        if book_id not in self.prices:
            raise BookNotFoundError(f"there is no book {book_id}")
        return self.prices[book_id]


class FakeInventory:
    def __init__(self) -> None:
        self.reserved: list[OrderId] = []
        self.error: Exception | None = None

    async def reserve(self, order: Order) -> None:
        if self.error:
            raise self.error
        self.reserved.append(order.id)


class FakePayments:
    gateway = "stripe"

    def __init__(self) -> None:
        self.charged: list[tuple[OrderId, str]] = []
        self.error: Exception | None = None

    async def charge(self, order: Order, payment_method: str) -> None:
        if self.error:
            raise self.error
        self.charged.append((order.id, payment_method))


class FakeEmailService:
    def __init__(self) -> None:
        self.sent: list[tuple[OrderId, str]] = []
        self.error: Exception | None = None

    async def send_confirmation(self, order: Order, address: str) -> None:
        if self.error:
            raise self.error
        self.sent.append((order.id, address))


@dataclass
class Backing:
    """All backing services at once; they outlive any application that uses them."""

    orders: InMemoryOrderRepository = field(default_factory=InMemoryOrderRepository)
    carts: InMemoryCartRepository = field(default_factory=InMemoryCartRepository)
    catalog: FakeCatalog = field(default_factory=FakeCatalog)
    inventory: FakeInventory = field(default_factory=FakeInventory)
    payments: FakePayments = field(default_factory=FakePayments)
    emails: FakeEmailService = field(default_factory=FakeEmailService)
    redis_error: Exception | None = None
    redis_pings: int = 0

    async def ping_redis(self) -> None:
        self.redis_pings += 1
        if self.redis_error:
            raise self.redis_error

    def service(self) -> OrderService:
        return OrderService(
            self.orders,
            self.emails,
            carts=self.carts,
            inventory=self.inventory,
            payments=self.payments,
        )

    @property
    def build(self) -> Callable[[Settings, TracerProvider], AbstractAsyncContextManager[Services]]:
        @asynccontextmanager
        async def services(settings: Settings, _: TracerProvider) -> AsyncIterator[Services]:
            yield Services(
                service=self.service(),
                orders=self.orders,
                carts=self.carts,
                catalog=self.catalog,
                flags=settings.flags,
                git_sha=settings.git_sha,
                verifier=TokenVerifier(settings.token_issuer, settings.token_keys),
                dependencies=Dependencies({"redis": self.ping_redis}),
            )

        return services


def make_settings(flags: FeatureFlags | None = None) -> Settings:
    """Settings that depend on no file."""
    return Settings(
        _env_file=None,
        database_url="postgresql://user:example@localhost/orders",  # pragma: allowlist secret
        redis_url="redis://localhost/0",
        stripe_secret_key="sk_test_example",  # pragma: allowlist secret
        token_issuer=ISSUER,
        token_keys=KEYS,
        git_sha="0123abc",
        flags=flags or FeatureFlags(_env_file=None),
    )
