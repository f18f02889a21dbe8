"""Macros for the pages of this site.

mkdocs-macros loads this module because mkdocs.yml has `modules: [macros]`, and calls `define_env`.
A page with `render_macros: true` in its front matter calls a macro by name: `{{ adr_index() }}`.

To add a macro, add a function below that returns Markdown. These macros call the views in
`handbook/views/`.
"""

from __future__ import annotations

from typing import Any

from handbook.engines.check import checked_handbook, page_address
from handbook.views import adr_index as decisions
from handbook.views import home as start
from handbook.views import postmortems, runbooks, services, standards
from handbook.views import rules_reference as rules


def define_env(env: Any) -> None:
    """Check the handbook, then define a macro for each view.

    Errors in front matter, sections and links stop the build with a click.ClickException, which
    reports all of them.
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
    def checklist() -> str:
        """Build the compliance checklist from the standards."""
        return standards.checklist(handbook, address())

    @env.macro
    def everything() -> str:
        """List every record by kind, A to Z."""
        return start.everything(handbook, address())

    @env.macro
    def home() -> str:
        """Render the home page: search, services and latest changes."""
        return start.home(handbook, address())

    @env.macro
    def postmortem_archive() -> str:
        """List the post-mortems with statistics and charts."""
        return postmortems.postmortem_archive(handbook, address())

    @env.macro
    def rules_reference() -> str:
        """List the rules, each with a bad and a good example."""
        return rules.rules_reference()

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
        """List the standards and the CALMS pillars that they serve."""
        return standards.standards_index(handbook, address())
