"""Changes that may not be possible any more, or never were: done, or said why not, in words for staff."""

from collections.abc import Callable
from typing import TypeVar

from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from grocery.db import transaction
from grocery.errors import ConflictError, GroceryError, InvalidError, StaleError
from grocery.orders import errors as order_errors
from grocery.orders.fulfilment import errors as picking_errors
from grocery.orders.payments import errors as payment_errors
from grocery.products.errors import OutOfStockError, ProductUnavailableError
from grocery.storefront.desk.sent import FormError
from grocery.storefront.desk.words import status_words
from grocery.storefront.looks import money, quantity
from grocery.storefront.pages import say

Done = TypeVar("Done")

#: What `problem_of` has words for. That something is not there is a page of its own.
PROBLEMS: tuple[type[Exception], ...] = (ConflictError, StaleError, InvalidError, FormError)


def try_to(change: Callable[[Session], Done]) -> Done | None:
    """Do it in one transaction; when it is not possible, say why on the next page, and answer None."""
    try:
        with transaction() as session:
            return change(session)
    except PROBLEMS as error:
        say(problem_of(error), "bad")
        return None


def problem_of(error: Exception) -> str:
    """Why something was not done."""
    if isinstance(error, FormError):
        return str(error)
    words = _WORDS.get(type(error))
    if words is not None and isinstance(error, GroceryError):
        return words(error)
    return error.detail if isinstance(error, GroceryError) else str(error)


def _stale(_error: GroceryError) -> str:
    return gettext("This order was changed meanwhile. Look at it as it is now, then do it again.")


def _illegal(error: GroceryError) -> str:
    return gettext("The order is “%(status)s” by now. That is not possible any more.", status=_current(error))


def _lines_open(error: GroceryError) -> str:
    number = len(error.members["line_ids"])
    return ngettext("%(num)s line is not picked yet.", "%(num)s lines are not picked yet.", number)


def _out_of_stock(error: GroceryError) -> str:
    short = error.members["items"][0]
    return gettext(
        "Only %(left)s of %(name)s are in stock.", left=quantity(short["available"], "each"), name=short["name"]
    )


def _over_due(error: GroceryError) -> str:
    return gettext("That is more than what is due: %(amount)s.", amount=money(error.members["due"]))


def _over_paid(error: GroceryError) -> str:
    return gettext("That is more than what was paid: %(amount)s.", amount=money(error.members["paid"]))


def _current(error: GroceryError) -> str:
    return status_words(str(error.members.get("current", "")))


_WORDS: dict[type[Exception], Callable[[GroceryError], str]] = {
    StaleError: _stale,
    order_errors.EditConflictError: _stale,
    order_errors.IllegalTransitionError: _illegal,
    order_errors.NotEditableError: _illegal,
    order_errors.LinesOpenError: _lines_open,
    order_errors.NothingPickedError: lambda _: gettext("Nothing is in the bag. Cancel the order instead."),
    order_errors.LastLineError: lambda _: gettext("It is the only line. Cancel the order instead."),
    picking_errors.LineChangedError: lambda _: gettext("Somebody else has picked this line meanwhile. Look again."),
    picking_errors.PickedTooMuchError: lambda error: gettext(
        "No more than was ordered: %(ordered)s.", ordered=error.members["ordered"]
    ),
    picking_errors.ImplausibleWeightError: lambda _: gettext(
        "More than twice what was ordered. Was it in grams, not kilograms?"
    ),
    payment_errors.PaymentExceedsTotalError: _over_due,
    payment_errors.RefundExceedsPaidError: _over_paid,
    OutOfStockError: _out_of_stock,
    ProductUnavailableError: lambda _: gettext("This product is not sold any more."),
}
