"""A cycle as a workbook: what a spreadsheet program finds in it, the figures of the API, the same bytes every time."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from app.documents.cycle_sheets import cycle_workbook
from app.documents.spreadsheet import Column, Kind, Sheet, workbook
from app.documents.xlsx import LONGEST, MEDIA_TYPE
from tests.conftest import FRAMEWORK, Service
from tests.serving import earmark
from tests.web.test_proposals import STRONG, shifted

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHEETS = ["Proposals", "Criteria", "Budget", "Coverage", "Money", "Read me"]


def opened(raw: bytes, formulas: bool = False) -> Any:
    return load_workbook(io.BytesIO(raw), data_only=not formulas)


def table(sheet: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of a sheet by column name, and its totals where there are any."""
    head, *rows = sheet.iter_rows(values_only=True)
    named = [dict(zip(head, row, strict=True)) for row in rows]
    return (named[:-1], named[-1]) if rows and rows[-1][0] == "In all" else (named, {})


def test_a_formula_in_a_title_is_text_in_a_spreadsheet() -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "\x01\ufffe", "_x0041_", "http://x.example", "x" * 40_000]
    sheet = Sheet("S", [Column("text"), Column("sum", Kind.DKK, total=True)], [[one, 1] for one in hostile])
    made = workbook("T & co", [sheet], NOON, "In all")
    assert made == workbook("T & co", [sheet], NOON, "In all")
    read = opened(made, formulas=True)["S"]
    for number, said in enumerate(hostile, 2):
        cell = read.cell(number, 1)
        assert (cell.data_type, cell.hyperlink) == ("s", None), said
    assert read.cell(2, 1).value == "=1+1"
    assert len(read.cell(len(hostile) + 1, 1).value) == LONGEST
    assert read.cell(len(hostile) + 2, 2).value == "=SUBTOTAL(109,B2:B10)"
    assert opened(made)["S"].cell(len(hostile) + 2, 2).value == len(hostile)


def test_a_cycle_is_a_workbook_with_the_figures_of_the_api(run: Any) -> None:
    async def scenario(service: Service) -> None:
        answer = await service.call("mfa_finance", "GET", "/cycles/2026/workbook")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, MEDIA_TYPE)
        assert answer.headers["Content-Disposition"] == 'attachment; filename="cycle-2026.en.xlsx"'
        read = opened(answer.content)
        assert read.sheetnames == SHEETS
        for sheet in read.worksheets:
            assert (sheet.freeze_panes, sheet.page_setup.orientation) == ("B2", "landscape"), sheet.title
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
            assert sheet.auto_filter.ref.startswith("A1:")
        listed = (await service.call("mfa_finance", "GET", "/proposals?cycle=2026&limit=200")).json()["items"]
        rows, totals = table(read["Proposals"])
        own = {row["Reference"]: row for row in rows}
        for one in listed:
            if one["state"] != "deferred":
                row = own[one["ref"]]
                assert (row["Title"], row["Requested (DKK)"]) == (one["title"], one["requested"])
                assert row["Screening total"] == one["total"]
        assert totals["Requested (DKK)"] == sum(row["Requested (DKK)"] for row in rows)
        covered = (await service.call("mfa_finance", "GET", "/cycles/2026/coverage")).json()
        counted = [row for row in rows if row["Counted in coverage and money"] == "yes"]
        assert [row["Reference"] for row in counted] == [one["ref"] for one in covered["proposals"]]
        years, sums = table(read["Money"])
        assert [row["Year"] for row in years] == [one["year"] for one in covered["money"]]
        for name in ("requested", "approved", "agreed", "paid"):
            column = f"{name.capitalize()} (DKK)"
            assert sums[column] == sum(one[name] for one in covered["money"]), name
            assert sums[column] == sum(row[column] for row in counted), name
        assert {row["Code"]: row["Number of proposals"] for row in table(read["Coverage"])[0]} == {
            one.get("letter") or one["code"]: len(one["proposals"])
            for name in ("criteria", "countries", "srf_outcomes")
            for one in covered[name]
        }
        lines, budget = table(read["Budget"])
        assert {line["Reference"] for line in lines} == set(own)
        assert budget["Amount (DKK)"] == sum(line["Amount (DKK)"] for line in lines)
        formats = {
            cell.value: read["Proposals"].cell(2, i).number_format for i, cell in enumerate(read["Proposals"][1], 1)
        }
        assert formats["Requested (DKK)"] == "#,##0"
        assert (formats["From"], formats["Reference"]) == ("yyyy-mm-dd", "@")
        assert read["Money"]["E2"].number_format == "0.0%"
        danish = await service.call("auditor", "GET", "/cycles/2026/workbook", headers={"Accept-Language": "da"})
        assert opened(danish.content).sheetnames[0] == "Forslag"
        for role, status in (("iom_focal_point", 403), ("embassy", 403), ("admin", 403), ("mfa_head", 200)):
            again = await service.call(role, "GET", "/cycles/2026/workbook")
            assert again.status_code == status
        assert again.content == answer.content, "the same state gives the same bytes"
        assert (await service.call("auditor", "GET", "/cycles/1999/workbook")).status_code == 404

    run(scenario)


def test_grades_stay_out_while_a_proposal_is_under_review(run: Any) -> None:
    async def scenario(service: Service) -> None:
        content = {**shifted(STRONG), "title": "=1+1+1+1+1"}
        body = {"cycle": 2027, "office": "IOM-NE", "content": content}
        made = await service.call("iom_focal_point", "POST", "/proposals", json=body)
        assert made.status_code == 201, made.text
        ref = made.json()["ref"]
        for role, move in (("iom_focal_point", "submit"), ("mfa_reviewer", "start_review")):
            assert (await service.call(role, "POST", f"/proposals/{ref}/moves", json={"move": move})).status_code == 200
        said = {"grades": dict.fromkeys("abcdefgh", 3), "comments": {}, "overall": "Sound."}
        await service.call("mfa_reviewer", "PUT", f"/proposals/{ref}/assessments/mine", json=said)
        done = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/assessments/mine/complete")
        assert done.status_code == 200, done.text
        read = opened((await service.call("mfa_reviewer_2", "GET", "/cycles/2027/workbook")).content, formulas=True)
        rows, _ = table(read["Proposals"])
        assert next(row for row in rows if row["Reference"] == ref)["Title"] == "=1+1+1+1+1"
        criteria = [row for row in table(read["Criteria"])[0] if row["Reference"] == ref]
        assert [row["Letter"] for row in criteria] == list("abcdefgh")
        assert {row["Mean grade (0-4)"] for row in criteria} == {None}
        decided = {
            row["Reference"]: row["Mean grade (0-4)"] for row in table(read["Criteria"])[0] if row["Letter"] == "a"
        }
        assert any(decided.values()), "after the review they are there"

    run(scenario)


def test_an_empty_cycle_is_a_workbook_too(book: Any, tmp_path: Path) -> None:
    coverage: dict[str, Any] = {key: [] for key in ("proposals", "criteria", "countries", "srf_outcomes", "money")}
    named = {"title": "F", "finance_act_code": "06", "file_number": "1"}
    said = {"cycle": 2031, "dated": NOON, "money_changed_at": None, "framework": named, "rulebook": book.reference}
    made = cycle_workbook({**said, "proposals": [], "coverage": coverage}, "da")
    assert [sheet.max_row for sheet in opened(made).worksheets][:5] == [1] * 5
    assert FRAMEWORK in str(list(opened(made)["Læs mig"].iter_rows(values_only=True)))


def test_a_cycle_is_exported_by_the_command_line(tmp_path: Path, filled: dict[str, Any]) -> None:
    place = {"EARMARK_DATABASE_URL": f"sqlite:///{filled['folder']}/earmark.db", "EARMARK_VAR": str(tmp_path)}
    done = earmark("cycle", "export", "2026", "--output", str(tmp_path / "cycle.xlsx"), **place)
    assert done.returncode == 0, done.stderr
    assert opened((tmp_path / "cycle.xlsx").read_bytes()).sheetnames == SHEETS
