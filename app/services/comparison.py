"""Two rulebooks side by side: what differs, and whose stored screening would come to something else, and why."""

import json
from collections.abc import Iterator
from typing import Any

from app.db import Tx
from app.domain.case import Cycle, Frame
from app.domain.proposal import stored_content
from app.domain.rulebook import Rulebook
from app.domain.screening import screen
from app.records import proposals

_NAMES = ("id", "letter", "key", "code", "number", "year", "name")


def differences(old: Rulebook, new: Rulebook) -> list[str]:
    """A line for everything in the three files that is gone, new or changed, under its place: `a.a1.points: 2 -> 3`."""
    before, after = _leaves(old), _leaves(new)
    lines = []
    for place in dict.fromkeys([*before, *after]):
        if place not in after:
            lines.append(f"{place}: is gone (was {_brief(before[place])})")
        elif place not in before:
            lines.append(f"{place}: is new ({_brief(after[place])})")
        elif before[place] != after[place]:
            lines.append(f"{place}: {_brief(before[place])} -> {_brief(after[place])}")
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


def effects(tx: Tx, old: Rulebook, new: Rulebook) -> list[str]:
    """A line for every stored snapshot whose outcome or total would change, with the rules that make the difference."""
    lines = []
    for row in proposals.every_snapshot(tx):
        envelopes = {int(year): amount for year, amount in json.loads(row.envelopes).items()}
        frame = Frame(Cycle(row.cycle_year, row.last_cycle_year), envelopes, row.screened_on)
        content = stored_content(row.content)
        before, after = screen(content, old, frame), screen(content, new, frame)
        if (before["outcome"], before["total"]) != (after["outcome"], after["total"]):
            states, others = _states(before), _states(after)
            why = [
                f"{name} {states.get(name)} -> {state}" for name, state in others.items() if states.get(name) != state
            ]
            change = f"{before['outcome']} {before['total']} -> {after['outcome']} {after['total']}"
            lines.append(f"{row.ref} snapshot {row.number}: {change} ({', '.join(why) or 'points or weights'})")
    return lines


def _states(result: dict[str, Any]) -> dict[str, str]:
    indicators = [i for group in result["criteria"] + result["alignment"] for i in group["indicators"]]
    return {one["id"]: one["state"] for one in result["checks"] + indicators}
