"""What other hosts answer, asked of a server on this machine; and what is remembered from run to run."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest

from handbook.cli import main
from handbook.site import external as web
from handbook.site.external import (
    Failure,
    NoWebError,
    after,
    ask,
    remembered,
    worth_asking,
    written,
)
from tests.commands import answering
from tests.handbooks import ADR, SETTINGS, write


class _Host(BaseHTTPRequestHandler):
    """Answers by the path: the code in its name, `/500-then-200`, a redirect, or late. Asked as a proxy, too."""

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        path = (
            "/" + self.path.partition("://")[2].partition("/")[2]
            if "://" in self.path
            else self.path
        )
        self.asked[path] += 1
        word = path.strip("/").partition("?")[0]
        first, _, then = word.partition("-then-")
        code = first if self.asked[path] == 1 or not then else then
        headers = {}
        if word.startswith("to-"):
            code, headers = "302", {"Location": "/" + word.removeprefix("to-")}
        elif code.startswith("429"):
            code, _, wait = code.partition("-")
            headers = {"Retry-After": wait} if wait else {}
        elif word == "late":
            time.sleep(3)
        self.send_response(int(code) if code.isdigit() else 404 if word == "robots.txt" else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@contextmanager
def serving() -> Iterator[tuple[str, Counter[str]]]:
    """A host on this machine: its address, and how often each path was asked for."""
    _Host.asked = Counter()
    with answering(_Host) as address:
        yield address.rstrip("/"), _Host.asked


@pytest.fixture
def host() -> Iterator[tuple[str, Counter[str]]]:
    """A host on this machine."""
    with serving() as found:
        yield found


@pytest.mark.build
def test_what_answers_is_well_and_what_does_not_is_said(host: tuple[str, Counter[str]]) -> None:
    url, asked = host
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{free.getsockname()[1]}/dead"
    paths = (
        "here",
        "404",
        "500-then-200",
        "to-here",
        "to-404",
        "to-to-here",
        "late",
        "410?x=1",
        "a b",
        "ü",
    )
    waits: list[float] = []
    answers = ask(
        [*(f"{url}/{path}" for path in paths), dead], pause=0.25, timeout=1, sleep=waits.append
    )
    said = {address.removeprefix(f"{url}/"): what for address, what in answers.items()}
    well = dict.fromkeys(("here", "500-then-200", "to-here", "to-to-here", "a b", "ü"), "")
    assert well.items() <= said.items()
    assert (said["404"], said["to-404"], said["410?x=1"]) == (
        "404 Not Found",
        "404 Not Found",
        "410 Gone",
    )
    assert "timed out" in str(said["late"])
    assert str(said[dead]).startswith("ConnectionError")
    assert all(len(str(what)) <= 120 for what in said.values())
    assert waits == [0.25, 0.25]
    assert (asked["/here"], asked["/500-then-200"]) == (
        3,
        2,
    )  # itself, and two redirects lead there
    assert (asked["/410?x=1"], asked["/late"]) == (web.ROUNDS, web.ROUNDS)
    assert (asked["/a%20b"], asked["/%C3%BC"]) == (1, 1)


@pytest.mark.build
def test_a_host_that_asks_for_patience_is_given_it(host: tuple[str, Counter[str]]) -> None:
    url, asked = host
    waits: list[float] = []
    paths = ("429-7-then-200", "429-100000", "429", "429-soon-then-200")
    answers = ask((f"{url}/{path}" for path in paths), pause=1, sleep=waits.append)
    assert [answers[f"{url}/{path}"] for path in paths] == ["", None, None, ""]
    assert waits == [7, 1]
    assert (asked["/429-100000"], asked["/429"]) == (1, web.ROUNDS)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("", 0), ("None", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("soon", 0)],
)
def test_retry_after_is_a_number_or_a_date(said: str, seconds: float) -> None:
    assert web._seconds(said) == seconds


def test_a_date_to_retry_after_is_counted_from_now() -> None:
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 60))
    assert 55 < web._seconds(later) <= 60


@pytest.mark.build
def test_a_machine_without_a_web_accuses_nobody() -> None:
    with pytest.raises(NoWebError, match="not to be on the web"):
        ask([f"http://host-{number}.invalid/" for number in range(3)], rounds=1)


def test_nothing_to_ask_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "handbook.site.external.subprocess.run",
        lambda *_, **__: pytest.fail("LinkChecker was started"),
    )
    assert ask([]) == {}


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
def test_examples_and_what_is_ignored_are_not_asked(address: str, expected: bool) -> None:
    assert worth_asking(address, ("https://github.com/mycompany/*", "*/old/*")) is expected


def test_a_failure_is_counted_until_it_answers() -> None:
    first = after({"a": "404 Not Found", "b": "", "c": None}, {}, "2026-11-16")
    assert first == {"a": Failure("2026-11-16", 1)}
    second = after({"a": "404 Not Found", "b": "500"}, first, "2026-11-23")
    assert second == {"a": Failure("2026-11-16", 2), "b": Failure("2026-11-23", 1)}
    third = after({"a": None, "b": ""}, second, "2026-11-30")
    assert third == {"a": Failure("2026-11-16", 2)}
    assert after({}, third, "2026-12-07") == {}
    assert after({"a": "", "b": "500"}, third, "2026-12-07") == {"b": Failure("2026-12-07", 1)}


def test_the_state_is_read_as_it_was_written() -> None:
    state = {
        "https://b.dev/\"'`": Failure("2026-11-16", 2),
        "https://a.dev/ü": Failure("2026-11-23", 1),
    }
    assert remembered(written(state)) == state
    assert remembered(written({})) == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": 1}', '{"a": {"since": 1, "runs": 1}}', '{"a": {"since": "x"}}']
)
def test_a_state_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        remembered(text)


# The command: a name that only the server on this machine knows, which is its proxy.


@pytest.fixture
def handbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A handbook and its site, with links to hosts elsewhere."""
    ignored = "    links: {ignore: ['http://docs.shop.dev/team/*']}\n"
    links = ("200", "404#part", "404", "team/404", "500-then-200", "429")
    text = "\n".join(f"- <http://docs.shop.dev/{path}>" for path in links)
    page = "".join(f'<a href="http://docs.shop.dev/{path}">x</a>' for path in links)
    write(
        tmp_path,
        {
            "mkdocs.yml": SETTINGS + ignored,
            "adr/0001-a.md": ADR.replace("Why.", text),
            "site/index.html": "<h1>x</h1><a href='http://docs.shop.dev/410'>x</a><a href=https://shop.example/404>x</a>",
            "site/adr/0001-a/index.html": page,
        },
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(web.ask, "__kwdefaults__", {**(web.ask.__kwdefaults__ or {}), "pause": 0.0})
    return tmp_path


@pytest.mark.build
def test_a_second_failure_is_an_error(
    handbook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(day: str) -> tuple[int, list[str]]:
        code = main(["links", "site", "--external", "--state", "state.json", "--today", day])
        return code, [
            line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")
        ]

    with serving() as (url, asked):
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, url)
        assert run("2026-11-16") == (
            0,
            [
                "adr/0001-a.md:11:3: LNK108 warning: http://docs.shop.dev/404 does not answer: 404 Not Found "
                "(since 2026-11-16, runs: 1)",
                "adr/0001-a.md:12:3: LNK108 warning: http://docs.shop.dev/404 does not answer: 404 Not Found "
                "(since 2026-11-16, runs: 1)",
                "site/index.html:1:1: LNK108 warning: http://docs.shop.dev/410 does not answer: 410 Gone "
                "(since 2026-11-16, runs: 1)",
                "2 page, 8 link: 0 errors, 3 warnings",
            ],
        )
        assert asked["/team/404"] == 0
        assert asked["/200"] == 1
        assert json.loads((handbook / "state.json").read_text(encoding="utf-8")) == {
            "http://docs.shop.dev/404": {"since": "2026-11-16", "runs": 1},
            "http://docs.shop.dev/410": {"since": "2026-11-16", "runs": 1},
        }
        code, lines = run("2026-11-23")
        assert code == 1
        assert [line.split(": ")[1] for line in lines[:3]] == ["LNK109 error"] * 3
        assert "(since 2026-11-16, runs: 2)" in lines[0]


def test_a_state_of_something_else_is_no_run(
    handbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(handbook, {"state.json": "[]"})
    assert main(["links", "site", "--external", "--state", "state.json"]) == 2
    assert capsys.readouterr().err.startswith(
        "handbook: state.json holds no state of an earlier run: "
    )
    assert (handbook / "state.json").read_text(encoding="utf-8") == "[]"


def test_without_external_no_host_is_asked(handbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "handbook.site.external.subprocess.run",
        lambda *_, **__: pytest.fail("LinkChecker was started"),
    )
    assert main(["links", "site"]) == 0


def test_a_linkchecker_that_fails_is_said_in_a_line(
    handbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web, "_CONFIGURATION", "[checking]\nthreads=many\n# {timeout} {most}\n")
    assert main(["links", "site", "--external"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("handbook: LinkChecker failed: ")
    assert err.count("\n") == 1
