"""The public extract of an agreed proposal: off until both sides release its text, and off again when one takes it back."""

import json
from typing import Any

from app.db import Record, Tx
from app.domain.cycle import day_of
from app.domain.people import Actor, Side
from app.domain.workflow import State
from app.errors import NotFound, refuse_unless
from app.records import agreements, proposals, releases
from app.services import audit, faces, results, review
from app.services.clock import Now
from app.services.rulebooks import Library

TOLD = (State.AGREED, State.DISBURSED, State.CLOSED)
BOTH = {"iom", "mfa"}


def _text(tx: Tx, row: Record) -> dict[str, Any]:
    """What is released: title, aim, route, countries, period, amounts, indicators. Their values come with accepted reports."""
    kept = agreements.agreement_of(tx, row.id)
    if kept is None or kept.signed_at is None or row.state not in TOLD:
        raise NotFound("extract_not_found", f"There is no extract of {row.ref}; it is {row.state}, not agreed.")
    signed, content = json.loads(kept.text), json.loads(row.content)
    return {
        "ref": row.ref,
        "title": signed["title"],
        "aim": content["summary"],
        "route": content["route"],
        "countries": [one["code"] for one in content["countries"]],
        "period": signed["period"],
        "amounts": signed["amounts"],
        "indicators": [
            {key: one[key] for key in ("code", "unit", "baseline", "target")} for one in content["indicators"]
        ],
    }


def _whole(tx: Tx, row: Record) -> dict[str, Any]:
    text = _text(tx, row)
    state = "finished" if row.state == State.CLOSED else "under_way"
    told = results.so_far(tx, row, json.loads(row.content))
    said = {key: value for key, value in text.items() if key != "indicators"}  # the results name them
    return {**said, "state": state, "results": told, "released_on": _public_since(tx, row, text)}


def _released(tx: Tx, row: Record, sha256: str) -> list[Record]:
    """The sides that have released the text as it stands."""
    return [one for one in releases.of_proposal(tx, row.id) if one.sha256 == sha256]


def _public_since(tx: Tx, row: Record, text: dict[str, Any]) -> str | None:
    """The day the second side released this text; None while one has not."""
    given = _released(tx, row, audit.digest(text))
    both = {one.side for one in given} == BOTH
    return day_of(max(one.at for one in given)).isoformat() if both else None


def described(tx: Tx, actor: Actor, ref: str, library: Library) -> dict[str, Any]:
    """The extract as it would be public, its text's SHA-256, and which sides have released it."""
    row = _agreed(tx, faces.seen(tx, actor, ref))
    sha256 = audit.digest(_text(tx, row))
    given = _released(tx, row, sha256)
    return {
        "extract": _whole(tx, row),
        "sha256": sha256,
        "released": [{"side": one.side, "at": one.at, "by": {"role": one.role, "name": one.name}} for one in given],
        "public": len(given) == len(BOTH) and not library.withholds(ref),
    }


def as_paper(tx: Tx, actor: Actor, ref: str, library: Library) -> dict[str, Any]:
    """The extract to be laid out, `dated` on the day both sides released it, before that on the agreement's."""
    said = described(tx, actor, ref, library)["extract"]
    kept = agreements.agreement_of(tx, faces.seen(tx, actor, ref).id)
    agreed_on = day_of(kept.signed_at).isoformat() if kept and kept.signed_at else None
    return {**said, "dated": said["released_on"] or agreed_on}


def _agreed(tx: Tx, row: Record) -> Record:
    """The face the Danish side sees: both sides read and release the same text."""
    return next(iter(proposals.signed(tx, row.ref)), row)


def release(tx: Tx, actor: Actor, ref: str, sha256: str | None, library: Library, now: Now) -> None:
    """Release the text as it stands for one's side. `sha256`, when given, must be that of the text."""
    row = _agreed(tx, faces.seen_to_change(tx, actor, ref))
    digest = audit.digest(_text(tx, row))
    if actor.side is Side.MFA:
        review.refuse_conflict(tx, row, actor)
    refuse_unless(not library.withholds(ref), "withheld", f"{ref} is on the framework's list of what is not told.")
    refuse_unless(sha256 in (None, digest), "text_changed", "The text is another one now; read it again.")
    given = any(one.side == actor.side for one in _released(tx, row, digest))
    refuse_unless(not given, "released_already", f"{actor.side.upper()} has released this text.")
    releases.put(tx, row.id, actor.side, actor.id, now.at, digest)
    proposals.touch_faces(tx, row.id, now.at)
    audit.record(tx, actor, "extract.release", ref, now, {"side": actor.side}, after=digest)


def withdraw(tx: Tx, actor: Actor, ref: str, reason: str, now: Now) -> None:
    """Take one's side's release back: the extract is public no more from this moment."""
    row = faces.seen_to_change(tx, actor, ref)
    gone = releases.drop(tx, row.id, actor.side)
    refuse_unless(gone, "not_released", f"{actor.side.upper()} has not released the extract of {ref}.")
    proposals.touch_faces(tx, row.id, now.at)
    facts: audit.Facts = {"side": actor.side}
    audit.record(tx, actor, "extract.withdraw", ref, now, facts, after=audit.digest(reason))


def published(tx: Tx, library: Library, ref: str | None = None) -> list[dict[str, Any]]:
    """Every extract that is public, by reference, or the one of that proposal."""
    both = releases.by_both(tx)
    rows = [row for row in proposals.signed(tx, ref) if row.id in both and row.state in TOLD]
    rows = [row for row in rows if not library.withholds(row.ref)]
    return [one for one in (_whole(tx, row) for row in rows) if one["released_on"]]


def public(tx: Tx, ref: str, library: Library) -> dict[str, Any]:
    """One public extract, or NotFound: not released and not there look the same."""
    found = next(iter(published(tx, library, ref)), None)
    if found is None:
        raise NotFound("extract_not_found", f"There is no public extract of '{ref}'.")
    return found
