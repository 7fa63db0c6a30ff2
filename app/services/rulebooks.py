"""The published rulebooks of a framework: loaded once, checked against the manifest; the newest one screens."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.db import Tx
from app.domain.case import Cycle, Frame
from app.domain.engagement import Entry
from app.domain.rulebook import (
    FILES,
    Rulebook,
    RulebookError,
    load_folder,
    read_clauses,
    read_engagements,
    read_iati,
    read_manifest,
)
from app.domain.rulebook.criteria import Alignment, Criterion, Rule
from app.errors import NotFound, Unavailable
from app.records import audit, cycles
from app.services.clock import Now

MOST_DRAFTS = 5
IN_FORCE = "rulebook.in_force"


@dataclass(frozen=True, slots=True)
class Library:
    """Every published rulebook of one framework by version, oldest first."""

    books: dict[str, Rulebook]
    clauses: list[dict[str, str]]
    iati: dict[str, Any]
    engagements: list[Entry]
    folder: Path

    def withholds(self, ref: str) -> bool:
        """Whether nothing of a proposal is told in public, for the safety of people: the framework's list says so."""
        return ref in self.iati["withheld"]

    @property
    def current(self) -> Rulebook:
        """The newest version: the one that screens what is submitted now."""
        return next(reversed(self.books.values()))

    def book(self, version: str) -> Rulebook:
        """The rulebook of that version, or NotFound."""
        if version not in self.books:
            raise NotFound("rulebook_not_found", f"There is no rulebook version '{version}'.")
        return self.books[version]


class ManifestError(Exception):
    """A published file is not what the manifest says it is."""


def open_library(rules: Path, framework: str) -> Library:
    """Load every version the manifest lists; a file that differs from its published SHA-256 stops the service."""
    folder = rules / framework
    if not (folder / "manifest.yaml").is_file():
        raise ManifestError(f"There is no framework '{framework}' under {rules}.")
    return Library(_published(folder), read_clauses(folder), read_iati(folder), read_engagements(folder), folder)


def _published(folder: Path) -> dict[str, Rulebook]:
    books = {}
    for version, (place, sha256) in read_manifest(folder).items():
        book = load_folder(folder / place)
        if (book.version, book.sha256) != (version, sha256):
            raise ManifestError(
                f"The rulebook {version} in {folder / place} is not the published one: its files ({', '.join(FILES)}) "
                f"come to version {book.version}, SHA-256 {book.sha256}; the manifest says {sha256}. "
                "Published files are never edited; put a change into a new version."
            )
        books[version] = book
    return books


def catch_up(library: Library) -> None:
    """Load what has been published in the framework's folder since; what is there already never changes."""
    found = _published(library.folder)
    library.books.update({version: book for version, book in found.items() if version not in library.books})


def in_force(tx: Tx) -> tuple[str, str] | None:
    """Version and SHA-256 of the rulebook that screens now, in every instance; None before the first start."""
    last = audit.newest_of(tx, IN_FORCE)
    return (last.subject.partition("/")[2], last.after_sha256) if last else None


def check_in_force(tx: Tx, book: Rulebook) -> None:
    """Unavailable when an instance was started with a newer rulebook than this one: two never screen by different ones."""
    found = in_force(tx)
    if found and found[1] != book.sha256:
        said = f"The rulebook {found[0]} is in force, and this process still has {book.version}; try again in a moment."
        raise Unavailable("rulebook_superseded", said, headers={"Retry-After": "1"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A rulebook in a folder of its own that the manifest does not list: no screening uses it. Without mistakes, a `book`."""

    name: str
    book: Rulebook | None
    mistakes: tuple[str, ...] = ()


def any_drafts(library: Library) -> bool:
    """Whether the framework's folder holds folders at all that could be drafts; a quick look."""
    return any(library.folder.glob("*/criteria.yaml"))


def drafts(library: Library) -> list[Draft]:
    """The versions somebody is working on, by name, read as they stand in their folders now; this takes a while."""
    published = {place for place, _ in read_manifest(library.folder).values()}
    places = sorted(one.parent for one in library.folder.glob("*/criteria.yaml") if one.parent.name not in published)
    return [_draft(place) for place in places[:MOST_DRAFTS]]


def _draft(place: Path) -> Draft:
    try:
        return Draft(place.name, load_folder(place))
    except RulebookError as error:
        said = (str(one).removeprefix(f"{place}/") for one in error.mistakes)
        return Draft(place.name, None, tuple(said))


def frame_for(tx: Tx, cycle_year: int, now: Now) -> Frame | None:
    """What a screening on this day depends on besides content and rulebook; None when there is no such cycle."""
    envelopes = cycles.envelopes(tx)
    return Frame(Cycle(cycle_year, max(envelopes)), envelopes, now.today) if cycle_year in envelopes else None


def overview(library: Library) -> list[dict[str, Any]]:
    """Version, SHA-256 and size of every published rulebook, newest first."""
    return [
        {
            **book.reference,
            "current": book is library.current,
            "title": book.framework.title,
            "checks": len(book.criteria.checks),
            "criteria": len(book.criteria.criteria),
            "indicators": sum(len(one.indicators) for one in _groups(book)),
        }
        for book in reversed(library.books.values())
    ]


def _groups(book: Rulebook) -> list[Criterion | Alignment]:
    return [*book.criteria.criteria, *book.criteria.alignment]


def described(book: Rulebook) -> dict[str, Any]:
    """Everything a rulebook says: every check, criterion and indicator with its text, source, points and expressions."""
    document = book.criteria.document

    def rule(one: Rule) -> dict[str, Any]:
        said = one.model_dump(mode="json")
        return {**said, "fields": book.functions.reads[one.id]}

    def group(one: Criterion | Alignment) -> dict[str, Any]:
        return {**one.model_dump(mode="json"), "indicators": [rule(indicator) for indicator in one.indicators]}

    return {
        **book.reference,
        "document": document,
        "facts": book.criteria.facts,
        "weights": book.criteria.weights.model_dump(),
        "checks": [rule(check) for check in book.criteria.checks],
        "criteria": [group(one) for one in book.criteria.criteria],
        "alignment": [group(one) for one in book.criteria.alignment],
    }


__all__ = [
    "Library",
    "ManifestError",
    "RulebookError",
    "any_drafts",
    "catch_up",
    "check_in_force",
    "described",
    "drafts",
    "frame_for",
    "in_force",
    "open_library",
    "overview",
]
