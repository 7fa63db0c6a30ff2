"""From a workbook's bytes to the proposal in it, and from the faults of the proposal back to the cells they stand in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.documents.workbook.cells import ErrorValue, Sheet, Value, read_sheets
from app.documents.workbook.sheets import (
    ABSENT,
    CODES,
    FORM_HEADER,
    LISTS,
    ON_PURPOSE,
    READ_ME,
    SHEETS,
    Field,
    Form,
    Table,
)
from app.documents.workbook.values import to_json
from app.documents.xlsx import LONGEST, column_letters
from app.errors import Fault
from app.faults import did_you_mean, pointer

_HEADER_WITHIN = 15  # rows in which a table's header is looked for
_IN_CELLS = {"not_a_boolean": "Must be yes or no.", "required": "This cell is needed."}


@dataclass(frozen=True, slots=True)
class CellFault:
    """One thing wrong in a workbook; `cell` is written as spreadsheets write it: Budget!C7."""

    cell: str
    code: str
    message: str


@dataclass(slots=True)
class Reading:
    """What a workbook says, `{cycle?, office?, content}`; where each value stands; what is wrong with the sheets themselves.

    `places` is JSON Pointer -> cell. Values that cannot be right are kept as they are, for the content's own check to name.
    """

    value: dict[str, Any]
    places: dict[str, str] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def locate(self, faults: Iterable[Fault]) -> list[CellFault]:
        """The sheets' own faults, then these with their cells, but for those that only follow from the sheets' own."""
        named = {fault.cell for fault in self.faults}
        found = [
            CellFault(self.place(one.pointer), one.code, self._in_cells(one))
            for one in faults
            if not self._follows(one)
        ]
        return self.faults + [one for one in found if one.cell not in named]

    def place(self, where: str) -> str:
        """The cell of a pointer, or of the nearest thing around it; without one, the first sheet."""
        steps = where if where in self.places or where.startswith("/content") else f"/content{where}"
        while steps and steps not in self.places:
            steps = steps.rpartition("/")[0]
        return self.places.get(steps, SHEETS[0].name)

    def note(self, cell: str, code: str, message: str) -> None:
        self.faults.append(CellFault(cell, code, message))

    def _follows(self, fault: Fault) -> bool:
        """Whether it is only said because a column, line or sheet could not be found."""
        under, _, member = fault.pointer.rpartition("/")
        return fault.code == "required" and f"{re.sub('/[0-9]+$', '/*', under)}/{member}" in self.unread

    def _in_cells(self, fault: Fault) -> str:
        """The sentence of a fault in the words of a sheet."""
        said = _IN_CELLS.get(fault.code, fault.message)
        around, _, entry = fault.pointer.rpartition("/")
        listed = fault.pointer not in self.places and around in self.places and entry.isdecimal()
        return f"Entry {int(entry) + 1}: {said}" if listed else said


def read_workbook(raw: bytes) -> Reading:
    """The proposal in a workbook's bytes, with every fault of its sheets; Unreadable when it is no workbook at all."""
    reading = Reading({"content": {}})
    sheets = _by_name(read_sheets(raw), reading)
    for plan in SHEETS:
        sheet = sheets.get(plan.name.casefold())
        if sheet is None:
            reading.unread.update([pointer(*plan.steps)] if isinstance(plan, Table) else ())
            reading.note(plan.name, "sheet_missing", f"The sheet '{plan.name}' is missing; take it from the template.")
            continue
        if sheet.cut_at:
            where = cell_name(plan.name, sheet.cut_at, 1)
            message = f"More than {len(sheet.rows)} rows of the sheet are filled; from here on it was not read."
            reading.note(where, "too_many_rows", message)
        if isinstance(plan, Form):
            _read_form(plan, sheet, reading)
        else:
            _read_table(plan, sheet, reading)
    return reading


def cell_name(sheet: str, row: int, column: int) -> str:
    """Budget!C7, or 'Overlapping projects'!C7."""
    shown = sheet if re.fullmatch(r"\w+", sheet) else "'" + sheet.replace("'", "''") + "'"
    return f"{shown}!{column_letters(column)}{row}"


def _by_name(sheets: list[Sheet], reading: Reading) -> dict[str, Sheet]:
    """The sheets by their small-letter names; one that is unknown or there twice is a fault."""
    known = {plan.name.casefold(): plan.name for plan in SHEETS}
    found: dict[str, Sheet] = {}
    for sheet in sheets:
        name, where = sheet.name.strip().casefold(), cell_name(sheet.name, 1, 1)
        if name in (READ_ME.casefold(), CODES.casefold(), LISTS.casefold()):
            continue
        if name in found:
            reading.note(where, "sheet_twice", f"Another sheet has the name '{sheet.name}'.")
        elif name not in known:
            near = did_you_mean(sheet.name, known.values()) or "; remove it."
            reading.note(where, "sheet_unknown", f"The template has no sheet '{sheet.name[:60]}'{near}")
        found.setdefault(name, sheet)
    return found


def _note_outside(sheet: str, row: int, columns: Iterable[int], reading: Reading) -> None:
    for at in sorted(columns):
        reading.note(cell_name(sheet, row, at), "outside", "It stands in no column of the template; empty it.")


def _label(value: Value | None) -> str:
    return " ".join(value.removesuffix("*").split()).casefold() if isinstance(value, str) else ""


def _cell(one: Field, value: Value | None, place: str, reading: Reading) -> Any:
    """The cell's value as JSON has it; ABSENT also for one that shows an error, which is noted."""
    if isinstance(value, ErrorValue):
        reading.note(place, "error_value", f"The cell shows the error {value}; put it right or empty it.")
        return ABSENT
    if isinstance(value, str) and len(value) > LONGEST:
        reading.note(place, "too_long", f"The text is longer than the {LONGEST} characters that a cell can hold.")
        return ABSENT
    return to_json(one.kind, value)


# --- forms: a line has label, value and help ---


def _read_form(plan: Form, sheet: Sheet, reading: Reading) -> None:
    rows, near = _lines(plan, sheet, reading)
    found = {}
    for one in plan.fields:
        where = pointer(*one.steps)
        row = rows.get(_label(one.label))
        if row is None:
            _note_missing(cell_name(plan.name, 1, 1), one, "line", where, near, reading)
            continue
        place = reading.places[where] = cell_name(plan.name, row, 2)
        if len(one.steps) == 3:
            reading.places.setdefault(pointer(*one.steps[:2]), place)
        found[one] = _cell(one, sheet.rows[row].get(2), place, reading)
    _put_together(found, reading.value)


def _lines(plan: Form, sheet: Sheet, reading: Reading) -> tuple[dict[str, int], str]:
    """The row of each label, and what misspelt labels may have meant; a value beside no label of ours is a fault."""
    labels = {_label(one.label): one.label for one in plan.fields}
    rows: dict[str, int] = {}
    near = ""
    for row, cells in sorted(sheet.rows.items()):
        _note_outside(plan.name, row, [at for at in cells if at > len(FORM_HEADER)], reading)
        said = str(cells.get(1, ""))[:60]
        label = _label(said)
        if label in labels and label not in rows:
            rows[label] = row
        elif 2 in cells and label != _label(FORM_HEADER[0]):
            meant = did_you_mean(said, labels.values())
            near += meant
            message = f"'{said}' stands here twice." if label in labels else f"The template has no line '{said}'{meant}"
            reading.note(cell_name(plan.name, row, 2), "line_unknown", _ended(message))
    return rows, near


def _put_together(found: dict[Field, Any], value: dict[str, Any]) -> None:
    """Put single values where they belong; a part is there when anything of it is."""
    parts: dict[str, dict[Field, Any]] = {}
    for one, said in found.items():
        if len(one.steps) == 3:
            parts.setdefault(one.steps[1], {})[one] = said
        elif said is not ABSENT:
            (value if len(one.steps) == 1 else value["content"])[one.steps[-1]] = _meant(one, said)
    for name, members in parts.items():
        if any(said is not ABSENT for said in members.values()):
            value["content"][name] = _part(members)


def _meant(one: Field, said: Any) -> Any:
    """A value, the empty value where a cell is empty on purpose, ABSENT for nothing."""
    return one.kind.nothing if said == ON_PURPOSE and one.kind.nothing is not ABSENT else said


def _part(members: dict[Field, Any]) -> dict[str, Any]:
    """The members of a part or row; blank ones with their empty value, where they have one."""
    meant = {one.steps[-1]: one.kind.blank if said is ABSENT else _meant(one, said) for one, said in members.items()}
    return {name: value for name, value in meant.items() if value is not ABSENT}


# --- tables: a header, then rows ---


def _read_table(plan: Table, sheet: Sheet, reading: Reading) -> None:
    where, top = pointer(*plan.steps), _header_row(plan, sheet)
    if not top:
        reading.unread.add(where)
        reading.note(cell_name(plan.name, 1, 1), "header_missing", "The row with the columns' names is missing.")
        return
    header = sheet.rows[top]
    columns = _columns(plan, header, top, reading)
    reading.places[where] = cell_name(plan.name, top + 1, 1)
    rows: list[dict[str, Any]] = []
    there = plan.steps[1] in reading.value["content"]  # a list of a part that is there is there too
    for row, cells in sorted(sheet.rows.items()):
        if row <= top:
            continue
        _note_outside(plan.name, row, cells.keys() - header.keys(), reading)
        under = f"{where}/{len(rows)}"
        places = {one: cell_name(plan.name, row, at) for at, one in columns.items()}
        found = {one: _cell(one, cells.get(at), places[one], reading) for at, one in columns.items()}
        said = [value for value in found.values() if value is not ABSENT]
        if said == [ON_PURPOSE] and found.get(plan.fields[0]) == ON_PURPOSE:
            there = True
        elif said:
            rows.append(_part(found))
            reading.places[under] = cell_name(plan.name, row, min(cells))
            reading.places |= {f"{under}/{one.steps[-1]}": place for one, place in places.items()}
    if rows or there:
        _place_list(plan, rows, reading.value["content"])


def _place_list(plan: Table, rows: list[dict[str, Any]], content: dict[str, Any]) -> None:
    """Set the list; one inside a part makes the part there, its other members blank."""
    for part in plan.steps[1:-1]:
        inside = [one for form in SHEETS if isinstance(form, Form) for one in form.fields if one.steps[1:-1] == (part,)]
        content = content.setdefault(part, _part(dict.fromkeys(inside, ABSENT)))
    content[plan.steps[-1]] = rows


def _header_row(plan: Table, sheet: Sheet) -> int:
    """The row that looks most like the header; 0 when none does."""
    labels = {_label(one.label) for one in plan.fields}
    likeness = {
        row: sum(_label(cell) in labels for cell in sheet.rows[row].values())
        for row in sorted(sheet.rows)
        if row <= _HEADER_WITHIN
    }
    best = max(likeness, key=likeness.__getitem__, default=0)
    return best if likeness.get(best) else 0


def _columns(plan: Table, header: dict[int, Value], top: int, reading: Reading) -> dict[int, Field]:
    """The field of each column, by the header; what is unknown, doubled or missing there is a fault."""
    lines = {_label(one.label): one for one in plan.fields}
    columns: dict[int, Field] = {}
    near = ""
    for at, cell in sorted(header.items()):
        said, found = str(cell)[:60], lines.get(_label(cell))
        if found and found not in columns.values():
            columns[at] = found
            continue
        meant = did_you_mean(said, [one.label for one in plan.fields])
        near += meant
        message = f"'{said}' stands here twice." if found else f"The template has no column '{said}'{meant}"
        reading.note(cell_name(plan.name, top, at), "column_unknown", _ended(message))
    for one in plan.fields:
        if one not in columns.values():
            where = f"{pointer(*plan.steps)}/*/{one.steps[-1]}"
            _note_missing(cell_name(plan.name, top, 1), one, "column", where, near, reading)
    return columns


def _note_missing(cell: str, missing: Field, what: str, where: str, near: str, reading: Reading) -> None:
    """A line or column is not there; not said again where a misspelt one was named that may be meant."""
    reading.unread.add(where)
    if f"'{missing.label}'" not in near:
        message = f"The {what} '{missing.label}' is missing; take it from the template."
        reading.note(cell, f"{what}_missing", message)


def _ended(message: str) -> str:
    return message if message.endswith(("?", ".")) else f"{message}."
