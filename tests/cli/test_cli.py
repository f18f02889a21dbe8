"""The command line: exit codes, formats, and options that filter a report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import handbook
from handbook.cli.program import COMMANDS, main
from handbook.engines.build import _print_line as print_line
from handbook.records.kinds import KINDS, RECORDS
from handbook.reporters.text import escape_lines
from handbook.rules.engine import rules
from tests.commands import run
from tests.handbooks import ADR, ROOT, SETTINGS, SMALL, copy_site, write

MESSAGE = "unknown value 'acepted' for 'status'"
"""The message of the first finding of the broken handbook."""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Handbook with two errors and a warning in two files."""
    return write(
        tmp_path / "handbook",
        {
            "mkdocs.yml": SETTINGS,
            "adr/0001-a.md": ADR.replace("accepted", "acepted").replace(
                "What.", "Percent % and: colon"
            ),
            "adr/0002-b.md": ADR.replace("2026-03-02", "2026-03-02\nreview_by: 2026-04-01").replace(
                "What.", ""
            ),
        },
    )


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command, and return its exit code, standard output and standard error."""
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_text_has_a_line_per_finding_and_its_hint_below(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, "check", "--root", str(broken), "--today", "2026-11-23")
    assert out.splitlines() == [
        f"adr/0001-a.md:2:9: FM005 error: {MESSAGE}",
        "    did you mean 'accepted'?",
        "adr/0002-b.md:4:12: DEC011 warning: review was due on 2026-04-01",
        "    review the decision, then set a later 'review_by', or propose a new decision",
        "adr/0002-b.md:13:1: FM104 error: empty section 'Decision'",
        "    add text below the heading",
        "2 adr: 2 errors, 1 warning",
    ]
    assert (code, err) == (1, "")


def test_json_has_the_form_of_the_contract(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(
        capsys, "check", "--root", str(broken), "--today", "2026-11-23", "--format", "json"
    )
    report = json.loads(out)
    assert (code, report["version"], report["root"]) == (1, 1, ".")
    assert report["records"] == dict.fromkeys((kind.kind for kind in KINDS), 0) | {"adr": 2}
    assert report["summary"] == {
        "errors": 2,
        "warnings": 1,
        "advisory": 0,
        "suppressed": 0,
        "samples": 0,
        "lowered": 0,
        "removed": 0,
        "new_exceptions": [],
    }
    assert report["findings"][0] == {
        "path": "adr/0001-a.md",
        "line": 2,
        "column": 9,
        "code": "FM005",
        "rule": "unknown-value",
        "severity": "error",
        "advisory": False,
        "message": MESSAGE,
        "hint": "did you mean 'accepted'?",
    }


def test_annotations_are_workflow_commands(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = call(
        capsys, "check", "--root", str(broken), "--today", "2026-11-23", "--format", "github"
    )
    assert out.splitlines()[0] == (
        "::error file=adr/0001-a.md,line=2,col=9,title=FM005 unknown-value::"
        f"{MESSAGE}%0Adid you mean 'accepted'?"
    )


def test_sarif_has_a_result_per_finding(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """tests/samples/test_node_tools.py validates it against its schema, with packages of Node."""
    code, out, _ = call(
        capsys, "check", "--root", str(broken), "--today", "2026-11-23", "--format", "sarif"
    )
    document = json.loads(out)
    (sarif_run,) = document["runs"]
    assert (code, document["version"]) == (1, "2.1.0")
    assert [result["ruleId"] for result in sarif_run["results"]] == ["FM005", "DEC011", "FM104"]
    assert [result["level"] for result in sarif_run["results"]] == ["error", "warning", "error"]
    listed_rules = sarif_run["tool"]["driver"]["rules"]
    assert listed_rules[0]["helpUri"].endswith("/reference/rules/dec/#dec011")
    names = [rule["id"] for rule in listed_rules]
    assert all(names[result["ruleIndex"]] == result["ruleId"] for result in sarif_run["results"])
    assert sarif_run["results"][0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "adr/0001-a.md", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 2, "startColumn": 9},
    }


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
    ],
    ids=["terminal", "no-terminal", "NO_COLOR", "dumb-terminal"],
)
def test_text_has_colour_on_a_terminal_unless_switched_off(
    broken: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    environment: dict[str, str],
    coloured: bool,
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    _, out, _ = call(capsys, "check", "--root", str(broken), "--today", "2026-11-23")
    assert ("\x1b[" in out) is coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert plain.startswith("adr/0001-a.md:2:9: FM005 error: unknown value 'acepted' for 'status'")
    assert "\x1b" not in call(capsys, "check", "--root", str(broken), "--format", "json")[1]


@pytest.mark.parametrize(
    ("arguments", "codes", "exit_code"),
    [
        ([], ["FM005", "DEC011", "FM104"], 1),
        (["--select", "DEC"], ["DEC011"], 0),
        (["--select", "DEC", "--strict"], ["DEC011"], 1),
        (["--select", "FM005,DEC011"], ["FM005", "DEC011"], 1),
        (["--select", "unknown-value, DEC011"], ["FM005", "DEC011"], 1),
        (["--ignore", "FM"], ["DEC011"], 0),
        (["--today", "2026-03-31", "--ignore", "FM"], [], 0),
        (["{root}/adr/0002-b.md"], ["DEC011", "FM104"], 1),
        (["{root}/adr"], ["FM005", "DEC011", "FM104"], 1),
        (["{root}/mkdocs.yml"], [], 0),
        (["{root}"], ["FM005", "DEC011", "FM104"], 1),
    ],
    ids=[
        "all",
        "select",
        "strict",
        "select-two",
        "select-name",
        "ignore",
        "today",
        "file",
        "folder",
        "other-file",
        "root",
    ],
)
def test_options_filter_a_report(
    broken: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    codes: list[str],
    exit_code: int,
) -> None:
    options = ["--today", "2026-11-23", *(argument.format(root=broken) for argument in arguments)]
    code, out, _ = call(capsys, "check", "--root", str(broken), *options)
    assert re.findall(r": ([A-Z]+\d{3}) (?:error|warning): ", out) == codes
    assert code == exit_code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--root", "{empty}"], "no mkdocs.yml in"),
        (["check", "--root", "{empty}/nowhere"], "no mkdocs.yml in"),
        (["check", "--root", "{root}", "{root}/adr/0009-x.md"], "does not exist"),
        (["check", "--root", "{root}", "/etc/hostname"], "is outside the handbook"),
        (["check", "--root", "{root}", "--select", "NOPE"], "unknown rule 'NOPE'"),
        (["check", "--root", "{root}", "--output", "{empty}/no/such/file"], "cannot be written"),
        (["rules", "NOPE"], "unknown rule 'NOPE'"),
        (["export", "--root", "{root}", "--output", "/dev/null/x"], "cannot be written"),
    ],
    ids=[
        "root-without-settings",
        "missing-root",
        "missing-path",
        "path-outside",
        "unknown-code",
        "missing-folder",
        "unknown-rule",
        "unwritable-folder",
    ],
)
def test_a_usage_error_prints_one_line(
    broken: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    code, out, err = call(
        capsys, *(argument.format(root=broken, empty=empty) for argument in arguments)
    )
    assert code == 2
    assert out == ""
    assert err.startswith("handbook: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_an_example_and_its_exit_codes(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert f"example:\n  handbook {command} " in out
    assert re.search(r"exit codes:\n  0  .+\n(  1  .+\n)?  2  ", out)


def test_the_command_without_arguments_prints_its_help_and_exits_with_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = call(capsys)
    assert (code, out) == (2, "")
    assert all(f"    {command} " in err for command in COMMANDS)


def test_the_command_prints_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert (stop.value.code, capsys.readouterr().out) == (0, f"handbook {handbook.__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [["--\x1b[31m"], ["check", "--\x1b]0;x\x07"], ["new", "adr", "a", "\n::error::x\u202e"]],
    ids=["colour", "title", "newline"],
)
def test_usage_errors_contain_no_control_characters(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    err = capsys.readouterr().err
    assert stop.value.code == 2
    assert all(character.isprintable() or character == "\n" for character in err)
    assert "\n::error" not in err


HOSTILE = "\x1b]0;x\x07\u202e\n::error::x"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", HOSTILE],
        ["check", "--root", HOSTILE],
        ["check", "--base", HOSTILE],
        ["check", "--select", HOSTILE],
        ["check", "--ignore", HOSTILE],
        ["check", "--output", f"{HOSTILE}/x"],
        ["build", "--root", HOSTILE],
        ["build", "--engine", HOSTILE],
        ["serve", "--address", HOSTILE],
        ["finish", HOSTILE],
        ["links", HOSTILE],
        ["rules", HOSTILE],
        ["schema", HOSTILE],
        ["new", HOSTILE, "a"],
        ["new", "adr", "a", "--set", HOSTILE],
        ["new", "adr", "a", "--base", HOSTILE],
        ["export", "--output", f"mkdocs.yml/{HOSTILE}"],
    ],
    ids=lambda arguments: " ".join(arguments).replace(HOSTILE, "X"),
)
def test_errors_escape_every_argument(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(copy_site(SMALL, tmp_path / "small"))
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = int(str(stop.code))
    out, err = capsys.readouterr()
    assert code == 2
    assert r"\x1b" in err
    assert all(character.isprintable() or character == "\n" for character in out + err)
    assert "\n::error" not in out + err


def test_the_lines_of_a_build_escape_their_paths(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_line("wrote 3 pages to a\x1b[31m\n::error::x")
    assert capsys.readouterr().out == "wrote 3 pages to a\\x1b[31m\\n::error::x\n"
    assert escape_lines("faults:\n\x1b[31m\n") == "faults:\n\\x1b[31m\n"


def test_the_package_runs_as_the_command() -> None:
    assert (
        run("python", "-m", "handbook", "--version", cwd=ROOT).stdout
        == f"handbook {handbook.__version__}\n"
    )


_IMPORT = """\
import importlib, os, sys
for module in sys.argv[1:]:
    if os.fork() == 0:
        importlib.import_module(module)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(module)
"""


@pytest.mark.build
def test_each_subcommand_imports_what_it_needs() -> None:
    """Most tests run a subcommand in a fork of a process that has imported all modules."""
    folder = ROOT / "handbook/cli"
    modules = [f"handbook.cli.{file.stem}" for file in sorted(folder.glob("*_command.py"))]
    assert len(modules) > 10
    answer = run("python", "-c", _IMPORT, *modules, cwd=ROOT)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_help_imports_no_rule_and_no_record() -> None:
    program = (
        "import sys; from handbook.cli.program import main\n"
        "try: main(['--help'])\nfinally: print(*sys.modules)"
    )
    modules = run("python", "-c", program, cwd=ROOT).stdout.split()
    assert "handbook.cli.program" in modules
    assert not [
        name
        for name in modules
        if name.startswith(("handbook.rules", "handbook.records", "pyromark"))
    ]


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["check", "--today", "2026-02-30"], ["check", "--format", "xml"]],
    ids=["command", "date", "format"],
)
def test_invalid_arguments_exit_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: handbook" in capsys.readouterr().err


def test_the_root_is_the_nearest_parent_folder_with_settings(
    broken: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(broken / "adr")
    assert call(capsys, "check", "--select", "FM005")[0] == 1


def test_output_goes_to_a_file(
    broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.json"
    code, out, _ = call(
        capsys, "check", "--root", str(broken), "--format", "json", "--output", str(target)
    )
    assert (code, out) == (1, "")
    assert json.loads(target.read_text(encoding="utf-8"))["version"] == 1


def test_rules_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "rules")
    assert [line.split()[0] for line in out.splitlines()] == list(rules())
    _, out, _ = call(capsys, "rules", "FM005")
    assert "unknown-value (error)" in out
    assert "status: acepted" in out


def test_rules_show_what_the_settings_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = "    rules: {FM106: off, unknown-value: warning, CON003: error, SAFE005: off}\n"
    write(tmp_path, {"mkdocs.yml": SETTINGS + changes})
    _, out, _ = call(capsys, "rules", "--root", str(tmp_path))
    assert "FM106 placeholder (off in the settings): " in out
    assert "FM005 unknown-value (warning in the settings): " in out
    assert "CON003 incomplete-timeline (error in the settings): " in out
    assert out.count("in the settings): ") == 3  # SAFE005 is mandatory.
    _, out, _ = call(capsys, "rules", "FM106", "--root", str(tmp_path))
    assert out.startswith("FM106 placeholder (error)\n")
    assert out.endswith(
        "\n\nOn the site: https://handbook.example/reference/rules/fm/#fm106"
        "\n\nThis handbook: off in the settings.\n"
    )


@pytest.mark.parametrize("kind", [kind.kind for kind in RECORDS])
def test_a_schema_lists_the_values_of_the_settings(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = call(capsys, "schema", kind, "--root", str(SMALL))
    schema = json.loads(out)
    assert schema["$id"] == f"https://small.example/api/v1/schemas/{kind}.json"
    assert schema["properties"]["tags"]["items"]["enum"] == ["database"]


def test_the_schema_of_the_settings_lists_their_keys(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "schema", "settings")
    properties = json.loads(out)["properties"]
    assert {"teams", "tags", "expect", "rules"} <= set(properties["handbook"]["properties"])
    assert {"severities", "review", "postmortem", "alerts"} <= set(
        properties["policy"]["properties"]
    )


def test_export_writes_the_files_of_the_site(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(capsys, "export", "--root", str(SMALL), "--output", str(tmp_path))[0] == 0
    document = json.loads((tmp_path / "api/v1/adrs.json").read_text(encoding="utf-8"))
    assert [item["id"] for item in document["items"]] == ["ADR-0001", "ADR-0002", "ADR-0003"]
    assert document["items"][0]["referred_to_by"] == [{"kind": "adr", "id": "ADR-0002"}]


def test_a_closed_pipe_causes_no_traceback(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    answer = run("python", "-c", _PIPE, cwd=root)
    assert "Traceback" not in answer.stderr


_PIPE = """
import subprocess, sys
from pathlib import Path
command = [str(Path(sys.executable).parent / "handbook"), "rules"]
child = subprocess.Popen(command, stdout=subprocess.PIPE)
child.stdout.close()
child.wait()
"""


@pytest.mark.parametrize("kind", ["settings", "adr"])
def test_no_command_reads_standard_input(kind: str) -> None:
    assert run("handbook", "schema", kind, cwd=SMALL).returncode == 0


@pytest.mark.parametrize(
    ("comment", "codes", "suppressed"),
    [
        ("", ["FM104"], 0),
        ("<!-- handbook: allow FM104: it follows next week -->\n", [], 1),
        ("<!-- handbook: allow empty-section: it follows next week -->\n", [], 1),
        ("<!-- handbook: allow empty-sections: it follows next week -->\n", ["FM014", "FM104"], 0),
        ("<!-- handbook: allow FM104 until 2027-01-31: it follows next week -->\n\n", [], 1),
        ("<!-- handbook: allow FM104 until 2026-01-31: it follows next week -->\n", ["FM016"], 1),
        ("<!-- handbook: allow FM104 -->\n", ["FM015", "FM104"], 0),
        ("<!-- handbook: allow FM104: -->\n", ["FM015", "FM104"], 0),
        ("<!-- handbook: allow FM104 until 2026-02-30: no such day -->\n", ["FM015", "FM104"], 0),
        ("<!-- handbook: allow FM102: another -->\n", ["FM014", "FM104"], 0),
        (
            "<!-- handbook: allow FM102: one -->\n<!-- handbook: allow FM104: two -->\n",
            ["FM014"],
            1,
        ),
        ("```\n<!-- handbook: allow FM104: in code -->\n```\n\n", ["FM104"], 0),
    ],
    ids=[
        "no-comment",
        "code",
        "name",
        "unknown-name",
        "until",
        "expired",
        "no-reason",
        "empty-reason",
        "invalid-date",
        "wrong-code",
        "two-comments",
        "in-code-block",
    ],
)
def test_a_suppression_allows_one_code_on_the_next_line(
    comment: str,
    codes: list[str],
    suppressed: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = ADR.replace("What.\n\n", "").replace("## Decision", f"{comment}## Decision")
    write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": text})
    _, out, _ = call(
        capsys, "check", "--root", str(tmp_path), "--today", "2026-11-23", "--format", "json"
    )
    report = json.loads(out)
    assert [finding["code"] for finding in report["findings"]] == codes
    assert report["summary"]["suppressed"] == suppressed


def test_a_suppression_in_front_matter_and_in_yaml_is_a_comment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ADR.replace("status:", "# handbook: allow FM005: the old word\nstatus:").replace(
        "accepted", "agreed"
    )
    settings = SETTINGS.replace(
        "    tags:", "    # handbook: allow FM003: for another tool\n    other: 1\n    tags:"
    )
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": text})
    code, out, _ = call(capsys, "check", "--root", str(tmp_path), "--format", "json")
    assert (code, json.loads(out)["summary"]["suppressed"]) == (0, 2)


def test_schemas_are_valid_for_other_validators(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("adr", "runbook", "postmortem", "standard", "service", "audit"):
        _, schema, _ = call(capsys, "schema", kind, "--root", str(SMALL))
        (tmp_path / f"{kind}.json").write_text(schema, encoding="utf-8")
    schemas = sorted(path.name for path in tmp_path.iterdir())
    answer = run("check-jsonschema", "--check-metaschema", *schemas, cwd=tmp_path)
    assert answer.returncode == 0, answer.stdout
