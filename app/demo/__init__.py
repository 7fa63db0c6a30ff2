"""The demo: people, next year's cycle and proposals with a history, told by the same services that serve requests."""

import json
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from app.db import Database, Tx
from app.demo.telling import Teller
from app.documents.proposal_files import PlainYaml
from app.domain.cycle import Window
from app.domain.people import SCOPES, Role
from app.domain.rulebook import Rulebook
from app.errors import AppError, Unauthorized
from app.records import cycles as cycle_records
from app.records import notices, people
from app.services import access, casework, cycles, logins
from app.services.clock import Now
from app.services.rulebooks import Library
from app.settings import SettingsError

HERE = Path(__file__).parent
FILES = ("proposals.yaml", "consultations.yaml")
ENVELOPE = 50_000_000
_OFFICES = (
    ("IOM-NE", "IOM Niger", "iom", ("NE",)),
    ("IOM-TN", "IOM Tunisia", "iom", ("TN",)),
    ("IOM-ET", "IOM Ethiopia", "iom", ("ET",)),
    ("IOM-RO-DAKAR", "IOM Regional Office for West and Central Africa", "iom", ()),
    ("IOM-RO-NAIROBI", "IOM Regional Office for East and Horn of Africa", "iom", ()),
    ("EMB-TUNIS", "Royal Danish Embassy in Tunis", "embassy", ("TN", "DZ")),
    ("MIS-GENEVA", "Permanent Mission of Denmark in Geneva", "mission", ()),
)
_PEOPLE = (
    ("iom_office", "Demo Office Niamey", "IOM-NE"),
    ("iom_focal_point", "Demo Focal Point", None),
    ("mfa_reviewer", "Demo Reviewer One", None),
    ("mfa_reviewer_2", "Demo Reviewer Two", None),
    ("mfa_head", "Demo Head of Department", None),
    ("mfa_finance", "Demo Finance One", None),
    ("mfa_finance_2", "Demo Finance Two", None),
    ("embassy", "Demo Embassy", "EMB-TUNIS"),
    ("mission", "Demo Mission", "MIS-GENEVA"),
    ("auditor", "Demo Auditor", None),
    ("admin", "Demo Administrator", None),
)
_LABEL = "demo"
# A parser written in C, ten times as fast, for texts of our own only: nested too deeply it ends the process.
_QUICK: Any = type(
    "Stories",
    (getattr(yaml, "CSafeLoader", yaml.SafeLoader),),
    {"yaml_implicit_resolvers": PlainYaml.yaml_implicit_resolvers},
)


def _address(key: str) -> str:
    return f"{key.replace('_', '-').lower()}@demo.example"


def load(database: Database, library: Library, file: Path, now: Now) -> bool:
    """Fill an empty database with the demo, and write who can log in to `file`; False when it was there already.

    A database that has its demo but lost its file gets new tokens; the old ones stop working.
    """
    with database.transaction() as tx:
        there = people.person_by_email(tx, _address("admin")) is not None
        if there and _still_works(tx, file, now):
            return False
        accounts = _people(tx, now)
        if not there:
            _next_cycle(tx, library.current, now)
            stories, meetings = (
                yaml.load((HERE / name).read_text("utf-8"), _QUICK)  # noqa: S506  # a SafeLoader
                for name in FILES
            )
            try:
                Teller(tx, library, now, _address).tell(stories, meetings)
            except AppError as error:  # settled or not, half a demo is none
                said = f"The demo cannot be told by the rulebook {library.current.version}: {error.detail}"
                raise SettingsError(
                    f"{said} Nothing of it was kept. Use EARMARK_DEMO=0, or the rulebook it was written for."
                ) from error
            casework.lapse_overdue(tx, now)
            notices.settle_history(tx)
        text = json.dumps(accounts, indent=2) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(text, "utf-8")
    part.replace(file)
    return not there


def _still_works(tx: Tx, file: Path, now: Now) -> bool:
    """Whether the demo file is there and its tokens are this database's."""
    try:
        accounts = json.loads(file.read_text("utf-8"))
        for account in accounts.values():
            actor = access.identify(tx, access.token_hash(f"Bearer {account['token']}"), now)
            if actor.scopes != frozenset(SCOPES[actor.role]):
                return False  # made by an earlier version, whose roles could do less
    except (OSError, ValueError, KeyError, TypeError, AttributeError, Unauthorized):
        return False
    return bool(accounts)


def _people(tx: Tx, now: Now) -> dict[str, dict[str, str]]:
    for code, name, kind, countries in _OFFICES:
        people.add_office(tx, code, name, kind, countries)
        if kind == "iom" and people.person_by_email(tx, _address(code)) is None:
            people.add_person(tx, f"Demo {name}", _address(code), Role.IOM_OFFICE, code, now.at)
    accounts = {}
    for key, name, office in _PEOPLE:
        role, email = Role(key.removesuffix("_2")), _address(key)
        person = people.person_by_email(tx, email)
        person_id = person.id if person else people.add_person(tx, name, email, role, office, now.at)
        assert person_id, "nobody else has a demo address"
        people.revoke_tokens(tx, person_id, now.at, _LABEL)
        _, token = access.issue(tx, person_id, _LABEL, SCOPES[role], now)
        password = secrets.token_urlsafe(12)
        logins.set_password(tx, person_id, logins.hash_password(password))
        accounts[key] = {"name": name, "email": email, "password": password, "token": token}
    return accounts


def _next_cycle(tx: Tx, book: Rulebook, now: Now) -> None:
    """The cycle of next year, added if the framework has none, with a window that includes today and the month before."""
    year = now.today.year + 1
    if cycle_records.cycle_of(tx, year) is None:
        cycles.add(tx, book.framework, year, ENVELOPE)
    row = cycle_records.existing_cycle(tx, year)
    window = Window(
        min(row.opens_on, now.today - timedelta(days=30)),
        max(row.closes_on, now.today + timedelta(days=14)),
    )
    admin = people.person_by_email(tx, _address("admin"))
    if admin and window != cycle_records.window_of(row):
        days = book.framework.calendar.return_days_after_screening
        reason = "Demo: the window is moved so that it includes today."
        cycles.move_window(tx, admin, year, window.opens_on, window.closes_on, reason, None, days, now)
