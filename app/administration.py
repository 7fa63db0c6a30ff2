"""The commands for people, tokens and the log of acts: for whoever runs the service, and has the database anyway."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import typer

from app.db import Tx, open_database
from app.domain.people import Role
from app.domain.vocabulary import COUNTRIES
from app.encoding import encode
from app.errors import Fault, Invalid
from app.records import findable
from app.services import access, audit, clock, logins, offices, users
from app.services.clock import Now
from app.settings import SettingsError, read_settings

user = typer.Typer(no_args_is_help=True, help="Add, disable and erase people.")
office = typer.Typer(no_args_is_help=True, help="Add, change and list offices.")
token = typer.Typer(no_args_is_help=True, help="Issue, list and revoke tokens.")
audits = typer.Typer(no_args_is_help=True, help="Verify and export the log of acts.")


Kind = Literal["iom", "embassy", "mission"]


@contextmanager
def acting() -> Iterator[tuple[Tx, Now]]:
    """A transaction of somebody at the command line, who has the database anyway; the log says it was the service."""
    settings = read_settings()
    with open_database(settings.database_url).transaction() as tx:
        yield tx, clock.now(settings.today)


@user.command("add")
def user_add(name: str, email: str, role: Role, office: Annotated[str | None, typer.Option()] = None) -> None:
    """Add a person; the first administrator, too."""
    with acting() as (tx, now):
        made = users.add(tx, None, name, email, role, office, now)
    typer.echo(f"Person {made['id']} is added as {role}.")


@user.command("first-admin")
def user_first_admin(name: str, email: str) -> None:
    """Add the first administrator and print a token for them, once; refused when there is an administrator."""
    with acting() as (tx, now):
        made, secret = users.first_admin(tx, name, email, now)
    typer.echo(f"Person {made['id']} is the administrator. Their token, shown only now:\n{secret}")


@user.command("list")
def user_list() -> None:
    """List everybody who has an account."""
    with open_database(read_settings().database_url).reading() as tx:
        for one in users.everybody(tx):
            state = "disabled" if one["disabled"] else ""
            typer.echo(
                f"{one['id']}\t{one['role']}\t{one['office'] or ''}\t{one['name']}\t{one['email']}\t{state}".rstrip()
            )


Accredited = Annotated[
    list[str] | None, typer.Option("--country", help="for an embassy: ISO code, once for each country")
]


@office.command("add")
def office_add(code: str, name: str, kind: Kind, country: Accredited = None) -> None:
    """Add an office of IOM, an embassy with its countries, or a mission."""
    with acting() as (tx, now):
        made = offices.add(tx, None, code, name, kind, _known(country or []), now)
    typer.echo(f"The {kind} office {made['code']} is added.")


@office.command("change")
def office_change(code: str, name: Annotated[str | None, typer.Option()] = None, country: Accredited = None) -> None:
    """Change an office's name, or all the countries an embassy is accredited to."""
    with acting() as (tx, now):
        offices.change(tx, None, code, name, _known(country or []) or None, None, now)
    typer.echo(f"The office {code} is changed.")


@office.command("list")
def office_list() -> None:
    """List every office: code, kind, name, countries."""
    with open_database(read_settings().database_url).reading() as tx:
        for one in offices.everyone(tx):
            typer.echo(f"{one['code']}\t{one['kind']}\t{one['name']}\t{' '.join(one['countries'])}".rstrip())


def _known(countries: list[str]) -> list[str]:
    unknown = [one for one in countries if one not in COUNTRIES]
    if unknown:
        said = f"{', '.join(unknown)}: must be ISO 3166-1 alpha-2 country codes."
        raise Invalid("validation_failed", said, faults=[Fault("/countries", "not_listed", said)])
    return list(dict.fromkeys(countries))


@user.command("disable")
def user_disable(person: int) -> None:
    """Disable a person: sessions and tokens end at once."""
    with acting() as (tx, now):
        users.change(tx, None, person, None, None, None, True, now)
    typer.echo(f"Person {person} is disabled.")


@user.command("enable")
def user_enable(person: int) -> None:
    """Let a disabled person in again; they need a new token."""
    with acting() as (tx, now):
        users.change(tx, None, person, None, None, None, False, now)
    typer.echo(f"Person {person} is enabled.")


@user.command("password")
def user_password(
    person: int, password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)]
) -> None:
    """Give a person a local account, where EARMARK_LOCAL_LOGIN is on; the second factor is set up at the first login."""
    if len(password) < 12:
        raise SettingsError("A password has at least 12 characters.")
    with acting() as (tx, now):
        users.set_password(tx, person, logins.hash_password(password), now)
    typer.echo(f"Person {person} can log in with the password and a one-time code.")


@user.command("erase")
def user_erase(person: int) -> None:
    """Take a person's name, address and logins out of the database for good; what they did stays under their number."""
    settings = read_settings()
    database = open_database(settings.database_url)
    with database.transaction() as tx:
        users.erase(tx, None, person, clock.now(settings.today))
        findable.forget(tx)
    database.scrub()
    typer.echo(f"Person {person} is erased.")


@token.command("issue")
def token_issue(
    person: int,
    label: Annotated[str, typer.Option()] = "issued at the command line",
    scope: Annotated[list[str] | None, typer.Option(help="all of the role's unless named")] = None,
    days: Annotated[int, typer.Option(min=1, max=365)] = 365,
) -> None:
    """Issue a token and print it, once."""
    with acting() as (tx, now):
        made = access.issue_for(tx, None, person, label, scope or None, days, now)
    typer.echo(
        f"Token {made['id']} of person {person} until {made['expires_at']:%Y-%m-%d}, shown only now:\n{made['token']}"
    )


@token.command("list")
def token_list(person: Annotated[int | None, typer.Argument()] = None) -> None:
    """List tokens, of one person or of all."""
    with open_database(read_settings().database_url).reading() as tx:
        for one in access.everyones(tx, person):
            state = "revoked" if one["revoked_at"] else f"until {one['expires_at']:%Y-%m-%d}"
            typer.echo(f"{one['id']}\tperson {one['person']}\t{state}\t{one['label']}\t{' '.join(one['scopes'])}")


@token.command("revoke")
def token_revoke(number: int) -> None:
    """Revoke a token at once."""
    with acting() as (tx, now):
        access.revoke(tx, None, number, now)
    typer.echo(f"Token {number} is revoked.")


@audits.command("verify")
def audit_verify(
    head: Annotated[list[str] | None, typer.Option(help="a published head that must be in the log")] = None,
) -> None:
    """Read the log from its first entry: every hash and link, and whether published heads are in it. Exit 1 when not whole."""
    with open_database(read_settings().database_url).reading() as tx:
        proof = audit.verify(tx, head or ())
    for fault in proof["faults"]:
        typer.echo(f"Entry {fault['seq']}: {fault['message']}", err=True)
    typer.echo(f"{proof['entries']} entries, {'whole' if proof['sound'] else 'NOT whole'}. Head: {proof['head']}")
    raise typer.Exit(0 if proof["sound"] else 1)


@audits.command("export")
def audit_export() -> None:
    """Print every entry as JSON Lines, oldest first."""
    with open_database(read_settings().database_url).reading() as tx:
        for entry in audit.everything(tx):
            typer.echo(encode(entry).decode())
