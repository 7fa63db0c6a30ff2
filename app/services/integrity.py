"""Checking what is stored: hashes that fit, histories that replay by the table of moves, screenings that come out again."""

import hashlib
import json
from collections.abc import Iterator

from app.db import Record, Tx
from app.domain.case import Cycle, Frame
from app.domain.envelope import Kind, dkk
from app.domain.people import Side
from app.domain.proposal import stored_content
from app.domain.rulebook import SEMANTICS
from app.domain.screening import result_bytes, screen
from app.domain.workflow import MOVES, Event, State
from app.records import money, proposals, submissions
from app.services import audit
from app.services.rulebooks import Library

# Every step there can be. A submission that the screening finds not eligible ends in `returned`.
_STEPS = {(source, move.event, move.target) for move in MOVES for source in move.sources}
_STEPS |= {(source, Event.SUBMIT, State.RETURNED) for source, event, _ in _STEPS if event is Event.SUBMIT}


def faults(tx: Tx, library: Library) -> list[str]:
    """A sentence for everything that does not fit; empty when all is sound."""
    found = [f"Audit entry {one['seq']}: {one['message']}" for one in audit.verify(tx)["faults"]]
    snapshots: dict[str, list[Record]] = {}
    for row in submissions.every_snapshot(tx):
        snapshots.setdefault(row.ref, []).append(row)
        found += [f"{row.ref} snapshot {row.number}: {said}" for said in _snapshot_faults(row, library)]
    found += _money_faults(tx)
    for row in proposals.every_proposal(tx):
        found += [f"{row.ref}: {said}" for said in _history_faults(tx, row)]
        found += [f"{row.ref}: {said}" for said in _count_faults(tx, row, snapshots.get(row.ref, []))]
    return found


def _money_faults(tx: Tx) -> Iterator[str]:
    """What an envelope holds as committed must be the sum of its ledger."""
    sums = money.sums(tx)
    for row in money.all_envelopes(tx):
        entered = sums.get((Kind.APPROVED, row.year), 0) - sums.get((Kind.FREED, row.year), 0)
        if entered != row.committed_dkk:
            yield f"Envelope {row.year}: {dkk(row.committed_dkk)} is committed, but the ledger says {dkk(entered)}."


def _history_faults(tx: Tx, row: Record) -> Iterator[str]:
    state: str | None = None
    number = 0
    for step in proposals.history_of(tx, row.id):
        number += 1
        if step.number != number:
            yield f"step {number} is missing from its history."
            number = step.number
        if step.source != state:
            yield f"step {step.number} starts from {step.source}, but it was {state}."
        if (step.source, step.event) != (None, "create") and (step.source, step.event, step.target) not in _STEPS:
            yield f"step {step.number}, {step.event} from {step.source} to {step.target}, is no move there is."
        state = step.target
    if state != row.state:
        yield f"its history ends in {state}, but its state is {row.state}."
    if number != row.moves:
        yield f"its history has {number} steps, but it counts {row.moves}."
    if row.state not in set(State):
        yield f"the state {row.state} is unknown."


def _count_faults(tx: Tx, row: Record, kept: list[Record]) -> Iterator[str]:
    numbers = [one.number for one in kept]
    if numbers != list(range(1, row.snapshots + 1)):
        yield f"it counts {row.snapshots} snapshots, but those with a screening are {numbers or 'none'}."
    for face in proposals.faces_of(tx, row.id):
        shown = next((one for one in kept if one.number == face.snapshot), None)
        if shown is None and (face.side == Side.MFA or face.snapshot is not None):
            yield f"what {face.side} sees is of no snapshot there is."
        elif shown is not None and face.content != shown.content:
            yield f"what {face.side} sees is not the content of snapshot {face.snapshot}."


def _snapshot_faults(row: Record, library: Library) -> Iterator[str]:
    if hashlib.sha256(row.content.encode()).hexdigest() != row.sha256:
        yield "the content is not what was submitted (SHA-256 differs)."
        return
    if hashlib.sha256(row.result.encode()).hexdigest() != row.result_sha256:
        yield "the screening result has been changed (SHA-256 differs)."
        return
    said = json.loads(row.result)
    if (row.outcome, row.total_tenths) != (said["outcome"], round(said["total"] * 10)):
        yield f"its screening is filed as {row.outcome} {row.total_tenths / 10}, but says otherwise."
    book = library.books.get(row.rulebook_version)
    if book is None or book.sha256 != row.rulebook_sha256 or row.semantics != SEMANTICS:
        yield f"the rulebook {row.rulebook_version} it was screened with is not there."
        return
    envelopes = {int(year): amount for year, amount in json.loads(row.envelopes).items()}
    frame = Frame(Cycle(row.cycle_year, row.last_cycle_year), envelopes, row.screened_on)
    if result_bytes(screen(stored_content(row.content), book, frame)).decode() != row.result:
        yield "screened again it comes to another result."
