"""The cells of an XLSX file from anywhere: values only, each where it stands, within limits, without entities or macros.

Cells are streamed. A reader that lays a sheet out as a full grid ends the process at one cell in the last row and column,
and one that shows an error cell as empty hides it; here `#REF!` is a value of its own.
"""

import lzma
import math
import posixpath
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from lxml import etree

MOST_BYTES = 5 * 1024 * 1024
MOST_UNPACKED = 20 * 1024 * 1024
MOST_ELEMENTS = 300_000  # cells, rows and texts of one file, empty ones too: about 2 s
MOST_ROWS = 1000  # rows with anything in them, of one sheet
MOST_CELLS = 100  # of one row
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  # a spreadsheet's day has no zone
LAST_DAY = 2958465  # 9999-12-31


class Unreadable(Exception):
    """The file as a whole cannot be read as a workbook; says why, and what would help."""


class ErrorValue(str):
    """What a cell shows when its formula cannot be calculated, such as #REF!."""

    __slots__ = ()


Value = str | float | bool | datetime


@dataclass(slots=True)
class Sheet:
    """Rows and columns count from 1; only cells with a value are there. `cut_at` is the row from which on too much stands."""

    name: str
    rows: dict[int, dict[int, Value]] = field(default_factory=dict)
    cut_at: int | None = None


def read_sheets(raw: bytes) -> list[Sheet]:
    """Every worksheet with its values, in the order of the tabs; Unreadable in a sentence for what is no such file."""
    if len(raw) > MOST_BYTES:
        raise Unreadable(f"it is larger than {MOST_BYTES // 1024**2} MB")
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("it is protected by a password or of the old .xls kind; save it as .xlsx without a password")
    try:
        with ZipFile(BytesIO(raw)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED:
                raise Unreadable(f"unpacked it is larger than {MOST_UNPACKED // 1024**2} MB")
            return _sheets(_Parts(archive))
    except etree.XMLSyntaxError:
        raise Unreadable("it is damaged; open it in a spreadsheet program and save it as .xlsx") from None
    except (BadZipFile, NotImplementedError, RuntimeError, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise Unreadable(f"it is no .xlsx file, or a damaged one ({str(error).rstrip('.') or 'cut short'})") from None
    except (LookupError, ValueError):
        raise Unreadable("it is no workbook as spreadsheet programs write it; save it as .xlsx from one") from None


class _Parts:
    """The parts of one file. However often a part is referred to, no more is read than a file may hold."""

    def __init__(self, archive: ZipFile) -> None:
        self.archive, self.bytes_left, self.elements_left = archive, MOST_UNPACKED, MOST_ELEMENTS

    def read(self, name: str) -> bytes:
        part = self.archive.read(name)
        self.bytes_left -= len(part)
        if self.bytes_left < 0:
            raise Unreadable("it refers to the same sheet many times; take the template again")
        return part

    def elements(self, name: str, *tags: str) -> Iterator[Any]:
        """The elements with these tags as they end, each let go again once it was seen."""
        part = BytesIO(self.read(name))
        for _, element in etree.iterparse(part, tag=tags, resolve_entities=False, no_network=True):
            self.elements_left -= 1
            if self.elements_left < 0:
                raise Unreadable("it has far more cells and rows than a proposal; take the template again")
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]


def _sheets(parts: _Parts) -> list[Sheet]:
    place = next((target for kind, target in _related(parts, "").values() if kind == "officeDocument"), "")
    related = _related(parts, place)
    of_kind = dict(related.values())
    texts = of_kind.get("sharedStrings")
    strings = [_text(one) for one in parts.elements(texts, "{*}si")] if texts else []
    days = _date_styles(parts.elements(of_kind["styles"], "{*}numFmt", "{*}xf")) if "styles" in of_kind else set()
    sheets, epoch = [], EPOCH
    for one in parts.elements(place, "{*}workbookPr", "{*}sheet"):
        if etree.QName(one).localname == "workbookPr":
            epoch += timedelta(days=1462 if one.get("date1904") in ("1", "true") else 0)
            continue
        kind, target = related[next((value for name, value in one.attrib.items() if name.endswith("}id")), "")]
        sheets.append(Sheet(one.get("name", "")))
        if kind == "worksheet":
            _fill(sheets[-1], parts.elements(target, "{*}c", "{*}row"), strings, days, epoch)
    return sheets


def _related(parts: _Parts, name: str) -> dict[str, tuple[str, str]]:
    """What a part of the archive refers to: id -> (last word of the type, path)."""
    folder, file = posixpath.split(name)
    found = {}
    for one in parts.elements(posixpath.join(folder, "_rels", f"{file}.rels"), "{*}Relationship"):
        path = posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/")
        found[one.get("Id", "")] = (one.get("Type", "").rpartition("/")[2], path)
    return found


def _text(element: Any) -> str:
    """The text of its runs, without readings for pronunciation."""
    runs = [t.text or "" for t in element.iter("{*}t") if etree.QName(t.getparent()).localname != "rPh"]
    return _unescaped("".join(runs))


def _unescaped(said: str) -> str:
    """A text without the escapes that spreadsheets write, such as _x000D_; lines end with a newline."""
    said = re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), said)
    whole = said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\r\n", "\n").replace("\r", "\n")


def _date_styles(elements: Iterator[Any]) -> set[int]:
    """The numbers of the cell styles that show a number as a day or a time."""
    days = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # ECMA-376, 18.8.30
    styles = []
    for one in elements:
        if etree.QName(one).localname == "numFmt":  # number formats stand before the styles that use them
            said = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.', "", one.get("formatCode", ""))
            if re.search("[ymdhs]", said, re.IGNORECASE) and said != "General":
                days.add(int(one.get("numFmtId", "0")))
        elif etree.QName(one.getparent()).localname == "cellXfs":
            styles.append(int(one.get("numFmtId", "0")))
    return {number for number, style in enumerate(styles) if style in days}


def _fill(sheet: Sheet, elements: Iterator[Any], strings: list[str], days: set[int], epoch: datetime) -> None:
    row = column = 0
    for one in elements:
        if etree.QName(one).localname == "row":
            row, column = int(one.get("r", 0)) or row + (column == 0), 0
            continue
        row, column = _position(one, row, column)
        value = _value(one, strings, days, epoch)
        if value in ("", None):
            continue
        if row not in sheet.rows and len(sheet.rows) == MOST_ROWS:
            sheet.cut_at = row
            return
        cells = sheet.rows.setdefault(row, {})
        if len(cells) < MOST_CELLS:
            cells[column] = value


def _position(cell: Any, row: int, column: int) -> tuple[int, int]:
    """Row and column of a cell; a file may leave the reference out, then it stands right of the one before."""
    found = re.fullmatch("([A-Z]{1,3})([1-9][0-9]{0,6})", cell.get("r", ""))
    if not found:
        said = cell.getparent().get("r")
        return (int(said) if said else row + (column == 0)), column + 1
    letters = 0
    for letter in found[1]:
        letters = letters * 26 + ord(letter) - 64
    return int(found[2]), letters


def _value(cell: Any, strings: list[str], days: set[int], epoch: datetime) -> Any:
    """The value last calculated, or None for an empty cell."""
    kind, said = cell.get("t", "n"), cell.findtext("{*}v") or ""
    if kind == "inlineStr":
        return _text(cell)
    if not said:
        return None
    if kind == "s":
        if said.startswith("-"):
            raise IndexError(said)
        return strings[int(said)]
    if kind == "e":
        return ErrorValue(said)
    if kind == "b":
        return said in ("1", "true")
    if kind == "d":
        return datetime.fromisoformat(said)
    if kind == "n":
        return _number(said, int(cell.get("s", 0)) in days, epoch)
    return _unescaped(said)


def _number(said: str, is_day: bool, epoch: datetime) -> Value:
    number = float(said) if re.fullmatch(r"\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*", said) else math.inf
    if not math.isfinite(number):
        return said
    if is_day and 0 <= number <= LAST_DAY - (epoch - EPOCH).days:
        return epoch + timedelta(seconds=round(number * 86400))
    return number
