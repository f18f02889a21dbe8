"""Carts: kept in Redis, so that any pod can answer a customer's next request."""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import cast

from redis.asyncio import Redis

from order_service.domain import Book, BookId, Cart, CartItem, CustomerId, Money

# A price is promised for as long as the cart lives.
LIFETIME = timedelta(hours=24)

# What the client hands back when it decodes responses.
Fields = Mapping[str, str]


# --8<-- [start:repository]
class RedisCartRepository:
    """One hash for each customer, one field for each book."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, cart: Cart) -> None:
        """Add the items to the customer's cart; it lives on for another day."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            for item in cart.items:
                pipeline.hset(key(cart.customer_id), item.book.id, dump(item))
            pipeline.expire(key(cart.customer_id), LIFETIME)
            await pipeline.execute()

    async def get(self, customer_id: CustomerId) -> Cart:
        """Return the customer's cart, empty if there is none."""
        return cart_of(customer_id, cast(Fields, await self._redis.hgetall(key(customer_id))))

    async def take(self, customer_id: CustomerId) -> Cart:
        """Return the cart and forget it; of two who take it at once, one finds it empty."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hgetall(key(customer_id))
            pipeline.delete(key(customer_id))
            fields, _ = await pipeline.execute()
        return cart_of(customer_id, fields)


# --8<-- [end:repository]


def key(customer_id: CustomerId) -> str:
    """Return the name of the customer's cart in Redis."""
    return f"cart:{customer_id}"


def dump(item: CartItem) -> str:
    """Write an item down; the amount as text, for JSON numbers are floats."""
    return json.dumps(
        {
            "title": item.book.title,
            "amount": str(item.book.price.amount),
            "currency": item.book.price.currency,
            "quantity": item.quantity,
        }
    )


def cart_of(customer_id: CustomerId, fields: Fields) -> Cart:
    """Read a cart back."""
    cart = Cart(customer_id)
    for book_id, text in sorted(fields.items()):
        item = json.loads(text)
        price = Money(Decimal(item["amount"]), item["currency"])
        book = Book(BookId(book_id), item["title"], price)
        cart.items.append(CartItem(book, item["quantity"]))
    return cart
