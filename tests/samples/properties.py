"""Checks of a service's repository: one for each automated checklist item, and more.

Each check takes the repository and yields one message for each fault. Some checks replace tools
that cannot run in the tests. docs/reference/proofs.md lists these tools.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, Final

import promql_parser
import yaml

from handbook.loading import load
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from tests.commands import make_environment
from tests.handbooks import ROOT
from tests.samples.promotion import find_guard_faults
from tests.samples.repo import Job, Repo, Workflow, containers, steps
from tests.samples.rollback import find_rollback_faults

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
OPTIONS_IN_CI: Final = {
    "check-added-large-files": "--enforce-all",
    "check-merge-conflict": "--assume-in-merge",
}
"""Hooks that need an option to find something in files that are already committed."""

STAGES: Final = {
    "lint": re.compile(r"ruff check|pre-commit run"),
    "test": re.compile(r"make test|pytest"),
    "security": re.compile(r"semgrep"),
    "build": re.compile(r"docker/build-push-action"),
    "deploy": re.compile(r"scripts/render\.py"),
}
ROLLOUT_EVENTS: Final = {"updated": "pending", "completed": "success", "aborted": "failure"}
"""Events of a Rollout, and the state of the commit status that each of them sets."""

CHECK_STAGES: Final = {"lint", "test", "security"}
UNSUPPORTED_DEBIAN: Final = ("buster", "bullseye", "bookworm")
"""Releases of Debian whose regular security support has ended, bookworm's in mid-2026."""

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


EXTERNAL_METRICS: Final = {
    "istio_requests_total": {
        "reporter",
        "source_workload_namespace",
        "destination_service_name",
        "response_code",
    },
    "up": set[str](),
    "probe_success": set[str](),
    "probe_ssl_earliest_cert_expiry": set[str](),
}
"""Metrics of Istio, Prometheus and the blackbox exporter, with the labels that queries use."""


RUNBOOKS: Final = {
    "service-down": "OrderServiceDown",
    "no-traffic": "OrderServiceNoTraffic",
    "no-orders": "OrderServiceNoOrders",
    "pods-crash-or-pending": "CrashLoopBackOff",
    "certificate-expired": "OrderServiceCertificateExpiresSoon",
    "redis-full": "OutOfMemoryError",
}
"""Runbooks of the common failures, with a text that readers search for."""

MESSAGES: Final = {
    # the service's own log, SQLAlchemy, PostgreSQL 15 and 16, psycopg, redis-py and Redis
    "connection pool timeout",
    "QueuePool limit of size",
    "overflow 0 reached, connection timed out, timeout 1.50",
    "FATAL: sorry, too many clients already",
    "remaining connection slots are reserved for non-replication superuser connections",
    "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute",
    "connection failed: connection to server at",
    "server closed the connection unexpectedly",
    "command not allowed when used memory > 'maxmemory'.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    # Kubernetes
    "Back-off restarting failed container order-service in pod",
    "0/6 nodes are available: 6 Insufficient cpu.",
    'Error: secret "order-service-secrets" not found',
    "Container order-service failed liveness probe, will be restarted",
    "Reason: OOMKilled",
    # curl and Python
    "curl: (60) SSL certificate problem: certificate has expired",
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
    "curl: (6) Could not resolve host: orders.mycompany.example",
}
"""Messages that the programs print, word for word. Readers search for them."""


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
        for hook in source["hooks"]:
            option = OPTIONS_IN_CI.get(hook["id"])
            if option and option not in hook.get("args", []):
                yield f"{hook['id']} finds nothing in CI without {option}"
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
    """The build waits for every job that lints, tests or scans, and a deployment for the build."""
    flow = _pipeline(repo)
    by_stage = {
        stage: {id for id, job in flow.jobs.items() if stage in _stages(job)} for stage in STAGES
    }
    for stage, jobs in by_stage.items():
        if not jobs:
            yield f"no job for the stage {stage}"
    checks = set().union(*(by_stage[stage] for stage in CHECK_STAGES)) - by_stage["build"]
    for job in by_stage["build"]:
        for check in sorted(checks - flow.find_needs(job)):
            yield f"{job} does not wait for {check}"
    for job in by_stage["deploy"] - by_stage["build"]:
        if not by_stage["build"] & flow.find_needs(job):
            yield f"{job} does not wait for build"


@register("parallel checks")
def parallel_checks(repo: Repo) -> Iterator[str]:
    """Jobs that lint, test or scan wait for nothing, because none needs the result of another."""
    for id, job in _pipeline(repo).jobs.items():
        if _stages(job) & CHECK_STAGES and job.get("needs"):
            yield f"{id} waits for {job['needs']}"


@register("merge queue")
def merge_queue(repo: Repo) -> Iterator[str]:
    """The pipeline also runs for the merge queue, on top of the newest main."""
    queue = _pipeline(repo).triggers.get("merge_group", "")
    if queue == "" or "main" not in ((queue or {}).get("branches") or ["main"]):
        yield "the merge queue does not run the pipeline"


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
        "pre-commit": ".pre-commit-config.yaml",
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
        if is_weekly and any("STAGING_URL" in step and " -S" not in step for step in scans):
            return
    yield "no weekly workflow attacks staging with ZAP"


@register("SEC-10")
def security_policy(repo: Repo) -> Iterator[str]:
    """SECURITY.md names a private channel, and forbids public issues."""
    text = repo.text("SECURITY.md")
    for words in ("privately", "Do not open a public issue"):
        if words not in text:
            yield f"SECURITY.md does not say: {words}"


@register("OBS-06")
def slo_alerts(repo: Repo) -> Iterator[str]:
    """Each objective has alerts at the burn rates and windows of the SRE Workbook.

    Each alert has a severity. A `for` duration restarts at every dip, so it is 2 minutes at most.
    No threshold of a page is above the cap of the policy, because a low target has a large budget.
    """
    documents = yaml.safe_load_all(repo.text("slo.yml"))
    slos = [document for document in documents if document["kind"] == "SLO"]
    objectives = {
        slo["metadata"]["name"].removeprefix(f"{slo['spec']['service']}-"): slo["spec"][
            "objectives"
        ][0]["targetPercent"]
        for slo in slos
    }
    policy = load(ROOT).settings
    cap = float((policy.value("slo.page_cap") or "").rstrip("%")) / 100
    longest = int((policy.value("slo.page_for") or "0 minutes").split()[0]) * 60
    if not objectives:
        yield "no objective"
    for name, target in objectives.items():
        alerts = [alert for alert in repo.alerts if alert["labels"].get("slo") == name]
        thresholds = {}
        for alert in alerts:
            if not alert["labels"].get("severity"):
                yield f"{alert['alert']} has no severity"
            if _seconds(alert.get("for", "0s")) > longest:
                yield f"{alert['alert']} has a for duration above {longest} s"
            for window, factor, budget, threshold in re.findall(
                r"slo:error_ratio:rate(\w+)\{[^}]*\}\s*>\s*"
                r"(?:([\d.]+) \* \(1 - ([\d.]+)\)|([\d.]+))",
                alert["expr"],
            ):
                value = float(threshold) if threshold else float(factor) * (1 - float(budget))
                thresholds[window, alert["labels"]["severity"]] = round(value, 6)
        for windows, (factor, severity) in BURN.items():
            expected = factor * (1 - target / 100)
            if severity == "page":
                expected = min(expected, cap)
            for window in windows:
                threshold = thresholds.get((window, severity))
                if threshold is None:
                    yield f"{name}: no {severity} alert over {window}"
                elif threshold != round(expected, 6):
                    yield f"{name}: {severity} alert over {window} above {threshold}"


@register("OBS-08")
def absence_alerts(repo: Repo) -> Iterator[str]:
    """An alert fires when the service, its metrics, its traffic or its probe are absent.

    A comparison with an empty result never fires, so the alerts have `absent()` or `vector(0)`.
    """
    alerts = [
        alert
        for alert in repo.alerts
        if re.search(r"absent\(|vector\(0\)", alert["expr"])
        and alert["labels"].get("severity") in {"critical", "page"}
    ]
    for absence, pattern in {
        "service": r"\bup\{job=\"order-service\"\}.*== 0",
        "metric of the gateway": r"rate\(istio_requests_total\{.*<.*offset 1w",
        "probe": r"\bprobe_success\{.*== 0",
    }.items():
        found = [alert for alert in alerts if re.search(pattern, alert["expr"], re.DOTALL)]
        if not found:
            yield f"no alert pages when the {absence} is absent"
        for alert in found:
            if _seconds(alert.get("for", "0s")) > 300:
                yield f"{alert['alert']} waits longer than 5 minutes"
    tests = repo.prometheus_tests
    for alert in alerts:
        fires = {
            bool(case["exp_alerts"])
            for test in tests
            for case in test["alert_rule_test"]
            if case["alertname"] == alert["alert"]
        }
        if fires != {True, False}:
            yield f"no test shows that {alert['alert']} fires, and that it stays silent"
    job = (repo.yaml("prometheus/probe.yml").get("scrape_configs") or [{}])[0]
    hosts = [target for config in job.get("static_configs", []) for target in config["targets"]]
    if job.get("job_name") != "order-service-probe" or not hosts:
        yield "no probe"
    for host in hosts:
        if not host.startswith("https://"):
            yield f"the probe of {host} does not test the certificate"


@register("SLI at the gateway")
def edge_sli(repo: Repo) -> Iterator[str]:
    """Availability is measured where requests arrive, in the rules, objectives and dashboard."""
    rules = [
        rule["expr"]
        for rule in repo.prometheus_rules
        if rule.get("record") and rule["labels"].get("slo") == "availability"
    ]
    slo = "\n".join(
        query for location, query in repo.queries.items() if location.startswith("slo.yml")
    )
    dashboard = [query for location, query in repo.queries.items() if ".json" in location]
    for expression in rules:
        if expression.count("istio_requests_total{") != 2 or "http_requests_total{" in expression:
            yield "a rule measures availability in the service"
    if not rules or "istio_requests_total{" not in slo or "http_requests_total{" in slo:
        yield "the objective measures availability in the service"
    if not any("istio_requests_total{" in query for query in dashboard):
        yield "no panel shows the gateway"


@register("latency of successes")
def latency_of_successes(repo: Repo) -> Iterator[str]:
    """No query counts a fast response with 5xx as fast."""
    for location, query in repo.queries.items():
        for selector in _selectors(promql_parser.parse(query)):
            if selector.name == "http_request_duration_seconds_bucket" and not any(
                (str(matcher.op), matcher.name, matcher.value)
                == ("MatchOp.NotEqual", "outcome", "server_error")
                for matcher in selector.matchers.matchers
            ):
                yield f"{location}: counts failures as fast"


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


@register("K8S-09")
def pod_security(repo: Repo) -> Iterator[str]:
    """Argo CD labels every namespace, so that it enforces the level restricted."""
    for application in _applications(repo):
        policy = application["spec"]["syncPolicy"]
        labels = policy.get("managedNamespaceMetadata", {}).get("labels", {})
        namespace = application["spec"]["destination"]["namespace"]
        if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{namespace} does not enforce the level restricted"
        # Without this option Argo CD does not manage the labels.
        if "CreateNamespace=true" not in policy.get("syncOptions", []):
            yield f"Argo CD does not manage the labels of {namespace}"


@register("K8S-10")
def default_deny(repo: Repo) -> Iterator[str]:
    """A policy of every namespace denies all connections, and others allow those of a service."""
    denied = {
        policy["metadata"]["namespace"]
        for policy in repo.argocd
        if policy["kind"] == "NetworkPolicy"
        and policy["spec"] == {"podSelector": {}, "policyTypes": policy["spec"]["policyTypes"]}
        and set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    }
    for application in _applications(repo):
        if application["spec"]["destination"]["namespace"] not in denied:
            yield f"{application['spec']['destination']['namespace']} denies nothing by default"
    policies = repo.kind("NetworkPolicy")
    for workload in repo.kind("Deployment", "StatefulSet", "Job", "CronJob"):
        metadata = workload["spec"]["template"]["metadata"]
        if not any(_selects(policy["spec"]["podSelector"], metadata) for policy in policies):
            yield f"no policy allows the connections of {workload['metadata']['name']}"
    for policy in policies:
        for rule in policy["spec"].get("ingress", []) + policy["spec"].get("egress", []):
            if not rule.get("from", rule.get("to")):
                yield f"{policy['metadata']['name']} allows connections with everything"


@register("hooks have what they need")
def hook_waves(repo: Repo) -> Iterator[str]:
    """What the pod of a hook needs is applied in a wave before it, or its first run never ends."""
    wave = "argocd.argoproj.io/sync-wave"
    for job in repo.kind("Job"):
        annotations = job["metadata"].get("annotations", {})
        if "argocd.argoproj.io/hook" not in annotations:
            continue
        template = job["spec"]["template"]
        sources = [
            (kind, source[reference]["name"])
            for container in containers(job)
            for source in container.get("envFrom", [])
            for kind, reference in (("ConfigMap", "configMapRef"), ("ExternalSecret", "secretRef"))
            if reference in source
        ]
        needs = {("ServiceAccount", template["spec"]["serviceAccountName"]), *sources}
        needs |= {
            ("NetworkPolicy", policy["metadata"]["name"])
            for policy in repo.kind("NetworkPolicy")
            if _selects(policy["spec"]["podSelector"], template["metadata"])
        }
        for resource in repo.manifests:
            kind, name = resource["kind"], resource["metadata"]["name"]
            own = int(resource["metadata"].get("annotations", {}).get(wave, 0))
            if (kind, name) in needs and own >= int(annotations.get(wave, 0)):
                yield f"{kind} {name} is not applied before the hook {job['metadata']['name']}"


@register("K8S-11")
def zone_spread(repo: Repo) -> Iterator[str]:
    """Pods of the service are spread across zones."""
    for deployment in repo.kind("Deployment"):
        template = deployment["spec"]["template"]
        if not any(
            rule["topologyKey"] == "topology.kubernetes.io/zone"
            and _selects(rule["labelSelector"], template["metadata"])
            for rule in template["spec"].get("topologySpreadConstraints", [])
        ):
            yield f"no rule spreads the pods of {deployment['metadata']['name']} across zones"


@register("quota")
def quota(repo: Repo) -> Iterator[str]:
    """Every namespace has a quota, and the service's rollout at its peak fits into it."""
    quotas = {
        resource["metadata"]["namespace"]: resource["spec"]["hard"]
        for resource in repo.argocd
        if resource["kind"] == "ResourceQuota"
    }
    pods = _count_peak_pods(repo)
    for application in _applications(repo):
        namespace = application["spec"]["destination"]["namespace"]
        for side in ("requests", "limits"):
            for name in ("cpu", "memory"):
                peak = sum(
                    _read_quantity(container["resources"][side][name])
                    * (pods if kind == "Deployment" else 1)
                    for kind, container in _containers(repo)
                )
                available = quotas.get(namespace, {}).get(f"{side}.{name}", "0")
                if _read_quantity(available) < peak:
                    yield f"{namespace}: the peak does not fit into {side}.{name}"


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


@register("DOC-06")
def owning_team(repo: Repo) -> Iterator[str]:
    """The record of the service, the README and CODEOWNERS name the same team."""
    [service] = (service for service in load(ROOT).of(Service) if service.id == "order-service")
    [(_, first_section), *_] = re.findall(
        r"^# (.+)\n((?:(?!^#).*\n)*)", repo.text("README.md"), re.M
    )
    if f"Owned by the {service.owner}." not in first_section:
        yield f"the README does not name {service.owner}"
    owners = re.findall(r"^\* +(.+)$", repo.text(".github/CODEOWNERS"), re.MULTILINE)
    if [f"@mycompany/{service.owner}"] != owners[-1:]:
        yield f"the code owner is not {service.owner}"


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


@register("pinned tools")
def pinned_tools(repo: Repo) -> Iterator[str]:
    """Tools and rules of the pipeline come from a lock, a digest or a commit."""
    locks = {
        path.name: dict(
            re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==(\S+)", path.read_text("utf-8"), re.MULTILINE)
        )
        for path in sorted(repo.root.glob("requirements*.txt"))
    }
    for tool in ("pip-audit", "pact-python-cli"):
        if not any(tool in lock for lock in locks.values()):
            yield f"no lock has {tool}"
    for package, version in locks.get("requirements-ci.txt", {}).items():
        if locks["requirements-dev.txt"].get(package, version) != version:
            yield f"two locks differ on {package}"
    for flow, id, job in _jobs(repo):
        for step in steps(job):
            if re.search(r"\bpipx run\b|\buvx\b|\bnpx (?!--no-install)", step):
                yield f"{flow.path.name}: {id} resolves a tool again on each run"
            if re.search(r"\bpip install(?!.*(?:--require-hashes|--no-deps))", step):
                yield f"{flow.path.name}: {id} installs packages without hashes"
            if re.search(r"--config[= ](?:[pr]/|auto|https)", step):
                yield f"{flow.path.name}: {id} fetches rules that can change"
        for checkout in _find_actions(job, "actions/checkout"):
            source = checkout.get("repository", "mycompany/")
            if not source.startswith("mycompany/") and not re.fullmatch(
                "[0-9a-f]{40}", checkout.get("ref", "")
            ):
                yield f"{flow.path.name}: {id} checks {source} out without a commit"


@register("supported base")
def supported_base(repo: Repo) -> Iterator[str]:
    """The base images are of a Debian that still gets regular security updates."""
    for image in re.findall(r"^FROM +(\S+)", repo.text("Dockerfile"), re.MULTILINE):
        for release in UNSUPPORTED_DEBIAN:
            if release in image:
                yield f"no regular security support for {image.partition('@')[0]}"


@register("release token")
def release_token(repo: Repo) -> Iterator[str]:
    """The release is a job of the pipeline, and its token one that an app gives it for an hour."""
    for flow, id, job in _jobs(repo):
        if "uses" in job and "secrets" not in job and "secrets." in "\n".join(steps(job)):
            yield f"{flow.path.name}: {id} calls a workflow without the secrets that it reads"
        for step in job.get("steps", []):
            if "semantic-release" not in step.get("run", "").partition("npx")[2]:
                continue
            tokens = {
                f"${{{{ steps.{action['id']}.outputs.token }}}}"
                for action in job["steps"]
                if action.get("uses", "").startswith("actions/create-github-app-token@")
            }
            if step.get("env", {}).get("GITHUB_TOKEN") not in tokens:
                yield f"{flow.path.name}: {id} releases without the token of an app"
            if not any(_deploys(flow.jobs[needed], "production") for needed in flow.find_needs(id)):
                yield f"{flow.path.name}: {id} does not wait for production"
            return
    yield "no job releases"


@register("one credential per environment")
def environment_credentials(repo: Repo) -> Iterator[str]:
    """What deploys an environment can write to its repository, and to that of no other."""
    repositories: dict[str, str] = {}
    for id, job in _pipeline(repo).jobs.items():
        if "deploy" not in _stages(job):
            if "MANIFESTS_APP_PRIVATE_KEY" in yaml.safe_dump(job):
                yield f"{id} holds a key of the manifests and deploys nothing"
            continue
        environment = job.get("environment", {}).get("name", "")
        for promotion in _find_actions(job, "$/.github/actions/promote"):
            if promotion.get("environment") != environment:
                yield f"{id} deploys {promotion.get('environment')} in {environment or 'none'}"
            repositories[environment] = promotion.get("manifests", "")
        for token in _find_actions(job, "actions/create-github-app-token"):
            if token.get("repositories") != "${{ inputs.manifests }}":
                yield f"{id} gets a token for {token.get('repositories') or 'every repository'}"
        if not any(_find_actions(job, "actions/create-github-app-token")):
            yield f"{id} deploys without the token of an app"
    if len(set(repositories.values())) != len(repositories):
        yield f"environments share a repository: {repositories}"
    for application in _applications(repo):
        environment = application["spec"]["destination"]["namespace"]
        source = application["spec"]["source"]["repoURL"]
        if not source.endswith(f"/{repositories.get(environment)}"):
            yield f"Argo CD deploys {environment} from {source}"


@register("one repository per project")
def project_sources(repo: Repo) -> Iterator[str]:
    """A project of Argo CD accepts the repository of its application, and no other."""
    accepted = {
        project["metadata"]["name"]: project["spec"]["sourceRepos"]
        for project in repo.argocd
        if project["kind"] == "AppProject"
    }
    for application in _applications(repo):
        project, source = application["spec"]["project"], application["spec"]["source"]["repoURL"]
        if accepted.get(project) != [source]:
            yield f"the project {project} accepts {accepted.get(project)}, not {source} alone"


@register("named credentials")
def named_credentials(repo: Repo) -> Iterator[str]:
    """The README names the owner of each stored secret, and when it is renewed."""
    rows = [
        [cell.strip("` ") for cell in line.strip("|").split("|")]
        for line in repo.text("README.md").splitlines()
        if line.count("|") == 6
    ]
    for row in rows:
        if not all(row):
            yield f"README.md: an empty cell about {row[0]}"
    for flow in repo.workflows:
        for name in re.findall(r"\{ secrets\.(\w+)", flow.path.read_text(encoding="utf-8")):
            if name != "GITHUB_TOKEN" and name not in {row[0] for row in rows}:
                yield f"{flow.path.name}: no owner and no renewal of {name}"


@register("attested and verified")
def attestations(repo: Repo) -> Iterator[str]:
    """The build attests origin and content of an image; a deployment verifies both first."""
    build = [job for _, _, job in _jobs(repo) if "build" in _stages(job)]
    attested = [inputs for job in build for inputs in _find_actions(job, "actions/attest")]
    if not any("sbom-path" not in inputs for inputs in attested):
        yield "no provenance of the image"
    if not any("sbom-path" in inputs for inputs in attested):
        yield "no SBOM of the image"
    for flow, id, job in _jobs(repo):
        if "deploy" not in _stages(job):
            continue
        text = "\n".join(steps(job))
        before_push = text.partition("git push")[0]
        for part in (
            "gh attestation verify",
            "https://slsa.dev/provenance/",
            "https://cyclonedx.org/bom",
            "--signer-workflow",
            "--source-ref refs/heads/main",
        ):
            if part not in before_push:
                yield f"{flow.path.name}: {id} deploys without {part}"
        called = [part for step in job["steps"] for part in [step, *step.get("called", [])]]
        for step in called:
            if "gh attestation verify" in step.get("run", "") and not _stops_without_proof(step):
                yield f"{flow.path.name}: {id} deploys what has no attestation"


def _stops_without_proof(step: dict[str, Any]) -> bool:
    """Run a step with a stub of gh, and tell whether each refusal alone fails it."""
    if "continue-on-error" in step or "if" in step:
        return False
    stub = 'gh() { case "$*" in *"$REFUSED"*) return 1 ;; esac; }'
    codes = {
        refused: subprocess.run(
            ["bash", "-eo", "pipefail", "-c", f"{stub}\n{step['run']}"],
            env=make_environment(REFUSED=refused, IMAGE="i", GITHUB_REPOSITORY="r", GITHUB_SHA="s"),
            capture_output=True,
            check=False,
        ).returncode
        for refused in ("slsa.dev/provenance", "cyclonedx.org/bom", "nothing")
    }
    return [code != 0 for code in codes.values()] == [True, True, False]


@register("contracts before the merge")
def contracts(repo: Repo) -> Iterator[str]:
    """Each branch publishes its contracts and asks the broker, before it is merged."""
    flow = _pipeline(repo)
    if "pull_request" not in flow.triggers:
        yield "no pull request asks the broker"
    for id, job in flow.jobs.items():
        text = "\n".join(steps(job))
        order = [
            text.find(part) for part in ("pact broker publish", "pytest tests/contract", "can-i-")
        ]
        if order[0] == -1:
            continue
        if -1 in order or order != sorted(order):
            yield f"{id} does not publish, verify and then ask"
        if "if" in job or re.search(r"^if:", text, re.MULTILINE):
            yield f"{id} does not run on every branch"
        if not any(
            "build" in _stages(flow.jobs[later]) and id in flow.find_needs(later)
            for later in flow.jobs
        ):
            yield f"the build does not wait for {id}"
        return
    yield "no job publishes contracts"


@register("scan of what is served")
def served_scan(repo: Repo) -> Iterator[str]:
    """ZAP starts from the description of the API, at a path that the route serves."""
    paths = [
        match["path"]
        for route in repo.kind("HTTPRoute")
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
    ]
    passive = False
    for flow, id, job in _jobs(repo):
        for step in steps(job):
            for script, url in re.findall(r"(zap-\w+-?\w*\.py) -t \\?\"\$\w+_URL([^\"\\]*)", step):
                passive = passive or (script == "zap-api-scan.py" and " -S" in step)
                if script == "zap-api-scan.py" and "-f openapi" not in step:
                    yield f"{flow.path.name}: {id} scans without -f openapi"
                if not any(
                    url == path["value"]
                    if path["type"] == "Exact"
                    else (url or "/").startswith(path["value"])
                    for path in paths
                ):
                    yield f"{flow.path.name}: {id} scans {url or '/'}, which no route serves"
    if not passive:
        yield "no passive scan of the API"


@register("aborted canary")
def aborted_canary(repo: Repo) -> Iterator[str]:
    """A Rollout that is aborted reports it, and each job that waits for one stops."""
    for rollout in repo.kind("Rollout"):
        for event in ROLLOUT_EVENTS:
            key = f"notifications.argoproj.io/subscribe.on-rollout-{event}.github"
            if key not in rollout["metadata"].get("annotations", {}):
                yield f"the Rollout does not report that it is {event}"
        if rollout["spec"].get("progressDeadlineAbort") is not True:
            yield "a canary that never becomes ready is not aborted"
    label = _find_rollout_statuses(repo).get("failure", "no status")
    for flow, id, job in _jobs(repo):
        text = yaml.safe_dump(job, width=10_000)
        for environment in re.findall(r"wait_for\.py \\?\"\$(\w+)_URL", text):
            status = label.replace("{{.rollout.metadata.namespace}}", environment.lower())
            if f"--status {status} " not in text:
                yield f"{flow.path.name}: {id} does not notice an aborted canary"
            if "statuses" not in job.get("permissions", {}):
                yield f"{flow.path.name}: {id} may not read statuses"


@register("rollout statuses")
def rollout_statuses(repo: Repo) -> Iterator[str]:
    """Argo Rollouts sets one commit status, which each event of a Rollout changes."""
    labels = _find_rollout_statuses(repo)
    for event, state in ROLLOUT_EVENTS.items():
        if state not in labels:
            yield f"a Rollout that is {event} sets no status {state}"
    if len(set(labels.values())) > 1:
        yield f"statuses of several names: {labels}"


@register("rollback")
def rollback(repo: Repo) -> Iterator[str]:
    """The rollback script reverts the newest deployment from a stale clone, and can run again."""
    yield from find_rollback_faults(repo.root / "scripts/rollback.sh")


@register("overtaken runs stop")
def overtaken_runs(repo: Repo) -> Iterator[str]:
    """A run that a newer merge overtook deploys nothing, whatever the newest commit is."""
    steps_of_promotion = repo.yaml(".github/actions/promote/action.yml")["runs"]["steps"]
    guard = steps_of_promotion[-1]["run"].partition("python scripts/render.py")[0]
    yield from find_guard_faults(guard)


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


@register("CICD-06")
def identified_image(repo: Repo) -> Iterator[str]:
    """Images are tagged with the commit and deployed by digest."""
    build = next(job for job in _pipeline(repo).jobs.values() if "build" in _stages(job))
    if "type=sha,format=long" not in yaml.safe_dump(build):
        yield "the image is not tagged with the commit"
    yield from deployed_digest(repo)


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


@register("canary at the gateway")
def canary_analysis(repo: Repo) -> Iterator[str]:
    """The analysis asks the gateway about the canary alone, and holds it to the policy's bound."""
    policy = load(ROOT).settings
    errors = float(str(policy.value("canary.errors")).rstrip("%")) / 100
    watch = 60 * int(str(policy.value("canary.watch")).split()[0])
    services = {
        rollout["spec"]["strategy"]["canary"]["canaryService"] for rollout in repo.kind("Rollout")
    }
    for template in repo.kind("AnalysisTemplate"):
        for metric in template["spec"]["metrics"]:
            name = f"{template['metadata']['name']}, {metric['name']}"
            query = promql_parser.parse(metric["provider"]["prometheus"]["query"])
            for selector in _selectors(query):
                labels = {
                    (matcher.name, matcher.value)
                    for matcher in selector.matchers.matchers
                    if str(matcher.op) == "MatchOp.Equal"
                }
                source = {("reporter", "source"), ("source_workload_namespace", "gateway")}
                if selector.name != "istio_requests_total" or not source <= labels:
                    yield f"{name} does not ask the gateway"
                if not {("destination_service_name", service) for service in services} <= labels:
                    yield f"{name} does not ask about the canary alone"
            if metric["successCondition"] != f"result[0] < {errors:g}" or metric["failureLimit"]:
                yield f"{name} has another bound than {errors:g}"
            if metric["count"] * _seconds(metric["interval"]) != watch:
                yield f"{name} does not watch for {watch} s"


@register("one namespace")
def namespaces(repo: Repo) -> Iterator[str]:
    """Every resource of production is in the namespace production."""
    for resource in repo.manifests:
        if resource["metadata"].get("namespace") != "production":
            yield f"{resource['kind']} {resource['metadata']['name']} is not in production"


@register("plain deployment")
def plain_deployment(repo: Repo) -> Iterator[str]:
    """The Deployment for teams without Argo Rollouts runs the same pods, and loses none."""
    plain = Repo(repo.root, k8s="k8s-plain")
    for check in (resources, probes, replicas, spread, autoscaler, non_root, digests, namespaces):
        yield from check(plain)
    for deployment in plain.kind("Deployment"):
        if deployment["spec"].get("strategy") != {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        }:
            yield "an update of the plain Deployment can take ready pods away"
        if [deployment["spec"]["template"]] != [
            other["spec"]["template"] for other in repo.kind("Deployment")
        ]:
            yield "the plain Deployment runs other pods than k8s/deployment.yaml"


@register("configuration replaces pods")
def configuration(repo: Repo) -> Iterator[str]:
    """A flipped flag gives all pods another ConfigMap, which the next deployment keeps.

    The ConfigMap before it stays as it is, so an aborted canary goes back to its values.
    """
    render = _import_render(repo)
    image = "ghcr.io/mycompany/order-service@sha256:" + "{}" * 64
    files = _read_files(repo, "k8s")
    values = repo.text("k8s/config/production.yaml")
    flag = 'FF_NEW_CHECKOUT_FLOW: "{}"'
    flipped_values = values.replace(flag.format("false"), flag.format("true"))
    before, flipped, following = (
        [
            document
            for text in render.render_all(
                files | {"config.yaml": config}, "production", image.replace("{}", digit)
            ).values()
            for document in yaml.safe_load_all(text)
        ]
        for config, digit in ((values, "1"), (flipped_values, "1"), (flipped_values, "2"))
    )
    for documents in (before, flipped, following):
        if _configs_read(documents) != {_config_map(documents)["metadata"]["name"]}:
            yield "a pod reads another ConfigMap than the rendered one"
    if _configs_read(before) == _configs_read(flipped):
        yield "a flipped flag replaces no pod"
    if _config_map(following) != _config_map(flipped):
        yield "the next deployment changes the configuration"
    if _config_map(following)["data"]["FF_NEW_CHECKOUT_FLOW"] != "true":
        yield "the next deployment loses the flag"
    config_map = _config_map(before)
    options = config_map["metadata"].get("annotations", {})
    if config_map.get("immutable") is not True:
        yield "the values of running pods can change in place"
    if options.get("argocd.argoproj.io/sync-options") != "Prune=false":
        yield "Argo CD removes the configuration that an aborted canary goes back to"


@register("both variants render")
def rendered_variants(repo: Repo) -> Iterator[str]:
    """With Argo Rollouts or without, an environment gets one image, one commit, one namespace."""
    render = _import_render(repo)
    image, commit = f"ghcr.io/mycompany/order-service@sha256:{'1' * 64}", "2" * 40
    canary = _read_files(repo, "k8s")
    replaced = {"rollout.yaml", "analysis-template.yaml"}
    plain = {name: text for name, text in canary.items() if name not in replaced}
    variants = {"k8s": canary, "k8s-plain": plain | _read_files(repo, "k8s-plain")}
    for variant, files in variants.items():
        for environment in ("staging", "production"):
            config = {"config.yaml": repo.text(f"k8s/config/{environment}.yaml")}
            try:
                rendered = render.stamp(
                    render.render_all(files | config, environment, image), commit
                )
            except render.RenderError as error:
                yield f"{variant} for {environment} is refused: {error}"
                continue
            documents = [each for text in rendered.values() for each in yaml.safe_load_all(text)]
            metadata = [document["metadata"] for document in documents]
            if {each["namespace"] for each in metadata} != {environment}:
                yield f"{variant} for {environment} writes to another namespace"
            commits = [
                each["annotations"]["mycompany.example/commit"]
                for each in metadata
                if "mycompany.example/commit" in each.get("annotations", {})
            ]
            if commits != [commit]:
                yield f"{variant} for {environment} does not name its commit once"
            for document in documents:
                if document["kind"] in ("Deployment", "Job"):
                    if {container["image"] for container in containers(document)} != {image}:
                        yield f"{variant} for {environment} deploys another image"
        for name, text in files.items():
            if "image: " in text:
                tagged = re.sub(
                    r"image: \S+", "image: ghcr.io/mycompany/order-service:latest", text
                )
                try:
                    render.render_all(files | config | {name: tagged}, "production", image)
                except render.RenderError:
                    continue
                yield f"{variant}: the tag of {name} is not refused"


@register("peak connections")
def peak_connections(repo: Repo) -> Iterator[str]:
    """(Stable + canary pods) x pool + probes + jobs fit into the connections of the policy."""
    limit = int(load(ROOT).settings.value("kubernetes.connections") or 0)
    for environment in ("staging", "production"):
        if (peak := count_peak_connections(repo, environment)) > limit:
            yield f"{environment}: {peak} connections at the peak, {limit} are allowed"
    pools = re.findall(r"create_async_engine\((.*?)\n    \)", _source(repo), re.DOTALL)
    if len(pools) != 1 or "max_overflow=0" not in pools[0]:
        yield "a pod has more than one pool, or one that grows past its size"


def count_peak_connections(repo: Repo, environment: str = "production") -> int:
    """Return the connections that the service opens at the peak of a rollout."""
    config = repo.yaml(f"k8s/config/{environment}.yaml")
    # A connection outside the pool, such as one for each call of a probe.
    outside = len(re.findall(r"psycopg\.(?:\w+\.)?connect\(", _source(repo)))
    jobs = sum(job["spec"].get("parallelism", 1) for job in repo.kind("Job", "CronJob"))
    return int(_count_peak_pods(repo) * (int(config["data"]["POOL_SIZE"]) + outside) + jobs)


def _count_peak_pods(repo: Repo) -> int:
    """Return the pods at the peak of a rollout, at the autoscaler's upper bound."""
    return max(
        int(scaler["spec"]["maxReplicas"]) + _extra_pods(workload, scaler["spec"]["maxReplicas"])
        for manifests in (repo, Repo(repo.root, k8s="k8s-plain"))
        for scaler in manifests.kind("HorizontalPodAutoscaler")
        for workload in manifests.kind(scaler["spec"]["scaleTargetRef"]["kind"])
    )


def _extra_pods(workload: dict[str, Any], stable: int) -> int:
    """Return how many pods an update adds to the stable ones."""
    if workload["kind"] == "Deployment":
        return int(workload["spec"]["strategy"]["rollingUpdate"]["maxSurge"])
    canary = workload["spec"]["strategy"]["canary"]
    # With a router the stable pods stay at full size until the canary has replaced them.
    if "trafficRouting" in canary and not canary.get("dynamicStableScale"):
        return stable
    return -(-stable // 4)  # the default of maxSurge, 25%


@register("only liveness is public")
def public_routes(repo: Repo) -> Iterator[str]:
    """The gateway publishes /health/live and no other path of /health, and no metrics."""
    for route in repo.kind("HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for match in rule.get("matches", [{}]):
                path = match.get("path", {"type": "PathPrefix", "value": "/"})
                for internal in ("/health/ready", "/health/dependencies", "/metrics"):
                    prefix = path["value"].rstrip("/")
                    matches = {
                        "PathPrefix": f"{internal}/".startswith(f"{prefix}/"),
                        # Gateways differ in whether an expression has to match the whole path.
                        "RegularExpression": path["type"] == "RegularExpression"
                        and re.search(path["value"], internal),
                    }
                    if matches.get(path["type"]):
                        yield f"{path['value']} publishes {internal}"
                if path["type"] == "Exact" and path["value"].startswith(("/health", "/metrics")):
                    if path["value"] != "/health/live":
                        yield f"{path['value']} is public"


@register("readiness of its own")
def own_readiness(repo: Repo) -> Iterator[str]:
    """Probes ask about the pod alone and wait long enough; a metric shows the dependencies."""
    for path, function in _routes(repo):
        if path.startswith("/health/"):
            if any(isinstance(node, ast.Await) for node in ast.walk(function)):
                yield f"{path} waits for something else"
            names = {argument.arg for argument in function.args.args}
            if path == "/health/ready" and names != {"request"}:
                yield f"{path} asks the dependencies"
    timeouts = re.findall(
        r"^TIMEOUT_SECONDS = ([\d.]+)$",
        repo.text("src/order_service/dependencies.py"),
        re.MULTILINE,
    )
    if not timeouts:
        yield "the checks of dependencies have no timeout"
    for deployment in repo.kind("Deployment"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            for probe, path in (
                ("startupProbe", "/health/live"),
                ("livenessProbe", "/health/live"),
                ("readinessProbe", "/health/ready"),
            ):
                settings = container.get(probe, {})
                if settings.get("httpGet", {}).get("path") != path:
                    yield f"the {probe} does not ask {path}"
                if settings.get("timeoutSeconds", 1) <= max(map(float, timeouts), default=0):
                    yield f"the {probe} gives up before the service does"
    if repo.metrics.get("dependency_up") != {"dependency"}:
        yield "no metric shows the state of the dependencies"


@register("identity")
def identity(repo: Repo) -> Iterator[str]:
    """Every route of customers knows its caller, and production trusts no key of the tests."""
    for path, function in _routes(repo):
        callers = [ast.unparse(a.annotation) for a in function.args.args if a.annotation]
        if not path.startswith(("/health/", "/metrics")) and "Sender" not in callers:
            yield f"{path} answers anybody"
    for path in ("production", "staging"):
        keys = repo.yaml(f"k8s/config/{path}.yaml")["data"].get("TOKEN_KEYS", '{"keys": []}')
        for key in json.loads(keys)["keys"]:
            if "d" in key or key["kty"] == "oct":
                yield f"{path} publishes the private key {key['kid']}"
            if path == "production" and key["kid"] == "test":
                yield "production trusts the key of the tests"


@register("known metrics")
def known_metrics(repo: Repo) -> Iterator[str]:
    """Every query uses series that the code exposes or a rule records, and their labels."""
    recorded = {rule["record"] for rule in repo.prometheus_rules if "record" in rule}
    metrics = repo.metrics | EXTERNAL_METRICS
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
            if selector.name not in metrics:
                yield f"{location}: unknown metric {selector.name}"
                continue
            for matcher in selector.matchers.matchers:
                if matcher.name not in metrics[selector.name] | external_labels:
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


@register("private logs")
def private_logs(repo: Repo) -> Iterator[str]:
    """Every line goes through the filter of personal data, and no call logs a field of it."""
    text = repo.text("src/order_service/logs.py")
    filters = re.findall(r"processors: list\[Processor\] = \[(.*?)\n    \]", text, re.DOTALL)
    if not filters or not re.search(r"format_exc_info.*\n +redact,", filters[0], re.DOTALL):
        yield "no filter removes personal data from tracebacks"
    forbidden = set(re.findall(r"^    \"(\w+)\",$", text, re.MULTILINE))
    if not forbidden >= {"email", "password", "token", "payment_method"}:
        yield "the filter misses fields"
    for path, tree in repo.code("src"):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("log."):
                for keyword in call.keywords:
                    if keyword.arg in forbidden or "email" in ast.unparse(keyword.value):
                        yield f"{path} logs {keyword.arg}"


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


def _configs_read(documents: list[dict[str, Any]]) -> set[str]:
    """Return the names of the ConfigMaps that pods read as variables."""
    return {
        source["configMapRef"]["name"]
        for document in documents
        if document["kind"] in ("Deployment", "Job")
        for container in containers(document)
        for source in container.get("envFrom", [])
        if "configMapRef" in source
    }


def _import_render(repo: Repo) -> Any:
    """Return the script of the service that renders its manifests, as a module."""
    module_spec = importlib.util.spec_from_file_location(
        "service_render", repo.root / "scripts/render.py"
    )
    assert module_spec
    assert module_spec.loader
    render = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(render)
    return render


def _read_files(repo: Repo, folder: str) -> dict[str, str]:
    """Return the manifests in a folder by their names."""
    paths = sorted((repo.root / folder).glob("*.yaml"))
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def _source(repo: Repo) -> str:
    return "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((repo.root / "src").rglob("*.py"))
    )


def _config_map(documents: list[dict[str, Any]]) -> dict[str, Any]:
    return next(document for document in documents if document["kind"] == "ConfigMap")


def _routes(repo: Repo) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield the path and the function of each route."""
    for _, tree in repo.code("src"):
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for decorator in function.decorator_list:
                    match decorator:
                        case ast.Call(
                            func=ast.Attribute(value=ast.Name(id="router")),
                            args=[ast.Constant(value=str(path)), *_],
                        ):
                            yield path, function


@register("runbooks at night")
def runbooks_at_night(repo: Repo) -> Iterator[str]:
    """A runbook connects first, and each fix has commands, what to expect, and a check."""
    for name, text in repo.runbooks.items():
        diagnosis, causes = _sections(text, "Diagnosis steps", "Common causes and fixes")
        if "kubectl config use-context" not in diagnosis[: diagnosis.find("\n2. ")]:
            yield f"{name}: the first step does not connect"
        for cause in re.split(r"^### ", causes, flags=re.MULTILINE)[1:]:
            title = cause.splitlines()[0]
            fix, _, check = cause.partition("**Check:**")
            commands = re.findall(r"```(?:bash|sql)\n.*?```(.*?)(?=```|\Z)", fix, re.DOTALL)
            if not re.search(r"\*\*Symptom:\*\*.*\*\*Fix:\*\*", fix, re.DOTALL) or not commands:
                yield f"{name}: no command in the fix of {title!r}"
            if not check.strip():
                yield f"{name}: {title!r} does not say how to check that it worked"


@register("runbooks on databases")
def runbooks_on_databases(repo: Repo) -> Iterator[str]:
    """Queries come after the command that connects, and sessions end only after a look at them."""
    for name, text in repo.runbooks.items():
        before, found, _ = text.partition("```sql")
        if found and not re.search(r"psql \"host=\S+ dbname=\S+ user=\S+", before):
            yield f"{name}: no command that connects to the database"
        queries = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
        for number, query in enumerate(queries):
            if "pg_terminate_backend" in query:
                if not all(
                    filter_text in query
                    for filter_text in (
                        "usename = 'orders'",
                        "backend_type = 'client backend'",
                        "application_name <> 'pg_dump'",
                    )
                ):
                    yield f"{name}: ends sessions of backups or replication"
                if not any(
                    "idle in transaction" in shown and "pg_terminate_backend" not in shown
                    for shown in queries[:number]
                ):
                    yield f"{name}: ends sessions that no step shows"
            if "CREATE INDEX" in query and (
                "IF NOT EXISTS" in query
                or not any("NOT indisvalid" in other for other in queries[:number])
                or not any("DROP INDEX CONCURRENTLY" in other for other in queries[:number])
            ):
                yield f"{name}: an invalid index stays"
    text = repo.runbooks.get("database-connection-pool-exhausted", "")
    if "reserved_connections" not in text or "pg_use_reserved_connections" not in text:
        yield "no word on reserved connections"


@register("runbooks of failures")
def runbooks_of_failures(repo: Repo) -> Iterator[str]:
    """Each common failure has a runbook, and a critical error rate leads to triage first."""
    for name, text in RUNBOOKS.items():
        if text not in repo.runbooks.get(name, ""):
            yield f"no runbook {name} with {text}"
    triage = [
        name
        for name, text in repo.runbooks.items()
        if re.search(r"^alerts: .*OrderServiceErrorsCritical", text, re.MULTILINE)
    ]
    if triage[:1] != ["high-error-rate"]:
        yield f"OrderServiceErrorsCritical leads to {triage} first"


@register("exact messages")
def exact_messages(repo: Repo) -> Iterator[str]:
    """Symptoms quote the messages of programs, and the service logs the message it promises."""
    symptoms = re.findall(
        r"\*\*Symptom:\*\*(.*?)\*\*Fix:\*\*", "\n".join(repo.runbooks.values()), re.DOTALL
    )
    quotes = {" ".join(quote.split()) for quote in re.findall(r"`([^`]+)`", "\n".join(symptoms))}
    for message in sorted(MESSAGES):
        if not any(message in quote for quote in quotes):
            yield f"no runbook quotes {message}"
    if '"connection pool timeout"' not in repo.text("src/order_service/postgres.py"):
        yield "the service does not log: connection pool timeout"


def _sections(text: str, *titles: str) -> list[str]:
    """Return the text below each heading of level 2."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return [sections.get(title, "") for title in titles]


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


def _find_rollout_statuses(repo: Repo) -> dict[str, str]:
    """Return the name of the commit status for each state that Argo Rollouts reports."""
    settings = {
        key: value
        for resource in repo.argocd
        if resource["kind"] == "ConfigMap"
        for key, value in resource["data"].items()
    }
    labels = {}
    for event in ROLLOUT_EVENTS:
        for trigger in yaml.safe_load(settings.get(f"trigger.on-rollout-{event}", "[]")):
            for name in trigger["send"]:
                status = yaml.safe_load(settings[f"template.{name}"])["github"]["status"]
                labels[status["state"]] = status["label"]
    return labels


def _find_actions(job: Job, name: str) -> Iterator[dict[str, str]]:
    """Yield the inputs of each use of an action, in the job and in the local actions it calls."""
    for step in job.get("steps", []):
        for use in (step, *step.get("called", [])):
            if use.get("uses", "").partition("@")[0] == name:
                yield use.get("with", {})


def _deploys(job: Job, environment: str) -> bool:
    return "deploy" in _stages(job) and environment in str(job.get("environment"))


def _containers(repo: Repo, *, pods: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in repo.kind("Deployment", "StatefulSet", "Job", "CronJob"):
        for container in containers(resource):
            pod = {"pod": resource["spec"]["template"]["spec"]} if pods else {}
            yield resource["kind"], container | pod


def _seconds(duration: str) -> int:
    """Return the seconds of a duration of Prometheus, such as 1h30m."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)([smhd])", duration))


def _applications(repo: Repo) -> list[dict[str, Any]]:
    return [resource for resource in repo.argocd if resource["kind"] == "Application"]


def _read_quantity(quantity: str) -> float:
    """Return a quantity of Kubernetes as a number: of cores, or of bytes."""
    units = {"m": 0.001, "Mi": 1024**2, "Gi": 1024**3}
    match = re.fullmatch(r"(\d+)(m|Mi|Gi)?", str(quantity))
    assert match, quantity
    return int(match[1]) * units.get(match[2], 1)


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
