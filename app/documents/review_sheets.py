"""The yearly review as a workbook: money, proposals, coverage, payments, reports, results, evaluations."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.documents.spreadsheet import Column, Kind, Sheet, workbook
from app.documents.words import words
from app.domain.cycle import noon_of

Said = Mapping[str, Any]
Words = Mapping[str, str]


def review_workbook(said: Said, language: str) -> bytes:
    """The workbook of what `services.yearly.review` says, in English or Danish."""
    w, on = words(language), date.fromisoformat(said["on"])
    sheets = [make(said, w) for make in (_money, _proposals, _coverage, _payments, _reports, _results, _evaluations)]
    return workbook(w["review"].format(year=said["year"]), sheets, noon_of(on), w["total"])


def _dkk(name: str, total: bool = False) -> Column:
    return Column(f"{name} (DKK)", Kind.DKK, total)


def _money(said: Said, w: Words) -> Sheet:
    names = {"amount": "envelope"} | {key: key for key in ("requested", "approved", "agreed", "paid", "available")}
    rows = [[w[name], said["envelope"][key]] for key, name in names.items()] if said["envelope"] else []
    return Sheet(w["money"], [Column(str(said["year"])), _dkk(w["amount"])], rows)


def _proposals(said: Said, w: Words) -> Sheet:
    columns = [Column(w[key]) for key in ("proposal", "subject", "office", "state", "criteria")]
    rows = [
        [
            *(one[key] for key in ("ref", "title", "office")),
            w[f"state_{one['state']}"],
            " ".join(one["addresses"]),
            *(one[key] for key in ("requested", "approved")),
        ]
        for one in said["proposals"]
    ]
    return Sheet(w["proposals"], [*columns, _dkk(w["requested"], True), _dkk(w["approved"], True)], rows)


def _coverage(said: Said, w: Words) -> Sheet:
    columns = [Column(w["criterion"]), Column(w["proposals"], Kind.WHOLE), _dkk(w["requested"]), _dkk(w["approved"])]
    named = [*((f"{one['letter']} {one['title']}", one) for one in said["criteria"])]
    named += [(f"{w['region']}: {one['name']}", one) for one in said["regions"]]
    rows = [[name, *(one[key] for key in ("proposals", "requested", "approved"))] for name, one in named]
    return Sheet(w["coverage"], columns, rows)


def _payments(said: Said, w: Words) -> Sheet:
    columns = [Column(w["proposal"]), Column(w["tranche"], Kind.WHOLE), Column(w["due"], Kind.DATE), Column(w["state"])]
    rows = [
        [
            *(one[key] for key in ("ref", "number")),
            date.fromisoformat(one["due_on"]),
            w[f"payment_{one['state']}"],
            *(one[key] for key in ("amount", "difference")),
        ]
        for one in said["payments"]
    ]
    return Sheet(w["tranches"], [*columns, _dkk(w["amount"], True), _dkk(w["difference"])], rows)


def _reports(said: Said, w: Words) -> Sheet:
    columns = [Column(w["proposal"]), Column(w["due"], Kind.DATE), Column(w["state"]), Column(w["lessons"])]
    lessons = {one["ref"]: one["text"] for one in said["lessons"]}
    rows = [
        [one["ref"], date.fromisoformat(one["due_on"]), _report_state(one, w), lessons.get(one["ref"])]
        for one in said["reports"]
    ]
    return Sheet(w["reports"], columns, rows)


def _report_state(one: Said, w: Words) -> str:
    state = w[f"report_{one['state']}"] if one["state"] else w["not_reported"]
    return f"{state}, {w['overdue']}" if one["overdue"] else state


def _results(said: Said, w: Words) -> Sheet:
    columns = [*(Column(w[key]) for key in ("proposal", "indicator", "unit"))]
    columns += [Column(w[key], Kind.SCORE) for key in ("baseline", "target", "value")]
    rows = [
        [proposal["ref"], *(one[key] for key in ("code", "unit", "baseline", "target", "value", "reported"))]
        for proposal in said["results"]
        for one in proposal["indicators"]
    ]
    return Sheet(w["results"], [*columns, Column(w["year"], Kind.WHOLE)], rows)


def _evaluations(said: Said, w: Words) -> Sheet:
    columns = [Column(w["evaluation_of"]), Column(w["state"])]
    columns += [Column(w[key], Kind.WHOLE) for key in ("open_actions", "overdue_actions")]
    rows = [[one["title"], w[f"stage_{one['stage']}"], one["open"], one["overdue"]] for one in said["evaluations"]]
    return Sheet(w["evaluations"], columns, rows)
