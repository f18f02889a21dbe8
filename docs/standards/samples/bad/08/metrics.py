import time

from fastapi import FastAPI, Request, Response
from prometheus_client import Counter, Histogram

REQUESTS = Counter("http_requests_total", "Requests.", ["method", "endpoint", "status_code"])
SECONDS = Histogram("http_request_duration_seconds", "Duration.", ["method", "endpoint"])

app = FastAPI()


@app.middleware("http")
async def count(request: Request, call_next) -> Response:
    start = time.time()
    response = await call_next(request)
    REQUESTS.labels(request.method, request.url.path, response.status_code).inc()
    SECONDS.labels(request.method, request.url.path).observe(time.time() - start)
    return response
