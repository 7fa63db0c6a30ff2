"""The form of an annual report: read as the API takes one, nothing in it passed over; drawn as it is kept or was sent."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from app.domain.proposal import BudgetCategory
from app.domain.report import Report
from app.errors import Fault
from app.services.accounts import Sheet
from app.web.pages.deeds import Form, amount
from app.web.pages.figures import plain
from app.web.pages.rows import read_rows, with_more

MORE_RISKS = 2  # empty rows, for risks that came true
_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}(?:[.,\u00a0 ][0-9]{3})+")
_SIGNED = re.compile(r"([^:=,]+)[:=]([^:=]+)")  # a name with digits in it needs the sign
_SPACED = re.compile(r"([^0-9:=,]*[^0-9:=,\s-])\s+(-?[0-9].*)")
_MOST_PARTS = 51  # one more than a report takes, for the report to refuse
_HOW = "Write them as women 120; men 80, and a name with digits as 0-17: 40."


def read(form: Form, found: Sheet) -> Report:
    """The report a form holds, or Invalid with every fault in it; only what is empty altogether is left out."""
    measured, faults = _measurements(form, found)
    risks = {at: row for at, row in enumerate(_risks(form)) if any(row.values())}
    faults += [
        Fault(f"/risks/{at}/description", "required", "Say what happened, or empty the other fields of this risk.")
        for at, row in risks.items()
        if not row["description"]
    ]
    left, plan = form.get("unspent", "").strip(), form.get("plan", "").strip()
    if plan and not left:
        faults.append(Fault("/unspent", "required", "Say how much is not spent, or empty what becomes of it."))
    sent = {
        "progress": {name: text for name, said in _progress(form).items() if (text := said.strip())},
        "indicators": list(measured.values()),
        "spending": [
            {"category": name, "amount": amount(said)}
            for name in get_args(BudgetCategory)
            if (said := form.get(f"spent-{name}", "").strip())
        ],
        "lessons": form.get("lessons", "").strip(),
        "risks": list(risks.values()),
        "unspent": {"amount": amount(left), "plan": plan} if left else None,
        "attachments": [one.id for one in found.files if form.get(f"file-{one.id}")],
        "final": bool(form.get("final")),
    }
    return read_rows(Report, sent, {"indicators": [*measured], "risks": [*risks]}, faults)


def _progress(form: Form) -> dict[str, str]:
    return {name[9:]: said for name, said in form.items() if name.startswith("progress-")}


def _measurements(form: Form, found: Sheet) -> tuple[dict[int, dict[str, Any]], list[Fault]]:
    """What was measured, by the place of its indicator, and what is wrong in it."""
    before = _values(found)
    measured: dict[int, dict[str, Any]] = {}
    faults: list[Fault] = []
    for at, one in enumerate(found.agreed.get("indicators", [])):
        value, said, remark = (form.get(f"{name}-{at}", "").strip() for name in ("value", "parts", "remark"))
        if not (value or said or remark):
            continue
        here = f"/indicators/{at}"
        if not value:
            faults.append(Fault(f"{here}/value", "required", f"Say what {one['code']} came to, or empty its row."))
        kept = before.get(one["code"], {}).get("disaggregated", {})
        parts, wrong = (kept, []) if said == _told(kept) else _parts(said)
        faults += [Fault(f"{here}/disaggregated", code, message) for code, message in wrong]
        if _GROUPED.fullmatch(value):
            faults.append(Fault(f"{here}/value", "ambiguous", _two_ways(value)))
        measured[at] = {"code": one["code"], "value": _measured(value), "disaggregated": parts, "comment": remark}
    return measured, faults


def _values(found: Sheet) -> dict[str, dict[str, Any]]:
    return {one["code"]: one for one in (found.report or {}).get("indicators", [])}


def _measured(said: str) -> float | str:
    """A measured value, with a decimal point or comma; what is no number, or may be two, is left to be refused."""
    point = said.replace(",", ".")
    if _GROUPED.fullmatch(said) or not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", point):
        return said
    return float(point) if "." in point else int(point)


def _two_ways(said: str) -> str:
    return f"'{said}' can be read in two ways: write 1250 for a thousand and more, 1.25 for one and a quarter."


def _parts(said: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """`women 120; men 80` as the values by name, and what is wrong in it: codes and sentences."""
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    parts = [part for one in re.split(r"[;\n]", said) if (part := one.strip())]
    for part in parts[:_MOST_PARTS]:
        found = _SIGNED.fullmatch(part) or _SPACED.fullmatch(part)
        name, written = (found[1].strip(), found[2].strip()) if found else ("", "")
        value = _measured(written)
        if _GROUPED.fullmatch(written):
            wrong.append(("ambiguous", _two_ways(written)))
        elif not name or isinstance(value, str):
            wrong.append(("wrong_form", f"'{part[:60]}' is not a name and a number. {_HOW}"))
        elif name.casefold() in map(str.casefold, values):
            wrong.append(("duplicate", f"'{name[:60]}' is there twice; add it up."))
        else:
            values[name] = value
    return values, wrong


def _told(parts: Mapping[str, Any]) -> str:
    """Values by name as the form's field holds them."""
    said = ((name, ":" if re.search(r"[0-9]", name) else "", plain(value)) for name, value in parts.items())
    return "; ".join(f"{name}{sign} {value}" for name, sign, value in said)


def _risks(form: Form) -> list[dict[str, str]]:
    """Every row of the form, empty ones too."""
    rows: list[dict[str, str]] = []
    while f"risk-{(at := len(rows))}" in form:
        named = {"category": "risk-category", "description": "risk", "response": "response"}
        rows.append({name: form.get(f"{field}-{at}", "").strip() for name, field in named.items()})
    return rows


def drawn(found: Sheet, sent: Form) -> dict[str, Any]:
    """What stands in the form: what was sent and refused, as it was written, else the report as it is kept."""
    kept = _kept(found)
    again = "lessons" in sent
    fields = _written(sent, found) if again else kept
    claimed = [letter for letter, claim in (found.agreed.get("criteria") or {}).items() if claim]
    letters = sorted({*claimed, *kept["progress"]})
    indicators = [
        {**one, "said": fields["said"].get(at, {"value": "", "parts": "", "comment": ""})}
        for at, one in enumerate(found.agreed.get("indicators", []))
    ]
    return {
        **fields,
        "progress": {letter: fields["progress"].get(letter, "") for letter in letters},
        "indicators": indicators,
        "risks": with_more(fields["risks"], {"category": "", "description": "", "response": ""}, MORE_RISKS),
    }


def _written(form: Form, found: Sheet) -> dict[str, Any]:
    """The fields of the form as they came."""
    named = {"value": "value", "parts": "parts", "comment": "remark"}
    return {
        "progress": _progress(form),
        "said": {
            at: {name: form.get(f"{field}-{at}", "") for name, field in named.items()}
            for at in range(len(found.agreed.get("indicators", [])))
        },
        "spent": {name: form.get(f"spent-{name}", "") for name in get_args(BudgetCategory)},
        "lessons": form["lessons"],
        "risks": _risks(form),
        "unspent": {"amount": form.get("unspent", ""), "plan": form.get("plan", "")},
        "attachments": [one.id for one in found.files if form.get(f"file-{one.id}")],
        "final": bool(form.get("final")),
    }


def _kept(found: Sheet) -> dict[str, Any]:
    """The fields of the form from the report as it is kept, or empty."""
    report = found.report or Report().model_dump(mode="json")
    values, spent = _values(found), {one["category"]: one["amount"] for one in report["spending"]}
    return {
        "progress": report["progress"],
        "said": {
            at: {"value": plain(own["value"]), "parts": _told(own["disaggregated"]), "comment": own["comment"]}
            for at, one in enumerate(found.agreed.get("indicators", []))
            if (own := values.get(one["code"]))
        },
        "spent": {name: spent.get(name, "") for name in get_args(BudgetCategory)},
        "lessons": report["lessons"],
        "risks": report["risks"],
        "unspent": report["unspent"] or {"amount": "", "plan": ""},
        "attachments": report["attachments"],
        "final": report["final"],
    }
