"""The words that a shopper may mean: how one goes on, what a misspelt one was to be (pure)."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from heapq import nsmallest
from typing import NamedTuple

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from grocery.products.search.synonyms import Synonyms
from grocery.products.search.words import singular

#: Shorter ones are inside of half the vocabulary.
MIN_PART_LETTERS = 4

# Words of two letters are everything with one error.
_MIN_CORRECTED_LETTERS = 3
_ONE_ERROR_UP_TO_LETTERS = 5

# Prefixes so short that they have thousands of words, which are put in order once.
_SHORT_PREFIX_LETTERS = 2

# Above every character that a word can have.
_LAST = "\U0010ffff"

_VOWELS = frozenset("aeiouy")


class Word(NamedTuple):
    """A word and the number of products for sale that have it."""

    text: str
    uses: int


class Vocabulary:
    """An unchanging set of words, so that any number of threads may use one.

    `uses` has the words as `words_of` makes them; words of synonyms are known, too, with the uses that they have.
    """

    def __init__(self, uses: Mapping[str, int], synonyms: Synonyms):
        self.synonyms = synonyms
        self._uses = {**dict.fromkeys(synonyms.words, 0), **uses}
        self._sorted = sorted(self._uses)
        self._stems = {singular(word) for word in self._sorted}
        self._by_length: dict[int, list[str]] = defaultdict(list)
        self._by_prefix: dict[str, list[Word]] = defaultdict(list)
        for word in sorted(map(self._word, self._sorted), key=_rank):
            self._by_length[len(word.text)].append(word.text)
            for letters in range(min(_SHORT_PREFIX_LETTERS, len(word.text)) + 1):
                self._by_prefix[word.text[:letters]].append(word)

    def __len__(self) -> int:
        return len(self._sorted)

    def knows(self, word: str) -> bool:
        """Whether the word, another number of it, or one that begins with it is there."""
        if word in self._uses or singular(word) in self._stems:
            return True
        position = bisect_left(self._sorted, word)
        return position < len(self._sorted) and self._sorted[position].startswith(word)

    def is_word(self, word: str) -> bool:
        """Whether the whole word, or another number of it, is there."""
        return word in self._uses or singular(word) in self._stems

    def uses_of(self, word: str) -> int:
        return self._uses.get(word, 0)

    def complete(self, prefix: str, limit: int) -> list[Word]:
        """The words that begin with `prefix` (itself as `words_of` makes them), most used first."""
        if len(prefix) <= _SHORT_PREFIX_LETTERS:
            return self._by_prefix.get(prefix, [])[:limit]
        start = bisect_left(self._sorted, prefix)
        end = bisect_left(self._sorted, prefix + _LAST, start)
        return nsmallest(limit, map(self._word, self._sorted[start:end]), key=_rank)

    def correct(self, word: str) -> str | None:
        """The word that was probably meant, None when none is near.

        One error (a letter too much, missing, wrong, or two swapped) in up to 5 letters, two in more. Of several, the
        one with the fewest errors, then one with the same first letter and consonants, then the most used.
        """
        if len(word) < _MIN_CORRECTED_LETTERS or not any(map(str.isalpha, word)):
            return None
        errors = 1 if len(word) <= _ONE_ERROR_UP_TO_LETTERS else 2
        lengths = range(max(_MIN_CORRECTED_LETTERS, len(word) - errors), len(word) + errors + 1)
        near = [
            (distance, candidate)
            for length in lengths
            for candidate, distance, _ in extract(
                word, self._by_length.get(length, []), scorer=OSA.distance, score_cutoff=errors, limit=None
            )
        ]
        sound = _sound(word)
        return min(
            near,
            key=lambda one: (
                one[0],
                one[1][0] != word[0],
                _sound(one[1]) != sound,
                -self._uses[one[1]],
                one[1],
            ),
            default=(0, None),
        )[1]

    def containing(self, part: str, limit: int) -> list[Word]:
        """The words that have `part` (of at least MIN_PART_LETTERS) inside, most used first."""
        if len(part) < MIN_PART_LETTERS:
            return []
        return nsmallest(limit, (self._word(word) for word in self._sorted if part in word), key=_rank)

    def _word(self, text: str) -> Word:
        return Word(text, self._uses[text])


def _rank(word: Word) -> tuple[int, str]:
    return -word.uses, word.text


def _sound(word: str) -> str:
    """The consonants, doubled ones once: what people who spell by ear get right."""
    letters = [letter for letter in word if letter not in _VOWELS]
    return "".join(letter for letter, before in zip(letters, ["", *letters], strict=False) if letter != before)
