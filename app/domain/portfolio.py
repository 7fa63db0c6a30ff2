"""What a set of proposals covers: criteria, countries, regions, SRF outcomes, priority areas, and the gaps. Pure, exact.

A proposal counts in full under every criterion, outcome and priority area it addresses; over countries its money is shared:
an activity's amount evenly over its countries, the proposal's money in proportion to that, in whole DKK that add up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.envelope import share
from app.domain.framework import Annex, Framework
from app.domain.rulebook.criteria import Criterion

COUNTING = (
    "A proposal counts in full under every criterion, outcome and priority area. Over countries its money is shared: each "
    "activity's amount evenly over the activity's countries, the proposal's money in proportion to that."
)


@dataclass(frozen=True, slots=True)
class Item:
    """A proposal as the portfolio sees it: its money in whole DKK, what it addresses by screening or assessment."""

    ref: str
    title: str
    office: str
    state: str
    requested: Mapping[int, int]
    approved: Mapping[int, int]
    content: Mapping[str, Any]
    screening: Mapping[str, str]
    assessed: Mapping[str, bool | None] | None
    score_tenths: int

    @property
    def money(self) -> tuple[int, int]:
        return sum(self.requested.values()), sum(self.approved.values())

    def addresses(self, letter: str) -> bool:
        """People have the last word; before they speak, the screening has it."""
        if self.assessed is not None and self.assessed.get(letter) is not None:
            return bool(self.assessed[letter])
        return self.assessed is None and self.screening.get(letter) == "met"

    def by_country(self) -> dict[str, tuple[int, int]]:
        """Country -> its share of what is requested and of what is approved."""
        codes = [country["code"] for country in self.content["countries"]]
        weights = dict.fromkeys(codes, 0)
        for activity in self.content["activities"]:
            parts = share(activity["amount"], [1] * len(activity["countries"]))
            for code, part in zip(activity["countries"], parts, strict=True):
                weights[code] += part
        even = list(weights.values()) if any(weights.values()) else [1] * len(codes)
        requested, approved = (share(amount, even) for amount in self.money)
        return {code: (requested[i], approved[i]) for i, code in enumerate(codes)}


def coverage(
    items: Sequence[Item], framework: Framework, annex: Annex, criteria: Sequence[Criterion]
) -> dict[str, Any]:
    """Every table of the coverage, and the gaps in sentences."""
    region_of = {str(code): region.name for region in framework.regions for code in region.countries}
    shares = {item.ref: item.by_country() for item in items}
    countries = list(dict.fromkeys([*region_of, *(code for one in shares.values() for code in one)]))
    regions = [*dict.fromkeys(region_of.values()), *({"other"} if set(countries) - set(region_of) else ())]
    titles = {outcome.code: outcome.title for outcome in annex.outcomes}
    outcomes = [*titles, *sorted({c for item in items for c in item.content["srf_outcomes"]} - set(titles))]

    def of_countries(codes: set[str]) -> dict[str, Any]:
        there = {ref: [one[code] for code in one if code in codes] for ref, one in shares.items()}
        both = [pair for pairs in there.values() for pair in pairs]
        money = {"requested": sum(pair[0] for pair in both), "approved": sum(pair[1] for pair in both)}
        return {"proposals": [ref for ref, pairs in there.items() if pairs], **money}

    tables: dict[str, Any] = {
        "criteria": [
            {"letter": one.letter, "title": one.title, "mandatory": one.mandatory}
            | _whole([item for item in items if item.addresses(one.letter)])
            for one in criteria
        ],
        "countries": [
            {"code": code, "region": region_of.get(code, "other"), **of_countries({code})} for code in countries
        ],
        "regions": [
            {"name": name, **of_countries({code for code in countries if region_of.get(code, "other") == name})}
            for name in regions
        ],
        "srf_outcomes": [
            {"code": code, "title": titles.get(code)}
            | _whole([item for item in items if code in item.content["srf_outcomes"]])
            for code in outcomes
        ],
        "priority_areas": [
            {"number": area.number, "title": area.title}
            | _whole([item for item in items if area.number in item.content["priority_areas"]])
            for area in framework.priority_areas
        ],
    }
    return {
        "proposals": [_row(item, [str(one.letter) for one in criteria], region_of) for item in items],
        **tables,
        "gaps": _gaps(tables, framework),
        "counting": COUNTING,
    }


def _whole(items: Sequence[Item]) -> dict[str, Any]:
    money = [item.money for item in items]
    sums = {"requested": sum(one[0] for one in money), "approved": sum(one[1] for one in money)}
    return {"proposals": [item.ref for item in items], **sums}


def _row(item: Item, letters: Sequence[str], region_of: Mapping[str, str]) -> dict[str, Any]:
    codes = [country["code"] for country in item.content["countries"]]
    return {
        "ref": item.ref,
        "title": item.title,
        "office": item.office,
        "state": item.state,
        **dict(zip(("requested", "approved"), item.money, strict=True)),
        "criteria": {letter: item.screening.get(letter, "undetermined") for letter in letters},
        "assessed": dict(item.assessed) if item.assessed is not None else None,
        "addresses": [letter for letter in letters if item.addresses(letter)],
        "countries": codes,
        "regions": list(dict.fromkeys(region_of.get(code, "other") for code in codes)),
        "srf_outcomes": list(item.content["srf_outcomes"]),
        "priority_areas": list(item.content["priority_areas"]),
    }


def _gaps(tables: Mapping[str, Any], framework: Framework) -> list[dict[str, str]]:
    """What nothing addresses: a criterion, a region of focus, an objective of the SRF or a priority area that is supported."""
    found = [
        _gap("criterion", one["letter"], f"No proposal addresses criterion {one['letter']}, {one['title']}.")
        for one in tables["criteria"]
        if not one["proposals"]
    ]
    found += [
        _gap("region", one["name"], f"No money in the region {one['name']}.")
        for one in tables["regions"]
        if one["name"] != "other" and not one["requested"]
    ]
    addressed = {one["code"][0] for one in tables["srf_outcomes"] if one["proposals"]}
    found += [
        _gap("srf_objective", str(number), f"No proposal works towards SRF objective {number}.")
        for number in framework.supported_srf_objectives
        if str(number) not in addressed
    ]
    found += [
        _gap("priority_area", str(one["number"]), f"No proposal claims priority area {one['number']}.")
        for one in tables["priority_areas"]
        if one["number"] in framework.supported_priority_areas and not one["proposals"]
    ]
    return found


def _gap(kind: str, subject: str, message: str) -> dict[str, str]:
    return {"kind": kind, "subject": subject, "message": message}
