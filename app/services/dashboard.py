"""A cycle at a glance, read once: money of all years, routes, coverage, what assessors gave, where proposals stand and how long."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from app.db import Record, Tx
from app.domain.assessment import LETTERS
from app.domain.cycle import day_of
from app.domain.portfolio import Item, coverage
from app.domain.rulebook import Rulebook
from app.domain.workflow import State
from app.errors import NotFound
from app.records import cycles, proposals
from app.services import envelopes, portfolio, review
from app.services.clock import Now
from app.services.desk import current_year

STAGES = ("origin", "transit", "destination")
_ENDED = (State.REJECTED, State.CLOSED, State.CANCELLED)  # where nothing waits any more
_ORDER = tuple(state for state in State if state != State.DRAFT)
_GRADES = 5


@dataclass(frozen=True, slots=True)
class Route:
    """What goes along one route, as its proposals name it; `stops` are the countries of each stage."""

    name: str
    proposals: int
    requested: int
    approved: int
    stops: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A state: how many are in it now, and the median of days that stays in it took or have taken, None without one."""

    state: str
    number: int
    days: float | None
    stays: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the dashboard shows. `envelopes` are of every year and all cycles; grades are letter -> how often each."""

    year: int
    years: tuple[int, ...]
    envelopes: list[dict[str, Any]]
    coverage: dict[str, Any]
    routes: list[Route]
    grades: dict[str, list[int]]
    assessed: int
    states: list[Standing]


def of_cycle(tx: Tx, year: int | None, book: Rulebook, now: Now) -> Overview:
    """The dashboard of a cycle, the current one where none is named; ten statements. NotFound without such a cycle."""
    year, years = chosen(tx, year, now)
    rows = proposals.portfolio(tx, year)
    judged = review.outcomes(tx, rows)
    items = portfolio.items_of(tx, rows, judged)
    listed = proposals.states_in(tx, year)
    return Overview(
        year=year,
        years=years,
        envelopes=envelopes.overview(tx),
        coverage=coverage(items, book.framework, book.annex, book.criteria.criteria),
        routes=_routes(items),
        grades=_grades(judged.values()),
        assessed=len(judged),
        states=_states(listed, proposals.steps_of(tx, [row.id for row in listed]), now.today),
    )


def chosen(tx: Tx, year: int | None, now: Now) -> tuple[int, tuple[int, ...]]:
    """The cycle that is meant, the current one where none is named, and all there are. NotFound without such a cycle."""
    found = cycles.all_cycles(tx)
    year = year or current_year(found, now.today)
    if year not in {row.year for row in found}:
        raise NotFound("cycle_not_found", f"There is no cycle {year}.")
    return year, tuple(row.year for row in found)


def _routes(items: Sequence[Item]) -> list[Route]:
    """By what is requested, the most first."""
    by_name: dict[str, list[Item]] = {}
    for item in items:
        by_name.setdefault(item.content["route"].strip(), []).append(item)
    found = [
        Route(
            name,
            len(group),
            sum(item.money[0] for item in group),
            sum(item.money[1] for item in group),
            stops_of(one for item in group for one in item.content["countries"]),
        )
        for name, group in by_name.items()
    ]
    return sorted(found, key=lambda one: (-one.requested, one.name))


def stops_of(countries: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, ...], ...]:
    """The countries of origin, of transit and of destination."""
    listed = list(countries)
    return tuple(tuple(dict.fromkeys(c["code"] for c in listed if stage in c["stages"])) for stage in STAGES)


def _grades(judged: Iterable[Mapping[str, Any]]) -> dict[str, list[int]]:
    """Letter -> how often each grade was given, 0 to 4."""
    found = {letter: [0] * _GRADES for letter in LETTERS}
    for outcome in judged:
        for letter, one in outcome["criteria"].items():
            for grade in one["grades"]:
                if grade is not None:
                    found[letter][grade] += 1
    return found


def _states(listed: Sequence[Record], steps: Sequence[Record], today: date) -> list[Standing]:
    """Every state that one is in or has been in, in the order of the work."""
    stays: dict[str, list[int]] = {}
    by_proposal: dict[int, list[Record]] = {}
    for step in steps:
        by_proposal.setdefault(step.proposal_id, []).append(step)
    for one in by_proposal.values():
        entered = [step for i, step in enumerate(one) if i == 0 or one[i - 1].target != step.target]
        for step, following in zip(entered, [*entered[1:], None], strict=True):
            if following or step.target not in _ENDED:
                until = day_of(following.at) if following else today
                stays.setdefault(step.target, []).append(max(0, (until - day_of(step.at)).days))
    numbers = {state: sum(row.state == state for row in listed) for state in _ORDER}
    return [
        Standing(state, numbers[state], median(stays[state]) if state in stays else None, len(stays.get(state, ())))
        for state in _ORDER
        if numbers[state] or state in stays
    ]
