"""Who acts: the roles of the two sides and the person behind a request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """One person has one role."""

    IOM_OFFICE = "iom_office"
    IOM_FOCAL_POINT = "iom_focal_point"
    MFA_REVIEWER = "mfa_reviewer"
    MFA_HEAD = "mfa_head"
    MFA_FINANCE = "mfa_finance"
    EMBASSY = "embassy"
    MISSION = "mission"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Side(StrEnum):
    """Whose view of a proposal: IOM sees what it works on, the Danish side the last snapshot."""

    IOM = "iom"
    MFA = "mfa"


IOM = frozenset({Role.IOM_OFFICE, Role.IOM_FOCAL_POINT})
MFA = frozenset({Role.MFA_REVIEWER, Role.MFA_HEAD, Role.MFA_FINANCE})
READERS = frozenset(Role) - {Role.ADMIN}
EVERYONE = frozenset(Role)


# What a token of a role may carry; a browser session has all of its role's rights but proves the person anew where it matters.
_ALL = ("proposals:read", "screenings", "tokens")
_TOLD = (*_ALL, "webhooks")  # who is told of things may be told by webhook
SCOPES: dict[Role, tuple[str, ...]] = {
    Role.IOM_OFFICE: (*_TOLD, "proposals:write", "reports:write"),
    Role.IOM_FOCAL_POINT: (*_TOLD, "proposals:write", "reports:write", "signatures:write"),
    Role.MFA_REVIEWER: (*_TOLD, "proposals:write", "assessments:write", "comments:write"),
    Role.MFA_HEAD: (*_TOLD, "proposals:write", "decisions:write", "signatures:write", "comments:write"),
    Role.MFA_FINANCE: (*_TOLD, "payments:write", "envelopes:write", "comments:write"),
    Role.EMBASSY: (*_TOLD, "comments:write"),
    Role.MISSION: (*_TOLD, "comments:write"),
    Role.AUDITOR: (*_ALL, "audit:read"),
    Role.ADMIN: ("admin", "envelopes:write", "audit:read", "screenings", "tokens", "webhooks"),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind a request; `office` is set for IOM offices and embassies, `countries` for embassies.

    `scopes` are those of the token the request came with, `token_id` names it. A browser session has no token but the
    instant its person last proved who they are. `address` is where the request came from.
    """

    id: int
    name: str
    role: Role
    office: str | None = None
    countries: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()
    token_id: int | None = None
    authenticated_at: datetime | None = None
    address: str | None = None

    @property
    def side(self) -> Side:
        return Side.IOM if self.role in IOM else Side.MFA
