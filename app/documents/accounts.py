"""Papers that give account: the public extract of one proposal, and the yearly review of the whole portfolio."""

from datetime import date
from typing import Any

from app.documents import Paper, heading, items, table, text
from app.documents.papers import official
from app.documents.words import day, dkk, number, quantity, words
from app.domain.framework import Framework


def extract(said: dict[str, Any], framework: Framework, language: str) -> Paper:
    """One page on a proposal as `services.extracts.public` gives it: nothing of people in it."""
    w = words(language)
    start, end = (date.fromisoformat(said["period"][name]) for name in ("start", "end"))
    facts = [
        (w["route"], said["route"]),
        (w["countries"], ", ".join(said["countries"])),
        (w["period"], f"{day(start, language)} - {day(end, language)}"),
        (w["amount"], dkk(sum(said["amounts"].values()), language)),
        (w["state"], w[said["state"]]),
    ]
    rows = [[year, number(amount, language)] for year, amount in said["amounts"].items() if amount]
    blocks = [heading(w["aim"]), text(said["aim"])]
    blocks += [heading(w["money"]), table([w["year"], f"{w['amount']} (DKK)"], rows, 1), heading(w["results"])]
    blocks.append(_results(said["results"], language) if said["results"] else text(w["no_results"]))
    foot = w["foot_extract"].format(ref=said["ref"])
    dated = date.fromisoformat(said.get("dated") or said["released_on"])
    return official(framework, language, said["title"], dated, [one for one in facts if one[1]], blocks, foot, [])


def _results(results: list[dict[str, Any]], language: str) -> dict[str, Any]:
    w = words(language)
    rows = []
    for one in results:
        newest = max(one["values"], default=None)
        value = f"{quantity(one['values'][newest], language)} ({newest})" if newest else w["not_reported"]
        rows.append([_indicator(one), *(quantity(one[key], language) for key in ("baseline", "target")), value])
    return table([w["indicator"], w["baseline"], w["target"], w["value"]], rows, 3, ["1", "auto", "auto", "auto"])


def _indicator(one: dict[str, Any]) -> str:
    return f"{one['code']} ({one['unit']})" if one["unit"] else str(one["code"])


def review(said: dict[str, Any], framework: Framework, language: str) -> Paper:
    """The yearly review as `services.yearly.review` gives it; it stays within the ministry."""
    w, on = words(language), date.fromisoformat(said["on"])
    states = ", ".join(f"{w[f'state_{state}']} {count}" for state, count in said["states"].items())
    late = [
        f"{one['ref']}: {day(date.fromisoformat(one['due_on']), language)}" for one in said["reports"] if one["overdue"]
    ]
    blocks = [heading(w["money"]), _envelope(said["envelope"], language), heading(w["proposals"])]
    blocks.append(_proposals(said["proposals"], language) if said["proposals"] else text(w["none"]))
    blocks += [heading(w["coverage"]), _counts(said["criteria"], ("letter", "title"), w["criterion"], language)]
    blocks += [_counts(said["regions"], ("name",), w["region"], language)]
    blocks += (
        [heading(w["gaps"]), items([w[f"gap_{one['kind']}"].format(subject=one["subject"]) for one in said["gaps"]])]
        if said["gaps"]
        else []
    )
    blocks += [heading(w["tranches"]), _payments(said["payments"], language)]
    blocks += [heading(w["overdue_reports"]), items(late) if late else text(w["none"])]
    for one in said["results"]:
        newest = [{**each, "values": {str(each["reported"]): each["value"]}} for each in one["indicators"]]
        blocks += [heading(f"{w['results']}: {one['ref']}"), _results(newest, language)]
    told = [f"{one['ref']}: {one['text']}" for one in said["lessons"]]
    true = [
        f"{one['ref']}, {w[one['category']]}: {one['description']} {one['response']}".strip() for one in said["risks"]
    ]
    blocks += [heading(w["lessons"]), items(told) if told else text(w["none"])]
    blocks += [heading(w["risks_true"]), items(true) if true else text(w["none"])]
    blocks += [heading(w["evaluations"]), _evaluations(said["evaluations"], language)]
    facts = [(w["year"], str(said["year"])), (w["states"], states), (w["finance_act"], framework.finance_act_code)]
    title = w["review"].format(year=said["year"])
    return official(framework, language, title, on, [f for f in facts if f[1]], blocks, w["foot_internal"], [w["head"]])


def _envelope(one: dict[str, Any] | None, language: str) -> dict[str, Any]:
    w = words(language)
    if one is None:
        return text(w["none"])
    keys = ("amount", "requested", "approved", "agreed", "paid", "available")
    names = ("envelope", "requested", "approved", "agreed", "paid", "available")
    rows = [[w[name], number(one[key], language)] for name, key in zip(names, keys, strict=True)]
    rows[0][0] += f" ({w[one['status']]})"
    return table([str(one["year"]), "DKK"], rows, 1)


def _proposals(rows: list[dict[str, Any]], language: str) -> dict[str, Any]:
    w = words(language)
    shown = [
        [f"{one['ref']} {one['title']}", w[f"state_{one['state']}"]]
        + [number(one[key], language) for key in ("requested", "approved")]
        for one in rows
    ]
    head = [w["proposal"], w["state"], f"{w['requested']} (DKK)", f"{w['approved']} (DKK)"]
    return table(head, shown, 2, ["1", "auto", "auto", "auto"])


def _counts(rows: list[dict[str, Any]], names: tuple[str, ...], label: str, language: str) -> dict[str, Any]:
    w = words(language)
    shown = [
        [" ".join(one[name] for name in names), *(number(one[key], language) for key in ("proposals", "approved"))]
        for one in rows
    ]
    return table([label, w["proposals"], f"{w['approved']} (DKK)"], shown, 2, ["1", "auto", "auto"])


def _payments(rows: list[dict[str, Any]], language: str) -> dict[str, Any]:
    w = words(language)
    if not rows:
        return text(w["none"])
    shown = [
        [
            f"{one['ref']} {one['number']}",
            day(date.fromisoformat(one["due_on"]), language),
            w[f"payment_{one['state']}"],
            number(one["amount"], language),
            "" if one["difference"] is None else number(one["difference"], language),
        ]
        for one in rows
    ]
    return table([w["tranche"], w["due"], w["state"], f"{w['amount']} (DKK)", w["difference"]], shown, 2)


def _evaluations(rows: list[dict[str, Any]], language: str) -> dict[str, Any]:
    w = words(language)
    if not rows:
        return text(w["none"])
    shown = [[one["title"], w[f"stage_{one['stage']}"], str(one["open"]), str(one["overdue"])] for one in rows]
    return table([w["evaluation_of"], w["state"], w["open_actions"], w["overdue_actions"]], shown, 2)
