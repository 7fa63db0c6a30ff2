"""YAML as data that remembers where it stood: duplicate keys and odd scalars are mistakes, every value has a line and column.

Plain scalars are whole numbers, true/false/null or text; nothing else is guessed (`NO` stays a country, `2023.10` a text).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_WORDS = {"true": True, "false": False, "null": None}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a rulebook file; `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


@dataclass(slots=True)
class Source:
    """A parsed file: its data, and for every path in it the YAML nodes of key and value."""

    file: str
    text: str
    data: Any = None
    mistakes: list[Mistake] = field(default_factory=list)
    values: dict[Path, Any] = field(default_factory=dict)
    keys: dict[Path, Any] = field(default_factory=dict)
    pruned: set[Path] = field(default_factory=set)

    def rename(self, path: Path, name: str) -> None:
        """From now on the value at `path` is known under another key of the same mapping."""
        self._move(lambda one: (*path[:-1], name, *one[len(path) :]) if one[: len(path)] == path else one)

    def prune(self, path: Path) -> None:
        """Item `path` of a list is left out: those behind it move up, and the list is remembered as not whole."""
        place, gone = path[:-1], int(path[-1])

        def moved(one: Path) -> Path | None:
            if one[: len(place)] != place or len(one) == len(place):
                return one
            at = int(one[len(place)])
            return None if at == gone else (*place, at - (at > gone), *one[len(place) + 1 :])

        self._move(moved)
        self.pruned.add(place)

    def _move(self, moved: Callable[[Path], Path | None]) -> None:
        self.values, self.keys = (
            {to: node for one, node in nodes.items() if (to := moved(one)) is not None}
            for nodes in (self.values, self.keys)
        )
        self.pruned = {to for one in self.pruned if (to := moved(one)) is not None}

    def mistake(self, path: Path, message: str, offset: int = 0, at_key: bool = False) -> None:
        """Note a mistake at a value (or at its key), `offset` characters into a scalar."""
        line, column = self._place(path, offset, at_key)
        self.mistakes.append(Mistake(self.file, line, column, message))

    def _place(self, path: Path, offset: int, at_key: bool) -> tuple[int, int]:
        nodes = self.keys if at_key else self.values
        while path and path not in nodes:
            path, offset = path[:-1], 0
        node = nodes.get(path) or self.values.get(path)
        if node is None:
            return 1, 1
        mark = node.start_mark
        if not offset and not getattr(node, "style", None):
            return mark.line + 1, mark.column + 1
        return self._inside(node, offset)

    def _inside(self, node: Any, offset: int) -> tuple[int, int]:
        """Where the character `offset` of a scalar's value stands in the file: quotes, folds and blocks are walked over."""
        at = node.start_mark.index
        if node.style in ("'", '"'):
            at += 1
        elif node.style in ("|", ">"):
            at = self._end_of_line(at) + 1
            at += len(self.text[at:]) - len(self.text[at:].lstrip(" "))
        for _ in range(offset):
            if at + 1 >= len(self.text):
                break
            if self.text[at] == "\n":
                while self.text[at + 1 : at + 2] in (" ", "\n"):
                    at += 1
            elif self.text[at] in "'\\" and node.style in ("'", '"') and self.text[at + 1] in "'\"\\":
                at += 1
            elif self.text[at] == " " and not node.style and self.text[at : at + 80].lstrip(" ").startswith("\n"):
                at = self._end_of_line(at)
            at += 1
        before = self.text[: min(at, len(self.text))]
        return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1

    def _end_of_line(self, at: int) -> int:
        found = self.text.find("\n", at)
        return found if found >= 0 else len(self.text)


def read_yaml(file: str, raw: bytes) -> Source:
    """The file's data with positions; syntax errors, duplicate keys, anchors and tags are noted as mistakes."""
    try:
        source = Source(file, raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        source = Source(file, "")
        source.mistakes.append(Mistake(file, raw[: error.start].count(b"\n") + 1, 1, "the file is not UTF-8"))
        return source
    try:
        if _marked(source):
            return source
        node = yaml.compose(source.text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = getattr(error, "problem", None) or "it cannot be read"
        source.mistakes.append(Mistake(file, line, column, f"not YAML: {problem}"))
        return source
    except RecursionError:
        source.mistakes.append(Mistake(file, 1, 1, "nested too deeply"))
        return source
    source.data = _value(source, node, (), 0) if node is not None else None
    return source


def _marked(source: Source) -> bool:
    """Note every anchor, alias and tag: what they repeat or turn into would stand nowhere to be read."""
    before = len(source.mistakes)
    for event in yaml.parse(source.text, Loader=_LOADER):
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            mark: Any = event.start_mark
            message = "anchors, aliases and tags are not used here; write it out"
            source.mistakes.append(Mistake(source.file, mark.line + 1, mark.column + 1, message))
    return len(source.mistakes) > before


def _value(source: Source, node: Any, path: Path, depth: int) -> Any:
    source.values[path] = node
    if depth > 12:
        source.mistake(path, "nested too deeply")
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(source, node, path, depth)
    if isinstance(node, yaml.SequenceNode):
        return [_value(source, item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
    if node.style:  # quoted or block: text as it stands
        return node.value
    if node.value in _WORDS:
        return _WORDS[node.value]
    return int(node.value) if _INTEGER.fullmatch(node.value) else node.value


def _mapping(source: Source, node: Any, path: Path, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None:
            source.mistakes.append(
                Mistake(source.file, key.start_mark.line + 1, key.start_mark.column + 1, "a key must be a text")
            )
        elif name in found:
            line, column = key.start_mark.line + 1, key.start_mark.column + 1
            source.mistakes.append(Mistake(source.file, line, column, f"the key '{name}' stands here twice"))
        else:
            source.keys[(*path, name)] = key
            found[name] = _value(source, value, (*path, name), depth + 1)
    return found
