"""The routes of the places that a customer has saved."""

from typing import Any

from flask import Response, jsonify

from grocery.api import Blueprint
from grocery.auth.access import current_person, customer_required
from grocery.db import reader, transaction
from grocery.orders.delivery import addresses, examples
from grocery.orders.delivery.schemas import AddressSchema, WriteAddressSchema

blp = Blueprint("addresses", __name__, url_prefix="/addresses", description="The places that a customer has saved.")

_UNFIT = (
    "A field is not valid, `phone` is no number, `zone_id` is of no zone, or there is neither `address` nor `landmark`."
)


def _find_address(address_id: int) -> None:
    with reader() as connection:
        addresses.get_address(connection, address_id, current_person().id)


@blp.route("/")
@customer_required
@blp.response(
    200,
    AddressSchema(many=True),
    description="All of them, 20 at most: the default, then the newest first.",
    example=[examples.ADDRESS],
)
def list_addresses() -> Response:
    """List one's own addresses"""
    with reader() as connection:
        return jsonify(addresses.list_addresses(connection, current_person().id))


@blp.route("/", methods=["POST"])
@customer_required
@blp.problems(_409="There are 20 already: `too_many_addresses`.")
@blp.problems(_422=_UNFIT)
@blp.arguments(WriteAddressSchema, example=examples.ADDRESS_WANTED)
@blp.response(201, AddressSchema, description="The new address.", example=examples.ADDRESS)
def create_address(body: dict[str, Any]) -> dict[str, Any]:
    """Save an address

    With `is_default` it takes the place of the one that was the default.
    """
    with transaction() as session:
        return addresses.address_json(addresses.create_address(session, current_person().id, body))


@blp.route("/<int:address_id>")
@customer_required
@blp.response(200, AddressSchema, description="The address.", example=examples.ADDRESS)
def get_address(address_id: int) -> dict[str, Any]:
    """Read one's own address

    Another customer's is a 404.
    """
    with reader() as connection:
        return addresses.address_json(addresses.get_address(connection, address_id, current_person().id))


@blp.route("/<int:address_id>", methods=["PUT"])
@customer_required
@blp.found_first(_find_address)
@blp.problems(_422=_UNFIT)
@blp.arguments(WriteAddressSchema, example=examples.ADDRESS_WANTED)
@blp.response(200, AddressSchema, description="The address as it is now.", example=examples.ADDRESS)
def replace_address(body: dict[str, Any], address_id: int) -> dict[str, Any]:
    """Change one's own address

    Orders that were placed keep the place that they were placed with.
    """
    with transaction() as session:
        return addresses.address_json(addresses.replace_address(session, address_id, current_person().id, body))


@blp.route("/<int:address_id>", methods=["DELETE"])
@customer_required
@blp.response(204, description="The address is forgotten.")
def delete_address(address_id: int) -> None:
    """Delete one's own address"""
    with transaction() as session:
        addresses.delete_address(session, address_id, current_person().id)
