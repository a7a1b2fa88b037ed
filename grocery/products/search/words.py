"""What shoppers type as words, folded as the column `products.search` folds its texts (pure)."""

import re
import unicodedata

# Letters whose stroke is no accent in Unicode; apostrophes go without a trace.
_SPECIAL = str.maketrans("øØđĐłŁ", "oOdDlL", "'’")
_ACCENT = re.compile("[\u0300-\u036f]+")


def fold(typed: str) -> str:
    """A text without accents and apostrophes."""
    return _ACCENT.sub("", unicodedata.normalize("NFD", typed)).translate(_SPECIAL)


def words_of(typed: str) -> list[str]:
    """The words of a text: folded, in lower case, cut as `products.search` cuts them.

    Only letters with their marks (accents, the vowels of many scripts) and digits get through, so that no operator of
    the query language does.
    """
    return "".join(char if _is_of_word(char) else " " for char in fold(typed).lower()).split()


def singular(word: str) -> str:
    """A word without an English plural ending, about as PostgreSQL's stemmer takes it off.

    Both sides of a comparison go through it, so that it need not be right, only the same.
    """
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("oes", "ses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _is_of_word(char: str) -> bool:
    """Whether its category in Unicode is letter, number or mark."""
    return unicodedata.category(char)[0] in "LNM"
