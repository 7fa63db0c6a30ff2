"""What is told stays true until it is read: days that move, meetings put right, what was dropped by mistake; and a receipt says all."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.cycle import noon_of
from app.domain.people import Actor
from app.domain.proposal import read_content
from app.errors import AppError
from app.records import notices
from app.records import reminders as reminder_records
from app.services import casework, cycles, deliveries, intake, meetings, notifications, reminders, standing
from app.services.casework import Request
from app.services.clock import Now
from tests.notify.conftest import NOW, SENDER, Stage
from tests.notify.test_invitations import agreed, by_kind, meeting
from tests.web.test_proposals import STRONG, shifted

EARLIER = date(2026, 12, 10)


def screened_out(stage: Stage) -> str:
    """A proposal of IOM Niger that screening returned, for want of a complaints mechanism."""
    whole = json.loads(
        json.dumps(shifted(STRONG)).replace('"complaints_mechanism": true', '"complaints_mechanism": false')
    )
    content, _ = read_content(whole, stage.book.indicator_codes)
    assert content is not None
    ref = intake.create(stage.tx, stage.actor("niger"), 2027, "IOM-NE", content, [], stage.book, NOW)
    casework.make_move(stage.tx, stage.actor("sender"), ref, Request("submit"), stage.book, NOW)
    return ref


def mails(stage: Stage, after: int, name: str) -> list[Any]:
    numbers = [one.id for one in stage.told(after) if one.name == name]
    return notices.messages(stage.tx, numbers)


def text_of(stage: Stage, row: Any) -> str:
    made = deliveries.mail_of(stage.tx, [row], row.language or "en", stage.library, SENDER, NOW)
    body = made.get_body(("plain",))
    assert body
    return str(body.get_content())


def move_end(stage: Stage, day: date) -> None:
    admin, days = stage.actor("admin"), stage.book.framework.calendar.return_days_after_screening
    cycles.move_window(stage.tx, admin, 2027, None, day, "Parliament votes early.", None, days, NOW)


def test_whom_screening_returned_hears_of_a_deadline_that_moves_with_the_window(stage: Stage) -> None:
    before = stage.last()
    ref = screened_out(stage)
    (waiting,) = mails(stage, before, "niger")
    assert "31 December 2026" in text_of(stage, waiting)
    after = stage.last()
    move_end(stage, EARLIER)
    said = [one for one in mails(stage, after, "niger") if one.ref == ref]
    assert [one.kind for one in said] == ["proposal.deadline_moved"]
    assert "10 December 2026" in text_of(stage, said[0])
    assert "10 December 2026" in text_of(stage, waiting), "what had not left yet says the new day too"
    assert ref in {one.ref for one in reminder_records.drafts(stage.tx, 2027)}, "and is reminded of its end"
    move_end(stage, EARLIER + timedelta(days=1))
    assert notices.messages(stage.tx, [said[0].id])[0].state == "superseded"


def test_a_receipt_says_the_screening_in_words(stage: Stage) -> None:
    before = stage.last()
    screened_out(stage)
    english, danish = (text_of(stage, mails(stage, before, name)[0]) for name in ("niger", "da"))
    assert "- c. Human-rights-based approach" in english
    assert "(mandatory): not met, " in english
    assert "- c3: " in english
    assert "Screeningen:" in danish
    assert "(obligatorisk): ikke opfyldt, " in danish
    assert "The screening found" not in danish, "what the service says itself, it says in Danish"


def test_a_meeting_put_right_after_its_day_is_told(stage: Stage) -> None:
    tunis = agreed(stage, "TN", "ML")
    number = meetings.add(stage.tx, stage.actor("en"), meeting([tunis], NOW.today + timedelta(days=20)), NOW)
    before, held = stage.last(), NOW.today - timedelta(days=3)
    meetings.replace(stage.tx, stage.actor("en"), number, meeting([tunis], held), None, True, NOW)
    (told,) = mails(stage, before, "tunis")
    assert told.kind == "technical_meeting.moved"
    assert standing.untrue(stage.tx, told, NOW) is None, "the old day must leave the calendars"


def test_who_was_never_told_of_a_meeting_hears_nothing_once_it_is_about_others(stage: Stage) -> None:
    tunis, horn = agreed(stage, "TN", "ML"), agreed(stage, "ET", "TN")
    before = stage.last()
    number = meetings.add(stage.tx, stage.actor("en"), meeting([tunis]), NOW)
    meetings.replace(stage.tx, stage.actor("en"), number, meeting([horn]), None, True, NOW)
    assert "tunis" not in {name for names in by_kind(stage, before).values() for name in names}


def test_an_opening_is_told_anew_when_its_end_moves_before_it_was_sent(stage: Stage) -> None:
    opened = date(2026, 10, 1)
    then = Now(noon_of(opened), opened)
    names = []
    for day in (date(2026, 12, 31), date(2027, 1, 15)):
        stage.tx.execute(text("UPDATE cycle SET closes_on = :day WHERE year = 2027"), {"day": day})
        names += [one.name for one in reminders.due(stage.tx, stage.book.framework, then) if one.kind == "window.opens"]
        reminders.owe_due(stage.tx, stage.book.framework, then)
    assert len(names) == len(set(names)) == 2


def test_what_was_dropped_for_a_mistake_put_right_can_be_sent_by_hand(stage: Stage) -> None:
    before = stage.last()
    stage.recommended("IOM-NE", "TN")
    (row,) = [one for one in mails(stage, before, "head") if one.kind == "proposal.recommend"]
    admin: Actor = stage.actor("admin")
    notices.mark_dropped(stage.tx, row.id, "The reader's account is disabled.")
    stage.tx.execute(text("UPDATE person SET disabled_at = :at WHERE id = :id"), {"at": NOW.at, "id": row.person_id})
    with pytest.raises(AppError, match="disabled"):
        notifications.resend(stage.tx, admin, row.id, NOW)
    stage.tx.execute(text("UPDATE person SET disabled_at = NULL WHERE id = :id"), {"id": row.person_id})
    assert notifications.resend(stage.tx, admin, row.id, NOW)["state"] == "waiting"
    with pytest.raises(AppError, match="is waiting"):
        notifications.resend(stage.tx, admin, row.id, NOW)
