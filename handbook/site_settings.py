"""Check the settings of MkDocs and Material in mkdocs.yml.

A setting is a problem if MkDocs would refuse or ignore it, or if it would break a promise of the
site. Empty settings are absent settings, as in MkDocs.
"""

from __future__ import annotations

import posixpath
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from handbook.diagnostics import Location, find_nearest, suggest
from handbook.reading import files, nodes
from handbook.reading.addresses import SCHEMES, read_scheme
from handbook.reading.fields import (
    AllowedValues,
    Choice,
    FieldType,
    Group,
    Many,
    Nullable,
    Reading,
    Text,
    add_misspelt_keys,
    field,
)
from handbook.reading.placeholders import is_unwritten
from handbook.reading.problems import ProblemKind

THEME: Final = "material"
SITE_URL_HINT: Final = (
    "set 'site_url' to the full address of the site, such as https://handbook.example/"
)
_UNSAFE_IN_URL: Final = frozenset("\"'`\\<>{}")
"""Characters that would end an attribute, or that a template or a browser reads as its own."""
_LEVELS: Final = ("warn", "info", "ignore")
_SWITCHES: Final = frozenset({"true", "false", "yes", "no", "on", "off"})
_OFF: Final = frozenset({"false", "no", "off"})
_TEMPLATE_FIELDS: Final = frozenset({"path", "path_noext"})
_CONVERSIONS: Final = frozenset({None, "q", "r", "s", "a"})
_THEME_IMAGES: Final = "assets/images/"
"""The folder with Material's own images, such as its favicon."""
_OWN_THEME: Final = Path(__file__).parent / "site" / "theme"
_PLUGINS_WITHOUT_FILES: Final = frozenset(
    {"handbook", "macros", "search", "tags", "meta", "info", "privacy", "social", "optimize"}
)
"""The plugins that add no page, style or script that a setting can name."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """An entry of the setting `plugins`, with its options or None. `at` is its name."""

    name: str
    at: Location
    options: nodes.Mapping | None = None

    @property
    def is_enabled(self) -> bool:
        """Return whether MkDocs runs the plugin."""
        enabled = self.options.find("enabled") if self.options else None
        return not (isinstance(enabled, nodes.Scalar) and enabled.text.lower() in _OFF)


def configures_site(node: nodes.Mapping) -> bool:
    """Return whether mkdocs.yml configures a site.

    A repository that is only checked needs no theme and no plugins.
    """
    return any(node.find(key) is not None for key in ("theme", "plugins"))


def list_plugins(node: nodes.Mapping) -> tuple[Plugin, ...]:
    """Return the entries of the setting `plugins`."""
    value = node.find("plugins")
    plugins: list[Plugin] = []
    for item in value.items if isinstance(value, nodes.Sequence) else [value]:
        if isinstance(item, nodes.Scalar) and not item.empty:
            plugins.append(Plugin(item.text, item.at))
        elif isinstance(item, nodes.Mapping):
            for entry in item.entries:
                options = entry.value if isinstance(entry.value, nodes.Mapping) else None
                plugins.append(Plugin(entry.key, entry.at, options))
    return tuple(plugins)


def find_text(node: nodes.Mapping, *keys: str) -> nodes.Scalar | None:
    """Return the text below nested keys, or None if it is absent, blank or no text."""
    value = node.find(*keys)
    return value if isinstance(value, nodes.Scalar) and not _is_blank(value) else None


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Scalar) and (node.empty or not node.text.strip())


def list_nav_entries(node: nodes.Mapping) -> tuple[nodes.Scalar, ...]:
    """Return the entries of the setting `nav`: paths and addresses, without titles."""
    nav = node.find("nav")
    return tuple(nodes.walk_scalars(nav)) if isinstance(nav, nodes.Sequence) else ()


def can_add_files(node: nodes.Mapping) -> bool:
    """Return whether a plugin or hook can add files to the site that the check does not know."""
    names = {plugin.name.split("/")[-1] for plugin in list_plugins(node) if plugin.is_enabled}
    hooks = node.find("hooks")
    return bool(names - _PLUGINS_WITHOUT_FILES) or bool(
        isinstance(hooks, nodes.Sequence) and hooks.items
    )


class _Switch(FieldType):
    """A truth value of YAML 1.1, which MkDocs reads."""

    noun = "true or false"

    def parse(self, key: str, node: nodes.Scalar, reading: Reading) -> bool | None:
        """Return the truth value. If the text is another value, add a problem."""
        if node.text.lower() in _SWITCHES:
            return node.text.lower() not in _OFF
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        """Return the JSON Schema of a truth value."""
        return {"type": "boolean"}


class _Shape(FieldType):
    """A value of one of several YAML types, whose content is free."""

    def __init__(self, noun: str, *types: type[nodes.Node]) -> None:
        self.noun = noun
        self.types = types

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> nodes.Node | None:
        """Return the node itself. If it has another YAML type, add a problem."""
        if isinstance(node, self.types):
            return node
        name = {nodes.Scalar: "single value", nodes.Sequence: "list"}.get(type(node), "mapping")
        reading.add_problem(
            ProblemKind.WRONG_TYPE,
            node.at,
            f"unexpected {name} under '{key}'",
            f"write {self.noun}",
        )
        return None

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        """Return the JSON Schema of any value."""
        return {}


_ANY: Final = _Shape("a value", nodes.Scalar, nodes.Sequence, nodes.Mapping)
_MAPPING: Final = _Shape("a mapping", nodes.Mapping)
_LIST: Final = _Shape("a list", nodes.Sequence)
_TEXTS: Final = Many(Text())


@dataclass(frozen=True, kw_only=True)
class _Validation:
    """The levels under `validation.nav` and `validation.links`."""

    omitted_files: str | None = field(Choice(*_LEVELS), "level of omitted files")
    not_found: str | None = field(Choice(*_LEVELS), "level of missing files")
    absolute_links: str | None = field(
        Choice(*_LEVELS, "relative_to_docs"), "level of absolute links"
    )
    anchors: str | None = field(Choice(*_LEVELS), "level of unknown anchors")
    unrecognized_links: str | None = field(Choice(*_LEVELS), "level of other links")


@dataclass(frozen=True, kw_only=True)
class _AllValidation(_Validation):
    """The setting `validation`."""

    nav: object = field(Group(_Validation), "levels in the navigation")
    links: object = field(Group(_Validation), "levels of links in pages")


@dataclass(frozen=True, kw_only=True)
class _Theme:
    """The options of the theme that the check knows."""

    name: str | None = field(Nullable(Text()), "name of the theme")
    custom_dir: str | None = field(Text(), "folder with templates")
    features: tuple[str, ...] = field(_TEXTS, "features of the theme")
    language: str | None = field(Nullable(Text()), "language of the theme's texts")
    direction: str | None = field(Nullable(Choice("ltr", "rtl")), "direction of text")
    logo: str | None = field(Nullable(Text()), "path of the logo")
    favicon: str | None = field(Nullable(Text()), "path of the favicon")
    font: object = field(Nullable(_ANY), "fonts of another host, or false")
    icon: object = field(Nullable(_MAPPING), "icons of the theme")
    palette: object = field(
        Nullable(_Shape("a mapping or a list of mappings", nodes.Mapping, nodes.Sequence)),
        "colours of the theme",
    )
    static_templates: tuple[str, ...] = field(_TEXTS, "templates that become pages")


@dataclass(frozen=True, kw_only=True)
class _ExtraScript:
    """A script with attributes, in the setting `extra_javascript`."""

    path: str | None = field(Text(), "path of the script", required=True)
    type: str | None = field(Nullable(Text()), "type of the script")
    defer: bool | None = field(_Switch(), "attribute defer")
    async_: bool | None = field(_Switch(), "attribute async", key="async")


_TYPES: Final[Mapping[str, FieldType]] = {
    "INHERIT": Text(),
    "site_name": Text(),
    "site_url": Text(),
    "site_description": Text(),
    "site_author": Text(),
    "copyright": Text(),
    "nav": _LIST,
    "exclude_docs": Text(),
    "draft_docs": Text(),
    "not_in_nav": Text(),
    "docs_dir": Text(),
    "site_dir": Text(),
    "theme": _Shape("a mapping such as {name: material}", nodes.Mapping, nodes.Scalar),
    "dev_addr": Text(),
    "use_directory_urls": _Switch(),
    "repo_url": Text(),
    "repo_name": Text(),
    "edit_uri_template": Text(),
    "edit_uri": Text(),
    "extra_css": _TEXTS,
    "extra_javascript": _LIST,
    "extra_templates": _TEXTS,
    "google_analytics": _ANY,
    "markdown_extensions": _Shape("a list of names", nodes.Sequence, nodes.Mapping),
    "strict": _Switch(),
    "remote_branch": Text(),
    "remote_name": Text(),
    "extra": _MAPPING,
    "plugins": _Shape("a list of names", nodes.Sequence, nodes.Mapping),
    "hooks": _TEXTS,
    "watch": _TEXTS,
    "validation": Group(_AllValidation),
}
"""The settings of MkDocs 1.6, with their types."""


PUBLISHED_TEXTS: Final = ("site_name", "site_description", "site_author", "copyright")


def check_site_settings(node: nodes.Mapping, root: Path, docs: str, reading: Reading) -> None:
    """Add the problems of the settings of MkDocs to `reading`.

    `node` is the content of mkdocs.yml in the folder `root`, and `docs` is the folder of pages.
    """
    _check_types(node, reading)
    _check_theme(node, reading)
    _check_plugins(node, reading)
    _check_nav(node, reading)
    _check_site_url(node, reading)
    _check_addresses(node, reading)
    _check_files(node, root, docs, reading)


def _check_types(node: nodes.Mapping, reading: Reading) -> None:
    """Add the unknown keys at the top of mkdocs.yml, and the values with a wrong type."""
    keys = {entry.key for entry in node.entries}
    for entry in node.entries:
        if entry.key not in _TYPES:
            nearest_key = find_nearest(entry.key, _TYPES.keys() - keys)
            hint = suggest(nearest_key) if nearest_key else "remove it: MkDocs has no such setting"
            reading.add_problem(
                ProblemKind.UNKNOWN_KEY, entry.at, f"unknown key '{entry.key}'", hint
            )
        elif not _is_blank(entry.value):
            _TYPES[entry.key].read(entry.key, entry.value, reading)
    for key in PUBLISHED_TEXTS:
        text = find_text(node, key)
        if text and is_unwritten(text.text):
            reading.add_placeholder(text, "text", since=len(reading.problems))
    if "site_name" not in keys and configures_site(node):
        hint = "add 'site_name:' with the title of the site"
        reading.add_problem(ProblemKind.MISSING_KEY, node.at, "missing key 'site_name'", hint)
    scripts = node.find("extra_javascript")
    for item in scripts.items if isinstance(scripts, nodes.Sequence) else ():
        script = Group(_ExtraScript) if isinstance(item, nodes.Mapping) else Text()
        script.read("extra_javascript", item, reading)


def _check_theme(node: nodes.Mapping, reading: Reading) -> None:
    """Add a problem if the theme is not Material, and the problems of its options."""
    theme = node.find("theme")
    if isinstance(theme, nodes.Sequence) or not configures_site(node):
        return
    name: nodes.Node | None = theme
    if isinstance(theme, nodes.Mapping):
        name = theme.find("name")
        _check_features(theme, reading)
        Group(_Theme, allow_other_keys=True).read("theme", theme, reading)
        add_misspelt_keys(_Theme, theme, reading)
    if isinstance(name, nodes.Scalar) and name.text == THEME:
        return
    text = f"theme '{name.text}'" if isinstance(name, nodes.Scalar) and name.text else "no theme"
    at = name.at if name else theme.at if theme else node.at
    _refuse(at, f"{text}, but the site needs the theme '{THEME}'", _THEME_HINT, reading)


def _check_features(theme: nodes.Mapping, reading: Reading) -> None:
    """Add the features that Material does not have, and those that keep scripts from running.

    Material's instant navigation replaces the page without the event that starts the scripts of a
    page. Own templates can have features of their own.
    """
    has_own_templates = find_text(theme, "custom_dir") is not None
    for feature in _list_texts(theme.find("features")):
        if not has_own_templates or find_nearest(feature.text, _FEATURES):
            Choice(*_FEATURES).read_node("features", feature, reading)
        if feature.text.startswith(_INSTANT):
            message = f"feature '{feature.text}', with which filters and search do not start"
            _refuse(feature.at, message, "remove it", reading)


_INSTANT: Final = "navigation.instant"
_FEATURES: Final = (
    "announce.dismiss",
    "content.action.edit",
    "content.action.view",
    "content.code.annotate",
    "content.code.copy",
    "content.code.select",
    "content.footnote.tooltips",
    "content.lazy",
    "content.tabs.link",
    "content.tooltips",
    "header.autohide",
    "navigation.expand",
    "navigation.footer",
    "navigation.indexes",
    "navigation.instant",
    "navigation.instant.prefetch",
    "navigation.instant.preview",
    "navigation.instant.progress",
    "navigation.path",
    "navigation.prune",
    "navigation.sections",
    "navigation.tabs",
    "navigation.tabs.sticky",
    "navigation.top",
    "navigation.tracking",
    "search.highlight",
    "search.share",
    "search.suggest",
    "toc.follow",
    "toc.integrate",
)
"""The features of Material 9."""
_THEME_HINT: Final = f"set 'theme: {{name: {THEME}}}'"


def _check_plugins(node: nodes.Mapping, reading: Reading) -> None:
    """Add the problems of the entries of the setting `plugins`."""
    value = node.find("plugins")
    for item in value.items if isinstance(value, nodes.Sequence) else ():
        if isinstance(item, nodes.Sequence) or (
            isinstance(item, nodes.Mapping) and len(item.entries) != 1
        ):
            reading.add_problem(
                ProblemKind.WRONG_TYPE,
                item.at,
                "invalid entry of 'plugins'",
                "write one plugin in each list item: '- name' or '- name: {option: value}'",
            )
    names: set[str] = set()
    for plugin in list_plugins(node):
        if plugin.name in ("handbook", "macros") and plugin.name in names:
            reading.add_problem(
                ProblemKind.DUPLICATE_VALUE,
                plugin.at,
                f"duplicate plugin '{plugin.name}'",
                "remove one of the two entries",
            )
        names.add(plugin.name)
        if plugin.name == "handbook" and plugin.options:
            for option in plugin.options.entries:
                if option.key != "enabled":
                    reading.add_problem(
                        ProblemKind.UNKNOWN_KEY,
                        option.at,
                        f"unknown option '{option.key}' of the plugin 'handbook'",
                        "move it to 'extra.handbook'",
                    )
        if plugin.name in ("offline", "material/offline") and plugin.is_enabled:
            message = f"plugin '{plugin.name}', which changes the addresses of pages"
            _refuse(plugin.at, message, "remove it", reading)


def _check_nav(node: nodes.Mapping, reading: Reading) -> None:
    """Add the empty, the unsafe and the duplicate entries of the setting `nav`."""
    first_lines: dict[str, int] = {}
    for entry in list_nav_entries(node):
        if entry.empty or not entry.text.strip():
            reading.add_problem(
                ProblemKind.EMPTY_VALUE,
                entry.at,
                "empty entry in 'nav'",
                "write the path of a page, or remove the entry",
            )
        elif (scheme := read_scheme(entry.text)) not in ("", *SCHEMES):
            message = f"unsafe scheme '{scheme}:' in 'nav'"
            _refuse(entry.at, message, f"use one of {', '.join(SCHEMES)}", reading)
        elif not is_address(entry.text):
            path = posixpath.normpath(entry.text)
            if path in first_lines:
                reading.add_problem(
                    ProblemKind.DUPLICATE_VALUE,
                    entry.at,
                    f"duplicate entry '{entry.text}' in 'nav' (first on line {first_lines[path]})",
                    "remove one of the two entries",
                )
            first_lines.setdefault(path, entry.at.line)


def is_address(text: str) -> bool:
    """Return whether a text is an address and not the path of a file."""
    return bool(read_scheme(text)) or text.startswith(("/", "//"))


def read_site_url(node: nodes.Mapping) -> str | None:
    """Return the address of the site, or None if it is unusable.

    The result is without query, fragment and user name.
    """
    value = find_text(node, "site_url")
    unusable = _UNSAFE_IN_URL | set(string.whitespace)
    parts = _split(value.text) if value and unusable.isdisjoint(value.text) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def _split(address: str) -> SplitResult | None:
    """Return the parts of an address, or None if it is invalid."""
    try:
        parts = urlsplit(address)
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def _check_site_url(node: nodes.Mapping, reading: Reading) -> None:
    """Add a problem if the address of the site is not usable."""
    value = node.find("site_url")
    if not isinstance(value, nodes.Scalar) or value.empty:
        return
    if reason := find_url_fault(value.text):
        message = f"invalid site_url '{value.text}': {reason}"
        reading.add_problem(ProblemKind.INVALID_SITE_URL, value.at, message, SITE_URL_HINT)


def find_url_fault(text: str) -> str | None:
    """Return the reason why a text cannot be the address of a site, or None if it can."""
    parts = _split(text)
    if parts is None:
        return "not a valid address"
    if parts.scheme not in ("http", "https"):
        return "it does not begin with https://"
    if not parts.hostname or any(character.isspace() for character in text):
        return "not a valid address"
    if "@" in parts.netloc:
        return "it has a user name"
    if "?" in text or "#" in text:
        return "it has a query or a fragment"
    if not _UNSAFE_IN_URL.isdisjoint(text):
        return "it has a quotation mark, a backslash, or one of < > { }"
    return None


def _refuse(at: Location, message: str, hint: str, reading: Reading) -> None:
    reading.add_problem(ProblemKind.UNSUPPORTED_SETTING, at, message, hint)


def _check_addresses(node: nodes.Mapping, reading: Reading) -> None:
    """Add the settings that would change or break addresses of pages and edit links."""
    value = node.find("use_directory_urls")
    if isinstance(value, nodes.Scalar) and value.text.lower() in _OFF:
        message = f"use_directory_urls '{value.text}' is not supported"
        _refuse(value.at, message, "remove it", reading)
    if drafts := find_text(node, "draft_docs"):
        hint = "use 'exclude_docs', or 'status: draft' of a record"
        _refuse(drafts.at, "draft_docs is not supported", hint, reading)
    template, edit_uri = find_text(node, "edit_uri_template"), find_text(node, "edit_uri")
    is_absolute = find_text(node, "repo_url") is None
    if template and edit_uri:
        message = "edit_uri has no effect beside edit_uri_template"
        _refuse(edit_uri.at, message, "remove it", reading)
    if template:
        if fault := _find_template_fault(template.text, is_absolute=is_absolute):
            message = f"edit_uri_template '{template.text}' {fault}"
            hint = "write an address such as 'https://git.example/edit/main/{path}'"
            _refuse(template.at, message, hint, reading)
    elif edit_uri and is_absolute and not _is_full_address(edit_uri.text):
        hint = "replace it with 'edit_uri_template: https://…/{path}'"
        _refuse(edit_uri.at, f"edit_uri '{edit_uri.text}' is not a full address", hint, reading)


def _is_full_address(text: str) -> bool:
    parts = _split(text)
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.netloc)


def _find_template_fault(text: str, *, is_absolute: bool) -> str | None:
    """Return the fault of a template of edit links, or None.

    With `is_absolute`, it has to be a full address.
    """
    try:
        fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError:
        return "has a brace without its counterpart"
    for _, name, _, conversion in fields:
        if name not in _TEMPLATE_FIELDS or conversion not in _CONVERSIONS:
            return f"has the unknown field '{{{name}{'!' + conversion if conversion else ''}}}'"
    if not fields:
        return "does not contain the path of the file"
    if is_absolute and not _is_full_address(text.partition("{")[0]):
        return "is not a full address"
    return None


def _check_files(node: nodes.Mapping, root: Path, docs: str, reading: Reading) -> None:
    """Add the files and folders in settings that do not exist, or are outside of the handbook."""
    template_folder = find_text(node, "theme", "custom_dir")
    if template_folder:
        _check_template_folder(template_folder, root, reading)
    for hook in _list_texts(node.find("hooks")):
        if not files.is_file(root / hook.text):
            _add_missing_file(hook, "hooks", "correct the path, or remove it", reading)
    for path in _list_texts(node.find("watch")):
        if not files.exists(root / path.text):
            _add_missing_file(path, "watch", "correct the path, or remove it", reading)
    _check_theme_files(node, root, reading)
    if can_add_files(node):
        return
    roots = [root / docs, _OWN_THEME]
    if template_folder:
        roots.append(root / template_folder.text)
    for name, path in _list_served_files(node):
        text = path.text.partition("?")[0].partition("#")[0]
        if (
            not text.startswith(_THEME_IMAGES)
            and not is_address(text)
            and not any(_is_file(folder, text) for folder in roots)
        ):
            hint = f"add the file to {docs}/, or correct the path"
            _add_missing_file(path, name, hint, reading)


def _check_theme_files(node: nodes.Mapping, root: Path, reading: Reading) -> None:
    """Add the language and the icons that Material does not have, if Material is installed."""
    spec = find_spec(THEME) if configures_site(node) else None
    template_folder = find_text(node, "theme", "custom_dir")
    folders = [
        Path(folder, "templates") for folder in (spec and spec.submodule_search_locations) or ()
    ]
    if not folders:
        return
    if template_folder:
        folders.append(root / template_folder.text)
    folders.append(_OWN_THEME)
    language = find_text(node, "theme", "language")
    if language and not _is_theme_file(folders, f"partials/languages/{language.text}.html"):
        hint = "write the code of a language that Material has, such as 'de'"
        _add_missing_file(language, "theme.language", hint, reading, "language")
    for icon in _list_icons(node):
        if not _is_theme_file(folders, f".icons/{icon.text}.svg"):
            hint = "write the path of an icon that Material has, such as 'material/library'"
            _add_missing_file(icon, "theme", hint, reading, "icon")


def _is_theme_file(folders: Sequence[Path], path: str) -> bool:
    return any(_is_file(folder, path) for folder in folders)


def _list_icons(node: nodes.Mapping) -> Iterator[nodes.Scalar]:
    """Yield the name of each icon of the theme, also of the switches of palettes."""
    palettes = node.find("theme", "palette")
    toggles = [
        palette.find("toggle", "icon")
        for palette in (palettes.items if isinstance(palettes, nodes.Sequence) else [palettes])
        if isinstance(palette, nodes.Mapping)
    ]
    for value in (node.find("theme", "icon"), *toggles):
        for icon in nodes.walk_scalars(value) if value else ():
            if not _is_blank(icon) and icon.text not in _OFF:
                yield icon


def _list_served_files(node: nodes.Mapping) -> Iterator[tuple[str, nodes.Scalar]]:
    """Yield each file that every page loads, with the name of its setting."""
    for name in ("extra_css", "extra_templates", "extra_javascript"):
        yield from ((name, path) for path in _list_texts(node.find(name)))
    for option in ("logo", "favicon"):
        if path := find_text(node, "theme", option):
            yield f"theme.{option}", path


def _list_texts(node: nodes.Node | None) -> Iterator[nodes.Scalar]:
    """Yield the texts of a list. For a mapping in the list, the text is its value `path`."""
    for item in node.items if isinstance(node, nodes.Sequence) else ():
        path = item.find("path") if isinstance(item, nodes.Mapping) else item
        if isinstance(path, nodes.Scalar) and path.text.strip():
            yield path


def _check_template_folder(path: nodes.Scalar, root: Path, reading: Reading) -> None:
    """Add a problem if `theme.custom_dir` is not an existing folder below the root."""
    if not files.is_folder(root / path.text):
        hint = "correct the path, or remove it"
        _add_missing_file(path, "theme.custom_dir", hint, reading, "folder")
    elif not files.is_inside(root, path.text):
        reading.add_problem(
            ProblemKind.MISSING_SETTINGS_FILE,
            path.at,
            f"folder '{path.text}' in 'theme.custom_dir' is outside of the handbook",
            "copy the folder into the folder of mkdocs.yml",
        )
    else:
        for name in _list_theme_files():
            if files.is_file(root / path.text / name):
                message = f"file '{name}' in 'theme.custom_dir' has no effect"
                hint = (
                    "remove it: the handbook has its own; change the look with 'extra_css', "
                    "and add text with 'handbook.notice' or 'copyright'"
                )
                _refuse(path.at, message, hint, reading)


def _list_theme_files(folder: str = "") -> Iterator[str]:
    """Yield the path of each file in the handbook's own theme, which no other file can replace."""
    for name, is_folder, _ in sorted(files.list_folder(_OWN_THEME / folder)):
        path = posixpath.join(folder, name)
        if is_folder:
            yield from _list_theme_files(path)
        else:
            yield path


def _add_missing_file(
    path: nodes.Scalar, name: str, hint: str, reading: Reading, noun: str = "file"
) -> None:
    message = f"missing {noun} '{path.text}' in '{name}'"
    reading.add_problem(ProblemKind.MISSING_SETTINGS_FILE, path.at, message, hint)


def _is_file(folder: Path, path: str) -> bool:
    """Return whether a relative path is a file below a folder."""
    return not posixpath.normpath(path).startswith("..") and files.is_file(folder / path)
