"""Pages, downloads and archive of the files of services in the finished site."""

from __future__ import annotations

import io
import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from handbook.loading import load
from handbook.records.service import Service
from handbook.views.service_files import files_index, make_archive
from tests.commands import run
from tests.handbooks import SMALL, copy_site, render_article, report, write
from tests.site.test_site import page, text_of

pytestmark = pytest.mark.build

FILES = "services/shop/files"
LISTING = '```python\n--8<-- "shop/logging.py{}"\n```\n'


def test_the_page_of_a_file_has_its_whole_text_and_a_download(small_site: Path) -> None:
    data = (SMALL / "docs/standards/samples/shop/logging.py").read_bytes()
    parsed = page(small_site, f"{FILES}/logging.py")
    (code,) = parsed.css(".hb-file code")
    assert code.text().encode() == data
    (download,) = parsed.css("a[download='logging.py']")
    assert (
        small_site / FILES / "logging.py" / str(download.attributes["href"])
    ).read_bytes() == data
    assert text_of(parsed, "h1") == ["logging.py"]
    assert "logging.py (shop)" in text_of(parsed, "title")[0]


def test_the_service_links_to_the_list_and_the_list_to_each_file(small_site: Path) -> None:
    facts = page(small_site, "services/shop").css(".hb-facts a")
    assert "files/" in [link.attributes["href"] for link in facts]
    links = page(small_site, FILES).css(".hb-tree a")
    assert [link.attributes["href"] for link in links] == ["README.md/", "logging.py/"]


def test_the_archive_holds_every_file_with_fixed_times(small_site: Path) -> None:
    handbook = load(SMALL)
    data = (small_site / "services/shop/shop.zip").read_bytes()
    (service,) = (service for service in handbook.of(Service) if service.id == "shop")
    files = handbook.files_of(service)
    assert data == make_archive(service, files)
    with ZipFile(io.BytesIO(data)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert contents == {f"shop/{file.name}": file.data for file in files}


def test_the_evidence_of_an_audit_links_to_its_line(small_site: Path) -> None:
    links = {
        link.text(): link.attributes["href"]
        for link in page(small_site, "services/shop").css("td a")
    }
    assert links["logging.py:12"] == "files/logging.py/#L12"


def test_a_listing_names_its_file_and_its_lines(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    marked = '"""Log."""\n\n# --8<-- [start:x]\nA = 1\nB = 2\n# --8<-- [end:x]\n'
    write(root, {"docs/standards/samples/shop/logging.py": marked})
    handbook = load(root)
    whole = render_article(handbook, "docs/index.md", LISTING.format(""))
    address = f"../{FILES}/logging.py/"
    assert f'<span class="filename"><a href="{address}">logging.py</a></span>' in whole
    part = render_article(handbook, "docs/index.md", LISTING.format(":x"))
    assert f'<a href="{address}#L4">logging.py</a>, lines 4 to 5</span>' in part
    other = render_article(handbook, "docs/index.md", '```json\n--8<-- "08/log.json"\n```\n')
    assert "filename" not in other


def test_a_page_can_link_to_a_file_a_line_and_the_folder(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    samples = "standards/samples/shop"
    link = f"[a]({samples}/logging.py#L9) [b]({samples}/) [c]({samples}/logging.py)"
    handbook = load(root)
    html = render_article(handbook, "docs/index.md", link)
    assert f'href="../{FILES}/logging.py/#L9"' in html
    assert f'href="../{FILES}/"' in html
    index = root / "docs/index.md"
    index.write_text(f"{index.read_text(encoding='utf-8')}\n{link}\n", encoding="utf-8")
    assert report(root).findings == ()
    broken = index.read_text(encoding="utf-8").replace("#L9", "#L900")
    index.write_text(broken, encoding="utf-8")
    assert [finding.code for finding in report(root).findings] == ["LNK003"]


def test_descriptions_come_from_the_readme_and_from_docstrings(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    table = "# Shop\n\n| Path | Content |\n|---|---|\n| `src/` | the code & <b>more</b> |\n"
    write(
        root,
        {
            "docs/standards/samples/shop/README.md": table,
            "docs/standards/samples/shop/src/run.sh": "true\n",
        },
    )
    handbook = load(root)
    (service,) = (service for service in handbook.of(Service) if service.id == "shop")
    html = files_index(handbook, service).html
    assert "The code &amp; &lt;b&gt;more&lt;/b&gt;" in html
    assert "Log as JSON." in html
    assert html.count('class="hb-how"') == 2


def test_a_binary_and_a_large_file_have_only_a_download(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    hostile = "<script>alert(1)</script>\n"
    write(
        root,
        {
            "docs/standards/samples/shop/logo.png": b"\x89PNG\0",
            "docs/standards/samples/shop/lock.txt": "a\n" * 60_000,
            "docs/standards/samples/shop/index.html": hostile,
        },
    )
    answer = run("handbook", "build", cwd=root)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    site = root / "site"
    assert (site / FILES / "logo.png/logo.png.bin").read_bytes() == b"\x89PNG\0"
    assert not (site / FILES / "logo.png/index.html").exists()
    assert not (site / FILES / "lock.txt/index.html").exists()
    assert (site / FILES / "dotindex.html/dotindex.html.txt").read_text(encoding="utf-8") == hostile
    hrefs = [link.attributes["href"] for link in page(site, FILES).css(".hb-tree a")]
    assert "logo.png/logo.png.bin" in hrefs


def test_the_search_finds_a_file_by_its_name_only(small_site: Path) -> None:
    keys = json.loads((small_site / "assets/keys/log.json").read_text(encoding="utf-8"))
    assert ["logging.py (shop)", f"{FILES}/logging.py/", "Page", "", "logging.py"] in keys
    html = (small_site / FILES / "logging.py/index.html").read_text(encoding="utf-8")
    assert '<div data-pagefind-ignore="all">' in html


def test_a_secret_in_a_file_of_a_service_is_found(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    service = root / "docs/services/shop.md"
    text = service.read_text(encoding="utf-8")
    folder = text.replace("source: docs/standards/samples/shop", "source: code/shop")
    write(root, {"code/shop/app.py": "URL = 'https://shop:hunter2x9@db.test/'\n"})
    service.write_text(folder, encoding="utf-8")
    paths = {finding.at.path for finding in report(root).findings if finding.code[:4] == "SAFE"}
    assert paths == {"code/shop/app.py"}
