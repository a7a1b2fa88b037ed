"""Whose cart a request is about: the customer's who is signed in, else that of the token in `X-Cart-Token`."""

from flask import current_app, has_request_context, request

from grocery.auth.access import current_person_or_none
from grocery.db import db, transaction
from grocery.orders.cart.errors import CartNotFoundError
from grocery.orders.cart.service import CartOwner, join_cart
from grocery.orders.cart.tokens import is_genuine, make_token

HEADER = "X-Cart-Token"

#: For the documentation of routes that are about a cart.
TOKEN_PARAMETER = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "maxLength": 200},
    "description": "A visitor's cart, as an earlier answer named it. Of no use to who is signed in, but for the first "
    "request: it moves what is in the visitor's cart into the customer's.",
}


def cart_owner() -> CartOwner:
    """Whose cart it is. Only for views with `optional_person` or `customer_required`.

    A customer's request that still carries a visitor's token joins that cart to the customer's, in a transaction of its
    own: it stays joined whatever becomes of the request. A visitor without a token is given one. Raises
    CartNotFoundError for a token that this shop has not made.
    """
    secret, token = current_app.config["SECRET_KEY"], request.headers.get(HEADER)
    person = current_person_or_none()
    if token is not None and not is_genuine(token, secret):
        raise CartNotFoundError
    if person is None:
        return CartOwner(token=token or make_token(secret))
    if token is not None:
        with transaction() as session:
            join_cart(session, person.id, token)
    return CartOwner(person.id)


def join_at_sign_in(_sender: object, *, customer_id: int) -> None:
    """The answer to `signed_in`: whoever signs in brings along the cart of the token in the request."""
    token = request.headers.get(HEADER) if has_request_context() else None
    if token is not None and is_genuine(token, current_app.config["SECRET_KEY"]):
        join_cart(db.session(), customer_id, token)
