"""The routes of /cart."""

from typing import Any

from flask import Response, current_app, jsonify

from grocery.api import Blueprint
from grocery.auth.access import optional_person
from grocery.db import reader, transaction
from grocery.orders.cart import service
from grocery.orders.cart.access import HEADER, TOKEN_PARAMETER, cart_owner
from grocery.orders.cart.schemas import CART_EXAMPLE, CartSchema, PutItemSchema
from grocery.orders.cart.service import CartOwner
from grocery.products.service import check_product_exists

blp = Blueprint("cart", __name__, url_prefix="/cart", description="The cart of a customer or of a visitor.")

_TOKEN_HEADER = {HEADER: {"schema": {"type": "string"}, "description": "For visitors: send it with the next request."}}
_NO_SUCH_CART = "The token is none of this shop: `cart_not_found`."


@blp.route("")
@optional_person
@blp.problems(_404=_NO_SUCH_CART)
@blp.doc(parameters=[TOKEN_PARAMETER])
@blp.response(200, CartSchema, headers=_TOKEN_HEADER, example=CART_EXAMPLE)
def get_cart() -> Response:
    """Read the cart

    With prices and stock as they are now; `notices` say what has changed since an item was put in, and what stands in
    the way of an order. A visitor without a token is given one, with an empty cart.
    """
    return _answer(cart_owner())


@blp.route("/items/<int:product_id>", methods=["PUT"])
@optional_person
@blp.found_first(check_product_exists)
@blp.problems(
    _404=f"No such product. {_NO_SUCH_CART}",
    _409="Withdrawn from sale (`product_unavailable`), or 200 different products are in it (`cart_full`).",
)
@blp.doc(parameters=[TOKEN_PARAMETER])
@blp.problems(_422="A field is not valid, or `quantity` is none for this product.")
@blp.arguments(PutItemSchema, example={"quantity": 2, "if_unavailable": "substitute"})
@blp.response(200, CartSchema, description="The cart as it is now.", headers=_TOKEN_HEADER, example=CART_EXAMPLE)
def put_cart_item(body: dict[str, Any], product_id: int) -> Response:
    """Set how much of a product is in the cart

    Nothing is reserved: more than there is in stock may be put in, and is noted.
    """
    owner = cart_owner()
    with transaction() as session:
        service.put_item(session, owner, product_id, **body)
    return _answer(owner)


@blp.route("/items/<int:product_id>", methods=["DELETE"])
@optional_person
@blp.problems(_404=_NO_SUCH_CART)
@blp.doc(parameters=[TOKEN_PARAMETER])
@blp.response(204, description="The product is not in the cart.")
def drop_cart_item(product_id: int) -> None:
    """Take a product out of the cart"""
    owner = cart_owner()
    with transaction() as session:
        service.drop_item(session, owner, product_id)


@blp.route("", methods=["DELETE"])
@optional_person
@blp.problems(_404=_NO_SUCH_CART)
@blp.doc(parameters=[TOKEN_PARAMETER])
@blp.response(204, description="The cart is empty.")
def clear_cart() -> None:
    """Empty the cart"""
    owner = cart_owner()
    with transaction() as session:
        service.clear_cart(session, owner)


def _answer(owner: CartOwner) -> Response:
    with reader() as connection:
        cart = service.read_cart(connection, owner, current_app.config["CURRENCY"])
    response = jsonify(cart)
    response.headers["Cache-Control"] = "no-store"
    if owner.token:
        response.headers[HEADER] = owner.token
    return response
