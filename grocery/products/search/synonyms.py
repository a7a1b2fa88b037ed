"""Words that mean the same, as a search looks them up (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grocery.products.search.words import singular, words_of

Words = tuple[str, ...]


class Part(NamedTuple):
    """Consecutive words of a search and what else they are called."""

    words: Words
    meanings: tuple[Words, ...]


class Synonyms:
    """Pairs of names for the same thing, looked up in both directions and in either number."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()):
        self._meanings: dict[Words, list[Words]] = defaultdict(list)
        self.words: set[str] = set()
        for pair in pairs:
            term, meaning = map(tuple, map(words_of, pair))
            self._add(term, meaning)
            self._add(meaning, term)
        self._longest = max(map(len, self._meanings), default=0)

    def meanings_of(self, words: Sequence[str]) -> tuple[Words, ...]:
        """What else these words, all together, are called."""
        return tuple(self._meanings.get(_key(words), ()))

    def split(self, words: Sequence[str]) -> list[Part]:
        """A search cut into the longest parts that have synonyms, and single words."""
        parts = []
        position = 0
        while position < len(words):
            part = self._part_at(words, position)
            parts.append(part)
            position += len(part.words)
        return parts

    def _part_at(self, words: Sequence[str], position: int) -> Part:
        for length in range(min(self._longest, len(words) - position), 0, -1):
            here = tuple(words[position : position + length])
            if meanings := self.meanings_of(here):
                return Part(here, meanings)
        return Part((words[position],), ())

    def _add(self, term: Words, meaning: Words) -> None:
        if term and meaning and meaning not in self._meanings[_key(term)]:
            self._meanings[_key(term)].append(meaning)
            self.words.update(term)


def _key(words: Iterable[str]) -> Words:
    return tuple(map(singular, words))
