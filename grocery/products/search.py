"""What shoppers type, as a full text query of PostgreSQL (pure)."""

import re
import unicodedata

# Letters whose stroke is no accent in Unicode; apostrophes go without a trace.
_SPECIAL = str.maketrans("øØđĐłŁ", "oOdDlL", "'’")
_ACCENT = re.compile("[\u0300-\u036f]+")


def prefix_query(typed: str) -> str | None:
    """A `tsquery` that wants every word, or a longer one that begins with it; None when there is no word at all.

    Only letters with their marks (accents, the vowels of many scripts) and digits get through, so that no operator of
    the query language does. Words are cut as the column `products.search` cuts them.
    """
    words = "".join(char if _is_of_word(char) else " " for char in fold(typed)).split()
    return " & ".join(f"{word}:*" for word in words) or None


def fold(typed: str) -> str:
    """A text without accents and apostrophes, as the column `products.search` folds it."""
    return _ACCENT.sub("", unicodedata.normalize("NFD", typed)).translate(_SPECIAL)


def _is_of_word(char: str) -> bool:
    """Whether its category in Unicode is letter, number or mark."""
    return unicodedata.category(char)[0] in "LNM"
