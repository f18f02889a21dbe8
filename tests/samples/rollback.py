"""Run the rollback script of the service for real, in two clones of a manifests repository."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.commands import make_environment

MANIFEST = Path("services/order-service/production/deployment.yaml")
STUBS = {
    # Every branch gets another name, however quickly the two incidents follow each other.
    "date": '#!/bin/sh\necho . >> "$STUBS/dates"\nwc -l < "$STUBS/dates" | tr -d " "\n',
    "gh": '#!/bin/sh\necho "$*" >> "$STUBS/pull-requests"\n',
}


def find_rollback_faults(script: Path) -> Iterator[str]:
    """Yield what is wrong with the script in several incidents, on a stale clone."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), script)
        trial.deploy("v1")
        trial.clone("on-call")
        for incident in (_find_faults_of_one, _find_faults_of_two, _find_faults_of_conflict):
            faults = list(incident(trial))
            yield from faults
            if faults:
                return


def _find_faults_of_one(trial: Trial) -> Iterator[str]:
    """Roll back one bad deployment, twice in a row, each time to the first."""
    for version in ("v2", "v3"):
        trial.deploy(version)
        commit = trial.git("pipeline", "rev-parse", "HEAD").strip()
        trial.add_other_service(version)
        declined = trial.roll_back("n")
        if commit not in declined.stdout:
            yield f"{version}: the script does not show the last deployment"
        if trial.pull_requests:
            yield f"{version}: the script goes on without a yes"
        answer = trial.roll_back("y")
        if answer.returncode != 0:
            yield f"{version}: the script fails: {answer.stderr}"
            return
        branch = trial.git("on-call", "branch", "--show-current").strip()
        if trial.git("pipeline", "ls-remote", "origin", branch) == "":
            yield f"{version}: the branch {branch} is not pushed"
            return
        if trial.pull_requests != ["pr create --fill --base main"]:
            yield f"{version}: no pull request"
        try:
            trial.merge(branch)
        except subprocess.CalledProcessError:
            yield f"{version}: the pull request conflicts with main"
            return
        if (image := trial.read_image()) != "image: v1\n":
            yield f"{version}: the rollback deploys {image.strip()}"


def _find_faults_of_two(trial: Trial) -> Iterator[str]:
    """Roll back two bad deployments, one after the other, until none is left."""
    for version in ("v4", "v5"):
        trial.deploy(version)
    for version in ("v4", "v1"):
        if trial.roll_back("y").returncode != 0:
            yield f"two bad deployments: the script does not go back to {version}"
            return
        trial.merge(trial.git("on-call", "branch", "--show-current").strip())
        if (image := trial.read_image()) != f"image: {version}\n":
            yield f"two bad deployments: the rollback deploys {image.strip()}, not {version}"
    if trial.roll_back("y").returncode == 0:
        yield "the script reverts the first deployment, so nothing is left"


def _find_faults_of_conflict(trial: Trial) -> Iterator[str]:
    """Roll back a deployment that an engineer has changed by hand since."""
    trial.deploy("v6")
    trial.change("v6 # by hand")
    commit = trial.git("pipeline", "rev-parse", "--short", "HEAD").strip()
    answer = trial.roll_back("y")
    if answer.returncode == 0 or trial.pull_requests:
        yield "the script goes on after a conflict"
    if trial.git("on-call", "status", "--porcelain"):
        yield "a conflict leaves the clone in the middle of a revert"
    if commit not in answer.stderr:
        yield "the script does not say what to do about a conflict"


class Trial:
    """A bare manifests repository, and clones for pipeline and on-call engineer."""

    def __init__(self, folder: Path, script: Path) -> None:
        self.folder, self.script = folder, script
        stubs = folder / "stubs"
        stubs.mkdir()
        for name, text in STUBS.items():
            (stubs / name).write_text(text, encoding="utf-8")
            (stubs / name).chmod(0o755)
        self.environment = make_environment(
            PATH=f"{stubs}{os.pathsep}{os.environ['PATH']}",
            STUBS=str(stubs),
            HOME=str(folder),
            GIT_CONFIG_NOSYSTEM="1",
            **{f"GIT_{who}_NAME": "test" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "test@example.com" for who in ("AUTHOR", "COMMITTER")},
        )
        self.git(".", "init", "--quiet", "--bare", "--initial-branch", "main", "origin")
        self.clone("pipeline")

    def git(self, clone: str, *arguments: str) -> str:
        """Run git in a clone and return its output."""
        return subprocess.run(
            ["git", *arguments],
            cwd=self.folder / clone,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def clone(self, name: str) -> None:
        """Clone the origin as it is now."""
        self.git(".", "clone", "--quiet", "origin", name)

    def deploy(self, version: str) -> None:
        """Commit a deployment as the pipeline does, and push it."""
        self._commit(MANIFEST, f"image: {version}\n", "Deploy order-service to production")

    def change(self, version: str) -> None:
        """Change the manifest by hand, as in an emergency, and push it."""
        self._commit(MANIFEST, f"image: {version}\n", "Change the image by hand")

    def add_other_service(self, version: str) -> None:
        """Commit something that is newer than the deployment and none of this service."""
        self._commit(Path("services/other/x.yaml"), version, "Deploy other to production")

    def roll_back(self, reply: str) -> subprocess.CompletedProcess[str]:
        """Run the script in the clone of the person on call, with a reply to its question."""
        (self.folder / "stubs/pull-requests").unlink(missing_ok=True)
        return subprocess.run(
            ["sh", str(self.script), "on-call"],
            cwd=self.folder,
            env=self.environment,
            input=f"{reply}\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def pull_requests(self) -> list[str]:
        """Return the arguments of each call of gh since the script was last started."""
        path = self.folder / "stubs/pull-requests"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def merge(self, branch: str) -> None:
        """Merge a pull request into main."""
        self.git("pipeline", "pull", "--quiet", "--no-rebase", "--no-edit", "origin", branch)
        self.git("pipeline", "push", "--quiet", "origin", "HEAD:main")

    def read_image(self) -> str:
        """Return the image that main deploys."""
        return (self.folder / "pipeline" / MANIFEST).read_text(encoding="utf-8")

    def _commit(self, path: Path, text: str, message: str) -> None:
        file = self.folder / "pipeline" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        self.git("pipeline", "add", "--all")
        self.git("pipeline", "commit", "--quiet", "--message", message)
        self.git("pipeline", "push", "--quiet", "origin", "HEAD:main")
