"""Logging in at an identity provider that is honest, and at one that lies: the first lets in, no lie does."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import create_engine, text

from app.services.provider import Provider
from app.settings import Oidc
from app.web.shield import COOKIE
from tests.conftest import Service

ISSUER = "https://login.example.org"
KEY, OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}), RSAKey.generate_key(2048, {"kid": "one"})
SETTINGS = Oidc(ISSUER, "earmark", "secret", "groups", {"desk": "mfa_reviewer", "head": "mfa_head"}, ("mfa",))


@dataclass
class Idp:
    """An identity provider as an application of its own; `lie` says how it lies."""

    lie: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    subject: str = "subject-1"
    email: str = "new.reviewer@example.org"
    groups: Any = field(default_factory=lambda: ["desk", "everybody"])
    redeemed: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"").decode()
        status, value = self.answer(scope["path"], {k: v[0] for k, v in parse_qs(body).items()})
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send(
            {"type": "http.response.body", "body": value if isinstance(value, bytes) else json.dumps(value).encode()}
        )

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            issuer = "https://evil.example.org" if self.lie == "another issuer in its metadata" else ISSUER
            token = "http://evil.example.org/token" if self.lie == "an endpoint without TLS" else f"{ISSUER}/token"
            places = {"authorization_endpoint": f"{ISSUER}/authorize", "jwks_uri": f"{ISSUER}/keys"}
            return 200, {"issuer": issuer, "token_endpoint": token, **places}
        if path == "/keys":
            return 200, {"keys": [KEY.as_dict(private=False)]}
        if self.lie == "an error page":
            return 500, b"<html>sorry</html>"
        if self.lie == "a redirect":
            return 302, b""
        assert form["code"] not in self.redeemed, "a code is redeemed once"
        self.redeemed.append(form["code"])
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        )
        assert challenge == self.asked["code_challenge"]
        token: dict[str, Any] = {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token()}
        if self.lie == "no ID token":
            del token["id_token"]
        return 200, token

    def id_token(self) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": ISSUER, "sub": self.subject, "aud": "earmark", "exp": now + 300, "iat": now, "auth_time": now,
            "nonce": self.asked["nonce"], "amr": ["pwd", "mfa"], "groups": self.groups,
            "name": "New Reviewer", "email": self.email, "email_verified": True,
        }  # fmt: skip
        changed: dict[str, dict[str, Any]] = {
            "another issuer in its token": {"iss": "https://evil.example.org"},
            "a token for another client": {"aud": "somebody-else"},
            "a token for two clients": {"aud": ["earmark", "somebody-else"], "azp": "earmark"},
            "another authorised party": {"azp": "somebody-else"},
            "an expired token": {"exp": now - 3600, "iat": now - 7200},
            "a token from the future": {"iat": now + 3600},
            "an old token": {"iat": now - 3600},
            "another nonce": {"nonce": "replayed"},
            "a wrong access token hash": {"at_hash": "AAAA"},
            "no second factor": {"amr": ["pwd"]},
            "no group of ours": {"groups": ["everybody"]},
            "two roles at once": {"groups": ["desk", "head"]},
            "a subject that is no text": {"sub": 12},
            "an address not verified": {"email": "auditor@demo.example", "email_verified": False},
        }
        claims |= changed.get(self.lie, {})
        gone = {"no nonce": "nonce", "no subject": "sub", "no expiry": "exp", "no groups": "groups"}.get(self.lie)
        claims = {name: value for name, value in claims.items() if name != gone}
        if self.lie == "no signature":
            parts = [json.dumps(one).encode() for one in ({"alg": "none"}, claims)]
            return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts) + "."
        if self.lie == "a signature with the public key as secret":
            secret = OctKey.import_key(KEY.as_pem(private=False))
            return jwt.encode({"alg": "HS256", "kid": "one"}, claims, secret, algorithms=["HS256"])
        if self.lie == "a signature by another key":
            return jwt.encode({"alg": "RS256", "kid": "one"}, claims, OTHER)
        if self.lie == "a signature by a key it does not publish":
            return jwt.encode({"alg": "ES256", "kid": "two"}, claims, ECKey.generate_key("P-256", {"kid": "two"}))
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)


LIES = [
    "another issuer in its metadata", "an endpoint without TLS", "an error page", "a redirect", "no ID token",
    "another issuer in its token", "a token for another client", "a token for two clients", "another authorised party",
    "an expired token", "a token from the future", "an old token", "another nonce", "no nonce", "no subject", "no expiry",
    "a wrong access token hash", "no second factor", "no group of ours", "no groups", "two roles at once",
    "a subject that is no text", "an address not verified", "no signature", "a signature with the public key as secret",
    "a signature by another key", "a signature by a key it does not publish",
    "another state", "another issuer in its return", "an error in its return",
]  # fmt: skip


async def go(service: Service, idp: Idp, again: bool = False, next_: str = "/account") -> tuple[httpx.Response, str]:
    """Through the provider and back, as a browser goes; the answer to the return and the cookie it came with."""
    house = service.house
    house.provider = Provider(SETTINGS, "http://127.0.0.1:8000/login/callback", httpx.ASGITransport(app=idp))
    query = {"next": next_, **({"again": "1"} if again else {})}
    out = await service.client.get("/login/sso", params=query)
    if out.status_code != 303:
        return out, ""
    cookie = out.headers["Set-Cookie"].partition(";")[0]
    idp.asked = {name: values[0] for name, values in parse_qs(urlsplit(out.headers["Location"]).query).items()}
    back = {"code": f"code-{len(idp.redeemed)}", "state": idp.asked["state"], "iss": ISSUER}
    changed: dict[str, dict[str, str]] = {
        "another state": {"state": "forged"},
        "another issuer in its return": {"iss": "https://evil.example.org"},
        "an error in its return": {"error": "access_denied", "code": ""},
    }
    back |= changed.get(idp.lie, {})
    return await service.client.get("/login/callback", params=back, headers={"Cookie": cookie}), cookie


def logged_in(answer: httpx.Response) -> str | None:
    """The cookie of a session that somebody is logged in with."""
    said = answer.headers.get("Set-Cookie", "").partition(";")[0]
    return (
        said
        if answer.status_code == 303 and said.startswith(f"{COOKIE}=") and answer.headers["Location"] != "/login"
        else None
    )


def test_an_honest_provider_lets_a_person_in_once_per_answer(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        idp = Idp()
        answer, before = await go(service, idp, next_="/docs")
        cookie = logged_in(answer)
        assert cookie, answer.text
        assert cookie != before  # a new session: whoever planted the old one has nothing
        assert answer.headers["Location"] == "/docs"
        assert "nonce" in idp.asked
        assert idp.asked["code_challenge_method"] == "S256"
        mine = await service.client.get("/api/v1/proposals", headers={"Cookie": cookie})
        assert mine.status_code == 200
        replay = {"code": "code-0", "state": idp.asked["state"], "iss": ISSUER}
        twice = await service.client.get("/login/callback", params=replay, headers={"Cookie": before})
        assert not logged_in(twice)
        engine = create_engine(database_url)
        with engine.connect() as tx:
            assert tx.scalar(text("SELECT role FROM person WHERE email = 'new.reviewer@example.org'")) == "mfa_reviewer"
        engine.dispose()
        idp.groups = ["head"]
        changed, _ = await go(service, idp)
        page = await service.client.get("/account", headers={"Cookie": str(logged_in(changed))})
        assert "Head of department" in page.text
        again, _ = await go(service, idp, again=True)
        assert logged_in(again)
        assert idp.asked["prompt"] == "login"

    run(scenario)


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_lie_logs_nobody_in(run: Any, lie: str) -> None:
    """What a lie meets lies before the database; the honest way runs on both."""

    async def scenario(service: Service) -> None:
        answer, cookie = await go(service, Idp(lie=lie))
        assert not logged_in(answer), answer.headers
        assert answer.status_code == 401
        for said in filter(None, (cookie, answer.headers.get("Set-Cookie"))):
            tried = await service.client.get("/api/v1/proposals", headers={"Cookie": said.partition(";")[0]})
            assert tried.status_code == 401
        logged = (await service.call("auditor", "GET", "/audit?event=login.refused")).json()["items"]
        assert logged, "the refusal stands in the log"

    run(scenario)
