"""Every page, for everybody who may see it, in both languages and at both sizes: no barrier, no complaint, nothing too wide."""

import os

import pytest

from tests.browser.desk import DANISH, ENGLISH, NARROW, WIDE, Desk, barriers, overflow

# Who looks at what; each page by one of those it is made for, some by several because they see it differently.
LOOKS = [
    (None, "/login"),
    ("mfa_reviewer", "/account"),
    ("mfa_reviewer", "/"),
    ("mfa_head", "/"),
    ("mfa_finance", "/"),
    ("iom_focal_point", "/"),
    ("iom_office", "/?tab=drafts"),
    ("embassy", "/?q=nothing+fits"),
    ("mfa_reviewer", "/proposals/DK-IOM-2027-005"),
    ("mfa_reviewer", "/proposals/DK-IOM-2027-001"),
    ("iom_focal_point", "/proposals/DK-IOM-2027-004"),
    ("mission", "/proposals/DK-IOM-2023-001"),
    ("auditor", "/proposals/DK-IOM-2027-003"),
    ("auditor", "/proposals/DK-IOM-1999-001"),
    (None, "/accessibility"),
    ("iom_focal_point", "/account"),
    ("mfa_head", "/notifications"),
    ("auditor", "/notifications?state=sent&kind=proposal.approve"),
    ("iom_focal_point", "/notifications/29"),
    ("mfa_reviewer", "/webhooks"),
    ("auditor", "/audit"),
    ("auditor", "/audit/verify?heads=0"),
    ("mfa_reviewer", "/rules"),
    ("mfa_head", "/rules?from=2023.1&to=2023.1"),
    ("mfa_reviewer", "/rules?ref=DK-IOM-2027-003&version=2023.1"),
    ("admin", "/users"),
    ("admin", "/tokens"),
    ("admin", "/cycles"),
    ("iom_office", "/cycles"),
    ("mfa_reviewer", "/consultations"),
    ("mission", "/consultations"),
    ("mfa_reviewer", "/consultations/5"),
    ("mfa_head", "/consultations/4?item=DK-IOM-2026-001"),
    ("iom_focal_point", "/consultations/5"),
    ("mfa_head", "/consultations/5/conclude"),
    ("mfa_head", "/consultations/5/present"),
    ("mfa_head", "/consultations/5/present?item=DK-IOM-2027-001"),
    ("mfa_head", "/consultations/4/minutes"),
    ("mfa_head", "/proposals/DK-IOM-2026-001/money"),
    ("iom_focal_point", "/proposals/DK-IOM-2026-001/money"),
    ("mfa_finance", "/proposals/DK-IOM-2025-001/money"),
    ("mission", "/proposals/DK-IOM-2027-005/money"),
    ("mfa_head", "/proposals/DK-IOM-2025-001/amendments"),
    ("embassy", "/proposals/DK-IOM-2024-001/reports"),
    ("iom_focal_point", "/proposals/DK-IOM-2025-001/reports/2026"),
    ("mfa_reviewer", "/proposals/DK-IOM-2025-001/reports/2025"),
    ("mfa_head", "/proposals/DK-IOM-2023-001/extract"),
    ("mfa_finance", "/payments"),
    ("admin", "/envelopes"),
    ("mfa_reviewer", "/proposals/DK-IOM-2027-001/content"),
    ("iom_focal_point", "/proposals/DK-IOM-2027-007/content"),
    ("mfa_reviewer", "/proposals/DK-IOM-2023-001/papers?diff=2"),
    ("iom_focal_point", "/proposals/DK-IOM-2027-004/papers"),
    ("iom_focal_point", "/drafts/new"),
    ("mfa_head", "/dashboard"),
    ("auditor", "/dashboard?cycle=2026"),
]


# The suite looks at each page twice, the soak in both languages at both sizes.
EACH = ((ENGLISH, WIDE), (DANISH, NARROW))
ALL = (*EACH, (ENGLISH, NARROW), (DANISH, WIDE))


@pytest.mark.parametrize(("role", "path"), LOOKS)
def test_a_page_has_no_barrier_and_fits(role: str | None, path: str, reading: Desk) -> None:
    thorough = "SOAK_SEED" in os.environ
    for language, size in ALL if thorough else EACH:
        before = len(reading.complaints)
        page = reading.looking(role, language, size)
        answer = page.goto(path)
        assert answer is not None
        assert role is None or "/login" not in page.url
        missing = "1999" in path
        assert answer.status == (404 if missing else 200)
        # The same elements have the same colours in another window and language, but for the labels of narrow lists.
        contrast = thorough or size == WIDE or page.locator(".list .label").count() > 0
        assert barriers(page, contrast) == []
        assert overflow(page) == 0
        assert missing or reading.complaints[before:] == []


def test_a_barrier_would_be_found(reading: Desk) -> None:
    page = reading.at("mfa_reviewer")
    page.goto("/")
    page.evaluate("document.querySelector('label[for=q]').remove()")
    page.evaluate("document.querySelector('.lead').style.color = '#ddd'")
    assert {one.partition(":")[0] for one in barriers(page)} == {"label", "color-contrast"}
    page.close()
