"""Every figure of a standard comes from the policy, or has its source beside it."""

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
    r"|(?:working |business )?(?:ms|milliseconds?|seconds?|s|min|minutes?|h|hours?|days?|weeks?|months?|years?)\b))"
)
# What is no claim about the world: a line of an example, or the product of two numbers of the listing above.
ALLOWED = {
    "docs/standards/07-semantic-versioning.md": {
        "40%"
    },  # a commit message of the reference service
    "docs/standards/09-kubernetes.md": {"300 s"},  # failureThreshold times periodSeconds
    "docs/standards/08-observability.md": {"0.1%"},  # 1 − the target of the policy, beside it
}


def places(source: Source) -> Iterator[tuple[int, str]]:
    """The text of each paragraph, and of each row of a table together with the table's head."""
    for block in source.blocks:
        if isinstance(block, (Paragraph, Heading)):
            yield block.first, block.text
        elif isinstance(block, Table):
            for number, row in enumerate(block.rows):
                yield block.first + 2 + number, " | ".join((*block.head, *row))


def unsourced(source: Source) -> list[str]:
    """The figures of a page that neither the policy gives nor a link beside them proves."""
    found = []
    for line, text in places(source):
        bare = re.sub(r"`[^`]*`|\{\{[^}]*\}\}|\]\([^)]*\)", "", text)
        if "](http" in text:
            continue
        found += [f"{line}: {figure}" for figure in FIGURE.findall(bare)]
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_figure_comes_from_the_policy_or_has_its_source(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    listed = unsourced(read_source(name, path.read_bytes()))
    assert [each for each in listed if each.split(": ")[1] not in ALLOWED.get(name, set())] == []
