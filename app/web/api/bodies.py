"""What clients send, as requests are read: strict, no unknown member."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.people import Role
from app.domain.proposal import Content, Letter
from app.domain.vocabulary import Day, OneOf, Text, Year


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
