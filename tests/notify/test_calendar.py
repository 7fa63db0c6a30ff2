"""Calendars, read back by a parser: one event for one meeting, each role its own days, nothing broken by a title."""

from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from typing import Any

import icalendar
import pytest
from sqlalchemy import create_engine, event, text

from app.notify import calendar
from app.notify.calendar import Due
from app.services import deliveries
from app.services.deliveries import Sender
from tests.conftest import Service
from tests.web.test_consultations import APPROVE, PLAN, decide, opened, recommended
from tests.web.test_review import under_review

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SENDER = Sender("earmark@um.example", "https://earmark.example")
HOSTILE = [
    "Two\nlines",
    "A\r\nBEGIN:VEVENT\r\nUID:evil@evil",
    "a;b,c\\n:d\"e'",
    "END:VEVENT\nEND:VCALENDAR",
    "å" * 200,
    "\u2028BEGIN:VEVENT\u0085\x00\x0b",
    "😀" * 60,
]


def events(data: bytes) -> list[Any]:
    """The events of one calendar, checked as it stands on the wire."""
    assert data.count(b"BEGIN:VCALENDAR") == 1
    lines = data.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    for line in lines:
        line.decode()  # no sign is parted by a fold
    return list(icalendar.Calendar.from_ical(data).walk("VEVENT"))


async def subscribed(service: Service, role: str) -> str:
    made = await service.call(role, "POST", "/feed")
    assert made.status_code == 201, made.text
    return str(made.json()["url"].partition("/api/v1")[2])


async def read(service: Service, path: str) -> list[Any]:
    answer = await service.call(None, "GET", path)
    assert answer.status_code == 200, answer.text
    return events(answer.content)


async def invited(service: Service, email: str) -> list[Any]:
    """The events of every invitation that waits for a reader, as it would be sent now."""

    def made(tx: Any) -> list[bytes]:
        query = """SELECT message.id FROM message JOIN person ON person.id = message.person_id
            WHERE email = :email AND state = 'waiting' ORDER BY message.id"""
        found = list(tx.scalars(text(query), {"email": email}))
        mails = [deliveries.ready(tx, [one], service.house.library, SENDER, service.house.now()).mail for one in found]
        parts = [part for one in mails if one for part in message_from_bytes(one.as_bytes()).walk()]
        return [one.get_payload(decode=True) for one in parts if one.get_content_type() == "text/calendar"]

    return [one for data in await service.house.database.read(made) for one in events(data)]


@pytest.mark.parametrize("title", HOSTILE)
def test_no_title_breaks_out_of_its_line(title: str) -> None:
    days = [Due("report/A/2026", title, date(2027, 3, 31), "https://earmark.example/", place=title)]
    facts = {"date": "2027-02-10", "place": title, "sequence": 1}
    invitation = calendar.invitation(
        "consultation/5", title, facts, SENDER.mailbox, "here", (title, "a@example.org"), NOON
    )
    for data in (calendar.feed(days, "here", NOON), invitation):
        (one,) = events(data)
        assert "evil" not in one["UID"]
        assert one["DTSTART"].dt in (date(2027, 3, 31), date(2027, 2, 10))
        kept = "".join(sign for sign in title if sign.isalnum())
        assert "".join(sign for sign in str(one["SUMMARY"]) if sign.isalnum()) == kept
        assert "\n" not in str(one["SUMMARY"])


@pytest.mark.parametrize("day", ["2027-03-28", "2026-10-25", "2026-12-31"])
def test_a_day_is_a_whole_day_wherever_it_is_read_and_whatever_the_clock_does(day: str) -> None:
    (one,) = events(calendar.feed([Due("window/2027", "x", date.fromisoformat(day), "")], "here", NOON))
    assert type(one["DTSTART"].dt) is date, "no hour, so no zone"
    assert one["DTEND"].dt - one["DTSTART"].dt == timedelta(days=1)


def test_a_moved_consultation_is_the_same_event_in_invitation_and_feed(run: Any) -> None:
    async def scenario(service: Service) -> None:
        path = await subscribed(service, "mfa_head")
        made = await service.call("mfa_reviewer", "POST", "/consultations", json=PLAN)
        place = f"/consultations/{made.json()['id']}"

        async def both() -> tuple[Any, Any]:
            (sent,) = await invited(service, "mfa-head@demo.example")
            (seen,) = [
                one for one in await read(service, path) if one["UID"] == sent["UID"].replace("um.example", "localhost")
            ]
            return sent, seen

        before = await both()
        new = {"date": "2027-02-17", "place": "Copenhagen; hall B, 2nd floor"}
        assert (await service.call("mfa_reviewer", "PATCH", place, json=new)).status_code == 200
        after = await both()
        for old, one in zip(before, after, strict=True):
            assert old["UID"] == one["UID"]
            assert old["SEQUENCE"] < one["SEQUENCE"]
            assert (old["DTSTART"].dt, one["DTSTART"].dt) == (date(2027, 2, 10), date(2027, 2, 17))
            assert one["LOCATION"] == new["place"]
        for sent, seen in (before, after):
            assert (sent["SEQUENCE"], sent["SUMMARY"]) == (seen["SEQUENCE"], seen["SUMMARY"])
        assert (await read(service, path))[-1]["URL"].endswith(place)

    run(scenario)


def names(found: list[Any]) -> set[str]:
    return {str(one["UID"]).partition("@")[0] for one in found}


def kinds(found: list[Any]) -> set[str]:
    return {name.partition("-")[0] for name in names(found)}


def test_each_role_sees_its_own_days_and_no_others(run: Any, database_url: str, capsys: Any) -> None:
    async def scenario(service: Service) -> None:
        asked, back = await under_review(service), await under_review(service)
        question = {"criterion": "d", "question": "Who is confirmed?"}
        number = (
            await service.call("mfa_reviewer", "POST", f"/proposals/{asked}/clarifications", json=question)
        ).json()["id"]
        move = {"move": "return", "reason": "Say more.", "deadline": "2026-12-20"}
        assert (await service.call("mfa_reviewer", "POST", f"/proposals/{back}/moves", json=move)).status_code == 200
        engine = create_engine(database_url)
        with engine.begin() as tx:
            query = "SELECT ref FROM proposal WHERE state = 'agreed' ORDER BY id LIMIT 1"
            agreed = str(tx.scalar(text(query)))
            tx.execute(text("UPDATE proposal SET office_code = 'IOM-ET' WHERE ref = :ref"), {"ref": agreed})
        engine.dispose()
        meeting = {"cycle": 2027, "date": "2027-09-15", "place": "Niamey", "proposals": [agreed]}
        assert (await service.call("mfa_reviewer", "POST", "/technical-meetings", json=meeting)).status_code == 201
        roles = ("iom_office", "iom_focal_point", "mfa_reviewer", "mfa_head", "mfa_finance", "embassy", "mission")
        seen = {role: await read(service, await subscribed(service, role)) for role in roles}
        table = {"consultation", "technical"}
        assert kinds(seen["mfa_reviewer"]) == kinds(seen["mfa_head"]) == kinds(seen["mission"]) == table
        assert kinds(seen["mfa_finance"]) == {"payment"}
        assert kinds(seen["iom_focal_point"]) == table | {"window", "returned", "clarification", "report"}
        mine = names(seen["iom_office"])
        assert {f"clarification-{number}", f"returned-{back}", "window-2027"} <= mine
        assert "consultation" not in kinds(seen["iom_office"])
        assert "technical" not in kinds(seen["iom_office"]), "it is about another office"
        for one in mine:
            assert agreed not in one
        touched = (await service.call("embassy", "GET", f"/proposals/{agreed}")).status_code == 200
        assert kinds(seen["embassy"]) == ({"technical"} if touched else set())
        assert (await service.call("auditor", "POST", "/feed")).status_code == 403
        answer = f"/proposals/{asked}/clarifications/{number}/answer"
        assert (await service.call("iom_office", "POST", answer, json={"answer": "Both."})).status_code == 200
        again = await read(service, await subscribed(service, "iom_office"))
        assert names(again) == mine - {f"clarification-{number}"}
        days = {str(one["UID"]).partition("@")[0]: one["DTSTART"].dt for one in again}
        assert days[f"returned-{back}"] == date(2026, 12, 20)

    run(scenario)


def test_a_feed_takes_as_many_statements_for_many_proposals_as_for_few_and_tells_nothing_early(
    run: Any, capsys: Any
) -> None:
    counted: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        counted.append(statement)

    async def scenario(service: Service) -> None:
        paths = {
            role: await subscribed(service, role) for role in ("iom_focal_point", "iom_office", "embassy", "mission")
        }
        few, made = await statements(service, paths["iom_focal_point"])
        refs = [await recommended(service) for _ in range(2)]
        for ref in refs:
            question = {"criterion": "d", "question": "Who is confirmed?"}
            await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/clarifications", json=question)
        place = await opened(service, refs, PLAN)
        before = {role: (await service.call(None, "GET", path)).content for role, path in paths.items()}
        for ref in refs:
            assert (await decide(service, place, ref, APPROVE)).status_code == 200
        for role, path in paths.items():
            assert (await service.call(None, "GET", path)).content == before[role], role
        many, more = await statements(service, paths["iom_focal_point"])
        assert few == many <= 12
        assert more == made + 3, "two questions and a consultation"
        with capsys.disabled():
            print(f"\na feed of {more} days: {many} statements")

    async def statements(service: Service, path: str) -> tuple[int, int]:
        engines = [one for one in vars(service.house.database).values() if hasattr(one, "dispose")]
        watched = [getattr(one, "sync_engine", one) for one in engines]
        counted.clear()
        for one in watched:
            event.listen(one, "before_cursor_execute", count)
        found = await read(service, path)
        for one in watched:
            event.remove(one, "before_cursor_execute", count)
        return len([one for one in counted if one.lstrip().startswith("SELECT")]), len(found)

    run(scenario)
