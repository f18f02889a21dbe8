"""The HTTP interface: what comes in, what goes out, and what it calls."""

from dataclasses import dataclass
from typing import Annotated, Protocol, cast

import structlog
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field, StringConstraints

from order_service.clients import BookPrice
from order_service.dependencies import Dependencies
from order_service.domain import (
    Book,
    BookId,
    BookUnavailableError,
    Cart,
    CartItem,
    CustomerId,
    Order,
    OrderId,
    OrderNotFoundError,
    OrderStatus,
    UnknownCouponError,
)
from order_service.flags import FeatureFlags
from order_service.identity import Caller, TokenVerifier, UnauthenticatedError
from order_service.orders import CartRepository, Checkout, OrderRepository, OrderService

log = structlog.get_logger(__name__)


class Catalog(Protocol):
    """Who knows the price of a book."""

    async def get_book_price(self, book_id: BookId) -> BookPrice:
        """Return the price or raise BookNotFoundError."""


@dataclass(frozen=True)
class Services:
    """The parts that the routes call; tests bring their own."""

    service: OrderService
    orders: OrderRepository
    carts: CartRepository
    catalog: Catalog
    flags: FeatureFlags
    git_sha: str
    verifier: TokenVerifier
    dependencies: Dependencies


def services(request: Request) -> Services:
    """Return the parts that this application was started with."""
    return cast(Services, request.app.state.services)


Parts = Annotated[Services, Depends(services)]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Token = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


# --8<-- [start:caller]
async def caller(parts: Parts, token: Token) -> Caller:
    """Return who calls, or raise UnauthenticatedError."""
    if token is None:
        raise UnauthenticatedError("the request has no token")
    return parts.verifier.verify(token.credentials)


Sender = Annotated[Caller, Depends(caller)]
# --8<-- [end:caller]

router = APIRouter()


# --8<-- [start:models]
class CartItemIn(BaseModel):
    """Some copies of a book for the cart."""

    # No control characters: PostgreSQL cannot store NUL.
    title: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    quantity: int = Field(default=1, ge=1, le=99)


class CartItemOut(BaseModel):
    """A line of a cart or an order."""

    book_id: str
    title: str
    price: str
    quantity: int


class CartOut(BaseModel):
    """A cart; amounts are strings, so that no reader makes floats of them."""

    customer_id: str
    items: list[CartItemOut]
    amount: str
    currency: str
    recommended: list[str] | None = None


# One @ and no control characters: PostgreSQL stores no NUL.
EMAIL = r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$"


class OrderIn(BaseModel):
    """An order of all that is in the customer's cart."""

    customer_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    email: Annotated[str, StringConstraints(pattern=EMAIL, max_length=254)]
    payment_method: Annotated[str, StringConstraints(pattern=r"^pm_\w{1,64}$")]
    coupon: str | None = Field(default=None, max_length=32)


class OrderOut(BaseModel):
    """An order."""

    order_id: str
    customer_id: str
    status: OrderStatus
    amount: str
    currency: str
    items: list[CartItemOut]


# --8<-- [end:models]


def items_out(items: list[CartItem] | tuple[CartItem, ...]) -> list[CartItemOut]:
    """Show the items of a cart or an order."""
    return [
        CartItemOut(
            book_id=item.book.id,
            title=item.book.title,
            price=str(item.book.price.amount),
            quantity=item.quantity,
        )
        for item in items
    ]


def order_out(order: Order) -> OrderOut:
    """Show an order."""
    return OrderOut(
        order_id=order.id,
        customer_id=order.customer_id,
        status=order.status,
        amount=str(order.total.amount),
        currency=order.total.currency,
        items=items_out(order.items),
    )


# --8<-- [start:carts]
@router.put("/carts/{customer_id}/books/{book_id}", response_model_exclude_none=True)
async def put_book(
    customer_id: Id, book_id: Id, body: CartItemIn, parts: Parts, caller: Sender
) -> CartOut:
    """Put a book into the caller's cart at the price it has now."""
    caller.require(CustomerId(customer_id))
    price = await parts.catalog.get_book_price(BookId(book_id))
    if not price.available:
        raise BookUnavailableError(f"book {book_id} is not for sale at present")
    item = CartItem(Book(BookId(book_id), body.title, price.money), body.quantity)
    await parts.carts.put(Cart(CustomerId(customer_id), [item]))
    cart = await parts.carts.get(CustomerId(customer_id))
    total = cart.total()
    return CartOut(
        customer_id=customer_id,
        items=items_out(cart.items),
        amount=str(total.amount),
        currency=total.currency,
        recommended=await recommended(cart, parts),
    )


async def recommended(cart: Cart, parts: Services) -> list[str] | None:
    """Name books to go with those in the cart; nothing while the flag is off."""
    if not parts.flags.ai_recommendations:
        return None
    book_ids = [item.book.id for item in cart.items]
    return list(await parts.orders.bought_together(cart.customer_id, book_ids))


# --8<-- [end:carts]


# --8<-- [start:checkout]
@router.post("/orders", status_code=201)
async def post_order(body: OrderIn, parts: Parts, caller: Sender) -> OrderOut:
    """Order what is in the caller's cart."""
    caller.require(CustomerId(body.customer_id))
    checkout = new_checkout(body) if parts.flags.new_checkout_flow else legacy_checkout(body)
    return order_out(await parts.service.place(checkout))


def new_checkout(body: OrderIn) -> Checkout:
    """Check out with the coupon, if the customer has one."""
    return Checkout(CustomerId(body.customer_id), body.email, body.payment_method, body.coupon)


def legacy_checkout(body: OrderIn) -> Checkout:
    """Check out without coupons, as before; this goes when the flag goes."""
    if body.coupon:
        raise UnknownCouponError("coupons are not accepted yet")  # better than charging in full
    return Checkout(CustomerId(body.customer_id), body.email, body.payment_method)


# --8<-- [end:checkout]


# --8<-- [start:get-order]
@router.get("/orders/{order_id}")
async def get_order(order_id: Id, parts: Parts, caller: Sender) -> OrderOut:
    """Show an order to its customer. For others it does not exist: a 403 would say that it does."""
    order = await parts.service.get(OrderId(order_id))
    if not caller.can_read_orders_of(order.customer_id):
        log.warning("access_denied", order_id=order_id, subject=caller.subject)
        raise OrderNotFoundError(f"there is no order {order_id}")
    return order_out(order)


# --8<-- [end:get-order]


# --8<-- [start:health]
@router.get("/health/live")
async def live(parts: Parts) -> dict[str, str]:
    """Say that the process serves, whatever its neighbours do; a restart helps only it."""
    return {"status": "ok", "commit": parts.git_sha}


@router.get("/health/ready")
async def ready(request: Request) -> JSONResponse:
    """Say whether this pod is initialised and not draining.

    A pod that has never reached its database is not initialised: its password may be wrong. A
    database that goes away later is shared by all pods, and makes none of them unready.
    """
    if request.app.state.ready and services(request).dependencies.reached_once:
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "unavailable"}, 503)


@router.get("/health/dependencies")
async def dependencies(parts: Parts) -> dict[str, str]:
    """Show the last known state of each dependency, inside the cluster only."""
    return parts.dependencies.states


# --8<-- [end:health]


# --8<-- [start:metrics]
@router.get("/metrics")
def metrics() -> Response:
    """Show the metrics to Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


# --8<-- [end:metrics]
