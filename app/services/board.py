"""The consultation as each side sees it: agenda, decisions, running totals and what would refuse them."""

import json
from collections.abc import Iterable
from typing import Any

from app.db import Record, Tx
from app.domain.consultation import SETTLED, Stage
from app.domain.envelope import added, over_envelope
from app.domain.people import Actor, Role
from app.domain.rulebook import Rulebook
from app.domain.workflow import PERSONAL, Event
from app.errors import Refusal
from app.records import consultations, proposals
from app.records import review as review_records
from app.services import corrections, decisions, envelopes, review
from app.services.clock import Now
from app.services.consultations import INSIDE, decision_json, head_json, there


def described(tx: Tx, actor: Actor, number: int, book: Rulebook, now: Now) -> dict[str, Any]:
    """A consultation as this actor sees it.

    The MFA sees what is recorded, the running totals and what would refuse. Everybody else sees when, where and with whom,
    and of the agenda and, once it is concluded, of the decisions, those of the proposals they can see.
    """
    row = there(tx, number)
    items, corrected = consultations.agenda(tx, number), corrections.told_of_all(tx, number)
    if actor.role not in INSIDE:
        seen = [one for one in items if proposals.proposal_for(tx, actor, one.ref) is not None]
        seen.sort(key=lambda one: str(one.ref))
        agenda = [{**_outer_item(row, one), "corrections": corrected.get(one.id, [])} for one in seen]
        return {**head_json(row, actor), "agenda": agenda}
    standing = envelopes.standing(tx)
    totals = _totals(tx, row, items)
    over = over_envelope(standing, totals["decided"]) if row.state not in SETTLED else {}
    agenda = [
        {**_inner_item(tx, row, one, over, book, actor, now), "corrections": corrected.get(one.id, [])} for one in items
    ]
    cancelled = row.state == Stage.CANCELLED  # nothing is decided there any more
    shown = json.loads(row.envelopes)["before"] if row.envelopes else None
    return {
        **head_json(row, actor),
        "agenda": agenda,
        "totals": _shown_totals(tx, totals, shown) if not cancelled else [],
        "refusals": [refusal.as_json() for refusal in _refusing(tx, row, items, actor, book, now)],
        "undecided": [one.ref for one in items if one.decision is None and not cancelled],
    }


def _refusing(tx: Tx, row: Record, items: list[Record], actor: Actor, book: Rulebook, now: Now) -> list[Refusal]:
    """What would refuse the conclusion now, but for what is still undecided and, to others, what bars the reader only."""
    if row.state != Stage.OPEN:
        return []
    own = PERSONAL if actor.role is not Role.MFA_HEAD else frozenset()
    found = decisions.why_not(tx, row, items, None, actor, book, now)
    return [refusal for refusal in found if refusal.code not in own | {"decision_missing", "agenda_empty"}]


def _outer_item(row: Record, one: Record) -> dict[str, Any]:
    said = {"ref": one.ref, "title": one.title, "office": one.office_code}
    return {**said, "state": one.state, "decision": decision_json(one) if row.state == Stage.CONCLUDED else None}


def _inner_item(
    tx: Tx, row: Record, one: Record, over: dict[int, str], book: Rulebook, actor: Actor, now: Now
) -> dict[str, Any]:
    """An item with what was asked, judged and recommended of the snapshot it is about: once decided, the one decided on."""
    concluded = row.state == Stage.CONCLUDED
    snapshot = one.decided_snapshot if concluded else one.snapshot
    kept = proposals.snapshot_of(tx, one.id, snapshot)
    assert kept, "what is on an agenda was submitted"
    recommended = review_records.recommendation_of(tx, one.id, snapshot)
    rows = review_records.assessments_of(tx, one.id, snapshot)
    decided = decision_json(one)
    if decided:
        decided |= {"recorded_at": one.at, "recorded_by": one.decided_by}
    refused: list[Refusal] = []
    if not concluded and one.decision is not None:
        found = decisions.refusals_of(tx, one, over, actor, book, now)
        refused = [refusal for refusal in found if actor.role is Role.MFA_HEAD or refusal.code not in PERSONAL]
    return {
        "ref": one.ref,
        "title": json.loads(kept.content)["title"],
        "office": one.office_code,
        "state": one.state,
        "total": kept.total_tenths / 10,
        "assessed": review.outcome_of(rows, review.ground_of(tx, one.id, snapshot, book)),
        "recommendation": {"verdict": recommended.verdict, "reason": recommended.reason} if recommended else None,
        "requested": _by_year(envelopes.requested_of(tx, one.id, snapshot)),
        "decision": decided,
        "refusals": [refusal.as_json() for refusal in refused],
    }


def _totals(tx: Tx, row: Record, items: Iterable[Record]) -> dict[str, dict[int, int]]:
    decided, pending = [], []
    for one in items:
        if one.decision is None:
            pending.append(envelopes.requested_of(tx, one.id, one.snapshots))
        elif one.decision == Event.APPROVE:
            decided.append(decisions.amounts_of(one))
    return {"decided": added(decided), "pending": added(pending)}


def _shown_totals(tx: Tx, totals: dict[str, dict[int, int]], kept: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Per year: the envelope, what was approved before, what is decided here, what that leaves, what is still undecided."""
    decided, pending = totals["decided"], totals["pending"]
    stands = kept if kept is not None else envelopes.overview(tx)
    return [
        {
            "year": one["year"],
            "amount": one["amount"],
            "status": one["status"],
            "approved_before": one["approved"],
            "decided": decided.get(one["year"], 0),
            "left": one["available"] - decided.get(one["year"], 0),
            "undecided_requests": pending.get(one["year"], 0),
        }
        for one in stands
        if one["year"] in decided or one["year"] in pending or one["amount"]
    ]


def _by_year(amounts: dict[int, int]) -> dict[str, int]:
    return {str(year): amount for year, amount in amounts.items()}
