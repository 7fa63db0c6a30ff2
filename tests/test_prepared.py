"""Statements that are put together once do what SQLAlchemy would do with them, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, create_engine, select, update
from sqlalchemy.exc import IntegrityError

from app.db import Tx
from app.prepared import Hot, add, add_all, added
from app.records.among import among_given
from app.records.tables import cycle, history, proposal

AT = datetime(2026, 11, 23, 9, 7, tzinfo=UTC)
STEP = {"event": "submit", "source": "draft", "target": "submitted", "at": AT}


@pytest.fixture
def tx(database_url: str) -> Iterator[Tx]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_a_row_is_added_with_its_defaults_and_read_back_as_python_has_it(tx: Tx) -> None:
    add(tx, cycle, {"year": 2031, "framework": "f", "opens_on": AT.date(), "closes_on": AT.date()})
    found = Hot(select(cycle).where(cycle.c.year == bindparam("year")))(tx, year=2031)[0]
    assert (found.opens_on, found.added, found.last_number, found.version) == (AT.date(), False, 0, 1)


def test_rows_come_back_with_the_number_they_were_given_and_instants_in_utc(tx: Tx) -> None:
    number = added(tx, history, {"proposal_id": 1, "number": 90, **STEP})
    add_all(tx, history, [{"proposal_id": 1, "number": one, **STEP} for one in (91, 92)])
    add_all(tx, history, [])
    columns = select(history.c.id, history.c.at, history.c.number).where(history.c.id >= bindparam("first"))
    found = Hot(columns.order_by(history.c.id))(tx, first=number)
    assert [(row.number, row.at) for row in found] == [(90, AT), (91, AT), (92, AT)]


def test_a_change_says_how_many_rows_it_met_and_a_list_may_have_any_length(tx: Tx) -> None:
    moved = Hot(update(proposal).where(among_given(proposal.c.id, "ids")), ["state"])
    assert moved.changed(tx, ids=range_of(70_000), state="closed") == len(tx.execute(select(proposal.c.id)).all())
    assert moved.changed(tx, ids=[], state="draft") == 0


def range_of(number: int) -> list[int]:
    return list(range(number))


def test_what_the_database_refuses_is_sqlalchemys_error_and_shows_no_values(tx: Tx) -> None:
    with pytest.raises(IntegrityError) as refused:
        add(tx, history, {"proposal_id": 1, "number": 1, **STEP, "reason": "a secret"})
    assert "a secret" not in str(refused.value.args)


@pytest.mark.parametrize("given", [{}, {"other": 1}])
def test_a_value_that_is_not_given_is_an_error_not_null(tx: Tx, given: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="year"):
        Hot(select(cycle).where(cycle.c.year == bindparam("year")))(tx, **given)
