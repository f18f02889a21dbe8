"""`--base` on the command line, in repositories of every shape, with the errors of git."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml

from handbook.cli import main
from handbook.history.git import read_change_days, read_head
from tests.commands import BIN, make_environment
from tests.handbooks import ADR, ROOT, SETTINGS, SMALL, TODAY, copy_site, write
from tests.repositories import commit_all, create_repository, run_git

pytestmark = pytest.mark.history


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Create a handbook of one decision on `main`, and a branch that rewrites the decision."""
    files = {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR}
    root = create_repository(write(tmp_path / "handbook", files))
    run_git(root, "checkout", "--quiet", "-b", "branch")
    write(root, {"adr/0001-a.md": ADR.replace("What.", "Something else.")})
    commit_all(root, "docs: another decision")
    return root


def checked(root: Path, base: str, **env: str) -> tuple[int, str, str]:
    """Run the check in an environment, and return its exit code, output and error output."""
    out, err = StringIO(), StringIO()
    with (
        patch.dict(os.environ, env),
        patch("tempfile.tempdir", env.get("TMPDIR")),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = main(["check", "--root", str(root), "--today", str(TODAY), f"--base={base}"])
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("base", ["main", "HEAD~1", "refs/heads/main", "branch~1"])
def test_a_finding_against_a_base_is_an_error(repository: Path, base: str) -> None:
    code, out, err = checked(repository, base)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "adr/0001-a.md:14:1: DEC013 error: changed text in ADR-0001, although its status "
        "is 'accepted'",
        "    restore the original; then write a new decision, or add a list item that begins with "
        "a date to a section '## Notes' at the end",
        "1 adr: 1 error, 0 warnings",
    ]


@pytest.mark.parametrize(
    ("base", "code"), [("main", 1), ("", 0), ("branch; touch harm", 2), ("$(touch harm)", 2)]
)
def test_the_workflow_compares_a_pull_request_with_its_base(
    base: str, code: int, repository: Path, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"
    workflow = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["gate"]["steps"]
    assert steps[0]["with"]["fetch-depth"] == 0
    assert steps[-1]["env"] == {"BASE": "${{ github.base_ref }}"}
    run_git(repository, "update-ref", "refs/remotes/origin/main", "main")
    (repository / ".venv/bin").mkdir(parents=True)
    (repository / ".venv/bin/handbook").symlink_to(BIN / "handbook")
    answer = subprocess.run(
        ["bash", "-e", "-c", steps[-1]["run"]],
        cwd=repository,
        env=make_environment(BASE=base, GITHUB_STEP_SUMMARY=str(summary)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == code, answer.stderr
    assert ("title=DEC013 rewritten-decision::" in answer.stdout) == (base == "main")
    assert not (repository / "harm").exists()
    assert summary.exists() == (code != 2)
    if summary.exists():
        assert ("1 changed." in summary.read_text(encoding="utf-8")) == (base == "main")


def test_without_a_base_git_does_not_run(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(repository / ".git")
    assert main(["check", "--root", str(repository), "--today", str(TODAY)]) == 0
    assert capsys.readouterr().out == "1 adr: 0 errors, 0 warnings\n"


@pytest.mark.parametrize(
    "base", ["mian", "", "-n", "--all", "main:adr", "HEAD^{/nothing says so}", "0" * 40, "a b\nc"]
)
def test_an_unknown_revision_is_reported(repository: Path, base: str) -> None:
    code, out, err = checked(repository, base)
    assert (code, out) == (2, "")
    shown_base = base.replace("\n", "\\n")
    assert f"unknown commit '{shown_base}'; fetch it first: git fetch origin" in err
    assert "Traceback" not in err


def test_a_shallow_clone_is_reported(repository: Path, tmp_path: Path) -> None:
    run_git(
        tmp_path,
        "clone",
        "--quiet",
        "--depth",
        "1",
        "--no-single-branch",
        f"file://{repository}",
        "shallow",
    )
    code, out, err = checked(tmp_path / "shallow", "origin/main")
    assert (code, out) == (2, "")
    assert "the history of this shallow clone is too short" in err
    assert "git fetch --unshallow" in err
    assert "fetch-depth: 0" in err
    run_git(tmp_path / "shallow", "fetch", "--quiet", "--unshallow")
    assert checked(tmp_path / "shallow", "origin/main")[0] == 1


def test_a_folder_without_repository_is_reported(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    ceiling = {"GIT_CEILING_DIRECTORIES": str(repository.parent)}
    code, out, err = checked(repository, "main", **ceiling)
    assert (code, out) == (2, "")
    assert (
        f"--base main: no readable git repository at {repository} (fatal: not a git repository"
        in err
    )


def test_a_machine_without_git_is_reported(repository: Path, tmp_path: Path) -> None:
    code, out, err = checked(repository, "main", PATH=str(tmp_path))
    assert (code, out) == (2, "")
    assert "(git is not installed)" in err


def test_a_repository_without_a_commit_is_reported(tmp_path: Path) -> None:
    root = write(tmp_path / "handbook", {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR})
    run_git(root, "init", "--quiet")
    assert checked(root, "HEAD")[::2] == (
        2,
        "handbook: --base HEAD: unknown commit 'HEAD'; fetch it first: git fetch origin\n",
    )


def test_unrelated_histories_are_reported(repository: Path) -> None:
    run_git(repository, "checkout", "--quiet", "--orphan", "other")
    commit_all(repository, "docs: from nothing")
    code, out, err = checked(repository, "main")
    assert (code, out) == (2, "")
    assert "have no common commit" in err


def test_a_commit_with_an_invalid_date_is_reported(repository: Path) -> None:
    tree = run_git(repository, "rev-parse", "HEAD^{tree}")
    body = f"tree {tree}\nauthor a <a> 1 +0000\ncommitter a <a> 99999999999999 +0000\n\nlate\n"
    (repository / "commit").write_text(body)
    late = run_git(repository, "hash-object", "-t", "commit", "-w", "--literally", "commit")
    run_git(repository, "reset", "--quiet", "--hard", late)
    assert checked(repository, "HEAD") == (
        2,
        "",
        f"handbook: --base HEAD: invalid date of commit {late[:12]}\n",
    )


def test_a_lost_object_is_reported(repository: Path) -> None:
    lost = run_git(repository, "rev-parse", "main:adr/0001-a.md")
    (repository / ".git/objects" / lost[:2] / lost[2:]).unlink()
    code, out, err = checked(repository, "main")
    assert (code, out) == (2, "")
    assert f"missing git object {lost}" in err


def test_a_missing_temporary_folder_is_reported(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert main(["check", "--root", str(repository), "--base", "main"]) == 2
    assert "handbook: --base main: cannot read its files: " in capsys.readouterr().err


def test_the_check_leaves_no_files_and_changes_nothing(repository: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    status = run_git(repository, "status", "--porcelain=v2", "--branch")
    checked(repository, "main", TMPDIR=str(temporary))
    assert list(temporary.iterdir()) == []
    assert run_git(repository, "status", "--porcelain=v2", "--branch") == status


def test_the_git_settings_of_the_user_change_nothing(repository: Path, tmp_path: Path) -> None:
    settings = tmp_path / ".gitconfig"
    settings.write_text(
        "[log]\n\tshowSignature = true\n\tdate = relative\n"
        "[diff]\n\trenames = false\n\tnoprefix = true\n"
        "[color]\n\tui = always\n"
        "[core]\n\tquotePath = true\n\tautocrlf = true\n"
        "[i18n]\n\tlogOutputEncoding = latin1\n"
    )
    assert checked(repository, "main", HOME=str(tmp_path)) == checked(repository, "main")


@pytest.fixture
def subfolder(tmp_path: Path) -> Path:
    """Create a handbook in a subfolder, and a linked worktree that rewrites a decision."""
    repository = create_repository(
        write(tmp_path / "all", {"kb/mkdocs.yml": SETTINGS, "kb/adr/0001-a.md": ADR})
    )
    run_git(repository, "worktree", "add", "--quiet", "-b", "branch", str(tmp_path / "linked"))
    return write(tmp_path / "linked/kb", {"adr/0001-a.md": ADR.replace("What.", "Something else.")})


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_DIR": "{git}"},
        {"GIT_DIR": "{git}", "GIT_WORK_TREE": "{top}"},
        {"GIT_DIR": "{git}", "GIT_INDEX_FILE": "{git}/index", "GIT_PREFIX": ""},
        {"GIT_INDEX_FILE": "/dev/null"},
        {"GIT_OBJECT_DIRECTORY": "/nowhere"},
        {"GIT_NAMESPACE": "other"},
        {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.worktree",
            "GIT_CONFIG_VALUE_0": "/nowhere",
        },
        {"GIT_CEILING_DIRECTORIES": "{top}"},
        {"GIT_LITERAL_PATHSPECS": "0", "GIT_TRACE": "1"},
    ],
)
def test_the_base_is_read_despite_git_variables_of_the_caller(
    variables: dict[str, str], subfolder: Path
) -> None:
    """A hook of a linked worktree runs with GIT_DIR, which made the base look empty."""
    top = subfolder.parent
    places = {"git": run_git(top, "rev-parse", "--absolute-git-dir"), "top": str(top)}
    code, out, err = checked(
        subfolder, "main", **{name: text.format(**places) for name, text in variables.items()}
    )
    assert (code, err) == (1, "")
    assert "DEC013" in out


def test_a_hook_of_a_linked_worktree_stops_the_commit(subfolder: Path) -> None:
    hook = (
        Path(run_git(subfolder, "rev-parse", "--path-format=absolute", "--git-path", "hooks"))
        / "pre-commit"
    )
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {BIN}/handbook check --root kb --base main\n")
    hook.chmod(0o755)
    run_git(subfolder, "add", "--all")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_git(subfolder, "commit", "--quiet", "--message", "docs: rewrite a decision")
    assert "DEC013 error" in failed.value.stdout + failed.value.stderr


NO_RECORD = "handbook: new handbook: main has no records\n"


@pytest.mark.parametrize(
    "base_files",
    [
        {"README.md": "# Shop\n"},
        {
            "kb/mkdocs.yml": SETTINGS,
            "kb/adr/index.md": "# Decisions\n",
            "kb/adr/README.md": "How.\n",
        },
        {"shop/docs/adr/0001-a.md": ADR, "doc/adr/0001-b.md": ADR, "shop/mkdocs.yml": SETTINGS},
        {"adrs/0001-a.md": ADR, "more/adr/0001-a.txt": ADR, "runbooks/more/deep/a.md": ADR},
    ],
)
def test_a_handbook_that_the_base_does_not_have_is_new(
    base_files: dict[str, str | bytes], tmp_path: Path
) -> None:
    root = create_repository(write(tmp_path / "all", base_files))
    run_git(root, "checkout", "--quiet", "-b", "branch")
    write(root, {"kb/mkdocs.yml": SETTINGS, "kb/adr/0001-a.md": ADR})
    commit_all(root, "docs: a handbook")
    assert checked(root / "kb", "main") == (0, "1 adr: 0 errors, 0 warnings\n", NO_RECORD)


@pytest.mark.parametrize(
    ("moved", "seen"),
    [
        ("adr/0001-a.md", "adr/0001-a.md"),
        ("old/adr/0001-a.md", "old/adr/0001-a.md"),
        ("docs/runbooks/shop/a.md", "docs/runbooks/shop/a.md"),
        ("old/docs/standards/01-a.md", "old/docs/standards/01-a.md"),
        ("old/runbooks/shop/a.md", "old/runbooks/shop/a.md"),
        ("old/postmortems/2026-05-04-a.md", "old/postmortems/2026-05-04-a.md"),
    ],
)
def test_a_base_without_readable_records_is_refused(moved: str, seen: str, tmp_path: Path) -> None:
    root = create_repository(write(tmp_path / "all", {moved: ADR}))
    run_git(root, "checkout", "--quiet", "-b", "branch")
    (root / moved).unlink()
    write(root, {"kb/mkdocs.yml": SETTINGS, "kb/adr/0001-a.md": ADR})
    commit_all(root, "docs: move the handbook")
    code, out, err = checked(root / "kb", "main")
    assert (code, out) == (2, "")
    message = (
        f"--base main: no records in the same folder, although it contains {seen}; compare with"
    )
    assert message in err
    assert err.count("\n") == 1


def test_a_handbook_that_moved_out_of_docs_is_detected(tmp_path: Path) -> None:
    root = create_repository(
        write(tmp_path / "all", {"docs/mkdocs.yml": SETTINGS, "docs/adr/0001-a.md": ADR})
    )
    run_git(root, "checkout", "--quiet", "-b", "branch")
    write(root, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR})
    commit_all(root, "docs: move the handbook")
    assert checked(root, "main")[0] == 2


def test_the_base_is_read_despite_replaced_objects(repository: Path) -> None:
    commit_all(repository, "docs: nothing more")
    run_git(
        repository,
        "replace",
        run_git(repository, "rev-parse", "main:"),
        run_git(repository, "rev-parse", "HEAD:"),
    )
    code, out, _ = checked(repository, "main")
    assert (code, "DEC013" in out) == (1, True)


@pytest.mark.parametrize("folder", ["adr", "runbooks", "docs", "docs/standards"])
@pytest.mark.parametrize("mode", ["160000", "120000"])
def test_a_base_with_a_record_folder_as_submodule_or_link_is_refused(
    folder: str, mode: str, tmp_path: Path
) -> None:
    root = create_repository(write(tmp_path / "all", {"mkdocs.yml": SETTINGS}))
    id = run_git(root, "rev-parse", "HEAD" if mode == "160000" else "HEAD:mkdocs.yml")
    run_git(root, "update-index", "--add", "--cacheinfo", f"{mode},{id},{folder}")
    run_git(root, "commit", "--quiet", "--message", "docs: elsewhere")
    run_git(root, "checkout", "--quiet", "-b", "branch")
    write(
        root,
        {"adr/0001-a.md": ADR}
        if folder != "adr"
        else {"docs/standards/README.md": "", "adr/0001-a.md": ADR},
    )
    code, _, err = checked(root, "main")
    assert code == 2
    assert f"no records in the same folder, although it contains {folder}" in err


def test_a_handbook_without_records_has_nothing_to_compare(tmp_path: Path) -> None:
    files = {"mkdocs.yml": SETTINGS, "old/adr/0001-a.md": ADR}
    root = create_repository(write(tmp_path / "all", files))
    assert checked(root, "main")[::2] == checked(root, "HEAD")[::2] == (0, "")


def test_programs_from_the_git_configuration_do_not_run(repository: Path, tmp_path: Path) -> None:
    """The configuration of a repository can be hostile, so git must not run its programs."""
    harm = tmp_path / "harm"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {harm}\n")
    program.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "gpg.program",
        "gpg.ssh.program",
        "core.pager",
        "core.sshCommand",
        "diff.external",
        "core.editor",
        "credential.helper",
        "core.askPass",
        "core.gitProxy",
    ):
        run_git(repository, "config", key, str(program))
    for key, value in (
        ("log.showSignature", "true"),
        ("remote.origin.url", f"ext::{program}"),
        ("color.ui", "always"),
        ("protocol.ext.allow", "always"),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
        ("diff.relative", "true"),
    ):
        run_git(repository, "config", key, value)
    (repository / ".git/hooks").mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "post-checkout"):
        (repository / ".git/hooks" / name).symlink_to(program)
    signed = run_git(repository, "cat-file", "commit", "HEAD").replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n\n", 1
    )
    (tmp_path / "commit").write_text(signed + "\n")
    id = run_git(
        repository, "hash-object", "-t", "commit", "-w", "--literally", str(tmp_path / "commit")
    )
    run_git(repository, "update-ref", "refs/heads/branch", id)
    harm.unlink(missing_ok=True)
    code, out, _ = checked(repository, "main")
    assert (code, "DEC013" in out) == (1, True)
    lost = run_git(repository, "rev-parse", "main:adr/0001-a.md")
    (repository / ".git/objects" / lost[:2] / lost[2:]).unlink()
    assert checked(repository, "main")[0] == 2
    assert read_head(repository) == id
    assert read_change_days(repository)
    assert not harm.exists()


def test_a_new_record_gets_a_number_that_is_free_in_every_branch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = create_repository(copy_site(SMALL, tmp_path / "handbook"))
    run_git(root, "checkout", "--quiet", "-b", "branch")
    run_git(root, "checkout", "--quiet", "main")
    write(root, {"adr/0007-meanwhile.md": ADR, "docs/standards/11-meanwhile.md": "# Not ours\n"})
    commit_all(root, "docs: meanwhile")
    tip = run_git(root, "rev-parse", "main").strip()
    run_git(root, "checkout", "--quiet", "branch")
    for kind, arguments, path in [
        ("adr", [], "adr/0008-a.md"),
        ("standard", ["--base", "main"], "docs/standards/12-a.md"),
        ("adr", ["--base", tip], "adr/0009-a.md"),
    ]:
        assert main(["new", kind, "A", "--root", str(root), *arguments]) == 0
        assert capsys.readouterr().out == f"{path}\n"
    assert main(["new", "adr", "A", "--root", str(root), "--base", "mian"]) == 2
    assert "unknown commit 'mian'" in capsys.readouterr().err
