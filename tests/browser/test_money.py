"""The money in the browser: a proposal's whole life after its decision, its amendment, an envelope set in two tabs."""

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.desk import Desk

REF = "DK-IOM-2026-001"
MONEY, REPORT = f"/proposals/{REF}/money", f"/proposals/{REF}/reports/2026"


def told(page: Page, said: str) -> None:
    expect(page.locator(".told")).to_contain_text(said)


def cancel(page: Page, number: int) -> None:
    tranche = page.locator(f"#tranche-{number}")
    tranche.get_by_text("Cancel the tranche").first.click()
    tranche.get_by_label("Reason").fill("One tranche is enough.")
    tranche.get_by_role("button", name="Cancel the tranche").click()
    told(page, "cancelled")


def test_a_whole_life_after_the_decision_without_scripts(desk: Desk) -> None:
    people = {
        role: desk.at(role, scripts=False)
        for role in ("mfa_finance", "mfa_finance_2", "mfa_head", "iom_focal_point", "mfa_reviewer")
    }
    finance, second, iom = people["mfa_finance"], people["mfa_finance_2"], people["iom_focal_point"]
    head, reviewer = people["mfa_head"], people["mfa_reviewer"]

    finance.goto(MONEY)
    cancel(finance, 1)
    cancel(finance, 2)
    expect(finance.get_by_text("not signed yet")).to_have_count(2)  # the text is another one
    finance.get_by_label("Amount, DKK").fill("20.000.001")
    finance.get_by_label("Due on").fill("2026-12-15")
    finance.get_by_role("button", name="Plan it").click()
    expect(finance.locator("#error")).to_contain_text("DKK 20,000,000 is approved for that year")
    expect(finance.get_by_label("Amount, DKK")).to_have_value("20.000.001")
    finance.get_by_label("Amount, DKK").fill("20.000.000")
    finance.get_by_role("button", name="Plan it").click()
    told(finance, "planned")

    for page in (iom, head):
        page.goto(MONEY)
        sha = page.locator("#agreement ~ p .sha").inner_text()
        expect(page.locator(".sign")).to_contain_text(sha[:12])
        page.get_by_role("button", name="Sign the agreement").click()
        told(page, "Signed")
    expect(head.locator("#agreement .tag")).to_have_text("signed by both sides")

    finance.goto(MONEY)
    finance.get_by_role("button", name="Prepare").click()
    told(finance, "somebody else releases it")
    expect(finance.get_by_role("button", name="Release")).to_have_count(0)
    expect(finance.locator("#tranche-3")).to_contain_text(
        "You have prepared this payment; somebody else must release it."
    )
    second.goto("/payments")
    second.locator(f".tasks a[href^='{MONEY}']").click()
    assert second.url.endswith("#tranche-3")
    second.get_by_role("button", name="Release").click()
    told(second, "released")
    iom.goto(MONEY)
    iom.get_by_label("Amount received, DKK").fill("19.999.900")
    iom.get_by_label("Note").fill("Bank charges.")
    iom.get_by_role("button", name="Confirm the receipt").click()
    told(iom, "confirmed")
    expect(iom.locator("#tranche-3")).to_contain_text("Difference DKK -100")

    iom.goto(REPORT)
    iom.fill("#lessons", "Not all that is needed.")
    iom.get_by_role("button", name="Submit the report").click()
    expect(iom.locator("#lessons")).to_have_value("Not all that is needed.")
    expect(iom.locator("#error")).to_contain_text("Criterion a was claimed; say what came of it.")
    for box in iom.locator("[name^=progress-]").all():
        box.fill("It came about as planned.")
    for box in iom.locator("[name^=value-]").all():
        box.fill("12,5")
    iom.fill("[name=parts-0]", "women 7.5; men 5")
    iom.fill("#spent-staff", "12.000.000")
    iom.fill("#lessons", "Cases move when two agencies know each other.")
    iom.check("#final")
    iom.fill("#unspent", "8000000")
    iom.get_by_label("What becomes of it").select_option("returned")
    iom.get_by_role("button", name="Save the report").click()
    told(iom, "Saved")
    expect(iom.locator("[name=parts-0]")).to_have_value("men 5; women 7.5")
    iom.get_by_role("button", name="Submit the report").click()
    told(iom, "submitted")

    reviewer.goto(REPORT)
    expect(reviewer.get_by_role("row", name=re.compile("Staff"))).to_contain_text("DKK 12,000,000")
    reviewer.get_by_text("Return it to IOM").click()
    reviewer.get_by_label("Comment to IOM").fill("What became of the shelters?")
    reviewer.get_by_role("button", name="Return the report").click()
    told(reviewer, "back with IOM")
    iom.goto(REPORT)
    expect(iom.locator("blockquote")).to_contain_text("What became of the shelters?")
    iom.fill("#lessons", "Cases move when two agencies know each other; both shelters are open.")
    iom.get_by_role("button", name="Submit the report").click()
    told(iom, "submitted")
    reviewer.goto(REPORT)
    reviewer.get_by_role("button", name="Accept the report").click()
    told(reviewer, "accepted")
    reviewer.get_by_role("link", name="the desk can close the proposal").click()
    reviewer.get_by_role("button", name="Close", exact=True).click()
    told(reviewer, "moved on")
    expect(reviewer.locator(".sub .tag")).to_have_text("Closed")


def test_an_amendment_is_proposed_signed_by_both_sides_and_shows_what_changes(desk: Desk) -> None:
    ref = "DK-IOM-2025-001"
    iom, head = desk.at("iom_focal_point"), desk.at("mfa_head")
    content = iom.request.get(f"/api/v1/proposals/{ref}").json()["content"]
    iom.goto(f"/proposals/{ref}/amendments")
    iom.fill("#reason", "Half a year longer.")
    iom.get_by_text("Another content").click()
    iom.fill("#content-text", "{ this is no JSON")
    iom.get_by_role("button", name="Propose the amendment").click()
    expect(iom.locator("#error")).to_contain_text("not JSON that can be read")
    expect(iom.locator("#content-text")).to_have_value("{ this is no JSON")
    changed = {**content, "period": {**content["period"], "end": "2028-06-30"}}
    iom.fill("#content-text", "")
    iom.set_input_files("#file", files=[{"name": "c.json", "mimeType": "application/json", "buffer": _json(changed)}])
    iom.get_by_role("button", name="Propose the amendment").click()
    told(iom, "proposed")
    for page in (iom, head):
        page.goto(f"/proposals/{ref}/amendments")
        expect(page.locator("del").first).to_contain_text("31 Dec 2027")
        page.get_by_role("button", name="Sign amendment 1").click()
        told(page, "Signed")
    expect(head.locator(".tag.good").last).to_have_text("in force")
    head.goto(f"/proposals/{ref}/money")
    expect(head.get_by_text("As amended: Half a year longer.")).to_be_visible()
    assert desk.complaints == [one for one in desk.complaints if "422" in one]  # only the refusal itself


def _json(content: object) -> bytes:
    return json.dumps({"content": content}).encode()


def test_a_second_tab_with_an_old_envelope_is_refused_kindly_and_keeps_what_was_typed(desk: Desk) -> None:
    first, second = desk.at("admin"), desk.at("admin")
    for page in (first, second):
        page.goto("/envelopes")
        page.get_by_text("Set the envelope of 2027").click()
        page.fill("#amount-2027", "60.000.000")
        page.fill("#reason-2027", "The finance bill.")
    for page, said in ((first, ".told"), (second, "#error")):
        page.locator("#envelope-2027 ~ details").get_by_role("button", name="Set it").click()
        expect(page.locator(said)).to_be_visible()
    expect(second.locator("#error")).to_contain_text("is at version")
    expect(second.locator("#reason-2027")).to_have_value("The finance bill.")
    expect(second.locator("#envelope-2027 + dl")).to_contain_text("DKK 60,000,000")
