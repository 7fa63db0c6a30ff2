"""The access table: every route with who may knock at it. What they then see and may do is decided further in."""

from dataclasses import dataclass

from starlette.routing import compile_path

from app.domain.people import EVERYONE, IOM, READERS, Actor, Role
from app.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Door:
    """Who may use a route: roles, and the scope their token needs. No roles: open to all, without a token."""

    roles: frozenset[Role] = frozenset()
    scope: str | None = None

    @property
    def public(self) -> bool:
        return not self.roles


_PUBLIC = Door()
_READ = Door(READERS, "proposals:read")
_LOOK_UP = Door(EVERYONE)

DOORS = {
    "GET /health/live": _PUBLIC,
    "GET /health/ready": _PUBLIC,
    "GET /docs": _PUBLIC,
    "GET /docs/start.js": _PUBLIC,
    "GET /api/v1/openapi.json": _PUBLIC,
    "GET /api/v1/frameworks/{id}": _LOOK_UP,
    "GET /api/v1/cycles": _LOOK_UP,
    "PATCH /api/v1/cycles/{year}": Door(frozenset({Role.ADMIN}), "admin"),
    "GET /api/v1/envelopes": _LOOK_UP,
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
}


def check_door(door: Door, actor: Actor) -> None:
    """Refuse a role or a token that may not use the route at all."""
    if actor.role not in door.roles:
        who = ", ".join(sorted(door.roles))
        raise Forbidden("role_not_allowed", f"This is for {who}; you are {actor.role}.")
    if door.scope and door.scope not in actor.scopes:
        raise Forbidden("scope_missing", f"This needs a token with the scope {door.scope}.")


_PATHS = [(name.split(" ")[0], compile_path(name.split(" ")[1])[0]) for name in DOORS]


def methods_at(path: str) -> str:
    """The methods an address knows, for the Allow header: `GET, POST`."""
    return ", ".join(sorted({method for method, form in _PATHS if form.match(path)}))
