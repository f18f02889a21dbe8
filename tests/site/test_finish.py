"""Finished pages: content policy, feed, search keys, dates of change, redirects and drawings."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from handbook.history.git import read_change_days
from handbook.loading import load
from handbook.rules.engine import run as check
from handbook.site import finish as publishing
from handbook.views.drawings import Share, dots, shares, timeline
from handbook.views.feed import feed
from handbook.views.footer import footer
from handbook.views.keys import keys
from tests.commands import run
from tests.handbooks import ADR, SMALL, TODAY, copy_site, write
from tests.repositories import run_git

THEME = Path(str(find_spec("material").origin)).parent  # type: ignore[union-attr]
SCRIPTS = THEME / "templates/partials/javascripts"
PALETTE = re.findall(
    "<script>(.*)</script>", (SCRIPTS / "palette.html").read_text(encoding="utf-8")
)[0]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Repository with two commits and an uncommitted file."""
    root = tmp_path / "repository"
    root.mkdir()
    run_git(root, "init", "--quiet", "--initial-branch", "main")
    (root / "a.md").write_text("a")
    (root / "ü b.md").write_text("b")
    run_git(root, "add", ".")
    run_git(root, "commit", "--quiet", "-m", "one", day="2026-03-01")
    (root / "a.md").write_text("aa")
    run_git(root, "commit", "--quiet", "-am", "two", day="2026-04-02")
    (root / "new.md").write_text("new")
    return root


def test_the_day_of_a_file_is_the_day_of_its_last_commit(repository: Path) -> None:
    assert read_change_days(repository) == {"a.md": "2026-04-02", "ü b.md": "2026-03-01"}


def test_a_shallow_clone_has_no_days(repository: Path, tmp_path: Path) -> None:
    run_git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository}", "shallow")
    assert read_change_days(tmp_path / "shallow") is None


def test_a_folder_without_git_has_no_days(tmp_path: Path) -> None:
    assert read_change_days(tmp_path) is None


def test_the_footer_shows_the_day_of_the_last_change() -> None:
    assert 'datetime="2026-04-02"' in footer({"a.md": "2026-04-02"}, "a.md")
    assert "Not committed yet" in footer({"a.md": "2026-04-02"}, "new.md")
    assert "unknown" in footer(None, "a.md")


def test_the_policy_of_a_page_allows_only_the_inline_scripts_of_the_theme() -> None:
    page = (
        f'<html><head><meta charset="utf-8"></head><script>{PALETTE}</script>'
        '<script src="x.js"></script>'
        '<script id="c" type="application/json">{"a": 1}</script></html>'
    )
    protected, foreign = publishing.add_policy(page)
    assert not foreign
    digest = base64.b64encode(hashlib.sha256(PALETTE.encode()).digest()).decode()
    policy = re.search(
        r'<head><meta http-equiv="Content-Security-Policy" content="([^"]*)"><meta charset=',
        protected,
    )
    assert policy
    assert re.findall(r"'sha256-[^']*'", policy[1]) == [f"'sha256-{digest}'"]
    assert "unsafe-inline" not in policy[1]
    assert policy[1].startswith("default-src 'none';")


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.html")), ids=lambda path: path.stem)
def test_every_inline_script_of_the_theme_is_allowed(script: Path) -> None:
    text = script.read_text(encoding="utf-8").replace(
        "{{ config.extra.scope | d(base_url) }}", "../.."
    )
    page = f'<head><meta charset="utf-8"></head>{text}'.replace(
        "{{ base_url }}", "https://a.example/b/"
    )
    protected, foreign = publishing.add_policy(page)
    assert foreign == ()
    assert len(re.findall("'sha256-[^']*'", protected)) == page.count("<script>")


@pytest.mark.parametrize(
    "page",
    [
        "<head><meta charset=utf-8></head><script>x()</script>",
        "<head><title>x</title></head><SCRIPT type=module>x()</SCRIPT >",
        '<script data-src="a">x()</script>',
        "<!doctype html><script\n>x()</script>",
    ],
    ids=["after the head", "module in capitals", "data-src", "line break in the tag"],
)
def test_any_other_inline_script_is_reported_and_not_allowed(page: str) -> None:
    protected, foreign = publishing.add_policy(page)
    assert foreign == ("x()",)
    assert "sha256-" not in protected
    assert protected.index("Content-Security-Policy") < protected.lower().index("<script")


@pytest.mark.build
def test_finishing_a_site_again_changes_nothing(small_site: Path, tmp_path: Path) -> None:
    site = copy_site(small_site, tmp_path / "site")
    pages = {path: path.read_bytes() for path in site.rglob("*.html")}
    answer = run("handbook", "finish", str(site), "--root", str(SMALL), cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert re.fullmatch(r"finished \d+ pages and \d+ redirects in \S+/site\n", answer.stdout)
    assert {path: path.read_bytes() for path in site.rglob("*.html")} == pages


def test_a_missing_site_cannot_be_finished(tmp_path: Path) -> None:
    answer = run("handbook", "finish", "nowhere", "--root", str(SMALL), cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (
        2,
        "handbook: no site in folder 'nowhere'; build the site first\n",
    )


def test_two_pages_cannot_have_the_same_old_address(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    moved = ADR.replace("status: accepted", "status: accepted\nmoved_from: [/old/]")
    write(root, {"adr/0004-a.md": moved, "adr/0005-b.md": moved, "site/index.html": ""})
    with pytest.raises(
        publishing.FinishError,
        match=r"adr/0005-b.md: duplicate moved_from '/old/' \(also in adr/0004-a.md\)",
    ):
        publishing.write_redirects(root / "site", load(root))


def test_each_entry_of_the_feed_has_the_date_of_its_change() -> None:
    root = ElementTree.fromstring(feed(load(SMALL)))  # noqa: S314 - XML from our own code
    entries = root.findall(f"{ATOM}entry")
    titles = [str(entry.findtext(f"{ATOM}title")) for entry in entries]
    assert "Orders stopped (published)" in titles
    assert any(title.startswith("ADR-0001: ") for title in titles)
    dates = [str(entry.findtext(f"{ATOM}updated")) for entry in entries]
    assert dates == sorted(dates, reverse=True)
    assert root.findtext(f"{ATOM}updated") == dates[0]
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids)
    assert feed(load(SMALL)) == feed(load(SMALL))
    # RFC 4287 requires these elements of a feed and of its entries.
    for element in (root, *entries):
        assert all(
            len(element.findall(f"{ATOM}{name}")) == 1 for name in ("id", "title", "updated")
        )
        assert str(element.findtext(f"{ATOM}id")).startswith("https://")
        assert element.findall(f"{ATOM}link[@href]")
        assert datetime.fromisoformat(str(element.findtext(f"{ATOM}updated"))).tzinfo
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "A small handbook"


def test_the_date_of_an_empty_feed_does_not_depend_on_the_clock(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": (SMALL / "mkdocs.yml").read_text(encoding="utf-8")})
    empty = ElementTree.fromstring(feed(load(tmp_path)))  # noqa: S314 - XML from our own code
    assert empty.findtext(f"{ATOM}updated") == "1980-01-01T00:00:00+00:00"


def test_a_key_is_in_the_file_of_each_of_its_words(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(
        root,
        {
            "adr/0004-x.md": ADR.replace(
                "# A decision", "# Überlauf of pg_isready by HTTPErrors, ThreadDump"
            )
        },
    )
    prefixes = {
        path.removeprefix("assets/keys/").removesuffix(".json")
        for path, content in keys(load(root)).items()
        if "pg_isready" in content
    }
    assert prefixes == {"ube", "pg", "isr", "htt", "err", "thr", "dum", "adr", "4"}


@pytest.mark.build
def test_the_old_address_of_a_page_redirects_to_the_new_one(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(
        root,
        {
            "adr/0004-moved.md": ADR.replace(
                "status: accepted", "status: accepted\nmoved_from: [/old/place/]"
            )
        },
    )
    page = (root / "docs/markdown.md").read_text(encoding="utf-8")
    write(root, {"docs/markdown.md": f"---\nmoved_from: [/how/to/write/]\n---\n{page}"})
    run("mkdocs", "build", cwd=root, check=True)
    for old_address, target in (
        ("old/place", "../../adr/0004-moved/"),
        ("how/to/write", "../../../markdown/"),
    ):
        html = (root / f"site/{old_address}/index.html").read_text(encoding="utf-8")
        assert f'content="0; url={target}"' in html
        assert (
            """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">""" in html
        )
    assert (root / "site/adr/0004-moved/index.html").is_file()


def test_an_old_address_cannot_be_the_address_of_a_built_page(tmp_path: Path) -> None:
    """The engine or another plugin can write a page that the check does not know."""
    root = copy_site(SMALL, tmp_path / "handbook")
    moved = ADR.replace("status: accepted", "status: accepted\nmoved_from: [/old/]")
    write(root, {"adr/0004-moved.md": moved, "site/old/index.html": "<h1>Old</h1>"})
    message = r"adr/0004-moved.md: moved_from '/old/' is the address of an existing page"
    with pytest.raises(publishing.FinishError, match=message):
        publishing.write_redirects(root / "site", load(root))


@pytest.mark.parametrize("old_address", ["/../elsewhere/", "/adr/../../x/", "/./"])
def test_an_old_address_must_be_in_the_site(old_address: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(
        root,
        {
            "adr/0004-moved.md": ADR.replace(
                "status: accepted", f"status: accepted\nmoved_from: [{old_address}]"
            )
        },
    )
    codes = [
        finding.code
        for finding in check(load(root), TODAY).findings
        if finding.at.path == "adr/0004-moved.md"
    ]
    assert codes == ["FM006"]


@pytest.mark.build
def test_a_site_with_an_uncommitted_record_builds(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    run_git(root, "init", "--quiet")
    run_git(root, "add", "docs", "mkdocs.yml", "adr", "runbooks", "postmortems")
    run_git(root, "commit", "--quiet", "-m", "all", day="2026-04-02")
    write(root, {"adr/0004-new.md": ADR})
    run("mkdocs", "build", cwd=root, check=True)
    assert "Not committed yet" in (root / "site/adr/0004-new/index.html").read_text(
        encoding="utf-8"
    )
    sitemap = (root / "site/sitemap.xml").read_text(encoding="utf-8")
    assert set(re.findall(r"<lastmod>(.*?)</lastmod>", sitemap)) == {"2026-04-02"}


def test_the_gaps_of_a_timeline_are_to_scale() -> None:
    begin = datetime(2026, 5, 15, 10, 14, tzinfo=UTC)
    points = [
        (begin + timedelta(minutes=minutes), label)
        for minutes, label in ((0, "a"), (0, "b"), (40, "c"), (120, "d"))
    ]
    drawing = timeline(points)
    assert ">a, b<" in drawing
    first, second, third = (float(y) for y in re.findall(r'<circle[^>]* cy="([\d.]+)"', drawing))
    assert (third - second) / (second - first) == pytest.approx(2, rel=0.01)
    assert timeline(points[:2]) == ""


def test_a_timeline_over_several_days_begins_each_day_with_its_date() -> None:
    begin = datetime(2026, 2, 13, 22, 5, tzinfo=UTC)
    hours = ((0, "started"), (1, "detected"), (2, "mitigated"), (480, "resolved"))
    points = [(begin + timedelta(hours=hour), label) for hour, label in hours]
    drawing = timeline(points)
    assert (
        "2026-02-13 22:05 started; 23:05 detected; 2026-02-14 00:05 mitigated; 2026-03-05 22:05 "
        "resolved" in drawing
    )
    texts = re.findall(r"<text[^>]*>([^<]+)", drawing)
    assert [text for text in texts if text.startswith("2026")] == [
        "2026-02-13",
        "2026-02-14",
        "2026-03-05",
    ]
    ys = [float(y) for y in re.findall(r'<text[^>]* y="([\d.]+)"', drawing)]
    assert min(ys) >= 12  # The first date is in the drawing.
    assert "2026" not in timeline(points[:2])


def test_dots_are_at_their_values_and_the_text_gives_the_median() -> None:
    drawing = dots("Time to mitigate", [timedelta(minutes=minutes) for minutes in (10, 20, 60)])
    assert "3 incidents, median 20 min, longest 1 h" in drawing
    xs = [float(x) for x in re.findall(r'<circle[^>]* cx="([\d.]+)"', drawing)]
    assert xs == sorted(xs)
    assert dots("Time to mitigate", [timedelta(minutes=1)]) == ""


def test_one_long_incident_does_not_hide_how_the_others_differ() -> None:
    minutes = (4, 40, 400, 20 * 24 * 60)
    drawing = dots("Time to resolve", [timedelta(minutes=minute) for minute in minutes])
    xs = [float(x) for x in re.findall(r'<circle[^>]* cx="([\d.]+)"', drawing)]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert xs[1] - xs[0] > 50
    ticks = re.findall(r'y="63" text-anchor="middle">([^<]+)<', drawing)
    assert ticks == ["1 min", "10 min", "1 h", "6 h", "1 d", "7 d", "30 d"]
    short = [timedelta(minutes=4), timedelta(minutes=400)]
    comparable = [timedelta(minutes=minute) for minute in minutes]
    drawing = dots("Time to mitigate", short, comparable)
    assert re.findall(r'<circle[^>]* cx="([\d.]+)"', drawing) == [str(xs[0]), str(xs[2])]


@pytest.mark.parametrize("minutes", [0, 1, 10, 365 * 24 * 60, 1000 * 24 * 60])
def test_equal_durations_have_a_scale_that_contains_them(minutes: int) -> None:
    drawing = dots("Time to resolve", [timedelta(minutes=minutes)] * 2)
    xs = [float(x) for x in re.findall(r'<circle[^>]* cx="([\d.]+)"', drawing)]
    assert all(0 < x < 360 for x in xs)
    assert 'y="63"' in drawing


def test_shares_fill_the_bar_and_skip_a_share_of_zero() -> None:
    drawing = shares(
        [Share("pass", 3, "good"), Share("fail", 0, "bad"), Share("unknown", 1, "open")]
    )
    assert [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', drawing)] == [
        270,
        90,
    ]
    assert "fail" not in drawing
    assert shares([Share("pass", 0, "good")]) == ""
