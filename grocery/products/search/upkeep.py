"""Counting the words of the catalogue, after it was changed."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from flask import Flask
from sqlalchemy import delete, select, text

from grocery.answers import catalogue_changed
from grocery.db import after_commit, db, reader, transaction
from grocery.products.models import words_sql
from grocery.products.search.keeper import keeper
from grocery.products.search.models import CatalogueWord
from grocery.queues import BulkTask

_BATCH_WORDS = 2000

# Longer ones are no words; single letters complete to nothing.
_MIN_LETTERS, _MAX_LETTERS = 2, 40

_TEXTS = words_sql("name || ' ' || coalesce(brand, '') || ' ' || category_path")
_DOCUMENTS = f"SELECT to_tsvector('simple', {_TEXTS}) FROM products WHERE is_active"  # noqa: S608  # made of constants

_COUNT = text("""
    SELECT word, ndoc FROM ts_stat(:documents)
    WHERE char_length(word) BETWEEN :min_letters AND :max_letters AND word ~ '[[:alpha:]]'
""")

_CATALOGUE_AT = text("SELECT max(updated_at) FROM products")

# Not at every change: a shop of 100,000 products takes some seconds to count. A day old it is due anyway: that catches
# what a transaction has committed after a later one was counted.
_IS_DUE = text("""
    SELECT state.counted_at < now() - interval '1 day'
           OR (state.counted_at < now() - interval '30 seconds'
               AND state.catalogue_at IS DISTINCT FROM coalesce((SELECT max(updated_at) FROM products), '-infinity'))
    FROM vocabulary_state AS state
""")

_LOCK = text("SELECT generation FROM vocabulary_state FOR UPDATE")

_UPSERT = text("""
    INSERT INTO words (word, uses)
    SELECT * FROM unnest(CAST(:words AS text[]), CAST(:uses AS integer[])) AS counted (word, uses)
    ON CONFLICT (word) DO UPDATE SET uses = excluded.uses
""")

_NOTE_COUNT = text("""
    INSERT INTO vocabulary_state (catalogue_at) VALUES (coalesce(CAST(:catalogue_at AS timestamptz), '-infinity'))
    ON CONFLICT (id) DO UPDATE
    SET generation = excluded.generation, catalogue_at = excluded.catalogue_at, counted_at = excluded.counted_at
""")

_NOTE_CHANGE = text("""
    INSERT INTO vocabulary_state (catalogue_at) VALUES (NULL)
    ON CONFLICT (id) DO UPDATE SET generation = excluded.generation
""")

_MARK_STALE = text("UPDATE vocabulary_state SET catalogue_at = NULL")


def refresh_words() -> None:
    """Count the words again and write what differs, in a transaction of its own. Safe to run twice at once."""
    with reader() as connection:
        # Before the count, so that what is changed meanwhile is counted the next time.
        catalogue_at = connection.scalar(_CATALOGUE_AT)
        parameters = {"documents": _DOCUMENTS, "min_letters": _MIN_LETTERS, "max_letters": _MAX_LETTERS}
        counted = {row.word: row.ndoc for row in connection.execute(_COUNT, parameters)}
    with transaction() as session:
        session.execute(_LOCK)
        _write(counted)
        session.execute(_NOTE_COUNT, {"catalogue_at": catalogue_at})
        note_own_change()


def mark_words_stale() -> None:
    """Have the words counted soon, although no product has a newer date. Call it last in a transaction."""
    db.session.execute(_MARK_STALE)


def note_change() -> None:
    """Tell all processes, when the current transaction commits, that words or synonyms are others now."""
    db.session.execute(_NOTE_CHANGE)
    note_own_change()


def note_own_change() -> None:
    """Have this process read the words anew after the commit, without waiting for its next check."""
    after_commit("vocabulary", keeper().forget)
    catalogue_changed()


def bulk_tasks(_app: Flask) -> list[BulkTask]:
    return [BulkTask("search.words", is_due, _step)]


def is_due() -> bool:
    """Whether the catalogue was changed since its words were counted."""
    with reader() as connection:
        return bool(connection.scalar(_IS_DUE))


def _step() -> bool:
    if is_due():
        refresh_words()
    return False


def _write(counted: Mapping[str, int]) -> None:
    known = {row.word: row.uses for row in db.session.execute(select(CatalogueWord.word, CatalogueWord.uses))}
    for words in _batches(sorted(known.keys() - counted.keys())):
        db.session.execute(delete(CatalogueWord).where(CatalogueWord.word.in_(words)))
    for words in _batches(sorted(word for word, uses in counted.items() if known.get(word) != uses)):
        db.session.execute(_UPSERT, {"words": words, "uses": [counted[word] for word in words]})


def _batches(words: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(words)
    while batch := list(islice(rest, _BATCH_WORDS)):
        yield batch
