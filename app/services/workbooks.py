"""What a cycle's workbook says, as data: every proposal the Danish side has seen, its criteria and budget, coverage, money."""

import json
from datetime import date
from typing import Any

from app.db import Record, Tx
from app.domain.cycle import noon_of
from app.domain.envelope import Kind
from app.domain.rulebook import Rulebook
from app.domain.workflow import State
from app.records import cycles, money, proposals, submissions
from app.records import review as review_records
from app.services import envelopes, portfolio, review


def of_cycle(tx: Tx, year: int, book: Rulebook) -> dict[str, Any]:
    """The cycle as it stands; `dated` is its newest change, so that the same state says the same. NotFound without one."""
    covered = portfolio.covered(tx, year, book)
    rows, cycle = proposals.of_cycle(tx, year), cycles.cycle_of(tx, year)
    assert cycle, "what is covered is there"
    counted = {one["ref"] for one in covered["proposals"]}
    framework = book.framework
    return {
        "cycle": year,
        "dated": max([row.updated_at for row in rows], default=None) or noon_of(cycle.opens_on),
        "money_changed_at": money.changed_at(tx),
        "framework": {
            "title": framework.title,
            "finance_act_code": framework.finance_act_code,
            "file_number": framework.file_number,
        },
        "rulebook": book.reference,
        "proposals": [{**_proposal(tx, row, book), "counted": row.ref in counted} for row in rows],
        "coverage": covered,
    }


def _proposal(tx: Tx, row: Record, book: Rulebook) -> dict[str, Any]:
    content, sums = json.loads(row.content), money.sums_of(tx, row.id)
    entered = {kind: sum(amount for (name, _), amount in sums.items() if name == kind) for kind in Kind}
    return {
        "ref": row.ref,
        "title": row.title,
        "office": row.office_code,
        "state": row.state,
        "countries": [one["code"] for one in content["countries"]],
        "start": date.fromisoformat(content["period"]["start"]),
        "end": date.fromisoformat(content["period"]["end"]),
        "total": row.total_tenths / 10,
        "outcome": row.outcome,
        "requested": sum(envelopes.requested_of(tx, row.id, row.snapshot).values()),
        "approved": entered[Kind.APPROVED] - entered[Kind.FREED],
        "agreed": entered[Kind.AGREED],
        "paid": entered[Kind.PAID],
        "criteria": _criteria(tx, row, book),
        "budget": content["budget"],
    }


def _criteria(tx: Tx, row: Record, book: Rulebook) -> list[dict[str, Any]]:
    """Criterion by criterion what the screening found, and what the assessments come to once the review is over."""
    kept = submissions.snapshot_of(tx, row.id, row.snapshot)
    assert kept, "the Danish side sees snapshots"
    rows = review_records.assessments_of(tx, row.id, row.snapshot)
    blind = row.state == State.UNDER_REVIEW  # as the portfolio: nobody's grades reach the next assessor here
    judged = None if blind else review.outcome_of(rows, review.ground_of(tx, row.id, row.snapshot, book))
    nothing = {"mean": None, "met": None}
    return [
        {
            **{key: one[key] for key in ("letter", "title", "state", "earned", "possible")},
            **{key: (judged["criteria"][one["letter"]] if judged else nothing)[key] for key in nothing},
        }
        for one in json.loads(kept.result)["criteria"]
    ]
