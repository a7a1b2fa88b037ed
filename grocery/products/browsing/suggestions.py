"""What somebody who types may mean: words, categories, brands and products."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice, zip_longest
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Integer, Row, Select, bindparam, select

from grocery import money
from grocery.products.browsing.keeper import names
from grocery.products.browsing.names import Name
from grocery.products.filters import filter_conditions, search_filter, search_parameters
from grocery.products.images.addresses import public_address
from grocery.products.ranking import rank_products
from grocery.products.rows import CATEGORIES, PRODUCTS
from grocery.products.search import Vocabulary, vocabulary
from grocery.products.search.query import correct_words, parse_search
from grocery.products.search.words import singular, words_of

Suggestion = dict[str, Any]

#: Of more products that match, those found first are ranked: a single letter matches half the catalogue.
MAX_RANKED = 120
_RANKED_CLOSELY = 40

# Completions that are looked at for each that is shown: some say the same as another one.
_SPARE = 3


def suggest(connection: Connection, typed: str, limit: int) -> list[Suggestion]:
    """Up to `limit` suggestions, best first; nothing for what has no words.

    Products take what words, categories and brands leave, half of the room at least.
    """
    known = vocabulary()
    words = words_of(typed)
    meant = correct_words(words, known) or words
    search = parse_search(" ".join(meant), known)
    if search is None:
        return []
    parameters = {**search_parameters(search), "limit": _SPARE * limit}
    products = _unlike(connection.execute(_make_statement(search_filter(search)), parameters), limit)
    completions = _complete(words, meant, products, max(1, limit // 4))
    room = limit - min(len(products), limit - limit // 2)
    shown = completions[:room]
    return [*shown, *map(_product_json, products[: limit - len(shown)])]


def _complete(words: Sequence[str], meant: Sequence[str], found: Sequence[Row], each: int) -> list[Suggestion]:
    """Up to `each` categories, brands and words, in turn. A word that is a name, too, is not told twice."""
    brand_names, category_names = names()
    brands, categories = brand_names.complete(meant, each), category_names.complete(meant, each)
    phrases: dict[tuple[str, ...], str] = {}
    for phrase in _phrases(words, meant, found, vocabulary()):
        phrases.setdefault(_key(phrase), phrase)
    for name in (*brands, *categories):
        phrases.pop(_key(name.text), None)
    kinds = (
        map(_category_json, categories),
        map(_brand_json, brands),
        ({"kind": "word", "text": phrase} for phrase in islice(phrases.values(), each)),
    )
    return [one for turn in zip_longest(*kinds) for one in turn if one is not None]


def _key(text: str) -> tuple[str, ...]:
    """What texts have in common that differ in accents, letter case and number only."""
    return tuple(map(singular, words_of(text)))


@cache
def _make_statement(given: frozenset[str]) -> Select:
    """Products for sale that match, best first."""
    ranked = rank_products(
        [PRODUCTS.c.is_active, *filter_conditions(given)], at_most=MAX_RANKED, closely=_RANKED_CLOSELY
    )
    best = (
        select(ranked).order_by(ranked.c.badness, ranked.c.id).limit(bindparam("limit", type_=Integer)).subquery("best")
    )
    columns = (PRODUCTS.c.id, PRODUCTS.c.name, PRODUCTS.c.brand, PRODUCTS.c.price_cents, PRODUCTS.c.in_stock)
    return (
        select(*columns, PRODUCTS.c.image_url, CATEGORIES.c.path)
        .join(best, best.c.id == PRODUCTS.c.id)
        .join(CATEGORIES, CATEGORIES.c.id == PRODUCTS.c.category_id)
        .order_by(best.c.badness, best.c.id)
    )


def _phrases(words: Sequence[str], meant: Sequence[str], found: Sequence[Row], known: Vocabulary) -> list[str]:
    """Searches to suggest: the correction, what else it is called, ways to go on with the last word."""
    phrases = [] if meant == words else [" ".join(meant)]
    for part in known.synonyms.split(meant):
        phrases += [" ".join(meaning) for meaning in part.meanings if len(part.words) == len(meant)]
    before, last = meant[:-1], meant[-1]
    if before:
        # Only words that stand beside the others in a product: most others would find nothing.
        texts = (f"{row.name} {row.brand or ''}" for row in found)
        beside = {word for text in texts for word in words_of(text) if word.startswith(last)}
        longer = sorted(beside, key=lambda word: (-known.uses_of(word), word))
    else:
        longer = [word.text for word in known.complete(last, 4 * _SPARE)]
    phrases += [" ".join((*before, word)) for word in longer if singular(word) != singular(last)]
    return phrases


def _unlike(rows: Iterable[Row], limit: int) -> list[Row]:
    """The first of the rows with different names."""
    by_name: dict[str, Row] = {}
    for row in rows:
        by_name.setdefault(row.name.lower(), row)
    return list(by_name.values())[:limit]


def _category_json(name: Name) -> Suggestion:
    return {"kind": "category", "text": name.text, "id": name.id, "category": name.path}


def _brand_json(name: Name) -> Suggestion:
    return {"kind": "brand", "text": name.text}


def _product_json(row: Row) -> Suggestion:
    return {
        "kind": "product",
        "text": row.name,
        "id": row.id,
        "category": row.path,
        "price": money.to_text(row.price_cents),
        "currency": current_app.config["CURRENCY"],
        "in_stock": row.in_stock,
        "image_url": public_address(row.image_url, current_app.config["MEDIA_URL"]),
    }
