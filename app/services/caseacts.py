"""The acts of a case before money flows: submissions, screenings, moves, questions, assessments, what is said, decided, told.

Each function gives the acts of one source, in the order in which that source keeps them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db import Record, Tx
from app.documents import papers as paper
from app.documents.casefile import Act, Piece, Reason, Stored
from app.domain.consultation import Stage
from app.domain.people import Actor, Role
from app.domain.rulebook import Rulebook
from app.domain.workflow import State
from app.encoding import readable
from app.records import attachments, casefile, consultations, people, submissions
from app.records import review as review_records
from app.services import corrections, intake, papers, remarks, review
from app.services.consultations import decision_json, head_json
from app.services.rulebooks import Library

# Whoever reads the public variant sees no more than IOM does of what is said among Danes.
OUTSIDE = Actor(0, "", Role.IOM_FOCAL_POINT)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read, by whom and for whom."""

    tx: Tx
    actor: Actor
    row: Record
    library: Library
    public: bool
    language: str

    @property
    def book(self) -> Rulebook:
        return self.library.current

    def by(self, person_id: int | None) -> dict[str, str | None] | None:
        """Role and name of a person; None for the service."""
        found = people.person_of(self.tx, person_id) if person_id is not None else None
        return {"role": found.role, "name": found.name} if found else None


def said(name: str, value: Any) -> Piece:
    """A file with a value as JSON."""
    return Piece(f"{name}.json", readable(value))


def submitted(r: Reading) -> Iterator[Act]:
    """Every snapshot word for word as it is stored and hashed, the contact beside it, and its screening."""
    for listed in submissions.snapshots_of(r.tx, r.row.id):
        one = submissions.snapshot_of(r.tx, r.row.id, listed.number)
        assert one, "a snapshot that is listed is there"
        name = f"snapshot-{one.number}"
        pieces = [Piece(f"{name}.json", one.content.encode(), f"snapshot/{one.number}", one.sha256)]
        if one.contact not in (None, "null"):
            pieces.append(Piece(f"{name}-contact.json", one.contact.encode(), private="personal"))
        yield Act(one.taken_at, "snapshot", str(one.number), r.by(one.taken_by), tuple(pieces))
        screened = f"screening/{one.number}"
        result = Piece(f"screening-{one.number}.json", one.result.encode(), screened, one.result_sha256)
        which = f"{one.number}: {one.outcome}, {one.total_tenths / 10}"
        yield Act(one.taken_at, "screening", which, None, (result,))


def hung_on(r: Reading) -> Iterator[Act]:
    """Attachments that the Danish side sees. None is marked as public yet, so the public variant has none."""
    for one in attachments.of_proposal(r.tx, r.actor, r.row.id):
        private: Reason = "internal" if one.visibility == "internal" else "personal"
        piece = Piece(f"attachment-{one.name}", Stored(one.sha256), f"attachment/{one.id}", one.sha256)
        yield Act(one.at, "attachment", one.name, r.by(one.person_id), (piece,), private)


def questions(r: Reading) -> Iterator[Act]:
    """Every clarification, and its answer as an act of its own."""
    rows = review_records.clarifications_of(r.tx, r.row.id)
    for row, one in zip(rows, review.questions(r.tx, r.actor, r.row.ref), strict=True):
        told = {key: value for key, value in one.items() if not key.startswith("answer")}
        name = f"question-{row.id}"
        yield Act(row.asked_at, "question", str(row.id), r.by(row.asked_by), (said(name, told),))
        if row.answered_at is not None:
            yield Act(row.answered_at, "answer", str(row.id), r.by(row.answered_by), (said(f"answer-{row.id}", one),))


def remarked(r: Reading) -> Iterator[Act]:
    """Internal comments and declared conflicts of interest."""
    for one in remarks.comments(r.tx, r.actor, r.row.ref):
        yield Act(one["at"], "comment", str(one["id"]), one["by"], (said(f"comment-{one['id']}", one),), "internal")
    for place, one in enumerate(remarks.conflicts(r.tx, r.actor, r.row.ref), 1):
        yield Act(one["at"], "conflict", str(place), one["by"], (said(f"conflict-{place}", one),), "internal")


def assessments(r: Reading) -> Iterator[Act]:
    """Every completed assessment, those reopened since among them, with why; to whom it is blind, only their own."""
    blind = _is_blind(r)
    for one in review_records.assessments_of(r.tx, r.row.id):
        hidden = blind and r.actor.id != one.person_id
        versions = [*json.loads(one.past), *([_completed(one)] if one.completed_at else [])]
        for version in versions:
            told = {"snapshot": one.snapshot, "carried_from": one.carried_from, **version}
            at, by = datetime.fromisoformat(version["completed_at"]), r.by(one.person_id)
            pieces = (said(f"assessment-{one.id}", told),)
            yield Act(at, "assessment", str(one.snapshot), by, pieces, "internal", "blind" if hidden else None)


# From here a proposal can come to be assessed, or assessed again.
_TO_ASSESS = (State.SUBMITTED, State.RETURNED, State.UNDER_REVIEW, State.RECOMMENDED, State.DEFERRED)


def _is_blind(r: Reading) -> bool:
    """Whether this desk officer may still assess and has not completed an assessment of the last submission."""
    if r.actor.role is not Role.MFA_REVIEWER or r.row.state not in _TO_ASSESS:
        return False
    rows = review_records.assessments_of(r.tx, r.row.id, r.row.snapshots)
    return r.actor.id not in {one.person_id for one in rows if one.completed_at}


def _completed(one: Record) -> dict[str, Any]:
    grades, comments = json.loads(one.grades), json.loads(one.comments)
    return {
        "grades": grades,
        "comments": comments,
        "overall": one.overall,
        "completed_at": one.completed_at.isoformat(),
    }


def recommendations(r: Reading) -> Iterator[Act]:
    """Every recommendation; the newest with its memo, as data and on paper. The memo names grades, and is as blind as they are."""
    rows = casefile.recommendations_of(r.tx, r.row.id)
    for place, one in enumerate(rows, 1):
        told = {"snapshot": one.snapshot, "verdict": one.verdict, "reason": one.reason, "memo": one.memo}
        pieces = [said(f"recommendation-{place}", told)]
        if one is rows[-1]:
            memo = papers.memo(r.tx, r.actor, r.row.ref, r.book)
            on_paper = paper.memo(memo, r.book.framework, r.language)
            pieces += [said("decision-memo", memo), Piece("decision-memo.pdf", on_paper)]
        by = {"role": one.role, "name": one.name}
        yield Act(
            one.at, "recommendation", one.verdict, by, tuple(pieces), "internal", "blind" if _is_blind(r) else None
        )


def moves(r: Reading) -> Iterator[Act]:
    """Every move of the history; the public reads the reasons that were written for IOM."""
    for one in intake.history_of(r.tx, OUTSIDE if r.public else r.actor, r.row.ref):
        by = one["by"] if one["by"]["role"] != "system" else None
        if r.public:
            one = _nameless(one)  # noqa: PLW2901  # the same step without the name
        which = f"{one['event']}: {one['from'] or '-'} > {one['to']}"
        yield Act(one["at"], "move", which, by, (said(f"move-{one['event']}", one),))


def consulted(r: Reading) -> Iterator[Act]:
    """Each consultation: its agenda, the decision recorded there, and once it is concluded its minutes and IOM's answers."""
    for held in casefile.consultations_with(r.tx, r.row.id):
        number, items = str(held.id), consultations.agenda(r.tx, held.id)
        agenda = {**head_json(held, r.actor), "agenda": [one.ref for one in items], "position": held.position}
        put = _put_on_agenda(r, held)
        yield Act(put.at if put else held.created_at, "agenda", number, r.by(put.person_id if put else held.created_by),
                  (said(f"agenda-{number}", agenda),), "internal")  # fmt: skip
        recorded = next((one for one in items if one.id == r.row.id and one.decision is not None), None)
        if recorded is not None:
            told = {"consultation": held.id, **(decision_json(recorded) or {}), "snapshot": recorded.decided_snapshot}
            pieces = (said(f"decision-{number}", told),)
            yield Act(recorded.at, "decision", number, r.by(recorded.person_id), pieces, "internal")
        if held.state == Stage.CONCLUDED:
            yield from _minuted(r, held)
            yield from _corrected(r, held)
        if held.state == Stage.CANCELLED:
            told = {"consultation": held.id, "at": held.cancelled_at, "reason": held.cancelled_because}
            by, pieces = r.by(held.cancelled_by), (said(f"cancelled-{number}", told),)
            yield Act(held.cancelled_at, "cancelled", number, by, pieces, "internal")


def _put_on_agenda(r: Reading, held: Record) -> Record | None:
    """The entry of the log that first put the proposal on that agenda."""
    for one in casefile.audit_about(r.tx, [f"consultation/{held.id}"]):
        if one.event == "consultation.agenda" and r.row.ref in json.loads(one.facts).get("proposals", []):
            return one
    return None


def _minuted(r: Reading, held: Record) -> Iterator[Act]:
    number, minutes = str(held.id), papers.minutes(r.tx, r.actor, held.id)
    on_paper = paper.minutes(minutes, r.book.framework, r.language)
    pieces = (said(f"minutes-{number}", minutes), Piece(f"minutes-{number}.pdf", on_paper))
    yield Act(held.concluded_at, "minutes", number, r.by(held.concluded_by), pieces, "personal")
    for one in minutes["answers"]:
        told = {"consultation": held.id, "answer": one["answer"], "objection": one["objection"], "at": one["at"]}
        piece = said(f"minutes-{number}-{one['answer']}", told)
        yield Act(one["at"], "minutes_answer", f"{number}: {one['answer']}", one["by"], (piece,))


def _corrected(r: Reading, held: Record) -> Iterator[Act]:
    for place, one in enumerate(corrections.told(r.tx, held.id, r.row.id), 1):
        told = {"consultation": held.id, **(_nameless(one) if r.public else one)}
        piece = said(f"correction-{held.id}-{place}", told)
        yield Act(one["at"], "correction", f"{held.id}: {place}", one["by"], (piece,))


def _nameless(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "by": {"role": one["by"]["role"]}}


def letters(r: Reading) -> Iterator[Act]:
    """The letter on every decision whose consultation is concluded; the public one does not say who signed."""
    for one in casefile.decisions_concluded(r.tx, r.row.id):
        letter = papers.letter_on(r.tx, r.row, one)
        if r.public:
            letter |= {"signed_by": None, "corrections": [_nameless(each) for each in letter["corrections"]]}
        name = f"decision-letter-{one.consultation_id}"
        pieces = (said(name, letter), Piece(f"{name}.pdf", paper.letter(letter, r.book.framework, r.language)))
        yield Act(one.concluded_at, "letter", f"{one.consultation_id}: {one.decision}", r.by(one.concluded_by), pieces)
