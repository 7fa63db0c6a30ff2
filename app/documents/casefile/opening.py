"""Opening what may be a case file: bytes from anywhere, judged before they are read, never written to a disk."""

import io
import re
import stat
import zipfile

from app import archives
from app.documents.casefile import NotCaseFile

MOST_BYTES, _MOST_ENTRIES, _MOST_UNPACKED = 600_000_000, 20_000, 600_000_000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}")


def opened(data: bytes) -> dict[str, bytes | None]:
    """Every file by its name, None for one that cannot be read as it was written; NotCaseFile for no plain ZIP file."""
    if len(data) > MOST_BYTES:
        raise NotCaseFile(f"It has more than {MOST_BYTES:,} bytes; no case file has.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive, data)
            return {entry.filename: _read(archive, entry) for entry in archive.infolist()}
    except NotCaseFile:
        raise
    except (*archives.BROKEN, KeyError, IndexError, UnicodeError, OverflowError):
        raise NotCaseFile("It is no ZIP file, or not all of one.") from None


def _check(archive: zipfile.ZipFile, data: bytes) -> None:
    entries = archive.infolist()
    most = min(_MOST_UNPACKED, max(archives.SMALL, len(data) * archives.MOST_RATIO))
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > most:
        raise NotCaseFile("It unpacks to more than any case file has.")
    if archives.has_twins(archive):
        raise NotCaseFile("It has two files of the same name.")
    at = 0
    for entry, end in archives.spans(archive, data):
        _check_entry(entry)
        if entry.header_offset not in range(at, at + (archives.DESCRIPTOR if at else 0) + 1):
            raise NotCaseFile("Its files overlap, or something else stands between them.")
        at = end
    gap = archive.start_dir - at
    if gap not in range(archives.DESCRIPTOR + 1) or not archives.ends_at_once(archive, data):
        raise NotCaseFile("Something stands before, after or beside the files in it.")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if not _NAME.fullmatch(entry.filename):
        raise NotCaseFile(f"It holds {entry.filename[:80]!r}, which is no name of a file in a case file.")
    if entry.flag_bits & 0x1:
        raise NotCaseFile("It is encrypted.")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise NotCaseFile(f"{entry.filename} is a link or another thing that is no file.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotCaseFile(f"{entry.filename} is packed in a way that case files are not.")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    """A file's bytes, no more than were declared; None where they are not what the archive says."""
    try:
        return archives.declared(archive, entry, _MOST_UNPACKED)
    except archives.BROKEN:
        return None
