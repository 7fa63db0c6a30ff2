"""Writes that wait together are committed together, and know nothing of each other."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from app.db import Database, Tx, open_database
from app.errors import Conflict

NAME = "test_writing"


def put(tx: Tx, number: int) -> int:
    tx.execute(text("INSERT INTO rate (name, began, n) VALUES (:name, :began, 1)"), {"name": NAME, "began": number})
    return number


def there(database: Database) -> list[int]:
    with database.reading() as tx:
        return list(tx.scalars(text("SELECT began FROM rate WHERE name = :name ORDER BY began"), {"name": NAME}))


@pytest.fixture
def together(database_url: str) -> Any:
    """Run writes that all wait for the first; how each ended, what is there, and how many commits it took."""

    def go(*works: Callable[[Tx], Any]) -> tuple[list[Any], list[int], int]:
        database: Any = open_database(database_url)
        commits: list[int] = []
        for name in ("engine", "_lines"):
            if hasattr(database, name):
                event.listen(getattr(database, name), "commit", lambda connection: commits.append(1))
        first = threading.Event()

        async def scenario() -> list[Any]:
            waiting = asyncio.create_task(database.write(lambda tx: first.wait(10)))
            await asyncio.sleep(0.1)
            asked = [asyncio.create_task(database.write(work)) for work in works]
            await asyncio.sleep(0.1)
            first.set()
            await waiting
            return await asyncio.gather(*asked, return_exceptions=True)

        async def whole() -> tuple[list[Any], list[int], int]:
            ended = await scenario()
            found = there(database)
            await database.close()
            return ended, found, len(commits) - 1

        return asyncio.run(whole())

    return go


def refuse(settled: bool) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        put(tx, 100 + settled)
        raise Conflict("no", "No.", settled=settled)

    return work


def test_what_waits_is_committed_once_and_each_is_answered(together: Any) -> None:
    ended, found, commits = together(*(lambda tx, n=n: put(tx, n) for n in range(20)))
    assert (ended, found, commits) == (list(range(20)), list(range(20)), 1)


def test_what_is_refused_or_wrong_undoes_itself_only(together: Any) -> None:
    works = (lambda tx: put(tx, 1), refuse(False), lambda tx: put(tx, 1), refuse(True), lambda tx: 1 / 0)
    ended, found, commits = together(*works, lambda tx: put(tx, 2))
    assert [type(one) for one in ended] == [int, Conflict, IntegrityError, Conflict, ZeroDivisionError, int]
    assert (found, commits) == ([1, 2, 101], 1), "what says that it is settled stays"


def test_what_breaks_the_transaction_of_all_is_done_again_one_by_one(together: Any) -> None:
    def breaks(tx: Tx) -> None:
        put(tx, 50)
        driver: Any = tx.connection.dbapi_connection
        driver.rollback()  # the savepoints are gone
        raise ZeroDivisionError

    ended, found, _commits = together(lambda tx: put(tx, 1), breaks, lambda tx: put(tx, 2))
    assert [type(one) for one in ended] == [int, ZeroDivisionError, int]
    assert found == [1, 2]


class Panic(BaseException):
    """What a package written in Rust raises when it gives up."""


def panics(tx: Tx) -> None:
    put(tx, 60)
    raise Panic


def test_what_is_no_exception_ends_neither_the_thread_nor_the_others(together: Any, database_url: str) -> None:
    ended, found, _commits = together(lambda tx: put(tx, 1), panics, lambda tx: put(tx, 2))
    assert [type(one) for one in ended] == [int, RuntimeError, int]
    assert (type(ended[1].__cause__), found) == (Panic, [1, 2])

    async def scenario(database: Database) -> None:
        with pytest.raises(RuntimeError, match="Panic"):
            await asyncio.wait_for(database.write(panics), 10)
        assert await asyncio.wait_for(database.write(lambda tx: put(tx, 3)), 10) == 3
        await database.close()

    asyncio.run(scenario(open_database(database_url)))
    assert there(open_database(database_url)) == [1, 2, 3]


def test_what_was_handed_over_is_done_although_its_request_is_given_up(
    database_url: str,
) -> None:
    async def scenario(database: Database) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def slow(tx: Tx) -> int:
            begun.set()
            go_on.wait(10)
            return put(tx, 1)

        asked: list[asyncio.Task[int]] = [asyncio.create_task(_written(database, slow))]
        await asyncio.to_thread(begun.wait, 10)
        asked.append(asyncio.create_task(_written(database, lambda tx: put(tx, 2))))
        await asyncio.sleep(0.05)
        for one in asked:
            one.cancel()
        go_on.set()
        await asyncio.gather(*asked, return_exceptions=True)
        await database.close()

    database = open_database(database_url)
    asyncio.run(scenario(database))
    assert there(open_database(database_url)) == [1, 2], (
        "both had been handed over: a client may have gone, its act has not"
    )


def _written(database: Database, work: Callable[[Tx], int]) -> Awaitable[int]:
    return database.write(work)
