"""Where the bytes of attachments are: under their SHA-256, in a folder or an S3-compatible store, by the same calls."""

import hashlib
import os
from pathlib import Path
from shutil import disk_usage

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

LITTLE = 50_000_000  # bytes: twice the largest attachment


class Files:
    """A store of bytes by their SHA-256; putting the same bytes again changes nothing."""

    def __init__(self, url: str) -> None:
        self._store: ObjectStore
        self._folder: Path | None = None
        if url.startswith("file://"):
            folder = Path(url.removeprefix("file://"))
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store, self._folder = LocalStore(folder), folder
        else:
            self._store = from_url(url)

    def can_be_written(self) -> bool:
        """Whether a folder may be written and has room; of a store elsewhere it is taken for granted, asking takes too long."""
        return self._folder is None or (os.access(self._folder, os.W_OK) and disk_usage(self._folder).free > LITTLE)

    async def put(self, sha256: str, data: bytes) -> None:
        await obstore.put_async(self._store, _place(sha256), data)

    async def get(self, sha256: str) -> bytes | None:
        """The bytes, or None when they are not there."""
        try:
            found = await obstore.get_async(self._store, _place(sha256))
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            return None

    async def whole(self, sha256: str) -> bytes | None:
        """As `get`, None also where the bytes have become others; OSError where the store does not answer."""
        try:
            data = await self.get(sha256)
        except BaseError as error:
            raise OSError(f"the store of files (EARMARK_FILES) does not answer: {type(error).__name__}") from error
        return data if data is not None and hashlib.sha256(data).hexdigest() == sha256 else None


def _place(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"
