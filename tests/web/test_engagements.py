"""Danish engagements for everybody, and what the Danish side sees beside a proposal: facts, no verdict."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from app.domain.engagement import Entry
from app.services import clock, engagements
from tests.conftest import TODAY, Service
from tests.documents.test_iati_reading import SMALL
from tests.web.test_proposals import STRONG, made, shifted


def imported(service: Service, number: int = 1, country: str = "NE") -> None:
    """So many activities in one country, XM-DAC-3-1-1 and on."""
    head, one = SMALL.replace('code="NE"', f'code="{country}"').split("\n", 1)
    one = one.removesuffix("</iati-activities>")
    more = "".join(one.replace("XM-DAC-3-1-1", f"XM-DAC-3-1-{i}") for i in range(1, number + 1))
    told = engagements.read("danida.xml", f"{head}{more}</iati-activities>".encode())
    with service.house.database.transaction() as tx:
        engagements.keep(tx, told, clock.now(TODAY))


async def submitted(service: Service, content: dict[str, Any]) -> str:
    ref = str((await made(service, content))["ref"])
    moved = await service.call("iom_focal_point", "POST", f"/proposals/{ref}/moves", json={"move": "submit"})
    assert moved.json()["state"] == "submitted", moved.text
    return ref


def test_the_register_comes_first_then_what_was_imported_page_by_page(run: Any) -> None:
    async def scenario(service: Service) -> None:
        imported(service, 5)
        whole = (await service.call("admin", "GET", "/engagements?limit=200")).json()["items"]
        assert [one["iati_identifier"] for one in whole[-6:]] == [None, *(f"XM-DAC-3-1-{i}" for i in range(1, 6))]
        paged, cursor = [], 0
        while cursor is not None:
            page = (await service.call("iom_office", "GET", f"/engagements?limit=2&cursor={cursor}")).json()
            assert len(page["items"]) <= 2
            paged += page["items"]
            cursor = page["next_cursor"]
        assert paged == whole
        here = (await service.call("embassy", "GET", "/engagements?country=NE&limit=3")).json()
        assert [one["iati_identifier"] for one in here["items"]] == [None, None, "XM-DAC-3-1-1"]
        for wrong in ("country=ne", "limit=0", "cursor=x", "land=NE"):
            assert (await service.call("auditor", "GET", f"/engagements?{wrong}")).status_code == 422, wrong

    run(scenario)


def test_an_entry_of_the_register_that_is_imported_is_told_once_as_imported(run: Any) -> None:
    async def scenario(service: Service) -> None:
        one = {"iati_identifier": "XM-DAC-3-1-1", "title": "By hand", "countries": ["NE"], "start": None, "end": None}
        service.house.library.engagements.append(Entry(**one, sectors=[], summary="By hand.", source="A letter."))
        for number, title in ((0, "By hand"), (1, "Border <work>")):
            if number:
                imported(service)
            told = (await service.call("auditor", "GET", "/engagements?limit=200")).json()["items"]
            assert [one["title"] for one in told if one["iati_identifier"]] == [title]

    run(scenario)


def test_a_reviewer_sees_what_a_proposal_has_in_common_with_others(run: Any) -> None:
    async def scenario(service: Service) -> None:
        code = STRONG["countries"][0]["code"]
        imported(service, country=code)
        first = await submitted(service, {**shifted(STRONG), "title": "The first of two alike"})
        named = {"reference": f"{first}, of the same office", "how_it_differs": "Other posts. " * 5}
        synergy = {**STRONG["synergies"][0], "engagement": "Border work", "iati_identifier": "XM-DAC-3-1-1"}
        content = {
            **shifted(STRONG),
            "period": {"start": "2027-07-01", "end": "2029-06-30"},
            "additionality": {**STRONG["additionality"], "overlapping_projects": [named]},
            "synergies": [synergy, {**synergy, "iati_identifier": "XM-DAC-3-1-9"}],
        }
        ref = await submitted(service, content)
        answer = await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/similar")
        found = answer.json()
        most = found["criterion_e"]["activities"][0]
        codes = [one["code"] for one in STRONG["countries"]]
        assert (most["ref"], most["countries_shared"], most["period_overlap_months"]) == (first, codes, 18)
        assert (most["overlapping_projects_named"], most["cycle"]) == (True, 2027)
        shared = [len(one["countries_shared"]) for one in found["criterion_e"]["activities"]]
        assert shared == sorted(shared, reverse=True)
        assert 0 not in shared
        entry = {
            "iati_identifier": "XM-DAC-3-1-1",
            "title": "Border <work>",
            "countries_shared": [code],
            "period_overlap_months": None,
            "referred_to": True,
        }
        assert entry in found["criterion_g"]["engagements"]
        assert [one["engagement"] for one in found["criterion_g"]["synergies"]] == [entry, None]
        again = await service.call("auditor", "GET", f"/proposals/{ref}/similar")
        assert again.content == answer.content
        for role in ("iom_office", "iom_focal_point", "embassy"):
            assert (await service.call(role, "GET", f"/proposals/{ref}/similar")).status_code == 403

    run(scenario)


def test_a_draft_is_similar_to_nothing_anybody_sees_and_many_take_no_more_statements(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await submitted(service, shifted(STRONG))
        path = f"/proposals/{ref}/similar"
        with counting() as before:
            few = (await service.call("mfa_head", "GET", path)).json()
        draft = str((await made(service))["ref"])
        for i in range(3):
            await submitted(service, {**shifted(STRONG), "route": f"Another one {i}"})
        imported(service, 80, STRONG["countries"][0]["code"])
        with counting() as after:
            many = (await service.call("mfa_head", "GET", path)).json()
        assert len(after) == len(before)
        refs = [one["ref"] for one in many["criterion_e"]["activities"]]
        assert len(refs) == len(few["criterion_e"]["activities"]) + 3
        assert not {draft, ref} & {*refs}
        assert len(many["criterion_g"]["engagements"]) == 50

    run(scenario)


@contextmanager
def counting() -> Iterator[list[str]]:
    """The statements that run meanwhile, but for those that count requests: they come now and then."""
    ran: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if not statement.startswith(("BEGIN", "INSERT INTO rate")):
            ran.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(Engine, "before_cursor_execute", note)
