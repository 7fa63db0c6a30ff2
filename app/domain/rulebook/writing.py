"""Python source for one rulebook, compiled to three functions: decide, explain, explain a draft.

The rules come in checked; this room only lays their expressions out one after the other. Generating whole functions is
what keeps a full explanation within a small multiple of hand-written code (see tests/benchmarks).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from math import lcm
from string import Formatter
from typing import Any

from app.domain.case import DERIVED_FROM, Cycle, Derived
from app.domain.framework import Ground
from app.domain.proposal import Content
from app.domain.rulebook import functions, kleene
from app.domain.rulebook.checking import Checked, Fact, Ready, keys_of
from app.domain.rulebook.criteria import Alignment, Check, Criterion
from app.domain.rulebook.language import Compiled, Name
from app.domain.rulebook.types import Type, record_of

Given = int | list[int] | list[str]
_CALLED = {
    functions: ("distinct", "least", "most", "count_words", "months_between"),
    kleene: (
        "UNKNOWN",
        "item",
        "when",
        "loop",
        "any_",
        "all_",
        "count",
        "gather",
        "apply",
        "contains",
        "and_",
        "or_",
        "not_",
    ),
}
_BUILTINS = {"len": len, "sum": sum, "any": any, "all": all, "map": map, "str": str, "dict": dict}


@dataclass(frozen=True, slots=True)
class Functions:
    """`decide(c, d, k)` gives (outcome, tenths, states); `explain` and `explain_draft` the result without its frame.

    `reads` names the content fields behind each rule; `fields` are those a content must have to be whole for them all.
    """

    decide: Callable[[Content, Derived, Cycle], tuple[str, int, tuple[bool, ...]]]
    explain: Callable[[Content, Derived, Cycle], dict[str, Any]]
    explain_draft: Callable[[Content, Derived, Cycle], dict[str, Any]]
    reads: dict[str, list[str]]
    fields: frozenset[str]


def functions_of(checked: Checked, ground: Ground) -> Functions:
    """The generated functions of a file without mistakes, over the framework it belongs to."""
    namespace: dict[str, Any] = {name: getattr(room, name) for room, names in _CALLED.items() for name in names}
    namespace |= {"__builtins__": _BUILTINS, "told": _told, "unstated": _unstated, **framework_names(ground)}
    source = "\n".join([*_decide(checked), *_Plain(checked).explain(), *_Careful(checked).explain()])
    exec(compile(source, "<rulebook>", "exec"), namespace)  # noqa: S102  # every expression passed the whitelist
    reads = {key: ready.reads for key, ready in checked.ready.items()}
    decide, explain, explain_draft = (namespace[name] for name in ("decide", "explain", "explain_draft"))
    return Functions(decide, explain, explain_draft, reads, frozenset(_content_fields()))


def framework_names(ground: Ground) -> dict[str, Any]:
    """What `framework.x` is called in the source: `F_x`, and `K_F_x` for a list that values are looked up in."""
    values = {field.name: getattr(ground, field.name) for field in fields(ground)}
    keys = {
        keys_of(f"F_{name}"): dict.fromkeys(v)
        for name, v in values.items()
        if isinstance(v, list) and name != "regions"
    }
    return {f"F_{name}": value for name, value in values.items()} | keys


def _content_fields() -> list[str]:
    return [name for name, type_ in record_of(Content).fields if not type_.nullable]


def _inputs(lines: Iterable[str]) -> list[tuple[str, str, str]]:
    """Local name, source and content field of every field and derived value that the lines use."""
    used = set(re.findall(r"\b[cd]_[a-z_]+", "\n".join(lines)))
    inputs = [(f"c_{name}", f"c.{name}", name) for name in _content_fields()]
    inputs += [(f"d_{name}", f"d.{name}", field) for name, field in DERIVED_FROM.items()]
    return [one for one in inputs if one[0] in used]


def _decide(checked: Checked) -> list[str]:
    """Outcome, total and states only: facts that no condition needs are left out."""
    own, needed = list[str](), set[str]()
    for ready in checked.ready.values():
        conditions = [ready.when, *([ready.error_when] if ready.error_when else [])]
        lines, wanted = _needed(ready.facts, {name for one in conditions for name in one.uses})
        own += [*lines, f"    {ready.variable} = {ready.when.plain}"]
        needed |= wanted
    shared, _ = _needed(checked.shared, needed)
    plain = _Plain(checked)
    states = ", ".join(ready.variable for ready in checked.ready.values())
    body = [*shared, *own, f"    outcome = {plain.outcome()}"]
    body += [f"    return outcome, {plain.tenths(reachable=False)}, ({states},)"]
    return ["def decide(c, d, k):", *(f"    {name} = {code}" for name, code, _ in _inputs(body)), *body]


def _needed(facts: list[Fact], wanted: set[str]) -> tuple[list[str], set[str]]:
    """The facts among those that are wanted, directly or by one another, as source; and everything they want."""
    lines, wanted = list[str](), set(wanted)
    for fact in reversed(facts):
        if fact.name in wanted:
            wanted |= fact.code.uses
            lines[:0] = _fact(fact)
    return lines, wanted


def _fact(fact: Fact) -> list[str]:
    keys = keys_of(fact.variable)
    if not fact.code.keyed:
        return [f"    {fact.variable} = {fact.code.plain}"]
    return [f"    {keys} = {fact.code.keyed}", f"    {fact.variable} = [*{keys}]"]


class _Plain:
    """Writes the source that explains a whole content: every value is known, every state is met or not met."""

    name = "explain"

    def __init__(self, checked: Checked) -> None:
        self.criteria, self.shared, self.ready = checked.criteria, checked.shared, checked.ready

    def explain(self) -> list[str]:
        """The lines of this function, whole."""
        body = [line for fact in self.shared for line in self.fact(fact)]
        for ready in self.ready.values():
            body += [line for fact in ready.facts for line in self.fact(fact)]
            body += [f"    {ready.variable} = {self.code(ready.when)}"]
            if ready.error_when:
                body += self.level(ready.variable, ready.error_when)
        body += ["    checks = [", *(f"        {self.check(check)}," for check in self.criteria.checks), "    ]"]
        body += ["    criteria = ["]
        for one in self.criteria.criteria:
            head = {"letter": one.letter, "title": one.title, "mandatory": one.mandatory, "weight": one.weight}
            body += self.criterion(head, one)
        body += ["    ]", "    alignment = ["]
        for other in self.criteria.alignment:
            body += self.criterion({"key": other.key, "title": other.title, "mandatory": False}, other)
        body += ["    ]", f"    earned, reachable = {self.tenths(reachable=False)}, {self.tenths(reachable=True)}"]
        body += [f"    return {{'outcome': {self.outcome()}, 'total': earned / 10, 'total_reachable': reachable / 10,"]
        body += ["            'checks': checks, 'criteria': criteria, 'alignment': alignment}"]
        return [f"def {self.name}(c, d, k):", *self.inputs(body), *body]

    def inputs(self, body: list[str]) -> list[str]:
        return [f"    {name} = {code}" for name, code, _ in _inputs(body)]

    def fact(self, fact: Fact) -> list[str]:
        return _fact(fact)

    def code(self, compiled: Compiled) -> str:
        return compiled.plain

    def level(self, variable: str, error_when: Compiled) -> list[str]:
        return [f"    L_{variable} = 'error' if {error_when.plain} else 'warning'"]

    def check(self, check: Check) -> str:
        ready = self.ready[check.id]
        level = f"L_{ready.variable}" if ready.error_when else repr(check.level)
        return self.told(ready, f"'id': {check.id!r}, 'level': {level}")

    def criterion(self, head: dict[str, Any], one: Criterion | Alignment) -> list[str]:
        """The lines that make a criterion's part of the result."""
        required = [self.ready[i.id].variable for i in one.indicators if i.required]
        members = ", ".join(f"{key!r}: {value!r}" for key, value in head.items())
        lines = [f"        {{{members}, 'state': {self.all_of(required)}, 'earned': {self.earned(one, False)}, "]
        lines[0] += f"'possible': {one.points}, 'indicators': ["
        for i in one.indicators:
            said = f"'id': {i.id!r}, 'points': {i.points}, 'required': {i.required}"
            lines.append(f"            {self.told(self.ready[i.id], said)},")
        return [*lines, "        ]},"]

    def told(self, ready: Ready, head: str) -> str:
        """The expression that tells a rule's state with reason, facts and remedy."""
        rule, facts = ready.rule, self.facts(ready)
        met = (
            f"{{{head}, 'state': 'met', 'reason': {self.sentence(rule.met, ready)}, 'facts': {facts}, 'remedy': None}}"
        )
        reason, remedy = self.sentence(rule.not_met, ready), self.sentence(rule.remedy, ready)
        failed = f"{{{head}, 'state': 'not_met', 'reason': {reason}, 'facts': {facts}, 'remedy': {remedy}}}"
        return f"{met} if {ready.variable} else {failed}"

    def facts(self, ready: Ready) -> str:
        return "{" + ", ".join(f"{name!r}: {self.value(ready.scope[name])}" for name in ready.shows) + "}"

    def value(self, name: Name) -> str:
        return f"{name.plain}.isoformat()" if name.type.kind == "date" else name.plain

    def word(self, name: Name) -> str:
        return _in_words(name.plain, name.type)

    def sentence(self, text: str, ready: Ready) -> str:
        """Source of an f-string; a parameter's value is written into it here, once."""
        pattern = ""
        for literal, name, _, _ in Formatter().parse(text):
            pattern += _quoted(literal)
            if name in ready.rule.params:
                pattern += _quoted(_given_in_words(ready.rule.params[name]))
            elif name is not None:
                pattern += f"{{{self.word(ready.scope[name])}}}"
        return f"f'''{pattern}'''"

    def all_of(self, required: list[str]) -> str:
        return f"'met' if {' and '.join(required)} else 'not_met'"

    def outcome(self) -> str:
        gates = []
        for variable, error_when in self.error_checks():
            gates.append(f"({variable} or not {error_when.plain})" if error_when else variable)
        return f"'eligible' if {' and '.join([*gates, *self.mandatory()])} else 'ineligible'"

    def error_checks(self) -> list[tuple[str, Compiled | None]]:
        """Variable of every check that is, or may become, of level error; with what makes it one."""
        rules = [(check, self.ready[check.id]) for check in self.criteria.checks]
        return [(r.variable, r.error_when) for check, r in rules if check.level == "error" or r.error_when]

    def mandatory(self) -> list[str]:
        """Variables of the required indicators of mandatory criteria."""
        wanted = [i for one in self.criteria.criteria if one.mandatory for i in one.indicators if i.required]
        return [self.ready[i.id].variable for i in wanted]

    def points(self, variable: str, points: int, reachable: bool) -> str:
        return f"{points} * {variable}"

    def earned(self, one: Criterion | Alignment, reachable: bool) -> str:
        return " + ".join(self.points(self.ready[i.id].variable, i.points, reachable) for i in one.indicators)

    def tenths(self, reachable: bool) -> str:
        """Source of 1000 x sum(weight x earned/possible) / sum(weight), rounded half up, in whole numbers throughout."""
        criteria = self.criteria.criteria
        unit = lcm(*(criterion.points for criterion in criteria))
        whole = unit * sum(criterion.weight for criterion in criteria)
        parts = " + ".join(f"{c.weight * unit // c.points} * ({self.earned(c, reachable)})" for c in criteria)
        return f"(2000 * ({parts}) + {whole}) // {2 * whole}"


class _Careful(_Plain):
    """Writes the source that explains a draft: a value may be UNKNOWN and a state undetermined."""

    name = "explain_draft"

    def inputs(self, body: list[str]) -> list[str]:
        known = (f"    {name} = {code} if {field!r} in here else UNKNOWN" for name, code, field in _inputs(body))
        return ["    here = c.model_fields_set", *known]

    def fact(self, fact: Fact) -> list[str]:
        return [f"    {fact.variable} = {fact.code.careful}"]

    def code(self, compiled: Compiled) -> str:
        return compiled.careful

    def level(self, variable: str, error_when: Compiled) -> list[str]:
        """While it is unknown whether a warning is an error, a condition that fails is not settled either."""
        level = f"L_{variable}"
        return [
            f"    {level} = {error_when.careful}",
            f"    {variable} = UNKNOWN if {level} is UNKNOWN and {variable} is False else {variable}",
            f"    {level} = 'warning' if {level} is False else 'error'",
        ]

    def told(self, ready: Ready, head: str) -> str:
        """As above, in three-valued logic: what a draft does not state is undetermined."""
        missing = f"unstated(here, {ready.reads!r})"
        reason, remedy = (
            f"'Not settled yet: the draft does not state ' + {missing} + '.'",
            f"'State ' + {missing} + '.'",
        )
        open_ = (
            f"{{{head}, 'state': 'undetermined', 'reason': {reason}, 'facts': {self.facts(ready)}, 'remedy': {remedy}}}"
        )
        return f"{open_} if {ready.variable} is UNKNOWN else {super().told(ready, head)}"

    def value(self, name: Name) -> str:
        date = "v.isoformat()" if name.type.kind == "date" else "v"
        return f"told({name.careful}, None, lambda v: {date})"

    def word(self, name: Name) -> str:
        return f"told({name.careful}, 'not stated yet', lambda v: {_in_words('v', name.type)})"

    def all_of(self, required: list[str]) -> str:
        return self.settled(required, "met", "not_met")

    def outcome(self) -> str:
        gates = []
        for variable, error_when in self.error_checks():
            gates.append(f"({variable} if L_{variable} == 'error' else True)" if error_when else variable)
        return self.settled([*gates, *self.mandatory()], "eligible", "ineligible")

    def settled(self, gates: list[str], held: str, failed: str) -> str:
        refused, met = " or ".join(f"{g} is False" for g in gates), " and ".join(f"{g} is True" for g in gates)
        return f"{failed!r} if {refused} else {held!r} if {met} else 'undetermined'"

    def points(self, variable: str, points: int, reachable: bool) -> str:
        return f"{points} * ({variable} {'is not False' if reachable else 'is True'})"


def _in_words(code: str, type_: Type) -> str:
    """Source that puts a value of that type into a sentence; amounts get thousands separators, years none."""
    if type_.kind == "list" and type_.item is not None:
        strings = code if type_.item.kind == "text" else f"map(str, {code})"
        return f"(', '.join({strings}) or 'none')"
    if type_.kind == "bool":
        return f"('yes' if {code} else 'no')"
    if type_.kind == "int" and type_.most > 9999:
        return f"f'{{{code}:,}}'"
    return f"{code}.isoformat()" if type_.kind == "date" else code


def _given_in_words(value: Given) -> str:
    if isinstance(value, int):
        return f"{value:,}" if abs(value) > 9999 else str(value)
    return ", ".join(map(str, value)) or "none"


def _quoted(literal: str) -> str:
    """A text as the literal part of an f-string in three quotes."""
    escaped = literal.replace("\\", "\\\\").replace("'", "\\'").replace("{", "{{").replace("}", "}}")
    return escaped.replace("\n", "\\n").replace("\r", "\\r")


def _told(value: Any, unknown: str | None, known: Callable[[Any], Any]) -> Any:
    return unknown if value is kleene.UNKNOWN else known(value)


def _unstated(here: set[str], reads: list[str]) -> str:
    return ", ".join(name for name in reads if name not in here)
