"""The whole workflow as a state machine with several people: what DOMAIN.md's table allows happens, everything else is refused.

The model below is written from DOMAIN.md, apart from `app.domain.workflow`. Each example runs in one transaction that is
rolled back. The same machine must fail on every seeded bug.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.db import open_database
from app.domain import workflow
from app.domain.consultation import Verdict
from app.domain.cycle import noon_of
from app.domain.people import Actor, Role
from app.domain.proposal import read_content
from app.domain.workflow import Event, State
from app.errors import AppError
from app.records import consultations as consultation_records
from app.records import money, people, proposals
from app.records import review as review_records
from app.services import board, casework, consultations, decisions, envelopes, intake, papers, review
from app.services.casework import Request
from app.services.clock import Now
from app.services.consultations import Plan
from app.services.decisions import Sent
from tests.conftest import copy_of
from tests.serving import TODAY
from tests.web.test_proposals import STRONG, shifted

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
        lambda world, one: world.opened and all(k.on_table for k in world.known),
        lambda world: world.all_of_it(),
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
    "overdue": (lambda world, one: True, lambda world: world.pass_days(LATE)),
}


class Corridor(RuleBasedStateMachine):
    """Two proposals, seven people, one consultation at a time, an envelope that bears only one of the two."""

    url, goals = "", tuple(GOALS)
    book: Any = None

    @initialize(data=st.data())
    def begin(self, data: Any) -> None:
        self.database = open_database(self.url)
        engine: Any = self.database.engine  # type: ignore[attr-defined]
        self.tx = engine.connect()
        self.outer = self.tx.begin()
        self.today, self.minute = TODAY, 0
        demo = {key: people.person_by_email(self.tx, f"{key.replace('_', '-')}@demo.example") for key in PEOPLE[:-1]}
        self.people: dict[str, Actor] = {key: actor for key, actor in demo.items() if actor}
        # Somebody who assessed as a reviewer and became head of department since.
        head, reviewer = self.people["mfa_head"], self.people["mfa_reviewer_2"]
        self.people["turned"] = replace(head, id=reviewer.id, name=reviewer.name)
        for item in consultation_records.listed(self.tx, 2027, None, 50, None):
            consultation_records.put_agenda(self.tx, item.id, [])
        content, faults = read_content(shifted(STRONG), self.book.indicator_codes)
        assert content is not None
        assert not faults
        focal = self.people["iom_focal_point"]
        refs = [intake.create(self.tx, focal, 2027, "IOM-NE", content, [], self.book, self.now()) for _ in range(2)]
        self.known = [Known(ref) for ref in refs]
        self.asked = sum(line["amount"] for line in shifted(STRONG)["budget"])
        self.envelope = self.asked * 3 // 2
        finance = self.people["mfa_finance"]
        change = (2027, self.envelope, "planned", "Test.", None, True, self.now())
        envelopes.set_envelope(self.tx, finance, *change)
        self.meeting: int | None = None
        self.opened = self.sweeping = False
        reached, one_more = GOALS[data.draw(st.sampled_from(self.goals))]
        for _ in range(60):
            if any(reached(self, one) for one in self.known):
                one_more(self)
                break
            self.go_on(data, 1, straight=True)

    # single steps that examples begin with

    def conflict(self, who: str) -> None:
        one = self.known[1]
        row = proposals.proposal_for(self.tx, self.people[who], one.ref)
        if row and who not in one.conflicted:
            proposals.add_conflict(self.tx, row.id, self.people[who].id, self.now().at, "A cousin.")
            one.conflicted.add(who)

    def once_more(self) -> None:
        for i, one in enumerate(self.known):
            if len(one.grades) == 2 and one.state == "under_review":
                for who, move in (("mfa_reviewer_2", "return"), ("iom_focal_point", "submit")):
                    self.move(i, who, move, "")
                self.move(i, "mfa_reviewer_2", "start_review", "")

    def empty(self) -> None:
        self.agenda([])
        self.pass_days(MEETS)

    def all_of_it(self) -> None:
        for i in range(len(self.known)):
            self.decide(i, "mfa_head", "approve", self.asked)
        self.pass_days(MEETS)

    def now(self) -> Now:
        self.minute += 1
        return Now(noon_of(self.today) + timedelta(seconds=self.minute), self.today)

    def attempt(self, legal: bool, what: str, work: Callable[[], Any]) -> bool:
        """Do it; the service must accept exactly what the model calls legal, and leave nothing of what it refuses."""
        if self.sweeping and legal:
            return False
        save = self.tx.begin_nested()
        try:
            work()
        except AppError as error:
            save.commit() if error.settled else save.rollback()
            if legal:
                raise AssertionError(f"{what} was refused: {error.code} {error.detail}") from error
            return False
        save.commit()
        assert legal, f"{what} was accepted on {self.today}"
        return True

    # what may be done, by the model

    def lapses(self, one: Known) -> bool:
        return one.state in ("draft", "returned") and one.deadline is not None and one.deadline < self.today

    def met(self, one: Known) -> bool:
        return bool(one.grades) and sum(one.grades.values()) >= 2 * len(one.grades)

    def legal_move(self, one: Known, who: str, move: str, verdict: str) -> bool:
        state = "cancelled" if self.lapses(one) else one.state
        fine = state in FROM[move] and who in BY[move]
        if move == "recommend":
            fine = fine and len(one.grades) >= 2 and (verdict != "approve" or self.met(one))
        return fine and (move in ("submit", "withdraw") or who not in one.conflicted)

    def spent(self) -> int:
        return sum(one.approved for one in self.known)

    def refusing(self, who: str) -> bool:
        """Whether something refuses the conclusion."""
        tabled = [one for one in self.known if one.on_table]
        wanted = sum(one.decision["amount"] for one in tabled if one.decision)
        bad = not tabled or self.today < MEETS or self.today > date(2027, 3, 31)
        bad = bad or any(one.decision is None for one in tabled) or self.spent() + wanted > self.envelope
        for one in tabled:
            approves = one.decision is not None and one.decision["decision"] == "approve"
            bad = bad or (approves and not self.met(one)) or self.barred(one, who)
        return bad

    def barred(self, one: Known, who: str) -> bool:
        person = {"turned": "mfa_reviewer_2"}.get(who, who)
        return who in one.conflicted or person in one.conflicted or person in one.ever_assessed

    # what is tried

    def move(self, i: int, who: str, move: str, verdict: str) -> None:
        one = self.known[i]
        ends = self.today + timedelta(days=10)
        asked = Request(
            move,
            "Because.",
            ends if move == "return" else None,
            verdict if move == "recommend" else None,
            "Memo." if move == "recommend" else None,
        )
        legal = self.legal_move(one, who, move, verdict)
        work = lambda: casework.make_move(self.tx, self.people[who], one.ref, asked, self.book, self.now())  # noqa: E731
        if who != "iom_focal_point" and one.snapshot == 0:
            legal = False
        lapsed = self.lapses(one) and who in BY[move]
        done = self.attempt(legal, f"{move} by {who} from {one.state}", work)
        if lapsed and not done:
            visible = who == "iom_focal_point" or one.snapshot
            one.state, one.deadline = ("cancelled", None) if visible else (one.state, one.deadline)
        if done:
            self.moved(one, move)

    def moved(self, one: Known, move: str) -> None:
        one.state, one.deadline = AFTER[move], None
        if move == "submit":
            one.snapshot += 1
            one.grades = {}
        if move == "return":
            one.deadline = self.today + timedelta(days=10)
        if one.state != "recommended":
            one.on_table, one.decision = False, None
        if one.state == "cancelled":
            one.approved = 0

    def assess(self, i: int, who: str, grade: int) -> None:
        one = self.known[i]
        legal = one.state == "under_review" and who in ASSESSORS and who not in one.conflicted
        if who not in ASSESSORS:
            return  # the door refuses other roles before a service is asked
        if who in one.grades:
            legal = False
        comments = dict.fromkeys("abcdefgh", "It departs.")
        said = {
            "grades": dict.fromkeys("abcdefgh", grade),
            "comments": comments,
            "overall": "So.",
            "carried_from": None,
        }

        def work() -> None:
            review.save(self.tx, self.people[who], one.ref, said, self.book, self.now())
            review.complete(self.tx, self.people[who], one.ref, self.book, self.now())

        if one.snapshot and self.attempt(legal, f"assess by {who} in {one.state}", work):
            one.grades[who] = grade
            one.ever_assessed.add(who)

    def plan(self) -> None:
        if self.meeting is None:
            plan = Plan(2027, MEETS, "Geneva", [], None)
            self.meeting = consultations.create(self.tx, self.people["mfa_reviewer"], plan, self.book, self.now())
            self.opened = False

    def agenda(self, chosen: list[int]) -> None:
        if self.meeting is None:
            return
        legal = all(self.known[i].state in ("recommended", "deferred") for i in chosen)
        legal = legal and all(i in chosen or one.decision is None for i, one in enumerate(self.known))
        refs = [self.known[i].ref for i in chosen]
        if any(self.known[i].snapshot == 0 for i in chosen):
            legal = False
        number, actor = self.meeting, self.people["mfa_reviewer"]
        work = lambda: consultations.set_agenda(self.tx, actor, number, refs, None, True, self.now())  # noqa: E731
        if self.attempt(legal, f"agenda {refs}", work):
            for i, one in enumerate(self.known):
                one.decision = one.decision if i in chosen else None
                one.on_table = i in chosen

    def open(self) -> None:
        if self.meeting is not None:
            number, head = self.meeting, self.people["mfa_head"]
            work = lambda: consultations.open_(self.tx, head, number, None, self.now())  # noqa: E731
            if self.attempt(not self.opened, "open", work):
                self.opened = True

    def decide(self, i: int, who: str, verdict: str, amount: int) -> None:
        one = self.known[i]
        if self.meeting is None or one.snapshot == 0:
            return
        amounts = {2027: amount} if verdict == "approve" else {}
        sent = Sent(Verdict(verdict), amounts, [], "Because.", 2028 if verdict == "defer" else None)
        legal = self.opened and one.on_table and not self.barred(one, who) and amount <= self.asked
        legal = legal or (self.opened and one.on_table and not self.barred(one, who) and verdict != "approve")
        number, actor = self.meeting, self.people[who]

        def work() -> None:
            decisions.record(self.tx, actor, number, one.ref, sent, None, True, self.book, self.now())

        if self.attempt(legal, f"{verdict} of {amount} by {who} in {one.state}", work):
            one.decision = {"decision": verdict, "amount": amount if verdict == "approve" else 0}

    def conclude(self, who: str) -> None:
        if self.meeting is None:
            return
        number, actor = self.meeting, self.people[who]
        legal = self.opened and not self.refusing(who)
        work = lambda: decisions.conclude(self.tx, actor, number, None, None, self.book, self.now())  # noqa: E731
        if self.attempt(legal, f"conclude by {who}", work):
            for one in self.known:
                if one.on_table and one.decision:
                    one.state = {"approve": "approved", "reject": "rejected", "defer": "deferred"}[
                        one.decision["decision"]
                    ]
                    one.approved, one.on_table, one.decision = one.decision["amount"], False, None
            self.meeting = None

    # the rules

    def forward(self, straight: bool) -> list[Callable[[], None]]:
        """The steps that lead on from here, as the model sees it; straight: none that leads back."""
        steps: list[Callable[[], None]] = []
        for i, one in enumerate(self.known):
            if one.state in ("draft", "returned"):
                steps.append(lambda i=i: self.move(i, "iom_focal_point", "submit", ""))
            if one.state == "submitted":
                steps.append(lambda i=i: self.move(i, "mfa_reviewer_2", "start_review", ""))
            if one.state == "under_review":
                waiting = [who for who in ASSESSORS if who not in one.grades and who not in one.conflicted]
                steps += [lambda i=i, who=who, g=g: self.assess(i, who, g) for who in waiting for g in (3, 0)]
                if len(one.grades) == 2:
                    verdict = "approve" if self.met(one) else "defer"
                    steps.append(lambda i=i, verdict=verdict: self.move(i, "mfa_reviewer_2", "recommend", verdict))
                    if not straight:
                        steps.append(lambda i=i: self.move(i, "mfa_reviewer_2", "return", ""))
            if one.state in ("recommended", "deferred") and not one.on_table:
                steps.append(self.plan if self.meeting is None else lambda: self.agenda(self.tabled()))
            if one.on_table and self.opened and one.decision is None:
                verdicts = ("approve", "approve", "reject", "defer") if self.met(one) else ("reject", "defer")
                steps += [lambda i=i, v=v: self.decide(i, "mfa_head", v, self.asked // (i + 1)) for v in verdicts]
            if one.on_table and one.decision and i and not straight:
                steps.append(lambda i=i: self.move(i, "mfa_reviewer_2", "return", ""))
            if one.state == "approved" and not straight:
                steps.append(lambda i=i: self.move(i, "iom_focal_point", "withdraw", ""))
        if any(one.on_table for one in self.known) and not self.opened:
            steps.append(self.open)
        if self.opened and not self.undecided():
            steps += [lambda: self.pass_days(MEETS), lambda: self.conclude("mfa_head")]
            steps += [lambda: self.pass_days(LATE)] if self.today == MEETS and not straight else []
        return steps

    def undecided(self) -> bool:
        return any(one.decision is None for one in self.known if one.on_table)

    def tabled(self) -> list[int]:
        return [i for i, one in enumerate(self.known) if one.state in ("recommended", "deferred")]

    def pass_days(self, day: date) -> None:
        self.today = max(self.today, day)

    @rule(data=st.data(), many=st.integers(1, 6))
    def further(self, data: Any, many: int) -> None:
        self.go_on(data, many)

    def go_on(self, data: Any, many: int, straight: bool = False) -> None:
        for _ in range(many):
            steps = self.forward(straight)
            if steps:
                data.draw(st.sampled_from(steps))()

    def try_all_that_is_not_allowed(self) -> None:
        """Every attempt that the model calls illegal here is refused, and changes nothing."""
        self.sweeping = True
        for i in range(len(self.known)):
            for who in PEOPLE:
                for move in MOVES:
                    for verdict in ("approve", "reject") if move == "recommend" else ("",):
                        self.move(i, who, move, verdict)
            for who in ASSESSORS:
                self.assess(i, who, 3)
            for who in ("mfa_head", "turned"):
                for verdict, share in (("approve", 100), ("approve", 101), ("reject", 0), ("defer", 0)):
                    self.decide(i, who, verdict, self.asked * share // 100)
        for chosen in ([0], [1], [0, 1]):
            self.agenda(chosen)
        self.open()
        for who in ("mfa_head", "turned"):
            self.conclude(who)
        self.sweeping = False

    @rule(chosen=st.lists(st.integers(0, 1), unique=True))
    def another_agenda(self, chosen: list[int]) -> None:
        self.agenda(chosen)

    @rule(verdict=st.sampled_from(("approve", "reject", "defer")), share=st.sampled_from((50, 60, 100)))
    def another_decision(self, verdict: str, share: int) -> None:
        self.decide(0, "mfa_head", verdict, self.asked * share // 100)

    @rule(who=st.sampled_from(("mfa_reviewer", "mfa_head")))
    def declare_a_conflict(self, who: str) -> None:
        if self.known[1].snapshot and not self.known[1].conflicted:
            self.conflict(who)

    @rule(days=st.sampled_from((1, 8, 15, 60)))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)

    # what holds always

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        if not hasattr(self, "known"):
            return
        auditor, focal = self.people["auditor"], self.people["iom_focal_point"]
        for one in self.known:
            row = proposals.proposal_for(self.tx, focal, one.ref)
            assert row is not None
            assert (row.state, row.snapshots, row.deadline_on) == (one.state, one.snapshot, one.deadline), one
            steps = proposals.history_of(self.tx, row.id)
            assert [step.number for step in steps] == list(range(1, row.moves + 1))
            assert steps[-1].target == one.state
            approved = envelopes.approved_of(self.tx, row.id)
            assert sum(approved.values()) == one.approved, (approved, one)
            decided = one.state in ("approved", "rejected", "deferred")
            seen = papers.in_force(self.tx, row)
            assert not decided or seen is not None
            assert (
                one.state != "recommended"
                or one.decision is None
                or seen is None
                or seen["consultation"] != self.meeting
            )
        envelope = money.envelope_of(self.tx, 2027)
        assert envelope is not None
        assert envelope.committed_dkk == self.spent() <= self.envelope
        if self.meeting is not None:
            said = board.described(self.tx, auditor, self.meeting, self.book, self.now())
            shown = {item["ref"]: item["decision"] for item in said["agenda"]}
            assert set(shown) == {one.ref for one in self.known if one.on_table}
            for one in self.known:
                assert bool(shown.get(one.ref)) == bool(one.decision)
            outside = board.described(self.tx, focal, self.meeting, self.book, self.now())
            assert "amounts" not in json.dumps(outside, default=str)

    def teardown(self) -> None:
        if not hasattr(self, "outer"):
            return
        try:
            if hasattr(self, "sweeping"):
                self.try_all_that_is_not_allowed()
                self.all_is_as_the_model_says()
        finally:
            self.outer.rollback()
            self.tx.close()
            self.database.engine.dispose()  # type: ignore[attr-defined]


QUICK = settings(
    phases=[Phase.explicit, Phase.generate],  # an example is long; shrinking one would take minutes
    max_examples=12,
    stateful_step_count=3,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
HUNT = settings(QUICK, max_examples=150, report_multiple_bugs=False)


def test_the_workflow_is_the_one_of_the_table(database_url: str, book: Any) -> None:
    Corridor.url, Corridor.book = database_url, book
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


# Each with the place where it shows.
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
    "half of what is approved taken from the envelope": ("approved", half_committed),
    "withdrawn without giving the money back": ("withdrawn", no_refund),
    "more approved than requested": ("opened", any_amount),
    "decided by who assessed it": ("opened", without("approve", "assessor_decides")),
    "decided in spite of a conflict of interest": ("a biased head", without("reject", "conflict_of_interest")),
    "concluded before its date": ("decided", lenient("too_early")),
    "concluded with an empty agenda": ("nothing tabled", lenient("agenda_empty")),
    "concluded late without a reason": ("too late", lenient("outside_quarter")),
    "decided before it is open": ("planned", set_to("app.services.decisions._refuse_closed", lambda row: None)),
    "concluded, but its proposals still held": (
        "deferred",
        set_to("app.records.consultations.release_agenda", lambda *more: None),
    ),
    "the decisions told to everybody at once": ("decided", early_word),
    "lapsing forgotten": ("overdue", set_to("app.services.casework._lapse_first", lambda *more: None)),
}


@contextmanager
def seeded(bug: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        where, seed = BUGS[bug]
        patch.setattr(Corridor, "goals", (where,))
        seed(patch)
        yield


@pytest.fixture(scope="module")
def small_url(filled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("seeded")
    with copy_of("sqlite", filled, folder) as url:
        yield url


def test_every_seeded_bug_is_found(small_url: str, book: Any, capsys: Any) -> None:
    Corridor.url, Corridor.book = small_url, book
    alive = []
    for bug in BUGS:
        with seeded(bug):
            try:
                run_state_machine_as_test(Corridor, settings=HUNT)
            except (Exception, ExceptionGroup):  # noqa: BLE001  # whatever shows the bug
                continue
            alive.append(bug)
    with capsys.disabled():
        print(f"\nseeded bugs found: {len(BUGS) - len(alive)} of {len(BUGS)}: {'; '.join(BUGS)}")
    assert alive == []
