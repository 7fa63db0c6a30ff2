"""Lists of proposals: pages in the order of an index, by cursor, narrowed by countries, priority areas and words.

A list costs the same however many proposals there are. What an index leads through is read off it. What no index has in the
list's order (words, facets) is tried on the first rows of the list, which is enough for what many have; else what was
found by the index of words or facets is put in order, if it is FEW; else the whole list is walked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    literal,
    select,
    tuple_,
    union_all,
)

from app.db import Record, Tx
from app.domain.finding import Term, asked
from app.domain.people import Actor, Role
from app.prepared import Hot
from app.records import findable
from app.records.among import among
from app.records.proposals import has_facet, visible
from app.records.tables import cycle, face, facet, proposal

NEAR, NEAR_BY_WORDS = 1_000, 250  # a try of words costs some four times that of a facet
FEW = 4_000
SAMPLE = 200
RARE, COMMON = 0.02, 0.2  # of a sample
WAYS = 40  # states times cycles that are read each for itself and put together
_JOINED = proposal.join(face, face.c.proposal_id == proposal.c.id)
_LISTED = [
    *(proposal.c[name] for name in ("id", "ref", "cycle_year", "office_code", "state", "deadline_on", "created_at")),
    *(face.c[name] for name in ("version", "updated_at", "title", "requested_dkk", "outcome", "total_tenths")),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list asks for; `after` is (value of the sort column, id) of the last row of the page before."""

    cycle: int | None = None
    states: tuple[str, ...] = ()
    country: str | None = None
    priority_area: int | None = None
    office: str | None = None
    q: str | None = None
    by_total: bool = False
    limit: int = 50
    after: tuple[Any, int] | None = None


def list_proposals(tx: Tx, actor: Actor, wanted: Wanted, summaries: bool = False) -> list[Record]:
    """One page of what the actor sees and asked for, newest (or highest total) first, and one row more if there is one.

    `q` asks for all of its words; one that has signs but no word finds nothing. `summaries` adds that of the screening.
    """
    if wanted.q or wanted.states or wanted.country or wanted.priority_area or actor.role is Role.EMBASSY:
        return _Listing(tx, actor, wanted, summaries).rows()
    value, last = wanted.after or (None, None)
    given = {"in_cycle": wanted.cycle, "of_office": wanted.office, "value": value, "last": last}
    given = {name: one for name, one in given.items() if one is not None}
    ready = _ready(actor.role, wanted.by_total, summaries, tuple(given))
    own = {"own_office": actor.office} if actor.role is Role.IOM_OFFICE else {}
    return ready(tx, most=wanted.limit, **own, **given)


@cache
def _ready(role: Role, by_total: bool, summaries: bool, given: tuple[str, ...]) -> Hot:
    """The list without words, facets and states, which is what most ask for, put together once."""
    sort = face.c.total_tenths if by_total else face.c.updated_at
    here: dict[str, Any] = {name: bindparam(name) for name in given}
    after = (bindparam("value", type_=sort.type), here["last"]) if "last" in here else None
    asked = Wanted(
        here.get("in_cycle"),
        office=here.get("of_office"),
        by_total=by_total,
        limit=bindparam("most", type_=Integer),  # type: ignore[arg-type]  # stands for the number
        after=after,
    )
    reader = Actor(0, "", role, bindparam("own_office"))  # type: ignore[arg-type]  # as above
    listing = _Listing(None, reader, asked, summaries)  # type: ignore[arg-type]  # nothing is read to put it together
    return Hot(listing.page_of(listing.walk()))


class _Listing:
    """One page being read."""

    def __init__(self, tx: Tx, actor: Actor, wanted: Wanted, summaries: bool) -> None:
        self.tx, self.actor, self.wanted = tx, actor, wanted
        self.columns = [*_LISTED, face.c.screening] if summaries else _LISTED
        self.order = "total_tenths" if wanted.by_total else "updated_at"
        self.sort = face.c[self.order]
        self.terms = asked(wanted.q or "")
        self.facets = dict(self._facets())
        self.ways = self._ways()

    def rows(self) -> list[Record]:
        """The page, by the way that is likely to read least."""
        if (self.wanted.q or "").strip() and not self.terms:
            return []
        narrow = self._narrow()
        if not narrow:
            return self._page(self.walk())
        end = self._place_of(NEAR_BY_WORDS if self.terms else NEAR)
        if end is None:
            return self._page(self.walk(*narrow))
        near = self._page(self.walk(*narrow, tuple_(self.sort, face.c.proposal_id) >= end))
        if len(near) > self.wanted.limit:
            return near
        few = self._few()
        if few is None:
            return self._page(self.walk(*narrow))
        return self._page(self._sorted(few, narrow)) if few else []

    def _facets(self) -> Iterator[tuple[str, ColumnElement[bool]]]:
        if self.wanted.country is not None:
            yield "country", facet.c.value == self.wanted.country
        if self.wanted.priority_area is not None:
            yield "priority_area", facet.c.value == str(self.wanted.priority_area)
        if self.actor.role is Role.EMBASSY:
            yield "seen", facet.c.value.in_(sorted(self.actor.countries))

    def _narrow(self) -> list[ColumnElement[bool]]:
        """What no index has in the list's order."""
        side = self.actor.side
        found = [has_facet(side, _name(name), condition) for name, condition in self.facets.items()]
        return [*found, findable.has(self.tx, side, self.terms)] if self.terms else found

    def _broad(self) -> ColumnElement[bool]:
        """What an index has in the list's order, but for cycle and states; what may be seen comes first."""
        wanted = self.wanted
        found = [visible(self.actor)]
        if wanted.office is not None:
            found.append(face.c.office_code == wanted.office)
        if wanted.after is not None:
            value, last = wanted.after
            value = value if isinstance(value, BindParameter) else literal(value, self.sort.type)
            found.append(self._key < tuple_(value, last))
        return and_(*found)

    @property
    def _key(self) -> Any:
        return tuple_(self.sort, face.c.proposal_id)

    def _ways(self) -> list[ColumnElement[bool]]:
        """The parts of the list that an index has in order: a state of a cycle each, if that is asked for."""
        wanted = self.wanted
        years = [wanted.cycle] if wanted.cycle is not None else []
        if wanted.states and not years:
            years = list(self.tx.scalars(select(cycle.c.year)))
        if wanted.states and len(wanted.states) * len(years) <= WAYS:
            return [(face.c.cycle_year == year) & (face.c.state == state) for year in years for state in wanted.states]
        found = [face.c.cycle_year == year for year in years if wanted.cycle is not None]
        return [and_(True, *found, *([face.c.state.in_(wanted.states)] if wanted.states else []))]

    def walk(self, *conditions: ColumnElement[bool], most: int | None = None) -> Select[Any]:
        """The keys of the list in order, `most` of them or a page."""
        most = most or self.wanted.limit + 1
        parts = [
            select(face.c.proposal_id, self.sort)
            .where(self._broad(), way, *conditions)
            .order_by(self.sort.desc(), face.c.proposal_id.desc())
            .limit(most)
            for way in self.ways
        ]
        if len(parts) == 1:
            return parts[0]
        found = union_all(*(select(part.subquery()) for part in parts)).subquery()
        return select(found).order_by(found.c[self.order].desc(), found.c.proposal_id.desc()).limit(most)

    def _sorted(self, ids: list[int], conditions: list[ColumnElement[bool]]) -> Select[Any]:
        """The keys of those of a few proposals that belong in the list."""
        begin = select(proposal.c.id).where(among(proposal.c.id, ids))
        found = begin.cte("few").prefix_with("MATERIALIZED")  # or the list could be read for them
        joined = found.join(face, (face.c.proposal_id == found.c.id) & (face.c.side == self.actor.side))
        query = select(face.c.proposal_id, self.sort).select_from(joined).where(self._broad(), *conditions)
        if self.wanted.cycle is not None:
            query = query.where(face.c.cycle_year == self.wanted.cycle)
        if self.wanted.states:
            query = query.where(face.c.state.in_(self.wanted.states))
        return query.order_by(self.sort.desc(), face.c.proposal_id.desc()).limit(self.wanted.limit + 1)

    def _page(self, keys: Select[Any]) -> list[Record]:
        return list(self.tx.execute(self.page_of(keys)))

    def page_of(self, keys: Select[Any]) -> Select[Any]:
        """The rows of these keys, in the list's order."""
        found = keys.subquery()
        joined = found.join(face, (face.c.proposal_id == found.c.proposal_id) & (face.c.side == self.actor.side))
        joined = joined.join(proposal, proposal.c.id == face.c.proposal_id)
        return select(*self.columns).select_from(joined).order_by(self.sort.desc(), face.c.proposal_id.desc())

    def _place_of(self, number: int) -> Any:
        """The key of that row of the list; None if it is shorter."""
        found = self.walk(most=number).subquery()
        row = self.tx.execute(select(found).offset(number - 1).limit(1)).one_or_none()
        return None if row is None else tuple_(literal(row[1], self.sort.type), row[0])

    def _few(self) -> list[int] | None:
        """Proposals among which everything is that was asked for, of either the rarer words or a facet; None if not FEW."""
        side = self.actor.side
        if self.terms and (rare := self._rare()):
            found = findable.looked_up(self.tx, side, rare, FEW)
            if found is not None:
                return found
        for name, condition in self.facets.items():
            here = (facet.c.side == side) & (facet.c.name == _name(name)) & condition
            ids = list(self.tx.scalars(select(facet.c.proposal_id).where(here).limit(FEW + 1)))
            if len(ids) <= FEW:
                return ids
        return None

    def _rare(self) -> tuple[Term, ...]:
        """The words that few have, else those that together few may have: to look a word up reads through all that have it."""
        counts = findable.counted(self.tx, self.actor.side, self.terms, self.walk(most=SAMPLE).subquery())
        counted = list(zip(self.terms, counts, strict=True))
        rare = tuple(term for term, count in counted if count < SAMPLE * RARE)
        some = tuple(term for term, count in counted if count < SAMPLE * COMMON)
        return rare or (some if len(some) > 1 else ())


def _name(name: str) -> str:
    return "country" if name == "seen" else name
