"""The portfolio of a cycle: what it covers, and what-if sets. It shows and reckons; it decides nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.db import Record, Tx
from app.domain.choosing import MOST, Candidate, best_sets
from app.domain.envelope import Kind, added, over_envelope
from app.domain.portfolio import Item, coverage
from app.domain.rulebook import Rulebook
from app.domain.workflow import State
from app.errors import Fault, Invalid, NotFound, Refusal, refuse_unless
from app.faults import pointer
from app.records import cycles, money, proposals
from app.services import envelopes, review

FUNDED = (State.APPROVED, State.AGREED, State.DISBURSED, State.CLOSED, State.CANCELLED)  # cancelled: with money paid
ADVICE = "This is a what-if, not advice: it reckons with amounts and scores, not with what people know."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A what-if as asked for. `objective` None: no sets are looked for."""

    include: tuple[str, ...]
    amounts: Mapping[str, Mapping[int, int]]
    objective: str | None = None
    sets: int = 1
    must_include: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()


def of_cycle(tx: Tx, year: int, book: Rulebook) -> list[Item]:
    """The proposals of a cycle that are in play or were funded, by reference."""
    check_cycle(tx, year)
    rows = proposals.portfolio(tx, year)
    return items_of(tx, rows, review.outcomes(tx, rows))


def check_cycle(tx: Tx, year: int) -> None:
    """NotFound unless there is such a cycle."""
    if cycles.cycle_of(tx, year) is None:
        raise NotFound("cycle_not_found", f"There is no cycle {year}.")


def items_of(tx: Tx, rows: Sequence[Record], judged: Mapping[int, dict[str, Any]]) -> list[Item]:
    """Rows of proposals as items, read together whatever their number; `judged` is what `review.outcomes` says of them."""
    ids = [row.id for row in rows]
    entered, sums = money.entries_by(tx, ids), money.sums_by(tx, ids)
    return [
        _item(row, judged.get(row.id), entered.get((row.id, "requested", row.snapshot), {}), sums.get(row.id, {}))
        for row in rows
    ]


def _item(
    row: Record,
    judged: Mapping[str, Any] | None,
    requested: Mapping[int, int],
    sums: Mapping[tuple[str, int], int],
) -> Item:
    score = judged["score"] if judged else None
    return Item(
        ref=row.ref,
        title=row.title,
        office=row.office_code,
        state=row.state,
        requested=requested,
        approved=envelopes.approved_in(sums),
        content=json.loads(row.content),
        screening=json.loads(row.screening)["criteria"],
        assessed={letter: one["met"] for letter, one in judged["criteria"].items()} if judged else None,
        score_tenths=round(score * 10) if score is not None else row.total_tenths,
    )


def covered(tx: Tx, year: int, book: Rulebook) -> dict[str, Any]:
    """The coverage of a cycle's portfolio, with the money of every year it reaches."""
    items = of_cycle(tx, year, book)
    return {"cycle": year, "money": _money(tx, items), **_coverage(items, book)}


def _coverage(items: Sequence[Item], book: Rulebook) -> dict[str, Any]:
    return coverage(items, book.framework, book.annex, book.criteria.criteria)


_LATER = (Kind.AGREED, Kind.PAID)


def _money(tx: Tx, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Year by year: the envelope as a whole, and what this cycle's proposals request and have approved of it."""
    requested, approved = added(item.requested for item in items), added(item.approved for item in items)
    sums = money.sums_by(tx, proposals.ids_of(tx, [item.ref for item in items]))
    more = {kind: added({y: n for (k, y), n in one.items() if k == kind} for one in sums.values()) for kind in _LATER}
    stands = {one["year"]: one for one in envelopes.overview(tx)}
    nothing = {"amount": 0, "status": None, "available": 0}
    return [
        {
            "year": year,
            **{key: stands.get(year, nothing)[key] for key in ("amount", "status", "available")},
            "requested": requested.get(year, 0),
            "approved": approved.get(year, 0),
            **{str(kind): amounts.get(year, 0) for kind, amounts in more.items()},
        }
        for year in sorted({*requested, *approved})
    ]


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything a what-if reckons with, read in one transaction: the cycle's proposals and the envelopes."""

    items: list[Item]
    available: dict[int, int]
    over: dict[int, str]
    wanted: Wanted
    taken: dict[int, int]


def prepare(tx: Tx, year: int, wanted: Wanted, book: Rulebook) -> Setting:
    """Read what the what-if needs; Invalid with every reference it cannot reckon with."""
    items = of_cycle(tx, year, book)
    known = {item.ref: item for item in items}
    lists = {"/include": wanted.include, "/best/must_include": wanted.must_include, "/best/leave_out": wanted.leave_out}
    named = [(f"{place}/{i}", ref) for place, refs in lists.items() for i, ref in enumerate(refs)]
    named += [(pointer("amounts", ref), ref) for ref in wanted.amounts]
    said = f"There is no such proposal in play in the cycle {year}."
    faults = [Fault(place, "not_in_cycle", said) for place, ref in named if ref not in known]
    faults += [
        Fault(pointer("amounts", ref), "approved_already", f"{ref} is {known[ref].state}; it counts with what it has.")
        for ref in wanted.amounts
        if ref in known and known[ref].state in FUNDED
    ]
    faults += [
        Fault(f"/best/leave_out/{i}", "contradiction", f"{ref} cannot be left out and included for certain.")
        for i, ref in enumerate(wanted.leave_out)
        if ref in wanted.must_include
    ]
    if faults:
        raise Invalid("validation_failed", "Some proposals cannot be reckoned with.", faults=faults)
    items = [
        replace(item, requested=dict(wanted.amounts[item.ref])) if item.ref in wanted.amounts else item
        for item in items
    ]
    standing = envelopes.standing(tx)
    new = [known_item for known_item in items if known_item.ref in wanted.include and known_item.state not in FUNDED]
    taken = added(item.requested for item in new)
    available = {one.year: one.available for one in standing.values()}
    return Setting(items, available, over_envelope(standing, taken), wanted, taken)


def reckon(setting: Setting, book: Rulebook) -> dict[str, Any]:
    """Coverage and envelope effect of the set, and on request the sets that fit best. What is approved counts as it is."""
    wanted = setting.wanted
    chosen = [one for one in setting.items if one.ref in wanted.include or one.state in FUNDED]
    effect = [
        {
            "year": year,
            "available": setting.available.get(year, 0),
            "wanted": amount,
            "left": setting.available.get(year, 0) - amount,
        }
        for year, amount in setting.taken.items()
    ]
    return {
        "note": ADVICE,
        "include": [one.ref for one in chosen],
        "envelopes": effect,
        "fits": not setting.over,
        "refusals": [Refusal("envelope_exceeded", said).as_json() for said in setting.over.values()],
        "coverage": _coverage(chosen, book),
        "best": _best(setting, wanted.objective) if wanted.objective else None,
    }


def _best(setting: Setting, objective: str) -> dict[str, Any]:
    wanted = setting.wanted
    free = [one for one in setting.items if one.state not in FUNDED and one.ref not in wanted.leave_out]
    said = f"{len(free)} proposals are in play; sets are looked for among at most {MOST}. Leave some out."
    refuse_unless(len(free) <= MOST, "too_many_proposals", said)
    candidates = [Candidate(one.ref, one.requested, _worth(one, objective), _things(one)) for one in free]
    there = frozenset().union(*(_things(one) for one in setting.items if one.state in FUNDED))
    by_coverage = objective == "coverage"
    must = frozenset(wanted.must_include)
    found = best_sets(candidates, setting.available, wanted.sets, must, there, by_coverage)
    needs = {one.ref: one.requested for one in free}
    return {
        "objective": objective,
        "meaning": _MEANING[objective],
        "sets": [
            {
                "include": choice.include,
                "value": choice.value / 10 if objective == "score" else choice.value,
                "amounts": {str(y): amount for y, amount in added(needs[ref] for ref in choice.include).items()},
                "gap": choice.gap,
                "proven": choice.proven,
            }
            for choice in found
        ],
    }


_MEANING = {
    "score": "The sum of the scores: the assessments' where there are any, else the screening's total.",
    "money": "The DKK put to use.",
    "proposals": "The number of proposals funded in full.",
    "coverage": "The number of criteria, countries and SRF outcomes that at least one proposal addresses.",
}


def _worth(item: Item, objective: str) -> int:
    return {"score": item.score_tenths, "money": item.money[0]}.get(objective, 1)


def _things(item: Item) -> frozenset[str]:
    letters = {f"criterion {letter}" for letter in item.screening if item.addresses(letter)}
    countries = {f"country {country['code']}" for country in item.content["countries"]}
    return frozenset({*letters, *countries, *(f"outcome {code}" for code in item.content["srf_outcomes"])})
