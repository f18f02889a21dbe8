"""Test the rules for destructive commands, invalid shell code, secrets and private names."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handbook.cli import main
from handbook.diagnostics import Location
from handbook.reading import shell
from handbook.reading.credential_forms import (
    FORMS,
    find_matches,
    is_placeholder_password,
    may_hold_credential,
)
from handbook.records.postmortem import publication_deadline
from handbook.reporters import REPORTERS
from tests.handbooks import (
    ADR,
    SETTINGS,
    SMALL,
    check,
    copy_site,
    format_findings,
    make_png,
    report,
    write,
)

RUNBOOK = "runbooks/shop/slow-search.md"
WARNED = "> [!WARNING]\n> What is deleted is gone.\n\n```bash\nkubectl delete job old-index\n```"


def check_block(root: Path, text: str) -> list[str]:
    """Return the codes of the small handbook with `text` in place of its destructive command."""
    copy_site(SMALL, root)
    file = root / RUNBOOK
    file.write_text(file.read_text(encoding="utf-8").replace(WARNED, text), encoding="utf-8")
    return [finding.code for finding in report(root).findings]


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
    assert check_block(tmp_path / "bare", block) == ["RBK016"]
    assert check_block(tmp_path / "warned", f"**Warning:** this cannot be undone.\n\n{block}") == []


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
def test_other_commands_need_no_warning(command: str, tmp_path: Path) -> None:
    assert check_block(tmp_path / "x", f"```text\n{command}\n```") == []


def test_a_warning_holds_up_to_the_next_heading(tmp_path: Path) -> None:
    under = WARNED.replace("```bash", "### Another\n\n**Symptom:** A.\n\n**Fix:**\n\n```bash")
    assert check_block(tmp_path / "x", under) == ["RBK016"]


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
def test_invalid_shell_code_is_found(text: str, expected: list[str], tmp_path: Path) -> None:
    record = ADR.replace("Why.", text).replace("## Context\n\n", "## Context\n\n", 1)
    findings = format_findings(check(tmp_path, {"adr/0001-a.md": record}))
    assert findings == [f"adr/0001-a.md:{position}" for position in expected]


@pytest.mark.parametrize(
    "command",
    [
        "kubectl logs <pod-name>",
        "kubectl logs svc/<name>.<namespace> -n <namespace> > log.txt",
        "kubectl exec <pod> -- sh -c 'cat /etc/<file>'",
        "for pod in <first> <second>; do echo $pod; done",
        "[ <number> -gt 3 ] && exit <status>",
        "<NAME>=1 make",
        'echo "${<NAME>}"',
        "NODE=<instance label from alert>",
        "sort <input>output",
        "cat <<EOF> out.txt\nx\nEOF",
    ],
)
def test_a_placeholder_in_angle_brackets_is_valid(command: str, tmp_path: Path) -> None:
    record = ADR.replace("Why.", f"```bash\n{command}\n```")
    assert format_findings(check(tmp_path, {"adr/0001-a.md": record})) == []


@pytest.mark.parametrize(
    ("code", "column"),
    [("kubectl logs <pod>; if <x> then", 21), ("ls <pod> <", 10), ("kubectl logs <pod>; fi", 21)],
)
def test_a_placeholder_hides_no_other_error(code: str, column: int, tmp_path: Path) -> None:
    record = ADR.replace("Why.", f"```bash\n{code}\n```")
    (finding,) = check(tmp_path, {"adr/0001-a.md": record})
    assert (finding.code, finding.at.line) == ("FM107", 11)
    assert finding.at.column == column, finding.message


@pytest.mark.parametrize("language", ["zsh", "fish", "powershell", "console", "text"])
def test_shellcheck_reads_only_its_languages(language: str, tmp_path: Path) -> None:
    record = ADR.replace("Why.", f"```{language}\nls *(.om[1]) | if\n```")
    assert format_findings(check(tmp_path, {"adr/0001-a.md": record})) == []


@pytest.mark.parametrize(
    ("text", "misspelt", "message", "hint"),
    [
        (
            "**Symptom:** No orders.",
            "**Symptom**: No orders.",
            "no symptom for cause 'No buyers'",
            "on line 21, write '**Symptom:**' instead of '**Symptom**:'",
        ),
        (
            "**Fix:** Wait.",
            "Fix: wait.",
            "no fix for cause 'No buyers'",
            "on line 23, write '**Fix:**' instead of 'Fix:'",
        ),
        (
            "**Fix:** Wait.",
            "Wait.",
            "no fix for cause 'No buyers'",
            "add a paragraph '**Fix:** …'",
        ),
        (
            "No orders.\n\n**Fix:** Wait.",
            "No orders.  \n**Fix:** Wait.",
            "no fix for cause 'No buyers'",
            "put a blank line above '**Fix:**' on line 22",
        ),
        (
            "**Symptom:** No orders.\n\n**Fix:** Wait.",
            "**Symptom:** No orders.\n\n```text\nNone.\n```\n\n**Fix:**",
            "no fix for cause 'No buyers'",
            "write text after '**Fix:**' on line 27",
        ),
        (
            "**Symptom:** No orders.\n\n**Fix:** Wait.",
            "**Symptom:** No orders:\n\n- None.\n\n**Fix:**\n\nWait.",
            "no fix for cause 'No buyers'",
            "write text after '**Fix:**' on line 25",
        ),
        (
            "Tier 1 (15 min):",
            "Tier 1 (15 minutes):",
            "invalid escalation tier 'Tier 1 (15 minutes): Whoever sees it'",
            "write 'Tier 1 (15 min): who'",
        ),
        (
            "## Escalation",
            "## escalation",
            "missing section 'Escalation'",
            "on line 38, write '## Escalation' instead of '## escalation'",
        ),
    ],
)
def test_the_hint_of_a_runbook_quotes_the_misspelt_line(
    text: str, misspelt: str, message: str, hint: str, tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    file = root / RUNBOOK
    file.write_text(file.read_text(encoding="utf-8").replace(text, misspelt, 1), encoding="utf-8")
    (finding,) = report(root).findings
    assert (finding.message, finding.hint) == (message, hint)


WORDS = ("-n", "a=1", "if", "256", "+%s", "'{ $x; }'", '"<a b>"', "--to=a'b'c,d:e@f^g%", "x/<a>")


@pytest.mark.fuzz
def test_shellcheck_finds_no_error_in_plain_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{first} \\\n  {second} | head {first}" for first, second in product(WORDS, repeat=2)]
    scripts = tuple(
        "\n".join(f"{program} {line}" for line in lines) for program in shell.PROGRAMS.split("|")
    )
    assert all(map(shell.is_plain, scripts))
    monkeypatch.setattr(shell, "is_plain", lambda script: False)
    assert shell.find_shell_errors(tuple((script,) for script in scripts)) == ()


@pytest.mark.parametrize(
    "script",
    [
        "kubectl get $(pods",
        "kubectl 'get",
        'kubectl "$@"',
        "kubectl = 1",
        "mv x",
        "exit 256",
        "curl x &",
        "if git",
        "# shellcheck disable=x\ncurl",
        "# to be continued \\\nexit 256",
        "git \\\n\\",
        "make\n{",
        "ps |",
        "jq é",
    ],
)
def test_other_scripts_go_to_shellcheck(script: str) -> None:
    assert not shell.is_plain(script)


# The code joins the parts of each secret, so that secret scanners do not report this file.
RANDOM = "Q7ZK2M9XW4RT8B3N6P5V1C0DJHFSGLYA" * 3
SECRET = "AKIA" + RANDOM[:16]
OTHER_SECRET = "AKIA" + RANDOM[16:32]


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        "ghp_" + RANDOM[:36],
        "github_" + "pat_" + RANDOM[:22] + "_" + RANDOM[:59],
        "glpat-" + RANDOM[:20],
        "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n" + RANDOM[:64],
        "SG." + RANDOM[:22] + "." + RANDOM[:43],
        "npm" + "_authToken=npm_" + RANDOM[:36],
        "sk-" + RANDOM[:20] + "T3Blbk" + "FJ" + RANDOM[:20],
        "aws_secret_" + "access_key = " + RANDOM[:40],
        '"Secret' + f'AccessKey": "{RANDOM[:40]}"',
        "-----BEGIN ENCRYPTED " + "PRIVATE KEY-----\n" + RANDOM[:64],
        "-----BEGIN RSA " + "PRIVATE KEY-----\\n" + RANDOM[:64] + "\\n",
        "-----BEGIN EC "
        + "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,1\n\n"
        + RANDOM[:64],
        "PuTTY-User-" + "Key-File-3: ssh-rsa\nEncryption: none\nPublic-Lines: 6\n" + RANDOM[:64],
    ],
)
def test_a_secret_is_found_in_a_code_block(secret: str, tmp_path: Path) -> None:
    record = ADR.replace("Why.", f"Why.\n\n```text\nkey: {secret}\n```")
    findings = format_findings(check(tmp_path, {"adr/0001-a.md": record}))
    assert [place_and_code.rsplit(":", 1)[1] for place_and_code in findings] == ["SAFE005"]
    assert findings[0].startswith("adr/0001-a.md:13:")


@pytest.mark.parametrize(
    "token",
    [
        "AKIA" + "X" * 16,
        "ghp_" + "x" * 36,
        "glpat-" + "x" * 20,
        "github_" + "pat_" + "x" * 22 + "_" + "x" * 59,
        "ghp_" + RANDOM[:8] + "x" * 28,
        "sk_" + "live_" + "xxXXxxXX" * 3,
        "SG." + "x" * 22 + "." + "x" * 43,
        "https://hooks.slack.com/" + "services/T00000000/B00000000/" + "X" * 24,
        "npm" + "_authToken=npm_" + "x" * 36,
        "aws_secret_" + "access_key = " + "x" * 40,
        "_authToken=${NPM_TOKEN}",
    ],
)
def test_a_masked_token_is_no_secret(token: str, tmp_path: Path) -> None:
    assert check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"```text\n{token}\n```")}) == ()


@pytest.mark.parametrize(
    "token",
    ["ghp\\_" + RANDOM[:36], "sk\\_" + "live\\_" + RANDOM[:24], "\\" + "AKIA" + RANDOM[:16]],
)
def test_a_token_with_markdown_escapes_is_a_secret(token: str, tmp_path: Path) -> None:
    record = ADR.replace(
        "Why.", f"It\\_is \\* {token}, and \\_ {SECRET}.\n\nA {SECRET} with no escape before it."
    )
    findings = format_findings(check(tmp_path, {"adr/0001-a.md": record}))
    lines = record.split("\n")
    first = lines[9].index(token.removeprefix("\\")) + 1
    expected = [(10, first), (10, lines[9].index(SECRET, first) + 1), (12, 3)]
    assert findings == [f"adr/0001-a.md:{line}:{column}:SAFE005" for line, column in expected]


@pytest.mark.parametrize("secret", ["AKIA" + "Z" * 16, "ghp_" + "a" * 36, "glpat-" + "a" * 20])
def test_a_token_of_one_repeated_letter_is_no_mask(secret: str, tmp_path: Path) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"Why {secret}.")})
    assert format_findings(findings) == ["adr/0001-a.md:10:5:SAFE005"]


@given(st.sampled_from(FORMS).flatmap(lambda form: st.from_regex(form.pattern)))
@settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_form_of_a_secret_has_a_sign(secret: str) -> None:
    """The search skips texts without a sign."""
    if list(find_matches(secret)):
        assert may_hold_credential(secret)


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
        "postgres://app:Tr0ub4dor%263@db.example/x",
        "postgres://app:%24ecret9@db.example/x",
        "postgres://app:a%26b%26c@db.example/x",
        "postgres://app:Hunter2$x@db.example/x",
        "postgres://app:Pa$$w0rd@db.example/x",
        "postgres://app:k(8fjq@db.example/x",
        "postgres://app:k[8fjq@db.example/x",
        "postgres://app:k{8fjq@db.example/x",
        "postgres://app:{x}k8fjq@db.example/x",
        "postgres://app:s3cr3t9$PASSWORD@db.example/x",
        "postgres://app:${PASSWORD:-s3cr3t9}@db.example/x",
        "postgres://app:s3cr3t9@[2001:db8::1]/x",
        "postgres://app:s3cr3t9@/x?host=/run",
        "postgres://app:s3cr3t9@$DB_HOST/x",
        "postgres://app:s3cr3t9@${DB_HOST}/x",
        "postgres://{user}:s3cr3t9@{host}/x",
        "smtp://ann@db.example:s3cr3t9@mail.example",
        "postgres://app:s3cr3t\\_9@db.example",
        "//app:s3cr3t9@db.example",
        "postgres:\\/\\/app:s3cr3t9@db.example\\/x",
        "redis://:1234@cache:6379/0",
        "https://admin:1234@camera.example",
        "postgres://app:s3cr3t9@db.example,db2.example/x",
        "postgres://db.example/x?user=app&password=s3cr3t9",
        "jdbc:sqlserver://db.example:1433;user=sa;password=s3cr3t9",
    ],
)
@pytest.mark.parametrize(
    "form",
    ["Why: {url}", "`{url}`", "[here]({url})", "```text\nDATABASE_URL='{url}'\n```", "<{url}>"],
)
def test_a_password_in_a_url_is_a_secret(url: str, form: str, tmp_path: Path) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", form.format(url=url))})
    assert [finding.message for finding in findings if finding.code == "SAFE005"] == [
        "possible secret: password in a URL"
    ]


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:password@db.example/x",
        "postgres://user:$PASSWORD@db/x",
        "mysql://root:${DB_PASSWORD}@db",
        "amqp://guest:<password>@mq",
        "https://x-access-token:{token}@git.example",
        "https://user:***@git.example",
        "postgres://shop:your-password@db/x",
        "postgres://shop:YOUR_DB_PASSWORD@db",
        "https://u:xxxx@h.example",
        "postgres://test:test@localhost/db",
        "postgres://orders:not-a-secret@db/orders",
        "redis://:%(password)s@cache",
        "https://user@git.example/x",
        "http://localhost:8080/@me",
        "https://h.example:443/a?b=c:d@e",
        "ssh://git@h:22/x",
        "https://h.example/a:b@c",
        "mailto:ann@h.example",
        "postgres://shop:[password]@db",
        "https://user:…@h.example",
        "postgres://shop:change_me_password@db",
        "git@git.example:shop/orders.git",
        "postgres://shop:REDACTED@db",
        "docker://nginx:1.25@sha256:0a1b2c3d",
        "oci://registry.example:5000@sha256:0a1b2c3d",
        "nats://b:4222@x",
        "docker://nginx:alpine@sha512:0a1b2c3d",
        "maven://g:a:1.0@jar",
        "maven://g:a:1.0.2-SNAPSHOT@jar",
        "https://user:REPLACE_ME@h",
        "https://x-access-token:GITHUB_TOKEN@github.com",
        "https://user:replace-me@h",
        "https://token:x-oauth-basic@github.com",
        "postgres://shop:geheim@db",
        "postgres://shop:mot-de-passe@db",
        "postgres://shop:passwort@db",
        "postgres://shop:contraseña@db",
        "postgres://shop:motdepasse@db",
        "postgres://shop:change-me@db",
        "https://u:${X}-${Y}@h",
        "https://u:{{x}}@h",
        "https://u:%X%@h",
        "https://u:%s@h",
        "https://u:${{secrets.X}}@h",
        "https://u:${X:-password}@h",
        "https://u:%3Cpassword%3E@h",
        "https://u:$(cmd)@h",
        "https://u:&lt;password&gt;@h",
        "https://u:\\<password\\>@h",
        "https://u:$X@h:9092,v@h",
        "ssh://git@h:repo",
        "https://h.example/?user=a&password=<password>",
        "https://h.example/?user=a&password=$X",
        "?password=…",
        "http://h.example:8080|mailto:ann@h.example",
        "http://h.example:8080,ann@h.example",
        "http://[::1]:8080,a@b",
        "https://h.example,mailto:ann@h.example",
        "https://web.example/a//b:c@d",
    ],
)
def test_a_url_without_a_password_or_with_a_placeholder_is_no_secret(
    url: str, tmp_path: Path
) -> None:
    assert check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"Why `{url}`.")}) == ()
    row = f'site,address\n{url},{url}\n"{url}"\n'
    assert check(tmp_path, {"adr/0001-a.md": ADR, "adr/0001-a/load.csv": row}) == ()


@pytest.mark.parametrize(
    "password",
    [
        "admin",
        "user",
        "app",
        "s3cret",
        "passw0rd",
        "a",
        "key",
        "me",
        "db",
        "root",
        "1234",
        "$a-b",
        "{a}b",
        "a%s",
        "%sa",
        "$$a",
        "Hunter2",
        "x1",
        "s[x]",
        "%41bc",
    ],
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
    assert [
        finding.code
        for finding in check(
            tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"```text\n{real}\n```")}
        )
    ] == ["SAFE005"]


@pytest.mark.parametrize("key", ["site_author", "site_description", "copyright"])
def test_a_secret_is_found_in_the_settings(key: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "mkdocs.yml": f"{SETTINGS}{key}: https://shop:hunter2@git.example/x\n",
            "adr/0001-a.md": ADR,
        },
    )
    assert format_findings(report(tmp_path).findings) == [f"mkdocs.yml:9:{len(key) + 3}:SAFE005"]


def test_a_token_in_a_url_is_one_secret(tmp_path: Path) -> None:
    url = "https://bot:ghp_" + RANDOM[:36] + "@git.example/x.git"
    assert [
        finding.code for finding in check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", url)})
    ] == ["SAFE005"]


WITH_SECRET = ADR.replace("Why.", f"Why {SECRET}.")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            ADR.replace("Why.", f"<!-- handbook: allow SAFE005: not a secret -->\nWhy {SECRET}."),
            "SAFE005",
        ),
        (
            ADR.replace(
                "Why.", "<!-- handbook: allow SAFE001 until 2027-01-01: so -->\nWhy<wbr>so."
            ),
            "SAFE001",
        ),
        (
            ADR.replace(
                "Why.", "<!-- handbook: allow SAFE003: a file -->\n[Why](data:text/html,x)."
            ),
            "SAFE003",
        ),
        (
            WITH_SECRET.replace("status:", "# handbook: allow SAFE006: on purpose\nstatus:"),
            "SAFE005",
        ),
    ],
)
def test_a_safety_rule_cannot_be_suppressed(text: str, code: str, tmp_path: Path) -> None:
    result = report(write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": text}))
    assert sorted(finding.code for finding in result.findings) == sorted(["SAFE008", code])
    assert result.suppressed_count == 0


@pytest.mark.parametrize("code", ["SAFE005", "SAFE002", "SAFE008", "FM019"])
def test_a_safety_rule_cannot_be_lowered(code: str, tmp_path: Path) -> None:
    settings = f"{SETTINGS}    rules: {{{code}: warning}}\n"
    result = report(write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": WITH_SECRET}))
    expected = [] if code == "FM019" else [("SAFE008", "error")]  # FM019 is a warning by default.
    assert [(finding.code, str(finding.severity)) for finding in result.findings] == [
        ("SAFE005", "error"),
        *expected,
    ]
    assert result.lowered_count == 0


def make_settings(text: str, path: str = "adr/0001-a.md") -> str:
    """Return settings that declare a text as a published example."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{SETTINGS}    samples:\n      - {{path: {path}, sha256: {digest}, reason: a test}}\n"


def test_a_published_example_is_declared_by_the_hash_of_its_text(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": make_settings(SECRET), "adr/0001-a.md": WITH_SECRET})
    assert (report(tmp_path).findings, report(tmp_path).sample_count) == ((), 1)
    write(tmp_path, {"adr/0001-a.md": WITH_SECRET.replace("Then.", f"Then {OTHER_SECRET}.")})
    assert format_findings(report(tmp_path).findings) == ["adr/0001-a.md:22:6:SAFE005"]
    assert report(tmp_path).sample_count == 1


@pytest.mark.parametrize(
    ("settings", "record", "expected"),
    [
        (make_settings(SECRET), ADR, ["mkdocs.yml:10:9:SAFE007"]),
        (
            make_settings(SECRET, "adr/0002-b.md"),
            WITH_SECRET,
            ["adr/0001-a.md:10:5:SAFE005", "mkdocs.yml:10:9:SAFE007"],
        ),
        (
            make_settings(SECRET + " "),
            WITH_SECRET,
            ["adr/0001-a.md:10:5:SAFE005", "mkdocs.yml:10:9:SAFE007"],
        ),
        (
            make_settings("<b>"),
            ADR.replace("Why.", "<b>Why</b>"),
            ["adr/0001-a.md:10:1:SAFE001", "adr/0001-a.md:10:7:SAFE001", "mkdocs.yml:10:9:SAFE007"],
        ),
        (
            make_settings(SECRET).replace(", reason: a test", ""),
            WITH_SECRET,
            ["mkdocs.yml:10:9:FM007"],
        ),
    ],
)
def test_an_entry_that_declares_no_secret_is_an_error(
    settings: str, record: str, expected: list[str], tmp_path: Path
) -> None:
    assert (
        format_findings(
            report(write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": record})).findings
        )
        == expected
    )


def test_the_finding_shows_the_entry_to_paste(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, {"adr/0001-a.md": WITH_SECRET})
    assert finding.hint
    sample = finding.hint.partition("'handbook.samples': ")[2].replace("TODO", "a test")
    write(tmp_path, {"mkdocs.yml": f"{SETTINGS}    samples:\n      - {sample}\n"})
    assert report(tmp_path).findings == ()


def test_the_sample_of_a_private_key_is_that_key_alone(tmp_path: Path) -> None:
    begin, end = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
    key = f"```text\n{begin}\nMIIB\n{end}\n```"
    settings = make_settings(f"{begin}\nMIIB\n")
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": ADR.replace("Why.", key)})
    assert report(tmp_path).findings == ()
    changed_key = key.replace("MIIB", "MIIC")
    write(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", f"{key}\n\n{changed_key}")})
    assert format_findings(report(tmp_path).findings) == ["adr/0001-a.md:17:1:SAFE005"]


def test_every_report_counts_the_exceptions(tmp_path: Path) -> None:
    settings = (
        make_settings(SECRET) + "    rules: {FM104: warning, DEC009: warning, FM016: error}\n"
    )
    record = WITH_SECRET.replace("What.\n\n", "").replace(
        "## Decision", "<!-- handbook: allow FM104: next week -->\n## Decision"
    )
    result = report(write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": record}))
    counts = "1 adr: 0 errors, 0 warnings, 1 suppressed, 1 secret sample, 2 lowered severities\n"
    assert REPORTERS["text"](result) == REPORTERS["github"](result) == counts
    summary = {
        "errors": 0,
        "warnings": 0,
        "advisory": 0,
        "suppressed": 1,
        "samples": 1,
        "lowered": 2,
        "removed": 0,
        "new_exceptions": [],
    }
    assert json.loads(REPORTERS["json"](result))["summary"] == summary
    assert json.loads(REPORTERS["sarif"](result))["runs"][0]["properties"] == {"summary": summary}


@pytest.mark.parametrize(
    "path", ["adr/0001-a/load.csv", "adr/0001-a/load.svg", "docs/standards/samples/shop/app.py"]
)
def test_a_secret_is_found_in_an_attachment_and_in_a_sample(path: str, tmp_path: Path) -> None:
    svg = "<svg xmlns='http://www.w3.org/2000/svg'>"
    drawing = (svg, "</svg>") if path.endswith(".svg") else ("name", "end")
    files = {"adr/0001-a.md": ADR, path: f"{drawing[0]}\nkey: {SECRET}\n{drawing[1]}"}
    assert format_findings(check(tmp_path, files)) == [f"{path}:2:6:SAFE005"]


AUDIT = "docs/services/shop/2026-Q4.yml"
RULES = "runbooks/shop/shop.rules.yml"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("mkdocs.yml", "  - Home: index.md", f"  - {SECRET}: index.md"),
        ("mkdocs.yml", "  - Home: index.md", f"  - Home: index.md  # {SECRET}"),
        (
            "mkdocs.yml",
            "      platform-team: {}",
            f"      platform-team: {{}}\n      {SECRET}: {{}}",
        ),
        (
            "mkdocs.yml",
            "site_name: A small handbook",
            f'site_name: "{SECRET[:9]}\\x{ord(SECRET[9]):x}{SECRET[10:]}"',
        ),
        (AUDIT, "date:", f"# {SECRET}\ndate:"),
        (AUDIT, "a look at the settings", f'"{SECRET[:9]}\\x{ord(SECRET[9]):x}{SECRET[10:]}"'),
        (RULES, "groups:", f"# {SECRET}\ngroups:"),
        (RULES, "    rules:", f"    labels: {{key: {SECRET}}}\n    rules:"),
        (RULES, "    rules:", f"    labels: {{{SECRET}: key}}\n    rules:"),
        (RULES, "    rules:", f"    rules:\n      - {{record: a, expr: 'b{{key=\"{SECRET}\"}}'}}"),
    ],
)
def test_a_secret_is_found_in_every_part_of_yaml(
    path: str, old: str, new: str, tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new, 1)
    write(root, {path: text})
    (finding,) = [finding for finding in report(root).findings if finding.code == "SAFE005"]
    start = text.index(SECRET) if SECRET in text else text.index(f'"{SECRET[:9]}')
    assert finding.at == Location(
        path, text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    )


@pytest.mark.parametrize("path", ["adr/README.md", "runbooks/shop/README.md"])
def test_a_secret_is_found_in_a_readme_of_a_record_folder(path: str, tmp_path: Path) -> None:
    settings = SETTINGS + '    private: ["*@corp.example"]\n'
    write(
        tmp_path,
        {"mkdocs.yml": settings, "adr/0001-a.md": ADR, path: f"# Read me\n\nUse {SECRET}.\n"},
    )
    assert format_findings(report(tmp_path).findings) == [f"{path}:3:5:SAFE005"]


@pytest.mark.parametrize(
    "path", [f"adr/0001-a/{SECRET}.csv", f"docs/{SECRET}.md", f"docs/{SECRET}/a.css"]
)
def test_a_secret_is_found_in_the_path_of_a_published_file(path: str, tmp_path: Path) -> None:
    files = {"adr/0001-a.md": ADR, path: "# A\n"}
    assert format_findings(check(tmp_path, files)) == [f"{path}:1:1:SAFE005"]


def test_a_parent_of_the_settings_is_searched(tmp_path: Path) -> None:
    parent = tmp_path / "base.yml"
    parent.write_text(f"copyright: {SECRET}\n", encoding="utf-8")
    write(
        tmp_path / "root", {"mkdocs.yml": f"INHERIT: ../base.yml\n{SETTINGS}", "adr/0001-a.md": ADR}
    )
    assert format_findings(report(tmp_path / "root").findings) == ["../base.yml:1:12:SAFE005"]
    write(
        tmp_path / "root",
        {
            "base.yml": f"# {SECRET}\ncopyright: me\n",
            "mkdocs.yml": f"INHERIT: base.yml\n{SETTINGS}",
        },
    )
    assert format_findings(report(tmp_path / "root").findings) == ["base.yml:1:3:SAFE005"]


def test_private_names_are_allowed_in_the_settings(tmp_path: Path) -> None:
    settings = (
        SETTINGS + '    private: ["*@corp.example", ann@corp.example]  # ask ann@corp.example\n'
    )
    write(
        tmp_path,
        {"mkdocs.yml": settings, "adr/0001-a.md": ADR, "adr/README.md": "Ask ann@corp.example.\n"},
    )
    assert report(tmp_path).findings == ()


LATIN = "name,größe\nkey,"


@pytest.mark.parametrize(
    ("data", "line_and_column"),
    [
        (f"{LATIN}{SECRET}".encode("latin-1"), "2:5"),
        (f"größe,{SECRET}".encode("latin-1"), "1:7"),
        (f"größe\x1b[0m\r\n größe {SECRET}".encode(), "2:8"),
        (f"größe\x1b[0m {LATIN * 9}{SECRET}".encode("latin-1"), "10:5"),
        (f"{LATIN}{SECRET}".encode("utf-16"), "2:5"),
        (f"имя,größe\r\nключ,{SECRET}".encode("utf-16"), "2:6"),
        (b"\xfe\xff" + f"{LATIN}{SECRET}".encode("utf-16-be"), "2:5"),
        (f"{LATIN}{SECRET}".encode("utf-16-le"), "2:5"),
        (f"{LATIN}{SECRET}".encode("utf-16-be"), "2:5"),
        (f"a\0b\n{SECRET}".encode(), "2:1"),
        (f"{LATIN}postgres://app:größe@db".encode("latin-1"), "2:5"),
    ],
)
@pytest.mark.parametrize("path", ["adr/0001-a/load.csv", "docs/standards/samples/shop/load.csv"])
def test_a_secret_is_found_in_a_file_of_another_encoding(
    data: bytes, line_and_column: str, path: str, tmp_path: Path
) -> None:
    assert format_findings(check(tmp_path, {"adr/0001-a.md": ADR, path: data})) == [
        f"{path}:{line_and_column}:SAFE005"
    ]


def test_a_picture_is_searched_and_its_bytes_are_no_secret(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(999_000) + b"://"  # noqa: S311 - bytes, not secrets
    files: dict[str, str | bytes] = {f"adr/0001-a/{n}.png": make_png(noise) for n in range(3)}
    assert check(tmp_path, {"adr/0001-a.md": ADR, **files}) == ()
    commented = make_png(noise[:9_000] + b"\0Comment\0postgres://app:s3cr3t9@db\0" + noise[:9_000])
    findings = check(
        tmp_path,
        {"adr/0001-a/0.png": commented, "adr/0001-a/1.png": noise.replace(b"://", SECRET.encode())},
    )
    assert sorted(finding.message for finding in findings if finding.code == "SAFE005") == [
        "possible secret: AWS access key",
        "possible secret: password in a URL",
    ]


HEADER = "-----BEGIN RSA " + "PRIVATE KEY-----"


def test_a_sample_of_a_header_lets_no_key_through(tmp_path: Path) -> None:
    """The hash of a key without an end covers all its lines, so a sample declares one key only."""
    write(
        tmp_path,
        {
            "mkdocs.yml": make_settings(HEADER),
            "adr/0001-a.md": ADR.replace("Why.", f"```text\n{HEADER}\n```"),
        },
    )
    assert report(tmp_path).findings == ()
    line = RANDOM[:64]
    for key in (
        line,
        f"{line}\n{line}\nAb==",
        f"Proc-Type: 4,ENCRYPTED\n\n{line}",
        f"...\n{line}",
        f"\n{line}",
        f"  {line}",
        f"(my key)\n{line}",
        f"{HEADER}\n{line}",
        f"...\n-----END RSA PRIVATE\n\n{HEADER}\n{line}",
    ):
        text = f"```text\n{HEADER}\n{key}\n```\n\n```text\n{HEADER}\n```"
        write(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", text)})
        assert "SAFE005" in {finding.code for finding in report(tmp_path).findings}, key


@pytest.mark.parametrize("end", ["", "\n-----END RSA " + "PRIVATE KEY-----"])
def test_the_sample_of_a_private_key_covers_all_of_its_lines(end: str, tmp_path: Path) -> None:
    lines = "\n".join(RANDOM[n : n + 64] for n in range(9))
    key = f"{HEADER}\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0123\n\n{lines}\nAb=="
    text = ADR.replace("Why.", f"```text\n{key}{end}\n```\n\nWhy.")
    write(tmp_path, {"mkdocs.yml": make_settings(key + end[:1]), "adr/0001-a.md": text})
    assert report(tmp_path).findings == ()
    for old, new in (("Ab==", "Ac=="), (RANDOM[8:72], RANDOM[8:71] + "x"), ("4,ENC", "5,ENC")):
        write(tmp_path, {"adr/0001-a.md": text.replace(old, new)})
        assert "SAFE005" in {finding.code for finding in report(tmp_path).findings}, new


@pytest.mark.parametrize(
    "text",
    [
        f"The file begins with `{HEADER}`, as all do.",
        f"The file begins with {HEADER} and ends with {HEADER.replace('BEGIN', 'END')}.",
        f"`{HEADER}` is the first line.\n\n- Another.",
        "`PuTTY-User-" + "Key-File-2: ssh-rsa` is the first line.",
        "BEGIN RSA PRIVATE KEY",
    ],
)
def test_a_mention_of_the_header_of_a_key_is_no_secret(text: str, tmp_path: Path) -> None:
    assert check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", text)}) == ()


@pytest.mark.parametrize(
    "text",
    [
        HEADER,
        f"> {HEADER}",
        f"- {HEADER}",
        f'"{HEADER}',
        f"The key:\n{HEADER}\nis this.",
        f"The key is `{HEADER}\\n{RANDOM[:64]}\\n`",
        f"The key is {HEADER} {RANDOM[:64]} and no other.",
        f'`{{"private_key": "{HEADER}\\n{RANDOM[:64]}\\n{HEADER.replace("BEGIN", "END")}\\n"}}`',
    ],
)
def test_a_header_at_the_start_of_a_line_or_before_base64_is_a_secret(
    text: str, tmp_path: Path
) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": ADR, "adr/0001-a/key.txt": text})
    assert [finding.message for finding in findings] == ["possible secret: private key"]
    assert findings[0].at.column == text.split("\n")[findings[0].at.line - 1].index("-----") + 1


HOSTILE = (
    "://a:",
    "//a:",
    "//a:@",
    "//a:a@.",
    "://" + "a" * 31 + ":",
    "\\/\\/a:",
    "//a:b@" + "-" * 99,
    HEADER,
    f"{HEADER}\n",
    f"{HEADER}\n\n",
    f"a: {HEADER}\n",
    f"{HEADER} {'A' * 31}-",
    "password=",
    "?password=",
    "&password=$",
    "?pwd={",
    "sk-",
    "//",
    "aws",
    "awskey",
    "aws'key",
    "npm_",
    "glagent-",
    "xoxa-1-",
    "secret_access_key=",
    "BEGIN A ",
    "$a_",
    "PuTTY-User-Key-File-3:",
    "${a",
    "<",
    "{{",
    "AKIA" + "X" * 16,
    "ghp_" + "x" * 36,
    "pypi-AgEIcHlwaS5vcmc",
    "\\_",
    "%s",
    "-",
    " ",
    "\n",
)


@pytest.mark.fuzz
@pytest.mark.parametrize("repeated", HOSTILE)
@pytest.mark.parametrize(
    "around",
    ["{}", "//a:{}", "//a:{}@", "?password={}", HEADER + "{}", "_authToken=npm_{}!", "aws{}AKIA"],
)
def test_the_search_of_a_hostile_text_ends(repeated: str, around: str) -> None:
    """A search in quadratic time takes minutes for 200 kB, and fails the suite."""
    text = around.format(repeated * (200_000 // len(repeated)))
    extents = [(start, end) for start, end, _ in find_matches(text)]
    assert all(0 <= start < end <= len(text) for start, end in extents)
    assert not extents or may_hold_credential(text)


@pytest.mark.parametrize(
    "text", ["sha256:" + "0123456789abcdef" * 4, "3f2c9d1", "password", "sk_test_example"]
)
def test_a_random_looking_text_is_no_secret(text: str, tmp_path: Path) -> None:
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
def test_private_names_are_found(text: str, expected: list[str], tmp_path: Path) -> None:
    settings = SETTINGS + '    private: ["*@corp.example", "*.internal"]\n'
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": ADR.replace("Why.", text)})
    assert format_findings(report(tmp_path).findings) == [
        f"adr/0001-a.md:{position}" for position in expected
    ]


OLD = ADR.replace("accepted", "superseded").replace(
    "deciders", "superseded_by: [ADR-0002]\ndeciders"
)
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
def test_a_citation_of_a_superseded_decision_names_its_successor(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    citing = ADR.replace("accepted", "proposed").replace("Why.", text)
    files: dict[str, str | bytes] = {
        "adr/0001-a.md": OLD,
        "adr/0002-b.md": NEW,
        "adr/0003-c.md": citing,
    }
    assert format_findings(check(tmp_path, files)) == [
        f"adr/0003-c.md:{position}" for position in expected
    ]
    if expected:  # The text of a decided decision is as of its day, and cannot change.
        files["adr/0003-c.md"] = citing.replace("proposed", "accepted")
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
def test_business_days_know_the_holidays_of_the_country(
    began: date, country: str | None, expected: date
) -> None:
    assert publication_deadline(began, 5, country) == expected


@pytest.mark.parametrize(
    ("country", "hint"),
    [("DE-BX", "did you mean 'BY'?"), ("Germany", None), ("XX", None), ("", "")],
)
def test_a_country_is_one_whose_holidays_are_known(
    country: str, hint: str | None, tmp_path: Path
) -> None:
    settings = SETTINGS + f"  policy:\n    postmortem: {{country: {country}}}\n"
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": ADR})
    findings = report(tmp_path).findings
    assert [finding.code for finding in findings] == (["FM005"] if country else [])


NAV = "nav:\n  - Home: index.md\n  - Here:\n      - more/a.md\nnot_in_nav: /drafts/\n"


@pytest.mark.parametrize(
    ("nav", "path", "expected"),
    [
        (NAV, "docs/more/b.md", ["docs/more/b.md:1:1:LNK010"]),
        (NAV, "docs/more/a.md", []),
        (NAV, "docs/drafts/c.md", []),
        ("", "docs/more/b.md", []),
    ],
)
def test_the_nav_lists_every_page(nav: str, path: str, expected: list[str], tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "mkdocs.yml": SETTINGS + nav,
            "adr/0001-a.md": ADR,
            "docs/index.md": "# Home\n",
            "docs/more/a.md": "# A\n",
            path: "# A\n",
        },
    )
    assert format_findings(report(tmp_path).findings) == expected


@pytest.mark.parametrize(
    ("target", "code", "hint"),
    [
        ("https://a.example/b/more/", "LNK009", "write the relative path 'more.md'"),
        ("https://a.example/b/more", "LNK009", "write the relative path 'more.md'"),
        ("https://a.example/b/more/#x", "LNK009", "write the relative path 'more.md#x'"),
        ("https://a.example/b/moer/", "LNK009", "did you mean 'more/'?"),
        ("https://a.example/b", "LNK009", "write the relative path 'index.md'"),
        ("https://a.example/b/api/v1/adrs.json", None, None),
        ("https://a.example/bc/", None, None),
        ("https://other.example/b/more/", None, None),
    ],
)
def test_a_link_to_this_site_is_a_path(
    target: str, code: str | None, hint: str | None, tmp_path: Path
) -> None:
    settings = SETTINGS.replace("https://handbook.example/", "https://a.example/b/")
    files = {"mkdocs.yml": settings, "adr/0001-a.md": ADR, "docs/more.md": "# More\n\n## X\n"}
    write(tmp_path, {**files, "docs/index.md": f"# Home\n\n[x]({target})\n"})
    findings = report(tmp_path).findings
    assert [(finding.code, finding.hint) for finding in findings] == (
        [(code, hint)] if code else []
    )


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
    findings = format_findings(
        check(tmp_path, {"adr/0001-a.md": ADR, "docs/index.md": f"# Home\n\n{text}\n"})
    )
    assert findings == [f"docs/index.md:{position}" for position in expected]


def test_a_placeholder_in_an_audit_is_found(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "x")
    audit = root / "docs/services/shop/2026-Q4.yml"
    audit.write_text(
        audit.read_text(encoding="utf-8").replace("a look at the settings", "TBD"), encoding="utf-8"
    )
    assert format_findings(report(root).findings) == ["docs/services/shop/2026-Q4.yml:9:37:FM106"]


def make_entry(text: str, reason: str, path: str = "adr/0001-a.md") -> str:
    """Return an entry of `handbook.samples`."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"      - {{path: {path}, sha256: {digest}, reason: {reason}}}\n"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([make_entry(SECRET, "one"), make_entry(SECRET, "two")], ["11:9:SAFE007"]),
        (
            [
                make_entry(OTHER_SECRET, "one"),
                make_entry(SECRET, "two"),
                make_entry(OTHER_SECRET, "two"),
            ],
            ["10:9:SAFE007", "12:9:SAFE007"],
        ),
        ([make_entry(SECRET, "one"), make_entry(SECRET, "one")], ["11:9:FM010"]),
        (
            [make_entry(SECRET, "one"), make_entry(SECRET, "one"), make_entry(SECRET, "two")],
            ["11:9:FM010", "12:9:SAFE007"],
        ),
        (
            [
                make_entry(SECRET, "one"),
                make_entry(OTHER_SECRET, "two").replace("sha256:", "sha265:"),
            ],
            ["11:9:SAFE007", "11:31:FM003"],
        ),
        ([make_entry(SECRET, "TODO")], ["10:113:FM106"]),
        ([make_entry(SECRET, "TBD (ask)")], ["10:113:FM106"]),
        ([make_entry(SECRET, "'to be written'")], ["10:113:FM106"]),
    ],
)
def test_an_entry_is_reported_at_its_own_place(
    entries: list[str], expected: list[str], tmp_path: Path
) -> None:
    settings = f"{SETTINGS}    samples:\n{''.join(entries)}"
    findings = report(
        write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": WITH_SECRET})
    ).findings
    assert format_findings(findings) == [f"mkdocs.yml:{position}" for position in expected]


def test_the_check_of_a_site_counts_the_exceptions_of_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = (
        make_settings(SECRET) + "    rules: {FM104: warning, DEC009: warning, FM016: error}\n"
    )
    write(
        tmp_path,
        {"mkdocs.yml": settings, "adr/0001-a.md": WITH_SECRET, "site/index.html": "<p>x</p>"},
    )
    arguments = ["links", str(tmp_path / "site"), "--root", str(tmp_path)]
    assert main(arguments) == 0
    counts = "1 secret sample, 2 lowered severities\n"
    assert capsys.readouterr().out.endswith(f"0 errors, 0 warnings, {counts}")
    write(tmp_path, {"site/index.html": '<a href="gone/">x</a>'})
    assert main(arguments) == 1
    assert capsys.readouterr().out.endswith(f"1 error, 0 warnings, {counts}")


FOREIGN_SETTINGS = {
    "repository": "repo_url: https://git.example/x\n",
    "analytics": "  analytics: {provider: google}\n",
    "fonts": "theme: {name: material, font: {text: Roboto}}\n",
    "script": "extra_javascript: [a.js, 'https://evil.example/x.js']\n",
    "script without a scheme": "extra_javascript: [{path: //evil.example/x.js}]\n",
    "style": "extra_css: [https://evil.example/x.css]\n",
    "logo": "theme: {name: material, logo: https://evil.example/x.png}\n",
}
WITHOUT_THEME = SETTINGS.replace("theme: material\n", "")


def add_setting(text: str) -> str:
    """Return settings with one more setting, which can be the theme."""
    return (WITHOUT_THEME if text.startswith("theme:") else SETTINGS) + text


@pytest.mark.parametrize("name", FOREIGN_SETTINGS)
def test_a_setting_that_requests_another_host_is_an_error(name: str, tmp_path: Path) -> None:
    settings = add_setting(FOREIGN_SETTINGS[name])
    files = {"mkdocs.yml": settings, "adr/0001-a.md": ADR, "docs/a.js": ""}
    findings = check(tmp_path, files)
    assert [finding.code for finding in findings] == ["SAFE010"]
    assert findings[0].at.line == settings.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "theme: {name: material, font: false}\n",
        "extra_javascript: [a.js, {path: b.mjs, type: module}]\n",
        "theme: {name: material, logo: logo.svg, favicon: assets/favicon.svg}\n",
        "repo_url: ''\n",
    ],
    ids=["no fonts", "own scripts", "own images", "no repository"],
)
def test_settings_with_files_of_the_site_are_accepted(text: str, tmp_path: Path) -> None:
    files = {"docs/a.js": "", "docs/b.mjs": ""}
    files |= {"docs/logo.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>'}
    files |= {"mkdocs.yml": add_setting(text), "adr/0001-a.md": ADR}
    assert not check(tmp_path, files)


YAML_VALUES = {
    "plain": "x: at https://grafana.internal/d\n",
    "quoted": 'x: "a \\t https://grafana.internal/d"\n',
    "literal block": "x: |\n  a\n  b https://grafana.internal/d\n",
    "literal block without its last line break": "x: |-\n  at https://grafana.internal/d\n",
    "folded block": "x: >\n  a\n  b\n\n  c https://grafana.internal/d\n",
}


@pytest.mark.parametrize("name", YAML_VALUES)
def test_a_private_name_in_yaml_is_reported_at_its_place(name: str, tmp_path: Path) -> None:
    settings = SETTINGS.replace("  handbook:\n", "  handbook:\n    private: ['*.internal']\n")
    text = YAML_VALUES[name]
    files = {"docs/services/shop/2026-Q4.yml": text, "adr/0001-a.md": ADR}
    findings = check(tmp_path, {"mkdocs.yml": settings, **files})
    lines = enumerate(text.split("\n"), 1)
    place = next((number, line.index("grafana") + 1) for number, line in lines if "grafana" in line)
    locations = [(item.at.line, item.at.column) for item in findings if item.code == "SAFE006"]
    assert locations == [place]
