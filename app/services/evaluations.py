"""Evaluations: planned and delivered by the desk, answered by the head of department, followed up until all is done."""

import json
from typing import Any

from app.db import Record, Tx
from app.domain.evaluation import Evaluation, answered, faults_of, overdue, stage
from app.domain.people import MFA, Actor, Role
from app.encoding import canonical
from app.errors import Forbidden, Invalid, NotFound, check_version, refuse_unless
from app.notify import outbox
from app.records import evaluations
from app.services import audit
from app.services.clock import Now

_INSIDE = MFA | {Role.AUDITOR}


def add(tx: Tx, actor: Actor, sent: Evaluation, now: Now) -> int:
    """Write an evaluation down; its number."""
    _check(actor, sent, None, now)
    content = _text(sent)
    values = {"content": content, "shared": sent.shared, "created_by": actor.id, "updated_at": now.at}
    number = evaluations.add(tx, values)
    audit.record(tx, actor, "evaluation.add", _name(number), now, _facts(sent), after=audit.digest(content))
    return number


def replace(
    tx: Tx, actor: Actor, number: int, sent: Evaluation, expected: frozenset[int] | None, given: bool, now: Now
) -> None:
    """Replace an evaluation. Refuses in the order 404, 428, 412, 422, 403 (the management response is the head's)."""
    row = _row(tx, actor, number)
    check_version("the evaluation", row.version, expected, given)
    before = _read(row)
    _check(actor, sent, before, now)
    content = _text(sent)
    values = {"content": content, "shared": sent.shared, "updated_at": now.at}
    changed = evaluations.replace(tx, number, row.version, values)
    refuse_unless(
        changed, "changed_meanwhile", "Somebody else changed this evaluation at the same time; read it again."
    )
    digests = audit.digest(row.content), audit.digest(content)
    audit.record(tx, actor, "evaluation.change", _name(number), now, _facts(sent), *digests)
    if stage(sent) != stage(before):
        outbox.owe(tx, f"evaluation.{stage(sent)}", _name(number), now.at, {"title": sent.title})


def _check(actor: Actor, sent: Evaluation, before: Evaluation | None, now: Now) -> None:
    faults = faults_of(sent, now.today)
    if faults:
        raise Invalid("validation_failed", "The evaluation does not go together.", faults=faults)
    kept = answered(before.recommendations) if before else {}
    if actor.role is not Role.MFA_HEAD and answered(sent.recommendations) != kept:
        said = (
            "The management response, and what it answers to, is the head of department's; "
            "the desk writes how far its actions have come."
        )
        raise Forbidden("response_is_the_heads", said)


def _facts(sent: Evaluation) -> audit.Facts:
    return {"kind": sent.kind, "stage": stage(sent), "shared": sent.shared}


def _text(sent: Evaluation) -> str:
    return canonical(sent.model_dump(mode="json")).decode()


def _read(row: Record) -> Evaluation:
    return Evaluation.model_validate_json(row.content)


def _name(number: int) -> str:
    return f"evaluation/{number}"


def _row(tx: Tx, actor: Actor, number: int) -> Record:
    row = evaluations.evaluation_of(tx, number)
    if row is None or not (row.shared or actor.role in _INSIDE):
        raise NotFound("evaluation_not_found", f"There is no evaluation {number} that you can see.")
    return row


def knock(tx: Tx, actor: Actor, number: int, expected: frozenset[int] | None, given: bool) -> None:
    """404, 428 and 412 before a body is even read."""
    check_version("the evaluation", _row(tx, actor, number).version, expected, given)


def described(tx: Tx, actor: Actor, number: int, now: Now) -> dict[str, Any]:
    """An evaluation with its stage and how many of its actions are overdue."""
    return _shown(_row(tx, actor, number), now)


def listed(tx: Tx, actor: Actor, now: Now) -> list[dict[str, Any]]:
    """The evaluations this actor sees, newest first."""
    return [_shown(row, now) for row in evaluations.listed(tx, shared_only=actor.role not in _INSIDE)]


def _shown(row: Record, now: Now) -> dict[str, Any]:
    said = _read(row)
    return {
        "id": row.id,
        "stage": stage(said),
        "overdue": len(overdue(said, now.today)),
        "evaluation": json.loads(row.content),
        "updated_at": row.updated_at,
        "version": row.version,
    }
