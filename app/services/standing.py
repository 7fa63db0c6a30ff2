"""Whether what a message says still holds when its turn comes, perhaps days later: what asks for nothing any more is not sent.

Events that only tell what happened stay true; here are those that ask somebody to act, or to come.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from app.db import Record, Tx
from app.domain.cycle import day_of
from app.domain.people import IOM, Role, Side
from app.domain.report import DONE
from app.domain.workflow import State
from app.records import agreements, consultations, meetings, proposals, reminders, reports
from app.records import review as review_records
from app.records.notices import WAITING
from app.services.amendments import OPEN
from app.services.clock import Now
from app.services.review import ASKED_IN

MOVED_ON = "The proposal is {state} since."
Facts = Mapping[str, Any]
Check = Callable[[Tx, Record, Facts, date], str | None]


def untrue(tx: Tx, row: Record, now: Now) -> str | None:
    """Why a message is not sent any more; None while it can be. `row` is a message with its notice and reader."""
    if row.person_id is None:
        return None  # a webhook hears what happened; what newer events made untrue was taken back by them
    if readdressed(row):
        return "The reader has another role or office since."
    check = _CHECKS.get(row.kind)
    return check(tx, row, json.loads(row.facts), now.today) if check else None


def readdressed(row: Record) -> bool:
    """Whether the reader has another role or office than the message was addressed to."""
    return row.addressed_role is not None and (row.addressed_role, row.addressed_office) != (row.role, row.office_code)


def _while_in(*states: State) -> Check:
    def check(tx: Tx, row: Record, facts: Facts, today: date) -> str | None:
        state = proposals.row_of(tx, row.ref).state
        return None if state in states else MOVED_ON.format(state=state)

    return check


def _question(tx: Tx, row: Record, facts: Facts, today: date) -> str | None:
    number = int(row.subject.partition("/")[2])
    asked = review_records.clarification_of(tx, proposals.row_of(tx, row.ref).id, number)
    if asked is not None and asked.answered_at is not None:
        return "The question was answered since."
    return _while_in(*ASKED_IN)(tx, row, facts, today)


def _signature(tx: Tx, row: Record, facts: Facts, today: date) -> str | None:
    """The agreement, or the amendment of that number, still lacks the signature of the reader's side."""
    number, proposal_id = int(facts.get("number", 0)), proposals.row_of(tx, row.ref).id
    side = Side.IOM if Role(row.role) in IOM else Side.MFA
    if any(one.side == side for one in agreements.signatures_of(tx, proposal_id, number)):
        return "It was signed since."
    if not number:
        return _while_in(State.APPROVED)(tx, row, facts, today)
    open_ = {one.number for one in agreements.amendments_of(tx, proposal_id) if one.state == OPEN}
    return None if number in open_ else "The amendment is not open any more."


def _payment(tx: Tx, row: Record, facts: Facts, today: date) -> str | None:
    kept = agreements.payment_of(tx, int(row.subject.partition("/")[2]))
    wanted = row.kind.partition(".")[2]
    return None if kept is not None and kept.state == wanted else "The tranche has moved on since."


def _minutes(tx: Tx, row: Record, facts: Facts, today: date) -> str | None:
    said = {one.answer for one in consultations.answers_of(tx, facts["consultation"])}
    return "The minutes were confirmed since." if "confirm" in said else None


def _invitation(tx: Tx, row: Record, facts: Facts, today: date) -> str | None:
    """The meeting is as it was told, and still to come."""
    family, number = row.subject.split("/")
    held = (consultations.consultation_of if family == "consultation" else meetings.meeting_of)(tx, int(number))
    if held is None:
        return None
    if held.cancelled_at is not None:
        return "It was cancelled since."
    if (held.held_on.isoformat(), held.place) != (facts["date"], facts["place"]):
        return "It was moved since."
    put_right = row.kind.endswith(".moved") and held.held_on < day_of(row.happened_at)  # it took place on another day
    return "It is over." if held.held_on < today and not put_right else None


def _window(tx: Tx, row: Record, facts: Facts, today: date) -> str | None:
    cycle = next((one for one in reminders.windows(tx) if one.year == facts["cycle"]), None)
    told = {name: date.fromisoformat(facts[name]) for name in ("opens_on", "closes_on") if name in facts}
    if cycle is None or any(getattr(cycle, name) != day for name, day in told.items()):
        return "The window was moved since."
    if cycle.closes_on < today:
        return "The window has closed."
    return "No draft is left." if row.kind == "window.closes" and not _drafts(tx, facts) else None


def _drafts(tx: Tx, facts: Facts) -> list[str]:
    """What the offices of a reminder have not submitted yet."""
    left = reminders.drafts(tx, facts["cycle"])
    return [one.title or one.ref for one in left if one.office_code in facts.get("offices", ())]


def _deadline(tx: Tx, row: Record, facts: Facts, today: date) -> str | None:
    """The proposal can still be submitted until the day that is told."""
    known = proposals.row_of(tx, row.ref).deadline_on
    if known is not None and known.isoformat() != facts["deadline"]:
        return "The deadline was moved since."
    return _while_in(State.RETURNED)(tx, row, facts, today)


def _report(tx: Tx, row: Record, facts: Facts, today: date) -> str | None:
    kept = reports.report_of(tx, proposals.row_of(tx, row.ref).id, facts["year"])
    if kept is not None and kept.state in DONE:
        return "The report was submitted since."
    if row.kind == "report.due" and date.fromisoformat(facts["due_on"]) < today:
        return "The day is over."
    return _while_in(State.AGREED, State.DISBURSED)(tx, row, facts, today)


_CHECKS: dict[str, Check] = {
    "proposal.recommend": _while_in(State.RECOMMENDED),
    "proposal.return": _while_in(State.RETURNED),
    "proposal.screened_out": _while_in(State.RETURNED),
    "proposal.deadline_moved": _deadline,
    "clarification.asked": _question,
    "agreement.to_sign": _signature,
    "amendment.to_sign": _signature,
    "payment.prepared": _payment,
    "payment.released": _payment,
    "minutes.to_confirm": _minutes,
    "consultation.planned": _invitation,
    "consultation.moved": _invitation,
    "technical_meeting.planned": _invitation,
    "technical_meeting.moved": _invitation,
    "window.opens": _window,
    "window.closes": _window,
    "report.due": _report,
    "report.overdue": _report,
}


def distance(facts: Facts, now: Now) -> dict[str, Any]:
    """The facts with the days that are left today, where they say how many there were when it was owed."""
    day = facts.get("closes_on") or facts.get("due_on")
    return {**facts, "days": (date.fromisoformat(day) - now.today).days} if "days" in facts and day else dict(facts)


def current(tx: Tx, row: Record, now: Now) -> dict[str, Any]:
    """A message's facts with what follows the day it is read on: days that are left, a deadline that moved, drafts left.

    What was sent already says what was frozen.
    """
    facts = distance(json.loads(row.facts), now)
    if row.state != WAITING:
        return facts
    if row.kind == "window.closes":
        facts["titles"] = ", ".join(_drafts(tx, facts)) or facts["titles"]
    if row.kind == "proposal.screened_out":
        known = proposals.row_of(tx, row.ref).deadline_on
        facts["deadline"] = known.isoformat() if known else facts["deadline"]
    return facts
