"""Agreements: one text made from what was approved, signed by both sides in either order."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.db import Record, Tx
from app.domain.envelope import Kind, dkk, share
from app.domain.people import Actor
from app.domain.rulebook import Rulebook
from app.domain.workflow import Event, Maker, State, check_role, lines_of, refusals
from app.encoding import canonical
from app.errors import Conflict, Fault, Invalid, NotFound, check_version, refuse_unless
from app.notify import outbox
from app.records import agreements, consultations, people, proposals, submissions
from app.services import audit, casework, envelopes, faces
from app.services.casework import Step
from app.services.clock import Now
from app.services.rulebooks import Library


def text_of(tx: Tx, row: Record, library: Library) -> dict[str, Any]:
    """The agreement's text as data: while it is open made from what is stored, signed the text that was signed."""
    kept = agreements.agreement_of(tx, row.id)
    if kept is not None and kept.text is not None:
        signed: dict[str, Any] = json.loads(kept.text)
        return signed
    decision, approved = consultations.decision_in_force(tx, row.id), envelopes.approved_of(tx, row.id)
    return text_from(tx, row, kept, decision, approved, agreements.payments_of(tx, row.id), library)


def text_from(
    tx: Tx,
    row: Record,
    kept: Record | None,
    decision: Record | None,
    approved: Mapping[int, int],
    tranches: Iterable[Record],
    library: Library,
) -> dict[str, Any]:
    """The text of an agreement that is still open, made from what was decided and planned; NotFound before a decision."""
    if row.state != State.APPROVED or decision is None:
        raise NotFound("agreement_not_found", f"There is no agreement on {row.ref}; it is {row.state}.")
    snapshot = submissions.snapshot_of(tx, row.id, decision.snapshot)
    assert snapshot, "what was approved is kept"
    content, framework = json.loads(snapshot.content), library.current.framework
    adjusted = json.loads(kept.budget) if kept is not None and kept.budget else None
    return {
        "ref": row.ref,
        "title": content["title"],
        "office": people.office_name(tx, row.office_code),
        "framework": framework.id,
        "finance_act_code": framework.finance_act_code,
        "file_number": framework.file_number,
        "snapshot": {"number": decision.snapshot, "sha256": snapshot.sha256},
        "period": content["period"],
        "amounts": {str(year): amount for year, amount in approved.items()},
        "conditions": json.loads(decision.conditions),
        "activities": [{key: one[key] for key in ("ref", "title")} for one in content["activities"]],
        "budget": adjusted if adjusted is not None else scaled(content["budget"], approved),
        "tranches": [
            {
                "number": one.number,
                "year": one.year,
                "amount": one.amount_dkk,
                "due_on": one.due_on.isoformat(),
                "condition": one.condition,
            }
            for one in tranches
            if one.state != "cancelled"
        ],
        "clauses": library.clauses,
    }


def scaled(budget: list[dict[str, Any]], approved: Mapping[int, int]) -> list[dict[str, Any]]:
    """The proposal's budget within what is approved: each year's lines in proportion, in whole DKK that add up."""
    lines = []
    for year, amount in approved.items():
        of_year = [line for line in budget if line["year"] == year]
        parts = share(amount, [line["amount"] for line in of_year])
        lines += [{**line, "amount": part} for line, part in zip(of_year, parts, strict=True) if part]
    return lines


def described(tx: Tx, actor: Actor, ref: str, library: Library) -> dict[str, Any]:
    """The agreement: its text, the SHA-256 of the text's canonical JSON, and who has signed it."""
    row = faces.seen(tx, actor, ref)
    text = text_of(tx, row, library)
    return told(ref, text, agreements.agreement_of(tx, row.id), agreements.signatures_of(tx, row.id))


def told(ref: str, text: dict[str, Any], kept: Record | None, signatures: Iterable[Record]) -> dict[str, Any]:
    """An agreement as it is answered: whether it is signed, its text with the SHA-256, who has signed."""
    return {
        "ref": ref,
        "state": "signed" if kept is not None and kept.signed_at else "open",
        "text": text,
        "sha256": audit.digest(text),
        "signatures": [
            {"side": one.side, "by": {"role": one.role, "name": one.name}, "at": one.at, "sha256": one.sha256}
            for one in signatures
        ],
        "signed_at": kept.signed_at if kept is not None else None,
        "version": kept.version if kept is not None else 0,
    }


def sign(
    tx: Tx,
    actor: Actor,
    ref: str,
    sha256: str | None,
    expected: frozenset[int] | None,
    library: Library,
    book: Rulebook,
    now: Now,
) -> None:
    """Sign the text as it stands for one's side; the second signature makes the proposal agreed.

    `sha256`, when it is given, must be that of the text: nobody signs another text than the one they read.
    """
    row = faces.seen_to_change(tx, actor, ref)
    check_role(Event.SIGN, actor.role)
    kept = agreements.agreement_of(tx, row.id)
    check_version("the agreement", kept.version if kept else 0, expected)
    facts = casework.facts_for(tx, row, actor, book, now)
    found = refusals(State(row.state), Event.SIGN, facts, Maker.SIGNATURE)
    if found:
        raise Conflict(found[0].code, " ".join(one.message for one in found), refusals=found)
    text = text_of(tx, row, library)
    digest = audit.digest(text)
    said = "The text is another one now; read it again and sign what it says."
    refuse_unless(sha256 in (None, digest), "text_changed", said)
    others = [one for one in agreements.signatures_of(tx, row.id) if one.side != actor.side]
    if any(one.sha256 != digest for one in others):
        void(tx, row, actor, now)
        others = []
    if kept is None:
        agreements.put(tx, row.id, {})
    signed = agreements.sign(tx, row.id, 0, actor.side, actor.id, now.at, digest)
    refuse_unless(signed, "signed_already", f"{actor.side.upper()} has signed this text; the other side must sign.")
    raised: dict[str, Any] = {}
    if others:
        signed_text = canonical(text).decode()
        raised = {"text": signed_text, "original": signed_text, "sha256": digest, "signed_at": now.at}
    agreements.put(tx, row.id, raised)
    if others:
        _agree(tx, row, actor, now)
    else:
        outbox.owe(tx, "agreement.to_sign", ref, now.at, {"signed_by": actor.side}, ref)
    audit.record(tx, actor, "agreement.sign", ref, now, {"side": actor.side}, after=digest)


def _agree(tx: Tx, row: Record, actor: Actor, now: Now) -> None:
    """Both sides have signed the same text: the proposal is agreed, and so is its money."""
    proposals.touch_faces(tx, row.id, now.at)
    envelopes.enter(tx, Kind.AGREED, row.id, row.snapshots, envelopes.approved_of(tx, row.id), actor, now)
    target = lines_of(Event.SIGN)[0].target
    casework.advance(tx, row, Event.SIGN, target, Step(actor, snapshot=row.snapshots), now, {})


def void(tx: Tx, row: Record, actor: Actor, now: Now) -> None:
    """A change of the text takes away the signatures given; whoever signed is told."""
    if agreements.void_signatures(tx, row.id):
        agreements.put(tx, row.id, {})
        outbox.owe(tx, "agreement.to_sign", row.ref, now.at, {"changed_by": actor.side}, row.ref)
        audit.record(tx, actor, "agreement.void", row.ref, now)


def adjust(
    tx: Tx,
    actor: Actor,
    ref: str,
    budget: list[dict[str, Any]],
    expected: frozenset[int] | None,
    given: bool,
    library: Library,
    now: Now,
) -> None:
    """Replace the agreement's budget by one within the approved amounts. Refuses in the order 404, 428, 412, 422, 409."""
    row = faces.seen_to_change(tx, actor, ref)
    text = text_of(tx, row, library)
    kept = agreements.agreement_of(tx, row.id)
    check_version("the agreement", kept.version if kept else 0, expected, given or kept is None or kept.budget is None)
    faults = budget_faults(budget, text)
    if faults:
        raise Invalid("validation_failed", "This budget does not keep to what is approved.", faults=faults)
    refuse_unless(row.state == State.APPROVED, "wrong_state", "The agreement is signed; an amendment changes it.")
    void(tx, row, actor, now)
    agreements.put(tx, row.id, {"budget": json.dumps(budget)})
    before, after = audit.digest(text["budget"]), audit.digest(budget)
    audit.record(tx, actor, "agreement.adjust", ref, now, before=before, after=after)


def budget_faults(budget: list[dict[str, Any]], text: dict[str, Any]) -> list[Fault]:
    """Lines for activities there are not, and years whose lines come to more than is approved."""
    known = {one["ref"] for one in text["activities"]}
    found = [
        Fault(f"/budget/{i}/activity_ref", "unknown_activity", f"There is no activity '{line['activity_ref']}'.")
        for i, line in enumerate(budget)
        if line["activity_ref"] is not None and line["activity_ref"] not in known
    ]
    for year in sorted({line["year"] for line in budget}):
        total, approved = (
            sum(line["amount"] for line in budget if line["year"] == year),
            text["amounts"].get(str(year), 0),
        )
        if total > approved:
            said = f"{year}: the lines come to {dkk(total)}; {dkk(approved)} is approved."
            found.append(Fault("/budget", "over_approved", said))
    return found
