"""Whatever people write is text on every page: nothing of it runs, nothing of it becomes part of a page.

Every text that the demo's people wrote, their names included, is turned into a hostile one where it is stored; what the
demo has none of is written through the API. Pages are those of the access table, so that a new one is covered at once.
"""

import json
import re
import sqlite3
from typing import Any

import httpx
import pytest
from sqlalchemy import String

from app.domain.people import Role
from app.records.tables import metadata
from app.web.access import DOORS
from tests.browser.desk import Desk

RUNS = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"
HOSTILE = f"\U0001f600 \u202e{RUNS}{{{{7*7}}}}%3Cscript javascript:alert(3)"
NO_TEXT = {"countries", "scopes", "state", "email", "sha256", "kind", "events"}
KEPT = {"session", "token_use", "idempotency", "login", "identity"}
PARTS = {
    "ref": ("DK-IOM-2027-001", "DK-IOM-2023-001"),
    "id": ("5", "29"),
    "year": ("2023",),
    "number": ("1",),
    "uid": ("0" * 32,),
    "version": ("2023.1",),
}
# Who looks: of those a page is for, the first of each side.
LOOKERS = (
    Role.MFA_REVIEWER,
    Role.IOM_FOCAL_POINT,
    Role.ADMIN,
    Role.AUDITOR,
    Role.MFA_FINANCE,
    Role.EMBASSY,
    Role.MFA_HEAD,
)
_NO_PAGE = re.compile(r"^/(api|docs|health|metrics|login/)|/(export|letters/.*)$|\.(pdf|png|csv)$")


def hostile(value: Any) -> Any:
    """What somebody wrote, as bad as can be and no shorter; words of the service itself have no space in them."""
    if isinstance(value, dict):
        return {name: hostile(one) for name, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    if not isinstance(value, str) or " " not in value:
        return value
    prefix = "custom:" if value.startswith("custom:") else ""
    return prefix + f"{HOSTILE} {value}"[: max(len(value), len(HOSTILE))]


def stored(text: str) -> str:
    """The same for a stored text, which may be JSON."""
    if text[:1] in ("{", "["):
        return json.dumps(hostile(json.loads(text)), ensure_ascii=False)
    return str(hostile(text))


def poison(file: str) -> int:
    """Make every text in a database hostile; how many there were."""
    made, database = 0, sqlite3.connect(file)
    for table in metadata.sorted_tables:
        for column in table.c:
            if table.name in KEPT or column.name in NO_TEXT or not isinstance(column.type, String):
                continue
            query = f'SELECT rowid, "{column.name}" FROM "{table.name}" WHERE instr("{column.name}", \' \')'
            changed = [(stored(said), row) for row, said in database.execute(query)]
            statement = f'UPDATE "{table.name}" SET "{column.name}" = ? WHERE rowid = ?'
            database.executemany(statement, changed)
            made += len(changed)
    database.commit()
    database.close()
    return made


def write_more(desk: Desk) -> None:
    """Through the API, what the demo has none of."""

    def send(sender: str, method: str, path: str, **body: Any) -> None:
        headers = {"Authorization": f"Bearer {desk.accounts[sender]['token']}"}
        answer = client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.is_success, (path, answer.text)

    with httpx.Client(base_url=desk.address, timeout=30) as client:
        send("mfa_reviewer", "POST", "/proposals/DK-IOM-2027-001/comments", text=HOSTILE, visibility="internal")
        send("admin", "PATCH", "/cycles/2027", closes_on="2027-01-15", reason=HOSTILE)
        send("admin", "POST", "/users", name=HOSTILE, email="a{{7*7}}'b@example.org", role="mfa_finance")
        send("mfa_reviewer", "POST", "/tokens", label=HOSTILE)
        send(
            "mfa_reviewer",
            "POST",
            "/webhooks",
            **{"url": "https://example.org/?<script>'", "events": ["*"], "for": "me"},
        )


def pages() -> list[tuple[str, Role | None]]:
    """Every address of a page, with who looks at it."""
    found: list[tuple[str, Role | None]] = []
    for name, door in DOORS.items():
        method, _, path = name.partition(" ")
        if method != "GET" or _NO_PAGE.search(path):
            continue
        readers = 2 if "{ref}" in path else 1  # both sides read a proposal, each its own face
        looking = [one for one in LOOKERS if one in door.roles][:readers] or [None]
        found += [(address, role) for address in addresses(path) for role in looking]
    return found


def addresses(path: str) -> list[str]:
    """A path with every value of each of its parts."""
    found = [path]
    for part, values in PARTS.items():
        if f"{{{part}}}" in path:
            found = [one.replace(f"{{{part}}}", value) for one in found for value in values]
    return found


_IN_PAGE = """() => document.querySelectorAll(
  'img[src="x"], [onerror], [onload], script:not([src]), a[href^="javascript:"], iframe').length"""


@pytest.mark.filterwarnings("default::ResourceWarning")
def test_hostile_texts_are_texts_on_every_page(desk: Desk) -> None:
    write_more(desk)
    assert poison(desk.database_url.removeprefix("sqlite:///")) > 300
    dialogs: list[str] = []
    shown: set[str] = set()
    looks = {role: desk.at(role) for role in {role for _path, role in pages()}}
    for page in looks.values():
        page.on("dialog", lambda one: (dialogs.append(one.message), one.dismiss()))
    for path, role in pages():
        assert "{" not in path, "a part of an address that PARTS does not fill"
        page = looks[role]
        answer = page.goto(path)
        assert answer is not None
        assert answer.status < 500, path
        assert page.evaluate(_IN_PAGE) == 0, path
        said = page.inner_text("body")
        assert "49%3C" not in said, path
        shown |= {path} if RUNS in said else set()
    assert dialogs == []
    assert [one for one in desk.complaints if "status of 40" not in one] == []
    assert {"/", "/users", "/cycles", "/audit", "/notifications", "/proposals/DK-IOM-2027-001"} <= shown
