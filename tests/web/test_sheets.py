"""Every list as CSV: what a spreadsheet makes of it, the same rows as the JSON list, nobody sees more."""

import csv
import io
from typing import Any

import pytest

from app.documents.csv_text import csv_bytes, plain
from app.domain.people import Role
from app.web import sheets
from app.web.access import DOORS
from tests.conftest import TODAY, Service

CSV = {"Accept": "text/csv"}


def rows_of(raw: bytes) -> list[dict[str, str]]:
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+45 33 92 00 00", "'+45 33 92 00 00"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=cmd", "a;'=cmd"),
        ("a\n=cmd", "a\n'=cmd"),
        ("1=1, a - b", "1=1, a - b"),
        ("a; b", "a; b"),
        ("", ""),
    ],
)
def test_no_text_becomes_a_formula(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_sheet_is_rfc_4180_with_a_mark_and_numbers_stay_numbers() -> None:
    made = csv_bytes(["a", "b.c"], [[-5, 'x "y", z'], [1.5, "two\nlines"], [None, ["=1", 2]], [True, {"k": [1]}]])
    expected = '\ufeffa,b.c\r\n-5,"x ""y"", z"\r\n1.5,"two\nlines"\r\n,\'=1; 2\r\ntrue,"{""k"":[1]}"\r\n'
    assert made.decode() == expected


def lists_of(document: dict[str, Any]) -> list[tuple[str, dict[str, Any], set[str]]]:
    """Path, item schema and parameters of every list the OpenAPI document tells of."""
    found, shapes = [], document["components"]["schemas"]
    for path, operations in document["paths"].items():
        answers = operations.get("get", {}).get("responses", {})
        content = answers.get("200", {}).get("content", {})
        name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        said = shapes.get(name, {}).get("properties", {})
        if "items" in said:
            assert "text/csv" in content, path
            names = {one["name"] for one in operations["get"].get("parameters", ())}
            found.append((path, shapes[said["items"]["items"]["$ref"].rpartition("/")[2]], names))
    return found


def test_every_list_answers_csv_with_the_rows_of_its_json(run: Any) -> None:
    async def scenario(service: Service) -> None:
        lists = lists_of((await service.call(None, "GET", "/openapi.json")).json())
        assert len(lists) >= 20
        filled = set()
        said = {"text": "=1+1", "visibility": "internal"}
        made = await service.call("mfa_reviewer", "POST", "/proposals/DK-IOM-2023-002/comments", json=said)
        assert made.status_code == 201
        meeting = {"cycle": 2026, "date": "2026-09-15", "place": "Tunis", "notes": "=1+1"}
        assert (await service.call("mfa_reviewer", "POST", "/technical-meetings", json=meeting)).status_code == 201
        content = (await service.call("iom_focal_point", "GET", "/proposals/DK-IOM-2025-001")).json()["content"]
        change = {"reason": "Another route.", "content": {**content, "route": "=1+1"}}
        amend = await service.call("iom_focal_point", "POST", "/proposals/DK-IOM-2025-001/amendments", json=change)
        assert amend.status_code == 201, amend.text
        for path, shape, parameters in lists:
            for role in (Role.IOM_OFFICE, Role.MFA_REVIEWER, Role.AUDITOR, Role.ADMIN):
                door = DOORS[f"GET {path}"]
                if role not in door.roles:
                    continue
                for ref in ("DK-IOM-2023-002", "DK-IOM-2026-001", "DK-IOM-2025-001") if "{ref}" in path else ("",):
                    address = path.removeprefix("/api/v1").replace("{ref}", ref)
                    days = {"from": "2023-01-01", "to": "2026-11-22"} if "from" in parameters else {}
                    paged = {"limit": 200} if "cursor" in parameters else {}
                    json_ = await service.call(role, "GET", address, params={**days, **paged})
                    made = await service.call(role, "GET", address, params=days, headers=CSV)
                    assert made.status_code == json_.status_code, (role, address)
                    if made.status_code == 404:
                        continue
                    assert made.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
                    assert made.headers["Content-Disposition"].endswith(
                        '-2026-11-22.csv"' if days else f'-{TODAY}.csv"'
                    )
                    assert made.headers["Vary"] == json_.headers["Vary"] == "Accept"
                    head = made.text.removeprefix("\ufeff").split("\r\n")[0].split(",")
                    assert list(dict.fromkeys(name.split(".")[0] for name in head)) == list(shape["properties"]), path
                    items = list(json_.json()["items"])
                    while following := json_.json().get("next_cursor"):
                        more = {**days, **paged, "cursor": following}
                        json_ = await service.call(role, "GET", address, params=more)
                        items += json_.json()["items"]
                    rows = rows_of(made.content)
                    assert len(rows) == len(items), (role, address)
                    for row, item in zip(rows, items, strict=True):
                        for name in head:
                            value: Any = item
                            for part in name.split("."):
                                value = value and value[part]
                            if isinstance(value, str):
                                assert row[name] == plain(value)
                            elif isinstance(value, int) and not isinstance(value, bool):
                                assert row[name] == str(value)
                    filled |= {path} if items else set()
        assert len(filled) >= 14, "empty lists compare nothing"

    run(scenario)


def test_a_sheet_holds_the_whole_list_unless_a_page_is_asked_for(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(service: Service) -> None:
        items: list[Any] = []
        cursor = ""
        while cursor is not None:
            page = await service.call("mfa_head", "GET", f"/proposals?limit=8{cursor and '&cursor=' + cursor}")
            items += page.json()["items"]
            cursor = page.json()["next_cursor"]
        assert len(items) > 8
        made = await service.call("mfa_head", "GET", "/proposals", headers=CSV)
        assert [one["ref"] for one in rows_of(made.content)] == [one["ref"] for one in items]
        assert made.headers["Content-Disposition"] == f'attachment; filename="proposals-{TODAY}.csv"'
        page = await service.call("mfa_head", "GET", "/proposals?limit=8", headers=CSV)
        assert len(rows_of(page.content)) == 8
        some = await service.call("mfa_head", "GET", "/proposals?cycle=2026", headers=CSV)
        assert {one["cycle"] for one in rows_of(some.content)} == {"2026"}
        none = await service.call("mfa_head", "GET", "/proposals?office=IOM-XX", headers=CSV)
        assert none.content == made.content[: made.content.index(b"\r\n") + 2]
        own = await service.call("iom_office", "GET", "/proposals", headers=CSV)
        assert {one["office"] for one in rows_of(own.content)} == {"IOM-NE"}
        monkeypatch.setattr(sheets, "MOST", 8)
        long = await service.call("mfa_head", "GET", "/proposals", headers=CSV)
        assert (long.status_code, long.json()["code"]) == (422, "too_many_rows")
        typo = await service.call("mfa_head", "GET", "/proposals?stat=draft", headers=CSV)
        assert (typo.status_code, typo.headers["Content-Type"]) == (422, "application/problem+json")

    run(scenario)
