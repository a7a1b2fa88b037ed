"""Names of brands and categories that go on as somebody types (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from grocery.products.search.words import singular, words_of

# Names are kept by the beginnings of their words, so that one letter already needs no search.
_KEPT_LETTERS = 2


class Name(NamedTuple):
    """A brand, or with its id and path a category, and the number of products for sale that it has."""

    text: str
    uses: int
    id: int | None = None
    path: str | None = None


class Names:
    """An unchanging set of names, so that any number of threads may use one."""

    def __init__(self, names: Iterable[Name] = ()):
        self._by_beginning: dict[str, list[tuple[list[str], Name]]] = defaultdict(list)
        for name in sorted(names, key=lambda name: (-name.uses, name.text)):
            words = words_of(name.text)
            for beginning in {word[:letters] for word in words for letters in range(1, _KEPT_LETTERS + 1)}:
                self._by_beginning[beginning].append((words, name))

    def complete(self, typed: Sequence[str], limit: int) -> list[Name]:
        """The names that have a word for each of `typed` (words of `words_of`), or a longer one that begins with it.

        Those that have just these words first, then those with most products.
        """
        if not typed:
            return []
        beginnings = [(part, singular(part)) for part in typed]
        near = self._by_beginning.get(typed[-1][:_KEPT_LETTERS], ())
        fitting = ((words, name) for words, name in near if _has_all(words, beginnings))
        found = list(islice(fitting, 4 * limit))
        found.sort(key=lambda one: list(map(singular, one[0])) != list(map(singular, typed)))
        return [name for _, name in found[:limit]]


def _has_all(words: Sequence[str], beginnings: Sequence[tuple[str, str]]) -> bool:
    """Whether for each part there is a word that begins with it in one of its numbers."""
    return all(any(word.startswith(part) for word in words) for part in beginnings)
