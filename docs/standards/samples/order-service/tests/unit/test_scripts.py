"""The commands of the pipeline, as far as they need no files."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from scripts import smoke, wait_for
from scripts.render import RenderError, hash_config, render_all, stamp

OLD = f"ghcr.io/mycompany/order-service@sha256:{'0' * 64}"
NEW = f"ghcr.io/mycompany/order-service@sha256:{'1' * 64}"
MANIFEST = f"""\
# Kept: a comment.
metadata:
  namespace: production
  labels:
    note: not-namespace production
configMapRef:
  name: order-service-config
image: {OLD}
"""
CONFIG = """\
metadata:
  name: order-service-config
data:
  # Off until the release.
  FF_NEW_CHECKOUT_FLOW: "false"
"""


def test_render_for_staging_sets_namespace_and_image_and_keeps_comments() -> None:
    files = {"deployment.yaml": MANIFEST, "config.yaml": CONFIG}

    rendered = render_all(files, "staging", NEW)

    expected = MANIFEST.replace("namespace: production", "namespace: staging").replace(OLD, NEW)
    config_name = f"order-service-config-{hash_config(CONFIG)}"
    assert rendered["deployment.yaml"] == expected.replace("order-service-config", config_name)
    assert rendered["config.yaml"] == CONFIG.replace("order-service-config", config_name)


def test_hash_of_configuration_follows_values_and_not_comments() -> None:
    reworded = CONFIG.replace("Off until", "Not before")
    flipped = CONFIG.replace('"false"', '"true"')

    assert hash_config(reworded) == hash_config(CONFIG)
    assert hash_config(flipped) != hash_config(CONFIG)


@pytest.mark.parametrize(
    "other",
    [
        MANIFEST.replace("order-service-config", "shared-config"),
        f"{MANIFEST}configMapKeyRef:\n  name: order-service-config-old\n",
    ],
)
def test_render_of_pod_that_reads_another_configuration_is_refused(other: str) -> None:

    with pytest.raises(RenderError, match="another ConfigMap"):
        render_all({"deployment.yaml": other, "config.yaml": CONFIG}, "staging", NEW)


@pytest.mark.parametrize(
    "image",
    ["ghcr.io/mycompany/order-service:latest", f"ghcr.io/other/thing@sha256:{'1' * 64}", ""],
)
def test_render_of_image_without_digest_is_refused(image: str) -> None:
    files = {"deployment.yaml": MANIFEST}

    with pytest.raises(RenderError, match="digest"):
        render_all(files, "staging", image)


@pytest.mark.parametrize(
    "line",
    [
        "image: {}:latest",
        "- image: {}:latest",
        '{{name: side, image: "{}:1"}}',
        "image:",
        "image: a",
    ],
)
def test_render_of_one_container_without_digest_is_refused(line: str) -> None:
    text = f"{MANIFEST}{line.format('ghcr.io/mycompany/order-service')}\n"

    with pytest.raises(RenderError, match="digest"):
        render_all({"deployment.yaml": text, "config.yaml": CONFIG}, "staging", NEW)


@pytest.mark.parametrize(
    "reference",
    [
        "configMapKeyRef:\n  name: order-service-config{}\n  key: LOG_LEVEL\n",
        "configMapKeyRef: {{key: LOG_LEVEL, name: order-service-config{}}}\n",
        "configMap:\n  name: order-service-config{} # a volume\n",
        'configMapRef: {{name: "order-service-config{}"}}\n',
    ],
)
def test_render_gives_every_reference_the_hash(reference: str) -> None:
    files = {"deployment.yaml": MANIFEST + reference.format(""), "config.yaml": CONFIG}

    rendered = render_all(files, "staging", NEW)

    assert rendered["deployment.yaml"].endswith(reference.format(f"-{hash_config(CONFIG)}"))


def test_render_of_files_without_image_is_refused() -> None:
    files = {"service.yaml": "kind: Service\n"}

    with pytest.raises(RenderError, match="nothing would be deployed"):
        render_all(files, "staging", NEW)


def test_stamp_writes_commit_into_rollout_alone() -> None:
    rollout = f'    mycompany.example/commit: "{"0" * 40}"\n'
    files = {"rollout.yaml": rollout, "service.yaml": "kind: Service\n"}

    stamped = stamp(files, "a" * 40)

    expected = rollout.replace("0" * 40, "a" * 40)
    assert stamped == {"rollout.yaml": expected, "service.yaml": "kind: Service\n"}


@pytest.mark.parametrize(
    ("commit", "text", "reason"),
    [
        ("main", f'mycompany.example/commit: "{"0" * 40}"\n', "not a commit: main"),
        ("a" * 40, "kind: Rollout\n", "no file names the commit"),
    ],
)
def test_stamp_of_nothing_that_can_be_reported_is_refused(
    commit: str, text: str, reason: str
) -> None:
    with pytest.raises(RenderError, match=reason):
        stamp({"rollout.yaml": text}, commit)


NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
STATUSES = [
    {"context": "rollout/staging", "state": "success", "updated_at": "2999-01-01T00:00:00Z"},
    {"context": "rollout/production", "state": "failure", "updated_at": "2999-01-01T00:00:00Z"},
    {"context": "rollout/earlier", "state": "failure", "updated_at": "2026-11-26T12:00:00Z"},
]


def healthy(request: httpx.Request) -> httpx.Response:
    correlation_id = request.headers.get("X-Correlation-ID", "new")
    headers = {"X-Correlation-ID": correlation_id}
    if request.url.path.startswith("/repos/"):
        return httpx.Response(200, json={"statuses": STATUSES})
    if request.url.path.startswith("/orders/"):
        if "Authorization" not in request.headers:
            return httpx.Response(401, headers=headers)
        return httpx.Response(404, json={"error": "OrderNotFound"}, headers=headers)
    return httpx.Response(200, json={"commit": "0123abc"}, headers=headers)


def without_header(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200)


def open_to_all(request: httpx.Request) -> httpx.Response:
    request.headers["Authorization"] = "Bearer anybody"
    return healthy(request)


def finds_everything(request: httpx.Request) -> httpx.Response:
    answer = healthy(request)
    status = 200 if answer.status_code == 404 else answer.status_code
    return httpx.Response(status, json={}, headers=answer.headers)


def http(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    return httpx.Client(base_url="http://shop.example", transport=httpx.MockTransport(answer))


def test_smoke_of_healthy_service_asks_all_and_passes() -> None:
    asked: list[str] = []

    def noting(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.partition("smoke-")[0])
        return healthy(request)

    smoke.smoke(http(noting), "token")
    smoke.smoke(http(noting))

    assert asked == ["/health/live", "/orders/", "/orders/", "/health/live", "/orders/"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (without_header, "correlation ID"),
        (open_to_all, "an order without a token: expected 401, got 404"),
        (finds_everything, "an unknown order: expected 404, got 200"),
    ],
)
def test_smoke_of_broken_service_says_what_is_wrong(
    answer: Callable[[httpx.Request], httpx.Response], reason: str
) -> None:
    with pytest.raises(smoke.SmokeError, match=reason):
        smoke.smoke(http(answer), "token")


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["not a url"], 1)])
def test_smoke_command_that_cannot_run_exits_with_reason(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    result = smoke.main(arguments)

    assert result == status
    assert capsys.readouterr().err


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_wait_with_old_pods_still_answering_waits_for_ten_in_a_row() -> None:
    clock = Clock()
    answers = iter(["old", *["new"] * 9, "old", *["new"] * 10])

    reason = wait_for.wait_for(
        lambda: next(answers), "new", 60, clock=clock.time, sleep=clock.sleep
    )

    assert reason is None
    assert list(answers) == []


def test_wait_for_commit_that_never_comes_ends_with_last_answer() -> None:
    clock = Clock()

    reason = wait_for.wait_for(lambda: "old", "new", 60, clock=clock.time, sleep=clock.sleep)

    assert (reason, clock.now) == ("the last answer was old", 60)


@pytest.mark.parametrize("state", ["failure", "error"])
def test_wait_for_aborted_canary_ends_with_next_question_about_it(state: str) -> None:
    clock = Clock()

    reason = wait_for.wait_for(
        lambda: "new" if clock.now % 9 == 0 else "old",
        "new",
        2400,
        status=lambda: "pending" if clock.now < 300 else state,
        clock=clock.time,
        sleep=clock.sleep,
    )

    assert (reason, clock.now) == ("its Rollout was aborted", 300)


def test_wait_with_unknown_status_asks_seldom_and_goes_on() -> None:
    clock, asked = Clock(), []

    def status() -> str:
        asked.append(clock.now)
        return "unknown"

    wait_for.wait_for(lambda: "old", "new", 60, status=status, clock=clock.time, sleep=clock.sleep)

    assert asked == [0, 15, 30, 45]


@pytest.mark.parametrize(("seen", "end"), [(False, 120), (True, 2400)])
def test_wait_for_commit_ends_early_only_if_no_pod_ever_had_it(seen: bool, end: float) -> None:
    clock = Clock()

    wait_for.wait_for(
        lambda: "new" if seen and clock.now == 90 else "old",
        "new",
        2400,
        seen_within=120,
        clock=clock.time,
        sleep=clock.sleep,
    )

    assert clock.now == end


@pytest.mark.parametrize(
    ("answer", "context", "expected"),
    [
        (httpx.Response(200, json={"statuses": STATUSES}), "rollout/production", "failure"),
        (httpx.Response(200, json={"statuses": STATUSES}), "rollout/staging", "success"),
        (httpx.Response(200, json={"statuses": STATUSES}), "rollout/earlier", "unknown"),
        (httpx.Response(200, json={"statuses": []}), "rollout/staging", "unknown"),
        (httpx.Response(403), "rollout/staging", "unknown"),
        (httpx.Response(200, text="<html>"), "rollout/staging", "unknown"),
        (httpx.Response(200, json={}), "rollout/staging", "unknown"),
    ],
)
def test_rollout_status_from_any_answer_is_state_or_unknown(
    answer: httpx.Response, context: str, expected: str
) -> None:
    status = wait_for.rollout_status(http(lambda _: answer), "0123abc", context, NOON)

    assert status == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, json={"commit": "0123abc"}), "0123abc"),
        (httpx.Response(503), "HTTPStatusError"),
        (httpx.Response(200, json={}), "KeyError"),
        (httpx.Response(200, text="<html>"), "JSONDecodeError"),
    ],
)
def test_running_commit_from_any_answer_is_commit_or_kind_of_error(
    answer: httpx.Response, expected: str
) -> None:
    answered = wait_for.running_commit(http(lambda _: answer))

    assert answered == expected


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--timeout", "60"], 0),
        (["--timeout", "0"], 1),
        (["--timeout", "60", "--status", "rollout/staging"], 0),
        (["--timeout", "60", "--status", "rollout/production"], 1),
        (["--timeout", "60", "--status", "rollout/earlier"], 0),
    ],
)
def test_wait_command_exits_by_whether_commit_came(
    monkeypatch: pytest.MonkeyPatch, options: list[str], status: int
) -> None:
    monkeypatch.setattr(wait_for, "IN_A_ROW", 1)

    result = wait_for.main(
        ["http://shop.example", "--commit", "0123abc", *options],
        transport=httpx.MockTransport(healthy),
    )

    assert result == status
