"""Forms that hold what cannot be taken: nothing in them is passed over, and they come back as they were written."""

import json
import re
from html import unescape
from typing import Any

import httpx
import psycopg
import pytest

from app.services import precheck
from app.web.pages import hooks
from app.web.quota import Quota, too_many
from tests.conftest import Service
from tests.web.test_money_pages import AGREED, OPEN, lined, opened
from tests.web.test_review import under_review

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
REPORT = f"/proposals/{AGREED}/reports/2026"
EMPTY = {"version": "0", "lessons": "Kept."}


def value_of(page: str, name: str) -> str:
    """What a field of the page holds."""
    found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', page)
    assert found, name
    return unescape(found[1])


@on_sqlite
def test_values_by_sex_or_age_are_told_apart_or_refused_as_they_were_written(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for said, why in (
            ("women 1 200; men 80", "can be read in two ways"),
            ("women 1,200", "can be read in two ways"),
            ("women: 1.200", "can be read in two ways"),
            ("women 120; Women 80", "'Women' is there twice"),
            ("women 120, men 80", "'women 120, men 80' is not a name and a number"),
            ("women: 120, men: 80", "is not a name and a number"),
            ("120", "'120' is not a name and a number"),
            ("women", "'women' is not a name and a number"),
            ("0-17 40", "a name with digits as 0-17: 40"),
            ("women=120 men=80", "is not a name and a number"),
        ):
            refused = await opened(service, "iom_focal_point", REPORT, **EMPTY, **{"value-0": "200", "parts-0": said})
            assert refused.status_code == 422, said
            assert why in unescape(refused.text), said
            assert "#indicators/0/disaggregated" in refused.text
            assert value_of(refused.text, "parts-0") == said
        sent = {**EMPTY, "value-0": "200", "parts-0": "women=120; men -1,5; 0-17: 40;"}
        assert (await opened(service, "iom_focal_point", REPORT, **sent)).status_code == 303
        kept = (await service.call("iom_focal_point", "GET", REPORT)).json()["report"]
        assert kept["indicators"][0]["disaggregated"] == {"women": 120, "men": -1.5, "0-17": 40}
        page = (await opened(service, "iom_focal_point", REPORT)).text
        assert sorted(value_of(page, "parts-0").split("; ")) == ["0-17: 40", "men -1.5", "women 120"]

    run(scenario)


@on_sqlite
def test_names_that_a_report_from_elsewhere_has_survive_saving_the_form(run: Any) -> None:
    async def scenario(service: Service) -> None:
        found = (await service.call("iom_focal_point", "GET", f"/proposals/{AGREED}")).json()
        parts = {"women, rural": 3, "a=b": 1}
        report = {
            "indicators": [{"code": found["content"]["indicators"][0]["code"], "value": 4, "disaggregated": parts}]
        }
        assert (await service.call("iom_focal_point", "PUT", REPORT, json=report)).status_code == 200
        page = (await opened(service, "iom_focal_point", REPORT)).text
        names = ("version", "value-0", "parts-0")
        form = {name: value_of(page, name) for name in names} | {"lessons": "More."}
        assert (await opened(service, "iom_focal_point", REPORT, **form)).status_code == 303
        kept = (await service.call("iom_focal_point", "GET", REPORT)).json()["report"]
        assert (kept["lessons"], kept["indicators"][0]["disaggregated"]) == ("More.", parts)

    run(scenario)


@on_sqlite
def test_nothing_in_a_report_is_dropped_because_its_neighbour_is_empty(run: Any) -> None:
    async def scenario(service: Service) -> None:
        form = {
            **EMPTY,
            "remark-0": "Not measured.",
            "parts-0": "women=120",
            "risk-0": "",
            "response-0": "",
            "risk-category-0": "",
            "risk-1": "",
            "response-1": "We moved.",
            "risk-category-1": "",
            "plan": "carried",
            "spent-staff": "1,50",
        }
        refused = await opened(service, "iom_focal_point", REPORT, **form)
        assert refused.status_code == 422
        for place in ("indicators/0/value", "risks/1/description", "unspent"):
            assert refused.text.count(f'href="#{place}"') == 1, place
            assert f'id="{place}"' in refused.text
        for name in ("remark-0", "parts-0", "response-1", "spent-staff"):
            assert value_of(refused.text, name) == form[name]
        assert '<option value="carried" selected>' in refused.text
        assert (await service.call("iom_focal_point", "GET", REPORT)).status_code == 404

    run(scenario)


@on_sqlite
def test_a_budgets_line_without_an_amount_is_refused_in_its_place_and_an_empty_one_left_out(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for ref, place, more in (
            (OPEN, "agreement/budget", {}),
            (AGREED, "amendments", {"reason": "Less."}),
        ):
            agreement = (await service.call("mfa_head", "GET", f"/proposals/{ref}/agreement")).json()
            lines, path = agreement["text"]["budget"], f"/proposals/{ref}/{place}"
            seen = {"version": str(agreement["version"]), "seen": agreement["sha256"]}
            empty = {f"line-0-{name}": "" for name in ("year", "category", "activity", "amount")}
            form = {**seen, **more, **lined(lines), **empty}
            refused = await opened(service, "iom_focal_point", path, **{**form, "line-1-amount": ""})
            assert refused.status_code == 422
            assert 'href="#budget/1/amount"' in refused.text
            assert (value_of(refused.text, "line-0-year"), value_of(refused.text, "line-1-amount")) == ("", "")
            assert value_of(refused.text, "line-1-year") == str(lines[1]["year"])
            year = {f"year-{name}": str(one) for name, one in agreement["text"]["amounts"].items()}
            taken = await opened(service, "iom_focal_point", path, **form, **year)
            assert taken.status_code == 303, unescape(taken.text)

    run(scenario)


async def uploaded(service: Service, path: str, name: str, raw: str, **form: str) -> Any:
    headers = {"Authorization": f"Bearer {service.accounts['iom_focal_point']['token']}", "Accept": "text/html"}
    return await service.client.post(path, data=form, files={"file": (name, raw.encode())}, headers=headers)


@on_sqlite
def test_a_file_that_holds_what_json_cannot_say_is_refused_in_a_sentence(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for name, raw in (
            ("a.json", '{"cycle": 2027, "content": {"title": 99999999999999999999999}}'),
            ("a.json", '{"cycle": 9223372036854775808, "content": {}}'),
            ("a.yaml", "cycle: 2027\ncontent:\n  title: 99999999999999999999999\n"),
            ("a.yaml", "cycle: 2027\ncontent:\n  1: x\n"),
            ("a.json", '{"cycle": 2027, "content": {"title": "\\ud800"}}'),
            ("a.json", '{"cycle": 2027, "content": {"title": ' + "[" * 300 + "]" * 300 + "}}"),
        ):
            refused = await uploaded(service, "/drafts/new", name, raw)
            assert refused.status_code == 422, raw
            assert 'id="error"' in refused.text, raw
        for value in (
            '{"cycle": 2027, "content": {"title": "\\ud800"}}',
            '{"content": {"title": ' + "9" * 30 + "}}",
            "x",
        ):
            refused = await uploaded(service, "/drafts", "a", "", value=value, deed="new")
            assert refused.status_code == 422, value
            assert 'id="error"' in refused.text, value
        target = "DK-IOM-2027-001 " + "9" * 5000
        whole = '{"cycle": 2027, "content": {}}'
        stale = await uploaded(service, "/drafts", "a", "", value=whole, deed="replace", target=target)
        assert stale.status_code in (404, 409, 412), stale.text

    run(scenario)


@on_sqlite
def test_addresses_and_forms_that_no_page_made_end_in_a_page(run: Any) -> None:
    async def scenario(service: Service) -> None:
        admin = await opened(service, "admin", "/rules?ref=DK-IOM-2027-003")
        assert (admin.status_code, 'name="ref"' in admin.text) == (200, False)
        meeting = {"cycle": 2026, "date": "2027-02-10", "place": "Dakar"}
        made = await service.call("mfa_reviewer", "POST", "/technical-meetings", json=meeting)
        path = f"/technical-meetings/{made.json()['id']}"
        assert (await opened(service, "mfa_reviewer", path, form="change", version="9")).status_code == 422
        stale = {"form": "change", "version": "9", "date": "2027-02-11", "place": "Dakar"}
        refused = await opened(service, "mfa_reviewer", path, **stale)
        assert refused.status_code == 412
        assert value_of(refused.text, "date") == "2027-02-11"
        for number in (10**20, 2**60, 0, "x", "9" * 5000):
            at = f"/consultations/{number}"
            places = (at, f"{at}/conclude", f"{at}/present", f"{at}/minutes", f"/technical-meetings/{number}")
            for place in (*places, f"/proposals/{AGREED}/reports/{number}"):
                assert (await opened(service, "mfa_head", place)).status_code == 404, place[:60]
            assert (await opened(service, "mfa_reviewer", at, form="change", version="1")).status_code == 404
            question = f"/proposals/{AGREED}/questions/{number}"
            assert (await opened(service, "iom_office", question, answer="Nobody.")).status_code == 404, number

    run(scenario)


@on_sqlite
def test_a_list_that_is_cut_says_so_and_has_the_proposal_one_came_from(run: Any, monkeypatch: Any) -> None:
    async def scenario(service: Service) -> None:
        refs = []
        for title in ("First of two", "Second of two"):
            new = {"cycle": 2027, "office": "IOM-NE", "content": {"title": title}}
            made = await service.call("iom_focal_point", "POST", "/proposals", json=new)
            assert made.status_code == 201, made.text
            refs.append(made.json()["ref"])
        file = '{"cycle": 2027, "content": {"title": "From a file"}}'
        whole = await uploaded(service, "/drafts/new", "a.json", file, target=refs[0])
        assert "changed last can be chosen" not in whole.text
        monkeypatch.setattr(precheck, "MOST", 1)
        cut = await uploaded(service, "/drafts/new", "a.json", file, target=refs[0])
        assert "The 1 changed last can be chosen" in cut.text
        assert re.findall(rf'<option value="({"|".join(refs)}) [0-9]+"( selected)?', cut.text) == [
            (refs[0], " selected"),
            (refs[1], ""),
        ]
        monkeypatch.setattr(hooks, "MOST", 1)
        for number in range(2):
            hook = {"url": f"https://hooks.example.org/{number}", "events": ["*"], "for": "me"}
            assert (await service.call("iom_focal_point", "POST", "/webhooks", json=hook)).status_code == 201
            page = (await opened(service, "iom_focal_point", "/webhooks")).text
            assert ("The first 1 are shown" in page) is bool(number)

    run(scenario)


@on_sqlite
def test_what_a_page_refuses_is_in_the_log_of_acts_as_if_the_api_had_refused_it(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await under_review(service)
        declared = await opened(service, "mfa_reviewer", f"/proposals/{ref}/conflict", reason="My sister works there.")
        assert declared.status_code == 303
        place = f"/proposals/{ref}/assessment"
        assert (await opened(service, "mfa_reviewer", place, deed="save", seen="")).status_code == 409
        last = await last_act(service)
        assert (last["event"], last["subject"]) == ("right.refused", f"POST {place}")
        assert last["facts"] == {"codes": ["conflict_of_interest"], "status": 409}
        draft = {"cycle": 2027, "office": "IOM-NE", "content": {"title": "Hardly begun"}}
        made = (await service.call("iom_focal_point", "POST", "/proposals", json=draft)).json()
        moves = f"/proposals/{made['ref']}/moves"
        submitted = await opened(service, "iom_focal_point", moves, move="submit", version=str(made["version"]))
        assert submitted.status_code == 422
        last = await last_act(service)
        assert (last["event"], last["subject"], last["facts"]["status"]) == ("submission.refused", made["ref"], 422)

    run(scenario)


async def last_act(service: Service) -> dict[str, Any]:
    return dict((await service.call("auditor", "GET", "/audit?limit=1")).json()["items"][0])


async def without_session(service: Service, path: str, file: tuple[str, bytes] | None, **form: str) -> httpx.Response:
    """A form that is sent after the session has ended."""
    parts: dict[str, Any] = {name: (None, said) for name, said in form.items()}
    headers = {"Accept": "text/html", "Referer": f"http://earmark.test{path}"}
    return await service.client.post(path, files=parts | ({"file": file} if file else {}), headers=headers)


async def sent_again(service: Service, role: str, page: str) -> httpx.Response:
    """What the form of a page that keeps what was sent is answered with, sent as its page says."""
    form = re.search(
        r'<form method="post" action="([^"]+)" enctype="multipart/form-data">(.*?)</form>', page, re.DOTALL
    )
    assert form, page
    held = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2])
    headers = {"Authorization": f"Bearer {service.accounts[role]['token']}", "Accept": "text/html"}
    parts = {name: (None, unescape(said)) for name, said in held}
    return await service.client.post(form[1], files=parts, headers=headers)


@on_sqlite
def test_a_draft_that_was_checked_before_the_session_ended_can_be_kept_afterwards(run: Any) -> None:
    async def scenario(service: Service) -> None:
        file = '{"cycle": 2027, "content": {"title": "From a \\"file\\"\\nof two lines"}}'
        checked = await uploaded(service, "/drafts/new", "a.json", file)
        form = {"value": value_of(checked.text, "value"), "name": "a.json", "office": "IOM-NE", "deed": "new"}
        kept = await without_session(service, "/drafts", None, **form)
        assert (kept.status_code, "Your session has ended" in kept.text) == (401, True)
        made = await sent_again(service, "iom_focal_point", kept.text)
        assert made.status_code == 303, made.text
        ref = made.headers["Location"].split("/")[2]
        found = (await service.call("iom_focal_point", "GET", f"/proposals/{ref}")).json()
        assert found["content"]["title"] == 'From a "file"\nof two lines'

    run(scenario)


@on_sqlite
def test_what_was_typed_beside_a_file_outlives_the_session_and_a_file_that_no_page_can_hold_does_not(run: Any) -> None:
    async def scenario(service: Service) -> None:
        agreement = (await service.call("mfa_head", "GET", f"/proposals/{AGREED}/agreement")).json()
        content = {
            **(await service.call("mfa_head", "GET", f"/proposals/{AGREED}")).json()["content"],
            "route": "North",
        }
        seen = {"seen": agreement["sha256"], **lined(agreement["text"]["budget"])}
        seen |= {f"year-{year}": str(one) for year, one in agreement["text"]["amounts"].items()}
        file = ("content.json", json.dumps(content).encode())
        kept = await without_session(service, f"/proposals/{AGREED}/amendments", file, **seen, reason="Said at length.")
        assert value_of(kept.text, "reason") == "Said at length."
        assert (await sent_again(service, "iom_focal_point", kept.text)).status_code == 303
        made = (await service.call("mfa_head", "GET", f"/proposals/{AGREED}/amendments")).json()["items"][-1]
        assert (made["reason"], [one["pointer"] for one in made["changes"]]) == ("Said at length.", ["/route"])
        file = ("report.json", b'{"lessons": "From the file."}')
        kept = await without_session(service, REPORT, file, **EMPTY)
        assert (await sent_again(service, "iom_focal_point", kept.text)).status_code == 303
        report = (await service.call("iom_focal_point", "GET", REPORT)).json()["report"]
        assert report["lessons"] == "From the file."
        for path in (f"/proposals/{AGREED}/papers", "/drafts/new"):
            lost = await without_session(service, path, ("a.pdf", b"%PDF-\xff"))
            assert (lost.status_code, "/login?" in lost.headers["Location"]) == (303, True)

    run(scenario)


@on_sqlite
def test_what_was_sent_in_a_hurry_or_to_a_broken_service_is_kept_to_be_sent_again(run: Any, monkeypatch: Any) -> None:
    async def in_a_hurry(*_any: Any) -> None:
        raise too_many(5)

    async def gone(*_any: Any) -> None:
        raise psycopg.OperationalError("the server closed the connection")

    async def scenario(service: Service) -> None:
        path, form = f"/proposals/{AGREED}/comments", {"once": "a mark of its own", "text": 'Long,\n"thought over".'}
        for held, name, what, status in (
            (Quota, "use", in_a_hurry, 429),
            (type(service.house.database), "write", gone, 503),
        ):
            with monkeypatch.context() as broken:
                broken.setattr(held, name, what)
                refused = await opened(service, "mfa_reviewer", path, **form)
                asked = await opened(service, "mfa_reviewer", f"/proposals/{AGREED}/papers")
            assert refused.status_code == status
            assert int(refused.headers["Retry-After"]) > 0
            assert ("Nothing was changed." in refused.text) is (status == 429)
            assert "What you sent is kept on this page" in refused.text
            assert "Send it again" not in asked.text
            assert (await sent_again(service, "mfa_reviewer", refused.text)).status_code == 303
        page = (await opened(service, "mfa_reviewer", f"/proposals/{AGREED}/papers")).text
        assert page.count("&#34;thought over&#34;") == 1, "the mark says that it is the same"

    run(scenario)


@on_sqlite
def test_no_page_keeps_a_password_or_what_a_stranger_sends_in_a_flood(run: Any, monkeypatch: Any) -> None:
    async def gone(*_any: Any) -> None:
        raise psycopg.OperationalError("the server closed the connection")

    async def scenario(service: Service) -> None:
        headers = {"Accept": "text/html"}
        with monkeypatch.context() as broken:
            for name in ("read", "write"):
                broken.setattr(type(service.house.database), name, gone)
            secret = {"email": "a@example.org", "password": "correct horse"}
            refused = await service.client.post("/login", data=secret, headers=headers)
        assert (refused.status_code, "correct horse" in refused.text) == (503, False)
        monkeypatch.setattr("app.web.shield.Counts.one_more", lambda *_any: too_many(5))
        flood = await service.client.post("/proposals/x/comments", data={"text": "A flood."}, headers=headers)
        assert (flood.status_code, "A flood." in flood.text) == (429, False)

    run(scenario)
