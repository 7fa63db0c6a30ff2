"""Two rulebooks side by side: which rules differ, and whose stored screening would come to something else, and why."""

import json
from typing import Any

from app.db import Tx
from app.domain.case import Cycle, Frame
from app.domain.proposal import stored_content
from app.domain.rulebook import Rulebook
from app.domain.rulebook.criteria import Alignment, Criterion, Rule
from app.domain.screening import screen
from app.records import proposals


def _rules(book: Rulebook) -> dict[str, dict[str, Any]]:
    groups: list[Criterion | Alignment] = [*book.criteria.criteria, *book.criteria.alignment]
    rules: list[Rule] = [*book.criteria.checks, *(indicator for group in groups for indicator in group.indicators)]
    return {rule.id: rule.model_dump(mode="json") for rule in rules}


def differences(old: Rulebook, new: Rulebook) -> list[str]:
    """A line for every rule that is gone, new or changed, naming what changed in it."""
    before, after = _rules(old), _rules(new)
    lines = [f"{name}: is gone" for name in before if name not in after]
    lines += [f"{name}: is new" for name in after if name not in before]
    for name in before:
        changed = [key for key in before[name] if name in after and before[name][key] != after[name].get(key)]
        lines += [f"{name}.{key}: {_brief(before[name][key])} -> {_brief(after[name].get(key))}" for key in changed]
    for name, text in new.criteria.facts.items():
        if old.criteria.facts.get(name) != text:
            lines.append(f"facts.{name}: {_brief(old.criteria.facts.get(name))} -> {_brief(text)}")
    return lines


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
