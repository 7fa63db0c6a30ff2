"""The words that each side finds a proposal by: putting them, looking one word up, and trying the words on a row.

Looking up answers in no useful order, so it is for words that few proposals have; for those that many have, a list is
walked in its order and the words are tried on each row (`proposals.list_proposals`).
"""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, bindparam, cast, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from app.db import Tx, insert_into
from app.domain.finding import Term
from app.domain.people import Side
from app.prepared import Hot
from app.records.tables import face, findable

_LOOK_UP = {
    "sqlite": text(
        "SELECT rowid / 2 FROM findable_index WHERE findable_index MATCH :asked AND rowid % 2 = :odd LIMIT :most"
    ),
    "postgresql": text(
        "SELECT id / 2 FROM findable WHERE words @@ CAST(:asked AS tsquery) AND id % 2 = :odd LIMIT :most"
    ),
}


def number(proposal_id: Any, side: Side) -> Any:
    """The number of a face's row here: even of IOM's, odd of the MFA's; one number, as FTS5 knows rows by one only."""
    return proposal_id * 2 + (1 if side is Side.MFA else 0)


def put(tx: Tx, proposal_id: int, side: Side, words: str) -> None:
    """Find a face by these `finding.terms` from now on; the same again changes nothing."""
    _putting(tx.dialect.name).changed(tx, number=number(proposal_id, side), said=words)


def put_as_other(tx: Tx, proposal_id: int, side: Side, other: Side) -> None:
    """Find a face by the other side's words from now on."""
    words = select(findable.c.words).where(findable.c.id == number(proposal_id, other)).scalar_subquery()
    tx.execute(update(findable).where(findable.c.id == number(proposal_id, side)).values(words=words))


@cache
def _putting(dialect: str) -> Hot:
    said: Any = bindparam("said", type_=Text)
    said = cast(said, TSVECTOR) if dialect == "postgresql" else said
    adding = insert_into(dialect, findable).values(id=bindparam("number"), words=said)
    new = adding.excluded.words
    return Hot(
        adding.on_conflict_do_update(index_elements=[findable.c.id], set_={"words": new}, where=findable.c.words != new)
    )


def forget(tx: Tx) -> None:
    """Leave nothing in SQLite's index of words that proposals had once; a VACUUM does the rest, and all on PostgreSQL."""
    if tx.dialect.name == "sqlite":
        tx.execute(text("INSERT INTO findable_index (findable_index) VALUES ('optimize')"))


def has(tx: Tx, side: Side, terms: tuple[Term, ...]) -> ColumnElement[bool]:
    """Whether the face that a statement is at has all the words; asked of each row, never the way into the table."""
    here = findable.c.id == number(face.c.proposal_id, side)
    return select(_tried(tx, terms)).where(here).correlate(face).scalar_subquery()


def counted(tx: Tx, side: Side, terms: tuple[Term, ...], keys: Any) -> list[int]:
    """In how many of these faces each word stands."""
    joined = keys.join(findable, findable.c.id == number(keys.c.proposal_id, side))
    columns = [func.count().filter(_tried(tx, (term,))) for term in terms]
    return [int(count) for count in tx.execute(select(*columns).select_from(joined)).one()]


def looked_up(tx: Tx, side: Side, terms: tuple[Term, ...], most: int) -> list[int] | None:
    """The proposals whose face on this side has all the words, in no order; None if there are more than `most`."""
    asked = {"asked": _asked(tx, terms), "odd": number(0, side), "most": most + 1}
    rows = tx.scalars(_LOOK_UP[tx.dialect.name], asked).all()
    return list(rows) if len(rows) <= most else None


def _tried(tx: Tx, terms: tuple[Term, ...]) -> ColumnElement[bool]:
    if tx.dialect.name == "postgresql":
        return findable.c.words.op("@@")(cast(bindparam(None, _asked(tx, terms), unique=True), TSQUERY))
    return and_(*(or_(_stands(f" {term.beginning}"), *(_stands(f" {stem} ") for stem in term.stems)) for term in terms))


def _stands(said: str) -> ColumnElement[bool]:
    return func.instr(findable.c.words, said) > 0


def _asked(tx: Tx, terms: tuple[Term, ...]) -> str:
    """The words in the database's own language of searches. A term has no quotes in it; inside quotes it is only itself."""
    if tx.dialect.name == "postgresql":
        quote, beginning, either, both = "'", ":*", " | ", " & "
    else:
        quote, beginning, either, both = '"', " *", " OR ", " AND "
    parts = (
        either.join([f"{quote}{term.beginning}{quote}{beginning}", *(f"{quote}{stem}{quote}" for stem in term.stems)])
        for term in terms
    )
    return both.join(f"({part})" for part in parts)
