"""The money of a proposal, read once for its page: decision, figures, agreement, tranches with their next steps."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.envelope import Kind
from app.domain.people import Actor, Side
from app.domain.rulebook import Rulebook
from app.domain.workflow import State
from app.errors import Conflict
from app.records import agreements, consultations, money, proposals, reports
from app.services import agreements as agreement_service
from app.services import envelopes, faces, paying, payments, reporting
from app.services.clock import Now
from app.services.rulebooks import Library
from app.services.workspace import Head, head

KINDS = (Kind.REQUESTED, Kind.APPROVED, Kind.AGREED, Kind.PAID, Kind.FREED)


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


def money_of(tx: Tx, actor: Actor, ref: str, library: Library, book: Rulebook, now: Now) -> Money:
    """The money of a proposal in at most eleven statements, however many tranches it has."""
    found = head(tx, actor, ref)
    row, kept = found.row, agreements.agreement_of(tx, found.row.id)
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
        head=found,
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
