"""The measured commands: each is a tool with its work on a generated handbook."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks import peers

CHECK: Final = "check"
KEPT: Final = "check, nothing changed"
ONE_FILE: Final = "check, one file changed"
HELP: Final = "help"
BUILD: Final = "build"
REBUILD: Final = "build again"
LINKS: Final = "links"
OURS: Final = "handbook"
BUILD_COMMAND: Final = "handbook build"
OUR_TOOLS: Final = (OURS, BUILD_COMMAND)
STOCK: Final = "MkDocs + Material"
ZENSICAL: Final = "Zensical"
HUGO: Final = "Hugo"
RUMDL: Final = "rumdl"
MARKDOWNLINT: Final = "markdownlint-cli2"
SCHEMA: Final = "check-jsonschema"
LYCHEE: Final = "lychee"


@dataclass(frozen=True)
class Set:
    """Generated handbook with its number of records, in a folder that also has the sites."""

    folder: Path
    records: int
    handbook: str = "plain"

    @property
    def root(self) -> Path:
        """Return the root folder of the handbook."""
        return self.folder / "handbook"

    def make_folder(self, name: str) -> Path:
        """Return a folder beside the handbook, which is created if it does not exist."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def edited_file(self) -> Path:
        """Return the record that is edited."""
        return next(iter(sorted((self.root / "adr").glob("0002-*.md"))))


@dataclass
class Command:
    """Command that is measured. `prepare` runs before each run, and is not measured."""

    arguments: list[str]
    folder: Path
    codes: tuple[int, ...] = (0,)
    prepare: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """Tool with its work. `seconds` is the expected time at 1,000 records on two idle cores."""

    work: str
    tool: str
    program: str
    make: Callable[[Set, list[str]], Command]
    seconds: float
    start: float = 0.2

    def expect_seconds(self, records: int) -> float:
        """Return the expected time of a run."""
        return self.start + self.seconds * records / 1000


def _make_check(handbook: Set, tool: list[str]) -> Command:
    return Command([*tool, "check", "--no-cache"], handbook.root)


def _keep_checks(handbook: Set) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(handbook.make_folder("cache"))}


def _make_kept_check(handbook: Set, tool: list[str]) -> Command:
    return Command([*tool, "check"], handbook.root, environment=_keep_checks(handbook))


def edit(file: Path) -> None:
    """Add a sentence at the end of a file."""
    with file.open("a", encoding="utf-8") as text:
        text.write("\nThe team measures this again each quarter.\n")


def _make_check_after_edit(handbook: Set, tool: list[str]) -> Command:
    command = _make_kept_check(handbook, tool)
    command.prepare = lambda: edit(handbook.edited_file)
    return command


def _make_help(handbook: Set, tool: list[str]) -> Command:
    return Command([*tool, "--help"], handbook.root)


def _make_schema_check(handbook: Set, tool: list[str]) -> Command:
    folder = handbook.make_folder("front-matter")
    files = peers.write_front_matter(handbook.root, folder)
    return Command([*tool, "--schemafile", "schema.json", *files], folder)


def _make_rumdl(handbook: Set, tool: list[str]) -> Command:
    peers.write_linter_settings(handbook.root)
    return Command([*tool, "check", "--no-cache", "--silent", "."], handbook.root, (0, 1))


def _make_kept_rumdl(handbook: Set, tool: list[str]) -> Command:
    command = [*tool, "check", "--silent", "--cache-dir", str(handbook.make_folder("rumdl-cache"))]
    return Command([*command, "."], handbook.root, (0, 1))


def _make_rumdl_of_file(handbook: Set, tool: list[str]) -> Command:
    command = [*tool, "check", "--no-cache", "--silent", str(handbook.edited_file)]
    return Command(command, handbook.root, (0, 1))


def _make_markdownlint(handbook: Set, tool: list[str]) -> Command:
    peers.write_linter_settings(handbook.root)
    return Command([*tool, "**/*.md"], handbook.root, (0, 1))


def _make_markdownlint_of_file(handbook: Set, tool: list[str]) -> Command:
    path = handbook.edited_file.relative_to(handbook.root).as_posix()
    return Command([*tool, path], handbook.root, (0, 1))


def _make_lychee_of_sources(handbook: Set, tool: list[str]) -> Command:
    # Links to ids of rules and checklist items are links to anchors that only our site has.
    return Command([*tool, "--offline", "--no-progress", "."], handbook.root, (0, 2))


def _make_cold(command: Command, *outputs: Path) -> Command:
    def remove() -> None:
        for output in outputs:
            shutil.rmtree(output, ignore_errors=True)

    command.prepare = remove
    return command


def find_site(handbook: Set, tool: str) -> Path:
    """Return the folder of the site that a tool builds."""
    folders = {
        OURS: "site-ours",
        BUILD_COMMAND: "site-command",
        STOCK: "stock/site",
        ZENSICAL: "zensical/site",
        HUGO: "hugo/public",
    }
    return handbook.folder / folders[tool]


def _make_build(handbook: Set, tool: list[str]) -> Command:
    site = find_site(handbook, OURS)
    command = [*tool, "build", "--quiet", "--site-dir", str(site)]
    return _make_cold(Command(command, handbook.root), site)


def _make_build_command(handbook: Set, tool: list[str]) -> Command:
    site = find_site(handbook, BUILD_COMMAND)
    return _make_cold(Command([*tool, "build", "--output", str(site)], handbook.root), site)


def write_sources(handbook: Set, tool: str) -> Path:
    """Write the source files of a site for a peer, and return their folder."""
    name = {STOCK: "stock", ZENSICAL: "zensical", HUGO: "hugo"}[tool]
    folder = handbook.folder / name
    if not folder.exists():
        write = peers.write_hugo_site if tool == HUGO else peers.write_stock_site
        write(handbook.root, folder)
    return folder


def _make_stock(handbook: Set, tool: list[str]) -> Command:
    folder = write_sources(handbook, STOCK)
    return _make_cold(Command([*tool, "build", "--quiet"], folder), folder / "site")


def _make_zensical(handbook: Set, tool: list[str]) -> Command:
    folder = write_sources(handbook, ZENSICAL)
    command = Command([*tool, "build", "--clean"], folder)
    return _make_cold(command, folder / "site", folder / ".cache")


def _make_hugo(handbook: Set, tool: list[str]) -> Command:
    folder = write_sources(handbook, HUGO)
    return _make_cold(Command([*tool, "--quiet"], folder), folder / "public", folder / "resources")


def _make_again(
    make: Callable[[Set, list[str]], Command],
) -> Callable[[Set, list[str]], Command]:
    """Return a function that makes the command of a build without removing the last output."""

    def make_again(handbook: Set, tool: list[str]) -> Command:
        command = make(handbook, tool)
        arguments = [argument for argument in command.arguments if argument != "--clean"]
        return Command(arguments, command.folder)

    return make_again


def _make_links(handbook: Set, tool: list[str]) -> Command:
    return Command([*tool, "links", str(find_site(handbook, OURS))], handbook.root)


def _make_lychee(handbook: Set, tool: list[str]) -> Command:
    site = str(find_site(handbook, OURS))
    options = ["--offline", "--include-fragments", "--no-progress", "--index-files", "index.html"]
    command = [*tool, *options, "--root-dir", site, site]
    return Command(command, handbook.make_folder("lychee"))


SUBJECTS: Final = (
    Subject(HELP, OURS, "handbook", _make_help, 0.0),
    Subject(CHECK, OURS, "handbook", _make_check, 1.6),
    Subject(CHECK, SCHEMA, "check-jsonschema", _make_schema_check, 1.5, 0.4),
    Subject(CHECK, RUMDL, "rumdl", _make_rumdl, 0.5),
    Subject(CHECK, MARKDOWNLINT, "markdownlint-cli2", _make_markdownlint, 6.0, 0.6),
    Subject(CHECK, LYCHEE, "lychee", _make_lychee_of_sources, 0.2),
    Subject(KEPT, OURS, "handbook", _make_kept_check, 0.05),
    Subject(KEPT, RUMDL, "rumdl", _make_kept_rumdl, 0.1),
    Subject(ONE_FILE, OURS, "handbook", _make_check_after_edit, 1.4),
    Subject(ONE_FILE, RUMDL, "rumdl", _make_rumdl_of_file, 0.0),
    Subject(ONE_FILE, MARKDOWNLINT, "markdownlint-cli2", _make_markdownlint_of_file, 0.0, 0.6),
    Subject(BUILD, OURS, "mkdocs", _make_build, 13.0, 1.0),
    Subject(BUILD, STOCK, "mkdocs", _make_stock, 12.5, 0.6),
    Subject(BUILD, ZENSICAL, "zensical", _make_zensical, 10.0, 0.6),
    Subject(BUILD, HUGO, "hugo", _make_hugo, 2.5),
    Subject(BUILD, BUILD_COMMAND, "handbook", _make_build_command, 15.0, 1.0),
    Subject(REBUILD, OURS, "mkdocs", _make_again(_make_build), 13.0, 1.0),
    Subject(REBUILD, STOCK, "mkdocs", _make_again(_make_stock), 12.5, 0.6),
    Subject(REBUILD, ZENSICAL, "zensical", _make_again(_make_zensical), 5.0, 0.6),
    Subject(REBUILD, HUGO, "hugo", _make_again(_make_hugo), 2.5),
    Subject(LINKS, OURS, "handbook", _make_links, 0.9),
    Subject(LINKS, LYCHEE, "lychee", _make_lychee, 3.5),
)
