"""Offices: an administrator adds and changes them, by API, page and command line; an embassy sees what its countries say."""

from typing import Any

from tests.conftest import Service
from tests.serving import earmark
from tests.web.test_webhooks import sql

OSLO = {"code": "EMB-OSLO", "name": "Embassy in Oslo", "kind": "embassy", "countries": ["NO"]}


async def seen(service: Service, role: str = "embassy") -> set[str]:
    return {one["ref"] for one in (await service.call(role, "GET", "/proposals?limit=200")).json()["items"]}


def test_an_office_is_added_once_and_people_act_for_it(run: Any) -> None:
    async def scenario(service: Service) -> None:
        made = await service.call("admin", "POST", "/offices", json=OSLO)
        assert (made.status_code, made.json()) == (201, {**OSLO, "members": 0, "version": 1})
        assert made.headers["Location"] == "/api/v1/offices/EMB-OSLO"
        again = await service.call("admin", "POST", "/offices", json=OSLO)
        assert (again.status_code, again.json()["code"]) == (409, "code_taken")
        other = await service.call("admin", "POST", "/offices", json={**OSLO, "code": "emb-oslo"})
        assert other.status_code == 409, "only its letters are smaller"
        person = {"name": "Ane", "email": "ane@example.org", "role": "embassy", "office": "EMB-OSLO"}
        assert (await service.call("admin", "POST", "/users", json=person)).status_code == 201
        items = (await service.call("iom_office", "GET", "/offices?limit=200")).json()["items"]
        assert [one["members"] for one in items if one["code"] == "EMB-OSLO"] == [1]
        first = (await service.call("auditor", "GET", "/offices?limit=2")).json()
        rest = (await service.call("auditor", "GET", f"/offices?cursor={first['next_cursor']}")).json()["items"]
        assert [one["code"] for one in (*first["items"], *rest)] == sorted(one["code"] for one in items)

    run(scenario)


def test_what_is_wrong_with_an_office_is_said_and_nothing_is_kept(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for wrong, pointer in (
            ({"countries": []}, "/countries"),
            ({"countries": ["XX"]}, "/countries/0"),
            ({"kind": "mission"}, "/countries"),
            ({"name": "Oslo\nBcc: a@b.example"}, "/name"),
            ({"code": "-OSLO"}, "/code"),
            ({"code": "EMB OSLO"}, "/code"),
            ({"kind": "bank"}, "/kind"),
            ({"name": ""}, "/name"),
        ):
            refused = await service.call("admin", "POST", "/offices", json={**OSLO, **wrong})
            assert refused.status_code == 422, wrong
            assert [one["pointer"] for one in refused.json()["errors"]] == [pointer], wrong
        assert (await service.call("mfa_head", "POST", "/offices", json=OSLO)).status_code == 403
        for body in ({"name": "No"}, {"bogus": 1}):
            for path in ("/offices/NONE", "/users/999", "/cycles/1999"):
                assert (await service.call("admin", "PATCH", path, json=body)).status_code == 404, (path, body)
        bare = await service.call("admin", "PATCH", "/offices/EMB-TUNIS", json={"countries": []})
        assert bare.json()["errors"][0]["pointer"] == "/countries"

    run(scenario)


def test_an_embassy_sees_what_its_countries_say_from_the_next_request_on(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        before = await seen(service)
        changed = await service.call("admin", "PATCH", "/offices/EMB-TUNIS", json={"countries": ["ET"]})
        assert changed.json()["countries"] == ["ET"]
        after = await seen(service)
        assert before
        assert after
        assert after != before
        for ref in after:
            content = (await service.call("embassy", "GET", f"/proposals/{ref}")).json()["content"]
            assert "ET" in {one["code"] for one in content["countries"]}
        assert sql(database_url, "SELECT subject FROM audit WHERE event = 'office.change'") == [("office/EMB-TUNIS",)]
        new = {"name": "Embassy in Addis Ababa"}
        stale = await service.call("admin", "PATCH", "/offices/EMB-TUNIS", json=new, headers={"If-Match": '"1"'})
        assert stale.status_code == 412
        said = await service.call("admin", "PATCH", "/offices/EMB-TUNIS", json=new, headers={"If-Match": '"2"'})
        assert (said.json()["name"], said.json()["countries"]) == ("Embassy in Addis Ababa", ["ET"])

    run(scenario)


def test_an_office_is_added_and_changed_on_the_page(run: Any) -> None:
    async def scenario(service: Service) -> None:
        async def send(path: str, **form: str) -> Any:
            headers = {"Authorization": f"Bearer {service.accounts['admin']['token']}", "Accept": "text/html"}
            return await service.client.post(path, data=form, headers=headers)

        new = {"form": "add-office", "code": "EMB-OSLO", "name": "Embassy in Oslo", "kind": "embassy"}
        refused = await send("/offices", **new)
        assert refused.status_code == 422
        assert 'value="Embassy in Oslo"' in refused.text, "what was typed stands there still"
        made = await send("/offices", **new, countries="no, se")
        assert (made.status_code, made.headers["Location"]) == (303, "/users?said=office_added#offices")
        own = {"form": "office-EMB-OSLO", "name": "Embassy in Norway", "countries": "NO"}
        assert (await send("/offices/EMB-OSLO", **own, version="1")).status_code == 303
        late = await send("/offices/EMB-OSLO", **{**own, "countries": "NO SE"}, version="1")
        assert late.status_code == 412, "another tab has changed it since"
        named = await send("/offices/IOM-TN", form="office-IOM-TN", name="IOM Tunis", countries="TN", version="1")
        assert named.status_code == 303
        items = (await service.call("admin", "GET", "/offices?limit=200")).json()["items"]
        (one,) = (item for item in items if item["code"] == "EMB-OSLO")
        assert (one["name"], one["countries"]) == ("Embassy in Norway", ["NO"])

    run(scenario)


def test_a_new_installation_gets_its_offices_at_the_command_line(tmp_path: Any) -> None:
    env = {"EARMARK_VAR": str(tmp_path), "EARMARK_DATABASE_URL": f"sqlite:///{tmp_path}/new.db", "EARMARK_DEMO": "0"}
    assert earmark("migrate", **env).returncode == 0
    assert earmark("office", "add", "IOM-NE", "IOM Niger", "iom", **env).returncode == 0
    made = earmark("office", "add", "EMB-TUNIS", "Embassy in Tunis", "embassy", "--country", "TN", **env)
    assert made.stdout == "The embassy office EMB-TUNIS is added.\n"
    assert earmark("office", "change", "EMB-TUNIS", "--country", "TN", "--country", "DZ", **env).returncode == 0
    assert earmark("office", "add", "EMB-X", "Nowhere", "embassy", "--country", "XX", **env).returncode == 2
    listed = earmark("office", "list", **env).stdout.splitlines()
    assert listed == ["EMB-TUNIS\tembassy\tEmbassy in Tunis\tTN DZ", "IOM-NE\tiom\tIOM Niger"]
    added = earmark("user", "add", "Ane", "ane@example.org", "embassy", "--office", "EMB-TUNIS", **env)
    assert added.returncode == 0
