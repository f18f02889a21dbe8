"""Read the files of a service's repository: workflows, manifests, rules, metrics and queries."""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.handbooks import ROOT, read_yaml

Job = dict[str, Any]
CONTROLLERS = ("argoproj.io/v1alpha1", "external-secrets.io/v1", "gateway.networking.k8s.io/v1")
"""The versions of the resources whose schemas are not in Kubernetes."""


@dataclass(frozen=True)
class Workflow:
    """Workflow of GitHub Actions. All scalars are text, because YAML reads `on` as true."""

    path: Path
    document: dict[str, Any]

    @property
    def triggers(self) -> dict[str, Any]:
        """Events that start the workflow, with their settings."""
        on = self.document["on"]
        return on if isinstance(on, dict) else dict.fromkeys([on] if isinstance(on, str) else on)

    @property
    def jobs(self) -> dict[str, Job]:
        """Jobs of the workflow by id."""
        jobs: dict[str, Job] = self.document["jobs"]
        return jobs

    def find_needs(self, job: str) -> set[str]:
        """Return all jobs that this job waits for, directly or through other jobs."""
        needs = self.jobs[job].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct.union(*(self.find_needs(id) for id in direct))


class Repo:
    """Folder of files, each read once."""

    def __init__(self, root: Path, k8s: str = "k8s") -> None:
        self.root = root
        self.k8s = k8s

    def text(self, path: str) -> str:
        """Return the text of a file, or an empty text if it is missing."""
        file = self.root / path
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def yaml(self, path: str) -> Any:
        """Return the YAML document of a file, or an empty mapping if it is missing."""
        return yaml.load(self.text(path), yaml.CSafeLoader) or {}

    @functools.cached_property
    def workflows(self) -> list[Workflow]:
        """Workflows by name, with the steps of the local actions and workflows that they call."""
        workflows = []
        for path in sorted((self.root / ".github/workflows").glob("*.yml")):
            document = _load(path)
            for job in document["jobs"].values():
                if local := re.match(r"(?:\$|\.)/(.+)", job.get("uses", "")):
                    called_jobs = _load(self.root / local[1])["jobs"].values()
                    job["steps"] = [step for called in called_jobs for step in called["steps"]]
                for step in job["steps"]:
                    if local := re.match(r"(?:\$|\.)/(.+)", step.get("uses", "")):
                        action = _load(self.root / local[1] / "action.yml")
                        step["called"] = action["runs"]["steps"]
            workflows.append(Workflow(path, document))
        return workflows

    @functools.cached_property
    def manifests(self) -> list[dict[str, Any]]:
        """Kubernetes resources of production, without the settings of other environments."""
        return [
            document
            for path in sorted((self.root / self.k8s).rglob("*.yaml"))
            if path.parent.name != "config" or path.stem == "production"
            for document in yaml.load_all(path.read_bytes(), yaml.CSafeLoader)
        ]

    @functools.cached_property
    def argocd(self) -> list[dict[str, Any]]:
        """Resources for Argo CD and Argo Rollouts, of all environments."""
        return [
            document
            for path in sorted((self.root / "argocd").glob("*.yaml"))
            for document in yaml.load_all(path.read_bytes(), yaml.CSafeLoader)
        ]

    def kind(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the resources of these kinds."""
        return [resource for resource in self.manifests if resource["kind"] in kinds]

    @functools.cached_property
    def pyproject(self) -> dict[str, Any]:
        """Settings of the Python project."""
        return tomllib.loads(self.text("pyproject.toml"))

    @functools.cached_property
    def alerts(self) -> list[dict[str, Any]]:
        """Alerts of the rule files."""
        return [rule for rule in self.prometheus_rules if "alert" in rule]

    @functools.cached_property
    def prometheus_rules(self) -> list[dict[str, Any]]:
        """Alerts and recording rules of the rule files."""
        return [
            rule
            for path in sorted((self.root / "prometheus").glob("*.rules.yml"))
            for group in read_yaml(path)["groups"]
            for rule in group["rules"]
        ]

    @functools.cached_property
    def prometheus_tests(self) -> list[dict[str, Any]]:
        """Unit tests of the rule files."""
        return [
            test
            for path in sorted((self.root / "prometheus").glob("*.rules.test.yml"))
            for test in read_yaml(path)["tests"]
        ]

    @functools.cached_property
    def metrics(self) -> dict[str, set[str]]:
        """Labels of each series that the code exposes, from the calls that define the metrics."""
        series: dict[str, set[str]] = {}
        for _, tree in self.code("src"):
            for call in ast.walk(tree):
                match call:
                    case ast.Call(
                        func=ast.Name(id="Counter" | "Gauge" | "Histogram" as metric_type),
                        args=[ast.Constant(value=str(name)), *rest],
                    ):
                        labels = {
                            label for argument in rest[1:2] for label in _read_texts(argument)
                        }
                        suffixes = (
                            ("_bucket", "_count", "_sum") if metric_type == "Histogram" else ("",)
                        )
                        for suffix in suffixes:
                            extra = {"le"} if suffix == "_bucket" else set()
                            series[name + suffix] = labels | extra
        return series

    @functools.cached_property
    def queries(self) -> dict[str, str]:
        """PromQL expressions of rules, dashboards, objectives and analyses, by their place."""
        queries = {
            f"rules {rule.get('alert') or rule.get('record')} {n}": rule["expr"]
            for n, rule in enumerate(self.prometheus_rules)
        }
        for path in sorted((self.root / "grafana").glob("*.json")):
            dashboard = json.loads(path.read_text(encoding="utf-8"))
            for location, text in _walk_texts(dashboard, path.name):
                if location.endswith(".expr"):
                    queries[location] = text.replace("$__rate_interval", "5m").replace(
                        "$__range", "1h"
                    )
        for path in [self.root / "slo.yml", *sorted((self.root / "k8s").glob("analysis*.yaml"))]:
            documents = yaml.load_all(path.read_bytes(), yaml.CSafeLoader)
            for number, document in enumerate(documents, 1):
                queries |= {
                    location: text
                    for location, text in _walk_texts(document, f"{path.name}[{number}]")
                    if location.endswith(".query")
                }
        return queries

    @functools.cached_property
    def runbooks(self) -> dict[str, str]:
        """Texts of the runbooks of the service, by file name. A copy can have its own runbooks."""
        folder = self.root / "runbooks"
        folder = folder if folder.is_dir() else ROOT / "runbooks"
        return {
            path.stem: path.read_text(encoding="utf-8")
            for path in sorted((folder / "order-service").glob("*.md"))
        }

    def code(self, folder: str) -> Iterator[tuple[str, ast.Module]]:
        """Yield the path and the syntax tree of each module in a folder."""
        for path in sorted((self.root / folder).rglob("*.py")):
            yield str(path.relative_to(self.root)), ast.parse(path.read_text(encoding="utf-8"))

    def git(self, *arguments: str) -> str:
        """Return the output of a git command, and ignore its exit code."""
        return subprocess.run(
            ["git", "-c", "core.excludesFile=", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        ).stdout


def steps(job: Job) -> list[str]:
    """Return each step of a job as YAML text."""
    return [yaml.safe_dump(step, width=10_000) for step in job.get("steps", [])]


def containers(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all containers of a pod template, including the init containers."""
    pod = resource["spec"]["template"]["spec"]
    yield from pod.get("initContainers", [])
    yield from pod["containers"]


def _load(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    # BaseLoader creates nothing but texts, lists and mappings.
    document: dict[str, Any] = yaml.load(text, yaml.CBaseLoader)  # noqa: S506
    return document


def _read_texts(node: ast.expr) -> list[str]:
    return [
        constant.value
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    ]


def _walk_texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the value of each text in a document."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _walk_texts(child, f"{path}.{key}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _walk_texts(child, f"{path}[{number}]")
    elif isinstance(value, str):
        yield path, value
