"""Import runbooks of other teams: the alert of a runbook is stated, and never a guess."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from handbook.authoring.importing.plan import ImportOptions, Plan
from handbook.authoring.importing.runbook import plan_runbooks, split_words
from handbook.authoring.new import make_slug
from handbook.authoring.rewriting import undo
from handbook.cli import main
from handbook.loading import load
from handbook.reading.source import read_source
from handbook.records.runbook import Runbook
from tests.handbooks import (
    CORPORA,
    SMALL,
    TODAY,
    copy_site,
    format_findings,
    needs_corpora,
    read_files,
    report,
    write,
)

FORM = "\n\n## Meaning\n\nIt is slow.\n\n## Impact\n\nUsers wait.\n"


@dataclass(frozen=True)
class Expected:
    """A source, and the record that it gives. The default path is that of `paint-slow.md`."""

    name: str
    file: str
    text: str
    path: str = "runbooks/shop/paint-slow.md"
    alerts: tuple[str, ...] = ()
    title: str = "Paint is slow"
    conflicts: tuple[str, ...] = ()


CASES = (
    Expected(
        "file name and heading",
        "KubePaintDown.md",
        f"# KubePaintDown{FORM}",
        "runbooks/shop/kube-paint-down.md",
        ("KubePaintDown",),
        "KubePaintDown",
    ),
    Expected(
        "title in words",
        "paint/KubePaintDown.md",
        f"---\ntitle: Kube Paint Down\n---\n\n# KubePaintDown{FORM}",
        "runbooks/shop/kube-paint-down.md",
        ("KubePaintDown",),
        "KubePaintDown",
    ),
    Expected(
        "heading with a prefix",
        "paint-slow.md",
        "# Alert: `PaintSlow`\n\nLook at the queue.\n",
        alerts=("PaintSlow",),
        title="Alert: PaintSlow",
    ),
    Expected(
        "name in front matter",
        "paint-slow.md",
        "---\nalerts: [PaintSlow, paint_lost]\nseverity: high\n---\n# Paint is slow\n\nLook.\n",
        alerts=("PaintSlow", "paint_lost"),
    ),
    Expected(
        "name in a line",
        "paint-slow.md",
        "# Paint is slow\n\n**Alert:** `PaintSlow`\n\nLook.\n",
        alerts=("PaintSlow",),
    ),
    Expected(
        "name in a section",
        "paint-slow.md",
        "# Paint is slow\n\n## Alerts\n\n- PaintSlow\n- PaintLost\n",
        alerts=("PaintSlow", "PaintLost"),
    ),
    Expected("no name", "paint-slow.md", "# Paint is slow\n\nAlert: the team, then wait.\n"),
    Expected("one word", "Paint.md", "# Paint\n\nMix it.\n", "runbooks/shop/paint.md", (), "Paint"),
    Expected(
        "one word in the form of Prometheus",
        "Paintdog.md",
        f"# Paintdog{FORM}",
        "runbooks/shop/paintdog.md",
        ("Paintdog",),
        "Paintdog",
    ),
    Expected(
        "no heading",
        "paint-slow.md",
        "---\ntitle: Paint is slow\n---\nLook at the queue.\n",
    ),
    Expected(
        "another name in the heading",
        "PaintSlow.md",
        f"# PaintLost{FORM}",
        alerts=("PaintSlow",),
        title="PaintLost",
        conflicts=("alert PaintSlow in the file name, PaintLost on line 1",),
    ),
    Expected(
        "alert of another service",
        "SearchSlow.md",
        f"# SearchSlow{FORM}",
        "runbooks/shop/search-slow.md",
        (),
        "SearchSlow",
        (
            "alert SearchSlow in the file name is of service 'search' "
            "(runbooks/search/search.rules.yml)",
        ),
    ),
    Expected(
        "alert in a rule file of the service",
        "OrdersDown.md",
        f"# OrdersDown{FORM}",
        "runbooks/shop/orders-down-2.md",
        ("OrdersDown",),
        "OrdersDown",
    ),
    Expected(
        "title that is no word in Latin letters",
        "涂料.md",
        "# 涂料\n\nLook.\n",
        "runbooks/shop/runbook.md",
        (),
        "涂料",
    ),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_site(SMALL, tmp_path / "handbook")


def plan(root: Path, folder: Path, service: str = "shop") -> Plan:
    return plan_runbooks(load(root), folder, ImportOptions(today=TODAY, services=(service,)))


def run(root: Path, folder: Path, *options: str) -> int:
    arguments = ["import", "runbook", f"{folder}", "--into", f"{root}", "--today", f"{TODAY}"]
    return main([*arguments, *options])


@pytest.mark.parametrize("expected", CASES, ids=lambda expected: expected.name)
def test_runbook_has_what_its_source_states(root: Path, tmp_path: Path, expected: Expected) -> None:
    folder = write(tmp_path / "sources", {expected.file: expected.text})
    before = format_findings(report(root).findings)
    result = plan(root, folder)
    (record,) = result.records
    assert record.source == expected.file
    assert record.path == expected.path
    assert record.values["title"] == expected.title
    assert record.values["alerts"] == list(expected.alerts)
    assert record.conflicts == expected.conflicts
    assert {"owner", "severity", "reviewed", "escalation"} <= set(record.missing)
    result.write(root)
    runbook = load(root).documents[expected.path]
    assert isinstance(runbook, Runbook)
    assert runbook.alerts == expected.alerts
    assert (runbook.owner, runbook.severity, runbook.reviewed) == (None, None, None)
    assert format_findings(report(root).findings) == before
    source = read_source(expected.file, expected.text.encode())
    body = undo(runbook.source.body, record.passes)
    assert body.removeprefix("\n") == source.body.removeprefix("\n")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("HTTPErrors", "http-errors"),
        ("KubeAPIDown", "kube-api-down"),
        ("etcdGRPCRequestsSlow", "etcd-grpc-requests-slow"),
        ("CPUThrottlingHigh", "cpu-throttling-high"),
        ("Paint5xxErrors", "paint5xx-errors"),
        ("paint-slow", "paint-slow"),
        ("paint_slow", "paint-slow"),
    ],
)
def test_slug_splits_the_words_of_a_name(name: str, slug: str) -> None:
    assert make_slug(split_words(name)) == slug


def test_names_that_clash_get_a_number(root: Path, tmp_path: Path) -> None:
    text = f"# PaintSlow{FORM}"
    folder = write(
        tmp_path / "sources",
        {"a/PaintSlow.md": text, "b/PaintSlow.md": text + "\nB.\n", "b/paint-slow.md": text + "C"},
    )
    assert [record.path for record in plan(root, folder).records] == [
        "runbooks/shop/paint-slow.md",
        "runbooks/shop/paint-slow-2.md",
        "runbooks/shop/paint-slow-3.md",
    ]


def test_links_between_runbooks_and_to_images_follow(root: Path, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "sources",
        {
            "a/PaintSlow.md": f"# PaintSlow{FORM}\nSee [lost](../b/PaintLost.md#impact), "
            '[lost]({{< ref "../b/PaintLost.md" >}}), [far]({{% relref "far.md" %}})\n'
            'and `[code]({{< ref "x.md" >}})`.\n\n<img src="pot.png" alt="A pot">\n',
            "a/pot.png": next(SMALL.rglob("*.png")).read_bytes(),
            "b/PaintLost.md": f"# PaintLost{FORM}",
        },
    )
    slow = plan(root, folder).records[0]
    assert "[lost](paint-lost.md#impact), [lost](paint-lost.md), [far](far.md)" in slow.text
    assert '`[code]({{< ref "x.md" >}})`' in slow.text
    assert "![A pot](paint-slow/pot.png)" in slow.text
    assert "runbooks/shop/paint-slow/pot.png" in plan(root, folder).attachments


def test_command_reports_what_it_imports(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(
        tmp_path / "sources",
        {"PaintSlow.md": f"# PaintSlow{FORM}", "_index.md": "# All\n", "template.md": "# X\n"},
    )
    assert run(root, folder, "--service", "shop", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    (record,) = document["records"]
    assert record["source"] == "PaintSlow.md"
    assert record["path"] == "runbooks/shop/paint-slow.md"
    assert (record["id"], record["service"]) == ("shop/paint-slow", "shop")
    assert [entry["source"] for entry in document["skipped"]] == ["_index.md", "template.md"]
    assert main(["import", "--verify", f"{folder}", "--into", f"{root}"]) == 0


def test_second_import_changes_nothing(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "sources", {"PaintSlow.md": f"# PaintSlow{FORM}"})
    assert run(root, folder, "--service", "shop") == 0
    first = read_files(root)
    capsys.readouterr()
    assert run(root, folder, "--service", "shop") == 0
    assert (
        "PaintSlow.md: already imported as runbooks/shop/paint-slow.md" in capsys.readouterr().out
    )
    assert read_files(root) == first


def test_nothing_is_written_if_a_file_cannot_be_read(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(
        tmp_path / "sources", {"A.md": f"# PaintSlow{FORM}", "B.md": b"# \xff\xfe\x00\n"}
    )
    before = read_files(root)
    assert run(root, folder, "--service", "shop") == 1
    assert "B.md: cannot be read" in capsys.readouterr().out
    assert read_files(root) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "required: --service"),
        (("--service", "shopp"), "unknown service 'shopp'; did you mean 'shop'?"),
        (("--service", "billing"), "unknown service 'billing'; one of: search, shop, warehouse"),
        (("--service", "shop", "--service", "search"), "a runbook has one service"),
    ],
)
def test_service_must_be_one_of_the_handbook(
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    message: str,
) -> None:
    folder = write(tmp_path / "sources", {"PaintSlow.md": f"# PaintSlow{FORM}"})
    try:
        code = run(root, folder, *options)
    except SystemExit as stop:  # argparse itself stops for a missing option
        code = int(stop.code or 0)
    assert code == 2
    assert message in capsys.readouterr().err


DEFECTS = {
    ("kube-node-not-ready", "LNK007"): 1,
    ("etcd-high-fsync-durations", "LNK007"): 5,
    ("node-filesystem-space-filling-up", "LNK007"): 3,
    ("node-raid-degraded", "LNK007"): 1,
    ("kube-persistent-volume-filling-up", "RBK016"): 1,
    ("kube-proxy-down", "RBK016"): 1,
    ("prometheus-operator-node-lookup-errors", "MD007"): 1,
}
"""Real defects of the public runbooks, with the numbers of their findings.

- LNK007: `[text][label]` without a definition. The definitions are list items there.
- RBK016: a command that deletes a pod, or a claim, without a warning.
- MD007: a code fence without its end.
"""


@needs_corpora
def test_public_runbooks_have_only_their_own_defects(root: Path) -> None:
    before = Counter(format_findings(report(root).findings))
    result = plan(root, CORPORA / "runbooks")
    assert len(result.records) == 108
    assert {entry.reason for entry in result.skipped} == {"index or README"}
    result.write(root)
    main(["check", "--fix", "--root", str(root)])  # removes prompts from shell code
    findings = report(root).findings
    new = Counter(format_findings(findings)) - before
    defects = Counter((Path(entry.split(":")[0]).stem, entry.split(":")[-1]) for entry in new)
    assert defects == DEFECTS


@needs_corpora
def test_public_runbooks_name_their_alerts(root: Path) -> None:
    result = plan(root, CORPORA / "runbooks")
    for record in result.records:
        assert record.values["alerts"] == [Path(record.source).stem]
        path = CORPORA / "runbooks" / record.source
        source = read_source(record.source, path.read_bytes())
        body = undo(read_source(record.path, record.text.encode()).body, record.passes)
        assert body.removeprefix("\n") == source.body.removeprefix("\n")
    conflicts = {Path(record.source).stem for record in result.records if record.conflicts}
    assert conflicts == {
        "KubeletPlegDurationHigh",
        "NodeNetworkReceiveErrs",
        "NodeNetworkTransmitErrs",
        "PrometheusRemoteWriteBehind",
    }
