"""Convert a generated handbook for other tools: stock MkDocs, Hugo and schema validators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

_MOUNTED: Final = ("adr", "runbooks", "postmortems")
_MACRO: Final = re.compile(r"\{\{ [a-z_]+\(\) \}\}")
_FRONT_MATTER: Final = re.compile(r"---\n(.*?)---\n", re.DOTALL)
_TITLES: Final = {
    "adr": "Decisions",
    "runbooks": "Runbooks",
    "postmortems": "Post-mortems",
    "standards": "Standards",
    "services": "Services",
}


def convert_pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page of a handbook, for a site without our plugin.

    A path is relative to docs/. Links between the folders are adapted. A list of links to the
    records replaces each macro, because authors without macros write such lists by hand.
    """
    folders = [root / "docs", *(root / folder for folder in _MOUNTED)]
    files = [file for folder in folders for file in sorted(folder.rglob("*.md"))]
    for file in files:
        path = file.relative_to(root).as_posix().removeprefix("docs/")
        text = file.read_text(encoding="utf-8")
        if file.is_relative_to(root / "docs"):
            text = re.sub(r"\]\(((?:\.\./)*)\.\./(adr|runbooks|postmortems)/", r"](\1\2/", text)
        else:
            text = re.sub(r"\]\(((?:\.\./)+)docs/", r"](\1", text)
        if _MACRO.search(text):
            folder = path.rpartition("/")[0]
            records = [
                record
                for record in files
                if folder and record.is_relative_to(file.parent) and record != file
            ]
            lines = (
                f"- [{_read_title(record)}]({record.relative_to(file.parent).as_posix()})"
                for record in records
            )
            text = f"{_MACRO.sub('', text).rstrip()}\n\n" + "\n".join(lines) + "\n"
        yield path, text


_EXTENSIONS: Final[list[Any]] = [
    "sane_lists",
    {"tables": {"use_align_attribute": True}},
    {"toc": {"permalink": True}},
    {"pymdownx.highlight": {"anchor_linenums": False, "linenums_style": "pymdownx-inline"}},
    {"pymdownx.quotes": {"callouts": True}},
    {"pymdownx.snippets": {"base_path": ["docs/standards/samples"], "restrict_base_path": True}},
    "pymdownx.superfences",
]


def _read_title(file: Path) -> str:
    with file.open(encoding="utf-8") as lines:
        return next(line[2:].strip() for line in lines if line.startswith("# "))


def write_stock_site(root: Path, target: Path, *, in_nav: bool, search: bool) -> None:
    """Write the source files of a site for MkDocs with Material and no plugin of ours.

    With `in_nav`, the navigation lists every page. `search` adds MkDocs's own search.
    """
    settings: dict[str, Any] = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    for key in ("extra", "validation", "strict", "not_in_nav"):
        settings.pop(key)
    settings |= {
        "plugins": ["search"] if search else [],
        "markdown_extensions": _EXTENSIONS,
        "extra": {"generator": False},
        "not_in_nav": "*.md\n",
    }
    paths = []
    for path, text in convert_pages(root):
        _write(target / "docs" / path, text)
        paths.append(path)
    sample = "docs/standards/samples/settings.yml"
    _write(target / sample, (root / sample).read_text(encoding="utf-8"))
    if in_nav:
        folders = {
            folder: [path for path in paths if path.startswith(f"{folder}/")] for folder in _TITLES
        }
        settings["nav"] = [
            {"Home": ["index.md"]},
            *(
                {_TITLES[folder]: sorted(paths_of_folder, key=_index_first)}
                for folder, paths_of_folder in folders.items()
            ),
        ]
    _write(target / "mkdocs.yml", yaml.safe_dump(settings, sort_keys=False))


def write_hugo_site(root: Path, target: Path) -> None:
    """Write the source files of a site for Hugo. Its templates have a table of contents."""
    for path, text in convert_pages(root):
        _write(target / "content" / re.sub(r"(^|/)index\.md$", r"\1_index.md", path), text)
    for path, text in _HUGO.items():
        _write(target / path, text)


def write_front_matter(root: Path, target: Path) -> dict[str, list[str]]:
    """Write the front matter of each record to its own YAML file, and return the paths by kind."""
    folders = {
        "adr": root / "adr",
        "runbook": root / "runbooks",
        "postmortem": root / "postmortems",
        "standard": root / "docs/standards",
        "service": root / "docs/services",
    }
    paths: dict[str, list[str]] = {}
    for kind, folder in folders.items():
        for file in sorted(folder.rglob("*.md")):
            front_matter = _FRONT_MATTER.match(file.read_text(encoding="utf-8"))
            if file.name != "index.md" and front_matter:
                copy = target / file.relative_to(root).with_suffix(".yml")
                _write(copy, front_matter[1])
                paths.setdefault(kind, []).append(str(copy))
    return paths


def _index_first(path: str) -> tuple[bool, str]:
    return not path.endswith("/index.md"), path


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


_HUGO_PAGE: Final = (
    '{{ define "main" }}<aside>{{ .TableOfContents }}</aside>{{ .Content }}{{ end }}\n'
)
_HUGO: Final = {
    "hugo.toml": """baseURL = "https://generated.example/"
title = "A generated handbook"
disableKinds = ["taxonomy", "term", "RSS"]
enableGitInfo = false
[markup.goldmark.renderer]
unsafe = false
""",
    "layouts/_default/baseof.html": """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ .Title }} - {{ site.Title }}</title></head>
<body><header><nav>
{{ range site.Sections }}<a href="{{ .RelPermalink }}">{{ .Title }}</a> {{ end }}
</nav></header>
<main>{{ block "main" . }}{{ end }}</main><footer>{{ site.Title }}</footer></body></html>
""",
    "layouts/_default/single.html": _HUGO_PAGE,
    "layouts/_default/list.html": _HUGO_PAGE,
    "layouts/index.html": '{{ define "main" }}{{ .Content }}{{ end }}\n',
    "layouts/_default/_markup/render-link.html": """{{- $url := urls.Parse .Destination -}}
{{- $target := "" -}}
{{- if and $url.Path (not $url.IsAbs) -}}
{{- with .Page.GetPage $url.Path -}}{{- $target = .RelPermalink -}}{{- end -}}
{{- end -}}
<a href="{{ with $target }}{{ . }}{{ with $url.Fragment }}#{{ . }}{{ end }}
{{- else }}{{ .Destination }}{{ end }}">
{{- .Text | safeHTML }}</a>
""",
}
