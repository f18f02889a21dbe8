"""The reference service runs and passes its tests: on its own, with databases and under load."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from handbook.loading import load
from handbook.reading.blocks import Code
from tests.handbooks import ROOT
from tests.samples.conftest import Service
from tests.samples.proofs import SAMPLES

pytestmark = pytest.mark.samples


def test_a_fresh_copy_passes_its_own_tests(service: Service) -> None:
    assert service.test_run.returncode == 0, service.test_run.stdout + service.test_run.stderr
    assert re.search(r"\d+ passed", service.test_run.stdout)
    coverage = re.search(r"Total coverage: ([\d.]+)%", service.test_run.stdout)
    assert coverage
    assert float(coverage[1]) >= float(
        (load(ROOT).settings.value("testing.coverage") or "").rstrip("%")
    )


def test_the_example_settings_load(service: Service) -> None:
    shutil.copy(service.root / ".env.example", service.root / ".env")
    try:
        answer = service.run(
            "python", "-c", "from order_service.settings import Settings; print(Settings())"
        )
    finally:
        (service.root / ".env").unlink()
    assert answer.returncode == 0, answer.stderr
    assert "SecretStr('**********')" in answer.stdout
    assert "pragma" not in answer.stdout


def test_the_secret_scan_finds_nothing_new(service: Service) -> None:
    names = subprocess.run(
        ["git", "ls-files"], cwd=service.root, capture_output=True, text=True, check=True
    ).stdout
    answer = service.run("detect-secrets-hook", "--baseline", ".secrets.baseline", *names.split())
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "command"),
    [
        (
            "src/order_service/metrics.py",
            "REQUESTS.labels(method, endpoint, status)",
            'REQUESTS.labels(method, scope["path"], status)',
            "pytest -q tests/unit/test_metrics.py",
        ),
        (
            "src/order_service/metrics.py",
            "status = 500  #",
            "status = 200  #",
            "pytest -q tests/unit/test_metrics.py",
        ),
        ("src/order_service/clients.py", "available", "in_stock", "pytest -q tests/contract"),
        (
            "src/order_service/settings.py",
            "stripe_secret_key: SecretStr",
            "stripe_secret_key: str",
            "mypy",
        ),
        (
            "src/order_service/dependencies.py",
            "return not self._never_up",
            'return set(self.states.values()) == {"up"}',
            "pytest -q tests/unit/test_api.py",
        ),
        (
            "src/order_service/api.py",
            "if not caller.can_read_orders_of(order.customer_id):",
            "if False:",
            "pytest -q tests/unit/test_identity.py",
        ),
        (
            "src/order_service/api.py",
            "    caller.require(CustomerId(customer_id))\n",
            "",
            "pytest -q tests/unit/test_identity.py",
        ),
        (
            "src/order_service/identity.py",
            'options={"require": ["exp", "iss", "aud", "sub"]}',
            'options={"verify_signature": False}',
            "pytest -q tests/unit/test_identity.py",
        ),
        (
            "src/order_service/logs.py",
            "        redact,  #",
            "        #",
            "pytest -q tests/unit/test_logs.py",
        ),
        (
            "scripts/wait_for.py",
            'status() in {"failure", "error"}',
            'status() in {"error"}',
            "pytest -q tests/unit/test_scripts.py",
        ),
        (
            "scripts/wait_for.py",
            'datetime.fromisoformat(status["updated_at"]) > since',
            "True",
            "pytest -q tests/unit/test_scripts.py",
        ),
    ],
    ids=[
        "raw path as a label",
        "crash counted as a success",
        "field outside of the contract",
        "secret as text",
        "ready only while all dependencies are up",
        "order shown to every caller",
        "cart open to every caller",
        "token without a check of its signature",
        "personal data in the log",
        "wait for an aborted canary",
        "a new run stops at the abort before it",
    ],
)
def test_a_slip_in_the_code_fails_its_own_tests(
    service: Service, file: str, old: str, new: str, command: str
) -> None:
    path = service.root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    try:
        answer = service.run(*command.split())
    finally:
        path.write_text(text, encoding="utf-8")
    assert answer.returncode == 1, answer.stdout + answer.stderr


def test_coverage_in_addopts_fails_the_integration_tests(service: Service) -> None:
    """bad/05/pyproject.toml applies the coverage floor to every run.

    For this reason, the floor belongs to the settings of coverage.
    """
    folder = service.root / "toy"
    for name, text in {
        "pyproject.toml": (SAMPLES / "bad/05/pyproject.toml").read_text(encoding="utf-8"),
        "src/cart.py": "def total(prices):\n    if not prices:\n        raise ValueError\n"
        "    return sum(prices)\n",
        "tests/unit/test_unit.py": "import cart, pytest\n\n"
        "def test_all():\n    assert cart.total([1]) == 1\n"
        "    with pytest.raises(ValueError):\n        cart.total([])\n",
        "tests/integration/test_integration.py": "import cart\n\n"
        "def test_one():\n    assert cart.__name__ == 'cart'\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    try:
        unit, integration = (
            service.run("sh", "-c", f"cd toy && pytest -o pythonpath=src tests/{folder_name}")
            for folder_name in ("unit", "integration")
        )
    finally:
        shutil.rmtree(folder)
    assert unit.returncode == 0, unit.stdout
    assert integration.returncode != 0
    assert "Required test coverage of 80% not reached" in integration.stdout + integration.stderr


def test_the_integration_tests_pass_on_real_databases(
    service: Service, databases: dict[str, str]
) -> None:
    answer = service.run("make", "integration", **databases)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"\d+ passed", answer.stdout)
    assert "skipped" not in answer.stdout


def test_the_integration_tests_do_not_pass_without_databases(service: Service) -> None:
    answer = service.run("make", "integration", DATABASE_URL="", REDIS_URL="")
    assert answer.returncode != 0
    assert "DATABASE_URL is not set" in answer.stdout + answer.stderr


def test_the_queries_of_runbooks_run_on_the_service_s_own_database(
    service: Service, running: str, databases: dict[str, str]
) -> None:
    queries = [
        (document.source.path, block.text)
        for document in load(ROOT).documents.values()
        for block in document.source.blocks_of(Code)
        if block.info == "sql"
    ]
    assert queries
    script = (
        "import sys, psycopg\n"
        "with psycopg.connect(sys.argv[1], autocommit=True) as connection:\n"
        "    connection.execute(sys.argv[2])"
    )
    for path, query in queries:
        answer = service.run("python", "-c", script, databases["DATABASE_URL"], query)
        assert answer.returncode == 0, f"{path}: {answer.stderr}"


def test_the_log_line_of_the_page_is_what_the_service_prints(service: Service) -> None:
    shown = json.loads((SAMPLES / "01/order-placed.json").read_text(encoding="utf-8"))
    call = (
        "import structlog; from order_service import logs; logs.configure('INFO')\n"
        "log = structlog.get_logger('shop')\n"
        'log.info("order_placed", order_id="abc123", amount="99.99", currency="USD")'
    )
    printed = json.loads(service.run("python", "-c", call).stdout)
    assert list(printed) == list(shown)
    assert len(printed.pop("timestamp")) == len(shown.pop("timestamp"))
    assert printed == shown


def test_the_scripts_of_the_pipeline_recognise_a_running_service(
    service: Service, running: str
) -> None:
    sign = service.run(
        "python", "scripts/customer_token.py", "sign", "smoke", **service.token_variables
    )
    for token in ({"TOKEN": sign.stdout.strip()}, {}):
        smoke = service.run("python", "scripts/smoke.py", running, **token)
        assert smoke.returncode == 0, smoke.stdout + smoke.stderr
    right, wrong = (
        service.run(
            "python", "scripts/wait_for.py", running, "--commit", commit, "--timeout", seconds
        )
        for commit, seconds in (("3f2c9d1", "60"), ("0000000", "2"))
    )
    assert (right.returncode, wrong.returncode) == (0, 1), right.stderr + wrong.stderr


def test_the_load_test_passes_on_the_running_service(service: Service, running: str) -> None:
    """A short run proves that the test works and can fail. It does not measure the speed."""
    options = "--headless --only-summary --users 2 --locustfile tests/performance/locustfile.py"

    def run_load(host: str, duration: str) -> subprocess.CompletedProcess[str]:
        command = ["locust", *options.split(), "--run-time", duration, "--host", host]
        return service.run(*command, **service.token_variables)

    answer = run_load(running, "4s")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert int(re.findall(r"(\d+) orders, p95", answer.stdout)[0]) > 0
    unreachable = run_load("http://127.0.0.1:9", "1s")
    assert unreachable.returncode == 1, unreachable.stdout + unreachable.stderr
