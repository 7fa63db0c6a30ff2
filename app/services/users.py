"""People: added, changed, disabled, erased. A person is referred to by id everywhere, so that a name can go."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.db import Record, Tx
from app.domain.people import SCOPES, Actor, Role
from app.errors import Conflict, Fault, Invalid, NotFound, Unauthorized
from app.records import audit as audit_records
from app.records import consultations, evaluations, feeds, idempotency, meetings, people, proposals, sessions
from app.records import webhooks as webhook_records
from app.records.people import Wanted
from app.services import access, audit, logins, webhooks
from app.services.clock import Now
from app.services.provider import Identity

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ATOM = r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]{1,64}"  # RFC 5322 but for `=` and `?`, of which encoded words are made
_EMAIL = re.compile(rf"(?=.{{3,254}}$){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
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
    person_id = people.add_person(tx, name, email, role, office, now.at)
    if person_id is None:
        raise Conflict("email_taken", "Somebody has this e-mail address already.")
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
    """Change a person's name, role and office, or disable or enable them. Disabling ends all they hold at once."""
    row = _known(tx, person_id)
    if row.email == _gone(person_id):
        raise Conflict("person_erased", "This person is erased; add them anew if they come back.")
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
        feeds.end(tx, person_id)
    if disabled or (new_role, new_office) != (row.role, row.office_code):
        webhooks.end_all(tx, actor, person_id, now)
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
    consultations.erase_name(tx, row.name)
    meetings.erase_name(tx, row.name)
    evaluations.erase_name(tx, row.name)
    idempotency.forget_saying(tx, person_id, (row.email, row.name))
    people.forget(tx, person_id)
    people.revoke_tokens(tx, person_id, now.at)
    webhook_records.blank(tx, person_id)
    webhooks.end_all(tx, actor, person_id, now)
    people.blank_labels(tx, person_id)
    proposals.blank_conflicts(tx, person_id)
    gone = {"name": ERASED, "email": _gone(person_id), "disabled_at": row.disabled_at or now.at}
    people.change_person(tx, person_id, gone)
    audit_records.forget_addresses(tx, person_id)
    audit.record(tx, actor, "user.erase", f"user/{person_id}", now)


def _gone(person_id: int) -> str:
    """What stands in the place of an erased person's address."""
    return f"erased-{person_id}"


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


def first_admin(tx: Tx, name: str, email: str, now: Now) -> tuple[dict[str, Any], str]:
    """The first administrator with a token; refused when there is one, so that this works once only."""
    if people.any_admin(tx):
        raise Conflict("admin_exists", "There is an administrator already; they add everybody else.")
    made = add(tx, None, name, email, Role.ADMIN, None, now)
    _, secret = access.issue(tx, made["id"], "first administrator", SCOPES[Role.ADMIN], now)
    return made, secret


def set_password(tx: Tx, person_id: int, password_hash: str, now: Now) -> None:
    """Give a person a local account or a new password; their sessions end."""
    _known(tx, person_id)
    logins.set_password(tx, person_id, password_hash)
    sessions.end_all(tx, person_id)
    audit.record(tx, None, "user.password", f"user/{person_id}", now)


def everybody(tx: Tx) -> Iterator[dict[str, Any]]:
    """Everybody who has an account, by number."""
    after = 0
    while True:
        page, following = listed(tx, 200, after)
        yield from page
        if following is None:
            return
        after = following


def listed(tx: Tx, limit: int, after: int, wanted: Wanted | None = None) -> tuple[list[dict[str, Any]], int | None]:
    """One page of people by number."""
    rows = people.all_people(tx, limit, after, wanted)
    return [_described(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None


def names(tx: Tx, numbers: Iterable[int]) -> dict[int, str]:
    """Number -> name, of those there are."""
    return people.names(tx, numbers)


def from_provider(tx: Tx, who: Identity, now: Now) -> int:
    """The person an identity provider tells of: known by issuer and subject, else one an administrator has prepared, else new.

    Groups decide the role at every login. A role that acts for an office must have been prepared with it.
    """
    row = people.identity_of(tx, who.issuer, who.subject)
    if row is None:
        row = _prepared_or_new(tx, who, now)
    if row.disabled_at is not None:
        raise Unauthorized("person_disabled", "This account is disabled.")
    if row.role != who.role:
        if who.role in OFFICE_KIND or row.office_code:
            raise Unauthorized("role_needs_office", "An administrator has to give this account its office.")
        people.change_person(tx, row.id, {"role": who.role})
        people.revoke_tokens(tx, row.id, now.at)
        webhooks.end_all(tx, None, row.id, now)
        feeds.end(tx, row.id)
        audit.record(tx, None, "user.change", f"user/{row.id}", now, {"role": who.role, "by": "identity provider"})
    return int(row.id)


def _prepared_or_new(tx: Tx, who: Identity, now: Now) -> Record:
    known = people.person_by_email(tx, who.email) if who.email else None
    if known is not None:
        if not who.email_verified or people.has_identity(tx, known.id) or known.role != who.role:
            raise Unauthorized(
                "account_taken", "Another account has this address; an administrator has to sort it out."
            )
        person_id = known.id
    elif who.role in OFFICE_KIND:
        raise Unauthorized("role_needs_office", "An administrator has to add this account with its office first.")
    else:
        email = (who.email or f"{who.subject}@{who.issuer.partition('://')[2]}")[:320]
        new = people.add_person(tx, who.name, email, who.role, None, now.at)
        if new is None:
            raise Unauthorized(
                "account_taken", "Another account has this address; an administrator has to sort it out."
            )
        person_id = new
        audit.record(tx, None, "user.add", f"user/{person_id}", now, {"role": who.role, "by": "identity provider"})
    people.add_identity(tx, person_id, who.issuer, who.subject)
    return _known(tx, person_id)
