"""An independent reference for the screening of DOMAIN.md section 4, by hand, over plain JSON.

It shares nothing with the service and its rule files: tests compare the two. A top-level field that
is absent is unknown, and unknown is ``None`` in the three-valued (strong Kleene) logic used here.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import Any

Truth = bool | None

NORTH = {"DZ", "EG", "MA", "TN"}
WEST = {"ML", "NE", "NG", "MR", "BF", "TD"}
EAST = {"ET", "BI", "SO", "SD"}
FOCUS = NORTH | WEST | EAST
STAGES = {"origin", "transit", "destination"}
GCM = {1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 14, 15, 21, 23}
ANNEX_5 = {"2a.1", "2a.2", "3b.1", "3b.4", "4a.1", "4b.2"}
CLIMATE_TYPES = {"climate_adaptation", "disaster_risk_reduction"}
PROTECTION_TYPES = {"protection_assistance", "counter_trafficking", "return_reintegration"}
CAPACITY_TOOLS = {"EMM2.0", "CD4MM"}
MANDATORY = ("a", "c", "e")

# Points of every indicator, and which of them their criterion requires.
POINTS = {
    "a1": 2, "a2": 2, "a3": 1, "a4": 1, "a5": 1,
    "b1": 2, "b2": 1, "b3": 1,
    "c1": 2, "c2": 2, "c3": 1, "c4": 1, "c5": 1, "c6": 1,
    "d1": 2, "d2": 1, "d3": 1, "d4": 1,
    "e1": 2, "e2": 2, "e3": 1, "e4": 1, "e5": 1,
    "f1": 2, "f2": 1, "f3": 1, "f4": 1,
    "g1": 2, "g2": 1, "g3": 1,
    "h1": 2, "h2": 1, "h3": 1, "h4": 1,
    "x1": 2, "x2": 1, "x3": 1,
}  # fmt: skip
REQUIRED = {"a1", "a2", "b1", "c1", "c2", "c3", "d1", "e1", "e2", "f1", "g1", "h1", "x1"}


def _all(values: Iterable[Truth]) -> Truth:
    """Kleene conjunction: one false decides, else one unknown leaves it open."""
    values = list(values)
    if False in values:
        return False
    return None if None in values else True


def _any(values: Iterable[Truth]) -> Truth:
    """Kleene disjunction: one true decides, else one unknown leaves it open."""
    values = list(values)
    if True in values:
        return True
    return None if None in values else False


def _some(items: list[Any] | None, test: Callable[[Any], Truth]) -> Truth:
    """Whether some element of a list passes; unknown for an unknown list."""
    return None if items is None else _any(test(item) for item in items)


def _every(items: list[Any] | None, test: Callable[[Any], Truth]) -> Truth:
    """Whether every element of a list passes; unknown for an unknown list."""
    return None if items is None else _all(test(item) for item in items)


def _on(value: Any, test: Callable[[Any], bool]) -> Truth:
    """A two-valued test on one field; unknown for an unknown field."""
    return None if value is None else test(value)


def _state(truth: Truth) -> str:
    """The word for a truth value."""
    return "undetermined" if truth is None else "met" if truth else "not_met"


def _union(activities: list[Any], key: str) -> set[str]:
    """Everything the activities name under a key, together."""
    return {value for activity in activities for value in activity[key]}


def _two_years(period: dict[str, str]) -> bool:
    """Whether the period lasts at least 24 calendar months."""
    start, end = date.fromisoformat(period["start"]), date.fromisoformat(period["end"])
    months = start.year * 12 + (start.month - 1) + 24
    year, month = months // 12, months % 12 + 1
    after = date(year, month, min(start.day, monthrange(year, month)[1]))
    return end >= after - timedelta(days=1)


def _requested(budget: list[Any] | None) -> int | None:
    """The sum of all budget lines."""
    return None if budget is None else sum(line["amount"] for line in budget)


def _within_envelopes(budget: list[Any], envelopes: dict[int, int]) -> bool:
    """Whether what each year asks for fits that year's envelope."""
    by_year: dict[int, int] = {}
    for line in budget:
        by_year[line["year"]] = by_year.get(line["year"], 0) + line["amount"]
    return all(amount <= envelopes.get(year, 0) for year, amount in by_year.items())


def _checks(
    content: dict[str, Any], cycle: int, last_cycle: int, envelopes: dict[int, int]
) -> dict[str, tuple[str, Truth]]:
    """Every eligibility check with its level."""
    areas = content.get("priority_areas")
    countries = content.get("countries")
    justification = content.get("geography_justification")
    outcomes = content.get("srf_outcomes")
    activities = content.get("activities")
    budget = content.get("budget")
    period = content.get("period")
    requested = _requested(budget)

    outside = _every(countries, lambda country: country["code"] in FOCUS)
    if outside is False and justification is None:
        outside = None

    def year_fits(line: dict[str, Any]) -> Truth:
        year = line["year"]
        in_period = _on(period, lambda p: int(p["start"][:4]) <= year <= int(p["end"][:4]))
        return _all([cycle <= year <= last_cycle, in_period])

    def overhead_fits(lines: list[Any]) -> bool:
        overhead: int = sum(line["amount"] for line in lines if line["category"] == "overhead")
        everything: int = sum(line["amount"] for line in lines)
        return 100 * overhead <= 8 * everything

    sums: Truth = None
    if activities is not None and requested is not None:
        sums = sum(activity["amount"] for activity in activities) <= requested

    climate_claim = _any(
        [
            _on(areas, lambda chosen: 3 in chosen),
            _on(areas, lambda chosen: 4 not in chosen),
            _some(activities, lambda activity: activity["type"] in CLIMATE_TYPES),
            _on(content.get("climate"), lambda climate: len(climate["activity_refs"]) > 0),
        ]
    )
    tight_earmark = _on(
        activities,
        lambda items: len(_union(items, "countries")) > 1 or len({activity["type"] for activity in items}) > 1,
    )
    risk_register = _on(
        content.get("risks"),
        lambda risks: {"contextual", "programmatic", "institutional"} <= {risk["category"] for risk in risks},
    )
    return {
        "priority-area": ("error", _some(areas, lambda area: area in (3, 4))),
        "focus-country": ("error", _some(countries, lambda country: country["code"] in FOCUS)),
        "outside-focus": ("warning" if justification else "error", outside),
        "srf-objective": ("error", _some(outcomes, lambda code: code[0] in "234")),
        "gcm-objective": ("warning", _every(content.get("gcm_objectives"), lambda objective: objective in GCM)),
        "activity-sum": ("error", sums),
        "budget-years": ("error", _every(budget, year_fits)),
        "within-envelope": ("error", _on(budget, lambda lines: _within_envelopes(lines, envelopes))),
        "srf-known": ("warning", _every(outcomes, lambda code: code in ANNEX_5)),
        "summary-length": ("warning", _on(content.get("summary"), lambda text: len(text.split()) <= 350)),
        "overhead": ("warning", _on(budget, overhead_fits)),
        "risk-register": ("warning", risk_register),
        "climate-claim": ("error", climate_claim),
        "tight-earmark": ("warning", tight_earmark),
    }


def _indicators(content: dict[str, Any]) -> dict[str, Truth]:
    """Every indicator of the criteria a-h and of the climate alignment (x)."""
    areas = content.get("priority_areas")
    outcomes = content.get("srf_outcomes")
    countries = content.get("countries")
    activities = content.get("activities")
    tools = content.get("tools")
    rights = content.get("human_rights")
    partners = content.get("partners")
    additionality = content.get("additionality")
    data = content.get("data")
    climate = content.get("climate")
    synergies = content.get("synergies")
    innovation = content.get("innovation")
    requested = _requested(content.get("budget"))

    def regions(items: list[Any]) -> int:
        places = _union(items, "countries")
        return sum(1 for region in (NORTH, WEST, EAST) if places & region)

    def builds_capacity(tool: dict[str, Any]) -> Truth:
        if tool["name"] not in CAPACITY_TOOLS:
            return False
        if activities is None:
            return None if tool["activity_refs"] else False
        chosen = [activity for activity in activities if activity["ref"] in tool["activity_refs"]]
        return any(activity["type"] == "capacity_development" for activity in chosen)

    def confirmed(kind: str) -> Truth:
        return _some(partners, lambda partner: partner["confirmed"] and partner["type"] == kind)

    def overlaps(synergy: dict[str, Any]) -> Truth:
        return _some(synergy["countries"], lambda code: _some(countries, lambda country: country["code"] == code))

    def both_sides(items: list[Any]) -> bool:
        targets = _union(items, "target_groups")
        return "government" in targets and bool(targets & {"migrants", "communities"})

    def adds(value: dict[str, Any]) -> bool:
        differs = all(len(project["how_it_differs"]) >= 50 for project in value["overlapping_projects"])
        return len(value["not_covered_elsewhere"]) >= 200 and differs

    contributed: int | None = None
    if partners is not None:
        contributed = sum(partner["contribution"] for partner in partners if partner["confirmed"])
    quarter: Truth = None
    if contributed is not None and requested is not None:
        quarter = 4 * contributed >= requested

    return {
        "a1": _on(activities, lambda items: len(_union(items, "stages")) >= 2),
        "a2": _on(activities, lambda items: len(_union(items, "countries")) >= 2),
        "a3": _on(activities, lambda items: _union(items, "stages") == STAGES),
        "a4": _some(activities, lambda activity: len(set(activity["countries"])) >= 2),
        "a5": _on(activities, lambda items: regions(items) >= 2),
        "b1": _some(tools, lambda tool: tool["name"] in CAPACITY_TOOLS),
        "b2": _some(tools, builds_capacity),
        "b3": _some(tools, lambda tool: tool["name"] in CAPACITY_TOOLS and tool["handover_to"] != ""),
        "c1": _on(rights, lambda value: any(group != "" for group in value["vulnerable_groups"])),
        "c2": _some(activities, lambda one: one["type"] in PROTECTION_TYPES and "migrants" in one["target_groups"]),
        "c3": _on(rights, lambda value: value["complaints_mechanism"] and value["psea_plan"]),
        "c4": _on(activities, both_sides),
        "c5": _on(content.get("gender_marker"), lambda marker: marker in ("2a", "2b")),
        "c6": _on(rights, lambda value: len(value["do_no_harm"]) >= 150),
        "d1": _some(partners, lambda partner: partner["confirmed"] and partner["type"] != "government"),
        "d2": _on(contributed, lambda amount: amount > 0),
        "d3": quarter,
        "d4": _any([confirmed("regional_body"), _some(tools, lambda tool: tool["name"] == "ACBC")]),
        "e1": _on(additionality, adds),
        "e2": _all([_some(areas, lambda area: area in (3, 4)), _some(outcomes, lambda code: code[0] in "234")]),
        "e3": _on(content.get("period"), _two_years),
        "e4": _on(additionality, lambda value: len(value["exit_strategy"]) >= 200),
        "e5": confirmed("government"),
        "f1": _some(activities, lambda activity: activity["type"] in ("migration_data", "research_analysis")),
        "f2": _on(data, lambda value: {"collection", "analysis", "dissemination"} <= set(value["functions"])),
        "f3": _on(data, lambda value: value["national_counterpart"] != ""),
        "f4": _on(data, lambda value: value["data_protection"]),
        "g1": _some(synergies, overlaps),
        "g2": _some(synergies, lambda synergy: _all([overlaps(synergy), synergy["embassy_consulted"]])),
        "g3": _some(synergies, lambda synergy: _all([overlaps(synergy), len(synergy["joint_action"]) >= 100])),
        "h1": _on(innovation, lambda value: len(value["approaches"]) > 0),
        "h2": _on(innovation, lambda value: len(value["learning_question"]) >= 100),
        "h3": _on(innovation, lambda value: len(value["scale_up"]) >= 100),
        "h4": _on(
            innovation,
            lambda value: bool({"inter_country_network", "cross_border_collaboration"} & set(value["approaches"])),
        ),
        "x1": _any(
            [
                _some(activities, lambda activity: activity["type"] in CLIMATE_TYPES),
                _on(climate, lambda value: len(value["activity_refs"]) > 0),
            ]
        ),
        "x2": _on(climate, lambda value: len(value["narrative"]) >= 200),
        "x3": _some(areas, lambda area: area == 4),
    }


def _criterion(letter: str, truths: dict[str, Truth], unknown_earns: bool = False) -> tuple[Truth, int, int]:
    """A criterion's truth, the points it earned and the points it could earn."""
    own = [name for name in POINTS if name[0] == letter]
    truth = _all(truths[name] for name in own if name in REQUIRED)
    earned = sum(POINTS[name] for name in own if truths[name] or (unknown_earns and truths[name] is None))
    return truth, earned, sum(POINTS[name] for name in own)


def _total(truths: dict[str, Truth], unknown_earns: bool) -> float:
    """The weighted total over a-h, exact, rounded half up to one decimal."""
    gained, weights = Fraction(0), 0
    for letter in "abcdefgh":
        weight = 2 if letter in MANDATORY else 1
        _, earned, possible = _criterion(letter, truths, unknown_earns)
        gained += weight * Fraction(earned, possible)
        weights += weight
    return floor(1000 * gained / weights + Fraction(1, 2)) / 10


def screen(content: dict[str, Any], cycle: int, last_cycle: int, envelopes: dict[int, int]) -> dict[str, Any]:
    """Screen a proposal's content, whole or a draft with fields left out."""
    checks = _checks(content, cycle, last_cycle, envelopes)
    truths = _indicators(content)
    criteria = {letter: _criterion(letter, truths) for letter in "abcdefgh"}
    climate = _criterion("x", truths)
    gate = _all(
        [truth for level, truth in checks.values() if level == "error"] + [criteria[letter][0] for letter in MANDATORY]
    )
    return {
        "outcome": "undetermined" if gate is None else "eligible" if gate else "ineligible",
        "total": _total(truths, unknown_earns=False),
        "total_reachable": _total(truths, unknown_earns=True),
        "checks": {name: (level, _state(truth)) for name, (level, truth) in checks.items()},
        "indicators": {name: _state(truth) for name, truth in truths.items()},
        "criteria": {letter: (_state(truth), *points) for letter, (truth, *points) in criteria.items()},
        "alignment": {"climate": (_state(climate[0]), climate[1], climate[2])},
    }
