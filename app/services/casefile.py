"""A proposal's case file: every act about it in the order in which it happened, as its reader may see it.

What is an act of which source stands in `caseacts` (up to the decision) and `casemoney` (from the agreement on).
"""

import json

from app.db import Tx
from app.documents.casefile import CaseFile, Variant
from app.documents.casefile.publishing import published
from app.domain.people import Actor, Role
from app.errors import refuse_unless
from app.records import agreements, attachments, casefile, consultations, people, proposals, submissions
from app.records import audit as audit_records
from app.services import audit, caseacts, casemoney, faces
from app.services.caseacts import Reading
from app.services.rulebooks import Library

# Evidence before the move it led to, the move before what followed from it: what bears the same instant stays in this order.
_SOURCES = (
    *(caseacts.submitted, caseacts.hung_on, caseacts.questions, caseacts.remarked, caseacts.assessments),
    *(caseacts.recommendations, caseacts.consulted, casemoney.agreed, casemoney.paid, casemoney.reported),
    *(caseacts.moves, caseacts.letters, casemoney.entered, casemoney.noted),
)
_DECIDED = ("approve", "reject")
# Whoever runs the service has the database anyway; at the command line they read what an auditor reads.
AT_THE_COMMAND_LINE = Actor(0, "the command line", Role.AUDITOR)


def gathered(tx: Tx, actor: Actor, ref: str, variant: Variant, library: Library, language: str) -> CaseFile:
    """The case file of a proposal that this actor sees; NotFound, and for the public variant Conflict before it is decided."""
    row, public = faces.seen(tx, actor, ref), variant == "public"
    if public:
        decision = consultations.decision_in_force(tx, row.id)
        said = f"The public variant needs a decision in force, to fund or not to fund; {ref} is {row.state}."
        refuse_unless(decision is not None and decision.decision in _DECIDED, "not_decided", said)
        told = f"{ref} is on the framework's list of what is not told in public."
        refuse_unless(not library.withholds(ref), "withheld", told)
    reading = Reading(tx, actor, row, library, public, language)
    acts = sorted(
        (act for source in _SOURCES for act in source(reading)), key=lambda act: (act.kind == "audit", act.at)
    )
    head = None if public else audit_records.head(tx)
    return CaseFile(
        ref=ref,
        title=row.title,
        office=people.office_name(tx, row.office_code),
        state=row.state,
        file_number=library.current.framework.file_number,
        variant=variant,
        language=language,
        head={"seq": head.seq, "hash": head.hash} if head else None,
        acts=tuple(acts),
        people=_people(tx, row.id) if public else (),
    )


def as_told(case: CaseFile) -> CaseFile:
    """What of a case file is handed out: a public variant without what is internal or personal. It reads every text; no database."""
    return published(case) if case.variant == "public" else case


def fingerprint(case: CaseFile) -> str:
    """A hash of all that a case file says, before any paper is set: the same acts, the same hash."""
    return audit.digest(repr(case))


def _people(tx: Tx, proposal_id: int) -> tuple[str, ...]:
    """The names and addresses of everybody with an account, and of the contacts that snapshots named."""
    found = []
    for one in people.all_people(tx, 10**6, 0):
        if "@" in one.email:  # an erased person has neither a name nor an address any more
            found += [one.name, one.email]
    for listed in submissions.snapshots_of(tx, proposal_id):
        kept = submissions.snapshot_of(tx, proposal_id, listed.number)
        if kept is not None and kept.contact not in (None, "null"):
            found += [one for one in json.loads(kept.contact).values() if isinstance(one, str)]
    return tuple(dict.fromkeys(found))


def hashes(tx: Tx, ref: str) -> dict[str, str] | None:
    """What the database knows by which SHA-256, named as a case file names it, entries of the log too; None without the proposal."""
    row = proposals.proposal_for(tx, AT_THE_COMMAND_LINE, ref)
    if row is None:
        return None
    found: dict[str, str] = {}
    for listed in submissions.snapshots_of(tx, row.id):
        one = submissions.snapshot_of(tx, row.id, listed.number)
        assert one, "a snapshot that is listed is there"
        found |= {f"snapshot/{one.number}": one.sha256, f"screening/{one.number}": one.result_sha256}
    found |= {f"attachment/{one.id}": one.sha256 for one in attachments.of_proposal(tx, AT_THE_COMMAND_LINE, row.id)}
    for one in agreements.signatures_of(tx, row.id):
        found["agreement"] = one.sha256
    found |= {f"amendment/{one.number}": one.sha256 for one in agreements.amendments_of(tx, row.id)}
    entries = casefile.audit_about(tx, casemoney.subjects(tx, row))
    return found | {f"audit/{one.seq}": one.hash for one in entries if casemoney.concerns(one, ref)}


def hash_at(tx: Tx, seq: int) -> str | None:
    """The hash of one entry of the log of acts."""
    return audit_records.hash_at(tx, seq)
