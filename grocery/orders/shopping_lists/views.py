"""The routes of a customer's shopping lists."""

from typing import Any

from flask import Response, current_app, jsonify, url_for
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import current_person, customer_required
from grocery.db import reader, transaction
from grocery.orders.cart.service import CartOwner, read_cart
from grocery.orders.shopping_lists import schemas, service
from grocery.products.service import check_product_exists

blp = Blueprint("shopping-lists", __name__, url_prefix="/lists", description="What a customer buys again and again.")

_EXISTS = "There is a list of this name, in any letter case: `list_exists`."


def _find_list(list_id: int) -> None:
    with reader() as connection:
        service.get_list(connection, list_id, current_person().id)


def _find_list_and_product(list_id: int, product_id: int) -> None:
    _find_list(list_id)
    check_product_exists(product_id)


@blp.route("/")
@customer_required
@blp.response(
    200,
    schemas.ListSchema(many=True),
    description="All of them, 50 at most: the one that was changed last comes first.",
    example=[schemas.LIST_EXAMPLE],
)
def list_shopping_lists() -> Response:
    """List one's own shopping lists"""
    with reader() as connection:
        return jsonify(service.list_lists(connection, current_person().id))


@blp.route("/", methods=["POST"])
@customer_required
@blp.problems(_409=f"{_EXISTS} Or there are 50 lists: `too_many_lists`.")
@blp.problems(_422="A field is not valid, or `order_id` is no order of yours.")
@blp.arguments(schemas.MakeListSchema, example={"name": "Every week"})
@blp.response(201, schemas.FullListSchema, description="The new list.", example=schemas.FULL_LIST_EXAMPLE)
def create_shopping_list(body: dict[str, Any]) -> ResponseReturnValue:
    """Make a shopping list

    Empty, or with what an order had.
    """
    with transaction() as session:
        made = service.create_list(session, current_person().id, **body)
    location = url_for("shopping-lists.get_shopping_list", list_id=made["id"])
    return jsonify(made), 201, {"Location": location}


@blp.route("/<int:list_id>")
@customer_required
@blp.response(200, schemas.FullListSchema, description="The list.", example=schemas.FULL_LIST_EXAMPLE)
def get_shopping_list(list_id: int) -> Response:
    """Read one's own shopping list

    With prices and stock as they are now. Another customer's is a 404.
    """
    with reader() as connection:
        return jsonify(service.get_list(connection, list_id, current_person().id))


@blp.route("/<int:list_id>", methods=["PATCH"])
@customer_required
@blp.found_first(_find_list)
@blp.problems(_409=_EXISTS, _422="`name` is not valid.")
@blp.arguments(schemas.RenameListSchema, example={"name": "Every month"})
@blp.response(200, schemas.FullListSchema, description="The list as it is now.", example=schemas.FULL_LIST_EXAMPLE)
def rename_shopping_list(body: dict[str, Any], list_id: int) -> Response:
    """Rename one's own shopping list"""
    with transaction() as session:
        return jsonify(service.rename_list(session, list_id, current_person().id, body["name"]))


@blp.route("/<int:list_id>", methods=["DELETE"])
@customer_required
@blp.response(204, description="The list is gone.")
def delete_shopping_list(list_id: int) -> None:
    """Delete one's own shopping list"""
    with transaction() as session:
        service.delete_list(session, list_id, current_person().id)


@blp.route("/<int:list_id>/items/<int:product_id>", methods=["PUT"])
@customer_required
@blp.found_first(_find_list_and_product)
@blp.problems(
    _409="Withdrawn from sale (`product_unavailable`), or 200 different products are on it (`list_full`).",
    _422="`quantity` is not valid, or none for this product.",
)
@blp.arguments(schemas.PutListItemSchema, example={"quantity": 2})
@blp.response(200, schemas.FullListSchema, description="The list as it is now.", example=schemas.FULL_LIST_EXAMPLE)
def put_shopping_list_item(body: dict[str, Any], list_id: int, product_id: int) -> Response:
    """Set how much of a product is on a list

    What is sold out can be on it, too.
    """
    customer_id = current_person().id
    with transaction() as session:
        service.put_item(session, list_id, customer_id, product_id, **body)
        return jsonify(service.get_list(session, list_id, customer_id))


@blp.route("/<int:list_id>/items/<int:product_id>", methods=["DELETE"])
@customer_required
@blp.response(204, description="The product is not on the list.")
def drop_shopping_list_item(list_id: int, product_id: int) -> None:
    """Take a product off a list"""
    _find_list_and_product(list_id, product_id)
    with transaction() as session:
        service.drop_item(session, list_id, current_person().id, product_id)


@blp.route("/<int:list_id>/to-cart", methods=["POST"])
@customer_required
@blp.problems(_409="The cart has no room for so many different products: `cart_full`.")
@blp.response(
    200,
    schemas.ToCartSchema,
    description="The cart, and what could not be put in as it is on the list.",
    example=schemas.TO_CART_EXAMPLE,
)
def put_shopping_list_into_cart(list_id: int) -> Response:
    """Put all that is on a list into the cart

    What cannot be bought now is `missing`, what is short `reduced`. The cart has at least as much of each product as
    the list: asking twice doubles nothing.
    """
    customer_id, currency = current_person().id, current_app.config["CURRENCY"]
    with transaction() as session:
        differences = service.put_into_cart(session, list_id, customer_id)
        cart = read_cart(session, CartOwner(customer_id), currency)
    return jsonify({"cart": cart, **differences})
