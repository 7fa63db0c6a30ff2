"""What a content would come to, before anything of it is stored: the screening's word, what is missing, where it could go."""

import json
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor, Role
from app.domain.proposal import Content, missing_to_submit
from app.domain.rulebook import Rulebook
from app.errors import Fault, Invalid
from app.records import cycles, listing, people, proposals
from app.records.listing import Wanted
from app.services import intake
from app.services.casework import EDITABLE
from app.services.clock import Now
from app.services.desk import current_year

MOST = 200  # proposals to choose from


@dataclass(frozen=True, slots=True)
class Places:
    """Where a content can be kept: cycles, the offices this actor may name, and their drafts and returned proposals."""

    years: tuple[int, ...]
    year: int
    offices: tuple[str, ...]
    proposals: list[Record]
    more: bool = False  # there are older ones than `proposals` holds


@dataclass(frozen=True, slots=True)
class Checked:
    """What the pre-check found: the screening, or every fault that keeps it from being made; fields a submission lacks."""

    screening: dict[str, Any] | None
    faults: list[Fault]
    missing: tuple[str, ...]


def places(tx: Tx, actor: Actor, now: Now, named: str = "") -> Places:
    """The last `MOST` changed, and before them the proposal that is `named`, where it is an older one."""
    found = cycles.all_cycles(tx)
    focal = actor.role is Role.IOM_FOCAL_POINT
    offices = tuple(one.code for one in people.offices(tx) if one.kind == "iom") if focal else ()
    rows = listing.list_proposals(tx, actor, Wanted(states=tuple(EDITABLE), limit=MOST))
    years = tuple(row.year for row in found)
    most, more = rows[:MOST], len(rows) > MOST
    if more and named and named not in [row.ref for row in most]:
        one = proposals.proposal_for(tx, actor, named)
        most = [one, *most] if one and one.state in EDITABLE else most
    return Places(years, current_year(found, now.today), offices, most, more)


def check(
    tx: Tx, cycle_year: int | None, content: Content | None, faults: list[Fault], book: Rulebook, now: Now
) -> Checked:
    """Screen what is stored nowhere; never refuses."""
    missing = tuple(fault.pointer[1:] for fault in missing_to_submit(content)) if content else ()
    try:
        return Checked(json.loads(intake.screen_draft(tx, cycle_year, content, faults, book, now)), [], missing)
    except Invalid as error:
        return Checked(None, list(error.faults), missing)
