"""The macros of this site's pages.

mkdocs-macros loads this module, as `modules: [macros]` in mkdocs.yml says, and calls `define_env`. A page with
`render_macros: true` in its front matter then calls a macro by its name: `{{ adr_index() }}`.

To add a macro, add a function below. It returns Markdown; the engine's views, which these macros show, are in
`handbook/views/`.
"""

from __future__ import annotations

from typing import Any

from handbook.engines.gate import checked_handbook, page_address
from handbook.views import adr_index as decisions
from handbook.views import home as start
from handbook.views import postmortems, runbooks, services, standards
from handbook.views import rules_reference as rules


def define_env(env: Any) -> None:
    """Check the handbook, then define a macro for each view.

    Errors in front matter, sections and links stop the build: click.ClickException holds the report of all of them.
    """
    handbook = checked_handbook(env.conf)

    def here() -> str:
        return page_address(env.page)

    @env.macro
    def actions() -> str:
        """The actions of all post-mortems."""
        return postmortems.actions(handbook, here())

    @env.macro
    def adr_index() -> str:
        """The decisions, grouped by status."""
        return decisions.adr_index(handbook, here())

    @env.macro
    def checklist() -> str:
        """The compliance checklist, built from the standards."""
        return standards.checklist(handbook, here())

    @env.macro
    def everything() -> str:
        """Every record by kind, A to Z."""
        return start.everything(handbook, here())

    @env.macro
    def home() -> str:
        """The home page: the search, the services and the latest changes."""
        return start.home(handbook, here())

    @env.macro
    def postmortem_archive() -> str:
        """The post-mortems, with figures and charts."""
        return postmortems.postmortem_archive(handbook, here())

    @env.macro
    def rules_reference() -> str:
        """The rules of the checks, with a bad and a good example each."""
        return rules.rules_reference()

    @env.macro
    def runbook_catalog() -> str:
        """The runbooks and alerts, by service."""
        return runbooks.runbook_catalog(handbook, here())

    @env.macro
    def services_index() -> str:
        """The services, with their scores in the last audit."""
        return services.services_index(handbook, here())

    @env.macro
    def standards_index() -> str:
        """The standards, and the pillars of CALMS that they serve."""
        return standards.standards_index(handbook, here())
