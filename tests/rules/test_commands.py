"""Commands of runbooks: warnings above destructive commands, and commands that can be pasted."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.cli import main
from tests.handbooks import ADR, SMALL, TODAY, check, copy_site, format_findings, report

RUNBOOK = "runbooks/shop/slow-search.md"
FIX = "**Fix:** Delete the oldest index.\n\n> [!WARNING]\n> What is deleted is gone.\n\n"
BLOCK = "```bash\nkubectl delete job old-index\n```"
WARNED = FIX + BLOCK


def check_fix(root: Path, text: str, replaced: str = WARNED) -> list[str]:
    """Return the findings of the small handbook with `text` as the fix on line 29."""
    copy_site(SMALL, root)
    file = root / RUNBOOK
    original = file.read_text(encoding="utf-8")
    assert replaced in original
    file.write_text(original.replace(replaced, text), encoding="utf-8")
    return [
        finding.removeprefix(f"{RUNBOOK}:") for finding in format_findings(report(root).findings)
    ]


@pytest.mark.parametrize(
    ("fix", "expected"),
    [
        ("**Fix:** Run `kubectl delete pod shop-0`.", ["29:15:RBK016"]),
        ("**Fix:** Run `sudo rm -rf /var/lib/shop`, then wait.", ["29:20:RBK016"]),
        ("**Fix:** In psql, `DELETE FROM orders;`", ["29:20:RBK016"]),
        ("**Fix:** Run `reboot`.", ["29:15:RBK016"]),
        ("**Fix:** If it does not stop, run `kill -9 1`.", ["29:36:RBK016"]),
        ("**Fix:** If it does not stop run `kill -9 1`.", ["29:35:RBK016"]),
        ("**Fix:** Do this.\n\n1. Wait.\n2. Run `systemctl stop shop`\n", ["32:9:RBK016"]),
        ("**Fix:** Wait.\n\n| Do | Why |\n|---|---|\n| `rm -rf x` | y |", ["33:4:RBK016"]),
        ("**Fix:** Never run `rm -rf x`. Run `rm -rf y`.", ["29:37:RBK016"]),
        ("**Fix:** First\nrun `rm -rf x` and `rm -rf y`.", ["30:6:RBK016"]),
        ("**Fix:** Run ``kubectl delete pod `hostname` ``.", ["29:16:RBK016"]),
        (f"**Fix:** Wait.\n\n{BLOCK}", ["32:1:RBK016"]),
        ("**Fix:**\n\n1. Wait.\n\n    ```sh\n    ls; rm -rf x\n    ```", ["34:9:RBK016"]),
        ("**Fix:** Wait.\n\n    kubectl delete pod x", ["31:5:RBK016"]),
    ],
)
def test_a_destructive_command_without_a_warning(
    fix: str, expected: list[str], tmp_path: Path
) -> None:
    assert check_fix(tmp_path / "x", fix) == expected
    warned = f"**Fix:** Look.\n\n> [!CAUTION]\n> It is gone.\n\n{fix.removeprefix('**Fix:** ')}"
    assert check_fix(tmp_path / "y", warned) == []


@pytest.mark.parametrize(
    "fix",
    [
        "**Fix:** Wait, and never run `kubectl delete pod shop-0`.",
        "**Fix:** Do not run `kubectl delete pod shop-0` or `rm -rf x`.",
        "**Fix:** Don't use `kubectl delete pod shop-0` yet.",
        "**Fix:** Wait. You must not\nrun `kubectl delete pod shop-0`.",
        "**Fix:** Restart it instead of `kubectl delete pod shop-0`.",
        "**Fix:** Restart it rather than running `kubectl delete pod shop-0`.",
        "**Fix:** Somebody ran `kubectl delete pod shop-0`. Wait.",
        "**Fix:** Wait. `kubectl delete pod shop-0` hangs.",
        "**Fix:** Ask the `shutdown` service.",
        "**Fix:** Run `kubectl delete pod shop-0 --dry-run=client`.",
        "**Fix:** Run `kubectl auth can-i delete pods`.",
        "**Fix:** The role `delete` is missing.",
        "**Fix:** Warning\n\nWarning: this ends it. Run `kill -9 1`.",
    ],
)
def test_a_mention_needs_no_warning(fix: str, tmp_path: Path) -> None:
    assert check_fix(tmp_path / "x", fix) == []


def test_a_command_in_a_symptom_or_a_trigger_is_a_mention(tmp_path: Path) -> None:
    symptom = "**Symptom:** `kubectl delete pod x` in the audit log."
    assert check_fix(tmp_path / "x", symptom, "**Symptom:** The disk fills.") == []
    trigger = "After `kubectl delete pod shop-0`."
    assert check_fix(tmp_path / "y", trigger, "When it happens.") == []


def test_the_message_names_the_command(tmp_path: Path) -> None:
    root = tmp_path / "x"
    check_fix(root, "**Fix:** Wait.\n\n```sh\nsudo kubectl -n shop \\\n  delete pod shop-0\n```")
    (finding,) = report(root).findings
    assert finding.message == ("no warning above the destructive command 'kubectl -n shop delete'")
    assert finding.hint == "add '> [!WARNING]' above the code, and a line '> ' with the risk"


def fix(root: Path, code: str) -> str:
    """Check and fix the small handbook with this code as a fix, and return the code."""
    check_fix(root, f"**Fix:** Wait.\n\n{code}\n")
    main(["check", "--fix", "--root", str(root), "--today", str(TODAY)])
    text = (root / RUNBOOK).read_text(encoding="utf-8")
    return text.split("**Fix:** Wait.\n\n")[2].split("\n\n\n## Escalation")[0]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("```sh\nls \u2013l\n```", ["32:4:RBK025"]),
        ("```sh\nls \u2013l \u201ca\u201d\n```", ["32:4:RBK025", "32:7:RBK025"]),
        ("```sh\n$ ls\n$ df\n```", ["32:1:RBK025"]),
        ("```shell\n$ ls 'a\nit's\n```", ["32:1:RBK025"]),
        ('```Bash title="x"\nls\u00a0-l\n```', ["32:3:RBK025"]),
        ("```zsh\nls \u2013l *(.om[1])\n```", ["32:4:RBK025"]),
        ("```console\n$ ls \u2013l\na \u2013 b\n```", ["32:6:RBK025"]),
        ("1. Look:\n\n    ```sh\n    ls \u2013l\n    ```", ["34:8:RBK025"]),
        ("> ```sh\n> ls \u2013l\n> ```", ["32:6:RBK025"]),
        ("```sh\nls \\ \n  -l\n```", ["32:4:RBK025"]),
        ('```sh\necho "x\u201d\n```', ["32:8:RBK025"]),
        ("```sh\nls \u2014all | (\n```", ["32:4:RBK025", "32:11:FM107"]),
        ("```sh\nls \u200b| (\n```", ["32:4:RBK025", "32:7:FM107"]),
        ("Run `kubectl get pods \u2013n prod`.", ["31:23:RBK025"]),
        ("| a |\n|---|\n| `ls\u00a0-l` |", ["33:6:RBK025"]),
        ("```sh\nls ...\n```", ["32:4:RBK025"]),
        ("```powershell\nPS C:\\> dir\n```", ["32:1:RBK025"]),
    ],
)
def test_an_unpasteable_command_is_one_finding(
    code: str, expected: list[str], tmp_path: Path
) -> None:
    assert check_fix(tmp_path / "x", f"**Fix:** Wait.\n\n{code}\n") == expected


@pytest.mark.parametrize(
    "code",
    [
        "```console\n$ ls -l\nit's \u201cx\u201d \u2013 y\n```",
        "```shell-session\n[root@db ~]# ls\n$ df\n```",
        "```text\nls \u2013l \u201cx\u201d\n```",
        "```\n$ ls\n```",
        '```sh\necho "caf\u00e9 \u2013 open" # \u201cx\u201d\n```',
        "Run `kubectl get \u2026`, and see `caf\u00e9 \u2013 open`.",
        "```sh\nkubectl logs <pod> -n <namespace>\n```",
        "```sh\ncat <<-EOF\n\tx\n\tEOF\n```",
    ],
)
def test_valid_commands_can_be_pasted(code: str, tmp_path: Path) -> None:
    assert check_fix(tmp_path / "x", f"**Fix:** Wait.\n\n{code}\n") == []


def test_line_ends_of_windows_are_no_fault(tmp_path: Path) -> None:
    root = tmp_path / "x"
    check_fix(root, "**Fix:** Wait.\n\n```sh\nls \\\n  -l\nls \u2013l\n```\n")
    file = root / RUNBOOK
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert format_findings(report(root).findings) == [f"{RUNBOOK}:34:4:RBK025"]


def test_the_rule_does_not_need_shellcheck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handbook.rules.form._start_shellcheck", lambda handbook: None)
    monkeypatch.setattr("handbook.rules.form.find_shell_errors", lambda scripts: ())
    text = '**Fix:** Wait.\n\n```sh\necho "x\u201d\nls \\ \n  -l\n```\n'
    assert check_fix(tmp_path / "x", text) == ["32:8:RBK025", "33:4:RBK025"]


@pytest.mark.parametrize(
    ("code", "fixed"),
    [
        ("```sh\nls \u2013l\u00a0\u201ca\u201d \\ \n  -x\n```", '```sh\nls -l "a" \\\n  -x\n```'),
        ("```sh\n$ ls\n\n$ df\n```", "```sh\nls\n\ndf\n```"),
        ("```sh\n$ ls\na.log\n```", "```console\n$ ls\na.log\n```"),
        ("```Shell\n# ls -l\n```", "```Shell\nls -l\n```"),
        (
            "1. Do:\n\n    ```sh\n    $ ls\n    $ df\n    ```",
            "1. Do:\n\n    ```sh\n    ls\n    df\n    ```",
        ),
        ("```sh\n1 ls\n2 df\n```", "```sh\nls\ndf\n```"),
        ("```sh\nls \u2013all\n```", "```sh\nls \u2013all\n```"),
        ("```sh\nls ...\n```", "```sh\nls ...\n```"),
        ("Run `ls \u2013l`.", "Run `ls -l`."),
    ],
)
def test_fix_replaces_only_what_is_certain(code: str, fixed: str, tmp_path: Path) -> None:
    assert fix(tmp_path / "x", code) == fixed


def test_the_rule_reads_every_document(tmp_path: Path) -> None:
    record = ADR.replace("Why.", "```sh\nls \u2013l\n```\n\nRun `ls \u2013l`.")
    assert format_findings(check(tmp_path, {"adr/0001-a.md": record})) == [
        "adr/0001-a.md:11:4:RBK025"
    ]
