"""What shoppers type, as a full text query of PostgreSQL (pure)."""

import re

_APOSTROPHES = str.maketrans("", "", "'’")
_WORD = re.compile(r"[^\W_]+")


def prefix_query(typed: str) -> str | None:
    """A `tsquery` that wants every word, or a longer one that begins with it; None when there is no word at all.

    Only letters and digits get through, so that no operator of the query language does. Words are cut as the column
    `products.search` cuts them.
    """
    words = _WORD.findall(typed.translate(_APOSTROPHES))
    return " & ".join(f"{word}:*" for word in words) or None
