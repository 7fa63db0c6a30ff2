"""A consultation as its pages show it: the board with what could come on it, what it covers, and what its conclusion would do.

Everything here is read, nothing decided; each function reads once for a whole page.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.consultation import SETTLED, Stage
from app.domain.envelope import added, over_envelope
from app.domain.people import Actor, Role
from app.domain.portfolio import Item, coverage
from app.domain.rulebook import Rulebook
from app.domain.workflow import PERSONAL, Event
from app.errors import Refusal
from app.notify import foretelling
from app.notify.foretelling import Coming, Reader
from app.records import consultations, cycles, desk, meetings, proposals, submissions
from app.services import board, casework, decisions, envelopes, review, tabled
from app.services import meetings as technical
from app.services.clock import Now
from app.services.consultations import INSIDE, decision_json, head_json, listed, there
from app.services.portfolio import FUNDED
from app.services.tabled import Tabled


@dataclass(frozen=True, slots=True)
class Meetings:
    """The consultations and technical meetings there are, newest first, and what a new one needs."""

    consultations: list[dict[str, Any]]
    following: int | None
    unconfirmed: frozenset[int]
    technical: list[dict[str, Any]]
    years: tuple[int, ...]
    funded: list[Record]


def meetings_for(tx: Tx, actor: Actor, below: int | None, limit: int = 50) -> Meetings:
    """Both lists as this actor sees them; what a technical meeting could discuss only for who may write one down."""
    found, following = listed(tx, actor, None, None, limit, below)
    prepares = actor.role in (Role.MFA_REVIEWER, Role.MFA_HEAD)
    return Meetings(
        consultations=found,
        following=following,
        unconfirmed=frozenset(row.id for row in desk.minutes_unconfirmed(tx)),
        technical=technical.listed(tx, actor, None),
        years=tuple(row.year for row in cycles.all_cycles(tx)),
        funded=meetings.discussable(tx, technical.FUNDED) if prepares else [],
    )


@dataclass(frozen=True, slots=True)
class Sitting:
    """The board for the MFA's own. `covered` is of the set chosen so far, of the `whole` agenda before any decision.

    `against` is what would refuse an undecided item's approval as requested, `barred` what keeps this person from deciding it.
    """

    said: dict[str, Any]
    candidates: list[Record]
    covered: dict[str, Any] | None
    whole: bool
    against: dict[str, list[Refusal]]
    barred: dict[str, list[Refusal]]
    countries: dict[str, list[str]]


def of(tx: Tx, actor: Actor, number: int, book: Rulebook, now: Now) -> Sitting:
    """The board as this actor sees it: to who is not of the MFA nothing that is reckoned from what is recorded."""
    if actor.role not in INSIDE:
        return Sitting(board.described(tx, actor, number, book, now), [], None, False, {}, {}, {})
    row = there(tx, number)
    around = proposals.portfolio(tx, row.cycle_year) if row.state not in SETTLED else []
    shown = board.inside(tx, actor, row, book, now, also=[one.id for one in around])
    free = [one for one in around if one.state in casework.TABLED and one.held_by is None]
    live, whole = row.state == Stage.OPEN, not any(one.decision for one in shown.items)
    return Sitting(
        said=shown.said,
        candidates=free,
        covered=_covered(shown, around, whole, book) if around else None,
        whole=whole,
        against={one.ref: _against(one, shown, actor, book, now) for one in shown.items if live and not one.decision},
        barred={one.ref: _barred(one, shown.table, actor, book, now) for one in shown.items if live},
        countries={one.ref: _codes(_kept(shown, one)) for one in shown.items},
    )


def _kept(shown: board.Board, one: Record) -> Record:
    """The snapshot an item is about."""
    number = one.decided_snapshot if shown.row.state == Stage.CONCLUDED else one.snapshot
    return shown.snapshots[one.id, number]


def _against(one: Record, shown: board.Board, actor: Actor, book: Rulebook, now: Now) -> list[Refusal]:
    """What would refuse an item's approval with all it requests, after what is approved here already."""
    requested = shown.table.asks(one.id, one.snapshots)
    wanted = added([requested, *(decisions.amounts_of(item) for item in shown.items)])
    over = over_envelope(shown.table.standing, wanted)
    facts = shown.table.facts(one, actor, book, now)
    found = casework.table_refusals(one, Event.APPROVE, requested, requested, over, facts)
    return [refusal for refusal in found if refusal.code not in PERSONAL]


def _barred(one: Record, table: Tabled, actor: Actor, book: Rulebook, now: Now) -> list[Refusal]:
    found = casework.table_refusals(one, Event.REJECT, {}, {}, {}, table.facts(one, actor, book, now))
    return [refusal for refusal in found if refusal.code in PERSONAL]


def _covered(shown: board.Board, around: list[Record], whole: bool, book: Rulebook) -> dict[str, Any]:
    """What the cycle's funded proposals and those approved here cover together; of the `whole` agenda before any decision."""
    chosen = {
        one.id: _asked_or_given(one, shown.table) for one in shown.items if whole or one.decision == Event.APPROVE
    }
    rows = [one for one in around if one.id in chosen or one.state in FUNDED]
    items = [_item(one, chosen.get(one.id), shown.table) for one in rows]
    return coverage(items, book.framework, book.annex, book.criteria.criteria)


def _asked_or_given(one: Record, table: Tabled) -> dict[int, int]:
    return decisions.amounts_of(one) if one.decision else table.asks(one.id, one.snapshots)


def _item(row: Record, chosen: Mapping[int, int] | None, table: Tabled) -> Item:
    """A proposal as the portfolio sees it, with what is approved for it here in the place of what it requests."""
    rows = table.assessments(row.id, row.snapshot)
    judged = {one.letter: one.met for one in review.consolidated(rows)} if any(o.completed_at for o in rows) else None
    return Item(
        ref=row.ref,
        title=row.title,
        office=row.office_code,
        state=row.state,
        requested=chosen if chosen is not None else table.asks(row.id, row.snapshot),
        approved=chosen if chosen is not None else table.approved(row.id),
        content=json.loads(row.content),
        screening=json.loads(row.screening)["criteria"],
        assessed=judged,
        score_tenths=row.total_tenths,
    )


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a conclusion would do: its decisions, what refuses it (`late`: a reason would help), each message it would send."""

    head: dict[str, Any]
    decided: list[dict[str, Any]]
    refusals: list[Refusal]
    late: Refusal | None
    readers: list[Reader]


def conclusion(tx: Tx, actor: Actor, number: int, book: Rulebook, now: Now) -> Conclusion:
    """What concluding now would do and tell whom; nothing is written."""
    row = there(tx, number)
    items = consultations.agenda(tx, number)
    table = tabled.read(tx, [one.id for one in items], envelopes.standing(tx))
    snapshots = submissions.snapshots_among(tx, [(one.id, one.snapshot) for one in items])
    refused = decisions.why_not(row, items, None, table, actor, book, now) if row.state == Stage.OPEN else []
    if row.state != Stage.OPEN:
        refused = [Refusal("wrong_state", f"Only an open consultation is concluded; it is {row.state}.")]
    late = next((one for one in refused if one.code == "outside_quarter"), None)
    coming = [
        Coming(f"proposal.{one.decision}", one.ref, one.office_code, tuple(_codes(snapshots[one.id, one.snapshot])))
        for one in items
        if one.decision is not None
    ]
    return Conclusion(
        head=head_json(row, actor),
        decided=[{"ref": one.ref, "title": one.title, **(decision_json(one) or {})} for one in items],
        refusals=[one for one in refused if one is not late],
        late=late,
        readers=foretelling.told(tx, [*coming, Coming("minutes.to_confirm")]),
    )


def _codes(kept: Record) -> list[str]:
    return [country["code"] for country in json.loads(kept.content)["countries"]]
