"""Metrics: what the dashboard, the SLOs and the alerts are computed from."""

from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# --8<-- [start:metrics]
REQUESTS = Counter(
    "http_requests_total",
    "HTTP requests answered.",
    ["method", "endpoint", "status_code"],
)
DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from a request's arrival to the end of its answer.",
    # Without the outcome, a service that fails every request in 10 ms would look fast.
    ["method", "endpoint", "outcome"],
    # 2.0 is the bound of the latency SLO: without its own bucket the SLO cannot be computed.
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0),
)
ORDERS_ACTIVE = Gauge("orders_active", "Orders being processed now.")
ORDERS_PLACED = Counter(
    "orders_placed_total",
    "Orders that customers placed, whether or not processing then succeeded.",
)
ORDER_ERRORS = Counter(
    "order_processing_errors_total",
    "Orders whose processing failed.",
    ["error_type"],
)
DEPENDENCY_UP = Gauge("dependency_up", "1 while this pod can use the dependency.", ["dependency"])
# --8<-- [end:metrics]

METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
OUTCOMES = {4: "client_error", 5: "server_error"}


# --8<-- [start:middleware]
class MetricsMiddleware:
    """Counts and times every request, those that crash included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and record how it went."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        status = 500  # stays when an exception leaves no answer behind

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        start = perf_counter()
        try:
            await self.app(scope, receive, send_noting_status)
        finally:
            elapsed = perf_counter() - start
            # Labels must come from a small set: the route's template, never the raw path.
            endpoint = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if scope["method"] in METHODS else "other"
            outcome = OUTCOMES.get(status // 100, "success")
            REQUESTS.labels(method, endpoint, status).inc()
            DURATION.labels(method, endpoint, outcome).observe(elapsed)


# --8<-- [end:middleware]
