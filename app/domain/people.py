"""Who acts: the roles of the two sides and the person behind a request."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind a request; `office` is set for IOM offices and embassies, `countries` for embassies.

    `scopes` are those of the token the request came with.
    """

    id: int
    name: str
    role: Role
    office: str | None = None
    countries: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()

    @property
    def side(self) -> Side:
        return Side.IOM if self.role in IOM else Side.MFA
