"""A generated handbook as other tools take it: stock MkDocs, Hugo, and front matter in files of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

_MOUNTED: Final = ("adr", "runbooks", "postmortems")
_MACRO: Final = re.compile(r"\{\{ [a-z_]+\(\) \}\}")
_HEAD: Final = re.compile(r"---\n(.*?)---\n", re.DOTALL)
_TITLES: Final = {
    "adr": "Decisions",
    "runbooks": "Runbooks",
    "postmortems": "Post-mortems",
    "standards": "Standards",
    "services": "Services",
}


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """Every page of the handbook as it would stand below docs/: its path there, and its text.

    Links between the folders are mended. Where a page calls a macro it has a list of the records, as people keep who
    have no macros.
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
            listed = [
                other
                for other in files
                if folder and other.is_relative_to(file.parent) and other != file
            ]
            lines = (
                f"- [{_title(other)}]({other.relative_to(file.parent).as_posix()})"
                for other in listed
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


def _title(file: Path) -> str:
    with file.open(encoding="utf-8") as lines:
        return next(line[2:].strip() for line in lines if line.startswith("# "))


def stock(root: Path, target: Path, *, in_nav: bool, search: bool) -> None:
    """The same pages for MkDocs and Material alone, with the extensions that show them, and no other plugin."""
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
    for path, text in pages(root):
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
                {_TITLES[folder]: sorted(listed, key=_index_first)}
                for folder, listed in folders.items()
            ),
        ]
    _write(target / "mkdocs.yml", yaml.safe_dump(settings, sort_keys=False))


def hugo(root: Path, target: Path) -> None:
    """The same pages for Hugo, in a plain layout that has a table of contents and resolves the links between files."""
    for path, text in pages(root):
        _write(target / "content" / re.sub(r"(^|/)index\.md$", r"\1_index.md", path), text)
    for path, text in _HUGO.items():
        _write(target / path, text)


def front_matter(root: Path, target: Path) -> dict[str, list[str]]:
    """The front matter of every record in a YAML file of its own: the paths by kind."""
    folders = {
        "adr": root / "adr",
        "runbook": root / "runbooks",
        "postmortem": root / "postmortems",
        "standard": root / "docs/standards",
        "service": root / "docs/services",
    }
    found: dict[str, list[str]] = {}
    for kind, folder in folders.items():
        for file in sorted(folder.rglob("*.md")):
            head = _HEAD.match(file.read_text(encoding="utf-8"))
            if file.name != "index.md" and head:
                own = target / file.relative_to(root).with_suffix(".yml")
                _write(own, head[1])
                found.setdefault(kind, []).append(str(own))
    return found


def _index_first(path: str) -> tuple[bool, str]:
    return not path.endswith("/index.md"), path


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


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
<body><header><nav>{{ range site.Sections }}<a href="{{ .RelPermalink }}">{{ .Title }}</a> {{ end }}</nav></header>
<main>{{ block "main" . }}{{ end }}</main><footer>{{ site.Title }}</footer></body></html>
""",
    "layouts/_default/single.html": '{{ define "main" }}<aside>{{ .TableOfContents }}</aside>{{ .Content }}{{ end }}\n',
    "layouts/_default/list.html": '{{ define "main" }}<aside>{{ .TableOfContents }}</aside>{{ .Content }}{{ end }}\n',
    "layouts/index.html": '{{ define "main" }}{{ .Content }}{{ end }}\n',
    "layouts/_default/_markup/render-link.html": """{{- $url := urls.Parse .Destination -}}
{{- $target := "" -}}
{{- if and $url.Path (not $url.IsAbs) -}}{{- with .Page.GetPage $url.Path -}}{{- $target = .RelPermalink -}}{{- end -}}
{{- end -}}
<a href="{{ with $target }}{{ . }}{{ with $url.Fragment }}#{{ . }}{{ end }}{{ else }}{{ .Destination }}{{ end }}">
{{- .Text | safeHTML }}</a>
""",
}
