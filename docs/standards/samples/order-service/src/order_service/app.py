"""The application: its parts put together, started and stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import cast

import httpx
import redis.asyncio
import redis.exceptions
import stripe
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry.sdk.trace import TracerProvider

from order_service import domain, postgres, tracing
from order_service.api import Services, router
from order_service.carts import RedisCartRepository
from order_service.clients import CatalogClient, InventoryClient, http_client
from order_service.correlation import CorrelationMiddleware
from order_service.dependencies import Dependencies
from order_service.identity import ForbiddenError, TokenVerifier, UnauthenticatedError
from order_service.mail import SmtpEmailService
from order_service.metrics import MetricsMiddleware
from order_service.orders import OrderService, PaymentUnclearError
from order_service.payments import StripePayments
from order_service.settings import Settings

log = structlog.get_logger(__name__)

Build = Callable[[Settings, TracerProvider], AbstractAsyncContextManager[Services]]


# --8<-- [start:parts]
@asynccontextmanager
async def production(settings: Settings, provider: TracerProvider) -> AsyncIterator[Services]:
    """Connect the real backing services, and let go of them in the end."""
    async with AsyncExitStack() as stack:

        async def http(url: object) -> httpx.AsyncClient:
            client = await stack.enter_async_context(http_client(str(url)))
            tracing.trace_calls(client, provider)
            return client

        engine = postgres.create_engine(settings)
        stack.push_async_callback(engine.dispose)
        store = redis.asyncio.Redis.from_url(
            settings.redis_url.get_secret_value(),
            decode_responses=True,
            socket_timeout=1,
            socket_connect_timeout=1,
        )
        stack.push_async_callback(store.aclose)
        payments = StripePayments(
            settings.stripe_secret_key.get_secret_value(), str(settings.stripe_url).rstrip("/")
        )
        stack.push_async_callback(payments.close)

        orders = postgres.PostgresOrderRepository(engine)
        carts = RedisCartRepository(store)
        yield Services(
            service=OrderService(
                orders,
                SmtpEmailService(settings.smtp_host, settings.smtp_port),
                carts=carts,
                inventory=InventoryClient(await http(settings.inventory_url)),
                payments=payments,
            ),
            orders=orders,
            carts=carts,
            catalog=CatalogClient(await http(settings.catalog_url)),
            flags=settings.flags,
            git_sha=settings.git_sha,
            verifier=TokenVerifier(settings.token_issuer, settings.token_keys),
            dependencies=Dependencies(
                {"postgresql": lambda: postgres.ping(engine), "redis": lambda: ping(store)}
            ),
        )


# --8<-- [end:parts]


async def ping(store: redis.asyncio.Redis) -> None:
    """Check that Redis answers."""
    await store.ping()


# --8<-- [start:app]
def create_app(settings: Settings, build: Build = production) -> FastAPI:
    """Make the application; `build` opens its parts when it starts."""
    provider = tracing.tracer_provider(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with build(settings, provider) as services:
            app.state.services = services
            await services.dependencies.check()
            watch = asyncio.create_task(services.dependencies.watch())
            app.state.ready = True
            log.info("started", commit=settings.git_sha)
            yield
            app.state.ready = False
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        await asyncio.to_thread(provider.shutdown)  # sends the last spans
        log.info("stopped")

    app = FastAPI(title="order-service", debug=settings.debug, lifespan=lifespan)
    app.state.ready = False
    app.include_router(router)
    app.add_exception_handler(domain.DomainError, refuse)
    app.add_exception_handler(RequestValidationError, reject)
    for error_class in TEMPORARY:
        app.add_exception_handler(error_class, defer)
    # The one added last stands outermost.
    app.add_middleware(MetricsMiddleware)
    app.add_middleware(CorrelationMiddleware)
    tracing.trace_requests(app, provider)
    return app


# --8<-- [end:app]


# --8<-- [start:errors]
STATUS = {
    domain.EmptyCartError: 409,
    domain.UnknownCouponError: 422,
    domain.BookNotFoundError: 404,
    domain.BookUnavailableError: 409,
    domain.OutOfStockError: 409,
    domain.PaymentDeclinedError: 402,
    domain.OrderNotFoundError: 404,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
}

# What may well be over in a moment: the customer is asked to come again.
TEMPORARY = (
    postgres.DatabaseUnavailableError,
    redis.exceptions.RedisError,
    httpx.HTTPError,
    stripe.StripeError,
    PaymentUnclearError,
)


def refuse(_request: Request, error: Exception) -> JSONResponse:
    """Answer a request that the domain refuses."""
    name = type(error).__name__.removesuffix("Error")
    status = STATUS[type(cast(domain.DomainError, error))]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": name, "detail": str(error)}, status, headers)


def reject(_request: Request, error: Exception) -> JSONResponse:
    """Answer a malformed request without its input: that can be personal, or no valid Unicode."""
    errors = cast(RequestValidationError, error).errors()
    detail = [{key: each[key] for key in ("type", "loc", "msg")} for each in errors]
    return JSONResponse({"detail": detail}, 422)


def defer(_request: Request, error: Exception) -> JSONResponse:
    """Answer a request that a dependency keeps us from serving."""
    log.error("dependency_failed", error_type=type(error).__name__, exc_info=error)
    return JSONResponse(
        {"error": "Unavailable", "detail": "try again in a moment"},
        503,
        headers={"Retry-After": "5"},
    )


# --8<-- [end:errors]
