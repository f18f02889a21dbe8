"""The words of a query: folding, ids, misspellings, ranks and synonyms. Node runs the scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handbook.reading.letters import fold
from handbook.views import keys
from tests.searching import call_functions

WORDS = ["canary kubernetes łódź straße", "rollback incident rate", "pipeline"]
"""Words of a site: of one page, of two pages, and of four."""

SIZES = [["0", 5], ["ca", 60], ["lab", 50], ["latency", 50], ["pool", 10]]
"""Parts of an index."""
TERMS = [
    {"words": ["label"], "weight": 2},
    {"words": ["canary", "cart"], "weight": 3},
    {"words": ["pool"], "weight": 1},
]

CALLS: dict[str, tuple[list[Any], Any]] = {
    "accents are folded": (["fold", "Überprüfung Café Łódź"], "uberprufung cafe lodz"),
    "letters without accents are folded": (
        ["fold", "Straße Øre Ærø Þór œuvre"],
        "strasse ore aero thor oeuvre",
    ),
    "wide letters are folded": (["fold", "ＡＤＲ－２３"], "adr-23"),
    "Japanese marks are kept": (["fold", "ガバナンス"], "ガバナンス"),
    "stop words are left out": (
        ["splitWords", "who is on call for the orders"],
        ["call", "orders"],
    ),
    "stop words alone are kept": (["splitWords", "there are"], ["there", "are"]),
    "punctuation separates words": (
        ["splitWords", 'exc.TimeoutError: "x" [{max-age}] /var/log'],
        ["exc", "timeouterror", "x", "max-age", "var", "log"],
    ),
    "a run of Chinese is a word": (["splitWords", "redis连接池"], ["redis", "连接池"]),
    "a Chinese word is a phrase": (["makeTerm", "连接池"], '"连 接 池"'),
    "an unknown word is a phrase": (["makeTerm", "zzqqxx", False], '"zzqqxx"'),
    "a word is a term": (["makeTerm", "canary"], "canary"),
    "marked characters become one mark": (
        ["joinCjk", "的 <mark>连</mark> <mark>接</mark> 数 。 又"],
        "的<mark>连接</mark>数。又",
    ),
    "spaces between Japanese are removed": (
        ["joinCjk", "再 起 動 a b ロ ー ル"],
        "再起動 a b ロール",
    ),
    "an id has no zeros": (["normaliseId", "ADR-0023"], "adr23"),
    "an id can have a space": (["normaliseId", "adr 23"], "adr23"),
    "an id can have no separator": (["normaliseId", "std5"], "std5"),
    "a requirement has two numbers": (["normaliseId", "STD-05.3"], "std5.3"),
    "a prefix can have a digit": (["normaliseId", "k8s-07"], "k8s7"),
    "a word is no id": (["normaliseId", "kubernetes"], None),
    "a date is no id": (["normaliseId", "2026-05-15"], None),
    "ids are found in a query": (
        ["findIds", "SEC-3 of order-service and adr23"],
        ["sec3", "adr23"],
    ),
    "a missing letter is one edit": (["countEdits", "rolback", "rollback", 2], 1),
    "two letters change places": (["countEdits", "incidnet", "incident", 2], 1),
    "more edits than the limit": (["countEdits", "canary", "coverage", 2], 3),
    "a misspelt word has a nearest word": (
        ["Vocabulary.nearest", WORDS, "kuberntes"],
        ["kubernetes"],
    ),
    "a long word can have two edits": (["Vocabulary.nearest", WORDS, "piepeine"], ["pipeline"]),
    "a short word has no edits": (["Vocabulary.nearest", WORDS, "rats"], []),
    "a short word with an ending has no edits": (["Vocabulary.nearest", ["filled"], "killed"], []),
    "another word is no misspelt word": (["Vocabulary.nearest", ["caching"], "crashing"], []),
    "a word without accents is found": (["Vocabulary.nearest", WORDS, "lodz"], ["łódź"]),
    "strasse is straße": (["Vocabulary.nearest", WORDS, "strasse"], ["straße"]),
    "a word of the site is known": (["Vocabulary.knows", WORDS, "canary"], True),
    "the beginning of a word is known": (["Vocabulary.knows", WORDS, "kube"], True),
    "another ending is known": (["Vocabulary.knows", WORDS, "incidents"], True),
    "a misspelt word is unknown": (["Vocabulary.knows", WORDS, "rolback"], False),
    "synonyms replace whole words": (
        ["replaceSynonyms", "pr too big", [["pull request", "PR"]]],
        ["pull request too big"],
    ),
    "a part of a word has no synonym": (["replaceSynonyms", "prune", [["pull request", "PR"]]], []),
    "the query is the key": (["rank", "CrashLoopBackOff", "crashloopbackoff"], 5),
    "the key is the same id": (["rank", "ADR-0023", "adr 23"], 4),
    "the key begins with the query": (["rank", "OrderServiceDown", "orderservice"], 3),
    "a message contains the query": (
        ["rank", "FATAL: too many clients already", "many clients"],
        3,
    ),
    "a pasted line contains the message": (
        [
            "rank",
            "too many clients already",
            'at "10.0.0.5", port 5432: FATAL:  too many clients already (x)',
        ],
        3,
    ),
    "numbers in a message differ": (
        [
            "rank",
            "0/6 nodes are available: 6 Insufficient cpu.",
            "0/12 nodes are available: 4 Insufficient cpu, 8 node(s) had untolerated taint",
        ],
        2,
    ),
    "the key has all words": (["rank", "Order service outage and lessons", "outage lessons"], 1),
    "the query has a name": (["rank", "order-service", "how compliant is order-service"], 1),
    "the key has another word": (["rank", "Add a runbook", "add decision"], 0),
    "an alert is split at capitals": (
        ["splitName", "/alerts/OrderServiceDown/"],
        ["alerts", "order", "service", "down"],
    ),
    "a name with capitals has parts": (
        ["splitCapitals", "error DiskFull at 10:00", "diskfull"],
        ["disk", "full"],
    ),
    "an ending is dropped": (["stem", "restarting"], "restart"),
    "a doubled letter is single": (["stem", "dropped"], "drop"),
    "a plural in ies has the stem of its word": (["stem", "queries"], "quer"),
    "a short word keeps its letters": (["stem", "time"], "time"),
    "a word in ss keeps it": (["stem", "process"], "process"),
    "words with other endings are found": (
        ["makePattern", "restart", "It restarted, and restarts. An unrestartable one."],
        ["restarted", "restarts"],
    ),
    "a hyphen can be absent": (
        ["makePattern", "post-mortem", "postmortems, post mortem"],
        ["postmortems", "post mortem"],
    ),
    "the heaviest terms that fit into the bytes are searched": (
        ["chooseTerms", [*TERMS], 3, 75, SIZES],
        [TERMS[1], TERMS[2]],
    ),
    "two words in one part of the index fetch it once": (
        ["chooseTerms", [*TERMS], 3, 110, SIZES],
        [TERMS[1], TERMS[0]],
    ),
    "the smallest term is searched if none fits": (
        ["chooseTerms", [*TERMS], 2, 1, SIZES],
        [TERMS[2]],
    ),
    "without sizes all terms fit": (["chooseTerms", [*TERMS], 1, 1, []], [TERMS[1]]),
    "a word may be in the part of its stem": (
        ["chooseTerms", [{"words": ["latency"], "weight": 1}, TERMS[2]], 1, 75, SIZES],
        [TERMS[2]],
    ),
    "a term of a synonym group is one concept": (
        ["readConcepts", ["checkout", "takes", "forever"], [["slow", "takes forever"]]],
        [["takes forever", "slow"], ["checkout"]],
    ),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of all calls, by name."""
    folder = tmp_path_factory.mktemp("words")
    calls = [call for call, _ in CALLS.values()]
    return dict(zip(CALLS, call_functions(folder, calls), strict=True))


@pytest.mark.parametrize("name", CALLS)
def test_a_function_of_the_search_returns(results: dict[str, Any], name: str) -> None:
    assert results[name] == CALLS[name][1]


def test_python_and_the_browser_name_the_same_key_file(tmp_path: Path) -> None:
    words = [
        "ADR",
        "0023",
        "0",
        "Łódź",
        "straße",
        "k8",
        "a",
        "连接池",
        "ロール",
        "ガ",
        "Ærø",
        "naïve",
    ]
    prefixes = call_functions(tmp_path / "words", [["prefixOf", word] for word in words])
    assert prefixes == [keys.prefix(word) for word in words]
    assert prefixes[:5] == ["adr", "23", "0", "lod", "str"]
    folded = call_functions(tmp_path / "words", [["fold", word] for word in words])
    assert folded == [fold(word) for word in words]
