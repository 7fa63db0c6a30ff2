"""The shapes of requests and answers, as the OpenAPI document shows them and requests are read."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.people import Role
from app.domain.proposal import Content, Letter
from app.domain.vocabulary import Day, OneOf, Text, Year


class In(BaseModel):
    """A request body: strict, no unknown member."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Out(BaseModel):
    """An answer's shape, for the OpenAPI document."""


Reason = Annotated[str, Text(1, 4000)]


class ProposalIn(In):
    """What is screened or made a proposal; a screening takes no notice of the office."""

    cycle: Year
    office: Annotated[str, Text(1, 40)] | None = None
    content: Content


class Surroundings(In):
    """The members around a content, which is read on its own so that every fault is told at once."""

    cycle: Year
    office: Annotated[str, Text(1, 40)] | None = None
    content: dict[str, Any]


class MoveIn(In):
    move: Annotated[str, Text(1, 40)]
    reason: Reason | None = None
    deadline: Day | None = None
    recommendation: Literal["approve", "reject", "defer"] | None = None
    memo: Annotated[str, Text(1, 20000)] | None = None


class CyclePatch(In):
    opens_on: Day | None = None
    closes_on: Day | None = None
    reason: Reason


class CommentIn(In):
    text: Annotated[str, Text(1, 4000)]
    visibility: Literal["internal"] = "internal"


class ConflictIn(In):
    reason: Reason


class UserIn(In):
    name: Annotated[str, Text(1, 200)]
    email: Annotated[str, Text(3, 320)]
    role: Annotated[Role, Field(strict=False)]
    office: Annotated[str, Text(1, 40)] | None = None


class UserPatch(In):
    name: Annotated[str, Text(1, 200)] | None = None
    role: Annotated[Role, Field(strict=False)] | None = None
    office: Annotated[str, Text(1, 40)] | None = None
    disabled: bool | None = None


class TokenIn(In):
    """`person` for an administrator; `scopes` left out means all that the role can have; `days` until it expires."""

    label: Annotated[str, Text(1, 200)]
    person: Annotated[int, Field(ge=1, le=2**53)] | None = None
    scopes: Annotated[list[Annotated[str, Text(1, 40)]], Field(min_length=1, max_length=20)] | None = None
    days: Annotated[int, Field(ge=1, le=365)] = 365


ContentField = Annotated[str, OneOf(tuple(Content.model_fields), "a field of the content")]
Grade = Annotated[int, Field(ge=0, le=4)]


class ClarificationIn(In):
    criterion: Letter | None = None
    field: ContentField | None = None
    question: Annotated[str, Text(1, 4000)]


class AnswerIn(In):
    answer: Annotated[str, Text(1, 8000)]


class AssessmentIn(In):
    grades: dict[Letter, Grade | None]
    comments: dict[Letter, Annotated[str, Text(1, 4000)]] = Field(default_factory=dict)
    overall: Annotated[str, Text(0, 8000)] = ""
    carried_from: Annotated[int, Field(ge=1, le=100000)] | None = None


class ReopenIn(In):
    reason: Reason


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


class ProposalOut(ListedProposal):
    """`snapshot` is the number of the snapshot shown, null where the content has been edited since or never submitted."""

    snapshot: int | None
    moves: list[OptionOut]
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


class EnvelopeOut(Out):
    year: int
    amount: int
    status: str
    requested: int
    approved: int
    agreed: int
    paid: int
    available: int


class EnvelopeList(Out):
    items: list[EnvelopeOut]
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


class By(Out):
    role: str
    name: str | None


class CommentOut(Out):
    id: int
    at: datetime
    by: By
    visibility: str
    text: str


class CommentList(Out):
    items: list[CommentOut]
    next_cursor: None


class ConflictOut(Out):
    at: datetime
    by: By
    reason: str


class ConflictList(Out):
    items: list[ConflictOut]
    next_cursor: None


class AttachmentOut(Out):
    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    visibility: Literal["shared", "internal"]
    at: datetime


class AttachmentList(Out):
    items: list[AttachmentOut]
    next_cursor: None


class UserOut(Out):
    id: int
    name: str
    email: str
    role: Role
    office: str | None
    disabled: bool
    created_at: datetime


class UserPage(Out):
    items: list[UserOut]
    next_cursor: int | None


class TokenOut(Out):
    id: int
    person: int
    label: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class TokenMade(TokenOut):
    token: str


class TokenPage(Out):
    items: list[TokenOut]
    next_cursor: int | None


class AuditActor(Out):
    id: int
    role: str | None


class AuditEntry(Out):
    seq: int
    at: datetime
    event: str
    actor: AuditActor | None
    token_id: int | None
    address: str | None
    subject: str
    before: str | None
    after: str | None
    facts: dict[str, Any]
    previous: str
    hash: str


class AuditPage(Out):
    items: list[AuditEntry]
    next_cursor: int | None


class AuditFault(Out):
    seq: int
    message: str


class AuditProof(Out):
    sound: bool
    entries: int
    head: str
    faults: list[AuditFault]


class ClarificationOut(Out):
    id: int
    criterion: str | None
    field: str | None
    question: str
    asked_at: datetime
    due_on: date
    answer: str | None
    answered_at: datetime | None


class ClarificationList(Out):
    items: list[ClarificationOut]
    next_cursor: None


class AssessmentOut(Out):
    """One person's assessment; `past` are its completed versions that were reopened, with the reasons."""

    grades: dict[str, int | None]
    comments: dict[str, str]
    overall: str
    snapshot: int
    carried_from: int | None
    updated_at: datetime
    completed_at: datetime | None
    past: list[dict[str, Any]]


class OthersAssessment(AssessmentOut):
    by: By


class OwnAssessmentOut(Out):
    snapshot: int
    mine: AssessmentOut | None
    earlier: AssessmentOut | None


class AssessmentsOut(OwnAssessmentOut):
    needed: int
    completed: int
    blind: bool
    items: list[OthersAssessment]
    next_cursor: None
    consolidated: dict[str, Any] | None


class ChangeOut(Out):
    pointer: str
    before: Any
    after: Any


class DiffOut(Out):
    snapshot: int
    against: int
    changes: list[ChangeOut]
