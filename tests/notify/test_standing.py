"""What is no longer so when its turn comes is not sent, and nobody hears what their new role or office is not for."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.notify import outbox
from app.records import notices
from app.services import standing
from app.services.clock import Now
from tests.notify.conftest import NOW, Stage

REF = "DK-IOM-2023-001"
GONE = {
    "proposal.recommend": ("DK-IOM-2027-005", {}, "The proposal is submitted since."),
    "proposal.return": ("DK-IOM-2027-005", {}, "The proposal is submitted since."),
    "agreement.to_sign": (REF, {}, "It was signed since."),
    "payment.prepared": ("payment/1", {}, "The tranche has moved on since."),
    "minutes.to_confirm": ("consultation/1", {"consultation": 1}, "The minutes were confirmed since."),
    "consultation.planned": ("consultation/1", {"date": "2022-02-01", "place": "Elsewhere"}, "It was moved since."),
}


@pytest.mark.parametrize("kind", GONE)
def test_what_asks_for_nothing_any_more_is_not_sent(kind: str, stage: Stage) -> None:
    subject, facts, why = GONE[kind]
    ref = subject if subject.startswith("DK") else REF if kind.startswith("payment") else None
    before = stage.last()
    outbox.owe(stage.tx, kind, subject, NOW.at, facts, ref)
    stage.tx.execute(text("UPDATE person SET disabled_at = NULL"))
    numbers = list(stage.tx.scalars(text("SELECT id FROM message WHERE notice_id > :id"), {"id": before}))
    rows = [one for one in notices.messages(stage.tx, numbers) if one.person_id]
    assert rows
    assert {standing.untrue(stage.tx, one, NOW) for one in rows} == {why}


def test_who_has_another_role_or_office_since_hears_nothing(stage: Stage) -> None:
    before = stage.last()
    outbox.owe(stage.tx, "clarification.answered", "clarification/1", NOW.at, {"answer": "Yes."}, REF)
    numbers = list(stage.tx.scalars(text("SELECT id FROM message WHERE notice_id > :id"), {"id": before}))
    assert {standing.untrue(stage.tx, one, NOW) for one in notices.messages(stage.tx, numbers)} == {None}
    stage.tx.execute(text("UPDATE person SET role = 'iom_office', office_code = 'IOM-TN' WHERE role = 'mfa_reviewer'"))
    said = {standing.untrue(stage.tx, one, NOW) for one in notices.messages(stage.tx, numbers) if one.person_id}
    assert said == {"The reader has another role or office since."}


def test_how_far_off_a_day_is_follows_the_day() -> None:
    facts = json.loads('{"closes_on": "2026-12-31", "days": 7, "titles": "A draft"}')
    later = Now(NOW.at + timedelta(days=30), NOW.today + timedelta(days=30))
    assert standing.distance(facts, NOW)["days"] == 38
    assert standing.distance(facts, later)["days"] == 8
    assert standing.distance({"year": 2026}, NOW) == {"year": 2026}


def test_what_a_newer_notice_ends_is_not_replayed_or_sent_again(stage: Stage) -> None:
    before = stage.last()
    outbox.owe(stage.tx, "proposal.recommend", "DK-IOM-2027-001", NOW.at, {}, "DK-IOM-2027-001")
    stage.tx.execute(text("UPDATE message SET state = 'dead' WHERE notice_id > :id"), {"id": before})
    outbox.owe(stage.tx, "proposal.return", "DK-IOM-2027-001", NOW.at, {"deadline": "2026-12-20"}, "DK-IOM-2027-001")
    query = text(
        "SELECT DISTINCT state FROM message JOIN notice ON notice.id = notice_id WHERE kind = 'proposal.recommend' "
        "AND notice.id > :id"
    )
    found: list[Any] = list(stage.tx.scalars(query, {"id": before}))
    assert found == ["superseded"]
