"""Correlation: one ID follows a request through every service and every log line."""

import re
from uuid import uuid4

import httpx
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

# --8<-- [start:accepted]
HEADER = "X-Correlation-ID"
# A client's header ends up in every log line, so it is kept only when it is short and plain.
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")
# --8<-- [end:accepted]

log = structlog.get_logger(__name__)


# --8<-- [start:middleware]
class CorrelationMiddleware:
    """Takes or makes the ID, and turns an exception that nobody handled into a logged 500.

    It stands outermost: even the answer to a crash carries the header.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with the ID bound to everything that is logged meanwhile."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        given = Headers(scope=scope).get(HEADER, "")
        correlation_id = given if ACCEPTED.fullmatch(given) else str(uuid4())
        started = False

        async def send_with_header(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)[HEADER] = correlation_id
            await send(message)

        clear_contextvars()
        bind_contextvars(
            correlation_id=correlation_id,
            request_method=scope["method"],
            request_path=scope["path"],
        )
        try:
            await self.app(scope, receive, send_with_header)
        except Exception:
            log.exception("unhandled_exception")
            if started:
                raise  # too late for another answer: the server cuts the connection
            crash = JSONResponse({"error": "Internal", "detail": "internal error"}, 500)
            await crash(scope, receive, send_with_header)
        finally:
            clear_contextvars()


# --8<-- [end:middleware]


# --8<-- [start:send-on]
async def send_on(request: httpx.Request) -> None:
    """Pass the ID to the next service; an event hook of the HTTP client."""
    correlation_id = get_contextvars().get("correlation_id")
    if correlation_id:
        request.headers[HEADER] = correlation_id


# --8<-- [end:send-on]
