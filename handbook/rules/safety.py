"""SAFE001 to SAFE008, and SAFE010: content that the site must not publish.

No rule of this family can be suppressed, and no setting can lower its severity or turn it off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import translate
from typing import Final

from handbook.diagnostics import Finding, Location
from handbook.handbook import Handbook
from handbook.reading.addresses import SCHEMES, read_scheme
from handbook.reading.files import is_link, is_utf8, read_searchable_text
from handbook.reading.nodes import Scalar, walk_scalars
from handbook.reading.problems import ProblemKind
from handbook.reading.raw_html import TagFault
from handbook.records import Document, Record
from handbook.rules.credentials import list_published_texts, locate_offsets
from handbook.rules.engine import Context, find_rule, rule, rules

_ADDRESS_SETTINGS: Final = (
    ("extra_javascript",),
    ("extra_css",),
    ("theme", "logo"),
    ("theme", "favicon"),
)
"""The settings with files that every page loads."""
_FOREIGN_SETTINGS: Final = (
    ("repo_url",),
    ("google_analytics",),
    ("extra", "analytics"),
    ("theme", "font"),
)
"""The settings with which the theme requests another host."""
_ADDRESS: Final = re.compile(r"[\w.+%@-]+")


@rule("SAFE001", "raw-html", over=Record)
def raw_html(record: Record) -> Iterator[Finding]:
    """A record contains no raw HTML, apart from comments and a few elements.

    The allowed elements are `details`, `summary`, `br`, `kbd`, `sub` and `sup`, without attributes.

    Why: raw HTML can contain scripts, and Markdown is sufficient for the text of a record.

    Bad:
        <b>PostgreSQL 16.</b>
    Good:
        PostgreSQL 16.
    """
    for at, tag in record.source.faulty_tags:
        if tag.fault is TagFault.NOT_ALLOWED:
            yield Finding(
                at,
                f"raw HTML '{_shorten(tag.text)}'",
                "write it in Markdown, or put it in backticks",
            )


def _shorten(text: str) -> str:
    """Return the first line of a text, cut to at most 40 characters."""
    line = text.split("\n")[0]
    return line if len(line) <= 40 else f"{line[:39]}…"


@rule("SAFE002", "stray-file", over=Handbook)
def stray_file(handbook: Handbook) -> Iterator[Finding]:
    """A record folder contains only records, `index.md`, `README.md` and attachments.

    The attachments of `0002-use-postgresql.md` are in the folder `0002-use-postgresql`. No folder
    of the handbook contains a symbolic link. Every file name is valid UTF-8.

    Why: the site would publish a file that the author did not mean to publish.

    Bad:
        adr/load.csv
    Good:
        adr/0002-use-postgresql/load.csv
    """
    for path in handbook.strays:
        at = Location(path)
        if is_link(handbook.root / path):
            yield Finding(at, "symbolic link in the handbook", "replace it with a copy of the file")
        elif not is_utf8(path):
            yield Finding(at, "file name that is not valid UTF-8", "rename the file")
        else:
            yield Finding(
                at,
                "stray file, neither a record nor an attachment",
                "move it to the folder that has the name of its record, without '.md'",
            )


@rule("SAFE003", "unsafe-link", over=Document)
def unsafe_link(document: Document) -> Iterator[Finding]:
    """A link to another host begins with http, https, mailto or tel.

    Why: code in `javascript:` and `data:` links runs in the reader's browser as part of this site.

    Bad:
        (javascript:alert)
    Good:
        (https://postgresql.example)
    """
    for link in document.source.links:
        if (scheme := read_scheme(link.target)) not in ("", *SCHEMES):
            yield Finding(
                link.at,
                f"unsafe link scheme '{scheme}:'",
                f"use one of {', '.join(SCHEMES)}",
            )


@rule("SAFE004", "unsafe-attachment", over=Handbook, reports=ProblemKind.UNSAFE_ATTACHMENT)
def unsafe_attachment(handbook: Handbook) -> Iterator[Finding]:
    """An attachment is an image, a PDF or a text file of at most 1 MB.

    An SVG contains no script, event handler or foreign object. HTML files are not allowed, because
    no rule checks them. Images and PDFs are complete, and an SVG is valid XML. This also applies to
    the images and PDFs of pages.

    Why: a script in an attachment runs in the reader's browser as part of this site. In place of a
    damaged image, the browser shows an empty frame.

    Bad:
        adr/0002-use-postgresql/load.html
    Good:
        adr/0002-use-postgresql/load.csv
    """
    yield from handbook.problems_of(ProblemKind.UNSAFE_ATTACHMENT)


@rule("SAFE005", "exposed-secret", over=Handbook)
def exposed_secret(context: Context) -> Iterator[Finding]:
    """No file of the handbook contains a key, a token or a password in a URL.

    The rule searches pages, records, attachments, samples, the settings, audits, rule files,
    README.md in record folders, and the paths of all these files.

    It recognises private keys, URLs with a password, JSON Web Tokens, and the keys and tokens of
    more than 60 products, such as AWS, Azure, GitHub, GitLab, Grafana, npm, Slack, Stripe, Vault
    and OpenAI. Placeholders and published example keys are not secrets. To publish an example of a
    secret, add it to `handbook.samples` in the settings, with the SHA-256 of its text.

    Why: you cannot make a published secret private again. You can only revoke it.

    Bad:
        -----BEGIN RSA PRIVATE KEY-----
    Good:
        Somebody operates it.
    """
    for credential in context.credentials:
        if credential.sample is None:
            path = json.dumps(credential.at.path)
            sample = f"{{path: {path}, sha256: {credential.sha256}, reason: TODO}}"
            hint = (
                "revoke it, and remove it from this file and from the Git history; "
                "if it is a published example, add this entry to the list 'handbook.samples': "
                f"{sample}"
            )
            yield Finding(credential.at, f"possible secret: {credential.name}", hint)


@rule("SAFE006", "private-name", over=Handbook)
def private_name(handbook: Handbook) -> Iterator[Finding]:
    """The site publishes no e-mail address or host name that matches `handbook.private`.

    Why: an attacker can use the name of a person or a host.

    Bad:
        Ask ann@corp.example, who operates it.
    Good:
        Somebody operates it.
    """
    patterns = handbook.settings.organisation.private
    private = re.compile("|".join(map(translate, patterns)), re.IGNORECASE)
    for start, text in list_published_texts(handbook) if patterns else ():
        names = [(match.start(), match[0].rstrip(".+%@-")) for match in _ADDRESS.finditer(text)]
        matches = [(offset, name) for offset, name in names if name and private.match(name)]
        places = locate_offsets(start, text, (offset for offset, _ in matches))
        for at, (_, name) in zip(places, matches, strict=True):
            place = _find_in_value(handbook, start, name) if start.path.endswith(".yml") else at
            yield Finding(place, f"private name '{name}'", "write a team or a channel instead")


def _find_in_value(handbook: Handbook, start: Location, name: str) -> Location:
    """Return the location of a name in a YAML file, or the start of its value if it is escaped.

    A value in a block or in quotes begins at another place than its text.
    """
    lines = read_searchable_text(handbook.root, start.path).split("\n")
    column = start.column - 1
    for number, line in enumerate(lines[start.line - 1 :], start.line):
        if (index := line.find(name, column)) >= 0:
            return Location(start.path, number, index + 1)
        column = 0
    return start


@rule("SAFE007", "unused-sample", over=Handbook)
def unused_sample(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """Each entry of `handbook.samples` matches a possible secret in the file of its `path`.

    Why: with an unused entry, an author could publish a secret without a review.

    Bad:
        tags: [database]
        samples:
          - path: adr/0002-use-postgresql.md
            sha256: a9993e364706816aba3e25717850c26c9cd0d89d4c1d8c8a7d9b1a5a3f0e7b21
            reason: an example of AWS
        groups: {OBS: Observability, SEC: Security}
    Good:
        tags: [database]
        groups: {OBS: Observability, SEC: Security}
    """
    used = {credential.sample for credential in context.credentials}
    for sample in handbook.settings.organisation.samples:
        if sample not in used:
            message = f"no possible secret with this SHA-256 in the file {sample.path}"
            yield Finding(
                handbook.settings.at_sample(sample),
                message,
                "remove the entry, or correct 'path' and 'sha256'",
            )


@rule("SAFE008", "disabled-safety-rule", over=Handbook)
def disabled_safety_rule(handbook: Handbook) -> Iterator[Finding]:
    """No comment suppresses a mandatory rule, and no setting lowers it or turns it off.

    Mandatory rules are all rules of the family SAFE, FM001 and MD020, which report what cannot be
    parsed, and FM019, which reports new exceptions.

    Why: a pull request could publish a secret and suppress the finding at the same time.

    Bad:
        rules: {SAFE002: warning}
    Good:
        rules: {SAFE002: error}
    """
    hint = "remove it; if you publish an example of a secret, add it to 'handbook.samples'"
    for suppression in handbook.suppressions:
        if (
            suppression.rule
            and (suppressed := find_rule(suppression.rule))
            and suppressed.is_mandatory
        ):
            yield Finding(
                suppression.at,
                f"suppression of {suppressed.code}, which cannot be suppressed",
                hint,
            )
    for any_rule in rules().values():
        if any_rule.is_mandatory and any_rule.is_lowered_by(handbook.settings):
            at = handbook.settings.at("rules", any_rule.key_in(handbook.settings))
            setting = handbook.settings.organisation.rules[any_rule.key_in(handbook.settings)]
            message = f"severity '{setting.severity}' of {any_rule.code}, which is mandatory"
            yield Finding(at, message, hint)


@rule("SAFE010", "foreign-host-setting", over=Handbook)
def foreign_host_setting(handbook: Handbook) -> Iterator[Finding]:
    """No setting in `mkdocs.yml` makes a page request another host.

    The rule reports fonts of another host, scripts, styles and images with an address, analytics,
    and `repo_url`, because Material requests the API of that host.

    Why: every reader's browser would send an address to that host, or block a part of the page.

    Bad:
        font: {text: Roboto}
    Good:
        font: false
    """
    settings = handbook.settings.root_node
    for keys in _FOREIGN_SETTINGS:
        node = settings.find(*keys)
        if node is not None and not (isinstance(node, Scalar) and node.text in ("", "false")):
            yield Finding(
                node.at,
                f"setting '{'.'.join(keys)}' makes pages request another host",
                "set 'font: false'" if keys[-1] == "font" else "remove it",
            )
    for keys in _ADDRESS_SETTINGS:
        node = settings.find(*keys)
        for address in walk_scalars(node) if node is not None else ():
            if read_scheme(address.text) or address.text.startswith("//"):
                yield Finding(
                    address.at,
                    f"setting '{'.'.join(keys)}' requests '{address.text}'",
                    "copy the file into docs/, and write its path",
                )
