"""What a file really is: judged by its content, never by its name or by what the client says it is.

Accepted are PDF, DOCX, XLSX, PNG and JPEG that are nothing else besides. Office files are ZIP archives: their directory is
held against what is there, and nothing is unpacked further than it was declared.
"""

import io
import re
import unicodedata
import zipfile
import zlib

import filetype

from app.errors import Fault, Invalid

LARGEST = 20_000_000
_MOST_ENTRIES, _MOST_UNPACKED, _MOST_RATIO = 2000, 100_000_000, 100
_OFFICE = {
    "docx": b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xlsx": b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_ENDINGS = {"jpeg": "jpg"}
_ACTIVE_PDF = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)\b")
_ACTIVE_OFFICE = re.compile(r"vbaproject|activex|oleobject|/embeddings/|macrosheets", re.IGNORECASE)
_UNSAFE_NAME = re.compile('[/\\\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]')


def judge(name: str, data: bytes) -> str:
    """The media type of a file that can be taken, or Invalid with what is wrong with it."""
    ending = _safe_name(name).rpartition(".")[2].lower()
    if not data:
        raise _refused("file_empty", "The file is empty.")
    kind = _kind(data)
    if kind not in MEDIA_TYPES:
        raise _refused("file_type_not_allowed", "Only PDF, DOCX, XLSX, PNG and JPEG files can be attached.")
    if _ENDINGS.get(ending, ending) != kind:
        raise _refused("file_name_mismatch", f"By its content this is a {kind} file, but its name ends in .{ending}.")
    checks = {"pdf": _check_pdf, "png": _check_png, "jpg": _check_jpeg}
    checks.get(kind, _check_office)(data)
    return MEDIA_TYPES[kind]


def _refused(code: str, message: str) -> Invalid:
    return Invalid(code, message, faults=[Fault("/file", code, message)])


def _safe_name(name: str) -> str:
    """The name as it is, or Invalid when it could be anything but a plain file name."""
    odd = any(unicodedata.category(sign) in ("Cc", "Cs", "Co") for sign in name)
    if odd or _UNSAFE_NAME.search(name) or not 1 <= len(name) <= 200 or name.startswith(".") or name != name.strip():
        raise _refused("file_name_unsafe", "The file's name has characters that no plain file name has.")
    return name


def _kind(data: bytes) -> str:
    guess = filetype.guess(data[:8192])
    kind = str(guess.extension) if guess else ""
    if data[:4] == b"PK\x03\x04":
        return _office_kind(data)
    return kind


def _office_kind(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            types = _unpacked(archive, archive.getinfo("[Content_Types].xml"), 1_000_000)
    except (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, NotImplementedError, zlib.error, EOFError):
        return "zip"
    return next((kind for kind, main in _OFFICE.items() if main in types), "zip")


def _check_pdf(data: bytes) -> None:
    if not data.startswith(b"%PDF-") or b"%%EOF" not in data[-1024:]:
        raise _refused("file_damaged", "The PDF does not begin or end as one does.")
    if b"PK\x05\x06" in data[-70_000:] or _looks_like_page(data):
        raise _refused("file_is_two_things", "The file is a PDF and something else at once.")
    if _ACTIVE_PDF.search(data):
        raise _refused("file_active", "The PDF holds scripts or embedded files; save it without them.")


def _looks_like_page(data: bytes) -> bool:
    return any(tag in data[:2048].lower() for tag in (b"<script", b"<html", b"<svg", b"<?php"))


def _check_png(data: bytes) -> None:
    """Walk the chunks to IEND; nothing may follow it."""
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        name, at = data[at + 4 : at + 8], at + 12 + length
        if name == b"IEND":
            break
    else:
        raise _refused("file_damaged", "The PNG file is not whole.")
    if at != len(data):
        raise _refused("file_is_two_things", "Something follows the end of the PNG file.")


def _check_jpeg(data: bytes) -> None:
    if not data.endswith(b"\xff\xd9"):
        raise _refused("file_is_two_things", "The JPEG file does not end where a JPEG file ends.")
    if b"PK\x05\x06" in data[-70_000:] or _looks_like_page(data):
        raise _refused("file_is_two_things", "The file is a JPEG and something else at once.")


def _check_office(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive, data)
            total = 0
            for entry in archive.infolist():
                total += len(_unpacked(archive, entry, _MOST_UNPACKED - total))
    except (zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError, zlib.error, EOFError):
        raise _refused("file_damaged", "The file's archive is damaged, encrypted or larger than it says.") from None


def _check_directory(archive: zipfile.ZipFile, data: bytes) -> None:
    """Entries: how many, their names, their order without overlap, nothing before the first or after the end."""
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _MOST_UNPACKED:
        raise _refused("file_unpacks_too_large", "The file unpacks to more than it should.")
    at = 0
    for entry in entries:
        path = entry.filename
        if path.startswith(("/", "\\")) or ".." in path.split("/") or "\\" in path or ":" in path:
            raise _refused("file_paths_unsafe", "The file's archive names places outside itself.")
        if entry.flag_bits & 0x1:
            raise _refused("file_encrypted", "The file is encrypted; save it without a password.")
        if _ACTIVE_OFFICE.search(path):
            raise _refused("file_active", "The file holds macros or embedded objects; save it without them.")
        if entry.header_offset < at:
            raise _refused("file_unpacks_too_large", "Entries of the file's archive overlap.")
        at = entry.header_offset + 30 + len(path.encode()) + entry.compress_size
    if (entries and entries[0].header_offset != 0) or archive.comment or data[-22:-18] != b"PK\x05\x06":
        raise _refused("file_is_two_things", "Something stands before or after the file's archive.")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """An entry's bytes; a ValueError as soon as they are more than declared, than `most`, or a hundred times the packed."""
    limit = min(entry.file_size, most, entry.compress_size * _MOST_RATIO + 1000)
    with archive.open(entry) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit or len(data) != entry.file_size:
        raise ValueError("unpacks to more than it says")
    return data
