"""Test the checks of mkdocs.yml: settings of MkDocs, of Material and of the handbook."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.loading import load
from handbook.reading import nodes
from handbook.rules.engine import run
from handbook.settings import FILE, read_settings
from tests.handbooks import SMALL, TODAY, copy_site, format_findings, report, write

SETTINGS = (SMALL / FILE).read_text(encoding="utf-8")


def check_settings(root: Path, text: str) -> list[str]:
    """Check a copy of the small handbook with other settings, and return `line:column:code`."""
    copy_site(SMALL, root)
    write(root, {FILE: text})
    findings = format_findings(report(root).findings)
    assert all(finding.startswith(f"{FILE}:") for finding in findings), findings
    return [finding.removeprefix(f"{FILE}:") for finding in findings]


def change(good: str, bad: str) -> str:
    """Return the settings of the small handbook with one text replaced."""
    assert SETTINGS.count(good) == 1
    return SETTINGS.replace(good, bad)


def add(text: str) -> str:
    """Return the settings of the small handbook with one more setting, on the first lines."""
    return f"{text}\n{SETTINGS}"


URL = "site_url: https://small.example/"
NAV = SETTINGS[SETTINGS.index("nav:\n") : SETTINGS.index("exclude_docs:")]
EXCLUDED = SETTINGS[SETTINGS.index("exclude_docs:") : SETTINGS.index("plugins:\n")]
PLUGINS = SETTINGS[SETTINGS.index("plugins:\n") : SETTINGS.index("theme:\n")]
THEME = SETTINGS[SETTINGS.index("theme:\n") : SETTINGS.index("markdown_extensions:\n")]


def with_theme(option: str) -> str:
    """Return the settings of the small handbook with one more option of the theme."""
    return change("  font: false\n", f"  {option}\n  font: false\n")


def with_setting(text: str) -> str:
    """Return the settings of the small handbook with one more setting of the organisation."""
    return change("  handbook:\n    teams:\n", f"  handbook:\n    {text}\n    teams:\n")


def with_handbook(entry: str) -> str:
    """Return the settings of the small handbook with another entry of its plugin."""
    return change("  - handbook\n", entry)


FAULTS = {
    "no site_url": (change(f"{URL}\n", ""), "1:1:FM020"),
    "an empty site_url": (change(URL, "site_url: ''"), "2:11:FM020"),
    "a relative site_url": (change(URL, "site_url: /handbook/"), "2:11:FM020"),
    "a site_url without a scheme": (change(URL, "site_url: small.example"), "2:11:FM020"),
    "a site_url without a host": (change(URL, "site_url: https:///x"), "2:11:FM020"),
    "a site_url of a file": (change(URL, "site_url: file:///srv/site"), "2:11:FM020"),
    "a site_url with a query": (change(URL, f"{URL}?a=b"), "2:11:FM020"),
    "a site_url with a fragment": (change(URL, f"{URL}#a"), "2:11:FM020"),
    "a site_url with a user": (change(URL, "site_url: https://me@small.example/"), "2:11:FM020"),
    "a site_url with a false port": (
        change(URL, "site_url: https://small.example:x/"),
        "2:11:FM020",
    ),
    "a site_url with a space": (change(URL, "site_url: https://small example/"), "2:11:FM020"),
    "a site_url with a quotation mark": (change(URL, f"{URL}a'b/"), "2:11:FM020"),
    "a site_url with a tag": (change(URL, f"{URL}<b>/"), "2:11:FM020"),
    "a site_url from a variable": (change(URL, "site_url: !ENV SITE"), "2:11:FM020"),
    "a list as site_url": (change(URL, "site_url: [https://small.example/]"), "2:11:FM006"),
    "no site_name": (change("site_name: A small handbook\n", ""), "1:1:FM007"),
    "a misspelt key": (change("strict: true", "stritc: true"), "3:1:FM003"),
    "an unknown key": (add("pages: []"), "1:1:FM003"),
    "a duplicate key at the top": (add("site_url: https://x.example/"), "3:1:FM004"),
    "two navigations": (
        SETTINGS + "nav:\n  - Home: index.md\n  - Markdown: markdown.md\n",
        "79:1:FM004",
    ),
    "two lists of plugins": (add("plugins: [handbook, macros]"), "30:1:FM004"),
    "the handbook's settings twice": (
        change("  policy:\n", "  handbook:\n    teams: {another-team: {}}\n  policy:\n"),
        "68:3:FM004",
    ),
    "a duplicate key in the theme": (
        change("  name: material\n", "  name: material\n  name: material\n"),
        "39:3:FM004",
    ),
    "a duplicate key in an option": (
        change("      check_paths: true\n", "      check_paths: true\n      check_paths: false\n"),
        "54:7:FM004",
    ),
    "a duplicate key in extra": (
        change("  generator: false\n", "  generator: false\n  generator: true\n"),
        "57:3:FM004",
    ),
    "a duplicate team": (
        change("      platform-team: {}\n", "      platform-team: {}\n      platform-team: {}\n"),
        "61:7:FM004",
    ),
    "a team without a name": (
        change("      platform-team: {}\n", "      platform-team: {}\n      '': {}\n"),
        "61:7:FM006",
    ),
    "a team with a line break in its name": (
        change("      platform-team: {}\n", '      platform-team: {}\n      "a\\nb": {}\n'),
        "61:7:FM006",
    ),
    "a severity without a name": (
        change("    severities:\n", "    severities:\n      ' ': {}\n"),
        "70:7:FM006",
    ),
    "a duplicate key in the policy": (
        change('    testing: {coverage: "80%"}', '    testing: {coverage: "80%", coverage: "8%"}'),
        "76:32:FM004",
    ),
    "another theme": (change("  name: material\n", "  name: readthedocs\n"), "38:9:FM021"),
    "another theme in short": (change(THEME, "theme: mkdocs\n"), "37:8:FM021"),
    "no theme": (change(THEME, ""), "1:1:FM021"),
    "a theme without a name": (change("  name: material\n", ""), "38:3:FM021"),
    "a list as theme": (change(THEME, "theme: [material]\n"), "37:8:FM006"),
    "features that are a text": (
        change("features: [content.action.edit, ", "features: content.action.edit #"),
        "40:13:FM006",
    ),
    "a palette that is a text": (
        with_theme("palette: slate"),
        "39:12:FM006",
    ),
    "a false direction": (
        with_theme("direction: rlt"),
        "39:14:FM005",
    ),
    "page addresses without folders": (add("use_directory_urls: false"), "1:21:FM021"),
    "page addresses without folders, as no": (add("use_directory_urls: No"), "1:21:FM021"),
    "page addresses from a variable": (add("use_directory_urls: !ENV [X, false]"), "1:30:FM021"),
    "page addresses that are a text": (add("use_directory_urls: never"), "1:21:FM006"),
    "the plugin offline": (change("  - search\n", "  - search\n  - offline\n"), "31:5:FM021"),
    "drafts": (add("draft_docs: /drafts/"), "1:13:FM021"),
    "edit links without a path": (change("edit/main/{path}", "edit/main"), "4:20:FM021"),
    "edit links with another field": (change("{path}", "{file}"), "4:20:FM021"),
    "edit links with half a brace": (change("{path}", "{path"), "4:20:FM021"),
    "relative edit links": (change("https://git.example/small/edit", "edit"), "4:20:FM021"),
    "a relative edit_uri": (
        change("edit_uri_template: https://git.example/small/edit/main/{path}", "edit_uri: edit/"),
        "4:11:FM021",
    ),
    "two settings of edit links": (add("edit_uri: https://git.example/edit/"), "1:11:FM021"),
    "instant navigation": (
        change("[content.action.edit, ", "[content.action.edit, navigation.instant.progress, "),
        "40:35:FM021",
    ),
    "a repository": (add("repo_url: https://git.example/small"), "1:11:SAFE010"),
    "old analytics": (add("google_analytics: [UA-1, auto]"), "1:19:SAFE010"),
    "a site in docs": (add("site_dir: docs/site"), "1:11:FM021"),
    "a site over a record folder": (add("site_dir: adr"), "1:11:FM021"),
    "a site in a record folder": (add("site_dir: ./runbooks/x/../site/"), "1:11:FM021"),
    "a site over the root": (add("site_dir: ."), "1:11:FM021"),
    "a site over a parent": (add("site_dir: ../"), "1:11:FM021"),
    "a site over the history": (add("site_dir: .git"), "1:11:FM021"),
    "a missing folder of templates": (
        with_theme("custom_dir: overrides"),
        "39:15:FM022",
    ),
    "a folder of templates outside": (
        with_theme("custom_dir: .."),
        "39:15:FM022",
    ),
    "a missing hook": (add("hooks: [hooks.py]"), "1:9:FM022"),
    "a hook that is a folder": (add("hooks: [docs]"), "1:9:FM022"),
    "hooks that are a text": (add("hooks: hooks.py"), "1:8:FM006"),
    "a missing watched folder": (add("watch: [sources]"), "1:9:FM022"),
    "a missing style": (add("extra_css: [assets/x.css]"), "1:13:FM022"),
    "a missing script": (add("extra_javascript: [{path: x.js, defer: true}]"), "1:27:FM022"),
    "a missing template": (add("extra_templates: [x.html]"), "1:19:FM022"),
    "an active copyright": (
        add("copyright: <a href='javascript:x'>x</a>"),
        "1:12:FM021",
    ),
    "a script in the copyright": (add("copyright: <script>x</script>"), "1:12:FM021"),
    "an unclosed element in the copyright": (add("copyright: <b>x"), "1:12:FM021"),
    "a handler in the title": (
        change("A small handbook", "<img src=x onerror=x>"),
        "1:12:FM021",
    ),
    "a handler in an attribute of the title": (
        change("A small handbook", "'A\" onclick=\"x'"),
        "1:12:FM021",
    ),
    "a quotation mark in the description": (
        add('site_description: The "best" handbook'),
        "1:19:FM021",
    ),
    "a misspelt feature": (
        change("navigation.path, navigation.tabs]", "navigation.path, navigation.tab]"),
        "40:72:FM005",
    ),
    "an unknown feature": (change("navigation.path,", "sparkle,"), "40:55:FM005"),
    "an unknown language": (with_theme("language: dee"), "39:13:FM022"),
    "an unknown icon": (with_theme("icon: {repo: fontawesome/brands/gti}"), "39:16:FM022"),
    "an unknown icon of a switch": (
        with_theme("palette: [{scheme: slate, toggle: {icon: material/mon, name: Dark}}]"),
        "39:44:FM022",
    ),
    "a negative percentage": (change('coverage: "80%"', 'coverage: "-1 %"'), "76:25:FM006"),
    "a negative number of days": (
        change('coverage: "80%"', 'coverage: "80%", quarantine: -14 days'),
        "76:44:FM006",
    ),
    "a negative validity": (change("{standard: 365d,", "{standard: -365d,"), "73:24:FM006"),
    "a missing logo": (with_theme("logo: x.svg"), "39:9:FM022"),
    "a missing nested handbook": (with_setting("nested: {example: docs}"), "58:14:FM022"),
    "a nested handbook outside": (with_setting("nested: {small: .}"), "58:14:FM022"),
    "a nested folder in a folder": (with_setting("nested: {a/b: .}"), "58:14:FM006"),
    "an image of another host in the notice": (
        with_setting("notice: 'Old: ![x](https://x.example/a.png)'"),
        "58:5:FM021",
    ),
    "an image in the notice": (with_setting("notice: '![x](a.png)'"), "58:5:FM021"),
    "a script in the notice": (with_setting("notice: '[x](javascript:alert)'"), "58:5:FM021"),
    "a broken link in the notice": (with_setting("notice: '[x](y.md)'"), "58:5:FM022"),
    "a style outside of docs": (add("extra_css: [../mkdocs.yml]"), "1:13:FM022"),
    "a script without a path": (add("extra_javascript: [{defer: true}]"), "1:20:FM007"),
    "a style that is a text": (add("extra_css: x.css"), "1:12:FM006"),
    "no plugins": (change(PLUGINS, ""), "1:1:FM023"),
    "no plugin handbook": (with_handbook(""), "29:1:FM023"),
    "no plugin macros": (change(PLUGINS, "plugins: [search, handbook]\n"), "29:1:FM023"),
    "a disabled plugin": (
        with_handbook("  - handbook: {enabled: false}\n"),
        "29:1:FM023",
    ),
    "an option of the plugin": (
        with_handbook("  - handbook: {teams: {}}\n"),
        "36:16:FM003",
    ),
    "the plugin twice": (with_handbook("  - handbook\n  - handbook\n"), "37:5:FM010"),
    "plugins in one entry": (
        change(PLUGINS, "plugins:\n  - handbook:\n    macros:\n"),
        "30:5:FM006",
    ),
    "a missing page in nav": (change("Home: index.md", "Home: home.md"), "6:11:FM024"),
    "a misspelt page in nav": (change("markdown.md", "markdwon.md"), "7:15:FM024"),
    "a misspelt record in nav": (change("05-testing.md", "05-tests.md"), "10:9:FM024"),
    "a page in nav without its extension": (change("markdown.md", "markdown"), "7:15:FM024"),
    "a page in nav by its folder": (change("markdown.md", "docs/markdown.md"), "7:15:FM024"),
    "a page twice in nav": (
        change("Markdown: markdown.md", "Markdown: markdown.md\n  - Again: ./markdown.md"),
        "8:12:FM010",
    ),
    "a script in nav": (
        change("Home: index.md", "Home: index.md\n  - Alert: javascript:alert(1)"),
        "7:12:FM021",
    ),
    "an empty entry in nav": (change("Home: index.md", "Home: index.md\n  - Empty:"), "7:11:FM009"),
    "a mapping as nav": (
        SETTINGS[: SETTINGS.index("nav:")]
        + "nav: {}\n"
        + SETTINGS[SETTINGS.index("exclude_docs") :],
        "5:6:FM006",
    ),
    "an unknown level": (add("validation: {nav: {not_found: warning}}"), "1:31:FM005"),
    "an unknown check": (add("validation: {link: {anchors: warn}}"), "1:14:FM003"),
    "a list as strict": (change("strict: true", "strict: [true]"), "3:9:FM006"),
    "an unknown strict": (change("strict: true", "strict: maybe"), "3:9:FM006"),
    "a list as excluded files": (
        change(
            "exclude_docs: |\n  /standards/samples/\n  /services/*/*.yml\n",
            "exclude_docs: [/standards/samples/]\n",
        ),
        "26:15:FM006",
    ),
    "an unknown severity of post-mortems": (
        change("postmortem: {severities: [sev-1, sev-2]", "postmortem: {severities: [sev-1, P2]"),
        "74:38:FM005",
    ),
    "renamed severities": (
        change("{severities: [sev-1, sev-2], business", "{severities: [SEV-1], business"),
        "74:31:FM005",
    ),
    "a misspelt key of the policy": (change("    postmortem:", "    postmortms:"), "74:5:FM003"),
    "a misspelt key in the policy": (
        change("{standard: 365d,", "{standards: 365d,"),
        "73:14:FM003",
    ),
    "a duplicate alias": (change("alias: P1", "alias: P0"), "71:22:FM010"),
    "an alias that is a severity": (change("alias: P1", "alias: sev-1"), "71:22:FM010"),
    "a placeholder as the title": (change("A small handbook", "TODO"), "1:12:FM106"),
    "a placeholder in a team": (change('"#team-shop"', "TODO"), "61:28:FM106"),
    "a placeholder in the policy": (
        change('{coverage: "80%"}', "{coverage: 80%, x: TBD}"),
        "76:33:FM106",
    ),
    "a misspelt option of the theme": (with_theme("pallete: {scheme: slate}"), "39:3:FM003"),
    "an unknown kind": (change("expect: {adr: 3}", "expect: {adrs: 3}"), "64:14:FM011"),
    "an inherited address": (add("INHERIT: https://x.example/base.yml"), "1:10:FM001"),
    "an inherited list": (add("INHERIT: [base.yml]"), "1:10:FM001"),
    "an inherited nothing": (add("INHERIT:"), "1:9:FM001"),
    "an inherited missing file": (add("INHERIT: base.yml"), "1:10:FM001"),
    "an inherited folder": (add("INHERIT: docs"), "1:10:FM001"),
    "itself inherited": (add("INHERIT: ./mkdocs.yml"), "1:10:FM001"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_setting_is_one_finding_at_its_line(name: str, tmp_path: Path) -> None:
    text, expected = FAULTS[name]
    assert check_settings(tmp_path / "handbook", text) == [expected]


ACCEPTED = {
    "a site address without a slash": change(URL, URL.rstrip("/")),
    "a site address with a default": change(URL, "site_url: !ENV [SITE, https://small.example/]"),
    "a theme in short": change(THEME, "theme: material\n"),
    "a palette": with_theme("palette: {scheme: slate}"),
    "a copyright with a link": add(
        "copyright: '&copy; <a href=https://a.example/>A</a> &lt;b&gt;'"
    ),
    "a title with quotation marks": change("A small handbook", "'The \"small\": #1'"),
    "a description with a comparison": add("site_description: a < b & 'c'"),
    "features, icons and a language": with_theme(
        "language: de\n  icon: {repo: fontawesome/brands/git, previous: null}\n  "
        "palette: [{toggle: {icon: material/moon-waning-crescent, name: Dark}}]"
    ),
    "amounts of other kinds": change(
        'coverage: "80%"', 'coverage: "100%", nice: -5, growth: 150% of today'
    ),
    "plugins in another order": change(PLUGINS, "plugins: [handbook, macros]\n"),
    "plugins as a mapping": change(PLUGINS, "plugins: {macros: {}, handbook: {}}\n"),
    "a plugin with a condition": change(
        "  - search\n", "  - search\n  - offline: {enabled: !ENV [X, no]}\n"
    ),
    "an enabled plugin": with_handbook("  - handbook: {enabled: true}\n"),
    "python tags": add(
        "validation: {anchors: warn}\nwatch: [docs]\nremote_name: origin\ndev_addr: 127.0.0.1:8001"
    ).replace(
        "  - sane_lists\n",
        "  - sane_lists\n  - pymdownx.emoji:\n"
        "      emoji_index: !!python/name:material.extensions.emoji.twemoji\n"
        "      emoji_generator: !!python/name:material.extensions.emoji.to_svg\n",
    ),
    "merge keys": change(
        "    severities:\n      sev-1: {alias: P0, respond: immediately}\n",
        "    severities:\n      sev-1: &first {alias: P0, respond: immediately}\n"
        "      sev-3: {<<: *first, alias: P2}\n",
    ),
    "an address in nav": change("Home: index.md", "Home: index.md\n  - Status: https://x.example/"),
    "a mail address in nav": change(
        "Home: index.md", "Home: index.md\n  - Mail: mailto:a@b.example"
    ),
    "data in nav": change("Home: index.md", "Home: index.md\n  - Data: checklist.csv"),
    "an alert in nav": change("Home: index.md", "Home: index.md\n  - Alert: alerts/OrdersDown.md"),
    "quoted edit links": change("{path}", "{path!q}"),
    "edit links without extension": change("{path}", "{path_noext}.md"),
    "absent values": add("copyright:\nsite_author:\nnot_in_nav:\nhooks:\nrepo_url: ''"),
    "a site beside the handbook": add("site_dir: public"),
    "a site elsewhere": add("site_dir: ../site"),
    "another key of the policy": change("    testing:", "    reviews: {x: y}\n    testing:"),
    "an absolute edit_uri": change(
        "edit_uri_template: https://git.example/small/edit/main/{path}",
        "edit_uri: https://git.example/?edit=",
    ),
    "a notice with links": with_setting(
        "notice: '[x](markdown.md), [y](../adr/index.md), [z](https://x.example/), ADR-0001'"
    ),
    "the favicon of Material": change(
        "  font: false\n", "  favicon: assets/images/favicon.png\n  font: false\n"
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_harmless_setting_is_accepted(name: str, tmp_path: Path) -> None:
    assert check_settings(tmp_path / "handbook", ACCEPTED[name]) == []


def test_files_of_settings_can_be_in_the_folder_of_templates(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    text = change("  font: false\n", "  custom_dir: theme\n  logo: x.svg\n  font: false\n")
    write(root, {FILE: f"hooks: [../hook.py]\n{text}", "theme/x.svg": "", "../hook.py": ""})
    assert format_findings(report(root).findings) == []


def test_a_template_that_the_handbook_has_itself_is_a_finding(tmp_path: Path) -> None:
    """The file of the handbook wins, so the file of the repository would have no effect."""
    root = copy_site(SMALL, tmp_path / "handbook")
    own = dict.fromkeys(("main.html", "404.html", "partials/header.html", "partials/logo.html"), "")
    write(root, {FILE: with_theme("custom_dir: theme")})
    write(root / "theme", own)
    findings = report(root).findings
    assert format_findings(findings) == [f"{FILE}:39:15:FM021"] * 3
    assert [finding.message.split("'")[1] for finding in findings] == sorted(own)[:3]


@pytest.mark.parametrize("name", ["gen-files", "literate-nav", "awesome-nav"])
def test_a_plugin_can_add_pages_and_files(name: str, tmp_path: Path) -> None:
    text = change("  - search\n", f"  - search\n  - {name}\n").replace("index.md", "api/", 1)
    text = text.replace("  - Home: api/\n", "  - Home: index.md\n  - API: api/\n")
    assert check_settings(tmp_path / "handbook", f"extra_css: [made.css]\n{text}") == []


PARENTS = {
    "a duplicate key": ("copyright: a\ncopyright: b\n", "shared/base.yml:2:1:FM004"),
    "a wrong type": ("copyright: [a]\n", "shared/base.yml:1:12:FM006"),
    "an unsupported setting": ("use_directory_urls: false\n", "shared/base.yml:1:21:FM021"),
    "an unknown key of the handbook": (
        "extra: {handbook: {tag: []}}\n",
        "shared/base.yml:1:20:FM003",
    ),
    "invalid YAML": ("copyright: [a\n", "shared/base.yml:1:12:FM001"),
    "a list": ("- a\n", "shared/base.yml:1:1:FM001"),
    "a cycle": ("INHERIT: ../mkdocs.yml\n", "shared/base.yml:1:10:FM001"),
    "a missing file": ("INHERIT: other.yml\n", "shared/base.yml:1:10:FM001"),
    "no fault": ("copyright: a\nextra: {generator: true}\n", None),
    "no file of the handbook": ("watch: ['.']\n", None),
}


@pytest.mark.parametrize("name", PARENTS)
@pytest.mark.parametrize("is_relative", [True, False])
def test_a_fault_of_an_inherited_file_is_reported_there(
    name: str, is_relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, expected = PARENTS[name]
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {"shared/base.yml": text, FILE: add("INHERIT: shared/base.yml")})
    monkeypatch.chdir(root)
    handbook = load(Path() if is_relative else root)
    assert format_findings(run(handbook, TODAY).findings) == ([expected] if expected else [])
    assert handbook.settings.files in ((FILE, "shared/base.yml"), (FILE,))


def test_a_fault_outside_of_the_handbook_has_no_fix(tmp_path: Path) -> None:
    """`check --fix` must not write outside of the handbook."""
    root = copy_site(SMALL, tmp_path / "handbook")
    base = "extra: {handbook: {rules: {DEC001: warnig}}}\n"
    write(root, {"../base.yml": base, FILE: add("INHERIT: ../base.yml")})
    (finding,) = report(root).findings
    assert (finding.at.path, finding.code, finding.fix) == ("../base.yml", "FM005", None)


def test_a_suppression_works_in_an_inherited_file(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    base = "# handbook: allow FM004: a test\ncopyright: b\n"
    write(root, {"base.yml": f"copyright: a\n{base}", FILE: add("INHERIT: base.yml")})
    assert format_findings(report(root).findings) == []
    assert report(root).suppressed_count == 1


def test_the_environment_does_not_change_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE", "https://preview.example/")
    write(tmp_path, {FILE: change(URL, "site_url: !ENV [SITE, URL, https://small.example/]")})
    assert read_settings(tmp_path).site_url == "https://small.example/"


@pytest.mark.parametrize("text", ["!ENV {a: b}", "!ENV []", "!ENV [SITE]"])
def test_a_variable_without_a_default_is_no_value(text: str, tmp_path: Path) -> None:
    write(tmp_path, {FILE: f"copyright: {text}\n"})
    value = read_settings(tmp_path).root_node.find("copyright")
    assert not (isinstance(value, nodes.Scalar) and value.text)


def test_the_hint_names_the_page_that_nav_means(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {FILE: change("markdown.md", "markdwon.md")})
    (finding,) = report(root).findings
    assert finding.hint == "did you mean 'markdown.md'?"
