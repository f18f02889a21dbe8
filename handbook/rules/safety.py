"""SAFE001 to SAFE008: what must not be published. These rules can be neither suppressed nor lowered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import translate
from typing import Final

from handbook.diagnostics import Finding, Location
from handbook.handbook import Handbook
from handbook.reading.addresses import SCHEMES, scheme
from handbook.reading.files import is_utf8
from handbook.reading.problems import ProblemKind
from handbook.reading.raw_html import TagFault
from handbook.records import Document, Record
from handbook.rules.credentials import locate, texts
from handbook.rules.engine import Context, find_rule, rule, rules

_NAME: Final = re.compile(r"[\w.+%@-]+")


@rule("SAFE001", "raw-html", over=Record)
def raw_html(record: Record) -> Iterator[Finding]:
    """A record holds no raw HTML but comments, and `details`, `summary`, `br`, `kbd`, `sub` and `sup`.

    They have no attributes.

    Why: what a record may put into a page, a script may; and Markdown says all that a record has to say.

    Bad:
        <b>PostgreSQL 16.</b>
    Good:
        PostgreSQL 16.
    """
    for at, tag in record.source.faulty_tags:
        if tag.fault is TagFault.NOT_ALLOWED:
            yield Finding(
                at, f"raw HTML '{_short(tag.text)}'", "write it in Markdown, or in backticks"
            )


def _short(text: str) -> str:
    line = text.split("\n")[0]
    return line if len(line) <= 40 else f"{line[:39]}…"


@rule("SAFE002", "stray-file", over=Handbook)
def stray_file(handbook: Handbook) -> Iterator[Finding]:
    """A record folder holds records, `index.md`, `README.md`, and attachments in a folder with a record's stem.

    Symbolic links are not followed anywhere, and every name is UTF-8.

    Why: what lies beside the records would be published without anybody having meant it.

    Bad:
        adr/load.csv
    Good:
        adr/0002-use-postgresql/load.csv
    """
    for path in handbook.strays:
        at = Location(path)
        if (handbook.root / path).is_symlink():
            yield Finding(at, "a symbolic link is not published", "put the file itself here")
        elif not is_utf8(path):
            yield Finding(at, "the name of the file is not UTF-8", "rename the file")
        else:
            yield Finding(
                at,
                "neither a record nor an attachment of one",
                "move it to a folder named as its record is",
            )


@rule("SAFE003", "unsafe-link", over=Document)
def unsafe_link(document: Document) -> Iterator[Finding]:
    """A link to another place begins with http, https, mailto or tel.

    Why: `javascript:` and `data:` run in the reader's browser as if they were this site.

    Bad:
        (javascript:alert)
    Good:
        (https://postgresql.example)
    """
    for link in document.source.links:
        if (found := scheme(link.target)) not in ("", *SCHEMES):
            yield Finding(
                link.at,
                f"a link to '{found}:' is not published",
                f"use one of {', '.join(SCHEMES)}",
            )


@rule("SAFE004", "unsafe-attachment", over=Handbook, reports=ProblemKind.UNSAFE_ATTACHMENT)
def unsafe_attachment(handbook: Handbook) -> Iterator[Finding]:
    """An attachment is a picture, a PDF or text, of 1 MB at most; an SVG holds no script, handler or foreign object.

    HTML is none: it would be a page of this site that nobody checked.

    Why: what is published here runs in the reader's browser as a part of this site.

    Bad:
        adr/0002-use-postgresql/load.html
    Good:
        adr/0002-use-postgresql/load.csv
    """
    yield from handbook.problems_of(ProblemKind.UNSAFE_ATTACHMENT)


@rule("SAFE005", "exposed-secret", over=Handbook)
def exposed_secret(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """No file of the handbook contains a key, a token or a password in a URL.

    The rule searches pages, records, attachments, samples, the whole text of the settings, audits and rule files,
    README.md in folders of records, and the paths of all these files.

    It knows these secrets by their form: keys and tokens of AWS, Azure Storage, GitHub, GitLab, npm, OpenAI, PyPI,
    SendGrid, Slack, Square and Stripe, private keys, and URLs with a password. Placeholders and the example keys of
    AWS are no secrets. You declare a published example in the settings, `handbook.samples`, with the SHA-256 of its
    text.

    Why: what was published once is known; it cannot be taken back, only replaced.

    Bad:
        -----BEGIN RSA PRIVATE KEY-----
    Good:
        Somebody operates it.
    """
    for credential in context.credentials:
        if credential.sample is None:
            entry = f"{{path: {json.dumps(credential.at.path)}, sha256: {credential.sha256}, reason: TODO}}"
            hint = "revoke it, and remove it here and from the history; if it is a published example, declare it under"
            yield Finding(
                credential.at,
                f"possible secret: {credential.name}",
                f"{hint} handbook.samples: {entry}",
            )


@rule("SAFE006", "private-name", over=Handbook)
def private_name(handbook: Handbook) -> Iterator[Finding]:
    """No e-mail address or host name is published that the settings call private (`handbook.private`).

    Why: it tells strangers whom to write to, and what to attack.

    Bad:
        Ask ann@corp.example, who operates it.
    Good:
        Somebody operates it.
    """
    patterns = handbook.settings.organisation.private
    private = re.compile("|".join(map(translate, patterns)), re.IGNORECASE)
    for start, text in texts(handbook) if patterns else ():
        names = [(match.start(), match[0].rstrip(".+%@-")) for match in _NAME.finditer(text)]
        found = [(offset, name) for offset, name in names if name and private.match(name)]
        for at, (_, name) in zip(
            locate(start, text, (offset for offset, _ in found)), found, strict=True
        ):
            yield Finding(at, f"'{name}' is private", "name a team or a channel, or take it out")


@rule("SAFE007", "unused-sample", over=Handbook)
def unused_sample(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """Each entry of `handbook.samples` declares a text that has the form of a secret, at its path.

    Why: an entry that declares nothing is left over, and would let a text pass that nobody has looked at.

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
            message = f"no possible secret with this SHA-256 in {sample.path}"
            yield Finding(
                handbook.settings.at_sample(sample),
                message,
                "remove the entry, or correct path and sha256",
            )


@rule("SAFE008", "disabled-safety-rule", over=Handbook)
def disabled_safety_rule(handbook: Handbook) -> Iterator[Finding]:
    """No rule of the family SAFE, and no rule that reports new exceptions, is suppressed or lowered to a warning.

    Why: a pull request could wave its own secrets through.

    Bad:
        rules: {SAFE002: warning}
    Good:
        rules: {SAFE002: error}
    """
    hint = "remove it; a published example of a secret is declared under handbook.samples"
    for suppression in handbook.suppressions:
        if suppression.rule and (suppressed := find_rule(suppression.rule)) and suppressed.firm:
            yield Finding(
                suppression.at,
                f"suppression of {suppressed.code}, which cannot be suppressed",
                hint,
            )
    for firm in (each for each in rules().values() if each.firm):
        if firm.is_lowered_by(handbook.settings):
            at = handbook.settings.at("rules", firm.key_in(handbook.settings))
            yield Finding(at, f"lowered severity of {firm.code}, which stays an error", hint)
