"""The outbox: what people must be told, addressed and written in the transaction that made it true, read by delivery later.

Who reads it is settled here, when it happens; how it reads is settled when it is sent, from what is frozen here.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import orjson

from app.db import Tx
from app.domain.cycle import COPENHAGEN
from app.domain.people import Role, Side
from app.encoding import canonical
from app.notify.notices import AT_ONCE, NOTICES, SILENT, Calendar, Group, Notice
from app.records import notices, webhooks

MAIL, HOOK = "mail", "webhook"
ROLES = {
    Group.FOCAL_POINTS: Role.IOM_FOCAL_POINT,
    Group.REVIEWERS: Role.MFA_REVIEWER,
    Group.HEADS: Role.MFA_HEAD,
    Group.FINANCE: Role.MFA_FINANCE,
    Group.MISSION: Role.MISSION,
}
_SIGNER = {Side.MFA: Role.MFA_HEAD, Side.IOM: Role.IOM_FOCAL_POINT}
DIGEST_AT = time(7, 0)  # in Copenhagen


def owe(
    tx: Tx,
    kind: str,
    subject: str,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
    ref: str | None = None,
    to: Sequence[int] | None = None,
) -> None:
    """Owe a notice of something that happened to a subject, such as `payment/7`, of the proposal `ref`.

    Facts are what its texts say and must not need anything that can change: they are frozen here. `to` are the people it
    is for where that is fewer than the table says.
    """
    frozen = {**_about(tx, ref or subject), **(facts or {})}
    number = notices.add(tx, kind, subject, ref, canonical(frozen).decode(), at)
    ends = SILENT[kind] if kind in SILENT else NOTICES[kind].ends
    if ends:
        notices.supersede(tx, subject, ends, number)
    if kind in SILENT:
        return
    said = NOTICES[kind]
    readers = readers_of(tx, said, subject, frozen) if to is None else list(to)
    known = notices.readers(tx, readers)
    rows = [
        _message(number, MAIL, at, known[one], said)
        | {"person_id": one, "addressed_role": known[one].role, "addressed_office": known[one].office_code}
        for one in readers
        if not (said.reminder and known[one].reminders is False)
    ]
    hooks = [] if said.private else webhooks.subscribed(tx, kind, readers)
    rows += [_message(number, HOOK, at, None, said) | {"webhook_id": one} for one in hooks]
    notices.add_messages(tx, rows)


def owe_webhook(tx: Tx, kind: str, subject: str, webhook: int, at: datetime, facts: Mapping[str, Any]) -> int:
    """Owe one webhook, and nobody else, a notice; the message's number."""
    number = notices.add(tx, kind, subject, None, canonical(facts).decode(), at)
    row = _message(number, HOOK, at, None, NOTICES[kind]) | {"webhook_id": webhook}
    notices.add_messages(tx, [row])
    return notices.number_of(tx, row["uid"])


def _message(number: int, channel: str, at: datetime, wish: Any, said: Notice) -> dict[str, Any]:
    due = next_digest(at) if wish is not None and wish.digest and said.kind not in AT_ONCE else at
    to = dict.fromkeys(("person_id", "webhook_id", "addressed_role", "addressed_office"))
    return {"notice_id": number, "channel": channel, "uid": secrets.token_hex(16), "next_at": due, **to}


def roles_told(kind: str) -> frozenset[Role]:
    """The roles that are told of a kind whatever it concerns."""
    return frozenset(ROLES[group] for group in NOTICES[kind].to if group in ROLES)


def next_digest(at: datetime) -> datetime:
    """The next 7 o'clock in Copenhagen after an instant."""
    local = at.astimezone(COPENHAGEN)
    day = local.date() + timedelta(days=local.time() >= DIGEST_AT)
    return datetime.combine(day, DIGEST_AT, COPENHAGEN).astimezone(at.tzinfo)


def _about(tx: Tx, ref: str) -> dict[str, Any]:
    """What every message about a proposal names; nothing for other subjects."""
    row = notices.proposal_head(tx, ref)
    if row is None:
        return {}
    named = {"ref": row.ref, "title": row.title, "office": row.office_code, "office_name": row.office_name}
    return {**named, "cycle": row.cycle_year, "countries": orjson.loads(row.content).get("countries", [])}


def readers_of(tx: Tx, said: Notice, subject: str, facts: Mapping[str, Any]) -> list[int]:
    """The numbers of the people a notice is for, each once, in the order of its groups."""
    found: dict[int, None] = {}
    for group in said.to:
        found |= dict.fromkeys(invited(tx, subject) if group is Group.INVITED else _of_group(tx, group, facts))
    return list(found)


def invited(tx: Tx, subject: str) -> list[int]:
    """Who holds an invitation to a meeting, or will once what waits is sent; what was taken back untried counts for nothing."""
    told = notices.told_of(tx, subject)
    last = {row.person_id: NOTICES[row.kind].invitation for row in told if NOTICES[row.kind].invitation}
    return [one for one, calendar in last.items() if calendar is Calendar.INVITE]


def take_back_untried(tx: Tx, subject: str, concerned: Sequence[int]) -> None:
    """Take back invitations to a meeting that nobody tried to send yet, of those whom it does not concern any more."""
    kinds = [one.kind for one in NOTICES.values() if one.invitation is Calendar.INVITE]
    notices.drop_untried(tx, subject, kinds, concerned, "The meeting does not concern the reader any more.")


def _of_group(tx: Tx, group: Group, facts: Mapping[str, Any]) -> list[int]:
    if group in ROLES:
        return notices.by_role(tx, [ROLES[group]])
    if group is Group.SUBMITTER:
        return notices.submitters(tx, facts["ref"])
    if group is Group.OWNER:
        return notices.enabled(tx, facts["owner"])
    if group is Group.OFFICE:
        offices = [facts["office"]] if "office" in facts else facts.get("offices", [])
        return [one for office in offices for one in notices.by_role(tx, [Role.IOM_OFFICE], office)]
    if group is Group.EMBASSIES:
        return notices.embassies(tx, [one["code"] for one in facts.get("countries", [])])
    waiting = [side for side in Side if side != facts.get("signed_by")]
    return notices.by_role(tx, [_SIGNER[side] for side in waiting])
