"""Which product a row is about: the one with its SKU, else its barcode, else its name, brand and category."""

import hashlib
import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import ARRAY, Row, Text, cast, func, or_

from grocery.db import db
from grocery.products.imports.cells import ProductRow, RowError, name_key
from grocery.products.models import Product
from grocery.products.prices.rows import select_products_with_regular_prices


class Seen:
    """The rows of a file so far, by what they are known by: a product stands in a file once.

    Keeps about 600 bytes for each row, whatever its length. Keys are kept as hashes of 64 bits, the same in every
    process: what one chunk has added can be stored, so that another process goes on behind it.
    """

    def __init__(self, stored: Iterable[bytes] = ()) -> None:
        self._rows: dict[int, int] = {}
        self._added: list[int] = []
        for chunk in stored:
            numbers = struct.unpack(f"<{len(chunk) // 8}q", chunk)
            self._rows.update(zip(numbers[::2], numbers[1::2], strict=True))

    def begin_chunk(self) -> None:
        self._added.clear()

    def added(self) -> bytes:
        """What was added since the chunk began, to be given to the next one who goes on."""
        return struct.pack(f"<{len(self._added)}q", *self._added)

    def check(self, row: ProductRow) -> None:
        """Raise RowError when an earlier row is known by the same, or has its barcode."""
        for what, key in self._keys(row):
            earlier = self._rows.get(key)
            if earlier is not None and what:
                raise RowError(f"same {what} as row {earlier}")

    def check_name(self, row: ProductRow) -> None:
        """Raise RowError when an earlier row, known by its SKU or barcode, has the name that is all this row has."""
        earlier = self._rows.get(_hash("name", *row.name_key), row.number)
        if _is_bare(row) and earlier < row.number:
            raise RowError(f"same product as row {earlier}")

    def add(self, row: ProductRow) -> None:
        for _, key in self._keys(row):
            self._note(key, row.number)

    def claim(self, row: ProductRow, product_id: int) -> None:
        """Note which product a row is about; raises RowError when an earlier row is about it, known by another key."""
        earlier = self._note(_hash("product", str(product_id)), row.number)
        if earlier != row.number:
            raise RowError(f"same product as row {earlier}")

    def _note(self, key: int, number: int) -> int:
        """The first row with this key, which is this one if there was none."""
        earlier = self._rows.setdefault(key, number)
        if earlier == number:
            self._added += (key, number)
        return earlier

    @staticmethod
    def _keys(row: ProductRow) -> list[tuple[str, int]]:
        """What a row is known by, and how to call that; the last is for `check_name`."""
        name = ("", _hash("name", *row.name_key))
        if _is_bare(row):
            return [("product", _hash("bare name", *row.name_key)), name]
        sku = [("SKU", _hash("sku", row.sku))] if row.sku else []
        barcode = [("barcode", _hash("barcode", row.barcode))] if row.barcode else []
        return [*sku, *barcode, name]


def _is_bare(row: ProductRow | Row) -> bool:
    """Whether it has no more than a name to be known by."""
    return not (row.sku or row.barcode)


def _hash(*key: str) -> int:
    """Of 200,000 rows, two keys have the same hash once in a hundred million files."""
    digest = hashlib.blake2b("\x00".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


class Matches:
    """The products in the database that some rows may be about."""

    def __init__(self, rows: Sequence[ProductRow]):
        self._by_sku: dict[str, Row] = {}
        self._by_barcode: dict[str, Row] = {}
        self._by_name: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        self._read_identified(rows)
        self._read_named({row.values["name"] for row in rows if not (row.sku or row.barcode)})

    def find(self, row: ProductRow, seen: Seen) -> Row | None:
        """The product that a row is about, None when there is none yet; raises RowError when that is not clear."""
        product = self._find(row)
        if product is None or not _is_bare(product):
            seen.check_name(row)
        if product is not None:
            seen.claim(row, product.id)
        return product

    def _find(self, row: ProductRow) -> Row | None:
        owner = self._by_barcode.get(row.barcode) if row.barcode else None
        if not row.sku:
            return owner if row.barcode else self._find_by_name(row)
        product = self._by_sku.get(row.sku)
        if owner is None or (product is not None and owner.id == product.id):
            return product
        if product is None and owner.sku is None:
            return owner
        raise RowError(f"barcode: {row.barcode} belongs to another product (SKU {owner.sku or 'none'})")

    def _find_by_name(self, row: ProductRow) -> Row | None:
        products = self._by_name[row.name_key]
        # One with an SKU or a barcode is more likely the product of another row.
        bare = [product for product in products if _is_bare(product)]
        candidates = bare or products
        if len(candidates) > 1:
            raise RowError("several products have this name, brand and category; give the SKU")
        return candidates[0] if candidates else None

    def _read_identified(self, rows: Sequence[ProductRow]) -> None:
        skus = [row.sku for row in rows if row.sku]
        barcodes = [row.barcode for row in rows if row.barcode]
        if not (skus or barcodes):
            return
        statement = select_products_with_regular_prices().where(
            or_(Product.sku.in_(skus), Product.barcode.in_(barcodes))
        )
        for product in db.session.execute(statement):
            if product.sku:
                self._by_sku[product.sku] = product
            if product.barcode:
                self._by_barcode[product.barcode] = product

    def _read_named(self, names: set[str]) -> None:
        if not names:
            return
        wanted = func.unnest(cast(list(names), ARRAY(Text))).table_valued("name", name="wanted")
        statement = (
            select_products_with_regular_prices()
            .join(wanted, func.lower(Product.name) == func.lower(wanted.c.name))
            .distinct()
        )
        for product in db.session.execute(statement):
            self._by_name[name_key(product.name, product.brand, product.category)].append(product)
