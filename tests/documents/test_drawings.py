"""Drawings: they stand alone, escape what they are told, stay small, and become pictures."""

from xml.etree import ElementTree as ET

from app.documents import africa, charts
from app.domain.vocabulary import COUNTRIES
from app.services.rulebooks import open_library
from app.settings import RULES
from tests.conftest import FRAMEWORK


def whole_map() -> str:
    marks = [africa.Mark("NE", "OT"), africa.Mark("BI", "D"), africa.Mark("DE", "D")]
    lines = [africa.Line((("NG",), ("NE",), ("TN", "DZ")), "1"), africa.Line((("NE",), ("NE",), ()), "2")]
    return africa.draw("map", "A <map>", 'Said "so" & so', {"NE": charts.DARK, "BI": charts.MID}, marks, lines)


def test_a_map_is_whole_small_and_escaped() -> None:
    svg = whole_map()
    root = ET.fromstring(svg)
    assert len(svg) < 25_000
    assert root.find("{*}title").text == "A <map>"
    assert root.find("{*}desc").text == 'Said "so" & so'
    assert [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")] == ["1", "2", "OT", "D"]
    assert "style=" not in svg


def test_every_country_of_focus_has_its_place_and_a_small_or_far_one_does_no_harm() -> None:
    focus = [c for region in open_library(RULES, FRAMEWORK).current.framework.regions for c in region.countries]
    assert all(map(africa.on_map, focus))
    assert africa.on_map("MU") is False
    assert africa.on_map("KM")
    assert not africa.on_map("DE")
    ET.fromstring(africa.draw("map", "t", "d", dict.fromkeys(COUNTRIES, charts.LIGHT)))


def test_charts_of_nothing_and_of_much_are_whole() -> None:
    for years in ([], [charts.Year(2027, 0, 0, 0, 0)], [charts.Year(y, 50_000_000, 10**12, 7, 0) for y in range(9)]):
        ET.fromstring(charts.money("m", "t", "d", years, ["a", "b", "c", "<d>"], str))
    ET.fromstring(charts.stacked("g", "t", "d", [("a & b", [0, 0, 0, 0, 0]), ("c", [1, 0, 2, 0, 9])], [*"vwxyz"]))
    ET.fromstring(charts.bars("s", "t", "d", [("a" * 99, 3, "note"), ("b", 0, "")]))


def test_a_drawing_becomes_a_picture() -> None:
    assert charts.png(charts.bars("s", "t", "d", [("Submitted", 3, "")]), "A & B", zoom=1).startswith(b"\x89PNG\r\n")
