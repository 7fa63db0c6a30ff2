"""A desk officer at work in a browser: few clicks, no mouse, no scripts, two tabs, a session that ends; nothing is lost."""

from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import create_engine, text

from tests.browser.desk import Desk, barriers

SUBMITTED = "DK-IOM-2027-005"
SLOW = """() => {
  const send = window.fetch;
  const tell = {};
  window.begun = new Promise(resolve => { tell.begun = resolve; });
  window.both = new Promise(resolve => { tell.both = resolve; });
  let begun = 0, done = 0;
  window.fetch = async (...asked) => {
    tell.begun();
    if (begun++ === 0) await new Promise(resolve => setTimeout(resolve, 3000));
    const answer = await send(...asked);
    if (++done === 2) tell.both();
    return answer;
  };
}"""  # the first save is under way for three seconds


def click(page: Page, what: str, clicks: list[str]) -> None:
    page.click(what)
    clicks.append(what)


def under_review(desk: Desk) -> None:
    page = desk.at("mfa_reviewer")
    page.goto(f"/proposals/{SUBMITTED}")
    page.click("button:text-is('Start the review')")
    page.wait_for_selector("[role=status]")
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_queue_a_proposal_is_graded_in_three_clicks_when_the_screening_is_accepted(
    desk: Desk, scripts: bool
) -> None:
    under_review(desk)
    page, clicks = desk.at("mfa_reviewer", scripts=scripts), list[str]()
    page.goto("/")
    click(page, "[data-next]", clicks)
    click(page, "button:text-is('Accept the screening')", clicks)
    page.wait_for_url("**said=saved*")
    click(page, "button:text-is('Complete the assessment')", clicks)
    page.wait_for_url("**said=completed*")
    assert len(clicks) == 3
    assert "Your assessment is completed" in page.inner_text("[role=status]")
    assert page.locator("section[aria-labelledby=matrix]").count() == 1
    assert desk.complaints == []


def test_why_a_mandatory_criterion_is_not_met_is_seen_in_two_clicks(reading: Desk) -> None:
    page, clicks = reading.at("mfa_head"), list[str]()
    page.goto("/")
    click(page, "tr:has(.gap) th a", clicks)
    page.wait_for_url("**/proposals/**")
    shown = page.locator("#criterion-c .why li.not_met").first
    assert shown.is_visible()
    assert len(clicks) <= 2


def test_grading_needs_no_mouse_and_fits_one_screen(desk: Desk) -> None:
    under_review(desk)
    page = desk.at("mfa_reviewer")
    page.goto(f"/proposals/{SUBMITTED}")
    box = page.locator("section[aria-labelledby=assessment]").bounding_box()
    assert box
    assert box["height"] <= 900
    page.focus("input[name=grade-a][value='0']")
    for letter in "abcdefgh":
        wanted = "2" if letter in "ac" else "1"
        while page.evaluate("document.activeElement.name") != f"grade-{letter}":
            page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.value") != wanted:
            page.keyboard.press("ArrowRight")
    chosen = page.evaluate("[...document.querySelectorAll('.keys input:checked')].map(one => one.value).join('')")
    assert chosen == "21211111"
    assert page.locator("#criterion-a .differs").is_hidden()
    assert page.locator("#criterion-d .differs").is_visible(), "it was met, and 1 is not"
    page.keyboard.press("Enter")
    page.wait_for_url("**said=saved*")
    assert page.input_value("#overall") == "", "Enter saves; it accepts nothing that was not graded"
    assert barriers(page) == []


def test_the_list_is_walked_with_j_and_k_and_opened_with_enter(reading: Desk) -> None:
    page = reading.at("mfa_reviewer")
    page.goto("/?cycle=all")
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
    second = page.locator("table.list tbody tr").nth(1)
    assert "here" in (second.get_attribute("class") or "")
    page.keyboard.press("Enter")
    page.wait_for_url("**/proposals/**")


def test_of_two_tabs_the_second_is_told_and_keeps_what_was_written(desk: Desk) -> None:
    under_review(desk)
    first, second = (desk.at("mfa_reviewer") for _ in range(2))
    for page in (first, second):
        page.goto(f"/proposals/{SUBMITTED}")
    first.fill("#overall", "From the first tab.")
    first.click(".bandfoot button:text-is('Save')")
    first.wait_for_url("**said=saved*")
    second.fill("#overall", "From the second tab.")
    second.click(".bandfoot button:text-is('Save')")
    second.wait_for_selector("#error")
    assert "another tab" in second.inner_text("#error")
    assert second.input_value("#overall") == "From the second tab."


def test_what_is_written_is_saved_by_itself(desk: Desk) -> None:
    under_review(desk)
    page = desk.at("mfa_reviewer")
    page.goto(f"/proposals/{SUBMITTED}")
    page.check("input[name=grade-a][value='3']", force=True)
    page.fill("#overall", "Written while the telephone rang.")
    page.wait_for_selector("[data-told]:text-matches('^Saved ..:..')")
    page.evaluate(SLOW)
    page.fill("#overall", "Written while the telephone rang,")
    page.evaluate("window.begun")
    page.fill("#overall", "Written while the telephone rang.")
    page.evaluate("window.both")
    other = desk.at("mfa_reviewer")
    other.goto(f"/proposals/{SUBMITTED}")
    assert other.input_value("#overall") == "Written while the telephone rang."
    page.fill("#overall", "And sent before it was saved by itself.")
    page.click(".bandfoot button:text-is('Save')")
    page.wait_for_url("**said=saved*")
    assert page.locator("#error").count() == 0
    assert desk.complaints == []


def test_a_session_that_ends_loses_nothing_of_what_was_written(desk: Desk) -> None:
    under_review(desk)
    page = desk.at("mfa_reviewer")
    page.goto(f"/proposals/{SUBMITTED}")
    page.fill("#overall", "Long and thought over.")
    engine = create_engine(desk.database_url)
    with engine.begin() as tx:
        tx.execute(text("DELETE FROM session"))
    engine.dispose()
    page.click(".bandfoot button:text-is('Save')")
    page.wait_for_selector("h1:has-text('kept')")
    desk.log_in(page.context, "mfa_reviewer")
    page.click("button:text-is('Send it again')")
    page.wait_for_url("**said=saved*")
    assert page.input_value("#overall") == "Long and thought over."


def test_an_answer_and_a_question_cross_the_sea(desk: Desk) -> None:
    here, there = desk.at("mfa_reviewer"), desk.at("iom_focal_point", "da-DK")
    here.goto(f"/proposals/{SUBMITTED}")
    here.click("summary:has-text('Ask IOM')")
    here.fill("#question", "Which partners?\n<b>All</b>")
    here.click("button:text-is('Send the question')")
    here.wait_for_url("**said=asked*")
    there.goto("/")
    there.click("a:has-text('Besvar spørgsmålet')")
    there.wait_for_selector("[name=answer]")
    assert "<b>All</b>" in there.inner_text("section[aria-labelledby=clarifications]")
    there.fill("[name=answer]", "Alle.")
    there.click("button:text-is('Besvar')")
    there.wait_for_url("**said=answered*")
    here.goto(f"/proposals/{SUBMITTED}")
    assert "Alle." in here.inner_text("section[aria-labelledby=clarifications]")


def test_the_queue_is_light(reading: Desk) -> None:
    page, asked = reading.at("mfa_reviewer"), list[Any]()

    def note(answer: Any) -> None:
        asked.append(answer)

    page.on("response", note)
    page.goto("/?cycle=all")
    page.wait_for_load_state("networkidle")
    sizes = {one.url: len(one.body()) for one in asked}
    assert len(asked) <= 5, sizes
    assert sum(size for url, size in sizes.items() if "/font/" not in url) <= 60_000, sizes
