"""The services we depend on, as one small server on loopback."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class Neighbours:
    """Catalog, inventory and Stripe; what they were sent can be looked at."""

    def __init__(self) -> None:
        self.url = ""
        self.correlation_ids: list[str | None] = []
        self.idempotency_keys: list[str] = []
        self.payment_asked = threading.Event()
        self.payment_seconds = 0.0
        self.app = Starlette(
            routes=[
                Route("/books/{book_id}/price", self.price),
                Route("/reservations", self.reserve, methods=["POST"]),
                Route("/v1/payment_intents", self.pay, methods=["POST"]),
            ]
        )

    async def price(self, request: Request) -> JSONResponse:
        self.correlation_ids.append(request.headers.get("X-Correlation-ID"))
        return JSONResponse(
            {
                "book_id": request.path_params["book_id"],
                "price": "100.00",
                "currency": "USD",
                "available": True,
            }
        )

    async def reserve(self, request: Request) -> JSONResponse:
        self.correlation_ids.append(request.headers.get("X-Correlation-ID"))
        return JSONResponse({}, 201)

    async def pay(self, request: Request) -> JSONResponse:
        self.idempotency_keys.append(request.headers["Idempotency-Key"])
        self.payment_asked.set()
        await asyncio.sleep(self.payment_seconds)
        return JSONResponse({"id": "pi_1", "object": "payment_intent", "status": "succeeded"})


@contextmanager
def served(neighbours: Neighbours) -> Iterator[Neighbours]:
    """Serve the stubs on a free port."""
    server = uvicorn.Server(uvicorn.Config(neighbours.app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    neighbours.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield neighbours
    finally:
        server.should_exit = True
        thread.join()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
