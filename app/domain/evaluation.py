"""An evaluation of the framework, mid-term or at its end: terms, findings, recommendations, management response. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from app.domain.proposal import Part
from app.domain.vocabulary import Day, Text, Words
from app.errors import Fault

Line = Annotated[str, Text(1, 300)]
Said = Annotated[str, Text(1, 4000)]


class Stage(StrEnum):
    """Follows from what is written: nobody sets it."""

    PLANNED = "planned"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    CLOSED = "closed"


class Terms(Part):
    """The terms of reference."""

    purpose: Said
    questions: Annotated[list[Said], Field(max_length=50)] = Field(default_factory=list)
    scope: Words = ""


class Finding(Part):
    """A finding, under one of the six evaluation criteria of OECD DAC where it falls under one."""

    criterion: Literal["relevance", "coherence", "effectiveness", "efficiency", "impact", "sustainability"] | None = (
        None
    )
    text: Said


class Action(Part):
    action: Said
    responsible: Line
    due_on: Day
    done_on: Day | None = None
    note: Words = ""


class ManagementResponse(Part):
    """The management response to one recommendation."""

    answer: Literal["accepted", "partly_accepted", "rejected"]
    explanation: Words = ""
    follow_ups: Annotated[list[Action], Field(max_length=30)] = Field(default_factory=list)


class Recommendation(Part):
    text: Said
    priority: Literal["high", "medium", "low"] = "medium"
    addressed_to: Literal["mfa", "iom", "both"] = "both"
    response: ManagementResponse | None = None


class Evaluation(Part):
    """`shared`: IOM, the embassies and the mission read it too."""

    kind: Literal["mid_term", "end_of_cycle"]
    title: Line
    terms: Terms
    evaluator: Annotated[str, Text(0, 300)] = ""
    due_on: Day
    delivered_on: Day | None = None
    findings: Annotated[list[Finding], Field(max_length=100)] = Field(default_factory=list)
    recommendations: Annotated[list[Recommendation], Field(max_length=60)] = Field(default_factory=list)
    shared: bool = False


def faults_of(said: Evaluation, today: date) -> list[Fault]:
    """What does not go together in an evaluation, with pointers."""
    found = []
    if (said.findings or said.recommendations) and said.delivered_on is None:
        found.append(Fault("/delivered_on", "required", "Findings and recommendations come with the day of delivery."))
    dates = [("/delivered_on", said.delivered_on), *((place, one.done_on) for place, one in _follow_ups(said))]
    found += [Fault(place, "in_future", "This day is still to come.") for place, day in dates if day and day > today]
    for i, one in enumerate(said.recommendations):
        place, answer = f"/recommendations/{i}/response", one.response
        if answer and answer.answer != "accepted" and not answer.explanation:
            found.append(Fault(f"{place}/explanation", "required", "What is not accepted whole needs its reason."))
        if answer and answer.answer != "rejected" and not answer.follow_ups:
            found.append(
                Fault(f"{place}/follow_ups", "required", "What is accepted needs an action that follows it up.")
            )
    return found


def _follow_ups(said: Evaluation) -> Iterator[tuple[str, Action]]:
    for i, one in enumerate(said.recommendations):
        for j, action in enumerate(one.response.follow_ups if one.response else ()):
            yield f"/recommendations/{i}/response/follow_ups/{j}/done_on", action


def stage(said: Evaluation) -> Stage:
    """How far an evaluation has come."""
    if said.delivered_on is None:
        return Stage.PLANNED
    if not all(one.response for one in said.recommendations):
        return Stage.DELIVERED
    return Stage.CLOSED if all(action.done_on for _, action in _follow_ups(said)) else Stage.ANSWERED


def overdue(said: Evaluation, today: date) -> list[Action]:
    """The actions whose day has passed and that are not done."""
    return [action for _, action in _follow_ups(said) if action.done_on is None and action.due_on < today]


def answered(recommendations: Sequence[Recommendation]) -> dict[int, Any]:
    """What the management has answered, with what it answered to: recommendation by place, without how far actions are."""
    mark = {"response": {"follow_ups": {"__all__": {"done_on", "note"}}}}
    return {place: one.model_dump(exclude=mark) for place, one in enumerate(recommendations) if one.response}
