"""CSV as spreadsheets read it (RFC 4180, UTF-8 with a byte order mark), in which no text becomes a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from app.encoding import encode

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
# What begins a formula (OWASP, CSV injection), also in full width. Danish Excel parts cells at semicolons, and reads quotes
# only where a cell begins, so that a text can begin a cell of its own after one, after a tab or on a new line.
_FORMULA = re.compile("(?<![^;\t\r\n])(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")


def csv_bytes(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A header and rows of JSON values, lines ended by CRLF; the same values give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def cell(value: Any) -> Any:
    """A JSON value in one cell: numbers stay numbers, plain lists are joined by `; `, what is deeper is JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        return "; ".join(str(cell(one)) for one in value)
    return plain(encode(value).decode())


def plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe goes before what would begin one."""
    return _FORMULA.sub("'", text)
