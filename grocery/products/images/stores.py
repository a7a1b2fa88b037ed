"""Where the files of pictures are: a directory or an S3-compatible bucket, behind one small interface.

Names are those of `addresses.name_of`. Both are reached through obstore, which writes a file whole or not at all. Its
threads do not survive a fork, so a store is made at its first use and never used before one.
"""

import logging
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from grocery.config import Settings
from grocery.products.images.errors import MediaUnavailableError, PictureNotFoundError

log = logging.getLogger(__name__)

#: A name belongs to its content for ever.
CACHE_CONTROL = "public, max-age=31536000, immutable"
CONTENT_TYPE = "image/webp"

#: For one call to a bucket, a second try included.
TIMEOUT = timedelta(seconds=4)


@dataclass(frozen=True)
class StoredFile:
    name: str
    modified_at: datetime


class Store(Protocol):
    """All raise MediaUnavailableError when the store is away, refuses, or takes longer than some seconds."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file, or write it again."""

    def get(self, name: str) -> bytes:
        """The content of a file; raises PictureNotFoundError."""

    def delete(self, names: Collection[str]) -> None:
        """Remove files; those that are not there are no error."""

    def list_after(self, name: str, limit: int) -> list[StoredFile]:
        """About `limit` files in the order of their names, all after `name`; none when there are no more."""


class _ObjectStore:
    """What both have in common."""

    def __init__(self, store: LocalStore | S3Store, attributes: dict[str, str] | None = None):
        self._store = store
        self._attributes = attributes

    def put(self, name: str, data: bytes) -> None:
        with _unavailable_on_error():
            obstore.put(self._store, name, data, attributes=self._attributes, use_multipart=False)

    def get(self, name: str) -> bytes:
        with _unavailable_on_error():
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError:
                raise PictureNotFoundError from None

    def delete(self, names: Collection[str]) -> None:
        with _unavailable_on_error():
            for name in names:
                with suppress(FileNotFoundError):
                    obstore.delete(self._store, name)


class DirectoryStore(_ObjectStore):
    """Files below a directory, which is made if need be."""

    def __init__(self, directory: Path):
        with _unavailable_on_error():
            directory.mkdir(parents=True, exist_ok=True)
            super().__init__(LocalStore(directory, automatic_cleanup=True))
        self._directory = directory

    def list_after(self, name: str, limit: int) -> list[StoredFile]:
        """Read without obstore, which lists a directory in no order."""
        folder = name.partition("/")[0]
        found: list[StoredFile] = []
        with _unavailable_on_error():
            for above in sorted(entry.name for entry in os.scandir(self._directory) if entry.is_dir()):
                if above >= folder and len(found) < limit:
                    found += [file for file in self._files(above) if file.name > name]
        return found

    def _files(self, folder: str) -> list[StoredFile]:
        entries = sorted(os.scandir(self._directory / folder), key=lambda entry: entry.name)
        return [
            StoredFile(f"{folder}/{entry.name}", datetime.fromtimestamp(entry.stat().st_mtime, UTC))
            for entry in entries
            if entry.is_file()
        ]


class BucketStore(_ObjectStore):
    """A bucket at Amazon or anybody who speaks S3."""

    def __init__(self, *, endpoint: str, bucket: str, region: str, access_key: str, secret_key: str):
        store = S3Store(
            bucket,
            endpoint=endpoint,
            region=region,
            access_key_id=access_key,
            secret_access_key=secret_key,
            virtual_hosted_style_request=False,
            # Not everybody knows the call that deletes many at once.
            disable_bulk_delete=True,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=2),
                "timeout": TIMEOUT,
            },
            retry_config={"max_retries": 1, "retry_timeout": TIMEOUT},
        )
        # For those who fetch pictures from the bucket without us.
        super().__init__(store, {"Content-Type": CONTENT_TYPE, "Cache-Control": CACHE_CONTROL})

    def list_after(self, name: str, limit: int) -> list[StoredFile]:
        with _unavailable_on_error():
            chunk = next(iter(obstore.list(self._store, offset=name or None, chunk_size=limit)), [])
            return [StoredFile(file["path"], file["last_modified"]) for file in chunk]


def make_store(settings: Settings) -> Store:
    """The store that the settings ask for; raises MediaUnavailableError when its directory cannot be made."""
    if settings.media_backend == "directory":
        return DirectoryStore(settings.media_dir)
    return BucketStore(
        endpoint=settings.s3_endpoint or "",
        bucket=settings.s3_bucket,
        region=settings.s3_region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
    )


@contextmanager
def _unavailable_on_error() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        # Only the first line: obstore appends how it looks inside.
        log.error("the store of pictures: %s", str(error).partition("\n")[0])
        raise MediaUnavailableError from error
