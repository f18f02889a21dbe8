"""Build the site of this folder, and print each load and check of the handbook.

Usage: counted.py BUILDS SITE
"""

from __future__ import annotations

import sys
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config

from handbook.engines import check
from handbook.site import finish

builds, site = sys.argv[1:]
calls: list[str] = []


def count_calls(name: str) -> None:
    function = getattr(check, name)

    def call(*arguments: Any) -> Any:
        calls.append(name)
        return function(*arguments)

    setattr(check, name, call)


count_calls("load")
count_calls("run")
finish.write_search_index = lambda *_, **__: None
for _ in range(int(builds)):
    build(load_config("mkdocs.yml", site_dir=site))
print(*calls)
