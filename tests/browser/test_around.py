"""Around the desk, end to end: tokens and webhooks shown once, people, cycles, preferences, rules, the log; also without scripts."""

import re

from playwright.sync_api import expect

from tests.browser.desk import ENGLISH, WIDE, Desk


def test_an_administrator_adds_changes_and_disables_a_person_and_moves_a_window(desk: Desk) -> None:
    page = desk.at("admin", ENGLISH, WIDE, scripts=False)
    page.goto("/users")
    page.fill("#new-name", "Nora Ny")
    page.fill("#new-email", "nora@example.org")
    page.select_option("#new-role", "embassy")
    page.get_by_role("button", name="Add the person").click()
    expect(page.get_by_role("alert")).to_contain_text("needs an office of kind embassy")
    assert page.input_value("#new-name") == "Nora Ny", "what was written stays"
    page.select_option("#new-office", "EMB-TUNIS")
    page.get_by_role("button", name="Add the person").click()
    expect(page.get_by_role("status")).to_have_text("The person is added.")
    page.goto("/users?q=nora")
    page.locator("tbody summary").click()
    page.get_by_role("button", name="Disable").click()
    page.goto("/users?state=disabled")
    expect(page.locator("tbody")).to_contain_text("Nora Ny")
    page.goto("/cycles")
    page.locator("tbody summary").first.click()
    page.fill("#closes-2027", "2027-01-10")
    page.fill("#why-2027", "A holiday in between.")
    page.get_by_role("button", name="Move the window").first.click()
    expect(page.locator("main")).to_contain_text("A holiday in between.")
    page.fill("#year", "2026")
    page.fill("#amount", "50.000.000")
    page.fill("#reason", "The strategy goes on.")
    page.get_by_role("button", name="Add the cycle").click()
    expect(page.get_by_role("alert")).to_contain_text("only a later one can be added")
    page.fill("#year", "2028")
    page.get_by_role("button", name="Add the cycle").click()
    expect(page.get_by_role("rowheader", name="2028")).to_be_visible()


def test_what_is_secret_is_shown_once(desk: Desk) -> None:
    page = desk.at("mfa_reviewer", ENGLISH, WIDE, scripts=False)
    page.goto("/tokens")
    page.fill("#label", "nightly script")
    page.check("input[name='scope-proposals:read']")
    page.get_by_role("button", name="Make the token").click()
    if page.get_by_role("alert").count():  # the demo's people have the tokens they may have
        page.goto("/tokens")
        page.get_by_role("button", name="Revoke").first.click()
        page.fill("#label", "nightly script")
        page.get_by_role("button", name="Make the token").click()
    assert re.fullmatch(r"earmark_[0-9A-Za-z]{37}", page.inner_text(".secret code"))
    page.goto("/tokens")
    assert page.locator(".secret").count() == 0
    page.goto("/webhooks")
    page.fill("#url", "https://hooks.example.org/earmark")
    page.check("input[name=all]")
    page.get_by_role("button", name="Register").click()
    first = page.inner_text(".secret code")
    assert first.startswith("whsec_")
    page.get_by_role("button", name="New secret").click()
    assert page.inner_text(".secret code") not in ("", first)
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_role("status")).to_contain_text("A test is on its way")
    expect(page.locator("pre")).to_contain_text("webhook.test")
    page.goto("/webhooks")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("deleted")


def test_the_language_one_chooses_is_that_of_the_next_page_and_a_calendar_is_had(desk: Desk) -> None:
    page = desk.at("mfa_finance", ENGLISH, WIDE, scripts=False)
    page.goto("/account")
    page.get_by_role("button", name="Get an address").click()
    assert page.inner_text(".secret code").endswith(".ics")
    page.check("input[value=da]")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Din konto")
    page.get_by_role("button", name="Stop kalenderen").click()
    expect(page.get_by_role("button", name="Få en adresse")).to_be_visible()


def test_an_auditor_filters_the_log_exports_it_and_sees_that_it_is_whole(reading: Desk) -> None:
    page = reading.at("auditor")
    page.goto("/audit?event=consultation.conclude")
    assert set(page.locator("tbody th a").all_inner_texts()) == {"consultation.conclude"}
    with page.expect_download() as waited:
        page.get_by_role("link", name="Export as CSV").click()
    lines = waited.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) > 2
    assert all("consultation.conclude" in one for one in lines[1:])
    page.get_by_role("link", name="Check that it is whole").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The log is whole")
    page.fill("#heads", "ab" * 32)
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The log is not whole")
    page.keyboard.press("Alt+ArrowLeft")


def test_rules_are_read_in_words_and_tried_on_a_proposal_one_sees(reading: Desk) -> None:
    page = reading.at("iom_office")
    page.goto("/rules")
    expect(page.locator("#a1")).to_contain_text("The number of “activity stages” is at least 2.")
    page.fill("#ref", "DK-IOM-2027-005")
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto("/")
    ref = (page.locator("tbody th a").first.get_attribute("href") or "").rpartition("/")[2]
    page.goto(f"/rules?ref={ref}&version=2023.1")
    expect(page.get_by_role("columnheader", name="By 2023.1")).to_be_visible()
    page.goto("/notifications")
    page.keyboard.press("?")
    expect(page.locator("#keys p")).to_be_visible()
