"""What people say about a proposal beside its life: internal comments, and their own conflicts of interest."""

from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor
from app.errors import Conflict, Refusal
from app.records import proposals
from app.services import audit, faces
from app.services.clock import Now

INTERNAL = "internal"


def comment(tx: Tx, actor: Actor, ref: str, text: str, now: Now) -> dict[str, Any]:
    """Comment on a proposal, for the Danish side only."""
    row = faces.seen(tx, actor, ref)
    values = {"proposal_id": row.id, "person_id": actor.id, "at": now.at, "visibility": INTERNAL, "text": text}
    comment_id = proposals.add_comment(tx, values)
    audit.record(tx, actor, "comment.add", ref, now, {"comment": comment_id}, after=audit.digest(text))
    by = {"role": actor.role, "name": actor.name}
    return {"id": comment_id, "at": now.at, "by": by, "visibility": INTERNAL, "text": text}


def comments(tx: Tx, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """Every comment on a proposal, oldest first."""
    return comments_on(tx, faces.seen(tx, actor, ref))


def comments_on(tx: Tx, row: Record) -> list[dict[str, Any]]:
    """As `comments`, of a proposal that was read already."""
    return [
        {"id": one.id, "at": one.at, "by": _by(one), "visibility": one.visibility, "text": one.text}
        for one in proposals.comments_of(tx, row.id)
    ]


def declare_conflict(tx: Tx, actor: Actor, ref: str, reason: str, now: Now) -> dict[str, Any]:
    """Declare that one has an interest in a proposal: from then on every move on it is refused to this person."""
    row = faces.seen(tx, actor, ref)
    if not proposals.add_conflict(tx, row.id, actor.id, now.at, reason):
        said = "You have declared this before; it stands."
        raise Conflict("conflict_declared", said, refusals=[Refusal("conflict_declared", said)])
    audit.record(tx, actor, "conflict.declare", ref, now, after=audit.digest(reason))
    return {"at": now.at, "by": {"role": actor.role, "name": actor.name}, "reason": reason}


def conflicts(tx: Tx, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """Every declared conflict of interest in a proposal."""
    return conflicts_on(tx, faces.seen(tx, actor, ref))


def conflicts_on(tx: Tx, row: Record) -> list[dict[str, Any]]:
    """As `conflicts`, of a proposal that was read already."""
    return [{"at": one.at, "by": _by(one), "reason": one.reason} for one in proposals.conflicts_of(tx, row.id)]


def _by(row: Record) -> dict[str, Any]:
    return {"role": row.role, "name": row.name}
