"""The commands of whoever proposes, with a workbook: written, screened and submitted like JSON, faults told by cell."""

import io
import json
from pathlib import Path
from typing import Any

import httpx
import openpyxl
from click.testing import Result
from typer.testing import CliRunner

from app.cli import cli
from app.documents.workbook import write_workbook
from app.domain.rulebook import Rulebook
from app.submitting import submit_file
from tests.conftest import copy_of
from tests.serving import earmark, served
from tests.test_cli import EXAMPLES
from tests.web.test_proposals import STRONG, shifted


def called(*words: str) -> Result:
    """A command in this process, which is quicker; errors that only `main` makes sentences are its exception."""
    return CliRunner().invoke(cli, words)


def test_a_workbook_is_screened_exactly_as_its_content_in_json(tmp_path: Path) -> None:
    file, strong = tmp_path / "proposal.xlsx", str(EXAMPLES / "strong.json")
    assert called("template", "--filled", strong, "--output", str(file)).exit_code == 0
    as_json, as_workbook = (called("screen", "--json", one) for one in (strong, str(file)))
    assert (as_workbook.exit_code, as_workbook.stdout) == (0, as_json.stdout), as_workbook.stderr
    assert file.read_bytes() == called("template", "--filled", str(file)).stdout_bytes
    assert isinstance(called("template", "--output", str(file)).exception, FileExistsError)


def test_every_fault_of_a_workbook_is_told_with_its_cell(tmp_path: Path, book: Rulebook) -> None:
    file = tmp_path / "proposal.xlsx"
    content = {
        "title": "A title of a draft",
        "budget": [{"year": 2026, "category": "staff", "amount": 1, "activity_ref": None}],
    }
    workbook = openpyxl.load_workbook(io.BytesIO(write_workbook(book, {"cycle": 2031, "content": content})))
    workbook["Budget"]["C4"], workbook["Proposal"]["B7"] = 12.5, "short"
    workbook.create_sheet("Notes")
    workbook.save(file)
    (tmp_path / "no.xlsx").write_text("cycle: 2026")
    done = earmark("screen", str(file), str(tmp_path / "no.xlsx"), str(tmp_path / "absent.xlsx"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"{file}: Notes!A1: The template has no sheet 'Notes'; remove it.",
        f"{file}: Proposal!B5: Offline the cycles are 2023, 2024, 2025, 2026; --envelope adds one.",
        f"{file}: Proposal!B7: String should have at least 10 characters.",
        f"{file}: Budget!C4: Must be a whole number.",
        f"{tmp_path}/no.xlsx: it is no .xlsx file, or a damaged one (File is not a zip file).",
        f"{tmp_path}/absent.xlsx: there is no such file.",
    ]


def test_a_faulty_proposal_is_not_filled_into_a_template(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"cycle": true, "office": 7, "content": {"titel": "x"}}')
    done = called("template", "--filled", str(bad))
    assert (done.exit_code, done.stdout) == (2, "")
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["/content/titel", "/cycle", "/office"]


def test_a_workbook_is_submitted_and_what_the_service_refuses_is_told_with_its_cell(
    filled: dict[str, Any], tmp_path: Path, book: Rulebook
) -> None:
    good, bad, odd = (tmp_path / name for name in ("good.xlsx", "bad.xlsx", "odd.xlsx"))
    value = {"cycle": 2027, "office": "IOM-NE", "content": shifted(STRONG)}
    good.write_bytes(write_workbook(book, value))
    left_out = {name: part for name, part in value["content"].items() if name not in ("risks", "summary")}
    bad.write_bytes(write_workbook(book, {**value, "content": left_out}))
    workbook = openpyxl.load_workbook(good)
    workbook["Budget"]["C4"], workbook["Budget"]["C3"] = 12.5, "Amout"
    workbook["Proposal"]["B7"] = "short"
    workbook.save(odd)
    with copy_of("sqlite", filled, tmp_path) as url, served(url, tmp_path) as address:
        token = json.loads((tmp_path / "demo.json").read_text())["iom_focal_point"]["token"]
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client:
            first, again, refused, unsent = (submit_file(client, file, None) for file in (good, good, bad, odd))
    assert first.submitted
    assert first == again
    assert (refused.state, [line.split(": ")[0] for line in refused.said[1:]]) == ("draft", ["Proposal!B8", "Risks!A4"])
    assert unsent.ref is None
    assert [line.split(": ")[0] for line in unsent.said] == ["it was not sent", "Budget!C3", "Proposal!B7"]
