"""Scripts of the scheduled workflow run in Node with a simulated Git host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook.site.external import Failure, format_state, parse_state
from tests.commands import run_node
from tests.handbooks import ROOT, write

JOBS: dict[str, Any] = yaml.safe_load(
    (ROOT / ".github/workflows/scheduled.yml").read_text(encoding="utf-8")
)["jobs"]
STRICT, LINKS = "The scheduled check has findings", "External links are broken"

# This runs a script like actions/github-script. Standard input holds the existing issues.
HOST = """
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const [script, data, calls] = JSON.parse(readFileSync(0, "utf8")).concat([[]]);
const call = (name, answer) => async (options) => {
  calls.push([name, options]);
  return answer(options);
};
const issues = {
  listForRepo: call("list", ({ state, creator }) => ({ data: data.filter(
    (issue) => issue.user === creator && (state === "all" || issue.state === state)) })),
  create: call("create", () => ({ data: { number: 99 } })),
  update: call("update", () => ({})),
};
const outputs = {};
const core = { setOutput: (name, value) => { outputs[name] = String(value); }, warning: () => {} };
const context = { repo: { owner: "example-org", repo: "handbook" } };
const run = Object.getPrototypeOf(async () => {}).constructor;
await new run("github", "context", "core", "require", script)(
  { rest: { issues } }, context, core, createRequire(process.cwd() + "/x.js"));
console.log(JSON.stringify({ calls, outputs }));
"""


def read_script(job: str, name: str) -> str:
    """Return the script of a step."""
    (script,) = (
        step["with"]["script"]
        for step in JOBS[job]["steps"]
        if step.get("name", "").startswith(name)
    )
    return str(script)


def make_issue(
    title: str, body: str = "", state: str = "open", user: str = "github-actions[bot]"
) -> dict[str, object]:
    """Return an issue in the form of the Git host."""
    return {"number": 7, "title": title, "body": body, "state": state, "user": user}


def run_script(
    folder: Path, script: str, issues: list[dict[str, object]], **env: str
) -> tuple[list[Any], dict[str, str]]:
    """Run a script, and return its calls of the Git host and its outputs.

    The calls that list issues are left out.
    """
    write(folder, {"host.mjs": HOST})
    answer = run_node(folder, "node", "host.mjs", stdin=json.dumps([script, issues]), **env)
    assert answer.returncode == 0, answer.stderr
    result = json.loads(answer.stdout)
    return [call for call in result["calls"] if call[0] != "list"], result["outputs"]


@pytest.mark.parametrize(
    ("status", "issues", "expected"),
    [
        ("1", [], ["create"]),
        ("1", [make_issue(STRICT)], ["update"]),
        ("1", [make_issue(STRICT, user="a-person")], ["create"]),
        ("0", [make_issue(STRICT)], ["update"]),
        ("0", [], []),
    ],
    ids=["first", "again", "issue-of-a-person", "fixed", "clean"],
)
def test_findings_of_the_scheduled_check_have_one_issue(
    status: str, issues: list[dict[str, object]], expected: list[str], tmp_path: Path
) -> None:
    write(tmp_path, {"report.txt": "adr/0001-a.md:1:1: DEC011 warning: ```\n"})
    calls, _ = run_script(
        tmp_path, read_script("strict", "Open, update or close"), issues, STATUS=status
    )
    assert [name for name, _ in calls] == expected
    for _, options in calls:
        assert options.get("state") == ("closed" if status == "0" else None)
        assert status == "0" or "DEC011 warning: '''\n```\n" in options["body"]


STATE = {"https://a.dev/```": Failure("2026-11-16", 1), "https://b.dev/ü": Failure("2026-11-09", 2)}


def run_update_issue(
    folder: Path, status: str, issue_number: str, state: dict[str, Failure] = STATE
) -> list[Any]:
    """Run the script that updates the issue of broken links, and return its calls."""
    write(
        folder,
        {
            "state.json": format_state(state),
            "links.txt": "adr/0001-a.md:1:1: LNK109 error: ```json\n{}\n```\n",
        },
    )
    script = read_script("links", "Update the issue")
    calls, _ = run_script(folder, script, [], STATUS=status, ISSUE=issue_number)
    return calls


@pytest.mark.parametrize("state", ["open", "closed"])
def test_the_issue_passes_the_state_to_the_next_run(state: str, tmp_path: Path) -> None:
    """This holds for any text of the report, and for open and closed issues."""
    ((_, options),) = run_update_issue(tmp_path, "1", "7")
    issues = [
        make_issue("Another"),
        make_issue(LINKS, "```json\n{}\n```", user="a-person"),
        make_issue(LINKS, options["body"], state),
    ]
    _, outputs = run_script(tmp_path, read_script("links", "Read the state"), issues)
    assert outputs == {"issue": "7"}
    assert parse_state((tmp_path / "state.json").read_text(encoding="utf-8")) == STATE


@pytest.mark.parametrize(
    "body", ["", "no state", "```json\n{]\n```"], ids=["empty", "text", "invalid-json"]
)
def test_an_issue_without_a_state_gives_an_empty_state(body: str, tmp_path: Path) -> None:
    calls, outputs = run_script(
        tmp_path, read_script("links", "Read the state"), [make_issue(LINKS, body)]
    )
    assert (calls, outputs) == ([], {"issue": "7"})
    assert (tmp_path / "state.json").read_text(encoding="utf-8") == "{}"


def test_without_an_issue_there_is_no_state(tmp_path: Path) -> None:
    assert run_script(tmp_path, read_script("links", "Read the state"), []) == ([], {"issue": ""})
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
    ids=["new-issue", "open-issue", "fixed-new", "fixed-open", "clean-open", "clean"],
)
def test_the_issue_is_open_while_a_link_is_broken(
    status: str,
    number: str,
    state: dict[str, Failure],
    expected: list[tuple[str, str | None]],
    tmp_path: Path,
) -> None:
    calls = run_update_issue(tmp_path, status, number, state)
    assert [(name, options.get("state")) for name, options in calls] == expected
    assert all(options.get("issue_number", 7) in (7, 99) for _, options in calls)


def test_an_issue_is_not_longer_than_the_limit(tmp_path: Path) -> None:
    failures = {
        f"https://a.dev/{number}/{'x' * 500}": Failure("2026-11-16", 2) for number in range(500)
    }
    ((_, options),) = run_update_issue(tmp_path, "1", "7", failures)
    assert len(options["body"]) < 65_536
    _, outputs = run_script(
        tmp_path, read_script("links", "Read the state"), [make_issue(LINKS, options["body"])]
    )
    assert outputs == {"issue": "7"}
    stored = parse_state((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert 0 < len(stored) < 500
    assert stored.items() <= failures.items()
