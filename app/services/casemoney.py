"""The acts of a case from the agreement on: what was signed, changed, paid and reported, and what the service noted of it all."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from app.db import Record, Tx
from app.documents import papers as paper
from app.documents.casefile import Act, Piece, Reason
from app.documents.words import words
from app.domain.report import Stage
from app.encoding import canonical
from app.errors import NotFound
from app.records import agreements as agreement_records
from app.records import casefile, reports
from app.services import agreements, amendments, audit
from app.services.caseacts import Reading, said


def agreed(r: Reading) -> Iterator[Act]:
    """The agreement as it was first signed: the very bytes both signatures name, and on paper.

    What was amended before first texts were kept has none.
    """
    try:
        told = agreements.described(r.tx, r.actor, r.row.ref, r.library)
    except NotFound:
        return
    kept = agreement_records.agreement_of(r.tx, r.row.id)
    signed = json.loads(kept.original) if kept is not None and kept.original else None
    first = {**told, "text": signed, "sha256": audit.digest(signed)} if signed else told
    is_open = told["state"] == "open"
    decided = casefile.decisions_concluded(r.tx, r.row.id)[-1]
    by_hash = {"of": None, "sha256": None} if is_open else {"of": "agreement", "sha256": first["sha256"]}
    pieces = (Piece("agreement.json", canonical(first["text"]), **by_hash), _on_paper(r, first, "agreement.pdf"))
    private: Reason | None = "internal" if is_open else None
    at = told["signed_at"] or decided.concluded_at
    lost = signed is None and not is_open
    yield Act(at, "agreement", told["state"], None, () if lost else pieces, private, "not_kept" if lost else None)
    yield from _signatures(r, 0, private)
    rows = agreement_records.amendments_of(r.tx, r.row.id)
    for row, one in zip(rows, amendments.listed(r.tx, r.actor, r.row.ref), strict=True):
        in_force = next((each for each in reversed(rows) if each.signed_at is not None), None)
        yield from _amended(r, row, one, told if row is in_force else None)


def _amended(r: Reading, row: Record, one: dict[str, Any], in_force: dict[str, Any] | None) -> Iterator[Act]:
    name, number = f"amendment-{row.number}", str(row.number)
    about = {key: value for key, value in one.items() if key not in ("text", "signatures")}
    about["by"] = {"role": one["by"]["role"]} if r.public else one["by"]
    text = Piece(f"{name}-text.json", row.text.encode(), f"amendment/{row.number}", row.sha256)
    pieces = [said(name, about), text, *([_on_paper(r, in_force, "agreement-in-force.pdf")] if in_force else [])]
    private: Reason | None = None if row.signed_at is not None else "internal"
    yield Act(row.proposed_at, "amendment", f"{number}: {row.state}", one["by"], tuple(pieces), private)
    yield from _signatures(r, row.number, private)


def _signatures(r: Reading, number: int, private: Reason | None = None) -> Iterator[Act]:
    of = f"amendment/{number}" if number else "agreement"
    for one in agreement_records.signatures_of(r.tx, r.row.id, number):
        told = {"of": of, "side": one.side, "role": one.role, "at": one.at, "sha256": one.sha256}
        by = {"role": one.role, "name": one.name}
        yield Act(one.at, "signature", f"{of}, {one.side}", by, (said(f"signature-{one.side}", told),), private)


def _on_paper(r: Reading, told: dict[str, Any], name: str) -> Piece:
    """The agreement on paper; in the public variant it says in which role somebody signed, not who."""
    if r.public:
        roles = words(r.language)
        signed = [{**one, "by": {"name": roles[f"role_{one['by']['role']}"]}} for one in told["signatures"]]
        told = {**told, "signatures": signed}
    return Piece(name, paper.agreement(told, r.book.framework, r.language))


def paid(r: Reading) -> Iterator[Act]:
    """Every step of every payment; the public reads no reasons and notes, which may say anything."""
    for one in agreement_records.payments_of(r.tx, r.row.id):
        steps: list[tuple[str, datetime | None, int | None, dict[str, Any]]] = [
            ("schedule", one.scheduled_at, one.scheduled_by, {"condition": one.condition}),
            ("prepare", one.prepared_at, one.prepared_by, {}),
            ("release", one.released_at, one.released_by, {}),
            ("receive", one.received_at, one.received_by, _receipt(one, r.public)),
            ("cancel", one.cancelled_at, None, {} if r.public else {"reason": one.reason}),
        ]
        tranche = {"number": one.number, "year": one.year, "amount": one.amount_dkk, "due_on": one.due_on.isoformat()}
        for step, at, by, more in steps:
            if at is not None:
                told = {"payment": one.id, **tranche, "step": step, "at": at, **more}
                piece = said(f"payment-{one.number}-{step}", told)
                yield Act(at, "payment", f"{one.number}: {step}", r.by(by), (piece,))


def _receipt(one: Record, public: bool) -> dict[str, Any]:
    on = one.received_on.isoformat() if one.received_on else None
    return {"received_on": on, "received_amount": one.received_dkk, **({} if public else {"note": one.note})}


def reported(r: Reading) -> Iterator[Act]:
    """Every report that was submitted, what was returned and why, and what was accepted; never what IOM still writes."""
    for one in reports.reports_of(r.tx, r.row.id):
        year = str(one.year)
        for past in json.loads(one.past):
            at = datetime.fromisoformat(past["returned_at"])
            yield Act(at, "report", f"{year}: returned", None, (said(f"report-{year}-returned", past),))
        if one.submitted_at is None or one.state == Stage.RETURNED:  # what was returned stands above
            continue
        told = {"year": one.year, "submitted_at": one.submitted_at, "report": json.loads(one.submitted)}
        piece = said(f"report-{year}", told)
        yield Act(one.submitted_at, "report", f"{year}: submitted", r.by(one.submitted_by), (piece,))
        if one.decided_at is not None:
            told = {"year": one.year, "state": one.state, "comment": one.comment, "at": one.decided_at}
            piece = said(f"report-{year}-{one.state}", told)
            yield Act(one.decided_at, "report", f"{year}: {one.state}", r.by(one.decided_by), (piece,))


def entered(r: Reading) -> Iterator[Act]:
    """What the ledger says, the entries of one instant together."""
    for at, rows in groupby(casefile.ledger_of(r.tx, r.row.id), key=lambda one: one.at):
        entries = list(rows)
        told = [
            {
                "kind": one.kind,
                "year": one.year,
                "amount": one.amount_dkk,
                "snapshot": one.snapshot,
                "consultation": one.consultation_id,
            }
            for one in entries
        ]
        kinds = ", ".join(dict.fromkeys(one.kind for one in entries))
        yield Act(at, "ledger", kinds, r.by(entries[0].person_id), (said("ledger", told),))


def noted(r: Reading) -> Iterator[Act]:
    """The notices owed about the proposal, its payments and its consultations, and at the end the slice of the log of acts."""
    named = subjects(r.tx, r.row)
    for one in casefile.notices_about(r.tx, r.row.ref, named):
        told = {"kind": one.kind, "subject": one.subject, "facts": json.loads(one.facts), "at": one.at}
        yield Act(one.at, "notice", one.kind, None, (said(f"notice-{one.kind}", told),), "internal")
    lines = [one for one in casefile.audit_about(r.tx, named) if concerns(one, r.row.ref)]
    if lines:
        raw = b"".join(canonical({**audit.hashed(one._asdict()), "hash": one.hash}) + b"\n" for one in lines)
        yield Act(lines[-1].at, "audit", str(len(lines)), None, (Piece("audit.jsonl", raw),), "internal")


def subjects(tx: Tx, row: Record) -> list[str]:
    """By which names the log and notices know what belongs to a proposal."""
    payments = [f"payment/{one.id}" for one in agreement_records.payments_of(tx, row.id)]
    return [row.ref, *payments, *(f"consultation/{one.id}" for one in casefile.consultations_with(tx, row.id))]


def concerns(one: Record, ref: str) -> bool:
    """Whether an entry is about this proposal and not only about another one of the same consultation."""
    facts = json.loads(one.facts)
    return facts.get("proposal", ref) == ref and ref in facts.get("proposals", [ref])
