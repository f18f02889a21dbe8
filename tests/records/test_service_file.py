"""Files of services: which of them the site publishes, and their addresses."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from handbook.reading.highlighting import highlight_file
from handbook.records.service_file import LONGEST, ServiceFile, read_service_files
from tests.handbooks import SMALL, write


def read(root: Path, source: str = "shop") -> dict[str, ServiceFile]:
    return {file.name: file for file in read_service_files(root, "shop", source)}


def test_the_deepest_gitignore_decides(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".gitignore": "*.log\n/shop/build/\n",
            "shop/.gitignore": "/data/*\n!/data/keep.txt\n!important.log\n",
            "shop/a.log": "",
            "shop/important.log": "",
            "shop/build/out.txt": "",
            "shop/data/dump.txt": "",
            "shop/data/keep.txt": "",
            "shop/src/.gitignore": "generated.py\n",
            "shop/src/generated.py": "",
            "shop/src/app.py": "",
        },
    )
    assert list(read(tmp_path)) == [
        ".gitignore",
        "data/keep.txt",
        "important.log",
        "src/.gitignore",
        "src/app.py",
    ]


def test_installed_packages_and_symbolic_links_are_not_published(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "secret.txt": "",
            "shop/.git/config": "",
            "shop/.venv/a.py": "",
            "shop/node_modules/a.js": "",
            "shop/app.py": "",
        },
    )
    (tmp_path / "shop/link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "shop/folder").symlink_to(tmp_path)
    assert list(read(tmp_path)) == ["app.py"]


@pytest.mark.parametrize("source", [".", "missing", "link", "shop/app.py"])
def test_a_source_that_is_no_folder_of_the_repository_has_no_files(
    tmp_path: Path, source: str
) -> None:
    root = write(tmp_path / "root", {"shop/app.py": ""})
    (root / "link").symlink_to(tmp_path)
    assert read(root, source) == {}


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("src/app.py", "src/app.py/"),
        (".env.example", "dot.env.example/"),
        ("dot.env.example", "dotdot.env.example/"),
        (".github/workflows/ci.yml", "dot.github/workflows/ci.yml/"),
        ("index.html", "dotindex.html/"),
        ("README", "README/"),
        ("index", "index/"),
    ],
)
def test_an_address_has_no_hidden_folder_and_is_not_the_list_of_files(
    name: str, folder: str
) -> None:
    file = ServiceFile("shop", "shop", name, b"x\n")
    assert file.address == f"services/shop/files/{folder}"
    last = folder.rstrip("/").rpartition("/")[2]
    assert file.download == f"services/shop/files/{folder}{last}.txt"


@pytest.mark.parametrize(
    ("data", "has_page", "ending"),
    [
        (b"a\n", True, ".txt"),
        (b"", True, ".txt"),
        (b"a" * LONGEST, True, ".txt"),
        (b"a" * (LONGEST + 1), False, ".txt"),
        (b"\x89PNG\r\n\x1a\n\0", False, ".bin"),
        ("\u202e reversed".encode(), False, ".bin"),
    ],
)
def test_only_text_of_a_moderate_size_has_a_page(data: bytes, has_page: bool, ending: str) -> None:
    file = ServiceFile("shop", "shop", "file", data)
    assert file.has_page == has_page
    assert file.download.endswith(ending)
    assert (file.address == file.folder) == has_page


def test_a_file_of_more_than_a_megabyte_is_not_published(tmp_path: Path) -> None:
    write(tmp_path, {"shop/big.txt": "a" * 1_000_001})
    assert read(tmp_path)["big.txt"].data is None


def test_a_highlighted_file_has_its_text_and_an_anchor_for_each_line() -> None:
    file = read(SMALL, "docs/standards/samples/shop")["logging.py"]
    html = highlight_file(file.text or "", file.name)
    assert unescape(re.sub("<[^>]*>", "", html)).rstrip("\n") == (file.text or "").rstrip("\n")
    anchors = re.findall('id="(L[0-9]+)"', html)
    assert anchors == [f"L{number}" for number in range(1, file.line_count + 1)]
    assert all(map(file.has_anchor, anchors))
    assert not file.has_anchor(f"L{file.line_count + 1}")
