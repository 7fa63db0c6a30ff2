"""People: added, changed, disabled, erased. A person is referred to by id everywhere, so that a name can go."""

import re
from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor, Role
from app.errors import Conflict, Fault, Invalid, NotFound
from app.records import audit as audit_records
from app.records import idempotency, people, proposals, sessions
from app.services import audit
from app.services.clock import Now

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,250}")
ERASED = "Erased person"
# The kind of office each role belongs to; the others belong to none.
OFFICE_KIND = {Role.IOM_OFFICE: "iom", Role.EMBASSY: "embassy", Role.MISSION: "mission"}


def add(tx: Tx, actor: Actor | None, name: str, email: str, role: Role, office: str | None, now: Now) -> dict[str, Any]:
    """Add a person. A role that acts for an office needs one of its kind, the others none."""
    faults = _office_faults(tx, role, office)
    if not _EMAIL.fullmatch(email):
        faults.append(Fault("/email", "not_an_address", "An e-mail address is needed."))
    if faults:
        raise Invalid("validation_failed", "The person cannot be added.", faults=faults)
    if people.person_by_email(tx, email) is not None:
        raise Conflict("email_taken", "Somebody has this e-mail address already.")
    person_id = people.add_person(tx, name, email, role, office, now.at)
    audit.record(tx, actor, "user.add", f"user/{person_id}", now, {"role": role, "office": office})
    return described(tx, person_id)


def _office_faults(tx: Tx, role: Role, office: str | None) -> list[Fault]:
    kind = OFFICE_KIND.get(role)
    if kind is None:
        return [Fault("/office", "office_not_wanted", f"{role} belongs to no office.")] if office else []
    if office is None or people.office_kind(tx, office) != kind:
        return [Fault("/office", "unknown_office", f"{role} needs an office of kind {kind}.")]
    return []


def change(
    tx: Tx,
    actor: Actor | None,
    person_id: int,
    name: str | None,
    role: Role | None,
    office: str | None,
    disabled: bool | None,
    now: Now,
) -> dict[str, Any]:
    """Change a person's name, role and office, or disable or enable them. Disabling ends sessions and tokens at once."""
    row = _known(tx, person_id)
    if actor and actor.id == person_id and (disabled or (role is not None and role != row.role)):
        raise Conflict("not_yourself", "Somebody else must disable you or change your role.")
    new_role = role or Role(row.role)
    new_office = office if office is not None else (row.office_code if new_role == row.role else None)
    faults = _office_faults(tx, new_role, new_office) if (role or office) else []
    if faults:
        raise Invalid("validation_failed", "The person cannot be changed.", faults=faults)
    values: dict[str, Any] = {"role": new_role, "office_code": new_office, "name": name or row.name}
    if disabled is not None:
        values["disabled_at"] = (row.disabled_at or now.at) if disabled else None
    people.change_person(tx, person_id, values)
    if disabled or new_role != row.role:
        sessions.end_all(tx, person_id)
        people.revoke_tokens(tx, person_id, now.at)
    facts: audit.Facts = {"role": new_role, "office": new_office, "disabled": values.get("disabled_at") is not None}
    event = "user.change" if disabled is None else "user.disable" if disabled else "user.enable"
    before = audit.digest({"role": row.role, "office": row.office_code})
    after = audit.digest({"role": new_role, "office": new_office})
    audit.record(tx, actor, event, f"user/{person_id}", now, facts, before, after)
    return described(tx, person_id)


def erase(tx: Tx, actor: Actor | None, person_id: int, now: Now) -> None:
    """Take a person's name, address and logins out of the database; what they did stays, under their number."""
    row = _known(tx, person_id)
    if actor and actor.id == person_id:
        raise Conflict("not_yourself", "Somebody else must erase you.")
    proposals.erase_contact(tx, row.email, row.name)
    idempotency.forget_saying(tx, person_id, (row.email, row.name))
    people.forget(tx, person_id)
    people.revoke_tokens(tx, person_id, now.at)
    gone = {"name": ERASED, "email": f"erased-{person_id}", "disabled_at": row.disabled_at or now.at}
    people.change_person(tx, person_id, gone)
    audit_records.forget_addresses(tx, person_id)
    audit.record(tx, actor, "user.erase", f"user/{person_id}", now)


def _known(tx: Tx, person_id: int) -> Record:
    row = people.person_of(tx, person_id)
    if row is None:
        raise NotFound("person_not_found", f"There is no person {person_id}.")
    return row


def described(tx: Tx, person_id: int) -> dict[str, Any]:
    return _described(_known(tx, person_id))


def _described(row: Record) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "role": row.role,
        "office": row.office_code,
        "disabled": row.disabled_at is not None,
        "created_at": row.created_at,
    }


def listed(tx: Tx, limit: int, after: int) -> tuple[list[dict[str, Any]], int | None]:
    """One page of people by number."""
    rows = people.all_people(tx, limit, after)
    return [_described(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None
