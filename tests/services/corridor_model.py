"""What the corridor's model knows, written from DOMAIN.md apart from `app.domain.workflow`: moves, people, where examples begin."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

CLOSES, MEETS, LATE = date(2026, 12, 31), date(2027, 2, 10), date(2027, 4, 1)
PEOPLE = ("iom_focal_point", "mfa_reviewer", "mfa_reviewer_2", "mfa_head", "mfa_finance", "auditor", "turned")
FROM = {
    "submit": {"draft", "returned"},
    "admit": set(),
    "start_review": {"submitted"},
    "return": {"submitted", "under_review", "recommended", "deferred"},
    "recommend": {"under_review"},
    "withdraw": {"draft", "submitted", "returned", "under_review", "recommended", "deferred", "approved"},
    "terminate": {"approved", "agreed"},
}
BY = {
    "submit": {"iom_focal_point"},
    "admit": {"mfa_head", "turned"},
    "start_review": {"mfa_reviewer", "mfa_reviewer_2"},
    "return": {"mfa_reviewer", "mfa_reviewer_2"},
    "recommend": {"mfa_reviewer", "mfa_reviewer_2"},
    "withdraw": {"iom_focal_point"},
    "terminate": {"mfa_head", "turned"},
}
AFTER = {"submit": "submitted", "start_review": "under_review", "return": "returned", "recommend": "recommended"}
AFTER |= {"withdraw": "cancelled", "terminate": "cancelled"}
MOVES = tuple(FROM)
ASSESSORS = ("mfa_reviewer", "mfa_reviewer_2")


@dataclass
class Known:
    """What the model knows of a proposal."""

    ref: str
    state: str = "draft"
    deadline: date | None = CLOSES
    snapshot: int = 0
    grades: dict[str, int] = field(default_factory=dict)
    ever_assessed: set[str] = field(default_factory=set)
    conflicted: set[str] = field(default_factory=set)
    on_table: bool = False
    decision: dict[str, Any] | None = None
    approved: int = 0


# Where an example begins: it takes legal steps until one of its proposals is there, then one step more.
Where = tuple[Callable[[Any, Known], bool], Callable[[Any], None]]
GOALS: dict[str, Where] = {
    "a draft": (lambda world, one: True, lambda world: None),
    "submitted": (lambda world, one: one.state == "submitted", lambda world: None),
    "a conflict": (
        lambda world, one: world.known[1].state == "submitted",
        lambda world: world.conflict("mfa_reviewer"),
    ),
    "assessed": (lambda world, one: len(one.grades) == 2 and one.state == "under_review", lambda world: None),
    "assessed before": (lambda world, one: len(one.grades) == 2 and one.snapshot == 1, lambda world: world.once_more()),
    "found weak": (lambda world, one: len(one.grades) == 2 and not world.met(one), lambda world: None),
    "recommended": (lambda world, one: one.state == "recommended", lambda world: None),
    "planned": (lambda world, one: one.on_table and not world.opened, lambda world: None),
    "opened": (lambda world, one: one.on_table and world.opened, lambda world: None),
    "a biased head": (
        lambda world, one: world.known[1].on_table and world.opened,
        lambda world: world.conflict("mfa_head"),
    ),
    "nothing tabled": (lambda world, one: one.on_table and world.opened, lambda world: world.empty()),
    "decided": (lambda world, one: one.decision is not None and not world.undecided(), lambda world: None),
    "too late": (
        lambda world, one: one.decision is not None and not world.undecided(),
        lambda world: world.pass_days(LATE),
    ),
    "too much": (
        lambda world, one: world.opened and all(k.on_table and world.met(k) for k in world.known),
        lambda world: world.all_of_it(),
    ),
    "concluding": (
        lambda world, one: bool(one.decision) and one.decision["decision"] == "approve" and not world.undecided(),
        lambda world: world.conclusion(),
    ),
    "approved": (lambda world, one: one.state == "approved", lambda world: None),
    "withdrawn": (
        lambda world, one: world.known[0].state == "approved",
        lambda world: world.move(0, "iom_focal_point", "withdraw", ""),
    ),
    "rejected": (lambda world, one: one.state == "rejected", lambda world: None),
    "deferred": (
        lambda world, one: one.state == "deferred" and world.meeting is not None,
        lambda world: world.agenda(world.tabled()),
    ),
    "deferring": (
        lambda world, one: bool(one.decision) and one.decision["decision"] == "defer" and not world.undecided(),
        lambda world: world.agenda_again(),
    ),
    "overdue": (lambda world, one: True, lambda world: world.pass_days(LATE)),
}
