"""PostgreSQL: where orders are kept."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from order_service.domain import (
    Book,
    BookId,
    CartItem,
    CustomerId,
    Money,
    Order,
    OrderId,
    OrderNotFoundError,
    OrderStatus,
)
from order_service.settings import Settings

log = structlog.get_logger(__name__)

# --8<-- [start:tables]
metadata = sa.MetaData()

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("customer_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric(12, 2), nullable=False),
    sa.Column("currency", sa.CHAR(3), nullable=False),
    sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
    # Without it, every lookup by customer reads the whole table.
    sa.Index("orders_customer_id_idx", "customer_id"),
)

order_items = sa.Table(
    "order_items",
    metadata,
    sa.Column("order_id", sa.ForeignKey("orders.id"), primary_key=True),
    sa.Column("book_id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("price", sa.Numeric(12, 2), nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Index("order_items_book_id_idx", "book_id"),
)
# --8<-- [end:tables]


class DatabaseUnavailableError(Exception):
    """No connection could be had; another try may succeed."""


class PoolTimeoutError(DatabaseUnavailableError):
    """All connections of the pool were busy for too long."""


# --8<-- [start:pool]
def sqlalchemy_url(url: str) -> sa.URL:
    """Return the URL with the driver this service uses; hosts of databases name none."""
    return make_url(url).set(drivername="postgresql+psycopg")


def create_engine(settings: Settings) -> AsyncEngine:
    """Make a pool that never grows past its size: the server's limit is shared by all pods."""
    return create_async_engine(
        sqlalchemy_url(settings.database_url.get_secret_value()),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=1.5,  # a customer waits two seconds at most
        pool_pre_ping=True,
        # A query that takes longer gives its connection back.
        connect_args={"connect_timeout": 2, "options": "-c statement_timeout=1500"},
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction; say clearly when no connection is to be had."""
    try:
        async with engine.begin() as connection:
            yield connection
    except sa.exc.TimeoutError as error:
        # The runbook looks for these very words.
        log.error("connection pool timeout", error_type=PoolTimeoutError.__name__)
        raise PoolTimeoutError("no free database connection") from error
    except sa.exc.OperationalError as error:
        raise DatabaseUnavailableError("the database does not answer") from error


# --8<-- [end:pool]


async def ping(engine: AsyncEngine) -> None:
    """Check that the server answers, on a connection of the pool: the pool counts them all."""
    async with engine.connect() as connection:
        await connection.execute(sa.text("SELECT 1"))


# --8<-- [start:repository]
class PostgresOrderRepository:
    """Keeps orders with the books they hold."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, order: Order) -> None:
        """Keep a new order."""
        async with transaction(self._engine) as connection:
            await connection.execute(
                orders.insert().values(
                    id=order.id,
                    customer_id=order.customer_id,
                    status=order.status,
                    amount=order.total.amount,
                    currency=order.total.currency,
                    placed_at=order.placed_at,
                )
            )
            await connection.execute(
                order_items.insert(),
                [
                    {
                        "order_id": order.id,
                        "book_id": item.book.id,
                        "title": item.book.title,
                        "price": item.book.price.amount,
                        "quantity": item.quantity,
                    }
                    for item in order.items
                ],
            )

    async def set_status(self, order_id: OrderId, status: OrderStatus) -> None:
        """Record how far an order has come."""
        async with transaction(self._engine) as connection:
            await connection.execute(
                orders.update().where(orders.c.id == order_id).values(status=status)
            )

    async def get(self, order_id: OrderId) -> Order:
        """Return the order or raise OrderNotFoundError."""
        query = (
            sa.select(orders, order_items)
            .join(order_items, order_items.c.order_id == orders.c.id)
            .where(orders.c.id == order_id)
            .order_by(order_items.c.book_id)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
        if not rows:
            raise OrderNotFoundError(f"there is no order {order_id}")
        return order_from_rows(rows)

    async def bought_together(
        self, customer_id: CustomerId, book_ids: Sequence[BookId]
    ) -> list[BookId]:
        """Return the three books most often ordered along with these, but not by this customer."""
        others = order_items.alias()
        owned = (
            sa.select(order_items.c.book_id).join(orders).where(orders.c.customer_id == customer_id)
        )
        query = (
            sa.select(others.c.book_id)
            .join(order_items, order_items.c.order_id == others.c.order_id)
            .where(order_items.c.book_id.in_(book_ids))
            .where(others.c.book_id.not_in(book_ids), others.c.book_id.not_in(owned))
            .group_by(others.c.book_id)
            .order_by(sa.func.count().desc(), others.c.book_id)
            .limit(3)
        )
        async with transaction(self._engine) as connection:
            return [BookId(book_id) for book_id in await connection.scalars(query)]


# --8<-- [end:repository]


def order_from_rows(rows: Sequence[sa.RowMapping]) -> Order:
    """Put an order together from its row joined with each of its items."""
    first = rows[0]
    currency: str = first["currency"]
    items = [
        CartItem(
            Book(BookId(row["book_id"]), row["title"], Money(Decimal(row["price"]), currency)),
            row["quantity"],
        )
        for row in rows
    ]
    return Order(
        id=OrderId(first["id"]),
        customer_id=CustomerId(first["customer_id"]),
        items=tuple(items),
        total=Money(first["amount"], currency),
        placed_at=first["placed_at"],
        status=OrderStatus(first["status"]),
    )
