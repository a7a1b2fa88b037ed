"""What is written into the forms of shopping lists, and what is said when it cannot be taken."""

from flask import request
from flask_babel import gettext
from marshmallow import ValidationError

from grocery.fields import read_id
from grocery.orders.shopping_lists.errors import ListExistsError, ListFullError, TooManyListsError
from grocery.orders.shopping_lists.schemas import MAX_NAME, RenameListSchema
from grocery.products.errors import ProductUnavailableError

#: What `problem_of` has words for.
PROBLEMS: tuple[type[Exception], ...] = (
    ValidationError,
    ListExistsError,
    ListFullError,
    ProductUnavailableError,
    TooManyListsError,
)


def sent_name() -> str:
    """The name of a list; raises ValidationError."""
    name: str = RenameListSchema().load({"name": request.form.get("name", "")})["name"]
    return name


def sent_id(field: str) -> int | None:
    """What a hidden field or a choice names; None without one, and for what is no id."""
    return read_id(request.form.get(field))


def problem_of(error: Exception) -> str:
    """Why a list could not be made or changed, in words for shoppers."""
    if isinstance(error, ListExistsError):
        return gettext("You have a list of this name already.")
    if isinstance(error, TooManyListsError):
        return gettext("You have %(limit)s lists already. Delete one first.", limit=error.members["limit"])
    if isinstance(error, ListFullError):
        return gettext("This list is full: it has room for %(limit)s products.", limit=error.members["limit"])
    if isinstance(error, ProductUnavailableError):
        return gettext("This product is not sold any more.")
    return gettext("Write a name of up to %(most)s letters.", most=MAX_NAME)
