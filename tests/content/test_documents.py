"""The documents of this repository: README, guides and code owners."""

from __future__ import annotations

import re

from handbook.cli.program import COMMANDS
from handbook.loading import load
from tests.handbooks import ROOT


def test_every_code_owner_is_a_team_of_the_settings() -> None:
    lines = (ROOT / ".github/CODEOWNERS").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    owners = {owner for _, *owners in rows for owner in owners}
    assert owners == {f"@example-org/{team}" for team in load(ROOT).settings.organisation.teams}
    assert rows[0][0] == "*"


def test_every_command_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    used = set(re.findall(r"(?:^|`)make ([a-z]+)", readme, re.MULTILINE))
    assert {"site", "test"} <= used <= targets
    commands = set(re.findall(r"`(?:.venv/bin/)?handbook ([a-z]+)", readme))
    assert {"check", "new"} <= commands <= set(COMMANDS)


def test_every_link_of_a_document_has_a_target() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (ROOT / target).exists(), f"{name}: {target}"
