"""What is told as open data: what is final and public of agreed proposals, nothing of people, nothing of the future."""

import json
from datetime import date, datetime
from typing import Any

from app.db import Record, Tx
from app.documents.iati import document, framework_activity, proposal_activity
from app.domain.cycle import day_of
from app.domain.envelope import share
from app.domain.framework import Framework
from app.records import agreements, proposals
from app.records import cycles as cycle_records
from app.services import envelopes, extracts, results
from app.services.clock import Now
from app.services.rulebooks import Library

_STATUS = {"agreed": "2", "disbursed": "2", "closed": "4", "cancelled": "5"}
_CLIMATE = ("climate_adaptation", "disaster_risk_reduction")


def activities(tx: Tx, library: Library, address: str, now: Now) -> bytes:
    """An IATI 2.03 file: the framework and every proposal whose agreement is signed, by reference.

    Its time is that of the newest change in it: the same state gives the same bytes. Documents are public extracts, at `address`.
    """
    framework, codes = library.current.framework, library.iati
    rows = [row for row in proposals.signed(tx) if not library.withholds(row.ref)]
    public = {
        one["ref"]: f"{address}/api/v1/extracts/{one['ref']}/pdf?language=en" for one in extracts.published(tx, library)
    }
    whole = [
        proposal_activity(_proposal(tx, row, framework, codes, now) | {"document": public.get(row.ref)}, codes)
        for row in rows
    ]
    newest = _instant(max((row.updated_at for row in rows), default=now.at))
    children = [identifier(framework, row.ref) for row in rows]
    parent = framework_activity(_framework(tx, framework, children, newest), codes)
    return document([parent, *whole], newest)


def identifier(framework: Framework, ref: str | None = None) -> str:
    """`XM-DAC-3-1-<file number>` and for a proposal its year and number: stable for good."""
    tail = f"-{ref.removeprefix('DK-IOM-')}" if ref else ""
    return f"XM-DAC-3-1-{framework.file_number}{tail}"


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _framework(tx: Tx, framework: Framework, children: list[str], updated: str) -> dict[str, Any]:
    years = cycle_records.all_cycles(tx)
    return {
        "identifier": identifier(framework),
        "updated": updated,
        "title": framework.title,
        "source": framework.source.place,
        "file_number": framework.file_number,
        "start": date(years[0].year, 1, 1),
        "end": date(years[-1].year, 12, 31),
        "budgets": [
            {
                "status": "2" if row.status == "voted" else "1",
                "start": date(row.year, 1, 1),
                "end": date(row.year, 12, 31),
                "amount": row.amount_dkk,
                "on": date(row.year, 1, 1),
            }
            for row in years
            if row.amount_dkk
        ],
        "children": children,
    }


def _proposal(tx: Tx, row: Record, framework: Framework, codes: dict[str, Any], now: Now) -> dict[str, Any]:
    kept = agreements.agreement_of(tx, row.id)
    assert kept, "what is told is signed"
    text = json.loads(kept.text)
    content = json.loads(row.content)
    signed_on = day_of(kept.signed_at)
    start, end = (date.fromisoformat(text["period"][name]) for name in ("start", "end"))
    dates = [("1", start), *([("2", max(start, signed_on))] if max(start, signed_on) <= now.today else []), ("3", end)]
    return {
        "identifier": identifier(framework, row.ref),
        "parent": identifier(framework),
        "updated": _instant(row.updated_at),
        "ref": row.ref,
        "title": text["title"],
        "summary": content["summary"],
        "status": "4" if row.state == "disbursed" and end < now.today else _STATUS[row.state],
        "dates": dates,
        "countries": _shares(_by_country(content)),
        "sectors": _shares(_by_sector(content, codes["sectors"])),
        "markers": _markers(content, codes),
        "gender_marker": content["gender_marker"],
        "budgets": [
            _budget(year, amount, start, end, signed_on)
            for year, amount in envelopes.approved_of(tx, row.id).items()
            if amount
        ],
        "transactions": _transactions(tx, row, signed_on),
        "conditions": text["conditions"],
        "results": _results(tx, row, content, start, end),
    }


def _by_country(content: dict[str, Any]) -> dict[str, int]:
    weights: dict[str, int] = {}
    for activity in content["activities"]:
        for code, part in zip(
            activity["countries"], share(activity["amount"], [1] * len(activity["countries"])), strict=True
        ):
            weights[code] = weights.get(code, 0) + part
    return weights


def _by_sector(content: dict[str, Any], sectors: dict[str, str]) -> dict[str, int]:
    weights: dict[str, int] = {}
    for activity in content["activities"]:
        code = sectors[activity["type"]]
        weights[code] = weights.get(code, 0) + activity["amount"]
    return weights


def _shares(weights: dict[str, int]) -> list[tuple[str, str]]:
    """Percentages with two decimals that add up to 100 exactly; evenly where nothing has a weight."""
    even = list(weights.values()) if any(weights.values()) else [1] * len(weights)
    parts = share(10_000, even)
    return [(code, f"{part // 100}.{part % 100:02d}") for code, part in zip(weights, parts, strict=True) if part]


def _markers(content: dict[str, Any], codes: dict[str, Any]) -> list[tuple[str, str]]:
    gender = codes["gender_significance"].get(content["gender_marker"])
    climate = any(activity["type"] in _CLIMATE for activity in content["activities"])
    adaptation = "2" if climate and 4 in content["priority_areas"] else "1" if climate else "0"
    return [*([("1", gender)] if gender else []), ("7", adaptation)]


def _budget(year: int, amount: int, start: date, end: date, on: date) -> dict[str, Any]:
    """A year's amount over the part of the year that lies in the period, or the whole year where none does."""
    first, last = max(date(year, 1, 1), start), min(date(year, 12, 31), end)
    if first > last:
        first, last = date(year, 1, 1), date(year, 12, 31)
    return {"status": "2", "start": first, "end": last, "amount": amount, "on": on}


def _transactions(tx: Tx, row: Record, signed_on: date) -> list[dict[str, Any]]:
    """The commitment as it stands, then what was released; nothing of the future can be there."""
    found = []
    agreed = sum(envelopes.approved_of(tx, row.id).values())
    if agreed:
        found.append({"ref": f"{row.ref}-C", "type": "2", "on": signed_on, "amount": agreed})
    found += [
        {"ref": f"{row.ref}-D{one.number}", "type": "3", "on": day_of(one.released_at), "amount": one.amount_dkk}
        for one in agreements.payments_of(tx, row.id)
        if one.released_at is not None
    ]
    return found


def _results(tx: Tx, row: Record, content: dict[str, Any], start: date, end: date) -> list[dict[str, Any]]:
    """Every indicator with baseline and target, and for each accepted report the value it came to."""
    found = []
    for indicator in results.so_far(tx, row, content):
        periods: list[tuple[date, date, str | None]] = [
            (max(date(int(year), 1, 1), start), min(date(int(year), 12, 31), end), _number(value))
            for year, value in indicator["values"].items()
        ]
        found.append(
            {
                "code": indicator["code"],
                "unit": indicator["unit"],
                "start": start,
                "baseline": _number(indicator["baseline"]),
                "target": _number(indicator["target"]),
                "periods": periods or [(start, end, None)],
            }
        )
    return found


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)
