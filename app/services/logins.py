"""Local accounts, where there is no identity provider: password (argon2id) and one-time codes, each used once.

Guessing is counted per account and per address before anything is compared; hashing runs outside transactions.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass

import argon2
import pyotp

from app.db import Tx
from app.errors import TooManyRequests, Unauthorized
from app.records import logins as login_records
from app.records import people
from app.services import audit
from app.services.clock import Now

ATTEMPTS, WINDOW = 10, 300
RECOVERY_CODES = 10
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_STEP = 30


def _nobodys() -> str:
    """A hash that no password fits and that takes as long to compare: an unknown account is answered as a known one."""
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}${salt}${digest}"


_NOBODYS = _nobodys()


@dataclass(frozen=True, slots=True)
class Known:
    """What is needed to check a password outside a transaction."""

    person_id: int | None
    password_hash: str


def count_attempt(tx: Tx, kind: str, account: str, address: str | None, now: Now) -> None:
    """Count one attempt for the account, and for the address if given; beyond ten in five minutes TooManyRequests."""
    began = int(now.at.timestamp()) // WINDOW * WINDOW
    names = [f"{kind}:{hashlib.sha256(account.lower().encode()).hexdigest()[:40]}"]
    names += [f"login@{address}"] if address else []
    counts = [login_records.count(tx, name, began) for name in names]
    if max(counts) > ATTEMPTS:
        wait = began + WINDOW - int(now.at.timestamp())
        if max(counts) == ATTEMPTS + 1:
            audit.record(tx, None, "login.limited", "login", now, address=address)
        said = f"Too many attempts. Wait {wait} seconds and try again."
        raise TooManyRequests("too_many_attempts", said, headers={"Retry-After": str(wait)}, settled=True)


def known(tx: Tx, email: str) -> Known:
    """The account of an e-mail address; for one there is none of, a hash that no password fits."""
    person = people.person_by_email(tx, email) if email.isprintable() else None
    row = people.person_of(tx, person.id) if person else None
    login = login_records.login_of(tx, row.id) if row and row.disabled_at is None else None
    return Known(login.person_id, login.password_hash) if login else Known(None, _NOBODYS)


def fits(account: Known, password: str) -> bool:
    """Whether the password is the account's; takes some 30 ms and 19 MiB, so it belongs into a thread."""
    try:
        _HASHER.verify(account.password_hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return account.person_id is not None


def refuse(tx: Tx, account: Known, step: str, now: Now, address: str | None) -> None:
    """Write down a failed attempt and refuse it; what was wrong is not said."""
    subject = f"user/{account.person_id}" if account.person_id else "user"
    audit.record(tx, None, "login.refused", subject, now, {"step": step}, address=address)
    raise Unauthorized("login_refused", "That did not match. Check what you entered and try again.", settled=True)


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def set_password(tx: Tx, person_id: int, password_hash: str) -> None:
    """Give a person a local account, or a new password; an enrolled second factor stays."""
    login_records.put_login(tx, person_id, {"password_hash": password_hash})


def second_factor(tx: Tx, person_id: int) -> str | None:
    """The secret of a person's confirmed second factor."""
    row = login_records.login_of(tx, person_id)
    return str(row.totp_secret) if row and row.totp_confirmed else None


def new_secret() -> str:
    """A secret to put into an authenticator; it belongs to the login it is offered in and to nobody else's."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, email: str) -> str:
    """The address a QR code holds for an authenticator."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Earmark"))


def use_code(tx: Tx, person_id: int, code: str, now: Now) -> str | None:
    """Use a one-time or recovery code of a confirmed second factor, once; which of the two it was, None if it does not fit."""
    row = login_records.login_of(tx, person_id)
    if row is None or not row.totp_confirmed:
        return None
    step = _step_of(row.totp_secret, code, now)
    if step is not None:
        return "one-time code" if login_records.use_step(tx, person_id, step) else None
    used = login_records.use_recovery_code(tx, person_id, _recovery_hash(_cleaned(code)), now.at)
    return "recovery code" if used else None


def _cleaned(code: str) -> str:
    return "".join(code.split()).upper().replace("-", "")[:40]


def _step_of(secret: str, code: str, now: Now) -> int | None:
    """The step of the clock whose code this is; one step to either side is let pass."""
    current, totp = int(now.at.timestamp()) // _STEP, pyotp.TOTP(secret)
    for step in (current, current - 1, current + 1):
        if secrets.compare_digest(totp.generate_otp(step).encode(), _cleaned(code).encode()):
            return step
    return None


def confirm_second_factor(tx: Tx, person_id: int, secret: str, code: str, now: Now) -> list[str] | None:
    """Take a second factor into use for a person who has none; the recovery codes, shown once. None when it does not fit."""
    step = _step_of(secret, code, now)
    if step is None or not login_records.confirm_login(tx, person_id, secret, step):
        return None
    codes = [base64.b32encode(secrets.token_bytes(10)).decode() for _ in range(RECOVERY_CODES)]
    login_records.put_recovery_codes(tx, person_id, [_recovery_hash(code) for code in codes])
    audit.record(tx, None, "login.enrolled", f"user/{person_id}", now)
    return ["-".join(code[i : i + 4] for i in range(0, 16, 4)) for code in codes]


def _recovery_hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
