"""What the decisions on an agenda are judged by: requests, assessments, conflicts of interest and envelopes, read once however
long the agenda is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.db import Record, Tx
from app.domain.assessment import mandatory_met
from app.domain.envelope import Envelope, Kind
from app.domain.people import Actor
from app.domain.rulebook import Rulebook
from app.domain.workflow import Facts
from app.records import money, proposals
from app.records import review as review_records
from app.services import review
from app.services.clock import Now


@dataclass(frozen=True, slots=True)
class Tabled:
    """`sums` by (proposal, kind, snapshot) and year, `assessed` by proposal, `conflicts` as (proposal, person)."""

    sums: Mapping[tuple[int, str, int], dict[int, int]]
    assessed: Mapping[int, list[Record]]
    conflicts: frozenset[tuple[int, int]]
    standing: Mapping[int, Envelope]

    def asks(self, proposal_id: int, snapshot: int) -> dict[int, int]:
        """What a snapshot asks for, DKK by year."""
        return self.sums.get((proposal_id, Kind.REQUESTED, snapshot), {})

    def approved(self, proposal_id: int) -> dict[int, int]:
        """What is approved for a proposal and not freed, DKK by year."""
        net: dict[int, int] = {}
        for (number, kind, _snapshot), amounts in self.sums.items():
            sign = {Kind.APPROVED: 1, Kind.FREED: -1}.get(Kind(kind), 0) if number == proposal_id else 0
            for year, amount in amounts.items():
                net[year] = net.get(year, 0) + sign * amount
        return {year: amount for year, amount in sorted(net.items()) if amount}

    def assessments(self, proposal_id: int, snapshot: int) -> list[Record]:
        return [one for one in self.assessed.get(proposal_id, ()) if one.snapshot == snapshot]

    def facts(self, row: Record, actor: Actor, book: Rulebook, now: Now) -> Facts:
        """What the guards of a consultation's decisions look at when this person decides."""
        rows = self.assessments(row.id, row.snapshots)
        done = sum(1 for one in rows if one.completed_at)
        mandatory = frozenset(one.letter for one in book.criteria.criteria if one.mandatory)
        own = (one for one in self.assessed.get(row.id, ()) if one.person_id == actor.id)
        return Facts(
            today=now.today,
            conflicted=(row.id, actor.id) in self.conflicts,
            assessments=done,
            assessments_needed=book.framework.assessments_needed,
            mandatory_met=bool(done) and mandatory_met(review.consolidated(rows), mandatory),
            has_assessed=any(one.completed_at for one in own),
        )


def read(tx: Tx, proposal_ids: Iterable[int], standing: Mapping[int, Envelope]) -> Tabled:
    """What there is on these proposals, in three statements; `standing` are the envelopes by year."""
    ids = list(proposal_ids)
    return Tabled(
        sums=money.entries_by(tx, ids),
        assessed=review_records.assessments_by(tx, ids),
        conflicts=proposals.conflicts_among(tx, ids),
        standing=standing,
    )
