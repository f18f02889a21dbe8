"""Find bare addresses as GitHub links them: `https://…`, `www.…` and `a@host.example`.

This module follows the specification of GitHub Flavored Markdown, section 6.9 "Autolinks
(extension)", https://github.github.com/gfm/#autolinks-extension-. If the specification has no rule
for a case, this module does the same as cmark-gfm, the renderer of GitHub.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_URL = re.compile(r"(?<![A-Za-z])(?:https?|ftp)://(?=[^\W_])", re.IGNORECASE)
_WWW = re.compile(r"(?:(?<=[\s*_~(])|(?<![\s\S]))www\.(?=[^\s<])")
_MAIL = re.compile(
    r"(?<![A-Za-z0-9_.+-])[A-Za-z0-9._+-]+@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?[A-Za-z0-9_-]*"
)
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_NON_SPACE = re.compile(r"[^ \t\n\r\f\v<]*")
_ENTITY = re.compile(r"&[A-Za-z0-9]+;")


@dataclass(frozen=True, slots=True, order=True)
class Autolink:
    """A bare address in a text, from the offset `start` to the offset `end`.

    The target of its link is the address with `target_prefix` before it, such as `mailto:`.
    """

    start: int
    end: int
    target_prefix: str = ""


def may_hold_autolink(text: str) -> bool:
    """Return whether a text contains "://", "@" or "www.". Every bare address contains one."""
    return "://" in text or "@" in text or "www." in text


def find_autolinks(text: str, start: int, end: int, limit: int) -> Iterator[Autolink]:
    """Yield the bare addresses that begin between two offsets of a text.

    The addresses are in the order of the text, and they do not overlap. A web address can continue
    after `end`, but not after `limit`, the end of its line or table cell. An e-mail address ends
    before `end`.
    """
    position = start
    for link in sorted((*_find_urls(text, start, end, limit), *_find_mails(text, start, end))):
        if link.start >= position:
            yield link
            position = link.end


def _find_urls(text: str, start: int, end: int, limit: int) -> Iterator[Autolink]:
    """Yield the web addresses that begin between two offsets of a text."""
    for pattern, prefix in ((_URL, ""), (_WWW, "http://")):
        position = start
        for match in pattern.finditer(text, start, end):
            if match.start() < position:
                continue
            domain = _DOMAIN.match(text, match.start() if prefix else match.end(), limit)
            last = _find_end_of_url(text, match.start(), limit)
            if (
                domain
                and last > match.end()
                and _is_valid_domain(domain[0], needs_dot=bool(prefix))
            ):
                yield Autolink(match.start(), last, prefix)
                position = last


def _find_mails(text: str, start: int, end: int) -> Iterator[Autolink]:
    """Yield the e-mail addresses between two offsets of a text."""
    for match in _MAIL.finditer(text, start, end):
        mail = match[0].rstrip(".")
        if "." in mail.partition("@")[2] and mail[-1].isalpha():
            yield Autolink(match.start(), match.start() + len(mail), "mailto:")


def _find_end_of_url(text: str, start: int, limit: int) -> int:
    """Return the offset at which a web address ends.

    The address ends before white space or `<`. Punctuation at its end belongs to the sentence
    around it, not to the address.
    """
    rest = _NON_SPACE.match(text, start, limit)
    last = rest.end() if rest else start
    unmatched_count = text.count(")", start, last) - text.count("(", start, last)
    while last > start:
        character = text[last - 1]
        if character in "?!.,:*_~'\"":
            last -= 1
        elif character == ")" and unmatched_count > 0:
            last -= 1
            unmatched_count -= 1
        elif character == ";":
            begin = text.rfind("&", start, last)
            last = begin if begin >= 0 and _ENTITY.fullmatch(text, begin, last) else last - 1
        else:
            break
    return last


def _is_valid_domain(domain: str, *, needs_dot: bool) -> bool:
    """Return whether GitHub links a domain: no underscore in its last two labels."""
    labels = domain.split(".")
    has_underscore = any("_" in label for label in labels[-2:])
    return not has_underscore and (len(labels) > 1 or not needs_dot)
