"""The files of the reference service on the site."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from handbook.loading import load
from handbook.reading.highlighting import highlight_file
from handbook.records.service_file import archive_address, files_address
from tests.handbooks import ROOT


@pytest.mark.build
def test_each_file_of_the_reference_service_has_its_download(real_site: Path) -> None:
    files = load(ROOT).service_files
    names = {file.name for file in files}
    assert {".github/workflows/ci-cd.yml", ".pre-commit-config.yaml", "Dockerfile"} <= names
    for file in files:
        assert (real_site / file.download).read_bytes() == file.data
        assert not [part for part in file.address.split("/") if part.startswith(".")]
    assert (real_site / archive_address("order-service")).is_file()
    assert (real_site / files_address("order-service") / "index.html").is_file()


def test_each_page_of_a_file_has_the_whole_text() -> None:
    for file in load(ROOT).service_files_by_address.values():
        html = highlight_file(file.text or "", file.name.rpartition("/")[2])
        text = unescape(re.sub("<[^>]*>", "", html))
        assert text.rstrip("\n") == (file.text or "").rstrip("\n"), file.name
        assert html.count('class="hb-line"') == file.line_count, file.name
