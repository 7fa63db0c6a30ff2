"""What `criteria.yaml` may hold: checks, criteria with their indicators, and the unlettered alignment."""

from typing import Annotated, Literal

from pydantic import Field

from app.domain.framework import Line, Place, Policy
from app.domain.proposal import Letter

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RuleId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Param = int | list[int] | list[str]


class Rule(Policy):
    """One condition with what it says when it holds, when it does not, and what would help."""

    id: RuleId
    title: Line
    basis: Literal["source", "policy"]
    source: Place | None = None
    params: dict[Key, Param] = Field(default_factory=dict)
    facts: dict[Key, Line] = Field(default_factory=dict)
    when: Line
    met: Line
    not_met: Line
    remedy: Line


class Check(Rule):
    """An eligibility check; `error_when` makes a warning an error."""

    level: Literal["error", "warning"]
    error_when: Line | None = None
    source: Place


class Indicator(Rule):
    points: Annotated[int, Field(ge=1, le=10)]
    required: bool = False


class Criterion(Policy):
    letter: Letter
    title: Line
    text: Line
    mandatory: bool = False
    weight: Annotated[int, Field(ge=1, le=10)]
    points: Annotated[int, Field(ge=1, le=100)]
    basis: Literal["source", "policy"]
    source: Place
    indicators: Annotated[list[Indicator], Field(min_length=1)]


class Alignment(Policy):
    """Shown beside the criteria, never part of total or outcome."""

    key: Key
    title: Line
    text: Line
    mandatory: bool = False
    points: Annotated[int, Field(ge=1, le=100)]
    basis: Literal["source", "policy"]
    source: Place
    indicators: Annotated[list[Indicator], Field(min_length=1)]


class Weights(Policy):
    """How much a criterion weighs, and what all weights come to."""

    mandatory: Annotated[int, Field(ge=1, le=10)]
    other: Annotated[int, Field(ge=1, le=10)]
    total: Annotated[int, Field(ge=1, le=100)]


class Criteria(Policy):
    """`criteria.yaml` as a whole."""

    rulebook: Line
    version: Annotated[str, Field(pattern=r"^[0-9]{4}\.[0-9]{1,3}$")]
    document: Line
    weights: Weights
    facts: dict[Key, Line]
    checks: Annotated[list[Check], Field(min_length=1)]
    criteria: Annotated[list[Criterion], Field(min_length=1)]
    alignment: list[Alignment]
