"""What was changed in an order, as data: the texts of each language make a sentence of it.

Each phrase is `{"say": …}` with what its sentence names; the sentences stand in the `_phrases.txt` of the languages.
"""

from decimal import Decimal
from typing import Any

from grocery.fields import quantity_number

Phrase = dict[str, Any]


def amount(quantity: Decimal, unit: str) -> dict[str, str]:
    """A quantity of pieces ("each") or kilograms ("kg")."""
    return {"quantity": str(quantity_number(quantity)), "unit": unit}


def added(quantity: Decimal, unit: str, name: str) -> Phrase:
    return {"say": "added", "amount": amount(quantity, unit), "name": name}


def resized(before: Decimal, after: Decimal, unit: str, name: str) -> Phrase:
    """The customer gets another quantity of it."""
    number = str(quantity_number(before))
    return {"say": "resized", "amount": amount(after, unit), "before": number, "name": name}


def removed(name: str) -> Phrase:
    return {"say": "removed", "name": name}


def withdrawn(name: str) -> Phrase:
    """Taken out, since the shop has given it up."""
    return {"say": "withdrawn", "name": name}


def refused(name: str) -> Phrase:
    """The customer does not want this substitute."""
    return {"say": "refused", "name": name}


def missing(name: str) -> Phrase:
    """Nothing of it was there when the order was packed."""
    return {"say": "missing", "name": name}


def short(quantity: Decimal, unit: str, name: str) -> Phrase:
    """There was less of it than ordered."""
    return {"say": "short", "amount": amount(quantity, unit), "name": name}


def replaced(quantity: Decimal, unit: str, name: str, instead_of: str) -> Phrase:
    return {"say": "replaced", "amount": amount(quantity, unit), "name": name, "instead_of": instead_of}


def undelivered(*, is_pickup: bool) -> Phrase:
    """It was on its way and came back, or lay ready and nobody came."""
    return {"say": "uncollected" if is_pickup else "undelivered"}


def erased() -> Phrase:
    """The account went, and the order with it."""
    return {"say": "erased"}
