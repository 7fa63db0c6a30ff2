"""What IOM brings in: making a proposal, replacing its content, and reading it back as each side sees it."""

import json
from collections.abc import Iterable
from typing import Any

from app.db import Record, Tx
from app.domain.difference import differences
from app.domain.people import Actor, Role, Side
from app.domain.proposal import Content, as_json, stored_content, without_contact
from app.domain.rulebook import Rulebook
from app.domain.screening import result_bytes, screen
from app.domain.workflow import Event, State
from app.encoding import canonical, encode
from app.errors import Conflict, Fault, Invalid, NotFound, Refusal, check_version
from app.records import cycles, listing, people, proposals, submissions
from app.records.listing import Wanted
from app.records.proposals import Own
from app.services import audit, casework, faces, papers
from app.services.casework import Step
from app.services.clock import Now
from app.services.rulebooks import check_in_force, frame_for


def screen_draft(
    tx: Tx, cycle_year: int | None, content: Content | None, faults: list[Fault], book: Rulebook, now: Now
) -> bytes:
    """The screening of a content that is stored nowhere; every cycle that exists will do, open or closed."""
    check_in_force(tx, book)
    frame = frame_for(tx, cycle_year, now) if cycle_year is not None else None
    if frame is None and cycle_year is not None:
        faults = [_no_cycle(cycle_year), *faults]
    if faults or content is None or frame is None:
        raise Invalid("validation_failed", _said(faults), faults=faults)
    return result_bytes(screen(content, book, frame))


def create(
    tx: Tx,
    actor: Actor,
    cycle_year: int | None,
    office: str | None,
    content: Content | None,
    faults: list[Fault],
    book: Rulebook,
    now: Now,
) -> str:
    """Make a draft in an open cycle; its reference `DK-IOM-<year>-<nnn>`."""
    cycle = cycles.hold(tx, cycle_year) if cycle_year is not None else None
    if cycle is None and cycle_year is not None:
        faults = [_no_cycle(cycle_year), *faults]
    code, wrong = _office_for(tx, actor, office)
    faults = [*wrong, *faults]
    if faults or content is None or cycle is None or code is None:
        raise Invalid("validation_failed", _said(faults), faults=faults)
    window = cycles.window_of(cycle)
    if not window.is_open(now.today):
        message = window.sentence(cycle.year, now.today)
        raise Conflict("window_closed", message, refusals=[Refusal("window_closed", message)])
    number = cycles.next_number(tx, cycle.year)
    ref = f"DK-IOM-{cycle.year}-{number:03d}"
    made = {
        "ref": ref,
        "cycle_year": cycle.year,
        "number": number,
        "office_code": code,
        "state": State.DRAFT,
        "lock": 1,
        "created_by": actor.id,
        "created_at": now.at,
        "snapshots": 0,
        "moves": 1,
        "deadline_on": window.closes_on,
    }
    proposal_id = proposals.add_proposal(tx, made)
    judged = faces.judge(tx, cycle.year, content, book, now)
    faces.show(tx, Own(proposal_id, ref, cycle.year, code, State.DRAFT), (Side.IOM,), content, judged, None, now)
    casework.note(tx, proposal_id, 1, "create", None, State.DRAFT, Step(actor), now)
    after = audit.digest(canonical(as_json(without_contact(content))).decode())
    audit.record(tx, actor, "proposal.create", ref, now, {"office": code}, after=after)
    return ref


def _no_cycle(year: int) -> Fault:
    return Fault("/cycle", "unknown_cycle", f"There is no cycle {year}.")


def _said(faults: Iterable[Fault]) -> str:
    number = len(list(faults))
    return f"{number} thing{'s' if number != 1 else ''} must be put right before this can be taken."


def _office_for(tx: Tx, actor: Actor, office: str | None) -> tuple[str | None, list[Fault]]:
    """The office a proposal is made for: an office's own; a focal point names any."""
    if actor.role is Role.IOM_OFFICE:
        if office in (None, actor.office):
            return actor.office, []
        return None, [Fault("/office", "not_your_office", f"Your office is {actor.office}; leave `office` out.")]
    if office is None:
        return None, [Fault("/office", "required", "A focal point names the office a proposal is made for.")]
    if not people.office_exists(tx, office, "iom"):
        return None, [Fault("/office", "unknown_office", f"There is no IOM office '{office}'.")]
    return office, []


def replace_content(
    tx: Tx,
    actor: Actor,
    ref: str,
    content: Content | None,
    faults: list[Fault],
    expected: frozenset[int] | None,
    given: bool,
    book: Rulebook,
    now: Now,
) -> None:
    """Replace the content of a draft or returned proposal. Refuses in the order 404, 428, 412, 422, 409."""
    row = faces.seen_to_change(tx, actor, ref)
    check_version("the proposal", row.version, expected, given)
    if faults or content is None:
        raise Invalid("validation_failed", _said(faults), faults=faults)
    casework.open_to_edit(tx, row, now)
    if not proposals.change_proposal(tx, row.id, row.state, row.lock, {}):
        raise Conflict("changed_meanwhile", "Somebody else changed this proposal at the same time; read it again.")
    judged = faces.judge(tx, row.cycle_year, content, book, now)
    faces.show(tx, faces.own(row), (Side.IOM,), content, judged, None, now)
    after = audit.digest(canonical(as_json(without_contact(content))).decode())
    audit.record(tx, actor, "proposal.edit", ref, now, before=audit.digest(row.content), after=after)


def described(tx: Tx, actor: Actor, ref: str, book: Rulebook, now: Now) -> tuple[Record, bytes]:
    """The proposal as this actor sees it: its row and its JSON, the stored texts spliced in unparsed."""
    row = faces.seen(tx, actor, ref)
    head = {
        **_listed(row),
        "snapshot": row.snapshot,
        "moves": casework.options_for(tx, actor, row, book, now),
        "decision": papers.in_force(tx, row) if row.state not in _UNDECIDED else None,
    }
    spliced = f',"screening":{row.screening},"content":{faces.content_text(row)}}}'
    return row, encode(head)[:-1] + spliced.encode()


_UNDECIDED = (State.DRAFT, State.SUBMITTED, State.UNDER_REVIEW, State.RECOMMENDED)


def _listed(row: Record) -> dict[str, Any]:
    return {
        "ref": row.ref,
        "cycle": row.cycle_year,
        "office": row.office_code,
        "state": row.state,
        "title": row.title,
        "requested": row.requested_dkk,
        "outcome": row.outcome,
        "total": row.total_tenths / 10,
        "deadline": row.deadline_on.isoformat() if row.deadline_on else None,
        "version": row.version,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def listed(tx: Tx, actor: Actor, wanted: Wanted) -> tuple[list[dict[str, Any]], tuple[Any, int] | None]:
    """One page of proposals, and where the next one begins (None at the end)."""
    rows = listing.list_proposals(tx, actor, wanted)
    page = rows[: wanted.limit]
    following = None
    if len(rows) > wanted.limit:
        last = page[-1]
        following = (last.total_tenths if wanted.by_total else last.updated_at, last.id)
    return [_listed(row) for row in page], following


def screening_of(tx: Tx, actor: Actor, ref: str, book: Rulebook, now: Now) -> bytes:
    """The screening of the content this actor sees: the stored result of a snapshot, or today's of working content."""
    return screening_on(tx, faces.seen(tx, actor, ref), book, now)


def screening_on(tx: Tx, row: Record, book: Rulebook, now: Now) -> bytes:
    """As `screening_of`, of a proposal that was read already."""
    if row.snapshot is not None:
        stored = submissions.snapshot_of(tx, row.id, row.snapshot)
        if stored is not None:
            return str(stored.result).encode()
    return faces.judge(tx, row.cycle_year, stored_content(row.content), book, now).raw


def history_of(tx: Tx, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """Every step of a proposal, oldest first: who, what, when, from where to where, and why."""
    return steps_of(tx, actor, faces.seen(tx, actor, ref))


def steps_of(tx: Tx, actor: Actor, row: Record) -> list[dict[str, Any]]:
    """As `history_of`, of a proposal that was read already."""
    return [
        {
            "number": step.number,
            "at": step.at,
            "event": step.event,
            "from": step.source,
            "to": step.target,
            "by": {"role": step.role, "name": step.person_name} if step.role else {"role": "system", "name": None},
            "reason": step.reason if actor.side is Side.MFA or step.event in _TOLD_TO_IOM else None,
            "deadline": step.deadline_on.isoformat() if step.deadline_on else None,
            "snapshot": step.snapshot,
        }
        for step in proposals.history_of(tx, row.id)
    ]


# Whose reasons are written for IOM; what the MFA says among itself about other steps stays there.
_TOLD_TO_IOM = frozenset(Event) - {Event.START_REVIEW, Event.RECOMMEND, Event.CLOSE}


def snapshots_of(tx: Tx, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """Number, time, SHA-256 and outcome of every snapshot, oldest first."""
    return snapshots_on(tx, faces.seen(tx, actor, ref))


def snapshots_on(tx: Tx, row: Record) -> list[dict[str, Any]]:
    """As `snapshots_of`, of a proposal that was read already."""
    return [
        {
            "number": one.number,
            "taken_at": one.taken_at,
            "sha256": one.sha256,
            "outcome": one.outcome,
            "total": one.total_tenths / 10,
        }
        for one in submissions.snapshots_of(tx, row.id)
    ]


def snapshot_of(tx: Tx, actor: Actor, ref: str, number: int) -> bytes:
    """One snapshot with its content and the whole screening result, the stored texts spliced in."""
    row = faces.seen(tx, actor, ref)
    one = submissions.snapshot_of(tx, row.id, number)
    if one is None:
        raise NotFound("snapshot_not_found", f"{ref} has no snapshot {number}.")
    head = {"number": one.number, "taken_at": one.taken_at, "sha256": one.sha256}
    spliced = f',"screening":{one.result},"content":{faces.content_text(one)}}}'
    return encode(head)[:-1] + spliced.encode()


def compared(tx: Tx, actor: Actor, ref: str, number: int, against: int | None) -> dict[str, Any]:
    """What changed between two snapshots, field by field; the one before unless another is named."""
    return compared_on(tx, faces.seen(tx, actor, ref), number, against)


def compared_on(tx: Tx, row: Record, number: int, against: int | None) -> dict[str, Any]:
    """As `compared`, of a proposal that was read already."""
    other = against if against is not None else number - 1
    kept, contents = submissions.contents_among(tx, row.id, (other, number)), []
    for one in (other, number):
        if one not in kept:
            raise NotFound("snapshot_not_found", f"{row.ref} has no snapshot {one}.")
        contents.append(json.loads(kept[one]))
    return {"snapshot": number, "against": other, "changes": differences(*contents)}
