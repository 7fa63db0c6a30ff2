"""The whole workflow with several people: what DOMAIN.md's table allows happens, everything else is refused.

The same machine must fail on every seeded bug, and on none without it.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

from app.domain import workflow
from app.domain.people import Role
from app.domain.workflow import Event, State
from app.records import money
from app.records import review as review_records
from app.services import board, casework, decisions
from tests.conftest import copy_of
from tests.services.corridor import HUNT, ONCE, QUICK, Corridor, begin_at, transaction


def test_the_workflow_is_the_one_of_the_table(database_url: str, book: Any) -> None:
    with transaction(database_url, book):
        run_state_machine_as_test(Corridor, settings=QUICK)


# The seeded bugs: each is one line of the service, changed.


def without(event: str, *codes: str) -> Callable[[pytest.MonkeyPatch], None]:
    """The guards of those codes dropped from every line of an event."""

    def seed(patch: pytest.MonkeyPatch) -> None:
        for (state, at), move in list(workflow._BY_STEP.items()):
            if at == event:
                left = tuple(guard for guard in move.guards if guard.code not in codes)
                patch.setitem(workflow._BY_STEP, (state, at), replace(move, guards=left))

    return seed


def set_to(target: str, value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(target, value)


def wrong_role(patch: pytest.MonkeyPatch) -> None:
    lines = {e: workflow.lines_of(e) for e in Event}
    lines[Event.START_REVIEW] = tuple(
        replace(one, roles=(Role.MFA_HEAD, Role.MFA_REVIEWER)) for one in lines[Event.START_REVIEW]
    )
    patch.setattr(workflow, "lines_of", lambda event: lines[event])


def also_from(event: Event, state: State) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setitem(workflow._BY_STEP, (state, event), workflow.lines_of(event)[0])


def forgetful_envelope(patch: pytest.MonkeyPatch) -> None:
    without("approve", "envelope_exceeded")(patch)
    patch.setattr(decisions, "over_envelope", lambda *more: {})
    patch.setattr(money, "commit_amount", lambda *more: True)


def any_amount(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decisions, "over_request", lambda *more: {})
    patch.setattr(casework, "over_request", lambda *more: {})


def old_assessments(patch: pytest.MonkeyPatch) -> None:
    real = review_records.assessments_of
    patch.setattr(review_records, "assessments_of", lambda tx, proposal_id, snapshot=None: real(tx, proposal_id))


def lenient(code: str) -> Callable[[pytest.MonkeyPatch], None]:
    """What refuses a conclusion, but for one code."""

    def seed(patch: pytest.MonkeyPatch) -> None:
        real = decisions.why_not
        patch.setattr(decisions, "why_not", lambda *more: [r for r in real(*more) if r.code != code])

    return seed


def no_refund(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(casework.envelopes, "free", lambda *more: {})


def early_word(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(board, "INSIDE", frozenset(Role))


def half_committed(patch: pytest.MonkeyPatch) -> None:
    real = money.commit_amount
    patch.setattr(money, "commit_amount", lambda tx, year, amount: real(tx, year, amount // 2))


# Each with the place before which it cannot show.
BUGS: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "recommended without enough assessments": ("submitted", without("recommend", "assessments_missing")),
    "recommended for approval although a, c or e is not met": ("found weak", without("recommend", "mandatory_not_met")),
    "reviewed in spite of a conflict of interest": ("a conflict", without("start_review", "conflict_of_interest")),
    "returned in spite of a conflict of interest": ("a conflict", without("return", "conflict_of_interest")),
    "the review started by the head": ("submitted", wrong_role),
    "withdrawn after a rejection": ("rejected", also_from(Event.WITHDRAW, State.REJECTED)),
    "terminated before anything is approved": ("recommended", also_from(Event.TERMINATE, State.RECOMMENDED)),
    "assessments of an older snapshot counted": ("assessed before", old_assessments),
    "returned, but still on the agenda": ("decided", set_to("app.records.consultations.take_off", lambda *more: None)),
    "the envelope not asked": ("too much", forgetful_envelope),
    "half of what is approved taken from the envelope": ("concluding", half_committed),
    "withdrawn without giving the money back": ("withdrawn", no_refund),
    "more approved than requested": ("opened", any_amount),
    "decided by who assessed it": ("opened", without("approve", "assessor_decides")),
    "decided in spite of a conflict of interest": ("a biased head", without("reject", "conflict_of_interest")),
    "concluded before its date": ("decided", lenient("too_early")),
    "concluded with an empty agenda": ("nothing tabled", lenient("agenda_empty")),
    "concluded late without a reason": ("too late", lenient("outside_quarter")),
    "decided before it is open": ("planned", set_to("app.services.decisions._refuse_closed", lambda row: None)),
    "concluded, but its proposals still held": (
        "deferring",
        set_to("app.records.consultations.release_agenda", lambda *more: None),
    ),
    "the decisions told to everybody at once": ("decided", early_word),
    "lapsing forgotten": ("overdue", set_to("app.services.casework._lapse_first", lambda *more: None)),
}


@pytest.mark.parametrize("bug", BUGS)
def test_every_seeded_bug_is_found(bug: str, filled: dict[str, Any], tmp_path: Path, book: Any) -> None:
    where, seed = BUGS[bug]
    with copy_of("sqlite", filled, tmp_path) as url, transaction(url, book), pytest.MonkeyPatch.context() as patch:
        begin_at(where, seed=1)
        run_state_machine_as_test(Corridor, settings=ONCE)
        seed(patch)
        with pytest.raises((Exception, ExceptionGroup)):  # whatever shows the bug
            run_state_machine_as_test(Corridor, settings=HUNT)
