"""The shapes of answers, as the OpenAPI document shows them; what belongs to one room only stands there."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Out(BaseModel):
    """An answer's shape, for the OpenAPI document."""


class FaultOut(Out):
    pointer: str
    code: str
    message: str


class RefusalOut(Out):
    code: str
    message: str


class Problem(Out):
    """RFC 9457: `code` is stable; `errors` for validation, `refusals` for guards."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FaultOut] | None = None
    refusals: list[RefusalOut] | None = None


Judgement = Literal["met", "not_met", "undetermined"]
Outcome = Literal["eligible", "ineligible", "undetermined"]


class RulebookRef(Out):
    id: str
    version: str
    sha256: str


class CheckOut(Out):
    id: str
    level: Literal["error", "warning"]
    state: Judgement
    reason: str
    facts: dict[str, Any]
    remedy: str | None


class IndicatorOut(Out):
    id: str
    points: int
    required: bool
    state: Judgement
    reason: str
    facts: dict[str, Any]
    remedy: str | None


class CriterionOut(Out):
    letter: str
    title: str
    mandatory: bool
    weight: int
    state: Judgement
    earned: int
    possible: int
    indicators: list[IndicatorOut]


class AlignmentOut(Out):
    key: str
    title: str
    mandatory: bool
    state: Judgement
    earned: int
    possible: int
    indicators: list[IndicatorOut]


class ScreeningOut(Out):
    outcome: Outcome
    total: float
    total_reachable: float
    screened_on: str
    rulebook: RulebookRef
    checks: list[CheckOut]
    criteria: list[CriterionOut]
    alignment: list[AlignmentOut]


class ScreeningSummary(Out):
    """`missing` names the fields that a submission would still need."""

    outcome: Outcome
    total: float
    total_reachable: float
    screened_on: str
    rulebook: RulebookRef
    criteria: dict[str, Judgement]
    missing: list[str]


class OptionOut(Out):
    """A move this caller may ever request here: open, or with everything that refuses it now."""

    move: str
    allowed: bool
    needs: list[str]
    refusals: list[RefusalOut]


class ListedProposal(Out):
    ref: str
    cycle: int
    office: str
    state: str
    title: str
    requested: int
    outcome: Outcome
    total: float
    deadline: str | None
    version: int
    created_at: str
    updated_at: str


class By(Out):
    role: str
    name: str | None


class CorrectionOut(Out):
    """Words of a decision put right after the conclusion; the decision itself stays as it was told."""

    text: str
    reason: str
    at: datetime
    by: By


class DecisionInForce(Out):
    """What a concluded consultation decided; `amounts` is DKK by year."""

    decision: Literal["approve", "reject", "defer"]
    amounts: dict[str, int]
    conditions: list[str]
    reason: str
    to_cycle: int | None
    consultation: int
    date: str
    place: str
    concluded_at: str
    corrections: list[CorrectionOut]


class ProposalOut(ListedProposal):
    """`snapshot` is the number of the snapshot shown, null where the content has been edited since or never submitted."""

    snapshot: int | None
    moves: list[OptionOut]
    decision: DecisionInForce | None
    screening: ScreeningSummary
    content: dict[str, Any]


class ProposalPage(Out):
    items: list[ListedProposal]
    next_cursor: str | None


class ActorOut(Out):
    role: str
    name: str | None


class StepOut(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    number: int
    at: str
    event: str
    source: Annotated[str | None, Field(alias="from")]
    to: str
    by: ActorOut
    reason: str | None
    deadline: str | None
    snapshot: int | None


class HistoryOut(Out):
    items: list[StepOut]


class SnapshotHead(Out):
    number: int
    taken_at: str
    sha256: str
    outcome: Outcome
    total: float


class SnapshotList(Out):
    items: list[SnapshotHead]


class SnapshotOut(Out):
    number: int
    taken_at: str
    sha256: str
    screening: ScreeningOut
    content: dict[str, Any]


class CycleOut(Out):
    year: int
    framework: str
    opens_on: str
    closes_on: str
    open: bool
    added: bool
    amount: int
    status: str
    version: int


class CycleList(Out):
    items: list[CycleOut]
    next_cursor: None


class RulebookHead(RulebookRef):
    current: bool
    title: str
    checks: int
    criteria: int
    indicators: int


class RulebookList(Out):
    items: list[RulebookHead]
    next_cursor: None


class RulebookOut(RulebookRef):
    """Every check, criterion and indicator with its text, source, points, expressions and the fields it reads."""

    document: str
    facts: dict[str, str]
    weights: dict[str, int]
    checks: list[dict[str, Any]]
    criteria: list[dict[str, Any]]
    alignment: list[dict[str, Any]]


class FrameworkOut(Out):
    id: str
    title: str
    finance_act_code: str
    file_number: str
    cycles: list[CycleOut]
    regions: list[dict[str, Any]]
    priority_areas: list[dict[str, Any]]
    gcm_objectives: list[int]
    indicators: dict[str, Any]


class Health(Out):
    status: str
    checks: dict[str, str] | None = None


class ChangeOut(Out):
    pointer: str
    before: Any
    after: Any


class DiffOut(Out):
    snapshot: int
    against: int
    changes: list[ChangeOut]
