"""Doing a thing once: the key row comes first, in the transaction of the effect, and keeps the answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from app.db import Tx
from app.domain.people import Actor
from app.encoding import encode
from app.errors import AppError, Conflict, Invalid
from app.records import idempotency
from app.services.clock import Now


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with: status, JSON bytes, headers beyond the usual ones."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def once(tx: Tx, actor: Actor, key: str, request_sha256: bytes, now: Now, work: Callable[[], Answer]) -> Answer:
    """The answer of `work`, or the first answer again when this key and request have been here before."""
    if idempotency.claim(tx, actor.id, key, request_sha256, now.at):
        try:
            answer = work()
        except AppError as error:
            if error.settled:  # what it did stays, so its answer does too
                said = encode(error.as_problem())
                idempotency.keep_answer(tx, actor.id, key, error.status, json.dumps(error.headers), said)
            raise
        idempotency.keep_answer(tx, actor.id, key, answer.status, json.dumps(answer.headers), answer.body)
        return answer
    first = idempotency.answer_of(tx, actor.id, key)
    if first is None or first.status is None:
        raise Conflict("idempotency_key_in_use", "A request with this Idempotency-Key is being worked on; try again.")
    if first.request_sha256 != request_sha256:
        raise Invalid("idempotency_key_reused", "This Idempotency-Key came with another request before; use a new one.")
    return Answer(first.status, first.body, {**json.loads(first.headers), "Idempotent-Replayed": "true"})
