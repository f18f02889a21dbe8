"""Schemas and tools in Node packages accept the samples and the SARIF report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.commands import run, run_node
from tests.handbooks import BROKEN, SMALL
from tests.samples.proofs import SAMPLES, SERVICE
from tests.samples.repo import CONTROLLERS, Repo

pytestmark = pytest.mark.samples


@pytest.mark.parametrize("site", [SMALL, BROKEN], ids=lambda site: site.name)
def test_the_sarif_report_is_valid(site: Path, node: dict[str, Path]) -> None:
    (file,) = (node["suite"] / "node_modules/@microsoft/jest-sarif/lib/schemas").glob(
        "sarif-2.1.0-*.json"
    )
    schema = json.loads(file.read_text(encoding="utf-8"))
    answer = run("handbook", "check", "--format", "sarif", "--today", "2026-11-23", cwd=site)
    jsonschema.validate(json.loads(answer.stdout), schema)


def test_controllers_accept_their_resources(node: dict[str, Path]) -> None:
    resources = [
        resource for resource in Repo(SERVICE).manifests if resource["apiVersion"] in CONTROLLERS
    ]
    resources += [
        resource for resource in Repo(SERVICE).argocd if resource["apiVersion"] in CONTROLLERS
    ]
    assert {"Rollout", "AnalysisTemplate", "Application", "AppProject"} <= {
        resource["kind"] for resource in resources
    }
    assert find_schema_errors(node["suite"], resources) == []
    resources[0]["spec"] = 3
    assert len(find_schema_errors(node["suite"], resources)) == 1


def find_schema_errors(folder: Path, resources: list[Any]) -> list[str]:
    """Return the errors of resources against the published schemas."""
    shutil.copy(Path(__file__).parent / "controllers.mjs", folder)
    answer = run_node(folder, "node", "controllers.mjs", stdin=json.dumps(resources))
    assert answer.returncode == 0, answer.stderr
    errors: list[str] = json.loads(answer.stdout)
    return errors


def test_docker_reads_the_dockerfile(node: dict[str, Path]) -> None:
    """The parser of Docker's language server rejects a comment after FROM, unlike hadolint."""
    good, bad = SERVICE / "Dockerfile", SAMPLES / "bad/06/Dockerfile"
    answer = run_node(node["suite"], "dockerfile-utils", "lint", str(good))
    assert (answer.returncode, "Error" in answer.stdout) == (0, False), answer.stdout
    assert (
        "FROM requires either one or three arguments"
        in run_node(node["suite"], "dockerfile-utils", "lint", str(bad)).stdout
    )


def test_commitlint_and_semantic_release_agree_with_the_examples(node: dict[str, Path]) -> None:
    folder = node["service"]
    shutil.copy(SERVICE / ".commitlintrc.yaml", folder)
    shutil.copy(Path(__file__).parent / "commits.mjs", folder)
    examples = yaml.safe_load((SERVICE / "commits.yml").read_text(encoding="utf-8"))
    assert examples["good"]
    assert examples["bad"]
    plugins = yaml.safe_load((SERVICE / ".releaserc.yaml").read_text(encoding="utf-8"))["plugins"]
    analyzer: dict[str, Any] = next(
        plugin[1] for plugin in plugins if plugin[0] == "@semantic-release/commit-analyzer"
    )

    assert find_disagreements(folder, examples, analyzer) == []
    moved = examples["bad"].pop()
    examples["good"].append(moved | {"bump": "none"})
    assert find_disagreements(folder, examples, analyzer) == [moved["message"]]

    breaking = [{"message": "feat(api)!: rename /orders endpoint to /v2/orders"}]
    assert analyse(folder, breaking, analyzer)[0]["release"] == "major"
    # bad/07/releaserc.yaml: no release for a breaking change, because its preset ignores the sign.
    assert analyse(folder, breaking, {})[0]["release"] == "none"


def find_disagreements(
    folder: Path, examples: dict[str, list[dict[str, str]]], analyzer: dict[str, Any]
) -> list[str]:
    """Return the messages whose results differ from the examples."""
    good, bad = (
        list(zip(examples[group], analyse(folder, examples[group], analyzer), strict=True))
        for group in ("good", "bad")
    )
    return [
        example["message"]
        for example, result in good
        if (result["errors"], result["release"]) != ([], example["bump"])
    ] + [example["message"] for example, result in bad if example["rule"] not in result["errors"]]


def analyse(
    folder: Path, examples: list[dict[str, str]], analyzer: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the results of commitlint and semantic-release for messages."""
    query = {"messages": [example["message"] for example in examples], "analyzer": analyzer}
    answer = run_node(folder, "node", "commits.mjs", stdin=json.dumps(query))
    assert answer.returncode == 0, answer.stderr
    results: list[dict[str, Any]] = json.loads(answer.stdout)
    return results
