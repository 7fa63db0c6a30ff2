"""The demo: people, next year's cycle and proposals with a history, told by the same services that serve requests."""

import json
import secrets
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from app.db import Database, Tx
from app.domain.cycle import Window, noon_of
from app.domain.people import SCOPES, Actor, Role
from app.domain.proposal import read_content
from app.domain.rulebook import Rulebook
from app.errors import Unauthorized
from app.records import cycles as cycle_records
from app.records import people
from app.records import proposals as proposal_records
from app.services import access, casework, cycles, intake, logins
from app.services.casework import Request
from app.services.clock import Now
from app.submitting import plain_yaml

STORIES = Path(__file__).parent / "proposals.yaml"
WRITTEN_FOR = 2027  # the stories of the cycle `next` are written as if next year were this one
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


def _address(key: str) -> str:
    return f"{key.replace('_', '-').lower()}@demo.example"


def load(database: Database, book: Rulebook, file: Path, now: Now) -> bool:
    """Fill an empty database with the demo, and write who can log in to `file`; False when it was there already.

    A database that has its demo but lost its file gets new tokens; the old ones stop working.
    """
    with database.transaction() as tx:
        there = people.person_by_email(tx, _address("admin")) is not None
        if there and _still_works(tx, file, now):
            return False
        accounts = _people(tx, now)
        if not there:
            _next_cycle(tx, book, now)
            for story in plain_yaml(STORIES.read_text("utf-8")):
                _tell(tx, story, book, now)
            casework.lapse_overdue(tx, now)
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
            access.identify(tx, access.token_hash(f"Bearer {account['token']}"), now)
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


def _day(said: str, now: Now) -> date:
    """A day of a story: `2026-01-12`, or `today-12` and `today+14`."""
    if not said.startswith("today"):
        return date.fromisoformat(said)
    return now.today + timedelta(days=int(said.removeprefix("today") or 0))


def _tell(tx: Tx, story: dict[str, Any], book: Rulebook, now: Now) -> None:
    """Let a proposal's story happen, each step on its own day; what lies after today does not happen."""
    year = now.today.year + 1 if story["cycle"] == "next" else story["cycle"]
    content, ref = _shifted(story["content"], year - WRITTEN_FOR if story["cycle"] == "next" else 0), ""
    for number, step in enumerate(story["story"]):
        day = _day(step["on"], now)
        if day > now.today:
            return
        then = Now(noon_of(day) + timedelta(minutes=number), day)
        actor = _actor(tx, step["by"], story["office"])
        content = {**content, **step.get("content_changes", {})}
        if step["do"] == "create":
            ref = _create(tx, actor, story, year, content, book, then)
        elif step["do"] == "edit":
            _edit(tx, actor, ref, content, book, then)
        else:
            deadline = _day(step["deadline"], now) if "deadline" in step else None
            casework.make_move(tx, actor, ref, Request(step["do"], step.get("reason"), deadline), book, then)


def _actor(tx: Tx, by: str, office: str) -> Actor:
    found = people.person_by_email(tx, _address(office if by == "iom_office" else by))
    if found is None:
        raise ValueError(f"the demo has nobody called '{by}'")
    return found


def _create(
    tx: Tx, actor: Actor, story: dict[str, Any], year: int, content: dict[str, Any], book: Rulebook, then: Now
) -> str:
    read, faults = read_content(content, book.indicator_codes)
    office = None if actor.role is Role.IOM_OFFICE else story["office"]
    return intake.create(tx, actor, year, office, read, faults, book, then)


def _edit(tx: Tx, actor: Actor, ref: str, content: dict[str, Any], book: Rulebook, then: Now) -> None:
    read, faults = read_content(content, book.indicator_codes)
    row = proposal_records.proposal_for(tx, actor, ref)
    if row is not None:
        intake.replace_content(tx, actor, ref, read, faults, frozenset({row.version}), True, book, then)


def _shifted(content: dict[str, Any], years: int) -> dict[str, Any]:
    """The content with its budget years and period moved by so many years."""
    if not years:
        return content
    moved = dict(content)
    if "budget" in content:
        moved["budget"] = [{**line, "year": line["year"] + years} for line in content["budget"]]
    if "period" in content:
        moved["period"] = {
            name: f"{int(day[:4]) + years}{'-02-28' if day[4:] == '-02-29' else day[4:]}"
            for name, day in content["period"].items()
        }
    return moved
