"""The small life of a payment (tranche), as one table with its guards. Pure: no database, no clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.domain.envelope import dkk
from app.errors import Refusal


class Stage(StrEnum):
    SCHEDULED = "scheduled"
    PREPARED = "prepared"
    RELEASED = "released"
    RECEIVED = "received"
    CANCELLED = "cancelled"


class Step(StrEnum):
    PREPARE = "prepare"
    RELEASE = "release"
    RECEIVE = "receive"
    CANCEL = "cancel"


OPEN = (Stage.SCHEDULED, Stage.PREPARED, Stage.RELEASED)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a guard may look at. Amounts are whole DKK; `planned` is the sum of the year's tranches, this one included."""

    year: int
    today: date
    signed: bool
    voted: bool
    decided_on: date | None
    planned: int
    approved: int
    overdue: tuple[int, ...] = ()
    prepared_by_same: bool = False
    conflicted: bool = False


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition of a step: its stable code, its test, and the sentence when it does not hold."""

    code: str
    holds: Callable[[Facts], bool]
    sentence: Callable[[Facts], str]


SIGNED = Guard("not_signed", lambda f: f.signed, lambda f: "The agreement is not signed by both sides.")
VOTED = Guard(
    "not_voted",
    lambda f: f.voted,
    lambda f: f"Parliament has not voted the appropriation of {f.year}; it is planned. Nothing is paid before.",
)
DECIDED = Guard(
    "before_consultation",
    lambda f: f.decided_on is not None and f.today >= f.decided_on,
    lambda f: f"Nothing is paid before the consultation's date, {f.decided_on}.",
)
WITHIN_APPROVED = Guard(
    "over_approved",
    lambda f: f.planned <= f.approved,
    lambda f: f"The tranches of {f.year} come to {dkk(f.planned)}; {dkk(f.approved)} is approved for that year.",
)
REPORTED = Guard(
    "report_overdue",
    lambda f: not f.overdue,
    lambda f: (
        f"The report on {', '.join(map(str, f.overdue))} is overdue; nothing more is paid before it is submitted."
    ),
)
FOUR_EYES = Guard(
    "preparer_releases",
    lambda f: not f.prepared_by_same,
    lambda f: "You have prepared this payment; somebody else must release it.",
)
UNBIASED = Guard(
    "conflict_of_interest",
    lambda f: not f.conflicted,
    lambda f: "You have declared a conflict of interest in this proposal; somebody else must do this.",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: from which stages a step leads where, and what must hold."""

    step: Step
    sources: tuple[Stage, ...]
    target: Stage
    guards: tuple[Guard, ...] = ()


STEPS = (
    Line(Step.PREPARE, (Stage.SCHEDULED,), Stage.PREPARED, (SIGNED, WITHIN_APPROVED, UNBIASED)),
    Line(
        Step.RELEASE,
        (Stage.PREPARED,),
        Stage.RELEASED,
        (SIGNED, VOTED, DECIDED, WITHIN_APPROVED, REPORTED, FOUR_EYES, UNBIASED),
    ),
    Line(Step.RECEIVE, (Stage.RELEASED,), Stage.RECEIVED),
    Line(Step.CANCEL, (Stage.SCHEDULED, Stage.PREPARED), Stage.CANCELLED, (UNBIASED,)),
)
_BY_STEP = {line.step: line for line in STEPS}


def line_of(step: Step) -> Line:
    return _BY_STEP[step]


def refusals(stage: Stage, step: Step, facts: Facts) -> list[Refusal]:
    """Every reason why the step cannot be taken as things stand; empty when it can."""
    line, found = _BY_STEP[step], []
    if stage not in line.sources:
        said = f"A payment that is {stage} cannot {step}; it must be {' or '.join(line.sources)}."
        found.append(Refusal("wrong_state", said))
    return found + [Refusal(guard.code, guard.sentence(facts)) for guard in line.guards if not guard.holds(facts)]
