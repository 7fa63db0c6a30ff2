"""Writes, one after another: a thread takes what waits, does each in a savepoint of one transaction, and commits once.

A write is mostly waiting for the disk; those who wait together wait once. Nobody is answered before the commit, and what one
of them does or is refused is undone without touching the others.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from sqlalchemy import Connection

from app.errors import AppError

T = TypeVar("T")
TOGETHER = 32  # writes of one transaction, at most
TRIES = 3  # of one that the database ends because it and others wait for each other, or because it goes away


@dataclass(slots=True)
class _Asked:
    """A write that waits, and how it ended: with a value or an error. `anew`: nothing of it was done, and it may be tried again."""

    work: Callable[[Connection], Any]
    answer: Future[Any] = field(default_factory=Future)
    value: Any = None
    error: Exception | None = None
    anew: bool = False

    def do(self, tx: Connection) -> None:
        """Do it; an AppError that says the work so far is settled is an answer like any other."""
        self.error = None
        try:
            self.value = self.work(tx)
        except AppError as error:
            if not error.settled:
                raise
            self.error = error

    def tell(self) -> None:
        if self.error:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(self.value)


class Writer:
    """The one thread that writes. `begin` opens a transaction that commits at its end; `passing` tells errors to try again
    after, `tired` those of a transaction that waited or worked as long as it may: the same again would wait again.
    """

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Connection]],
        passing: Callable[[Exception], bool],
        tired: Callable[[Exception], bool],
    ) -> None:
        self._begin, self._passing, self._tired = begin, passing, tired
        self._waiting: SimpleQueue[_Asked | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._lock = Lock()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do a write and wait for its commit; a cancelled request does not stop it once it has begun."""
        asked = _Asked(work)
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._serve, name="writer", daemon=True)
                self._thread.start()
        self._waiting.put(asked)
        value: T = await asyncio.shield(asyncio.wrap_future(asked.answer))
        return value

    def close(self) -> None:
        """Do what waits still, then end."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread:
            self._waiting.put(None)
            thread.join()

    def _serve(self) -> None:
        while first := self._waiting.get():
            group = [first]
            while len(group) < TOGETHER and not self._waiting.empty():
                if (following := self._waiting.get()) is None:
                    self._waiting.put(None)
                    break
                group.append(following)
            self._finish([one for one in group if one.answer.set_running_or_notify_cancel()])

    def _finish(self, group: Sequence[_Asked]) -> None:
        """Do a group, then one by one what has to be done anew; tell each how it ended."""
        if len(group) > 1:
            self._do_together(group)
        for one in group:
            for _ in range(TRIES if len(group) == 1 or one.anew else 0):
                self._do_alone(one)
                if not one.anew:
                    break
            one.tell()

    def _do_alone(self, one: _Asked) -> None:
        done = False
        try:
            with self._begin() as tx:
                one.do(tx)
                done = True
        except BaseException as raised:  # noqa: BLE001  # whatever it is, it is told to who asked, and the thread goes on
            error = _as_error(raised)
            one.error, one.anew = error, not done and self._passing(error)
        else:
            one.anew = False

    def _do_together(self, group: Sequence[_Asked]) -> None:
        """Each in a savepoint. When that breaks before the commit, nothing is done of any, and each is done anew alone, or
        where the wait was too long told so: one after the other they would keep everybody waiting for minutes.
        """
        done = False
        try:
            with self._begin() as tx:
                for one in group:
                    self._do_in_savepoint(tx, one)
                done = True
        except BaseException as raised:  # noqa: BLE001  # whatever it is, it is told to who asked, and the thread goes on
            error = _as_error(raised)
            for one in group:
                one.error, one.anew = error, not done and not self._tired(error)

    def _do_in_savepoint(self, tx: Connection, one: _Asked) -> None:
        _on_driver(tx, "SAVEPOINT write")
        try:
            one.do(tx)
        except BaseException as raised:  # noqa: BLE001  # whatever it is, it is told to who asked, and the thread goes on
            error = _as_error(raised)
            one.error, one.anew = error, self._passing(error)
            _on_driver(tx, "ROLLBACK TO SAVEPOINT write")
        _on_driver(tx, "RELEASE SAVEPOINT write")


def _as_error(raised: BaseException) -> Exception:
    """What was raised, as an error that ends no more than the request that it is told to."""
    if isinstance(raised, Exception):
        return raised
    error = RuntimeError(f"a write ended by {raised!r}")
    error.__cause__ = raised
    return error


def _on_driver(tx: Connection, sql: str) -> None:
    cursor = tx.connection.cursor()
    cursor.execute(sql)
    cursor.close()
