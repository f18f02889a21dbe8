"""The commands of the proofs page succeed, and so do tools with a set-up."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import promql_parser
import pytest

from tests.commands import require_tool
from tests.handbooks import ROOT
from tests.samples.proofs import (
    SAMPLES,
    SERVICE,
    copy_service,
    is_command,
    read_table,
    run_command,
)
from tests.samples.properties import PROPERTIES, count_peak_connections
from tests.samples.repo import CONTROLLERS, Repo

pytestmark = pytest.mark.samples

COMMANDS = sorted(
    {proof for row in read_table("What proves what") for proof in row.code[1] if is_command(proof)}
)
CAPTURED = {row.code[0][0]: row.code[1][0] for row in read_table("Output")}
BAD = [
    (row.code[0][0], row.code[1], re.findall(r"“([^”]+)”", row.cells[2]))
    for row in read_table("Bad examples")
    # The tests of this name are below.
    if not any(name.startswith("test_") for name in row.code[1])
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_tool_accepts_the_sample(command: str) -> None:
    answer = run_command(command)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(("path", "command"), CAPTURED.items(), ids=list(CAPTURED))
def test_output_is_what_the_command_prints(path: str, command: str) -> None:
    assert run_command(command).stdout == (SAMPLES / path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "by", "quotes"), BAD, ids=[f"{path} {by[0]}" for path, by, _ in BAD]
)
def test_the_bad_example_is_refused(
    path: str, by: tuple[str, ...], quotes: list[str], tmp_path: Path
) -> None:
    """A command fails, or our check reports the file in place of the good one."""
    if by[0] in PROPERTIES:
        root = copy_service(tmp_path / "service")
        (root / by[1]).write_text((SAMPLES / path).read_text(encoding="utf-8"), encoding="utf-8")
        problems = list(PROPERTIES[by[0]](Repo(root)))
    else:
        answer = run_command(by[0])
        assert answer.returncode != 0, answer.stdout
        problems = [answer.stdout + answer.stderr]
    assert quotes
    for quote in quotes:
        assert any(quote in problem for problem in problems), problems


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_service_has_the_required_properties(name: str) -> None:
    assert list(PROPERTIES[name](Repo(SERVICE))) == []


def test_the_page_and_the_configuration_name_the_peak_of_connections() -> None:
    repo = Repo(SERVICE)
    peak = count_peak_connections(repo)
    page = (SAMPLES.parent / "09-kubernetes.md").read_text(encoding="utf-8")
    assert f"| the peak | {peak} |" in page
    assert f"are {peak}." in repo.text("k8s/config/production.yaml")


def test_kubernetes_accepts_the_manifests() -> None:
    repo = Repo(SERVICE)
    core = [
        resource
        for resource in (*repo.manifests, *repo.argocd)
        if resource["apiVersion"] not in CONTROLLERS
    ]
    kinds = {resource["kind"] for resource in core}
    assert {
        "Deployment",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "Service",
        "NetworkPolicy",
    } <= kinds
    for resource in [*core, *Repo(SERVICE, k8s="k8s-plain").manifests]:
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_actionlint_accepts_the_workflows(tmp_path: Path) -> None:
    """actionlint finds the local actions only in a repository of their own."""
    answer = run_command("actionlint -no-color", copy_service(tmp_path / "service"))
    assert answer.returncode == 0, answer.stdout


def test_every_query_parses() -> None:
    queries = Repo(SERVICE).queries
    assert len(queries) > 30
    for location, query in queries.items():
        try:
            promql_parser.parse(query)
        except ValueError as error:
            pytest.fail(f"{location}: {error}")


def test_the_queries_of_the_page_are_those_of_the_dashboard() -> None:
    dashboard = (SERVICE / "grafana/order-service.json").read_text(encoding="utf-8")
    panels = {
        (panel["title"], "".join(target["expr"].split()))
        for panel in json.loads(dashboard)["panels"]
        for target in panel.get("targets", ())
    }
    text = (SAMPLES / "08/panels.promql").read_text(encoding="utf-8")
    quoted = [part.split("\n", 1) for part in text.split("\n\n")]
    titles = [title.removeprefix("# ").split(":")[0] for title, _ in quoted]
    assert titles == [
        "Request rate",
        "Error rate",
        "Latency",
        "Active orders",
        "Order errors by type",
    ]
    for title, (_, query) in zip(titles, quoted, strict=True):
        assert (title, "".join(query.split())) in panels


def test_the_pull_request_form_asks_four_questions() -> None:
    form = (SERVICE / ".github/pull_request_template.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", form, re.MULTILINE) == [
        "What",
        "Why",
        "How to test",
        "Evidence",
    ]
    owners = (SERVICE / ".github/CODEOWNERS").read_text(encoding="utf-8")
    assert re.search(r"^\* +@mycompany/order-team$", owners, re.MULTILINE)


def test_the_page_names_the_credentials_of_the_service() -> None:
    readme, page = (
        [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in path.read_text(encoding="utf-8").splitlines()
            if re.match(r"\| `\w+_(PRIVATE_KEY|BROKER_TOKEN|TOKEN_KEY)`", line)
        ]
        for path in (SERVICE / "README.md", ROOT / "docs/standards/04-ci-cd-pipeline.md")
    )
    assert readme
    assert [row[0] for row in page] == [row[0] for row in readme]
    for (*_, owner_and_renewal), (*_, owner, renewal) in zip(page, readme, strict=True):
        words = renewal.replace("every January and July", "January, July")
        assert owner_and_renewal == f"{owner}: {words}"


def test_the_secret_in_the_bad_example_is_found(tmp_path: Path) -> None:
    text = (SAMPLES / "bad/01/config.py").read_text(encoding="utf-8")
    assert run_command("detect-secrets-hook bad/01/config.py").returncode == 0
    (tmp_path / "config.py").write_text(re.sub(r"  # pragma.*", "", text), encoding="utf-8")
    answer = run_command("detect-secrets-hook config.py", tmp_path)
    assert answer.returncode == 1
    assert "Basic Auth Credentials" in answer.stdout


def test_the_log_command_passes_over_lines_that_are_no_json() -> None:
    assert filter_log("11/error-logs.sh").stdout == '{"level":"error","n":2}\n'


def test_one_line_of_text_ends_the_bad_log_command() -> None:
    answer = filter_log("bad/11/error-logs.sh")
    assert answer.stdout == ""
    assert "parse error" in answer.stderr


def filter_log(path: str) -> subprocess.CompletedProcess[str]:
    """Run the pipeline of a script, without its kubectl, on three lines of log."""
    require_tool("jq")
    pipeline = (SAMPLES / path).read_text(encoding="utf-8").split("|", 1)[1]
    lines = 'plain text\n{"level": "info", "n": 1}\n{"level": "error", "n": 2}\n'
    return subprocess.run(
        ["sh", "-c", pipeline], input=lines, capture_output=True, text=True, check=False
    )
