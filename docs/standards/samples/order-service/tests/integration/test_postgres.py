"""Orders in a real PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

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
from order_service.postgres import (
    DatabaseUnavailableError,
    PoolTimeoutError,
    PostgresOrderRepository,
    create_engine,
    ping,
    sqlalchemy_url,
    transaction,
)
from order_service.settings import Settings


def order(number: int, customer: str, *books: str) -> Order:
    price = Money(Decimal("29.99"), "USD")
    items = tuple(CartItem(Book(BookId(book), book.title(), price)) for book in books)
    return Order(
        OrderId(f"ord-{number}"),
        CustomerId(customer),
        items,
        price * len(books),
        datetime(2026, 5, 18, 10, 23, 41, tzinfo=UTC),
    )


async def test_order_added_and_paid_is_found_again(engine: AsyncEngine) -> None:
    repository = PostgresOrderRepository(engine)
    placed = order(1, "cust-1", "a", "b")

    await repository.add(placed)
    await repository.set_status(placed.id, OrderStatus.PAID)

    assert await repository.get(placed.id) == placed.with_status(OrderStatus.PAID)


async def test_order_that_was_never_added_is_not_found(engine: AsyncEngine) -> None:
    repository = PostgresOrderRepository(engine)

    with pytest.raises(OrderNotFoundError):
        await repository.get(OrderId("ord-1"))


async def test_books_bought_together_come_by_frequency_without_own(engine: AsyncEngine) -> None:
    repository = PostgresOrderRepository(engine)
    await repository.add(order(1, "cust-1", "a", "b", "c"))
    await repository.add(order(2, "cust-2", "a", "c"))
    await repository.add(order(3, "cust-3", "b"))
    await repository.add(order(4, "cust-4", "d"))

    for_new_customer = await repository.bought_together(CustomerId("cust-9"), [BookId("a")])
    for_owner_of_b = await repository.bought_together(CustomerId("cust-3"), [BookId("a")])

    assert for_new_customer == ["c", "b"]
    assert for_owner_of_b == ["c"]


async def test_pool_without_free_connection_logs_what_the_runbook_looks_for(
    settings: Settings, engine: AsyncEngine
) -> None:
    settings.pool_size = 1
    small = create_engine(settings)

    async with small.connect():
        with capture_logs() as lines, pytest.raises(PoolTimeoutError):
            await PostgresOrderRepository(small).get(OrderId("ord-1"))

    await small.dispose()
    assert [line["event"] for line in lines] == ["connection pool timeout"]


async def test_database_that_is_away_is_said_to_be_unavailable(settings: Settings) -> None:
    away = sqlalchemy_url(settings.database_url.get_secret_value()).set(port=1)
    settings.database_url = SecretStr(away.render_as_string(hide_password=False))
    engine = create_engine(settings)

    with pytest.raises(DatabaseUnavailableError):
        await PostgresOrderRepository(engine).get(OrderId("ord-1"))
    with pytest.raises(Exception, match="refused"):
        await ping(engine)

    await engine.dispose()


async def test_query_that_takes_too_long_is_ended(engine: AsyncEngine) -> None:
    with pytest.raises(DatabaseUnavailableError):
        async with transaction(engine) as connection:
            await connection.execute(sa.text("SELECT pg_sleep(5)"))


# --8<-- [start:migrations]
def test_migrations_up_and_down_leave_tables_and_nothing(
    settings: Settings, alembic: Config, database: None
) -> None:
    engine = sa.create_engine(sqlalchemy_url(settings.database_url.get_secret_value()))
    inspect: Callable[[], sa.Inspector] = lambda: sa.inspect(engine)  # noqa: E731

    tables = set(inspect().get_table_names())
    indexes = {index["name"] for index in inspect().get_indexes("orders")}
    command.check(alembic)  # the tables that the code knows are the tables there are
    command.downgrade(alembic, "base")
    left = set(inspect().get_table_names())

    engine.dispose()
    assert tables >= {"orders", "order_items"}
    assert indexes == {"orders_customer_id_idx"}
    assert left == {"alembic_version"}


# --8<-- [end:migrations]


async def test_migration_of_schema_that_is_ahead_leaves_it_alone(
    alembic: Config, engine: AsyncEngine
) -> None:
    await set_revision(engine, "9999")

    command.upgrade(alembic, "head")

    assert await revision(engine) == "9999"
    await set_revision(engine, "0001")


async def revision(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        found = await connection.execute(sa.text("SELECT version_num FROM alembic_version"))
        return str(found.scalar_one())


async def set_revision(engine: AsyncEngine, number: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            sa.text("UPDATE alembic_version SET version_num = :number"), {"number": number}
        )
