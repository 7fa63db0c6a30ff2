"""A proposal's content as IOM sends it (DOMAIN.md section 3): strict, every fault found at once with its pointer."""

import json
from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.vocabulary import (
    LISTED,
    UNIQUE,
    UNIQUE_ITEMS,
    ActivityRef,
    Amount,
    Country,
    Day,
    Number,
    ProposalRef,
    SrfOutcome,
    Text,
    Words,
    Year,
)
from app.errors import Fault
from app.faults import faults_of, pointer

Stage = Literal["origin", "transit", "destination"]
ActivityType = Literal[
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
TargetGroup = Literal["government", "migrants", "communities", "civil_society", "private_sector"]
PartnerType = Literal[
    "government",
    "un_agency",
    "regional_body",
    "development_bank",
    "civil_society",
    "private_sector",
    "academia",
    "donor",
]
DataFunction = Literal["collection", "analysis", "dissemination"]
Approach = Literal[
    "inter_country_network", "cross_border_collaboration", "experimental_data", "new_partnership", "new_technology"
]
BudgetCategory = Literal["staff", "operations", "subgrants", "equipment", "travel", "evaluation", "overhead"]
RiskCategory = Literal["contextual", "programmatic", "institutional"]
Letter = Literal["a", "b", "c", "d", "e", "f", "g", "h"]
Score = Annotated[int, Field(ge=1, le=5)]


class Part(BaseModel):
    """A piece of content: strict types, no unknown field, never changed once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Period(Part):
    start: Day
    end: Day


class CountryStages(Part):
    code: Country
    stages: Annotated[list[Stage], Field(min_length=1, max_length=LISTED), UNIQUE, UNIQUE_ITEMS]


class Activity(Part):
    ref: ActivityRef
    title: Words
    type: ActivityType
    countries: Annotated[list[Country], Field(min_length=1, max_length=LISTED), UNIQUE, UNIQUE_ITEMS]
    stages: Annotated[list[Stage], Field(min_length=1, max_length=LISTED), UNIQUE, UNIQUE_ITEMS]
    target_groups: Annotated[list[TargetGroup], Field(min_length=1, max_length=LISTED), UNIQUE, UNIQUE_ITEMS]
    amount: Amount


class Tool(Part):
    name: Words
    activity_refs: Annotated[list[ActivityRef], Field(max_length=LISTED)]
    handover_to: Words


class HumanRights(Part):
    vulnerable_groups: Annotated[list[Words], Field(max_length=LISTED)]
    complaints_mechanism: bool
    psea_plan: bool
    do_no_harm: Words


class Partner(Part):
    name: Words
    type: PartnerType
    role: Words
    confirmed: bool
    contribution: Amount


class OverlappingProject(Part):
    reference: Words
    how_it_differs: Words


class Additionality(Part):
    not_covered_elsewhere: Words
    overlapping_projects: Annotated[list[OverlappingProject], Field(max_length=LISTED)]
    exit_strategy: Words


class DataWork(Part):
    functions: Annotated[list[DataFunction], Field(max_length=LISTED), UNIQUE, UNIQUE_ITEMS]
    national_counterpart: Words
    data_protection: bool


class Climate(Part):
    narrative: Words
    activity_refs: Annotated[list[ActivityRef], Field(max_length=LISTED)]


class Synergy(Part):
    engagement: Words
    iati_identifier: Words
    countries: Annotated[list[Country], Field(max_length=LISTED)]
    embassy_consulted: bool
    joint_action: Words


class Innovation(Part):
    approaches: Annotated[list[Approach], Field(max_length=LISTED), UNIQUE, UNIQUE_ITEMS]
    learning_question: Words
    scale_up: Words


class Indicator(Part):
    code: Annotated[str, Text(least=1)]
    baseline: Number
    target: Number
    unit: Words
    means_of_verification: Words


class BudgetLine(Part):
    year: Year
    category: BudgetCategory
    amount: Amount
    activity_ref: ActivityRef | None


class Risk(Part):
    category: RiskCategory
    description: Words
    likelihood: Score
    impact: Score
    mitigation: Words


class Contact(Part):
    name: Words
    email: Words


PriorityArea = Annotated[int, Field(ge=1, le=4)]
GcmObjective = Annotated[int, Field(ge=1, le=23)]
_ABSENT: Any = None


class Content(Part):
    """What a proposal says. In a draft any field may be absent (`model_fields_set` tells); what is there is well-formed."""

    title: Annotated[str, Text(10, 200)] = _ABSENT
    summary: Annotated[str, Text(100, 4000)] = _ABSENT
    period: Period = _ABSENT
    priority_areas: Annotated[list[PriorityArea], Field(min_length=1, max_length=LISTED), UNIQUE, UNIQUE_ITEMS] = (
        _ABSENT
    )
    srf_outcomes: Annotated[list[SrfOutcome], Field(max_length=LISTED), UNIQUE, UNIQUE_ITEMS] = _ABSENT
    gcm_objectives: Annotated[list[GcmObjective], Field(max_length=LISTED), UNIQUE, UNIQUE_ITEMS] = _ABSENT
    sdg_targets: Annotated[list[Words], Field(max_length=LISTED), UNIQUE, UNIQUE_ITEMS] = _ABSENT
    gender_marker: Literal["0", "1", "2a", "2b", "NA"] = _ABSENT
    countries: Annotated[list[CountryStages], Field(min_length=1, max_length=LISTED)] = _ABSENT
    route: Annotated[str, Text(most=200)] = _ABSENT
    geography_justification: Annotated[str, Text(most=2000)] = _ABSENT
    activities: Annotated[list[Activity], Field(min_length=1, max_length=60)] = _ABSENT
    tools: Annotated[list[Tool], Field(max_length=LISTED)] = _ABSENT
    human_rights: HumanRights = _ABSENT
    partners: Annotated[list[Partner], Field(max_length=LISTED)] = _ABSENT
    additionality: Additionality = _ABSENT
    data: DataWork = _ABSENT
    climate: Climate = _ABSENT
    synergies: Annotated[list[Synergy], Field(max_length=LISTED)] = _ABSENT
    innovation: Innovation = _ABSENT
    indicators: Annotated[list[Indicator], Field(max_length=LISTED)] = _ABSENT
    budget: Annotated[list[BudgetLine], Field(min_length=1, max_length=LISTED)] = _ABSENT
    risks: Annotated[list[Risk], Field(max_length=LISTED)] = _ABSENT
    criteria: dict[Letter, Annotated[str, Text(most=3000)]] = _ABSENT
    prima_reference: Words | None = None
    previous_proposal: ProposalRef | None = None
    contact: Contact | None = None


NEEDED_TO_SUBMIT = (
    "title",
    "summary",
    "period",
    "priority_areas",
    "srf_outcomes",
    "gender_marker",
    "countries",
    "activities",
    "human_rights",
    "additionality",
    "budget",
    "risks",
)
EMPTY: dict[str, Any] = {
    "gcm_objectives": [],
    "sdg_targets": [],
    "route": "",
    "geography_justification": "",
    "tools": [],
    "partners": [],
    "data": DataWork(functions=[], national_counterpart="", data_protection=False),
    "climate": Climate(narrative="", activity_refs=[]),
    "synergies": [],
    "innovation": Innovation(approaches=[], learning_question="", scale_up=""),
    "indicators": [],
    "criteria": {},
    "prima_reference": "",
    "previous_proposal": None,
    "contact": None,
}


def missing_to_submit(content: Content) -> list[Fault]:
    """A fault for every field that a submission needs and the content lacks."""
    return [
        Fault(f"/{name}", "required", f"A submission needs {name}.")
        for name in NEEDED_TO_SUBMIT
        if name not in content.model_fields_set
    ]


def filled(content: Content) -> Content:
    """The content with every field it leaves out set to that field's empty value."""
    return content.model_copy(update={k: v for k, v in EMPTY.items() if k not in content.model_fields_set})


def without_contact(content: Content) -> Content:
    """The content without the personal `contact`, which is stored beside the hashed bytes and can be erased."""
    if "contact" not in content.model_fields_set:
        return content
    return Content.model_construct(**{k: getattr(content, k) for k in content.model_fields_set if k != "contact"})


def as_json(content: Part) -> dict[str, Any]:
    """The content as plain JSON values, without the fields a draft leaves out."""
    return content.model_dump(mode="json", exclude_unset=True)


def requested_by_year(content: Content) -> dict[int, int]:
    """DKK asked for in each budget year, ascending; empty while a draft has no budget."""
    sums: dict[int, int] = {}
    for line in content.budget or ():
        sums[line.year] = sums.get(line.year, 0) + line.amount
    return dict(sorted(sums.items()))


def read_content(value: Any, codes: Collection[str], under: str = "") -> tuple[Content | None, list[Fault]]:
    """The content in a parsed JSON value, or every fault in it at once, with pointers that begin with `under`.

    `codes` are the indicator codes of Annex 5.
    """
    try:
        content = Content.model_validate(value)
    except ValidationError as error:
        return None, faults_of(error, Content, under) + list(faults_between(_outline(value), codes, under))
    faults = list(faults_between(content, codes, under))
    return (None if faults else content), faults


def _outline(value: Any) -> Any:
    """As much of a faulty content as the faults between its fields hang on, so that those are told at once too."""
    raw = value if isinstance(value, dict) else {}

    def parts(name: str) -> list[dict[str, Any]] | None:
        listed = raw.get(name)
        return [one if isinstance(one, dict) else {} for one in listed] if isinstance(listed, list) else None

    def texts(part: dict[str, Any], name: str) -> list[str]:
        listed = part.get(name)
        return [one.strip() if isinstance(one, str) else "" for one in listed] if isinstance(listed, list) else []

    def text(part: dict[str, Any], name: str) -> str | None:
        found = part.get(name)
        return found.strip() if isinstance(found, str) else None

    activities, countries, climate = parts("activities"), parts("countries"), raw.get("climate")
    try:
        period = Content.model_validate_json(json.dumps({"period": raw.get("period")})).period
    except ValidationError:
        period = None
    return SimpleNamespace(
        period=period,
        countries=None if countries is None else [SimpleNamespace(code=text(one, "code")) for one in countries],
        activities=None
        if activities is None
        else [SimpleNamespace(ref=text(one, "ref"), countries=texts(one, "countries")) for one in activities],
        tools=[SimpleNamespace(activity_refs=texts(one, "activity_refs")) for one in parts("tools") or ()],
        climate=SimpleNamespace(activity_refs=texts(climate, "activity_refs")) if isinstance(climate, dict) else None,
        budget=[SimpleNamespace(activity_ref=text(one, "activity_ref")) for one in parts("budget") or ()],
        indicators=[SimpleNamespace(code=text(one, "code") or "custom:-") for one in parts("indicators") or ()],
    )


def stored_content(text: str) -> Content:
    """The content behind a stored canonical text, which was valid when it was stored."""
    return Content.model_validate_json(text)


def faults_between(content: Content, codes: Collection[str], under: str = "") -> Iterator[Fault]:
    """What no single field shows: order of dates, references to activities and countries, indicator codes."""
    period = content.period
    if period and period.end <= period.start:
        yield Fault(f"{under}/period/end", "not_after_start", "The period must end after it starts.")
    if content.activities is not None:
        yield from _faults_in_activities(content, under)
        yield from _dangling_references(content, under)
    for i, indicator in enumerate(content.indicators or ()):
        code = indicator.code
        if code not in codes and not (code.startswith("custom:") and code[7:].strip()):
            message = f"'{code}' is no indicator of Annex 5; write custom: and a text for one of your own."
            yield Fault(f"{under}/indicators/{i}/code", "unknown_indicator", message)


def _faults_in_activities(content: Content, under: str) -> Iterator[Fault]:
    own = None if content.countries is None else {country.code for country in content.countries}
    seen: set[str | None] = set()
    for i, activity in enumerate(content.activities):
        if activity.ref is not None and activity.ref in seen:
            message = f"Another activity has the ref '{activity.ref}'."
            yield Fault(f"{under}/activities/{i}/ref", "duplicate", message)
        seen.add(activity.ref)
        for j, code in enumerate(activity.countries):
            if own is not None and code and code not in own:
                where = under + pointer("activities", i, "countries", j)
                yield Fault(where, "country_not_in_proposal", f"{code} is not among the proposal's countries.")


def _dangling_references(content: Content, under: str) -> Iterator[Fault]:
    refs: set[str | None] = {None, *(activity.ref for activity in content.activities)}
    dangling = [
        (pointer("tools", i, "activity_refs", j), ref)
        for i, tool in enumerate(content.tools or ())
        for j, ref in enumerate(tool.activity_refs)
        if ref and ref not in refs
    ]
    for j, ref in enumerate(content.climate.activity_refs if content.climate else ()):
        if ref and ref not in refs:
            dangling.append((pointer("climate", "activity_refs", j), ref))
    for i, line in enumerate(content.budget or ()):
        if line.activity_ref not in refs:
            dangling.append((pointer("budget", i, "activity_ref"), str(line.activity_ref)))
    for where, ref in dangling:
        yield Fault(under + where, "unknown_activity", f"No activity has the ref '{ref}'.")
