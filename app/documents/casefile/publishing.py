"""The public variant of a case file: what is internal is left out, and so is every file that names a person."""

import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import orjson

from app.documents import Paper
from app.documents.casefile import Act, CaseFile, Piece

_ADDRESS = r"[\w.+-]+@[\w-]+\.\w"
_LEAST = 3  # shorter names are found in half of all words


def published(case: CaseFile) -> CaseFile:
    """The case file without what is internal or personal; what is left out keeps its number, kind and the reason.

    Roles stay, names go. A file in which a known person's name or any e-mail address stands is left out whole: part of it
    would no longer be what was hashed.
    """
    names = sorted({re.escape(one.casefold()) for one in case.people if len(one) >= _LEAST}, key=lambda n: (-len(n), n))
    personal = re.compile("|".join([_ADDRESS, *(rf"(?<!\w){one}(?!\w)" for one in names)]))
    title = None if case.title is None or personal.search(case.title.casefold()) else case.title
    return replace(case, title=title, acts=tuple(_act(one, personal) for one in case.acts), people=())


def _act(act: Act, personal: re.Pattern[str]) -> Act:
    reason = act.withheld or act.private
    if reason is None and personal.search(act.which.casefold()):
        reason = "personal"
    if reason is not None:
        return replace(act, by=None, which="", pieces=(), withheld=reason)
    by = {"role": act.by["role"], "name": None} if act.by else None
    return replace(act, by=by, pieces=tuple(_piece(one, personal) for one in act.pieces))


def _piece(piece: Piece, personal: re.Pattern[str]) -> Piece:
    if piece.private is not None or not isinstance(piece.body, bytes | Paper):
        return replace(piece, private=piece.private or "personal")
    value = asdict(piece.body) if isinstance(piece.body, Paper) else orjson.loads(piece.body)
    named = any(personal.search(said.casefold()) for said in _texts(value))
    return replace(piece, private="personal") if named else piece


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
