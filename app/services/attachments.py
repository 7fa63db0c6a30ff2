"""Files on a proposal: added once they are judged, listed, and read; every reading is logged."""

from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor, Side
from app.domain.workflow import State
from app.errors import Conflict, NotFound, Refusal
from app.records import attachments
from app.services import audit, faces
from app.services.casework import EDITABLE
from app.services.clock import Now

MOST, MOST_BYTES = 40, 200_000_000
ENDED = (State.CANCELLED, State.REJECTED, State.CLOSED)


def add(
    tx: Tx, actor: Actor, ref: str, name: str, media_type: str, size: int, sha256: str, visibility: str, now: Now
) -> dict[str, Any]:
    """Hang a file, whose bytes are stored already, on a proposal."""
    row = faces.seen_to_change(tx, actor, ref)
    check_room(tx, row, size)
    values = {
        "proposal_id": row.id,
        "side": actor.side,
        "visibility": visibility,
        "name": name,
        "media_type": media_type,
        "size": size,
        "sha256": sha256,
        "snapshot": None if row.state in EDITABLE and actor.side is Side.IOM else row.snapshots,
        "person_id": actor.id,
        "at": now.at,
    }
    attachment_id = attachments.add(tx, values)
    facts: audit.Facts = {"attachment": attachment_id, "visibility": visibility, "size": size}
    audit.record(tx, actor, "attachment.add", ref, now, facts, after=sha256)
    return {"id": attachment_id, **_described({**values, "id": attachment_id})}


def check_room(tx: Tx, row: Record, size: int = 0) -> None:
    """Refuse where nothing more can hang on a proposal: it has ended, or it has enough."""
    if row.state in ENDED:
        said = f"A proposal that is {row.state} takes no more attachments."
        raise Conflict("wrong_state", said, refusals=[Refusal("wrong_state", said)])
    number, together = attachments.count_and_size(tx, row.id)
    if number >= MOST or together + size > MOST_BYTES:
        said = f"A proposal can have {MOST} attachments of {MOST_BYTES // 1_000_000} MB together."
        raise Conflict("attachments_full", said, refusals=[Refusal("attachments_full", said)])


def listed(tx: Tx, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """The attachments of a proposal that this actor sees."""
    return listed_on(tx, actor, faces.seen(tx, actor, ref))


def listed_on(tx: Tx, actor: Actor, row: Record) -> list[dict[str, Any]]:
    """As `listed`, of a proposal that was read already."""
    return [_described(one._asdict()) for one in attachments.of_proposal(tx, actor, row.id)]


def to_read(tx: Tx, actor: Actor, ref: str, attachment_id: int, now: Now) -> Record:
    """One attachment, and the log entry that this actor read it."""
    row = faces.seen(tx, actor, ref)
    found = attachments.one_of(tx, actor, row.id, attachment_id)
    if found is None:
        raise NotFound("attachment_not_found", f"{ref} has no attachment {attachment_id} that you can see.")
    audit.record(tx, actor, "attachment.read", ref, now, {"attachment": attachment_id}, after=found.sha256)
    return found


def _described(row: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "name", "media_type", "size", "sha256", "visibility", "at")
    return {name: row[name] for name in names}
