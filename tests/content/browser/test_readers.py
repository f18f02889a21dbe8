"""Tasks of readers: find a fix on a phone, search for an id or an error, read without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from handbook.loading import load
from handbook.records.postmortem import Postmortem
from tests.browser.conftest import INDEXES, Opener, paste
from tests.content.conftest import EXAMPLE, list_pages
from tests.handbooks import ROOT

pytestmark = pytest.mark.browser


def search(page: Page, query: str) -> None:
    """Open the search, paste the query, and wait for its results."""
    if not page.locator("#hb-search[open]").count():
        page.locator(".hb-find").click()
    paste(page.locator("#hb-search input"), query)
    wait_for_results(page, query)


def wait_for_results(page: Page, query: str) -> None:
    """Wait until the dialog shows all results of a query."""
    page.wait_for_function(
        "query => document.getElementById('hb-search').dataset.shown === query", arg=query
    )


TEXT_SEARCH = "**/pagefind/fragment/**"


@contextmanager
def hold_requests(page: Page, url: str) -> Iterator[None]:
    """Hold the requests with this pattern until the end of the block."""
    held: list[Route] = []
    page.route(url, lambda route: held.append(route))
    yield
    page.route(url, lambda route: route.continue_())
    for route in held:
        route.continue_()


def read_titles(page: Page, limit: int = 3) -> list[str]:
    """Return the read_titles of the first results."""
    return [
        text.strip() for text in page.locator(".hb-search__results a").all_inner_texts()[:limit]
    ]


def test_two_taps_lead_from_an_alert_name_to_the_command_of_its_fix(open_browser: Opener) -> None:
    watched = open_browser(390)
    page = watched.open("")
    search(page, "OrderServiceHighErrorRate")
    page.locator(".hb-search__results a", has_text="OrderServiceHighErrorRate").first.tap()
    page.wait_for_url("**/alerts/OrderServiceHighErrorRate/**")
    page.get_by_role("link", name="Out of memory", exact=True).first.tap()
    page.wait_for_url("**/alerts/OrderServiceHighErrorRate/#out-of-memory")
    command = page.get_by_text("kubectl argo rollouts restart").first
    assert command.is_visible()
    box = command.bounding_box()
    assert box
    assert 0 <= box["y"] < 844
    assert watched.faults == []


def test_the_address_of_an_alert_leads_to_its_runbook(open_browser: Opener) -> None:
    """The page of a critical alert shows the triage, which leads to the special case."""
    page = open_browser().open("alerts/OrderServiceErrorsCritical/")
    assert page.get_by_role("heading", name="Diagnosis steps").is_visible()
    page.get_by_role("link", name="database connection pool exhausted").first.click()
    page.wait_for_url("**/runbooks/order-service/database-connection-pool-exhausted/**")
    assert (
        page.get_by_role("heading", level=1)
        .inner_text()
        .startswith("Order service: database connection pool")
    )


def test_the_search_page_reads_its_query_from_the_address_and_writes_it(
    open_browser: Opener,
) -> None:
    watched = open_browser(390)
    page = watched.open("search/?q=kuberntes")
    form = page.locator("[data-search-page]")
    page.wait_for_selector("[data-search-page][data-shown]")
    assert form.locator("a").first.inner_text().startswith("STD-09")
    assert "kubernetes instead of kuberntes" in form.locator(".hb-search__status").inner_text()
    paste(form.locator("input"), "overdue actions")
    page.wait_for_function(
        "() => document.querySelector('[data-search-page]').dataset.shown === 'overdue actions'"
    )
    assert page.url.endswith("search/?q=overdue+actions")
    assert (form.locator("a").first.get_attribute("href") or "").endswith("/due/")
    page.reload()
    page.wait_for_selector("[data-search-page][data-shown]")
    assert form.locator("input").input_value() == "overdue actions"
    assert watched.faults == []


def test_the_search_fills_a_phone_and_offers_kinds_only_for_results(open_browser: Opener) -> None:
    watched = open_browser(390)
    page = watched.open("adr/")
    page.locator(".hb-find").click()
    dialog = page.locator("#hb-search")
    dialog.wait_for()
    box = dialog.bounding_box()
    assert box
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    assert not dialog.locator("select").is_visible()
    search(page, "kubeflow")
    assert "No results. The nearest names:" in dialog.locator(".hb-search__status").inner_text()
    assert dialog.locator(".hb-search__results a").count() > 0
    assert not dialog.locator("select").is_visible()
    search(page, "canary")
    assert dialog.locator("select").is_visible()
    assert dialog.locator(".hb-search__badge").count() > 0
    dialog.get_by_role("link", name="Link to this search").click()
    page.wait_for_url("**/search/?q=canary")
    assert watched.faults == []


def test_the_search_works_on_the_page_for_missing_addresses(
    open_browser: Opener, real_site: Path
) -> None:
    watched = open_browser()
    page = watched.open("404.html")
    search(page, "ADR-0023")
    page.locator(".hb-search__results a").first.click()
    page.wait_for_url("**/adr/0023-use-postgresql-for-orders/**")
    assert watched.faults == []
    # Below a nested site, a server with one such page sends it too. It then searches that site.
    missing = f"{EXAMPLE}/alerts/CheckoutSlo/"
    answer = (real_site / "404.html").read_text(encoding="utf-8")
    # The worker of an earlier page would ask the server, past this route.
    watched = open_browser(shared=False)
    watched.page.route(
        f"**/{missing}", lambda route: route.fulfill(body=answer, content_type="text/html")
    )
    page = watched.open(missing)
    suggestion = page.locator("[data-missing] .hb-search__results a").first
    suggestion.wait_for()
    assert urlsplit(suggestion.evaluate("a => a.href")).path == f"/{EXAMPLE}/alerts/CheckoutSlow/"
    form = page.locator("[data-missing] form")
    assert urlsplit(form.evaluate("form => form.action")).path == f"/{EXAMPLE}/search/"
    assert watched.faults == []


def test_a_search_is_limited_to_a_kind(open_browser: Opener) -> None:
    page = open_browser().open("")
    search(page, "orders")
    page.locator("#hb-search select").select_option("Post-mortem")
    page.wait_for_function("() => document.querySelectorAll('.hb-search__what').length === 1")
    assert read_titles(page) == ["Order service outage"]


def test_a_query_typed_slowly_has_the_results_of_a_query_typed_quickly(
    open_browser: Opener,
) -> None:
    """The search also runs on the beginning of the query. It must drop its results."""
    page = open_browser().open("")
    page.locator(".hb-find").click()
    with hold_requests(page, TEXT_SEARCH):
        with page.expect_request(TEXT_SEARCH):
            page.keyboard.type("connection")
        page.keyboard.type(" pool timeout")
    page.wait_for_function("() => document.getElementById('hb-search').dataset.shown")
    slow_results = read_titles(page, 10)
    page.reload()
    search(page, "connection pool timeout")
    assert read_titles(page, 10) == slow_results
    assert len(set(slow_results)) == len(slow_results) > 3


def test_an_emptied_field_forgets_how_slowly_the_reader_typed(open_browser: Opener) -> None:
    """A phone can insert a whole word. The search then starts after half a second."""
    page = open_browser().open("")
    page.locator(".hb-find").click()
    field = page.locator("#hb-search input")
    field.fill("rollback")
    wait_for_results(page, "rollback")
    page.evaluate("""() => {
        window.delays = [];
        const start = window.setTimeout;
        window.setTimeout = (task, delay) => window.delays.push(delay) && start(task, delay);
    }""")
    field.fill("")
    page.keyboard.insert_text("canary")
    wait_for_results(page, "canary")
    assert max(page.evaluate("() => window.delays")) == 500


def test_words_of_every_page_are_not_searched(open_browser: Opener) -> None:
    page = open_browser().open("")
    search(page, "there are")
    assert read_titles(page) == []
    assert "too common" in page.locator(".hb-search__status").inner_text()


def test_the_search_is_loaded_only_when_it_is_used(open_browser: Opener) -> None:
    watched = open_browser(shared=False)
    requests: list[str] = []
    watched.page.on("request", lambda request: requests.append(request.url))
    page = watched.open("")
    page.wait_for_load_state("networkidle")
    assert not [url for url in requests if "pagefind" in url or "search" in url or "/keys/" in url]
    search(page, "rollback")
    assert [url for url in requests if "pagefind" in url]


def test_without_scripts_the_search_opens_the_list_of_all_pages(open_browser: Opener) -> None:
    page = open_browser(390, scripts=False).open("adr/")
    assert not page.locator(".hb-filter").is_visible()
    page.locator(".hb-find").click()
    page.wait_for_url("**/search/")


def test_the_keyboard_alone_leads_from_home_to_a_fix(open_browser: Opener) -> None:
    watched = open_browser()
    page = watched.open("")
    page.keyboard.press("/")
    page.wait_for_selector("#hb-search[open]")
    page.keyboard.type("RateLimitError")
    page.wait_for_function(
        "() => document.querySelector('.hb-search__results a')"
        "?.textContent.includes('high error rate')"
    )
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runbooks/order-service/high-error-rate/#stripe-rate-limiting")
    assert watched.faults == []


def test_a_result_keeps_the_focus_when_more_results_arrive(open_browser: Opener) -> None:
    """The exact matches are there at once. The reader moves to one before the text search ends."""
    page = open_browser().open("")
    page.locator(".hb-find").click()
    page.wait_for_selector("#hb-search[open]")
    with hold_requests(page, TEXT_SEARCH):
        with page.expect_request(TEXT_SEARCH):
            page.keyboard.type("RateLimitError")
        page.keyboard.press("ArrowDown")
        focused = page.locator(".hb-search__results a:focus")
        chosen = focused.inner_text()
    page.wait_for_function("() => document.getElementById('hb-search').dataset.shown")
    assert focused.inner_text() == chosen
    page.keyboard.press("Enter")
    page.wait_for_url("**/runbooks/order-service/high-error-rate/#stripe-rate-limiting")


def test_enter_waits_for_the_results_of_the_words_in_the_field(open_browser: Opener) -> None:
    page = open_browser().open("")
    search(page, "semantic versioning")
    page.locator("#hb-search input").fill("RateLimitError")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runbooks/order-service/high-error-rate/#stripe-rate-limiting")


def test_a_result_on_the_same_page_closes_the_search(open_browser: Opener) -> None:
    page = open_browser().open("runbooks/order-service/high-error-rate/")
    search(page, "RateLimitError")
    page.keyboard.press("Enter")
    page.wait_for_url("**/#stripe-rate-limiting")
    page.wait_for_selector("#hb-search", state="hidden")


def read_status(page: Page) -> Locator:
    """Return the line above the results."""
    return page.locator("#hb-search .hb-search__status")


@pytest.mark.parametrize(
    "blocked", ["**/pagefind/pagefind.js*", "**/pagefind/*.pf_meta", "**/pagefind/fragment/**"]
)
def test_names_are_found_without_the_index_of_texts_which_is_loaded_again(
    blocked: str, open_browser: Opener
) -> None:
    page = open_browser(shared=False).open("")
    page.route(blocked, lambda route: route.abort())
    search(page, "OrderServiceDown")
    assert "OrderServiceDown" in read_titles(page)[0]
    expect(read_status(page)).to_contain_text("the texts could not be loaded")
    search(page, "trunk branches")
    expect(read_status(page)).to_contain_text("The search could not be loaded. Try again")
    page.unroute(blocked)
    search(page, "trunk branches again")
    expect(read_status(page)).to_contain_text("results")
    expect(read_status(page)).not_to_contain_text("loaded")


def test_a_part_of_the_index_that_is_gone_is_read_from_the_newest_index(
    open_browser: Opener,
) -> None:
    """The site has changed since the search was loaded. Pagefind then says that no page has it."""
    page = open_browser(shared=False).open("")
    gone: list[str] = []

    def fail_first(route: Route) -> None:
        gone.append(route.request.url)
        if len(gone) == 1:
            route.fulfill(status=404)
        else:
            route.continue_()

    page.route("**/pagefind/index/**", fail_first)
    search(page, "trunk")
    expect(read_status(page)).to_contain_text("results")
    assert "Trunk-based development" in " ".join(read_titles(page))
    assert len(gone) > 1


def test_a_request_that_fails_once_is_sent_again(open_browser: Opener) -> None:
    page = open_browser(shared=False).open("")
    failed: list[str] = []

    def fail_once(route: Route) -> None:
        if route.request.url in failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort()

    page.route("**/assets/keys/**", fail_once)
    search(page, "OrderServiceDown")
    assert "OrderServiceDown" in read_titles(page)[0]
    expect(read_status(page)).not_to_contain_text("loaded")
    assert failed


def test_the_field_has_what_was_typed_while_the_search_was_loading(open_browser: Opener) -> None:
    page = open_browser(shared=False).open("")
    held: list[Route] = []
    page.route("**/search.js", lambda route: held.append(route))
    with page.expect_request("**/search.js"):
        page.keyboard.press("/")
    page.keyboard.type("OrderService Down")
    expect(read_status(page)).to_have_text("Loading…")
    held[0].continue_()
    page.wait_for_function("() => document.getElementById('hb-search').dataset.shown")
    assert page.locator("#hb-search input").input_value() == "OrderService Down"
    assert "OrderServiceDown" in read_titles(page)[0]


def test_enter_follows_no_name_that_is_only_near(open_browser: Opener) -> None:
    page = open_browser().open("")
    search(page, "kubeflow")
    expect(read_status(page)).to_contain_text("nearest names")
    page.keyboard.press("Enter")
    assert page.locator("#hb-search[open]").count()
    assert urlsplit(page.url).query == ""


def test_a_search_without_results_says_its_kind(open_browser: Opener) -> None:
    page = open_browser().open("")
    search(page, "certificate expired")
    page.locator("#hb-search select").select_option("Post-mortem")
    expect(read_status(page)).to_contain_text("No results of the kind Post-mortem.")
    link = page.locator("#hb-search [data-search-link]").get_attribute("href") or ""
    assert parse_qs(urlsplit(link).query)["kind"] == ["Post-mortem"]


def test_a_pasted_log_is_searched_by_its_ends(open_browser: Opener) -> None:
    page = open_browser().open("")
    search(page, "OrderServiceDown " + "at com.unknown.Frame " * 3000)
    address = page.locator("#hb-search [data-search-link]").get_attribute("href") or ""
    assert len(address) < 4_000
    assert "OrderServiceDown" in " ".join(read_titles(page, 5))


def test_a_selection_that_ends_beside_the_search_does_not_close_it(open_browser: Opener) -> None:
    page = open_browser().open("")
    search(page, "rollback")
    box = page.locator("#hb-search input").bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(5, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert page.locator("#hb-search[open]").count()
    page.mouse.click(5, 400)
    page.wait_for_selector("#hb-search", state="hidden")


def test_a_result_that_is_this_page_keeps_what_the_reader_filled_in(open_browser: Opener) -> None:
    page = open_browser().open("runbooks/order-service/high-error-rate/")
    page.evaluate("() => { window.hasStayed = true }")
    search(page, "Order service: high error rate")
    page.locator(
        '.hb-search__results a[href$="/runbooks/order-service/high-error-rate/"]'
    ).first.click()
    page.wait_for_selector("#hb-search", state="hidden")
    assert page.evaluate("() => window.hasStayed")


OPEN_INDEXES = [url for url in INDEXES if url != "reference/rules/"]
"""The indexes whose rows are all shown at first."""


def visible_rows(page: Page) -> list[str]:
    """Return the texts of the visible rows in the filtered tables."""
    script = """rows => rows.filter(row => row.checkVisibility())
      .map(row => row.textContent.toLowerCase())"""
    texts: list[str] = page.locator(".hb-table[data-rows] tbody tr").evaluate_all(script)
    return texts


@pytest.mark.parametrize("width", [390, 719, 1440])
@pytest.mark.parametrize("url", OPEN_INDEXES)
def test_a_filter_shows_exactly_the_rows_that_it_counts(
    url: str, width: int, open_browser: Opener
) -> None:
    watched = open_browser(width)
    page = watched.open(url)
    all_rows = visible_rows(page)
    assert all_rows
    rarest_word = max(
        all_rows[0].split(),
        key=lambda text: (sum(text not in row for row in all_rows), len(text)),
    )
    for text in (rarest_word, "nothing has this text"):
        page.get_by_label("Filter by text").fill(text)
        matching = [row for row in all_rows if all(term in row for term in text.split())]
        page.wait_for_function(
            "words => document.querySelector('.hb-filter output').textContent === words",
            arg=f"{len(matching)} of {len(all_rows)}",
        )
        assert visible_rows(page) == matching
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("() => !location.search")
    assert visible_rows(page) == all_rows
    if width == 390:
        page.get_by_role("button", name="More filters").click()
    for facet in page.locator(".hb-filter label select").all():
        facet.select_option(index=1)
        count = page.locator(".hb-filter output").inner_text()
        assert count == f"{len(visible_rows(page))} of {len(all_rows)}"
        facet.select_option(index=0)
    assert watched.faults == []


def test_the_list_of_indexes_is_complete(real_site: Path) -> None:
    pages = (
        page
        for page in list_pages(real_site)
        if 'class="hb-filter"' in page.read_text(encoding="utf-8")
        # a team has the table of due/, and a service the results of its audits
        and not page.is_relative_to(real_site / "teams")
        and page.parent.parent != real_site / "services"
    )
    assert {f"{page.parent.relative_to(real_site)}/" for page in pages} == {*INDEXES}


@pytest.mark.parametrize("url", OPEN_INDEXES)
def test_the_keyboard_alone_leads_through_a_filter_to_a_record(
    open_browser: Opener, url: str
) -> None:
    watched = open_browser()
    page = watched.open(url)
    field = page.get_by_label("Filter by text")
    for _ in range(60):
        page.keyboard.press("Tab")
        if field.evaluate("field => field === document.activeElement"):
            break
    page.keyboard.type("or")
    page.wait_for_url("**/?text=or")
    record = page.locator(".hb-table tbody tr:visible a").first
    for _ in range(30):
        page.keyboard.press("Tab")
        if record.evaluate("link => link === document.activeElement"):
            break
    address = page.url
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != address)
    assert watched.faults == []


def test_a_filter_does_not_change_other_tables(open_browser: Opener) -> None:
    page = open_browser().open("postmortems/?text=nothing+has+this")
    assert (
        page.locator(".hb-filter output").inner_text() == f"0 of {len(load(ROOT).of(Postmortem))}"
    )
    assert page.locator("#in-figures").is_visible()
    assert page.get_by_role("region", name="In figures").is_visible()


def test_a_table_can_be_filtered_sorted_and_linked(open_browser: Opener) -> None:
    watched = open_browser()
    page = watched.open("checklist/")
    row_count = page.locator(".hb-table tbody tr").count()
    page.get_by_label("Verified by").select_option("attested")
    page.wait_for_url("**/checklist/?verify=attested")
    visible = page.locator(".hb-table tbody tr:visible")
    assert 0 < visible.count() < row_count
    assert page.locator("h2:visible", has_text="Kubernetes").count() == 0
    page.reload()
    assert page.get_by_label("Verified by").input_value() == "attested"
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("() => !location.search")
    assert visible.count() == row_count
    page.get_by_label("Filter by text").fill("digest")
    page.wait_for_function(
        "() => document.querySelector('.hb-filter output').textContent.startsWith('2 of')"
    )
    page.goto(page.url.split("?")[0])
    page.get_by_role("button", name="Item").first.click()
    page.get_by_role("button", name="Item").first.click()
    page.wait_for_url("**/checklist/?sort=-Item")
    assert "SCM-07" in page.locator(".hb-table tbody tr").first.inner_text()
    assert watched.faults == []


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("", "Something is broken"),
        ("standards/", "Incident management"),
        ("checklist/", "Every alert leads to a runbook that lists it"),
        ("adr/", "Use PostgreSQL for the orders service"),
        ("runbooks/", "Order service: high error rate"),
        ("runbooks/order-service/high-error-rate/", "kubectl argo rollouts restart"),
        ("postmortems/", "31 min"),
        ("actions/", "Check the performance of queries in CI"),
        ("services/order-service/", "by evidence"),
        ("search/", "Keep the gate outside MkDocs"),
    ],
)
def test_a_page_is_readable_without_scripts(open_browser: Opener, url: str, text: str) -> None:
    watched = open_browser(390, scripts=False)
    page = watched.open(url)
    assert page.locator("article").get_by_text(text).first.is_visible()


def test_links_and_filters_unfold_an_older_audit(open_browser: Opener) -> None:
    watched = open_browser()
    page = watched.open("services/order-service/")
    fold = page.locator("details.hb-fold")
    row = fold.locator("tbody > tr").first
    id = row.get_attribute("id")
    expect(row).to_be_hidden()
    for fragment in (id, "2026-q3"):
        watched.open(f"services/order-service/?#{fragment}")
        page.reload()
        expect(row).to_be_visible()
        expect(page.locator(f"[id='{fragment}']")).to_be_in_viewport()
        page.locator("details.hb-fold > summary").click()
        expect(row).to_be_hidden()
    page.locator("select[name=quarter]").select_option("2026-Q3")
    expect(row).to_be_visible()
    expect(page.locator("[id='2026-q4']")).to_be_hidden()
    page.locator(".hb-filter [type=reset]").click()
    expect(row).to_be_hidden()
    page.locator("select[name=quarter]").select_option("2026-Q4")
    expect(fold).to_be_hidden()
    page.evaluate("id => { location.hash = id }", id)
    expect(row).to_be_in_viewport()
    assert watched.faults == []
    page = open_browser(scripts=False).open(f"services/order-service/#{id}")
    expect(page.locator(f"[id='{id}']")).to_be_in_viewport()


def test_the_link_of_a_rule_opens_the_rule(open_browser: Opener) -> None:
    page = open_browser().open("how-to/add-a-post-mortem/")
    page.get_by_role("link", name="STD-11").first.click()
    page.wait_for_url("**/standards/11-incident-management/")
    page.goto(page.url + "#std-11-6")
    rule = page.locator("#std-11-6")
    assert rule.is_visible()
    assert "within 5 business days" in rule.inner_text()


def test_a_report_names_the_page_the_commit_and_the_section_that_is_read(
    open_browser: Opener,
) -> None:
    watched = open_browser(390)
    page = watched.open("runbooks/order-service/high-error-rate/")
    page.evaluate("document.querySelector('#diagnosis-steps').scrollIntoView()")
    report = page.get_by_role("link", name="Report a problem with this page")
    report.evaluate("link => link.addEventListener('click', event => event.preventDefault())")
    report.dispatch_event("click")
    query = parse_qs(urlsplit(report.get_attribute("href") or "").query)
    assert query["title"] == ["Problem with: Order service: high error rate"]
    assert "runbooks/order-service/high-error-rate/#diagnosis-steps\n" in query["body"][0]
    assert re.search(r"Commit: [0-9a-f]{40}\n", query["body"][0])
    assert watched.faults == []
