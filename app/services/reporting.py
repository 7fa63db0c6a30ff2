"""IOM's annual reports: written, submitted, returned with comments or accepted; what is overdue stops the next release."""

import json
from collections.abc import Collection
from typing import Any

from app.db import Record, Tx
from app.domain.cycle import day_of
from app.domain.envelope import Kind
from app.domain.framework import Framework
from app.domain.people import Actor, Side
from app.domain.report import Report, Stage, against, due_on, missing, overdue, years_owed
from app.domain.workflow import State
from app.encoding import canonical
from app.errors import Fault, Invalid, NotFound, check_version, refuse_unless
from app.notify import outbox
from app.records import agreements, attachments, money, proposals, reports, submissions
from app.services import audit, faces, review
from app.services.clock import Now

REPORTED_IN = (State.AGREED, State.DISBURSED, State.CANCELLED)  # cancelled: what was paid is accounted for


def owed(tx: Tx, row: Record) -> range:
    """The years a proposal reports on; none before its agreement is signed."""
    kept = agreements.agreement_of(tx, row.id)
    if kept is None or kept.signed_at is None:
        return range(0)
    return years_of(kept)


def years_of(kept: Record) -> range:
    """The years that are reported on under a signed agreement."""
    return years_owed(day_of(kept.signed_at), json.loads(kept.text)["period"])


def late_years(tx: Tx, row: Record, framework: Framework, now: Now) -> list[int]:
    """The years whose report is overdue today."""
    settled = {one.year: one.state for one in reports.reports_of(tx, row.id)}
    return overdue(owed(tx, row), settled, framework.calendar.report_due, now.today)


def final_accepted(tx: Tx, proposal_id: int) -> bool:
    return any(one.final and one.state == Stage.ACCEPTED for one in reports.reports_of(tx, proposal_id))


def _year(tx: Tx, row: Record, year: int) -> Record | None:
    """The report on a year, None where there is none yet; NotFound for a year that is not reported on."""
    if year not in owed(tx, row):
        raise NotFound("report_not_found", f"{row.ref} does not report on {year}.")
    return reports.report_of(tx, row.id, year)


def described(tx: Tx, actor: Actor, ref: str, year: int, framework: Framework, now: Now) -> dict[str, Any]:
    """A report as this actor sees it: IOM what it works on, the Danish side what was last submitted."""
    row = faces.seen(tx, actor, ref)
    one = _year(tx, row, year)
    if one is None or (actor.side is Side.MFA and one.submitted is None):
        raise NotFound("report_not_found", f"There is no report on {year} for {ref} yet.")
    shown = json.loads(one.content if actor.side is Side.IOM else one.submitted)
    return {
        "ref": ref,
        "year": year,
        "state": one.state,
        "due_on": due_on(year, framework.calendar.report_due).isoformat(),
        "overdue": year in late_years(tx, row, framework, now),
        "report": shown,
        "indicators": against(shown, _agreed_content(tx, row)),
        "comment": one.comment,
        "submitted_at": one.submitted_at,
        "decided_at": one.decided_at,
        "past": json.loads(one.past),
        "version": one.version,
    }


def listed(tx: Tx, actor: Actor, ref: str, framework: Framework, now: Now) -> list[dict[str, Any]]:
    """Every year a proposal reports on, with when the report is due and where it stands."""
    return standing(tx, faces.seen(tx, actor, ref), framework, now)


def standing(tx: Tx, row: Record, framework: Framework, now: Now) -> list[dict[str, Any]]:
    """Where the report on each year of a proposal stands."""
    return standing_in(owed(tx, row), reports.reports_of(tx, row.id), framework, now)


def standings(tx: Tx, ids: Collection[int], framework: Framework, now: Now) -> dict[int, list[dict[str, Any]]]:
    """As `standing`, of many proposals in two statements; those whose agreement is not signed are left out."""
    told = reports.reports_by_proposal(tx, ids)
    return {
        number: standing_in(years_of(kept), told.get(number, []), framework, now)
        for number, kept in agreements.signed_of(tx, ids).items()
    }


def standing_in(years: range, told: list[Record], framework: Framework, now: Now) -> list[dict[str, Any]]:
    """Where the report on each of these years stands, given the reports there are."""
    kept, month_day = {one.year: one for one in told}, framework.calendar.report_due
    late = overdue(years, {one.year: one.state for one in told}, month_day, now.today)
    return [
        {
            "year": year,
            "due_on": due_on(year, month_day).isoformat(),
            "state": kept[year].state if year in kept else None,
            "final": bool(kept[year].final) if year in kept else False,
            "overdue": year in late,
        }
        for year in years
    ]


def knock(tx: Tx, actor: Actor, ref: str, year: int, expected: frozenset[int] | None, given: bool) -> None:
    """404, 428 and 412 before a body is even read."""
    one = _year(tx, faces.seen(tx, actor, ref), year)
    check_version("the report", one.version if one else 0, expected, given or one is None)


def put(
    tx: Tx, actor: Actor, ref: str, year: int, sent: Report, expected: frozenset[int] | None, given: bool, now: Now
) -> None:
    """Write a report, or replace it while IOM has it. Refuses in the order 404, 428, 412, 422, 409."""
    row = faces.seen_to_change(tx, actor, ref)
    one = _year(tx, row, year)
    check_version("the report", one.version if one else 0, expected, given or one is None)
    said = f"A report that is {one.state if one else 'new'} cannot be changed; it waits for the MFA or is accepted."
    refuse_unless(one is None or one.state in (Stage.DRAFT, Stage.RETURNED), "wrong_state", said)
    _refuse_over(row)
    content = canonical(sent.model_dump(mode="json")).decode()
    values = {"content": content, "final": sent.final, "updated_at": now.at}
    if one is None:
        reports.add(tx, {"proposal_id": row.id, "year": year, "state": Stage.DRAFT, **values})
    else:
        _change(tx, one, values)
    before = audit.digest(one.content) if one else None
    audit.record(tx, actor, "report.write", ref, now, {"year": year}, before, audit.digest(content))


def _agreed_content(tx: Tx, row: Record) -> dict[str, Any]:
    """The content that is agreed: the last snapshot, for once it is signed only an amendment in force adds another."""
    snapshot = submissions.snapshot_of(tx, row.id, row.snapshots)
    assert snapshot, "what was signed is kept"
    content: dict[str, Any] = json.loads(snapshot.content)
    return content


def _refuse_over(row: Record) -> None:
    said = f"Reports are made on what is agreed or disbursed; this proposal is {row.state}."
    refuse_unless(row.state in REPORTED_IN, "wrong_state", said)


def _change(tx: Tx, one: Record, values: dict[str, Any]) -> None:
    changed = reports.change(tx, one.proposal_id, one.year, one.version, values)
    refuse_unless(changed, "changed_meanwhile", "Somebody else changed this report at the same time; read it again.")


def _there(tx: Tx, actor: Actor, ref: str, year: int, expected: frozenset[int] | None) -> tuple[Record, Record]:
    row = faces.seen_to_change(tx, actor, ref)
    one = _year(tx, row, year)
    if one is None:
        raise NotFound("report_not_found", f"There is no report on {year} for {ref} yet.")
    check_version("the report", one.version, expected)
    return row, one


def submit(tx: Tx, actor: Actor, ref: str, year: int, expected: frozenset[int] | None, now: Now) -> None:
    """Submit a report that is whole; 422 names everything it lacks."""
    row, one = _there(tx, actor, ref, year, expected)
    said = json.loads(one.content)
    faults = [
        *missing(said, _agreed_content(tx, row)),
        *_attachment_faults(tx, row, actor, said.get("attachments", [])),
    ]
    if faults:
        raise Invalid("report_incomplete", "The report cannot be submitted yet.", faults=faults)
    refuse_unless(one.state in (Stage.DRAFT, Stage.RETURNED), "wrong_state", f"The report is {one.state} already.")
    _refuse_over(row)
    values = {"state": Stage.SUBMITTED, "submitted": one.content, "submitted_at": now.at, "submitted_by": actor.id}
    _change(tx, one, {**values, "comment": None, "decided_at": None, "decided_by": None})
    audit.record(tx, actor, "report.submit", ref, now, {"year": year}, after=audit.digest(one.content))
    outbox.owe(tx, "report.submitted", _name(ref, year), now.at, {"year": year}, ref)


def _name(ref: str, year: int) -> str:
    """How notices name a report."""
    return f"report/{ref}/{year}"


def _attachment_faults(tx: Tx, row: Record, actor: Actor, numbers: list[int]) -> list[Fault]:
    """A report names files that hang on its proposal and are shared with the other side."""
    there = {one.id for one in attachments.of_proposal(tx, actor, row.id) if one.visibility == "shared"}
    said = "The proposal has no shared attachment with this number; add the file first."
    return [Fault(f"/attachments/{i}", "unknown_attachment", said) for i, n in enumerate(numbers) if n not in there]


def decide(
    tx: Tx,
    actor: Actor,
    ref: str,
    year: int,
    stage: Stage,
    comment: str | None,
    expected: frozenset[int] | None,
    now: Now,
) -> None:
    """Accept a submitted report, or return it with a comment; what was returned stays on record."""
    row, one = _there(tx, actor, ref, year, expected)
    review.refuse_conflict(tx, row, actor)
    said = f"Only a submitted report is accepted or returned; this one is {one.state}."
    refuse_unless(one.state == Stage.SUBMITTED, "wrong_state", said)
    values: dict[str, Any] = {"state": stage, "comment": comment, "decided_at": now.at, "decided_by": actor.id}
    if stage is Stage.RETURNED:
        past = {"report": json.loads(one.submitted), "comment": comment, "returned_at": now.at.isoformat()}
        values["past"] = json.dumps([*json.loads(one.past), past])
    _change(tx, one, values)
    event = "report.accept" if stage is Stage.ACCEPTED else "report.return"
    after = audit.digest(comment or "")
    audit.record(tx, actor, event, ref, now, {"year": year}, before=audit.digest(one.submitted), after=after)
    outbox.owe(tx, f"report.{stage}", _name(ref, year), now.at, {"year": year, "comment": comment}, ref)


LONGEST_CHAIN = 10


def previous(tx: Tx, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """The proposals this one goes on from, the nearest first, each with the newest report IOM has submitted on it.

    The chain ends where a link names nothing that this actor sees, or comes round.
    """
    row, found = faces.seen(tx, actor, ref), list[dict[str, Any]]()
    refs = [ref]
    while len(found) < LONGEST_CHAIN:
        link = json.loads(row.content).get("previous_proposal")
        before = proposals.proposal_for(tx, actor, link) if link and link not in refs else None
        if before is None:
            return found
        refs.append(link)
        found.append(_earlier(tx, before))
        row = before
    return found


def _earlier(tx: Tx, row: Record) -> dict[str, Any]:
    told = [one for one in reports.reports_of(tx, row.id) if one.submitted is not None]
    newest = told[-1] if told else None
    report = newest and {
        "year": newest.year,
        "state": newest.state,
        "submitted_at": newest.submitted_at,
        "report": json.loads(newest.submitted),
    }
    paid = money.sums_of(tx, row.id)
    return {
        "ref": row.ref,
        "title": row.title,
        "cycle": row.cycle_year,
        "state": row.state,
        "paid": sum(amount for (kind, _), amount in paid.items() if kind == Kind.PAID),
        "report": report,
    }
