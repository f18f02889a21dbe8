"""Which characters of shell code a terminal does not accept, and what replaces them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handbook.reading.code_languages import CodeFamily
from handbook.reading.destructive import find_destructive_command
from handbook.reading.unpasteable import find_paste_faults

FAULTS = {
    "kubectl get pods \u2013n prod": ("\u2013", "-"),
    "kubectl get pods \u2212n prod": ("\u2212", "-"),
    "kubectl get pods \u2010\u2010namespace prod": ("\u2010\u2010", "--"),
    "kubectl get pods \u2011\u2011namespace=prod": ("\u2011\u2011", "--"),
    "kubectl get pods \u2014namespace prod": ("\u2014", "--"),
    "kubectl get pods \u2013\u2013namespace prod": ("\u2013\u2013", "--"),
    "kubectl get pods -\u2013namespace prod": ("-\u2013", "--"),
    "kubectl get pods \u2013namespace prod": ("\u2013", None),
    "kubectl get pods \u2014n prod": ("\u2014", None),
    "kubectl exec shop-0 \u2014 ls": ("\u2014", "--"),
    "kubectl apply -f \u2013": ("\u2013", None),
    "head \u201310 log": ("\u2013", "-"),
    "systemctl status order\u2013service": ("order\u2013service", None),
    "ls | wc \u2013l": ("\u2013", "-"),
    "echo $(ls \u2013l)": ("\u2013", "-"),
    "echo \u2013n x": ("\u2013", "-"),
    "echo \u201cx\u201d": ("\u201cx\u201d", '"x"'),
    "echo \u201e$HOME\u201c": ("\u201e$HOME\u201c", '"$HOME"'),
    "grep \u2018a b\u2019 log": ("\u2018a b\u2019", "'a b'"),
    "grep \u201ca \u2013 b\u201d log": ("\u201ca \u2013 b\u201d", '"a \u2013 b"'),
    "grep \u00b4a\u00b4 log": ("\u00b4a\u00b4", "'a'"),
    'echo "x\u201d': ("\u201d", '"'),
    'echo \u201cx"': ("\u201c", None),
    "echo \u201cx": ("\u201c", None),
    'echo \u201ca "b" c\u201d': ('\u201ca "b" c\u201d', None),
    "kubectl\u00a0get pods": ("\u00a0", " "),
    "\u00a0\u00a0kubectl get pods": ("\u00a0\u00a0", "  "),
    "ls\u2009-l": ("\u2009", " "),
    "ls\u3000-l": ("\u3000", " "),
    "ls\u202f-l": ("\u202f", " "),
    "ls \u200b-l": ("\u200b", ""),
    'curl "https://example.com/\u200ba"': ("\u200b", ""),
    "\ufeffls": ("\ufeff", ""),
    "ls\u2060": ("\u2060", ""),
    "kube\u00adctl get pods": ("\u00ad", ""),
    "ls \u200d-l": ("\u200d", ""),
    "kubectl get pods ...": ("...", None),
    "kubectl get pods \u2026": ("\u2026", None),
    "kubectl logs order-\u2026 -n prod": ("order-\u2026", None),
    "kubectl logs order-7d9f... -n prod": ("order-7d9f...", None),
    "kubectl logs [...]": ("[...]", None),
    "ls\n...\ndf": ("...", None),
    "kubectl get pods \\ \n  -n prod": ("\\ ", "\\"),
    "kubectl get pods \\\t \n  -n prod": ("\\\t ", "\\"),
    "kubectl get pods \\": ("\\", None),
    "kubectl get pods \\\n": ("\\", None),
}

VALID = [
    "kubectl get pods -n prod --watch",
    "kubectl apply -f -",
    'echo "caf\u00e9 \u2013 open"',
    "echo caf\u00e9 \u2013 open",
    "echo Waiting ...",
    "echo Waiting\u2026",
    "printf 'a\u2026\\n'",
    "grep '\u201cquoted\u201d' log",
    'git commit -m "it\u2019s done \u2014 really"',
    "echo don\u2019t",
    "ls # \u201cquotes\u201d \u2013 and \u00a0spaces\u200b ...",
    "# caf\u00e9 \u2013 open",
    "grep '\u00a0' log",
    'echo "\U0001f468\u200d\U0001f469"',
    "touch r\u00e9sum\u00e9.txt",
    "cat <<EOF\n\u201cx\u201d \u2013 y \u2026\nEOF",
    "cat <<-EOF\n\tx\n\tEOF",
    "kubectl logs <pod> -n <namespace>",
    "go test ./...",
    "go vet ...",
    "git log main...HEAD",
    "git log main...",
    "for i in {1...3}; do ls; done",
    "kubectl get pods \\\n  -n prod",
    "ls My\\ file",
    "awk '{ print \\ \n }' log",
    "ls \\\\ \n",
    "ls \\\\ \nls",
    'echo "\u201cx\u201d\ny"',
    "ls \\\\",
    "> /var/log/shop.log",
    "# restart the service",
    "# find the pod that fails",
    "# kubectl runs here.",
    "sleep 5",
    "5",
    "cat <<EOF\n$ ls\nEOF",
    "psql -c '\n$ x\n'",
    "$CMD get pods",
    "$(which ls) -l",
    "%1",
    "ssh deploy@host ls",
]


@pytest.mark.parametrize("script", FAULTS)
def test_a_fault_has_a_place_and_a_replacement(script: str) -> None:
    text, replacement = FAULTS[script]
    paste_faults = find_paste_faults(script, CodeFamily.SHELL)
    (fault,) = paste_faults.faults
    assert script[fault.start : fault.end] == text
    assert (fault.repaired if fault.is_certain else None) == replacement
    assert paste_faults.prompt is None
    assert find_paste_faults(paste_faults.repaired, CodeFamily.SHELL).faults == ()


@pytest.mark.parametrize("script", VALID)
def test_valid_code_has_no_fault(script: str) -> None:
    paste_faults = find_paste_faults(script, CodeFamily.SHELL)
    assert (paste_faults.prompt, paste_faults.faults) == (None, ())
    assert paste_faults.repaired == script


def test_every_fault_of_a_script_is_found() -> None:
    script = "kubectl get pods \u2013n prod\u00a0| grep \u201ca\u201d\nls \u2014all \u2018b\u2019"
    faults = find_paste_faults(script, CodeFamily.SHELL).faults
    assert [fault.start for fault in faults] == [17, 24, 32, 39, 44]


def test_an_unclosed_quotation_does_not_hide_the_next_fault() -> None:
    script = 'echo "x\u201d\necho "y\u201d\nls \u2013l'
    faults = find_paste_faults(script, CodeFamily.SHELL).faults
    assert [fault.start for fault in faults] == [7, 16, 21]


@pytest.mark.parametrize(
    ("script", "prompt", "commands"),
    [
        ("$ ls", "$", "ls"),
        ("% ls", "%", "ls"),
        ("\u276f ls", "\u276f", "ls"),
        ("# systemctl restart shop", "#", "systemctl restart shop"),
        ("> kubectl get pods", ">", "kubectl get pods"),
        ("PS> Get-Process", "PS>", "Get-Process"),
        ("PS C:\\Users\\a> dir", "PS C:\\Users\\a>", "dir"),
        ("C:\\> dir", "C:\\>", "dir"),
        ("user@host:~$ ls", "user@host:~$", "ls"),
        ("user@host:/var/log$ ls", "user@host:/var/log$", "ls"),
        ("user@host ~ % ls", "user@host ~ %", "ls"),
        ("root@x:/# ls", "root@x:/#", "ls"),
        ("[root@db ~]# ls", "[root@db ~]#", "ls"),
        ("bash-5.1$ ls", "bash-5.1$", "ls"),
        ("sh-4.2# ls", "sh-4.2#", "ls"),
        ("(venv) $ ls", "(venv) $", "ls"),
        ("~ $ ls", "~ $", "ls"),
        ("1 kubectl get pods\n2 ls", "1", "kubectl get pods\nls"),
        ("1. kubectl get pods", "1.", "kubectl get pods"),
        ("  501  kubectl get pods", "501", "kubectl get pods"),
        ("$ ls\n\n# a comment\n$ df", "$", "ls\n\n# a comment\ndf"),
        ("$ kubectl get pods \\\n    -n prod", "$", "kubectl get pods \\\n    -n prod"),
    ],
)
def test_prompts_and_line_numbers(script: str, prompt: str, commands: str) -> None:
    fault = find_paste_faults(script, CodeFamily.SHELL).prompt
    assert fault
    assert (fault.text, fault.has_output, fault.is_shell) == (prompt, False, True)
    stripped, last = "", 0
    for start, end in fault.spans:
        stripped, last = stripped + script[last:start], end
    assert stripped + script[last:] == commands


@pytest.mark.parametrize(
    ("script", "repaired"),
    [
        ("$ ls\na.log", "  ls\n     "),
        ("$ ls\na 'b\n\n$ df", "  ls\n    \n\n  df"),
    ],
)
def test_output_below_a_prompt_is_no_code(script: str, repaired: str) -> None:
    paste_faults = find_paste_faults(script, CodeFamily.SHELL)
    assert paste_faults.prompt
    assert paste_faults.prompt.has_output
    assert paste_faults.repaired == repaired


@pytest.mark.parametrize(
    "script", ["mysql> SELECT 1;", "orders=# SELECT 1;", "127.0.0.1:6379> GET a", ">>> import os"]
)
def test_prompts_of_other_programs(script: str) -> None:
    paste_faults = find_paste_faults(script, CodeFamily.SHELL)
    assert paste_faults.prompt
    assert not paste_faults.prompt.is_shell
    assert paste_faults.repaired == ""


@pytest.mark.parametrize(
    ("family", "script", "starts"),
    [
        (CodeFamily.SESSION, "$ ls \u2013l\na \u2013l ...", [5]),
        (CodeFamily.SESSION, "a \u2013l \u201cb\u201d", []),
        (CodeFamily.SESSION, "# ls\nroot\n", []),
        (CodeFamily.POWERSHELL, "dir \u2013Recurse \u201ca\u201d", []),
        (CodeFamily.TEXT, "ls \u2013l", []),
        (CodeFamily.SQL, "SELECT \u2018x\u2019", []),
    ],
)
def test_other_languages(family: CodeFamily, script: str, starts: list[int]) -> None:
    paste_faults = find_paste_faults(script, family)
    assert [fault.start for fault in paste_faults.faults] == starts
    assert paste_faults.prompt is None


@pytest.mark.parametrize(
    "text", ["\u201c", "\u2013 ", "\u00a0a", "$ a\n", "\u2026 ", "a\\ \n", "1 ls\n"]
)
def test_hostile_scripts_take_linear_time(text: str) -> None:
    paste_faults = find_paste_faults(text * 3000, CodeFamily.SHELL)
    assert paste_faults.faults or paste_faults.prompt


PLAIN = "\n \t\\'\"`$(){}<>|&;#-=1"
UNUSUAL = "\u2026\u2013\u2014\u201c\u201d\u2018\u2019\u00a0\u200b\u200d"
WORDS = """$( ${ <<EOF <<-EOF <<< EOF -- ls sudo ssh rm -rf kubectl delete find -exec xargs psql -c
sh ... <pod> a@b:~$ mysql> echo DROP TABLE UPDATE SET"""
TOKENS = (*PLAIN, *UNUSUAL, *(f"{word} " for word in WORDS.split()), "\n$ ", "\n# ", "\nEOF\n")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join), st.sampled_from(CodeFamily))
def test_the_places_in_any_text_are_valid(text: str, family: CodeFamily) -> None:
    paste_faults = find_paste_faults(text, family)
    last = 0
    for fault in paste_faults.faults:
        assert last <= fault.start < fault.end <= len(text)
        last = fault.end
    if paste_faults.prompt:
        assert all(0 <= start < end <= len(text) for start, end in paste_faults.prompt.spans)
    if family is CodeFamily.SHELL and paste_faults.repaired:
        assert paste_faults.repaired.count("\n") == text.count("\n")
    command = find_destructive_command(text, family)
    if command:
        assert 0 <= command.offset < len(text)
        assert command.text
