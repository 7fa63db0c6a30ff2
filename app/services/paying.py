"""What must hold before a payment takes a step: read once, judged for one payment or for all of a proposal's."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.db import Record, Tx
from app.domain.framework import Framework
from app.domain.payment import Facts, Stage, Step, line_of, refusals
from app.domain.people import Actor
from app.domain.workflow import State
from app.errors import Refusal
from app.records import agreements, consultations, proposals
from app.services import envelopes, reporting
from app.services.clock import Now

PAID_IN = (State.APPROVED, State.AGREED, State.DISBURSED)


@dataclass(frozen=True, slots=True)
class Known:
    """What guards of a proposal's payments rest on, as one transaction reads it; `statuses` of the years that are asked for."""

    kept: Record | None
    decision: Record | None
    tranches: list[Record]
    approved: Mapping[int, int]
    statuses: Mapping[int, str | None]
    late: tuple[int, ...]
    conflicted: bool


def known(tx: Tx, row: Record, year: int, actor: Actor, framework: Framework, now: Now) -> Known:
    """Everything the guards of one year's payments rest on."""
    return Known(
        kept=agreements.agreement_of(tx, row.id),
        decision=consultations.decision_in_force(tx, row.id),
        tranches=agreements.payments_of(tx, row.id),
        approved=envelopes.approved_of(tx, row.id),
        statuses={year: agreements.status_of(tx, year)},
        late=tuple(reporting.late_years(tx, row, framework, now)),
        conflicted=proposals.has_conflict(tx, row.id, actor.id),
    )


def facts(given: Known, year: int, more: int, actor: Actor, now: Now, one: Record | None = None) -> Facts:
    """What guards look at; `more` is an amount that is not a tranche yet, `one` the payment that is stepped."""
    tranches = [each for each in given.tranches if each.state != Stage.CANCELLED]
    return Facts(
        year=year,
        today=now.today,
        signed=given.kept is not None and given.kept.signed_at is not None,
        voted=given.statuses.get(year) == "voted",
        decided_on=given.decision.held_on if given.decision else None,
        planned=sum(each.amount_dkk for each in tranches if each.year == year) + more,
        approved=given.approved.get(year, 0),
        overdue=given.late,
        prepared_by_same=one is not None and one.prepared_by == actor.id,
        conflicted=given.conflicted,
    )


def refused(row: Record, one: Record, step: Step, given: Known, actor: Actor, now: Now) -> list[Refusal]:
    """Every reason why a step of a payment cannot be taken; empty when it can."""
    found = refusals(Stage(one.state), step, facts(given, one.year, 0, actor, now, one))
    if step is not Step.RECEIVE and row.state not in PAID_IN:
        found.append(Refusal("wrong_state", f"The proposal is {row.state}; its payments wait or are over."))
    return found


def steps(row: Record, one: Record, given: Known, actor: Actor, now: Now) -> dict[str, list[Refusal]]:
    """The steps that follow on where a payment stands, each with the reasons why this person cannot take it now."""
    return {step: refused(row, one, step, given, actor, now) for step in Step if one.state in line_of(step).sources}
