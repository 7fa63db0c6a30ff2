"""What is so of every XLSX file that is written here or read: its media type, its limits, its columns, its printed page."""

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST = 32_767  # characters that a cell can hold
_A4 = 9


def column_letters(column: int) -> str:
    """A, B, ... Z, AA for 1, 2, ... 26, 27."""
    return str(xl_col_to_name(column - 1))


def fit_to_page(sheet: Worksheet) -> None:
    """Print landscape on A4, as wide as the paper."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
