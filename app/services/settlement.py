"""What follows a decision on a proposal, read once for each of its pages: money and agreement, amendments, reports."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.envelope import Kind
from app.domain.people import Actor, Side
from app.domain.report import against
from app.domain.rulebook import Rulebook
from app.domain.workflow import State
from app.errors import Conflict, NotFound
from app.records import agreements, attachments, consultations, desk, money, proposals, reports
from app.services import agreements as agreement_service
from app.services import amendments, envelopes, evaluations, faces, paying, payments, reporting
from app.services.clock import Now
from app.services.rulebooks import Library

KINDS = (Kind.REQUESTED, Kind.APPROVED, Kind.AGREED, Kind.PAID, Kind.FREED)


@dataclass(frozen=True, slots=True)
class Head:
    """A proposal as the head of its pages shows it, with its neighbours in the cycle."""

    row: Record
    content: dict[str, Any]
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Money:
    """Decision, figures, agreement and tranches. `agreement` and `decision` are None before there is one.

    `figures` is year -> kind -> whole DKK; approved is net of what was freed. `seen` changes with every change of a tranche.
    """

    head: Head
    decision: Record | None
    conditions: list[str]
    figures: dict[int, dict[str, int]]
    agreement: dict[str, Any] | None
    tranches: list[dict[str, Any]]
    left: dict[int, int]
    conflicted: bool
    seen: str


def head_of(tx: Tx, actor: Actor, ref: str) -> Head:
    """The proposal as this actor sees it; NotFound when they do not. Two statements."""
    row = faces.seen(tx, actor, ref)
    before, after = desk.neighbours(tx, actor, row.cycle_year, row.number)
    return Head(row, json.loads(faces.content_text(row)), before, after)


def money_of(tx: Tx, actor: Actor, ref: str, library: Library, book: Rulebook, now: Now) -> Money:
    """The money of a proposal in at most eleven statements, however many tranches it has."""
    head = head_of(tx, actor, ref)
    row, kept = head.row, agreements.agreement_of(tx, head.row.id)
    decision, sums = consultations.decision_in_force(tx, row.id), money.figures_of(tx, row.id, row.snapshots)
    tranches, signed = agreements.tranches_of(tx, row.id), kept is not None and kept.signed_at is not None
    approved = envelopes.approved_in(sums)
    late: tuple[int, ...] = ()
    if kept is not None and signed:
        standing = reporting.standing_in(reporting.years_of(kept), reports.reports_of(tx, row.id), book.framework, now)
        late = tuple(one["year"] for one in standing if one["overdue"])
    statuses = {one.year: one.status for one in money.all_envelopes(tx)}
    conflicted = proposals.has_conflict(tx, row.id, actor.id)
    known = paying.Known(kept, decision, tranches, approved, statuses, late, conflicted)
    text = _text(tx, row, known, library)
    given = agreements.signatures_of(tx, row.id) if text else []
    return Money(
        head=head,
        decision=decision,
        conditions=json.loads(decision.conditions) if decision else [],
        figures=_figures(sums),
        agreement=agreement_service.told(ref, text, kept, given) if text else None,
        tranches=[_tranche(row, one, known, actor, now) for one in tranches],
        left=_left(known),
        conflicted=conflicted,
        seen=_seen(tranches),
    )


def _text(tx: Tx, row: Record, known: paying.Known, library: Library) -> dict[str, Any] | None:
    """The agreement's text, None where there is none."""
    if known.kept is not None and known.kept.text is not None:
        signed: dict[str, Any] = json.loads(known.kept.text)
        return signed
    if row.state != State.APPROVED or known.decision is None:
        return None
    return agreement_service.text_from(tx, row, known.kept, known.decision, known.approved, known.tranches, library)


def _figures(sums: Mapping[tuple[str, int], int]) -> dict[int, dict[str, int]]:
    years = sorted({year for _, year in sums})
    found = {year: {str(kind): sums.get((kind, year), 0) for kind in KINDS} for year in years}
    for of_year in found.values():
        of_year["approved"] -= of_year["freed"]
    return found


def _left(known: paying.Known) -> dict[int, int]:
    """Year -> what is approved and not planned in a tranche yet, of the years that have something left."""
    planned = defaultdict[int, int](int)
    for one in known.tranches:
        planned[one.year] += one.amount_dkk if one.state != "cancelled" else 0
    return {year: amount - planned[year] for year, amount in known.approved.items() if amount > planned[year]}


def _tranche(row: Record, one: Record, known: paying.Known, actor: Actor, now: Now) -> dict[str, Any]:
    """A tranche with the steps that come next, and who prepared and released it where that is the reader's own side."""
    inside = actor.side is Side.MFA
    return {
        **payments.shown(one),
        "preparer": one.preparer if inside else None,
        "releaser": one.releaser if inside else None,
        "steps": paying.steps(row, one, known, actor, now),
    }


def _seen(tranches: list[Record]) -> str:
    return f"{len(tranches)}-{sum(one.version for one in tranches)}"


def check_seen(tx: Tx, actor: Actor, ref: str, seen: str) -> None:
    """Hold the proposal; Conflict when its tranches are others than those the reader's page showed."""
    row = faces.seen_to_change(tx, actor, ref)
    if _seen(agreements.payments_of(tx, row.id)) != seen:
        said = (
            "The tranches have changed since you read this page; look whether yours is there before you send it again."
        )
        raise Conflict("changed_meanwhile", said)


@dataclass(frozen=True, slots=True)
class Amended:
    """The amendments of a proposal, newest first; `agreement` is the text in force, None before both have signed it."""

    head: Head
    agreement: dict[str, Any] | None
    amendments: list[dict[str, Any]]
    conflicted: bool


def amended(tx: Tx, actor: Actor, ref: str) -> Amended:
    """Every amendment with what it changes, in seven statements however many there are."""
    head = head_of(tx, actor, ref)
    row, kept = head.row, agreements.agreement_of(tx, head.row.id)
    found, bases = agreements.amendments_of(tx, row.id), proposals.contents_of(tx, row.id)
    given = defaultdict[int, list[Record]](list)
    for one in agreements.every_signature_of(tx, row.id):
        given[one.number].append(one)
    told = [
        amendments.told(one, json.loads(bases[amendments.base_of(row, one)]), given[one.number])
        for one in reversed(found)
    ]
    signed = kept is not None and kept.text is not None
    return Amended(
        head=head,
        agreement=agreement_service.told(ref, json.loads(kept.text), kept, given[0]) if kept and signed else None,
        amendments=told,
        conflicted=proposals.has_conflict(tx, row.id, actor.id),
    )


def check_text(tx: Tx, actor: Actor, ref: str, seen: str) -> None:
    """Hold the proposal; Conflict when another text is in force than the one (its SHA-256) the reader's page showed."""
    row = faces.seen_to_change(tx, actor, ref)
    kept = agreements.agreement_of(tx, row.id)
    if kept is not None and kept.sha256 != seen:
        said = "The agreement has changed since you read this page; compare what you wrote with what is in force now."
        raise Conflict("changed_meanwhile", said)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Which years are reported on, and the evaluations that look at the proposal's years."""

    head: Head
    years: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]


def accounts_of(tx: Tx, actor: Actor, ref: str, book: Rulebook, now: Now) -> Accounts:
    """Where every report of a proposal stands, and the evaluations this actor sees. Five statements."""
    head = head_of(tx, actor, ref)
    years = reporting.standings(tx, [head.row.id], book.framework, now).get(head.row.id, [])
    return Accounts(head, years, evaluations.listed(tx, actor, now))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One year's report. `report` is what this actor reads (IOM what it works on), None where there is nothing to read yet.

    `budget` is category -> whole DKK agreed for the year; `files` are the shared attachments a report can name.
    """

    head: Head
    year: int
    standing: dict[str, Any]
    kept: Record | None
    report: dict[str, Any] | None
    agreed: dict[str, Any]
    indicators: list[dict[str, Any]]
    past: list[dict[str, Any]]
    budget: dict[str, int]
    files: list[Record]
    conflicted: bool


def sheet_of(tx: Tx, actor: Actor, ref: str, year: int, book: Rulebook, now: Now) -> Sheet:
    """A year's report with everything it is read against, in eight statements; NotFound for a year that is not owed."""
    head = head_of(tx, actor, ref)
    row, signed = head.row, agreements.signed_of(tx, [head.row.id]).get(head.row.id)
    told = reports.reports_of(tx, row.id)
    standing = reporting.standing_in(reporting.years_of(signed), told, book.framework, now) if signed else []
    here = next((one for one in standing if one["year"] == year), None)
    snapshot = proposals.snapshot_of(tx, row.id, row.snapshots) if here else None
    if here is None or signed is None or snapshot is None:
        raise NotFound("report_not_found", f"{ref} does not report on {year}.")
    kept = next((one for one in told if one.year == year), None)
    text = (kept.content if actor.side is Side.IOM else kept.submitted) if kept else None
    report, agreed = json.loads(text) if text else None, json.loads(snapshot.content)
    budget = defaultdict[str, int](int)
    for line in json.loads(signed.text)["budget"]:
        budget[line["category"]] += line["amount"] if line["year"] == year else 0
    return Sheet(
        head=head,
        year=year,
        standing=here,
        kept=kept,
        report=report,
        agreed=agreed,
        indicators=against(report or {"indicators": []}, agreed),
        past=json.loads(kept.past) if kept else [],
        budget=budget,
        files=[one for one in attachments.of_proposal(tx, actor, row.id) if one.visibility == "shared"],
        conflicted=proposals.has_conflict(tx, row.id, actor.id),
    )
