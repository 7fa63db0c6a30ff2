"""The whole workflow as a state machine with several people, for the tests of the corridor and its seeded bugs.

The model below is written from DOMAIN.md, apart from `app.domain.workflow`. Each example runs in one transaction that is
rolled back. The same machine must fail on every seeded bug; there its examples begin where a walk has come before.
"""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.db import Tx, open_database
from app.domain.consultation import Verdict
from app.domain.cycle import noon_of
from app.domain.people import Actor
from app.domain.proposal import read_content
from app.errors import AppError
from app.records import consultations as consultation_records
from app.records import money, people, proposals
from app.services import board, casework, consultations, decisions, envelopes, intake, papers, review
from app.services.casework import Request
from app.services.clock import Now
from app.services.consultations import Plan
from app.services.decisions import Sent
from tests.services.corridor_model import AFTER, ASSESSORS, BY, FROM, GOALS, LATE, MEETS, MOVES, PEOPLE, Known
from tests.serving import TODAY
from tests.web.test_proposals import STRONG, shifted

MODEL = ("today", "minute", "people", "known", "asked", "envelope", "meeting", "opened", "sweeping")
Choice = Callable[[list[Callable[[], None]]], Callable[[], None]]


class Corridor(RuleBasedStateMachine):
    """Two proposals, seven people, one consultation at a time, an envelope that bears only one of the two."""

    book: Any = None
    tx: Tx  # every example's own transaction inside it
    ready: dict[str, Any] | None = None  # what the model knew where a walk ended, for examples that go on from there
    ends: Callable[["Corridor"], None]

    @initialize(data=st.data())
    def begin(self, data: Any) -> None:
        self.outer = self.tx.begin_nested()
        if self.ready is None:
            self.set_out()
            goal = data.draw(st.sampled_from(tuple(GOALS)))
            if self.walk(goal, lambda steps: data.draw(st.sampled_from(steps))):
                GOALS[goal][1](self)
        else:
            vars(self).update(copy.deepcopy(self.ready))
            self.ends()

    def set_out(self) -> None:
        """Two drafts, an envelope, nothing planned."""
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

    def walk(self, goal: str, choose: Choice) -> bool:
        """Take legal steps until one of the proposals is at the goal; False when none is after sixty."""
        for _ in range(60):
            if any(GOALS[goal][0](self, one) for one in self.known):
                return True
            self.go_on(choose, 1, straight=True)
        return False

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

    def conclusion(self) -> None:
        self.pass_days(MEETS)
        self.conclude("mfa_head")

    def agenda_again(self) -> None:
        self.conclusion()
        self.plan()
        self.agenda(self.tabled())

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
        if who != "iom_focal_point" and one.snapshot == 0:
            legal = False
        lapsed = self.lapses(one) and who in BY[move]
        done = self.attempt(
            legal,
            f"{move} by {who} from {one.state}",
            lambda: casework.make_move(self.tx, self.people[who], one.ref, asked, self.book, self.now()),
        )
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
        if self.attempt(
            legal,
            f"agenda {refs}",
            lambda: consultations.set_agenda(self.tx, actor, number, refs, None, True, self.now()),
        ):
            for i, one in enumerate(self.known):
                one.decision = one.decision if i in chosen else None
                one.on_table = i in chosen

    def open(self) -> None:
        if self.meeting is not None:
            number, head = self.meeting, self.people["mfa_head"]
            if self.attempt(
                not self.opened, "open", lambda: consultations.open_(self.tx, head, number, None, self.now())
            ):
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
        if self.attempt(
            legal,
            f"conclude by {who}",
            lambda: decisions.conclude(self.tx, actor, number, None, None, self.book, self.now()),
        ):
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
        self.go_on(lambda steps: data.draw(st.sampled_from(steps)), many)

    def go_on(self, choose: Choice, many: int, straight: bool = False) -> None:
        for _ in range(many):
            steps = self.forward(straight)
            if steps:
                choose(steps)()

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


@contextmanager
def transaction(url: str, book: Any) -> Iterator[None]:
    """What all examples within this happen in; nothing of it stays."""
    engine: Any = open_database(url).engine
    with engine.connect() as Corridor.tx:
        Corridor.book, Corridor.ready = book, None
        Corridor.tx.begin()
        yield
        Corridor.tx.rollback()
    engine.dispose()


def begin_at(goal: str, seed: int) -> None:
    """Examples begin from now on where a walk to the goal ends, with the step that the goal has after it."""
    chance = Random(seed)
    while True:
        walker, point = Corridor(), Corridor.tx.begin_nested()
        walker.set_out()
        if walker.walk(goal, chance.choice):
            break
        point.rollback()
    Corridor.ready, Corridor.ends = {name: getattr(walker, name) for name in MODEL}, GOALS[goal][1]


QUICK = settings(
    phases=[Phase.explicit, Phase.generate],  # an example is long; shrinking one would take minutes
    max_examples=12,
    stateful_step_count=3,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
ONCE = settings(QUICK, max_examples=1)
HUNT = settings(QUICK, max_examples=150, report_multiple_bugs=False)
