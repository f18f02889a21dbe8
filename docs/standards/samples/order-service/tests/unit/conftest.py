"""Fixtures of the unit tests."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient

from order_service import logs
from order_service.app import create_app
from order_service.flags import toggles
from order_service.settings import Settings
from tests.unit.fakes import Backing, bearer, make_settings


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for variable, _ in toggles():
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def backing() -> Backing:
    return Backing()


@pytest.fixture
def client(backing: Backing) -> Iterator[TestClient]:
    """The customer cust-xyz789."""
    app = create_app(make_settings(), backing.build)
    with TestClient(app, headers=bearer("cust-xyz789")) as client:
        yield client


@pytest.fixture
def json_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Set the logs up as in production; call the result to read what is on stdout."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = []  # pytest's own are put back below
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    logs.configure("INFO")
    yield lambda: [json.loads(line) for line in stdout.getvalue().splitlines()]
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
