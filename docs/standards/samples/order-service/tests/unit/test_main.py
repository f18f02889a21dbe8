"""The real wiring, as far as it goes without a network."""

from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from pydantic import HttpUrl

from order_service import __main__ as command
from order_service import logs, tracing
from order_service.app import create_app
from tests.unit.fakes import make_settings


def test_app_with_production_parts_starts_before_its_neighbours_answer() -> None:
    with TestClient(create_app(make_settings())) as client:
        response = client.get("/health/live")

    assert response.status_code == 200


def test_command_serves_with_our_logs_and_time_to_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(uvicorn, "run", lambda _app, **options: calls.append(options))
    monkeypatch.setattr(logs, "configure", lambda level: calls.append({"level": level}))
    monkeypatch.setattr(command, "Settings", make_settings)

    command.main()

    configured, served = calls
    assert configured == {"level": "INFO"}
    assert served["log_config"] is None
    assert served["access_log"] is False
    assert served["timeout_graceful_shutdown"] == 20


def test_tracer_provider_without_collector_exports_nothing() -> None:
    provider = tracing.tracer_provider(make_settings())

    assert provider._active_span_processor._span_processors == ()


def test_tracer_provider_with_collector_exports_there() -> None:
    settings = make_settings()
    settings.otel_exporter_otlp_endpoint = HttpUrl("http://collector.example:4318")

    provider = tracing.tracer_provider(settings)

    [processor] = provider._active_span_processor._span_processors
    provider.shutdown()
    endpoint = processor.span_exporter._endpoint  # type: ignore[attr-defined]
    assert endpoint == "http://collector.example:4318/v1/traces"
    assert provider.resource.attributes["service.name"] == "order-service"
