"""What the finance system books: the payments released in days that are over, each in the file of one day only.

A file says nothing that changes later (a receipt, an amendment): the same days give the same lines.
"""

import json
from datetime import date, datetime, timedelta
from typing import Any

from app.db import Record, Tx
from app.domain.cycle import day_of, start_of
from app.errors import Fault, Invalid
from app.records import agreements, consultations, payments, submissions
from app.services.clock import Now
from app.services.rulebooks import Library

SETTLED = timedelta(minutes=10)  # a release of yesterday's last second may still wait for its turn to be written


def between(tx: Tx, first: date, last: date, library: Library, now: Now) -> list[dict[str, Any]]:
    """Every payment released on these days in Copenhagen, both included, in the order of release; Invalid for open days."""
    _check_days(first, last, now)
    rows = payments.released(tx, start_of(first), start_of(last + timedelta(days=1)))
    titles = {number: _title(tx, number) for number in {row.proposal_id for row in rows}}
    return [_line(tx, row, titles[row.proposal_id], library) for row in rows]


def _check_days(first: date, last: date, now: Now) -> None:
    faults = []
    if last < first:
        faults.append(Fault("/to", "before_from", f"Lies before {first}, the day in `from`."))
    if last >= day_of(now.at - SETTLED):
        said = (
            f"{last} is not over; its file could still change. The last whole day is {now.today - timedelta(days=1)}."
        )
        faults.append(Fault("/to", "day_not_over", said))
    if first.year < 2000:
        faults.append(Fault("/from", "out_of_range", "Must not lie before 2000."))
    if faults:
        raise Invalid("validation_failed", "The query cannot be used; pointers name its parameters.", faults=faults)


def _title(tx: Tx, proposal_id: int) -> str:
    """The title as it was when it was decided on."""
    decided = consultations.decision_in_force(tx, proposal_id)
    kept = submissions.snapshot_of(tx, proposal_id, decided.snapshot) if decided else None
    assert kept, "what is paid was decided on"
    return str(json.loads(kept.content)["title"])


def _line(tx: Tx, row: Record, title: str, library: Library) -> dict[str, Any]:
    framework, payee = library.current.framework, library.iati["implementing_org"]
    return {
        "id": row.id,
        "ref": row.ref,
        "title": title,
        "tranche": row.number,
        "year": row.year,
        "amount": row.amount_dkk,
        "currency": framework.currency,
        "due_on": row.due_on.isoformat(),
        "released_on": day_of(row.released_at).isoformat(),
        "released_by": {"id": row.released_by, "name": row.releaser},
        "prepared_by": {"id": row.prepared_by, "name": row.preparer},
        "finance_act_code": framework.finance_act_code,
        "file_number": framework.file_number,
        "payee": {"ref": payee["ref"], "name": payee["name"]},
        "agreement_sha256": _agreed(tx, row.proposal_id, row.released_at),
    }


def _agreed(tx: Tx, proposal_id: int, at: datetime) -> str:
    """The SHA-256 of the text that both sides had signed at that time: the agreement's, or its last amendment's."""
    signed = [one for one in agreements.amendments_of(tx, proposal_id) if one.signed_at and one.signed_at <= at]
    last = signed[-1] if signed else agreements.signatures_of(tx, proposal_id)[0]
    return str(last.sha256)
