"""Packing a case file: acts numbered, files named safely, the index made, all of it in one ZIP with nothing of the moment."""

import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.documents import Paper, render
from app.documents.casefile import FORMAT, INDEX, LISTING, SUMS, Act, CaseFile, Piece, Stored
from app.documents.casefile.listing import listing
from app.documents.words import words
from app.domain.cycle import COPENHAGEN, day_of
from app.encoding import readable

_LONGEST = 80
_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "Æ": "Ae", "Ø": "Oe", "Å": "Aa", "ß": "ss"})


def pack(case: CaseFile, stored: Mapping[str, bytes | None]) -> bytes:
    """The ZIP file. `stored` are the bytes of `case.stored`, None where the store has lost them; that is told in the index.

    Nothing is compressed: the bytes depend on no library's version, and no entry can unpack to more than it is.
    """
    files: list[tuple[str, bytes, datetime]] = []
    acts = [_listed(number, act, case, stored, files) for number, act in enumerate(case.acts, 1)]
    newest = max(act.at for act in [act for act in case.acts if act.pieces] or case.acts)
    index = {
        "format": FORMAT,
        "variant": case.variant,
        "language": case.language,
        "as_of": newest,
        "ref": case.ref,
        "title": case.title,
        "office": case.office,
        "state": case.state,
        "file_number": case.file_number,
        "audit_head": case.head,
        "acts": acts,
    }
    raw = readable(index)
    paper = render(listing(index, hashlib.sha256(raw).hexdigest()))
    files = [(INDEX, raw, newest), (LISTING, paper, newest), *files]
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data, _ in files)
    return _zipped([*files, (SUMS, sums.encode(), newest)])


def _listed(
    number: int,
    act: Act,
    case: CaseFile,
    stored: Mapping[str, bytes | None],
    files: list[tuple[str, bytes, datetime]],
) -> dict[str, Any]:
    """An act as the index shows it; its files are added to `files`."""
    if act.withheld is not None:
        return {"number": number, "kind": act.kind, "left_out": act.withheld}
    shown: list[dict[str, Any]] = []
    for piece in act.pieces:
        name = f"{number:03d}-{safe_name(piece.name)}"
        if piece.private is not None and case.variant == "public":
            shown.append({"left_out": piece.private})
            continue
        data = _bytes_of(piece, stored)
        known = {"of": piece.of, "stored_sha256": piece.sha256} if piece.of else {}
        if data is None:
            lost = isinstance(piece.body, Stored) and stored.get(piece.body.sha256) is None
            shown.append({"name": name, **known, "fault": "missing" if lost else "altered"})
            continue
        files.append((name, data, act.at))
        shown.append({"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **known})
    title = f"{words(case.language)[f'act_{act.kind}']} {act.which}".strip()
    head = {"number": number, "at": act.at, "date": day_of(act.at).isoformat(), "kind": act.kind, "what": title}
    return {**head, "by": act.by, "files": shown}


def _bytes_of(piece: Piece, stored: Mapping[str, bytes | None]) -> bytes | None:
    """A piece's bytes; None where the store has lost or altered them."""
    if isinstance(piece.body, Paper):
        return render(piece.body)
    if isinstance(piece.body, bytes):
        return piece.body
    data = stored.get(piece.body.sha256)
    return data if data is not None and hashlib.sha256(data).hexdigest() == piece.body.sha256 else None


def safe_name(name: str) -> str:
    """A file name in ASCII that every system takes, at most 90 characters; the ending stays."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode()
    stem, _, ending = plain.rpartition(".")
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", stem).strip("-")[:_LONGEST].strip("-")
    return f"{stem or 'file'}.{re.sub('[^A-Za-z0-9]', '', ending)[:8].lower() or 'bin'}"


def _zipped(files: list[tuple[str, bytes, datetime]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, data, at in files:
            local = max(at, datetime(1980, 1, 2, tzinfo=UTC)).astimezone(COPENHAGEN)
            entry = zipfile.ZipInfo(name, local.timetuple()[:6])
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, data)
    return made.getvalue()
