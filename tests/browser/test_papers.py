"""Papers and drafts in the browser: a file pre-checked and kept, attachments, talk, what changed."""

import json
from pathlib import Path

from playwright.sync_api import Page

from app.settings import RULES
from tests.browser.desk import Desk

EXAMPLES = RULES / "dk-iom-2023-2026" / "examples"


def send(page: Page, path: Path) -> None:
    page.set_input_files("#file", path)
    page.click("text=Check the file")


def saved(folder: Path, name: str, cycle: int = 2027) -> Path:
    """An example of the rules, moved to another cycle."""
    text = (EXAMPLES / name).read_text().replace("2026-", "2027-").replace('"year": 2026', '"year": 2027')
    (folder / name).write_text(json.dumps({**json.loads(text), "cycle": cycle}))
    return folder / name


def test_a_file_is_prechecked_kept_and_replaced_without_scripts(desk: Desk, tmp_path: Path) -> None:
    page = desk.at("iom_focal_point", scripts=False)
    page.goto("/")
    page.click("text=Draft from a file")
    send(page, saved(tmp_path, "draft.json"))
    assert page.locator(".figures dd").all_inner_texts() == ["not yet determined", "45.5", "87.9", "2027"]
    assert "Budget, Risks" in page.locator(".warn").inner_text()
    page.select_option("#office", "IOM-NE")
    page.click("text=Save as a new draft")
    assert page.locator(".told").inner_text().startswith("The draft is kept.")
    ref = page.url.split("/")[-2]
    assert page.locator(".warn a[href='#risks']").count() == 1
    page.click("text=Replace it from a file")
    send(page, saved(tmp_path, "strong.json"))
    assert "Nothing is missing" in page.locator("main").inner_text()
    assert page.locator("#target").input_value().startswith(ref)
    page.click("text=Replace its content")
    assert page.url.endswith(f"{ref}/content?said=replaced")
    assert page.locator(".warn").count() == 0
    assert page.locator("#activities").inner_text() == "Activities"
    page.close()


def test_what_a_file_lacks_and_what_refuses_it_is_said_beside_the_form(desk: Desk, tmp_path: Path) -> None:
    page = desk.at("iom_office")
    page.goto("/drafts/new")
    (tmp_path / "faulty.json").write_text('{"cycle": 2027, "content": {"title": "Short", "colour": 1}}')
    send(page, tmp_path / "faulty.json")
    assert page.locator("ul.why li").count() == 2
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    send(page, tmp_path / "picture.png")
    assert "comes as JSON, YAML or a workbook" in page.locator(".error").inner_text()
    send(page, saved(tmp_path, "draft.json", 2025))
    page.click("text=Save as a new draft")
    assert "2025" in page.locator(".error").inner_text()
    assert page.locator("text=Save as a new draft").count() == 1
    page.close()


def test_an_officer_attaches_a_file_and_comments_and_sees_what_changed(desk: Desk, tmp_path: Path) -> None:
    page = desk.at("mfa_reviewer", scripts=False)
    page.goto("/proposals/DK-IOM-2027-001/papers")
    (tmp_path / "note.pdf").write_bytes(b"MZ not a PDF")
    page.click("summary:has-text('Attach a file')")
    page.set_input_files("#file", tmp_path / "note.pdf")
    page.click("button:text-is('Attach')")
    assert "Only PDF, DOCX, XLSX, PNG and JPEG" in page.locator(".error").inner_text()
    (tmp_path / "note.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    page.set_input_files("#file", tmp_path / "note.pdf")
    page.select_option("#visibility", "internal")
    page.click("button:text-is('Attach')")
    assert "note.pdf" in page.locator("section[aria-labelledby=attachments]").inner_text()
    with page.expect_download() as download:
        page.click("text=note.pdf")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    page.fill("#text", "The embassy knows the partner.")
    page.click("text=Comment for the Danish side")
    assert "The embassy knows the partner." in page.locator(".talk").inner_text()
    page.goto("/proposals/DK-IOM-2023-001/papers")
    page.click("text=since 1")
    assert page.locator(".diff tbody tr").count() > 3
    page.click(".diff a >> nth=0")
    assert page.url.endswith("/content#data")
    page.close()
