"""What a file really is: judged by its content, never by its name or by what the client says it is.

Accepted are PDF, DOCX, XLSX, PNG and JPEG that are nothing else besides. Office files are ZIP archives: their directory is
held against what is there, and nothing is unpacked further than it was declared.
"""

import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator

import filetype

from app import archives
from app.documents import xlsx
from app.errors import Fault, Invalid

LARGEST = 20_000_000
_MOST_ENTRIES, _MOST_UNPACKED, _MOST_OBJECTS = 2000, 100_000_000, 10_000_000
_OFFICE = {
    "docx": b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xlsx": b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": xlsx.MEDIA_TYPE,
}
_ENDINGS = {"jpeg": "jpg"}
_ACTIVE_PDF = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA)(?![A-Za-z0-9])")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE_PART = re.compile(
    r"vbaproject|activex|oleobject|macrosheets|/embeddings/(?!.*\.(xlsx|docx|pptx)$)"
    r"|\.(exe|dll|js|vbs|bat|cmd|scr|ps1|com|msi|jar|hta|lnk|sh)$",
    re.IGNORECASE,
)
_ACTIVE_TYPES = re.compile(rb"macroEnabled|vbaProject|activeX", re.IGNORECASE)
_REMOTE = re.compile(rb"<Relationship\b[^>]*(attachedTemplate|oleObject|frame|externalLink)[^>]*>", re.IGNORECASE)
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
    odd = any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co") for sign in name)
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
    except _BROKEN:
        return "zip"
    return next((kind for kind, main in _OFFICE.items() if main in types), "zip")


def _check_pdf(data: bytes) -> None:
    if not data.startswith(b"%PDF-") or b"%%EOF" not in data[-1024:]:
        raise _refused("file_damaged", "The PDF does not begin or end as one does.")
    if _is_archive(data) or _looks_like_page(data):
        raise _refused("file_is_two_things", "The file is a PDF and something else at once.")
    if any(_ACTIVE_PDF.search(_ESCAPED.sub(_unescaped, part)) for part in _pdf_objects(data)):
        raise _refused("file_active", "The PDF holds scripts or embedded files; save it without them.")


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)])


def _pdf_objects(data: bytes) -> Iterator[bytes]:
    """What of a PDF is objects: all outside streams, and the streams that hold objects, unpacked (10 MB of each)."""
    yield _STREAM.sub(b"", data)
    for found in _STREAM.finditer(data):
        if b"/ObjStm" in data[max(0, found.start() - 300) : found.start()]:
            try:
                yield zlib.decompressobj().decompress(found[1], _MOST_OBJECTS)
            except zlib.error:
                continue


def _is_archive(data: bytes) -> bool:
    return zipfile.is_zipfile(io.BytesIO(data))


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
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise _refused("file_is_two_things", "The JPEG file does not end where a JPEG file ends.")
    if _is_archive(data) or _looks_like_page(data):
        raise _refused("file_is_two_things", "The file is a JPEG and something else at once.")


def _check_office(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive, data)
            total = 0
            for entry in archive.infolist():
                part = _unpacked(archive, entry, _MOST_UNPACKED - total)
                total += len(part)
                _check_part(entry.filename, part)
    except _BROKEN:
        raise _refused("file_damaged", "The file's archive is damaged, encrypted or larger than it says.") from None


_BROKEN = (*archives.BROKEN, KeyError)


def _check_part(name: str, part: bytes) -> None:
    """Types that say macros, and relations that fetch something active from elsewhere, whatever the parts are called."""
    if name == "[Content_Types].xml" and _ACTIVE_TYPES.search(part):
        raise _refused("file_active", "The file holds macros; save it without them.")
    if name.endswith(".rels") and any(b"External" in found[0] for found in _REMOTE.finditer(part)):
        raise _refused("file_active", "The file fetches a template or object from elsewhere; save it without.")


def _check_directory(archive: zipfile.ZipFile, data: bytes) -> None:
    """Entries: how many, their names, none twice, one after the other without overlap or gap, nothing before or after."""
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _MOST_UNPACKED:
        raise _refused("file_unpacks_too_large", "The file unpacks to more than it should.")
    if archives.has_twins(archive):
        raise _refused("file_is_two_things", "The file's archive has a part twice.")
    at = 0
    for entry, end in archives.spans(archive, data):
        _check_entry(entry)
        if entry.header_offset < at:
            raise _refused("file_unpacks_too_large", "Entries of the file's archive overlap.")
        if entry.header_offset - at > archives.DESCRIPTOR:
            raise _refused("file_is_two_things", "Something stands between the parts of the file's archive.")
        at = end
    if archive.start_dir - at > archives.DESCRIPTOR or not archives.ends_at_once(archive, data):
        raise _refused("file_is_two_things", "Something stands before or after the file's archive.")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    path = entry.filename
    if path.startswith(("/", "\\")) or ".." in path.split("/") or "\\" in path or ":" in path:
        raise _refused("file_paths_unsafe", "The file's archive names places outside itself.")
    if entry.flag_bits & 0x1:
        raise _refused("file_encrypted", "The file is encrypted; save it without a password.")
    if _ACTIVE_PART.search(path):
        raise _refused("file_active", "The file holds macros or embedded objects; save it without them.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused("file_damaged", "The file's archive is packed in a way that office files are not.")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """An entry's bytes; a ValueError when they are not what was declared, more than `most`, or, beyond 10 MB, a hundred
    times the packed."""
    data = archives.declared(archive, entry, min(most, max(archives.SMALL, entry.compress_size * archives.MOST_RATIO)))
    if data is None:
        raise ValueError("unpacks to more than it says")
    return data
