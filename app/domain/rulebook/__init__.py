"""A rulebook: three YAML files, every mistake in them found at once, compiled into functions; published ones never change."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from app.domain.engagement import Entry, Register
from app.domain.framework import Annex, Framework, Ground, ground_of
from app.domain.rulebook.checking import check_rules
from app.domain.rulebook.criteria import Criteria
from app.domain.rulebook.reading import read_model
from app.domain.rulebook.writing import Functions, functions_of
from app.domain.rulebook.yamlmap import Mistake, read_yaml

SEMANTICS = 1  # raised when the same rule file would come to another result
FILES = ("criteria.yaml", "framework.yaml", "indicators.yaml")


class RulebookError(Exception):
    """The rulebook cannot be used; `mistakes` are all of them, in order of file and place."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A checked and compiled rulebook. `sha256` is that of the `sha256sum` lines of its three files, sorted by name."""

    id: str
    version: str
    sha256: str
    criteria: Criteria
    framework: Framework
    annex: Annex
    ground: Ground
    functions: Functions
    indicator_codes: frozenset[str]

    @property
    def reference(self) -> dict[str, str]:
        return {"id": self.id, "version": self.version, "sha256": self.sha256}


def digest_of(files: Mapping[str, bytes]) -> str:
    """What `sha256sum criteria.yaml framework.yaml indicators.yaml | sha256sum` prints in the rulebook's folder."""
    lines = (f"{hashlib.sha256(raw).hexdigest()}  {name}\n" for name, raw in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def build_rulebook(files: Mapping[str, bytes], names: Mapping[str, str] | None = None) -> Rulebook:
    """The rulebook in the three files' bytes, or a RulebookError with every mistake; `names` are shown for the files."""
    shown = names or {}
    return _built(tuple((shown.get(name, name), files[name]) for name in FILES))


@lru_cache(maxsize=16)  # the same bytes are the same rulebook, which nobody can change; compiling one takes 0.1 s
def _built(files: tuple[tuple[str, bytes], ...]) -> Rulebook:
    criteria, framework, annex = (read_yaml(name, raw) for name, raw in files)
    read_framework = read_model(framework, Framework)
    read_annex = read_model(annex, Annex)
    read_criteria = read_model(criteria, Criteria)
    checked = check_rules(criteria, read_criteria) if read_criteria else None
    if read_criteria and read_framework and read_criteria.rulebook != read_framework.id:
        criteria.mistake(("rulebook",), f"is '{read_criteria.rulebook}', but framework.yaml is '{read_framework.id}'")
    mistakes = sorted({*criteria.mistakes, *framework.mistakes, *annex.mistakes})
    if mistakes or not (checked and read_criteria and read_framework and read_annex):
        raise RulebookError(mistakes)
    ground = ground_of(read_framework, read_annex)
    return Rulebook(
        id=read_criteria.rulebook,
        version=read_criteria.version,
        sha256=digest_of({name: raw for name, (_, raw) in zip(FILES, files, strict=True)}),
        criteria=read_criteria,
        framework=read_framework,
        annex=read_annex,
        ground=ground,
        functions=functions_of(checked, ground),
        indicator_codes=frozenset(read_annex.indicator_codes()),
    )


def load_folder(folder: Path) -> Rulebook:
    """The rulebook in a folder; a missing file is a mistake like any other."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise RulebookError([Mistake(str(folder / name), 1, 1, "the file is missing") for name in missing])
    files = {name: (folder / name).read_bytes() for name in FILES}
    return build_rulebook(files, {name: str(folder / name) for name in FILES})


def _plain(file: Path) -> Any:
    return yaml.load(file.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # safe


def read_clauses(framework_folder: Path) -> list[dict[str, str]]:
    """The clauses of the framework's agreements in their order: `{key, en, da}`."""
    said = _plain(framework_folder / "agreement.yaml")
    return [{name: str(one[name]) for name in ("key", "en", "da")} for one in said["clauses"]]


def read_iati(framework_folder: Path) -> dict[str, Any]:
    """The codes with which the framework's agreements are told as open data."""
    said: dict[str, Any] = _plain(framework_folder / "iati.yaml")
    return said


def read_engagements(framework_folder: Path) -> list[Entry]:
    """The framework's register of Danish engagements, in its order; a RulebookError with every mistake in it."""
    path = framework_folder / "engagements.yaml"
    source = read_yaml(str(path), path.read_bytes())
    register = read_model(source, Register)
    if source.mistakes or register is None:
        raise RulebookError(sorted({*source.mistakes}))
    return register.engagements


def read_manifest(framework_folder: Path) -> dict[str, tuple[str, str]]:
    """Version -> (folder inside the framework's folder, SHA-256), as published in `manifest.yaml`, oldest first."""
    published = _plain(framework_folder / "manifest.yaml")
    return {str(one["version"]): (str(one["folder"]), str(one["sha256"])) for one in published["versions"]}
