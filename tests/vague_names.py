"""Report the share of names that say nothing: `python -m tests.vague_names [PATH…]`.

The script counts variables, parameters and functions. The review of 2026-11 made the list.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

VAGUE: Final = frozenset(
    [
        "found",
        "each",
        "known",
        "shown",
        "told",
        "said",
        "made",
        "kept",
        "here",
        "there",
        "what",
        "which",
        "wanted",
        "given",
        "other",
        "left",
        "one",
        "way",
        "part",
        "place",
        "word",
        "once",
        "again",
        "named",
        "written",
        "before",
        "after",
        "own",
        "asked",
        "still",
        "over",
        "piece",
        "ways",
    ]
)
ROOT: Final = Path(__file__).parent.parent
CODE: Final = ("handbook", "macros", "tests", "benchmarks")


def bindings(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a module binds, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno


def python_files(paths: Iterable[str | Path]) -> Iterator[Path]:
    """The Python files below folders, and the files that are named."""
    for path in map(Path, paths):
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def vague_share(files: Iterable[Path]) -> tuple[float, Counter[str]]:
    """The share of bindings with a vague name, and how often each vague name is bound."""
    names = Counter(
        name for file in files for name, _ in bindings(ast.parse(file.read_text(encoding="utf-8")))
    )
    vague = Counter({name: count for name, count in names.items() if name.strip("_") in VAGUE})
    return vague.total() / (names.total() or 1), vague


def main() -> None:
    """Print the share, each vague name with its count, and the files with most of them."""
    files = list(python_files(sys.argv[1:] or [ROOT / folder for folder in CODE]))
    share, vague = vague_share(files)
    print(
        f"{share:.1%} of the bindings are vague:",
        ", ".join(f"{name} {count}" for name, count in vague.most_common()),
    )
    for file in files:
        count = vague_share([file])[1].total()
        if count:
            print(f"{count:5d}  {file}")


if __name__ == "__main__":
    main()
