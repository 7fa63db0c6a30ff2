"""iCalendar: invitations to meetings and what takes them back, and a person's feed of what is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import icalendar
from icalendar import Event, vCalAddress

from app.notify.notices import Calendar
from app.notify.texts import one_line

PRODUCT = "-//Earmark//softly earmarked funds//EN"


@dataclass(frozen=True, slots=True)
class Due:
    """A day in somebody's calendar: what it is of (stable), what it says, when; where, if people meet.

    What is also an invitation has its name and sequence, so that a calendar with both shows it once.
    """

    name: str
    title: str
    day: date
    link: str
    place: str | None = None
    sequence: int = 0


def _uid(name: str, home: str) -> str:
    """The same for every change of a thing, whatever addresses change meanwhile: that is how a calendar knows it again."""
    return f"{name.replace('/', '-')}@{home}"


def _calendar() -> icalendar.Calendar:
    made = icalendar.Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    return made


def _all_day(uid: str, title: str, day: date, stamp: datetime) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", stamp)
    event.add("summary", one_line(title))
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    return event


def invitation(
    name: str,
    title: str,
    facts: Mapping[str, Any],
    sender: str,
    home: str,
    to: tuple[str, str],
    stamp: datetime,
    change: Calendar = Calendar.INVITE,
) -> bytes:
    """An invitation to a whole day, or what takes it back; every change of a meeting is the same event with a higher SEQUENCE.

    STATUS says CANCELLED only where the meeting is off for everybody (RFC 5546, 3.2.5). `home` names this installation.
    """
    made = _calendar()
    made.add("method", method(change))
    event = _all_day(_uid(name, home), title, date.fromisoformat(facts["date"]), stamp)
    event.add("sequence", int(facts.get("sequence", 0)))
    event.add("location", facts["place"])
    if change is not Calendar.UNINVITE:
        event.add("status", "CANCELLED" if change is Calendar.CANCEL else "CONFIRMED")
    event.add("organizer", vCalAddress(f"mailto:{sender}"))
    attendee = vCalAddress(f"mailto:{to[1]}")
    attendee.params["CN"] = to[0]
    if change is Calendar.INVITE:
        attendee.params["RSVP"] = "TRUE"
    event.add("attendee", attendee)
    made.add_component(event)
    return bytes(made.to_ical())


def method(change: Calendar) -> str:
    """What iTIP calls it: a request, or a cancellation, be it for all or for one."""
    return "REQUEST" if change is Calendar.INVITE else "CANCEL"


def feed(days: Iterable[Due], home: str, stamp: datetime) -> bytes:
    """A calendar to subscribe to; `stamp` is the instant as of which it tells."""
    made = _calendar()
    made.add("x-wr-calname", "Earmark")
    made.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for one in days:
        event = _all_day(_uid(one.name, home), one.title, one.day, stamp)
        event.add("sequence", one.sequence)
        if one.place:
            event.add("location", one.place)
        event.add("url", one.link)
        made.add_component(event)
    return bytes(made.to_ical())
