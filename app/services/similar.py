"""What a reviewer holds a proposal against: IOM's other proposals (criterion e) and Danish engagements (criterion g).

It shows what is shared and says nothing of what that means; the screening does not look here.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.db import Record, Tx
from app.domain.engagement import Entry
from app.domain.people import Actor
from app.domain.similar import months_in_common, shared
from app.records import engagements, proposals
from app.services import faces
from app.services.engagements import known_entries

MOST = 50


def of_proposal(tx: Tx, actor: Actor, ref: str, register: list[Entry]) -> dict[str, Any]:
    """Other proposals and engagements in the countries of what this reader sees of a proposal, most in common first."""
    return of_row(tx, actor, faces.seen(tx, actor, ref), register)


def of_row(tx: Tx, actor: Actor, row: Record, register: list[Entry]) -> dict[str, Any]:
    """As `of_proposal`, of a proposal that was read already."""
    content = json.loads(row.content)
    countries = [one["code"] for one in content["countries"]]
    others = proposals.in_countries(tx, actor, row.id, countries, MOST)
    named = {one["iati_identifier"] for one in content["synergies"] if one["iati_identifier"]}
    entries = _entries(tx, register, countries, named)
    found = [_engagement(one, content, countries, named) for one in entries]
    by_identifier = {one["iati_identifier"]: one for one in found if one["iati_identifier"]}
    near = [one for one in found if one["countries_shared"] or one["referred_to"]]
    return {
        "ref": row.ref,
        "criterion_e": {"activities": sorted((_activity(one, content, countries) for one in others), key=_nearest)},
        "criterion_g": {
            "engagements": sorted(near, key=_nearest)[:MOST],
            "synergies": [_synergy(one, by_identifier) for one in content["synergies"]],
        },
    }


def _nearest(one: dict[str, Any]) -> tuple[Any, ...]:
    """Most countries first, then kinds of activity, then months; what is equal in all stands by its name."""
    kinds = len(one.get("types_shared", ()))
    name = one.get("ref") or f"{one['title']} {one['iati_identifier'] or ''}"
    return -len(one["countries_shared"]), -kinds, -(one["period_overlap_months"] or 0), name


def _activity(row: Record, content: dict[str, Any], countries: list[str]) -> dict[str, Any]:
    other = json.loads(row.content)
    types = [one["type"] for one in content["activities"]]
    names = [one["reference"].casefold() for one in content["additionality"]["overlapping_projects"]]
    return {
        "ref": row.ref,
        "title": row.title,
        "state": row.state,
        "cycle": row.cycle_year,
        "countries_shared": shared(countries, (one["code"] for one in other["countries"])),
        "types_shared": shared(types, (one["type"] for one in other["activities"])),
        "period_overlap_months": _overlap(content, *(date.fromisoformat(other["period"][k]) for k in ("start", "end"))),
        "overlapping_projects_named": any(row.ref.casefold() in one or row.title.casefold() in one for one in names),
    }


@dataclass(frozen=True, slots=True)
class _Compared:
    """As much of an engagement, of the register or imported, as is held against a proposal."""

    iati_identifier: str | None
    title: str
    countries: list[str]
    start: date | None
    end: date | None


def _entries(tx: Tx, register: list[Entry], countries: Iterable[str], named: Iterable[str]) -> list[_Compared]:
    own = [
        _Compared(one.iati_identifier, one.title, [*one.countries], one.start, one.end)
        for one in known_entries(tx, register)
        if one
    ]
    imported = [
        _Compared(row.iati_identifier, row.title, json.loads(row.countries), row.start_on, row.end_on)
        for row in engagements.touching(tx, countries, named)
    ]
    return [*own, *imported]


def _engagement(one: _Compared, content: dict[str, Any], countries: list[str], named: set[str]) -> dict[str, Any]:
    return {
        "iati_identifier": one.iati_identifier,
        "title": one.title,
        "countries_shared": shared(countries, one.countries),
        "period_overlap_months": _overlap(content, one.start, one.end),
        "referred_to": one.iati_identifier in named,
    }


def _synergy(one: dict[str, Any], by_identifier: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A synergy as IOM claims it: `named` is IOM's word, `engagement` the entry its identifier is of."""
    return {
        "named": one["engagement"],
        "iati_identifier": one["iati_identifier"],
        "countries": one["countries"],
        "embassy_consulted": one["embassy_consulted"],
        "joint_action": one["joint_action"],
        "engagement": by_identifier.get(one["iati_identifier"]),
    }


def _overlap(content: dict[str, Any], start: date | None, end: date | None) -> int | None:
    """Whole months in common; None where an end is not known."""
    mine = content["period"]
    return months_in_common(date.fromisoformat(mine["start"]), date.fromisoformat(mine["end"]), start, end)
