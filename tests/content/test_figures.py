"""Figures of the standards come from the policy, or have a link to a source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from handbook.reading.blocks import Heading, Paragraph, Table
from handbook.reading.source import Source, read_source
from tests.handbooks import ROOT

PAGES = sorted((ROOT / "docs/standards").glob("*.md"))
FIGURE = re.compile(
    r"(?<![\w.-])(?:\$ ?\d[\d.,]*|\d[\d.,–]*(?:-| )?(?:%|×|times\b|per ?cent|percent"
    r"|(?:working |business )?(?:ms|milliseconds?|seconds?|s|min|minutes?|h|hours?"
    r"|days?|weeks?|months?|years?)\b))"
)
# These figures need no source: they are part of an example, or follow from two other numbers.
ALLOWED = {
    # a commit message of the reference service
    "docs/standards/07-semantic-versioning.md": {"40%"},
    # failureThreshold times periodSeconds
    "docs/standards/09-kubernetes.md": {"300 s"},
    # 1 minus the target of the policy on the same line
    "docs/standards/08-observability.md": {"0.1%"},
}


def read_texts(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line and text of each paragraph and each table row.

    The text of a row includes the head of its table.
    """
    for block in source.blocks:
        if isinstance(block, (Paragraph, Heading)):
            yield block.first, block.text
        elif isinstance(block, Table):
            for number, row in enumerate(block.rows):
                yield block.first + 2 + number, " | ".join((*block.head, *row))


def find_unsourced(source: Source) -> list[str]:
    """Return the figures without a policy value or a link to a source."""
    figures = []
    for line, text in read_texts(source):
        bare = re.sub(r"`[^`]*`|\{\{[^}]*\}\}|\]\([^)]*\)", "", text)
        if "](http" in text:
            continue
        figures += [f"{line}: {figure}" for figure in FIGURE.findall(bare)]
    return figures


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_figure_comes_from_the_policy_or_has_a_source(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    figures = find_unsourced(read_source(name, path.read_bytes()))
    allowed = ALLOWED.get(name, set())
    assert [figure for figure in figures if figure.split(": ")[1] not in allowed] == []
