"""The consultation as each side sees it: agenda, decisions, running totals and what would refuse them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.consultation import SETTLED, Stage
from app.domain.envelope import added, over_envelope
from app.domain.people import Actor, Role
from app.domain.rulebook import Rulebook
from app.domain.workflow import PERSONAL, Event
from app.errors import Refusal
from app.records import consultations, proposals, submissions
from app.records import review as review_records
from app.services import corrections, decisions, envelopes, review, tabled
from app.services.clock import Now
from app.services.consultations import INSIDE, decision_json, head_json, there
from app.services.tabled import Tabled


@dataclass(frozen=True, slots=True)
class Board:
    """A consultation as the MFA's own see it: what is said of it, and what that was reckoned from."""

    row: Record
    items: list[Record]
    table: Tabled
    snapshots: dict[tuple[int, int], Record]
    said: dict[str, Any]


def described(tx: Tx, actor: Actor, number: int, book: Rulebook, now: Now) -> dict[str, Any]:
    """A consultation as this actor sees it.

    The MFA sees what is recorded, the running totals and what would refuse. Everybody else sees when, where and with whom,
    and of the agenda and, once it is concluded, of the decisions, those of the proposals they can see.
    """
    row = there(tx, number)
    if actor.role in INSIDE:
        return inside(tx, actor, row, book, now).said
    items, corrected = consultations.agenda(tx, number), corrections.told_of_all(tx, number)
    visible = proposals.seen_among(tx, actor, [one.id for one in items])
    seen = sorted((one for one in items if one.id in visible), key=lambda one: str(one.ref))
    agenda = [{**_outer_item(row, one), "corrections": corrected.get(one.id, [])} for one in seen]
    return {**head_json(row, actor), "agenda": agenda}


def inside(tx: Tx, actor: Actor, row: Record, book: Rulebook, now: Now, also: Iterable[int] = ()) -> Board:
    """The whole board, in nine statements however long the agenda is; the table holds the proposals `also` too."""
    items, corrected = consultations.agenda(tx, row.id), corrections.told_of_all(tx, row.id)
    concluded = row.state == Stage.CONCLUDED
    about = {one.id: one.decided_snapshot if concluded else one.snapshot for one in items}
    stands = envelopes.overview(tx)
    table = tabled.read(tx, [*about, *also], envelopes.standing_in(stands))
    snapshots = submissions.snapshots_among(tx, about.items())
    recommended = review_records.recommendations_by(tx, about)
    totals = _totals(items, table)
    over = over_envelope(table.standing, totals["decided"]) if row.state not in SETTLED else {}
    agenda = []
    for one in items:
        kept = snapshots[one.id, about[one.id]]
        judged = _judged(kept, recommended.get((one.id, kept.number)), table)
        decided = _decided(one, over if not concluded else None, table, actor, book, now)
        agenda.append({**_head(one, kept), **judged, **decided, "corrections": corrected.get(one.id, [])})
    cancelled = row.state == Stage.CANCELLED  # nothing is decided there any more
    shown = json.loads(row.envelopes)["before"] if row.envelopes else stands
    said = {
        **head_json(row, actor),
        "agenda": agenda,
        "totals": _shown_totals(totals, shown) if not cancelled else [],
        "refusals": [refusal.as_json() for refusal in _refusing(row, items, table, actor, book, now)],
        "undecided": [one.ref for one in items if one.decision is None and not cancelled],
    }
    return Board(row, items, table, snapshots, said)


def _refusing(row: Record, items: list[Record], table: Tabled, actor: Actor, book: Rulebook, now: Now) -> list[Refusal]:
    """What would refuse the conclusion now, but for what is still undecided and, to others, what bars the reader only."""
    if row.state != Stage.OPEN:
        return []
    own = PERSONAL if actor.role is not Role.MFA_HEAD else frozenset()
    found = decisions.why_not(row, items, None, table, actor, book, now)
    return [refusal for refusal in found if refusal.code not in own | {"decision_missing", "agenda_empty"}]


def _outer_item(row: Record, one: Record) -> dict[str, Any]:
    said = {"ref": one.ref, "title": one.title, "office": one.office_code}
    return {**said, "state": one.state, "decision": decision_json(one) if row.state == Stage.CONCLUDED else None}


def _head(one: Record, kept: Record) -> dict[str, Any]:
    """What an item is, by the snapshot it is about: once decided, the one decided on."""
    title = json.loads(kept.content)["title"]
    said = {"ref": one.ref, "title": title, "office": one.office_code, "state": one.state}
    return {**said, "total": kept.total_tenths / 10}


def _judged(kept: Record, recommended: Record | None, table: Tabled) -> dict[str, Any]:
    """What was asked, judged and recommended of a snapshot."""
    place = (kept.proposal_id, kept.number)
    ground = review.ground_in(json.loads(kept.result), json.loads(kept.content))
    return {
        "assessed": review.outcome_of(table.assessments(*place), ground),
        "recommendation": {"verdict": recommended.verdict, "reason": recommended.reason} if recommended else None,
        "requested": _by_year(table.asks(*place)),
    }


def _decided(
    one: Record, over: dict[int, str] | None, table: Tabled, actor: Actor, book: Rulebook, now: Now
) -> dict[str, Any]:
    """The decision with who recorded it, and what refuses it as things stand; nothing does where `over` is None."""
    decided = decision_json(one)
    if decided:
        decided |= {"recorded_at": one.at, "recorded_by": one.decided_by}
    refused: list[Refusal] = []
    if over is not None and one.decision is not None:
        found = decisions.refusals_of(one, over, table, actor, book, now)
        refused = [refusal for refusal in found if actor.role is Role.MFA_HEAD or refusal.code not in PERSONAL]
    return {"decision": decided, "refusals": [refusal.as_json() for refusal in refused]}


def _totals(items: Iterable[Record], table: Tabled) -> dict[str, dict[int, int]]:
    decided, pending = [], []
    for one in items:
        if one.decision is None:
            pending.append(table.asks(one.id, one.snapshots))
        elif one.decision == Event.APPROVE:
            decided.append(decisions.amounts_of(one))
    return {"decided": added(decided), "pending": added(pending)}


def _shown_totals(totals: dict[str, dict[int, int]], stands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per year: the envelope, what was approved before, what is decided here, what that leaves, what is still undecided."""
    decided, pending = totals["decided"], totals["pending"]
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
