"""The dashboard: money by year, routes on a map, coverage, grades, where proposals stand; charts as pictures, lists as sheets."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.documents import africa, charts
from app.documents.words import words
from app.errors import Invalid, NotFound
from app.records.listing import Wanted
from app.services import dashboard, envelopes, intake
from app.services.dashboard import Overview
from app.web.api import money as money_api
from app.web.api import shapes
from app.web.pages import figures
from app.web.pages.language import _, translator
from app.web.pages.rendering import language_for, page
from app.web.pages.workspace import GRADES
from app.web.requests import caller, house
from app.web.sheets import MOST, sheet

router = APIRouter(include_in_schema=False)
SHADES = ("#dfeaf6", "#9cc2e8", "#5b99d3", "#0b4a8f")  # the more is requested, the darker
LINES = 8  # routes that are drawn; all are listed
MEDIAN = _("median %(n)s days")
LEGEND = (_("Paid"), _("Approved, not yet paid"), _("Requested, not approved"), _("Envelope"))
SAYS = {
    "money": (
        _("Money by year"),
        _(
            "A bar for each year: paid, approved and not yet paid, requested and not approved; a line marks the envelope."
        ),
    ),
    "map": (
        _("Routes and countries, cycle %(year)s"),
        _("A map of Africa: countries are the darker, the more is requested for them; numbered arrows are the routes."),
    ),
    "grades": (
        _("Grades by criterion, cycle %(year)s"),
        _("A bar for each criterion, parted by how often each grade from 0 to 4 was given."),
    ),
    "states": (
        _("Proposals by state, cycle %(year)s"),
        _("A bar for each state, as long as the number of proposals in it, with the median of days spent there."),
    ),
}


@router.get("/dashboard")
async def show_dashboard(request: Request) -> Response:
    """The cycle that the address names, the current one where it names none."""
    await caller(request)
    found = await _read(request)
    language = language_for(request)
    drawn = await asyncio.to_thread(lambda: {name: draw(found, language) for name, draw in DRAWN.items()})
    total = {key: sum(one[key] for one in found.envelopes) for key in (*_SUMMED, "amount")}
    return page(
        request,
        "dashboard.html",
        found=found,
        charts=drawn,
        says=SAYS,
        total=total,
        letters=[one["letter"] for one in found.coverage["criteria"]],
        countries=sorted(found.coverage["countries"], key=lambda one: -one["requested"]),
        grades=GRADES,
        lines=LINES,
    )


_SUMMED = ("requested", "approved", "agreed", "paid")


async def _read(request: Request) -> Overview:
    here = house(request)
    book, now = here.book, here.now()
    year = _year(request.query_params)
    return await here.database.read_long(lambda tx: dashboard.of_cycle(tx, year, book, now))


def _year(query: Mapping[str, str]) -> int | None:
    said = query.get("cycle", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) == 4 else None


def _said(name: str, found: Overview, language: str) -> tuple[str, str]:
    """A chart's title and description."""
    title, desc = map(translator(language), SAYS[name])
    return title % {"year": found.year}, desc


def _money(found: Overview, language: str) -> str:
    say = translator(language)
    years = [
        charts.Year(one["year"], one["amount"], one["requested"], one["approved"], one["paid"])
        for one in found.envelopes
    ]
    title, desc = _said("money", found, language)
    return charts.money("money", title, desc, years, [*map(say, LEGEND)], partial(figures.million, language=language))


def _map(found: Overview, language: str) -> str:
    title, desc = _said("map", found, language)
    lines = [africa.Line(one.stops, str(number)) for number, one in enumerate(found.routes[:LINES], 1)]
    return africa.draw("map", title, desc, _shades(found), lines=lines)


def _shades(found: Overview) -> dict[str, str]:
    asked = {one["code"]: one["requested"] for one in found.coverage["countries"] if one["requested"]}
    most = max(asked.values(), default=1)
    return {code: SHADES[min(len(SHADES) - 1, amount * len(SHADES) // most)] for code, amount in asked.items()}


def _grades(found: Overview, language: str) -> str:
    say = translator(language)
    title, desc = _said("grades", found, language)
    rows = [(f"{one['letter']}. {one['title']}", found.grades[one["letter"]]) for one in found.coverage["criteria"]]
    return charts.stacked("grades", title, desc, rows, [f"{grade} {say(said)}" for grade, said in GRADES.items()])


def _states(found: Overview, language: str) -> str:
    say, known = translator(language), words(language)
    title, desc = _said("states", found, language)
    median = say(MEDIAN)
    rows = [
        (
            known[f"state_{one.state}"].capitalize(),
            one.number,
            "" if one.days is None else median % {"n": f"{one.days:.0f}"},
        )
        for one in found.states
    ]
    return charts.bars("states", title, desc, rows)


DRAWN: dict[str, Callable[[Overview, str], str]] = {
    "money": _money, "map": _map, "grades": _grades, "states": _states,
}  # fmt: skip


@router.get("/dashboard/{name}.png")
async def show_picture(name: str, request: Request) -> Response:
    """A chart as it stands on the page, three times its size."""
    await caller(request)
    if name not in DRAWN:
        raise NotFound("chart_not_found", f"There is no chart '{name}'.")
    found, language = await _read(request), language_for(request)
    made = await asyncio.to_thread(lambda: charts.png(DRAWN[name](found, language), _said(name, found, language)[0]))
    return Response(made, 200, _saved(f"{name}-{found.year}.png"), "image/png")


def _saved(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept-Language, Cookie"}


@router.get("/dashboard/{name}.csv")
async def show_sheet(name: str, request: Request) -> Response:
    """A list of the API as a sheet: the proposals of the cycle, or the money of every year."""
    actor = await caller(request)
    database, now, asked = house(request).database, house(request).now(), _year(request.query_params)
    year, _years = await database.read(lambda tx: dashboard.chosen(tx, asked, now))
    if name == "money":
        return await sheet(request, money_api.EnvelopeOut, await database.read_long(envelopes.overview), "money")
    if name != "proposals":
        raise NotFound("list_not_found", f"There is no list '{name}'.")

    def read(tx: Tx) -> list[dict[str, Any]]:
        items, following = intake.listed(tx, actor, Wanted(cycle=year, limit=MOST))
        if following is not None:
            raise Invalid("too_many_rows", f"A sheet holds {MOST:,} rows and this list has more.")
        return items

    return await sheet(request, shapes.ListedProposal, await database.read_long(read), f"proposals-{year}")
