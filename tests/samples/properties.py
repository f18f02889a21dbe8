"""Checks of a service's repository: one for each automated checklist item, and more.

Each check takes the repository and yields one message for each fault. Some checks replace tools
that cannot run in the tests. docs/reference/proofs.md lists these tools.
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
"""Write permissions, and the steps of a job that need each of them."""

BURN: Final = {
    ("5m", "1h"): (14.4, "page"),
    ("30m", "6h"): (6.0, "page"),
    ("6h", "3d"): (1.0, "ticket"),
}
"""Windows of each alert with their burn rate and severity.

Source: Site Reliability Workbook, chapter 5, table 5-8.
"""


def register(id: str) -> Callable[[Check], Check]:
    """Register a check under the id of an item, or under a name."""

    def add(check: Check) -> Check:
        PROPERTIES[id] = check
        return check

    return add


@register("SCM-02")
def pre_commit_hooks(repo: Repo) -> Iterator[str]:
    """Hooks lint, format and scan for secrets. All are pinned, and CI runs them."""
    sources = repo.yaml(".pre-commit-config.yaml").get("repos", [])
    ids = {hook["id"] for source in sources for hook in source["hooks"]}
    for purpose, tools in (
        ("linter", LINTERS),
        ("formatter", FORMATTERS),
        ("secret scanner", SECRETS),
    ):
        if not ids & tools:
            yield f"no hook with a {purpose}"
    for source in sources:
        if source["repo"] != "local" and not re.fullmatch(
            r"v?\d+(\.\d+)+|[0-9a-f]{40}", str(source.get("rev"))
        ):
            yield f"{source['repo']} is not pinned: {source.get('rev')}"
    if not any(
        "pre-commit run --all-files" in step for _, _, job in _jobs(repo) for step in steps(job)
    ):
        yield "CI does not run the hooks"


@register("SCM-03")
def commit_messages(repo: Repo) -> Iterator[str]:
    """commitlint has settings, and runs on pull requests and as a commit-msg hook."""
    if "@commitlint/config-conventional" not in repo.text(".commitlintrc.yaml"):
        yield "no settings for commitlint"
    if not any(
        "commitlint --from" in step
        for flow, _, job in _jobs(repo)
        for step in steps(job)
        if "pull_request" in flow.triggers
    ):
        yield "CI does not run commitlint on a pull request"
    hooks = repo.yaml(".pre-commit-config.yaml")
    stages = [hook.get("stages") for source in hooks.get("repos", []) for hook in source["hooks"]]
    if ["commit-msg"] not in stages or "commit-msg" not in hooks.get(
        "default_install_hook_types", []
    ):
        yield "no commit-msg hook"


@register("SCM-05")
def ignored_files(repo: Repo) -> Iterator[str]:
    """Git ignores .env, credentials and build output, and the repository contains no such file."""
    ignored = set(repo.git("check-ignore", "--no-index", *IGNORED).split())
    for path in IGNORED:
        if path not in ignored:
            yield f"{path} is not ignored"
    for path in repo.git("ls-files", "--cached", "--ignored", "--exclude-standard").split():
        yield f"{path} is ignored, but committed"


@register("CICD-01")
def every_commit(repo: Repo) -> Iterator[str]:
    """One workflow tests every push to main and every pull request, without path filters."""
    for flow in repo.workflows:
        push, pull = (flow.triggers.get(event, "") for event in ("push", "pull_request"))
        has_all_paths = not any("paths" in key for trigger in (push, pull) for key in trigger or ())
        to_main = push != "" and "main" in ((push or {}).get("branches") or ["main"])
        if (
            to_main
            and pull != ""
            and has_all_paths
            and any(_stages(job) & {"test"} for job in flow.jobs.values())
        ):
            return
    yield "no workflow tests every push to main and every pull request"


@register("CICD-02")
def stages_in_order(repo: Repo) -> Iterator[str]:
    """Each stage waits for the previous one: lint, test, security, build, deploy."""
    flow = _pipeline(repo)
    by_stage = {
        stage: {id for id, job in flow.jobs.items() if stage in _stages(job)} for stage in STAGES
    }
    order = list(STAGES)
    for stage, jobs in by_stage.items():
        if not jobs:
            yield f"no job for the stage {stage}"
    for previous, stage in itertools.pairwise(order):
        for job in by_stage[stage] - by_stage[previous]:
            if not by_stage[previous] & flow.find_needs(job):
                yield f"{job} does not wait for {previous}"


@register("TEST-01")
def coverage(repo: Repo) -> Iterator[str]:
    """Coverage below the policy of this handbook fails the tests."""
    floor = int((load(ROOT).settings.value("testing.coverage") or "").rstrip("%"))
    settings = repo.pyproject["tool"].get("coverage", {}).get("report", {})
    if settings.get("fail_under", 0) < floor:
        yield f"coverage below {floor}% passes"
    if "--cov" not in repo.text("Makefile"):
        yield "the tests do not measure coverage"


@register("TEST-02")
def integration_tests(repo: Repo) -> Iterator[str]:
    """A job runs the integration tests with PostgreSQL and Redis."""
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
    yield "no job runs the integration tests with PostgreSQL and Redis"


@register("TEST-04")
def performance_tests(repo: Repo) -> Iterator[str]:
    """Performance tests run on staging, after its deployment and before production."""
    flow = _pipeline(repo)
    for id, job in flow.jobs.items():
        if any("make performance" in step or "locust" in step for step in steps(job)):
            if not any(_deploys(flow.jobs[needed], "staging") for needed in flow.find_needs(id)):
                yield f"{id} does not wait for staging"
            for later_id, later_job in flow.jobs.items():
                if _deploys(later_job, "production") and id not in flow.find_needs(later_id):
                    yield f"{later_id} does not wait for {id}"
            return
    yield "no job runs the performance tests"


@register("SEC-01")
def static_analysis(repo: Repo) -> Iterator[str]:
    """SAST runs on every pull request, and a finding fails the job."""
    for flow, _, job in _jobs(repo):
        if "pull_request" in flow.triggers and "if" not in job:
            if any("semgrep scan" in step and "--error" in step for step in steps(job)):
                return
    yield "no job of a pull request runs semgrep"


@register("SEC-02")
def dependencies(repo: Repo) -> Iterator[str]:
    """Dependabot watches all ecosystems of the service, and CI checks for vulnerabilities."""
    watched = {
        update["package-ecosystem"]
        for update in repo.yaml(".github/dependabot.yml").get("updates", [])
    }
    files = {
        "pip": "requirements.txt",
        "docker": "Dockerfile",
        "npm": "package.json",
        "docker-compose": "compose.yaml",
        "github-actions": ".github/workflows/",
    }
    for ecosystem, path in files.items():
        if (repo.root / path).exists() and ecosystem not in watched:
            yield f"Dependabot does not watch {ecosystem}"
    if not any("pip-audit" in step for _, _, job in _jobs(repo) for step in steps(job)):
        yield "CI does not run pip-audit"


@register("SEC-03")
def secret_scan(repo: Repo) -> Iterator[str]:
    """CI scans every file for secrets that are not in the baseline."""
    if not repo.text(".secrets.baseline"):
        yield "no baseline"
    if not any(
        "detect-secrets-hook" in step and "--baseline" in step
        for _, _, job in _jobs(repo)
        for step in steps(job)
    ):
        yield "CI does not scan for secrets"


@register("SEC-04")
def image_scan(repo: Repo) -> Iterator[str]:
    """Trivy scans the image before the push, and HIGH or CRITICAL findings fail the job."""
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
                    yield f"{id} pushes the image before the scan"
    if not pushes:
        yield "no job pushes the image"


@register("SEC-05")
def weekly_dast(repo: Repo) -> Iterator[str]:
    """ZAP scans staging once a week."""
    for flow in repo.workflows:
        schedule = flow.triggers.get("schedule") or []
        is_weekly = any(re.fullmatch(r"\S+ \S+ \* \* \S+", entry["cron"]) for entry in schedule)
        scans = [
            step
            for job in flow.jobs.values()
            for step in steps(job)
            if re.search("zap-(full|api)-scan", step)
        ]
        if is_weekly and any("STAGING_URL" in step for step in scans):
            return
    yield "no weekly workflow scans staging with ZAP"


@register("OBS-06")
def slo_alerts(repo: Repo) -> Iterator[str]:
    """Each objective has alerts at the burn rates and windows of the SRE Workbook.

    Each alert has a `for` duration and a severity.
    """
    documents = yaml.safe_load_all(repo.text("slo.yml"))
    slos = [document for document in documents if document["kind"] == "SLO"]
    objectives = {
        slo["metadata"]["name"].removeprefix(f"{slo['spec']['service']}-"): slo["spec"][
            "objectives"
        ][0]["targetPercent"]
        for slo in slos
    }
    if not objectives:
        yield "no objective"
    for name, target in objectives.items():
        alerts = [alert for alert in repo.alerts if alert["labels"].get("slo") == name]
        burn_rates = {}
        for alert in alerts:
            if not alert.get("for") or not alert["labels"].get("severity"):
                yield f"{alert['alert']} has no for duration or no severity"
            for window, factor, budget in re.findall(
                r"slo:error_ratio:rate(\w+)\{[^}]*\}\s*>\s*([\d.]+) \* \(1 - ([\d.]+)\)",
                alert["expr"],
            ):
                burn_rates[window, alert["labels"]["severity"]] = float(factor), float(budget)
        for windows, (factor, severity) in BURN.items():
            for window in windows:
                burn_rate = burn_rates.get((window, severity))
                if burn_rate is None:
                    yield f"{name}: no {severity} alert over {window}"
                elif burn_rate != (factor, round(target / 100, 6)):
                    yield f"{name}: alert over {window} at {burn_rate[0]} times {burn_rate[1]}"


@register("K8S-01")
def resources(repo: Repo) -> Iterator[str]:
    """Every container has requests and limits for CPU and memory."""
    for kind, container in _containers(repo):
        for side in ("requests", "limits"):
            for resource_name in ("cpu", "memory"):
                if not container.get("resources", {}).get(side, {}).get(resource_name):
                    yield f"{kind}: {container['name']} has no {side}.{resource_name}"


@register("K8S-02")
def probes(repo: Repo) -> Iterator[str]:
    """Every container of a Deployment has three probes."""
    for deployment in repo.kind("Deployment", "StatefulSet"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if not container.get(probe, {}).get("httpGet"):
                    yield f"{container['name']} has no {probe}"


@register("K8S-03")
def replicas(repo: Repo) -> Iterator[str]:
    """Production runs at least three pods, and only the autoscaler sets their number."""
    for scaler in repo.kind("HorizontalPodAutoscaler"):
        if scaler["spec"].get("minReplicas", 1) < 3:
            yield f"{scaler['metadata']['name']} has a minimum below three pods"
    for workload in repo.kind("Deployment", "Rollout"):
        if "replicas" in workload["spec"]:
            yield f"{workload['kind']} sets replicas despite the autoscaler"


@register("K8S-04")
def spread(repo: Repo) -> Iterator[str]:
    """Pods of the service are spread across nodes."""
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
            yield f"no rule spreads the pods of {deployment['metadata']['name']} across nodes"


@register("K8S-05")
def autoscaler(repo: Repo) -> Iterator[str]:
    """An autoscaler has a range and a metric, and its target exists in its namespace."""
    workloads = {_key(resource) for resource in repo.kind("Deployment", "Rollout")}
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
            yield f"unknown target of the autoscaler: {target['kind']} {target['name']}"
        if not spec.get("minReplicas", 1) < spec["maxReplicas"] or not spec.get("metrics"):
            yield "autoscaler without a range or a metric"
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
            yield f"unknown workload of the rollout: {reference['name']}"


@register("K8S-06")
def non_root(repo: Repo) -> Iterator[str]:
    """No container can run as root, and the image has its own numeric user."""
    for kind, container in _containers(repo, pods=True):
        context = container["pod"].get("securityContext", {}) | container.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or context.get("runAsUser", 1) == 0:
            yield f"{kind}: {container['name']} can run as root"
    users = re.findall(r"^USER +(\S+) *$", repo.text("Dockerfile"), re.MULTILINE)
    if not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        yield "the image's last user is root or not numeric"


@register("K8S-07")
def digests(repo: Repo) -> Iterator[str]:
    """Manifests and the Dockerfile refer to images by digest."""
    for kind, container in _containers(repo):
        if not re.search(r"@sha256:[0-9a-f]{64}$", container["image"]):
            yield f"{kind}: no digest in {container['image']}"
    stages: set[str] = set()
    for image, name in re.findall(
        r"^FROM +(\S+)(?: +AS +(\S+))? *$", repo.text("Dockerfile"), re.MULTILINE
    ):
        if image not in stages and "@sha256:" not in image:
            yield f"Dockerfile: no digest in {image}"
        stages.add(name)
    if not stages:
        yield "Dockerfile: no readable stage"


@register("DOC-01")
def readme(repo: Repo) -> Iterator[str]:
    """The README has the purpose, the set-up and a diagram of the architecture."""
    sections = dict(
        re.findall(
            r"^#{1,2} +(.+)\n+((?:(?!^#{1,2} ).*\n?)*)", repo.text("README.md"), re.MULTILINE
        )
    )
    for topic, pattern in (
        ("purpose", "purpose|what|order.service"),
        ("set-up", "set.?up|getting started|install"),
    ):
        if not any(
            re.search(pattern, title, re.IGNORECASE) and body.strip()
            for title, body in sections.items()
        ):
            yield f"no section about the {topic}"
    architecture = [body for title, body in sections.items() if "architecture" in title.lower()]
    if not any("```mermaid" in body or "![" in body for body in architecture):
        yield "no diagram of the architecture"


@register("DOC-02")
def alert_runbooks(repo: Repo) -> Iterator[str]:
    """Every alert links to its page in the handbook, and a runbook lists it."""
    handbook = load(ROOT)
    covered = {alert for runbook in handbook.of(Runbook) for alert in runbook.alerts}
    for alert in repo.alerts:
        name = alert["alert"]
        address = f"{handbook.settings.site_url}alerts/{name}/"
        if alert.get("annotations", {}).get("runbook_url") != address:
            yield f"{name} does not link to its page"
        if name not in covered:
            yield f"no runbook lists {name}"
    if not repo.alerts:
        yield "no alerts"


@register("least privilege")
def permissions(repo: Repo) -> Iterator[str]:
    """A workflow has no permissions, and a job only the permissions that its steps need."""
    for flow in repo.workflows:
        if flow.document.get("permissions") not in ({}, {"contents": "read"}):
            yield f"{flow.path.name} has permissions for every job"
    for flow, id, job in _jobs(repo):
        for scope, level in (job.get("permissions") or {}).items():
            user = PERMISSIONS.get(f"{scope}: {level}")
            if level != "read" and not (user and any(re.search(user, step) for step in steps(job))):
                yield f"{flow.path.name}: {id} does not need {scope}: {level}"


@register("pinned actions")
def pinned(repo: Repo) -> Iterator[str]:
    """Workflows refer to actions by commit or local path, and to images by digest."""
    for flow, id, job in _jobs(repo):
        for action in re.findall(r"^[ -]*uses: (\S+)", "\n".join(steps(job)), re.MULTILINE):
            if not re.search(r"@[0-9a-f]{40}$|^\$/", action):
                yield f"{flow.path.name}: {id} uses the unpinned action {action}"
        for image in re.findall(
            r"(?:ghcr\.io|docker\.io)/[\w./-]+(?:[:@][\w:.-]+)?", "\n".join(steps(job))
        ):
            if "@sha256:" not in image and not image.startswith("ghcr.io/mycompany/"):
                yield f"{flow.path.name}: {id} runs the unpinned image {image}"


@register("by digest alone")
def deployed_digest(repo: Repo) -> Iterator[str]:
    """The pipeline deploys the digest of its build through the manifests, and applies nothing."""
    flow = _pipeline(repo)
    for id, job in flow.jobs.items():
        if "deploy" in _stages(job) and not re.search(
            r"needs\.\w+\.outputs\.digest", yaml.safe_dump(job)
        ):
            yield f"{id} does not deploy the digest of the build"
    for workflow in repo.workflows:
        text = workflow.path.read_text(encoding="utf-8")
        if re.search(r"kubectl|helm upgrade|argocd app sync", text):
            yield f"{workflow.path.name} applies something by hand"


@register("canary")
def canary(repo: Repo) -> Iterator[str]:
    """New versions get 5%, 25%, then all traffic, with an analysis after 5% and 25%."""
    rollouts = repo.kind("Rollout")
    if not rollouts:
        yield "no rollout"
    templates = {template["metadata"]["name"] for template in repo.kind("AnalysisTemplate")}
    services = {service["metadata"]["name"] for service in repo.kind("Service")}
    for rollout in rollouts:
        strategy = rollout["spec"]["strategy"]["canary"]
        course = [
            next(iter(step)) if "setWeight" not in step else step["setWeight"]
            for step in strategy["steps"]
        ]
        if [step for step in course if step != "pause"] != [5, "analysis", 25, "analysis"]:
            yield f"unexpected steps of the canary: {course}"
        for step in strategy["steps"]:
            for template in step.get("analysis", {}).get("templates", []):
                if template["templateName"] not in templates:
                    yield f"unknown analysis template {template['templateName']}"
        for service in ("canaryService", "stableService"):
            if strategy.get(service) not in services:
                yield f"no {service}"


@register("one namespace")
def namespaces(repo: Repo) -> Iterator[str]:
    """Every resource of production is in the namespace production."""
    for resource in repo.manifests:
        if resource["metadata"].get("namespace") != "production":
            yield f"{resource['kind']} {resource['metadata']['name']} is not in production"


@register("known metrics")
def known_metrics(repo: Repo) -> Iterator[str]:
    """Every query uses series that the code exposes or a rule records, and their labels."""
    recorded = {rule["record"] for rule in repo.prometheus_rules if "record" in rule}
    external_labels = {
        "pod",
        "namespace",
        "rollouts_pod_template_hash",
        "slo",
        "service",
        "job",
        "instance",
    }
    for location, query in repo.queries.items():
        for selector in _selectors(promql_parser.parse(query)):
            if selector.name in recorded:
                continue
            if selector.name not in repo.metrics:
                yield f"{location}: unknown metric {selector.name}"
                continue
            for matcher in selector.matchers.matchers:
                if matcher.name not in repo.metrics[selector.name] | external_labels:
                    yield f"{location}: {selector.name} has no label {matcher.name}"


@register("RED and business")
def dashboard(repo: Repo) -> Iterator[str]:
    """The dashboard has the rate, the errors, three percentiles and the business metrics."""
    queries = "\n".join(query for location, query in repo.queries.items() if ".json" in location)
    for metric, pattern in {
        "rate": r"rate\(http_requests_total",
        "errors": r"status_code=~\"5",
        "p50": r"quantile\(0\.50?,",
        "p95": r"quantile\(0\.95,",
        "p99": r"quantile\(0\.99,",
        "orders": "orders_active",
        "error types": r"by ?\(error_type\)",
    }.items():
        if not re.search(pattern, queries):
            yield f"no panel with {metric}"


@register("logs on stdout")
def stdout(repo: Repo) -> Iterator[str]:
    """The code writes no log to a file, and logs are JSON."""
    for path, tree in repo.code("src"):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                name = ast.unparse(call.func)
                if "FileHandler" in name or (
                    name.endswith("basicConfig")
                    and any(keyword.arg == "filename" for keyword in call.keywords)
                ):
                    yield f"{path} writes its log to a file"
    if "JSONRenderer" not in repo.text("src/order_service/logs.py"):
        yield "logs are not JSON"


@register("values without comments")
def env_values(repo: Repo) -> Iterator[str]:
    """Comments in a settings file have their own line, because Docker adds them to values."""
    for line in repo.text(".env.example").splitlines():
        if re.match(r"[A-Z_0-9]+=.*\s#", line):
            yield f"the comment is part of the value: {line}"


@register("linters before formatters")
def hook_order(repo: Repo) -> Iterator[str]:
    """Linters with fixes run before formatters, because their changes need formatting."""
    ids = [
        hook["id"]
        for source in repo.yaml(".pre-commit-config.yaml")["repos"]
        for hook in source["hooks"]
    ]
    linters, formatters = ([id for id in ids if id in tools] for tools in (LINTERS, FORMATTERS))
    for linter in linters:
        for formatter in formatters:
            if ids.index(linter) > ids.index(formatter):
                yield f"{linter} runs after {formatter}"


@register("tests assert")
def tests_assert(repo: Repo) -> Iterator[str]:
    """Every unit test has an assertion or uses pytest.raises."""
    for path, tree in repo.code("tests/unit"):
        for function in ast.walk(tree):
            if isinstance(
                function, ast.FunctionDef | ast.AsyncFunctionDef
            ) and function.name.startswith("test_"):
                text = ast.unparse(function)
                if not re.search(r"\bassert\b|pytest\.raises", text):
                    yield f"{path}: {function.name} asserts nothing"


@register("tab-separated rules")
def zap_rules(repo: Repo) -> Iterator[str]:
    """A rule of ZAP has two tabs, and injections fail the scan.

    40018 is SQL injection, and 40014 is stored XSS.
    """
    lines = [
        line
        for line in repo.text(".zap/rules.tsv").splitlines()
        if line and not line.startswith("#")
    ]
    for line in lines:
        if line.count("\t") < 2:
            yield f"fewer than two tabs: {line}"
    rules = dict(line.split("\t")[:2] for line in lines if line.count("\t") >= 2)
    for id in ("40012", "40014", "40018", "90020"):
        if rules.get(id) != "FAIL":
            yield f"{id} does not fail the scan"


@register("bounded labels")
def bounded_labels(repo: Repo) -> Iterator[str]:
    """No label of a metric holds the raw path of a request."""
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
        stage
        for stage, pattern in STAGES.items()
        if any(pattern.search(step) for step in steps(job))
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
        labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", [])
        if expression["operator"] == "In"
    )


def _selectors(node: Any) -> Iterator[promql_parser.VectorSelector]:
    """Yield all selectors of a parsed query."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None:
            yield from _selectors(child)
    for child in getattr(node, "args", None) or ():
        yield from _selectors(child)
