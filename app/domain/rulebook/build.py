"""One rulebook, three generated functions: decide (outcome and total), explain (everything), explain a draft.

The rules' expressions come in as checked source; this room only lays them out one after the other. Generating whole
functions is what keeps a full explanation within a small multiple of hand-written code (see tests/benchmarks).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import lcm
from string import Formatter
from typing import Any

from app.domain.case import DERIVED_FROM, Cycle, Derived, RequestedYear
from app.domain.framework import Ground
from app.domain.proposal import Content
from app.domain.rulebook import functions, kleene
from app.domain.rulebook.criteria import Alignment, Check, Criteria, Criterion, Indicator, Rule
from app.domain.rulebook.expressions import Compiled, Echo, Name, Refused, compile_expression
from app.domain.rulebook.types import BOOL, TEXT, Type, list_of, record_of
from app.domain.rulebook.yamlmap import Path, Source
from app.faults import did_you_mean

_PLAIN_FUNCTIONS = {
    name: getattr(functions, name) for name in ("distinct", "least", "most", "count_words", "months_between")
}
_CAREFUL_FUNCTIONS = {
    name: getattr(kleene, name)
    for name in ("UNKNOWN", "item", "when", "loop", "any_", "all_", "count", "gather", "apply", "contains")
} | {name: getattr(kleene, name) for name in ("and_", "or_", "not_")}


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    variable: str
    code: Compiled


@dataclass(frozen=True, slots=True)
class Ready:
    """A rule whose every expression and sentence has been checked; `shows` are the names its facts are told under."""

    rule: Rule
    variable: str
    params: dict[str, Name]
    facts: list[Fact]
    when: Compiled
    error_when: Compiled | None
    scope: dict[str, Name]
    shows: list[str]
    reads: list[str]


@dataclass(frozen=True, slots=True)
class Functions:
    """`decide(c, d, k, F)` gives (outcome, tenths, states); `explain` and `explain_draft` the result without its frame.

    `reads` names the content fields behind each rule; `fields` are those a content must have to be whole for them all.
    """

    decide: Callable[[Content, Derived, Cycle, Ground], tuple[str, int, tuple[bool, ...]]]
    explain: Callable[[Content, Derived, Cycle, Ground], dict[str, Any]]
    explain_draft: Callable[[Content, Derived, Cycle, Ground], dict[str, Any]]
    reads: dict[str, list[str]]
    fields: frozenset[str]


def base_scope() -> dict[str, Name]:
    """Every name a rule may use before its own facts: content fields, derived values, `cycle`, `framework`."""
    scope = {}
    for name, type_ in record_of(Content).fields:
        if not type_.nullable:
            closed = type_.kind == "int" or bool(type_.values) or (type_.item is not None and not type_.item.fields)
            scope[name] = Name(f"c_{name}", f"c_{name}", type_, frozenset({name}), closed)
    derived = dict(record_of(Derived).fields)
    derived["requested"] = replace(derived["requested"], most=300 * 10**12)
    derived["years"] = list_of(_with_reach(record_of(RequestedYear), "requested", 300 * 10**12))
    for name, field in DERIVED_FROM.items():
        shown = name != "years"
        scope[name] = Name(f"d_{name}", f"d_{name}", derived[name], frozenset({field}), shown)
    scope["cycle"] = Name("k", "k", record_of(Cycle))
    scope["framework"] = Name("F", "F", record_of(Ground))
    return scope


def _fields() -> list[str]:
    return [name for name, type_ in record_of(Content).fields if not type_.nullable]


def _with_reach(record: Type, field: str, most: int) -> Type:
    return replace(record, fields=tuple((n, replace(t, most=most) if n == field else t) for n, t in record.fields))


class Builder:
    """Checks every rule of a file, noting all mistakes in `source`, then lays the functions out."""

    def __init__(self, source: Source, criteria: Criteria) -> None:
        self.source, self.criteria = source, criteria
        self.scope = base_scope()
        self.shared: list[Fact] = []
        self.ready: dict[str, Ready] = {}

    def check(self) -> None:
        """Check facts, then every rule; nothing stops at the first mistake."""
        for name, text in self.criteria.facts.items():
            self._fact(self.scope, self.shared, name, text, ("facts", name), f"g_{name}")
        for i, check in enumerate(self.criteria.checks):
            self._rule(check, ("checks", i))
        for group in ("criteria", "alignment"):
            for i, one in enumerate(getattr(self.criteria, group)):
                self._points(one, (group, i))
                for j, indicator in enumerate(one.indicators):
                    self._rule(indicator, (group, i, "indicators", j))
        self._weights()

    def _compile(self, text: str, scope: dict[str, Name], path: Path) -> Compiled | None:
        try:
            return compile_expression(text, scope)
        except Echo:
            return None
        except Refused as refused:
            self.source.mistake(path, refused.message, refused.offset)
            return None

    def _fact(self, scope: dict[str, Name], facts: list[Fact], name: str, text: str, path: Path, variable: str) -> None:
        found = self._compile(text, scope, path)
        if name in scope:
            self.source.mistake(path, f"'{name}' already stands for something else", at_key=True)
        if found is None:
            scope.setdefault(name, Name("None", "None", Type("mistaken")))
            return
        if "record" in (found.type.kind, found.type.item and found.type.item.kind) or found.type.nullable:
            self.source.mistake(path, f"a fact is a number, text, date, yes or no, or a list of them, not {found.type}")
        scope[name] = Name(variable, variable, found.type, found.reads, True)
        facts.append(Fact(name, variable, found))

    def _rule(self, rule: Rule, path: Path) -> None:
        if rule.id in self.ready:
            self.source.mistake((*path, "id"), f"the id '{rule.id}' stands here twice")
        variable = f"r{len(self.ready)}"
        scope, params, facts = dict(self.scope), {}, list[Fact]()
        for name, value in rule.params.items():
            if name in scope:
                self.source.mistake((*path, "params", name), f"'{name}' already stands for something else", at_key=True)
            params[name] = scope[name] = _constant(value)
        before = len(self.source.mistakes)
        for name, text in rule.facts.items():
            self._fact(scope, facts, name, text, (*path, "facts", name), f"{variable}_{name}")
        when = self._condition(rule.when, scope, (*path, "when"))
        error_when = None
        if isinstance(rule, Check) and rule.error_when:
            error_when = self._condition(rule.error_when, scope, (*path, "error_when"))
        said = [name for key in ("met", "not_met", "remedy") for name in self._sentence(rule, key, scope, path)]
        self._unused(rule, when, error_when, facts, said, path, len(self.source.mistakes) > before)
        codes = [when, error_when, *(fact.code for fact in facts)]
        shows = [*rule.params, *rule.facts, *(when.shows if when else ()), *said]
        reads = [n for n in Content.model_fields if any(code and n in code.reads for code in codes)]
        if when:
            unique = list(dict.fromkeys(shows))
            self.ready[rule.id] = Ready(rule, variable, params, facts, when, error_when, scope, unique, reads)
        else:
            self.ready.setdefault(
                rule.id, Ready(rule, variable, params, facts, Compiled("False", "False", BOOL), None, scope, [], [])
            )

    def _condition(self, text: str, scope: dict[str, Name], path: Path) -> Compiled | None:
        found = self._compile(text, scope, path)
        if found and found.type != BOOL:
            self.source.mistake(path, f"a condition answers yes or no; this is {found.type}")
            return None
        return found

    def _sentence(self, rule: Rule, key: str, scope: dict[str, Name], path: Path) -> list[str]:
        """The names a sentence uses; a number written out, a name that is none or an odd brace is a mistake."""
        text, names = getattr(rule, key), []
        try:
            pieces = list(Formatter().parse(text))
        except ValueError as error:
            self.source.mistake((*path, key), f"the braces of the sentence do not fit: {error}")
            return []
        at = 0
        for literal, name, spec, conversion in pieces:
            digit = next((i for i, sign in enumerate(literal) if sign.isdigit() and _stands_alone(literal, i)), None)
            if digit is not None and rule.params:
                message = "a number is written out in the sentence; name it in params and write {name}"
                self.source.mistake((*path, key), message, at + digit)
            at += len(literal)
            if name is None:
                continue
            if spec or conversion or name not in scope or scope[name].type.kind == "record" or not name.isidentifier():
                near = did_you_mean(name, [*rule.params, *rule.facts, *self.criteria.facts])
                self.source.mistake((*path, key), f"unknown placeholder {{{name}}}{near}", at)
            else:
                names.append(name)
            at += len(name) + 2
        return names

    def _unused(
        self,
        rule: Rule,
        when: Compiled | None,
        error_when: Compiled | None,
        facts: list[Fact],
        said: list[str],
        path: Path,
        mistaken: bool,
    ) -> None:
        if mistaken:
            return
        used = set(said).union(*(code.uses for code in (when, error_when, *(f.code for f in facts)) if code))
        for group in ("params", "facts"):
            for name in getattr(rule, group):
                if name not in used:
                    self.source.mistake((*path, group, name), f"'{name}' is used nowhere", at_key=True)

    def _points(self, one: Criterion | Alignment, path: Path) -> None:
        real = sum(indicator.points for indicator in one.indicators)
        if real != one.points and (*path, "indicators") not in self.source.pruned:
            message = f"the indicators' points come to {real}, not {one.points}"
            self.source.mistake((*path, "points"), message)
        if not any(indicator.required for indicator in one.indicators):
            self.source.mistake((*path, "indicators"), "at least one indicator must be required")

    def _weights(self) -> None:
        weights, total, sound = self.criteria.weights, 0, ("criteria",) not in self.source.pruned
        for i, criterion in enumerate(self.criteria.criteria):
            wanted = weights.mandatory if criterion.mandatory else weights.other
            if criterion.weight != wanted:
                message = f"the weight is {criterion.weight}, but {wanted} by the file's weights"
                self.source.mistake(("criteria", i, "weight"), message)
                sound = False
            total += criterion.weight
            if criterion.letter in [other.letter for other in self.criteria.criteria[:i]]:
                message = f"criterion '{criterion.letter}' stands here twice"
                self.source.mistake(("criteria", i, "letter"), message)
        if total != weights.total and sound:
            self.source.mistake(("weights", "total"), f"the weights come to {total}, not {weights.total}")

    def functions(self) -> Functions:
        """The generated functions; only for a file without mistakes."""
        namespace: dict[str, Any] = _PLAIN_FUNCTIONS | _CAREFUL_FUNCTIONS | {"__builtins__": _BUILTINS}
        namespace |= {"told": _told, "unstated": _unstated}
        source = "\n".join(self._decide() + self._explain(careful=False) + self._explain(careful=True))
        exec(compile(source, "<rulebook>", "exec"), namespace)  # noqa: S102  # every expression passed the whitelist
        reads = {key: ready.reads for key, ready in self.ready.items()}
        decide, explain, explain_draft = (namespace[name] for name in ("decide", "explain", "explain_draft"))
        return Functions(decide, explain, explain_draft, reads, frozenset(_fields()))

    def _decide(self) -> list[str]:
        needed = set[str]()
        rules = list(self.ready.values())
        own = []
        for ready in rules:
            wanted = set(ready.when.uses) | (set(ready.error_when.uses) if ready.error_when else set())
            lines: list[str] = []
            for fact in reversed(ready.facts):
                if fact.name in wanted:
                    wanted |= fact.code.uses
                    lines.insert(0, f"    {fact.variable} = {fact.code.plain}")
            own += [*lines, f"    {ready.variable} = {ready.when.plain}"]
            needed |= wanted
        shared: list[str] = []
        for fact in reversed(self.shared):
            if fact.name in needed:
                needed |= fact.code.uses
                shared.insert(0, f"    {fact.variable} = {fact.code.plain}")
        gates = " and ".join(self._gates())
        outcome = f"    outcome = 'eligible' if {gates} else 'ineligible'"
        states = ", ".join(ready.variable for ready in rules)
        end = f"    return outcome, {self._tenths(self._earned)}, ({states},)"
        return ["def decide(c, d, k, F):", *self._inputs(careful=False), *shared, *own, outcome, end]

    def _inputs(self, careful: bool) -> list[str]:
        """Content fields and derived values as local names; in a draft those that are not there are UNKNOWN."""
        inputs = [(f"c_{name}", f"c.{name}", name) for name in _fields()]
        inputs += [(f"d_{name}", f"d.{name}", field) for name, field in DERIVED_FROM.items()]
        if not careful:
            return [f"    {local} = {code}" for local, code, _ in inputs]
        known = [f"    {local} = {code} if {field!r} in here else UNKNOWN" for local, code, field in inputs]
        return ["    here = c.model_fields_set", *known]

    def _gates(self) -> list[str]:
        gates = []
        for check in self.criteria.checks:
            ready = self.ready[check.id]
            if ready.error_when:
                gates.append(f"({ready.variable} or not {ready.error_when.plain})")
            elif check.level == "error":
                gates.append(ready.variable)
        for criterion in self.criteria.criteria:
            if criterion.mandatory:
                gates += [self.ready[i.id].variable for i in criterion.indicators if i.required]
        return gates

    def _earned(self, one: Criterion | Alignment) -> str:
        return " + ".join(f"{i.points} * {self.ready[i.id].variable}" for i in one.indicators)

    def _tenths(self, earned: Callable[[Criterion], str]) -> str:
        """Source of 1000 x sum(weight x earned/possible) / sum(weight), rounded half up, in whole numbers throughout."""
        criteria = self.criteria.criteria
        unit = lcm(*(criterion.points for criterion in criteria))
        whole = unit * sum(criterion.weight for criterion in criteria)
        parts = " + ".join(f"{c.weight * unit // c.points} * ({earned(c)})" for c in criteria)
        return f"(2000 * ({parts}) + {whole}) // {2 * whole}"

    def _explain(self, careful: bool) -> list[str]:
        writer = _Careful() if careful else _Plain()
        lines = [f"def {'explain_draft' if careful else 'explain'}(c, d, k, F):"]
        lines += self._inputs(careful)
        lines += [f"    {fact.variable} = {writer.code(fact.code)}" for fact in self.shared]
        for ready in self.ready.values():
            lines += [f"    {fact.variable} = {writer.code(fact.code)}" for fact in ready.facts]
            lines += [f"    {ready.variable} = {writer.code(ready.when)}"]
            if ready.error_when:
                lines += writer.level(ready)
        lines += ["    checks = ["]
        lines += [f"        {writer.check(self.ready[check.id], check)}," for check in self.criteria.checks]
        lines += ["    ]", "    criteria = ["]
        for one in self.criteria.criteria:
            head = {"letter": one.letter, "title": one.title, "mandatory": one.mandatory, "weight": one.weight}
            lines += self._criterion(writer, head, one)
        lines += ["    ]", "    alignment = ["]
        for other in self.criteria.alignment:
            lines += self._criterion(writer, {"key": other.key, "title": other.title, "mandatory": False}, other)
        earned, reachable = self._tenths(writer_earned(writer, self)), self._tenths(writer_reachable(writer, self))
        lines += ["    ]", f"    earned, reachable = {earned}, {reachable}"]
        lines += [f"    outcome = {writer.outcome(self)}"]
        lines += ["    return {'outcome': outcome, 'total': earned / 10, 'total_reachable': reachable / 10,"]
        lines += ["            'checks': checks, 'criteria': criteria, 'alignment': alignment}"]
        return lines

    def _criterion(self, writer: "_Plain", head: dict[str, Any], one: Criterion | Alignment) -> list[str]:
        required = [self.ready[i.id].variable for i in one.indicators if i.required]
        members = ", ".join(f"{key!r}: {value!r}" for key, value in head.items())
        earned = writer_earned(writer, self)(one)
        lines = [f"        {{{members}, 'state': {writer.all_of(required)}, 'earned': {earned}, "]
        lines[0] += f"'possible': {one.points}, 'indicators': ["
        lines += [f"            {writer.indicator(self.ready[i.id], i)}," for i in one.indicators]
        return [*lines, "        ]},"]


def writer_earned(writer: "_Plain", builder: Builder) -> Callable[[Criterion | Alignment], str]:
    return lambda one: " + ".join(writer.points(builder.ready[i.id], i.points, False) for i in one.indicators)


def writer_reachable(writer: "_Plain", builder: Builder) -> Callable[[Criterion | Alignment], str]:
    return lambda one: " + ".join(writer.points(builder.ready[i.id], i.points, True) for i in one.indicators)


class _Plain:
    """Writes the source that explains a whole content: every value is known, every state is met or not met."""

    def code(self, compiled: Compiled) -> str:
        return compiled.plain

    def level(self, ready: Ready) -> list[str]:
        assert ready.error_when
        return [f"    {ready.variable}_level = 'error' if {ready.error_when.plain} else 'warning'"]

    def points(self, ready: Ready, points: int, reachable: bool) -> str:
        return f"{points} * {ready.variable}"

    def all_of(self, required: list[str]) -> str:
        return f"'met' if {' and '.join(required)} else 'not_met'"

    def outcome(self, builder: Builder) -> str:
        return f"'eligible' if {' and '.join(builder._gates())} else 'ineligible'"

    def check(self, ready: Ready, check: Check) -> str:
        level = f"{ready.variable}_level" if ready.error_when else repr(check.level)
        return f"{{'id': {check.id!r}, 'level': {level}, {self.told(ready)}}}"

    def indicator(self, ready: Ready, indicator: Indicator) -> str:
        head = f"'id': {indicator.id!r}, 'points': {indicator.points}, 'required': {indicator.required}"
        return f"{{{head}, {self.told(ready)}}}"

    def told(self, ready: Ready) -> str:
        r, rule = ready.variable, ready.rule
        reason = f"{self.sentence(rule.met, ready)} if {r} else {self.sentence(rule.not_met, ready)}"
        remedy = f"None if {r} else {self.sentence(rule.remedy, ready)}"
        state = f"'met' if {r} else 'not_met'"
        return f"'state': {state}, 'reason': {reason}, 'facts': {self.facts(ready)}, 'remedy': {remedy}"

    def facts(self, ready: Ready) -> str:
        return "{" + ", ".join(f"{n!r}: {self.value(ready.scope[n])}" for n in ready.shows) + "}"

    def value(self, name: Name) -> str:
        return f"{name.plain}.isoformat()" if name.type.kind == "date" else name.plain

    def sentence(self, text: str, ready: Ready) -> str:
        pattern, values = "", []
        for literal, name, _, _ in Formatter().parse(text):
            pattern += literal.replace("%", "%%")
            if name is not None:
                pattern += "%s"
                values.append(self.word(ready.scope[name]))
        return (
            repr(text.replace("{{", "{").replace("}}", "}"))
            if not values
            else f"({pattern!r} % ({', '.join(values)},))"
        )

    def word(self, name: Name) -> str:
        return _in_words(name.plain, name.type)


class _Careful(_Plain):
    """Writes the source that explains a draft: a value may be UNKNOWN and a state undetermined."""

    def code(self, compiled: Compiled) -> str:
        return compiled.careful

    def level(self, ready: Ready) -> list[str]:
        """While it is unknown whether a warning is an error, a condition that fails is not settled either."""
        assert ready.error_when
        level = f"{ready.variable}_level"
        return [
            f"    {level} = {ready.error_when.careful}",
            f"    {ready.variable} = UNKNOWN if {level} is UNKNOWN and {ready.variable} is False else {ready.variable}",
            f"    {level} = 'warning' if {level} is False else 'error'",
        ]

    def points(self, ready: Ready, points: int, reachable: bool) -> str:
        test = "is not False" if reachable else "is True"
        return f"{points} * ({ready.variable} {test})"

    def all_of(self, required: list[str]) -> str:
        refused = " or ".join(f"{r} is False" for r in required)
        met = " and ".join(f"{r} is True" for r in required)
        return f"'not_met' if {refused} else 'met' if {met} else 'undetermined'"

    def outcome(self, builder: Builder) -> str:
        gates = []
        for check in builder.criteria.checks:
            ready = builder.ready[check.id]
            if ready.error_when:
                gates.append(f"({ready.variable} if {ready.variable}_level == 'error' else True)")
            elif check.level == "error":
                gates.append(ready.variable)
        for criterion in builder.criteria.criteria:
            if criterion.mandatory:
                gates += [builder.ready[i.id].variable for i in criterion.indicators if i.required]
        refused, met = (" or ".join(f"{g} is False" for g in gates), " and ".join(f"{g} is True" for g in gates))
        return f"'ineligible' if {refused} else 'eligible' if {met} else 'undetermined'"

    def told(self, ready: Ready) -> str:
        r, rule = ready.variable, ready.rule
        missing = f"unstated(here, {ready.reads!r})"
        reason = f"{self.sentence(rule.met, ready)} if {r} is True else {self.sentence(rule.not_met, ready)}"
        reason += f" if {r} is False else 'Not settled yet: the draft does not state ' + {missing} + '.'"
        remedy = f"None if {r} is True else {self.sentence(rule.remedy, ready)}"
        remedy += f" if {r} is False else 'State ' + {missing} + '.'"
        state = f"'met' if {r} is True else 'not_met' if {r} is False else 'undetermined'"
        return f"'state': {state}, 'reason': {reason}, 'facts': {self.facts(ready)}, 'remedy': {remedy}"

    def value(self, name: Name) -> str:
        date = "v.isoformat()" if name.type.kind == "date" else "v"
        return f"told({name.careful}, None, lambda v: {date})"

    def word(self, name: Name) -> str:
        return f"told({name.careful}, 'not stated yet', lambda v: {_in_words('v', name.type)})"


_BUILTINS = {"len": len, "sum": sum, "any": any, "all": all, "map": map, "str": str}


def _in_words(code: str, type_: Type) -> str:
    """Source that puts a value of that type into a sentence; amounts get thousands separators, years none."""
    if type_.kind == "list" and type_.item is not None:
        strings = code if type_.item.kind == "text" else f"map(str, {code})"
        return f"(', '.join({strings}) or 'none')"
    if type_.kind == "bool":
        return f"('yes' if {code} else 'no')"
    if type_.kind == "int":
        return f"f'{{{code}:,}}'" if type_.most > 9999 else code
    return f"{code}.isoformat()" if type_.kind == "date" else code


def _told(value: Any, unknown: str | None, known: Callable[[Any], Any]) -> Any:
    return unknown if value is kleene.UNKNOWN else known(value)


def _unstated(here: set[str], reads: list[str]) -> str:
    return ", ".join(name for name in reads if name not in here)


def _constant(value: int | list[int] | list[str]) -> Name:
    if isinstance(value, int):
        return Name(repr(value), repr(value), Type("int", most=abs(value)), shown=True)
    item = TEXT if any(isinstance(one, str) for one in value) else Type("int", most=max(map(int, value), default=0))
    code = repr(list(value))
    return Name(code, code, list_of(item), shown=True, literals=tuple(value))


def _stands_alone(text: str, i: int) -> bool:
    """Whether the digit at `i` begins a number of its own (and no name such as EMM2.0 or CD4MM)."""
    return i == 0 or not (text[i - 1].isalnum() or text[i - 1] in "._-")
