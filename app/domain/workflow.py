"""The life of a proposal as one table, read top to bottom. Pure: no database, no clock.

`MOVES` is the only place that says which move leads where, who may make it and what must hold; services apply it, the
API and the pages show it, and the README's diagram is drawn from it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache

from app.domain.people import Role
from app.errors import Conflict, Forbidden, Invalid, Refusal


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    UNDER_REVIEW = "under_review"
    RECOMMENDED = "recommended"
    DEFERRED = "deferred"
    APPROVED = "approved"
    REJECTED = "rejected"
    AGREED = "agreed"
    DISBURSED = "disbursed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    SUBMIT = "submit"
    ADMIT = "admit"
    START_REVIEW = "start_review"
    RETURN = "return"
    RECOMMEND = "recommend"
    APPROVE = "approve"
    REJECT = "reject"
    DEFER = "defer"
    SIGN = "sign"
    AMEND = "amend"
    COMPLETE = "complete"
    CLOSE = "close"
    WITHDRAW = "withdraw"
    TERMINATE = "terminate"
    LAPSE = "lapse"


class Maker(StrEnum):
    """What makes a move: a person's request, or something that happens elsewhere."""

    REQUEST = "request"
    CONSULTATION = "consultation"
    SIGNATURE = "signature"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a guard may look at, gathered by the caller inside the transaction. Dates are days in Copenhagen."""

    today: date
    window_open: bool = True
    window_sentence: str = ""
    deadline_on: date | None = None
    returned_by_screening: bool = False
    lapsed_on: date | None = None
    missing: tuple[str, ...] = ()
    conflicted: bool = False
    assessments: int = 0
    assessments_needed: int = 0
    recommendation: str | None = None
    mandatory_met: bool = False
    has_assessed: bool = False
    final_accepted: bool = False
    payments_open: bool = False
    over_request: tuple[str, ...] = ()
    over_envelope: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition of a move: its stable code, its test, and the sentence when it does not hold."""

    code: str
    holds: Callable[[Facts], bool]
    sentence: Callable[[Facts], str]


def _in_time(facts: Facts) -> bool:
    return facts.deadline_on is None or facts.today <= facts.deadline_on


WINDOW_OPEN = Guard("window_closed", lambda f: f.window_open, lambda f: f.window_sentence)
IN_TIME = Guard(
    "deadline_passed", _in_time, lambda f: f"The deadline of the return was {f.deadline_on}; today is {f.today}."
)
MISREAD = Guard(
    "not_returned_by_screening",
    lambda f: f.returned_by_screening,
    lambda f: "Only a proposal that the screening returned can be admitted; this one was returned by the MFA.",
)
WHOLE = Guard(
    "content_incomplete", lambda f: not f.missing, lambda f: f"A submission needs {', '.join(f.missing)} as well."
)
UNBIASED = Guard(
    "conflict_of_interest",
    lambda f: not f.conflicted,
    lambda f: "You have declared a conflict of interest in this proposal; somebody else must do this.",
)
ASSESSED = Guard(
    "assessments_missing",
    lambda f: f.assessments >= f.assessments_needed,
    lambda f: f"{f.assessments} of {f.assessments_needed} assessments of this snapshot are completed.",
)
MANDATORY_MET = Guard(
    "mandatory_not_met",
    lambda f: f.recommendation != "approve" or f.mandatory_met,
    lambda f: (
        "The consolidated assessment does not find a, c and e met; such a proposal cannot be recommended for approval."
    ),
)
STILL_MET = Guard(
    "mandatory_not_met",
    lambda f: f.mandatory_met,
    lambda f: "The consolidated assessment does not find a, c and e met; such a proposal cannot be approved.",
)
WITHIN_REQUEST = Guard(
    "amount_over_request", lambda f: not f.over_request, lambda f: "More than requested. " + " ".join(f.over_request)
)
WITHIN_ENVELOPE = Guard(
    "envelope_exceeded", lambda f: not f.over_envelope, lambda f: "Over the envelope. " + " ".join(f.over_envelope)
)
NOT_ASSESSOR = Guard(
    "assessor_decides",
    lambda f: not f.has_assessed,
    lambda f: "You have assessed this proposal; somebody else must decide it.",
)
OVERDUE = Guard("deadline_not_passed", lambda f: not _in_time(f), lambda f: "Its deadline has not passed.")
FINAL_ACCEPTED = Guard(
    "final_report_missing",
    lambda f: f.final_accepted,
    lambda f: "A proposal is closed when its final report is accepted; it is not.",
)
PAYMENTS_SETTLED = Guard(
    "payment_open",
    lambda f: not f.payments_open,
    lambda f: "A tranche is neither received nor cancelled; settle it first.",
)


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the table; `needs` are the members of the request that it cannot do without."""

    event: Event
    sources: tuple[State, ...]
    target: State
    roles: tuple[Role, ...] = ()
    guards: tuple[Guard, ...] = ()
    needs: tuple[str, ...] = ()
    maker: Maker = Maker.REQUEST


S, E, R = State, Event, Role
_BEFORE_AGREED = (S.DRAFT, S.SUBMITTED, S.RETURNED, S.UNDER_REVIEW, S.RECOMMENDED, S.DEFERRED, S.APPROVED)
_TABLED = (S.RECOMMENDED, S.DEFERRED)
_IN_HAND = (S.SUBMITTED, S.UNDER_REVIEW, S.RECOMMENDED, S.DEFERRED)
_HEAD, _DESK, _FOCAL, _BOTH = (R.MFA_HEAD,), (R.MFA_REVIEWER,), (R.IOM_FOCAL_POINT,), (R.MFA_HEAD, R.IOM_FOCAL_POINT)
_DECIDER, _TABLE = (NOT_ASSESSOR, UNBIASED), Maker.CONSULTATION
PERSONAL = frozenset(guard.code for guard in _DECIDER)  # what refuses a decision because of who makes it

MOVES = (
    # `submit` ends in `returned` instead when the screening finds the content not eligible.
    Move(E.SUBMIT, (S.DRAFT,), S.SUBMITTED, _FOCAL, (WHOLE, WINDOW_OPEN)),
    Move(E.SUBMIT, (S.RETURNED,), S.SUBMITTED, _FOCAL, (WHOLE, IN_TIME)),
    Move(E.ADMIT, (S.RETURNED,), S.SUBMITTED, _HEAD, (MISREAD, UNBIASED), ("reason",)),
    Move(E.START_REVIEW, (S.SUBMITTED,), S.UNDER_REVIEW, _DESK, (UNBIASED,)),
    Move(E.RETURN, _IN_HAND, S.RETURNED, _DESK, (UNBIASED,), ("reason", "deadline")),
    Move(
        E.RECOMMEND,
        (S.UNDER_REVIEW,),
        S.RECOMMENDED,
        _DESK,
        (ASSESSED, MANDATORY_MET, UNBIASED),
        ("recommendation", "reason", "memo"),
    ),
    Move(E.APPROVE, _TABLED, S.APPROVED, _HEAD, (WITHIN_REQUEST, WITHIN_ENVELOPE, STILL_MET, *_DECIDER), maker=_TABLE),
    Move(E.REJECT, _TABLED, S.REJECTED, _HEAD, _DECIDER, maker=_TABLE),
    Move(E.DEFER, _TABLED, S.DEFERRED, _HEAD, _DECIDER, maker=_TABLE),
    Move(E.SIGN, (S.APPROVED,), S.AGREED, _BOTH, (UNBIASED,), maker=Maker.SIGNATURE),
    Move(E.AMEND, (S.AGREED,), S.AGREED, _BOTH, (UNBIASED,), maker=Maker.SIGNATURE),
    Move(E.COMPLETE, (S.AGREED,), S.DISBURSED, maker=Maker.SYSTEM),
    Move(E.CLOSE, (S.DISBURSED,), S.CLOSED, _DESK, (FINAL_ACCEPTED, PAYMENTS_SETTLED, UNBIASED)),
    Move(E.WITHDRAW, _BEFORE_AGREED, S.CANCELLED, _FOCAL, (), ("reason",)),
    Move(E.TERMINATE, (S.APPROVED, S.AGREED), S.CANCELLED, _HEAD, (UNBIASED,), ("reason",)),
    Move(E.LAPSE, (S.DRAFT, S.RETURNED), S.CANCELLED, guards=(OVERDUE,), maker=Maker.SYSTEM),
)
_BY_STEP = {(source, move.event): move for move in MOVES for source in move.sources}
_ELSEWHERE = {
    Maker.CONSULTATION: "It is made by concluding a consultation.",
    Maker.SIGNATURE: "It is made by both sides signing the agreement or an amendment.",
    Maker.SYSTEM: "The service makes it by itself.",
}


def named(event: str) -> Event:
    """The event of that name, or Invalid with what there is."""
    try:
        return Event(event)
    except ValueError:
        known = ", ".join(one for one in Event if lines_of(one)[0].maker is Maker.REQUEST)
        raise Invalid("unknown_move", f"There is no move '{event}'. The moves are {known}.") from None


@cache
def lines_of(event: Event) -> tuple[Move, ...]:
    """The lines of the table for an event, one per group of states it starts from."""
    return tuple(move for move in MOVES if move.event is event)


def check_role(event: Event, role: Role) -> None:
    """Refuse a role that may not make this move in any state."""
    roles = lines_of(event)[0].roles
    if roles and role not in roles:
        who = " or ".join(roles)
        raise Forbidden("wrong_role", f"'{event}' can be made by {who}; you are {role}.")


def refusals(state: State, event: Event, facts: Facts, by: Maker = Maker.REQUEST) -> list[Refusal]:
    """Every reason why the move cannot be made as things stand; empty when it can."""
    maker = lines_of(event)[0].maker
    if maker is not by:
        return [Refusal("made_elsewhere", f"'{event}' is no request. {_ELSEWHERE[maker]}")]
    move = _BY_STEP.get((state, event))
    if move is None:
        sources = ", ".join(source for one in lines_of(event) for source in one.sources)
        found = [Refusal("wrong_state", f"A proposal that is {state} cannot {event}; it must be {sources}.")]
        if state is State.CANCELLED and facts.lapsed_on and event is Event.SUBMIT:
            found.append(Refusal("deadline_passed", f"It lapsed because its deadline, {facts.lapsed_on}, had passed."))
        return found
    return [Refusal(guard.code, guard.sentence(facts)) for guard in move.guards if not guard.holds(facts)]


def barred(facts: Facts) -> list[Refusal]:
    """Why somebody takes no part in deciding a proposal, whatever its state: they assessed it, or have a conflict of interest."""
    return [Refusal(guard.code, guard.sentence(facts)) for guard in _DECIDER if not guard.holds(facts)]


def choose_move(state: State, event: Event, role: Role | None, facts: Facts) -> Move:
    """The one line that applies, or a refusal with every reason why none does; `role` None is the service itself."""
    if role is None:
        move = _BY_STEP.get((state, event))
        if move is None or move.maker is Maker.REQUEST or not all(guard.holds(facts) for guard in move.guards):
            raise Conflict("move_refused", f"The service cannot {event} a proposal that is {state}.")
        return move
    check_role(event, role)
    found = refusals(state, event, facts)
    if found:
        code = found[0].code if len(found) == 1 else "move_refused"
        raise Conflict(code, " ".join(refusal.message for refusal in found), refusals=found)
    return _BY_STEP[state, event]


@dataclass(frozen=True, slots=True)
class Option:
    """A move as it stands for one person: possible now, or with what refuses it; `needs` are members of the request."""

    event: Event
    allowed: bool
    needs: tuple[str, ...] = ()
    refusals: list[Refusal] = field(default_factory=list)


def options(state: State, role: Role, facts: Facts) -> list[Option]:
    """Every move that this role may ever request, in the table's order, with what refuses it now."""
    found = []
    for event in Event:
        line = lines_of(event)[0]
        if role in line.roles and line.maker is Maker.REQUEST:
            refused = refusals(state, event, facts)
            found.append(Option(event, not refused, line.needs, refused))
    return found
