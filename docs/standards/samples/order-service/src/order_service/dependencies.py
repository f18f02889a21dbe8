"""State of the backing services, for people and alerts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from order_service.metrics import DEPENDENCY_UP

INTERVAL_SECONDS = 5.0
TIMEOUT_SECONDS = 2.0

log = structlog.get_logger(__name__)


# --8<-- [start:dependencies]
class Dependencies:
    """Checks every dependency on a schedule, so a call costs no connection."""

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
        self._checks = checks
        self._never_up = set(checks)
        self.states: dict[str, str] = {}

    @property
    def reached_once(self) -> bool:
        """Tell whether each dependency was up at least once since the start."""
        return not self._never_up

    async def watch(self) -> None:
        """Check until the task is cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await self.check()

    async def check(self) -> None:
        """Check all dependencies at once, and record the states as a metric."""
        results = await asyncio.gather(
            *(asyncio.wait_for(check(), TIMEOUT_SECONDS) for check in self._checks.values()),
            return_exceptions=True,
        )
        for name, result in zip(self._checks, results, strict=True):
            state = "down" if isinstance(result, BaseException) else "up"
            DEPENDENCY_UP.labels(name).set(state == "up")
            if state == "down" and self.states.get(name) != "down":
                log.warning("dependency_down", dependency=name, error_type=type(result).__name__)
            elif state == "up":
                self._never_up.discard(name)
                if self.states.get(name) == "down":
                    log.info("dependency_up", dependency=name)
            self.states[name] = state


# --8<-- [end:dependencies]
