"""Searching proposals: inflected words, beginnings, accents, rubbish; what one may see, in order; old data; long lists."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select, text

from app.db import open_database
from app.domain.finding import asked, folded
from app.domain.people import Actor, Role
from app.domain.stems import danish, english
from app.records import findable, listing
from app.records.among import among
from app.records.listing import Wanted, list_proposals
from app.records.tables import proposal
from app.schema import config
from app.settings import ROOT
from tests.conftest import Service
from tests.web.test_proposals import STRONG, made, shifted

TITLE = "Kommunernes kontorer og Facilité, countries of the Øresund"
WORDS = ("migr", "Border", "data", "=data", "dk", "iom-ne", "training'*", "-ø", "tún")
OFFICER = Actor(1, "Officer", Role.MFA_REVIEWER)


async def found(service: Service, q: str, role: str = "iom_focal_point", **more: Any) -> list[str]:
    answer = await service.call(role, "GET", "/proposals", params={"q": q, "limit": 200, **more})
    assert answer.status_code == 200, answer.text
    return [one["ref"] for one in answer.json()["items"]]


def test_words_are_found_by_inflections_beginnings_and_without_accents(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service, {**shifted(STRONG), "title": TITLE}))["ref"]
        for q in (
            "kommune kontor", "Kommuner", "country", "facilite", "FACILITÉS", "oresund", "øresund", "ores facil",
            "kont komm countr", "Øresund -kontor*", ref, ref.lower(), ref[-8:], f"{ref[:10]}",
        ):  # fmt: skip
            assert ref in await found(service, q), q
        for q in (
            "ommune",
            "kommune zebra",
            "resund",
            "kontor NOT zebra",
            f"{ref}9",
            "kommune kontortid",
        ):
            assert ref not in await found(service, q), q

    run(scenario)


def test_signs_are_never_operators(run: Any) -> None:
    async def scenario(service: Service) -> None:
        every = await found(service, "")
        assert set(await found(service, "dk")) == set(every)
        for q in (
            '"',
            "*",
            "dk:*",
            "NEAR(dk, 2)",
            "dk OR zebra",
            "dk | zebra",
            "words:dk zebra",
            "\\",
            "'); --",
            "🙂",
            "=dk",
        ):
            assert await found(service, q) in ([], every), q
        assert await found(service, "dk 🙂 \" ' * & | ! ( ) : ^ + -") == every
        assert await found(service, "dk NEAR iom") == await found(service, "near") == []
        assert (await found(service, "!?"), await found(service, "  ")) == ([], every)
        for q, status in (("x" * 200, 200), ("x" * 500, 422), ("ø " * 100, 200), ("dk \x00", 422)):
            assert (await service.call("auditor", "GET", "/proposals", params={"q": q})).status_code == status

    run(scenario)


def test_each_side_finds_by_its_own_words_only(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service, {**shifted(STRONG), "title": "Walrus first"}))["ref"]
        assert await found(service, "walrus", "mfa_reviewer") == []
        for role, body in (
            ("iom_focal_point", {"move": "submit"}),
            ("mfa_reviewer", {"move": "start_review"}),
            ("mfa_reviewer", {"move": "return", "reason": "More.", "deadline": "2027-01-31"}),
        ):
            moved = await service.call(role, "POST", f"/proposals/{ref}/moves", json=body)
            assert moved.status_code == 200, moved.text
        read = await service.call("iom_office", "GET", f"/proposals/{ref}")
        changed = {**shifted(STRONG), "title": "Narwhal second"}
        headers = {"If-Match": read.headers["etag"]}
        put = await service.call("iom_office", "PUT", f"/proposals/{ref}/content", json=changed, headers=headers)
        assert put.status_code == 200, put.text
        assert (await found(service, "walrus", "mfa_reviewer"), await found(service, "narwhal", "mfa_reviewer")) == (
            [ref],
            [],
        )
        assert (await found(service, "walrus"), await found(service, "narwhal", "iom_office")) == ([], [ref])
        with service.house.database.reading() as tx:
            other = Actor(2, "Other", Role.IOM_OFFICE, "IOM-ET")
            assert list_proposals(tx, other, Wanted(q="narwhal")) == []

    run(scenario)


def test_after_an_admission_both_sides_find_by_what_they_see_again(run: Any) -> None:
    async def scenario(service: Service) -> None:
        weak = {**shifted(STRONG), "priority_areas": [1], "srf_outcomes": ["1a.1"]}
        ref = (await made(service, {**weak, "title": "Walrus first"}))["ref"]
        moves = f"/proposals/{ref}/moves"
        returned = await service.call("iom_focal_point", "POST", moves, json={"move": "submit"})
        assert returned.json()["state"] == "returned", returned.text
        edit = {"json": {**weak, "title": "Narwhal second"}, "headers": {"If-Match": "*"}}
        assert (await service.call("iom_office", "PUT", f"/proposals/{ref}/content", **edit)).status_code == 200
        assert (await found(service, "walrus"), await found(service, "narwhal")) == ([], [ref])
        admitted = {"move": "admit", "reason": "The screening misread the priority area."}
        assert (await service.call("mfa_head", "POST", moves, json=admitted)).status_code == 200
        seen = (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()
        assert seen["title"] == "Walrus first"
        for role in ("iom_office", "mfa_reviewer"):
            assert (await found(service, "walrus", role), await found(service, "narwhal", role)) == ([ref], [])

    run(scenario)


def test_pages_of_a_search_follow_each_other_while_proposals_come(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for sort in ("updated_at", "total"):
            whole = await found(service, "iom", sort=sort)
            assert whole == [ref for ref in await found(service, "", sort=sort) if ref in whole]
            paged, cursor = [], None
            while cursor is not None or not paged:
                asked_for = {"q": "iom", "sort": sort, "limit": 7, **({"cursor": cursor} if cursor else {})}
                page = (await service.call("iom_focal_point", "GET", "/proposals", params=asked_for)).json()
                paged, cursor = [*paged, *(one["ref"] for one in page["items"])], page["next_cursor"]
                if len(paged) == 7 and sort == "updated_at":
                    await made(service)
            assert paged == whole

    run(scenario)


@pytest.mark.parametrize(("near", "few"), [(1, 1_000), (1, 0), (1_000, 1_000)])
def test_every_way_to_read_a_list_reads_the_same(
    database_url: str, near: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "NEAR", near)
    monkeypatch.setattr(listing, "NEAR_BY_WORDS", near)
    monkeypatch.setattr(listing, "FEW", few)
    monkeypatch.setattr(listing, "COMMON", 2)
    everybody = (
        OFFICER,
        Actor(2, "Office", Role.IOM_OFFICE, "IOM-NE"),
        Actor(3, "Embassy", Role.EMBASSY, "EMB-TUNIS", ("TN", "DZ")),
    )
    filters: tuple[dict[str, Any], ...] = (
        {}, {"cycle": 2026}, {"states": ("draft", "submitted", "returned")}, {"country": "TN"}, {"priority_area": 2},
        {"office": "IOM-NE"}, {"cycle": 2025, "states": ("agreed", "closed"), "country": "TN"},
    )  # fmt: skip
    with open_database(database_url).reading() as tx:
        words = {row.id: row.words for row in tx.execute(select(findable.findable))}
        facets = {tuple(row) for row in tx.execute(text("SELECT proposal_id, side, name, value FROM facet"))}
        for actor in everybody:
            every = list_proposals(tx, actor, Wanted(limit=200))
            for q in ("", "migr", "dk-iom-2026-001", "border training"):
                for kept in filters:
                    expected = [
                        row.id
                        for row in every
                        if row.cycle_year == kept.get("cycle", row.cycle_year)
                        and row.state in kept.get("states", (row.state,))
                        and row.office_code == kept.get("office", row.office_code)
                        and all(
                            (row.id, actor.side, name, str(kept[name])) in facets
                            for name in ("country", "priority_area")
                            if name in kept
                        )
                        and all(
                            f" {term.beginning}" in str(words[findable.number(row.id, actor.side)]).replace("'", " ")
                            or any(
                                f"'{stem}'" in str(words[findable.number(row.id, actor.side)]) for stem in term.stems
                            )
                            or any(
                                f" {stem} " in str(words[findable.number(row.id, actor.side)]) for stem in term.stems
                            )
                            for term in asked(q)
                        )
                    ]
                    read = list_proposals(tx, actor, Wanted(q=q, limit=3, **kept))
                    assert [row.id for row in read] == expected[:4], (actor, q, kept)


@pytest.fixture(scope="module")
def both(filled: dict[str, Any]) -> Any:
    """A reader of each of the two filled databases."""
    with ExitStack() as stack:
        urls = (f"sqlite:///{filled['folder']}/earmark.db", filled["server"].format(name="filled"))
        opened = [open_database(url) for url in urls]
        yield [stack.enter_context(database.reading()) for database in opened]
    for database in opened:
        asyncio.run(database.close())


@settings(max_examples=30, deadline=None)
@given(q=st.text(max_size=200) | st.lists(st.sampled_from(WORDS)).map(" ".join))
@example(q="\x00")
@example(q='"migr" * NEAR(a b)')
def test_both_databases_find_the_same_for_any_text(both: Any, q: str) -> None:
    few, more = ([row.ref for row in list_proposals(tx, OFFICER, Wanted(q=q))] for tx in both)
    assert few == more


def test_stems_are_those_of_postgresql(both: Any) -> None:
    catalogues = (ROOT / "app/web/pages/locale/da").glob("*.po")
    said = " ".join(path.read_text("utf-8") for path in catalogues)
    words = sorted(set(folded(said).replace("_", " ").split()))
    words = [word for word in words if word.isascii() and word.isalpha()]
    ready = "SELECT w, (ts_lexize('english_stem', w))[1], (ts_lexize('danish_stem', w))[1] FROM unnest(CAST(:w AS text[])) w"
    stems = both[1].execute(text(ready), {"w": words}).all()
    assert len(stems) > 300
    for word, of_english, of_danish in stems:  # None: a word too common for PostgreSQL to keep
        assert of_english in (None, english(word))
        assert of_danish in (None, danish(word))


def test_a_list_may_be_longer_than_a_statement_has_parameters(both: Any) -> None:
    for tx in both:
        refs = tx.scalars(select(proposal.c.ref)).all()
        for column, values in ((proposal.c.id, range(200_000)), (proposal.c.ref, [*refs, *map(str, range(70_000))])):
            assert set(tx.scalars(select(proposal.c.ref).where(among(column, values)))) == set(refs)
        assert tx.scalars(select(proposal.c.ref).where(among(proposal.c.id, []))).all() == []


def test_proposals_from_before_the_search_are_found(filled: dict[str, Any], tmp_path: Path) -> None:
    address = create_engine(filled["server"].format(name="postgres"), isolation_level="AUTOCOMMIT")
    with address.connect() as connection:
        connection.execute(text("CREATE DATABASE before_search"))
    for url in (f"sqlite:///{tmp_path}/a.db", filled["server"].format(name="before_search")):
        command.upgrade(config(url), "0012")
        engine = create_engine(url)
        with engine.begin() as tx:
            for statement in _BEFORE.split(";"):
                tx.execute(text(statement))
        engine.dispose()
        command.upgrade(config(url), "head")
        with open_database(url).reading() as tx:
            for actor, q in (
                (OFFICER, "radgivere"),
                (Actor(2, "F", Role.IOM_FOCAL_POINT), "advisers"),
                (OFFICER, "dk-iom-2027-001"),
            ):
                assert [
                    (row.ref, row.state, row.office_code) for row in list_proposals(tx, actor, Wanted(2027, q=q))
                ] == [("DK-IOM-2027-001", "submitted", "IOM-X")]
            assert list_proposals(tx, OFFICER, Wanted(q="adviser")) == []
    with address.connect() as connection:
        connection.execute(text("DROP DATABASE before_search WITH (FORCE)"))
    address.dispose()


_BEFORE = """
INSERT INTO office (code, name, kind, countries) VALUES ('IOM-X', 'X', 'iom', '[]');
INSERT INTO person (id, name, email, role, created_at) VALUES (1, 'N', 'n@x.example', 'iom_focal_point', '2026-11-01 00:00:00');
INSERT INTO cycle (year, framework, opens_on, closes_on, added, last_number, version)
VALUES (2027, 'f', '2026-11-01', '2026-12-01', FALSE, 1, 1);
INSERT INTO proposal (id, ref, cycle_year, number, office_code, state, lock, created_by, created_at, snapshots, moves)
VALUES (1, 'DK-IOM-2027-001', 2027, 1, 'IOM-X', 'submitted', 1, 1, '2026-11-02 00:00:00', 1, 2);
INSERT INTO face (proposal_id, side, cycle_year, version, updated_at, title, requested_dkk, outcome, total_tenths, content,
screening, words) SELECT 1, side, 2027, 1, '2026-11-02 00:00:00', 'T', 1, 'eligible', 900, '{}', '{}', 'dk-iom-2027-001 ' || word
FROM (SELECT 'mfa' AS side, 'rådgiver' AS word UNION SELECT 'iom', 'adviser') AS two
"""
