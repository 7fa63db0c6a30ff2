"""What a screening looks at besides the content: the cycle, the last cycle that exists, the envelopes, the date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.domain.proposal import Content, requested_by_year
from app.domain.vocabulary import Year


@dataclass(frozen=True, slots=True)
class Cycle:
    """The cycle a proposal is made for and the last one that exists, as the rules see them."""

    year: Year
    last_year: Year


@dataclass(slots=True)
class RequestedYear:
    """DKK asked for in one year and that year's envelope (0 where there is none)."""

    year: Year
    requested: int
    envelope: int


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything a screening depends on besides content and rulebook: the same frame gives the same bytes."""

    cycle: Cycle
    envelopes: Mapping[int, int]
    screened_on: date


@dataclass(slots=True)
class Derived:
    """What rules may ask that no single field holds."""

    requested: int
    years: list[RequestedYear]
    srf_objectives: list[int]


# Which content fields each derived value rests on.
DERIVED_FROM = {"requested": "budget", "years": "budget", "srf_objectives": "srf_outcomes"}


def derive(content: Content, envelopes: Mapping[int, int]) -> Derived:
    """Sum of the budget, the budget by year against the envelopes, and the objectives of the SRF outcomes claimed."""
    by_year = requested_by_year(content)
    return Derived(
        requested=sum(by_year.values()),
        years=[RequestedYear(year, amount, envelopes.get(year, 0)) for year, amount in by_year.items()],
        srf_objectives=[*{int(code[0]): 0 for code in content.srf_outcomes or ()}],
    )
