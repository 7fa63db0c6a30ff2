"""Moves: the one function that changes a state, and the verbs that lead to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.db import Record, Tx
from app.domain.assessment import mandatory_met
from app.domain.cycle import return_deadline
from app.domain.envelope import Kind, over_request
from app.domain.people import Actor, Side
from app.domain.proposal import Content, filled, missing_to_submit, requested_by_year
from app.domain.rulebook import Rulebook
from app.domain.workflow import Event, Facts, Maker, State, check_role, choose_move, lines_of, named, options, refusals
from app.errors import Conflict, Fault, Forbidden, Invalid, Refusal, check_version
from app.notify import outbox
from app.records import agreements, attachments, consultations, cycles, proposals
from app.records import review as review_records
from app.services import audit, envelopes, faces, reporting, review
from app.services.clock import Now

EDITABLE = (State.DRAFT, State.RETURNED)
TABLED = (State.RECOMMENDED, State.DEFERRED)
HOLDING_MONEY = (State.APPROVED, State.AGREED, State.DISBURSED)


@dataclass(frozen=True, slots=True)
class Request:
    """A move as asked for: `named` are the members sent, `faults` what is wrong with them, `expected` the known version."""

    move: str
    reason: str | None = None
    deadline: date | None = None
    recommendation: str | None = None
    memo: str | None = None
    named: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()
    expected: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What goes into the history beside states and time."""

    actor: Actor | None
    reason: str | None = None
    deadline: date | None = None
    snapshot: int | None = None


def facts_for(tx: Tx, row: Record, actor: Actor, book: Rulebook, now: Now) -> Facts:
    """All that guards look at when this person asks, as things stand in this transaction."""
    state, window = State(row.state), cycles.window_of(cycles.existing_cycle(tx, row.cycle_year))
    judged = state in (State.UNDER_REVIEW, *TABLED)
    assessed = review_records.assessments_of(tx, row.id, row.snapshots) if judged else []
    done = sum(1 for one in assessed if one.completed_at)
    mandatory = frozenset(one.letter for one in book.criteria.criteria if one.mandatory)
    return Facts(
        today=now.today,
        window_open=window.is_open(now.today),
        window_sentence=window.sentence(row.cycle_year, now.today),
        deadline_on=row.deadline_on,
        returned_by_screening=row.returned_by == "screening",
        lapsed_on=proposals.lapse_day(tx, row.id) if state is State.CANCELLED else None,
        missing=faces.missing_of(row) if state in EDITABLE else (),
        conflicted=proposals.has_conflict(tx, row.id, actor.id),
        assessments=done,
        assessments_needed=book.framework.assessments_needed,
        mandatory_met=bool(done) and mandatory_met(review.consolidated(assessed), mandatory),
        final_accepted=state is State.DISBURSED and reporting.final_accepted(tx, row.id),
        payments_open=state is State.DISBURSED and agreements.has_open(tx, row.id),
        has_assessed=judged and review_records.has_assessed(tx, row.id, actor.id),
    )


def make_move(tx: Tx, actor: Actor, ref: str, request: Request, book: Rulebook, now: Now) -> None:
    """Make the move a person asks for. Refuses in the order 404, 403, 412, 422, 409, with every reason at once."""
    row = faces.seen_to_change(tx, actor, ref)
    if "proposals:write" not in actor.scopes:
        raise Forbidden("scope_missing", "This needs a token with the scope proposals:write.")
    if request.move in set(Event):
        check_role(Event(request.move), actor.role)
    check_version("the proposal", row.version, request.expected)
    if not request.move:
        raise Invalid("validation_failed", "The request does not say which move.", faults=request.faults)
    event = named(request.move)
    faults = [*request.faults, *_lacking(event, request, now)]
    content = faces.working_content(row) if event is Event.SUBMIT and row.state in EDITABLE else None
    if content:
        faults += missing_to_submit(content)
    if faults:
        raise Invalid("validation_failed", f"'{event}' cannot be made with what was sent.", faults=faults)
    _lapse_first(tx, row, now)
    facts = replace(facts_for(tx, row, actor, book, now), recommendation=request.recommendation)
    move = choose_move(State(row.state), event, actor.role, facts)
    if content:
        _submit(tx, actor, row, content, book, now)
        return
    changes: dict[str, Any] = {"deadline_on": None, "returned_by": None}
    if event is Event.RETURN:
        changes = {"deadline_on": request.deadline, "returned_by": "mfa"}
    if event is Event.RECOMMEND:
        recommended = {"snapshot": row.snapshots, "verdict": request.recommendation, "memo": request.memo}
        own = {"proposal_id": row.id, "person_id": actor.id, "at": now.at, "reason": request.reason}
        review_records.add_recommendation(tx, recommended | own)
    if event is Event.ADMIT:
        proposals.show_snapshot_to_iom(tx, row.id, row.snapshots)
    step = Step(actor, request.reason, changes["deadline_on"], row.snapshots or None)
    proposals.touch_faces(tx, row.id, now.at)
    advance(tx, row, event, move.target, step, now, changes)


def table_refusals(
    row: Record, event: Event, amounts: dict[int, int], requested: Mapping[int, int], over: dict[int, str], facts: Facts
) -> list[Refusal]:
    """What refuses a consultation's decision on a proposal, by the facts of whom it asks; `over` says which years overrun."""
    wanted = over_request(requested, amounts)
    whole = replace(
        facts,
        over_request=tuple(wanted.values()),
        over_envelope=tuple(said for year, said in over.items() if amounts.get(year)),
    )
    return refusals(State(row.state), event, whole, Maker.CONSULTATION)


def _lacking(event: Event, request: Request, now: Now) -> list[Fault]:
    """What the move needs and the request lacks: a reason, a deadline that is still to come."""
    unread = request.named if request.faults else frozenset()
    lacking = [need for need in lines_of(event)[0].needs if not getattr(request, need) and need not in unread]
    found = [Fault(f"/{need}", "required", f"'{event}' needs a {need}.") for need in lacking]
    if request.deadline and request.deadline < now.today:
        found.append(Fault("/deadline", "in_the_past", f"The deadline must not lie before today, {now.today}."))
    return found


def _lapse_first(tx: Tx, row: Record, now: Now) -> None:
    """A proposal whose deadline has passed lapses before any other move; that stays, whatever is answered."""
    if row.state in EDITABLE and row.deadline_on < now.today:
        lapse(tx, row, now)
        code = "window_closed" if row.state == State.DRAFT else "deadline_passed"
        message = f"The deadline was {row.deadline_on}; today is {now.today}. The proposal has lapsed."
        raise Conflict(code, message, refusals=[Refusal(code, message)], settled=True)


def _submit(tx: Tx, actor: Actor, row: Record, content: Content, book: Rulebook, now: Now) -> None:
    """Snapshot, screening and move in one: `submitted` when eligible, else `returned` with time to come again."""
    whole = filled(content)
    judged = faces.judge(tx, row.cycle_year, whole, book, now)
    number = faces.keep_snapshot(tx, row, actor, whole, judged, now)
    envelopes.enter(tx, Kind.REQUESTED, row.id, number, requested_by_year(whole), actor, now)
    attachments.submit_with(tx, row.id, number)
    faces.show(tx, faces.own(row), Side, whole, judged, number, now)
    told: dict[str, Any] = {"screening": _in_words(judged.result), "total": judged.result["total"]}
    if judged.result["outcome"] == "eligible":
        changes: dict[str, Any] = {"deadline_on": None, "returned_by": None}
        advance(tx, row, Event.SUBMIT, State.SUBMITTED, Step(actor, snapshot=number), now, changes, told)
        return
    window = cycles.window_of(cycles.existing_cycle(tx, row.cycle_year))
    deadline = return_deadline(window, now.today, book.framework.calendar.return_days_after_screening)
    reason = f"The screening found the proposal not eligible. {_why_not(judged.result)}"
    changes = {"deadline_on": deadline, "returned_by": "screening"}
    told |= {"reason": None}  # the notice says it in its reader's language
    advance(tx, row, Event.SUBMIT, State.RETURNED, Step(actor, reason, deadline, number), now, changes, told)


def _in_words(result: dict[str, Any]) -> dict[str, Any]:
    """A screening as a notice tells it: how each criterion came out, and every sentence on what is not met, with what helps."""
    named = ("letter", "title", "mandatory", "state", "earned", "possible")
    said = [one for one in result["checks"] if one["state"] != "met"]
    said += [one for criterion in result["criteria"] for one in criterion["indicators"] if one["state"] != "met"]
    return {
        "criteria": [{name: one[name] for name in named} for one in result["criteria"]],
        "remarks": [{"about": one["id"], "reason": one["reason"], "remedy": one["remedy"]} for one in said],
    }


def _why_not(result: dict[str, Any]) -> str:
    """The sentences of the checks and mandatory indicators that were not met."""
    said = [one["reason"] for one in result["checks"] if one["level"] == "error" and one["state"] != "met"]
    for criterion in result["criteria"]:
        if criterion["mandatory"]:
            said += [i["reason"] for i in criterion["indicators"] if i["required"] and i["state"] != "met"]
    return " ".join(said)


def lapse(tx: Tx, row: Record, now: Now) -> None:
    """Cancel a draft or returned proposal whose deadline has passed; its history keeps the deadline."""
    facts = Facts(today=now.today, deadline_on=row.deadline_on)
    move = choose_move(State(row.state), Event.LAPSE, None, facts)
    reason = f"The deadline {row.deadline_on} passed without a submission."
    step = Step(None, reason, row.deadline_on, row.snapshots or None)
    proposals.touch_faces(tx, row.id, now.at)
    told = {"reason": None}  # the notice says it in its reader's language
    advance(tx, row, Event.LAPSE, move.target, step, now, {"deadline_on": None}, told)


def lapse_overdue(tx: Tx, now: Now, limit: int = 500) -> int:
    """Lapse every draft and returned proposal that is late, and say how many there were: at start and hourly."""
    late = proposals.overdue(tx, now.today, limit)
    for row in late:
        lapse(tx, row, now)
    return len(late)


def advance(
    tx: Tx,
    row: Record,
    event: Event,
    target: State,
    step: Step,
    now: Now,
    changes: dict[str, Any],
    told: Mapping[str, Any] | None = None,
) -> None:
    """The only function that changes a state, or Conflict when someone was first.

    State, history, log entry and the notice owed are written together; what leaves the table or gives its money back does
    so here too. `told` is what the notice says beside reason and deadline.
    """
    number = row.moves + 1
    values = {**changes, "state": target, "moves": number}
    values["snapshots"] = step.snapshot or row.snapshots
    if not proposals.change_proposal(tx, row.id, row.state, row.lock, values):
        raise Conflict("changed_meanwhile", "Somebody else moved this proposal at the same time; read it again.")
    note(tx, row.id, number, event, row.state, target, step, now)
    if row.state in TABLED and lines_of(event)[0].maker is not Maker.CONSULTATION:
        _take_off(tx, row, step, now)
    if row.state in HOLDING_MONEY and target in (State.CANCELLED, State.CLOSED):
        envelopes.free(tx, row, step.actor, now)
        agreements.cancel_open(tx, row.id, now.at, step.reason or event)
    deadline = step.deadline.isoformat() if step.deadline else None
    kind = _TOLD_AS.get((event, State(row.state), target), event)
    said = {"step": number, "reason": step.reason, "deadline": deadline, **(told or {})}
    outbox.owe(tx, f"proposal.{kind}", row.ref, now.at, said, row.ref)
    facts: audit.Facts = {"from": row.state, "to": target, "snapshot": step.snapshot, "deadline": deadline}
    before = audit.digest({"state": row.state, "moves": row.moves})
    after = audit.digest({"state": target, "moves": number})
    audit.record(tx, step.actor, f"proposal.{event}", row.ref, now, facts, before, after)


def _take_off(tx: Tx, row: Record, step: Step, now: Now) -> None:
    """What leaves the table leaves the agenda that has it, with the decision recorded on it; the log says so."""
    number = consultations.take_off(tx, row.id)
    if number is not None:
        facts: audit.Facts = {"proposal": row.ref}
        audit.record(tx, step.actor, "consultation.take_off", f"consultation/{number}", now, facts)


# Moves that are told otherwise than by their name, by where they lead from and to.
_TOLD_AS = {
    **{(Event.SUBMIT, source, State.RETURNED): "screened_out" for source in EDITABLE},
    (Event.WITHDRAW, State.APPROVED, State.CANCELLED): "withdraw_approved",
}


def note(
    tx: Tx, proposal_id: int, number: int, event: str, source: str | None, target: str, step: Step, now: Now
) -> None:
    """Write one line of a proposal's history."""
    said = {"reason": step.reason, "deadline_on": step.deadline, "snapshot": step.snapshot}
    who = {"person_id": step.actor.id, "role": step.actor.role} if step.actor else {"person_id": None, "role": None}
    where = {"event": event, "source": source, "target": target}
    proposals.add_history(tx, {"proposal_id": proposal_id, "number": number, "at": now.at, **where, **who, **said})


def open_to_edit(tx: Tx, row: Record, now: Now) -> None:
    """Refuse an edit unless the proposal is a draft or returned, and in time."""
    _lapse_first(tx, row, now)
    if row.state not in EDITABLE:
        message = f"A proposal that is {row.state} cannot be edited; only a draft or a returned one can."
        raise Conflict("wrong_state", message, refusals=[Refusal("wrong_state", message)])


def options_for(tx: Tx, actor: Actor, row: Record, book: Rulebook, now: Now) -> list[dict[str, Any]]:
    """The moves this person may ever request here, each open or with every reason why it is not."""
    return options_in(facts_for(tx, row, actor, book, now), row, actor, now)


def options_in(facts: Facts, row: Record, actor: Actor, now: Now) -> list[dict[str, Any]]:
    """As `options_for`, out of what guards look at."""
    state = State(row.state)
    if state in EDITABLE and row.deadline_on < now.today:  # it lapses before any move
        state, facts = State.CANCELLED, replace(facts, lapsed_on=row.deadline_on)
    return [
        {
            "move": option.event,
            "allowed": option.allowed,
            "needs": list(option.needs),
            "refusals": [refusal.as_json() for refusal in option.refusals],
        }
        for option in options(state, actor.role, facts)
    ]
