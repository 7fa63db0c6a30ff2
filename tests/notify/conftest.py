"""A stage for tests of who is told what: a filled database with a cast of its own, rolled back after each test."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from app.db import open_database
from app.domain.cycle import noon_of
from app.domain.people import Actor, Role
from app.domain.proposal import read_content
from app.domain.rulebook import Rulebook
from app.records import people
from app.records.access_tables import person
from app.records.notice_tables import preference
from app.services import casework, intake, review
from app.services.casework import Request
from app.services.clock import Now
from app.services.deliveries import Sender
from app.services.rulebooks import Library, open_library
from app.settings import RULES
from tests.conftest import FRAMEWORK, copy_of
from tests.serving import TODAY
from tests.web.test_proposals import STRONG, shifted

NOW = Now(noon_of(TODAY), TODAY)
SENDER = Sender("earmark@um.example", "https://earmark.example")
OFFICES = (("EMB-BAMAKO", "Embassy in Bamako", "embassy", ("ML", "BF")),)
CAST = {
    "niger": (Role.IOM_OFFICE, "IOM-NE"),
    "niger2": (Role.IOM_OFFICE, "IOM-NE"),
    "tunisia": (Role.IOM_OFFICE, "IOM-TN"),
    "sender": (Role.IOM_FOCAL_POINT, None),  # who submits
    "focal": (Role.IOM_FOCAL_POINT, None),
    "en": (Role.MFA_REVIEWER, None),
    "da": (Role.MFA_REVIEWER, None),  # reads Danish
    "head": (Role.MFA_HEAD, None),
    "finance": (Role.MFA_FINANCE, None),
    "tunis": (Role.EMBASSY, "EMB-TUNIS"),
    "bamako": (Role.EMBASSY, "EMB-BAMAKO"),
    "mission": (Role.MISSION, "MIS-GENEVA"),
    "auditor": (Role.AUDITOR, None),
    "admin": (Role.ADMIN, None),
    "gone": (Role.MFA_REVIEWER, None),  # disabled, like the next one
    "gone_tunis": (Role.EMBASSY, "EMB-TUNIS"),
}


@dataclass
class Stage:
    """A filled database in a transaction that is rolled back, with a cast of its own and nobody else."""

    tx: Any
    library: Library
    numbers: dict[str, int]

    @property
    def book(self) -> Rulebook:
        return self.library.current

    def actor(self, name: str) -> Actor:
        found = people.person_by_email(self.tx, f"{name}@cast.example")
        assert found
        return found

    def last(self) -> int:
        return int(self.tx.scalar(text("SELECT coalesce(max(id), 0) FROM notice")))

    def told(self, after: int) -> list[Any]:
        """Every message since a notice: its number, kind and reference, the reader's name, the facts."""
        query = """SELECT message.id, notice.kind, notice.ref, person.name, notice.facts FROM message
            JOIN notice ON notice.id = message.notice_id JOIN person ON person.id = message.person_id
            WHERE notice.id > :after ORDER BY message.id"""
        return list(self.tx.execute(text(query), {"after": after}))

    def submitted(self, office: str, country: str) -> str:
        """A proposal of an office, submitted; `country` stands in Tunisia's place."""
        whole = json.loads(json.dumps(shifted(STRONG)).replace('"TN"', f'"{country}"'))
        content, faults = read_content(whole, self.book.indicator_codes)
        assert content is not None
        ref = intake.create(self.tx, self.actor("sender"), 2027, office, content, faults, self.book, NOW)
        casework.make_move(self.tx, self.actor("sender"), ref, Request("submit"), self.book, NOW)
        return ref

    def recommended(self, office: str, country: str) -> str:
        ref, said = self.submitted(office, country), {"comments": {}, "overall": "Sound.", "carried_from": None}
        casework.make_move(self.tx, self.actor("en"), ref, Request("start_review"), self.book, NOW)
        for name in ("en", "da"):
            review.save(self.tx, self.actor(name), ref, said | {"grades": dict.fromkeys("abcdefgh", 3)}, self.book, NOW)
            review.complete(self.tx, self.actor(name), ref, self.book, NOW)
        asked = Request("recommend", "It fits.", None, "approve", "Memo.")
        casework.make_move(self.tx, self.actor("en"), ref, asked, self.book, NOW)
        return ref


@pytest.fixture(scope="module")
def place(filled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with copy_of("sqlite", filled, tmp_path_factory.mktemp("readers")) as url:
        yield open_database(url)


@pytest.fixture
def stage(place: Any) -> Iterator[Stage]:
    with place.engine.connect() as tx:
        outer = tx.begin()
        tx.execute(update(person).values(disabled_at=NOW.at))
        for one in OFFICES:
            people.add_office(tx, *one)
        numbers = {}
        for name, (role, office) in CAST.items():
            numbers[name] = people.add_person(tx, name, f"{name}@cast.example", role, office, NOW.at)
        gone = [number for name, number in numbers.items() if name.startswith("gone")]
        tx.execute(update(person).where(person.c.id.in_(gone)).values(disabled_at=NOW.at))
        wish = {"person_id": numbers["da"], "language": "da", "digest": False, "reminders": True}
        tx.execute(insert(preference).values(wish))
        yield Stage(tx, open_library(RULES, FRAMEWORK), numbers)
        outer.rollback()
