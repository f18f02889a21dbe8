"""What readers see: one module a page, from the handbook to Markdown, HTML or JSON, with the templates beside them.

A view never reads a file, the clock or the network; everything it shows is in the handbook that it is given. Addresses
are relative to the page that is shown (`here`, its own address relative to the site's root).
"""

from __future__ import annotations

import posixpath
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape


def relative(url: str, here: str) -> str:
    """The address `url` as seen from the page `here`, both relative to the site's root: `adr/0001-x/`, ``."""
    path, mark, fragment = url.partition("#")
    start = here if here.endswith("/") or not here else posixpath.dirname(here)
    found = posixpath.relpath(path or ".", start or ".")
    if found == "." and mark:
        return f"#{fragment}"
    slash = "/" if path.endswith("/") or not path else ""
    return f"{found}{slash}{mark}{fragment}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.globals["relative"] = relative
    return environment


def render(template: str, **values: Any) -> str:
    """A template of this package, filled in; values are escaped for HTML."""
    return _environment().get_template(template).render(**values)
