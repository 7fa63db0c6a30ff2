"""What is filed with a proposal, read once for its page: attachments, submissions, talk among the Danes, papers."""

from dataclasses import dataclass
from typing import Any

from app.db import Tx
from app.domain.people import MFA, Actor, Role
from app.domain.workflow import State
from app.records import papers
from app.services import attachments, intake, remarks, similar, workspace
from app.services.extracts import TOLD
from app.services.rulebooks import Library
from app.services.workspace import INSIDE, Head

DANES = MFA | {Role.EMBASSY, Role.MISSION}
_DECIDED = (State.APPROVED, State.REJECTED, State.AGREED, State.DISBURSED, State.CLOSED)


@dataclass(frozen=True, slots=True)
class Filed:
    """What the page of papers shows; None where this reader is not told. `papers` are names of PDFs that can be had."""

    head: Head
    attachments: list[dict[str, Any]]
    submissions: list[dict[str, Any]]
    changes: dict[str, Any] | None
    comments: list[dict[str, Any]] | None
    conflicts: list[dict[str, Any]] | None
    similar: dict[str, Any] | None
    papers: tuple[str, ...]
    casefiles: tuple[str, ...]


def of(tx: Tx, actor: Actor, ref: str, diff: int | None, library: Library) -> Filed:
    """Everything filed with a proposal; `diff` is the submission whose changes since the one before are shown, if there are both."""
    head = workspace.head(tx, actor, ref)
    row, inside = head.row, actor.role in INSIDE
    there = papers.existing(tx, row.id)
    known = {
        "decision-letter": there.letter,
        "decision-memo": there.memo and inside,
        "agreement": there.signed or row.state == State.APPROVED,
        "extract": there.signed and row.state in TOLD,
    }
    told = [variant for variant, had in (("full", True), ("public", there.letter and row.state in _DECIDED)) if had]
    submissions = intake.snapshots_on(tx, row)
    compared = {one["number"] for one in submissions[1:]}
    return Filed(
        head=head,
        attachments=attachments.listed_on(tx, actor, row),
        submissions=submissions,
        changes=intake.compared_on(tx, row, diff, None) if diff and diff in compared else None,
        comments=remarks.comments_on(tx, row) if actor.role in DANES | {Role.AUDITOR} else None,
        conflicts=remarks.conflicts_on(tx, row) if inside else None,
        similar=similar.of_row(tx, actor, row, library.engagements) if inside else None,
        papers=tuple(name for name, had in known.items() if had),
        casefiles=tuple(told) if inside else (),
    )
