"""ZIP archives from anywhere: where their entries lie and what they hold, no more of it than they declare."""

import zipfile
import zlib
from collections.abc import Iterator

# What the standard library raises for an archive, or a part of one, that cannot be read.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError, RuntimeError)
DESCRIPTOR = 24  # bytes at most: an entry written as a stream is followed by its sizes
SMALL, MOST_RATIO = 10_000_000, 100  # what is larger than this is packed by no more than a hundred


def spans(archive: zipfile.ZipFile, data: bytes) -> Iterator[tuple[zipfile.ZipInfo, int]]:
    """Every entry in the order it lies in, with the place at which its bytes end, by its own header."""
    for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        local = data[entry.header_offset : entry.header_offset + 30]
        names = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        yield entry, entry.header_offset + 30 + names + entry.compress_size


def has_twins(archive: zipfile.ZipFile) -> bool:
    """Whether two entries have the same name, but for capitals."""
    names = [entry.filename.lower() for entry in archive.infolist()]
    return len(set(names)) != len(names)


def ends_at_once(archive: zipfile.ZipFile, data: bytes) -> bool:
    """Whether the directory is the end of the file: no comment, nothing behind it."""
    return not archive.comment and data[-22:-18] == b"PK\x05\x06"


def declared(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes | None:
    """An entry's bytes, None where they are not just as many as declared or more than `most`; raises BROKEN."""
    limit = min(entry.file_size, most)
    with archive.open(entry) as stream:
        data = stream.read(limit + 1)
    return data if len(data) <= limit and len(data) == entry.file_size else None
