"""The technical meeting in the field, third quarter: it decides nothing; both sides and the embassies concerned read it."""

import json
from typing import Any

from app.db import Record, Tx
from app.domain.people import MFA, Actor, Role
from app.domain.workflow import State
from app.errors import Fault, Invalid, NotFound, check_version, refuse_unless
from app.notify import invitations, outbox
from app.records import cycles, meetings, proposals
from app.services import audit
from app.services.clock import Now

_KIND = "technical_meeting"
_MEANWHILE = "Somebody else changed this meeting at the same time; read it again."
FUNDED = (State.AGREED, State.DISBURSED, State.CLOSED)
_WHOLE = MFA | {Role.AUDITOR, Role.MISSION, Role.IOM_FOCAL_POINT}  # who reads a meeting whatever it discussed


def add(tx: Tx, actor: Actor, sent: dict[str, Any], now: Now) -> int:
    """Write a meeting down; its number."""
    ids = _check(tx, actor, sent, [])
    number = meetings.add(tx, {**_values(sent, now), "created_by": actor.id})
    meetings.discuss(tx, number, ids)
    facts: audit.Facts = {"date": str(sent["date"]), "proposals": sent["proposals"]}
    audit.record(tx, actor, "technical_meeting.add", _name(number), now, facts, after=audit.digest(sent["notes"]))
    if sent["date"] >= now.today:  # what is written down afterwards invites nobody
        outbox.owe(tx, "technical_meeting.planned", _name(number), now.at, _facts_of(tx, number))
    return number


def replace(
    tx: Tx, actor: Actor, number: int, sent: dict[str, Any], expected: frozenset[int] | None, given: bool, now: Now
) -> None:
    """Replace what is written of a meeting. Refuses in the order 404, 428, 412, 422, 409."""
    row = _row(tx, actor, number)
    check_version("the meeting", row.version, expected, given)
    refs, known = meetings.refs_of(tx, number), _when(row)
    ids = _check(tx, actor, sent, refs)
    _refuse_cancelled(row)
    changed = meetings.replace(tx, number, row.version, _values(sent, now))
    refuse_unless(changed, "changed_meanwhile", _MEANWHILE)
    meetings.discuss(tx, number, ids)
    facts: audit.Facts = {"date": str(sent["date"]), "proposals": sent["proposals"]}
    before, after = audit.digest(row.notes), audit.digest(sent["notes"])
    audit.record(tx, actor, "technical_meeting.change", _name(number), now, facts, before, after)
    if max(sent["date"], row.held_on) < now.today:
        return  # it is over: nobody need come, or stay away
    if (sent["date"], sent["place"]) != (row.held_on, row.place):
        invitations.move(tx, _KIND, _name(number), now.at, _facts_of(tx, number), known)
    elif sorted(sent["proposals"]) != refs:
        invitations.readdress(tx, _KIND, _name(number), now.at, _facts_of(tx, number), known)


def cancel(tx: Tx, actor: Actor, number: int, reason: str, expected: frozenset[int] | None, now: Now) -> None:
    """Call a meeting off, at the latest on its day; it stays, with the reason. Whoever was invited is told."""
    row = _row(tx, actor, number)
    check_version("the meeting", row.version, expected)
    _refuse_cancelled(row)
    said = f"It was held on {row.held_on}; what has taken place is not cancelled."
    refuse_unless(now.today <= row.held_on, "already_held", said)
    values = {"cancelled_at": now.at, "cancelled_because": reason, "updated_at": now.at}
    changed = meetings.replace(tx, number, row.version, values)
    refuse_unless(changed, "changed_meanwhile", _MEANWHILE)
    audit.record(tx, actor, "technical_meeting.cancel", _name(number), now, after=audit.digest(reason))
    told = {**_facts_of(tx, number), "reason": reason}
    outbox.owe(tx, "technical_meeting.cancelled", _name(number), now.at, told)


def _refuse_cancelled(row: Record) -> None:
    refuse_unless(row.cancelled_at is None, "wrong_state", "It is cancelled; nothing about it changes any more.")


def _check(tx: Tx, actor: Actor, sent: dict[str, Any], there: list[str]) -> list[int]:
    """The numbers of the proposals, or Invalid: a meeting is of a cycle there is and discusses what is (or was) agreed."""
    found = [proposals.proposal_for(tx, actor, ref) for ref in sent["proposals"]]
    faults = []
    if cycles.cycle_of(tx, sent["cycle"]) is None:
        faults.append(Fault("/cycle", "unknown_cycle", f"There is no cycle {sent['cycle']}."))
    for i, (ref, row) in enumerate(zip(sent["proposals"], found, strict=True)):
        if row is None:
            faults.append(Fault(f"/proposals/{i}", "unknown_proposal", f"There is no proposal '{ref}'."))
        elif row.state not in FUNDED and ref not in there:
            said = f"{ref} is {row.state}; a technical meeting discusses what is agreed."
            faults.append(Fault(f"/proposals/{i}", "wrong_state", said))
        elif ref in sent["proposals"][:i]:
            faults.append(Fault(f"/proposals/{i}", "duplicate", f"{ref} is listed twice."))
    if faults:
        raise Invalid("validation_failed", "The meeting cannot be written down so.", faults=faults)
    return [row.id for row in found if row is not None]


def _values(sent: dict[str, Any], now: Now) -> dict[str, Any]:
    follow_ups = [{**one, "due_on": one["due_on"].isoformat()} for one in sent["follow_ups"]]
    return {
        "cycle_year": sent["cycle"],
        "held_on": sent["date"],
        "place": sent["place"],
        "participants": json.dumps(sent["participants"]),
        "notes": sent["notes"],
        "follow_ups": json.dumps(follow_ups),
        "updated_at": now.at,
    }


def _name(number: int) -> str:
    return f"technical-meeting/{number}"


def event_of(row: Record) -> tuple[str, dict[str, Any]]:
    """How a calendar knows a meeting, and what is told of it."""
    when = {"date": row.held_on.isoformat(), "place": row.place, "sequence": row.version}
    return _name(row.id), {"meeting": row.id, "cycle": row.cycle_year, **when}


def _facts_of(tx: Tx, number: int) -> dict[str, Any]:
    """What notices say of a meeting, and whose offices and countries it concerns."""
    row = meetings.meeting_of(tx, number)
    assert row, "what is told of is there"
    concerned = [proposals.signed(tx, ref) for ref in meetings.refs_of(tx, number)]
    contents = [json.loads(one.content) for found in concerned for one in found]
    return {
        "meeting": number,
        **_when(row),
        "sequence": row.version,
        "offices": sorted({one.office_code for found in concerned for one in found}),
        "countries": [{"code": code} for code in sorted({c["code"] for one in contents for c in one["countries"]})],
    }


def _when(row: Record) -> dict[str, Any]:
    return {"cycle": row.cycle_year, "date": row.held_on.isoformat(), "place": row.place}


def _row(tx: Tx, actor: Actor, number: int) -> Record:
    row = meetings.meeting_of(tx, number)
    if row is None or _shown(tx, actor, row) is None:
        raise NotFound("meeting_not_found", f"There is no technical meeting {number} that you can see.")
    return row


def knock(tx: Tx, actor: Actor, number: int, expected: frozenset[int] | None, given: bool) -> None:
    """404, 428 and 412 before a body is even read."""
    check_version("the meeting", _row(tx, actor, number).version, expected, given)


def described(tx: Tx, actor: Actor, number: int) -> dict[str, Any]:
    """A meeting as this actor sees it."""
    row = _row(tx, actor, number)
    said = _shown(tx, actor, row)
    assert said, "a row that is seen is shown"
    return said


def listed(tx: Tx, actor: Actor, cycle: int | None) -> list[dict[str, Any]]:
    """The meetings this actor sees, newest first."""
    rows = meetings.listed(tx, cycle)
    discussed = meetings.discussed_by(tx, [row.id for row in rows])
    seen = proposals.seen_among(tx, actor, {number for one in discussed.values() for number in one})
    return [said for row in rows if (said := _told(actor, row, discussed.get(row.id, {}), seen))]


def _shown(tx: Tx, actor: Actor, row: Record) -> dict[str, Any] | None:
    """A meeting as this actor sees it; None where they do not."""
    discussed = meetings.discussed_by(tx, [row.id]).get(row.id, {})
    return _told(actor, row, discussed, proposals.seen_among(tx, actor, discussed))


def _told(actor: Actor, row: Record, refs: dict[int, str], visible: frozenset[int]) -> dict[str, Any] | None:
    """A meeting with those of its proposals that the actor sees; None for an office or embassy that it does not concern."""
    seen = [ref for number, ref in refs.items() if number in visible]
    if refs and not seen and actor.role not in _WHOLE:
        return None
    return {
        "id": row.id,
        "cycle": row.cycle_year,
        "date": row.held_on.isoformat(),
        "place": row.place,
        "participants": json.loads(row.participants),
        "proposals": seen,
        "notes": row.notes,
        "follow_ups": json.loads(row.follow_ups),
        "updated_at": row.updated_at,
        "cancelled_at": row.cancelled_at,
        "cancelled_because": row.cancelled_because,
        "version": row.version,
    }
