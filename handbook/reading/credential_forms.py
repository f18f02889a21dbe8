"""The forms of credentials: keys and tokens known by their form alone, private keys, and passwords in URLs.

The forms are those of the detectors of detect-secrets that know a secret by its form alone, and a few that it lacks.
Detectors that guess, by how random a text looks or by a word beside it, are left out.
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
"""Every credential contains one of these, case folded: a text without any is not searched form by form.

They begin with letters or slashes, because a search for those is a hundred times as fast as for a choice of beginnings.
"""

ESCAPE: Final = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
"""The backslash of a Markdown escape."""

_URL: Final = re.compile(
    r"""/\\?/(?<![\w/.]//)(?!\[[0-9A-Fa-f.]*[:\]])"""
    r"""(?P<user><[^<>/\n]{1,60}>|\$?\{\{[^{}/\n]{1,60}\}\}|[^\s/?#:"'`<>(),|]*)(?<!mailto):"""
    r"""(?P<password>[^\s/?#"'`]+)@(?!sha(?:256|512):)"""
    r"""(?:\[[0-9A-Fa-f:.%]{2,45}\]|[\w.-]*\w|(?=[/$%{<\[(*]))"""
)
"""The part of a URL from its slashes to its host, with a user and a password. The user can be an e-mail address."""
_SCHEME: Final = re.compile(r"(?<![\w+.-])[A-Za-z][\w+.-]{0,30}:\\?$")
_LONGEST_SCHEME: Final = 33
_QUERY: Final = re.compile(
    r"""(?i)[?&;](?P<parameter>(?:password|passwd|pwd)=(?P<password>[^\s&#"'`<>]+))"""
)

_PORT: Final = re.compile(r"[0-9]{1,5}(?:[)\]}<>,;|].*)?")
"""A port, which ends the URL or stands before the next address of a list."""
_ACCOUNT: Final = re.compile(r"|admin\w*|guest|postgres|root|test|user\w*", re.IGNORECASE)
"""The name of an account that is no host, so that what follows is no port."""
_VERSION: Final = re.compile(r"(?:[\w.-]+:)?v?[0-9]+(?:\.[0-9]+)+(?:[-.][A-Za-z]{1,10}[0-9]{0,2})?")
_END_OF_LIST_ITEM: Final = re.compile(r"[\w.:\[\]-]+[,;|)].*")
_DEFAULT: Final = re.compile(r"\$\{\w+:?[-=]([^{}]+)\}")
"""A variable of a shell with a default, which is a text of its own."""
_VARIABLES: Final = re.compile(
    r"""(?:(?: \$[A-Za-z_]\w*+  |  \$\{\{?[^{}]*\}\}?  |  \$\([^()]*\)  |  \{\{?[\w.!:$\[\]()-]*\}\}?
        |  %[A-Za-z_]\w*%  |  %\(\w+\)[sdr]  |  %[sdrv]  |  <[^<>]*>  |  \[[\w.-]*\]
        |  &lt;[\w.-]+&gt;  |  %(?:3[Cc]|5[Bb]|7[Bb])[\w.-]+%(?:3[Ee]|5[Dd]|7[Dd])
    ) [-_.:+~]*+ )++""",
    re.VERBOSE,
)
"""Variables of shells, templates and formats, each as a whole, with separators between them."""
_MASK: Final = re.compile(r"[*xX.…•_-]+")
_NAME: Final = re.compile("[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""A name such as GITHUB_TOKEN, which is to be replaced."""
_CONSTANTS: Final = ("x-oauth-basic", "x-access-token", "x-token-auth")
"""What stands in place of a password where the user is a token."""
_PLACEHOLDER: Final = re.compile(
    "changeme|credentials?|dummy|example|fake|hidden|pass|passphrase|passwd|password|placeholder|pw|pwd|redacted"
    "|replaceme|sample|secret|test|todo|token|value"
    "|clave|contrase[nñ]a|geheim|geheimnis|hasło|heslo|kennwort|lösenord|motdepasse|parola|passwort|salasana|senha"
    "|wachtwoord|пароль|密码|密碼|パスワード"
)
"""A word that says that a password belongs there, or that this is none."""
_FILLER: Final = re.compile(
    "a|access|api|app|change|database|db|dein|here|ihr|insert|key|me|mein|my|not|replace|some|the|user|username|your"
)
"""A word that may stand beside such a word."""

_MASKED: Final = re.compile(r"[xX*_.-]{8,}\W*\Z")
"""The end of a token that is a mask."""
_LONGEST_TAIL: Final = 40
"""Where that end is looked for: a search from each character of a long token would take the square of its length."""

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
"""What can stand before a key at the start of a line: a quotation, a comment, a list, a string."""
_KEY_FIELD: Final = r"[A-Za-z][A-Za-z0-9-]{1,30}:[ ][^\n\\]{0,200}"
_KEY_LINES: Final = re.compile(
    r"[^\n]*(?:(?<!\n)\n(?!\s*(?:```|~~~))(?=[^\n]*\S)[^\n]*"
    rf"|(?:\n[ \t>]*)+(?:[A-Za-z0-9+/]{{16}}[^\n]*|{_KEY_FIELD}))*"
)
"""A key without an end: the lines up to an empty one or a fence, and base64 and fields of a key after empty lines."""
_KEY_WORDS: Final = re.compile(
    rf"""(?:(?:[ \t"',;+]*(?:\n|\\r\\n|\\[nr])|[ \t]+)[ \t>"'#*+]*"""
    rf"""(?:{_KEY_FIELD}|[A-Za-z0-9+/=.…*]+(?=[\s"',;+\\]|\Z))?)*"""
)
"""The same within a line, where `\\n` can be a line feed: base64, dots and fields of a key."""
_AFTER_KEY: Final = " \t\n>\"'#*+\\-"
_BASE64: Final = re.compile("[A-Za-z0-9+/]{32}")

Extent = tuple[int, int]
"""Where a credential begins and ends in a text."""


def _extent_of_token(match: re.Match[str]) -> Extent | None:
    return None if _MASKED.search(match[0][-_LONGEST_TAIL:]) else match.span()


def _extent_of_aws_key(match: re.Match[str]) -> Extent | None:
    """No example of Amazon's documentation: all of them end so, and no real key does."""
    return None if re.search(r"EXAMPLE(?:KEY)?['\"]?$", match[0]) else _extent_of_token(match)


def _extent_of_private_key(match: re.Match[str]) -> Extent | None:
    """A key goes on to its last line, so that its digest is that of the key and not of its first line.

    A header without base64 after it is a key at the start of a line, and a mention elsewhere.
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

    `extent` says where a match begins and ends; None for a placeholder and for a published example.
    """

    name: str
    pattern: re.Pattern[str]
    extent: Callable[[re.Match[str]], Extent | None] = _extent_of_token


def find_matches(text: str) -> Iterator[tuple[int, int, Form]]:
    """The matches of all forms in their order, without those inside of another: a token in a URL is one credential."""
    last = 0
    matches = (
        (*extent, form)
        for form in forms()
        for match in form.pattern.finditer(text)
        if (extent := form.extent(match)) is not None
    )
    for start, end, form in sorted(matches, key=lambda match: match[:2]):
        if start >= last:
            last = end
            yield start, end, form


def is_placeholder_password(password: str) -> bool:
    """Whether a password consists of variables, is a mask, or is words that say what belongs there."""
    password = _DEFAULT.sub(r"\1", ESCAPE.sub("", password))
    if _VARIABLES.fullmatch(password) or _MASK.fullmatch(password) or _NAME.fullmatch(password):
        return True
    words = re.split("[-_. ]+", unquote(password).casefold())
    if password in _CONSTANTS or _PLACEHOLDER.fullmatch("".join(words)):
        return True
    placeholders = [word for word in words if _PLACEHOLDER.fullmatch(word)]
    return bool(placeholders) and all(
        _PLACEHOLDER.fullmatch(word) or _FILLER.fullmatch(word) for word in words
    )


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
        pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector,
        slack.SlackDetector,
        square_oauth.SquareOAuthDetector,
        stripe.StripeDetector,
    )
    aws_key = aws.AWSKeyDetector.secret_type
    return (
        *(Form(aws_key, pattern, _extent_of_aws_key) for pattern in aws.AWSKeyDetector.denylist),
        # The form of ~/.aws/credentials and of what `aws iam create-access-key` prints.
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
        # These two take the square of the length of a line in the form that detect-secrets has.
        Form(
            npm.NpmDetector.secret_type,
            re.compile(r"_authToken\s{0,9}=\s{0,9}[\"']?(?:npm_\w{9,}|[A-Fa-f0-9-]{36})"),
        ),
        Form(
            openai.OpenAIDetector.secret_type,
            re.compile(r"sk-(?<![\w-]sk-)[\w-]{20,200}T3BlbkFJ[A-Za-z0-9]{20}"),
        ),
        # Fine-grained tokens: detect-secrets does not know them yet.
        Form("GitHub Token", re.compile(r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")),
        Form("password in a URL", _URL, _extent_of_url),
        Form("password in a URL", _QUERY, _extent_of_query),
    )


def has_sign(text: str) -> bool:
    """Whether a text may contain a credential; without a sign it contains none."""
    folded = text.casefold()
    return any(sign.search(folded) for sign in SIGNS)
