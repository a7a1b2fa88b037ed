"""What shoppers type, as a full text query of PostgreSQL and as a pattern for names (pure)."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from grocery.products.search.synonyms import Part
from grocery.products.search.vocabulary import Vocabulary
from grocery.products.search.words import singular, words_of

# Shorter words that another one follows are finished ("5 l", "no sugar"): as beginnings they are of everything.
_MIN_PREFIX_LETTERS = 3

# Up to so many longer words are searched for one by one: PostgreSQL finds whole words faster than beginnings. Not for
# the last word, whose newest longer ones may not be counted yet, unless the whole catalogue has it as it is.
_MAX_LISTED, _COMMON_USES = 8, 1000

# Ways to go on with an unfinished word: "bakin" is no beginning of "baking", which the index has as "bake".
_COMPLETIONS = 5

# A name says what a thing is at the end of a part: "Peanut Butter - Creamy", "Nyanya (Tomatoes), 1 kg".
_PART_BEGINS, _PART_ENDS = r"(^|[(/])([^-,(/+]*\s)?", r"\s*($|[-,()/+0-9])"


@dataclass(frozen=True)
class Search:
    """A search: texts for `to_tsquery`, regular expressions for names, and what may be an SKU or a barcode.

    In all of them, only letters, their marks and digits are what the shopper typed.
    """

    typed: str
    words: tuple[str, ...]
    #: Every word, or a longer one that begins with it, or a synonym.
    matches: str
    #: The rest of it: the last word, when so little is there that an index would gather half the catalogue for it.
    also: str | None
    #: Both for the order: words that are known whole count only as they are.
    ranks: str
    #: For names of things that are what was searched for: "rice" for "Basmati Rice", not for "Rice Cooker".
    names: str
    #: How the names of those begin that are called just so, in lower case.
    begins: str


def parse_search(typed: str, vocabulary: Vocabulary) -> Search | None:
    """What is searched for; None when there is no word at all."""
    words = words_of(typed)
    if not words:
        return None
    parts = vocabulary.synonyms.split(words)
    last = len(words) - 1
    finished = {word for position, word in enumerate(words) if position < last or len(word) >= _MIN_PREFIX_LETTERS}
    known = {word for word in finished if vocabulary.is_word(word)}
    short = {word for word in finished if len(word) < _MIN_PREFIX_LETTERS}

    def begun(word: str) -> str:
        return _begun(word, vocabulary, is_last=word == words[-1])

    *matches, last_match = (_alternatives(part, short, begun) for part in parts)
    is_barely_begun = bool(matches) and parts[-1].words == (words[-1],) and len(words[-1]) < _MIN_PREFIX_LETTERS
    heads = "|".join(dict.fromkeys(head for part in parts for head in _heads(part, vocabulary)))
    return Search(
        typed=typed,
        words=tuple(words),
        matches=" & ".join(matches if is_barely_begun else [*matches, last_match]),
        also=last_match if is_barely_begun else None,
        ranks=" & ".join(_alternatives(part, known | short, lambda word: _likely(word, vocabulary)) for part in parts),
        names=f"{_PART_BEGINS}({heads}){_PART_ENDS}",
        begins=" ".join([*words[:-1], singular(words[-1])]),
    )


def correct_words(words: Sequence[str], vocabulary: Vocabulary) -> list[str] | None:
    """The words with those that the vocabulary does not know put right as far as possible; None without a change."""
    corrected = [word if vocabulary.knows(word) else _corrected(word, vocabulary) for word in words]
    return None if corrected == list(words) else corrected


def _corrected(word: str, vocabulary: Vocabulary) -> str:
    if nearest := vocabulary.correct(word):
        return nearest
    longer = vocabulary.containing(word, 1)
    return longer[0].text if longer else word


def _alternatives(part: Part, whole: Set[str], expand: Callable[[str], str]) -> str:
    """A part of the search or one of its meanings; all but `whole` words expanded."""
    literal = _all_of([word if word in whole else expand(word) for word in part.words])
    return _any_of([literal, *map(_all_of, part.meanings)])


def _begun(word: str, vocabulary: Vocabulary, *, is_last: bool) -> str:
    """All words that begin so."""
    if not vocabulary.is_word(word):
        # Three letters are left of every word, whatever its ending: the index has none that is shorter.
        longer = vocabulary.complete(word, _COMPLETIONS) if len(word) > _MIN_PREFIX_LETTERS else []
        return _any_of([f"{word}:*", *(one.text for one in longer)])
    longer = vocabulary.complete(word, _MAX_LISTED + 1)
    if len(longer) > _MAX_LISTED or (is_last and vocabulary.uses_of(word) < _COMMON_USES):
        return f"{word}:*"
    stem = singular(word)
    return _any_of([word, *(one.text for one in longer if singular(one.text) != stem)])


def _likely(word: str, vocabulary: Vocabulary) -> str:
    """The most used words that begin so. All of them would favour names in which every word begins with an s."""
    return _any_of([one.text for one in vocabulary.complete(word, _COMPLETIONS)] or [f"{word}:*"])


def _any_of(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else "(" + " | ".join(terms) + ")"


def _all_of(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else "(" + " & ".join(terms) + ")"


def _heads(part: Part, vocabulary: Vocabulary) -> list[str]:
    word = part.words[0]
    if not part.meanings and (len(word) < _MIN_PREFIX_LETTERS or not vocabulary.is_word(word)):
        return [rf"{word}\w*"]
    return [_phrase(words) for words in (part.words, *part.meanings)]


def _phrase(words: Sequence[str]) -> str:
    """A pattern of words in either number, with anything but letters between them."""
    return r"\W+".join(map(_either_number, words))


def _either_number(word: str) -> str:
    stem = singular(word)
    return f"{stem[:-1]}(y|ies)" if stem.endswith("y") else f"{stem}(s|es)?"
