"""Check the links of a site and of its nested sites, and report them together.

The setting `handbook.nested` maps a folder of the site to the root folder of a nested handbook.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

from handbook.diagnostics import Diagnostic, Report, sort_findings
from handbook.loading import load
from handbook.rules.engine import make_report, run_on_site
from handbook.settings import Settings, find_nested, read_settings
from handbook.site.built import Site, read_sites


def read_all_sites(folder: str | Path, settings: Settings, root: Path) -> list[tuple[Path, Site]]:
    """Read the built site of a handbook and its nested sites, each with its root folder.

    Raises NoSiteError.
    """
    nested = find_nested(settings, root)
    sites = read_sites(folder, settings.site_url, tuple(nested))
    return [(nested.get(site.nested_in, root), site) for site in sites]


def report_links(sites: Iterable[tuple[Path, Site]], root: Path, today: date) -> Report:
    """Return one report on the links of all sites. The paths of findings are relative to `root`."""
    reports = []
    for site_root, site in sites:
        report = (
            run_on_site(site, load(site_root), today)
            if site.link_faults
            else make_report(site.counts, read_settings(site_root))
        )
        prefix = "" if site_root == root else site_root.relative_to(root).as_posix()
        findings = (_move(finding, prefix, site) for finding in report.findings)
        reports.append(replace(report, findings=tuple(findings)))
    counts = sum((Counter(report.records) for report in reports), Counter())
    return Report(
        dict(counts),
        sort_findings(finding for report in reports for finding in report.findings),
        sum(report.suppressed_count for report in reports),
        sum(report.sample_count for report in reports),
        sum(report.lowered_count for report in reports),
        sum(report.removal_count for report in reports),
    )


def _move(finding: Diagnostic, prefix: str, site: Site) -> Diagnostic:
    """Return a finding whose path begins with a folder, unless it is the path of a built file."""
    path = finding.at.path
    if not prefix or path.startswith(f"{site.folder}/"):
        return finding
    return replace(finding, at=replace(finding.at, path=posixpath.join(prefix, path)))
