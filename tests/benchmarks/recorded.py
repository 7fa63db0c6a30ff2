"""What the service does to its database for one request, recorded as its drivers are asked, so that it can be done again bare."""

import contextlib
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import event

from app import prepared
from app.db import Database

# What is no work on rows: how the service begins, and lets one writer in at a time.
_OURS = ("BEGIN", "SAVEPOINT", "RELEASE", "SELECT pg_advisory")
Statement = tuple[str, Any, bool]  # its text, its values, whether these are many sets of values
Trace = list[list[Statement]]  # the transactions of one request


class Recorder:
    """Keeps what one request after another does; one at a time."""

    def __init__(self, database: Database) -> None:
        self.traces: list[Trace] = []
        self._watch(database)

    def begin(self) -> None:
        """What comes is of the next request."""
        self.traces.append([])

    def write(self, file: Path) -> None:
        file.write_bytes(pickle.dumps(self.traces))

    def _note(self, text: str, values: Any, many: bool) -> None:
        if self.traces and self.traces[-1] and not text.startswith(_OURS):
            self.traces[-1][-1].append((text, [_plain(one) for one in values] if many else _plain(values), many))

    def _watch(self, database: Any) -> None:
        for name in ("read", "read_long", "write"):
            setattr(database, name, self._in_one(getattr(database, name)))
        engines = [database.engine, *(getattr(database, name, None) for name in ("_reading", "_lines"))]
        engines.append(database._pool.sync_engine if hasattr(database, "_pool") else None)
        for engine in filter(None, engines):
            event.listen(
                engine, "before_cursor_execute", lambda _c, _k, text, values, _x, many: self._note(text, values, many)
            )
        on_driver = prepared._on_driver
        prepared._on_driver = lambda tx, work: on_driver(tx, lambda cursor: work(_Heard(cursor, self._note)))

    def _in_one(self, seam: Callable[..., Any]) -> Callable[..., Any]:
        async def one(work: Any) -> Any:
            if self.traces:
                self.traces[-1].append([])
            return await seam(work)

        return one


class _Heard:
    """A driver's cursor that tells what it is asked."""

    def __init__(self, cursor: Any, note: Callable[[str, Any, bool], None]) -> None:
        self._cursor, self._note = cursor, note

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, text: str, values: Any = ()) -> Any:
        self._note(text, values, False)
        return self._cursor.execute(text, values)

    def executemany(self, text: str, values: Any) -> Any:
        self._note(text, values, True)
        return self._cursor.executemany(text, values)


def read(file: Path) -> list[Trace]:
    """The traces of a file, one for each request."""
    found: list[Trace] = pickle.loads(file.read_bytes())
    return found


def _plain(values: Any) -> Any:
    """Values that can be kept: SQLite's driver takes bytes as a view of them."""
    if isinstance(values, dict):
        return values
    return [bytes(one) if isinstance(one, memoryview) else one for one in values]


@contextlib.contextmanager
def unpatched() -> Iterator[None]:
    """Put back what a recorder took hold of."""
    kept = prepared._on_driver
    try:
        yield
    finally:
        prepared._on_driver = kept
