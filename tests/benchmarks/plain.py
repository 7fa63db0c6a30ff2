"""The screening rules of DOMAIN.md section 4 in plain Python, for whole content: what benchmarks compare with.

`decide` reads attributes (`content.activities[0].countries`), `period.start` and `period.end` are dates,
sets are lists. Every check and indicator is evaluated, always.
"""

from datetime import date, timedelta
from typing import Any

# The order of the states that `decide` returns.
STATES = (
    "priority-area", "focus-country", "outside-focus", "srf-objective", "gcm-objective", "activity-sum",
    "budget-years", "within-envelope", "srf-known", "summary-length", "overhead", "risk-register",
    "climate-claim", "tight-earmark",
    "a1", "a2", "a3", "a4", "a5",
    "b1", "b2", "b3",
    "c1", "c2", "c3", "c4", "c5", "c6",
    "d1", "d2", "d3", "d4",
    "e1", "e2", "e3", "e4", "e5",
    "f1", "f2", "f3", "f4",
    "g1", "g2", "g3",
    "h1", "h2", "h3", "h4",
    "x1", "x2", "x3",
)  # fmt: skip

NORTH = frozenset({"DZ", "EG", "MA", "TN"})
WEST = frozenset({"ML", "NE", "NG", "MR", "BF", "TD"})
EAST = frozenset({"ET", "BI", "SO", "SD"})
FOCUS = NORTH | WEST | EAST
GCM_OBJECTIVES = frozenset({1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 14, 15, 21, 23})
SRF_OUTCOMES = frozenset({"2a.1", "2a.2", "3b.1", "3b.4", "4a.1", "4b.2"})
CLIMATE = frozenset({"climate_adaptation", "disaster_risk_reduction"})
PROTECTION = frozenset({"protection_assistance", "counter_trafficking", "return_reintegration"})

# A criterion's points are out of 7, 4, 8 or 5; over 280 they are whole, and the weights of a-h sum to 11.
OVER_280 = 280 * 11


def decide(content: Any, cycle: int, last_cycle: int, envelopes: dict[int, int]) -> tuple[str, int, tuple[bool, ...]]:
    """The outcome, the total in tenths of a point, and every state in the order of `STATES`."""
    areas = content.priority_areas
    claims_3_or_4 = 3 in areas or 4 in areas
    claims_4 = 4 in areas

    codes = {country.code for country in content.countries}
    some_focus = not codes.isdisjoint(FOCUS)
    all_focus = codes <= FOCUS

    some_objective = False
    srf_known = True
    for code in content.srf_outcomes:
        if code[0] in "234":
            some_objective = True
        if code not in SRF_OUTCOMES:
            srf_known = False

    # Activities
    type_of = {}
    places = set()
    stages = set()
    targets = set()
    activity_sum = 0
    spans_countries = False
    protects_migrants = False
    for activity in content.activities:
        kind = activity.type
        type_of[activity.ref] = kind
        places.update(activity.countries)
        stages.update(activity.stages)
        targets.update(activity.target_groups)
        activity_sum += activity.amount
        if len(activity.countries) >= 2:
            spans_countries = True
        if kind in PROTECTION and "migrants" in activity.target_groups:
            protects_migrants = True
    types = set(type_of.values())
    regions = (not places.isdisjoint(NORTH)) + (not places.isdisjoint(WEST)) + (not places.isdisjoint(EAST))
    on_climate = not types.isdisjoint(CLIMATE) or len(content.climate.activity_refs) > 0

    # Budget
    start: date = content.period.start
    end: date = content.period.end
    first_year = max(cycle, start.year)
    last_year = min(last_cycle, end.year)
    requested = 0
    overhead = 0
    years_fit = True
    by_year: dict[int, int] = {}
    for line in content.budget:
        year = line.year
        requested += line.amount
        by_year[year] = by_year.get(year, 0) + line.amount
        if line.category == "overhead":
            overhead += line.amount
        if not first_year <= year <= last_year:
            years_fit = False
    within_envelope = True
    for year, amount in by_year.items():
        if amount > envelopes.get(year, 0):
            within_envelope = False

    # Tools
    has_tool = False
    builds_capacity = False
    hands_over = False
    has_acbc = False
    for tool in content.tools:
        if tool.name in ("EMM2.0", "CD4MM"):
            has_tool = True
            if tool.handover_to:
                hands_over = True
            for ref in tool.activity_refs:
                if type_of.get(ref) == "capacity_development":
                    builds_capacity = True
        elif tool.name == "ACBC":
            has_acbc = True

    # Partners
    government = False
    other_partner = False
    regional_body = False
    contributed = 0
    for partner in content.partners:
        if partner.confirmed:
            contributed += partner.contribution
            if partner.type == "government":
                government = True
            else:
                other_partner = True
                if partner.type == "regional_body":
                    regional_body = True

    # Synergies
    synergy = False
    embassy_consulted = False
    joint_action = False
    for engagement in content.synergies:
        if not codes.isdisjoint(engagement.countries):
            synergy = True
            if engagement.embassy_consulted:
                embassy_consulted = True
            if len(engagement.joint_action) >= 100:
                joint_action = True

    # 29 February is the one day that two years later lacks.
    last_day = 28 if start.month == 2 and start.day == 29 else start.day
    two_years = end >= date(start.year + 2, start.month, last_day) - timedelta(days=1)

    rights = content.human_rights
    additionality = content.additionality
    data = content.data
    innovation = content.innovation
    differs = all(len(project.how_it_differs) >= 50 for project in additionality.overlapping_projects)

    gcm_listed = GCM_OBJECTIVES.issuperset(content.gcm_objectives)
    sums_fit = activity_sum <= requested
    summary_fits = len(content.summary.split()) <= 350
    overhead_fits = 100 * overhead <= 8 * requested
    risks_cover = len({risk.category for risk in content.risks}) == 3
    climate_claim = 3 in areas or not claims_4 or on_climate
    not_tight = len(places) > 1 or len(types) > 1

    a1 = len(stages) >= 2
    a2 = len(places) >= 2
    a3 = len(stages) == 3
    a4 = spans_countries
    a5 = regions >= 2
    b1 = has_tool
    b2 = builds_capacity
    b3 = hands_over
    c1 = any(rights.vulnerable_groups)
    c2 = protects_migrants
    c3 = rights.complaints_mechanism and rights.psea_plan
    c4 = "government" in targets and ("migrants" in targets or "communities" in targets)
    c5 = content.gender_marker in ("2a", "2b")
    c6 = len(rights.do_no_harm) >= 150
    d1 = other_partner
    d2 = contributed > 0
    d3 = 4 * contributed >= requested
    d4 = regional_body or has_acbc
    e1 = len(additionality.not_covered_elsewhere) >= 200 and differs
    e2 = claims_3_or_4 and some_objective
    e3 = two_years
    e4 = len(additionality.exit_strategy) >= 200
    e5 = government
    f1 = "migration_data" in types or "research_analysis" in types
    f2 = len(data.functions) == 3
    f3 = data.national_counterpart != ""
    f4 = data.data_protection
    g1 = synergy
    g2 = embassy_consulted
    g3 = joint_action
    h1 = len(innovation.approaches) > 0
    h2 = len(innovation.learning_question) >= 100
    h3 = len(innovation.scale_up) >= 100
    h4 = "inter_country_network" in innovation.approaches or "cross_border_collaboration" in innovation.approaches
    x1 = on_climate
    x2 = len(content.climate.narrative) >= 200
    x3 = claims_4

    # Each criterion's points over 280, times its weight: 2 for a, c and e, else 1.
    gained = (
        80 * (2 * a1 + 2 * a2 + a3 + a4 + a5)
        + 70 * (2 * b1 + b2 + b3)
        + 70 * (2 * c1 + 2 * c2 + c3 + c4 + c5 + c6)
        + 56 * (2 * d1 + d2 + d3 + d4)
        + 80 * (2 * e1 + 2 * e2 + e3 + e4 + e5)
        + 56 * (2 * f1 + f2 + f3 + f4)
        + 70 * (2 * g1 + g2 + g3)
        + 56 * (2 * h1 + h2 + h3 + h4)
    )
    tenths = (2 * 1000 * gained + OVER_280) // (2 * OVER_280)

    eligible = (
        claims_3_or_4
        and some_focus
        and (all_focus or content.geography_justification != "")
        and some_objective
        and sums_fit
        and years_fit
        and within_envelope
        and climate_claim
        and a1 and a2
        and c1 and c2 and c3
        and e1 and e2
    )  # fmt: skip
    states = (
        claims_3_or_4, some_focus, all_focus, some_objective, gcm_listed, sums_fit,
        years_fit, within_envelope, srf_known, summary_fits, overhead_fits, risks_cover,
        climate_claim, not_tight,
        a1, a2, a3, a4, a5,
        b1, b2, b3,
        c1, c2, c3, c4, c5, c6,
        d1, d2, d3, d4,
        e1, e2, e3, e4, e5,
        f1, f2, f3, f4,
        g1, g2, g3,
        h1, h2, h3, h4,
        x1, x2, x3,
    )  # fmt: skip
    return "eligible" if eligible else "ineligible", tenths, states
