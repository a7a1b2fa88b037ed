"""The way through the shop: what spoils comes last into the bag. Pure.

Products have no storage of their own, so their category says it, by the words that shops use for such shelves.
"""

import re

AMBIENT, CHILLED, FROZEN = range(3)

_FROZEN = re.compile(r"\b(frozen|ice[ -]?cream|barafu)s?\b", re.IGNORECASE)
_CHILLED = re.compile(
    r"\b(chilled|fridge|refrigerated|dairy|milk|yogh?urt|cheese|butter|meat|beef|pork|chicken|poultry|fish|seafood"
    r"|sausage|deli|maziwa|nyama|samaki|kuku)s?\b",
    re.IGNORECASE,
)


def cold_of(category: str) -> int:
    """How cold the goods of a category (its path) are kept: AMBIENT, CHILLED or FROZEN."""
    if _FROZEN.search(category):
        return FROZEN
    return CHILLED if _CHILLED.search(category) else AMBIENT


def walk_key(category: str, name: str, line_id: int) -> tuple[int, str, str, int]:
    """What to sort lines by for one walk: by category, chilled and frozen goods last."""
    return cold_of(category), category.casefold(), name.casefold(), line_id
