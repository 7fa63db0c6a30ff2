"""Amendments: a change of what is agreed, proposed by either side, in force when both have signed its text.

The old snapshot stays; the new one is screened for information only. No amendment brings more money: that is for a
consultation to decide.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.db import Record, Tx
from app.domain.difference import differences
from app.domain.envelope import Kind, dkk
from app.domain.people import Actor, Side
from app.domain.proposal import Content, as_json, missing_to_submit, read_content, stored_content, without_contact
from app.domain.rulebook import Rulebook
from app.domain.workflow import Event, Maker, State, check_role, lines_of, refusals
from app.encoding import canonical
from app.errors import Conflict, Fault, Invalid, NotFound, refuse_unless
from app.notify import outbox
from app.records import agreements, cycles, releases, submissions
from app.services import audit, casework, envelopes, faces
from app.services.agreements import budget_faults
from app.services.casework import Step
from app.services.clock import Now

OPEN = "open"


def propose(
    tx: Tx,
    actor: Actor,
    ref: str,
    reason: str,
    content: dict[str, Any] | None,
    budget: list[dict[str, Any]] | None,
    amounts: Mapping[int, int] | None,
    book: Rulebook,
    now: Now,
) -> int:
    """Propose a change of content, budget or amounts by year; 422 names all that is wrong with it. Its number."""
    row = faces.seen_to_change(tx, actor, ref)
    kept = agreements.agreement_of(tx, row.id)
    faults: list[Fault] = []
    whole = _content_of(row, content, book, faults)
    if kept is None or kept.text is None or row.state != State.AGREED:
        raise Conflict("wrong_state", f"Only what is agreed can be amended; this proposal is {row.state}.")
    text = _text(json.loads(kept.text), without_contact(whole) if whole else None, reason, budget, amounts)
    faults += _faults(tx, row, text)
    if content is None and budget is None and amounts is None:
        faults.append(Fault("", "required", "Say what becomes another: content, budget or amounts."))
    if faults or whole is None:
        raise Invalid("validation_failed", "The amendment cannot be proposed so.", faults=faults)
    waiting = any(one.state == OPEN for one in agreements.amendments_of(tx, row.id))
    refuse_unless(not waiting, "amendment_open", "Another amendment waits for signatures; sign or withdraw it first.")
    judged = faces.judge(tx, row.cycle_year, whole, book, now)
    values = {
        "proposal_id": row.id,
        "reason": reason,
        "content": canonical(as_json(without_contact(whole))).decode(),
        "text": canonical(text).decode(),
        "sha256": audit.digest(text),
        "screening": judged.raw.decode(),
        "state": OPEN,
        "proposed_by": actor.id,
        "proposed_at": now.at,
    }
    number = agreements.add_amendment(tx, values)
    audit.record(tx, actor, "amendment.propose", ref, now, {"number": number}, after=values["sha256"])
    outbox.owe(tx, "amendment.to_sign", ref, now.at, {"number": number, "reason": reason}, ref)
    return number


def _content_of(row: Record, content: dict[str, Any] | None, book: Rulebook, faults: list[Fault]) -> Content | None:
    """The whole content as it would be: what was sent, else what stands."""
    if content is None:
        return stored_content(faces.content_text(row))
    read, found = read_content(content, book.indicator_codes, "/content")
    faults += found
    if read is not None:
        faults += [Fault(f"/content{one.pointer}", one.code, one.message) for one in missing_to_submit(read)]
    return read


def _text(
    before: dict[str, Any],
    content: Content | None,
    reason: str,
    budget: list[dict[str, Any]] | None,
    amounts: Mapping[int, int] | None,
) -> dict[str, Any]:
    """The agreement's text with the change in it."""
    said = as_json(content) if content is not None else {}
    changed: dict[str, Any] = {"amendment": {"reason": reason}}
    if said:
        changed |= {"title": said["title"], "period": said["period"], "content_sha256": audit.digest(said)}
        changed["activities"] = [{key: one[key] for key in ("ref", "title")} for one in said["activities"]]
    if budget is not None:
        changed["budget"] = budget
    if amounts is not None:
        changed["amounts"] = {str(year): amount for year, amount in sorted(amounts.items()) if amount}
    return {**before, **changed}


def _faults(tx: Tx, row: Record, text: dict[str, Any]) -> list[Fault]:
    """More money in all, less in a year than its tranches come to, a budget over the amounts."""
    approved = envelopes.approved_of(tx, row.id)
    wanted = {int(year): amount for year, amount in text["amounts"].items()}
    found = budget_faults(text["budget"], text)
    if sum(wanted.values()) > sum(approved.values()):
        said = f"{dkk(sum(wanted.values()))} is more than the {dkk(sum(approved.values()))} agreed."
        found.append(Fault("/amounts", "over_agreed", f"{said} More money is for a consultation to decide."))
    last = max(cycles.envelopes(tx))
    first, end = (int(text["period"][name][:4]) for name in ("start", "end"))
    for year in sorted(set(wanted) - set(approved)):
        if not max(first, row.cycle_year) <= year <= min(end, last):
            said = (
                f"{year} lies outside the period, or has no envelope (the cycles go from {row.cycle_year} to {last})."
            )
            found.append(Fault(f"/amounts/{year}", "year_out_of_range", said))
    tranches = [one for one in agreements.payments_of(tx, row.id) if one.state != "cancelled"]
    for year in sorted({one.year for one in tranches}):
        planned = sum(one.amount_dkk for one in tranches if one.year == year)
        if wanted.get(year, 0) < planned:
            said = f"The tranches of {year} come to {dkk(planned)}; cancel one first."
            found.append(Fault(f"/amounts/{year}", "below_tranches", said))
    return found


def _one(tx: Tx, row: Record, number: int) -> Record:
    found = next((one for one in agreements.amendments_of(tx, row.id) if one.number == number), None)
    if found is None:
        raise NotFound("amendment_not_found", f"{row.ref} has no amendment {number}.")
    return found


def sign(tx: Tx, actor: Actor, ref: str, number: int, sha256: str | None, book: Rulebook, now: Now) -> None:
    """Sign an amendment for one's side; the second signature puts it in force: snapshot, money, text and history together."""
    row = faces.seen_to_change(tx, actor, ref)
    one = _one(tx, row, number)
    check_role(Event.AMEND, actor.role)
    facts = casework.facts_for(tx, row, actor, book, now)
    found = refusals(State(row.state), Event.AMEND, facts, Maker.SIGNATURE)
    if found:
        raise Conflict(found[0].code, " ".join(each.message for each in found), refusals=found)
    refuse_unless(one.state == OPEN, "wrong_state", f"The amendment is {one.state}.")
    refuse_unless(sha256 in (None, one.sha256), "text_changed", "That is not the SHA-256 of this amendment's text.")
    faults = _faults(tx, row, json.loads(one.text))
    if faults:
        raise Invalid(
            "validation_failed", "The amendment does not fit what has been paid and planned since.", faults=faults
        )
    signed = agreements.sign(tx, row.id, number, actor.side, actor.id, now.at, one.sha256)
    said = f"{actor.side.upper()} has signed this amendment; the other side must sign."
    refuse_unless(signed, "signed_already", said)
    if len(agreements.signatures_of(tx, row.id, number)) == len(Side):
        _put_in_force(tx, row, one, actor, book, now)
    audit.record(tx, actor, "amendment.sign", ref, now, {"number": number, "side": actor.side}, after=one.sha256)


def _put_in_force(tx: Tx, row: Record, one: Record, actor: Actor, book: Rulebook, now: Now) -> None:
    whole = stored_content(one.content)
    contact = stored_content(faces.content_text(row)).contact
    whole = whole.model_copy(update={"contact": contact}) if contact else whole
    judged = faces.judge(tx, row.cycle_year, whole, book, now)
    snapshot = faces.keep_snapshot(tx, row, actor, whole, judged, now)
    faces.show(tx, faces.own(row), Side, whole, judged, snapshot, now)
    text = json.loads(one.text)
    wanted = {int(year): amount for year, amount in text["amounts"].items()}
    approved = envelopes.approved_of(tx, row.id)
    envelopes.enter(tx, Kind.REQUESTED, row.id, snapshot, wanted, actor, now)
    envelopes.move(tx, row.id, snapshot, approved, wanted, actor, now)
    agreements.put(tx, row.id, {"text": one.text, "sha256": one.sha256})
    releases.drop_all(tx, row.id)  # the public extract says something else now: both sides release it anew
    agreements.change_amendment(tx, row.id, one.number, {"state": "signed", "signed_at": now.at, "snapshot": snapshot})
    target = lines_of(Event.AMEND)[0].target
    casework.advance(tx, row, Event.AMEND, target, Step(actor, one.reason, snapshot=snapshot), now, {})


def withdraw(tx: Tx, actor: Actor, ref: str, number: int, now: Now) -> None:
    """Withdraw an amendment that is not signed by both; it stays on record."""
    row = faces.seen_to_change(tx, actor, ref)
    one = _one(tx, row, number)
    refuse_unless(one.state == OPEN, "wrong_state", f"The amendment is {one.state}.")
    agreements.change_amendment(tx, row.id, number, {"state": "withdrawn"})
    audit.record(tx, actor, "amendment.withdraw", ref, now, {"number": number}, before=one.sha256)


def listed(tx: Tx, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """Every amendment with what it changes, its screening for information and who has signed it."""
    row = faces.seen(tx, actor, ref)
    return [_shown(tx, row, one) for one in agreements.amendments_of(tx, row.id)]


def described(tx: Tx, actor: Actor, ref: str, number: int) -> dict[str, Any]:
    row = faces.seen(tx, actor, ref)
    return _shown(tx, row, _one(tx, row, number))


def _shown(tx: Tx, row: Record, one: Record) -> dict[str, Any]:
    base = submissions.snapshot_of(tx, row.id, base_of(row, one))
    assert base, "what is amended was submitted"
    return told(one, json.loads(base.content), agreements.signatures_of(tx, row.id, one.number))


def base_of(row: Record, one: Record) -> int:
    """The number of the snapshot that an amendment changes."""
    return int(one.snapshot or row.snapshots + 1) - 1


def told(one: Record, base: dict[str, Any], signatures: Iterable[Record]) -> dict[str, Any]:
    """An amendment as it is answered, with what it changes in the content it is made on."""
    screening = json.loads(one.screening)
    return {
        "number": one.number,
        "reason": one.reason,
        "state": one.state,
        "by": {"role": one.role, "name": one.name},
        "proposed_at": one.proposed_at,
        "signed_at": one.signed_at,
        "snapshot": one.snapshot,
        "text": json.loads(one.text),
        "sha256": one.sha256,
        "changes": differences(base, json.loads(one.content)),
        "screening": {"outcome": screening["outcome"], "total": screening["total"]},
        "signatures": [
            {"side": each.side, "by": {"role": each.role, "name": each.name}, "at": each.at, "sha256": each.sha256}
            for each in signatures
        ],
    }
