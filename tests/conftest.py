"""Shared fixtures: the sites and the wheel, built once per run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.__main__ import FAST, MARKERS
from tests.commands import (
    install_node_packages,
    make_offline_environment,
    make_once,
    run,
)
from tests.handbooks import ROOT, SMALL, copy_site, replace_once

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from xdist.workermanage import WorkerController

# In CI, checks have no cache. So no test sees the result of another one. The value is not "true",
# because a missing tool fails the tests only in CI.
os.environ.setdefault("CI", "tests")
# Messages are not translated, so that argparse does not look for 60 files in each command.
os.environ["LANGUAGE"] = "C"


GROUPS = {
    "tests/content/test_fork.py": "fork",
    "tests/samples/test_service.py": "service",
}
"""Files whose tests run in one process, because they share an expensive fixture."""
SPREAD = ("tests/engines/test_kept_builds.py",)
"""Files whose tests take long and share nothing, so that each can run in any process."""


class Scheduler(LoadScopeScheduling):  # type: ignore[misc] # mypy does not follow it
    """Scheduler of a run with several processes, which starts the largest groups first.

    The tests of a function run in one process, which keeps what they share.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if file in SPREAD else GROUPS.get(file, nodeid.partition("[")[0])

    def _reschedule(self, node: WorkerController) -> None:
        # xdist counts the tests of all groups after each test, also of the finished groups.
        groups = self.assigned_work[node]
        for name in [name for name, tests in groups.items() if all(tests.values())]:
            del groups[name]
        super()._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    """Return the scheduler of a run with several processes."""
    return Scheduler(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the part of the test to its report."""
    report = yield
    markers = (name for name, marker in MARKERS.items() if item.get_closest_marker(marker))
    report.part = next(markers, FAST)  # type: ignore[attr-defined] # reports keep it
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the times of the parts, and the figures that tests have recorded."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            seconds[getattr(report, "part", FAST)] += report.duration
            for name, value in report.user_properties if report.when == "call" else ():
                terminalreporter.write_line(f"{name}: {value}")
    for part, duration in seconds.items():
        terminalreporter.write_line(f"{part}: {duration:.1f} s in all processes")


@pytest.fixture(scope="session")
def small_site(request: pytest.FixtureRequest) -> Path:
    """Return the built site of the small handbook, with one open action."""

    def build(folder: Path) -> None:
        root = copy_site(SMALL, folder / "handbook")
        replace_once(root, "| 2026-05-13 | done 2026-05-12 |", "| 2027-05-13 | open |")
        run("mkdocs", "build", cwd=root, check=True)

    return make_once(request, "small", build) / "handbook/site"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return one Chromium for all tests."""
    from tests.browser.conftest import chromium  # Only these tests need Playwright.

    with chromium() as chromium_browser:
        yield chromium_browser


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with Lighthouse and Biome."""
    return install_node_packages(
        ROOT / "tests/browser", tmp_path_factory.mktemp("node") / "browser"
    )


@pytest.fixture(scope="session")
def wheel(request: pytest.FixtureRequest) -> Path:
    """Return the wheel of this repository, built without an index and without a cache."""

    def build(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        answer = subprocess.run(
            [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), "."],
            cwd=ROOT,
            env=make_offline_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr

    (file,) = make_once(request, "wheel", build).iterdir()
    return file
