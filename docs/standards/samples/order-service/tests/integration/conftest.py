"""Real backing services: PostgreSQL by DATABASE_URL and Redis by REDIS_URL."""

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from order_service.postgres import create_engine
from order_service.settings import Settings
from tests.integration.stubs import Neighbours, free_port, served
from tests.unit.fakes import ISSUER, KEYS, bearer

ROOT = Path(__file__).parents[2]


def required(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        pytest.exit(f"{variable} is not set: integration tests need real services", returncode=2)
    return value


@pytest.fixture
def settings() -> Settings:
    return Settings(
        _env_file=None,
        database_url=SecretStr(required("DATABASE_URL")),
        redis_url=SecretStr(required("REDIS_URL")),
        stripe_secret_key=SecretStr("sk_test_example"),
        token_issuer=ISSUER,
        token_keys=KEYS,
        pool_size=2,
    )


@pytest.fixture
def alembic(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_example")
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("TOKEN_KEYS", KEYS)
    return Config(toml_file=str(ROOT / "pyproject.toml"))


@pytest.fixture
def database(alembic: Config) -> Iterator[None]:
    """Migrate an empty database up, and back down in the end."""
    command.downgrade(alembic, "base")
    command.upgrade(alembic, "head")
    yield
    command.downgrade(alembic, "base")


@pytest.fixture
async def engine(settings: Settings, database: None) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings)
    yield engine
    await engine.dispose()


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    store = Redis.from_url(settings.redis_url.get_secret_value(), decode_responses=True)
    await store.flushdb()
    yield store
    await store.aclose()


@pytest.fixture
def neighbours() -> Iterator[Neighbours]:
    with served(Neighbours()) as neighbours:
        yield neighbours


@dataclass
class Running:
    """The service as a process of its own."""

    process: subprocess.Popen[str]
    http: httpx.Client

    def stop(self) -> list[dict[str, Any]]:
        """Send SIGTERM, wait for the end and return what was logged."""
        self.process.terminate()
        stdout, _ = self.process.communicate(timeout=30)
        return [json.loads(line) for line in stdout.splitlines()]


@pytest.fixture
def running(settings: Settings, database: None, neighbours: Neighbours) -> Iterator[Running]:
    """Start `python -m order_service` as the image does and wait until it answers."""
    port = free_port()
    environment = {
        **os.environ,
        "STRIPE_SECRET_KEY": "sk_test_example",  # pragma: allowlist secret
        "CATALOG_URL": neighbours.url,
        "INVENTORY_URL": neighbours.url,
        "STRIPE_URL": neighbours.url,
        "SMTP_PORT": str(free_port()),
        "TOKEN_ISSUER": ISSUER,
        "TOKEN_KEYS": KEYS,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "order_service"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, headers=bearer("cust-xyz789"), timeout=10) as http:
        deadline = time.monotonic() + 30
        while True:
            try:
                http.get("/health/live")
                break
            except httpx.TransportError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield Running(process, http)
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.fixture
def unreachable_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the service at a Redis that is not there."""
    required("REDIS_URL")
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
