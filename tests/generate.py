"""Random proposals for tests: valid by DOMAIN.md section 3, varied around every rule of section 4.

A proposal has a `care`: how likely each of its parts is written to satisfy the rule that reads it.
Parts fall on the rules' boundaries as often as they keep clear of them. All randomness is the caller's.
"""

from calendar import isleap
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

NORTH = ["DZ", "EG", "MA", "TN"]
WEST = ["ML", "NE", "NG", "MR", "BF", "TD"]
EAST = ["ET", "BI", "SO", "SD"]
FOCUS = NORTH + WEST + EAST
OTHERS = ["SN", "KE", "LY", "GM", "GN", "CI", "GH", "UG", "DJ", "TR", "JO", "BD"]
STAGES = ["origin", "transit", "destination"]
GROUPS = ["government", "migrants", "communities", "civil_society", "private_sector"]
TYPES = [
    "capacity_development",
    "border_management",
    "counter_trafficking",
    "protection_assistance",
    "return_reintegration",
    "labour_migration",
    "migration_data",
    "research_analysis",
    "climate_adaptation",
    "disaster_risk_reduction",
    "policy_support",
    "cross_border_cooperation",
]
CLIMATE_TYPES = ["climate_adaptation", "disaster_risk_reduction"]
PROTECTION_TYPES = ["protection_assistance", "counter_trafficking", "return_reintegration"]
PARTNER_TYPES = [
    "government",
    "un_agency",
    "regional_body",
    "development_bank",
    "civil_society",
    "private_sector",
    "academia",
    "donor",
]
CATEGORIES = ["staff", "operations", "subgrants", "equipment", "travel", "evaluation"]
RISKS = ["contextual", "programmatic", "institutional"]
APPROACHES = [
    "inter_country_network",
    "cross_border_collaboration",
    "experimental_data",
    "new_partnership",
    "new_technology",
]
LISTED_OUTCOMES = ["2a.1", "2a.2", "3b.1", "3b.4", "4a.1", "4b.2"]
UNLISTED_OUTCOMES = ["2a.3", "2c.1", "3a.2", "3b.2", "4a.9", "4z.1"]
OTHER_OUTCOMES = ["1a.1", "1b.2", "1c.4"]
GCM_LISTED = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 14, 15, 21, 23]
GCM_OTHER = [6, 12, 13, 16, 17, 18, 19, 20, 22]
SDG_TARGETS = ["10.7", "8.7", "8.8", "5.2", "13.1", "16.2", "17.18", "10.c"]
INDICATORS = ["3b11d", "3b41b", "4a12a", "4b22a", "2a12a", "gender:1", "oee:1", "custom:Officials trained"]
PROSE = (
    "migrants along the route need safe and lawful ways to move while states share data on who they meet and "
    "protect children from harm border staff learn to see signs of abuse return is humane when it is chosen "
    "réseau région Côte d'Ivoire Sahel N'Djamena Niamey Agadez Tunis Hargeisa mobilité Ødegaard 24/7 (EMM)"
)
WORDS = PROSE.split()
MOST = 10**12


def _hit(rng: Random, chance: float) -> bool:
    """True with this chance."""
    return rng.random() < chance


def _subset(rng: Random, items: Sequence[T], least: int = 0, most: int | None = None) -> list[T]:
    """Some of the items, none twice, in any order."""
    return rng.sample(items, rng.randint(least, len(items) if most is None else min(most, len(items))))


def _text(rng: Random, length: int) -> str:
    """A stripped text of exactly this many characters."""
    text = ""
    while len(text) < length:
        text += rng.choice(WORDS) + rng.choice("      \n")
    text = text[:length]
    return text if text == text.rstrip() else text[:-1] + "."


def _given(rng: Random, least: int, care: float) -> str:
    """A text around the least length that counts as given: long enough with chance `care`."""
    if _hit(rng, care):
        return _text(rng, rng.choice([least, least + 1, rng.randint(least, 2 * least)]))
    return _text(rng, rng.choice([least - 1, least - 1, rng.randint(0, least - 1), 0]))


def _name(rng: Random) -> str:
    """A short text."""
    return _text(rng, rng.randint(3, 40))


def _summary(rng: Random, care: float) -> str:
    """100-4000 characters; around 350 words, or on a limit of the length."""
    if _hit(rng, 0.05):
        return _text(rng, rng.choice([100, 4000]))
    words = rng.choice([350, 350, 349, rng.randint(40, 350)])
    if not _hit(rng, care):
        words = rng.choice([351, 351, 352, rng.randint(351, 420)])
    text = rng.choice(WORDS)
    for _ in range(words - 1):
        text += rng.choice([" "] * 20 + ["  ", "\n", "\n\n", "\t", " \n"]) + rng.choice(WORDS)
    return text if len(text) >= 100 else text + "." * (100 - len(text))


def _period(rng: Random, cycle: int, care: float) -> dict[str, str]:
    """A period, mostly over the cycle year, around 24 months long and at the ends of months."""
    leap = max(year for year in range(cycle - 4, cycle + 1) if isleap(year))
    start = rng.choice(
        [
            date(cycle, 1, 1),
            date(cycle, rng.randint(1, 12), rng.randint(1, 28)),
            date(cycle - 1, 7, 15),
            date(cycle - 1, 1, 31),
            date(leap, 2, 29),
            date(leap, 3, 1),
            date(leap, 8, 31),
            date(leap, 12, 31),
            date(cycle - 1, 2, 28),
        ]
    )
    clamped = 28 if (start.month, start.day) == (2, 29) else start.day
    enough = date(start.year + 2, start.month, clamped) - timedelta(days=1)
    if _hit(rng, care):
        end = enough + timedelta(days=rng.choice([0, 0, 1, 2, rng.randint(0, 700)]))
    else:
        end = rng.choice(
            [
                enough - timedelta(days=1),
                enough - timedelta(days=1),
                enough - timedelta(days=2),
                start + timedelta(days=rng.randint(1, 729)),
                start + timedelta(days=1),
            ]
        )
    if _hit(rng, 0.02):
        start, end = rng.choice([(date(2000, 1, 1), date(2100, 12, 31)), (date(2100, 12, 30), date(2100, 12, 31))])
    return {"start": start.isoformat(), "end": end.isoformat()}


def _codes(rng: Random, care: float) -> list[str]:
    """Country codes: some in focus, some outside it, mostly several."""
    if _hit(rng, (1 - care) / 5):
        return _subset(rng, OTHERS, 1, 4)
    if not _hit(rng, care):
        return rng.choice([[rng.choice(FOCUS)], _subset(rng, rng.choice([NORTH, WEST, EAST]), 1, 4)])
    codes = _subset(rng, FOCUS, 2, 6)
    if _hit(rng, 0.25):
        codes += _subset(rng, OTHERS, 1, 2)
        rng.shuffle(codes)
    return codes


def _split(rng: Random, total: int, parts: int) -> list[int]:
    """Whole amounts that sum to the total."""
    cuts = sorted(rng.randint(0, total) for _ in range(parts - 1))
    return [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]


def _activities(rng: Random, codes: list[str], areas: list[int], total: int, care: float) -> list[dict[str, Any]]:
    """Activities whose amounts sum to this total."""
    count = rng.choice([1, 2, 2, 3, 3, 4, 5, 8])
    if _hit(rng, 0.01):
        count = 60
    places, stages, types = codes, STAGES, TYPES
    if not _hit(rng, care):
        places = [rng.choice(codes)]
    if not _hit(rng, care):
        stages = _subset(rng, STAGES, 1, 2)
    if not _hit(rng, care):
        types = _subset(rng, TYPES, 1, 2)
    spread = _hit(rng, 0.7)
    refs = _refs(rng, count)
    amounts = _split(rng, total, count)
    activities: list[dict[str, Any]] = []
    for number in range(count):
        one_place = [places[number % len(places)]]
        activities.append(
            {
                "ref": refs[number],
                "title": _name(rng),
                "type": rng.choice(types),
                "countries": _subset(rng, places, 1) if spread else one_place,
                "stages": _subset(rng, stages, 1),
                "target_groups": _subset(rng, GROUPS, 1, 3),
                "amount": amounts[number],
            }
        )
    _cast(rng, activities, areas, care)
    if _hit(rng, care):
        activities[0]["countries"] = rng.sample(places, len(places))
        activities[-1]["stages"] = rng.sample(stages, len(stages))
    return activities


def _cast(rng: Random, activities: list[dict[str, Any]], areas: list[int], care: float) -> None:
    """Give some activities, each once, the types that rules look for."""
    free = rng.sample(activities, len(activities))
    if _hit(rng, care):
        one = free.pop()
        one["type"] = rng.choice(PROTECTION_TYPES)
        one["target_groups"] = ["migrants", *_subset(rng, ["government", "communities", "civil_society"])]
    if 4 in areas and free and _hit(rng, care / 2):
        free.pop()["type"] = rng.choice(CLIMATE_TYPES)
    if free and _hit(rng, care * 0.8):
        free.pop()["type"] = rng.choice(["migration_data", "research_analysis"])
    if free and _hit(rng, care):
        free.pop()["type"] = "capacity_development"


def _refs(rng: Random, count: int) -> list[str]:
    """Unique references, in one of the forms offices use; the longest has 20 characters."""
    form = rng.choice(["A{}", "{}", "act-{:02}", "WP1.{}", "out_{}", "Long.reference-_x{:03}", "{:020}"])
    refs = [form.format(number + 1)[-20:] for number in range(count)]
    rng.shuffle(refs)
    return refs


def _years(rng: Random, cycle: int, care: float) -> list[int]:
    """The years the budget speaks of."""
    if _hit(rng, care):
        return [cycle] if _hit(rng, 0.9) else [cycle, cycle + 1]
    return rng.choice([[cycle - 1], [cycle, cycle + 1], [cycle, cycle + 2], [cycle - 1, cycle], [2000, cycle, 2100]])


def _year_total(rng: Random, care: float) -> int:
    """What one year asks for: mostly within 50 million."""
    if not _hit(rng, care):
        return rng.choice([50_000_001, 50_000_001, 50_000_100, 60_000_000, 25_000_001, MOST])
    few = [0, 1, 3, 4, 25, 99, 100, 101]
    many = [50_000_000, 50_000_000, 49_999_999, 25_000_000, 12_345_678]
    ordinary = rng.randint(10, 500) * 100_000
    return rng.choice([rng.choice(few), rng.choice(many), rng.choice(many), ordinary, ordinary, ordinary, ordinary])


def _budget(rng: Random, years: list[int], care: float) -> list[dict[str, Any]]:
    """Budget lines of these years, without references to activities yet."""
    totals = [_year_total(rng, 0.5 + care / 2) for _ in years]
    requested = sum(totals)
    allowed = 8 * requested // 100
    overhead = rng.choice([allowed, allowed, rng.randint(0, allowed), 0])
    if not _hit(rng, care):
        overhead = min(requested, rng.choice([allowed + 1, allowed + 1, requested * 9 // 100 + 1, requested]))
    count = rng.choice([1, 2, 3, 5, 8])
    if _hit(rng, 0.01):
        count = 200 // len(years) - 1
    lines = []
    for year, total in zip(years, totals, strict=True):
        share = min(overhead, total)
        overhead -= share
        if share or _hit(rng, 0.2):
            lines.append({"year": year, "category": "overhead", "amount": share, "activity_ref": None})
        lines += [
            {"year": year, "category": rng.choice(CATEGORIES), "amount": amount, "activity_ref": None}
            for amount in _split(rng, total - share, count)
        ]
    rng.shuffle(lines)
    return lines


def _partners(rng: Random, requested: int, care: float) -> list[dict[str, Any]]:
    """Partners; the confirmed ones contribute around a quarter of what is requested."""
    quarter = -(-requested // 4)
    wanted = min(MOST, rng.choice([quarter, quarter, quarter + 1, requested]))
    if not _hit(rng, care):
        wanted = rng.choice([0, 0, max(0, quarter - 1), max(0, quarter - 1), 1, quarter // 2])
    wanted = min(wanted, MOST)
    types: list[str] = []
    if _hit(rng, care):
        types.append("government")
    if _hit(rng, care):
        types.append(rng.choice(PARTNER_TYPES[1:]))
    if _hit(rng, care / 2):
        types.append("regional_body")
    shares = _split(rng, wanted, len(types)) if types else []
    found = [(kind, True, share) for kind, share in zip(types, shares, strict=True)]
    found += [(kind, False, rng.choice([0, quarter, quarter, 1_000_000])) for kind in _subset(rng, PARTNER_TYPES, 0, 2)]
    rng.shuffle(found)
    return [
        {"name": _name(rng), "type": kind, "role": _name(rng), "confirmed": confirmed, "contribution": min(MOST, share)}
        for kind, confirmed, share in found
    ]


def _tools(rng: Random, activities: list[dict[str, Any]], care: float) -> list[dict[str, Any]]:
    """Tools, each with some activities."""
    names = []
    if _hit(rng, care):
        names.append(rng.choice(["EMM2.0", "CD4MM"]))
    if _hit(rng, 0.25):
        names.append("ACBC")
    if _hit(rng, 0.25):
        names.append(rng.choice(["MiGOF", "EMM", "Essentials of Migration Management", "DTM"]))
    rng.shuffle(names)
    tools = []
    for name in names:
        refs = _subset(rng, [activity["ref"] for activity in activities], 0, 4)
        fitting = [activity["ref"] for activity in activities if activity["type"] == "capacity_development"]
        if fitting and _hit(rng, care):
            chosen = rng.choice(fitting)
            refs = [*(ref for ref in refs if ref != chosen), chosen]
        handover = _name(rng) if _hit(rng, care) else ""
        tools.append({"name": name, "activity_refs": refs, "handover_to": handover})
    return tools


def _synergies(rng: Random, codes: list[str], care: float) -> list[dict[str, Any]]:
    """Danish engagements, in countries of the proposal or elsewhere."""
    elsewhere = [code for code in FOCUS + OTHERS if code not in codes]
    synergies = []
    for _ in range(rng.choice([1, 1, 2, 3]) if _hit(rng, 0.2 + 0.7 * care) else 0):
        countries = _subset(rng, elsewhere, 0, 2)
        if _hit(rng, care):
            countries += _subset(rng, codes, 1, 2)
            rng.shuffle(countries)
        synergies.append(
            {
                "engagement": _name(rng),
                "iati_identifier": rng.choice(["", f"DK-1-{rng.randint(100000, 299999)}"]),
                "countries": countries,
                "embassy_consulted": _hit(rng, care),
                "joint_action": _given(rng, 100, care),
            }
        )
    return synergies


def _priority_areas(rng: Random, care: float) -> list[int]:
    """Priority areas, with 3 or 4 or without."""
    if _hit(rng, care):
        return rng.choice([[3], [4], [3, 4], [1, 3], [4, 1], [2, 3], [1, 2, 3, 4], [4, 3, 2], [2, 4]])
    return rng.choice([[1], [2], [2, 1], [4], [1, 4]])


def _srf_outcomes(rng: Random, care: float) -> list[str]:
    """SRF outcomes: listed ones, ones of the right objectives that are not, and others."""
    if not _hit(rng, care):
        return rng.choice([[], _subset(rng, OTHER_OUTCOMES, 1), _subset(rng, UNLISTED_OUTCOMES, 1)])
    codes = _subset(rng, LISTED_OUTCOMES, 1, 4)
    if _hit(rng, 0.15):
        codes += _subset(rng, UNLISTED_OUTCOMES + OTHER_OUTCOMES, 1, 2)
        rng.shuffle(codes)
    return codes


def proposal(rng: Random, cycle: int = 2026) -> dict[str, Any]:
    """A whole and valid content: every field is there but, at times, the three optional ones."""
    care = rng.choice([0.98, 0.96, 0.96, 0.9, 0.75, 0.5, 0.3])
    codes = _codes(rng, care)
    areas = _priority_areas(rng, care)
    budget = _budget(rng, _years(rng, cycle, care), care)
    requested = sum(line["amount"] for line in budget)
    if _hit(rng, care):
        planned = rng.choice([requested, requested, max(0, requested - 1), requested * 9 // 10])
    else:
        planned = rng.choice([requested + 1, requested + 1, requested * 11 // 10, requested * 2])
    activities = _activities(rng, codes, areas, min(planned, MOST), care)
    refs = [activity["ref"] for activity in activities]
    tools = _tools(rng, activities, care)
    climate_refs: list[str] = []
    if _hit(rng, care * 0.7 if 4 in areas else 0.1):
        climate_refs = _subset(rng, refs, 1, 3)
    if _hit(rng, 0.05):
        kind, place = rng.choice(TYPES), [rng.choice(codes)]
        for activity in activities:
            activity["type"], activity["countries"] = kind, list(place)
    for line in budget:
        line["activity_ref"] = rng.choice([None, *refs])

    outside = any(code not in FOCUS for code in codes)
    justified = _hit(rng, care if outside else 0.3)
    justification = _text(rng, rng.choice([1, 80, 300, 2000])) if justified else ""
    gcm = _subset(rng, GCM_LISTED, 0, 5)
    if not _hit(rng, care):
        gcm += _subset(rng, GCM_OTHER, 1, 2)
    functions = ["collection", "analysis", "dissemination"]
    risks = RISKS if _hit(rng, care) else _subset(rng, RISKS, 1, 2)
    risks = [*risks, *(rng.choice(risks) for _ in range(rng.randint(0, 2)))]
    vulnerable = [_name(rng) for _ in range(rng.randint(1, 3))]
    if not _hit(rng, care):
        vulnerable = rng.choice([[], [], [""]])
    approaches = _subset(rng, APPROACHES, 1) if _hit(rng, care) else []
    content: dict[str, Any] = {
        "title": _text(rng, rng.choice([10, 200, rng.randint(10, 200), rng.randint(10, 200)])),
        "summary": _summary(rng, care),
        "period": _period(rng, cycle, care),
        "priority_areas": areas,
        "srf_outcomes": _srf_outcomes(rng, care),
        "gcm_objectives": gcm,
        "sdg_targets": _subset(rng, SDG_TARGETS, 0, 3),
        "gender_marker": rng.choice(["2a", "2b"]) if _hit(rng, care) else rng.choice(["0", "1", "NA"]),
        "countries": [{"code": code, "stages": _subset(rng, STAGES, 1)} for code in codes],
        "route": rng.choice(["", "Central Mediterranean", "Western Mediterranean and Atlantic", _text(rng, 200)]),
        "geography_justification": justification,
        "activities": activities,
        "tools": tools,
        "human_rights": {
            "vulnerable_groups": vulnerable,
            "complaints_mechanism": _hit(rng, care),
            "psea_plan": _hit(rng, care),
            "do_no_harm": _given(rng, 150, care),
        },
        "partners": _partners(rng, requested, care),
        "additionality": {
            "not_covered_elsewhere": _given(rng, 200, care),
            "overlapping_projects": [
                {"reference": _name(rng), "how_it_differs": _given(rng, 50, care)}
                for _ in range(rng.choice([0, 0, 1, 2]))
            ],
            "exit_strategy": _given(rng, 200, care),
        },
        "data": {
            "functions": rng.sample(functions, 3) if _hit(rng, care) else _subset(rng, functions, 0, 2),
            "national_counterpart": _name(rng) if _hit(rng, care) else "",
            "data_protection": _hit(rng, care),
        },
        "climate": {"narrative": _given(rng, 200, care / 2), "activity_refs": climate_refs},
        "synergies": _synergies(rng, codes, care),
        "innovation": {
            "approaches": approaches,
            "learning_question": _given(rng, 100, care),
            "scale_up": _given(rng, 100, care),
        },
        "indicators": [
            {
                "code": code,
                "baseline": rng.choice([0, 12, 0.5]),
                "target": rng.choice([1, 40, 99.5, 2000]),
                "unit": rng.choice(["", "persons", "%"]),
                "means_of_verification": _name(rng),
            }
            for code in _subset(rng, INDICATORS, 0, 4)
        ],
        "budget": budget,
        "risks": [
            {
                "category": category,
                "description": _name(rng),
                "likelihood": rng.randint(1, 5),
                "impact": rng.randint(1, 5),
                "mitigation": _name(rng),
            }
            for category in risks
        ],
        "criteria": {letter: _text(rng, rng.choice([0, 40, 300])) for letter in _subset(rng, "abcdefgh")},
    }
    if _hit(rng, 0.02):
        content["criteria"]["a"] = _text(rng, 3000)
    if _hit(rng, 0.5):
        content["prima_reference"] = f"PRIMA-{rng.randint(1, 99999):05}"
    if _hit(rng, 0.5):
        content["previous_proposal"] = rng.choice([None, f"DK-IOM-{cycle - 1}-{rng.randint(1, 20):03}"])
    if _hit(rng, 0.5):
        content["contact"] = rng.choice([None, {"name": "Amina Diallo", "email": "adiallo@iom.int"}])
    return content


def draft(rng: Random, cycle: int = 2026) -> dict[str, Any]:
    """A proposal with some top-level fields left out: one, a few, about half, nearly all, or all."""
    content = proposal(rng, cycle)
    fields = list(content)
    some = rng.randint(1, len(fields))
    count = rng.choice([1, 1, 2, 3, 5, some, some, len(fields) - 1, len(fields) if _hit(rng, 0.2) else some])
    for field in rng.sample(fields, count):
        del content[field]
    return content
