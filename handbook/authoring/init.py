"""Start a handbook in an empty folder or in an existing repository.

The files come from the folder `starter`. A file that already exists is never changed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

import yaml

from handbook import __version__
from handbook.authoring.standards_copy import StandardsCopy

SETTINGS: Final = "mkdocs.yml"
_STARTER: Final = Path(__file__).parent / "starter"
_FILES: Final[Mapping[str, str]] = {
    SETTINGS: "mkdocs.yml",
    "requirements.txt": "requirements.txt",
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    ".github/CODEOWNERS": "CODEOWNERS",
    ".github/dependabot.yml": "dependabot.yml",
    ".github/pull_request_template.md": "pull_request_template.md",
    ".github/ISSUE_TEMPLATE/wrong-or-missing.md": "wrong-or-missing.md",
    ".github/workflows/check.yml": "workflows/check.yml",
    ".github/workflows/publish.yml": "workflows/publish.yml",
    ".github/workflows/weekly.yml": "workflows/weekly.yml",
}
"""The files of a new handbook, each with its template in the folder `starter`."""
_FOLDER_FILE: Final = "docs/.gitkeep"
"""Empty file that keeps the folder docs/ in Git, because the engine needs this folder."""
_STANDARDS: Final = """\

## Make the standards yours

`docs/standards/` has copies of the thirteen standards of the package, and {owner} owns them.

1. Read each standard, and change what does not fit. Then set `reviewed` to the day of this review.
2. Choose the numbers under `extra.policy` in `mkdocs.yml`. The standards show them, and the rules
   use them.
3. Choose the `owner` of each standard among your teams.
"""
"""The section of README.md about copied standards."""
_VALUE: Final = re.compile(r"\[\[(\w+)\]\]")
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


@dataclass(frozen=True)
class Start:
    """The files that a new handbook needs: the missing ones, and the paths of the others."""

    missing: Mapping[str, bytes]
    kept: Sequence[str]

    @property
    def is_second(self) -> bool:
        """Return whether the folder already has the settings of a handbook."""
        return SETTINGS in self.kept


def plan_start(
    folder: Path,
    name: str,
    url: str,
    teams: Sequence[str],
    standards: StandardsCopy | None = None,
) -> Start:
    """Return the files for a new handbook in a folder, which need not exist."""
    contents = make_files(name, url, teams, standards)
    kept = [path for path in contents if _exists(folder / path)]
    return Start({path: data for path, data in contents.items() if path not in kept}, kept)


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def make_files(
    name: str, url: str, teams: Sequence[str], standards: StandardsCopy | None = None
) -> dict[str, bytes]:
    """Return the content of each file of a new handbook, by path."""
    values = {
        "name": _quote(name),
        "title": _MARKUP.sub(r"\\\1", name),
        "url": _quote(url),
        "teams": "\n".join(f"      {_quote_if_needed(team)}: {{}}" for team in teams),
        "owners": " ".join(f"@ORGANISATION/{team}" for team in teams),
        "standards": _STANDARDS.format(owner=teams[0]) if standards else "",
        "requirement": make_requirement("handbook[site]"),
        "hook": json.dumps([make_requirement("handbook")]),
    }
    contents = {}
    for path, template in _FILES.items():
        text = (_STARTER / template).read_text(encoding="utf-8")
        # The workflows have no values; `[[` is a test of the shell there.
        is_workflow = template.startswith("workflows/")
        text = text if is_workflow else _VALUE.sub(lambda match: values[match[1]], text)
        if path == SETTINGS and standards:
            text = add_standards(text, standards)
        contents[path] = text.encode()
    return {**contents, **(standards.files if standards else {_FOLDER_FILE: b""})}


def add_standards(settings: str, standards: StandardsCopy) -> str:
    """Return the settings with the navigation, the groups and the policy of the standards."""
    index, checklist = "standards/index.md", "checklist.md"
    pages = "".join(f"\n      - {page}" for page in (index, *standards.pages, checklist))
    settings = settings.replace(f" [{index}, {checklist}]", pages)
    head, _, _ = settings.partition("  policy:\n")
    return f"{head}{standards.organisation}\n{standards.policy}\n"


def make_requirement(package: str) -> str:
    """Return a requirement of pip with the version of this engine, or with its Git commit.

    pip records the address of the repository from which it installed a package, without a password.
    """
    try:
        origin = json.loads(distribution("handbook").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    source = origin.get("vcs_info", {})
    if "commit_id" in source and not origin["url"].startswith("file:"):
        return f"{package} @ {source['vcs']}+{origin['url']}@{source['commit_id']}"
    return f"{package}=={__version__}"


def _quote(text: str) -> str:
    """Return a text as a YAML value in double quotes, on one line."""
    dumped = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf)
    return str(dumped).strip()


def _quote_if_needed(text: str) -> str:
    """Return a word as a YAML key. A word with a meaning in YAML, such as `on`, gets quotes."""
    return str(yaml.safe_dump(text)).partition("\n")[0]
