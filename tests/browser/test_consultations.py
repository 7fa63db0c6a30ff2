"""A consultation from its plan to IOM's word on the minutes, at the browser; without scripts, by keyboard, and two at once."""

import json
import urllib.request
from typing import Any

from playwright.sync_api import Page

from tests.browser.desk import DANISH, Desk, barriers

FIRST, SECOND = "DK-IOM-2027-001", "DK-IOM-2026-003"
TODAY = {"date": "2026-11-23", "reason": "Everybody is here already."}


def call(desk: Desk, role: str, method: str, path: str, body: Any = None) -> Any:
    """What somebody does through the API meanwhile."""
    headers = {"Authorization": f"Bearer {desk.accounts[role]['token']}", "If-Match": "*"}
    data = json.dumps(body).encode() if body is not None else None
    headers |= {"Content-Type": "application/json"} if data else {}
    asked = urllib.request.Request(f"{desk.address}/api/v1{path}", data, headers, method=method)
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)


def opened(desk: Desk) -> None:
    """The demo's planned consultation, held today and open."""
    call(desk, "mfa_head", "PATCH", "/consultations/5", TODAY)
    call(desk, "mfa_head", "POST", "/consultations/5/open")


def told(page: Page) -> str:
    return page.inner_text(".told")


def test_from_the_plan_to_the_minutes_without_scripts(desk: Desk) -> None:
    head = desk.at("mfa_head", scripts=False)
    head.set_default_timeout(8000)
    head.goto("/consultations")
    head.click("summary:has-text('Plan a consultation')")
    head.fill("#plan-date", TODAY["date"])
    head.fill("#plan-place", "Copenhagen")
    head.fill("#plan-participants", "Head\nDirector")
    head.click("text=Plan and invite")
    assert "needs a reason" in head.inner_text("#error")
    assert head.input_value("#participants").split() == ["Head", "Director"]
    head.fill("#reason", TODAY["reason"])
    head.click("text=Plan and invite")
    assert "Planned." in told(head)
    head.goto("/consultations/5")
    for ref in (FIRST, SECOND):
        head.click("summary:has-text('Change the agenda')")
        head.click(f"[aria-label='Take {ref} off']")
    head.goto("/consultations/6")
    for ref in (FIRST, SECOND):
        if not head.is_visible(f"[aria-label='Add {ref}']"):
            head.click("summary:has-text('Change the agenda')")
        head.click(f"[aria-label='Add {ref}']")
    head.click("summary:has-text('Change the agenda')")
    head.click(f"[aria-label='Move {SECOND} up']")
    assert [row.split("\n")[0] for row in head.locator(".agenda li").all_inner_texts()] == ["1", "2"]
    assert SECOND in head.locator(".agenda li").first.inner_text()
    head.click("text=Open the consultation")
    assert "It is open" in told(head)
    head.check("[value=defer]")  # the first of the agenda is selected
    head.fill("#to_cycle", "2020")
    head.click("text=Record decision and go to next")
    assert "needs a reason" in head.inner_text("#error")
    assert "deferred to it or a later one" in head.inner_text("#error")
    assert head.input_value("#to_cycle") == "2020"
    head.fill("#to_cycle", "2028")
    head.fill("#reason", "More partners first.")
    head.click("text=Record decision and go to next")
    assert FIRST in head.inner_text("#decide")
    head.click("text=Conclude…")
    assert f"{FIRST} is on the agenda without a decision" in head.inner_text("main")
    assert not head.is_visible("text=Conclude and send this")
    head.click("text=Back to the board")
    head.fill("#conditions", "Report twice.\nShare the data.")
    head.click("text=Record decision")
    assert "Everything is decided" in head.inner_text("#decide")
    head.click("#decide >> text=Conclude…")
    assert "IOM's focal points" in head.inner_text("main")
    head.click("text=Conclude and send this")
    assert "Concluded." in told(head)
    focal = desk.at("iom_focal_point", scripts=False)
    focal.goto("/consultations/6/minutes")
    assert "Share the data." in focal.inner_text("main")
    focal.click("summary:has-text('Object')")
    focal.fill("#reason", "The embassy is not listed.")
    focal.click("text=Put the objection on record")
    focal.click("text=Confirm the minutes")
    assert "confirmed the minutes" in told(focal)
    assert not focal.is_visible("text=Confirm the minutes")
    letter = focal.request.get(f"{desk.address}/consultations/6/letters/{FIRST}")
    assert letter.body().startswith(b"%PDF")


def test_approving_as_requested_takes_one_click_from_the_board_and_two_from_the_queue(desk: Desk) -> None:
    opened(desk)
    head = desk.at("mfa_head")
    head.goto("/")
    head.click("[data-next]")
    head.click("text=Record decision and go to next")
    assert "Recorded." in told(head)
    assert SECOND in head.inner_text("#decide")
    shown = call(desk, "mfa_head", "GET", "/consultations/5")
    item = next(one for one in shown["agenda"] if one["ref"] == FIRST)
    assert item["decision"]["amounts"] == item["requested"]
    head.click(f"a:has-text('{item['title']}')")
    head.click("text=Take the decision back")
    assert "taken back" in told(head)


def test_a_decision_is_recorded_by_keyboard_alone(desk: Desk) -> None:
    opened(desk)
    head = desk.at("mfa_head", DANISH)
    head.goto("/consultations/5")
    for _ in range(60):
        head.keyboard.press("Tab")
        if head.evaluate("document.activeElement.name") == "decision":
            break
    head.keyboard.press("ArrowDown")  # from approved to not approved
    for _ in range(10):
        head.keyboard.press("Tab")
        if head.evaluate("document.activeElement.id") == "reason":
            break
    head.keyboard.type("Ikke nu.")
    head.keyboard.press("Tab")
    head.keyboard.press("Enter")
    assert "Noteret." in told(head)
    shown = call(desk, "mfa_head", "GET", "/consultations/5")["agenda"]
    assert [one["decision"]["decision"] for one in shown if one["ref"] == FIRST] == ["reject"]
    assert head.evaluate("document.getElementById('item').getBoundingClientRect().top") < 900
    assert barriers(head) == []


def test_of_two_at_once_the_later_is_refused_and_loses_nothing_written(desk: Desk) -> None:
    opened(desk)
    head = desk.at("mfa_head")
    head.goto("/consultations/5")
    head.fill("#conditions", "A condition that took an hour to agree on.")
    head.fill("#amounts\\/2027", "4.000.000")
    reject = {"decision": "reject", "reason": "From another room."}
    call(desk, "mfa_head", "PUT", f"/consultations/5/decisions/{FIRST}", reject)
    head.click("text=Record decision and go to next")
    assert "read it again" in head.inner_text("#error")
    assert "From another room." in head.inner_text("#decide")
    assert head.input_value("#conditions") == "A condition that took an hour to agree on."
    assert head.input_value("#amounts\\/2027") == "4.000.000"
    assert barriers(head) == []
    head.click("text=Record decision and go to next")
    assert "Recorded." in told(head)
    shown = call(desk, "mfa_head", "GET", "/consultations/5")["agenda"]
    assert [one["decision"]["amounts"] for one in shown if one["ref"] == FIRST] == [{"2027": 4_000_000}]


def test_a_technical_meeting_is_written_down_followed_up_and_called_off(desk: Desk) -> None:
    reviewer = desk.at("mfa_reviewer", scripts=False)
    reviewer.goto("/consultations")
    reviewer.click("summary:has-text('Write down a technical meeting')")
    reviewer.fill("#meeting-date", "2026-12-01")
    reviewer.fill("#meeting-place", "Tunis")
    reviewer.fill("#meeting-proposals", "DK-IOM-2023-001, DK-IOM-1999-001")
    reviewer.click("text=Write it down")
    assert "no proposal 'DK-IOM-1999-001'" in reviewer.inner_text("#error")
    reviewer.fill("#proposals", "DK-IOM-2023-001")
    reviewer.click("text=Write it down")
    reviewer.click("table a:has-text('Tunis')")
    reviewer.click("summary:has-text('Change what is written')")
    reviewer.fill("#follow_ups\\/0\\/what", "Solar panels")
    reviewer.click("button:has-text('Save')")
    assert "/follow_ups" not in reviewer.url
    assert reviewer.input_value("#follow_ups\\/0\\/what") == "Solar panels"
    reviewer.fill("#follow_ups\\/0\\/owner", "IOM Tunisia")
    reviewer.fill("#follow_ups\\/0\\/due_on", "2026-12-20")
    reviewer.click("button:has-text('Save')")
    assert "Solar panels" in reviewer.inner_text("table")
    embassy = desk.at("embassy")
    embassy.goto("/technical-meetings/1")
    assert "Solar panels" in embassy.inner_text("main")
    assert barriers(embassy) == []
    reviewer.click("summary:has-text('Cancel the meeting')")
    reviewer.fill("#reason", "No visas.")
    reviewer.click("button.danger")
    assert "No visas." in reviewer.inner_text("main")
