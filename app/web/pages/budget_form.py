"""The lines of a budget in a form: read as the API takes them, none of them passed over; drawn as they are or were sent."""

from collections.abc import Mapping
from typing import Any

from app.web.pages.deeds import Form, amount, number
from app.web.pages.rows import with_more

MORE_LINES = 3  # empty lines of a budget's form, for new ones
_LINE = {"year": "year", "category": "category", "activity_ref": "activity", "amount": "amount"}  # members, fields


def shown_lines(form: Form, text: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The lines of a budget's form: those it was sent with, as written, else those of the text; and empty ones for more."""
    lines = _lines(form) if "line-0-year" in form else [*(text["budget"] if text else [])]
    return with_more(lines, dict.fromkeys(_LINE, ""), MORE_LINES)


def _lines(form: Form) -> list[dict[str, str]]:
    """Every line of a budget's form, empty ones too."""
    lines: list[dict[str, str]] = []
    while f"line-{(at := len(lines))}-year" in form:
        lines.append({name: form.get(f"line-{at}-{field}", "").strip() for name, field in _LINE.items()})
    return lines


def budget_lines(form: Form) -> dict[int, dict[str, Any]]:
    """The lines of a budget's form as the API takes them, by their place in it; only what is empty altogether is none."""
    return {at: _line(given) for at, given in enumerate(_lines(form)) if any(given.values())}


def _line(given: Mapping[str, str]) -> dict[str, Any]:
    """A line; what is not written is not there, for the model to ask for."""
    read = {"year": number(given["year"]), "category": given["category"], "amount": amount(given["amount"])}
    return {**{name: one for name, one in read.items() if one != ""}, "activity_ref": given["activity_ref"] or None}
