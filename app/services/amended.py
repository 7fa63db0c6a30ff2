"""The amendments of a proposal's agreement, read once for their page; and whether that page still shows the text in force."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor
from app.errors import Conflict
from app.records import agreements, proposals, submissions
from app.services import agreements as agreement_service
from app.services import amendments, faces
from app.services.workspace import Head, head


@dataclass(frozen=True, slots=True)
class Amended:
    """The amendments of a proposal, newest first; `agreement` is the text in force, None before both have signed it."""

    head: Head
    agreement: dict[str, Any] | None
    amendments: list[dict[str, Any]]
    conflicted: bool


def amended_of(tx: Tx, actor: Actor, ref: str) -> Amended:
    """Every amendment with what it changes, in seven statements however many there are."""
    found = head(tx, actor, ref)
    row, kept = found.row, agreements.agreement_of(tx, found.row.id)
    every = agreements.amendments_of(tx, row.id)
    bases = submissions.contents_among(tx, row.id, {amendments.base_of(row, one) for one in every})
    given = defaultdict[int, list[Record]](list)
    for one in agreements.every_signature_of(tx, row.id):
        given[one.number].append(one)
    told = [
        amendments.told(one, json.loads(bases[amendments.base_of(row, one)]), given[one.number])
        for one in reversed(every)
    ]
    signed = kept is not None and kept.text is not None
    return Amended(
        head=found,
        agreement=agreement_service.told(ref, json.loads(kept.text), kept, given[0]) if kept and signed else None,
        amendments=told,
        conflicted=proposals.has_conflict(tx, row.id, actor.id),
    )


def check_text(tx: Tx, actor: Actor, ref: str, seen: str) -> None:
    """Hold the proposal; Conflict when another text is in force than the one (its SHA-256) the reader's page showed."""
    row = faces.seen_to_change(tx, actor, ref)
    kept = agreements.agreement_of(tx, row.id)
    if kept is not None and kept.sha256 != seen:
        said = "The agreement has changed since you read this page; compare what you wrote with what is in force now."
        raise Conflict("changed_meanwhile", said)
