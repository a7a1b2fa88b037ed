"""Quantities as people write them, and what is said to those that cannot be taken."""

import re
from decimal import Decimal
from typing import Any

from flask_babel import gettext
from marshmallow import ValidationError

from grocery.errors import InvalidError
from grocery.fields import MAX_QUANTITY, quantity_number
from grocery.orders.cart.errors import CartFullError
from grocery.orders.cart.schemas import PutItemSchema
from grocery.products.errors import ProductUnavailableError

# "2", "0.5", "1,5", ".5", "2 kg" and "250 g".
_WRITTEN = re.compile(r"(?=[.,]?\d)(\d{0,9})(?:[.,](\d{1,3}))?\s*(kg|g)?", re.ASCII | re.IGNORECASE)


class QuantityError(Exception):
    """What was written is no quantity of this product; its text says so to the shopper."""


def read_quantity(written: str, unit: str) -> Decimal:
    """How much is meant, 0 for none of it; raises QuantityError.

    Whether the product is sold in steps of it is for the service to say.
    """
    match = _WRITTEN.fullmatch(written.strip())
    if match is None or (match[3] and unit != "kg"):
        raise QuantityError(_example(unit))
    quantity = Decimal(f"{match[1] or 0}.{match[2] or 0}")
    if match[3] and match[3].lower() == "g":
        quantity /= 1000
    if quantity:
        _check(quantity, unit)
    return quantity


def problem_of(error: Exception, product: dict[str, Any]) -> str:
    """Why a product could not be put in, in words for shoppers."""
    if isinstance(error, QuantityError):
        return str(error)
    if isinstance(error, ProductUnavailableError):
        return gettext("%(name)s is not sold any more.", name=product["name"])
    if isinstance(error, CartFullError):
        return gettext("Your basket is full: it has room for %(limit)s products.", limit=error.members["limit"])
    if product["unit"] == "each" and product["quantity_step"] == 1:
        return gettext("Sold by piece: write a whole number.")
    step = quantity_number(Decimal(str(product["quantity_step"])))
    steps = f"{step} kg" if product["unit"] == "kg" else step
    return gettext("Sold in steps of %(step)s.", step=steps)


#: What `problem_of` has words for.
PROBLEMS: tuple[type[Exception], ...] = (QuantityError, ProductUnavailableError, CartFullError, InvalidError)


def _check(quantity: Decimal, unit: str) -> None:
    try:
        PutItemSchema().load({"quantity": quantity_number(quantity)})
    except ValidationError:
        if quantity > MAX_QUANTITY:
            most = f"{MAX_QUANTITY:,}"
            raise QuantityError(gettext("At most %(most)s.", most=most)) from None
        raise QuantityError(_example(unit)) from None


def _example(unit: str) -> str:
    if unit == "kg":
        return gettext("Write a weight, such as 0.5 or 2 kg.")
    return gettext("Write a number, such as 2.")
