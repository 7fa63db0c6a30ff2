"""Who would be told of things that are about to happen: reckoned from the notice table as the outbox does, and nothing written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.db import Record, Tx
from app.domain.people import Role
from app.notify.notices import NOTICES, Group
from app.notify.outbox import ROLES
from app.records import notices, webhooks


@dataclass(frozen=True, slots=True)
class Coming:
    """A notice that is about to be owed: its kind, and of which proposal where it is of one."""

    kind: str
    ref: str | None = None
    office: str | None = None
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """One message: of which notice, in which group its reader stands first; `name` of the person, or of the webhook's."""

    coming: Coming
    group: Group | None
    name: str


def told(tx: Tx, all_coming: Sequence[Coming]) -> list[Reader]:
    """Every message that these notices would come to, in three statements; a webhook's has no group."""
    people = notices.living(tx)
    submitters = notices.submitters_of(tx, [one.ref for one in all_coming if one.ref])
    hooks = webhooks.hearing(tx)
    found: list[Reader] = []
    for one in all_coming:
        readers: dict[int, Reader] = {}
        for group in NOTICES[one.kind].to:
            for person in _of_group(group, one, people, submitters):
                readers.setdefault(person.id, Reader(one, group, person.name))
        found += readers.values()
        found += [Reader(one, None, hook.name) for hook in _hooks(hooks, one.kind, readers, people)]
    return found


def _of_group(group: Group, one: Coming, people: Iterable[Record], submitters: Mapping[str, int]) -> list[Record]:
    if group in ROLES:
        return [person for person in people if person.role == ROLES[group]]
    if group is Group.SUBMITTER:
        return [person for person in people if one.ref and submitters.get(one.ref) == person.id]
    if group is Group.OFFICE:
        return [person for person in people if person.role == Role.IOM_OFFICE and person.office_code == one.office]
    if group is Group.EMBASSIES:
        wanted = set(one.countries)
        embassies = [person for person in people if person.role == Role.EMBASSY]
        return [person for person in embassies if wanted & set((person.countries or "").split(" "))]
    raise ValueError(f"{group} is told by what has happened, not by what is about to")


def _hooks(hooks: Iterable[Record], kind: str, readers: Mapping[int, Reader], people: Iterable[Record]) -> list[Record]:
    offices = {person.office_code for person in people if person.id in readers} - {None}
    return [
        hook
        for hook in hooks
        if webhooks.hears(hook, kind)
        and (hook.office_code in offices if hook.office_code else hook.person_id in readers)
    ]
