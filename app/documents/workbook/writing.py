"""The workbook a proposal is written in: sheets, drop-downs and help from the framework's data, filled on request."""

from datetime import date, datetime, time
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from app.documents.workbook import guide
from app.documents.workbook.looks import Looks, height_of, looks_of, set_page, tab_color, width_of
from app.documents.workbook.sheets import (
    CODES,
    FORM_HEADER,
    LISTS,
    ON_PURPOSE,
    READ_ME,
    SHEETS,
    Field,
    Form,
    Kind,
    Table,
)
from app.documents.workbook.values import to_cell
from app.documents.xlsx import column_letters
from app.domain.rulebook import Rulebook
from app.errors import Fault, Invalid
from app.faults import pointer

_TOP = 2  # the header's row, from 0; title and help stand above
_SPARE_ROWS = 25  # tinted rows below what is filled; drop-downs go on to the last row that is allowed
_FORM_WIDTHS = (26, 78, 62)


class _Writer:
    """One workbook while it is written."""

    def __init__(self, workbook: Workbook, book: Rulebook, value: dict[str, Any]) -> None:
        self.workbook, self.book, self.value = workbook, book, value
        self.looks: Looks = looks_of(workbook)
        self.lists: dict[str, list[str]] = {}
        self.offers, self.hints = guide.offers(book), guide.hints(book)

    def source(self, sheet: str, one: Field) -> str | None:
        """The range a cell's drop-down shows; its list is put on the hidden sheet once."""
        place = f"{sheet}/{one.steps[-1]}"
        if place == "Budget/activity_ref":
            return f"=Activities!$A${_TOP + 2}:$A${_TOP + 61}"
        values = ["yes", "no"] if one.kind.base == "yes_no" else self.offers.get(place) or list(one.kind.choices)
        if one.kind.many or not values:
            return None
        name = "yes or no" if one.kind.base == "yes_no" else place
        self.lists.setdefault(name, values)
        letters = column_letters(list(self.lists).index(name) + 1)
        return f"={LISTS}!${letters}$2:${letters}${len(values) + 1}"

    def help(self, sheet: str, one: Field) -> str:
        """What a person may write there: the sentence of the description, then lists and limits."""
        kind, said = one.kind, [one.help, self.hints.get(f"{sheet}/{one.steps[-1]}", "")]
        if kind.many and 0 < len(kind.choices) < 20:
            said.append(f"One or more of: {', '.join(kind.choices)}.")
        if kind.many:
            said.append("Several are parted by commas.")
        if kind.base == "text" and not kind.many and kind.most and 1000 <= kind.most < 4000:
            said.append(f"At most {kind.most} characters.")
        return " ".join(filter(None, said))

    def rule(self, sheet: str, one: Field) -> dict[str, Any]:
        """What the spreadsheet program itself checks in a cell, and tells about it when it is chosen."""
        told = self.help(sheet, one)
        message = {"input_title": one.label[:32], "input_message": told if len(told) < 256 else f"{told[:250]} ..."}
        if source := self.source(sheet, one):
            is_open = f"{sheet}/{one.steps[-1]}" in self.offers
            return {"validate": "list", "source": source, "show_error": not is_open, **message, **_REFUSED}
        return {**_limits(one.kind), **message}

    def put(self, sheet: Worksheet, row: int, column: int, one: Field, said: Any) -> None:
        """Write a value as its kind looks; Invalid for a text that no cell can hold."""
        form = self.looks.input(one.kind, one.steps[-1] in ("year", "cycle", "likelihood", "impact"))
        if said is None:
            sheet.write_blank(row, column, None, form)
        elif isinstance(said, date):
            sheet.write_datetime(row, column, datetime.combine(said, time()), form)
        elif isinstance(said, str):
            if sheet.write_string(row, column, said, form):
                message = f"The {one.label.lower()} are more than a cell can hold; a workbook cannot carry them."
                raise Invalid("too_long_for_a_cell", message, faults=[Fault(pointer(*one.steps), "too_long", message)])
        else:
            sheet.write_number(row, column, said, form)


_REFUSED = {"error_title": "Not in the list", "error_message": "Choose one of the list, or leave the cell blank."}


def _limits(kind: Kind) -> dict[str, Any]:
    """The limits of a single value in the words of xlsxwriter."""
    between: dict[str, Any] = {"criteria": "between", "minimum": kind.least or 0, "maximum": kind.most}
    if kind.many:
        return {"validate": "any"}
    if kind.base == "whole":
        message = f"A whole number from {kind.least} to {kind.most}."
        return {"validate": "integer", **between, "error_title": "Not a whole number", "error_message": message}
    if kind.base == "day":
        between |= {"minimum": date(2000, 1, 1), "maximum": date(2100, 12, 31)}
        return {"validate": "date", **between, "error_message": "A date such as 2027-01-31."}
    if kind.base == "number":
        return {"validate": "decimal", "criteria": ">=", "value": -1e300, "error_message": "A number."}
    return {"validate": "length", **between, "error_message": f"From {kind.least or 0} to {kind.most} characters."}


def write_workbook(book: Rulebook, value: dict[str, Any] | None = None) -> bytes:
    """The workbook for this rulebook, filled with a sound `{cycle?, office?, content}`; the same in gives the same bytes.

    Invalid when an entry is longer than a cell can be.
    """
    said = BytesIO()
    with xlsxwriter.Workbook(said, {"in_memory": True}) as workbook:
        first = datetime.combine(book.framework.cycles[0].opens_on, time())
        workbook.set_properties({"title": book.framework.title, "author": "Earmark", "created": first})
        writer = _Writer(workbook, book, value or {"content": {}})
        _write_read_me(writer)
        for plan in SHEETS:
            sheet = workbook.add_worksheet(plan.name)
            if isinstance(plan, Form):
                _write_form(writer, plan, sheet)
            else:
                _write_table(writer, plan, sheet)
        _write_codes(writer)
        _write_lists(writer)
    return said.getvalue()


def _write_form(writer: _Writer, plan: Form, sheet: Worksheet) -> None:
    looks = writer.looks
    set_page(sheet, _TOP + 1, tab_color(any(one.needed for one in plan.fields)))
    _write_title(writer, sheet, plan)
    for column, (name, width) in enumerate(zip(FORM_HEADER, _FORM_WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(_TOP, column, name, looks.header)
    cells = _form_cells(plan, writer.value)
    row = _TOP
    for title, fields in plan.groups:
        row += 1
        sheet.set_row(row, 21)
        for column, said in enumerate((title, "", "")):
            sheet.write(row, column, said, looks.group)
        for one in fields:
            row += 1
            _write_line(writer, plan, sheet, row, one, cells.get(one))


def _write_line(writer: _Writer, plan: Form, sheet: Worksheet, row: int, one: Field, said: Any) -> None:
    looks, told = writer.looks, writer.help(plan.name, one)
    texts = [(str(said or ""), _FORM_WIDTHS[1]), (told, _FORM_WIDTHS[2])]
    sheet.set_row(row, height_of(texts, 66 if one.tall else 20))
    sheet.write_string(row, 0, one.heading, looks.needed if one.needed else looks.label)
    writer.put(sheet, row, 1, one, said)
    sheet.write_string(row, 2, told, looks.help)
    sheet.data_validation(row, 1, row, 1, writer.rule(plan.name, one))


def _write_table(writer: _Writer, plan: Table, sheet: Worksheet) -> None:
    set_page(sheet, _TOP + 1, tab_color(plan.needed))
    _write_title(writer, sheet, plan)
    rows = _table_cells(plan, writer.value["content"])
    tinted = min(plan.most, len(rows) + _SPARE_ROWS)
    helps = [writer.help(plan.name, one) for one in plan.fields]
    sheet.set_row(_TOP - 1, height_of([(h, width_of(f.kind)) for h, f in zip(helps, plan.fields, strict=True)]))
    sheet.set_row(_TOP, 22)
    for column, (one, told) in enumerate(zip(plan.fields, helps, strict=True)):
        sheet.set_column(column, column, width_of(one.kind))
        sheet.write_string(_TOP - 1, column, told, writer.looks.help)
        sheet.write_string(_TOP, column, one.heading, writer.looks.header)
        for number in range(tinted):
            said = rows[number].get(one) if number < len(rows) else None
            writer.put(sheet, _TOP + 1 + number, column, one, said)
        sheet.data_validation(_TOP + 1, column, _TOP + plan.most, column, writer.rule(plan.name, one))
    sheet.print_area(0, 0, _TOP + tinted, len(plan.fields) - 1)


def _write_title(writer: _Writer, sheet: Worksheet, plan: Form | Table) -> None:
    sheet.set_row(0, 26)
    sheet.write_rich_string(0, 0, writer.looks.title, plan.name, writer.looks.about, f"   {plan.about}")


def _form_cells(plan: Form, value: dict[str, Any]) -> dict[Field, Any]:
    """What stands beside each line; nothing for what the value leaves out."""
    cells: dict[Field, Any] = {}
    parts: dict[str, list[Field]] = {}
    for one in plan.fields:
        around = value if len(one.steps) == 1 else value["content"]
        if len(one.steps) == 3:
            parts.setdefault(one.steps[1], []).append(one)
        elif one.steps[-1] in around:
            cells[one] = to_cell(one.kind, around[one.steps[-1]])
    for name, fields in parts.items():
        if value["content"].get(name):
            cells |= _part_cells(fields, value["content"][name])
    return cells


def _table_cells(plan: Table, content: dict[str, Any]) -> list[dict[Field, Any]]:
    around = content
    for step in plan.steps[1:-1]:
        around = around.get(step, {})
    rows = around.get(plan.steps[-1])
    return [{plan.fields[0]: ON_PURPOSE}] if rows == [] else [_part_cells(plan.fields, row) for row in rows or ()]


def _part_cells(fields: list[Field] | tuple[Field, ...], part: dict[str, Any]) -> dict[Field, Any]:
    """What stands in the cells of a part or row: blank where blank says the same, but never blank as a whole."""
    members = {one: part[one.steps[-1]] for one in fields if one.steps[-1] in part}
    said = {one: to_cell(one.kind, member) for one, member in members.items() if member != one.kind.blank}
    return said or {fields[-1]: ON_PURPOSE}


# --- sheets that are not read back ---


def _write_read_me(writer: _Writer) -> None:
    sheet = writer.workbook.add_worksheet(READ_ME)
    set_page(sheet, 0, tab_color(False))
    sheet.set_column(0, 0, 110)
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, writer.book.framework.title, writer.looks.title)
    for row, said in enumerate(guide.read_me(writer.book), 2):
        sheet.set_row(row, height_of([(said, 110)], 24))
        sheet.write_string(row, 0, said, writer.looks.text)


def _write_codes(writer: _Writer) -> None:
    sheet = writer.workbook.add_worksheet(CODES)
    set_page(sheet, 1, tab_color(False))
    for column, (said, width) in enumerate((("What", 22), ("Code", 14), ("Meaning", 120))):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, said, writer.looks.header)
    rows = list(guide.codes(writer.book))
    for row, texts in enumerate(rows, 1):
        for column, said in enumerate(texts):
            sheet.write_string(row, column, said, writer.looks.text)
    sheet.autofilter(0, 0, len(rows), 2)


def _write_lists(writer: _Writer) -> None:
    sheet = writer.workbook.add_worksheet(LISTS)
    sheet.hide()
    for column, (name, values) in enumerate(writer.lists.items()):
        for row, said in enumerate((name, *values)):
            sheet.write_string(row, column, said)
