"""The pages around the desk in process: statements whatever the number of rows, drafts of rules, who reads which message."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from app.domain.rulebook import FILES
from app.notify.notices import NOTICES
from app.settings import RULES
from app.web.pages.notices import KINDS
from tests.conftest import Service

MOST = 12
LISTS = [
    ("auditor", "/notifications"),
    ("mfa_reviewer", "/notifications?state=sent"),
    ("auditor", "/audit"),
    ("auditor", "/audit/verify"),
    ("mfa_reviewer", "/rules"),
    ("mfa_reviewer", "/rules?from=2023.1&to=2023.1"),
    ("mfa_reviewer", "/rules?ref=DK-IOM-2027-003"),
    ("admin", "/users"),
    ("admin", "/tokens"),
    ("admin", "/cycles"),
    ("admin", "/webhooks"),
    ("mfa_head", "/account"),
]


async def look(service: Service, role: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer {service.accounts[role]['token']}", "Accept": "text/html"}
    return await service.client.get(path, headers=headers)


@contextmanager
def noted() -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    ran: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        ran.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield ran
    event.remove(Engine, "before_cursor_execute", note)


def test_no_page_takes_more_statements_for_more_rows(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for role, path in LISTS:
            with noted() as ran:
                answer = await look(service, role, path)
            assert answer.status_code == 200, (path, answer.text[:500])
            assert len([one for one in ran if one.lstrip().upper().startswith("SELECT")]) <= MOST, path

    run(scenario)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The framework's folder with a draft that can be used and one that cannot."""
    folder = tmp_path / "rules"
    shutil.copytree(RULES / "dk-iom-2023-2026", folder)
    for name, before, after in (
        ("2027.1", "params: {least_countries: 2}", "params: {least_countries: 4}"),
        ("2027.2", "count(claimed) > 0", "count(claimd) > 0"),
    ):
        (folder / name).mkdir()
        for file in FILES:
            (folder / name / file).write_bytes((folder / file).read_bytes())
        criteria = (folder / name / "criteria.yaml").read_text().replace('version: "2023.1"', f'version: "{name}"')
        (folder / name / "criteria.yaml").write_text(criteria.replace(before, after))
    return folder


def test_a_draft_shows_what_it_would_change_and_where_it_is_wrong_to_the_ministry_alone(run: Any, rules: Path) -> None:
    async def scenario(service: Service) -> None:
        service.house.library = replace(service.house.library, folder=rules)
        shown = (await look(service, "mfa_reviewer", "/rules")).text
        assert "The draft 2027.2 cannot be used yet" in shown
        assert "did you mean &#39;claimed&#39;" in shown
        compared = (await look(service, "mfa_reviewer", "/rules?from=2023.1&to=draft")).text
        assert "<code>a.a2.params.least_countries</code>" in compared
        assert "would come to another outcome or total" in compared
        assert "<code>a2</code> met → not met" in compared
        tried = (await look(service, "mfa_reviewer", "/rules?ref=DK-IOM-2027-003&version=2027.1")).text
        assert "By 2027.1" in tried
        for role in ("iom_focal_point", "iom_office", "embassy"):
            assert "2027.1" not in (await look(service, role, "/rules")).text
            assert (await look(service, role, "/rules?from=2023.1&to=draft")).status_code == 404
            assert (await look(service, role, "/rules?version=2027.1")).status_code == 404
            assert "would come to" not in (await look(service, role, "/rules?from=2023.1&to=2023.1")).text

    run(scenario)


def test_a_message_is_read_by_whom_it_is_for_and_by_the_auditor(run: Any) -> None:
    async def scenario(service: Service) -> None:
        own = (await service.call("mfa_reviewer", "GET", "/notifications")).json()["items"][0]
        place = f"/notifications/{own['id']}"
        for role in ("mfa_reviewer", "auditor"):
            assert "<pre" in (await look(service, role, place)).text
        hidden = await look(service, "admin", place)
        assert hidden.status_code == 200
        assert "<pre" not in hidden.text
        for role in ("iom_focal_point", "mfa_reviewer_2", "embassy"):
            assert (await look(service, role, place)).status_code == 404
            assert (await look(service, role, "/notifications/999999")).status_code == 404
        assert (await look(service, "mfa_reviewer", "/notifications/nothing")).status_code == 404

    run(scenario)


def test_addresses_with_nonsense_show_the_page_and_break_nothing(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for path in (
            "/notifications?state=x&kind=y&ref=%00&after=-1", "/audit?person=x&since=2027-13-01&until=9999-12-31&after=x",
            "/audit?subject=%F0%9F%98%80&event=%01&since=0001-01-01", "/users?q=%25_&role=x&state=x&after=99999999999999",
            "/tokens?person=0&after=x", "/audit/verify?heads=%22%3E", "/cycles?x=1",
        ):  # fmt: skip
            answer = await look(service, "admin", path)
            assert answer.status_code == 200, (path, answer.text[:300])
        for path in ("/rules?version=9", "/rules?from=x&to=y", "/rules?ref=x&version=2023.1"):
            assert (await look(service, "mfa_reviewer", path)).status_code == 404

    run(scenario)


def test_every_kind_of_message_has_its_name_on_the_pages() -> None:
    assert set(KINDS) == set(NOTICES)


async def sent(service: Service, path: str, **form: str) -> str:
    headers = {"Authorization": f"Bearer {service.accounts['admin']['token']}", "Accept": "text/html"}
    answer = await service.client.post(path, data=form, headers=headers)
    assert answer.status_code in (409, 412, 422), answer.text[:300]
    return str(answer.text)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_refused_change_stands_in_its_own_form_which_is_open(run: Any) -> None:
    async def scenario(service: Service) -> None:
        listed = (await service.call("admin", "GET", "/users")).json()["items"]
        person = next(one["id"] for one in listed if one["role"] == "mfa_finance")
        change = {"form": f"user-{person}", "name": "Another Name", "role": "embassy", "office": ""}
        people = await sent(service, f"/users/{person}", **change)
        assert people.count("<details open>") == 1
        assert people.count('value="Another Name"') == 1
        assert 'id="new-name" name="name" maxlength="200" required value=""' in people
        window = {"form": "window-2027", "version": "99", "closes_on": "2027-01-10", "reason": "A long reason."}
        cycles = await sent(service, "/cycles/2027", **window)
        assert cycles.count("<details open>") == 1
        assert cycles.count(">A long reason.</textarea>") == 1
        assert 'name="closes_on" type="date" value="2027-01-10"' in cycles

    run(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_changed_office_reads_what_was_sent_to_them_before_and_nothing_that_was_not(run: Any) -> None:
    async def scenario(service: Service) -> None:
        own = (await service.call("mfa_reviewer", "GET", "/notifications")).json()["items"][0]["id"]
        set_ = "UPDATE message SET sent_at = NULL, state = 'waiting' WHERE id = :id"
        addressed = "UPDATE message SET addressed_role = :role WHERE id = :id"
        for role, unsent, shown in (("mfa_reviewer", False, True), ("embassy", False, True), ("embassy", True, False)):

            def change(tx: Any, role: str = role, unsent: bool = unsent) -> None:
                tx.execute(text(addressed), {"id": own, "role": role})
                if unsent:
                    tx.execute(text(set_), {"id": own})

            await service.house.database.write(change)
            page = await look(service, "mfa_reviewer", f"/notifications/{own}")
            assert (page.status_code, "<pre" in page.text) == (200, shown), (role, unsent)
            assert "<pre" in (await look(service, "auditor", f"/notifications/{own}")).text

    run(scenario)
