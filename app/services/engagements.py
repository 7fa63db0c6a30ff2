"""Danish engagements and what others tell of theirs: the register's file, and activities imported from IATI files."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.db import Record, Tx
from app.documents.iati_faults import printable
from app.documents.iati_reading import LONGEST, Activity, read_activities
from app.domain.engagement import Entry
from app.errors import Fault, Invalid
from app.records import engagements
from app.services import audit
from app.services.clock import Now

_KEPT = ("title", "summary", "countries", "sectors", "start_on", "end_on", "reporting_ref", "reporting_name", "status")


@dataclass(frozen=True, slots=True)
class Told:
    """A file that was read: its name, its SHA-256, what it tells."""

    file: str
    sha256: str
    activities: list[Activity]


@dataclass(slots=True)
class Imported:
    """What an import came to: identifiers by what became of them, and how many activities have none to be kept by."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    nameless: int = 0


def read(name: str, raw: bytes) -> Told:
    """What an IATI 2.03 file tells; Invalid names every fault. Takes seconds for a large file, and no database."""
    activities = read_activities(raw)
    _check_identifiers(activities)
    return Told(printable(name), hashlib.sha256(raw).hexdigest(), activities)


def keep(tx: Tx, told: Told, now: Now) -> Imported:
    """Keep every activity as its file tells it now, and log the import."""
    source = {"imported_at": now.at, "file": told.file, "file_sha256": told.sha256}
    rows = {one.identifier: _row(one) for one in told.activities if one.identifier}
    known = engagements.known(tx, rows)
    done, new = Imported(nameless=len(told.activities) - len(rows)), []
    for identifier, row in rows.items():
        there = known.get(identifier)
        if there is None:
            new.append({"iati_identifier": identifier, **row, **source})
            done.added.append(identifier)
        elif row == {column: getattr(there, column) for column in _KEPT}:
            done.unchanged.append(identifier)
        else:
            engagements.change(tx, identifier, {**row, **source})
            done.updated.append(identifier)
    engagements.add(tx, new)
    facts: audit.Facts = {"added": len(new), "updated": len(done.updated), "unchanged": len(done.unchanged)}
    audit.record(tx, None, "engagements.import", f"engagements/{told.file[:100]}", now, facts, after=told.sha256)
    return done


def _check_identifiers(activities: Iterable[Activity]) -> None:
    """An identifier names one activity and can be kept."""
    faults, first = [], dict[str, int]()
    for one in activities:
        if len(one.identifier) > LONGEST:
            said = f"The identifier is longer than {LONGEST} characters, which is more than is kept here."
            faults.append(Fault("", "too_long", f"Line {one.line}: {said}"))
        elif one.identifier in first:
            said = f"{one.identifier} is another activity's identifier already, in line {first[one.identifier]}."
            faults.append(Fault("", "duplicate", f"Line {one.line}: {said}"))
        elif one.identifier:
            first[one.identifier] = one.line
    if faults:
        raise Invalid("iati_identifiers", "The activities of this file cannot be told apart.", faults=faults[:50])


def _row(one: Activity) -> dict[str, Any]:
    return {
        "title": one.title,
        "summary": one.summary,
        "countries": json.dumps(one.countries),
        "sectors": json.dumps(one.sectors, ensure_ascii=False),
        "start_on": one.start,
        "end_on": one.end,
        "reporting_ref": one.reporting_ref,
        "reporting_name": one.reporting_name,
        "status": one.status,
    }


def listed(
    tx: Tx, register: list[Entry], country: str | None, limit: int, after: int
) -> tuple[list[dict[str, Any]], int | None]:
    """One page: the register in its order, then what was imported; and the number after which the next page begins.

    An entry that was imported too is told as imported. A register entry's number is its place, an imported one's lies
    behind them all.
    """
    said = known_entries(tx, register)
    own = [
        (number, _entry(one))
        for number, one in enumerate(said, 1)
        if one and number > after and country in (None, *one.countries)
    ][: limit + 1]
    rows = engagements.page(tx, country, max(after - len(said), 0), limit - len(own)) if len(own) <= limit else []
    numbered = [*own, *((len(said) + row.id, _imported(row)) for row in rows)]
    page = numbered[:limit]
    return [one for _, one in page], page[-1][0] if len(numbered) > limit else None


def everything(tx: Tx, register: list[Entry], country: str | None) -> Iterator[dict[str, Any]]:
    """What `listed` tells, page after page."""
    after: int | None = 0
    while after is not None:
        items, after = listed(tx, register, country, 200, after)
        yield from items


def known_entries(tx: Tx, register: list[Entry]) -> list[Entry | None]:
    """The register, each entry in its place; None where what was imported says the same activity better."""
    named = [one.iati_identifier for one in register if one.iati_identifier]
    imported = engagements.known(tx, named) if named else {}
    return [None if one.iati_identifier in imported else one for one in register]


def _entry(one: Entry) -> dict[str, Any]:
    more = {"reporting_org": None, "status": None, "imported_at": None, "sha256": None}
    return {**one.model_dump(mode="json"), **more}


def _imported(row: Record) -> dict[str, Any]:
    return {
        "iati_identifier": row.iati_identifier,
        "title": row.title,
        "countries": json.loads(row.countries),
        "start": _day(row.start_on),
        "end": _day(row.end_on),
        "sectors": json.loads(row.sectors),
        "summary": row.summary,
        "source": row.file,
        "reporting_org": {"ref": row.reporting_ref, "name": row.reporting_name},
        "status": row.status,
        "imported_at": row.imported_at,
        "sha256": row.file_sha256,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
