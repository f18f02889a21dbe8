"""Build hook: put the standards, and the files that their listings show, into the wheel.

`handbook init --with standards` reads them there. An editable install reads the repository instead.
The files keep their paths, so that both have the same layout. The hook imports nothing of the
package, because an isolated build has only hatchling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "handbook/authoring/starter/standards"
STANDARDS = "docs/standards"
LISTING_FOLDERS = (f"{STANDARDS}/samples", "runbooks")
LISTING = re.compile(r'^[ \t]*-+8<-+ "([^":]+)', re.MULTILINE)


class StandardsHook(BuildHookInterface[Any]):
    """Adds the files of the standards to a wheel that is not editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add each file under its path in the folder of the starter."""
        if version != "editable":
            root = Path(self.root)
            for path in ("mkdocs.yml", *find_files(root)):
                build_data["force_include"][str(root / path)] = f"{FOLDER}/{path}"


def find_files(root: Path) -> Iterator[str]:
    """Yield the paths of the standards, their attachments and the files of their listings."""
    listings = set()
    for page in sorted((root / STANDARDS).glob("[0-9][0-9]-*.md")):
        yield page.relative_to(root).as_posix()
        for file in sorted(page.with_suffix("").rglob("*")):
            if file.is_file():
                yield file.relative_to(root).as_posix()
        listings |= set(LISTING.findall(page.read_text(encoding="utf-8")))
    for name in sorted(listings):
        paths = (f"{folder}/{name}" for folder in LISTING_FOLDERS)
        path = next((path for path in paths if (root / path).is_file()), None)
        if path is None:
            raise FileNotFoundError(f"a listing of a standard shows a missing file: {name}")
        yield path
