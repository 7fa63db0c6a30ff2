"""The file that a backup is: a tar archive of a database and the files it names, and last a manifest with everything's SHA-256.

Nothing in it is ever unpacked under a name of its own: what may stand in it is known, the rest is refused before anything is done.
"""

import hashlib
import io
import os
import re
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.encoding import readable
from app.errors import Conflict, Invalid

MANIFEST, DATABASE, FILES = "manifest.json", "database", "files/"
MOST_MANIFEST = 200_000_000
_FILE = re.compile(r"files/[0-9a-f]{64}")
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Member(_Part):
    size: int
    sha256: Sha256


class Head(_Part):
    """The end of the log of acts."""

    seq: int
    hash: Sha256


class Manifest(_Part):
    """What a backup holds; `missing` are files that the database names and the store did not have."""

    version: Literal[1] = 1
    made_at: datetime
    database: Literal["sqlite", "postgresql"]
    migration: str
    tables: dict[str, int]
    audit: Head
    members: dict[str, Member] = {}
    missing: list[Sha256] = []


class Packing:
    """A backup that is being written."""

    def __init__(self, folder: Path, tar: tarfile.TarFile) -> None:
        self.folder, self._tar = folder, tar
        self.members: dict[str, Member] = {}

    def add(self, name: str, content: IO[bytes]) -> None:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]  # what can be read into
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = content.seek(0, os.SEEK_END), 0o600, int(time.time())
        content.seek(0)
        self._tar.addfile(entry, content)
        self.members[name] = Member(size=entry.size, sha256=sha256)

    def finish(self, manifest: Manifest) -> None:
        said = manifest.model_copy(update={"members": dict(self.members)})
        self.add(MANIFEST, io.BytesIO(readable(said.model_dump())))


@contextmanager
def packing(target: Path) -> Iterator[Packing]:
    """Write a backup, readable by its owner only; it has its name once it is whole and on disk."""
    if target.exists():
        raise Conflict("exists_already", f"{target} is there already; name another file, or a folder.")
    with tempfile.TemporaryDirectory(prefix=".earmark-", dir=target.parent) as name:
        part = Path(name) / "part"
        with open(part, "xb", opener=_privately) as file:  # Path.open takes no opener
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                yield Packing(Path(name), tar)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    sync_folder(target.parent)


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class Backup:
    """A backup that was read and is as it was written; its database stands in a file."""

    def __init__(self, manifest: Manifest, database: Path, tar: tarfile.TarFile) -> None:
        self.manifest, self.database, self._tar = manifest, database, tar

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The SHA-256 and bytes of every file; Invalid where they have become others since they were checked."""
        for name, member in self.manifest.members.items():
            if name.startswith(FILES):
                content = self._tar.extractfile(name)
                data = content.read() if content else b""
                if hashlib.sha256(data).hexdigest() != member.sha256:
                    raise _refused(f"{name} has changed while it was read")
                yield member.sha256, data


@contextmanager
def opened(file: Path, folder: Path) -> Iterator[Backup]:
    """Check every byte of a backup; its database is left in `folder`. Invalid, with what is wrong, before anything else is done."""
    try:
        with tarfile.open(file, "r:") as tar:
            found = {entry.name: _checked(tar, entry, folder) for entry in _entries(tar)}
            manifest = _manifest(folder / MANIFEST)
            _compare(manifest, found)
            yield Backup(manifest, folder / DATABASE, tar)
    except (tarfile.TarError, EOFError) as error:
        raise _refused(f"it ends too early or is none ({error})") from None


def _entries(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    seen: set[str] = set()
    for entry in tar:
        if entry.name not in (MANIFEST, DATABASE) and not _FILE.fullmatch(entry.name):
            raise _refused(f"it holds {entry.name!r:.200}, which no backup does")
        if entry.type != tarfile.REGTYPE or entry.name in seen:
            raise _refused(f"{entry.name} is no plain file, or there twice")
        seen.add(entry.name)
        yield entry


def _checked(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> Member:
    """Size and hash of an entry; the database and the manifest are written down on the way."""
    if entry.name == MANIFEST and entry.size > MOST_MANIFEST:
        raise _refused("its manifest is too large")
    content, sha256 = tar.extractfile(entry), hashlib.sha256()
    assert content, "it is a plain file"
    place = os.devnull if entry.name.startswith(FILES) else folder / entry.name
    with open(place, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as copy:  # an opener
        while chunk := content.read(1 << 20):
            sha256.update(chunk)
            copy.write(chunk)
    return Member(size=entry.size, sha256=sha256.hexdigest())


def _manifest(file: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise _refused("its manifest, which is written last, is missing: it is not whole") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(one) for one in first["loc"]) or "all of it"
        raise _refused(f"its manifest cannot be read ({where}: {first['msg']})") from None


def _compare(manifest: Manifest, found: dict[str, Member]) -> None:
    found = {name: member for name, member in found.items() if name != MANIFEST}
    for name in sorted(manifest.members.keys() | found.keys()):
        if manifest.members.get(name) != found.get(name):
            raise _refused(f"{name} is not what the manifest says: it was changed, added or left out")
        if name.startswith(FILES) and name != FILES + found[name].sha256:
            raise _refused(f"{name} has another SHA-256 than its name")
    if DATABASE not in found:
        raise _refused("it holds no database")


def _refused(why: str) -> Invalid:
    return Invalid("not_a_backup", f"This backup cannot be used: {why}. Nothing was done.")
