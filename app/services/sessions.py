"""Browser sessions on the server: begun at login under a new name, ended by time, by logout and by disabling."""

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from app.db import Record, Tx
from app.domain.people import SCOPES, Actor, Role
from app.errors import Unauthorized
from app.records import sessions
from app.services import audit
from app.services.clock import Now

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
UNFINISHED = timedelta(minutes=10)  # how long a login may take
SEEN = timedelta(minutes=1)  # how often it is written down that a session is in use


def begin_login(tx: Tx, person_id: int | None, state: dict[str, Any], old: str | None, now: Now) -> str:
    """The session of a login that is under way; it opens nothing. It remembers the one it is to take the place of."""
    known = {**state, "old": name_of(old).hex()} if old else state
    return _begin(tx, person_id, known, now, now.at)


def _begin(tx: Tx, person_id: int | None, state: dict[str, Any], now: Now, proved_at: datetime) -> str:
    """A new session: its secret, for the cookie; only its SHA-256 is kept."""
    secret = secrets.token_urlsafe(32)
    sessions.add(tx, name_of(secret), person_id, state, now.at, proved_at)
    return secret


def name_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def unfinished(tx: Tx, secret: str | None, step: str, now: Now) -> tuple[Record, dict[str, Any]]:
    """The session of a login that waits for this step, and what it knows; Unauthorized when there is none."""
    row = sessions.by_hash(tx, name_of(secret)) if secret else None
    state: dict[str, Any] = json.loads(row.state) if row else {}
    if row is None or state.get("step") != step or now.at - row.created_at > UNFINISHED:
        raise Unauthorized("login_expired", "This login has taken too long or was not begun here; begin again.")
    return row, state


def identify(tx: Tx, secret: str, now: Now, address: str | None) -> tuple[Actor, Record]:
    """The person logged in by this session, and its row; Unauthorized when it has ended, or the person is disabled."""
    row = sessions.by_hash(tx, name_of(secret))
    if row is None or row.person_id is None or row.disabled_at is not None or "step" in json.loads(row.state):
        raise Unauthorized("session_ended", "You are not logged in.")
    if now.at - row.seen_at > IDLE or now.at - row.created_at > LONGEST:
        raise Unauthorized("session_ended", "Your session has ended; log in again.")
    role = Role(row.role)
    countries = tuple(filter(None, (row.countries or "").split(" ")))
    scopes = frozenset(SCOPES[role])
    when = row.authenticated_at
    return Actor(row.id, row.name, role, row.office_code, countries, scopes, None, when, address), row


def spend(tx: Tx, sha256: bytes, state: dict[str, Any]) -> None:
    """Note that a login under way has had its answer: the same answer is not taken twice."""
    sessions.set_state(tx, sha256, state)


def seen(tx: Tx, secret: str, now: Now) -> None:
    """Write down that a session is in use."""
    sessions.touch(tx, name_of(secret), now.at)


def log_in(
    tx: Tx,
    person_id: int,
    old: str | None,
    means: str,
    now: Now,
    address: str | None,
    proved_at: datetime | None = None,
) -> str:
    """Begin the session of a person who has proved who they are; the one the login came in with, and its forerunner, end."""
    if old:
        row = sessions.by_hash(tx, name_of(old))
        forerunner = json.loads(row.state).get("old") if row else None
        sessions.end(tx, name_of(old))
        if forerunner:
            sessions.end(tx, bytes.fromhex(forerunner))
    secret = _begin(tx, person_id, {}, now, min(proved_at or now.at, now.at))
    actor, _ = identify(tx, secret, now, address)
    audit.record(tx, actor, "login", f"user/{person_id}", now, {"means": means})
    return secret


def log_out(tx: Tx, secret: str, now: Now, address: str | None) -> None:
    """End a session; it is gone for whoever else holds its cookie too."""
    row = sessions.by_hash(tx, name_of(secret))
    if sessions.end(tx, name_of(secret)) and row is not None and row.person_id is not None:
        actor = Actor(row.person_id, row.name, Role(row.role), address=address)
        audit.record(tx, actor, "logout", f"user/{row.person_id}", now)
