"""Commands of runbooks: warnings above destructive commands, and commands that can be pasted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.handbooks import SMALL, copy_site, format_findings, report

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
