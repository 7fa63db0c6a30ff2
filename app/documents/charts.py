"""Charts as SVG that stands alone: title, description, its own colours, so that a page and a picture show the same."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import fontpkg_ibm_plex_sans
import resvg_py

INK, SOFT, RULE = "#16202c", "#566372", "#d9dfe6"
DARK, MID, LIGHT = "#0b4a8f", "#5b99d3", "#cfe0f2"
GRADES = ("#a31118", "#efcd7a", "#cfe0f2", "#5b99d3", "#0b4a8f")  # absent to excellent
WIDE = 460
_MARGIN = 16
_VIEW = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')
_FONT = Path(fontpkg_ibm_plex_sans.__file__).parent / "files" / "IBMPlexSans[wdth,wght].ttf"


@dataclass(frozen=True, slots=True)
class Year:
    """A year's money in whole DKK; what is paid is part of what is approved, and that of what is requested."""

    year: int
    envelope: int
    requested: int
    approved: int
    paid: int


def png(svg: str, heading: str, zoom: float = 3) -> bytes:
    """A drawing as a picture on white, with a margin and its heading. Takes some 100 ms: not on the loop."""
    view = _VIEW.search(svg)
    assert view, "every drawing here has one"
    wide, high = map(float, view.groups())
    placed = f'x="{_MARGIN}" y="{3 * _MARGIN}" width="{wide:g}" height="{high:g}" viewBox="0 0 {wide:g} {high:g}"'
    inner = _VIEW.sub(placed, svg, count=1)  # within another one, a drawing is cut off at its edges
    size = f'viewBox="0 0 {wide + 2 * _MARGIN:g} {high + 4 * _MARGIN:g}"'
    said = f'<text x="{_MARGIN}" y="28" font-family="IBM Plex Sans" font-size="15" font-weight="600">{escape(heading)}</text>'
    whole = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{inner}{said}</svg>'
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=whole, background="#ffffff", zoom=zoom, skip_system_fonts=True, font_files=[str(_FONT)]
        )
    )


def frame(name: str, title: str, desc: str, height: float, parts: Sequence[str]) -> str:
    """A chart as wide as all others; `name` makes its ids its own."""
    said = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(desc)}</desc>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDE} {height:g}" role="img"'
    font = 'font-family="IBM Plex Sans" font-size="13"'
    return f'{head} aria-labelledby="{name}-title {name}-desc" {font}>{said}{"".join(parts)}</svg>'


def money(
    name: str, title: str, desc: str, years: Sequence[Year], legend: Sequence[str], million: Callable[[int], str]
) -> str:
    """Bars by year: paid, approved and not paid, requested and not approved; a line where the envelope ends."""
    top, foot = 64.0, 300.0
    most = max([1, *(max(one.envelope, one.requested, one.approved) for one in years)])
    step = _step(most)
    scale = (foot - top) / (step * -(-most // step))
    parts = _legend(legend[:3], (DARK, MID, LIGHT))
    parts.append(_rect(0, 31, 14, 3, INK) + _text(20, 37, legend[3], SOFT))
    for value in range(0, step * -(-most // step) + 1, step):
        y = foot - value * scale
        parts.append(
            f'<path d="M40 {y:.1f}H{WIDE}" stroke="{RULE}"/>' + _text(32, y + 4.5, million(value), SOFT, "end")
        )
    room = (WIDE - 44) / max(1, len(years))
    for place, one in enumerate(years):
        parts += _year(one, 44 + room * place, room, foot, scale, million)
    return frame(name, title, desc, foot + 30, parts)


def _year(one: Year, left: float, room: float, foot: float, scale: float, million: Callable[[int], str]) -> list[str]:
    wide, middle = min(58.0, room * 0.62), left + room / 2
    pieces = (
        (one.paid, DARK, "#fff"),
        (max(0, one.approved - one.paid), MID, INK),
        (max(0, one.requested - one.approved), LIGHT, INK),
    )
    parts, y = [], foot
    for amount, colour, ink in pieces:
        height = amount * scale
        y -= height
        if amount:
            parts.append(_rect(middle - wide / 2, y, wide, height, colour))
        if height > 18:
            parts.append(_text(middle, y + height / 2 + 4.5, million(amount), ink, "middle"))
    line = foot - one.envelope * scale
    parts.append(_rect(middle - wide / 2 - 8, line - 1.5, wide + 16, 3, INK))
    parts.append(_text(middle, foot + 20, str(one.year), INK, "middle", 600))
    return parts


def _step(most: int) -> int:
    """A round distance between four lines or so: 1, 2, 2.5 or 5 with noughts."""
    size = int(10 ** (len(str(most)) - 1))
    return next(one for one in (size // 4, size // 2, size, 5 * size // 2, 5 * size) if one and most / one <= 5)


def stacked(name: str, title: str, desc: str, rows: Sequence[tuple[str, Sequence[int]]], legend: Sequence[str]) -> str:
    """A bar for each row, parted by share in the colours of the grades; a row of nothing is an empty bar."""
    parts = _legend(legend, GRADES)
    for place, (label, numbers) in enumerate(rows):
        y = 44 + 40 * place
        whole, x = sum(numbers), 0.0
        parts.append(_text(0, y, _short(label, 58), INK) + _rect(0, y + 7, WIDE, 14, "#e6eaef"))
        for number, colour in zip(numbers, GRADES, strict=True):
            wide = WIDE * number / whole if whole else 0
            if wide:
                parts.append(_rect(x, y + 7, max(wide - 1.5, 0.5), 14, colour))
                ink = "#fff" if colour in (GRADES[0], DARK) else INK
                parts.append(_text(x + wide / 2, y + 18, str(number), ink, "middle", 600, 11))
            x += wide
    return frame(name, title, desc, 44 + 40 * len(rows), parts)


def bars(name: str, title: str, desc: str, rows: Sequence[tuple[str, int, str]]) -> str:
    """A bar for each row: label, number, what is said behind it."""
    most, parts = max([1, *(number for _, number, _ in rows)]), []
    for place, (label, number, note) in enumerate(rows):
        y = 6 + 34 * place
        wide = (WIDE - 250) * number / most
        parts.append(_text(122, y + 16, _short(label, 18), INK, "end") + _rect(132, y, max(wide, 1), 22, MID))
        parts.append(_text(140 + wide, y + 16, str(number), INK, "start", 600) + _text(WIDE, y + 16, note, SOFT, "end"))
    return frame(name, title, desc, 10 + 34 * len(rows), parts)


def _legend(said: Sequence[str], colours: Sequence[str]) -> list[str]:
    parts, x = [], 0.0
    for label, colour in zip(said, colours, strict=True):
        parts.append(_rect(x, 3, 12, 12, colour) + _text(x + 17, 14, label, SOFT))
        x += 31 + 6.6 * len(label)
    return parts


def _rect(x: float, y: float, wide: float, high: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, said: str, colour: str, anchor: str = "start", weight: int = 400, size: int = 13) -> str:
    more = (f' font-weight="{weight}"' if weight != 400 else "") + (f' font-size="{size}"' if size != 13 else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{more}>{escape(said)}</text>'


def _short(said: str, most: int) -> str:
    return said if len(said) <= most else f"{said[: most - 1].rstrip()}…"
