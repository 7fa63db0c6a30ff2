"""Every rule of a file checked: names, types, sentences, points and weights; all mistakes noted, none stops the rest."""

from dataclasses import dataclass, replace
from string import Formatter

from app.domain.case import DERIVED_FROM, Cycle, Derived, RequestedYear
from app.domain.framework import Ground
from app.domain.proposal import Content
from app.domain.rulebook.criteria import Alignment, Check, Criteria, Criterion, Rule
from app.domain.rulebook.expressions import compile_expression
from app.domain.rulebook.language import Compiled, Echo, Name, Refused
from app.domain.rulebook.types import BOOL, TEXT, Type, list_of, record_of
from app.domain.rulebook.yamlmap import Path, Source
from app.faults import did_you_mean


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
class Checked:
    """The rules of a file without mistakes: its shared facts, and each rule by id in the order of the file."""

    criteria: Criteria
    shared: list[Fact]
    ready: dict[str, Ready]


def keys_of(variable: str) -> str:
    """What the keys of a list are called; begins as no variable of a fact does."""
    return f"K_{variable}"


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


def check_rules(source: Source, criteria: Criteria) -> Checked:
    """The checked rules; what is wrong with them stands in `source.mistakes`, and then they are not to be used."""
    checker = _Checker(source, criteria)
    checker.check()
    return Checked(criteria, checker.shared, checker.ready)


def _with_reach(record: Type, field: str, most: int) -> Type:
    return replace(record, fields=tuple((n, replace(t, most=most) if n == field else t) for n, t in record.fields))


class _Checker:
    """Checks every rule of a file, noting all mistakes in `source`."""

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
        members = keys_of(variable) if found.keyed else ""
        scope[name] = Name(variable, variable, found.type, found.reads, True, members=members)
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
            if spec or conversion or name not in scope or not _can_be_told(scope[name].type):
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


def _constant(value: int | list[int] | list[str]) -> Name:
    if isinstance(value, int):
        return Name(repr(value), repr(value), Type("int", most=abs(value)), shown=True)
    item = (
        TEXT
        if any(isinstance(one, str) for one in value)
        else Type("int", most=max((abs(int(one)) for one in value), default=0))
    )
    code = repr(list(value))
    return Name(code, code, list_of(item), shown=True, literals=tuple(value))


def _can_be_told(type_: Type) -> bool:
    """Whether a sentence can show such a value: no record, and no list of them."""
    return type_.kind != "record" and (type_.item is None or type_.item.kind != "record")


def _stands_alone(text: str, i: int) -> bool:
    """Whether the digit at `i` begins a number of its own (and no name such as EMM2.0 or CD4MM)."""
    return i == 0 or not (text[i - 1].isalnum() or text[i - 1] in "._-")
