"""Offices: IOM's in countries and regions, Danish embassies with the countries they are accredited to, the mission."""

import re
from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor
from app.errors import Conflict, Fault, Invalid, NotFound, check_version
from app.records import people
from app.services import audit
from app.services.clock import Now

EMBASSY, MISSION = "embassy", "mission"
_CODE = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{1,39}")


def everyone(tx: Tx) -> list[dict[str, Any]]:
    """Every office: code, name, kind, the countries it is accredited to, how many people act for it."""
    return [_described(row) for row in people.offices(tx)]


def listed(tx: Tx, limit: int, after: str) -> tuple[list[dict[str, Any]], str | None]:
    """One page of offices by code."""
    rows = people.offices_after(tx, limit + 1, after)
    return [_described(row) for row in rows[:limit]], rows[limit - 1].code if len(rows) > limit else None


def add(tx: Tx, actor: Actor | None, code: str, name: str, kind: str, countries: list[str], now: Now) -> dict[str, Any]:
    """Add an office; its code and kind stay as they are. An embassy has the countries it is accredited to, an office of
    IOM those it works in, if any.
    """
    faults = _faults(kind, countries)
    if not _CODE.fullmatch(code):
        said = "A code has 2 to 40 letters, digits, dots, hyphens or underscores, and begins with a letter or digit."
        faults.append(Fault("/code", "not_a_code", said))
    if faults:
        raise Invalid("validation_failed", "The office cannot be added.", faults=faults)
    taken = {one.code.casefold() for one in people.offices(tx)}
    if code.casefold() in taken or not people.add_office(tx, code, name, kind, tuple(countries)):
        raise Conflict("code_taken", f"There is an office with the code {code} already.")
    audit.record(tx, actor, "office.add", f"office/{code}", now, {"kind": kind}, after=_digest(name, countries))
    return one(tx, code)


def change(
    tx: Tx,
    actor: Actor | None,
    code: str,
    name: str | None,
    countries: list[str] | None,
    expected: frozenset[int] | None,
    now: Now,
) -> dict[str, Any]:
    """Change an office's name or countries. An embassy sees the proposals of its new countries at once, and no others."""
    row = knock(tx, code, expected)
    new_name, new = name or row["name"], row["countries"] if countries is None else countries
    faults = _faults(row["kind"], new)
    if faults:
        raise Invalid("validation_failed", "The office cannot be changed so.", faults=faults)
    if (new_name, new) != (row["name"], row["countries"]):
        if not people.change_office(tx, code, row["version"], new_name, tuple(new)):
            raise Conflict("changed_meanwhile", "Somebody else changed this office at the same time; read it again.")
        before, after = _digest(row["name"], row["countries"]), _digest(new_name, new)
        audit.record(tx, actor, "office.change", f"office/{code}", now, {}, before, after)
    return one(tx, code)


def knock(tx: Tx, code: str, expected: frozenset[int] | None) -> dict[str, Any]:
    """An office as it is before it is changed; 404 where there is none, 412 at another version than expected."""
    row = one(tx, code)
    check_version("the office", row["version"], expected)
    return row


def one(tx: Tx, code: str) -> dict[str, Any]:
    """An office; NotFound where there is none."""
    row = people.office_of(tx, code)
    if row is None:
        raise NotFound("office_not_found", f"There is no office {code}.")
    return _described(row)


def _faults(kind: str, countries: list[str]) -> list[Fault]:
    if kind == EMBASSY and not countries:
        return [Fault("/countries", "required", "An embassy is accredited to at least one country.")]
    if kind == MISSION and countries:
        return [Fault("/countries", "not_wanted", "A mission is accredited to no country.")]
    return []


def _digest(name: str, countries: list[str]) -> str:
    return audit.digest({"name": name, "countries": countries})


def _described(row: Record) -> dict[str, Any]:
    named = {name: getattr(row, name) for name in ("code", "name", "kind", "members", "version")}
    return {**named, "countries": row.countries.split()}
