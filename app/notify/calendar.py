"""iCalendar: invitations to consultations and technical meetings, and a person's feed of what is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Calendar, Event, vCalAddress

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


def _uid(name: str, sender: str) -> str:
    """The same for every change of a thing: that is how a calendar knows it again."""
    return f"{name.replace('/', '-')}@{sender.rpartition('@')[2]}"


def _calendar() -> Calendar:
    made = Calendar()
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
    name: str, title: str, facts: Mapping[str, Any], sender: str, to: tuple[str, str], stamp: datetime
) -> bytes:
    """An invitation to a whole day; a moved meeting is the same event with a higher SEQUENCE."""
    made = _calendar()
    made.add("method", "REQUEST")
    event = _all_day(_uid(name, sender), title, date.fromisoformat(facts["date"]), stamp)
    event.add("sequence", int(facts.get("sequence", 0)))
    event.add("location", facts["place"])
    event.add("status", "CONFIRMED")
    event.add("organizer", vCalAddress(f"mailto:{sender}"))
    attendee = vCalAddress(f"mailto:{to[1]}")
    attendee.params["CN"] = to[0]
    attendee.params["RSVP"] = "TRUE"
    event.add("attendee", attendee)
    made.add_component(event)
    return bytes(made.to_ical())


def feed(days: Iterable[Due], sender: str, stamp: datetime) -> bytes:
    """A calendar to subscribe to; `stamp` is the instant as of which it tells."""
    made = _calendar()
    made.add("x-wr-calname", "Earmark")
    made.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for one in days:
        event = _all_day(_uid(one.name, sender), one.title, one.day, stamp)
        event.add("sequence", one.sequence)
        if one.place:
            event.add("location", one.place)
        event.add("url", one.link)
        made.add_component(event)
    return bytes(made.to_ical())
