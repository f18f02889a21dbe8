"""Find bare addresses as GitHub links them: `https://…`, `www.…` and `a@host.example`.

The rules follow GitHub Flavored Markdown, section 6.9 "Autolinks (extension)",
https://github.github.com/gfm/#autolinks-extension-, and its renderer cmark-gfm where the section
gives no rule.
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
_REST = re.compile(r"[^ \t\n\r\f\v<]*")
_ENTITY = re.compile(r"&[A-Za-z0-9]+;")


@dataclass(frozen=True, slots=True, order=True)
class Autolink:
    """An address in a text. Its target is `target_prefix` and the text from `start` to `end`."""

    start: int
    end: int
    target_prefix: str = ""


def may_hold_autolink(text: str) -> bool:
    """Whether a text has a mark that every address has."""
    return "://" in text or "@" in text or "www." in text


def find_autolinks(text: str, start: int, end: int, limit: int) -> Iterator[Autolink]:
    """Find the addresses that begin between two offsets of a text.

    They come in the order of the text and do not overlap. An address can run on to `limit`, the
    end of its line or cell. A mail address ends before `end`.
    """
    done = start
    for link in sorted((*_find_urls(text, start, end, limit), *_find_mails(text, start, end))):
        if link.start >= done:
            yield link
            done = link.end


def _find_urls(text: str, start: int, end: int, limit: int) -> Iterator[Autolink]:
    for pattern, prefix in ((_URL, ""), (_WWW, "http://")):
        done = start
        for match in pattern.finditer(text, start, end):
            if match.start() < done:
                continue
            domain = _DOMAIN.match(text, match.start() if prefix else match.end(), limit)
            last = _find_end_of_url(text, match.start(), limit)
            if (
                domain
                and last > match.end()
                and _is_valid_domain(domain[0], needs_dot=bool(prefix))
            ):
                yield Autolink(match.start(), last, prefix)
                done = last


def _find_mails(text: str, start: int, end: int) -> Iterator[Autolink]:
    for match in _MAIL.finditer(text, start, end):
        mail = match[0].rstrip(".")
        if "." in mail.partition("@")[2] and mail[-1].isalpha():
            yield Autolink(match.start(), match.start() + len(mail), "mailto:")


def _find_end_of_url(text: str, start: int, limit: int) -> int:
    """Return the end of an address.

    An address ends before white space, `<`, and the punctuation that belongs to the sentence.
    """
    rest = _REST.match(text, start, limit)
    last = rest.end() if rest else start
    unopened = text.count(")", start, last) - text.count("(", start, last)
    while last > start:
        character = text[last - 1]
        if character in "?!.,:*_~'\"":
            last -= 1
        elif character == ")" and unopened > 0:
            last -= 1
            unopened -= 1
        elif character == ";":
            begin = text.rfind("&", start, last)
            last = begin if begin >= 0 and _ENTITY.fullmatch(text, begin, last) else last - 1
        else:
            break
    return last


def _is_valid_domain(domain: str, *, needs_dot: bool) -> bool:
    labels = domain.split(".")
    has_underscore = any("_" in label for label in labels[-2:])
    return not has_underscore and (len(labels) > 1 or not needs_dot)
