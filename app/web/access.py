"""The access table: every route with who may knock at it. What they then see and may do is decided further in."""

from dataclasses import dataclass, replace
from datetime import timedelta

from starlette.routing import compile_path

from app.domain.people import EVERYONE, IOM, MFA, READERS, Actor, Role
from app.errors import Forbidden
from app.services.clock import Now


@dataclass(frozen=True, slots=True)
class Door:
    """Who may use a route: roles, and the scope their token needs. No roles: open to all, without a token.

    `fresh`: in a browser session the person must have proved who they are within the last ten minutes.
    """

    roles: frozenset[Role] = frozenset()
    scope: str | None = None
    fresh: bool = False

    @property
    def public(self) -> bool:
        return not self.roles


_PUBLIC = Door()
_READ = Door(READERS, "proposals:read")
_LOOK_UP = Door(EVERYONE)
_ADMIN = Door(frozenset({Role.ADMIN}), "admin", fresh=True)
_AUDIT = Door(frozenset({Role.AUDITOR, Role.ADMIN}), "audit:read")
_ASSESSOR = Door(frozenset({Role.MFA_REVIEWER}), "assessments:write")
_PREPARE = Door(frozenset({Role.MFA_REVIEWER, Role.MFA_HEAD}), "proposals:write")
_DECIDE = Door(frozenset({Role.MFA_HEAD}), "decisions:write")
_ANSWER = Door(frozenset({Role.IOM_FOCAL_POINT}), "signatures:write")
_SIGN = Door(frozenset({Role.MFA_HEAD, Role.IOM_FOCAL_POINT}), "signatures:write")
_PAY = Door(frozenset({Role.MFA_FINANCE}), "payments:write")
_DESK = Door(frozenset({Role.MFA_REVIEWER}), "proposals:write")
_WITHIN = Door(MFA | {Role.AUDITOR}, "proposals:read")
_HOOKS = Door(EVERYONE - {Role.AUDITOR}, "webhooks")
_SUBSCRIBE = Door(READERS - {Role.AUDITOR}, "proposals:read")  # an auditor has no deadlines
_FUND = Door(frozenset({Role.MFA_FINANCE, Role.ADMIN}), "envelopes:write", fresh=True)
_PROPOSE = Door(frozenset({Role.IOM_FOCAL_POINT, Role.MFA_REVIEWER, Role.MFA_HEAD}), "proposals:write")
_BOOKS = Door(frozenset({Role.MFA_FINANCE, Role.MFA_HEAD, Role.AUDITOR}), "proposals:read")
_DANES = MFA | {Role.EMBASSY, Role.MISSION}
FRESH = timedelta(minutes=10)

DOORS = {
    "GET /health/live": _PUBLIC,
    "GET /health/ready": _PUBLIC,
    "GET /metrics": _PUBLIC,  # judged by network: a monitoring system is no person
    "GET /docs": _PUBLIC,
    "GET /docs/start.js": _PUBLIC,
    "GET /api/v1/openapi.json": _PUBLIC,
    "GET /api/v1/iati/activities.xml": _PUBLIC,
    "GET /api/v1/frameworks/{id}": _LOOK_UP,
    "GET /api/v1/cycles": _LOOK_UP,
    "PATCH /api/v1/cycles/{year}": _ADMIN,
    "POST /api/v1/cycles": _ADMIN,
    "GET /api/v1/cycles/{year}/coverage": _WITHIN,
    "GET /api/v1/cycles/{year}/review": _WITHIN,
    "GET /api/v1/cycles/{year}/review/workbook": _WITHIN,
    "POST /api/v1/cycles/{year}/what-if": _WITHIN,
    "GET /api/v1/envelopes": _LOOK_UP,
    "GET /api/v1/envelopes/{year}": _LOOK_UP,
    "PUT /api/v1/envelopes/{year}": _FUND,
    "GET /api/v1/rulebooks": _LOOK_UP,
    "GET /api/v1/rulebooks/{version}": _LOOK_UP,
    "POST /api/v1/screenings": Door(EVERYONE, "screenings"),
    "POST /api/v1/proposals": Door(IOM, "proposals:write"),
    "GET /api/v1/proposals": _READ,
    "GET /api/v1/proposals/{ref}": _READ,
    "PUT /api/v1/proposals/{ref}/content": Door(IOM, "proposals:write"),
    # Every reader may knock here: the move's own roles answer 403 after an invisible proposal has answered 404.
    "POST /api/v1/proposals/{ref}/moves": _READ,
    "GET /api/v1/proposals/{ref}/screening": _READ,
    "GET /api/v1/proposals/{ref}/history": _READ,
    "GET /api/v1/proposals/{ref}/snapshots": _READ,
    "GET /api/v1/proposals/{ref}/snapshots/{number}": _READ,
    "GET /api/v1/proposals/{ref}/snapshots/{number}/diff": _READ,
    "GET /api/v1/proposals/{ref}/clarifications": _READ,
    "POST /api/v1/proposals/{ref}/clarifications": Door(frozenset({Role.MFA_REVIEWER}), "assessments:write"),
    "POST /api/v1/proposals/{ref}/clarifications/{id}/answer": Door(IOM, "proposals:write"),
    "GET /api/v1/proposals/{ref}/assessments": _WITHIN,
    "PUT /api/v1/proposals/{ref}/assessments/mine": _ASSESSOR,
    "POST /api/v1/proposals/{ref}/assessments/mine/complete": _ASSESSOR,
    "POST /api/v1/proposals/{ref}/assessments/mine/reopen": _ASSESSOR,
    "GET /api/v1/proposals/{ref}/similar": _WITHIN,
    "GET /api/v1/engagements": _LOOK_UP,
    "GET /api/v1/proposals/{ref}/comments": Door(_DANES | {Role.AUDITOR}, "proposals:read"),
    "POST /api/v1/proposals/{ref}/comments": Door(_DANES, "comments:write"),
    "GET /api/v1/proposals/{ref}/conflicts": _WITHIN,
    "POST /api/v1/proposals/{ref}/conflicts": Door(MFA, "comments:write"),
    "GET /api/v1/proposals/{ref}/attachments": _READ,
    "POST /api/v1/proposals/{ref}/attachments": Door(IOM | {Role.MFA_REVIEWER, Role.MFA_HEAD}, "proposals:write"),
    "GET /api/v1/proposals/{ref}/attachments/{id}": _READ,
    "GET /api/v1/consultations": _READ,
    "POST /api/v1/consultations": _PREPARE,
    "GET /api/v1/consultations/{id}": _READ,
    "PATCH /api/v1/consultations/{id}": _PREPARE,
    "PUT /api/v1/consultations/{id}/agenda": _PREPARE,
    "POST /api/v1/consultations/{id}/open": _PREPARE,
    "PUT /api/v1/consultations/{id}/decisions/{ref}": _DECIDE,
    "DELETE /api/v1/consultations/{id}/decisions/{ref}": _DECIDE,
    "POST /api/v1/consultations/{id}/conclude": replace(_DECIDE, fresh=True),
    "POST /api/v1/consultations/{id}/cancel": _DECIDE,
    "POST /api/v1/consultations/{id}/corrections": replace(_DECIDE, fresh=True),
    "POST /api/v1/technical-meetings/{id}/cancel": _PREPARE,
    "GET /api/v1/consultations/{id}/minutes": _READ,
    "POST /api/v1/consultations/{id}/minutes/confirm": _ANSWER,
    "POST /api/v1/consultations/{id}/minutes/object": _ANSWER,
    "GET /api/v1/proposals/{ref}/decision-letter": _READ,
    "GET /api/v1/proposals/{ref}/decision-memo": _WITHIN,
    "GET /api/v1/proposals/{ref}/casefile": _WITHIN,
    "GET /api/v1/technical-meetings": _READ,
    "POST /api/v1/technical-meetings": _PREPARE,
    "GET /api/v1/technical-meetings/{id}": _READ,
    "PUT /api/v1/technical-meetings/{id}": _PREPARE,
    "GET /api/v1/extracts": _PUBLIC,
    "GET /api/v1/extracts/{ref}": _PUBLIC,
    "GET /api/v1/extracts/{ref}/pdf": _PUBLIC,
    "GET /api/v1/proposals/{ref}/extract": _READ,
    "POST /api/v1/proposals/{ref}/extract/releases": replace(_SIGN, fresh=True),
    "POST /api/v1/proposals/{ref}/extract/withdraw": _SIGN,
    "GET /api/v1/evaluations": _READ,
    "POST /api/v1/evaluations": _PREPARE,
    "GET /api/v1/evaluations/{id}": _READ,
    "PUT /api/v1/evaluations/{id}": _PREPARE,
    "GET /api/v1/proposals/{ref}/agreement": _READ,
    "PUT /api/v1/proposals/{ref}/agreement/budget": Door(IOM, "proposals:write"),
    "POST /api/v1/proposals/{ref}/agreement/signatures": replace(_SIGN, fresh=True),
    "GET /api/v1/proposals/{ref}/amendments": _READ,
    "POST /api/v1/proposals/{ref}/amendments": _PROPOSE,
    "POST /api/v1/proposals/{ref}/amendments/{number}/signatures": replace(_SIGN, fresh=True),
    "POST /api/v1/proposals/{ref}/amendments/{number}/withdraw": _SIGN,
    "GET /api/v1/proposals/{ref}/payments": _READ,
    "POST /api/v1/proposals/{ref}/payments": _PAY,
    "GET /api/v1/proposals/{ref}/previous": _READ,
    "GET /api/v1/proposals/{ref}/reports": _READ,
    "GET /api/v1/proposals/{ref}/reports/{year}": _READ,
    "PUT /api/v1/proposals/{ref}/reports/{year}": Door(IOM, "reports:write"),
    "POST /api/v1/proposals/{ref}/reports/{year}/submit": Door(IOM, "reports:write"),
    "POST /api/v1/proposals/{ref}/reports/{year}/accept": _DESK,
    "POST /api/v1/proposals/{ref}/reports/{year}/return": _DESK,
    "GET /api/v1/cycles/{year}/workbook": _WITHIN,
    "GET /api/v1/payments": _READ,
    "GET /api/v1/payments/export": _BOOKS,
    "GET /api/v1/payments/{id}": _READ,
    "POST /api/v1/payments/{id}/prepare": _PAY,
    "POST /api/v1/payments/{id}/release": replace(_PAY, fresh=True),
    "POST /api/v1/payments/{id}/receive": _ANSWER,
    "POST /api/v1/payments/{id}/cancel": _PAY,
    "GET /api/v1/notifications": _LOOK_UP,
    "POST /api/v1/notifications/{id}/resend": Door(frozenset({Role.ADMIN}), "admin"),
    "GET /api/v1/webhooks": _HOOKS,
    "POST /api/v1/webhooks": replace(_HOOKS, fresh=True),
    "DELETE /api/v1/webhooks/{id}": _HOOKS,
    "POST /api/v1/webhooks/{id}/rotate": replace(_HOOKS, fresh=True),
    "POST /api/v1/webhooks/{id}/test": _HOOKS,
    "POST /api/v1/webhooks/{id}/resume": _HOOKS,
    "POST /api/v1/webhooks/{id}/replay": _HOOKS,
    # What a person sets for themselves needs the scope that their tokens need; a feed says what its person may read.
    "GET /api/v1/preferences": _LOOK_UP,
    "PUT /api/v1/preferences": Door(EVERYONE, "tokens"),
    "GET /api/v1/feed": _SUBSCRIBE,
    "POST /api/v1/feed": replace(_SUBSCRIBE, fresh=True),
    "DELETE /api/v1/feed": _SUBSCRIBE,
    "GET /api/v1/feeds/{secret}.ics": _PUBLIC,
    "GET /api/v1/unsubscribe/{uid}": _PUBLIC,
    "POST /api/v1/unsubscribe/{uid}": _PUBLIC,
    "GET /unsubscribe/{uid}": _PUBLIC,
    "POST /unsubscribe/{uid}": _PUBLIC,
    "GET /api/v1/users": Door(frozenset({Role.ADMIN}), "admin"),
    "POST /api/v1/users": _ADMIN,
    "PATCH /api/v1/users/{id}": _ADMIN,
    "GET /api/v1/offices": Door(EVERYONE, "tokens"),
    "POST /api/v1/offices": _ADMIN,
    "PATCH /api/v1/offices/{code}": _ADMIN,
    "GET /api/v1/tokens": Door(EVERYONE, "tokens"),
    "POST /api/v1/tokens": Door(EVERYONE, "tokens", fresh=True),
    "DELETE /api/v1/tokens/{id}": Door(EVERYONE, "tokens"),
    "GET /api/v1/audit": _AUDIT,
    "GET /api/v1/audit/verify": _AUDIT,
    "GET /": _LOOK_UP,
    "GET /proposals/{ref}": _READ,
    "POST /proposals/{ref}/assessment": _ASSESSOR,
    "POST /proposals/{ref}/assessment/reopen": _ASSESSOR,
    "POST /proposals/{ref}/moves": _READ,
    "POST /proposals/{ref}/questions": _ASSESSOR,
    "POST /proposals/{ref}/questions/{number}": Door(IOM, "proposals:write"),
    "POST /proposals/{ref}/conflict": Door(MFA, "comments:write"),
    "GET /notifications": _LOOK_UP,
    "GET /notifications/{id}": _LOOK_UP,
    "POST /notifications/{id}/resend": Door(frozenset({Role.ADMIN}), "admin"),
    "GET /webhooks": _HOOKS,
    "POST /webhooks": replace(_HOOKS, fresh=True),
    "POST /webhooks/{id}/rotate": replace(_HOOKS, fresh=True),
    "POST /webhooks/{id}/test": _HOOKS,
    "POST /webhooks/{id}/resume": _HOOKS,
    "POST /webhooks/{id}/replay": _HOOKS,
    "POST /webhooks/{id}/delete": _HOOKS,
    "GET /audit": _AUDIT,
    "GET /audit/export": _AUDIT,
    "GET /audit/verify": _AUDIT,
    "GET /rules": _LOOK_UP,
    "GET /users": Door(frozenset({Role.ADMIN}), "admin"),
    "POST /users": _ADMIN,
    "POST /users/{id}": _ADMIN,
    "POST /offices": _ADMIN,
    "POST /offices/{code}": _ADMIN,
    "GET /tokens": Door(EVERYONE, "tokens"),
    "POST /tokens": Door(EVERYONE, "tokens", fresh=True),
    "POST /tokens/{id}/revoke": Door(EVERYONE, "tokens"),
    "GET /cycles": _LOOK_UP,
    "POST /cycles": _ADMIN,
    "POST /cycles/{year}": _ADMIN,
    "GET /account": _LOOK_UP,
    "POST /account/preferences": Door(EVERYONE, "tokens"),
    "POST /account/feed": replace(_SUBSCRIBE, fresh=True),
    "POST /account/feed/end": _SUBSCRIBE,
    "GET /accessibility": _PUBLIC,
    "GET /consultations": _READ,
    "POST /consultations": _PREPARE,
    "GET /consultations/{id}": _READ,
    "POST /consultations/{id}": _PREPARE,
    "POST /consultations/{id}/agenda": _PREPARE,
    "POST /consultations/{id}/open": _PREPARE,
    "POST /consultations/{id}/decisions/{ref}": _DECIDE,
    "POST /consultations/{id}/cancel": _DECIDE,
    "GET /consultations/{id}/conclude": _DECIDE,
    "POST /consultations/{id}/conclude": replace(_DECIDE, fresh=True),
    "GET /consultations/{id}/present": _WITHIN,
    "GET /consultations/{id}/minutes": _READ,
    "GET /consultations/{id}/minutes.pdf": _READ,
    "GET /consultations/{id}/letters/{ref}": _READ,
    "POST /consultations/{id}/minutes/confirm": _ANSWER,
    "POST /consultations/{id}/minutes/object": _ANSWER,
    "POST /consultations/{id}/corrections": replace(_DECIDE, fresh=True),
    "POST /technical-meetings": _PREPARE,
    "GET /technical-meetings/{id}": _READ,
    "POST /technical-meetings/{id}": _PREPARE,
    "POST /technical-meetings/{id}/cancel": _PREPARE,
    "GET /proposals/{ref}/money": _READ,
    "GET /proposals/{ref}/agreement.pdf": _READ,
    "POST /proposals/{ref}/agreement/budget": Door(IOM, "proposals:write"),
    "POST /proposals/{ref}/agreement/sign": replace(_SIGN, fresh=True),
    "POST /proposals/{ref}/tranches": _PAY,
    "POST /proposals/{ref}/tranches/{id}/prepare": _PAY,
    "POST /proposals/{ref}/tranches/{id}/release": replace(_PAY, fresh=True),
    "POST /proposals/{ref}/tranches/{id}/receive": _ANSWER,
    "POST /proposals/{ref}/tranches/{id}/cancel": _PAY,
    "GET /proposals/{ref}/amendments": _READ,
    "POST /proposals/{ref}/amendments": _PROPOSE,
    "POST /proposals/{ref}/amendments/{number}/sign": replace(_SIGN, fresh=True),
    "POST /proposals/{ref}/amendments/{number}/withdraw": _SIGN,
    "GET /proposals/{ref}/reports": _READ,
    "GET /proposals/{ref}/reports/{year}": _READ,
    "POST /proposals/{ref}/reports/{year}": Door(IOM, "reports:write"),
    "POST /proposals/{ref}/reports/{year}/submit": Door(IOM, "reports:write"),
    "POST /proposals/{ref}/reports/{year}/accept": _DESK,
    "POST /proposals/{ref}/reports/{year}/return": _DESK,
    "GET /proposals/{ref}/extract": _READ,
    "POST /proposals/{ref}/extract/release": replace(_SIGN, fresh=True),
    "POST /proposals/{ref}/extract/withdraw": _SIGN,
    "GET /payments": _READ,
    "GET /payments.csv": _READ,
    "GET /payments/export": _BOOKS,
    "GET /envelopes": _LOOK_UP,
    "POST /envelopes/{year}": _FUND,
    "GET /proposals/{ref}/content": _READ,
    "GET /proposals/{ref}/papers": _READ,
    "POST /proposals/{ref}/papers": Door(IOM | {Role.MFA_REVIEWER, Role.MFA_HEAD}, "proposals:write"),
    "GET /proposals/{ref}/papers/{name}.pdf": _READ,
    "POST /proposals/{ref}/comments": Door(_DANES, "comments:write"),
    "GET /drafts/new": Door(IOM, "proposals:write"),
    "POST /drafts/new": Door(IOM, "proposals:write"),
    "POST /drafts": Door(IOM, "proposals:write"),
    "GET /dashboard": _WITHIN,
    "GET /dashboard/{name}.png": _WITHIN,
    "GET /dashboard/{name}.csv": _WITHIN,
    # The login tells by itself who is logged in, and who is not.
    "GET /login": _PUBLIC,
    "POST /login": _PUBLIC,
    "GET /login/code": _PUBLIC,
    "POST /login/code": _PUBLIC,
    "GET /login/enrol": _PUBLIC,
    "POST /login/enrol": _PUBLIC,
    "GET /login/sso": _PUBLIC,
    "GET /login/callback": _PUBLIC,
    "POST /logout": _PUBLIC,
}


def check_door(door: Door, actor: Actor, now: Now) -> None:
    """Refuse a role, a token or a session that may not use the route at all, or not any more."""
    if actor.role not in door.roles:
        who = ", ".join(sorted(door.roles))
        raise Forbidden("role_not_allowed", f"This is for {who}; you are {actor.role}.")
    if door.scope and door.scope not in actor.scopes:
        raise Forbidden("scope_missing", f"This needs a token with the scope {door.scope}.")
    if door.fresh and actor.authenticated_at is not None and now.at - actor.authenticated_at > FRESH:
        said = "Show once more that it is you (/login?again=1); the last time was more than ten minutes ago."
        raise Forbidden("authentication_too_old", said)


_PATHS = [(name.split(" ")[0], compile_path(name.split(" ")[1])[0]) for name in DOORS]


def methods_at(path: str) -> str:
    """The methods an address knows, for the Allow header: `GET, POST`."""
    return ", ".join(sorted({method for method, form in _PATHS if form.match(path)}))
