"""The routes of customers who wait for a product."""

from typing import Any

from flask import Response, jsonify

from grocery.api import Blueprint
from grocery.auth.access import current_person, customer_required
from grocery.db import reader, transaction
from grocery.paging import NEXT_LINK, PageArgsSchema, add_next_link
from grocery.products.inventory import alerts, examples
from grocery.products.inventory.schemas import AlertSchema
from grocery.products.service import check_product_exists

blp = Blueprint("alerts", __name__, description="Products that customers wait for.")


@blp.route("/products/<int:product_id>/alert", methods=["PUT"])
@customer_required
@blp.problems(_409="It can be bought now: `in_stock`. Or the customer waits for 100 already: `too_many_alerts`.")
@blp.response(204, description="The customer will be told, by e-mail if there is an address, else by SMS.")
def add_alert(product_id: int) -> None:
    """Be told when a product is back in stock

    Once. Asking again changes nothing.
    """
    with transaction() as session:
        alerts.add_alert(session, product_id, current_person().id)


@blp.route("/products/<int:product_id>/alert", methods=["DELETE"])
@customer_required
@blp.response(204, description="The customer does not wait for it.")
def drop_alert(product_id: int) -> None:
    """Not be told after all"""
    check_product_exists(product_id)
    with transaction() as session:
        alerts.drop_alert(session, product_id, current_person().id)


@blp.route("/alerts/")
@customer_required
@blp.problems(_422="`limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(PageArgsSchema, location="query")
@blp.response(
    200, AlertSchema(many=True), description="A page of products.", headers=NEXT_LINK, example=[examples.ALERT]
)
def list_alerts(arguments: dict[str, Any]) -> Response:
    """List the products that one waits for, by name"""
    with reader() as connection:
        page = alerts.list_alerts(connection, current_person().id, **arguments)
    return add_next_link(jsonify(page.items), page.next_cursor)
