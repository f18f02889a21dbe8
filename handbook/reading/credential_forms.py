"""Find credentials by their form: keys, tokens, private keys, and passwords in URLs.

The forms of tokens are in `token_forms`. This module adds keys and passwords without a prefix. It
does not guess from random text or from a nearby word such as "password".
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from handbook.reading.token_forms import TOKEN_FORMS

_SHORTEST: Final = 20
"""The length of the shortest token."""

_SIGNS: Final = tuple(dict.fromkeys(sign for form in TOKEN_FORMS for sign in form.signs))
"""Texts that tokens contain, but that most words do not."""

_RUN: Final = re.compile("[0-9A-Za-z]{32}|[0-9A-Za-z/+]{40}")
"""The form of a token without signs, and of a secret access key of AWS."""

_OTHER_SIGNS: Final = tuple(
    map(
        re.compile,
        ("PRIVATE KEY", "PuTTY-User-Key-File", "_authToken", r"//[^/\n]*@", r"\\/[^/\n]*@"),
    )
)
"""Patterns of which every other credential matches at least one."""

_PASSWORD_IN_QUERY: Final = re.compile("passw(?:or)?d=|pwd=", re.IGNORECASE)

ESCAPE: Final = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
"""The backslash that escapes a punctuation mark in Markdown."""

_URL: Final = re.compile(
    r"""/\\?/(?<![\w/.]//)(?!\[[0-9A-Fa-f.]*[:\]])"""
    r"""(?P<user><[^<>/\n]{1,60}>|\$?\{\{[^{}/\n]{1,60}\}\}|[^\s/?#:"'`<>(),|]*)(?<!mailto):"""
    r"""(?P<password>[^\s/?#"'`]+)@(?!sha(?:256|512):)"""
    r"""(?:\[[0-9A-Fa-f:.%]{2,45}\]|[\w.-]*\w|(?=[/$%{<\[(*]))"""
)
"""The part of a URL from `//` to the host, with a user name and a password.

The user name can be an e-mail address.
"""
_SCHEME: Final = re.compile(r"(?<![\w+.-])[A-Za-z][\w+.-]{0,30}:\\?$")
_LONGEST_SCHEME: Final = 33
_QUERY: Final = re.compile(
    r"""(?i)[?&;](?P<parameter>(?:password|passwd|pwd)=(?P<password>[^\s&#"'`<>]+))"""
)

_PORT: Final = re.compile(r"[0-9]{1,5}(?:[)\]}<>,;|].*)?")
"""A port number at the end of a URL, or before the next URL of a list."""
_ACCOUNT: Final = re.compile(r"|admin\w*|guest|postgres|root|test|user\w*", re.IGNORECASE)
"""Names of accounts. A number after such a name and a colon is a password, not a port."""
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
"""A password that consists of variables: of a shell, a template or a format."""
_MASK: Final = re.compile(r"[*xX.…•_-]+")
_NAME: Final = re.compile("[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""The name of a variable, such as GITHUB_TOKEN."""
_CONSTANTS: Final = ("x-oauth-basic", "x-access-token", "x-token-auth")
"""Passwords with a fixed text. In a URL with such a password, the user name is the token."""
_PLACEHOLDER: Final = re.compile(
    "changeme|credentials?|dummy|example|fake|hidden|pass|passphrase|passwd|password"
    "|placeholder|pw|pwd|redacted|replaceme|sample|secret|test|todo|token|value"
    "|clave|contrase[nñ]a|geheim|geheimnis|hasło|heslo|kennwort|lösenord|motdepasse|parola"
    "|passwort|salasana|senha|wachtwoord|пароль|密码|密碼|パスワード"
)
"""Words that show that a password is a placeholder."""
_FILLER: Final = re.compile(
    "a|access|api|app|change|database|db|dein|here|ihr|insert|key|me|mein|my|not|replace|some|the"
    "|user|username|your"
)
"""Other words that a placeholder can contain, such as `your` in `your-password`."""

_EMULATOR_KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu"
"""The start of the published key of Azurite, the emulator of Azure Storage."""

_MASKED: Final = re.compile(r"[xX*_.-]{8,}\W*\Z")
"""A mask, such as `xxxxxxxx`, at the end of a token."""
_LONGEST_TAIL: Final = 40
"""The number of characters at the end of a token in which `_MASKED` searches for a mask.

The time of a search in the whole token would grow with the square of its length.
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
"""The marks that can precede a private key on its line: quote, comment, list or string marks."""
_KEY_FIELD: Final = r"[A-Za-z][A-Za-z0-9-]{1,30}:[ ][^\n\\]{0,200}"
_KEY_LINES: Final = re.compile(
    r"[^\n]*(?:(?<!\n)\n(?!\s*(?:```|~~~))(?=[^\n]*\S)[^\n]*"
    rf"|(?:\n[ \t>]*)+(?:[A-Za-z0-9+/]{{16}}[^\n]*|{_KEY_FIELD}))*"
)
"""The lines of a private key without an end line, up to an empty line or a fence.

The key continues after an empty line if the next line is base64 or a field of the key.
"""
_KEY_WORDS: Final = re.compile(
    rf"""(?:(?:[ \t"',;+]*(?:\n|\\r\\n|\\[nr])|[ \t]+)[ \t>"'#*+]*"""
    rf"""(?:{_KEY_FIELD}|[A-Za-z0-9+/=.…*]+(?=[\s"',;+\\]|\Z))?)*"""
)
"""A private key inside a line, without its end mark: base64, dots and fields of the key.

The two characters `\\n` can represent a line feed in such a key.
"""
_AFTER_KEY: Final = " \t\n>\"'#*+\\-"
_BASE64: Final = re.compile("[A-Za-z0-9+/]{32}")

Extent = tuple[int, int]
"""The start offset and the end offset of a credential in a text."""


def _extent_of_token(match: re.Match[str]) -> Extent | None:
    """Return the offsets of a token, or None if the token ends in a mask."""
    return None if _MASKED.search(match[0][-_LONGEST_TAIL:]) else match.span()


def _extent_of_aws_key(match: re.Match[str]) -> Extent | None:
    """Return the offsets of an AWS key, or None if it is an example or a mask.

    Example keys in the documentation of AWS end in EXAMPLE or EXAMPLEKEY. Real keys do not.
    """
    return None if re.search(r"EXAMPLE(?:KEY)?['\"]?$", match[0]) else _extent_of_token(match)


def _extent_of_jwt(match: re.Match[str]) -> Extent | None:
    """Return the offsets of a JSON Web Token, or None for the example of https://jwt.io."""
    payload = match[0].split(".")[1]
    try:
        text = urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    except ValueError:
        return None
    return None if '"John Doe"' in text else _extent_of_token(match)


def _extent_of_azure_key(match: re.Match[str]) -> Extent | None:
    """Return the offsets of an Azure storage key, or None for the key of the local emulator."""
    return None if _EMULATOR_KEY in match[0] else _extent_of_token(match)


def _extent_of_private_key(match: re.Match[str]) -> Extent | None:
    """Return the offsets of a private key, or None if the text only mentions its header.

    The key ends after its last line, because the SHA-256 of a secret sample covers the whole key.
    A header without base64 after it is a key only if it begins a line.
    """
    text = match.string
    dashes = _DASHES.search(text[max(0, match.start() - 6) : match.start()])
    start = match.start() - (len(dashes[0]) if dashes else 0)
    starts_line = (
        _BEFORE_KEY.fullmatch(text[max(0, start - 40) : start].rpartition("\n")[2]) is not None
    )
    next_key = _NEXT_KEY.search(text, match.end(), match.end() + _LONGEST_KEY)
    end = next_key.start() if next_key else min(len(text), match.end() + _LONGEST_KEY)
    if not next_key or not next_key[0].endswith("END"):
        block = (_KEY_LINES if starts_line else _KEY_WORDS).match(text, match.end(), end)
        end = match.end() + len(block[0].rstrip(_AFTER_KEY) if block else "")
    return (start, end) if starts_line or _BASE64.search(text, match.end(), end) else None


def _extent_of_url(match: re.Match[str]) -> Extent | None:
    """Return the offsets of a URL with a password. Returns None if the password is not real."""
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
    """Return the offsets of a password in a query. Returns None if it is a placeholder."""
    password = match["password"]
    values = {password, re.split("[,;|)]", password)[0], password.rstrip(".:!*_")}
    return None if any(map(is_placeholder_password, values)) else match.span("parameter")


_EXTENTS: Final[Mapping[str, Callable[[re.Match[str]], Extent | None]]] = {
    "AWS access key": _extent_of_aws_key,
    "Azure storage key": _extent_of_azure_key,
    "JSON Web Token": _extent_of_jwt,
}


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of credential, with a pattern that finds it.

    `extent` returns the offsets of the credential of a match. It returns None if the match is a
    placeholder or a published example.
    """

    name: str
    pattern: re.Pattern[str]
    extent: Callable[[re.Match[str]], Extent | None] = _extent_of_token


def find_matches(text: str) -> Iterator[tuple[int, int, Form]]:
    """Yield the credentials in a text, in order: start offset, end offset and form.

    If two matches overlap, such as a token inside a URL, the function yields only the first.
    """
    last = 0
    matches = (
        (*extent, form)
        for form in FORMS
        for match in form.pattern.finditer(text)
        if (extent := form.extent(match)) is not None
    )
    for start, end, form in sorted(matches, key=lambda match: match[:2]):
        if start >= last:
            last = end
            yield start, end, form


def is_placeholder_password(password: str) -> bool:
    """Return whether a password is a variable, a mask, or words such as `your-password`."""
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


FORMS: Final = (
    *(
        Form(token.name, token.pattern, _EXTENTS.get(token.name, _extent_of_token))
        for token in TOKEN_FORMS
    ),
    Form(
        "AWS secret key",
        re.compile(
            r"""(?i)aws.{0,20}?(?:key|pwd|pw|password|pass|token).{0,20}?['"][0-9a-z/+]{40}['"]"""
        ),
        _extent_of_aws_key,
    ),
    # ~/.aws/credentials and the output of `aws iam create-access-key` have this form.
    Form(
        "AWS secret key",
        re.compile(r"(?i)secret_?access_?key\W{1,6}[A-Z0-9/+]{40}(?![A-Z0-9/+=])"),
        _extent_of_aws_key,
    ),
    Form("private key", _KEY_HEADER, _extent_of_private_key),
    Form("private key", _PUTTY_HEADER, _extent_of_private_key),
    Form("password in a URL", _URL, _extent_of_url),
    Form("password in a URL", _QUERY, _extent_of_query),
)
"""The forms of all credentials."""


def may_hold_credential(text: str) -> bool:
    """Return whether a text can contain a credential. This test is faster than a search."""
    words = " ".join(word for word in text.split() if len(word) >= _SHORTEST)
    return (
        any(sign in words for sign in _SIGNS)
        or _RUN.search(words) is not None
        or any(sign.search(text) for sign in _OTHER_SIGNS)
        or (("d=" in text or "D=" in text) and _PASSWORD_IN_QUERY.search(text) is not None)
    )
