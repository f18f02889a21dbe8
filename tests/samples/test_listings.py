"""Every listing of a page is tested: it comes from a tested file, or is one checked command."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from handbook.loading import load
from handbook.reading.blocks import SNIPPET, Code
from handbook.reading.source import read_source
from handbook.records import Document
from tests.commands import BIN
from tests.handbooks import ROOT
from tests.samples.proofs import SAMPLES, find_proofs, is_command, read_table

pytestmark = pytest.mark.samples

HANDBOOK = load(ROOT)
LISTINGS = [
    (document, block)
    for document in HANDBOOK.documents.values()
    if (ROOT / document.path).is_file()  # The engine provides the other pages, and tests them.
    for block in document.source.blocks_of(Code)
]


def read_requirements(text: str) -> tuple[str, ...]:
    """Return the ids of the requirements in a listing."""
    return tuple(id for id, _ in read_source("", text.encode()).items_with_ids)


CONTRACT = "docs/reference/contract.md"
PARSED: dict[tuple[str, str], Callable[[str], object]] = {
    (CONTRACT, '{"records": [{"source":'): json.loads,
    (CONTRACT, "- uses: actions/checkout@"): yaml.safe_load,
    (CONTRACT, "imported:"): yaml.safe_load,
    (CONTRACT, "- **STD-12.4**"): read_requirements,
    ("docs/standards/12-code-review.md", "Assisted-by: "): re.compile(
        r"[\w-]+: \w+:\w+\n"
    ).fullmatch,
}
"""The listings that show a form: the page, the start of the listing, and the parser."""
RUN_BY = {
    ("docs/how-to/bring-your-records.md", "handbook init "): "tests/samples/test_import_how_to.py",
    **{
        ("docs/how-to/fork.md", start): "tests/content/test_fork.py"
        for start in ("git ls-files", "perl -i", "export NAME", "git add")
    },
}
"""The listings that another test runs: the page, the start of the listing, and the test."""


def find_exception(document: Document, block: Code) -> tuple[str, str] | None:
    """Return the key of a listing in `PARSED` or `RUN_BY`, or None."""
    keys = (key for key in (*PARSED, *RUN_BY) if document.path == key[0])
    return next((key for key in keys if block.text.startswith(key[1])), None)


def find_problem(block: Code) -> str | None:
    """Return the problem of a listing, or None if it is tested."""
    snippets = [match["path"] for match in SNIPPET.finditer(block.text)]
    if snippets:
        typed_text = SNIPPET.sub("", block.text).strip()
        untested = [
            path for path in snippets if not (SAMPLES / path).is_file() or not find_proofs(path)
        ]
        if typed_text:
            return f"typed text beside the snippet: {typed_text}"
        return f"no proof for {untested[0]}" if untested else None
    if block.info in ("sh", "bash"):
        command = re.sub(r"(\||\\|&&)[ \t]*\n[ \t]*", r"\1 ", block.text).strip()
        if "\n" in command:
            return "more than one command: take it from a script"
        return run_shellcheck(command) or None
    if block.info == "sql":
        # test_the_queries_of_runbooks_run_on_the_service_s_own_database runs it.
        return None
    return f"typed {block.info or 'text'}: take it from a file of docs/standards/samples"


def run_shellcheck(script: str) -> str:
    """Return the findings of shellcheck in a script."""
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
def test_a_listing_is_tested(document: Document, block: Code) -> None:
    key = find_exception(document, block)
    if key in PARSED:
        assert PARSED[key](block.text)
    elif key:
        assert document.path in (ROOT / RUN_BY[key]).read_text(encoding="utf-8")
    else:
        assert find_problem(block) is None


def test_listings_are_found() -> None:
    pages = {document.source.path for document, _ in LISTINGS}
    assert {"docs/standards/11-incident-management.md", "docs/how-to/add-a-runbook.md"} <= pages
    assert any(path.startswith("runbooks/") for path in pages)


@pytest.mark.parametrize(
    ("info", "text", "problem"),
    [
        ("yaml", "key: value", "typed yaml"),
        ("", "text", "typed text"),
        ("yaml", '--8<-- "no/such/file.yml"', "no proof for"),
        ("yaml", 'key: value\n--8<-- "order-service/slo.yml"', "typed text beside"),
        ("sh", "make site\nmake test", "more than one command"),
        ("sh", "echo $unquoted", "SC2086"),
        ("bash", "git status |\n  head", None),
        ("yaml", '--8<-- "order-service/slo.yml"', None),
    ],
    ids=[
        "typed-yaml",
        "typed-text",
        "missing-file",
        "text-beside-snippet",
        "two-commands",
        "unquoted",
        "pipe",
        "snippet",
    ],
)
def test_an_untested_listing_is_reported(info: str, text: str, problem: str | None) -> None:
    answer = find_problem(Code(1, 1, None, 0, info, text, fenced=True, closed=True))
    assert answer is None if problem is None else problem in (answer or "")


def test_every_sample_file_has_a_proof() -> None:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=SAMPLES,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert [name for name in names if not find_proofs(name)] == []


def test_every_proof_that_names_a_test_names_an_existing_one() -> None:
    tests = {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    rows = read_table("What proves what") + read_table("Bad examples")
    names = {proof for row in rows for proof in row.code[1] if not is_command(proof)}
    assert names
    assert names <= tests
