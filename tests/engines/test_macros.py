"""Macros in pages: from the engine, from this repository and from an organisation."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from click import ClickException
from mkdocs.config import load_config

import macros
from handbook.engines import macros as engine_macros
from handbook.engines.check import checked_handbook
from handbook.loading import load
from handbook.views import macro_views
from handbook.vocabulary import MACROS
from tests.commands import run
from tests.handbooks import ADR, ROOT, SETTINGS, SMALL, check, copy_site, format_findings, write

PAGE = "---\nrender_macros: true\n---\n\n# A page\n\n"


class Environment:
    """Part of the environment of mkdocs-macros that a module uses."""

    def __init__(self, root: Path) -> None:
        self.conf = {"config_file_path": str(root / "mkdocs.yml")}
        self.macros: dict[str, Callable[[], str]] = {}

    @property
    def page(self) -> Any:
        return type("Page", (), {"url": "adr/"})

    def macro(self, function: Callable[[], str], name: str = "") -> Callable[[], str]:
        self.macros[name or function.__name__] = function
        return function


# Tests of the table of macros and of its two definitions.


@pytest.mark.parametrize("name", MACROS)
def test_every_macro_has_a_view(name: str) -> None:
    view = getattr(import_module(f"handbook.views.{MACROS[name]}"), name)
    assert set(inspect.signature(view).parameters) <= {"handbook", "page_address", "keep"}


def test_a_macro_without_a_view_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(macro_views, "MACROS", {"check_list": "standards"})
    with pytest.raises(
        LookupError, match=r"the macro 'check_list' has no view in handbook\.views\.standards"
    ):
        engine_macros.make_macro("check_list", lambda *_: "", lambda: "")


def test_this_repository_and_the_engine_define_the_same_macros() -> None:
    env, handbook = Environment(SMALL), load(SMALL)
    macros.define_env(env)
    # Only this repository has an example to link to, and benchmarks.
    assert env.macros.pop("example")() == ""
    assert "Targets" in env.macros.pop("benchmarks")()
    assert set(env.macros) == set(MACROS)
    for name, function in env.macros.items():
        assert function() == macro_views.call_view(name, handbook, "adr/"), name
        assert function.__doc__


def test_macros_without_our_plugin_still_run_the_check(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR.replace("accepted", "acepted")})
    with pytest.raises(
        ClickException, match=r"the check found errors\nadr/0001-a\.md:2:9: FM005 error"
    ):
        macros.define_env(Environment(tmp_path))


def test_a_preview_continues_after_errors(tmp_path: Path) -> None:
    settings = SETTINGS.replace("[macros, handbook]", "[handbook]")
    broken = ADR.replace("accepted", "acepted")
    write(tmp_path, {"mkdocs.yml": settings, "docs/index.md": "# Home\n", "adr/0001-a.md": broken})
    config = load_config(str(tmp_path / "mkdocs.yml"))
    config.plugins.on_startup(command="serve", dirty=False)
    config.plugins.on_config(config)
    assert len(checked_handbook(config).records) == 1


# Tests with builds.


BOTH = "plugins: [macros, handbook]\n"


def make_handbook(
    root: Path, plugins: str = BOTH, files: Mapping[str, str] = MappingProxyType({})
) -> Path:
    """Copy the small handbook, change its plugins, and add files."""
    copy_site(SMALL, root)
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    begin, end = settings.index("plugins:\n"), settings.index("theme:\n")
    return write(root, {"mkdocs.yml": settings[:begin] + plugins + settings[end:], **files})


def run_build(root: Path) -> subprocess.CompletedProcess[str]:
    return run("mkdocs", "build", "--quiet", cwd=root)


def read_article(root: Path, page: str) -> str:
    html = (root / "site" / page / "index.html").read_text(encoding="utf-8")
    return html.partition("<article")[2].partition("</article>")[0]


ONE_MACRO = (
    "def define_env(env):\n    @env.macro\n    def adr_index():\n        return 'Our own index.'\n"
)


@pytest.mark.build
@pytest.mark.parametrize("source", ["repository", "engine"])
def test_a_build_loads_and_checks_once(source: str, tmp_path: Path) -> None:
    copy = copy_site(SMALL, tmp_path / "handbook")
    if source == "repository":
        shutil.copytree(ROOT / "macros", copy / "macros")
        settings = (copy / "mkdocs.yml").read_text(encoding="utf-8")
        settings = settings.replace("  - macros:\n", "  - macros:\n      modules: [macros]\n")
        write(copy, {"mkdocs.yml": settings})
    program = str(ROOT / "tests/programs/counted.py")
    answer = run("python", program, "2", str(tmp_path / "site"), cwd=copy)
    assert answer.stdout.split() == ["load", "run", "load", "run"], answer.stderr


@pytest.mark.build
def test_a_macro_of_the_repository_replaces_one_of_the_engine(tmp_path: Path) -> None:
    plugins = "plugins:\n  - macros: {module_name: ours}\n  - handbook\n"
    root = make_handbook(tmp_path / "handbook", plugins, {"ours.py": ONE_MACRO})
    answer = run_build(root)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Our own index." in read_article(root, "adr")
    assert "ADR-0001" not in read_article(root, "adr")
    assert "OBS-01" in read_article(root, "checklist")


@pytest.mark.build
def test_a_folder_macros_replaces_macros_of_the_engine(tmp_path: Path) -> None:
    plugins = "plugins:\n  - handbook\n  - macros: {modules: [macros]}\n"
    root = make_handbook(tmp_path / "handbook", plugins, {"macros/__init__.py": ONE_MACRO})
    answer = run_build(root)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Our own index." in read_article(root, "adr")
    assert "OBS-01" in read_article(root, "checklist")


@pytest.mark.build
@pytest.mark.parametrize(
    "plugins",
    [BOTH, "plugins:\n  macros: {render_by_default: true}\n  handbook: {}\n"],
    ids=["default options", "render_by_default"],
)
def test_braces_in_records_and_alerts_stay_text(plugins: str, tmp_path: Path) -> None:
    root = make_handbook(
        tmp_path / "handbook", plugins, {"docs/plain.md": "# Plain\n\nA page with {{ braces }}.\n"}
    )
    record = root / "adr/0001-keep-orders-in-sqlite.md"
    rules = root / "runbooks/search/search.rules.yml"
    record.write_text(
        record.read_text("utf-8").replace("A backup", "A `{{ backup }}` and {{ braces }}"), "utf-8"
    )
    rules.write_text(
        rules.read_text("utf-8").replace("summary: ", "summary: '{{ $labels.pod }}' # "), "utf-8"
    )
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings.replace("nav:\n", "nav:\n  - Plain: plain.md\n")})
    answer = run_build(root)
    assert answer.returncode == 0, answer.stderr
    assert "{{ backup }}" in read_article(root, "adr/0001-keep-orders-in-sqlite")
    assert "{{ braces }}" in read_article(root, "plain")
    assert "&lt;pod&gt;" in "".join(
        page.read_text("utf-8") for page in root.glob("site/alerts/*/index.html")
    )


@pytest.mark.build
def test_pages_that_call_macros_need_the_plugin(tmp_path: Path) -> None:
    """The build also stops if the settings lower the rule to a warning."""
    root = make_handbook(tmp_path / "handbook", "plugins: [handbook]\n")
    answer = run_build(root)
    assert answer.returncode == 1
    message = "FM023 error: missing plugin 'macros' (adr/index.md calls macros)"
    assert f"mkdocs.yml:29:1: {message}\n" in answer.stderr
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    lowered = settings.replace("{SAFE002: error}", "{FM023: warning}")
    write(root, {"mkdocs.yml": lowered})
    answer = run_build(root)
    assert answer.returncode == 1
    assert answer.stderr.endswith(
        "Error: adr/index.md: no plugin 'macros' in mkdocs.yml; add '- macros' to 'plugins'\n"
    )


SHOP = "plugins:\n  - macros: {modules: [shop]}\n  - handbook\n"
HOOK = "def define_env(env):\n    {}\n"


@pytest.mark.build
@pytest.mark.parametrize(
    ("plugins", "code", "message"),
    [
        (
            "plugins:\n  - macros: {modules: [nowhere]}\n  - handbook\n",
            "",
            "mkdocs.yml: unknown module 'nowhere'; "
            "remove it from 'modules' of the plugin macros, or add nowhere.py",
        ),
        (
            SHOP.replace("modules: [shop]", "module_name: shop"),
            "",
            "mkdocs.yml: macros failed: ImportError: ",
        ),
        (
            SHOP.replace("modules: [shop]", "on_undefined: strickt"),
            "",
            "mkdocs.yml: macros failed: ValueError: ",
        ),
        (SHOP, "def define_env(env)\n", "shop.py:1: macros failed: SyntaxError: expected ':'"),
        (
            SHOP,
            "import nowhere_at_all\n",
            "shop.py:1: macros failed: ModuleNotFoundError: No module",
        ),
        (
            SHOP,
            HOOK.format("raise ValueError('mine')"),
            "shop.py:2: macros failed: ValueError: mine",
        ),
        (SHOP, HOOK.format("env.makro(print)"), "shop.py:2: macros failed: AttributeError: "),
        (
            SHOP,
            HOOK.format("open('/nowhere/at/all')"),
            "shop.py:2: macros failed: FileNotFoundError: ",
        ),
        (SHOP, "name = 1\n", "mkdocs.yml: macros failed: NameError: "),
        (
            SHOP.replace("shop", "yaml"),
            "",
            "mkdocs.yml: the module 'yaml' has the name of an installed module; rename it",
        ),
    ],
    ids=[
        "unknown module",
        "missing module_name",
        "invalid option",
        "syntax error",
        "unknown import",
        "error of its own",
        "unknown attribute",
        "missing file",
        "no define_env",
        "name of an installed module",
    ],
)
def test_the_error_of_a_module_is_one_line(
    plugins: str, code: str, message: str, tmp_path: Path
) -> None:
    module = "yaml.py" if "yaml]" in plugins else "shop.py"
    root = make_handbook(
        tmp_path / "handbook", plugins, {module: code} if code or module == "yaml.py" else {}
    )
    answer = run("mkdocs", "build", "--quiet", cwd=root)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"Error: {message}"), answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.build
@pytest.mark.parametrize("path", ["macros.py", "macros/__init__.py"])
@pytest.mark.parametrize("command", [["mkdocs"], ["python", "-m", "mkdocs"]], ids=" ".join)
def test_the_module_of_the_repository_comes_first(
    command: list[str], path: str, tmp_path: Path
) -> None:
    """Our own macros/ is first on the module path of these tests."""
    plugins = "plugins:\n  - macros: {modules: [macros]}\n  - handbook\n"
    root = make_handbook(tmp_path / "handbook", plugins, {path: ONE_MACRO})
    answer = run(*command, "build", "--quiet", cwd=root)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Our own index." in read_article(root, "adr")


@pytest.mark.build
def test_the_error_of_a_folder_without_a_module_is_one_line(tmp_path: Path) -> None:
    plugins = "plugins:\n  - macros: {modules: [macros]}\n  - handbook\n"
    root = make_handbook(tmp_path / "handbook", plugins, {"macros/notes.txt": "No code."})
    answer = run("mkdocs", "build", "--quiet", cwd=root)
    assert answer.stderr.startswith(
        "Error: mkdocs.yml: the folder of the module 'macros' is not a package; add __init"
    )
    assert answer.stderr.count("\n") == 1


@pytest.mark.build
def test_a_broken_template_stays_an_error_if_the_settings_lower_its_rule(tmp_path: Path) -> None:
    root = make_handbook(tmp_path / "handbook")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    index = (root / "adr/index.md").read_text(encoding="utf-8").replace("adr_index()", "adr_idx()")
    write(
        root,
        {"mkdocs.yml": settings.replace("SAFE002: error", "MD020: warning"), "adr/index.md": index},
    )
    answer = run("mkdocs", "build", "--quiet", cwd=root)
    assert answer.returncode == 1
    assert "adr/index.md:6:4: MD020 error: unknown macro 'adr_idx'" in answer.stderr
    assert "SAFE008 error: severity 'warning' of MD020" in answer.stderr
    assert not (root / "site/adr/index.html").exists()


# Tests of the check, which runs no code of modules.


WITHOUT_PLUGINS = SETTINGS.replace("plugins: [macros, handbook]\n", "")


def check_calls(
    root: Path, text: str, settings: str = BOTH, files: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """Check a page with this text, and return the messages and hints of MD020."""
    write(root, {"docs/index.md": "# Home\n", "docs/x.md": PAGE + text + "\n", **files})
    base = WITHOUT_PLUGINS if settings.startswith("plugins:") else SETTINGS
    findings = check(root, {"mkdocs.yml": base + settings})
    assert not [finding for finding in findings if finding.code == "FM001"]
    return [
        f"{finding.message} ({finding.hint})" if finding.hint else finding.message
        for finding in findings
        if finding.code == "MD020"
    ]


def test_names_of_a_base_template_are_not_checked(tmp_path: Path) -> None:
    text = "{% extends 'base.jinja' %}{% block a %}{{ box() }}{% endblock %}"
    assert check_calls(tmp_path, text) == []


VALID_TEXTS = {
    "range": "{% for n in range(3) %}{{ n }}{% endfor %}",
    "dict": "{{ dict(a=1) }}",
    "namespace": "{% set ns = namespace(n=0) %}{% set ns.n = 1 %}",
    "cycler": "{% set row = cycler('a', 'b') %}{{ row.next() }}",
    "joiner": "{% set comma = joiner(', ') %}{{ comma() }}",
    "lipsum": "{{ lipsum(n=1) }}",
    "now": "{{ now() }} {{ now().year }}",
    "context": "{{ context() | pretty }} {{ context(config) }}",
    "macros_info": "{{ macros_info() }}",
    "fix_url": "{{ fix_url('a.png') }}",
    "a macro of the page": "{% macro box(t) %}[{{ t }}]{% endmacro %}{{ box('a') }}",
    "a macro before its definition": "{{ box('a') }}{% macro box(t) %}[{{ t }}]{% endmacro %}",
    "a value that is set": "{% set hello = macros.now %}{{ hello() }}",
    "a block that is set": "{% set hello %}x{% endset %}{{ hello() }}",
    "an imported template": "{% import 'x.jinja' as forms %}{{ forms.field('a') }}",
    "an imported macro": "{% from 'x.jinja' import field, area as text %}"
    "{{ field('a') }}{{ text() }}",
    "a call block": "{% macro box() %}{{ caller('a') }}{% endmacro %}"
    "{% call(item) box() %}{{ item() }}{% endcall %}",
    "a loop variable": "{% for key, call in macros.items() %}{{ key() }}{{ call(1) }}{% endfor %}",
    "a recursive loop": "{% for n in tree recursive %}{{ loop(n.children) }}{% endfor %}",
    "an argument": "{% macro twice(f, g=now) %}{{ f() }}{{ g() }}{% endmacro %}",
    "a variable of with": "{% with f = now %}{{ f() }}{% endwith %}",
    "a block": "{% block a %}{{ super() }}{{ self.a() }}{% endblock %}",
    "a method": "{{ 'a'.upper() }}{{ page.meta.get('x') }}{{ macros.anything() }}",
    "text that is raw": "{% raw %}{{ adr_idx() }}{% endraw %}{# {{ adr_idx() }} #}",
    "an unknown filter": "{{ page.title | shout }}",
    "macros of the engine": "{{ adr_index() }}{{ checklist() | upper }}",
    "open arguments": "{{ adr_index(*page.none) }}{{ adr_index(**page.none) }}",
}


@pytest.mark.parametrize("text", VALID_TEXTS.values(), ids=VALID_TEXTS)
def test_names_of_jinja_mkdocs_macros_and_the_page_are_valid(text: str, tmp_path: Path) -> None:
    assert check_calls(tmp_path, text) == []


INVALID_TEXTS = {
    "{{ adr_idx() }}": "unknown macro 'adr_idx' (did you mean 'adr_index'?)",
    "{{ zzz() }}": "unknown macro 'zzz'",
    "{{ ranges(3) }}": "unknown macro 'ranges' (did you mean 'range'?)",
    "{% if adr_idx() %}x{% endif %}": "unknown macro 'adr_idx' (did you mean 'adr_index'?)",
    "{{ 'a' ~ adr_idx() | upper }}": "unknown macro 'adr_idx' (did you mean 'adr_index'?)",
    "{% call adr_idx() %}x{% endcall %}": "unknown macro 'adr_idx' (did you mean 'adr_index'?)",
    "{{ adr_index('accepted') }}": "invalid arguments for macro 'adr_index' "
    "(call it as adr_index())",
    "{{ checklist(group='SEC') }}": "invalid arguments for macro 'checklist' "
    "(call it as checklist())",
    "{% call home() %}x{% endcall %}": "invalid arguments for macro 'home' (call it as home())",
    "{{ adr_index( }}": "invalid macro template: unexpected '}', expected ')'",
    "{% for x in %}": "invalid macro template: Expected an expression, "
    "got 'end of statement block'",
    "{{ adr_index() ": "invalid macro template: unexpected end of template, "
    "expected 'end of print statement'.",
}


@pytest.mark.parametrize("text", INVALID_TEXTS)
def test_an_unknown_macro_and_invalid_arguments_are_findings(text: str, tmp_path: Path) -> None:
    assert check_calls(tmp_path, text) == [INVALID_TEXTS[text]]


def test_the_finding_is_at_the_name_of_the_macro(tmp_path: Path) -> None:
    write(tmp_path, {"docs/x.md": PAGE + "One\ntwo {{ adr_idx() }}.\n"})
    assert format_findings(check(tmp_path, {"adr/0001-a.md": ADR})) == ["docs/x.md:8:8:MD020"]


def test_braces_in_a_page_without_macros_are_not_checked(tmp_path: Path) -> None:
    write(tmp_path, {"docs/x.md": "# A page\n\n{{ adr_idx() }} {% for %}\n"})
    assert check(tmp_path, {"adr/0001-a.md": ADR}) == ()


def make_module(body: str) -> str:
    return "def define_env(env):\n" + "".join(f"    {line}\n" for line in body.split("\n"))


DEFINITIONS = {
    "a decorated function": "@env.macro\ndef hello(name):\n    return name",
    "a decorated function with options": "@env.macro\n"
    "def hello(name, *rest, loud=False, **more):\n    return name",
    "a function by its name": "def hello(name):\n    return name\nenv.macro(hello)",
    "a function by another name": "def greet(name):\n    return name\nenv.macro(greet, 'hello')",
    "a function by a keyword": "def greet(name):\n    return name\nenv.macro(greet, name='hello')",
    "a lambda": "env.macro(lambda name: name, 'hello')",
    "a variable": "env.variables['hello'] = str",
    "a variable as an attribute": "env.variables.hello = str",
    "variables at once": "env.variables.update({'hello': str})",
    "variables by keywords": "env.variables.update(hello=str)",
    "a macro in the mapping": "env.macros['hello'] = str",
    "under a condition": "if env.conf['strict']:\n    @env.macro\n    def hello(name):\n"
    "        return name",
    "beside code that only reads variables": "site = env.variables['config'].site_name\n"
    "x = env.variables.get('x')\n"
    "@env.filter\ndef shout(x):\n    return x.upper()\n"
    "@env.macro\ndef hello(name):\n    return env.page.title + site + env.variables.x",
}


@pytest.mark.parametrize("body", DEFINITIONS.values(), ids=DEFINITIONS)
@pytest.mark.parametrize(
    ("options", "path"),
    [
        ("{modules: [shopmacros]}", "shopmacros.py"),
        ("{modules: ['shop:shopmacros']}", "shopmacros/__init__.py"),
        ("{modules: [tools.shop]}", "tools/shop.py"),
        ("{module_name: tools/shop}", "tools/shop.py"),
        ("{}", "main.py"),
        ("{}", "main/__init__.py"),
    ],
    ids=["a module", "a pluglet", "a module of a package", "a path", "main.py", "main/"],
)
def test_macros_of_modules_of_the_repository_are_valid(
    options: str, path: str, body: str, tmp_path: Path
) -> None:
    settings = f"plugins:\n  - macros: {options}\n  - handbook\n"
    assert check_calls(
        tmp_path, "{{ hello('x') }}{{ helo('x') }}", settings, {path: make_module(body)}
    ) == ["unknown macro 'helo' (did you mean 'hello'?)"]


@pytest.mark.parametrize(
    ("body", "call", "usage"),
    [
        ("@env.macro\ndef hello(name):\n    pass", "hello()", "hello(name)"),
        ("@env.macro\ndef hello():\n    pass", "hello(1)", "hello()"),
        ("def hello(a, b=1):\n    pass\nenv.macro(hello)", "hello(1, c=2)", "hello(a, b=…)"),
        (
            "def hello(a, /, *b, **c):\n    pass\nenv.macro(hello)",
            "hello()",
            "hello(a, /, *b, **c)",
        ),
        ("env.macro(lambda *, a: a, 'hello')", "hello()", "hello(*, a)"),
        ("@env.macro\ndef adr_index(status):\n    pass", "adr_index()", "adr_index(status)"),
    ],
    ids=[
        "missing argument",
        "too many arguments",
        "unknown keyword",
        "missing positional argument",
        "missing keyword",
        "replaced macro",
    ],
)
def test_invalid_arguments_for_a_macro_of_a_module_are_a_finding(
    body: str, call: str, usage: str, tmp_path: Path
) -> None:
    name = usage.partition("(")[0]
    messages = check_calls(tmp_path, f"{{{{ {call} }}}}", files={"main.py": make_module(body)})
    assert messages == [f"invalid arguments for macro '{name}' (call it as {usage})"]


@pytest.mark.parametrize(
    "body",
    [
        "@other\n@env.macro\ndef hello(name):\n    pass",
        "hello = other(lambda name: name)\nenv.macro(hello, 'hello')",
        "@env.macro\ndef hello(a):\n    pass\n@env.macro\ndef hello(a, b):\n    pass",
        "def hello(a):\n    pass\nhello = other(hello, 'x')\nenv.macro(hello, 'hello')",
    ],
    ids=["another decorator", "a value", "defined twice", "rebound"],
)
def test_arguments_are_not_checked_if_the_signature_is_unknown(body: str, tmp_path: Path) -> None:
    assert check_calls(tmp_path, "{{ hello(1, 2, 3) }}", files={"main.py": make_module(body)}) == []


DYNAMIC_DEFINITIONS = {
    "passed on": "other.define(env)",
    "an alias": "define = env.macro\ndefine(other.hello)",
    "a computed name": "env.macro(other, 'hel' + 'lo')",
    "a loop": "for function in (hello, bye):\n    env.macro(function)",
    "variables passed on": "other(env.variables)",
    "computed variables": "env.variables.update(other())",
    "spread variables": "env.variables.update(**other)",
    "a computed key": "env.variables[other] = str",
    "a default": "env.variables.setdefault('hello', str)",
    "Jinja's environment": "env.env.globals['hello'] = str",
}


@pytest.mark.parametrize("body", DYNAMIC_DEFINITIONS.values(), ids=DYNAMIC_DEFINITIONS)
def test_names_are_not_checked_beside_dynamic_definitions(body: str, tmp_path: Path) -> None:
    assert check_calls(tmp_path, "{{ hello('x') }}", files={"main.py": make_module(body)}) == []


OPEN_SETS_OF_NAMES: dict[str, tuple[str, dict[str, str]]] = {
    "an installed package": ("plugins:\n  - macros: {modules: [mkdocs_macros_test]}\n", {}),
    "a missing module": ("plugins:\n  - macros: {module_name: nowhere}\n", {}),
    "a module outside": ("plugins:\n  - macros: {module_name: ../elsewhere}\n", {}),
    "a name that no file can have": (
        "plugins:\n  - macros: {modules: ['" + 300 * "x" + '\', "\\0"]}\n',
        {},
    ),
    "a module with an error": (BOTH, {"main.py": "def define_env(env:\n"}),
    "a module with a NUL": (BOTH, {"main.py": "x = '\0'\n"}),
    "a module in parentheses": (BOTH, {"main.py": "(" * 10_000}),
    "an imported hook": (BOTH, {"main.py": "from elsewhere import define_env\n"}),
    "an assigned hook": (BOTH, {"main.py": "define_env = print\n"}),
    "a hook of pages": (
        BOTH,
        {"main.py": make_module("pass") + "def on_pre_page_macros(env):\n    other(env)\n"},
    ),
    "another plugin": ("plugins: [macros, handbook, mkdocs-shop]\n", {}),
    "a hook of MkDocs": (
        BOTH + "hooks: [h.py]\n",
        {"h.py": "def on_config(c): c.plugins['macros'].x()\n"},
    ),
    "an extension of Jinja": ("plugins:\n  - macros: {j2_extensions: [shop.Tags]}\n", {}),
}


@pytest.mark.parametrize("case", OPEN_SETS_OF_NAMES)
def test_unknown_names_are_not_checked_if_code_outside_can_define_them(
    case: str, tmp_path: Path
) -> None:
    settings, files = OPEN_SETS_OF_NAMES[case]
    assert check_calls(tmp_path, "{{ hello('x') }}", settings, files) == []


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ("plugins: [search, macros, handbook, tags, material/blog]\n", "{{ helo() }}"),
        (BOTH + "hooks: [h.py]\n", "{{ helo() }}"),
        (
            "plugins:\n  - macros:\n      j2_variable_start_string: '[['\n"
            "      j2_variable_end_string: ']]'\n",
            "[[ helo() ]]",
        ),
        ("plugins:\n  - macros: {j2_extensions: [jinja2.ext.do]}\n", "{% do helo() %}"),
        ("plugins:\n  macros: {}\n  handbook:\n", "{{ helo() }}"),
        ("", "{{ helo() }}"),
    ],
    ids=[
        "plugins of Material",
        "another hook",
        "other delimiters",
        "an extension of Jinja",
        "a mapping",
        "no plugins",
    ],
)
def test_unknown_names_are_findings_with_any_settings(
    settings: str, text: str, tmp_path: Path
) -> None:
    assert check_calls(tmp_path, text, settings, {"h.py": "def on_config(config): ...\n"}) == [
        "unknown macro 'helo'"
    ]


def test_the_check_runs_no_module(tmp_path: Path) -> None:
    source = "open('ran', 'w').close()\n" + make_module(
        "open('ran', 'w').close()\n@env.macro\ndef hello(): pass"
    )
    settings = "plugins:\n  - handbook\n  - macros: {modules: [first], module_name: second}\n"
    assert (
        check_calls(
            tmp_path, "{{ hello() }}", settings, {"first.py": source, "second/__init__.py": source}
        )
        == []
    )
    write(tmp_path, {"adr/0001-a.md": ADR})
    assert run("handbook", "check", cwd=tmp_path).returncode == 0
    assert not list(tmp_path.rglob("ran"))


# Tests of errors that only the build can find. Each is one line, without a traceback.

TOOLS = """
def define_env(env):
    other = env.macro

    @other
    def hello(name):
        return name

    @other
    def fails():
        raise ValueError("no such file:\\n  x.yml")
"""
BUILD_ERRORS = {
    "{{ adr_idx() }}": "'adr_idx' is undefined\n    did you mean 'adr_index'?",
    "{{ polcy.slo }}": "'polcy' is undefined",
    "{{ page.nothing.at_all }}": "'handbook.engines.mounting.HandbookPage object' "
    "has no attribute 'nothing'",
    "{{ hello() }}": "hello() missing 1 required positional argument: 'name'",
    "{{ hello('a', b=1) }}": "hello() got an unexpected keyword argument 'b'",
    "{{ fails() }}": "ValueError: no such file: x.yml",
    "{{ 'a' | shout }}": "No filter named 'shout'.",
    "{% macro box(t) %}{{ t }}{% endmacro %}{{ box('a', 2) }}": "macro 'box' takes "
    "not more than 1 argument(s)",
    "{% include 'nowhere.md' %}": "TemplateNotFound: 'nowhere.md' not found in search path: "
    "'{root}/docs'",
    "{{ extra() }}": "'dict' object is not callable",
}


@pytest.mark.build
def test_every_error_of_a_macro_is_one_line(tmp_path: Path) -> None:
    pages = {
        f"docs/x{number}.md": f"{PAGE}One\n{text}\n" for number, text in enumerate(BUILD_ERRORS)
    }
    root = make_handbook(tmp_path / "handbook", files={"main.py": TOOLS, **pages})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings + "not_in_nav: /x*.md\n"})
    answer = run_build(root)
    lines = [
        f"docs/x{number}.md:8:1: MD020 error: {text}\n"
        for number, text in enumerate(BUILD_ERRORS.values())
    ]
    expected = "Error: pages cannot be published\n" + "".join(lines).replace("{root}", str(root))
    assert answer.stderr.startswith(expected)
    # Two lines follow: the counts, and an empty line that click prints.
    assert answer.stderr.removeprefix(expected).count("\n") == 2
    assert answer.returncode == 1
    assert not list(root.glob("site/**/*.html"))


@pytest.mark.build
def test_macros_of_jinja_mkdocs_macros_the_page_and_modules_are_rendered(tmp_path: Path) -> None:
    text = (
        "{% macro box(t) %}[{{ t }}]{% endmacro %}{{ box('page') }} {{ hello('module') }} "
        "{% for n in range(3) %}{{ n }}{% endfor %} {{ now().year }} {{ shop('pluglet') }}"
    )
    files = {
        "main.py": TOOLS,
        "shopmacros.py": make_module("@env.macro\ndef shop(x):\n    return x"),
    }
    plugins = "plugins:\n  - macros: {modules: [shopmacros]}\n  - handbook\n"
    root = make_handbook(tmp_path / "handbook", plugins, files | {"docs/x.md": f"{PAGE}{text}\n"})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings.replace("nav:\n", "nav:\n  - X: x.md\n", 1)})
    answer = run("mkdocs", "build", "--quiet", cwd=root)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert re.search(r"<p>\[page\] module 012 20\d\d pluglet</p>", read_article(root, "x"))
