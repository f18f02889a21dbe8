"""Check of links to other hosts against a local server, and its state between runs."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest

from handbook.cli import main
from handbook.site import external
from handbook.site.external import (
    ExternalCheckError,
    Failure,
    check_addresses,
    format_state,
    is_checkable,
    parse_state,
    update_state,
)
from tests.commands import run_server
from tests.handbooks import ADR, SETTINGS, write


class _Host(BaseHTTPRequestHandler):
    """Host or proxy whose response depends on the path.

    `/404` gets this code. `/500-then-200` gets the first code once, then the second. `/to-x`
    redirects to `/x`. `/late` times out.
    """

    requests: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        path = (
            "/" + self.path.partition("://")[2].partition("/")[2]
            if "://" in self.path
            else self.path
        )
        self.requests[path] += 1
        name = path.strip("/").partition("?")[0]
        first_code, _, next_code = name.partition("-then-")
        code = first_code if self.requests[path] == 1 or not next_code else next_code
        headers = {}
        if name.startswith("to-"):
            code, headers = "302", {"Location": "/" + name.removeprefix("to-")}
        elif code.startswith("429"):
            code, _, wait = code.partition("-")
            headers = {"Retry-After": wait} if wait else {}
        elif name == "late":
            time.sleep(1.5)  # The timeout is 1 s.
        self.send_response(int(code) if code.isdigit() else 404 if name == "robots.txt" else 200)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", "0")
        self.send_header("LinkChecker", "no pause between two requests is needed")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - name in the base class
        """Log nothing."""


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run LinkChecker without pauses between requests, and without the threads that end late."""
    settings = {
        "[checking]": "[checking]\nmaxrequestspersecond=1000",
        "threads=10": "threads=0",
        "maxrunseconds={max_seconds}\n": "",
    }
    configuration = external._CONFIGURATION
    for old, new in settings.items():
        assert old in configuration
        configuration = configuration.replace(old, new)
    monkeypatch.setattr(external, "_CONFIGURATION", configuration)


@contextmanager
def serving() -> Iterator[tuple[str, Counter[str]]]:
    """Serve a local host. Yields its address and the number of requests for each path."""
    _Host.requests = Counter()
    with run_server(_Host) as address:
        yield address.rstrip("/"), _Host.requests


@pytest.fixture
def host() -> Iterator[tuple[str, Counter[str]]]:
    """Local host, with the number of requests for each path."""
    with serving() as address_and_requests:
        yield address_and_requests


@pytest.mark.build
@pytest.mark.usefixtures("without_pauses")
def test_failed_addresses_get_an_error_and_others_do_not(host: tuple[str, Counter[str]]) -> None:
    url, requests = host
    with socket.socket() as free_port:
        free_port.bind(("127.0.0.1", 0))
        dead_address = f"http://127.0.0.1:{free_port.getsockname()[1]}/dead"
    paths = (
        "page",
        "404",
        "500-then-200",
        "to-page",
        "to-404",
        "to-to-page",
        "late",
        "410?x=1",
        "a b",
        "ü",
    )
    waits: list[float] = []
    errors_by_address = check_addresses(
        [*(f"{url}/{path}" for path in paths), dead_address],
        pause=0.25,
        timeout=1,
        sleep=waits.append,
    )
    errors = {
        address.removeprefix(f"{url}/"): error for address, error in errors_by_address.items()
    }
    working = dict.fromkeys(("page", "500-then-200", "to-page", "to-to-page", "a b", "ü"), "")
    assert working.items() <= errors.items()
    assert (errors["404"], errors["to-404"], errors["410?x=1"]) == (
        "404 Not Found",
        "404 Not Found",
        "410 Gone",
    )
    assert "timed out" in str(errors["late"])
    assert str(errors[dead_address]).startswith("ConnectionError")
    assert all(len(str(error)) <= 120 for error in errors.values())
    assert waits == [0.25, 0.25]
    # The page gets one request of its own and two from redirects.
    assert (requests["/page"], requests["/500-then-200"]) == (3, 2)
    assert (requests["/410?x=1"], requests["/late"]) == (external.ROUNDS, external.ROUNDS)
    assert (requests["/a%20b"], requests["/%C3%BC"]) == (1, 1)


@pytest.mark.build
def test_the_check_waits_for_a_host_that_limits_requests(host: tuple[str, Counter[str]]) -> None:
    url, requests = host
    waits: list[float] = []
    paths = ("429-7-then-200", "429-100000", "429", "429-soon-then-200")
    errors = check_addresses((f"{url}/{path}" for path in paths), pause=1, sleep=waits.append)
    assert [errors[f"{url}/{path}"] for path in paths] == ["", None, None, ""]
    assert waits == [7, 1]
    assert (requests["/429-100000"], requests["/429"]) == (1, external.ROUNDS)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("7", 7), ("", 0), ("None", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("soon", 0)],
    ids=["number", "empty", "the text None", "date in the past", "other text"],
)
def test_retry_after_is_a_number_or_a_date(retry_after: str, seconds: float) -> None:
    assert external._parse_retry_after(retry_after) == seconds


def test_a_future_date_in_retry_after_gives_the_seconds_from_now() -> None:
    future_date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 60))
    assert 55 < external._parse_retry_after(future_date) <= 60


@pytest.mark.build
def test_a_machine_without_a_network_reports_no_dead_links() -> None:
    with pytest.raises(ExternalCheckError, match="no host can be reached"):
        check_addresses([f"http://host-{number}.invalid/" for number in range(3)], rounds=1)


def test_linkchecker_does_not_start_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "handbook.site.external.subprocess.run",
        lambda *_, **__: pytest.fail("LinkChecker was started"),
    )
    assert check_addresses([]) == {}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://docs.shop.dev/x", True),
        ("https://8.8.8.8/", True),
        ("https://shop.example/", False),
        ("https://example.com/x", False),
        ("https://www.example.org/", False),
        ("https://example.com.shop.dev/", True),
        ("https://myexample.com/", True),
        ("http://localhost:8000/", False),
        ("http://127.0.0.1:8000/", False),
        ("http://10.0.0.8/", False),
        ("http://[::1]/", False),
        ("http://prometheus:9090/", False),
        ("https://grafana.internal/d/shop", False),
        ("https://nas.local./", False),
        ("https://github.com/mycompany/shop", False),
        ("https://github.com/other/shop", True),
        ("https://docs.shop.dev/old/a", False),
    ],
)
def test_examples_and_ignored_addresses_are_not_checked(address: str, expected: bool) -> None:
    assert is_checkable(address, ("https://github.com/mycompany/*", "*/old/*")) is expected


def test_failures_of_an_address_are_counted_until_it_works() -> None:
    first = update_state({"a": "404 Not Found", "b": "", "c": None}, {}, "2026-11-16")
    assert first == {"a": Failure("2026-11-16", 1)}
    second = update_state({"a": "404 Not Found", "b": "500"}, first, "2026-11-23")
    assert second == {"a": Failure("2026-11-16", 2), "b": Failure("2026-11-23", 1)}
    third = update_state({"a": None, "b": ""}, second, "2026-11-30")
    assert third == {"a": Failure("2026-11-16", 2)}
    assert update_state({}, third, "2026-12-07") == {}
    assert update_state({"a": "", "b": "500"}, third, "2026-12-07") == {
        "b": Failure("2026-12-07", 1)
    }


def test_the_state_survives_writing_and_reading() -> None:
    state = {
        "https://b.dev/\"'`": Failure("2026-11-16", 2),
        "https://a.dev/ü": Failure("2026-11-23", 1),
    }
    assert parse_state(format_state(state)) == state
    assert parse_state(format_state({})) == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"a": 1}', '{"a": {"since": 1, "runs": 1}}', '{"a": {"since": "x"}}'],
    ids=["empty", "list", "not JSON", "number", "wrong type of since", "no runs"],
)
def test_an_invalid_state_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_state(text)


# Tests of the command. The local server is the proxy, so it serves any host name.


@pytest.fixture
def handbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Handbook and its site, with links to other hosts."""
    ignored = "    links: {ignore: ['http://docs.shop.dev/team/*']}\n"
    links = ("200", "404#part", "404", "team/404", "500-then-200", "429")
    text = "\n".join(f"- <http://docs.shop.dev/{path}>" for path in links)
    page = "".join(f'<a href="http://docs.shop.dev/{path}">x</a>' for path in links)
    write(
        tmp_path,
        {
            "mkdocs.yml": SETTINGS + ignored,
            "adr/0001-a.md": ADR.replace("Why.", text),
            "site/index.html": "<h1>x</h1><a href='http://docs.shop.dev/410'>x</a>"
            "<a href=https://shop.example/404>x</a>",
            "site/adr/0001-a/index.html": page,
        },
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "handbook.cli.links_command.check_addresses", partial(check_addresses, pause=0.0)
    )
    return tmp_path


@pytest.mark.build
@pytest.mark.usefixtures("without_pauses")
def test_a_second_failure_is_an_error(
    handbook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(day: str) -> tuple[int, list[str]]:
        code = main(["links", "site", "--external", "--state", "state.json", "--today", day])
        return code, [
            line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")
        ]

    with serving() as (url, requests):
        for variable in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(variable, url)
        assert run("2026-11-16") == (
            0,
            [
                "adr/0001-a.md:11:3: LNK108 warning: unreachable link 'http://docs.shop.dev/404': "
                "404 Not Found (since 2026-11-16, runs: 1)",
                "adr/0001-a.md:12:3: LNK108 warning: unreachable link 'http://docs.shop.dev/404': "
                "404 Not Found (since 2026-11-16, runs: 1)",
                "site/index.html:1:1: LNK108 warning: unreachable link 'http://docs.shop.dev/410': "
                "410 Gone (since 2026-11-16, runs: 1)",
                "2 page, 8 link: 0 errors, 3 warnings",
            ],
        )
        assert requests["/team/404"] == 0
        assert requests["/200"] == 1
        assert json.loads((handbook / "state.json").read_text(encoding="utf-8")) == {
            "http://docs.shop.dev/404": {"since": "2026-11-16", "runs": 1},
            "http://docs.shop.dev/410": {"since": "2026-11-16", "runs": 1},
        }
        code, lines = run("2026-11-23")
        assert code == 1
        assert [line.split(": ")[1] for line in lines[:3]] == ["LNK109 error"] * 3
        assert lines[0].endswith(
            "dead link 'http://docs.shop.dev/404': 404 Not Found (since 2026-11-16, runs: 2)"
        )


def test_the_command_refuses_an_invalid_state(
    handbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(handbook, {"state.json": "[]"})
    assert main(["links", "site", "--external", "--state", "state.json"]) == 2
    assert capsys.readouterr().err.startswith("handbook: invalid state file 'state.json': ")
    assert (handbook / "state.json").read_text(encoding="utf-8") == "[]"


def test_without_external_no_host_is_checked(
    handbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "handbook.site.external.subprocess.run",
        lambda *_, **__: pytest.fail("LinkChecker was started"),
    )
    assert main(["links", "site"]) == 0


def test_a_failure_of_linkchecker_is_reported_in_one_line(
    handbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration = "[checking]\nthreads=many\n# {timeout} {max_seconds}\n"
    monkeypatch.setattr(external, "_CONFIGURATION", configuration)
    assert main(["links", "site", "--external"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("handbook: LinkChecker failed: ")
    assert err.count("\n") == 1
