"""The vocabulary of a process: read from the tables, and again after they have changed."""

import threading
import time
import uuid

import orjson
from flask import Flask, current_app
from sqlalchemy import text

from grocery.answers import words_changed
from grocery.db import reader
from grocery.products.search.synonyms import Synonyms
from grocery.products.search.vocabulary import Vocabulary

# How long a process may use words that another one has changed.
_CHECK_SECONDS = 3.0

# One statement that asks and answers: without a row, what this process has is the newest.
_READ = text("""
    SELECT generation,
           (SELECT coalesce(json_object_agg(word, uses), '{}') FROM words)::text AS uses,
           (SELECT coalesce(json_agg(json_build_array(term, meaning) ORDER BY id), '[]') FROM synonyms)::text AS pairs
    FROM vocabulary_state WHERE generation IS DISTINCT FROM CAST(:known AS uuid)
""")


class VocabularyKeeper:
    """Holds the newest vocabulary; reads it at its first use, then asks every few seconds whether there is a newer."""

    def __init__(self, check_seconds: float = _CHECK_SECONDS):
        self._check_seconds = check_seconds
        self._lock = threading.Lock()
        # Never held for long: whoever forgets must not wait for a statement.
        self._publishing = threading.Lock()
        self._forgotten = 0
        self.forget()

    def forget(self) -> None:
        """Read it anew at the next use: the tables have changed."""
        with self._publishing:
            self._forgotten += 1
            self._vocabulary: Vocabulary | None = None
            self._generation: uuid.UUID | None = None
            self._check_at = 0.0

    def current(self) -> Vocabulary:
        """The vocabulary of now, or of a few seconds ago; one SQL statement at most."""
        vocabulary = self._vocabulary
        if vocabulary is not None and time.monotonic() < self._check_at:
            return vocabulary
        # While one thread reads a newer one, the others go on with the old one.
        if not self._lock.acquire(blocking=vocabulary is None):
            return vocabulary or Vocabulary({}, Synonyms())
        try:
            return self._read()
        finally:
            self._lock.release()

    def _read(self) -> Vocabulary:
        if self._vocabulary is not None and time.monotonic() < self._check_at:
            return self._vocabulary  # another thread has, while this one waited for the lock
        with self._publishing:
            forgotten, vocabulary, generation = self._forgotten, self._vocabulary, self._generation
        with reader() as connection:
            row = connection.execute(_READ, {"known": generation}).one_or_none()
        if row is not None:
            vocabulary = Vocabulary(orjson.loads(row.uses), Synonyms(orjson.loads(row.pairs)))
            generation = row.generation
        newest = vocabulary or Vocabulary({}, Synonyms())
        with self._publishing:
            # One that was to be forgotten while it was read may be the old one: it serves this request only.
            if forgotten == self._forgotten:
                self._vocabulary, self._generation = newest, generation
                self._check_at = time.monotonic() + self._check_seconds
        return newest


def init_app(app: Flask) -> None:
    app.extensions["vocabulary"] = VocabularyKeeper()
    words_changed.connect(_forget)


def _forget(app: Flask) -> None:
    app.extensions["vocabulary"].forget()


def keeper() -> VocabularyKeeper:
    """The current app's keeper of the vocabulary."""
    kept: VocabularyKeeper = current_app.extensions["vocabulary"]
    return kept


def vocabulary() -> Vocabulary:
    """The words and synonyms of the shop, as this process knows them."""
    return keeper().current()
