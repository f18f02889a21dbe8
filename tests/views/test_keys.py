"""The files of the search: keys with their targets, and the words of the site."""

from __future__ import annotations

import json
from pathlib import Path

from handbook.loading import load
from handbook.reading.letters import space_cjk
from handbook.views.keys import find_words, group_words, keys
from handbook.views.opensearch import opensearch
from tests.handbooks import ADR, SETTINGS, SMALL, check, write

SYNONYMS = f"{SETTINGS}    search:\n      synonyms: "


def read_rows(root: Path, prefix: str) -> list[list[str]]:
    """Return the rows of a key file: title, address, kind, status, keys."""
    rows: list[list[str]] = json.loads(keys(load(root))[f"assets/keys/{prefix}.json"])
    return rows


def test_an_alias_leads_to_its_record_and_to_its_page(tmp_path: Path) -> None:
    adr = ADR.replace("---\n", "---\naliases: [Ledger storage, 账本]\n", 1)
    page = "---\naliases: [Newcomers]\n---\n# Start\n\nText.\n"
    root = write(
        tmp_path, {"mkdocs.yml": SETTINGS, "adr/0007-a-decision.md": adr, "docs/start.md": page}
    )
    target = ["ADR-0007: A decision", "adr/0007-a-decision/", "Decision", "accepted"]
    assert [*target, "Ledger storage"] in read_rows(root, "led")
    assert [*target, "账本"] in read_rows(root, "u8d26")
    assert ["Start", "start/", "Page", "", "Newcomers"] in read_rows(root, "new")


def test_a_key_file_of_a_number_has_the_ids_with_this_number(tmp_path: Path) -> None:
    root = write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0007-a-decision.md": ADR})
    assert read_rows(root, "7")[0][-1] == "ADR-0007"
    assert "assets/keys/000.json" not in keys(load(root))


def test_a_stop_word_has_no_key_file(tmp_path: Path) -> None:
    """The search asks for no stop words, but for names that begin with one."""
    aliases = "---\naliases: [That of the orders, OutOfMemory, no-traffic]\n"
    adr = ADR.replace("---\n", aliases, 1)
    root = write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0007-a-decision.md": adr})
    files = keys(load(root))
    assert not {"assets/keys/tha.json", "assets/keys/of.json"} & files.keys()
    found = [read_rows(root, prefix)[0][-1] for prefix in ("ord", "out", "mem", "no_", "tra")]
    assert found == ["That of the orders", *["OutOfMemory"] * 2, *["no-traffic"] * 2]


def test_a_hit_has_the_severity_of_a_runbook() -> None:
    [row] = [row for row in read_rows(SMALL, "dow") if row[2] == "Runbook"]
    assert row[3] == "sev-1"


def test_words_are_grouped_by_the_number_of_texts() -> None:
    texts = [
        "Roll-back of pods, pods",
        "pods and a Canary",
        "pods canary",
        "pods 2026 x1 OverlyLongNamesAreNoWords",
    ]
    assert group_words(map(find_words, texts)) == ["and back roll rollback", "canary", "pods"]


def test_the_words_of_a_site_have_its_synonyms(tmp_path: Path) -> None:
    root = write(tmp_path, {"mkdocs.yml": f"{SYNONYMS}[[pull request, PR]]\n"})
    words = json.loads(keys(load(root))["assets/keys/words.json"])
    assert words["synonyms"] == [["pull request", "PR"]]


def test_synonyms_are_validated(tmp_path: Path) -> None:
    faults = {
        "[[pull request]]": "fewer than two terms in a group of 'synonyms'",
        "[pull request, PR]": "'synonyms'",
        "[[a, b], [a, b]]": "duplicate entry in 'synonyms'",
    }
    for number, (value, message) in enumerate(faults.items()):
        files = {"mkdocs.yml": f"{SYNONYMS}{value}\n"}
        findings = check(tmp_path / str(number), files)
        assert any(message in finding.message for finding in findings), (value, findings)
    assert check(tmp_path / "valid", {"mkdocs.yml": f"{SYNONYMS}[[a, b]]\n"}) == ()


def test_chinese_and_japanese_characters_are_apart_in_text_only() -> None:
    html = '<h2 id="连接池">用Redis的连接池</h2> <p>ロール、再</p>'
    assert space_cjk(html) == '<h2 id="连接池">用 Redis 的 连 接 池</h2> <p>ロ ー ル 、 再</p>'
    assert space_cjk("<p>Łódź 42</p>") == "<p>Łódź 42</p>"


def test_a_browser_can_add_the_search(tmp_path: Path) -> None:
    settings = SETTINGS.replace("A handbook", "Tools & more of all")
    text = opensearch(load(write(tmp_path, {"mkdocs.yml": settings})))
    assert 'template="https://handbook.example/search/?q={searchTerms}"' in text
    assert "<ShortName>Tools &amp; more of</ShortName>" in text
