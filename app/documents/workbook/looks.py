"""How the workbook looks: its formats, widths and what is printed. Dark header, tinted cells to fill, grey help."""

from dataclasses import dataclass
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from app.documents.workbook.sheets import Kind
from app.documents.xlsx import fit_to_page

_INK, _SOFT, _LINE, _DEED, _GROUND, _INPUT = "#1b2430", "#56616f", "#d5dbe2", "#a3152b", "#f3f5f8", "#fffbe9"
_FORMS = {"whole": "#,##0", "number": "General", "day": "yyyy-mm-dd", "text": "@", "yes_no": "@"}
_WIDTHS = {"whole": 17, "number": 12, "day": 14, "yes_no": 13}
_PLAIN: dict[str, Any] = {"font_name": "Calibri", "font_size": 11, "font_color": _INK, "valign": "top"}


@dataclass(frozen=True, slots=True)
class Looks:
    """The formats of one workbook; `inputs` by what a cell takes."""

    title: Format
    about: Format
    header: Format
    group: Format
    label: Format
    needed: Format
    help: Format
    text: Format
    inputs: dict[str, Format]

    def input(self, kind: Kind, year: bool = False) -> Format:
        return self.inputs["text" if kind.many else "year" if year else kind.base]


def looks_of(workbook: Workbook) -> Looks:
    """The formats, added to a new workbook."""

    def made(**more: Any) -> Format:
        return workbook.add_format({**_PLAIN, **more})

    boxed = {"border": 1, "border_color": _LINE, "text_wrap": True}
    forms = {**_FORMS, "year": "0"}
    return Looks(
        title=made(bold=True, font_size=16, font_color=_DEED, valign="vcenter"),
        about=made(font_color=_SOFT),
        header=made(**boxed, bold=True, font_color="#ffffff", bg_color=_INK, valign="vcenter"),
        group=made(bold=True, bg_color=_GROUND, bottom=1, bottom_color=_LINE, valign="vcenter"),
        label=made(text_wrap=True),
        needed=made(text_wrap=True, bold=True),
        help=made(text_wrap=True, italic=True, font_size=10, font_color=_SOFT),
        text=made(text_wrap=True),
        inputs={base: made(**boxed, bg_color=_INPUT, num_format=form) for base, form in forms.items()},
    )


def set_page(sheet: Worksheet, frozen: int, color: str) -> None:
    """What all sheets share: no grid, a frozen header that is repeated in print, A4 landscape fit to its width."""
    sheet.hide_gridlines(2)
    sheet.freeze_panes(frozen, 0)
    sheet.repeat_rows(max(frozen - 1, 0))
    fit_to_page(sheet)
    sheet.set_margins(left=0.5, right=0.5)
    sheet.set_footer("&L&F&C&A&R&P / &N")
    sheet.set_tab_color(color)


def tab_color(needed: bool) -> str:
    return _DEED if needed else _SOFT


def width_of(kind: Kind) -> int:
    """Characters that a table's column shows in one line."""
    if kind.choices or kind.many or kind.formed:
        return 26
    return _WIDTHS.get(kind.base, 42)


def height_of(texts: list[tuple[str, int]], least: int = 18) -> int:
    """Points that the highest of these wrapped texts needs, each with its column's width; at most what a row can have."""
    lines = max(sum(len(part) // width + 1 for part in text.split("\n")) for text, width in texts)
    return min(400, max(least, 15 * lines + 3))
