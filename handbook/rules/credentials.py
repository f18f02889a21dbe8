"""Find credentials in the texts that the handbook publishes: keys and tokens by their form, passwords in URLs.

The forms are those of the detectors of detect-secrets that know a secret by its form alone, and a few that it lacks.
Detectors that guess, by how random a text looks or by a word beside it, are left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby
from typing import Final

from handbook.diagnostics import Location
from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.records import Document
from handbook.settings import Sample

SIGNS: Final = tuple(
    map(
        re.compile,
        (
            "a(?:3t|bia|cca|kia|sia)[0-9a-z]{16}", "aws", "accountkey=", "gh[oprsu]_", "github_pat_", "gl[a-z]+-",
            "gr1348941", "_authtoken=", "t3blbkfj", "private key", "putty-user-key-file", "pypi-age", r"sg\.", "xox",
            r"hooks\.slack\.com", "sq0csp-", "k_live_", r"//[^\s/@:]*:[^\s/]*@",
        ),
    )
)  # fmt: skip
"""Every credential contains one of these, case folded: a text without any is not searched form by form.

They begin with letters or slashes, because a search for those is a hundred times as fast as for a choice of beginnings.
"""
_IN_URL: Final = re.compile(
    r"""(?<![\w+.-])[A-Za-z][\w+.-]{0,30}://[^\s/?#:@"'`<>\\]*:(?P<password>[^\s/?#"'`<>\\]+)@[\w.-]*\w"""
)
_LONGEST_KEY: Final = 20_000
_INTERPOLATED: Final = re.compile(r"[$%{\[(]")
_MASK: Final = re.compile(r"[*xX.…•_-]+")
_PLACEHOLDER: Final = re.compile(
    "changeme|credentials?|dummy|example|fake|hidden|pass|passphrase|passwd|password|placeholder|pw|pwd|redacted|sample"
    "|secret|test|todo|token|value"
)
"""A word that says that a password belongs there, or that this is none."""
_FILLER: Final = re.compile("a|access|api|app|change|database|db|here|insert|key|me|my|not|some|the|user|username|your")
"""A word that may stand beside such a word."""


def _end_of_match(text: str, match: re.Match[str]) -> int:
    return match.end()


def _end_of_key(text: str, match: re.Match[str]) -> int:
    end = text.find("-----END", match.end(), match.end() + _LONGEST_KEY)
    return match.end() if end < 0 else end


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of credential, the form of its text, and what tells a published example or a placeholder from it."""

    name: str
    pattern: re.Pattern[str]
    is_placeholder: Callable[[re.Match[str]], bool] = lambda _: False
    end: Callable[[str, re.Match[str]], int] = _end_of_match


@dataclass(frozen=True, slots=True)
class Credential:
    """A text that has the form of a credential. `sample` declares it as a published example, in the settings."""

    at: Location
    name: str
    sha256: str
    sample: Sample | None


def find_credentials(handbook: Handbook) -> tuple[Credential, ...]:
    """Every text that has the form of a credential, by path and place."""
    samples = {(sample.path, sample.sha256): sample for sample in handbook.settings.organisation.samples}
    found = []
    for start, text in _suspects(handbook):
        matches = list(_matches(text))
        places = locate(start, text, (first for first, _, _ in matches))
        for at, (first, end, form) in zip(places, matches, strict=True):
            digest = hashlib.sha256(text[first:end].encode("utf-8", "surrogateescape")).hexdigest()
            found.append(Credential(at, form.name, digest, samples.get((at.path, digest))))
    return tuple(found)


def _matches(text: str) -> Iterator[tuple[int, int, Form]]:
    """The matches of all forms in their order, without those inside of another: a token in a URL is one credential.

    A private key goes on to its last line, so that its digest is that of the key and not of its first line.
    """
    last = 0
    matches = (
        (match.start(), form.end(text, match), form)
        for form in forms()
        for match in form.pattern.finditer(text)
        if not form.is_placeholder(match)
    )
    for start, end, form in sorted(matches, key=lambda match: match[:2]):
        if start >= last:
            last = end
            yield start, end, form


def is_placeholder_password(password: str) -> bool:
    """Whether a password is a variable, a mask, or words that say what belongs there."""
    if _INTERPOLATED.search(password) or _MASK.fullmatch(password):
        return True
    words = re.split("[-_. ]+", password.casefold())
    placeholders = [word for word in words if _PLACEHOLDER.fullmatch(word)]
    return bool(placeholders) and all(_PLACEHOLDER.fullmatch(word) or _FILLER.fullmatch(word) for word in words)


@cache
def forms() -> tuple[Form, ...]:
    """The forms of credentials. The import of their detectors takes as long as to read a hundred records."""
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
        azure_storage_key.AzureStorageKeyDetector,
        github_token.GitHubTokenDetector,
        gitlab_token.GitLabTokenDetector,
        npm.NpmDetector,
        openai.OpenAIDetector,
        pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector,
        slack.SlackDetector,
        square_oauth.SquareOAuthDetector,
        stripe.StripeDetector,
    )
    return (
        *(Form(aws.AWSKeyDetector.secret_type, each, _is_aws_example) for each in aws.AWSKeyDetector.denylist),
        *(Form("Private Key", each, end=_end_of_key) for each in private_key.PrivateKeyDetector.denylist),
        *(Form(detector.secret_type, pattern) for detector in detectors for pattern in detector.denylist),
        # Fine-grained tokens: detect-secrets does not know them yet.
        Form("GitHub Token", re.compile(r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")),
        Form("password in a URL", _IN_URL, lambda match: is_placeholder_password(match["password"])),
    )


def _is_aws_example(match: re.Match[str]) -> bool:
    """Whether it is a key of Amazon's documentation: all of them end so, and no real one does."""
    return re.search(r"EXAMPLE(?:KEY)?['\"]?$", match[0]) is not None


def texts(handbook: Handbook) -> Iterator[tuple[Location, str]]:
    """Everything that the handbook publishes as text, with its place: whole files, and values of YAML files.

    The samples are part of it, because pages show parts of them.
    """
    for entity in handbook.entities:
        if isinstance(entity, Document):
            yield entity.source.at(1), entity.source.text
        elif entity.mapping:
            yield from ((value.at, value.text) for value in nodes.scalars(entity.mapping))
    yield from ((Location(path), text) for path, text in handbook.texts.items())


def _suspects(handbook: Handbook) -> Iterator[tuple[Location, str]]:
    """The texts of those files, the settings among them, that contain a sign of a credential."""
    settings = ((value.at, value.text) for value in nodes.scalars(handbook.settings.root_node))
    for _, group in groupby(chain(settings, texts(handbook)), key=lambda text: text[0].path):
        of_file = list(group)
        folded = "\n".join(text for _, text in of_file).casefold()
        if any(sign.search(folded) for sign in SIGNS):
            yield from of_file


def locate(start: Location, text: str, offsets: Iterable[int]) -> Iterator[Location]:
    """The places of rising offsets in a text that begins at `start`."""
    line, begin, known = start.line, 1 - start.column, 0
    for offset in offsets:
        if ends := text.count("\n", known, offset):
            line, begin = line + ends, text.rindex("\n", known, offset) + 1
        known = offset
        yield Location(start.path, line, offset - begin + 1)
