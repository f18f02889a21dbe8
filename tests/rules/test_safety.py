"""Rules about harm: commands that destroy, code that cannot run, secrets and private names; one line a case."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handbook.reading import shell
from handbook.records.postmortem import deadline
from handbook.reporters import REPORTERS
from handbook.rules.credentials import SIGNS, forms, is_placeholder_password
from tests.handbooks import ADR, SETTINGS, SMALL, check, copy_of, places, report, write

RUNBOOK = "runbooks/shop/slow-search.md"
WARNED = "> [!WARNING]\n> What is deleted is gone.\n\n```bash\nkubectl delete job old-index\n```"


def with_block(root: Path, text: str) -> list[str]:
    """The codes that the small handbook has with a text in place of the one command that destroys."""
    copy_of(SMALL, root)
    file = root / RUNBOOK
    file.write_text(file.read_text(encoding="utf-8").replace(WARNED, text), encoding="utf-8")
    return [each.code for each in report(root).findings]


@pytest.mark.parametrize(
    "command",
    [
        "kubectl -n shop delete pod shop-0",
        "kubectl drain node-1",
        "kubectl scale deployment shop --replicas=0",
        "kubectl scale --replicas 0 deployment/shop",
        "helm uninstall shop",
        "terraform destroy",
        "aws ec2 terminate-instances --instance-ids i-1",
        "git push --force origin main",
        "git push -f",
        "rm -rf /var/lib/shop",
        "rm -v -r old",
        "kill -9 1",
        "argocd app sync shop --force",
        "psql -c 'DROP TABLE orders'",
        "delete from orders;",
        "TRUNCATE orders;",
        "SELECT pg_terminate_backend(1);",
        "redis-cli FLUSHALL",
    ],
)
def test_a_command_that_destroys_needs_a_warning(command: str, tmp_path: Path) -> None:
    block = f"```text\n{command}\n```"
    assert with_block(tmp_path / "bare", block) == ["RBK016"]
    assert with_block(tmp_path / "said", f"**Warning:** this cannot be undone.\n\n{block}") == []


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods",
        "kubectl scale deployment shop --replicas=10",
        "kubectl rollout restart deployment/shop",
        "git push --force-with-lease",
        "# never: rm -rf /",
        "echo 'drop table' is never run here",
        "grep -c 'delete from' slow.log",
        "SELECT dropped, deleted_from FROM orders;",
        "df -h --total",
        "rm old.log",
        "systemctl status shutdown-guard",
    ],
)
def test_other_commands_need_none(command: str, tmp_path: Path) -> None:
    assert with_block(tmp_path / "x", f"```text\n{command}\n```") == []


def test_a_warning_holds_up_to_the_next_heading(tmp_path: Path) -> None:
    under = WARNED.replace("```bash", "### Another\n\n**Symptom:** A.\n\n**Fix:**\n\n```bash")
    assert with_block(tmp_path / "x", under) == ["RBK016"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```bash\nls | grep x\n```", []),
        ("```bash\nkubectl logs <pod> -n shop\n```", []),
        ("```console\n$ if\n```", []),
        ("```bash\nls\nif true; then\n```", ["12:10:FM107"]),
        ("```sh\necho 'open\n```\n\nText.\n\n```sh\nfor\n```", ["11:6:FM107", "17:1:FM107"]),
        ("1. First:\n\n    ```bash\n    ls\n    while\n    ```", ["14:5:FM107"]),
    ],
)
def test_a_shell_must_be_able_to_run_it(text: str, expected: list[str], tmp_path: Path) -> None:
    record = ADR.replace("Why.", text).replace("## Context\n\n", "## Context\n\n", 1)
    found = places(check(tmp_path, {"adr/0001-a.md": record}))
    assert found == [f"adr/0001-a.md:{place}" for place in expected]


WORDS = ("-n", "a=1", "if", "256", "+%s", "'{ $x; }'", '"<a b>"', "--to=a'b'c,d:e@f^g%")


def test_shellcheck_finds_no_error_in_plain_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{one} \\\n  {other} | head {one}" for one, other in product(WORDS, repeat=2)]
    scripts = tuple("\n".join(f"{program} {line}" for line in lines) for program in shell.PROGRAMS.split("|"))
    assert all(map(shell.plain, scripts))
    monkeypatch.setattr(shell, "plain", lambda script: False)
    assert shell.shell_errors(scripts) == ()


@pytest.mark.parametrize(
    "script",
    [
        "kubectl get $(pods", "kubectl 'get", 'kubectl "$@"', "kubectl = 1", "mv x", "exit 256", "curl x &", "if git",
        "# shellcheck disable=x\ncurl", "# to be continued \\\nexit 256", "git \\\n\\", "make\n{", "ps |", "jq é",
    ],
)  # fmt: skip
def test_shellcheck_is_asked_about_all_else(script: str) -> None:
    assert not shell.plain(script)


# Put together here, so that no scanner takes this file for one that holds them.
@pytest.mark.parametrize(
    "secret",
    [
        "AKIA" + "Z" * 16,
        "ghp_" + "a" * 36,
        "github_" + "pat_" + "a" * 22 + "_" + "b" * 59,
        "glpat-" + "a" * 20,
        "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
        "SG." + "a" * 22 + "." + "b" * 43,
    ],
)
def test_a_secret_is_found_wherever_it_stands(secret: str, tmp_path: Path) -> None:
    record = ADR.replace("Why.", f"Why.\n\n```text\nkey: {secret}\n```")
    found = places(check(tmp_path, {"adr/0001-a.md": record}))
    assert [each.rsplit(":", 1)[1] for each in found] == ["SAFE005"]
    assert found[0].startswith("adr/0001-a.md:13:")


@given(st.sampled_from(forms()).flatmap(lambda form: st.from_regex(form.pattern)))
@settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_form_of_a_secret_has_a_sign(secret: str) -> None:
    """A text without a sign is not looked through; a form that a new detect-secrets brings needs one."""
    assert any(sign.search(secret.casefold()) for sign in SIGNS)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:s3cret@db.example/x",
        "mysql://root:hunter2@db:3306/shop",
        "amqp://guest:guest@mq.example:5672/%2F",
        "https://deploy:Tr0ub4dor@git.example/shop.git",
        "redis://:p4ss@cache:6379/0",
        "mongodb+srv://shop:a-b_c.d9@cluster.example/?retryWrites=true",
        "jdbc:postgresql://shop:p@ss@db/orders",
        "postgres://postgres:postgres@localhost:5432",
        "sftp://back-up:password1@files.example",
        "https://me:admin@intranet.example",
        "HTTPS://Deploy:Tr0ub4dor@git.example",
    ],
)
@pytest.mark.parametrize(
    "form", ["Why: {url}", "`{url}`", "[here]({url})", "```text\nDATABASE_URL='{url}'\n```", "<{url}>"]
)
def test_a_password_in_a_url_is_a_secret(url: str, form: str, tmp_path: Path) -> None:
    found = check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", form.format(url=url))})
    assert [each.message for each in found if each.code == "SAFE005"] == ["possible secret: password in a URL"]


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:password@db.example/x", "postgres://user:$PASSWORD@db/x", "mysql://root:${DB_PASSWORD}@db",
        "amqp://guest:<password>@mq", "https://x-access-token:{token}@git.example", "https://user:***@git.example",
        "postgres://shop:your-password@db/x", "postgres://shop:YOUR_DB_PASSWORD@db", "https://u:xxxx@h.example",
        "postgres://test:test@localhost/db", "postgres://orders:not-a-secret@db/orders", "redis://:%(password)s@cache",
        "https://user@git.example/x", "http://localhost:8080/@me", "https://h.example:443/a?b=c:d@e", "ssh://git@h:22/x",
        "https://h.example/a:b@c", "mailto:ann@h.example", "postgres://shop:[password]@db", "https://user:…@h.example",
        "postgres://shop:change_me_password@db", "git@git.example:shop/orders.git", "postgres://shop:REDACTED@db",
    ],
)  # fmt: skip
def test_a_url_without_a_password_or_with_a_placeholder_is_no_secret(url: str, tmp_path: Path) -> None:
    assert check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"Why `{url}`.")}) == ()


@pytest.mark.parametrize(
    "password", ["admin", "user", "app", "s3cret", "passw0rd", "a", "key", "me", "db", "root", "1234"]
)
def test_a_password_that_may_be_in_use_is_no_placeholder(password: str) -> None:
    assert not is_placeholder_password(password)


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7" + "EXAMPLE",
        "ASIAI44QH8DHB" + "EXAMPLE",
        'aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY' + 'EXAMPLEKEY"',
    ],
)
def test_the_example_keys_of_aws_are_no_secrets(text: str, tmp_path: Path) -> None:
    assert check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"```text\n{text}\n```")}) == ()
    real = text.replace("EXAMPLE", "ABCDEFG")
    assert [each.code for each in check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"```text\n{real}\n```")})] == [
        "SAFE005"
    ]


@pytest.mark.parametrize("key", ["repo_url", "site_description", "copyright"])
def test_a_secret_is_found_in_the_settings(key: str, tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": f"{SETTINGS}{key}: https://shop:hunter2@git.example/x\n", "adr/0001-a.md": ADR})
    assert places(report(tmp_path).findings) == [f"mkdocs.yml:6:{len(key) + 3}:SAFE005"]


def test_a_token_in_a_url_is_one_secret(tmp_path: Path) -> None:
    url = "https://bot:ghp_" + "a" * 36 + "@git.example/x.git"
    assert [each.code for each in check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", url)})] == ["SAFE005"]


SECRET = "AKIA" + "Z" * 16
WITH_SECRET = ADR.replace("Why.", f"Why {SECRET}.")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (ADR.replace("Why.", f"<!-- handbook: allow SAFE005: not a secret -->\nWhy {SECRET}."), "SAFE005"),
        (
            ADR.replace("Why.", "<!-- handbook: allow SAFE001 until 2027-01-01: so -->\nWhy<wbr>so."),
            "SAFE001",
        ),
        (ADR.replace("Why.", "<!-- handbook: allow SAFE003: a file -->\n[Why](data:text/html,x)."), "SAFE003"),
        (WITH_SECRET.replace("status:", "# handbook: allow SAFE006: on purpose\nstatus:"), "SAFE005"),
    ],
)
def test_a_safety_rule_cannot_be_suppressed(text: str, code: str, tmp_path: Path) -> None:
    report_ = report(write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": text}))
    assert sorted(each.code for each in report_.findings) == sorted(["SAFE008", code])
    assert report_.suppressed == 0


@pytest.mark.parametrize("code", ["SAFE005", "SAFE002", "SAFE008", "FM019"])
def test_a_safety_rule_cannot_be_lowered(code: str, tmp_path: Path) -> None:
    settings = f"{SETTINGS}    rules: {{{code}: warning}}\n"
    found = report(write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": WITH_SECRET}))
    expected = [] if code == "FM019" else [("SAFE008", "error")]  # which is a warning by itself
    assert [(each.code, str(each.severity)) for each in found.findings] == [("SAFE005", "error"), *expected]
    assert found.lowered == 0


def sample(text: str, path: str = "adr/0001-a.md") -> str:
    """Settings that declare a text as a published example."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{SETTINGS}    samples:\n      - {{path: {path}, sha256: {digest}, reason: a test}}\n"


def test_a_published_example_is_declared_by_the_hash_of_its_text(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": sample(SECRET), "adr/0001-a.md": WITH_SECRET})
    assert (report(tmp_path).findings, report(tmp_path).samples) == ((), 1)
    write(tmp_path, {"adr/0001-a.md": WITH_SECRET.replace("Then.", "Then AKIA" + "Y" * 16 + ".")})
    assert places(report(tmp_path).findings) == ["adr/0001-a.md:22:6:SAFE005"]
    assert report(tmp_path).samples == 1


@pytest.mark.parametrize(
    ("settings", "record", "expected"),
    [
        (sample(SECRET), ADR, ["mkdocs.yml:7:9:SAFE007"]),
        (sample(SECRET, "adr/0002-b.md"), WITH_SECRET, ["adr/0001-a.md:10:5:SAFE005", "mkdocs.yml:7:9:SAFE007"]),
        (sample(SECRET + " "), WITH_SECRET, ["adr/0001-a.md:10:5:SAFE005", "mkdocs.yml:7:9:SAFE007"]),
        (sample("<b>"), ADR.replace("Why.", "<b>Why</b>"), ["adr/0001-a.md:10:1:SAFE001", "adr/0001-a.md:10:7:SAFE001",
                                                           "mkdocs.yml:7:9:SAFE007"]),
        (sample(SECRET).replace(", reason: a test", ""), WITH_SECRET, ["mkdocs.yml:7:9:FM007"]),
    ],
)  # fmt: skip
def test_an_entry_that_declares_no_secret_is_an_error(
    settings: str, record: str, expected: list[str], tmp_path: Path
) -> None:
    assert places(report(write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": record})).findings) == expected


def test_the_finding_shows_the_entry_to_paste(tmp_path: Path) -> None:
    (found,) = check(tmp_path, {"adr/0001-a.md": WITH_SECRET})
    assert found.hint
    entry = found.hint.partition("handbook.samples: ")[2].replace("…", "a test")
    write(tmp_path, {"mkdocs.yml": f"{SETTINGS}    samples:\n      - {entry}\n"})
    assert report(tmp_path).findings == ()


def test_the_sample_of_a_private_key_is_that_key_alone(tmp_path: Path) -> None:
    begin, end = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
    key = f"```text\n{begin}\nMIIB\n{end}\n```"
    settings = sample(f"{begin.strip('-')}-----\nMIIB\n")
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": ADR.replace("Why.", key)})
    assert report(tmp_path).findings == ()
    other = key.replace("MIIB", "MIIC")
    write(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"{key}\n\n{other}")})
    assert places(report(tmp_path).findings) == ["adr/0001-a.md:17:6:SAFE005"]


def test_every_report_counts_what_is_let_through(tmp_path: Path) -> None:
    settings = sample(SECRET) + "    rules: {FM104: warning, DEC009: warning, FM016: error}\n"
    record = WITH_SECRET.replace("What.\n\n", "").replace(
        "## Decision", "<!-- handbook: allow FM104: next week -->\n## Decision"
    )
    found = report(write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": record}))
    counts = "1 adr: 0 errors, 0 warnings, 1 suppressed, 1 secret sample, 2 lowered severities\n"
    assert REPORTERS["text"](found) == REPORTERS["github"](found) == counts
    summary = {"errors": 0, "warnings": 0, "suppressed": 1, "samples": 1, "lowered": 2, "new_exceptions": []}
    assert json.loads(REPORTERS["json"](found))["summary"] == summary
    assert json.loads(REPORTERS["sarif"](found))["runs"][0]["properties"] == {"summary": summary}


@pytest.mark.parametrize("path", ["adr/0001-a/load.csv", "adr/0001-a/load.svg", "docs/standards/samples/shop/app.py"])
def test_a_secret_is_found_in_an_attachment_and_in_a_sample(path: str, tmp_path: Path) -> None:
    drawing = ("<svg>", "</svg>") if path.endswith(".svg") else ("name", "end")
    files = {"adr/0001-a.md": ADR, path: f"{drawing[0]}\nkey: AKIA" + "Z" * 16 + f"\n{drawing[1]}"}
    assert places(check(tmp_path, files)) == [f"{path}:2:6:SAFE005"]


@pytest.mark.parametrize("text", ["sha256:" + "0123456789abcdef" * 4, "3f2c9d1", "password", "sk_test_example"])
def test_what_only_looks_random_is_no_secret(text: str, tmp_path: Path) -> None:
    assert check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"Why `{text}`.")}) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ask ann@corp.example.", ["10:5:SAFE006"]),
        ("See <https://db.internal:5432/x>", ["10:14:SAFE006"]),
        ("`DB.INTERNAL`", ["10:2:SAFE006"]),
        ("Ask ann@example.com, internal as corp.example is.", []),
    ],
)
def test_private_names_stay_private(text: str, expected: list[str], tmp_path: Path) -> None:
    settings = SETTINGS + '    private: ["*@corp.example", "*.internal"]\n'
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": ADR.replace("Why.", text)})
    assert places(report(tmp_path).findings) == [f"adr/0001-a.md:{place}" for place in expected]


OLD = ADR.replace("accepted", "superseded").replace("deciders", "superseded_by: [ADR-0002]\ndeciders")
NEW = ADR.replace("deciders", "supersedes: [ADR-0001]\ndeciders")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("As ADR-0001 says.", ["10:4:DEC012"]),
        ("As [it](0001-a.md) says.", ["10:4:DEC012"]),
        ("As ADR-0001 said, before ADR-0002.", []),
        ("As ADR-0002 says.", []),
    ],
)
def test_a_citation_of_a_dead_decision_names_the_living_one(text: str, expected: list[str], tmp_path: Path) -> None:
    citing = ADR.replace("Why.", text)
    files: dict[str, str | bytes] = {"adr/0001-a.md": OLD, "adr/0002-b.md": NEW, "adr/0003-c.md": citing}
    assert places(check(tmp_path, files)) == [f"adr/0003-c.md:{place}" for place in expected]
    if expected:  # what is itself no longer in force may cite what was
        files["adr/0003-c.md"] = citing.replace("accepted", "deprecated")
        assert check(tmp_path, files) == ()


@pytest.mark.parametrize(
    ("began", "country", "expected"),
    [
        (date(2026, 12, 22), None, date(2026, 12, 29)),
        (date(2026, 12, 22), "DE", date(2026, 12, 30)),  # Christmas Day is a Friday
        (date(2026, 6, 1), "DE", date(2026, 6, 8)),
        (date(2026, 6, 1), "DE-BY", date(2026, 6, 9)),  # Corpus Christi, in Bavaria
    ],
)
def test_business_days_know_the_holidays_of_the_country(began: date, country: str | None, expected: date) -> None:
    assert deadline(began, 5, country) == expected


@pytest.mark.parametrize(
    ("country", "hint"), [("DE-BX", "did you mean 'BY'?"), ("Germany", None), ("XX", None), ("", "")]
)
def test_a_country_is_one_whose_holidays_are_known(country: str, hint: str | None, tmp_path: Path) -> None:
    settings = SETTINGS + f"  policy:\n    postmortem: {{country: {country}}}\n"
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": ADR})
    found = report(tmp_path).findings
    assert [each.code for each in found] == (["FM005"] if country else [])


NAV = "nav:\n  - Home: index.md\n  - Here:\n      - more/a.md\nnot_in_nav: /drafts/\n"


@pytest.mark.parametrize(
    ("nav", "path", "found"),
    [
        (NAV, "docs/more/b.md", ["docs/more/b.md:1:1:LNK010"]),
        (NAV, "docs/more/a.md", []),
        (NAV, "docs/drafts/c.md", []),
        ("", "docs/more/b.md", []),
    ],
)
def test_the_nav_lists_every_page(nav: str, path: str, found: list[str], tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": SETTINGS + nav, "adr/0001-a.md": ADR, "docs/index.md": "# Home\n", path: "# A\n"})
    assert places(report(tmp_path).findings) == found


@pytest.mark.parametrize(
    ("target", "code", "hint"),
    [
        ("https://a.example/b/more/", "LNK009", "write more.md"),
        ("https://a.example/b/more", "LNK009", "write more.md"),
        ("https://a.example/b/more/#x", "LNK009", "write more.md#x"),
        ("https://a.example/b/moer/", "LNK009", "did you mean 'more/'?"),
        ("https://a.example/b", "LNK009", "write index.md"),
        ("https://a.example/b/api/v1/adrs.json", None, None),
        ("https://a.example/bc/", None, None),
        ("https://other.example/b/more/", None, None),
    ],
)
def test_a_link_to_the_own_site_is_a_path(target: str, code: str | None, hint: str | None, tmp_path: Path) -> None:
    settings = f"site_url: https://a.example/b/\n{SETTINGS}"
    files = {"mkdocs.yml": settings, "adr/0001-a.md": ADR, "docs/more.md": "# More\n\n## X\n"}
    write(tmp_path, {**files, "docs/index.md": f"# Home\n\n[x]({target})\n"})
    found = report(tmp_path).findings
    assert [(each.code, each.hint) for each in found] == ([(code, hint)] if code else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('An <a href="x.md">x</a>.', ["3:4:LNK008"]),
        ('<img\nsrc="x.png">', ["3:1:LNK008"]),
        ('<div>\n<a href="https://x.example">x</a>\n</div>', ["4:1:LNK008"]),
        ('<!-- <a href="x.md"> -->', []),
        ("<kbd>q</kbd> and `<a href=x>`", []),
    ],
)
def test_a_page_links_in_markdown(text: str, expected: list[str], tmp_path: Path) -> None:
    found = places(check(tmp_path, {"adr/0001-a.md": ADR, "docs/index.md": f"# Home\n\n{text}\n"}))
    assert found == [f"docs/index.md:{place}" for place in expected]


def test_a_value_is_no_placeholder(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "x")
    audit = root / "docs/services/shop/2026-Q4.yml"
    audit.write_text(audit.read_text(encoding="utf-8").replace("a look at the settings", "TBD"), encoding="utf-8")
    assert places(report(root).findings) == ["docs/services/shop/2026-Q4.yml:9:37:FM106"]
