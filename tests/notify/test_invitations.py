"""Invitations: a meeting that moves, is about other proposals or is called off, in the calendars of those it concerns."""

from datetime import date
from typing import Any

import icalendar
import pytest
from sqlalchemy import text, update

from app.errors import AppError
from app.records.notice_tables import message
from app.services import consultations, deliveries, meetings
from app.services.clock import Now
from app.services.consultations import Plan
from tests.notify.conftest import NOW, SENDER, Stage

DAY, LATER = date(2026, 12, 8), date(2026, 12, 15)


def meeting(refs: list[str], day: date = DAY, place: str = "Tunis") -> dict[str, Any]:
    when = {"cycle": 2026, "date": day, "place": place, "participants": []}
    return {**when, "proposals": refs, "notes": "", "follow_ups": []}


def by_kind(stage: Stage, after: int) -> dict[str, set[str]]:
    """Who is told what kind since a notice, of what is still to be sent."""
    waiting = set(stage.tx.scalars(text("SELECT id FROM message WHERE state = 'waiting'")))
    found: dict[str, set[str]] = {}
    for one in stage.told(after):
        if one.id in waiting:
            found.setdefault(one.kind.partition(".")[2], set()).add(one.name)
    return found


def send_all(stage: Stage) -> None:
    stage.tx.execute(update(message).where(message.c.state == "waiting").values(state="sent", attempts=1))


def agreed(stage: Stage, country: str, but: str = "XX") -> str:
    """A proposal of the demo that is agreed or further and touches one country, not another one."""
    query = """SELECT proposal.ref, face.content FROM proposal JOIN face ON face.proposal_id = proposal.id
        WHERE face.side = 'mfa' AND proposal.state IN ('agreed', 'disbursed', 'closed') ORDER BY proposal.id"""
    rows = stage.tx.execute(text(query))
    return next(row.ref for row in rows if f'"{country}"' in row.content and f'"{but}"' not in row.content)


def event_to(stage: Stage, name: str, after: int) -> tuple[str, Any]:
    """The method and event of the newest mail to somebody, and that its text has no date they were not told."""
    number = [one.id for one in stage.told(after) if one.name == name][-1]
    made = deliveries.ready(stage.tx, [number], stage.library, SENDER, NOW).mail
    assert made
    (part,) = made.iter_attachments()
    assert part.get_content_type() == "text/calendar"
    read = icalendar.Calendar.from_ical(part.get_content())
    assert part.get_param("method") == str(read["METHOD"])
    return str(read["METHOD"]), read.walk("VEVENT")[0]


def test_whom_a_moved_meeting_no_longer_concerns_is_told_so(stage: Stage) -> None:
    tunis, horn = agreed(stage, "TN", "ML"), agreed(stage, "ET", "TN")
    before, desk = stage.last(), stage.actor("en")
    number = meetings.add(stage.tx, desk, meeting([tunis]), NOW)
    assert {"tunis", "tunisia", "mission", "da"} <= by_kind(stage, before)["planned"]
    assert "bamako" not in by_kind(stage, before)["planned"]
    method, first = event_to(stage, "tunis", before)
    assert (method, str(first["STATUS"])) == ("REQUEST", "CONFIRMED")
    send_all(stage)
    before = stage.last()
    meetings.replace(stage.tx, desk, number, meeting([horn], LATER, "Addis Ababa"), None, True, NOW)
    told = by_kind(stage, before)
    assert told["uninvited"] == {"tunis", "tunisia"}
    assert not told["moved"] & told["uninvited"]
    method, gone = event_to(stage, "tunis", before)
    assert (method, "STATUS" in gone) == ("CANCEL", False)  # the meeting takes place without them (RFC 5546, 3.2.5)
    assert gone["UID"] == first["UID"]
    assert gone["SEQUENCE"] > first["SEQUENCE"]
    assert str(gone["LOCATION"]) == "Tunis", "nothing of the new place"
    # Back before anything was sent: the taking back is taken back, and nobody hears of it.
    meetings.replace(stage.tx, desk, number, meeting([tunis], LATER, "Addis Ababa"), None, True, NOW)
    meetings.replace(stage.tx, desk, number, meeting([tunis], LATER), None, True, NOW)
    told = by_kind(stage, before)
    assert "tunis" in told["moved"]
    assert "tunis" not in told.get("uninvited", set())


def test_whom_a_meeting_concerns_only_now_is_invited_and_nobody_twice(stage: Stage) -> None:
    tunis, horn = agreed(stage, "TN"), agreed(stage, "ET", "TN")
    before, desk = stage.last(), stage.actor("en")
    number = meetings.add(stage.tx, desk, meeting([horn]), NOW)
    everybody = by_kind(stage, before)["planned"]
    meetings.replace(stage.tx, desk, number, meeting([horn, tunis]), None, True, NOW)
    names = [one.name for one in stage.told(before)]
    assert sorted(names) == sorted({*names}), "each once"
    assert "tunis" in {*names} - everybody
    before = stage.last()
    meetings.replace(stage.tx, desk, number, {**meeting([horn, tunis]), "notes": "Written up."}, None, True, NOW)
    assert stage.told(before) == []


def test_a_cancelled_meeting_leaves_the_calendars_of_all_who_were_invited(stage: Stage) -> None:
    before, desk = stage.last(), stage.actor("en")
    number = meetings.add(stage.tx, desk, meeting([agreed(stage, "TN")]), NOW)
    invited = by_kind(stage, before)["planned"]
    _, first = event_to(stage, "tunis", before)
    send_all(stage)
    stage.tx.execute(text("UPDATE office SET countries = 'DZ' WHERE code = 'EMB-TUNIS'"))
    before = stage.last()
    meetings.cancel(stage.tx, desk, number, "The road is closed.", None, NOW)
    assert by_kind(stage, before) == {"cancelled": invited}, "also who would no longer be asked"
    method, event = event_to(stage, "tunis", before)
    assert (method, str(event["STATUS"])) == ("CANCEL", "CANCELLED")
    assert (event["UID"], event["SEQUENCE"] > first["SEQUENCE"]) == (first["UID"], True)
    for again in (
        lambda: meetings.cancel(stage.tx, desk, number, "Twice.", None, NOW),
        lambda: meetings.replace(stage.tx, desk, number, meeting([]), None, True, NOW),
    ):
        with pytest.raises(AppError) as refused:
            again()
        assert refused.value.code == "wrong_state"


def test_what_was_held_is_not_cancelled(stage: Stage) -> None:
    desk = stage.actor("en")
    number = meetings.add(stage.tx, desk, meeting([]), NOW)
    with pytest.raises(AppError) as refused:
        meetings.cancel(stage.tx, desk, number, "Too late.", None, Now(NOW.at, LATER))
    assert refused.value.code == "already_held"


def test_who_never_got_the_invitation_hears_nothing_of_its_end(stage: Stage) -> None:
    before, head = stage.last(), stage.actor("head")
    number = consultations.create(stage.tx, head, Plan(2027, DAY, "Geneva", [], "Early."), stage.book, NOW)
    tried = next(one.id for one in stage.told(before) if one.name == "mission")
    stage.tx.execute(update(message).where(message.c.id == tried).values(attempts=1))  # it may have arrived
    consultations.cancel(stage.tx, head, number, "No vote yet.", None, NOW)
    assert by_kind(stage, before) == {"cancelled": {"mission"}}
