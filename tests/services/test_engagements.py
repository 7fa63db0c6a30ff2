"""Importing IATI files into the register: each file whole or not at all, again without change, from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.db import open_database
from app.domain.rulebook import RulebookError, read_engagements
from app.errors import Invalid
from app.services import audit, clock, engagements
from tests.conftest import TODAY, copy_of
from tests.documents.test_iati_reading import SMALL
from tests.serving import earmark

NOW = clock.now(TODAY)
OTHER = SMALL.replace("XM-DAC-3-1-1", "XM-DAC-3-1-2")


def both(first: str, second: str) -> bytes:
    """One file with the activities of two."""
    return (first.removesuffix("</iati-activities>") + second.partition("\n")[2]).encode()


def brought(url: str, raw: bytes) -> engagements.Imported:
    told = engagements.read("danida.xml", raw)
    with open_database(url).transaction() as tx:
        return engagements.keep(tx, told, NOW)


def test_an_import_adds_updates_and_leaves_alone(database_url: str) -> None:
    assert brought(database_url, SMALL.encode()).added == ["XM-DAC-3-1-1"]
    again = brought(database_url, both(SMALL, OTHER))
    assert (again.added, again.updated, again.unchanged) == (["XM-DAC-3-1-2"], [], ["XM-DAC-3-1-1"])
    changed = brought(database_url, both(SMALL.replace('code="NE"', 'code="ML"', 1), OTHER))
    assert (changed.added, changed.updated, changed.unchanged) == ([], ["XM-DAC-3-1-1"], ["XM-DAC-3-1-2"])
    with open_database(database_url).reading() as tx:
        told = {one["iati_identifier"]: one for one in engagements.everything(tx, [], None)}
        log = [one for one in audit.everything(tx) if one["event"] == "engagements.import"]
        assert audit.verify(tx)["sound"]
    assert told["XM-DAC-3-1-1"]["countries"] == ["ML", "NE"]
    assert told["XM-DAC-3-1-2"]["sha256"] == log[1]["after"]
    assert [one["facts"] for one in log][2] == {"added": 0, "updated": 1, "unchanged": 1}


def test_activities_that_cannot_be_told_apart_are_refused_with_their_lines() -> None:
    with pytest.raises(Invalid) as refused:
        engagements.read("twice.xml", both(SMALL, SMALL))
    assert [one.message for one in refused.value.faults] == [
        "Line 12: XM-DAC-3-1-1 is another activity's identifier already, in line 2."
    ]
    nameless = engagements.read("nameless.xml", SMALL.replace("XM-DAC-3-1-1", "").encode())
    assert [one.identifier for one in nameless.activities] == [""]


def test_files_are_imported_from_the_command_line_each_as_a_whole(filled: dict[str, Any], tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_text(SMALL)
    bad.write_bytes(both(OTHER, OTHER.replace("3-1-2", "3-1-3").replace('<sector code="15190"/>', "<sector/>")))
    with copy_of("sqlite", filled, tmp_path) as url:
        done = earmark("engagements", "import", str(bad), str(good), EARMARK_DATABASE_URL=url)
        assert (done.returncode, done.stdout.splitlines()) == (
            2,
            ["added\tXM-DAC-3-1-1", f"{good}: 1 added, 0 updated, 0 unchanged."],
        )
        assert done.stderr == f"{bad}: Line 21: <sector> lacks the attribute code.\n"
        listed = earmark("engagements", "list", "--country", "NE", "--json", EARMARK_DATABASE_URL=url)
    items = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [one["iati_identifier"] for one in items] == [None, None, "XM-DAC-3-1-1"]
    assert all("NE" in one["countries"] for one in items)


def test_a_mistake_in_the_register_is_told_with_its_place(tmp_path: Path) -> None:
    entry = "{iati_identifier: null, titel: x, countries: [NO, XX], start: null, end: null, sectors: [], summary: x}"
    (tmp_path / "engagements.yaml").write_text(f"engagements:\n  - {entry}\n")
    with pytest.raises(RulebookError) as refused:
        read_engagements(tmp_path)
    said = str(refused.value)
    assert "engagements.yaml:2:" in said
    assert "unknown key 'titel'; did you mean 'title'?" in said
    assert "the key 'source' is missing" in said
