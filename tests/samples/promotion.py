"""Run the guard of a promotion for real, in a clone of the service with a manifests repository."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.commands import make_environment

TARGET = "services/order-service/production"


def find_guard_faults(guard: str) -> Iterator[str]:
    """Yield the runs that the guard lets through wrongly, or stops wrongly."""
    with tempfile.TemporaryDirectory() as folder:
        service, manifests = Path(folder, "service"), Path(folder, "service/manifests")
        for repository in (service, manifests):
            _git(repository.parent, "init", "--quiet", "--initial-branch", "main", repository.name)
        older, newer = (_commit(service, "src", message) for message in ("older", "newer"))
        _commit(manifests, "services/other", "Deploy other to production")
        message = f"Deploy order-service to production\n\nCommit: {newer}"
        if not _passes(guard, service, older):
            yield "a first deployment stops"
        _commit(manifests, TARGET, message)
        for case in ("after a deployment", "after a change by hand"):
            if _passes(guard, service, older):
                yield f"{case}: a run that was overtaken undoes it"
            if not _passes(guard, service, newer):
                yield f"{case}: the newest run stops"
            _commit(manifests, TARGET, "Change a flag by hand")


def _passes(guard: str, service: Path, commit: str) -> bool:
    _git(service, "checkout", "--quiet", commit)
    environment = _environment() | {"TARGET": TARGET, "ENVIRONMENT": "production"}
    command = ["bash", "-eo", "pipefail", "-c", guard]
    answer = subprocess.run(command, cwd=service, env=environment, capture_output=True, check=False)
    return answer.returncode == 0


def _commit(repository: Path, path: str, message: str) -> str:
    file = repository / path / "file"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{message}\n", encoding="utf-8")
    _git(repository, "add", path)
    _git(repository, "commit", "--quiet", "--allow-empty", "--message", message)
    return _git(repository, "rev-parse", "HEAD").strip()


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _environment() -> dict[str, str]:
    return make_environment(
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL="/dev/null",
        **{f"GIT_{who}_NAME": "test" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "test@example.com" for who in ("AUTHOR", "COMMITTER")},
    )
