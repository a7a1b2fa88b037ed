"""A folder of pictures, named by SKU or barcode, for the products that have these."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from grocery.db import db, transaction
from grocery.errors import BusyError, GroceryError, InvalidError
from grocery.products.errors import ProductNotFoundError
from grocery.products.images.encoding import read_picture
from grocery.products.images.receiving import MAX_FILE_BYTES
from grocery.products.images.service import set_picture
from grocery.products.models import Product

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class FileResult:
    """What became of a file: `set`, `unchanged` or `refused`, then with the reason."""

    file: str
    result: str
    product_id: int | None = None
    reason: str | None = None


def list_pictures(directory: Path) -> list[Path]:
    """The files of a folder whose names end as those of pictures do, in the order of their names."""
    return sorted(path for path in directory.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())


def import_pictures(paths: list[Path]) -> Iterator[FileResult]:
    """Give each picture to its product, one transaction each, and say what became of it.

    Raises what means that the next one would fare no better: BusyError when the database or the store is away.
    """
    for path in paths:
        try:
            yield _import(path)
        except BusyError:
            raise
        except (GroceryError, OSError) as error:
            reason = error.detail if isinstance(error, GroceryError) else str(error.strerror)
            yield FileResult(_name_of(path), "refused", reason=reason)


def _import(path: Path) -> FileResult:
    with transaction():
        product_id, before = _find(Path(_name_of(path)).stem)
    with path.open("rb") as file:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidError(f"The file has more than {MAX_FILE_BYTES // 2**20} MiB.")
        picture = read_picture(file)
    with transaction():
        row = set_picture(product_id, picture, version=None, actor_id=None)
    return FileResult(_name_of(path), "unchanged" if row.image_url == before else "set", product_id)


def _name_of(path: Path) -> str:
    """The name as a text that can be printed and looked for. On old disks there are some that are not UTF-8."""
    return os.fsencode(path.name).decode(errors="replace")


def _find(name: str) -> tuple[int, str | None]:
    """The product that a file is named after, by SKU, else by barcode, and its picture until now."""
    statement = select(Product.id, Product.image_url)
    for column in (Product.sku, Product.barcode):
        if row := db.session.execute(statement.where(column == name)).one_or_none():
            return row.id, row.image_url
    raise ProductNotFoundError("No product has this SKU or barcode.")
