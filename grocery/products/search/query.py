"""What shoppers type, as a full text query of PostgreSQL (pure)."""

from grocery.products.search.words import words_of


def prefix_query(typed: str) -> str | None:
    """A `tsquery` that wants every word, or a longer one that begins with it; None when there is no word at all."""
    return " & ".join(f"{word}:*" for word in words_of(typed)) or None
