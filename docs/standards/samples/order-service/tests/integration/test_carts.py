"""Carts in a real Redis."""

import asyncio
from decimal import Decimal

from redis.asyncio import Redis

from order_service.carts import LIFETIME, RedisCartRepository, key
from order_service.domain import Book, BookId, Cart, CartItem, CustomerId, Money

CUSTOMER = CustomerId("cust-1")


def item(book_id: str, quantity: int = 1) -> CartItem:
    return CartItem(Book(BookId(book_id), "Title", Money(Decimal("29.99"), "USD")), quantity)


async def test_cart_put_in_two_steps_holds_both_books(redis: Redis) -> None:
    carts = RedisCartRepository(redis)

    await carts.put(Cart(CUSTOMER, [item("a")]))
    await carts.put(Cart(CUSTOMER, [item("b")]))
    await carts.put(Cart(CUSTOMER, [item("a", quantity=3)]))

    assert await carts.get(CUSTOMER) == Cart(CUSTOMER, [item("a", quantity=3), item("b")])


async def test_cart_left_alone_expires(redis: Redis) -> None:
    carts = RedisCartRepository(redis)

    await carts.put(Cart(CUSTOMER, [item("a")]))

    assert 0 < await redis.ttl(key(CUSTOMER)) <= LIFETIME.total_seconds()


# --8<-- [start:twice]
async def test_cart_taken_twice_at_once_is_had_once(redis: Redis) -> None:
    carts = RedisCartRepository(redis)
    await carts.put(Cart(CUSTOMER, [item("a")]))

    taken = await asyncio.gather(carts.take(CUSTOMER), carts.take(CUSTOMER))

    assert sorted(len(cart.items) for cart in taken) == [0, 1]


# --8<-- [end:twice]
