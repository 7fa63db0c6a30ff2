"""Local accounts: passwords, one-time codes, sessions and their ends; guessing is stopped exactly at the limit."""

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import create_engine, text

from app.db import open_database
from app.errors import Conflict
from app.services import clock, logins, users
from app.web.pages.login import own_place
from app.web.shield import COOKIE
from tests.conftest import Service
from tests.serving import served


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


async def log_in(service: Service, role: str, **more: Any) -> httpx.Response:
    account = service.accounts[role]
    form = {"email": account["email"], "password": account["password"], **more}
    return await service.client.post("/login", data=form)


def test_a_demo_account_logs_in_works_and_logs_out(run: Any) -> None:
    async def scenario(service: Service) -> None:
        answer = await log_in(service, "mfa_reviewer", next="/docs")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/docs")
        said = answer.headers["Set-Cookie"]
        assert said.startswith(f"{COOKIE}=")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in said.split(";")}
        mine = cookie_of(answer)
        assert (await service.client.get("/api/v1/proposals", headers=mine)).status_code == 200
        assert "Demo Reviewer One" in (await service.client.get("/account", headers=mine)).text
        out = await service.client.post("/logout", headers={**mine, "Sec-Fetch-Site": "same-origin"})
        assert "Max-Age=0" in out.headers["Set-Cookie"]
        assert (await service.client.get("/api/v1/proposals", headers=mine)).status_code == 401
        away = await service.client.get("/account", headers={**mine, "Accept": "text/html"})
        assert away.headers["Location"].startswith("/login")

    run(scenario)


def test_a_planted_session_is_left_behind_at_login(run: Any) -> None:
    async def scenario(service: Service) -> None:
        planted = {"Cookie": f"{COOKIE}=planted", "Sec-Fetch-Site": "same-origin"}
        account = service.accounts["mfa_head"]
        answer = await service.client.post(
            "/login", data={"email": account["email"], "password": account["password"]}, headers=planted
        )
        assert cookie_of(answer)["Cookie"] != planted["Cookie"]
        assert (await service.client.get("/api/v1/proposals", headers=planted)).status_code == 401

    run(scenario)


def test_wrong_and_unknown_are_answered_alike(run: Any) -> None:
    async def scenario(service: Service) -> None:
        wrong = await log_in(service, "mfa_head", password="wrong")
        unknown = await log_in(service, "mfa_head", email="nobody@demo.example")
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.text == unknown.text
        assert "Set-Cookie" not in wrong.headers

    run(scenario)


def test_a_session_ends_when_idle_when_old_and_when_its_person_is_disabled(run: Any, database_url: str) -> None:
    engine = create_engine(database_url)

    def age(column: str, **by: float) -> None:
        moved = f"{column} - interval '{by['minutes']} minutes'"
        if database_url.startswith("sqlite"):
            moved = f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '-{by['minutes']} minutes')"
        with engine.begin() as tx:
            tx.execute(text(f"UPDATE session SET {column} = {moved}"))

    async def scenario(service: Service) -> None:
        for column, minutes in (("seen_at", 31), ("created_at", 12 * 60 + 1)):
            mine = cookie_of(await log_in(service, "mfa_finance"))
            assert (await service.client.get("/api/v1/proposals", headers=mine)).status_code == 200
            age(column, minutes=minutes)
            ended = await service.client.get("/api/v1/proposals", headers=mine)
            assert (ended.status_code, ended.json()["code"]) == (401, "session_ended"), column
        mine = cookie_of(await log_in(service, "mfa_finance"))
        with engine.begin() as tx:
            person = tx.scalar(text("SELECT id FROM person WHERE email = 'mfa-finance@demo.example'"))
        assert (await service.call("admin", "PATCH", f"/users/{person}", json={"disabled": True})).status_code == 200
        assert (await service.client.get("/api/v1/proposals", headers=mine)).status_code == 401

    run(scenario)
    engine.dispose()


def test_what_matters_needs_a_fresh_login_in_a_browser(run: Any, database_url: str) -> None:
    engine = create_engine(database_url)

    async def scenario(service: Service) -> None:
        mine = {**cookie_of(await log_in(service, "admin")), "Sec-Fetch-Site": "same-origin"}
        new = {"name": "Somebody", "email": "somebody@example.org", "role": "auditor"}
        assert (await service.client.post("/api/v1/users", json=new, headers=mine)).status_code == 201
        early = clock.now(service.settings.today).at - timedelta(minutes=11)
        with engine.begin() as tx:
            said = early.replace(tzinfo=None) if database_url.startswith("sqlite") else early
            tx.execute(text("UPDATE session SET authenticated_at = :at"), {"at": str(said)})
        old = await service.client.post("/api/v1/users", json={**new, "email": "b@example.org"}, headers=mine)
        assert (old.status_code, old.json()["code"]) == (403, "authentication_too_old")
        assert (await service.client.get("/api/v1/users", headers=mine)).status_code == 200

    run(scenario)
    engine.dispose()


def test_a_second_factor_is_enrolled_and_every_code_works_once(run: Any, database_url: str, monkeypatch: Any) -> None:
    async def scenario(service: Service) -> None:
        house = service.house
        object.__setattr__(house.settings, "demo", False)
        begun = await log_in(service, "mfa_head")
        assert begun.headers["Location"] == "/login/enrol"
        half = cookie_of(begun)
        assert (await service.client.get("/api/v1/proposals", headers=half)).status_code == 401
        page = await service.client.get("/login/enrol", headers=half)
        assert "<svg" in page.text
        key = re.search(r'class="key">([A-Z2-7 ]+)<', page.text)
        assert key
        totp = pyotp.TOTP(key[1].replace(" ", ""))
        form = {**half, "Sec-Fetch-Site": "same-origin"}
        wrong = await service.client.post("/login/enrol", data={"code": "000000"}, headers=form)
        assert wrong.status_code == 401
        now = clock.now(service.settings.today).at
        done = await service.client.post("/login/enrol", data={"code": totp.at(now)}, headers=form)
        recovery = re.findall(r"<li><code>([A-Z2-7-]+)</code>", done.text)
        assert len(recovery) == 10
        assert (await service.client.get("/api/v1/proposals", headers=cookie_of(done))).status_code == 200
        outcomes = []
        for code in (totp.at(now), recovery[0], recovery[0], recovery[1].lower().replace("-", " ")):
            second = await log_in(service, "mfa_head")
            assert second.headers["Location"] == "/login/code"
            headers = {**cookie_of(second), "Sec-Fetch-Site": "same-origin"}
            outcomes.append(
                (await service.client.post("/login/code", data={"code": code}, headers=headers)).status_code
            )
        assert outcomes == [401, 303, 401, 303]

    run(scenario)


def test_eight_hundred_guesses_at_two_instances_let_exactly_the_limit_through(
    database_url: str, tmp_path: Path, record_property: Any
) -> None:
    with ExitStack() as stack:  # both on the real clock: attempts are counted by it
        one, two = (stack.enter_context(served(database_url, tmp_path, demo="0", local="1")) for _ in range(2))
        email = "mfa-head@demo.example"

        def guess(client: httpx.Client, i: int) -> int:
            form = {"email": email, "password": f"guess {i}"}
            return client.post("/login", data=form).status_code

        clients = [httpx.Client(base_url=address, timeout=60) for address in (one, two) for _ in range(4)]
        began = int(time.time()) // logins.WINDOW
        with ThreadPoolExecutor(8) as pool:
            answers = Counter(pool.map(lambda i: guess(clients[i % 8], i), range(800)))
        for client in clients:
            client.close()
    spent = int(time.time()) // logins.WINDOW - began  # 1 when a window of five minutes ended meanwhile
    record_property("guesses", 800)
    record_property("let through", answers[401])
    assert answers[401] + answers[429] == 800
    assert logins.ATTEMPTS <= answers[401] <= logins.ATTEMPTS * (1 + spent), answers


def test_after_the_login_one_goes_to_a_place_of_ours() -> None:
    for place in ("//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "", None, "/a\r\nX: y"):
        assert own_place(place) == "/"
    assert own_place("/docs?x=1") == "/docs?x=1"


def test_the_first_administrator_is_added_once(database_url: str) -> None:
    now = clock.now()
    with open_database(database_url).transaction() as tx:
        tx.execute(text("UPDATE person SET disabled_at = created_at WHERE role = 'admin'"))
        made, secret = users.first_admin(tx, "Ada Admin", "ada@example.org", now)
        assert made["role"] == "admin"
        assert secret.startswith("earmark_")
        with pytest.raises(Conflict) as refused:
            users.first_admin(tx, "Eve", "eve@example.org", now)
    assert refused.value.code == "admin_exists"


def test_a_stranger_with_only_the_password_cannot_replace_a_second_factor(run: Any) -> None:
    async def scenario(service: Service) -> None:
        house = service.house
        object.__setattr__(house.settings, "demo", False)
        seeds = {}
        for who in ("owner", "stranger"):
            half = cookie_of(await log_in(service, "mfa_head"))
            page = (await service.client.get("/login/enrol", headers=half)).text
            found = re.search(r'class="key">([A-Z2-7 ]+)<', page)
            assert found
            seeds[who] = (half, pyotp.TOTP(found[1].replace(" ", "")))
        assert seeds["owner"][1].secret != seeds["stranger"][1].secret
        now = clock.now(service.settings.today).at
        outcomes = {}
        for who, (half, totp) in seeds.items():
            sent = await service.client.post(
                "/login/enrol", data={"code": totp.at(now)}, headers={**half, "Sec-Fetch-Site": "same-origin"}
            )
            outcomes[who] = sent.status_code
        assert outcomes == {"owner": 200, "stranger": 401}

    run(scenario)


def test_the_session_before_a_new_login_is_gone(run: Any) -> None:
    async def scenario(service: Service) -> None:
        first = cookie_of(await log_in(service, "mfa_reviewer"))
        account = service.accounts["mfa_reviewer"]
        form = {"email": account["email"], "password": account["password"]}
        again = await service.client.post("/login", data=form, headers={**first, "Sec-Fetch-Site": "same-origin"})
        assert (await service.client.get("/api/v1/proposals", headers=cookie_of(again))).status_code == 200
        assert (await service.client.get("/api/v1/proposals", headers=first)).status_code == 401

    run(scenario)


@pytest.mark.parametrize("sent", ["é" * 6, "\0", "1" * 2000, ""])
def test_rubbish_in_the_login_is_a_refusal(run: Any, sent: str) -> None:
    async def scenario(service: Service) -> None:
        for form in ({"email": sent, "password": sent}, {"email": f"a{sent}@x.dk", "password": "x"}):
            assert (await service.client.post("/login", data=form)).status_code == 401
        odd = await service.client.post(
            "/login", content=b"email=x", headers={"Content-Type": "multipart/form-data; charset=utf-7; boundary=x"}
        )
        assert odd.status_code == 401
        callback = await service.client.get("/login/callback", params={"state": sent, "code": sent})
        assert callback.status_code in (303, 401)

    run(scenario)
