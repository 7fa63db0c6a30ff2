"""What clients send, as requests are read: strict, no unknown member."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.consultation import Verdict
from app.domain.people import Role
from app.domain.proposal import BudgetLine, Content, Letter
from app.domain.vocabulary import ONE_LINE, UNIQUE, UNIQUE_ITEMS, Amount, Country, Day, Moment, OneOf, Text, Year


class In(BaseModel):
    """A request body: strict, no unknown member."""

    model_config = ConfigDict(strict=True, extra="forbid")


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


class CycleIn(In):
    """A later cycle with its own envelope; without a window, the framework's usual days of the year before."""

    year: Year
    amount: Amount
    opens_on: Day | None = None
    closes_on: Day | None = None
    reason: Reason


class EnvelopeIn(In):
    amount: Amount
    status: Literal["planned", "voted"]
    reason: Reason


class Participant(In):
    name: Annotated[str, Text(1, 200)]
    organisation: Annotated[str, Text(0, 200)] = ""
    title: Annotated[str, Text(0, 200)] = ""


Participants = Annotated[list[Annotated[str, Text(1, 200)] | Participant], Field(max_length=200)]
Place = Annotated[str, Text(1, 200)]
Ref = Annotated[str, Text(1, 40)]
Refs = Annotated[list[Ref], Field(max_length=200)]


class ConsultationIn(In):
    """`reason` is needed for a date outside the quarter in which consultations are held."""

    cycle: Year
    date: Day
    place: Place
    participants: Participants = Field(default_factory=list)
    reason: Reason | None = None


class ConsultationPatch(In):
    date: Day | None = None
    place: Place | None = None
    participants: Participants | None = None
    reason: Reason | None = None


class AgendaIn(In):
    proposals: Refs


YearKey = Annotated[str, Field(pattern=r"^(20[0-9]{2}|2100)$")]
ByYear = Annotated[dict[YearKey, Amount], Field(max_length=20)]


class DecisionIn(In):
    """`amounts` is DKK by year and belongs to an approval, `to_cycle` to a deferral; both other decisions need a reason."""

    decision: Annotated[Verdict, Field(strict=False)]
    amounts: ByYear = Field(default_factory=dict)
    conditions: Annotated[list[Annotated[str, Text(1, 2000)]], Field(max_length=50)] = Field(default_factory=list)
    reason: Annotated[str, Text(0, 4000)] = ""
    to_cycle: Year | None = None


class ConcludeIn(In):
    """`reason` is needed outside the quarter in which consultations are held."""

    reason: Reason | None = None


class CorrectionIn(In):
    """Which decision, what its words should have been, and why."""

    ref: Ref
    text: Annotated[str, Text(1, 4000)]
    reason: Reason


class BestIn(In):
    """Which sets fit the envelopes best: for which objective, how many, with what for certain and what not."""

    objective: Literal["score", "money", "proposals", "coverage"]
    sets: Annotated[int, Field(ge=1, le=5)] = 1
    must_include: Refs = Field(default_factory=list)
    leave_out: Refs = Field(default_factory=list)


class FollowUp(In):
    what: Annotated[str, Text(1, 2000)]
    owner: Annotated[str, Text(1, 200)]
    due_on: Day
    done: bool = False


class MeetingIn(In):
    """A technical meeting as a whole: what is left out is empty."""

    cycle: Year
    date: Day
    place: Place
    participants: Participants = Field(default_factory=list)
    proposals: Refs = Field(default_factory=list)
    notes: Annotated[str, Text(0, 20000)] = ""
    follow_ups: Annotated[list[FollowUp], Field(max_length=100)] = Field(default_factory=list)


class WhatIfIn(In):
    """`amounts` is DKK by year for proposals that would get another amount than they request."""

    include: Refs = Field(default_factory=list)
    amounts: Annotated[dict[Ref, ByYear], Field(max_length=200)] = Field(default_factory=dict)
    best: BestIn | None = None


class SignatureIn(In):
    """`sha256` of the text you have read; a text that has become another one is not signed."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class BudgetIn(In):
    budget: Annotated[list[BudgetLine], Field(min_length=1, max_length=200)]


class AmendmentIn(In):
    """What becomes another: the content, the budget's lines, the amounts by year; what is left out stays."""

    reason: Reason
    content: dict[str, Any] | None = None
    budget: Annotated[list[BudgetLine], Field(min_length=1, max_length=200)] | None = None
    amounts: ByYear | None = None


class PaymentIn(In):
    year: Year
    amount: Annotated[int, Field(ge=1, le=10**12)]
    due_on: Day
    condition: Annotated[str, Text(1, 2000)] | None = None


class ReceiptIn(In):
    """What was received; left out, the amount released and today."""

    amount: Amount | None = None
    received_on: Day | None = None
    note: Annotated[str, Text(1, 2000)] | None = None


class ReasonIn(In):
    """A step that needs nothing but a reason."""

    reason: Reason


class CommentIn(In):
    text: Annotated[str, Text(1, 4000)]
    visibility: Literal["internal"] = "internal"


Name = Annotated[str, Text(1, 200), ONE_LINE]


class UserIn(In):
    name: Name
    email: Annotated[str, Text(3, 320)]
    role: Annotated[Role, Field(strict=False)]
    office: Annotated[str, Text(1, 40)] | None = None


class UserPatch(In):
    name: Name | None = None
    role: Annotated[Role, Field(strict=False)] | None = None
    office: Annotated[str, Text(1, 40)] | None = None
    disabled: bool | None = None


Accredited = Annotated[list[Country], Field(max_length=60), UNIQUE, UNIQUE_ITEMS]


class OfficeIn(In):
    """`countries` are those an embassy is accredited to, or an office of IOM works in."""

    code: Annotated[str, Text(2, 40)]
    name: Name
    kind: Literal["iom", "embassy", "mission"]
    countries: Accredited = []


class OfficePatch(In):
    name: Name | None = None
    countries: Accredited | None = None


class TokenIn(In):
    """`person` for an administrator; `scopes` left out means all that the role can have; `days` until it expires."""

    label: Annotated[str, Text(1, 200)]
    person: Annotated[int, Field(ge=1, le=2**53)] | None = None
    scopes: Annotated[list[Annotated[str, Text(1, 40)]], Field(min_length=1, max_length=20)] | None = None
    days: Annotated[int, Field(ge=1, le=365)] = 365


class WebhookIn(In):
    """`events` are kinds of notices, or `*` for all; `for` an office it hears what people of your office are told."""

    url: Annotated[str, Text(1, 2000)]
    events: Annotated[list[Annotated[str, Text(1, 40)]], UNIQUE, UNIQUE_ITEMS, Field(min_length=1, max_length=100)]
    whose: Annotated[Literal["me", "office"], Field(alias="for")]


class ReplayIn(In):
    """One message by its number, or what happened from an instant until before another."""

    notification: Annotated[int, Field(ge=1, le=2**53)] | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None


class PreferencesIn(In):
    language: Literal["en", "da"]
    digest: bool
    reminders: bool


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
