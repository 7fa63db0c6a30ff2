"""Review by people: questions to IOM, and assessments, each blind until one's own is completed."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from app.db import Record, Tx
from app.domain.assessment import Consolidated, Ground, as_json, consolidate, grade_faults, lacking, suggested
from app.domain.people import Actor, Role
from app.domain.rulebook import Rulebook
from app.domain.workflow import State
from app.errors import Invalid, NotFound, refuse_unless
from app.notify import outbox
from app.records import proposals, review, submissions
from app.services import audit, faces
from app.services.clock import Now

ASKED_IN = (State.SUBMITTED, State.UNDER_REVIEW, State.RECOMMENDED, State.DEFERRED)


def ask(
    tx: Tx, actor: Actor, ref: str, criterion: str | None, field: str | None, question: str, book: Rulebook, now: Now
) -> dict[str, Any]:
    """Ask IOM about a proposal, one criterion or one field of its content. The content stays as it is."""
    row = faces.seen_to_change(tx, actor, ref)
    refuse_unless(row.state in ASKED_IN, "wrong_state", f"A proposal that is {row.state} is not asked about.")
    refuse_conflict(tx, row, actor)
    days = book.framework.calendar.clarification_days
    values = {
        "proposal_id": row.id,
        "criterion": criterion,
        "field": field,
        "question": question,
        "asked_by": actor.id,
        "asked_at": now.at,
        "due_on": now.today + timedelta(days=days),
    }
    clarification_id = review.add_clarification(tx, values)
    audit.record(
        tx, actor, "clarification.ask", ref, now, {"clarification": clarification_id}, after=audit.digest(question)
    )
    told = {"question": question, "deadline": values["due_on"].isoformat()}
    outbox.owe(tx, "clarification.asked", f"clarification/{clarification_id}", now.at, told, ref)
    made = review.clarification_of(tx, row.id, clarification_id)
    assert made
    return _question(made)


def answer(tx: Tx, actor: Actor, ref: str, clarification_id: int, text: str, now: Now) -> dict[str, Any]:
    """Answer a question, once."""
    row = faces.seen_to_change(tx, actor, ref)
    if review.clarification_of(tx, row.id, clarification_id) is None:
        raise NotFound("clarification_not_found", f"{ref} has no clarification {clarification_id}.")
    refuse_unless(row.state in ASKED_IN, "wrong_state", f"A proposal that is {row.state} takes no answers.")
    held = review.answer(tx, clarification_id, text, actor.id, now.at)
    refuse_unless(held, "answered_already", "This question has been answered; the answer stands.")
    facts: audit.Facts = {"clarification": clarification_id}
    audit.record(tx, actor, "clarification.answer", ref, now, facts, after=audit.digest(text))
    outbox.owe(tx, "clarification.answered", f"clarification/{clarification_id}", now.at, {"answer": text}, ref)
    made = review.clarification_of(tx, row.id, clarification_id)
    assert made
    return _question(made)


def questions(tx: Tx, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """Every question about a proposal with its answer, oldest first; both sides see them."""
    return questions_on(tx, faces.seen(tx, actor, ref))


def questions_on(tx: Tx, row: Record) -> list[dict[str, Any]]:
    """As `questions`, of a proposal that was read already."""
    return [_question(one) for one in review.clarifications_of(tx, row.id)]


def _question(row: Record) -> dict[str, Any]:
    return {
        "id": row.id,
        "criterion": row.criterion,
        "field": row.field,
        "question": row.question,
        "asked_at": row.asked_at,
        "due_on": row.due_on.isoformat(),
        "answer": row.answer,
        "answered_at": row.answered_at,
    }


def refuse_conflict(tx: Tx, row: Record, actor: Actor) -> None:
    """Refuse somebody who has declared a conflict of interest in this proposal."""
    said = "You have declared a conflict of interest in this proposal; somebody else must do this."
    refuse_unless(not proposals.has_conflict(tx, row.id, actor.id), "conflict_of_interest", said)


def save(tx: Tx, actor: Actor, ref: str, sent: dict[str, Any], book: Rulebook, now: Now) -> dict[str, Any]:
    """Save one's own assessment of the snapshot under review, as far as it goes; 404, 422, 409."""
    row, ground = _under_review(tx, actor, ref, book)
    wrong = grade_faults(sent["grades"], ground)
    if wrong:
        raise Invalid("validation_failed", "These grades cannot be given.", faults=wrong)
    mine = review.assessment_of(tx, row.id, row.snapshot, actor.id)
    done = mine is not None and mine.completed_at is not None
    refuse_unless(not done, "completed_already", "Your assessment is completed; reopen it with a reason to change it.")
    values = {
        "grades": json.dumps(sent["grades"]),
        "comments": json.dumps(sent["comments"]),
        "overall": sent["overall"],
        "carried_from": sent["carried_from"],
        "updated_at": now.at,
    }
    review.put_assessment(tx, row.id, row.snapshot, actor.id, values)
    audit.record(tx, actor, "assessment.save", ref, now, {"snapshot": row.snapshot}, after=audit.digest(sent))
    return own(tx, actor, ref)


def accept(
    tx: Tx, actor: Actor, ref: str, sent: dict[str, Any], overall: str, book: Rulebook, now: Now
) -> dict[str, Any]:
    """As `save`, where what was left open accepts the screening: its grades, and `overall` as the word on all."""
    row, ground = _under_review(tx, actor, ref, book)
    kept = submissions.snapshot_of(tx, row.id, row.snapshot)
    assert kept, "a proposal under review has its snapshot"
    grades = {**_suggestions(ground, json.loads(kept.result)["criteria"]), **sent["grades"]}
    return save(tx, actor, ref, {**sent, "grades": grades, "overall": sent["overall"] or overall}, book, now)


def _suggestions(ground: Ground, criteria: list[dict[str, Any]]) -> dict[str, int | None]:
    """Letter -> the grade that accepts what the screening found."""
    wanted = ground.mandatory | ground.claimed
    return {
        one["letter"]: suggested(
            one["earned"], one["possible"], one["state"], one["letter"] in wanted or one["state"] == "met"
        )
        for one in criteria
    }


def complete(tx: Tx, actor: Actor, ref: str, book: Rulebook, now: Now) -> dict[str, Any]:
    """Complete one's own assessment; from then on one sees the others'."""
    row, ground = _under_review(tx, actor, ref, book)
    mine = review.assessment_of(tx, row.id, row.snapshot, actor.id)
    said: dict[str, Any] = _stored(mine) if mine else {"grades": {}, "comments": {}, "overall": ""}
    faults = lacking(said["grades"], said["comments"], said["overall"], ground)
    if faults:
        raise Invalid("assessment_incomplete", "The assessment cannot be completed yet.", faults=faults)
    done = mine is not None and mine.completed_at is not None
    refuse_unless(not done, "completed_already", "Your assessment is completed already.")
    review.put_assessment(tx, row.id, row.snapshot, actor.id, {"completed_at": now.at})
    audit.record(tx, actor, "assessment.complete", ref, now, {"snapshot": row.snapshot}, after=audit.digest(said))
    return own(tx, actor, ref)


def reopen(tx: Tx, actor: Actor, ref: str, reason: str, book: Rulebook, now: Now) -> dict[str, Any]:
    """Reopen one's own completed assessment; what it was, and why it is changed, is kept."""
    row, _ = _under_review(tx, actor, ref, book)
    mine = review.assessment_of(tx, row.id, row.snapshot, actor.id)
    if mine is None or mine.completed_at is None:
        refuse_unless(False, "not_completed", "Only a completed assessment can be reopened.")
        raise AssertionError
    before = {**_stored(mine), "completed_at": mine.completed_at.isoformat(), "reopened_because": reason}
    past = [*json.loads(mine.past), before]
    review.put_assessment(tx, row.id, row.snapshot, actor.id, {"completed_at": None, "past": json.dumps(past)})
    facts: audit.Facts = {"snapshot": row.snapshot}
    audit.record(
        tx, actor, "assessment.reopen", ref, now, facts, before=audit.digest(before), after=audit.digest(reason)
    )
    return own(tx, actor, ref)


def _under_review(tx: Tx, actor: Actor, ref: str, book: Rulebook) -> tuple[Record, Ground]:
    """The proposal, if its last snapshot can be assessed by this person now, and what an assessment is held against."""
    row = faces.seen_to_change(tx, actor, ref)
    said = f"Assessments are made while a proposal is under review; this one is {row.state}."
    refuse_unless(row.state == State.UNDER_REVIEW, "wrong_state", said)
    refuse_conflict(tx, row, actor)
    return row, ground_of(tx, row.id, row.snapshot, book)


def ground_of(tx: Tx, proposal_id: int, snapshot: int, book: Rulebook) -> Ground:
    """What assessments of a snapshot are held against."""
    kept = submissions.snapshot_of(tx, proposal_id, snapshot)
    assert kept, "a proposal under review has its snapshot"
    return ground_in(json.loads(kept.result), json.loads(kept.content))


def ground_in(result: dict[str, Any], content: dict[str, Any]) -> Ground:
    """As `ground_of`, out of a screening result and the content it is of."""
    criteria = result["criteria"]
    claimed = {letter for letter, statement in content.get("criteria", {}).items() if statement}
    return Ground(
        {one["letter"]: one["state"] for one in criteria},
        frozenset(one["letter"] for one in criteria if one["mandatory"]),
        frozenset(claimed),
        {one["letter"]: one["weight"] for one in criteria},
    )


def own(tx: Tx, actor: Actor, ref: str) -> dict[str, Any]:
    """One's own assessment of the snapshot under review, and where there is one, that of a snapshot before, however far it got."""
    row = faces.seen(tx, actor, ref)
    return own_of(row, actor, review.assessments_of(tx, row.id))


def own_of(row: Record, actor: Actor, every: list[Record]) -> dict[str, Any]:
    """As `own`, out of every assessment of the proposal."""
    mine = [one for one in every if one.person_id == actor.id]
    current = next((one for one in mine if one.snapshot == row.snapshot), None)
    earlier = [one for one in mine if one.snapshot < row.snapshot]
    return {
        "snapshot": row.snapshot,
        "mine": _shown(current) if current else None,
        "earlier": _shown(earlier[-1]) if earlier else None,
    }


def overview(tx: Tx, actor: Actor, ref: str, book: Rulebook) -> dict[str, Any]:
    """The assessments of the snapshot under review. Assessors see the others' once they have completed their own."""
    row = faces.seen(tx, actor, ref)
    ground = ground_of(tx, row.id, row.snapshot, book)
    return overview_of(row, actor, review.assessments_of(tx, row.id), ground, book)


def overview_of(row: Record, actor: Actor, every: list[Record], ground: Ground, book: Rulebook) -> dict[str, Any]:
    """As `overview`, out of every assessment of the proposal and what they are held against."""
    rows = [one for one in every if one.snapshot == row.snapshot]
    done = [one for one in rows if one.completed_at]
    blind = actor.role is Role.MFA_REVIEWER and actor.id not in {one.person_id for one in done}
    shown = [] if blind else [{"by": {"role": Role.MFA_REVIEWER, "name": one.name}, **_shown(one)} for one in done]
    return {
        **own_of(row, actor, every),
        "needed": book.framework.assessments_needed,
        "completed": len(done),
        "blind": blind,
        "items": shown,
        "next_cursor": None,
        "consolidated": None if blind else outcome_of(rows, ground),
    }


def consolidated(rows: list[Record]) -> list[Consolidated]:
    """What the completed ones among these assessments come to."""
    return consolidate([json.loads(one.grades) for one in rows if one.completed_at])


def outcome_of(rows: list[Record], ground: Ground) -> dict[str, Any] | None:
    """What the completed ones come to, criterion by criterion and in one score; None before the first is completed."""
    return as_json(consolidated(rows), ground.weights) if any(one.completed_at for one in rows) else None


def outcomes(tx: Tx, rows: Iterable[Record]) -> dict[int, dict[str, Any]]:
    """As `outcome_of`, of many proposals as the Danish side sees them. One under review is not there: what one assessor
    finds is not told to the next one here."""
    shown = {row.id: row.snapshot for row in rows if row.state != State.UNDER_REVIEW}
    given: dict[int, list[Record]] = {}
    for number, every in review.assessments_by(tx, shown).items():
        if done := [one for one in every if one.completed_at and one.snapshot == shown[number]]:
            given[number] = done
    results = proposals.results_of(tx, given)
    found = {number: outcome_of(done, ground_in(json.loads(results[number]), {})) for number, done in given.items()}
    return {number: outcome for number, outcome in found.items() if outcome}


def _stored(row: Record) -> dict[str, Any]:
    return {"grades": json.loads(row.grades), "comments": json.loads(row.comments), "overall": row.overall}


def _shown(row: Record) -> dict[str, Any]:
    return {
        **_stored(row),
        "snapshot": row.snapshot,
        "carried_from": row.carried_from,
        "updated_at": row.updated_at,
        "completed_at": row.completed_at,
        "past": json.loads(row.past),
    }
