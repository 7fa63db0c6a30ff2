"""The yearly portfolio review that the desk sends upward: money, decisions, payments, results, risks, what is overdue."""

import json
from collections import Counter
from typing import Any

from app.db import Record, Tx
from app.domain.evaluation import Evaluation, overdue, stage
from app.domain.rulebook import Rulebook
from app.records import agreements, evaluations, proposals
from app.services import envelopes, portfolio, reporting, results
from app.services.clock import Now


def review(tx: Tx, year: int, book: Rulebook, now: Now) -> dict[str, Any]:
    """Everything about a year, from what is stored. NotFound where there is no such cycle; amounts are whole DKK."""
    covered = portfolio.covered(tx, year, book)
    rows = proposals.signed(tx)
    told = [(row, one) for row in rows for one in results.accepted(tx, row.id) if one.year == year]
    return {
        "year": year,
        "on": now.today.isoformat(),
        "envelope": next((one for one in envelopes.overview(tx) if one["year"] == year), None),
        "proposals": [_proposal(one) for one in covered["proposals"]],
        "states": Counter(row.state for row in proposals.of_cycle(tx, year)),
        "criteria": [_count(one, "letter", "title") for one in covered["criteria"]],
        "regions": [_count(one, "name") for one in covered["regions"]],
        "gaps": covered["gaps"],
        "payments": [said for row in rows for said in _payments(tx, row, year)],
        "reports": [said for row in rows for said in _due(tx, row, year, book, now)],
        "results": [said for row in rows if (said := _results(tx, row, year))],
        "lessons": [{"ref": row.ref, "text": json.loads(one.submitted)["lessons"]} for row, one in told],
        "risks": [{"ref": row.ref, **risk} for row, one in told for risk in json.loads(one.submitted)["risks"]],
        "evaluations": [_evaluation(one, now) for one in evaluations.listed(tx, shared_only=False)],
    }


def _proposal(one: dict[str, Any]) -> dict[str, Any]:
    return {key: one[key] for key in ("ref", "title", "office", "state", "requested", "approved", "addresses")}


def _count(one: dict[str, Any], *names: str) -> dict[str, Any]:
    own = {name: one[name] for name in names}
    return {**own, "proposals": len(one["proposals"]), "requested": one["requested"], "approved": one["approved"]}


def _payments(tx: Tx, row: Record, year: int) -> list[dict[str, Any]]:
    """The tranches that are charged to this year, with what was received of them."""
    return [
        {
            "ref": row.ref,
            "number": one.number,
            "amount": one.amount_dkk,
            "due_on": one.due_on.isoformat(),
            "state": one.state,
            "difference": None if one.received_dkk is None else one.received_dkk - one.amount_dkk,
        }
        for one in agreements.payments_of(tx, row.id)
        if one.year == year
    ]


def _due(tx: Tx, row: Record, year: int, book: Rulebook, now: Now) -> list[dict[str, Any]]:
    stands = [one for one in reporting.standing(tx, row, book.framework, now) if one["year"] == year]
    return [{"ref": row.ref, **{key: one[key] for key in ("due_on", "state", "overdue")}} for one in stands]


def _results(tx: Tx, row: Record, year: int) -> dict[str, Any] | None:
    """The indicators of a proposal with their newest accepted values up to this year; None where there are none."""
    found = []
    for one in results.so_far(tx, row, json.loads(row.content)):
        values = {int(reported): value for reported, value in one["values"].items() if int(reported) <= year}
        if values:
            own = {key: one[key] for key in ("code", "unit", "baseline", "target")}
            found.append({**own, "value": values[max(values)], "reported": max(values)})
    return {"ref": row.ref, "title": row.title, "indicators": found} if found else None


def _evaluation(row: Record, now: Now) -> dict[str, Any]:
    said = Evaluation.model_validate_json(row.content)
    open_ = sum(a.done_on is None for one in said.recommendations if one.response for a in one.response.follow_ups)
    return {"title": said.title, "stage": stage(said), "open": open_, "overdue": len(overdue(said, now.today))}
