"""A database that cannot serve now, told from one that was asked wrongly: what its drivers raise, as a refusal in words."""

import sqlite3

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from app.errors import Unavailable

DEADLOCK = "40P01"
_STATEMENT, _LOCK = "57014", "55P03"
# SQLSTATE classes: connection, no resources, operator intervention, system; and a transaction that idled too long.
_OUT = ("08", "53", "57", "58", "25P03")
_SQLITE_OUT = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOTADB}
_AGAIN = "Try again; repeat a POST with its Idempotency-Key, for it may have been done."


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error, None where it is none of a statement."""
    return getattr(getattr(error, "orig", error), "sqlstate", None)


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, so that another one may do better."""
    code = sqlstate(error)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(getattr(error, "orig", error), psycopg.OperationalError) and (code or "57P").startswith("57P")


def is_tired(error: BaseException) -> bool:
    """Whether PostgreSQL stopped what worked, or waited for a lock, as long as it may."""
    return sqlstate(error) in (_STATEMENT, _LOCK)


def told(error: BaseException) -> Unavailable | None:
    """The refusal (503, with Retry-After in seconds) that such an error is; None for a fault of ours."""
    if isinstance(error, NoneFree):
        return _refusal("database_busy", "Every connection to the database is in use. Nothing was done; try again.", 5)
    cause = getattr(error, "orig", error)
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    if not isinstance(cause, psycopg.Error):
        return None
    code = cause.sqlstate
    if code == _STATEMENT:
        said = "The database took too long over this and was stopped. Nothing was done; ask for less, or try again."
        return _refusal("database_too_slow", said, 10)
    if code in (_LOCK, DEADLOCK):
        return _refusal("database_busy", "Others hold what this needs for too long. Nothing was done; try again.", 5)
    if code is None and not isinstance(cause, psycopg.OperationalError):
        return None
    if code is None or code.startswith(_OUT):
        return _refusal("database_unavailable", f"The database does not answer. {_AGAIN}", 2)
    return None


def _of_sqlite(code: int) -> Unavailable | None:
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _refusal("database_busy", "Others write to the database for too long. Nothing was done; try again.", 5)
    if code == sqlite3.SQLITE_FULL:
        return _refusal("database_full", "The disk of the database is full. Nothing was done; free some space.", 60)
    if code in _SQLITE_OUT:
        return _refusal("database_unavailable", "The database's file cannot be read or written. Nothing was done.", 10)
    return None


def _refusal(code: str, said: str, seconds: int) -> Unavailable:
    return Unavailable(code, said, headers={"Retry-After": str(seconds)})
