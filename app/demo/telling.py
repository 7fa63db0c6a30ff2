"""The demo's stories, told day by day through the same services that serve requests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from app.db import Tx
from app.domain.assessment import LETTERS
from app.domain.consultation import Verdict
from app.domain.cycle import noon_of
from app.domain.evaluation import Evaluation
from app.domain.people import Actor, Role
from app.domain.proposal import read_content
from app.domain.report import Report, Stage
from app.domain.rulebook import Rulebook
from app.records import people, proposals
from app.services import (
    agreements,
    casework,
    consultations,
    decisions,
    envelopes,
    evaluations,
    extracts,
    intake,
    papers,
    payments,
    reporting,
    review,
)
from app.services.casework import Request
from app.services.clock import Now
from app.services.consultations import Plan
from app.services.decisions import Sent
from app.services.rulebooks import Library

WRITTEN_FOR = 2027  # the stories of the cycle `next` are written as if next year were this one


@dataclass
class Teller:
    """What has been told so far: the references of proposals and the numbers of consultations by their keys."""

    tx: Tx
    library: Library
    now: Now
    address: Any
    refs: dict[str, str] = field(default_factory=dict)
    contents: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: dict[Any, int] = field(default_factory=dict)

    @property
    def book(self) -> Rulebook:
        return self.library.current

    def tell(self, stories: list[dict[str, Any]], meetings: dict[str, Any]) -> None:
        """Let everything happen on its own day, in the order of days; what lies after today does not happen."""
        steps = [*self._of(stories, self._proposal_step), *self._of(meetings["consultations"], self._meeting_step)]
        steps += self._of(meetings["agreements"], self._agreement_step)
        steps += self._of(meetings["evaluations"], self._evaluation_step)
        steps += [(self._day(one["on"]), 0, 0, self._appropriate, {}, one) for one in meetings["appropriations"]]
        for day, _, number, do, story, step in sorted(steps, key=lambda one: one[:3]):
            if day <= self.now.today:
                do(story, step, Now(noon_of(day) + timedelta(minutes=number), day))

    def _of(self, stories: list[dict[str, Any]], do: Any) -> Iterator[tuple[Any, ...]]:
        for place, story in enumerate(stories):
            for number, step in enumerate(story["story"]):
                yield self._day(step["on"]), place, number, do, story, step

    def _day(self, said: str) -> date:
        """A day of a story: `2026-01-12`, `today-12`, `today+14`, `next-02-16`."""
        if said.startswith("next"):
            return date.fromisoformat(f"{self._next}{said.removeprefix('next')}")
        if not said.startswith("today"):
            return date.fromisoformat(said)
        return self.now.today + timedelta(days=int(said.removeprefix("today") or 0))

    @property
    def _next(self) -> int:
        return self.now.today.year + 1

    def _year(self, said: Any) -> int:
        return self._next if said == "next" else int(said)

    def _actor(self, by: str, office: str = "") -> Actor:
        found = people.person_by_email(self.tx, self.address(office if by == "iom_office" else by))
        if found is None:
            raise ValueError(f"the demo has nobody called '{by}'")
        return found

    def _appropriate(self, story: dict[str, Any], step: dict[str, Any], then: Now) -> None:
        actor, year = self._actor("mfa_finance"), step["year"]
        amount = envelopes.one(self.tx, year)["amount"]
        envelopes.set_envelope(self.tx, actor, year, amount, "voted", step["reason"], None, True, then)

    def _proposal_step(self, story: dict[str, Any], step: dict[str, Any], then: Now) -> None:
        actor, key, tx = self._actor(step["by"], story["office"]), story["key"], self.tx
        self._content(story, step)
        if step["do"] == "create":
            self.refs[key] = self._create(actor, story, then)
        elif step["do"] == "edit":
            self._edit(actor, key, then)
        elif step["do"] == "assess":
            review.save(tx, actor, self.refs[key], self._grades(actor, key, step), self.book, then)
            review.complete(tx, actor, self.refs[key], self.book, then)
        else:
            deadline = self._day(step["deadline"]) if "deadline" in step else None
            said = (step.get("reason"), deadline, step.get("recommendation"), step.get("memo"))
            casework.make_move(tx, actor, self.refs[key], Request(step["do"], *said), self.book, then)

    def _content(self, story: dict[str, Any], step: dict[str, Any]) -> None:
        years = self._next - WRITTEN_FOR if story["cycle"] == "next" else 0
        content = self.contents.get(story["key"]) or shifted(story["content"], years)
        self.contents[story["key"]] = {**content, **step.get("content_changes", {})}

    def _create(self, actor: Actor, story: dict[str, Any], then: Now) -> str:
        read, faults = read_content(self.contents[story["key"]], self.book.indicator_codes)
        office = None if actor.role is Role.IOM_OFFICE else story["office"]
        return intake.create(self.tx, actor, self._year(story["cycle"]), office, read, faults, self.book, then)

    def _edit(self, actor: Actor, key: str, then: Now) -> None:
        read, faults = read_content(self.contents[key], self.book.indicator_codes)
        row = proposals.proposal_for(self.tx, actor, self.refs[key])
        assert row, "who edits sees it"
        version = frozenset({row.version})
        intake.replace_content(self.tx, actor, self.refs[key], read, faults, version, True, self.book, then)

    def _grades(self, actor: Actor, key: str, step: dict[str, Any]) -> dict[str, Any]:
        """The usual grade where the screening finds a criterion met, 1 where not, none where it is not claimed."""
        row = proposals.proposal_for(self.tx, actor, self.refs[key])
        assert row, "who assesses sees it"
        ground = review.ground_of(self.tx, row.id, row.snapshot, self.book)
        grades: dict[str, int | None] = {}
        for letter in LETTERS:
            needed = letter in ground.mandatory | ground.claimed
            grades[letter] = step["usual"] if ground.states[letter] == "met" else 1 if needed else None
        return {"grades": grades, "comments": {}, "overall": step["overall"], "carried_from": None}

    def _meeting_step(self, story: dict[str, Any], step: dict[str, Any], then: Now) -> None:
        actor, tx, key = self._actor(step["by"]), self.tx, story["cycle"]
        number = self.numbers.get(key, 0)
        if step["do"] == "plan":
            plan = Plan(self._year(key), self._day(story["date"]), story["place"], story["participants"])
            self.numbers[key] = consultations.create(tx, actor, plan, self.book, then)
        elif step["do"] == "agenda":
            consultations.set_agenda(tx, actor, number, self._tabled(actor, step["proposals"]), None, True, then)
        elif step["do"] == "open":
            consultations.open_(tx, actor, number, None, then)
        elif step["do"] == "decide":
            decisions.record(
                tx, actor, number, self.refs[step["proposal"]], self._decision(actor, step), None, True, self.book, then
            )
        elif step["do"] == "conclude":
            decisions.conclude(tx, actor, number, None, None, self.book, then)
        elif step["do"] == "confirm":
            papers.confirm(tx, actor, number, None, then)
        elif step["do"] == "object":
            papers.object_(tx, actor, number, step["reason"], None, then)

    def _tabled(self, actor: Actor, keys: list[str]) -> list[str]:
        """The references of those that can come to a consultation: on an early today some stories have not come so far."""
        rows = [proposals.proposal_for(self.tx, actor, self.refs[key]) for key in keys if key in self.refs]
        return [row.ref for row in rows if row is not None and row.state in casework.TABLED]

    def _decision(self, actor: Actor, step: dict[str, Any]) -> Sent:
        verdict, amounts = Verdict(step["decision"]), step.get("amounts", {})
        if verdict is Verdict.APPROVE and not amounts:
            row = proposals.proposal_for(self.tx, actor, self.refs[step["proposal"]])
            assert row, "who decides sees it"
            amounts = envelopes.requested_of(self.tx, row.id, row.snapshots)
        to_cycle = self._year(step["to_cycle"]) if "to_cycle" in step else None
        by_year = {int(year): amount for year, amount in amounts.items()}
        return Sent(verdict, by_year, step.get("conditions", []), step.get("reason", ""), to_cycle)

    def _agreement_step(self, story: dict[str, Any], step: dict[str, Any], then: Now) -> None:
        if self.refs.get(story["proposal"]) is None:
            return
        tx, ref, do = self.tx, self.refs[story["proposal"]], step["do"]
        office = proposals.office_of(tx, ref)
        actor, framework = self._actor(step["by"], office), self.book.framework
        if do == "schedule":
            due, condition = self._day(step["due_on"]), step.get("condition")
            payments.schedule(tx, actor, ref, step["year"], step["amount"], due, condition, framework, then)
        elif do == "sign":
            agreements.sign(tx, actor, ref, None, None, self.library, self.book, then)
        elif do in ("prepare", "release", "receive"):
            number = payments.listed(tx, actor, ref)[step["tranche"] - 1]["id"]
            if do == "receive":
                said = (step.get("amount"), then.today, step.get("note"))
                payments.receive(tx, actor, number, *said, None, framework, then)
            else:
                take = payments.prepare if do == "prepare" else payments.release
                take(tx, actor, number, None, framework, then)
        elif do == "report":
            reporting.put(tx, actor, ref, step["year"], self._report(ref, step), None, True, then)
            reporting.submit(tx, actor, ref, step["year"], None, then)
        elif do == "accept":
            reporting.decide(tx, actor, ref, step["year"], Stage.ACCEPTED, None, None, then)
        elif do == "publish":
            extracts.release(tx, actor, ref, None, self.library, then)
        elif do == "close":
            casework.make_move(tx, actor, ref, Request("close"), self.book, then)

    def _evaluation_step(self, story: dict[str, Any], step: dict[str, Any], then: Now) -> None:
        """Add the story's evaluation, or replace it by what it was with what this step says."""
        actor, number = self._actor(step["by"]), story.get("number")
        before = evaluations.described(self.tx, actor, number, then)["evaluation"] if number else {}
        said = Evaluation.model_validate({**before, **step["said"]})
        if number is None:
            story["number"] = evaluations.add(self.tx, actor, said, then)
        else:
            evaluations.replace(self.tx, actor, number, said, None, True, then)

    def _report(self, ref: str, step: dict[str, Any]) -> Report:
        """A report with a sentence on every criterion claimed and a value for every indicator."""
        content = next(self.contents[key] for key, one in self.refs.items() if one == ref)
        claimed = [letter for letter, said in content.get("criteria", {}).items() if said]
        values = [{"code": one["code"], "value": float(one["target"])} for one in content.get("indicators", [])]
        said = {
            "progress": {
                letter: f"The work under criterion {letter} went as planned in {step['year']}." for letter in claimed
            },
            "indicators": values,
            "spending": [{"category": "operations", "amount": step["spent"]}],
            "lessons": step["lessons"],
            "final": step.get("final", False),
            "unspent": {"amount": 0, "plan": "returned"} if step.get("final") else None,
        }
        return Report.model_validate(said)


def shifted(content: dict[str, Any], years: int) -> dict[str, Any]:
    """The content with its budget years and period moved by so many years."""
    if not years:
        return content
    moved = dict(content)
    if "budget" in content:
        moved["budget"] = [{**line, "year": line["year"] + years} for line in content["budget"]]
    if "period" in content:
        moved["period"] = {
            name: f"{int(day[:4]) + years}{'-02-28' if day[4:] == '-02-29' else day[4:]}"
            for name, day in content["period"].items()
        }
    return moved
