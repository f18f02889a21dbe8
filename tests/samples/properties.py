"""What the files of a service's repository have to show: a check for each automated item, and more.

Each takes the repository and yields one sentence for each thing that is wrong. These stand in, too, for the tools that
cannot run here: docs/reference/proofs.md says which.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import promql_parser
import yaml

from handbook.loading import load
from handbook.records.runbook import Runbook
from tests.handbooks import ROOT
from tests.samples.repo import Job, Repo, Workflow, containers, steps

Check = Callable[[Repo], Iterator[str]]
PROPERTIES: dict[str, Check] = {}

LINTERS: Final = {"ruff", "ruff-check", "flake8", "pylint"}
FORMATTERS: Final = {"ruff-format", "black"}
SECRETS: Final = {"detect-secrets", "gitleaks"}
IGNORED: Final = (
    ".env",
    ".env.local",
    "credentials.json",
    "server.pem",
    "id.key",
    ".venv/x",
    "dist/x.whl",
    "build/x",
    "src/x/__pycache__/x.pyc",
    ".coverage",
    "coverage.xml",
)
STAGES: Final = {
    "lint": re.compile(r"ruff check|pre-commit run"),
    "test": re.compile(r"make test|pytest"),
    "security": re.compile(r"semgrep"),
    "build": re.compile(r"docker/build-push-action"),
    "deploy": re.compile(r"scripts/render\.py"),
}
PERMISSIONS: Final = {
    "packages: write": r"docker/login-action",
    "security-events: write": r"codeql-action/upload-sarif",
    "id-token: write": r"attest|codecov|configure-aws",
    "attestations: write": r"actions/attest",
}
"""A permission beyond reading, and what in a job has a use for it."""

BURN: Final = {
    ("5m", "1h"): (14.4, "page"),
    ("30m", "6h"): (6.0, "page"),
    ("6h", "3d"): (1.0, "ticket"),
}
"""Windows, the multiple of the budget's even rate, and the answer: Site Reliability Workbook, chapter 5, table 5-8."""


def shows(id: str) -> Callable[[Check], Check]:
    """Enter a check under the item, or the name, that the table and the tests call it by."""

    def enter(check: Check) -> Check:
        PROPERTIES[id] = check
        return check

    return enter


@shows("SCM-02")
def pre_commit_hooks(repo: Repo) -> Iterator[str]:
    """Hooks lint, format and look for secrets; each is pinned; CI runs them all."""
    hooks = repo.yaml(".pre-commit-config.yaml").get("repos", [])
    ids = {hook["id"] for each in hooks for hook in each["hooks"]}
    for purpose, known in (
        ("lints", LINTERS),
        ("formats", FORMATTERS),
        ("looks for secrets", SECRETS),
    ):
        if not ids & known:
            yield f"no hook {purpose}"
    for each in hooks:
        if each["repo"] != "local" and not re.fullmatch(
            r"v?\d+(\.\d+)+|[0-9a-f]{40}", str(each.get("rev"))
        ):
            yield f"{each['repo']} is not pinned: {each.get('rev')}"
    if not any(
        "pre-commit run --all-files" in step for _, _, job in _jobs(repo) for step in steps(job)
    ):
        yield "CI does not run the hooks"


@shows("SCM-03")
def commit_messages(repo: Repo) -> Iterator[str]:
    """commitlint is set up, and runs on a pull request's commits and as a commit-msg hook."""
    if "@commitlint/config-conventional" not in repo.text(".commitlintrc.yaml"):
        yield "no settings of commitlint"
    if not any(
        "commitlint --from" in step
        for flow, _, job in _jobs(repo)
        for step in steps(job)
        if "pull_request" in flow.triggers
    ):
        yield "CI does not run commitlint on a pull request"
    hooks = repo.yaml(".pre-commit-config.yaml")
    stages = [hook.get("stages") for each in hooks.get("repos", []) for hook in each["hooks"]]
    if ["commit-msg"] not in stages or "commit-msg" not in hooks.get(
        "default_install_hook_types", []
    ):
        yield "no commit-msg hook"


@shows("SCM-05")
def ignored_files(repo: Repo) -> Iterator[str]:
    """.env, credentials and what is built are ignored, and none of it is in the repository."""
    listed = set(repo.git("check-ignore", "--no-index", *IGNORED).split())
    for path in IGNORED:
        if path not in listed:
            yield f"{path} is not ignored"
    for path in repo.git("ls-files", "--cached", "--ignored", "--exclude-standard").split():
        yield f"{path} is ignored, and in the repository"


@shows("CICD-01")
def every_commit(repo: Repo) -> Iterator[str]:
    """One workflow tests every push to main and every pull request, whatever files they touch."""
    for flow in repo.workflows:
        push, pull = (flow.triggers.get(each, "") for each in ("push", "pull_request"))
        whole = not any("paths" in key for trigger in (push, pull) for key in trigger or ())
        to_main = push != "" and "main" in ((push or {}).get("branches") or ["main"])
        if (
            to_main
            and pull != ""
            and whole
            and any(_stages(job) & {"test"} for job in flow.jobs.values())
        ):
            return
    yield "no workflow tests every push to main and every pull request"


@shows("CICD-02")
def stages_in_order(repo: Repo) -> Iterator[str]:
    """Each stage waits for the one before: lint, test, security, build, deploy."""
    flow = _pipeline(repo)
    by_stage = {
        stage: {id for id, job in flow.jobs.items() if stage in _stages(job)} for stage in STAGES
    }
    order = list(STAGES)
    for stage, jobs in by_stage.items():
        if not jobs:
            yield f"no job is of the stage {stage}"
    for before, after in itertools.pairwise(order):
        for job in by_stage[after] - by_stage[before]:
            if not by_stage[before] & flow.before(job):
                yield f"{job} does not wait for {before}"


@shows("TEST-01")
def coverage(repo: Repo) -> Iterator[str]:
    """Coverage under the floor of this handbook's policy fails the tests."""
    floor = int((load(ROOT).settings.value("testing.coverage") or "").rstrip("%"))
    settings = repo.pyproject["tool"].get("coverage", {}).get("report", {})
    if settings.get("fail_under", 0) < floor:
        yield f"coverage under {floor}% passes"
    if "--cov" not in repo.text("Makefile"):
        yield "the tests do not measure coverage"


@shows("TEST-02")
def integration_tests(repo: Repo) -> Iterator[str]:
    """A job runs the integration tests beside a real PostgreSQL and a real Redis."""
    for _, _, job in _jobs(repo):
        images = " ".join(service["image"] for service in job.get("services", {}).values())
        if (
            "postgres" in images
            and "redis" in images
            and any(
                re.search(r"make integration|pytest tests/integration", step) for step in steps(job)
            )
        ):
            return
    yield "no job runs the integration tests beside PostgreSQL and Redis"


@shows("TEST-04")
def performance_tests(repo: Repo) -> Iterator[str]:
    """Performance tests run against staging, after its deployment and before production's."""
    flow = _pipeline(repo)
    for id, job in flow.jobs.items():
        if any("make performance" in step or "locust" in step for step in steps(job)):
            if not any(_deploys(flow.jobs[each], "staging") for each in flow.before(id)):
                yield f"{id} does not wait for staging"
            for other, after in flow.jobs.items():
                if _deploys(after, "production") and id not in flow.before(other):
                    yield f"{other} does not wait for {id}"
            return
    yield "no job runs the performance tests"


@shows("SEC-01")
def static_analysis(repo: Repo) -> Iterator[str]:
    """SAST runs on every pull request, and fails on a finding."""
    for flow, _, job in _jobs(repo):
        if "pull_request" in flow.triggers and "if" not in job:
            if any("semgrep scan" in step and "--error" in step for step in steps(job)):
                return
    yield "no job of a pull request runs semgrep"


@shows("SEC-02")
def dependencies(repo: Repo) -> Iterator[str]:
    """Dependabot watches every ecosystem that is here, and CI looks for known vulnerabilities."""
    watched = {
        each["package-ecosystem"] for each in repo.yaml(".github/dependabot.yml").get("updates", [])
    }
    here = {
        "pip": "requirements.txt",
        "docker": "Dockerfile",
        "npm": "package.json",
        "docker-compose": "compose.yaml",
        "github-actions": ".github/workflows/",
    }
    for ecosystem, path in here.items():
        if (repo.root / path).exists() and ecosystem not in watched:
            yield f"Dependabot does not watch {ecosystem}"
    if not any("pip-audit" in step for _, _, job in _jobs(repo) for step in steps(job)):
        yield "CI does not run pip-audit"


@shows("SEC-03")
def secret_scan(repo: Repo) -> Iterator[str]:
    """CI holds every file against the baseline of known non-secrets."""
    if not repo.text(".secrets.baseline"):
        yield "no baseline"
    if not any(
        "detect-secrets-hook" in step and "--baseline" in step
        for _, _, job in _jobs(repo)
        for step in steps(job)
    ):
        yield "CI does not look for secrets"


@shows("SEC-04")
def image_scan(repo: Repo) -> Iterator[str]:
    """In the job that pushes the image, Trivy scans it first, and HIGH or CRITICAL findings end the job."""
    pushes = 0
    for _, id, job in _jobs(repo):
        scanned = False
        for step in steps(job):
            scanned = scanned or (
                "trivy" in step
                and "HIGH,CRITICAL" in step
                and bool(re.search(r"exit-code[= ]'?1", step))
                and "continue-on-error" not in step
                and not re.search(r"^if:", step, re.MULTILINE)
            )
            if re.search(r"push: '?(true|\$)|docker push|type=registry|push=true", step):
                pushes += 1
                if not scanned:
                    yield f"{id} pushes the image before it is scanned"
    if not pushes:
        yield "no job pushes the image"


@shows("SEC-05")
def weekly_dast(repo: Repo) -> Iterator[str]:
    """ZAP attacks staging once a week."""
    for flow in repo.workflows:
        schedule = flow.triggers.get("schedule") or []
        weekly = any(re.fullmatch(r"\S+ \S+ \* \* \S+", each["cron"]) for each in schedule)
        zap = [
            step
            for job in flow.jobs.values()
            for step in steps(job)
            if re.search("zap-(full|api)-scan", step)
        ]
        if weekly and any("STAGING_URL" in step for step in zap):
            return
    yield "no weekly workflow attacks staging with ZAP"


@shows("OBS-06")
def slo_alerts(repo: Repo) -> Iterator[str]:
    """Each objective has its alerts, with a hold and a severity, at the factors and windows of the SRE Workbook."""
    slos = [each for each in yaml.safe_load_all(repo.text("slo.yml")) if each["kind"] == "SLO"]
    objectives = {
        each["metadata"]["name"].removeprefix(f"{each['spec']['service']}-"): each["spec"][
            "objectives"
        ][0]["targetPercent"]
        for each in slos
    }
    if not objectives:
        yield "no objective"
    for name, target in objectives.items():
        alerts = [alert for alert in repo.alerts if alert["labels"].get("slo") == name]
        found = {}
        for alert in alerts:
            if not alert.get("for") or not alert["labels"].get("severity"):
                yield f"{alert['alert']} has no hold or no severity"
            for window, factor, budget in re.findall(
                r"slo:error_ratio:rate(\w+)\{[^}]*\}\s*>\s*([\d.]+) \* \(1 - ([\d.]+)\)",
                alert["expr"],
            ):
                found[window, alert["labels"]["severity"]] = float(factor), float(budget)
        for windows, (factor, severity) in BURN.items():
            for window in windows:
                seen = found.get((window, severity))
                if seen is None:
                    yield f"{name}: nothing looks at {window} for a {severity}"
                elif seen != (factor, round(target / 100, 6)):
                    yield f"{name}: {window} is held against {seen[0]} times the budget of {seen[1]}"


@shows("K8S-01")
def resources(repo: Repo) -> Iterator[str]:
    """Every container says what it needs and what it may take, of processor and memory."""
    for resource, container in _containers(repo):
        for side in ("requests", "limits"):
            for what in ("cpu", "memory"):
                if not container.get("resources", {}).get(side, {}).get(what):
                    yield f"{resource}: {container['name']} has no {side}.{what}"


@shows("K8S-02")
def probes(repo: Repo) -> Iterator[str]:
    """Every container of a Deployment has its three probes."""
    for deployment in repo.kind("Deployment", "StatefulSet"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if not container.get(probe, {}).get("httpGet"):
                    yield f"{container['name']} has no {probe}"


@shows("K8S-03")
def replicas(repo: Repo) -> Iterator[str]:
    """Production runs three pods at least, and no number stands beside the autoscaler's."""
    for scaler in repo.kind("HorizontalPodAutoscaler"):
        if scaler["spec"].get("minReplicas", 1) < 3:
            yield f"{scaler['metadata']['name']} goes below three pods"
    for workload in repo.kind("Deployment", "Rollout"):
        if "replicas" in workload["spec"]:
            yield f"{workload['kind']} sets replicas beside the autoscaler"


@shows("K8S-04")
def spread(repo: Repo) -> Iterator[str]:
    """Pods of the service keep apart from each other, node by node."""
    for deployment in repo.kind("Deployment"):
        template = deployment["spec"]["template"]
        rules = [
            rule.get("podAffinityTerm", rule)
            for rules in template["spec"].get("affinity", {}).get("podAntiAffinity", {}).values()
            for rule in rules
        ] + template["spec"].get("topologySpreadConstraints", [])
        if not any(
            rule["topologyKey"] == "kubernetes.io/hostname"
            and _selects(rule["labelSelector"], template["metadata"])
            for rule in rules
        ):
            yield f"nothing spreads the pods of {deployment['metadata']['name']} across nodes"


@shows("K8S-05")
def autoscaler(repo: Repo) -> Iterator[str]:
    """An autoscaler has a range and a metric, and its target is there, in its namespace."""
    workloads = {_key(each): each for each in repo.kind("Deployment", "Rollout")}
    scalers = repo.kind("HorizontalPodAutoscaler")
    if not scalers:
        yield "no autoscaler"
    for scaler in scalers:
        spec, target = scaler["spec"], scaler["spec"]["scaleTargetRef"]
        if (
            target["apiVersion"],
            target["kind"],
            scaler["metadata"].get("namespace"),
            target["name"],
        ) not in workloads:
            yield f"its target is not there: {target['kind']} {target['name']}"
        if not spec.get("minReplicas", 1) < spec["maxReplicas"] or not spec.get("metrics"):
            yield "it has no range, or no metric"
    for rollout in repo.kind("Rollout"):
        reference = rollout["spec"].get("workloadRef")
        if (
            reference
            and (
                reference["apiVersion"],
                reference["kind"],
                rollout["metadata"]["namespace"],
                reference["name"],
            )
            not in workloads
        ):
            yield f"the rollout's workload is not there: {reference['name']}"


@shows("K8S-06")
def non_root(repo: Repo) -> Iterator[str]:
    """No container may run as root, and the image has a numeric user of its own."""
    for resource, container in _containers(repo, pods=True):
        context = container["pod"].get("securityContext", {}) | container.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or context.get("runAsUser", 1) == 0:
            yield f"{resource}: {container['name']} may run as root"
    users = re.findall(r"^USER +(\S+) *$", repo.text("Dockerfile"), re.MULTILINE)
    if not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        yield "the image's last user is no numeric user but root"


@shows("K8S-07")
def digests(repo: Repo) -> Iterator[str]:
    """Images are named by digest, in manifests and in the Dockerfile."""
    for resource, container in _containers(repo):
        if not re.search(r"@sha256:[0-9a-f]{64}$", container["image"]):
            yield f"{resource}: {container['image']} names no digest"
    stages: set[str] = set()
    for image, name in re.findall(
        r"^FROM +(\S+)(?: +AS +(\S+))? *$", repo.text("Dockerfile"), re.MULTILINE
    ):
        if image not in stages and "@sha256:" not in image:
            yield f"Dockerfile: {image} names no digest"
        stages.add(name)
    if not stages:
        yield "Dockerfile: no stage can be read"


@shows("DOC-01")
def readme(repo: Repo) -> Iterator[str]:
    """The README says what the service is for and how it is set up, and draws its architecture."""
    sections = dict(
        re.findall(
            r"^#{1,2} +(.+)\n+((?:(?!^#{1,2} ).*\n?)*)", repo.text("README.md"), re.MULTILINE
        )
    )
    for purpose, words in (
        ("purpose", "purpose|what|order.service"),
        ("set-up", "set.?up|getting started|install"),
    ):
        if not any(
            re.search(words, title, re.IGNORECASE) and body.strip()
            for title, body in sections.items()
        ):
            yield f"no section says its {purpose}"
    pictures = [body for title, body in sections.items() if "architecture" in title.lower()]
    if not any("```mermaid" in body or "![" in body for body in pictures):
        yield "no diagram of its architecture"


@shows("DOC-02")
def alert_runbooks(repo: Repo) -> Iterator[str]:
    """Every alert names its own page here, and a runbook lists it."""
    listed = {alert for runbook in load(ROOT).of(Runbook) for alert in runbook.alerts}
    for alert in repo.alerts:
        name = alert["alert"]
        if (
            alert.get("annotations", {}).get("runbook_url")
            != f"https://handbook.example/alerts/{name}/"
        ):
            yield f"{name} does not name its page"
        if name not in listed:
            yield f"no runbook lists {name}"
    if not repo.alerts:
        yield "no alert"


@shows("least privilege")
def permissions(repo: Repo) -> Iterator[str]:
    """A workflow has no permission, and a job those that its steps have a use for."""
    for flow in repo.workflows:
        if flow.document.get("permissions") not in ({}, {"contents": "read"}):
            yield f"{flow.path.name} has permissions for every job"
    for flow, id, job in _jobs(repo):
        for scope, level in (job.get("permissions") or {}).items():
            use = PERMISSIONS.get(f"{scope}: {level}")
            if level != "read" and not (use and any(re.search(use, step) for step in steps(job))):
                yield f"{flow.path.name}: {id} has no use for {scope}: {level}"


@shows("pinned actions")
def pinned(repo: Repo) -> Iterator[str]:
    """An action is named by commit; an image in a workflow by digest, an action of its own repository by its path."""
    for flow, id, job in _jobs(repo):
        for action in re.findall(r"^[ -]*uses: (\S+)", "\n".join(steps(job)), re.MULTILINE):
            if not re.search(r"@[0-9a-f]{40}$|^\$/", action):
                yield f"{flow.path.name}: {id} uses {action}"
        for image in re.findall(
            r"(?:ghcr\.io|docker\.io)/[\w./-]+(?:[:@][\w:.-]+)?", "\n".join(steps(job))
        ):
            if "@sha256:" not in image and not image.startswith("ghcr.io/mycompany/"):
                yield f"{flow.path.name}: {id} runs {image}"


@shows("by digest alone")
def handed_on(repo: Repo) -> Iterator[str]:
    """What is deployed is the digest that the build handed on, written to the manifests: nothing is applied by hand."""
    flow = _pipeline(repo)
    for id, job in flow.jobs.items():
        if "deploy" in _stages(job) and not re.search(
            r"needs\.\w+\.outputs\.digest", yaml.safe_dump(job)
        ):
            yield f"{id} does not deploy the digest of the build"
    for path in repo.workflows:
        if re.search(
            r"kubectl|helm upgrade|argocd app sync", path.path.read_text(encoding="utf-8")
        ):
            yield f"{path.path.name} applies something by hand"


@shows("canary")
def canary(repo: Repo) -> Iterator[str]:
    """A new version gets 5%, then 25%, then all of the traffic, with an analysis after each of the first two."""
    rollouts = repo.kind("Rollout")
    if not rollouts:
        yield "no rollout"
    templates = {each["metadata"]["name"] for each in repo.kind("AnalysisTemplate")}
    services = {each["metadata"]["name"] for each in repo.kind("Service")}
    for rollout in rollouts:
        strategy = rollout["spec"]["strategy"]["canary"]
        course = [
            next(iter(step)) if "setWeight" not in step else step["setWeight"]
            for step in strategy["steps"]
        ]
        if [each for each in course if each != "pause"] != [5, "analysis", 25, "analysis"]:
            yield f"its course is {course}"
        for step in strategy["steps"]:
            for each in step.get("analysis", {}).get("templates", []):
                if each["templateName"] not in templates:
                    yield f"no analysis template {each['templateName']}"
        for service in ("canaryService", "stableService"):
            if strategy.get(service) not in services:
                yield f"no {service}"


@shows("one namespace")
def namespaces(repo: Repo) -> Iterator[str]:
    """Every resource of production says that it is there."""
    for each in repo.manifests:
        if each["metadata"].get("namespace") != "production":
            yield f"{each['kind']} {each['metadata']['name']} names no namespace, or another"


@shows("known metrics")
def known_metrics(repo: Repo) -> Iterator[str]:
    """Every query reads series that the code exposes or a rule records, by labels that they have."""
    recorded = {rule["record"] for rule in repo.prometheus_rules if "record" in rule}
    outside = {
        "pod",
        "namespace",
        "rollouts_pod_template_hash",
        "slo",
        "service",
        "job",
        "instance",
    }
    for place, query in repo.queries.items():
        for selector in _selectors(promql_parser.parse(query)):
            if selector.name in recorded:
                continue
            if selector.name not in repo.metrics:
                yield f"{place}: nothing exposes {selector.name}"
                continue
            for matcher in selector.matchers.matchers:
                if matcher.name not in repo.metrics[selector.name] | outside:
                    yield f"{place}: {selector.name} has no label {matcher.name}"


@shows("RED and business")
def dashboard(repo: Repo) -> Iterator[str]:
    """The dashboard shows rate, errors, the three percentiles, and what the business counts."""
    queries = "\n".join(query for place, query in repo.queries.items() if ".json" in place)
    for what, sign in {
        "rate": r"rate\(http_requests_total",
        "errors": r"status_code=~\"5",
        "p50": r"quantile\(0\.50?,",
        "p95": r"quantile\(0\.95,",
        "p99": r"quantile\(0\.99,",
        "orders": "orders_active",
        "error types": r"by ?\(error_type\)",
    }.items():
        if not re.search(sign, queries):
            yield f"no panel shows {what}"


@shows("logs on stdout")
def stdout(repo: Repo) -> Iterator[str]:
    """No code opens a file for its log."""
    for path, tree in repo.code("src"):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                name = ast.unparse(call.func)
                if "FileHandler" in name or (
                    name.endswith("basicConfig")
                    and any(each.arg == "filename" for each in call.keywords)
                ):
                    yield f"{path} writes its log to a file"
    if "JSONRenderer" not in repo.text("src/order_service/logs.py"):
        yield "logs are no JSON"


@shows("values without comments")
def env_values(repo: Repo) -> Iterator[str]:
    """A comment in a file of settings has a line of its own: Docker would hand it on with the value."""
    for line in repo.text(".env.example").splitlines():
        if re.match(r"[A-Z_0-9]+=.*\s#", line):
            yield f"the comment is part of the value: {line}"


@shows("linters before formatters")
def hook_order(repo: Repo) -> Iterator[str]:
    """A linter that mends runs before the formatter, which would otherwise find work again."""
    ids = [
        hook["id"]
        for each in repo.yaml(".pre-commit-config.yaml")["repos"]
        for hook in each["hooks"]
    ]
    linters, formatters = (
        [each for each in ids if each in known] for known in (LINTERS, FORMATTERS)
    )
    for linter in linters:
        for formatter in formatters:
            if ids.index(linter) > ids.index(formatter):
                yield f"{linter} runs after {formatter}"


@shows("tests assert")
def tests_assert(repo: Repo) -> Iterator[str]:
    """Every unit test asserts something, itself or by pytest.raises."""
    for path, tree in repo.code("tests/unit"):
        for function in ast.walk(tree):
            if isinstance(
                function, ast.FunctionDef | ast.AsyncFunctionDef
            ) and function.name.startswith("test_"):
                text = ast.unparse(function)
                if not re.search(r"\bassert\b|pytest\.raises", text):
                    yield f"{path}: {function.name} asserts nothing"


@shows("tab-separated rules")
def zap_rules(repo: Repo) -> Iterator[str]:
    """A rule of ZAP's has two tabs, and injections fail the scan: 40018 is SQL injection, 40014 stored XSS."""
    lines = [
        line
        for line in repo.text(".zap/rules.tsv").splitlines()
        if line and not line.startswith("#")
    ]
    for line in lines:
        if line.count("\t") < 2:
            yield f"ZAP wants two tabs: {line}"
    rules = dict(line.split("\t")[:2] for line in lines if line.count("\t") >= 2)
    for id in ("40012", "40014", "40018", "90020"):
        if rules.get(id) != "FAIL":
            yield f"{id} does not fail the scan"


@shows("bounded labels")
def bounded_labels(repo: Repo) -> Iterator[str]:
    """No metric is labelled with the raw path of a request."""
    for path, tree in repo.code("src"):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".labels"):
                if re.search(r"url\.path|scope\[['\"](raw_)?path['\"]\]", ast.unparse(call)):
                    yield f"{path} labels a metric with the raw path"


def _pipeline(repo: Repo) -> Workflow:
    return max(repo.workflows, key=lambda flow: len(set().union(*map(_stages, flow.jobs.values()))))


def _jobs(repo: Repo) -> Iterator[tuple[Workflow, str, Job]]:
    for flow in repo.workflows:
        for id, job in flow.jobs.items():
            yield flow, id, job


def _stages(job: Job) -> set[str]:
    return {
        stage for stage, sign in STAGES.items() if any(sign.search(step) for step in steps(job))
    }


def _deploys(job: Job, environment: str) -> bool:
    return "deploy" in _stages(job) and environment in str(job.get("environment"))


def _containers(repo: Repo, *, pods: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in repo.kind("Deployment", "StatefulSet", "Job", "CronJob"):
        for container in containers(resource):
            pod = {"pod": resource["spec"]["template"]["spec"]} if pods else {}
            yield resource["kind"], container | pod


def _key(resource: dict[str, Any]) -> tuple[str, str, str | None, str]:
    metadata = resource["metadata"]
    return resource["apiVersion"], resource["kind"], metadata.get("namespace"), metadata["name"]


def _selects(selector: dict[str, Any], metadata: dict[str, Any]) -> bool:
    labels = metadata["labels"]
    return all(
        labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()
    ) and all(
        labels.get(each["key"]) in each["values"]
        for each in selector.get("matchExpressions", [])
        if each["operator"] == "In"
    )


def _selectors(node: Any) -> Iterator[promql_parser.VectorSelector]:
    """Every selector of a parsed query."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        below = getattr(node, name, None)
        if below is not None:
            yield from _selectors(below)
    for below in getattr(node, "args", None) or ():
        yield from _selectors(below)
