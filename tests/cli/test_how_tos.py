"""The examples of the provided how-tos: an alert with its test, an audit and a waiver."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

from handbook.provided_pages import PROVIDED_PATHS, read_provided_page
from handbook.reading.shell import find_shell_errors
from tests.commands import BIN, make_environment, require_tool
from tests.handbooks import SMALL, copy_site, report, write

AUDIT = "docs/services/warehouse/2026-Q4.yml"
ITEMS = {
    "automated": "OBS-01",
    "evidence": "OBS-03",
    "attested": "SEC-02",
    "unknown": "SEC-01",
    "not-applicable": "OBS-05",
    "waived": "OBS-04",
}
"""An item of the small handbook for each verdict or kind of proof."""


def read_page(name: str) -> str:
    return read_provided_page(f"docs/how-to/{name}.md").decode()


def read_blocks(page: str, language: str) -> list[str]:
    """Return the blocks of code of a page, which are in list items."""
    pattern = rf"^ +```{language}\n(.*?)^ +```$"
    return [textwrap.dedent(text) for text in re.findall(pattern, page, re.DOTALL | re.MULTILINE)]


def read_verdicts() -> list[str]:
    """Return the verdicts in the table of "Run an audit"."""
    return re.findall(r"^ +\| [^|`]+ \| `(\{verdict: .+?\})`", read_page("run-an-audit"), re.M)


def write_audit(root: Path) -> str:
    """Run the command of "Run an audit" in a copy of the small handbook, and return the audit."""
    require_tool("jq")
    shutil.copytree(SMALL, root)
    (script,) = read_blocks(read_page("run-an-audit"), "sh")
    for old, new in {"order-service": "warehouse", "$(date +%F)": "2026-11-20"}.items():
        assert old in script
        script = script.replace(old, new)
    subprocess.run(
        ["bash", "-e"],
        input=script,
        cwd=root,
        env=make_environment(PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}"),
        text=True,
        check=True,
        timeout=60,
    )
    assert not (root / ".export").exists()
    return (root / AUDIT).read_text(encoding="utf-8")


def set_verdict(audit: str, item: str, verdict: str) -> str:
    return re.sub(rf"(?<=  {item}: ).*", lambda _: verdict, audit)


def find_rules(root: Path) -> list[str]:
    """Return the names of the rules with findings in the audit."""
    return [finding.rule for finding in report(root).findings if finding.at.path == AUDIT]


def test_the_commands_of_provided_pages_are_valid() -> None:
    """The check skips these pages, so that it need not start shellcheck in each handbook."""
    pages = [read_provided_page(path).decode() for path in PROVIDED_PATHS]
    scripts = tuple(script for page in pages for script in read_blocks(page, "sh"))
    assert len(scripts) == sum(
        len(re.findall("^ *```(?:sh|bash|shell)$", page, re.M)) for page in pages
    )
    assert find_shell_errors((scripts,)) == ()


def test_promtool_accepts_the_alert_and_its_test(tmp_path: Path) -> None:
    rules, test = read_blocks(read_page("add-an-alert"), "yaml")
    files = {"order-service.rules.yml": rules, "order-service.rules.test.yml": test}
    write(tmp_path, files)
    promtool = require_tool("promtool")
    command = [promtool, "test", "rules", "order-service.rules.test.yml"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    write(tmp_path, {"order-service.rules.yml": rules.replace("> 2", "> 5")})
    answer = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    assert answer.returncode != 0


def test_the_check_accepts_the_test_of_a_rule_file_beside_it(tmp_path: Path) -> None:
    _, test = read_blocks(read_page("add-an-alert"), "yaml")
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {"runbooks/shop/shop.rules.test.yml": test})
    assert report(root).findings == report(SMALL).findings


def test_the_command_writes_an_audit_of_the_items_in_force(tmp_path: Path) -> None:
    audit = write_audit(tmp_path / "handbook")
    assert set(re.findall(r"^  ([A-Z]+-\d+): ", audit, re.MULTILINE)) == set(ITEMS.values())
    assert find_rules(tmp_path / "handbook") == ["placeholder"] * (len(ITEMS) + 1)


def test_the_verdicts_of_the_table_are_valid(tmp_path: Path) -> None:
    root = tmp_path / "handbook"
    audit = write_audit(root).replace("commit: TODO", "commit: 3f2c9d1")
    verdicts = read_verdicts()
    assert len(verdicts) == len(ITEMS) + 1
    for verdict in verdicts:
        kind = next(word for word in ITEMS if word in verdict)
        if "verdict: fail" in verdict:
            continue
        audit = set_verdict(audit, ITEMS[kind], verdict)
    names = {"5f1904": "c9e2f1", "order-team": "shop-team", "ADR-0001": "ADR-0002"}
    for old, new in names.items():
        assert old in audit
        audit = audit.replace(old, new)
    write(root, {AUDIT: audit})
    assert find_rules(root) == []
    (failed,) = (verdict for verdict in verdicts if "verdict: fail" in verdict)
    write(root, {AUDIT: set_verdict(audit, "OBS-03", failed)})
    assert find_rules(root) == []


def test_the_waiver_of_a_deviation_is_a_verdict_of_the_table() -> None:
    (waiver,) = read_blocks(read_page("deviate-from-a-standard"), "yaml")
    assert waiver.strip().removeprefix("TEST-01: ") in read_verdicts()
