"""The scripts of the scheduled workflow, run by Node against a Git host that remembers what it was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook.site.external import Failure, remembered, written
from tests.commands import run_node
from tests.handbooks import ROOT, write

JOBS: dict[str, Any] = yaml.safe_load(
    (ROOT / ".github/workflows/scheduled.yml").read_text(encoding="utf-8")
)["jobs"]
STRICT, LINKS = "The scheduled check found something", "Links to other hosts lead nowhere"

# The script as actions/github-script runs it; standard input holds the issues that there are.
HOST = """
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const [script, data, asked] = JSON.parse(readFileSync(0, "utf8")).concat([[]]);
const call = (name, answer) => async (options) => { asked.push([name, options]); return answer(options); };
const issues = {
  listForRepo: call("list", ({ state, creator }) => ({ data: data.filter(
    (each) => each.user === creator && (state === "all" || each.state === state)) })),
  create: call("create", () => ({ data: { number: 99 } })),
  update: call("update", () => ({})),
};
const outputs = {};
const core = { setOutput: (name, value) => { outputs[name] = String(value); }, warning: () => {} };
const context = { repo: { owner: "example-org", repo: "handbook" } };
const run = Object.getPrototypeOf(async () => {}).constructor;
await new run("github", "context", "core", "require", script)(
  { rest: { issues } }, context, core, createRequire(process.cwd() + "/x.js"));
console.log(JSON.stringify({ asked, outputs }));
"""


def step(job: str, name: str) -> str:
    """The script of a step."""
    (found,) = (
        each["with"]["script"]
        for each in JOBS[job]["steps"]
        if each.get("name", "").startswith(name)
    )
    return str(found)


def issue(
    title: str, body: str = "", state: str = "open", user: str = "github-actions[bot]"
) -> dict[str, object]:
    return {"number": 7, "title": title, "body": body, "state": state, "user": user}


def ran(
    folder: Path, script: str, issues: list[dict[str, object]], **env: str
) -> tuple[list[Any], dict[str, str]]:
    """What a script asked of the Git host, the list of issues apart, and what it put out."""
    write(folder, {"host.mjs": HOST})
    answer = run_node(folder, "node", "host.mjs", stdin=json.dumps([script, issues]), **env)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    return [each for each in found["asked"] if each[0] != "list"], found["outputs"]


@pytest.mark.parametrize(
    ("status", "issues", "expected"),
    [
        ("1", [], ["create"]),
        ("1", [issue(STRICT)], ["update"]),
        ("1", [issue(STRICT, user="somebody")], ["create"]),
        ("0", [issue(STRICT)], ["update"]),
        ("0", [], []),
    ],
)
def test_what_is_old_has_one_issue(
    status: str, issues: list[dict[str, object]], expected: list[str], tmp_path: Path
) -> None:
    write(tmp_path, {"report.txt": "adr/0001-a.md:1:1: DEC011 warning: ```\n"})
    asked, _ = ran(tmp_path, step("strict", "Open, update or close"), issues, STATUS=status)
    assert [name for name, _ in asked] == expected
    for _, options in asked:
        assert options.get("state") == ("closed" if status == "0" else None)
        assert status == "0" or "DEC011 warning: '''\n```\n" in options["body"]


STATE = {"https://a.dev/```": Failure("2026-11-16", 1), "https://b.dev/ü": Failure("2026-11-09", 2)}


def kept(
    folder: Path, status: str, issue_number: str, state: dict[str, Failure] = STATE
) -> list[Any]:
    write(
        folder,
        {
            "state.json": written(state),
            "links.txt": "adr/0001-a.md:1:1: LNK109 error: ```json\n{}\n```\n",
        },
    )
    asked, _ = ran(folder, step("links", "Keep the issue"), [], STATUS=status, ISSUE=issue_number)
    return asked


@pytest.mark.parametrize("state", ["open", "closed"])
def test_the_state_goes_from_run_to_run_in_the_issue(state: str, tmp_path: Path) -> None:
    """What one run writes the next reads, whatever the report holds, and whether the issue is open or closed."""
    ((_, options),) = kept(tmp_path, "1", "7")
    issues = [
        issue("Another"),
        issue(LINKS, "```json\n{}\n```", user="somebody"),
        issue(LINKS, options["body"], state),
    ]
    _, outputs = ran(tmp_path, step("links", "Read in the issue"), issues)
    assert outputs == {"issue": "7"}
    assert remembered((tmp_path / "state.json").read_text(encoding="utf-8")) == STATE


@pytest.mark.parametrize("body", ["", "no state", "```json\n{]\n```"])
def test_an_issue_without_a_state_begins_anew(body: str, tmp_path: Path) -> None:
    asked, outputs = ran(tmp_path, step("links", "Read in the issue"), [issue(LINKS, body)])
    assert (asked, outputs) == ([], {"issue": "7"})
    assert (tmp_path / "state.json").read_text(encoding="utf-8") == "{}"


def test_without_an_issue_there_is_no_state(tmp_path: Path) -> None:
    assert ran(tmp_path, step("links", "Read in the issue"), []) == ([], {"issue": ""})
    assert (tmp_path / "state.json").read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize(
    ("status", "number", "state", "expected"),
    [
        ("1", "", STATE, [("create", None), ("update", "open")]),
        ("1", "7", STATE, [("update", "open")]),
        ("0", "", STATE, [("create", None), ("update", "closed")]),
        ("0", "7", STATE, [("update", "closed")]),
        ("0", "7", {}, [("update", "closed")]),
        ("0", "", {}, []),
    ],
)
def test_the_issue_is_open_while_something_is_gone(
    status: str,
    number: str,
    state: dict[str, Failure],
    expected: list[tuple[str, str | None]],
    tmp_path: Path,
) -> None:
    asked = kept(tmp_path, status, number, state)
    assert [(name, options.get("state")) for name, options in asked] == expected
    assert all(options.get("issue_number", 7) in (7, 99) for _, options in asked)


def test_an_issue_is_never_longer_than_one_can_be(tmp_path: Path) -> None:
    many = {
        f"https://a.dev/{number}/{'x' * 500}": Failure("2026-11-16", 2) for number in range(500)
    }
    ((_, options),) = kept(tmp_path, "1", "7", many)
    assert len(options["body"]) < 65_536
    _, outputs = ran(tmp_path, step("links", "Read in the issue"), [issue(LINKS, options["body"])])
    assert outputs == {"issue": "7"}
    found = remembered((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert 0 < len(found) < 500
    assert found.items() <= many.items()
