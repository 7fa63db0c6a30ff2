"""A proposal's case file (sagsakter): what has happened to it, act by act, as data that `packing` makes a ZIP file of.

The same acts give the same bytes. `index.json` lists every act and file with its SHA-256, `index.pdf` is the list on paper
(aktliste), and `sha256sum -c SHA256SUMS` checks all of it without any tool of ours.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.documents import Paper

FORMAT = "earmark-casefile/1"
INDEX, LISTING, SUMS = "index.json", "index.pdf", "SHA256SUMS"
Variant = Literal["full", "public"]
# Why something is left out: it stays in the MFA, it is about a person, its reader has not completed their own assessment
# yet, or the service keeps only the text that replaced it.
Reason = Literal["internal", "personal", "blind", "not_kept"]


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that are in the store of files, under their SHA-256."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of an act. `of` and `sha256` say what the service itself knows its bytes by, `snapshot/2` with its hash."""

    name: str
    body: bytes | Paper | Stored
    of: str | None = None
    sha256: str | None = None
    private: Reason | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happened: when, what (`kind`, and in codes and figures which), by whom (None: the service), its files.

    `private` is why the public variant leaves it out, `withheld` why this reader does not get it at all.
    """

    at: datetime
    kind: str
    which: str
    by: dict[str, str | None] | None
    pieces: tuple[Piece, ...] = ()
    private: Reason | None = None
    withheld: Reason | None = None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All acts in the order in which they happened. `people` are the names and addresses a public variant may not hold."""

    ref: str
    title: str | None
    office: str
    state: str
    file_number: str
    variant: Variant
    language: str
    head: dict[str, int | str] | None
    acts: tuple[Act, ...]
    people: tuple[str, ...] = ()

    @property
    def stored(self) -> list[str]:
        """The SHA-256s of the bytes that packing needs from the store."""
        pieces = [one.body for act in self.acts if act.withheld is None for one in act.pieces]
        return sorted({body.sha256 for body in pieces if isinstance(body, Stored)})


class NotCaseFile(Exception):
    """What was given is no case file; the sentence says why."""
