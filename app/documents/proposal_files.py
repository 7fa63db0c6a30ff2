"""Proposals in files, as IOM keeps them: `{cycle, office?, content}` in JSON, YAML or a workbook."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import yaml

from app.documents.workbook import Reading, Unreadable, read_workbook
from app.errors import Fault

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")  # the last two only to be told what would help
LARGEST, LARGEST_YAML = 2_000_000, 200_000  # bytes of a text; YAML takes a second for its most


@dataclass(frozen=True, slots=True)
class Sent:
    """The `{cycle, office?, content}` of a file, and the workbook it was read from, if it was one."""

    value: dict[str, Any]
    workbook: Reading | None = None

    def told(self, faults: Iterable[Fault]) -> list[str]:
        """Where and what for everything wrong: by cell in a workbook, with its sheets' own faults, else by pointer."""
        if self.workbook:
            return [f"{fault.cell}: {fault.message}" for fault in self.workbook.locate(faults)]
        return [f"{fault.pointer}: {fault.message}" for fault in faults]


class PlainYaml(yaml.SafeLoader):
    """YAML that reads as JSON would: dates and NO stay the texts they are written as."""


PlainYaml.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("null", "null|~|", ["n", "~", ""]),
    ("bool", "true|false", ["t", "f"]),
    ("int", "-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", list("-0123456789")),
    ("merge", "<<", ["<"]),
):
    PlainYaml.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), _first)


class _WithoutAliases(PlainYaml):
    """YAML of others: a few aliases of aliases would unfold to more than there is memory for."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not taken; write it out")
        return super().compose_node(parent, index)


def plain_yaml(text: str) -> Any:
    """The value of a YAML text, read as JSON would be; a YAMLError for what is none."""
    return yaml.load(text, Loader=PlainYaml)  # noqa: S506  # a SafeLoader


def read_text(name: str, text: str, trusted: bool = True) -> dict[str, Any]:
    """The `{cycle, office?, content}` of a JSON or YAML text; a ValueError in a sentence when it holds none."""
    loader = PlainYaml if trusted else _WithoutAliases
    try:
        plain = PurePath(name).suffix.lower() == ".json"
        value = json.loads(text) if plain else yaml.load(text, Loader=loader)  # noqa: S506  # a SafeLoader
        text.encode() and json.dumps(value, allow_nan=False, default=str, ensure_ascii=False).encode()
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        where = str(error).splitlines()[-1].strip() if str(error) else type(error).__name__
        raise ValueError(f"{name}: it is neither JSON nor YAML ({where}).") from None
    if not isinstance(value, dict) or not isinstance(value.get("content"), dict):
        raise ValueError(  # noqa: TRY004  # what is wrong is the file, not a call
            f"{name}: an object with `cycle` and `content` is needed."
        )
    return value


def read_upload(name: str, raw: bytes) -> Sent:
    """What a file of others holds, judged by its name; a ValueError in a sentence when it holds no proposal at all."""
    suffix = PurePath(name).suffix.lower()
    if suffix in WORKBOOKS:
        return read_book(name, raw)
    if suffix not in (".json", ".yaml", ".yml"):
        raise ValueError(f"{name}: a proposal comes as JSON, YAML or a workbook (XLSX).")
    most = LARGEST if suffix == ".json" else LARGEST_YAML
    if len(raw) > most:
        raise ValueError(f"{name}: a file of this kind may have {most:,} bytes; this one has {len(raw):,}.")
    try:
        return Sent(read_text(name, raw.decode("utf-8-sig"), trusted=False))
    except UnicodeDecodeError:
        raise ValueError(f"{name}: it is not text in UTF-8.") from None


def read_book(name: str, raw: bytes) -> Sent:
    """What a workbook holds; a ValueError in a sentence when it is none."""
    try:
        reading = read_workbook(raw)
    except Unreadable as error:
        raise ValueError(f"{name}: {error}.") from None
    return Sent(reading.value, reading)
