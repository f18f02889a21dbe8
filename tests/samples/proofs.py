"""The table of proofs, docs/reference/proofs.md, as the suite reads it: what is written there is what is run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from handbook.reading.blocks import Heading, Table
from handbook.reading.source import read_source
from tests.commands import BIN, environment
from tests.handbooks import ROOT

SAMPLES = ROOT / "docs/standards/samples"
SERVICE = SAMPLES / "order-service"
PAGE = ROOT / "docs/reference/proofs.md"


@dataclass(frozen=True)
class Row:
    """A row of one of the page's tables: the code in each cell, and the cells."""

    code: tuple[tuple[str, ...], ...]
    cells: tuple[str, ...]


def table(title: str) -> list[Row]:
    """The rows of the table below a heading of the page."""
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


def proofs_of(path: str) -> list[str]:
    """The commands, tests and checks that prove a file below the samples, or that it is wrong."""
    rows = table("What proves what") + table("Bad examples")
    return [
        proof
        for row in rows
        for glob in row.code[0]
        if matches(path, glob)
        for proof in row.code[1]
    ]


def matches(path: str, glob: str) -> bool:
    """Whether a path is one of a pattern, in which ** stands for any folders."""
    pattern = re.escape(glob).replace(r"\*\*/", "(?:.+/)?").replace(r"\*", "[^/]*")
    return bool(re.fullmatch(pattern, path))


def is_command(proof: str) -> bool:
    """Whether a proof is a command, not the name of a test."""
    return not proof.startswith("test_")


def run_command(command: str, cwd: Path = SAMPLES) -> subprocess.CompletedProcess[str]:
    """Run a command as the table writes it, from the folder of the samples; `< file` is its standard input."""
    written, _, given = command.partition(" < ")
    words = [
        str(path.relative_to(cwd)) if path != cwd / word else word
        for word in shlex.split(written)
        for path in (sorted(cwd.glob(word)) if "*" in word else [cwd / word])
    ]
    installed = BIN / words[0]
    return subprocess.run(
        [str(installed) if installed.exists() else words[0], *words[1:]],
        cwd=cwd,
        env=environment(COLUMNS="100"),
        input=(cwd / given.strip()).read_text(encoding="utf-8") if given else "",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def copy_of_service(target: Path) -> Path:
    """A copy of the service's folder alone, as a Git repository whose files are all staged."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=SERVICE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (SERVICE / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SERVICE / name, target / name)
    for arguments in (["init", "--quiet", "--initial-branch", "main"], ["add", "--all"]):
        subprocess.run(["git", *arguments], cwd=target, check=True, capture_output=True)
    return target
