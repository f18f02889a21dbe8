"""No listing of a page is untried: each is cut from a proved file, or is one command that shellcheck reads."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from handbook.loading import load
from handbook.reading.blocks import SNIPPET, Code
from handbook.records import Document
from tests.commands import BIN
from tests.handbooks import ROOT
from tests.samples.proofs import SAMPLES, is_command, proofs_of, table

pytestmark = pytest.mark.samples

HANDBOOK = load(ROOT)
LISTINGS = [
    (document, block)
    for document in HANDBOOK.documents.values()
    for block in document.source.every(Code)
]


def problem(block: Code) -> str | None:
    """What is wrong with a listing; None where it is proved."""
    cut = [match["path"] for match in SNIPPET.finditer(block.text)]
    if cut:
        typed = SNIPPET.sub("", block.text).strip()
        unproved = [path for path in cut if not (SAMPLES / path).is_file() or not proofs_of(path)]
        if typed or unproved:
            return f"typed beside the cut: {typed}" if typed else f"nothing proves {unproved[0]}"
        return None
    if block.info in ("sh", "bash"):
        command = re.sub(r"(\||\\|&&)[ \t]*\n[ \t]*", r"\1 ", block.text).strip()
        if "\n" in command:
            return "more than one command: cut it from a script"
        answer = shellcheck(command)
        return answer or None
    if block.info == "sql":
        return None  # run by test_the_queries_of_runbooks_run_on_the_service_s_own_database
    return f"typed, as {block.info or 'text'}: cut it from a file of docs/standards/samples"


def shellcheck(script: str) -> str:
    """What shellcheck says of a script."""
    return subprocess.run(
        [str(BIN / "shellcheck"), "--shell", "bash", "-"],
        input=script + "\n",
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.parametrize(
    ("document", "block"),
    LISTINGS,
    ids=[f"{document.source.path}:{block.first}" for document, block in LISTINGS],
)
def test_a_listing_is_proved(document: Document, block: Code) -> None:
    assert problem(block) is None


def test_listings_are_found() -> None:
    pages = {document.source.path for document, _ in LISTINGS}
    assert {"docs/standards/11-incident-management.md", "docs/how-to/add-a-runbook.md"} <= pages
    assert any(path.startswith("runbooks/") for path in pages)


@pytest.mark.parametrize(
    ("info", "text", "found"),
    [
        ("yaml", "key: value", "typed, as yaml"),
        ("", "text", "typed, as text"),
        ("yaml", '--8<-- "no/such/file.yml"', "nothing proves"),
        ("yaml", 'key: value\n--8<-- "order-service/slo.yml"', "typed beside the cut"),
        ("sh", "make site\nmake test", "more than one command"),
        ("sh", "echo $unquoted", "SC2086"),
        ("bash", "git status |\n  head", None),
        ("yaml", '--8<-- "order-service/slo.yml"', None),
    ],
)
def test_a_listing_that_nothing_tries_is_found(info: str, text: str, found: str | None) -> None:
    answer = problem(Code(1, 1, None, 0, info, text, fenced=True, closed=True))
    assert answer is None if found is None else found in (answer or "")


def test_every_file_of_the_samples_is_proved() -> None:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=SAMPLES,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert [name for name in names if not proofs_of(name)] == []


def test_every_proof_that_is_a_test_is_there() -> None:
    tests = {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    rows = table("What proves what") + table("Bad examples")
    named = {proof for row in rows for proof in row.code[1] if not is_command(proof)}
    assert named
    assert named <= tests
