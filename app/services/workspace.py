"""One proposal as its page shows it: read once, with everything that people judge it by."""

import json
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.assessment import Ground
from app.domain.people import MFA, Actor, Role
from app.domain.rulebook import Rulebook
from app.domain.workflow import State
from app.records import desk
from app.records import review as records
from app.services import casework, faces, intake, review
from app.services.clock import Now

INSIDE = MFA | {Role.AUDITOR}  # who sees assessments and what is recommended


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the page of a proposal shows. `judged` and `recommendation` are None to whom they are not told."""

    row: Record
    content: dict[str, Any]
    screening: dict[str, Any]
    ground: Ground
    moves: list[dict[str, Any]]
    history: list[dict[str, Any]]
    questions: list[dict[str, Any]]
    judged: dict[str, Any] | None
    assessing: bool
    recommendation: Record | None
    missing: tuple[str, ...]
    before: str | None
    after: str | None


def of(tx: Tx, actor: Actor, ref: str, book: Rulebook, now: Now) -> Workspace:
    """The proposal as this actor sees it; NotFound when they do not."""
    row = faces.seen(tx, actor, ref)
    content = json.loads(faces.content_text(row))
    result = json.loads(intake.screening_on(tx, row, book, now))
    ground = review.ground_in(result, content)
    facts = casework.facts_for(tx, row, actor, book, now)
    inside = actor.role in INSIDE and row.snapshot is not None
    judged = review.overview_of(row, actor, records.assessments_of(tx, row.id), ground, book) if inside else None
    editable = row.state in casework.EDITABLE
    before, after = desk.neighbours(tx, actor, row.cycle_year, row.number)
    return Workspace(
        row=row,
        content=content,
        screening=result,
        ground=ground,
        moves=casework.options_in(facts, row, actor, now),
        history=intake.steps_of(tx, actor, row),
        questions=review.questions_on(tx, row),
        judged=judged,
        assessing=actor.role is Role.MFA_REVIEWER and row.state == State.UNDER_REVIEW and not facts.conflicted,
        recommendation=records.recommendation_of(tx, row.id, row.snapshot) if inside else None,
        missing=faces.missing_of(row) if editable else (),
        before=before,
        after=after,
    )


@dataclass(frozen=True, slots=True)
class Head:
    """A proposal as its other pages begin: what this actor sees of it, and its neighbours; `missing` to be submitted."""

    row: Record
    content: dict[str, Any]
    missing: tuple[str, ...]
    before: str | None
    after: str | None


def head(tx: Tx, actor: Actor, ref: str) -> Head:
    """The proposal as this actor sees it, in two statements; NotFound when they do not."""
    row = faces.seen(tx, actor, ref)
    before, after = desk.neighbours(tx, actor, row.cycle_year, row.number)
    missing = faces.missing_of(row) if row.state in casework.EDITABLE else ()
    return Head(row, json.loads(faces.content_text(row)), missing, before, after)
