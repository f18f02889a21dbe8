"""Read the tables of docs/reference/proofs.md, which list the commands to run."""

from __future__ import annotations

import functools
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from handbook.reading.blocks import Heading, Table
from handbook.reading.source import read_source
from tests.commands import BIN, make_environment
from tests.handbooks import ROOT

SAMPLES = ROOT / "docs/standards/samples"
SERVICE = SAMPLES / "order-service"
PAGE = ROOT / "docs/reference/proofs.md"


@dataclass(frozen=True)
class Row:
    """Row of a table: the code in each cell, and the cells."""

    code: tuple[tuple[str, ...], ...]
    cells: tuple[str, ...]


def read_table(title: str) -> list[Row]:
    """Return the rows of the table below a heading. Raises LookupError without a table."""
    source = read_source(str(PAGE), PAGE.read_bytes())
    section = ""
    for block in source.blocks:
        if isinstance(block, Heading):
            section = block.text
        elif isinstance(block, Table) and section == title:
            return [
                Row(tuple(tuple(re.findall(r"`([^`]+)`", cell)) for cell in row), row)
                for row in block.rows
            ]
    raise LookupError(title)


def find_proofs(path: str) -> list[str]:
    """Return the commands, tests and checks for a sample file or a bad example."""
    rows = read_table("What proves what") + read_table("Bad examples")
    return [
        proof
        for row in rows
        for glob in row.code[0]
        if matches(path, glob)
        for proof in row.code[1]
    ]


def matches(path: str, glob: str) -> bool:
    """Tell whether a path matches a pattern, in which ** means any folders."""
    pattern = re.escape(glob).replace(r"\*\*/", "(?:.+/)?").replace(r"\*", "[^/]*")
    return bool(re.fullmatch(pattern, path))


def is_command(proof: str) -> bool:
    """Tell whether a proof is a command, not the name of a test."""
    return not proof.startswith("test_")


def run_command(command: str, cwd: Path = SAMPLES) -> subprocess.CompletedProcess[str]:
    """Run a command of the table in the folder of the samples.

    `< file` at the end is its standard input, and `*` matches files.
    """
    command_line, _, input_file = command.partition(" < ")
    arguments = [
        str(path.relative_to(cwd)) if path != cwd / argument else argument
        for argument in shlex.split(command_line)
        for path in (sorted(cwd.glob(argument)) if "*" in argument else [cwd / argument])
    ]
    installed = BIN / arguments[0]
    return subprocess.run(
        [str(installed) if installed.exists() else arguments[0], *arguments[1:]],
        cwd=cwd,
        env=make_environment(COLUMNS="100"),
        input=(cwd / input_file.strip()).read_text(encoding="utf-8") if input_file else "",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def copy_service(target: Path) -> Path:
    """Copy the service into a new Git repository with staged files, and return its folder."""
    shutil.copytree(create_service_repository().name, target, symlinks=True)
    return target


@functools.cache
def create_service_repository() -> TemporaryDirectory[str]:
    """Create a Git repository with the files of the service, once for all copies."""
    folder = TemporaryDirectory()
    file_list = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=SERVICE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, file_list.split("\0")):
        if (SERVICE / name).is_file():
            file = Path(folder.name, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SERVICE / name, file)
    for arguments in (["init", "--quiet", "--initial-branch", "main"], ["add", "--all"]):
        subprocess.run(["git", *arguments], cwd=folder.name, check=True, capture_output=True)
    return folder
