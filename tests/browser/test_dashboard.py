"""The dashboard in the browser: every drawing has its table, a cycle is chosen, pictures and sheets are saved."""

from pathlib import Path

from tests.browser.desk import Desk


def test_drawings_stand_beside_their_tables_and_can_be_saved(reading: Desk) -> None:
    page = reading.at("mfa_head", scripts=False)
    page.goto("/dashboard")
    for figure in page.locator("figure.drawn").all():
        assert figure.locator("svg[role=img] > title").text_content()
        assert figure.locator("svg[role=img] > desc").text_content()
        assert figure.locator("xpath=following-sibling::*//table").count() >= 1
    bars = page.locator("figure.drawn svg >> nth=0").locator("text").all_text_contents()
    table = page.locator("section[aria-labelledby=by-year] td").all_inner_texts()
    assert {"42.5", "50.0"} <= set(table)
    assert "42.5" in bars
    page.select_option("#cycle", "2026")
    page.click("button:text-is('Show')")
    assert "cycle 2026" in page.locator("#coverage").inner_text()
    saved = {
        "a[href^='/dashboard/map.png']": b"\x89PNG",
        "a[href*='/proposals.csv']": b"\xef\xbb\xbf",
        "a[href*='/2026/workbook']": b"PK",
    }
    for link, begins in saved.items():
        with page.expect_download() as download:
            page.click(link)
        assert Path(download.value.path()).read_bytes().startswith(begins), link
    assert page.request.get("/dashboard/nothing.png").status == 404
    page.close()


def test_evidence_leads_to_its_field(reading: Desk) -> None:
    page = reading.at("mfa_reviewer")
    page.goto("/proposals/DK-IOM-2027-001")
    links = "[...document.querySelectorAll('a[href*=\"/content#\"]')].map((one) => one.getAttribute('href'))"
    places = page.evaluate(links)
    fields = {place.partition("#")[2] for place in places}
    page.goto(places[0])
    there = set(page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)"))
    assert fields <= there
    assert page.locator("section[aria-labelledby=budget] tr.sum td").last.inner_text() == "19,730,000"
    page.close()
