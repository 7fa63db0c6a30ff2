"""Checking what is stored: hashes that fit, histories that replay to the current state, screenings that come out again."""

import hashlib
import json

from app.db import Tx
from app.domain.case import Cycle, Frame
from app.domain.proposal import stored_content
from app.domain.screening import result_bytes, screen
from app.domain.workflow import State
from app.records import proposals
from app.services.rulebooks import Library


def faults(tx: Tx, library: Library) -> list[str]:
    """A sentence for everything that does not fit; empty when all is sound."""
    found = []
    for row in proposals.every_proposal(tx):
        state: str | None = None
        for step in proposals.history_of(tx, row.id):
            if step.source != state:
                found.append(f"{row.ref}: step {step.number} starts from {step.source}, but it was {state}.")
            state = step.target
        if state != row.state:
            found.append(f"{row.ref}: its history ends in {state}, but its state is {row.state}.")
        if row.state not in set(State):
            found.append(f"{row.ref}: the state {row.state} is unknown.")
    return found + _screening_faults(tx, library)


def _screening_faults(tx: Tx, library: Library) -> list[str]:
    found = []
    for row in proposals.every_snapshot(tx):
        name = f"{row.ref} snapshot {row.number}"
        if hashlib.sha256(row.content.encode()).hexdigest() != row.sha256:
            found.append(f"{name}: the content is not what was submitted (SHA-256 differs).")
            continue
        if hashlib.sha256(row.result.encode()).hexdigest() != row.result_sha256:
            found.append(f"{name}: the screening result has been changed (SHA-256 differs).")
            continue
        book = library.books.get(row.rulebook_version)
        if book is None or book.sha256 != row.rulebook_sha256:
            found.append(f"{name}: the rulebook {row.rulebook_version} it was screened with is not there.")
            continue
        envelopes = {int(year): amount for year, amount in json.loads(row.envelopes).items()}
        frame = Frame(Cycle(row.cycle_year, row.last_cycle_year), envelopes, row.screened_on)
        if result_bytes(screen(stored_content(row.content), book, frame)).decode() != row.result:
            found.append(f"{name}: screened again it comes to another result.")
    return found
