"""The state of the backing services: checked on a schedule, logged when it changes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from order_service import dependencies
from order_service.dependencies import Dependencies


class Backing:
    """A dependency that can be away, or hang."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.seconds = 0.0

    async def ping(self) -> None:
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error


async def test_dependency_away_and_back_is_logged_once_each(
    json_logs: Callable[[], list[dict[str, Any]]],
) -> None:
    backing = Backing()
    watched = Dependencies({"store": backing.ping})
    states: list[str] = []

    for error in (None, OSError("secret"), OSError("secret"), None, None):
        backing.error = error
        await watched.check()
        states.append(watched.states["store"])

    assert states == ["up", "down", "down", "up", "up"]
    assert [line["event"] for line in json_logs()] == ["dependency_down", "dependency_up"]
    assert "secret" not in str(json_logs())


async def test_dependency_that_hangs_is_down_after_the_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dependencies, "TIMEOUT_SECONDS", 0.01)
    hanging, healthy = Backing(), Backing()
    hanging.seconds = 10

    watched = Dependencies({"slow": hanging.ping, "store": healthy.ping})
    await watched.check()

    assert watched.states == {"slow": "down", "store": "up"}
    assert REGISTRY.get_sample_value("dependency_up", {"dependency": "slow"}) == 0
    assert REGISTRY.get_sample_value("dependency_up", {"dependency": "store"}) == 1


async def test_dependency_up_once_counts_as_reached_even_when_it_goes_away() -> None:
    backing = Backing()
    watched = Dependencies({"store": backing.ping})

    reached: list[bool] = []
    for error in (OSError(), None, OSError()):
        backing.error = error
        await watched.check()
        reached.append(watched.reached_once)

    assert reached == [False, True, True]
