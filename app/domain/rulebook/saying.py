"""The rule language in words: what an expression asks, as people say it in English and Danish.

The words are for reading beside the expression, which stays what counts. What the checker accepts can be said.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.rulebook.criteria import Param
from app.domain.rulebook.nouns import FACTS, FIELDS, ITEMS, SECTIONS

PHRASES = {
    "and": ("{} and {}", "{} og {}"),
    "or": ("{} or {}", "{} eller {}"),
    "not": ("it is not so that {}", "det gælder ikke, at {}"),
    "is so": ("{} is answered with yes", "{} er besvaret med ja"),
    "true": ("always", "altid"),
    "false": ("never", "aldrig"),
    "null": ("nothing", "intet"),
    "==": ("{} is {}", "{} er {}"),
    "!=": ("{} is not {}", "{} er ikke {}"),
    "<": ("{} is less than {}", "{} er mindre end {}"),
    "<=": ("{} is at most {}", "{} er højst {}"),
    ">": ("{} is more than {}", "{} er mere end {}"),
    ">=": ("{} is at least {}", "{} er mindst {}"),
    "in": ("{} is one of {}", "{} er en af {}"),
    "not in": ("{} is none of {}", "{} er ingen af {}"),
    "given": ("{} is given", "{} er angivet"),
    "not given": ("{} is not given", "{} er ikke angivet"),
    "empty": ("{} is empty", "{} er tom"),
    "not empty": ("{} is not empty", "{} er ikke tom"),
    "some": ("there is at least one of {}", "der er mindst én af {}"),
    "none": ("there is none of {}", "der er ingen af {}"),
    "+": ("{} plus {}", "{} plus {}"),
    "-": ("{} minus {}", "{} minus {}"),
    "*": ("{} times {}", "{} gange {}"),
    "negative": ("minus {}", "minus {}"),
    "count": ("the number of {}", "antallet af {}"),
    "sum": ("the sum of {}", "summen af {}"),
    "min": ("the smallest of {}", "den mindste af {}"),
    "max": ("the largest of {}", "den største af {}"),
    "distinct": ("each different value of {}", "hver forskellig værdi af {}"),
    "length": ("the number of characters in {}", "antallet af tegn i {}"),
    "words": ("the number of words in {}", "antallet af ord i {}"),
    "months_between": ("the number of months from {} to {}", "antallet af måneder fra {} til {}"),
    "any": ("for at least one of {}: {}", "for mindst én af {}: {}"),
    "all": ("for each of {}: {}", "for hver af {}: {}"),
    "over": ("{}, over {}", "{}, over {}"),
    "where": ("{} (where: {})", "{} (hvor: {})"),
    "of": ("{1}'s {0}", "{1}s {0}"),
    "part of": ("the {} of {}", "{} for {}"),
    "the": ("the {}", "{}"),
    "value": ("the value", "værdien"),
    "quoted": ("“{}”", "»{}«"),
    "last": ("{} or {}", "{} eller {}"),
}  # fmt: skip
PLACES = {"en": 0, "da": 1}
_OPERATORS: dict[type[ast.AST], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Add: "+", ast.Sub: "-", ast.Mult: "*",
}  # fmt: skip


def condition(text: str, language: str, params: Mapping[str, Param] | None = None) -> str:
    """What a condition asks, in `en` or `da`; the values of params are written in their place."""
    return _sentence(_Speaker(PLACES[language], params or {}).holds(_tree(text)))


def value(text: str, language: str, params: Mapping[str, Param] | None = None) -> str:
    """What a fact is."""
    return _sentence(_Speaker(PLACES[language], params or {}).value(_tree(text)))


def called(name: str, language: str) -> str:
    """What a fact of a rule is called, without quotation marks."""
    return (FACTS.get(name) if language == "da" else None) or name.replace("_", " ")


def _tree(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def _sentence(said: str) -> str:
    return said[:1].upper() + said[1:] + "."


@dataclass(slots=True)
class _Speaker:
    """Says one expression in one language; `items` are what loops go through, by the names they have there."""

    place: int
    params: Mapping[str, Param]
    items: dict[str, str] = field(default_factory=dict)

    def phrase(self, name: str, *parts: str) -> str:
        return PHRASES[name][self.place].format(*parts)

    def holds(self, node: ast.expr) -> str:
        """A condition, as a clause."""
        if isinstance(node, ast.BoolOp):
            return self.joined("and" if isinstance(node.op, ast.And) else "or", node.values)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.denied(node.operand)
        if isinstance(node, ast.Compare):
            return self.compared(node)
        if isinstance(node, ast.Call):
            return self.value(node)
        if isinstance(node, ast.Name) and node.id in ("true", "false"):
            return self.phrase(node.id)
        return self.phrase("is so", self.value(node))

    def joined(self, word: str, nodes: Sequence[ast.expr]) -> str:
        """Clauses one after the other, with `word` (and, or) between them."""
        if len(nodes) == 1:
            return self.holds(nodes[0])
        said = [self.part(node) for node in nodes]
        whole = said[0]
        for one in said[1:]:
            whole = self.phrase(word, whole, one)
        return whole

    def part(self, node: ast.expr) -> str:
        """A clause within a longer one, in brackets where it would run on."""
        runs_on = isinstance(node, ast.BoolOp) or (isinstance(node, ast.Call) and _loop(node) is not None)
        return f"({self.holds(node)})" if runs_on else self.holds(node)

    def denied(self, node: ast.expr) -> str:
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
            return self.phrase("not in", self.value(node.left), self.value(node.comparators[0]))
        return self.phrase("not", self.part(node))

    def compared(self, node: ast.Compare) -> str:
        """A comparison as a clause; with null, "" and a count of 0 as people say it."""
        sign, right = _OPERATORS[type(node.ops[0])], node.comparators[0]
        if _is_name(right, "null"):
            return self.phrase("given" if sign == "!=" else "not given", self.value(node.left))
        if isinstance(right, ast.Constant) and right.value == "" and sign in ("==", "!="):
            return self.phrase("empty" if sign == "==" else "not empty", self.value(node.left))
        counted = isinstance(node.left, ast.Call) and _is_name(node.left.func, "count")
        if counted and isinstance(right, ast.Constant) and right.value == 0 and sign in ("==", ">"):
            assert isinstance(node.left, ast.Call)
            return self.phrase("none" if sign == "==" else "some", self.many(node.left))
        return self.phrase(sign, self.value(node.left), self.value(right))

    def value(self, node: ast.expr) -> str:
        """What an expression stands for, as a noun; a condition in brackets."""
        match node:
            case ast.Constant():
                return self.literal(node.value)
            case ast.Name():
                return self.name(node.id)
            case ast.Attribute():
                return self.attribute(node)
            case ast.List() | ast.Tuple():
                return self.listed([self.value(one) for one in node.elts])
            case ast.BinOp():
                return self.phrase(_OPERATORS[type(node.op)], self.term(node.left), self.term(node.right))
            case ast.UnaryOp(op=ast.USub()):
                return self.phrase("negative", self.value(node.operand))
            case ast.Call(func=ast.Name(id=name)):
                return self.called(name, node)
        return f"({self.holds(node)})"

    def term(self, node: ast.expr) -> str:
        """A part of a sum or product, in brackets where it is one itself."""
        return f"({self.value(node)})" if isinstance(node, ast.BinOp) else self.value(node)

    def literal(self, said: object) -> str:
        return self.phrase("quoted", str(said)) if isinstance(said, str) else str(said)

    def listed(self, said: list[str]) -> str:
        return self.phrase("last", ", ".join(said[:-1]), said[-1]) if len(said) > 1 else said[0]

    def name(self, name: str) -> str:
        """A name: what a loop holds, a param's value, a field of the content, or a fact in quotation marks."""
        if name in self.items:
            return self.items[name]
        if name in self.params:
            held = self.params[name]
            return self.listed([self.literal(one) for one in held]) if isinstance(held, list) else self.literal(held)
        if name in ("true", "false", "null"):
            return self.phrase(name)
        if name in FIELDS and name not in FACTS:
            return self.phrase("the", FIELDS[name][0] if self.place == 0 else FIELDS[name][2])
        return self.phrase("quoted", called(name, "da" if self.place else "en"))

    def attribute(self, node: ast.Attribute) -> str:
        """A field of something: `the countries`, `the activity's type`."""
        known = FIELDS.get(node.attr)
        bare = known[self.place] if known else node.attr.replace("_", " ")
        if isinstance(node.value, ast.Attribute):
            return self.phrase("part of", known[2] if known and self.place else bare, self.value(node.value))
        if isinstance(node.value, ast.Name) and node.value.id in SECTIONS:
            return self.phrase("the", known[2] if known and self.place else bare)
        return self.phrase("of", bare, self.value(node.value))

    def called(self, name: str, node: ast.Call) -> str:
        """A function of what it is given, or of every item of a list that it goes through."""
        loop = _loop(node)
        if loop is None:
            return self.phrase(name, *(self.value(one) for one in node.args))
        before = dict(self.items)
        lists = self.lists(loop)
        if name in ("any", "all"):
            said = self.phrase(name, lists, self.holds(loop.elt))
        elif name == "count" or (name == "distinct" and isinstance(loop.elt, ast.Name)):
            said = self.phrase(name, lists)
        else:
            said = self.phrase(name, self.phrase("over", self.value(loop.elt), lists))
        self.items = before
        return said

    def many(self, node: ast.Call) -> str:
        """What a count counts."""
        loop, before = _loop(node), dict(self.items)
        said = self.value(node.args[0]) if loop is None else self.lists(loop)
        self.items = before
        return said

    def lists(self, node: ast.GeneratorExp) -> str:
        """What a loop goes through, and what of it counts."""
        whole = ""
        for part in node.generators:
            said = self.value(part.iter)
            assert isinstance(part.target, ast.Name), "a loop has one plain name"
            self.items[part.target.id] = self.one_of(part.iter, part.target.id)
            if part.ifs:
                said = self.phrase("where", said, self.joined("and", part.ifs))
            whole = self.phrase("over", said, whole) if whole else said
        return whole

    def one_of(self, node: ast.expr, name: str) -> str:
        """What one thing of a list is called; with its own name where another loop has that word already."""
        last = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        known = ITEMS.get(last)
        said = self.phrase("the", known[self.place]) if known else self.phrase("value")
        return f"{said} {name}" if said in self.items.values() else said


def _loop(node: ast.Call) -> ast.GeneratorExp | None:
    """The loop a function runs over, if it does."""
    first = node.args[0] if node.args else None
    return first if isinstance(first, ast.GeneratorExp) else None


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
