"""Tokens: issued, shown once, stored as a hash, turned back into the person who acts, revoked."""

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from app.db import Record, Tx
from app.domain.people import SCOPES, Actor, Role
from app.errors import Conflict, Fault, Forbidden, Invalid, NotFound, Refusal, Unauthorized
from app.records import people
from app.services import audit
from app.services.clock import Now

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(r"earmark_([0-9A-Za-z]{31})([0-9A-Za-z]{6})")
LONGEST = timedelta(days=365)
LIVE = 2  # a new token is tried out before the old one goes
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="earmark"'}


def _checksum(body: str) -> str:
    """CRC-32 of the body in six base62 digits."""
    number, digits = zlib.crc32(body.encode()), []
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def make_token() -> str:
    """A new token: 31 random base62 characters (184 bits) and a checksum that tells a typing error without a look-up."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(31))
    return f"earmark_{body}{_checksum(body)}"


def issue(
    tx: Tx, person_id: int, label: str, scopes: Iterable[str], now: Now, lifetime: timedelta = LONGEST
) -> tuple[int, str]:
    """Give a person a token: its id, and itself, which is returned once; only its SHA-256 is kept."""
    token = make_token()
    expires = now.at + min(lifetime, LONGEST)
    sha256 = hashlib.sha256(token.encode()).digest()
    return people.add_token(tx, person_id, label, sha256, " ".join(scopes), now.at, expires), token


def request_token(
    tx: Tx, actor: Actor, person_id: int | None, label: str, scopes: list[str] | None, days: int, now: Now
) -> dict[str, Any]:
    """Issue a token: for oneself with no more than one has, or as an administrator for anybody with their role's scopes."""
    owner = person_id or actor.id
    if owner != actor.id and not over_all(actor):
        raise NotFound("person_not_found", f"There is no person {person_id} that you can see.")
    beyond = [one for one in scopes or SCOPES[actor.role] if one not in actor.scopes]
    if owner == actor.id and actor.token_id and beyond:
        raise Forbidden("scope_missing", f"Your own token lacks {', '.join(beyond)}, so it cannot give it on.")
    parent = people.token_of(tx, actor.token_id) if owner == actor.id and actor.token_id else None
    until = parent.expires_at if parent else None
    return issue_for(tx, actor, owner, label, scopes, days, now, until)


def over_all(actor: Actor) -> bool:
    """Whether an actor deals with everybody's tokens and webhooks: an administrator, by a token with that scope."""
    return actor.role is Role.ADMIN and "admin" in actor.scopes


def issue_for(
    tx: Tx,
    actor: Actor | None,
    person_id: int,
    label: str,
    scopes: list[str] | None,
    days: int,
    now: Now,
    until: datetime | None = None,
) -> dict[str, Any]:
    """Issue a token with scopes of the person's role, all unless named, `until` at the latest. Two live ones a person."""
    owner = people.person_of(tx, person_id)
    if owner is None:
        raise NotFound("person_not_found", f"There is no person {person_id} that you can see.")
    if owner.disabled_at is not None:
        raise Conflict("person_disabled", "A disabled person gets no token.")
    allowed = SCOPES[Role(owner.role)]
    wanted = scopes if scopes is not None else list(allowed)
    faults = [
        Fault(f"/scopes/{i}", "scope_not_allowed", f"A token of {owner.role} can carry {', '.join(allowed)}.")
        for i, scope in enumerate(wanted)
        if scope not in allowed
    ]
    if faults:
        raise Invalid("validation_failed", "The token cannot be issued with these scopes.", faults=faults)
    if people.live_tokens(tx, owner.id, now.at) >= LIVE:
        said = f"There are {LIVE} tokens that work already; revoke one first."
        raise Conflict("too_many_tokens", said, refusals=[Refusal("too_many_tokens", said)])
    lifetime = min(timedelta(days=days), until - now.at) if until else timedelta(days=days)
    token_id, token = issue(tx, owner.id, label, wanted, now, lifetime)
    facts: audit.Facts = {"person": owner.id, "scopes": wanted, "days": days}
    audit.record(tx, actor, "token.issue", f"token/{token_id}", now, facts)
    row = people.token_of(tx, token_id)
    assert row
    return {**_described(row), "token": token}


def everyones(tx: Tx, person_id: int | None) -> list[dict[str, Any]]:
    """Every token, of one person or of all, without its secret."""
    return [_described(row) for row in people.tokens(tx, person_id, 10**6, 0)]


def listed(
    tx: Tx, actor: Actor, person_id: int | None, limit: int, after: int
) -> tuple[list[dict[str, Any]], int | None]:
    """One page of tokens without their secret: one's own, or for an administrator anybody's."""
    whose = person_id if over_all(actor) else actor.id
    rows = people.tokens(tx, whose, limit, after)
    return [_described(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None


def revoke(tx: Tx, actor: Actor | None, token_id: int, now: Now) -> None:
    """Revoke one's own token, or as an administrator anybody's; revoking it again changes nothing."""
    row = people.token_of(tx, token_id)
    if row is None or (actor and row.person_id != actor.id and not over_all(actor)):
        raise NotFound("token_not_found", f"There is no token {token_id} that you can see.")
    if people.revoke_token(tx, token_id, now.at):
        audit.record(tx, actor, "token.revoke", f"token/{token_id}", now, {"person": row.person_id})


def _described(row: Record) -> dict[str, Any]:
    return {
        "id": row.id,
        "person": row.person_id,
        "label": row.label,
        "scopes": row.scopes.split(" "),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "last_used_at": row.used_at,
    }


def token_hash(header: str | None) -> bytes:
    """The hash to look a bearer token up by, or Unauthorized when the header holds none that can be one."""
    scheme, _, token = (header or "").partition(" ")
    if not header or scheme.lower() != "bearer":
        raise Unauthorized("token_missing", "Send a bearer token in the Authorization header.", headers=_CHALLENGE)
    form = _FORM.fullmatch(token.strip())
    if not form or _checksum(form[1]) != form[2]:
        raise Unauthorized("token_invalid", "This is no token of ours.", headers=_CHALLENGE)
    return hashlib.sha256(form[0].encode()).digest()


def note_uses(tx: Tx, uses: dict[int, datetime]) -> None:
    """Write down when tokens were last used."""
    people.note_uses(tx, uses)


def identify(tx: Tx, digest: bytes, now: Now, address: str | None = None) -> Actor:
    """The person behind a token that is known, not expired, not revoked, and whose owner is not disabled."""
    row = people.token_by_hash(tx, digest)
    if row is None or row.revoked_at is not None or row.disabled_at is not None or row.expires_at <= now.at:
        raise Unauthorized("token_invalid", "This token is unknown, expired or revoked.", headers=_CHALLENGE)
    return people.actor_of(row, address)
