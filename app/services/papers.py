"""What the papers of a consultation say, as data: minutes with IOM's answer, decision letters, decision memos."""

import json
from datetime import datetime
from typing import Any

from app.db import Record, Tx
from app.domain.assessment import departs
from app.domain.consultation import Stage
from app.domain.envelope import Kind
from app.domain.people import Actor
from app.domain.rulebook import Rulebook
from app.errors import NotFound, check_version, refuse_unless
from app.records import consultations, money, people, proposals, submissions
from app.records import review as review_records
from app.services import audit, corrections, envelopes, faces, review
from app.services.clock import Now
from app.services.consultations import INSIDE, decision_json, held, name, there


def minutes(tx: Tx, actor: Actor, number: int) -> dict[str, Any]:
    """The minutes of a concluded consultation. An office and an embassy read the decisions on proposals they can see.

    `version` is the consultation's, which every correction and every answer raises.
    """
    row = there(tx, number)
    if row.state != Stage.CONCLUDED:
        said = "There are no minutes before the consultation is concluded."
        cancelled = "It was cancelled; there are no minutes."
        raise NotFound("minutes_not_found", cancelled if row.state == Stage.CANCELLED else said)
    items = consultations.agenda(tx, number)
    if actor.role not in INSIDE:
        visible = proposals.seen_among(tx, actor, [one.id for one in items])
        items = [one for one in items if one.id in visible]
    snapshots = submissions.snapshots_among(tx, [(one.id, one.decided_snapshot) for one in items])
    sums = money.entries_by(tx, [one.id for one in items])
    corrected = corrections.told_of_all(tx, number)
    answers = [_answer(one) for one in consultations.answers_of(tx, number)]
    return {
        "consultation": {
            "id": row.id,
            "cycle": row.cycle_year,
            "date": row.held_on.isoformat(),
            "place": row.place,
            "participants": json.loads(row.participants),
            "reason": row.reason,
            "concluded_because": row.concluded_because,
            "concluded_at": row.concluded_at,
            "concluded_by": _name_of(tx, row.concluded_by),
        },
        "envelopes": json.loads(row.envelopes),
        "decisions": [{**_decided(one, snapshots, sums), "corrections": corrected.get(one.id, [])} for one in items],
        "rulebook": json.loads(row.rulebook),
        "head": row.head,
        "answers": answers,
        "confirmed": any(one["answer"] == "confirm" for one in answers),
        "version": row.version if actor.role in INSIDE else row.outer_version,
    }


def _name_of(tx: Tx, person_id: int) -> str | None:
    person = people.person_of(tx, person_id)
    return person.name if person else None


def _answer(row: Record) -> dict[str, Any]:
    by = {"role": row.role, "name": row.name}
    return {"answer": row.answer, "objection": row.objection, "at": row.at, "by": by}


def _decided(
    one: Record, snapshots: dict[tuple[int, int], Record], sums: dict[tuple[int, str, int], dict[int, int]]
) -> dict[str, Any]:
    decided, place = decision_json(one), (one.id, one.decided_snapshot)
    assert decided, "every item of a concluded consultation is decided"
    return {
        "ref": one.ref,
        "title": json.loads(snapshots[place].content)["title"],
        "office": one.office_code,
        **decided,
        "snapshot": one.decided_snapshot,
        "requested": _by_year(sums.get((one.id, Kind.REQUESTED, one.decided_snapshot), {})),
    }


def _by_year(amounts: dict[int, int]) -> dict[str, int]:
    return {str(year): amount for year, amount in amounts.items()}


def _title(tx: Tx, proposal_id: int, snapshot: int) -> str:
    """The title as it was when it was decided."""
    kept = submissions.snapshot_of(tx, proposal_id, snapshot)
    assert kept, "what was decided on is kept"
    return str(json.loads(kept.content)["title"])


def confirm(tx: Tx, actor: Actor, number: int, expected: frozenset[int] | None, now: Now) -> dict[str, Any]:
    """Confirm the minutes for IOM, once; the last word on them."""
    return _say(tx, actor, number, "confirm", None, expected, now)


def object_(
    tx: Tx, actor: Actor, number: int, objection: str, expected: frozenset[int] | None, now: Now
) -> dict[str, Any]:
    """Object to the minutes; it stays on record, and they can still be confirmed."""
    return _say(tx, actor, number, "object", objection, expected, now)


def _say(
    tx: Tx, actor: Actor, number: int, answer: str, objection: str | None, expected: frozenset[int] | None, now: Now
) -> dict[str, Any]:
    row = held(tx, number)
    check_version("the consultation", row.outer_version, expected)
    said = minutes(tx, actor, number)
    refuse_unless(not said["confirmed"], "minutes_confirmed", "IOM has confirmed these minutes; that is the last word.")
    own = {"consultation_id": number, "person_id": actor.id, "at": now.at}
    consultations.add_answer(tx, {**own, "answer": answer, "objection": objection})
    consultations.change(tx, number, {}, outer=True)
    after = audit.digest(objection or "confirmed")
    audit.record(tx, actor, f"minutes.{answer}", name(number), now, {"head": said["head"]}, after=after)
    return minutes(tx, actor, number)


def in_force(tx: Tx, row: Record) -> dict[str, Any] | None:
    """The decision in force on a proposal, with its consultation; None where there is none."""
    one = consultations.decision_in_force(tx, row.id)
    return _in_force(tx, one) if one else None


def _in_force(tx: Tx, one: Record, until: datetime | None = None) -> dict[str, Any]:
    decided = decision_json(one)
    assert decided, "a row of a decision has one"
    return {
        **decided,
        "consultation": one.consultation_id,
        "date": one.held_on.isoformat(),
        "place": one.place,
        "concluded_at": one.concluded_at,
        "corrections": corrections.told(tx, one.consultation_id, one.proposal_id, until),
    }


def letter(tx: Tx, actor: Actor, ref: str) -> dict[str, Any]:
    """The decision letter on a proposal: there from the conclusion of its consultation on."""
    row = faces.seen(tx, actor, ref)
    one = consultations.decision_in_force(tx, row.id)
    if one is None:
        raise NotFound("letter_not_found", f"There is no decision on {ref}.")
    return letter_on(tx, row, one)


def letter_from(tx: Tx, actor: Actor, ref: str, number: int) -> dict[str, Any]:
    """The decision letter that one consultation led to, also where a later one has decided since."""
    row = faces.seen(tx, actor, ref)
    one = consultations.decision_in_force(tx, row.id, number)
    if one is None:
        raise NotFound("letter_not_found", f"Consultation {number} has led to no decision on {ref}.")
    return letter_on(tx, row, one)


def letter_on(tx: Tx, row: Record, one: Record, until: datetime | None = None) -> dict[str, Any]:
    """The letter on one decision whose consultation is concluded, also one that another has replaced since.

    With the corrections made up to an instant, all of them where none is named.
    """
    requested = envelopes.requested_of(tx, row.id, one.snapshot)
    return {
        **_in_force(tx, one, until),
        "ref": row.ref,
        "title": _title(tx, row.id, one.snapshot),
        "office": row.office_code,
        "office_name": people.office_name(tx, row.office_code),
        "snapshot": one.snapshot,
        "requested": {str(year): amount for year, amount in requested.items()},
        "signed_by": _name_of(tx, there(tx, one.consultation_id).concluded_by),
        "rulebook": json.loads(one.rulebook),
        "head": one.head,
    }


def memo(tx: Tx, actor: Actor, ref: str, book: Rulebook) -> dict[str, Any]:
    """The desk officer's decision memo on what is recommended: everything the head needs to decide, on a few pages."""
    row = faces.seen(tx, actor, ref)
    said = review_records.recommendation_of(tx, row.id)
    if said is None:
        raise NotFound("memo_not_found", f"{ref} has not been recommended yet.")
    kept = submissions.snapshot_of(tx, row.id, said.snapshot)
    assert kept, "what was recommended is kept"
    content, result = json.loads(kept.content), json.loads(kept.result)
    rows = [one for one in review_records.assessments_of(tx, row.id, said.snapshot) if one.completed_at]
    judged = review.outcome_of(rows, review.ground_of(tx, row.id, said.snapshot, book))
    assert judged, "what was recommended was assessed"
    verdict = {"verdict": said.verdict, "reason": said.reason, "memo": said.memo, "by": said.name, "at": said.at}
    return {
        "ref": ref,
        "title": content["title"],
        "office": row.office_code,
        "office_name": people.office_name(tx, row.office_code),
        "snapshot": said.snapshot,
        "summary": content["summary"],
        "period": content["period"],
        "countries": [country["code"] for country in content["countries"]],
        "total": result["total"],
        "score": judged["score"],
        "criteria": [_side_by_side(one, judged["criteria"][one["letter"]], rows) for one in result["criteria"]],
        "envelopes": _effect(tx, row.id, said.snapshot),
        "risks": content["risks"],
        "recommendation": verdict,
        "assessed": [{"by": one.name, "at": one.completed_at} for one in rows],
    }


def _side_by_side(criterion: dict[str, Any], judged: dict[str, Any], rows: list[Record]) -> dict[str, Any]:
    """The screening's word on a criterion beside the assessors', with their comments where they depart from it."""
    letter_, state = criterion["letter"], criterion["state"]
    comments = [
        f"{one.name}: {said}"
        for one in rows
        if (said := json.loads(one.comments).get(letter_)) and departs(json.loads(one.grades)[letter_], state)
    ]
    head = {"letter": letter_, "title": criterion["title"], "mandatory": criterion["mandatory"]}
    return {**head, "screening": state, **judged, "comments": comments}


def _effect(tx: Tx, proposal_id: int, snapshot: int) -> list[dict[str, Any]]:
    """Year by year: the envelope, what is available of it but for this proposal, what is asked, what would be left."""
    own_share = envelopes.approved_of(tx, proposal_id)
    stands = {one["year"]: one for one in envelopes.overview(tx)}
    found = []
    for year, amount in envelopes.requested_of(tx, proposal_id, snapshot).items():
        there_is = stands.get(year, {"amount": 0, "status": None, "available": 0})
        own = {key: there_is[key] for key in ("amount", "status", "available")}
        own["available"] += own_share.get(year, 0)
        found.append({"year": year, **own, "requested": amount, "left": own["available"] - amount})
    return found
