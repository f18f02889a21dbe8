"""A service's repository as a reader of its files sees it."""

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

Job = dict[str, Any]


@dataclass(frozen=True)
class Workflow:
    """A workflow of GitHub Actions; every scalar is text, so that `on` is not true."""

    path: Path
    document: dict[str, Any]

    @property
    def triggers(self) -> dict[str, Any]:
        """What starts it."""
        on = self.document["on"]
        return on if isinstance(on, dict) else dict.fromkeys([on] if isinstance(on, str) else on)

    @property
    def jobs(self) -> dict[str, Job]:
        """Its jobs by id."""
        jobs: dict[str, Job] = self.document["jobs"]
        return jobs

    def before(self, job: str) -> set[str]:
        """The jobs that have to be done before this one, near and far."""
        needs = self.jobs[job].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct.union(*(self.before(each) for each in direct))


class Repo:
    """A folder of files, read once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def text(self, path: str) -> str:
        """A file's text; empty where it is not there."""
        file = self.root / path
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def yaml(self, path: str) -> Any:
        """A file of one YAML document; an empty mapping where it is not there."""
        return yaml.safe_load(self.text(path)) or {}

    @functools.cached_property
    def workflows(self) -> list[Workflow]:
        """The workflows, by name; where they call an action or a workflow of the repository, its steps stand, too."""
        found = []
        for path in sorted((self.root / ".github/workflows").glob("*.yml")):
            document = _load(path)
            for job in document["jobs"].values():
                if called := re.match(r"(?:\$|\.)/(.+)", job.get("uses", "")):
                    job["steps"] = [
                        each
                        for other in _load(self.root / called[1])["jobs"].values()
                        for each in other["steps"]
                    ]
                for step in job["steps"]:
                    if called := re.match(r"(?:\$|\.)/(.+)", step.get("uses", "")):
                        step["called"] = _load(self.root / called[1] / "action.yml")["runs"][
                            "steps"
                        ]
            found.append(Workflow(path, document))
        return found

    @functools.cached_property
    def manifests(self) -> list[dict[str, Any]]:
        """Every Kubernetes resource of production: all but the settings of another environment."""
        return [
            document
            for path in sorted((self.root / "k8s").rglob("*.yaml"))
            if path.parent.name != "config" or path.stem == "production"
            for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        ]

    def kind(self, *kinds: str) -> list[dict[str, Any]]:
        """The resources of these kinds."""
        return [each for each in self.manifests if each["kind"] in kinds]

    @functools.cached_property
    def pyproject(self) -> dict[str, Any]:
        """The project's settings."""
        return tomllib.loads(self.text("pyproject.toml"))

    @functools.cached_property
    def alerts(self) -> list[dict[str, Any]]:
        """Every alert of its rule files."""
        return [rule for rule in self.prometheus_rules if "alert" in rule]

    @functools.cached_property
    def prometheus_rules(self) -> list[dict[str, Any]]:
        """Every rule of its rule files, alerts and recordings."""
        return [
            rule
            for path in sorted((self.root / "prometheus").glob("*.rules.yml"))
            for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
            for rule in group["rules"]
        ]

    @functools.cached_property
    def metrics(self) -> dict[str, set[str]]:
        """The series that the code exposes, by name, with their labels; read from the calls that define them."""
        series: dict[str, set[str]] = {}
        for _, tree in self.code("src"):
            for call in ast.walk(tree):
                match call:
                    case ast.Call(
                        func=ast.Name(id="Counter" | "Gauge" | "Histogram" as sort),
                        args=[ast.Constant(value=str(name)), *rest],
                    ):
                        labels = {label for argument in rest[1:2] for label in _texts(argument)}
                        ends = ("_bucket", "_count", "_sum") if sort == "Histogram" else ("",)
                        for end in ends:
                            series[name + end] = labels | ({"le"} if end == "_bucket" else set())
        return series

    @functools.cached_property
    def queries(self) -> dict[str, str]:
        """Every PromQL expression of its rules, dashboards, objectives and analyses, by where it stands."""
        found = {
            f"rules {rule.get('alert') or rule.get('record')} {n}": rule["expr"]
            for n, rule in enumerate(self.prometheus_rules)
        }
        for path in sorted((self.root / "grafana").glob("*.json")):
            for place, text in _leaves(json.loads(path.read_text(encoding="utf-8")), path.name):
                if place.endswith(".expr"):
                    found[place] = text.replace("$__rate_interval", "5m").replace("$__range", "1h")
        for path in [self.root / "slo.yml", *sorted((self.root / "k8s").glob("analysis*.yaml"))]:
            for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                for place, text in _leaves(document, path.name):
                    if place.endswith(".query"):
                        found[place] = re.sub(r"\{\{\s*args\.[\w-]+\s*\}\}", "x", text)
        return found

    def code(self, folder: str) -> Iterator[tuple[str, ast.Module]]:
        """The modules of a folder, parsed, by path."""
        for path in sorted((self.root / folder).rglob("*.py")):
            yield str(path.relative_to(self.root)), ast.parse(path.read_text(encoding="utf-8"))

    def git(self, *arguments: str) -> str:
        """What a git command prints, whatever its exit code."""
        return subprocess.run(
            ["git", "-c", "core.excludesFile=", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        ).stdout


def steps(job: Job) -> list[str]:
    """What each step of a job runs and with what, as text."""
    return [yaml.safe_dump(step, width=10_000) for step in job.get("steps", [])]


def containers(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every container of a resource that has a pod template, those that run first included."""
    pod = resource["spec"]["template"]["spec"]
    yield from pod.get("initContainers", [])
    yield from pod["containers"]


def _load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - the safest
    return document


def _texts(node: ast.expr) -> list[str]:
    return [
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, f"{place}.{key}")
    elif isinstance(value, list):
        for n, below in enumerate(value):
            yield from _leaves(below, f"{place}[{n}]")
    elif isinstance(value, str):
        yield place, value
