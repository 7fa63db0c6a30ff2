"""Tokens: issued, shown once, stored as a hash, and turned back into the person who acts."""

import hashlib
import re
import secrets
import string
import zlib
from datetime import timedelta

from app.db import Tx
from app.domain.people import IOM, Actor, Role
from app.errors import Unauthorized
from app.records import people
from app.services.clock import Now

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(r"earmark_([0-9A-Za-z]{31})([0-9A-Za-z]{6})")
LONGEST = timedelta(days=365)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="earmark"'}


def scopes_of(role: Role) -> tuple[str, ...]:
    """Every scope a token of that role can carry."""
    if role in IOM:
        return ("proposals:read", "proposals:write", "screenings")
    if role in (Role.MFA_REVIEWER, Role.MFA_HEAD):
        return ("proposals:read", "proposals:write", "screenings")
    return ("admin", "screenings") if role is Role.ADMIN else ("proposals:read", "screenings")


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


def issue(tx: Tx, person_id: int, role: Role, label: str, now: Now, lifetime: timedelta = LONGEST) -> str:
    """Give a person a token with every scope of the role. It is returned once; only its SHA-256 is kept."""
    token = make_token()
    digest = hashlib.sha256(token.encode()).digest()
    expires = now.at + min(lifetime, LONGEST)
    people.add_token(tx, person_id, label, digest, " ".join(scopes_of(role)), now.at, expires)
    return token


def token_hash(header: str | None) -> bytes:
    """The hash to look a bearer token up by, or Unauthorized when the header holds none that can be one."""
    scheme, _, token = (header or "").partition(" ")
    if not header or scheme.lower() != "bearer":
        raise Unauthorized("token_missing", "Send a bearer token in the Authorization header.", headers=_CHALLENGE)
    form = _FORM.fullmatch(token.strip())
    if not form or _checksum(form[1]) != form[2]:
        raise Unauthorized("token_invalid", "This is no token of ours.", headers=_CHALLENGE)
    return hashlib.sha256(form[0].encode()).digest()


def identify(tx: Tx, digest: bytes, now: Now) -> Actor:
    """The person behind a token that is known, not expired, not revoked, and whose owner is not disabled."""
    row = people.token_by_hash(tx, digest)
    if row is None or row.revoked_at is not None or row.disabled_at is not None or row.expires_at <= now.at:
        raise Unauthorized("token_invalid", "This token is unknown, expired or revoked.", headers=_CHALLENGE)
    return people.actor_of(row)
