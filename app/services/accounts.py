"""What IOM accounts for on one proposal, read once for its pages: the years owed, and one year's report against what was agreed."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor, Side
from app.domain.report import against
from app.domain.rulebook import Rulebook
from app.errors import NotFound
from app.records import agreements, attachments, proposals, reports, submissions
from app.services import evaluations, reporting
from app.services.clock import Now
from app.services.workspace import Head, head


@dataclass(frozen=True, slots=True)
class Accounts:
    """Which years are reported on, and the evaluations that look at the proposal's years."""

    head: Head
    years: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]


def accounts_of(tx: Tx, actor: Actor, ref: str, book: Rulebook, now: Now) -> Accounts:
    """Where every report of a proposal stands, and the evaluations this actor sees. Five statements."""
    found = head(tx, actor, ref)
    years = reporting.standings(tx, [found.row.id], book.framework, now).get(found.row.id, [])
    return Accounts(found, years, evaluations.listed(tx, actor, now))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One year's report. `report` is what this actor reads (IOM what it works on), None where there is nothing to read yet.

    `budget` is category -> whole DKK agreed for the year; `files` are the shared attachments a report can name.
    """

    head: Head
    year: int
    standing: dict[str, Any]
    kept: Record | None
    report: dict[str, Any] | None
    agreed: dict[str, Any]
    indicators: list[dict[str, Any]]
    past: list[dict[str, Any]]
    budget: dict[str, int]
    files: list[Record]
    conflicted: bool


def sheet_of(tx: Tx, actor: Actor, ref: str, year: int, book: Rulebook, now: Now) -> Sheet:
    """A year's report with everything it is read against, in eight statements; NotFound for a year that is not owed."""
    found = head(tx, actor, ref)
    row, signed = found.row, agreements.signed_of(tx, [found.row.id]).get(found.row.id)
    told = reports.reports_of(tx, row.id)
    standing = reporting.standing_in(reporting.years_of(signed), told, book.framework, now) if signed else []
    here = next((one for one in standing if one["year"] == year), None)
    snapshot = submissions.snapshot_of(tx, row.id, row.snapshots) if here else None
    if here is None or signed is None or snapshot is None:
        raise NotFound("report_not_found", f"{ref} does not report on {year}.")
    kept = next((one for one in told if one.year == year), None)
    text = (kept.content if actor.side is Side.IOM else kept.submitted) if kept else None
    report, agreed = json.loads(text) if text else None, json.loads(snapshot.content)
    budget = defaultdict[str, int](int)
    for line in json.loads(signed.text)["budget"]:
        budget[line["category"]] += line["amount"] if line["year"] == year else 0
    return Sheet(
        head=found,
        year=year,
        standing=here,
        kept=kept,
        report=report,
        agreed=agreed,
        indicators=against(report or {"indicators": []}, agreed),
        past=json.loads(kept.past) if kept else [],
        budget=budget,
        files=[one for one in attachments.of_proposal(tx, actor, row.id) if one.visibility == "shared"],
        conflicted=proposals.has_conflict(tx, row.id, actor.id),
    )
