"""A proposal as a workbook: what is written is read back, faults are named by cell, hostile files get a sentence."""

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import openpyxl
import pytest

from app.documents.workbook import Unreadable, cells, read_workbook, write_workbook
from app.documents.workbook.sheets import SHEETS, Form
from app.domain.proposal import Content, read_content
from app.domain.rulebook import Rulebook
from app.settings import RULES
from tests import generate

EXAMPLES = RULES / "dk-iom-2023-2026" / "examples"
STRONG: dict[str, Any] = json.loads((EXAMPLES / "strong.json").read_text())


@pytest.fixture(scope="module")
def strong(book: Rulebook) -> bytes:
    return write_workbook(book, STRONG)


def changed(raw: bytes, change: Callable[[openpyxl.Workbook], object]) -> bytes:
    """The workbook as a script leaves it."""
    workbook, made = openpyxl.load_workbook(io.BytesIO(raw)), io.BytesIO()
    change(workbook)
    workbook.save(made)
    return made.getvalue()


def set_cells(**cells: Any) -> Callable[[openpyxl.Workbook], None]:
    """A change that sets cells, each named as Sheet_A1."""

    def change(workbook: openpyxl.Workbook) -> None:
        for name, value in cells.items():
            sheet, _, cell = name.rpartition("_")
            workbook[sheet][cell] = value

    return change


def with_part(raw: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The file with one of its parts changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, change(old.read(part)) if part == name else old.read(part))
    return made.getvalue()


def faults_of(raw: bytes, book: Rulebook) -> dict[str, str]:
    reading = read_workbook(raw)
    _, faults = read_content(reading.value["content"], book.indicator_codes, "/content")
    return {fault.cell: fault.message for fault in reading.locate(faults)}


def leaves(schema: dict[str, Any], node: dict[str, Any], path: str = "") -> Iterator[str]:
    """The pointer of every single value and list of single values; * is any entry of a list."""
    node = node.get("anyOf", [node])[0]
    node = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    if node.get("type") == "array" and "$ref" in node["items"]:
        yield from leaves(schema, node["items"], f"{path}/*")
    elif "properties" in node:
        for name, inner in node["properties"].items():
            yield from leaves(schema, inner, f"{path}/{name}")
    elif "propertyNames" in node:
        yield from (f"{path}/{name}" for name in node["propertyNames"]["enum"])
    else:
        yield path


def test_every_field_of_a_content_has_one_cell_and_labels_are_clear() -> None:
    schema = Content.model_json_schema()
    expected = [f"/content{path}" for path in leaves(schema, schema)]
    cells = []
    for plan in SHEETS:
        under = "" if isinstance(plan, Form) else "/" + "/".join(plan.steps) + "/*"
        cells += [f"{under}/{'/'.join(one.steps)}" for one in plan.fields]
        titles = [title for title, _ in plan.groups] if isinstance(plan, Form) else []
        labels = [one.label.casefold() for one in plan.fields] + [title.casefold() for title in titles]
        assert len(set(labels)) == len(labels), plan.name
    assert sorted(cells) == sorted(["/cycle", "/office", *expected])


@pytest.mark.parametrize("name", ["strong", "draft", "ineligible"])
def test_an_example_comes_back_as_it_was_filled_in(name: str, book: Rulebook) -> None:
    value = json.loads((EXAMPLES / f"{name}.json").read_text())
    reading = read_workbook(write_workbook(book, value))
    assert (reading.value, reading.faults) == (value, [])


def test_random_proposals_and_drafts_come_back_as_they_were_filled_in(book: Rulebook) -> None:
    rng = random.Random(11)
    for number in range(24):
        content = (generate.draft if number % 2 else generate.proposal)(rng)
        reading = read_workbook(write_workbook(book, {"cycle": 2026, "office": "IOM-NE", "content": content}))
        for name in ("criteria", "contact"):  # a workbook does not tell "none of them" from "left out"
            if not content.get(name, True):
                del content[name]
        assert reading.value == {"cycle": 2026, "office": "IOM-NE", "content": content}
        assert reading.faults == []


def test_lists_texts_and_nothing_come_back_whatever_they_hold(book: Rulebook) -> None:
    rights = {"complaints_mechanism": True, "psea_plan": False, "do_no_harm": "=1+1"}
    groups = ['women, "girls"', "a; b", "two\nlines", '"', "-", "", "é\U0001f600", "_x0041_"]
    content = {
        "human_rights": {"vulnerable_groups": groups, **rights},
        "tools": [],
        "risks": [],
        "srf_outcomes": [],
        "route": "",
        "criteria": {"a": "", "b": "@SUM(1)\tx"},
        "previous_proposal": None,
        "climate": {"narrative": "", "activity_refs": []},
        "additionality": {"not_covered_elsewhere": "", "exit_strategy": "", "overlapping_projects": []},
    }
    raw = write_workbook(book, {"cycle": 2026, "content": content})
    assert read_workbook(raw).value["content"] == content
    assert raw == write_workbook(book, {"cycle": 2026, "content": content})


def test_what_a_person_types_is_read_as_it_is_meant(strong: bytes) -> None:
    typed = set_cells(
        Budget_A4=2026.0, Budget_C4=" 2310000 ", Proposal_B9=date(2026, 1, 1), Proposal_B10="2027-12-31",
        Proposal_B24=True, Proposal_B25="Yes", Proposal_B14="3;4", Proposal_B18="2A", Activities_C4="Protection assistance",
        Countries_A4=" et ", Indicators_B4="0.0", Activities_A1=None,
    )  # fmt: skip
    reading = read_workbook(changed(strong, typed))
    assert (reading.value, reading.faults) == ({**STRONG, "content": {**STRONG["content"], "gender_marker": "2a"}}, [])


def test_moved_rows_columns_and_sheets_are_found_by_their_names(strong: bytes) -> None:
    def move(workbook: openpyxl.Workbook) -> None:
        workbook["Budget"].move_range("A3:A60", cols=9)
        workbook["Budget"].delete_cols(1)
        workbook["Risks"].delete_rows(1, 2)
        workbook["Countries"].insert_rows(5, 3)
        workbook["Proposal"].insert_rows(2)
        workbook.move_sheet("Criteria", -8)

    assert read_workbook(changed(strong, move)).value == STRONG


def test_a_workbook_broken_in_ten_ways_gives_ten_cells(strong: bytes, book: Rulebook) -> None:
    def spoil(workbook: openpyxl.Workbook) -> None:
        set_cells(
            Budget_C5=12.5, Budget_D6="A99", Countries_B5="transit; nowhere", Activities_D5="ET, ZZ", Partners_D4="maybe",
            Proposal_B10="31.12.2027", Indicators_A4="9z9", Risks_C4=7,
        )(workbook)  # fmt: skip
        workbook["Tools"]["C3"] = "Handed ovr to"
        workbook["Overlapping projects"]["A4"] = "#REF!"
        workbook["Overlapping projects"]["A4"].data_type = "e"

    found = faults_of(changed(strong, spoil), book)
    assert set(found) == {
        "Budget!C5", "Budget!D6", "Countries!B5", "Activities!D5", "Partners!D4", "Proposal!B10", "Indicators!A4",
        "Risks!C4", "Tools!C3", "'Overlapping projects'!A4",
    }  # fmt: skip
    assert found["Tools!C3"] == "The template has no column 'Handed ovr to'; did you mean 'Handed over to'?"
    assert found["Activities!D5"].startswith("Entry 2: ")
    assert "#REF!" in found["'Overlapping projects'!A4"]


def test_sheets_lines_and_values_out_of_place_are_named(strong: bytes, book: Rulebook) -> None:
    def spoil(workbook: openpyxl.Workbook) -> None:
        workbook["Budget"].title = "Budgte"
        del workbook["Risks"]
        set_cells(Synergies_G4="beside", Proposal_A7="Titel *", Proposal_B60="lost", Criteria_E5="beside")(workbook)
        workbook["Partners"].delete_rows(1, 3)
        workbook["Partners"]["A1"] = "no header"

    found = faults_of(changed(strong, spoil), book)
    assert set(found) == {
        "Budgte!A1", "Proposal!B7", "Proposal!B60", "Partners!A1", "Synergies!G4", "Budget", "Risks", "Criteria!E5"
    }  # fmt: skip
    assert "did you mean 'Budget'" in found["Budgte!A1"]
    assert "did you mean 'Title'" in found["Proposal!B7"]


def test_what_is_blank_in_a_row_that_is_filled_is_named(strong: bytes, book: Rulebook) -> None:
    found = faults_of(changed(strong, set_cells(Partners_B4=None, Partners_C4=None, Budget_D4=None)), book)
    assert found == {"Partners!B4": "This cell is needed."}


def test_a_formula_counts_as_what_it_showed_last(strong: bytes) -> None:
    sheet = "xl/worksheets/sheet10.xml"
    shown = with_part(strong, sheet, lambda xml: xml.replace(b"<v>2310000</v>", b"<f>1+1</f><v>7</v>"))
    never = with_part(strong, sheet, lambda xml: xml.replace(b"<v>2310000</v>", b"<f>1+1</f>"))
    assert read_workbook(shown).value["content"]["budget"][0]["amount"] == 7
    assert "amount" not in read_workbook(never).value["content"]["budget"][0]


def _row(xml: bytes) -> Callable[[bytes], bytes]:
    return lambda sheet: sheet.replace(b"</sheetData>", xml + b"</sheetData>")


_FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
_MANY = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(300, 30_000))
_ODD = (
    b'<row r="90"><c r="A90" t="inlineStr"><is><t>_xD83D_ _x0001_</t></is></c><c r="B90" t="b"><v>1</v></c>'
    b'<c r="C90"><v>1e999</v></c><c r="D90" t="str"><v>nan</v></c></row>'
)


@pytest.mark.parametrize(
    ("xml", "cell"), [(_FAR, "Budget!XFD1048576"), (_MANY, "Budget!A1282"), (_ODD, "Budget!A90")], ids=["far", "many", "odd"]
)  # fmt: skip
def test_hostile_cells_are_named_and_cost_little(xml: bytes, cell: str, strong: bytes, book: Rulebook) -> None:
    raw = with_part(strong, "xl/worksheets/sheet10.xml", _row(xml))
    assert cell in faults_of(raw, book)
    json.dumps(read_workbook(raw).value, allow_nan=False, ensure_ascii=False).encode()


def _zipped(name: str, data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return made.getvalue()


_LAUGHS = b"<!DOCTYPE x [" + b"".join(
    b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"lol") for n in range(12)
) + b"]>"  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda raw: b"", "no .xlsx file"),
        (lambda raw: b"cycle: 2026", "no .xlsx file"),
        (lambda raw: raw[: len(raw) // 2], "no .xlsx file"),
        (lambda raw: b"\xd0\xcf\x11\xe0" + bytes(600), "protected by a password"),
        (lambda raw: bytes(5 * 1024**2 + 1), "larger than 5 MB"),
        (lambda raw: _zipped("xl/workbook.xml", bytes(21 * 1024**2)), "unpacked it is larger than 20 MB"),
        (lambda raw: _zipped("mimetype", b"opendocument"), "no workbook"),
        (lambda raw: with_part(raw, "xl/workbook.xml", lambda xml: xml[:-20]), "damaged"),
        (lambda raw: with_part(raw, "xl/worksheets/sheet2.xml", lambda xml: b"<a>" * 10_000), "damaged"),
        (
            lambda raw: with_part(raw, "xl/workbook.xml", lambda xml: _LAUGHS + xml.split(b"?>", 1)[1].replace(
                b"<sheets>", b"<sheets>&a11;")),
            "damaged",
        ),
    ],
    ids=["empty", "text", "half", "encrypted", "large", "bomb", "ods", "cut", "deep", "laughs"],
)  # fmt: skip
def test_a_file_that_is_no_workbook_is_refused_in_a_sentence(
    spoil: Callable[[bytes], bytes], said: str, strong: bytes
) -> None:
    with pytest.raises(Unreadable, match=said):
        read_workbook(spoil(strong))


def test_far_more_cells_than_a_proposal_has_are_not_read(strong: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_ELEMENTS", 5000)
    assert read_workbook(strong).faults == []
    with pytest.raises(Unreadable, match="far more cells"):
        read_workbook(with_part(strong, "xl/worksheets/sheet2.xml", _row(b"<row/>" * 5000)))


def test_a_sheet_that_is_referred_to_again_and_again_is_not_read(
    strong: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "MOST_UNPACKED", 600_000)
    entries = b"".join(b'<sheet name="N%d" sheetId="%d" r:id="rId2"/>' % (n, n) for n in range(100, 2000))
    raw = with_part(strong, "xl/workbook.xml", lambda xml: xml.replace(b"</sheets>", entries + b"</sheets>"))
    with pytest.raises(Unreadable, match="the template again"):
        read_workbook(raw)


def test_damage_anywhere_gives_a_sentence_or_a_reading(strong: bytes) -> None:
    rng = random.Random(3)
    with zipfile.ZipFile(io.BytesIO(strong)) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/") and "theme" not in name]

    def damage(xml: bytes) -> bytes:
        at, digit = rng.randrange(len(xml)), rng.choice([b"9", b"A", b"-1", b"", b'"', b"<v>"])
        return xml[:at] + digit + xml[at + 1 :]

    for _ in range(40):
        try:
            read_workbook(with_part(strong, rng.choice(parts), damage))
        except Unreadable:
            continue


def test_the_template_helps_whoever_fills_it(book: Rulebook) -> None:
    raw = write_workbook(book)
    assert (read_workbook(raw).value, read_workbook(raw).faults) == ({"content": {}}, [])
    workbook = openpyxl.load_workbook(io.BytesIO(raw))
    assert workbook.sheetnames == ["Read me", *(plan.name for plan in SHEETS), "Codes", "Lists"]
    assert workbook["Lists"].sheet_state == "hidden"
    for plan in SHEETS:
        sheet = workbook[plan.name]
        assert (sheet.freeze_panes, sheet.page_setup.orientation) == ("A4", "landscape")
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.column_dimensions["A"].width > 12
    rules = {str(one.sqref): one for one in workbook["Budget"].data_validations.dataValidation}
    assert (rules["A4:A203"].type, rules["A4:A203"].formula1, rules["A4:A203"].formula2) == ("whole", "2000", "2100")
    assert rules["D4:D203"].formula1 == "Activities!$A$4:$A$63"
    sheet, _, cells = rules["B4:B203"].formula1.partition("!")
    assert [row[0].value for row in workbook[sheet][cells]][:3] == ["staff", "operations", "subgrants"]
    assert workbook["Budget"]["A4"].fill.fgColor.rgb != workbook["Budget"]["A3"].fill.fgColor.rgb
