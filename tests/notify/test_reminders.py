"""Reminders: each once whoever reckons it, the step that is reached after days of silence, a moved deadline anew."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.db import open_database
from app.domain.cycle import day_of, noon_of
from app.domain.rulebook import Rulebook
from app.notify import outbox
from app.services import deliveries, reminders
from app.services.clock import Now
from app.services.deliveries import Free
from tests.conftest import copy_of
from tests.notify.post import asked, moment
from tests.notify.test_hostile import change

CLOSES = date(2026, 12, 31)
KINDS = "('window.opens', 'window.closes', 'report.due', 'report.overdue')"


@pytest.fixture
def url(filled: dict[str, Any], tmp_path: Path) -> Any:
    with copy_of("sqlite", filled, tmp_path) as found:
        yield found


def on(url: str, book: Rulebook, day: date) -> list[tuple[str, str, dict[str, Any]]]:
    """What is owed when reminders are reckoned at noon of a day: kind, subject and facts."""
    before = asked(url, "SELECT coalesce(max(id), 0) AS id FROM notice")[0].id
    with open_database(url).transaction() as tx:
        reminders.owe_due(tx, book.framework, Now(noon_of(day), day))
    query = f"SELECT kind, subject, facts FROM notice WHERE id > {before} AND kind IN {KINDS} ORDER BY id"
    return [(row.kind, row.subject, json.loads(row.facts)) for row in asked(url, query)]


def closing(found: list[tuple[str, str, dict[str, Any]]]) -> set[int]:
    """How many days before its end the window of 2027 was told of."""
    return {facts["days"] for kind, _, facts in found if kind == "window.closes" and facts["cycle"] == 2027}


def before(days: int) -> date:
    return CLOSES - timedelta(days=days)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_workers_that_reckon_at_once_owe_each_reminder_once(
    kind: str, filled: dict[str, Any], tmp_path: Path, book: Rulebook
) -> None:
    with copy_of(kind, filled, tmp_path) as url, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: on(url, book, before(7)), range(8)))
        owed = Counter(
            (row.kind, row.subject) for row in asked(url, f"SELECT kind, subject FROM notice WHERE kind IN {KINDS}")
        )
        assert "window.closes" in {kind for kind, _ in owed}
        assert set(owed.values()) == {1}


def test_each_step_is_told_on_its_day_and_once(url: str, book: Rulebook) -> None:
    told = {days: closing(on(url, book, before(days))) for days in range(32, -2, -1)}
    assert {days: one for days, one in told.items() if one} == {30: {30}, 7: {7}, 1: {1}}


@pytest.mark.parametrize("away", [1, 5])
def test_after_days_without_a_worker_the_step_that_is_reached_is_told_and_no_older_one(
    url: str, book: Rulebook, away: int
) -> None:
    assert closing(on(url, book, before(8))) == {8}, "nobody looked on the thirtieth day: it is told late"
    assert closing(on(url, book, before(8 - away - 1))) == {8 - away - 1}
    assert closing(on(url, book, before(8 - away - 1))) == set()


def move_end(url: str, day: str) -> None:
    """As an administrator moves it: what screening returned has the window's end too."""
    change(url, f"UPDATE cycle SET closes_on = '{day}' WHERE year = 2027")
    change(url, f"UPDATE proposal SET deadline_on = '{day}' WHERE cycle_year = 2027 AND returned_by = 'screening'")


def test_a_deadline_that_moves_takes_its_reminders_along(url: str, book: Rulebook) -> None:
    assert closing(on(url, book, before(7))) == {7}
    move_end(url, "2027-02-28")
    assert closing(on(url, book, before(6))) == set(), "later, and there is nothing to say"
    assert closing(on(url, book, date(2027, 2, 21))) == {7}, "told of the new day too"
    move_end(url, "2027-02-22")
    assert closing(on(url, book, date(2027, 2, 21))) == {1}, "earlier, and it is told at once"
    states = asked(url, """SELECT state, facts FROM message JOIN notice ON notice.id = notice_id
        WHERE kind = 'window.closes' AND subject LIKE 'window/2027/%'""")  # fmt: skip
    assert {(json.loads(row.facts)["closes_on"], row.state) for row in states} == {
        ("2026-12-31", "superseded"), ("2027-02-28", "superseded"), ("2027-02-22", "waiting"),
    }  # fmt: skip


def test_who_has_no_draft_left_hears_nothing(url: str, book: Rulebook) -> None:
    assert closing(on(url, book, before(30))) == {30}
    change(url, "UPDATE proposal SET state = 'submitted' WHERE state IN ('draft', 'returned')")
    assert closing(on(url, book, before(7))) == set()


def test_an_opening_is_told_on_its_day_and_for_two_weeks_to_who_was_away(url: str, book: Rulebook) -> None:
    opens = date(2026, 10, 1)
    days = [opens - timedelta(days=1), opens + timedelta(days=15), opens + timedelta(days=14), opens]
    told = [[kind for kind, subject, _ in on(url, book, day) if subject == "window/2027"] for day in days]
    assert told == [[], [], ["window.opens"], []]


def test_a_reminder_that_has_not_left_is_taken_back_when_the_report_comes(url: str, book: Rulebook) -> None:
    day, subject = next(
        (facts["due_on"], subject) for kind, subject, facts in _reports(url, book) if kind == "report.due"
    )
    with open_database(url).transaction() as tx:
        outbox.owe(
            tx, "report.submitted", subject, noon_of(date.fromisoformat(day)), {"year": 1}, subject.split("/")[1]
        )
    query = "SELECT DISTINCT state FROM message JOIN notice ON notice.id = notice_id WHERE kind = 'report.due' AND subject = "
    assert {row.state for row in asked(url, f"{query}'{subject}'")} == {"superseded"}


def test_a_report_is_reminded_of_before_on_and_after_its_day(url: str, book: Rulebook) -> None:
    day, subject = next(
        (facts["due_on"], subject) for kind, subject, facts in _reports(url, book) if kind == "report.due"
    )
    due, told = date.fromisoformat(day), []
    for left in range(31, -4, -1):
        told += [(kind, left) for kind, about, _ in on(url, book, due - timedelta(days=left)) if about == subject]
    assert told in ([("report.due", 30), ("report.due", 7), ("report.due", 0), ("report.overdue", -1)],
                    [("report.due", 7), ("report.due", 0), ("report.overdue", -1)]), told  # fmt: skip


def _reports(url: str, book: Rulebook) -> list[tuple[str, str, dict[str, Any]]]:
    """The reports that are due within thirty days, looked for a year long."""
    for month in range(24):
        found = [
            one for one in on(url, book, date(2026, 11, 23) + timedelta(days=25 * month)) if one[0] == "report.due"
        ]
        if found:
            return found
    raise AssertionError("the demo has agreements")


@pytest.mark.parametrize(
    ("at", "day"),
    [("2026-12-23T22:59Z", "2026-12-23"), ("2026-12-23T23:00Z", "2026-12-24"), ("2026-06-30T22:00Z", "2026-07-01")],
)
def test_a_day_begins_at_midnight_in_copenhagen(at: str, day: str) -> None:
    assert day_of(datetime.fromisoformat(at)) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("at", "due"),
    [("2026-10-24T12:00", "2026-10-25T06:00"), ("2027-03-27T12:00", "2027-03-28T05:00"), ("2026-07-01T05:00", "2026-07-02T05:00")],
)  # fmt: skip
def test_a_digest_leaves_at_seven_also_when_the_clocks_change(at: str, due: str) -> None:
    found = outbox.next_digest(datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("done", "why"),
    [
        ("UPDATE cycle SET closes_on = '2027-03-31' WHERE year = 2027", "The window was moved since."),
        ("UPDATE proposal SET state = 'submitted' WHERE state = 'draft'", "No draft is left."),
    ],
)
def test_a_reminder_that_is_no_longer_true_when_its_turn_comes_is_not_sent(
    url: str, book: Rulebook, done: str, why: str
) -> None:
    change(url, "UPDATE proposal SET state = 'draft' WHERE state = 'returned' AND cycle_year = 2027")
    assert closing(on(url, book, before(7))) == {7}
    change(url, done)
    query = "SELECT state, error FROM message JOIN notice ON notice.id = message.notice_id WHERE kind = 'window.closes'"
    waiting = len(asked(url, f"{query} AND state = 'waiting'"))
    with open_database(url).transaction() as tx:
        deliveries.take(tx, moment(noon_of(before(6))), timedelta(hours=1), Free(200, 0))
    assert waiting > 0
    assert Counter(row.error for row in asked(url, query) if row.state == "superseded") == {why: waiting}
