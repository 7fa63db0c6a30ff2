"""What each side sees of a proposal: judging a content, showing it on a face, keeping a snapshot of it."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import pycountry

from app.db import Record, Tx
from app.domain.case import Frame
from app.domain.finding import terms
from app.domain.people import Actor, Side
from app.domain.proposal import (
    Content,
    as_json,
    missing_to_submit,
    requested_by_year,
    stored_content,
    without_contact,
)
from app.domain.rulebook import SEMANTICS, Rulebook
from app.domain.screening import result_bytes, screen, summary
from app.encoding import canonical
from app.errors import NotFound
from app.records import proposals, submissions
from app.records.proposals import Own, Shown
from app.services.clock import Now
from app.services.rulebooks import check_in_force, frame_for

_REF = re.compile(r"DK-IOM-[0-9]{4}-[0-9]{3,8}")


@dataclass(frozen=True, slots=True)
class Judged:
    """A screening result with the frame it was made in and its canonical bytes."""

    result: dict[str, Any]
    frame: Frame
    raw: bytes

    @property
    def tenths(self) -> int:
        return round(float(self.result["total"]) * 10)


def seen(tx: Tx, actor: Actor, ref: str) -> Record:
    """The proposal as this actor sees it, or NotFound: absent and invisible look the same."""
    row = proposals.proposal_for(tx, actor, ref) if _REF.fullmatch(ref) else None
    if row is None:
        raise NotFound("proposal_not_found", f"There is no proposal '{ref}' that you can see.")
    return row


def seen_to_change(tx: Tx, actor: Actor, ref: str) -> Record:
    """As `seen`, held by this transaction until its end."""
    if _REF.fullmatch(ref):
        proposals.hold(tx, ref)
    return seen(tx, actor, ref)


def judge(tx: Tx, cycle_year: int, content: Content, book: Rulebook, now: Now) -> Judged:
    """Screen a content as things stand today, by the rulebook in force; Unavailable when `book` is no longer that."""
    check_in_force(tx, book)
    frame = frame_for(tx, cycle_year, now)
    assert frame, "a proposal's cycle is there as long as the proposal"
    result = screen(content, book, frame)
    return Judged(result, frame, result_bytes(result))


def show(
    tx: Tx,
    of: Own,
    sides: Iterable[Side],
    content: Content,
    judged: Judged,
    number: int | None,
    now: Now,
) -> None:
    """Show a content on the faces of these sides; `number` is the snapshot it is, None for working content."""
    missing = [fault.pointer[1:] for fault in missing_to_submit(content)]
    shown = Shown(
        title=content.title or "",
        snapshot=number,
        requested_dkk=sum(requested_by_year(content).values()),
        outcome=judged.result["outcome"],
        total_tenths=judged.tenths,
        content=_text(as_json(without_contact(content))),
        contact=contact_text(content),
        screening=_text({**summary(judged.result), "missing": missing}),
        words=_words(of.ref, content),
        countries=tuple(country.code for country in content.countries or ()),
        priority_areas=tuple(content.priority_areas or ()),
    )
    for side in sides:
        proposals.put_face(tx, of, side, shown, now.at)


def contact_text(content: Content) -> str | None:
    """The contact as JSON text, `null` where it is stated to be none, None where the draft leaves it out."""
    if "contact" not in content.model_fields_set:
        return None
    return _text(as_json(content.contact)) if content.contact else "null"


def working_content(row: Record) -> Content:
    """The content on a face, with its contact put back."""
    return stored_content(content_text(row))


def content_text(row: Record) -> str:
    """The content's JSON text as the API shows it: the stored text with the contact spliced in, nothing parsed."""
    if row.contact is None:
        return str(row.content)
    return str(row.content)[:-1] + ("," if len(row.content) > 2 else "") + f'"contact":{row.contact}}}'


def own(row: Record) -> Own:
    """What `show` needs to know of a proposal that was read."""
    return Own(row.id, row.ref, row.cycle_year, row.office_code, row.state)


def keep_snapshot(tx: Tx, row: Record, actor: Actor, whole: Content, judged: Judged, now: Now) -> int:
    """Keep what is submitted, with its hash and the whole screening result; the snapshot's number."""
    number = int(row.snapshots) + 1
    text = _text(as_json(without_contact(whole)))
    kept = {
        "proposal_id": row.id,
        "number": number,
        "taken_at": now.at,
        "taken_by": actor.id,
        "content": text,
        "contact": contact_text(whole),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    snapshot_id = submissions.add_snapshot(tx, kept)
    reference = judged.result["rulebook"]
    stored = {
        "snapshot_id": snapshot_id,
        "rulebook": reference["id"],
        "rulebook_version": reference["version"],
        "rulebook_sha256": reference["sha256"],
        "semantics": SEMANTICS,
        "screened_on": judged.frame.screened_on,
        "last_cycle_year": judged.frame.cycle.last_year,
        "envelopes": _text({str(year): amount for year, amount in judged.frame.envelopes.items()}),
        "outcome": judged.result["outcome"],
        "total_tenths": judged.tenths,
        "result": judged.raw.decode(),
        "sha256": hashlib.sha256(judged.raw).hexdigest(),
    }
    submissions.add_screening(tx, stored)
    return number


def missing_of(row: Record) -> tuple[str, ...]:
    """The fields a submission would still need, as noted when the face was written."""
    return tuple(orjson.loads(row.screening)["missing"])


def _text(value: Any) -> str:
    return canonical(value).decode()


def _words(ref: str, content: Content) -> str:
    """What a search finds a proposal by, as terms: reference, title, summary, route, countries, activities, partners."""
    said: list[str | None] = [ref, content.title, content.summary, content.route]
    for country in content.countries or ():
        known = pycountry.countries.get(alpha_2=country.code)
        said += [country.code, known.name if known else None]
    said += [activity.title for activity in content.activities or ()]
    said += [partner.name for partner in content.partners or ()]
    return terms(" ".join(filter(None, said)))
