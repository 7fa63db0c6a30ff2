"""The framework a proposal is made under: cycles and envelopes, geography, codes, deadlines. Policy, read from YAML."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.vocabulary import Amount, Country, Year


class Policy(BaseModel):
    """A piece of a rulebook file: no unknown key, never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Line = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Percent = Annotated[int, Field(ge=0, le=100)]


class Place(Policy):
    """Where a rule comes from: the place in the source document and, word for word, what stands there."""

    place: Line
    quote: Line | None = None


class CyclePlan(Policy):
    year: Year
    amount: Amount
    status: Literal["planned", "voted"]
    opens_on: date
    closes_on: date


class Region(Policy):
    name: Line
    countries: Annotated[list[Country], Field(min_length=1)]


class Numbered(Policy):
    number: Annotated[int, Field(ge=1, le=23)]
    title: Line


class CycleCalendar(Policy):
    """Quarters of the cycle year, and the window of a cycle that is added later, as month-day of the year before."""

    window_opens: Line
    window_closes: Line
    consultation_quarter: Annotated[int, Field(ge=1, le=4)]
    technical_meeting_quarter: Annotated[int, Field(ge=1, le=4)]
    return_days_after_screening: Annotated[int, Field(ge=1, le=90)]
    clarification_days: Annotated[int, Field(ge=1, le=90)]
    report_due: Line


class Framework(Policy):
    """`framework.yaml` as a whole."""

    id: Line
    title: Line
    source: Place
    finance_act_code: Line
    file_number: Line
    department: Line
    currency: Literal["DKK"]
    cycles: Annotated[list[CyclePlan], Field(min_length=1)]
    calendar: CycleCalendar
    priority_areas: list[Numbered]
    supported_priority_areas: list[Annotated[int, Field(ge=1, le=4)]]
    supported_srf_objectives: list[Annotated[int, Field(ge=1, le=4)]]
    gcm_objectives: list[Annotated[int, Field(ge=1, le=23)]]
    regions: Annotated[list[Region], Field(min_length=1)]
    tools: list[Line]
    assessments_needed: Annotated[int, Field(ge=1, le=9)]
    overhead_percent: Percent


class AnnexIndicator(Policy):
    code: Line
    title: Line
    disaggregated_by: list[Line] = []


class Output(Policy):
    code: Line
    title: Line
    indicators: list[AnnexIndicator]


class LongTermOutcome(Policy):
    code: Line
    title: Line


class Outcome(Policy):
    code: Line
    title: Line
    objective: Annotated[int, Field(ge=1, le=4)]
    priority_area: Annotated[int, Field(ge=1, le=4)]
    long_term_outcome: LongTermOutcome
    outputs: list[Output]


class Objective(Policy):
    number: Annotated[int, Field(ge=1, le=4)]
    name: Line
    title: Line


class OperationalIndicator(Policy):
    code: Line
    priority_area: Annotated[int, Field(ge=1, le=4)] | None
    cross_cutting: Line | None = None
    theme: Line
    outcome: Line
    title: Line
    parts: list[Line]


class GenderIndicator(Policy):
    code: Line
    outcome: Line
    output: Line
    title: Line


class Annex(Policy):
    """`indicators.yaml`, Annex 5 of the strategy."""

    source: dict[str, Line]
    objectives: list[Objective]
    outcomes: list[Outcome]
    operational: list[OperationalIndicator]
    gender: list[GenderIndicator]

    def outcome_codes(self) -> list[str]:
        return [outcome.code for outcome in self.outcomes]

    def indicator_codes(self) -> list[str]:
        """Every code a proposal's indicator may have, in the annex's order."""
        strategic = [i.code for outcome in self.outcomes for output in outcome.outputs for i in output.indicators]
        return [*strategic, *(i.code for i in self.operational), *(i.code for i in self.gender)]


@dataclass(frozen=True, slots=True)
class RegionOfFocus:
    name: str
    countries: list[Country]


@dataclass(frozen=True, slots=True)
class Ground:
    """What rules may ask of the framework, under the name `framework`."""

    priority_areas: list[int]
    srf_objectives: list[int]
    gcm_objectives: list[int]
    focus_countries: list[Country]
    regions: list[RegionOfFocus]
    outcomes: list[str]
    overhead_percent: Percent
    tools: list[str]


def ground_of(framework: Framework, annex: Annex) -> Ground:
    """The framework and Annex 5 as the rules see them."""
    return Ground(
        priority_areas=framework.supported_priority_areas,
        srf_objectives=framework.supported_srf_objectives,
        gcm_objectives=framework.gcm_objectives,
        focus_countries=[code for region in framework.regions for code in region.countries],
        regions=[RegionOfFocus(region.name, region.countries) for region in framework.regions],
        outcomes=annex.outcome_codes(),
        overhead_percent=framework.overhead_percent,
        tools=framework.tools,
    )
