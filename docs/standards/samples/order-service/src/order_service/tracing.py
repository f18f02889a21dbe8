"""Traces: OpenTelemetry spans of what comes in over HTTP and what goes out."""

import httpx
from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from order_service.logs import SERVICE
from order_service.settings import Settings


# --8<-- [start:tracing]
def tracer_provider(settings: Settings) -> TracerProvider:
    """Make spans for logs and for the next service; export them only where a collector is set."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": SERVICE, "service.version": settings.git_sha})
    )
    if settings.otel_exporter_otlp_endpoint:
        endpoint = f"{str(settings.otel_exporter_otlp_endpoint).rstrip('/')}/v1/traces"
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider


def trace_requests(app: FastAPI, provider: TracerProvider) -> None:
    """Open a span for each request; probes and scrapes would only be noise."""
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, excluded_urls="/health/,/metrics"
    )


def trace_calls(client: httpx.AsyncClient, provider: TracerProvider) -> None:
    """Open a span for each call and send the W3C traceparent header with it."""
    HTTPXClientInstrumentor.instrument_client(client, tracer_provider=provider)


# --8<-- [end:tracing]
