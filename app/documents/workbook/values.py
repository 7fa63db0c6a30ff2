"""Between what a cell holds and what JSON has, both ways. What cannot be right is kept as it is, for the content's check."""

import re
from datetime import date, datetime, time
from typing import Any

from app.documents.workbook.cells import Value
from app.documents.workbook.sheets import ABSENT, ON_PURPOSE, Kind

_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^,;\n]*))(?:[,;\n]|$)')
_WORDS = {"yes": True, "no": False, "true": True, "false": False}


def to_json(kind: Kind, value: Value | None) -> Any:
    """The value of a cell as JSON has it; ABSENT for a blank cell, ON_PURPOSE for one that is empty on purpose."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ABSENT
    if isinstance(value, str) and value.strip() == ON_PURPOSE:
        return ON_PURPOSE
    return _entries(kind, _as_text(value)) if kind.many else _single(kind, value)


def to_cell(kind: Kind, value: Any) -> Any:
    """What a cell holds for a value that is there: a text, a number or a date; a list is one text, what is empty a hyphen."""
    if value is None or value == []:
        return ON_PURPOSE
    if kind.many:
        return ", ".join(map(_quoted, value))
    if kind.base == "yes_no":
        return "yes" if value else "no"
    if kind.base == "day":
        return date.fromisoformat(value)
    return value if str(value).strip() else ON_PURPOSE


def _entries(kind: Kind, said: str) -> list[Any]:
    """The entries between commas, semicolons or line ends; one in quotation marks may hold those itself."""
    entries, at = [], 0
    while at < len(said):
        found = _ITEM.match(said, at)
        assert found  # the second alternative takes anything
        quoted, plain = found.groups()
        if quoted is not None:
            entries.append(_single(kind, quoted.replace('""', '"')))
        elif plain.strip():
            entries.append(_single(kind, plain.strip()))
        at = found.end()
    return entries


def _quoted(entry: Any) -> str:
    said = str(entry)
    bare = said.strip() == said not in ("", ON_PURPOSE) and not re.search('^"|[,;\n]', said)
    return said if bare else '"' + said.replace('"', '""') + '"'


def _single(kind: Kind, value: Value) -> Any:
    said = _as_text(value)
    if kind.base == "yes_no":
        return _WORDS.get(said.strip().casefold(), said)
    if kind.base in ("whole", "number"):
        return _number(value)
    if kind.choices:
        known = {one.casefold(): one for one in kind.choices}
        return known.get(re.sub(r"[\s_-]+", "_", said.strip()).casefold(), said.strip())
    return said.strip() if kind.base == "day" else said


def _number(value: Value) -> Any:
    """A whole number as an integer, however it is stored; anything that is no number as it is."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _as_text(value) if isinstance(value, datetime) else value


def _as_text(value: Value) -> str:
    """A value as a person sees it: 2027 and not 2027.0, a day as YYYY-MM-DD."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value if isinstance(value, str) else str(value).upper()
