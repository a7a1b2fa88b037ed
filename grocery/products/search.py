"""What shoppers type, as a full text query of PostgreSQL (pure)."""

import unicodedata

_APOSTROPHES = str.maketrans("", "", "'’")


def prefix_query(typed: str) -> str | None:
    """A `tsquery` that wants every word, or a longer one that begins with it; None when there is no word at all.

    Only letters with their marks (accents, the vowels of many scripts) and digits get through, so that no operator of
    the query language does. Words are cut as the column `products.search` cuts them.
    """
    words = "".join(char if _is_of_word(char) else " " for char in typed.translate(_APOSTROPHES)).split()
    return " & ".join(f"{word}:*" for word in words) or None


def _is_of_word(char: str) -> bool:
    """Whether its category in Unicode is letter, number or mark."""
    return unicodedata.category(char)[0] in "LNM"
