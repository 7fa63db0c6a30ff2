"""The expression language of the rules: parsed once, whitelisted, type- and null-checked, turned into Python source twice.

`plain` is the source for whole contents, `careful` the three-valued one for drafts. Everything that is not listed here
is refused at load, with the place of the offending character and a suggestion; what is accepted cannot raise.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.rulebook.language import Compiled, Echo, Name, Refused, path_of, ruled_out, said
from app.domain.rulebook.types import BOOL, INT, LARGEST, LONGEST_LIST, NULL, TEXT, Type, list_of
from app.faults import did_you_mean

LONGEST, MOST_NODES, DEEPEST_LOOP, MOST = 600, 200, 3, 9 * 10**18
_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_COMPARISONS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_OVER_LISTS = ("count", "sum", "min", "max", "any", "all", "distinct")
_OVER_VALUES = ("length", "words", "months_between")
FUNCTIONS = _OVER_LISTS + _OVER_VALUES
_NUMBERS = ("int", "number")


@dataclass(slots=True)
class _Checker:
    text: str
    scope: dict[str, Name]
    depth: int = 0
    loops: int = 0
    reads: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    shows: list[str] = field(default_factory=list)

    def refuse(self, node: ast.AST, message: str) -> Refused:
        """The refusal of a node, at its place in the text."""
        line = getattr(node, "lineno", 1) - 1
        lines = self.text.split("\n")
        column = len(lines[line].encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        return Refused(sum(len(one) + 1 for one in lines[:line]) + column, message)

    def visit(self, node: ast.expr, known: frozenset[str]) -> Compiled:
        """Any expression: by its kind, or refused when the language has none such."""
        method = _METHODS.get(type(node))
        if method is None:
            raise self.refuse(node, f"{said(node)} is not part of the rule language")
        found: Compiled = method(self, node, known)
        return found

    def need(self, node: ast.expr, known: frozenset[str], *kinds: str) -> Compiled:
        """An expression that is certainly of one of these kinds, or refused."""
        found = self.visit(node, known)
        if found.type.nullable or found.type.kind == "null":
            raise self.refuse(node, f"'{ast.unparse(node)}' may be null; test it with '!= null' first")
        if found.type.kind not in kinds:
            raise self.refuse(node, f"'{ast.unparse(node)}' is {found.type}, but {' or '.join(kinds)} is needed")
        return found

    def constant(self, node: ast.Constant, known: frozenset[str]) -> Compiled:
        """A whole number or a text."""
        value = node.value
        if isinstance(value, bool) or value is None or not isinstance(value, int | str):
            hint = "write true or false" if isinstance(value, bool) else "use whole numbers and texts"
            raise self.refuse(node, f"{value!r} is not part of the rule language; {hint}")
        if isinstance(value, int) and abs(value) > LARGEST:
            raise self.refuse(node, f"{value} is too large")
        type_ = replace(INT, most=abs(value)) if isinstance(value, int) else TEXT
        return Compiled(repr(value), repr(value), type_)

    def name(self, node: ast.Name, known: frozenset[str]) -> Compiled:
        """A name of the scope: a field, a fact, a parameter, a loop's own."""
        if node.id in ("true", "false"):
            return Compiled(node.id.title(), node.id.title(), BOOL)
        if node.id == "null":
            return Compiled("None", "None", NULL)
        found = self.scope.get(node.id)
        if found is None:
            names = [*self.scope, *FUNCTIONS]
            raise self.refuse(node, f"unknown name '{node.id}'{did_you_mean(node.id, names)}")
        if found.type.kind == "mistaken":
            raise Echo(0, "")
        self.reads |= found.reads
        self.uses.add(node.id)
        if found.shown and node.id not in self.shows:
            self.shows.append(node.id)
        type_ = found.type.certain if node.id in known else found.type
        return Compiled(found.plain, found.careful, type_, members=found.members)

    def attribute(self, node: ast.Attribute, known: frozenset[str]) -> Compiled:
        """A field of a record, the record certainly there."""
        owner = self.visit(node.value, known)
        if owner.type.nullable or owner.type.kind == "null":
            raise self.refuse(node, f"'{ast.unparse(node.value)}' may be null; test it with '!= null' first")
        if not owner.type.fields:
            raise self.refuse(node, f"'{ast.unparse(node.value)}' is {owner.type} and has no fields")
        found = owner.type.field(node.attr)
        if found is None:
            names = [name for name, _ in owner.type.fields]
            place = ast.copy_location(ast.Name(node.attr), node)
            place.col_offset = (node.end_col_offset or 0) - len(node.attr.encode())
            place.lineno = node.end_lineno or node.lineno
            raise self.refuse(place, f"unknown field '{node.attr}'{did_you_mean(node.attr, names)}")
        type_ = found.certain if path_of(node) in known else found
        if owner.plain == "F":
            return _ground(node.attr, type_)
        careful = f"apply(lambda o: o.{node.attr}, {owner.careful})"
        return Compiled(f"{owner.plain}.{node.attr}", careful, type_)

    def literals(self, node: ast.List | ast.Tuple, known: frozenset[str]) -> Compiled:
        """A list written out: numbers or texts, never empty."""
        if not node.elts:
            raise self.refuse(node, "an empty list says nothing")
        items = []
        for element in node.elts:
            if not isinstance(element, ast.Constant):
                raise self.refuse(element, "a list holds whole numbers or texts only")
            items.append(self.constant(element, known))
        if len({one.type.kind for one in items}) > 1:
            raise self.refuse(node, "a list holds values of one type")
        code = "(" + "".join(one.plain + ", " for one in items) + ")"
        return Compiled(code, code, list_of(items[0].type))

    def boolean(self, node: ast.BoolOp, known: frozenset[str]) -> Compiled:
        """`and`, `or`: each part may rest on what those before it have ruled out."""
        both, so_far = isinstance(node.op, ast.And), known
        parts = []
        for value in node.values:
            parts.append(self.need(value, so_far, "bool"))
            so_far |= ruled_out(value, both)
        word = " and " if both else " or "
        plain = "(" + word.join(part.plain for part in parts) + ")"
        lazily = ", ".join(f"lambda: {part.careful}" for part in parts)
        return Compiled(plain, f"{'and_' if both else 'or_'}(({lazily}))", BOOL)

    def unary(self, node: ast.UnaryOp, known: frozenset[str]) -> Compiled:
        """`not`, and a number's minus."""
        if isinstance(node.op, ast.Not):
            part = self.need(node.operand, known, "bool")
            return Compiled(f"(not {part.plain})", f"not_({part.careful})", BOOL)
        if isinstance(node.op, ast.USub):
            part = self.need(node.operand, known, *_NUMBERS)
            return Compiled(f"(-{part.plain})", f"apply(lambda v: -v, {part.careful})", part.type)
        raise self.refuse(node, "this operator is not part of the rule language")

    def arithmetic(self, node: ast.BinOp, known: frozenset[str]) -> Compiled:
        """`+ - *` over whole numbers that stay within 64 bits."""
        sign = _ARITHMETIC.get(type(node.op))
        if sign is None:
            raise self.refuse(node, "only + - * are there; compare shares as 100 * part <= 8 * whole")
        left, right = self.need(node.left, known, "int"), self.need(node.right, known, "int")
        careful = f"apply(lambda a, b: a {sign} b, {left.careful}, {right.careful})"
        reach = left.type.most * right.type.most if sign == "*" else left.type.most + right.type.most
        return Compiled(f"({left.plain} {sign} {right.plain})", careful, self.int_up_to(reach, node))

    def int_up_to(self, reach: int, node: ast.expr) -> Type:
        """A whole number that can reach this far, or refused beyond 64 bits."""
        if reach > MOST:
            raise self.refuse(node, f"'{ast.unparse(node)}' may become larger than {MOST}; compare smaller parts")
        return replace(INT, most=reach)

    def compare(self, node: ast.Compare, known: frozenset[str]) -> Compiled:
        """One comparison of two values that can be compared."""
        if len(node.ops) > 1:
            raise self.refuse(node, "compare two values at a time and join the parts with 'and'")
        operator, right_node = node.ops[0], node.comparators[0]
        left, right = self.visit(node.left, known), self.visit(right_node, known)
        if isinstance(operator, ast.In | ast.NotIn):
            return self.membership(node, left, right)
        sign = _COMPARISONS.get(type(operator))
        if sign is None:
            raise self.refuse(node, "write == null or != null")
        if right.type.kind == "null":
            return self.null_test(node, left, sign)
        numbers = left.type.kind in _NUMBERS and right.type.kind in _NUMBERS
        ordered = numbers or left.type.kind == right.type.kind == "date"
        equal = sign in ("==", "!=") and left.type.kind == right.type.kind and left.type.kind in ("text", "bool")
        for part, type_ in ((node.left, left.type), (right_node, right.type)):
            if type_.nullable or type_.kind == "null":
                raise self.refuse(part, f"'{ast.unparse(part)}' may be null; test it with '!= null' first")
        if not ordered and not equal:
            raise self.refuse(node, f"{left.type} and {right.type} cannot be compared with {sign}")
        self.closed(node.left, left.type, right_node)
        self.closed(right_node, right.type, node.left)
        careful = f"apply(lambda a, b: a {sign} b, {left.careful}, {right.careful})"
        return Compiled(f"({left.plain} {sign} {right.plain})", careful, BOOL)

    def membership(self, node: ast.Compare, left: Compiled, right: Compiled) -> Compiled:
        """`in` and `not in` a list of the same kind."""
        many = right.type.item
        if right.type.kind != "list" or right.type.nullable or many is None:
            raise self.refuse(node.comparators[0], f"'in' needs a list on its right, not {right.type}")
        if left.type.nullable or left.type.kind != many.kind or left.type.kind not in ("int", "text"):
            raise self.refuse(node.left, f"{left.type} cannot be in a {right.type}")
        self.closed(node.left, left.type, node.comparators[0])
        self.closed(node.comparators[0], many, node.left)
        held, careful = (
            f"({left.plain} in {right.members or right.plain})",
            f"contains({left.careful}, {right.careful})",
        )
        if isinstance(node.ops[0], ast.In):
            return Compiled(held, careful, BOOL)
        return Compiled(f"(not {held})", f"not_({careful})", BOOL)

    def null_test(self, node: ast.Compare, left: Compiled, sign: str) -> Compiled:
        """`== null` and `!= null` of what may be null."""
        if not left.type.nullable or sign not in ("==", "!="):
            raise self.refuse(node, f"'{ast.unparse(node.left)}' can never be null")
        word = "is" if sign == "==" else "is not"
        careful = f"apply(lambda v: v {word} None, {left.careful})"
        return Compiled(f"({left.plain} {word} None)", careful, BOOL)

    def closed(self, side: ast.expr, type_: Type, other: ast.expr) -> None:
        """A literal compared with a closed text must be one of its values."""
        if not type_.values:
            return
        for place in other.elts if isinstance(other, ast.List | ast.Tuple) else [other]:
            named = self.scope.get(place.id) if isinstance(place, ast.Name) else None
            for value in (place.value,) if isinstance(place, ast.Constant) else named.literals if named else ():
                if value not in type_.values:
                    some = ", ".join(type_.values[:12]) + (", ..." if len(type_.values) > 12 else "")
                    near = did_you_mean(str(value), type_.values)
                    raise self.refuse(place, f"{value!r} is no value of {ast.unparse(side)} ({some}){near}")

    def call(self, node: ast.Call, known: frozenset[str]) -> Compiled:
        """One of the language's functions, with as many values as it takes."""
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            name = ast.unparse(node.func)
            raise self.refuse(node, f"unknown function '{name}'{did_you_mean(name, FUNCTIONS)}")
        wanted = 2 if node.func.id == "months_between" else 1
        if node.keywords or len(node.args) != wanted or any(isinstance(a, ast.Starred) for a in node.args):
            raise self.refuse(node, f"{node.func.id} takes {wanted} value{'s' if wanted > 1 else ''}")
        if node.func.id in _OVER_VALUES:
            return self.measure(node.func.id, node, known)
        argument = node.args[0]
        if isinstance(argument, ast.GeneratorExp):
            return self.over(node.func.id, argument, known)
        if node.func.id not in ("count", "distinct", "sum", "min", "max"):
            raise self.refuse(argument, f"{node.func.id} needs a condition over a list: any(x == 1 for x in list)")
        return self.reduce(node.func.id, argument, known)

    def measure(self, name: str, node: ast.Call, known: frozenset[str]) -> Compiled:
        """`length`, `words`, `months_between`."""
        kind = "date" if name == "months_between" else "text"
        shown = list(self.shows)
        parts = [self.need(argument, known, kind) for argument in node.args]
        if kind == "text":
            self.shows = shown  # a long text explains nothing; its measure does
        function = {"length": "len", "words": "count_words", "months_between": "months_between"}[name]
        plain = f"{function}({', '.join(part.plain for part in parts)})"
        measured = replace(INT, most=9999)
        return Compiled(plain, f"apply({function}, {', '.join(part.careful for part in parts)})", measured)

    def reduce(self, name: str, node: ast.expr, known: frozenset[str]) -> Compiled:
        """A function over a whole list."""
        found = self.need(node, known, "list")
        item = found.type.item or NULL
        if name == "count":
            return Compiled(f"len({found.plain})", f"apply(len, {found.careful})", replace(INT, most=9999))
        function, result = self.reducer(name, item, node, 1)
        return Compiled(f"{function}({found.plain})", f"apply({function}, {found.careful})", result)

    def reducer(self, name: str, item: Type, node: ast.expr, loops: int) -> tuple[str, Type]:
        """The function behind `distinct`, `sum`, `min` or `max` over such items, and what it comes to."""
        if item.nullable or item.kind not in (("int", "text") if name == "distinct" else ("int",)):
            raise self.refuse(node, f"{name} cannot be taken over {item}")
        function = {"distinct": "distinct", "sum": "sum", "min": "least", "max": "most"}[name]
        if name == "distinct":
            return function, list_of(item)
        return function, self.int_up_to(item.most * LONGEST_LIST**loops, node) if name == "sum" else item

    def over(self, name: str, node: ast.GeneratorExp, known: frozenset[str]) -> Compiled:
        """A function over a loop."""
        element, plain, careful = self.comprehension(node, known)
        bag = careful.replace("\0", f"item({element.careful})")
        listed = f"[{element.plain} {plain}]"
        if name in ("any", "all"):
            if element.type != BOOL:
                raise self.refuse(node.elt, f"{name} needs a condition, not {element.type}")
            if name == "any" and (shared := self.shared_values(node, known)):
                return Compiled(shared, f"any_({bag})", BOOL)
            found = f"[1 {plain} if {element.plain if name == 'any' else f'not {element.plain}'}]"
            return Compiled(f"({found} {'!=' if name == 'any' else '=='} [])", f"{name}_({bag})", BOOL)
        if name == "count":
            counted = replace(INT, most=9999 if len(node.generators) == 1 else LARGEST)
            return Compiled(f"len({listed})", f"count({bag})", counted)
        function, result = self.reducer(name, element.type, node.elt, len(node.generators))
        if name == "distinct":
            keyed = _keyed(element.plain, plain)
            return Compiled(f"[*{keyed}]", f"gather({bag}, {function})", result, keyed=keyed)
        return Compiled(f"{function}({listed})", f"gather({bag}, {function})", result)

    def shared_values(self, node: ast.GeneratorExp, known: frozenset[str]) -> str:
        """Source for `any(x in b for x in a)` without a loop, where `b` has its values as keys; else nothing."""
        loop, test = node.generators[0], node.elt
        alone = len(node.generators) == 1 and not loop.ifs and isinstance(loop.target, ast.Name)
        if not alone or not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.In):
            return ""
        if ast.unparse(test.left) != ast.unparse(loop.target) or not isinstance(
            test.comparators[0], ast.Name | ast.Attribute
        ):
            return ""
        members = self.visit(test.comparators[0], known).members
        return f"(not {members}.keys().isdisjoint({self.visit(loop.iter, known).plain}))" if members else ""

    def comprehension(self, node: ast.GeneratorExp, known: frozenset[str]) -> tuple[Compiled, str, str]:
        """A loop's element and its source: for whole contents, and for drafts with `\0` where the element goes."""
        outer = self.scope
        self.depth += len(node.generators)
        if self.depth > DEEPEST_LOOP:
            raise self.refuse(node, f"loops may be nested {DEEPEST_LOOP} deep")
        plain, opened, closed = [], "", ""
        self.scope = dict(outer)
        for part in node.generators:
            if part.is_async or not isinstance(part.target, ast.Name):
                raise self.refuse(part.target, "a loop has one plain name")
            if part.target.id in self.scope or part.target.id in ("true", "false", "null", *FUNCTIONS):
                raise self.refuse(part.target, f"'{part.target.id}' already stands for something else")
            items = self.need(part.iter, known, "list")
            if isinstance(part.iter, ast.List | ast.Tuple):
                raise self.refuse(part.iter, "loop over a list of the proposal or the framework")
            self.loops += 1
            code = f"v{self.loops}"
            self.scope[part.target.id] = Name(code, code, items.type.item or NULL)
            plain.append(f"for {code} in {items.plain}")
            opened, closed = opened + f"loop({items.careful}, lambda {code}: ", closed + ")"
            for test in part.ifs:
                held = self.need(test, known, "bool")
                known |= ruled_out(test, True)
                plain.append(f"if {held.plain}")
                opened, closed = opened + f"when({held.careful}, lambda: ", closed + ")"
        element = self.visit(node.elt, known)
        self.scope, self.depth = outer, self.depth - len(node.generators)
        return element, " ".join(plain), f"{opened}\0{closed}"


_METHODS: dict[type[ast.expr], Any] = {
    ast.Constant: _Checker.constant,
    ast.Name: _Checker.name,
    ast.Attribute: _Checker.attribute,
    ast.List: _Checker.literals,
    ast.Tuple: _Checker.literals,
    ast.BoolOp: _Checker.boolean,
    ast.UnaryOp: _Checker.unary,
    ast.BinOp: _Checker.arithmetic,
    ast.Compare: _Checker.compare,
    ast.Call: _Checker.call,
}


def _ground(field: str, type_: Type) -> Compiled:
    """A field of the framework, which is the same for every screening."""
    looked_up = type_.kind == "list" and type_.item is not None and not type_.item.fields
    return Compiled(f"F_{field}", f"F_{field}", type_, members=f"K_F_{field}" if looked_up else "")


def _keyed(element: str, loop: str) -> str:
    """Source of a mapping whose keys are the values of a loop, each once, in the order first seen."""
    if loop.startswith(f"for {element} in ") and loop.count(" for ") == 0 and " if " not in loop:
        return f"dict.fromkeys({loop.removeprefix(f'for {element} in ')})"
    return f"{{{element}: 0 {loop}}}"


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.expr))


def compile_expression(text: str, scope: dict[str, Name]) -> Compiled:
    """The accepted expression, or Refused with the place and what would help. What is accepted never raises when run."""
    if len(text) > LONGEST:
        raise Refused(LONGEST, f"longer than {LONGEST} characters; name a part of it as a fact")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        offset = (getattr(error, "offset", None) or 1) - 1
        raise Refused(min(offset, len(text)), f"not an expression: {getattr(error, 'msg', error)}") from None
    if sum(1 for _ in _nodes(tree)) > MOST_NODES:
        raise Refused(0, f"more than {MOST_NODES} parts; name a part of it as a fact")
    checker = _Checker(text.strip(), scope)
    try:
        found = checker.visit(tree.body, frozenset())
    except RecursionError:
        raise Refused(0, "nested too deeply") from None
    read, used = frozenset(checker.reads), frozenset(checker.uses)
    return replace(found, reads=read, uses=used, shows=tuple(checker.shows))
