"""Each kind of credential is found, and no text that only looks like a credential is."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handbook.loading import load
from handbook.reading.credential_forms import FORMS, find_matches, may_hold_credential
from handbook.reading.token_forms import TOKEN_FORMS
from handbook.rules.engine import run
from tests.handbooks import ADR, ROOT, SETTINGS, TODAY, check, format_findings, write
from tests.reading.credential_samples import (
    CREDENTIALS,
    LOOK_ALIKES,
    make_look_alike,
    make_text,
)

SEEDS = range(25)


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credential_of_each_kind_is_found_once(name: str) -> None:
    for seed in SEEDS:
        credential = make_text(name, seed)
        inline = () if "\n" in credential else (('"', '"'), ("(", ")."), ("`", "`"))
        for before, after in (("", ""), ("key: ", "\n"), *inline):
            text = f"{before}{credential}{after}"
            assert may_hold_credential(text)
            ((start, end, _),) = find_matches(text)
            assert len(before) <= start < end <= len(text)


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_look_alike_is_not_found(name: str) -> None:
    for seed in SEEDS:
        look_alike = make_look_alike(name, seed)
        for text in (look_alike, f"key: {look_alike}\n", f'"{look_alike}"', f"`{look_alike}`."):
            assert list(find_matches(text)) == []


def test_there_are_enough_kinds() -> None:
    assert len(CREDENTIALS) >= 90
    assert len(LOOK_ALIKES) >= 60


def test_every_form_finds_a_kind() -> None:
    texts = [make_text(name) for name in CREDENTIALS]
    used = {form.name for text in texts for _, _, form in find_matches(text)}
    assert {form.name for form in FORMS} <= used


@pytest.mark.parametrize("name", ["GitHub token", "AWS access key", "Vault token", "Groq key"])
def test_a_credential_is_a_finding_of_the_check_but_a_look_alike_is_not(
    name: str, tmp_path: Path
) -> None:
    record = ADR.replace("Why.", f"{make_text(name)}\n\n{make_look_alike('Git commit')}")
    assert format_findings(check(tmp_path, {"adr/0001-a.md": record})) == [
        "adr/0001-a.md:10:1:SAFE005"
    ]


@pytest.mark.parametrize("name", ["GitHub token", "AWS access key", "Slack bot token"])
def test_a_token_after_an_escaped_line_end_is_found(name: str) -> None:
    for mark in (r"\n", r"\t", r"\r\n"):
        ((start, _, _),) = find_matches(f'"a{mark}{make_text(name)}"')
        assert start == 2 + len(mark)


@pytest.mark.parametrize(
    "name", ["GitHub token", "AWS access key", "npm token", "Hugging Face token", "NuGet key"]
)
def test_a_token_inside_a_longer_word_is_no_token(name: str) -> None:
    assert list(find_matches(f"Q{make_text(name)}")) == []


def test_no_sample_is_in_this_repository_as_a_whole() -> None:
    file = ROOT / "tests/reading/credential_samples.py"
    assert list(find_matches(file.read_text(encoding="utf-8"))) == []


@given(st.text(alphabet=string.ascii_letters + string.digits + " -_./:=+\n", max_size=300))
@settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_text_has_no_token(text: str) -> None:
    assert [form.name for _, _, form in find_matches(text) if form.name in _TOKEN_NAMES] == []


_TOKEN_NAMES = {form.name for form in TOKEN_FORMS}


@pytest.mark.parametrize("form", TOKEN_FORMS, ids=lambda form: form.name)
def test_the_repetitions_of_a_pattern_have_a_limit(form: object) -> None:
    """A repetition without a limit can make the time of a search quadratic."""
    pattern = form.pattern.pattern  # type: ignore[attr-defined]
    unlimited = re.sub(r"\[[^\]]*\]|\\.", "x", pattern)
    assert not re.search(r"[*+](?!\?)|\{\d+,\}", unlimited)


def test_a_secret_in_the_settings_has_its_place(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "mkdocs.yml": f"{SETTINGS}copyright: {make_text('Sentry token')}\n",
            "adr/0001-a.md": ADR,
        },
    )
    assert format_findings(run(load(tmp_path), TODAY).findings) == ["mkdocs.yml:9:12:SAFE005"]
