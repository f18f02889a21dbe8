"""Find credentials by their form: keys, tokens, private keys, and passwords in URLs.

Most forms come from detectors of detect-secrets, and a few are added. Detectors that guess from
the randomness of a text, or from a word beside it, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import unquote

SIGNS: Final = tuple(
    map(
        re.compile,
        (
            "a(?:3t|bia|cca|kia|sia)[0-9a-z]{16}",
            "aws",
            "accountkey=",
            "gh[oprsu]_",
            "github_pat_",
            "gl[a-z]+-",
            "gr1348941",
            "_authtoken",
            "t3blbkfj",
            "private key",
            "putty-user-key-file",
            "pypi-age",
            r"sg\.",
            "xox",
            r"hooks\.slack\.com",
            "sq0csp-",
            "k_live_",
            "secret_?access_?key",
            "passw(?:or)?d=",
            "pwd=",
            r"//[^/\n]*@",
            r"\\/[^/\n]*@",
        ),
    )
)
"""Signs of credentials, case folded. A text without any sign has no credential.

Each begins with letters or slashes: a search for a literal is about a hundred times as fast as one
for a choice of first characters.
"""

ESCAPE: Final = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
"""The backslash of a Markdown escape."""

_URL: Final = re.compile(
    r"""/\\?/(?<![\w/.]//)(?!\[[0-9A-Fa-f.]*[:\]])"""
    r"""(?P<user><[^<>/\n]{1,60}>|\$?\{\{[^{}/\n]{1,60}\}\}|[^\s/?#:"'`<>(),|]*)(?<!mailto):"""
    r"""(?P<password>[^\s/?#"'`]+)@(?!sha(?:256|512):)"""
    r"""(?:\[[0-9A-Fa-f:.%]{2,45}\]|[\w.-]*\w|(?=[/$%{<\[(*]))"""
)
"""A URL from its slashes to its host, with a user and a password.

The user can be an e-mail address.
"""
_SCHEME: Final = re.compile(r"(?<![\w+.-])[A-Za-z][\w+.-]{0,30}:\\?$")
_LONGEST_SCHEME: Final = 33
_QUERY: Final = re.compile(
    r"""(?i)[?&;](?P<parameter>(?:password|passwd|pwd)=(?P<password>[^\s&#"'`<>]+))"""
)

_PORT: Final = re.compile(r"[0-9]{1,5}(?:[)\]}<>,;|].*)?")
"""A port, at the end of a URL or before the next listed address."""
_ACCOUNT: Final = re.compile(r"|admin\w*|guest|postgres|root|test|user\w*", re.IGNORECASE)
"""Names of accounts. The text after them is a password, not a port."""
_VERSION: Final = re.compile(r"(?:[\w.-]+:)?v?[0-9]+(?:\.[0-9]+)+(?:[-.][A-Za-z]{1,10}[0-9]{0,2})?")
_END_OF_LIST_ITEM: Final = re.compile(r"[\w.:\[\]-]+[,;|)].*")
_DEFAULT: Final = re.compile(r"\$\{\w+:?[-=]([^{}]+)\}")
"""A shell variable with a default value."""
_VARIABLES: Final = re.compile(
    r"""(?:(?: \$[A-Za-z_]\w*+  |  \$\{\{?[^{}]*\}\}?  |  \$\([^()]*\)
        |  \{\{?[\w.!:$\[\]()-]*\}\}?
        |  %[A-Za-z_]\w*%  |  %\(\w+\)[sdr]  |  %[sdrv]  |  <[^<>]*>  |  \[[\w.-]*\]
        |  &lt;[\w.-]+&gt;  |  %(?:3[Cc]|5[Bb]|7[Bb])[\w.-]+%(?:3[Ee]|5[Dd]|7[Dd])
    ) [-_.:+~]*+ )++""",
    re.VERBOSE,
)
"""Whole variables of shells, templates and formats, with separators between them."""
_MASK: Final = re.compile(r"[*xX.…•_-]+")
_NAME: Final = re.compile("[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""The name of a variable, such as GITHUB_TOKEN."""
_CONSTANTS: Final = ("x-oauth-basic", "x-access-token", "x-token-auth")
"""Fixed passwords of URLs in which the user is the token."""
_PLACEHOLDER: Final = re.compile(
    "changeme|credentials?|dummy|example|fake|hidden|pass|passphrase|passwd|password"
    "|placeholder|pw|pwd|redacted|replaceme|sample|secret|test|todo|token|value"
    "|clave|contrase[nñ]a|geheim|geheimnis|hasło|heslo|kennwort|lösenord|motdepasse|parola"
    "|passwort|salasana|senha|wachtwoord|пароль|密码|密碼|パスワード"
)
"""Words that mark a password as a placeholder."""
_FILLER: Final = re.compile(
    "a|access|api|app|change|database|db|dein|here|ihr|insert|key|me|mein|my|not|replace|some|the"
    "|user|username|your"
)
"""Words that can accompany such a word."""

_MASKED: Final = re.compile(r"[xX*_.-]{8,}\W*\Z")
"""The end of a token that is a mask."""
_LONGEST_TAIL: Final = 40
"""The characters at the end of a token in which a mask is searched.

A search in a whole token would take time in the square of its length.
"""

_KEY_HEADER: Final = re.compile(
    r"BEGIN (?<=[-–—][-–— ]BEGIN )(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)? ?[-–—]{0,5}"
)
_PUTTY_HEADER: Final = re.compile(r"PuTTY-User-Key-File-[0-9]:[^\n\\]{0,60}")
_NEXT_KEY: Final = re.compile(
    r"-----END|BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY|PuTTY-User-Key-File-[0-9]:"
)
_DASHES: Final = re.compile("[-–—]{2,5} ?$")
_LONGEST_KEY: Final = 20_000
_BEFORE_KEY: Final = re.compile(r"""[\s>"'#*+\\-]{0,40}""")
"""Marks of quotations, comments, lists and strings before a key on its line."""
_KEY_FIELD: Final = r"[A-Za-z][A-Za-z0-9-]{1,30}:[ ][^\n\\]{0,200}"
_KEY_LINES: Final = re.compile(
    r"[^\n]*(?:(?<!\n)\n(?!\s*(?:```|~~~))(?=[^\n]*\S)[^\n]*"
    rf"|(?:\n[ \t>]*)+(?:[A-Za-z0-9+/]{{16}}[^\n]*|{_KEY_FIELD}))*"
)
"""A key without an end line: all lines up to an empty line or fence.

Base64 and fields of a key continue it after empty lines.
"""
_KEY_WORDS: Final = re.compile(
    rf"""(?:(?:[ \t"',;+]*(?:\n|\\r\\n|\\[nr])|[ \t]+)[ \t>"'#*+]*"""
    rf"""(?:{_KEY_FIELD}|[A-Za-z0-9+/=.…*]+(?=[\s"',;+\\]|\Z))?)*"""
)
"""A key without an end within a line: base64, dots and fields.

The text `\\n` can be a line feed there.
"""
_AFTER_KEY: Final = " \t\n>\"'#*+\\-"
_BASE64: Final = re.compile("[A-Za-z0-9+/]{32}")

Extent = tuple[int, int]
"""The offsets of the start and the end of a credential in a text."""


def _extent_of_token(match: re.Match[str]) -> Extent | None:
    """Return the extent of a token, or None for a mask."""
    return None if _MASKED.search(match[0][-_LONGEST_TAIL:]) else match.span()


def _extent_of_aws_key(match: re.Match[str]) -> Extent | None:
    """Return the extent of a key, or None for an example.

    Keys in Amazon's documentation end in EXAMPLE or EXAMPLEKEY. Real keys do not.
    """
    return None if re.search(r"EXAMPLE(?:KEY)?['\"]?$", match[0]) else _extent_of_token(match)


def _extent_of_private_key(match: re.Match[str]) -> Extent | None:
    """Return the extent of a private key, or None for a mere mention of one.

    The extent goes to the last line, because the digest of a sample covers the whole key. A header
    without base64 after it counts as a key only at the start of a line.
    """
    text = match.string
    dashes = _DASHES.search(text[max(0, match.start() - 6) : match.start()])
    start = match.start() - (len(dashes[0]) if dashes else 0)
    starts_line = (
        _BEFORE_KEY.fullmatch(text[max(0, start - 40) : start].rpartition("\n")[2]) is not None
    )
    following = _NEXT_KEY.search(text, match.end(), match.end() + _LONGEST_KEY)
    end = following.start() if following else min(len(text), match.end() + _LONGEST_KEY)
    if not following or not following[0].endswith("END"):
        block = (_KEY_LINES if starts_line else _KEY_WORDS).match(text, match.end(), end)
        end = match.end() + len(block[0].rstrip(_AFTER_KEY) if block else "")
    return (start, end) if starts_line or _BASE64.search(text, match.end(), end) else None


def _extent_of_url(match: re.Match[str]) -> Extent | None:
    user, password = match["user"], match["password"]
    if _PORT.fullmatch(password) and not _ACCOUNT.fullmatch(user):
        return None
    if _VERSION.fullmatch(password) or is_placeholder_password(password):
        return None
    first, _, rest = password.partition("@")
    if _END_OF_LIST_ITEM.fullmatch(rest) and is_placeholder_password(first):
        return None
    scheme = _SCHEME.search(match.string[max(0, match.start() - _LONGEST_SCHEME) : match.start()])
    return match.start() - (len(scheme[0]) if scheme else 0), match.end()


def _extent_of_query(match: re.Match[str]) -> Extent | None:
    password = match["password"]
    values = {password, re.split("[,;|)]", password)[0], password.rstrip(".:!*_")}
    return None if any(map(is_placeholder_password, values)) else match.span("parameter")


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of credential and the form of its text.

    `extent` gives the start and end of a match, or None for a placeholder or a published example.
    """

    name: str
    pattern: re.Pattern[str]
    extent: Callable[[re.Match[str]], Extent | None] = _extent_of_token


def find_matches(text: str) -> Iterator[tuple[int, int, Form]]:
    """Find the credentials in a text, in its order: start, end and form.

    A match inside another is left out: a token in a URL is one credential.
    """
    last = 0
    matches = (
        (*extent, form)
        for form in load_forms()
        for match in form.pattern.finditer(text)
        if (extent := form.extent(match)) is not None
    )
    for start, end, form in sorted(matches, key=lambda match: match[:2]):
        if start >= last:
            last = end
            yield start, end, form


def is_placeholder_password(password: str) -> bool:
    """Whether a password is a variable, a mask, or words such as `your-password`."""
    password = _DEFAULT.sub(r"\1", ESCAPE.sub("", password))
    if _VARIABLES.fullmatch(password) or _MASK.fullmatch(password) or _NAME.fullmatch(password):
        return True
    tokens = re.split("[-_. ]+", unquote(password).casefold())
    if password in _CONSTANTS or _PLACEHOLDER.fullmatch("".join(tokens)):
        return True
    placeholders = [token for token in tokens if _PLACEHOLDER.fullmatch(token)]
    return bool(placeholders) and all(
        _PLACEHOLDER.fullmatch(token) or _FILLER.fullmatch(token) for token in tokens
    )


@cache
def load_forms() -> tuple[Form, ...]:
    """Return the forms of credentials.

    The detectors are imported here: their import takes as long as the reading of 100 records.
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
        azure_storage_key.AzureStorageKeyDetector,
        github_token.GitHubTokenDetector,
        gitlab_token.GitLabTokenDetector,
        pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector,
        slack.SlackDetector,
        square_oauth.SquareOAuthDetector,
        stripe.StripeDetector,
    )
    aws_key = aws.AWSKeyDetector.secret_type
    return (
        *(Form(aws_key, pattern, _extent_of_aws_key) for pattern in aws.AWSKeyDetector.denylist),
        # ~/.aws/credentials and the output of `aws iam create-access-key` have this form.
        Form(
            aws_key,
            re.compile(r"(?i)secret_?access_?key\W{1,6}[A-Z0-9/+]{40}(?![A-Z0-9/+=])"),
            _extent_of_aws_key,
        ),
        *(
            Form(private_key.PrivateKeyDetector.secret_type, header, _extent_of_private_key)
            for header in (_KEY_HEADER, _PUTTY_HEADER)
        ),
        *(
            Form(detector.secret_type, pattern)
            for detector in detectors
            for pattern in detector.denylist
        ),
        # The patterns of detect-secrets for these two take time in the square of a line.
        Form(
            npm.NpmDetector.secret_type,
            re.compile(r"_authToken\s{0,9}=\s{0,9}[\"']?(?:npm_\w{9,}|[A-Fa-f0-9-]{36})"),
        ),
        Form(
            openai.OpenAIDetector.secret_type,
            re.compile(r"sk-(?<![\w-]sk-)[\w-]{20,200}T3BlbkFJ[A-Za-z0-9]{20}"),
        ),
        # Detect-secrets does not find fine-grained tokens yet.
        Form("GitHub Token", re.compile(r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")),
        Form("password in a URL", _URL, _extent_of_url),
        Form("password in a URL", _QUERY, _extent_of_query),
    )


def has_sign(text: str) -> bool:
    """Whether a text can contain a credential."""
    folded = text.casefold()
    return any(sign.search(folded) for sign in SIGNS)
