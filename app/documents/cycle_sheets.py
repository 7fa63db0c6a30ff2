"""The workbook of a cycle: proposals, criteria, budgets, coverage, money, and what it all means."""

from collections.abc import Mapping
from typing import Any

from app.documents.spreadsheet import Column, Kind, Sheet, workbook
from app.documents.words import words

Said = Mapping[str, Any]
Words = Mapping[str, str]


def cycle_workbook(said: Said, language: str) -> bytes:
    """The workbook of what `services.workbooks.of_cycle` says, in English or Danish."""
    w = words(language)
    sheets = [make(said, w) for make in (_proposals, _criteria, _budget, _coverage, _money, _read_me)]
    return workbook(w["workbook"].format(cycle=said["cycle"]), sheets, said["dated"], w["total"])


def _dkk(name: str, total: bool = True) -> Column:
    return Column(f"{name} (DKK)", Kind.DKK, total)


def _proposals(said: Said, w: Words) -> Sheet:
    columns = [
        *(Column(w[key]) for key in ("ref", "subject", "office", "sheet_state", "countries")),
        *(Column(w[key], Kind.DATE) for key in ("from", "to")),
        Column(w["screened"], Kind.SCORE),
        Column(w["outcome"]),
        *(_dkk(w[key]) for key in ("requested", "approved", "agreed", "paid")),
        Column(w["counted"]),
    ]
    rows = [
        [
            *(one[key] for key in ("ref", "title", "office")),
            w[f"state_{one['state']}"],
            "; ".join(one["countries"]),
            *(one[key] for key in ("start", "end", "total")),
            w[one["outcome"]],
            *(one[key] for key in ("requested", "approved", "agreed", "paid")),
            w["yes" if one["counted"] else "no"],
        ]
        for one in said["proposals"]
    ]
    return Sheet(w["proposals"], columns, rows)


def _criteria(said: Said, w: Words) -> Sheet:
    columns = [
        *(Column(w[key]) for key in ("ref", "sheet_letter", "criterion", "screening")),
        *(Column(w[key], Kind.WHOLE) for key in ("earned", "possible")),
        Column(w["consolidated"], Kind.SCORE),
        Column(w["verdict"]),
    ]
    verdicts = {True: w["met"], False: w["not_met"], None: None}
    rows = [
        [
            proposal["ref"],
            *(one[key] for key in ("letter", "title")),
            w[one["state"]],
            *(one[key] for key in ("earned", "possible", "mean")),
            verdicts[one["met"]],
        ]
        for proposal in said["proposals"]
        for one in proposal["criteria"]
    ]
    return Sheet(w["sheet_criteria"], columns, rows)


def _budget(said: Said, w: Words) -> Sheet:
    columns = [
        Column(w["ref"]),
        Column(w["year"], Kind.WHOLE),
        *(Column(w[key]) for key in ("category", "activity")),
        _dkk(w["amount"]),
    ]
    rows = [
        [proposal["ref"], line["year"], w[line["category"]], line["activity_ref"], line["amount"]]
        for proposal in said["proposals"]
        for line in proposal["budget"]
    ]
    return Sheet(w["budget"], columns, rows)


def _coverage(said: Said, w: Words) -> Sheet:
    """One row for every criterion, country and SRF outcome, one column for every proposal; no totals, for rows overlap."""
    covered = said["coverage"]
    refs = [one["ref"] for one in covered["proposals"]]
    columns = [
        *(Column(w[key]) for key in ("kind", "code", "name")),
        Column(w["number"], Kind.WHOLE),
        *(_dkk(w[key], total=False) for key in ("requested", "approved")),
        *(Column(ref) for ref in refs),
    ]
    things = [
        *((w["criterion"], one["letter"], one["title"], one) for one in covered["criteria"]),
        *((w["country"], one["code"], one["region"], one) for one in covered["countries"]),
        *((w["srf_outcome"], one["code"], one["title"], one) for one in covered["srf_outcomes"]),
    ]
    rows = [
        [kind, code, name, len(one["proposals"]), one["requested"], one["approved"]]
        + ["x" if ref in one["proposals"] else None for ref in refs]
        for kind, code, name, one in things
    ]
    return Sheet(w["sheet_coverage"], columns, rows)


def _money(said: Said, w: Words) -> Sheet:
    columns = [
        Column(w["year"], Kind.WHOLE),
        Column(w["status"]),
        *(_dkk(w[key]) for key in ("envelope", "available")),
        Column(w["committed"], Kind.PERCENT),
        *(_dkk(w[key]) for key in ("requested", "approved", "agreed", "paid")),
    ]
    rows = [
        [
            one["year"],
            w[one["status"]] if one["status"] else None,
            *(one[key] for key in ("amount", "available")),
            (one["amount"] - one["available"]) / one["amount"] if one["amount"] else None,
            *(one[key] for key in ("requested", "approved", "agreed", "paid")),
        ]
        for one in said["coverage"]["money"]
    ]
    return Sheet(w["sheet_money"], columns, rows)


def _read_me(said: Said, w: Words) -> Sheet:
    framework, rulebook, changed = said["framework"], said["rulebook"], said["money_changed_at"]
    named = [framework["title"], f"{w['finance_act']} {framework['finance_act_code']}"]
    moments = {"proposals": f"{said['dated']:%Y-%m-%d %H:%M}", "money": f"{changed:%Y-%m-%d %H:%M}" if changed else "-"}
    rows = [
        [w["about"], w["about_said"].format(cycle=said["cycle"])],
        [w["as_of"], w["as_of_said"].format(**moments)],
        [w["framework"], ", ".join([*named, f"{w['file']} {framework['file_number']}"])],
        [w["rulebook"], f"{rulebook['id']} {rulebook['version']}, SHA-256 {rulebook['sha256']}"],
        *([w[key], w[f"{key}_said"]] for key in ("figures", "counting", "grades", "totals")),
    ]
    return Sheet(w["read_me"], [Column(w["what"]), Column(w["said"])], rows)
