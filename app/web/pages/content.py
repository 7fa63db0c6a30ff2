"""The content of a proposal, whole and readable: every field under its own heading, its route on a map, its money by year."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from app.documents import africa, charts
from app.domain.people import IOM
from app.domain.rulebook import Rulebook
from app.services import workspace
from app.services.casework import EDITABLE
from app.services.dashboard import STAGES, stops_of
from app.web.pages.labels import CODES, FIELDS
from app.web.pages.language import _, translator
from app.web.pages.queue import TONES
from app.web.pages.rendering import language_for, page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
# The furthest stage a country is at says its colour; the letters on it say all of them.
FILLS = dict(zip(STAGES, ("#9cc2e8", charts.MID, charts.DARK), strict=True))
LETTERS = {"origin": _("O"), "transit": _("T"), "destination": _("D")}
HIGH, MIDDLING = 12, 6  # likelihood x impact, 1 to 25


@router.get("/proposals/{ref}/content")
async def show_content(ref: str, request: Request) -> Response:
    actor, here = await caller(request), house(request)
    found = await here.database.read(lambda tx: workspace.head(tx, actor, ref))
    content, book = found.content, here.book
    return page(
        request,
        "content.html",
        row=found.row,
        content=content,
        found=found,
        tone=TONES[found.row.state],
        fields=FIELDS,
        codes=CODES,
        letters=LETTERS,
        map=_map(content.get("countries") or (), language_for(request)),
        off_map=[one["code"] for one in content.get("countries") or () if not africa.on_map(one["code"])],
        budget=_budget(content.get("budget") or ()),
        refs=_refs(content.get("activities") or ()),
        risk_tone=_risk_tone,
        titles=_titles(book),
        criteria=book.criteria.criteria,
        replaceable=actor.role in IOM and found.row.state in EDITABLE,
    )


def _map(countries: Sequence[Mapping[str, Any]], language: str) -> str | None:
    """The map of a proposal's countries; None where it names none."""
    if not countries:
        return None
    say = translator(language)
    fills = {one["code"]: FILLS[_furthest(one["stages"])] for one in countries}
    marks = [africa.Mark(one["code"], _letters(one["stages"], language)) for one in countries]
    title = say(_("The countries along the route"))
    desc = say(_("A map of Africa: the letters O, T and D mark countries of origin, transit and destination."))
    return africa.draw("map", title, desc, fills, marks, [africa.Line(stops_of(countries), "")])


def _furthest(stages: Sequence[str]) -> str:
    return max(stages, key=STAGES.index)


def _letters(stages: Sequence[str], language: str) -> str:
    say = translator(language)
    return "".join(say(LETTERS[stage]) for stage in STAGES if stage in stages)


def _budget(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The budget by category and year, with every sum in whole DKK."""
    years = sorted({line["year"] for line in lines})
    cells: dict[str, dict[int, int]] = {}
    for line in lines:
        row = cells.setdefault(line["category"], dict.fromkeys(years, 0))
        row[line["year"]] += line["amount"]
    sums = {year: sum(row[year] for row in cells.values()) for year in years}
    return {"years": years, "rows": cells, "sums": sums, "whole": sum(sums.values())}


def _refs(activities: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Country -> the references of the activities that take place there."""
    found: dict[str, list[str]] = {}
    for one in activities:
        for code in one["countries"]:
            found.setdefault(code, []).append(one["ref"])
    return found


def _risk_tone(risk: Mapping[str, Any]) -> str:
    weight = risk["likelihood"] * risk["impact"]
    return "bad" if weight >= HIGH else "wait" if weight >= MIDDLING else "good"


def _titles(book: Rulebook) -> dict[str, str]:
    """The titles of priority areas, by their number, and of outcomes and indicators, by their codes."""
    areas = {str(area.number): area.title for area in book.framework.priority_areas}
    outcomes = {outcome.code: outcome.title for outcome in book.annex.outcomes}
    indicators = {
        one.code: one.title
        for outcome in book.annex.outcomes
        for output in outcome.outputs
        for one in output.indicators
    }
    operational = {one.code: one.title for one in book.annex.operational}
    gender = {one.code: one.title for one in book.annex.gender}
    return areas | outcomes | indicators | operational | gender
