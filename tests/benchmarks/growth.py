"""What lists and searches cost with FEW and with MANY proposals, on both databases: `python -m tests.benchmarks.growth`.

The demo's submitted proposals are copied, with states, times, totals and words of their own; a copy keeps what lists read,
so no content. Every question is asked of both in turns, in one process, by the services themselves.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text

from app import demo
from app.db import Database, Tx, open_database
from app.domain.people import Actor, Role
from app.records.listing import Wanted
from app.records.tables import face, facet, findable
from app.schema import migrate
from app.services import clock, cycles, desk, intake
from app.services.rulebooks import open_library
from app.settings import RULES
from tests import postgres
from tests.serving import TODAY

FEW, MANY, ROUNDS = 1_000, 1_000_000, 15
FRAMEWORK = "dk-iom-2023-2026"
STATES = (
    "submitted",
    "under_review",
    "returned",
    "recommended",
    "approved",
    "agreed",
    "disbursed",
    "closed",
    "rejected",
)
START = datetime(2024, 1, 1, tzinfo=UTC)
OFFICER = Actor(1, "Officer", Role.MFA_REVIEWER)
_FACE = ", ".join(column.name for column in face.c)

Question = Callable[[Tx], Any]


def growth(kind: str, few: int = FEW, many: int = MANY) -> dict[str, tuple[float, float, float]]:
    """Question -> seconds with few, seconds with many, median of their ratios; `kind` is `sqlite` or `postgresql`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = (
            stack.enter_context(postgres.server()).address
            if kind == "postgresql"
            else f"sqlite:///{folder}/{{name}}.db"
        )
        bases = [stack.enter_context(_filled(address, f"of_{number}", folder, number)) for number in (few, many)]
        found = {}
        for name, question in questions(bases[0], bases[1]).items():
            times = [_asked(bases, question) for _ in range(ROUNDS + 3)][3:]
            small, big = (statistics.median(column) for column in zip(*times, strict=True))
            found[name] = (small, big, statistics.median(two / one for one, two in times))
        return found


def _asked(bases: list[Database], question: Question) -> list[float]:
    took = []
    for base in bases:
        with base.reading() as tx:
            tx.execute(text("SELECT 1"))
            start = time.perf_counter()
            question(tx)
            took.append(time.perf_counter() - start)
    return took


def questions(few: Database, many: Database) -> dict[str, Question]:
    """Each list and search, as its page and the API ask them; deep pages begin in the middle of their list."""
    found: dict[str, Question] = {}
    filters: dict[str, dict[str, Any]] = {
        "all": {}, "cycle": {"cycle": 2026}, "state": {"states": ("returned",)}, "office": {"office": "IOM-NE"},
        "country": {"country": "TN"}, "rare country": {"country": "TV"}, "priority area": {"priority_area": 2},
        "cycle and state": {"cycle": 2026, "states": ("submitted", "under_review")},
    }  # fmt: skip
    middle = {True: (500, 10**9), False: (START + timedelta(days=500), 10**9)}
    for name, kept in filters.items():
        for by_total in (False, True):
            order = "total" if by_total else "updated_at"
            found[f"list, {name}, by {order}"] = _listed(OFFICER, **kept, by_total=by_total)
            found[f"list, {name}, by {order}, deep"] = _listed(
                OFFICER, **kept, by_total=by_total, after=middle[by_total]
            )
    searches = {
        "rare word": "unique777x", "common word": "migration", "prefix": "migr", "of 1 in 100": "hundredth7x",
        "of 1 in 1000": "thousandth7x", "rare and common": "unique777x migration", "two common": "border migration",
        "inflected": "migrations", "reference": "B-2026-10007", "no hit": "zeppelin",
    }  # fmt: skip
    for name, q in searches.items():
        found[f"search, {name}"] = _listed(OFFICER, q=q)
        found[f"search, {name}, in a cycle and state"] = _listed(OFFICER, q=q, cycle=2026, states=("submitted",))
    found["search, common word, by total"] = _listed(OFFICER, q="migration", by_total=True)
    found["search, common word, deep"] = _listed(OFFICER, q="migration", after=middle[False])
    found["search, common word, in a country"] = _listed(OFFICER, q="migration", country="TN")
    office = Actor(2, "Office", Role.IOM_OFFICE, "IOM-NE")
    embassy = Actor(3, "Embassy", Role.EMBASSY, "embassy-tunis", ("TN",))
    for who in (office, embassy):
        found[f"list of an {who.name.lower()}"] = _listed(who)
        found[f"search of an {who.name.lower()}, rare word"] = _listed(who, q="unique777x")
        found[f"search of an {who.name.lower()}, common word"] = _listed(who, q="migration")
    for tab in ("all", *desk.TABS):
        found[f"queue, tab {tab}"] = _queue(OFFICER, tab)
    found["queue, every cycle"] = _queue(OFFICER, "review", whole=True)
    found["queue, search"] = _queue(OFFICER, "all", q="unique777x")
    found["queue of an office"] = _queue(office, "all")
    return found


def _listed(actor: Actor, **wanted: Any) -> Question:
    return lambda tx: intake.listed(tx, actor, Wanted(**wanted))


def _queue(actor: Actor, tab: str, whole: bool = False, q: str | None = None) -> Question:
    return lambda tx: desk.queue(tx, actor, Wanted(cycle=2026, q=q, limit=40), tab, whole, clock.now(TODAY))


@contextmanager
def _filled(address: str, name: str, folder: Path, number: int) -> Iterator[Database]:
    if address.startswith("postgresql"):
        engine = create_engine(address.format(name="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
    url = address.format(name=name)
    library = open_library(RULES, FRAMEWORK)
    migrate(url)
    database = open_database(url)
    with database.transaction() as tx:
        cycles.establish(tx, library.current.framework)
    demo.load(database, library, folder / f"{name}.json", clock.now(TODAY))
    asyncio.run(database.close())
    fill(url, number)
    database = open_database(url)
    yield database
    asyncio.run(database.close())


def fill(url: str, number: int) -> None:
    """So many proposals more, both sides' faces of them, what they are filtered and found by."""
    engine = create_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        sqlite = tx.dialect.name == "sqlite"
        if sqlite:  # a database that is thrown away needs no safety
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -2000000", "temp_store = MEMORY"):
                tx.exec_driver_sql(f"PRAGMA {pragma}")
        indexes = [index for table in (face, facet, findable) for index in table.indexes]
        for index in indexes:
            if not (sqlite and index.table is findable):
                index.drop(tx)
        if sqlite:
            tx.execute(text("DROP TRIGGER findable_added"))
        else:
            tx.execute(text("SET maintenance_work_mem = '1GB'"))
        tx.execute(text("BEGIN"))
        _copied(tx, number)
        tx.execute(text("COMMIT"))
        for index in indexes:
            if not (sqlite and index.table is findable):
                index.create(tx)
        if sqlite:
            tx.execute(text("INSERT INTO findable_index (findable_index) VALUES ('rebuild')"))
            tx.exec_driver_sql("PRAGMA journal_mode = WAL")
        tx.execute(text("ANALYZE" if sqlite else "VACUUM ANALYZE"))
    engine.dispose()


def _copied(tx: Connection, number: int) -> None:
    olds = tx.scalars(text("SELECT id FROM proposal WHERE snapshots > 0 ORDER BY id")).all()
    years = tx.scalars(text("SELECT year FROM cycle ORDER BY year")).all()
    first = int(tx.scalar(text("SELECT max(id) + 1 FROM proposal")) or 1)
    instant = "timestamptz" if tx.dialect.name == "postgresql" else "text"
    words = "tsvector" if tx.dialect.name == "postgresql" else "text"
    tx.execute(
        text(
            "CREATE TABLE copied (id bigint PRIMARY KEY, old bigint, year int, state varchar(20), "
            f"updated_at {instant}, total int, ref varchar(20), words {words})"
        )
    )
    add = text("INSERT INTO copied VALUES (:id, :old, :year, :state, :at, :total, :ref, " + _as(words) + ")")
    for begin in range(0, number, 10_000):
        every = range(begin, min(begin + 10_000, number))
        tx.execute(add, [_one(i, first + i, number, olds[i % len(olds)], years, tx.dialect.name) for i in every])
    changed = {
        "proposal": {"id": "c.id", "ref": "c.ref", "number": "c.id", "cycle_year": "c.year", "state": "c.state"},
        "face": {
            "proposal_id": "c.id", "cycle_year": "c.year", "state": "c.state", "updated_at": "c.updated_at",
            "total_tenths": "c.total", "content": "'{}'",
        },
        "facet": {"proposal_id": "c.id"},
    }  # fmt: skip
    for name, own in changed.items():
        table = face.metadata.tables[name]
        values = ", ".join(own.get(column.name, f"t.{column.name}") for column in table.c)
        columns = ", ".join(column.name for column in table.c)
        key = "id" if name == "proposal" else "proposal_id"
        tx.execute(
            text(f"INSERT INTO {name} ({columns}) SELECT {values} FROM copied c JOIN {name} t ON t.{key} = c.old")
        )
    for side, odd in (("mfa", 1), ("iom", 0)):
        rare = f"SELECT id, '{side}', 'country', 'TV' FROM copied WHERE id % 500 = 7"
        tx.execute(text(f"INSERT INTO facet (proposal_id, side, name, value) {rare}"))
        tx.execute(text(f"INSERT INTO findable (id, words) SELECT id * 2 + {odd}, words FROM copied"))
    tx.execute(text("DROP TABLE copied"))


def _as(words: str) -> str:
    return "CAST(:words AS tsvector)" if words == "tsvector" else ":words"


def _one(i: int, number: int, many: int, old: int, years: Any, kind: str) -> dict[str, Any]:
    """A copy's own: times in no order of its number, common words, and such as every 100th, 1000th and only it has."""
    spread = i * 7919 % many
    year = years[i // len(STATES) % len(years)]
    at = START + timedelta(seconds=spread * 90_000_000 / many)
    said = "migration migrant border cooperation training officials agency data rights health safe return partner"
    stems = "=migrat =migration =migrant =border =cooper =cooperation =train =training =offici =official"
    own = f"thing{i % 10} dozen{i % 12} hundredth{i % 100}x thousandth{i % 1000}x unique{i}x b{year}{number + 10_000} {year}"
    return {
        "id": number, "old": old, "year": year, "state": STATES[i % len(STATES)], "total": i * 37 % 1000,
        "at": at if kind == "postgresql" else at.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "ref": f"B-{year}-{number + 10_000}", "words": f" {said} {own} {stems} ",
    }  # fmt: skip


def main() -> None:
    few, many = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (FEW, MANY)
    for kind in [sys.argv[1]] if len(sys.argv) > 1 else ["sqlite", "postgresql"]:
        print(f"{kind}: milliseconds with {few:,} and with {many:,} proposals", flush=True)
        for name, (small, big, ratio) in growth(kind, few, many).items():
            print(f"{ratio:6.2f} {1000 * small:8.2f} {1000 * big:8.2f}  {name}")


if __name__ == "__main__":
    main()
