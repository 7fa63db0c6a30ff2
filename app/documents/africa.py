"""A map of Africa as SVG: countries shaded, marked and joined by lines; its shapes come with a package, none are kept here.

Plate carrée; shapes are snapped to half a unit, the same for neighbours, so that their borders stay one line.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from itertools import pairwise
from typing import Any

WEST, NORTH, SCALE = -19.0, 38.0, 6.0
WIDTH, HEIGHT, USUAL = 444, 444, 300  # the usual height leaves out the south, where no route begins
SEA, LAND, EDGE, INK, ROUTE = "#f5f7fa", "#e2e6ea", "#ffffff", "#16202c", "#a8440c"
_MARK = 9.5  # radius of a marker
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """A lettered disc on a country."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A route: through the middles of each group of countries in turn, with a number on it if it has one."""

    stops: tuple[tuple[str, ...], ...]
    text: str


@dataclass(frozen=True, slots=True)
class _Shape:
    path: str
    middle: Point


def draw(
    name: str, title: str, desc: str, fills: Mapping[str, str], marks: Sequence[Mark] = (), lines: Sequence[Line] = ()
) -> str:
    """The map; `fills` is country -> colour, `name` makes its ids its own. Texts are escaped here."""
    shapes = _shapes()
    rest = "".join(shape.path for code, shape in shapes.items() if code not in fills)
    shown = [*fills, *(one.code for one in marks), *(code for one in lines for stop in one.stops for code in stop)]
    south = any(on_map(code) and (at := _middle(code)) and at[1] > USUAL - 20 for code in shown)
    high = HEIGHT if south else USUAL
    parts = [
        f'<rect width="{WIDTH}" height="{high}" fill="{SEA}"/>',
        f'<g stroke="{EDGE}" stroke-width=".7" stroke-linejoin="round"><path fill="{LAND}" d="{rest}"/>',
        *(f'<path fill="{fill}" d="{shapes[code].path}"/>' for code, fill in fills.items() if code in shapes),
        "</g>",
        *(_line(one) for one in lines),
        *(_disc(at, one.text) for one, at in _apart(marks)),
    ]
    said = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(desc)}</desc>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="map" viewBox="0 0 {WIDTH} {high}" role="img"'
    return f'{head} aria-labelledby="{name}-title {name}-desc">{said}{"".join(parts)}</svg>'


def on_map(code: str) -> bool:
    """Whether a country's middle lies on the map."""
    at = _middle(code)
    return at is not None and 0 <= at[0] <= WIDTH and 0 <= at[1] <= HEIGHT


def _apart(marks: Sequence[Mark]) -> list[tuple[Mark, Point]]:
    """Every mark on its country, moved aside where it would cover another one."""
    placed: list[tuple[Mark, Point]] = []
    for one in marks:
        if not on_map(one.code):
            continue
        x, y = _middle(one.code) or (0.0, 0.0)
        while any(abs(x - a) < 2 * _MARK and abs(y - b) < 2 * _MARK for _, (a, b) in placed):
            x, y = x + _MARK, y + _MARK / 2
        placed.append((one, (x, y)))
    return placed


def _disc(at: Point, text: str) -> str:
    wide = _MARK + max(0, len(text) - 2) * 3.2
    box = f'x="{at[0] - wide:.1f}" y="{at[1] - _MARK:.1f}" width="{2 * wide:.1f}" height="{2 * _MARK}" rx="{_MARK}"'
    said = f'<text x="{at[0]:.1f}" y="{at[1] + 3.6:.1f}" {_TEXT} font-size="10" fill="{INK}">{escape(text)}</text>'
    return f'<rect {box} fill="#fff" stroke="{INK}" stroke-width="1.2"/>{said}'


_TEXT = 'text-anchor="middle" font-family="IBM Plex Sans" font-weight="600"'


def _line(one: Line) -> str:
    """A route with its number in its middle; of one place only the number is drawn."""
    places = [_mean([at for code in stop if on_map(code) and (at := _middle(code))]) for stop in one.stops]
    stops = list(dict.fromkeys(at for at in places if at))
    if not stops:
        return ""
    drawn, number = "", stops[0]
    if len(stops) > 1:
        (x0, y0), (x, y) = stops[-2], stops[-1]
        number = ((stops[0][0] + stops[1][0]) / 2, (stops[0][1] + stops[1][1]) / 2)
        way = "L".join(f"{a:.1f} {b:.1f}" for a, b in stops)
        far = max(((x - x0) ** 2 + (y - y0) ** 2) ** 0.5, 0.1)
        dx, dy = 7 * (x - x0) / far, 7 * (y - y0) / far
        head = f"M{x:.1f} {y:.1f}l{-dx - dy / 1.7:.1f} {-dy + dx / 1.7:.1f}M{x:.1f} {y:.1f}l{-dx + dy / 1.7:.1f} {-dy - dx / 1.7:.1f}"
        drawn = f'<path d="M{way}{head}" fill="none" stroke="{ROUTE}" stroke-width="2" stroke-linejoin="round"/>'
    disc = (
        f'<circle cx="{number[0]:.1f}" cy="{number[1]:.1f}" r="7.5" fill="#fff" stroke="{ROUTE}" stroke-width="1.5"/>'
    )
    said = f'<text x="{number[0]:.1f}" y="{number[1] + 3.3:.1f}" {_TEXT} font-size="9.5" fill="{ROUTE}">{escape(one.text)}</text>'
    return drawn + (disc + said if one.text else "")


def _mean(points: Sequence[Point]) -> Point | None:
    if not points:
        return None
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _middle(code: str) -> Point | None:
    shape = _shapes().get(code)
    return shape.middle if shape else _places().get(code)


@cache
def _told() -> dict[str, dict[str, Any]]:
    """What the package tells of every country, by its two-letter code."""
    folder = resources.files("countryinfo") / "data"
    read = (json.loads(one.read_text("utf-8")) for one in folder.iterdir() if one.name.endswith(".json"))
    return {one["ISO"]["alpha2"]: one for one in read if (one.get("ISO") or {}).get("alpha2")}


@cache
def _places() -> dict[str, Point]:
    """Country -> where it lies, for those too small for a shape."""
    return {
        code: _projected(*one["latlng"][::-1]) for code, one in _told().items() if len(one.get("latlng") or ()) == 2
    }


@cache
def _shapes() -> dict[str, _Shape]:
    """Every country that the map shows a part of."""
    found = {}
    for code, one in sorted(_told().items()):
        rings = [[_projected(*at) for at in ring] for ring in _rings(one.get("geoJSON") or {})]
        seen = [ring for ring in rings if any(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in ring)]
        if seen:
            found[code] = _Shape("".join(map(_path, seen)), _centre(max(rings, key=_area)))
    return found


def _rings(told: Mapping[str, Any]) -> list[list[list[float]]]:
    """The outer rings of a GeoJSON collection's polygons."""
    geometries = [one["geometry"] for one in told.get("features", ())]
    many = [one["coordinates"] if one["type"] == "MultiPolygon" else [one["coordinates"]] for one in geometries]
    return [polygon[0] for polygons in many for polygon in polygons]


def _projected(longitude: float, latitude: float) -> Point:
    return (longitude - WEST) * SCALE, (NORTH - latitude) * SCALE


def _path(ring: Sequence[Point]) -> str:
    """The ring as path data, relative, to half a unit."""
    snapped = list(dict.fromkeys((round(x * 2) / 2, round(y * 2) / 2) for x, y in ring))
    if len(snapped) < 3:
        return ""
    steps = [(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(snapped)]
    return f"M{_pair(*snapped[0])}l{' '.join(_pair(*step) for step in steps)}z"


def _pair(x: float, y: float) -> str:
    second = f"{y:g}"
    return f"{x:g}{second}" if second.startswith("-") else f"{x:g} {second}"


def _area(ring: Sequence[Point]) -> float:
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(ring))) / 2


def _centre(ring: Sequence[Point]) -> Point:
    """The centre of a ring's area."""
    pairs = [(a, b, a[0] * b[1] - b[0] * a[1]) for a, b in pairwise(ring)]
    whole = sum(cross for *_, cross in pairs) or 1.0
    x = sum((a[0] + b[0]) * cross for a, b, cross in pairs) / (3 * whole)
    y = sum((a[1] + b[1]) * cross for a, b, cross in pairs) / (3 * whole)
    return x, y
