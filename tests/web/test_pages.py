"""What pages cost: statements whatever the number of rows, and what they are made of."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.conftest import Service, _with_service, copy_of, settings_for
from tests.web.test_review import GOOD, assess, under_review

MOST = 12
PAGES = [
    ("mfa_reviewer", "/?cycle=all"),
    ("mfa_head", "/"),
    ("mfa_finance", "/"),
    ("iom_focal_point", "/?cycle=all"),
    ("embassy", "/?cycle=all&country=TN"),
    ("mfa_reviewer", "/proposals/DK-IOM-2027-001"),
    ("mfa_head", "/proposals/DK-IOM-2027-005"),
    ("iom_office", "/proposals/DK-IOM-2027-003"),
]
COPIES = 150


@contextmanager
def counted(service: Service) -> Iterator[list[str]]:
    """Every statement that SQLite runs meanwhile, whoever sends it."""
    said: list[str] = []
    database: Any = service.house.database
    engines = [database.engine, database._reading]
    kept = database._reader.connection.dbapi_connection  # the one that requests read on

    def watch(connection: Any, *more: Any) -> None:
        connection.set_trace_callback(said.append)

    watch(kept)
    for engine in engines:
        event.listen(engine, "checkout", watch)
    yield said
    kept.set_trace_callback(None)
    for engine in engines:
        event.remove(engine, "checkout", watch)


def multiply(tx: Any) -> None:
    """Many more proposals like the first submitted one of the next cycle."""
    row = tx.execute(text("SELECT * FROM proposal WHERE ref = 'DK-IOM-2027-005'")).one()
    faces = tx.execute(text("SELECT * FROM face WHERE proposal_id = :id"), {"id": row.id}).all()
    for i in range(COPIES):
        values = {**row._asdict(), "ref": f"DK-IOM-2027-{900 + i}", "number": 900 + i, "id": 10_000 + i}
        _insert(tx, "proposal", values)
        for face in faces:
            _insert(tx, "face", {**face._asdict(), "proposal_id": 10_000 + i})


def _insert(tx: Any, table: str, values: dict[str, Any]) -> None:
    names = ", ".join(values)
    tx.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})"), values)


@pytest.fixture
def page_service(filled: dict[str, Any], tmp_path: Path) -> Iterator[Any]:
    with copy_of("sqlite", filled, tmp_path) as url:
        yield lambda scenario: asyncio.run(_with_service(scenario, settings_for(url, tmp_path), filled))


def test_no_page_takes_more_statements_for_many_rows(page_service: Any, capsys: Any) -> None:
    async def scenario(service: Service) -> None:
        await service.call("mfa_head", "GET", "/cycles")  # the connection for reading is there from now on
        few = {page: await cost(service, *page) for page in PAGES}
        await service.house.database.write(multiply)
        many = {page: await cost(service, *page) for page in PAGES}
        with capsys.disabled():
            print("\nstatements of pages:", {f"{role} {path}": number for (role, path), number in many.items()})
        assert max(many.values()) <= MOST, many
        assert {page: (few[page], many[page]) for page in PAGES if many[page] > few[page]} == {}

    async def cost(service: Service, role: str, path: str) -> int:
        headers = {"Authorization": f"Bearer {service.accounts[role]['token']}", "Accept": "text/html"}
        with counted(service) as said:
            answer = await service.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return len([one for one in said if one.lstrip().startswith(("SELECT", "WITH", "UPDATE", "INSERT"))])

    page_service(scenario)


async def sent(service: Service, role: str, path: str, **form: str) -> Any:
    """What a page answers to its own form."""
    headers = {"Authorization": f"Bearer {service.accounts[role]['token']}", "Accept": "text/html"}
    return await service.client.post(path, data=form, headers=headers)


def test_after_another_tab_saved_one_sees_both_and_chooses(page_service: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await under_review(service)
        place = f"/proposals/{ref}/assessment"
        first = {"deed": "save", "seen": "", "grade-a": "3", "overall": "From the first tab."}
        assert (await sent(service, "mfa_reviewer", place, **first)).status_code == 303
        second = {"deed": "save", "seen": "", "grade-a": "1", "overall": "From the second tab."}
        refused = await sent(service, "mfa_reviewer", place, **second)
        assert refused.status_code == 409
        assert '<p class="prose">From the first tab.</p>' in refused.text
        assert ">From the second tab.</textarea>" in refused.text
        seen = refused.text.partition('name="seen" value="')[2].partition('"')[0]
        assert (await sent(service, "mfa_reviewer", place, **{**second, "seen": seen})).status_code == 303

    page_service(scenario)


def test_the_grades_of_the_submission_before_are_carried_over_and_stay_marked_as_such(page_service: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await under_review(service)
        await assess(service, "mfa_reviewer", ref, {**GOOD, "comments": {"b": "As in the first one."}})
        back = {"move": "return", "reason": "Say more.", "deadline": "2026-12-20"}
        again = (
            ("mfa_reviewer", back),
            ("iom_focal_point", {"move": "submit"}),
            ("mfa_reviewer", {"move": "start_review"}),
        )
        for role, move in again:
            assert (await service.call(role, "POST", f"/proposals/{ref}/moves", json=move)).status_code == 200
        page = await shown(service, f"/proposals/{ref}")
        assert "Carried over from your assessment of submission 1." in page
        assert ">As in the first one.</textarea>" in page
        form = {"seen": "", **fields(page)}
        assert {name[6:]: int(said) for name, said in form.items() if name.startswith("grade-")} == GOOD["grades"]
        assert "Carried over" not in await shown(service, f"/proposals/{ref}", "mfa_reviewer_2")
        for change in ({}, {"carried_from": ""}):  # the first stays, whatever a later form says
            saved = await sent(service, "mfa_reviewer", f"/proposals/{ref}/assessment", **{**form, **change})
            assert saved.status_code == 303
            mine = (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/assessments")).json()["mine"]
            assert (mine["snapshot"], mine["carried_from"], mine["grades"]) == (2, 1, GOOD["grades"])
            form["seen"] = fields(await shown(service, f"/proposals/{ref}"))["seen"]
            form["overall"] = "Changed since."
        assert "Carried over from your assessment of submission 1." in await shown(service, f"/proposals/{ref}")

    page_service(scenario)


def fields(page: str) -> dict[str, str]:
    """What the assessment's form holds: what it carries unseen, and the grades that are chosen."""
    form = page.partition("/assessment")[2].partition("</form>")[0]
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return dict(hidden + re.findall(r'name="(grade-.)" value="([^"]+)" checked', form))


def test_the_queue_knows_its_cycles_and_the_consultation_that_comes_next(page_service: Any) -> None:
    async def scenario(service: Service) -> None:
        unknown, current = [await shown(service, path) for path in ("/?cycle=1999", "/")]
        assert "1999" not in unknown
        assert "Envelope 2027" in unknown
        assert "Envelope 2027" in current

        def plan(tx: Any) -> None:
            row = tx.execute(text("SELECT * FROM consultation WHERE state = 'concluded' LIMIT 1")).one()._asdict()
            days = (("cancelled", "2027-01-11"), ("planned", "2027-03-02"), ("planned", "2027-02-02"))
            for number, (state, day) in enumerate(days, 900):
                _insert(tx, "consultation", {**row, "id": number, "cycle_year": 2027, "state": state, "held_on": day})

        await service.house.database.write(plan)
        assert "Consultation on 2 Feb 2027" in await shown(service, "/")

    page_service(scenario)


def test_the_queue_says_that_more_of_a_kind_wait_than_it_lists(page_service: Any) -> None:
    async def scenario(service: Service) -> None:
        assert "The first 30 are shown" not in await shown(service, "/")
        await service.house.database.write(multiply)
        assert "The first 30 are shown" in await shown(service, "/")

    page_service(scenario)


async def shown(service: Service, path: str, role: str = "mfa_reviewer") -> str:
    headers = {"Authorization": f"Bearer {service.accounts[role]['token']}", "Accept": "text/html"}
    return str((await service.client.get(path, headers=headers)).text)


def test_what_was_written_and_refused_stands_in_its_own_form_or_above_when_that_is_gone(page_service: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await under_review(service)
        place = f"/proposals/{ref}"
        conflict = {"form": "conflict", "reason": "My sister works there."}
        assert (await sent(service, "mfa_reviewer", f"{place}/conflict", **conflict)).status_code == 303
        again = (await sent(service, "mfa_reviewer", f"{place}/conflict", **conflict)).text
        assert again.count("My sister works there.</textarea>") == 1
        asked = {"json": {"question": "Who?"}}
        number = (await service.call("mfa_reviewer_2", "POST", f"{place}/clarifications", **asked)).json()["id"]
        answer = {"form": f"answer-{number}", "answer": "Nobody."}
        for status in (303, 409):
            answered = await sent(service, "iom_office", f"{place}/questions/{number}", **answer)
            assert answered.status_code == status
        assert '<p class="prose">Nobody.</p></section>' in answered.text
        late = {"move": "recommend", "version": "1", "recommendation": "approve", "reason": "Yes.", "memo": "A memo."}
        page = (await sent(service, "mfa_reviewer", f"{place}/moves", **late)).text
        assert "A memo." in page
        assert "Declare a conflict of interest" in await shown(service, "/proposals/DK-IOM-2025-001", "mfa_finance")

    page_service(scenario)


def test_who_accepts_the_screening_says_so_in_their_own_language(page_service: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await under_review(service)
        headers = {"Authorization": f"Bearer {service.accounts['mfa_reviewer']['token']}", "Accept": "text/html"}
        more = {"data": {"deed": "accept", "grade-b": "1"}, "headers": {**headers, "Accept-Language": "da"}}
        assert (await service.client.post(f"/proposals/{ref}/assessment", **more)).status_code == 303
        mine = (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/assessments")).json()["mine"]
        assert set(mine["grades"]) == set("abcdefgh")
        assert (mine["grades"]["b"], mine["overall"]) == (1, "Jeg er enig i, hvad screeningen fandt.")

    page_service(scenario)


def test_a_second_click_on_a_form_that_makes_something_makes_nothing_more(page_service: Any) -> None:
    async def scenario(service: Service) -> None:
        path = "/proposals/DK-IOM-2027-001"
        mark = re.search(r'questions"><input type="hidden" name="once" value="([^"]+)"', await shown(service, path))
        assert mark
        asked = {"once": mark[1], "question": "Who signs, and when?"}
        for _ in range(2):
            answer = await sent(service, "mfa_reviewer", f"{path}/questions", **asked)
            assert answer.status_code == 303
        assert (await shown(service, path)).count("Who signs, and when?") == 1
        await sent(service, "mfa_reviewer", f"{path}/questions", **{**asked, "question": "Who pays, and when?"})
        assert "Who pays, and when?" in await shown(service, path)

    page_service(scenario)


def test_a_form_without_a_readable_version_changes_nothing(page_service: Any) -> None:
    async def scenario(service: Service) -> None:
        path = "/proposals/DK-IOM-2027-005/moves"
        for version in ({}, {"version": ""}, {"version": "x"}, {"version": "99999999999"}):
            answer = await sent(service, "mfa_reviewer", path, move="start_review", **version)
            assert answer.status_code == 412, version

    page_service(scenario)


def test_what_was_written_stands_on_the_page_when_its_form_is_closed(page_service: Any) -> None:
    async def scenario(service: Service) -> None:
        form = {"version": "1", "decision": "approve", "reason": "Strong along the whole route."}
        answer = await sent(service, "mfa_head", "/consultations/5/decisions/DK-IOM-2027-001", **form)
        assert answer.status_code in (409, 412)
        assert "Strong along the whole route." in answer.text

    page_service(scenario)
