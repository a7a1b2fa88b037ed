"""Whose cart a request is about: the customer's who is signed in, else that of the token which it brings.

Clients of the API send the token in `X-Cart-Token`, browsers in a cookie, which counts on pages only.
"""

from datetime import timedelta

from flask import current_app, has_request_context, request

from grocery.auth.access import current_person_or_none
from grocery.auth.cookies import CART, AnyResponse, read_cookie, set_cookie
from grocery.auth.pages import is_page
from grocery.db import db, transaction
from grocery.keys import keys_of
from grocery.orders.cart.errors import CartNotFoundError
from grocery.orders.cart.service import KEEP_DAYS, CartOwner, join_cart
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
    CartNotFoundError for a token that this shop has not made; on a page, that is no token.
    """
    keys, token = keys_of(current_app.config), _sent_token()
    person = current_person_or_none()
    if token is not None and not is_genuine(token, *keys.newest_first):
        raise CartNotFoundError
    if person is None:
        return CartOwner(token=token or make_token(keys.signing))
    if token is not None:
        with transaction() as session:
            join_cart(session, person.id, token)
    return CartOwner(person.id)


def has_visitors_cart() -> bool:
    """Whether this browser brings a visitor's cart."""
    return _cookie_token() is not None


def keep_cart_cookie(response: AnyResponse, owner: CartOwner) -> AnyResponse:
    """Let the browser bring this cart again, for as long as it is kept; a customer's needs no cookie."""
    if owner.token:
        return set_cookie(response, CART, owner.token, timedelta(days=KEEP_DAYS))
    return set_cookie(response, CART, "", timedelta(0)) if has_visitors_cart() else response


def join_at_sign_in(_sender: object, *, customer_id: int) -> None:
    """The answer to `signed_in`: whoever signs in brings along the cart of the token in the request."""
    token = _sent_token() if has_request_context() else None
    if token is not None and is_genuine(token, *keys_of(current_app.config).newest_first):
        join_cart(db.session(), customer_id, token)


def _sent_token() -> str | None:
    return _cookie_token() if is_page() else request.headers.get(HEADER)


def _cookie_token() -> str | None:
    token = read_cookie(CART)
    return token if is_genuine(token, *keys_of(current_app.config).newest_first) else None
