"""Macros for the pages of this site.

mkdocs.yml names this module under `modules`, so the plugin mkdocs-macros imports it and calls
`define_env`. A page with `render_macros: true` in its front matter calls a macro by its name:
`{{ adr_index() }}`.

Each macro calls a view in `handbook/views/`, except for `benchmarks` and `example`, which only this
site has. To add a macro, add a function to `define_env` that returns Markdown.
"""

from __future__ import annotations

from html import escape
from typing import Any

from benchmarks.report import read_all, write_page
from handbook.engines.check import checked_handbook, page_address
from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative
from handbook.settings import find_nested
from handbook.views import adr_index as decisions
from handbook.views import due as deadlines
from handbook.views import home as start
from handbook.views import postmortems, runbooks, services, standards, tags, teams
from handbook.views import records_reference as records
from handbook.views import rules_reference as rules


def define_env(env: Any) -> None:  # noqa: C901 - one short function for each macro
    """Load and check the handbook, then define the macros.

    Raises click.ClickException if front matter, a section or a link has an error. The exception
    reports all errors and stops the build.
    """
    handbook = checked_handbook(env.conf)

    def address() -> str:
        return page_address(env.page)

    @env.macro
    def actions() -> str:
        """List the actions of all post-mortems."""
        return postmortems.actions(handbook, address())

    @env.macro
    def adr_index() -> str:
        """List the decisions by status."""
        return decisions.adr_index(handbook, address())

    @env.macro
    def alert_index() -> str:
        """List the alerts with their runbooks."""
        return runbooks.alert_index(handbook, address())

    @env.macro
    def benchmarks() -> str:
        """Show the results of the benchmarks of this repository."""
        return write_page(read_all())

    @env.macro
    def checklist() -> str:
        """Build the compliance checklist from the standards."""
        return standards.checklist(handbook, address())

    @env.macro
    def due() -> str:
        """List everything that has a due date."""
        return deadlines.due(handbook, address())

    @env.macro
    def everything() -> str:
        """List every record by kind, A to Z."""
        return start.everything(handbook, address())

    @env.macro
    def example(is_same_page: bool = True) -> str:
        """Link to the same page, or the home page, of the nested handbook that shows one in use."""
        return link_to_example(handbook, address(), is_same_page=is_same_page)

    @env.macro
    def exceptions() -> str:
        """List the waivers, the suppressions, and the exceptions in the settings."""
        return deadlines.exceptions(handbook, address())

    @env.macro
    def home() -> str:
        """Render the home page: search, services and latest changes."""
        return start.home(handbook, address())

    @env.macro
    def postmortem_archive() -> str:
        """List the post-mortems with statistics and charts."""
        return postmortems.postmortem_archive(handbook, address())

    @env.macro
    def records_reference() -> str:
        """List the sections and the keys of each kind of record."""
        return records.records_reference()

    @env.macro
    def rules_reference() -> str:
        """List the rules, each with a link to its text."""
        return rules.rules_reference(handbook, address())

    @env.macro
    def runbook_catalog() -> str:
        """List the runbooks and alerts by service."""
        return runbooks.runbook_catalog(handbook, address())

    @env.macro
    def services_index() -> str:
        """List the services with the scores of their last audit."""
        return services.services_index(handbook, address())

    @env.macro
    def standards_index() -> str:
        """List the standards, and the CALMS pillars of each standard."""
        return standards.standards_index(handbook, address())

    @env.macro
    def tag_index() -> str:
        """List the records of each tag."""
        return tags.tag_index(handbook, address())

    @env.macro
    def team_page() -> str:
        """Show the records, due dates, decisions and incidents of a team."""
        return teams.team_page(handbook, address())

    @env.macro
    def teams_index() -> str:
        """List the teams with the numbers of their records and due dates."""
        return teams.teams_index(handbook, address())


def link_to_example(handbook: Handbook, page_address: str, *, is_same_page: bool = True) -> str:
    """Return a line with a link to the page at the same address in the nested handbook.

    Without `is_same_page`, the link is to its home page.
    Without a nested handbook in mkdocs.yml, the text is empty.
    """
    name = next(iter(find_nested(handbook.settings, handbook.root)), None)
    if name is None:
        return ""
    target = f"{name}/{page_address}" if is_same_page else f"{name}/"
    link = escape(make_relative(target, page_address))
    page = "the same page in the handbook" if is_same_page else "the handbook"
    return (
        f'<p class="hb-example" data-search-exclude><a href="{link}">See what this looks like in '
        f"use</a>: {page} of an invented organisation.</p>"
    )
