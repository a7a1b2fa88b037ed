"""The names of a process: read from the catalogue, and again after its words have changed."""

import threading
from collections import Counter

from flask import Flask, current_app
from sqlalchemy import text

from grocery.db import reader
from grocery.products.browsing.names import Name, Names
from grocery.products.search import Vocabulary, vocabulary

# Of several spellings in other letter case, the most frequent one.
_READ = text("""
    WITH brands AS (SELECT brand, count(*) AS n FROM products WHERE is_active AND brand IS NOT NULL GROUP BY brand),
    used AS (SELECT category_id AS id, count(*) AS n FROM products WHERE is_active GROUP BY category_id)
    SELECT (SELECT coalesce(json_agg(json_build_array(text, n)), '[]') FROM (
                SELECT (array_agg(brand ORDER BY n DESC, brand))[1] AS text, sum(n) AS n
                FROM brands GROUP BY lower(brand)
            ) AS merged) AS brands,
           (SELECT coalesce(json_agg(json_build_array(name, coalesce(n, 0), id, path)), '[]')
            FROM categories LEFT JOIN used USING (id)) AS categories
""")


class NamesKeeper:
    """Holds the names of brands and of categories as they were when the words of the catalogue were counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted_with: Vocabulary | None = None
        self._names = (Names(), Names())

    def current(self) -> tuple[Names, Names]:
        """The brands and the categories that have products; one SQL statement, if the words have changed."""
        words = vocabulary()
        if self._counted_with is not words:
            # The others wait for the one that reads: an answer made of old names now would be kept as a new one.
            with self._lock:
                if self._counted_with is not words:
                    self._names, self._counted_with = _read_names(), words
        return self._names


def _read_names() -> tuple[Names, Names]:
    with reader() as connection:
        row = connection.execute(_READ).one()
    counts = Counter[str]()
    for _, count, _, path in row.categories:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            counts["/".join(parts[:depth])] += count
    categories = (Name(name, counts[path], id_, path) for name, _, id_, path in row.categories if counts[path])
    return Names(Name(brand, count) for brand, count in row.brands), Names(categories)


def init_app(app: Flask) -> None:
    app.extensions["browsing_names"] = NamesKeeper()


def names() -> tuple[Names, Names]:
    """The brands and the categories of the shop, as this process knows them."""
    kept: NamesKeeper = current_app.extensions["browsing_names"]
    return kept.current()
