"""SAFE001 to SAFE006: what must not be published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import cache
from itertools import groupby
from typing import Final

from macros import nodes
from macros.diagnostics import Finding, Location
from macros.handbook import Handbook
from macros.records import Document, Record
from macros.rules import Context, rule
from macros.source import SCHEMES, Html, scheme

_PLAIN_TAG = re.compile(r"</?(?:br|kbd|sub|sup) ?/?>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--(?!-?>)(?:(?!--!?>).)*-->", re.DOTALL)  # as browsers end one: `<!-->` is a whole comment
SIGNS: Final = tuple(
    map(
        re.compile,
        (
            "a(?:3t|bia|cca|kia|sia)[0-9a-z]{16}", "aws", "accountkey=", "gh[oprsu]_", "github_pat_", "gl[a-z]+-",
            "gr1348941", "_authtoken=", "t3blbkfj", "private key", "putty-user-key-file", "pypi-age", r"sg\.", "xox",
            r"hooks\.slack\.com", "sq0csp-", "k_live_",
        ),
    )
)  # fmt: skip
"""One of these is in every secret, its case folded: a text without any need not be looked through form by form.

They begin with letters, since those can be searched for a hundred times as fast as what may begin in several ways.
"""
_NAME: Final = re.compile(r"[\w.+%@-]+")


@rule("SAFE001", "raw-html", over=Record)
def raw_html(record: Record, context: Context) -> Iterator[Finding]:
    """A record holds no raw HTML but comments and bare `<br>`, `<kbd>`, `<sub>` and `<sup>`.

    Why: what a record may put into a page, a script may; and Markdown says all that a record has to say.

    Bad:
        <b>PostgreSQL 16.</b>
    Good:
        PostgreSQL 16.
    """
    for block in record.source.every(Html):
        rest = _COMMENT.sub("", block.text).strip()
        if rest and not _PLAIN_TAG.fullmatch(rest):
            yield Finding(record.source.at(block.first), f"raw HTML: {_short(rest)}", "write it in Markdown")
    for tag in record.source.tags:
        if not _PLAIN_TAG.fullmatch(tag.text):
            yield Finding(tag.at, f"raw HTML: {_short(tag.text)}", "write it in Markdown, or in backticks")


def _short(text: str) -> str:
    line = text.split("\n")[0]
    return line if len(line) <= 40 else f"{line[:39]}…"


@rule("SAFE002", "stray-file", over=Handbook)
def stray_file(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A record folder holds records, `index.md`, `README.md`, and attachments in a folder with a record's stem.

    Symbolic links are not followed anywhere.

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
        else:
            yield Finding(at, "neither a record nor an attachment of one", "move it to a folder named as its record is")


@rule("SAFE003", "unsafe-link", over=Document)
def unsafe_link(document: Document, context: Context) -> Iterator[Finding]:
    """A link to another place begins with http, https, mailto or tel.

    Why: `javascript:` and `data:` run in the reader's browser as if they were this site.

    Bad:
        (javascript:alert)
    Good:
        (https://postgresql.example)
    """
    for link in document.source.links:
        if (found := scheme(link.target)) not in ("", *SCHEMES):
            yield Finding(link.at, f"a link to '{found}:' is not published", f"use one of {', '.join(SCHEMES)}")


@rule("SAFE004", "attachment", over=Handbook)
def attachment(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """An attachment is a picture, a PDF or text, of 1 MB at most; an SVG holds no script, handler or foreign object.

    HTML is none: it would be a page of this site that nobody checked.

    Why: what is published here runs in the reader's browser as a part of this site.

    Bad:
        adr/0002-use-postgresql/load.html
    Good:
        adr/0002-use-postgresql/load.csv
    """
    for problem in handbook.problems:
        if problem.sort == "attachment":
            yield problem.finding


def _texts(handbook: Handbook) -> Iterator[tuple[Location, str]]:
    """Everything that the handbook publishes as text, with its place: whole files, and values of YAML files.

    Samples are among it: pages show parts of them.
    """
    for entity in handbook.entities:
        if isinstance(entity, Document):
            yield entity.source.at(1), entity.source.text
        elif entity.mapping:
            yield from ((value.at, value.text) for value in nodes.scalars(entity.mapping))
    yield from ((Location(path), text) for path, text in handbook.texts.items())


@cache
def forms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """What a secret is called, and its form: by those detectors of detect-secrets that know one by its form.

    Left out are those that guess, by how random a text looks or by a word beside it. All are imported when the first
    text asks for them: that takes as long as to read a hundred records.
    """
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        github_token,
        gitlab_token,
        npm,
        openai,
        private_key,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
    )

    detectors = (
        aws.AWSKeyDetector,
        azure_storage_key.AzureStorageKeyDetector,
        github_token.GitHubTokenDetector,
        gitlab_token.GitLabTokenDetector,
        npm.NpmDetector,
        openai.OpenAIDetector,
        private_key.PrivateKeyDetector,
        pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector,
        slack.SlackDetector,
        square_oauth.SquareOAuthDetector,
        stripe.StripeDetector,
    )
    return (
        *((detector.secret_type, pattern) for detector in detectors for pattern in detector.denylist),
        # Fine-grained tokens: detect-secrets does not know them yet.
        ("GitHub Token", re.compile(r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")),
    )


def _suspects(handbook: Handbook) -> Iterator[tuple[Location, str]]:
    """The texts of those files that hold a sign of a secret."""
    for _, texts in groupby(_texts(handbook), key=lambda text: text[0].path):
        of_file = list(texts)
        folded = "\n".join(text for _, text in of_file).casefold()
        if any(sign.search(folded) for sign in SIGNS):
            yield from of_file


def _within(start: Location, text: str, offsets: Iterable[int]) -> Iterator[Location]:
    """The places of rising offsets in a text that begins at `start`."""
    line, begin, known = start.line, 1 - start.column, 0
    for offset in offsets:
        if ends := text.count("\n", known, offset):
            line, begin = line + ends, text.rindex("\n", known, offset) + 1
        known = offset
        yield Location(start.path, line, offset - begin + 1)


@rule("SAFE005", "secret", over=Handbook)
def secret(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """No key or token stands in a text, wherever in it.

    Those are found whose form alone gives them away: AWS, Azure Storage, GitHub, GitLab, npm, OpenAI, PyPI, SendGrid,
    Slack, Square, Stripe, and private keys, by the detectors of detect-secrets. Attachments and samples are looked
    through as well.

    Why: what was published once is known; it cannot be taken back, only replaced.

    Bad:
        -----BEGIN RSA PRIVATE KEY-----
    Good:
        Somebody operates it.
    """
    texts = list(_suspects(handbook))
    for sort, pattern in forms() if texts else ():
        for start, text in texts:
            for at in _within(start, text, (match.start() for match in pattern.finditer(text))):
                message = f"this looks like a secret: {sort}"
                yield Finding(at, message, "replace it where it is used, then take it out here and in the history")


@rule("SAFE006", "private-name", over=Handbook)
def private_name(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """No e-mail address or host name is published that the settings call private (`handbook.private`).

    Why: it tells strangers whom to write to, and what to attack.

    Bad:
        Ask ann@corp.example, who operates it.
    Good:
        Somebody operates it.
    """
    patterns = handbook.settings.organisation.private
    private = re.compile("|".join(map(translate, patterns)), re.IGNORECASE)
    for start, text in _texts(handbook) if patterns else ():
        names = [(match.start(), match[0].rstrip(".+%@-")) for match in _NAME.finditer(text)]
        found = [(offset, name) for offset, name in names if name and private.match(name)]
        for at, (_, name) in zip(_within(start, text, (offset for offset, _ in found)), found, strict=True):
            yield Finding(at, f"'{name}' is private", "name a team or a channel, or take it out")
