"""Imported activities as rows."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, insert, or_, select, update

from app.db import Record, Tx
from app.records.engagement_tables import engagement

_AT_ONCE = 500  # identifiers in one statement


def known(tx: Tx, identifiers: Iterable[str]) -> dict[str, Record]:
    """The activities there are among these identifiers, by identifier."""
    found: dict[str, Record] = {}
    asked = sorted(set(identifiers))
    for start in range(0, len(asked), _AT_ONCE):
        here = engagement.c.iati_identifier.in_(asked[start : start + _AT_ONCE])
        found |= {row.iati_identifier: row for row in tx.execute(select(engagement).where(here))}
    return found


def add(tx: Tx, rows: list[dict[str, Any]]) -> None:
    if rows:
        tx.execute(insert(engagement), rows)


def change(tx: Tx, identifier: str, values: dict[str, Any]) -> None:
    tx.execute(update(engagement).where(engagement.c.iati_identifier == identifier).values(values))


def page(tx: Tx, country: str | None, after: int, limit: int) -> list[Record]:
    """Activities in the order they were first imported, of one country or all, and one more if there is one."""
    query = select(engagement).where(engagement.c.id > after)
    if country is not None:
        query = query.where(_in(country))
    return list(tx.execute(query.order_by(engagement.c.id).limit(limit + 1)))


def touching(tx: Tx, countries: Iterable[str], identifiers: Iterable[str]) -> list[Record]:
    """Every activity in one of the countries or with one of the identifiers, as much of it as is compared."""
    columns = [engagement.c[name] for name in ("iati_identifier", "title", "countries", "start_on", "end_on")]
    here = or_(*map(_in, countries), engagement.c.iati_identifier.in_(sorted(set(identifiers))))
    return list(tx.execute(select(*columns).where(here).order_by(engagement.c.id)))


def _in(country: str) -> ColumnElement[bool]:
    return engagement.c.countries.contains(f'"{country}"', autoescape=True)
