"""Two rulebooks side by side: what differs, and whose stored screening would come to something else, and why."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.case import Cycle, Frame
from app.domain.people import Actor
from app.domain.proposal import stored_content
from app.domain.rulebook import Rulebook
from app.domain.screening import screen
from app.records import submissions
from app.services import faces, intake
from app.services.clock import Now
from app.services.rulebooks import frame_for

_NAMES = ("id", "letter", "key", "code", "number", "year", "name")


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in the three files that is gone, new or changed; what was or is not there is None."""

    place: str
    before: Any
    after: Any


def between(old: Rulebook, new: Rulebook) -> list[Difference]:
    """Everything that differs, under its place: `a.a1.points`."""
    before, after = _leaves(old), _leaves(new)
    places = dict.fromkeys([*before, *after])
    return [
        Difference(place, before.get(place), after.get(place))
        for place in places
        if before.get(place) != after.get(place) or (place in before) != (place in after)
    ]


def differences(old: Rulebook, new: Rulebook) -> list[str]:
    """A line for everything that differs: `a.a1.points: 2 -> 3`."""
    before, after = _leaves(old), _leaves(new)
    lines = []
    for one in between(old, new):
        if one.place not in after:
            lines.append(f"{one.place}: is gone (was {_brief(one.before)})")
        elif one.place not in before:
            lines.append(f"{one.place}: is new ({_brief(one.after)})")
        else:
            lines.append(f"{one.place}: {_brief(one.before)} -> {_brief(one.after)}")
    return lines


def _leaves(book: Rulebook) -> dict[str, Any]:
    criteria = book.criteria.model_dump(mode="json")
    groups = [*criteria.pop("checks"), *criteria.pop("criteria"), *criteria.pop("alignment")]
    found = dict(_walk(groups, ""))
    found |= dict(_walk(criteria, ""))
    found |= dict(_walk(book.framework.model_dump(mode="json"), "framework"))
    return found | dict(_walk(book.annex.model_dump(mode="json"), "indicators"))


def _walk(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every single value with its place; items of a list go by their own name where they have one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for i, inner in enumerate(value):
            name = next((inner[key] for key in _NAMES if key in inner), i) if isinstance(inner, dict) else i
            yield from _walk(inner, f"{place.removesuffix('.indicators')}.{name}".lstrip("."))
    else:
        yield place, value


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "..."


@dataclass(frozen=True, slots=True)
class Effect:
    """A snapshot that would come to another outcome or total (of 100); `rules` are the id, state before, state after."""

    ref: str
    number: int
    before: tuple[str, float]
    after: tuple[str, float]
    rules: list[tuple[str, str | None, str]]


@dataclass(frozen=True, slots=True)
class Impact:
    """What another rulebook would change, of the proposals that were `tried`; `more` when there are others, older ones."""

    tried: int
    more: bool
    effects: list[Effect]


def effects(tx: Tx, old: Rulebook, new: Rulebook) -> list[str]:
    """A line for every stored snapshot whose outcome or total would change, with the rules that make the difference."""
    lines = []
    for one in _effects(submissions.every_snapshot(tx), old, new):
        why = ", ".join(f"{name} {was} -> {state}" for name, was, state in one.rules) or "points or weights"
        change = f"{one.before[0]} {one.before[1]} -> {one.after[0]} {one.after[1]}"
        lines.append(f"{one.ref} snapshot {one.number}: {change} ({why})")
    return lines


def impact(tx: Tx, old: Rulebook, new: Rulebook, most: int) -> Impact:
    """What would change for what each proposal says now, the newest `most` of them; up to 2 ms each, so not on the loop."""
    rows = submissions.newest_snapshots(tx, most)
    return Impact(min(len(rows), most), len(rows) > most, list(_effects(rows[:most], old, new)))


def _effects(rows: Iterable[Record], old: Rulebook, new: Rulebook) -> Iterator[Effect]:
    for row in rows:
        before, after = _screen_again(row, old), _screen_again(row, new)
        if (before["outcome"], before["total"]) != (after["outcome"], after["total"]):
            was, found = (before["outcome"], before["total"]), (after["outcome"], after["total"])
            yield Effect(row.ref, row.number, was, found, _turned(before, after))


def _screen_again(row: Record, book: Rulebook) -> dict[str, Any]:
    """What a snapshot comes to by a rulebook, on the day and before the envelopes of its own screening."""
    envelopes = {int(year): amount for year, amount in json.loads(row.envelopes).items()}
    frame = Frame(Cycle(row.cycle_year, row.last_cycle_year), envelopes, row.screened_on)
    return screen(stored_content(row.content), book, frame)


def _turned(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    states, others = _states(before), _states(after)
    return [(name, states.get(name), state) for name, state in others.items() if states.get(name) != state]


@dataclass(frozen=True, slots=True)
class Trial:
    """A proposal by two rulebooks: its screening as it stands, and what it would be by the other one."""

    row: Record
    before: dict[str, Any]
    after: dict[str, Any]
    rules: list[tuple[str, str | None, str]]


def trial(tx: Tx, actor: Actor, ref: str, current: Rulebook, other: Rulebook, now: Now) -> Trial:
    """Try a rulebook on a proposal as this actor sees it; nothing is stored. NotFound when they do not see it."""
    row = faces.seen(tx, actor, ref)
    before = json.loads(intake.screening_on(tx, row, current, now))
    kept = submissions.screened_snapshot(tx, row.id, row.snapshot) if row.snapshot is not None else None
    if kept is not None:
        after = _screen_again(kept, other)
    else:
        frame = frame_for(tx, row.cycle_year, now)
        assert frame, "a proposal's cycle is there as long as the proposal"
        after = screen(stored_content(row.content), other, frame)
    return Trial(row, before, after, _turned(before, after))


def _states(result: dict[str, Any]) -> dict[str, str]:
    indicators = [i for group in result["criteria"] + result["alignment"] for i in group["indicators"]]
    return {one["id"]: one["state"] for one in result["checks"] + indicators}
