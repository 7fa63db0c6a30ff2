"""Workbooks (XLSX) of typed columns, made to be filtered, printed and added up. Takes data, knows no database.

Text is written as text, never as a formula, whatever it begins with; the same data gives the same bytes.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import xlsxwriter

from app.documents.xlsx import LONGEST, column_letters, fit_to_page

WIDEST = 60
_SUM_OF_SHOWN = 109  # the SUBTOTAL that leaves out what a filter hides


class Kind(Enum):
    """What a column holds; its value is Excel's number format, which shows the reader's own separators."""

    TEXT = "@"
    WHOLE = "0"
    DKK = "#,##0"
    SCORE = "0.0"
    PERCENT = "0.0%"
    DATE = "yyyy-mm-dd"


@dataclass(frozen=True, slots=True)
class Column:
    """A column by name and kind; `total` adds it up at the foot, leaving out what a filter hides."""

    name: str
    kind: Kind = Kind.TEXT
    total: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: `name` of at most 31 characters, rows of one value for each column. None is an empty cell."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


def workbook(title: str, sheets: Sequence[Sheet], dated: datetime, total: str) -> bytes:
    """The sheets as one XLSX file; `dated` is its time, and `total` the word beside the sums."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    book.set_properties({"title": title, "created": dated})
    head = book.add_format(
        {"bold": True, "bottom": 1, "bg_color": "#E9EDF2", "text_wrap": True, "valign": "top", "num_format": "@"}
    )
    plain = {kind: book.add_format(_look(kind)) for kind in Kind}
    strong = {kind: book.add_format({**_look(kind), "bold": True, "top": 1}) for kind in Kind}
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        _lay_out(page, sheet, title)
        for i, column in enumerate(sheet.columns):
            page.write_string(0, i, column.name, head)
            page.set_column(i, i, _width(sheet, i))
        for number, row in enumerate(sheet.rows, 1):
            for i, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
                _write(page, number, i, column.kind, value, plain[column.kind])
        if sheet.rows and any(column.total for column in sheet.columns):
            _add_up(page, sheet, strong, total)
    book.close()
    return made.getvalue()


def _look(kind: Kind) -> dict[str, Any]:
    return {"num_format": kind.value, "valign": "top", "text_wrap": kind is Kind.TEXT}


def _lay_out(page: Any, sheet: Sheet, title: str) -> None:
    """The header stays in sight and can be filtered by; printed landscape on A4, as wide as the paper."""
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)
    fit_to_page(page)
    page.repeat_rows(0)
    page.set_footer(f"&L{title.replace('&', '&&')}: {sheet.name.replace('&', '&&')}&R&P / &N")


def _width(sheet: Sheet, place: int) -> float:
    """Wide enough for the longest line, within reason; figures count with their separators."""
    shown = f"{{:{',' if sheet.columns[place].kind is Kind.DKK else ''}}}"
    values = [row[place] for row in sheet.rows if row[place] is not None]
    if sheet.columns[place].total:
        values.append(sum(values))
    lines = [line for value in values for line in shown.format(value).splitlines()]
    return min(max(8, len(sheet.columns[place].name), *map(len, lines), 8) + 2, WIDEST)


def _write(page: Any, row: int, place: int, kind: Kind, value: Any, look: Any) -> None:
    if value is None:
        page.write_blank(row, place, None, look)
    elif kind is Kind.DATE:
        page.write_datetime(row, place, value, look)
    elif isinstance(value, int | float):
        page.write_number(row, place, value, look)
    else:
        page.write_string(row, place, str(value)[:LONGEST], look)


def _add_up(page: Any, sheet: Sheet, looks: dict[Kind, Any], word: str) -> None:
    """A last row of formulas with their values, for readers that do not reckon."""
    last = len(sheet.rows)
    for i, column in enumerate(sheet.columns):
        if column.total:
            name, value = column_letters(i + 1), sum(row[i] or 0 for row in sheet.rows)
            formula = f"=SUBTOTAL({_SUM_OF_SHOWN},{name}2:{name}{last + 1})"
            page.write_formula(last + 1, i, formula, looks[column.kind], value)
        else:
            page.write_string(last + 1, i, word if i == 0 else "", looks[Kind.TEXT])
