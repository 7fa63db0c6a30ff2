"""IOM's narrative annual report on an agreed proposal: what it holds, what makes it whole, when it is due. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from app.domain.proposal import BudgetCategory, Letter, Part, RiskCategory
from app.domain.vocabulary import UNIQUE, Amount, Number, Text
from app.errors import Fault

Words = Annotated[str, Text(0, 4000)]


class Stage(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"


DONE = (Stage.SUBMITTED, Stage.ACCEPTED)  # a report that is no longer owed


class Value(Part):
    """What an indicator of the proposal has come to; `disaggregated` is by sex, age or whatever Annex 5 asks for."""

    code: Annotated[str, Text(1, 200)]
    value: Number
    disaggregated: Annotated[dict[Annotated[str, Text(1, 100)], Number], Field(max_length=50)] = Field(
        default_factory=dict
    )
    comment: Words = ""


class Spent(Part):
    category: BudgetCategory
    amount: Amount


class Happened(Part):
    """A risk that came true, and what was done."""

    category: RiskCategory
    description: Annotated[str, Text(1, 4000)]
    response: Words = ""


class Unspent(Part):
    """What is left at the end: carried into a later proposal, or returned."""

    amount: Amount
    plan: Literal["carried", "returned"]


class Report(Part):
    """One year's report; `final` is the last one of its proposal. `attachments` are numbers of files on the proposal."""

    progress: dict[Letter, Annotated[str, Text(1, 8000)]] = Field(default_factory=dict)
    indicators: Annotated[list[Value], Field(max_length=200)] = Field(default_factory=list)
    spending: Annotated[list[Spent], Field(max_length=50)] = Field(default_factory=list)
    lessons: Annotated[str, Text(0, 8000)] = ""
    risks: Annotated[list[Happened], Field(max_length=100)] = Field(default_factory=list)
    unspent: Unspent | None = None
    attachments: Annotated[list[Annotated[int, Field(strict=True, ge=1, le=2**53)]], Field(max_length=40), UNIQUE] = (
        Field(default_factory=list)
    )
    final: bool = False


def missing(report: Mapping[str, Any], content: Mapping[str, Any]) -> list[Fault]:
    """What a report needs to be submitted: progress on every criterion claimed, every indicator's value, spending, lessons."""
    claimed = [letter for letter, statement in content.get("criteria", {}).items() if statement]
    found = [
        Fault(f"/progress/{letter}", "required", f"Criterion {letter} was claimed; say what came of it.")
        for letter in claimed
        if not report["progress"].get(letter)
    ]
    known = {one["code"] for one in content.get("indicators", [])}
    reported = [one["code"] for one in report["indicators"]]
    found += [
        Fault("/indicators", "required", f"The indicator {code} has no value.")
        for code in sorted(known - set(reported))
    ]
    found += [
        Fault(f"/indicators/{i}/code", "unknown_indicator", f"The proposal has no indicator '{code}'.")
        for i, code in enumerate(reported)
        if code not in known
    ]
    found += [
        Fault(f"/indicators/{i}/code", "duplicate", f"{code} is reported twice.")
        for i, code in enumerate(reported)
        if code in reported[:i]
    ]
    spent = [one["category"] for one in report["spending"]]
    found += [
        Fault(f"/spending/{i}/category", "duplicate", f"The category {category} is there twice; add it up.")
        for i, category in enumerate(spent)
        if category in spent[:i]
    ]
    if not report["spending"]:
        found.append(Fault("/spending", "required", "Say what was spent, by budget category."))
    if not report["lessons"]:
        found.append(Fault("/lessons", "required", "Say what was learnt."))
    if report["final"] and report["unspent"] is None:
        found.append(Fault("/unspent", "required", "A final report states what is not spent and what becomes of it."))
    return found


def against(report: Mapping[str, Any], content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every indicator of the proposal with baseline and target, and the value reported; None while there is none."""
    values = {one["code"]: one["value"] for one in report["indicators"]}
    names = ("code", "unit", "baseline", "target")
    return [
        {**{name: one[name] for name in names}, "value": values.get(one["code"])}
        for one in content.get("indicators", [])
    ]


def due_on(year: int, month_day: str) -> date:
    """When the report on a year is due: that day of the year after."""
    return date.fromisoformat(f"{year + 1}-{month_day}")


def years_owed(signed_on: date, period: Mapping[str, str]) -> range:
    """The years a signed proposal reports on: those of its period, from the year it was signed in."""
    first, last = int(period["start"][:4]), int(period["end"][:4])
    return range(max(first, signed_on.year), max(last, signed_on.year) + 1)


def overdue(owed: Sequence[int], settled: Mapping[int, str], month_day: str, today: date) -> list[int]:
    """The years whose report was due before today and is neither submitted nor accepted."""
    return [year for year in owed if due_on(year, month_day) < today and settled.get(year) not in DONE]
