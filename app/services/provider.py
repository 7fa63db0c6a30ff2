"""The identity provider: OpenID Connect, authorization code with PKCE; nothing it says is believed unchecked.

A person is who issuer and subject say, nothing else. Every refusal is one error with a code that the log keeps; the page
says no more than that the provider's answer could not be used.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from app.domain.people import Role
from app.errors import Unauthorized
from app.settings import Oidc, is_loopback

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LEEWAY, OLDEST = 60, 600
_KEEP = 3600.0


class Lie(Unauthorized):
    """The provider said something that cannot be believed; `code` says what."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A login under way: what the answer must fit."""

    state: str
    nonce: str
    verifier: str

    @staticmethod
    def fresh() -> "Pending":
        return Pending(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in, as far as the provider is believed."""

    issuer: str
    subject: str
    role: Role
    name: str
    email: str | None
    email_verified: bool
    authenticated_at: float


@dataclass(slots=True)
class Provider:
    """One configured provider; its metadata and keys are fetched once an hour."""

    settings: Oidc
    redirect_uri: str
    transport: httpx.AsyncBaseTransport | None = None
    _metadata: dict[str, Any] = field(default_factory=dict)
    _keys: dict[str, Any] = field(default_factory=dict)
    _fetched: float = 0.0

    async def begin(self, pending: Pending, again: bool) -> str:
        """The address to send the browser to; `again` demands that the person proves anew who they are."""
        metadata = await self._discover()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": create_s256_code_challenge(pending.verifier),
            "code_challenge_method": "S256",
            **({"prompt": "login", "max_age": "0"} if again else {}),
        }
        return f"{metadata['authorization_endpoint']}?{urlencode(asked)}"

    async def finish(self, pending: Pending, answer: Mapping[str, str], again: bool) -> Identity:
        """The identity behind the browser's return, or the Lie that was found."""
        if not secrets.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise _lie("state_mismatch")
        metadata = await self._discover()
        if answer.get("iss", metadata["issuer"]) != self.settings.issuer:
            raise _lie("issuer_mismatch")
        if "error" in answer or not answer.get("code"):
            raise _lie("provider_refused")
        tokens = await self._redeem(metadata, answer["code"], pending.verifier)
        claims = await self._believed(tokens, pending, again)
        return self._identity(claims)

    async def _discover(self) -> dict[str, Any]:
        if self._metadata and time.monotonic() - self._fetched < _KEEP:
            return self._metadata
        found = await self._get(self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.settings.issuer:
            raise _lie("issuer_mismatch")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not _safe(found.get(name)):
                raise _lie("endpoint_unsafe")
        keys = await self._get(found["jwks_uri"])
        self._metadata, self._keys, self._fetched = found, keys, time.monotonic()
        return found

    async def _redeem(self, metadata: dict[str, Any], code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        return await self._ask("POST", metadata["token_endpoint"], form)

    async def _believed(self, tokens: dict[str, Any], pending: Pending, again: bool) -> CodeIDToken:
        """The claims of an ID token whose signature, issuer, audience, times, nonce and strength are right."""
        try:
            token = jwt.decode(
                str(tokens["id_token"]),
                KeySet.import_key_set(cast(KeySetSerialization, self._keys)),
                algorithms=ALGORITHMS,
            )
            options = {
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": self.settings.client_id},
                "sub": {"essential": True},
                "nonce": {"essential": True, "value": pending.nonce},
            }
            known = {
                "client_id": self.settings.client_id,
                "nonce": pending.nonce,
                "access_token": tokens.get("access_token"),
            }
            claims = CodeIDToken(token.claims, token.header, options, known)
            claims.validate(leeway=LEEWAY)
        except (JoseError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise _lie("id_token_invalid", error) from None
        audience = claims["aud"]
        if audience not in (self.settings.client_id, [self.settings.client_id]):
            raise _lie("audience_mismatch")
        if not time.time() - OLDEST - LEEWAY <= claims["iat"] <= time.time() + LEEWAY:
            raise _lie("id_token_stale")
        if not self._strong(claims):
            raise _lie("second_factor_missing")
        when = claims.get("auth_time")
        if when is not None and not (isinstance(when, int | float) and 0 < when <= time.time() + LEEWAY):
            raise _lie("authenticated_in_the_future")
        if again and (when is None or time.time() - when > OLDEST):
            raise _lie("not_authenticated_again")
        return claims

    def _strong(self, claims: Mapping[str, Any]) -> bool:
        """Whether the provider says that the person used what the settings demand, in `acr` or `amr`."""
        said = claims.get("amr")
        means = {one for one in said if isinstance(one, str)} if isinstance(said, list) else set()
        return claims.get("acr") in self.settings.strong or bool(means & set(self.settings.strong))

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject, listed = claims["sub"], claims.get(self.settings.roles_claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise _lie("subject_invalid")
        named = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
        roles = {self.settings.roles[one] for one in named if isinstance(one, str) and one in self.settings.roles}
        if len(roles) != 1:
            raise _lie("role_missing" if not roles else "role_ambiguous")
        email = claims.get("email")
        return Identity(
            self.settings.issuer,
            subject,
            Role(roles.pop()),
            str(claims.get("name") or claims.get("preferred_username") or "Unnamed")[:200],
            email if isinstance(email, str) else None,
            claims.get("email_verified") is True,
            float(claims.get("auth_time") or 0),  # without it the login is good, but not fresh
        )

    async def _get(self, address: str) -> dict[str, Any]:
        return await self._ask("GET", address, None)

    async def _ask(self, method: str, address: str, form: dict[str, str] | None) -> dict[str, Any]:
        """A JSON object from the provider; no redirects, five seconds, 256 KB."""
        auth = (self.settings.client_id, self.settings.client_secret) if form else None
        try:
            async with httpx.AsyncClient(timeout=5, transport=self.transport, follow_redirects=False) as client:
                answer = await client.request(method, address, data=form, auth=auth)
                value = (
                    answer.json() if answer.status_code == httpx.codes.OK and len(answer.content) < 262_144 else None
                )
        except (httpx.HTTPError, ValueError) as error:
            raise _lie("provider_unusable", error) from None
        if not isinstance(value, dict):
            raise _lie("provider_unusable")
        return value


def _safe(address: Any) -> bool:
    """Whether an endpoint is https, or plain on this machine."""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def _lie(code: str, error: Exception | None = None) -> Lie:
    cause = f" ({type(error).__name__})" if error else ""
    return Lie(code, f"The identity provider's answer could not be used: {code.replace('_', ' ')}{cause}.")
