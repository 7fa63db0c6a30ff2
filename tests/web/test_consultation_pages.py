"""The pages of consultations: as few statements for thirty items as for three, nothing told early, and what is foretold comes."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from app.db import Tx
from app.domain.people import Actor
from app.records import people
from app.services import sessions, sitting
from app.web.pages.rendering import environment
from app.web.shield import COOKIE
from tests.conftest import Service
from tests.web.test_consultations import DAY, PLAN, decide, opened, recommended
from tests.web.test_engagements import counting

MOST = 12
SECRET = "Only for the ministry: the partner is weak."
APPROVE = {"decision": "approve", "amounts": {"2027": 4_000_000}, "conditions": [SECRET], "reason": SECRET}
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def cookie_of(service: Service, role: str) -> str:
    here, email = service.house, service.accounts[role]["email"]

    def work(tx: Tx) -> str:
        person = people.person_by_email(tx, email)
        assert person
        return sessions.log_in(tx, person.id, None, "test", here.now(), "127.0.0.1")

    return f"{COOKIE}={await here.database.write(work)}"


def reader(service: Service, cookie: str) -> Callable[[str], Any]:
    async def read(path: str) -> tuple[int, str, int]:
        """Status, page, and how many statements it took; the BEGIN of a read is none."""
        with counting() as ran:
            answer = await service.client.get(path, headers={"Cookie": cookie, "Accept": "text/html"})
        return answer.status_code, answer.text, sum(1 for one in ran if not one.startswith("BEGIN"))

    return read


@on_sqlite
def test_a_long_agenda_takes_no_more_statements_than_a_short_one(run: Any, capsys: Any) -> None:
    took: dict[str, list[int]] = {}

    async def before(service: Service) -> None:
        for _ in range(30):
            await recommended(service)

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_head", "GET", "/proposals?state=recommended&cycle=2027&limit=60")).json()
        refs = sorted(item["ref"] for item in listed["items"])[-30:]
        path = await opened(service, refs[:3])
        read = {role: reader(service, await cookie_of(service, role)) for role in ("mfa_head", "iom_focal_point")}
        for ref in refs[:2]:
            assert (await decide(service, path, ref, APPROVE)).status_code == 200
        for wanted in (refs[:3], refs):
            body = {"json": {"proposals": wanted}, "headers": {"If-Match": "*"}}
            assert (await service.call("mfa_head", "PUT", f"{path}/agenda", **body)).status_code == 200
            for role, pages in (("mfa_head", ("", "/conclude", "/present")), ("iom_focal_point", ("",))):
                for page in pages:
                    status, html, statements = await read[role](f"{path}{page}")
                    assert status == 200
                    assert all(ref in html for ref in wanted)
                    took.setdefault(f"{role} {page or '/'}", []).append(statements)
            with counting() as ran:
                assert len((await service.call("mfa_head", "GET", path)).json()["agenda"]) == len(wanted)
            took.setdefault("API", []).append(sum(1 for one in ran if not one.startswith("BEGIN")))
        _status, _page, both = await read["mfa_head"]("/consultations")
        took["list"] = [both, both]

    run(before)
    run(scenario, today=DAY)
    assert all(few == many <= MOST for few, many in took.values()), took
    with capsys.disabled():
        print(f"\nstatements with 3 and 30 items on the agenda: {took}")


def test_what_is_foretold_is_what_is_sent(run: Any, database_url: str, capsys: Any) -> None:
    async def before(service: Service) -> None:
        for _ in range(3):
            await recommended(service)

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_head", "GET", "/proposals?state=recommended&cycle=2027")).json()["items"]
        refs = sorted(item["ref"] for item in listed)[-3:]
        hook = {"url": "https://hooks.example/x", "events": ["*"], "for": "office"}
        await service.call("iom_office", "POST", "/webhooks", json=hook)
        path = await opened(service, refs)
        others = ({"decision": "reject", "reason": "No."}, {"decision": "defer", "reason": "Later.", "to_cycle": 2028})
        for ref, decision in zip(refs, (APPROVE, *others), strict=True):
            assert (await decide(service, path, ref, decision)).status_code == 200
        here, number = service.house, int(path.rsplit("/", 1)[1])
        head = await here.database.read(lambda tx: people.person_by_email(tx, service.accounts["mfa_head"]["email"]))
        assert isinstance(head, Actor)
        book, now = here.book, here.now()
        foretold = await here.database.read(lambda tx: sitting.conclusion(tx, head, number, book, now))
        assert foretold.refusals == []
        last = sql(database_url, "SELECT max(id) FROM message")[0][0]
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        sent = sql(
            database_url,
            f"""SELECT notice.kind, notice.ref, person.name, message.webhook_id FROM message
                JOIN notice ON notice.id = message.notice_id
                LEFT JOIN person ON person.id = message.person_id WHERE message.id > {last}""",
        )
        mails = Counter((one.kind, one.ref, one.name) for one in sent if one.webhook_id is None)
        assert mails == Counter((o.coming.kind, o.coming.ref, o.name) for o in foretold.readers if o.group is not None)
        hooks = Counter((one.kind, one.ref) for one in sent if one.webhook_id is not None)
        assert hooks == Counter((one.coming.kind, one.coming.ref) for one in foretold.readers if one.group is None)
        with capsys.disabled():
            print(f"\nforetold and sent: {sum(mails.values())} mails, {sum(hooks.values())} to webhooks")

    run(before)
    run(scenario, today=DAY)


def sql(url: str, statement: str) -> list[Any]:
    engine = create_engine(url)
    with engine.connect() as tx:
        found = list(tx.execute(text(statement)))
    engine.dispose()
    return found


@on_sqlite
def test_nobody_outside_sees_a_decision_on_any_page_before_the_conclusion(run: Any) -> None:
    async def before(service: Service) -> None:
        for _ in range(2):
            await recommended(service)

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_head", "GET", "/proposals?state=recommended&cycle=2027")).json()["items"]
        one, two = sorted(item["ref"] for item in listed)[-2:]
        path = await opened(service, [two, one])
        read = {}
        for role in ("iom_office", "iom_focal_point", "embassy", "mission"):
            read[role] = reader(service, await cookie_of(service, role))
        places = ["/consultations", path, f"{path}?item={one}", f"{path}/conclude", f"{path}/present"]
        places += [f"{path}/minutes", f"{path}/minutes.pdf", f"{path}/letters/{one}"]
        early = {(role, place): await page(place) for role, page in read.items() for place in places}
        assert (await decide(service, path, one, APPROVE)).status_code == 200
        assert (await decide(service, path, two, {"decision": "reject", "reason": SECRET})).status_code == 200
        for (role, place), was in early.items():
            status, html, _ = await read[role](place)
            assert (status, steady(html)) == (was[0], steady(was[1])), (role, place)
            assert SECRET not in html
            assert (status == 403) == place.endswith(("/conclude", "/present"))
            assert (status == 404) == ("/minutes" in place or "/letters" in place)
            assert not re.search("score|assess|recommended", html.partition("<main")[2].lower()), (role, place)
        inside = reader(service, await cookie_of(service, "mfa_reviewer"))
        assert SECRET in (await inside(f"{path}?item={one}"))[1]
        wall = (await inside(f"{path}/present?item={one}"))[1]
        assert not re.search(f"score|assess|recommend|grade|{re.escape(SECRET)}", wall.partition("<main")[2].lower())
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        assert SECRET in (await read["iom_focal_point"](f"{path}?item={one}"))[1]

    run(before)
    run(scenario, today=DAY)


def steady(html: str) -> str:
    """A page but for the number of its request."""
    return re.sub(r"<code>[0-9a-f]{16}</code>", "", html)


@on_sqlite
def test_concluding_late_asks_for_the_reason_and_says_so_again_without_one(run: Any) -> None:
    async def before(service: Service) -> None:
        path = await opened(service, [await recommended(service)])
        ref = (await service.call("mfa_head", "GET", path)).json()["agenda"][0]["ref"]
        assert (await decide(service, path, ref, APPROVE)).status_code == 200

    async def scenario(service: Service) -> None:
        found = (await service.call("mfa_head", "GET", "/consultations?state=open")).json()["items"][0]
        cookie = await cookie_of(service, "mfa_head")
        path, headers = f"/consultations/{found['id']}/conclude", {"Cookie": cookie, "Origin": "http://earmark.test"}
        _status, html, _ = await reader(service, cookie)(path)
        assert 'name="reason"' in html
        assert "Conclude and send this" in html
        form = {"version": str(found["version"])}
        refused = await service.client.post(path, data=form, headers=headers)
        assert refused.status_code == 409
        assert "give a reason" in refused.text
        done = await service.client.post(path, data={**form, "reason": "Ash cloud."}, headers=headers)
        assert done.headers["Location"].endswith("?said=concluded")

    run(before)
    run(scenario, today=date(2027, 4, 2))


@on_sqlite
def test_a_participant_said_with_an_organisation_stays_so_when_the_day_changes(run: Any) -> None:
    async def scenario(service: Service) -> None:
        director = {"name": "Director", "organisation": "IOM", "title": "Head"}
        plan = {**PLAN, "participants": ["Somebody", director]}
        path = f"/consultations/{(await service.call('mfa_head', 'POST', '/consultations', json=plan)).json()['id']}"
        form = {"version": "1", "date": "2027-02-11", "place": "Geneva", "reason": "", "form": "change"}
        people_ = "Director, Head, IOM\r\nAnother\r\n"
        headers = {"Cookie": await cookie_of(service, "mfa_reviewer"), "Origin": "http://earmark.test"}
        done = await service.client.post(path, data={**form, "participants": people_}, headers=headers)
        assert done.status_code == 303, done.text
        said = (await service.call("mfa_head", "GET", path)).json()
        assert (said["date"], said["participants"]) == ("2027-02-11", [director, "Another"])
        assert json.dumps(said["participants"]).count("IOM") == 1

    run(scenario)


@on_sqlite
def test_a_second_click_on_the_minutes_is_refused_and_keeps_what_was_written(run: Any) -> None:
    async def before(service: Service) -> None:
        await recommended(service)

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_head", "GET", "/proposals?state=recommended&cycle=2027")).json()["items"]
        ref = max(item["ref"] for item in listed)
        path = await opened(service, [ref])
        assert (await decide(service, path, ref, APPROVE)).status_code == 200
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        correction = {"form": "correct", "ref": ref, "text": "Four, not five.", "reason": "Miscounted."}
        objection = {"form": "object", "reason": "We said six."}
        for role, place, form in (
            ("mfa_head", "corrections", correction),
            ("iom_focal_point", "minutes/object", objection),
            ("iom_focal_point", "minutes/confirm", {"form": "confirm"}),
        ):
            headers = {"Cookie": await cookie_of(service, role), "Origin": "http://earmark.test"}
            page = (await service.client.get(f"{path}/minutes", headers=headers)).text
            sent = {**form, "version": page.partition('name="version" value="')[2].partition('"')[0]}
            first, second = [await service.client.post(f"{path}/{place}", data=sent, headers=headers) for _ in "12"]
            assert (first.status_code, second.status_code) == (303, 412), (place, first.text)
            kept = [one for name, one in form.items() if name in ("text", "reason")]
            assert all(f">{one}</textarea>" in second.text for one in kept)
        late = await service.client.post(f"{path}/minutes/object", data={**objection, "version": "1"}, headers=headers)
        assert late.status_code == 412
        assert "We said six." in late.text.partition("not put on record")[2]
        said = (await service.call("mfa_head", "GET", f"{path}/minutes")).json()
        assert (len(said["decisions"][0]["corrections"]), len(said["answers"])) == (1, 2)

    run(before)
    run(scenario, today=DAY)


@on_sqlite
def test_a_technical_meeting_is_planned_until_its_day_is_over_on_both_pages(run: Any) -> None:
    async def scenario(service: Service) -> None:
        meeting = {"cycle": 2026, "date": "2027-02-10", "place": "Dakar"}
        made = await service.call("mfa_reviewer", "POST", "/technical-meetings", json=meeting)
        assert made.status_code == 201, made.text
        read = reader(service, await cookie_of(service, "mfa_reviewer"))
        for path in ("/consultations", f"/technical-meetings/{made.json()['id']}"):
            page = (await read(path))[1]
            assert ">Planned<" in page.partition("Dakar")[2].partition("</tr>")[0]

    run(scenario, today=DAY)


def test_one_line_is_no_lines_in_either_language() -> None:
    said = "{{ ngettext('%(num)s line', '%(num)s lines', n) }}"
    assert [environment("en").from_string(said).render(n=n) for n in (1, 2)] == ["1 line", "2 lines"]
    assert [environment("da").from_string(said).render(n=n) for n in (1, 2)] == ["1 linje", "2 linjer"]
