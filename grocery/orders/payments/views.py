"""The routes of payments, below an order, and of the day's cash."""

from typing import Any

from flask import Response, current_app, jsonify, request

from grocery.api import Blueprint
from grocery.auth.access import admin_required, staff_required
from grocery.db import reader, transaction
from grocery.orders.access import current_actor
from grocery.orders.payments import examples, service
from grocery.orders.payments.cash_up import cash_up, csv_response
from grocery.orders.payments.schemas import CashUpArgsSchema, CashUpSchema, PaymentSchema, RecordPaymentSchema
from grocery.products.inventory.days import shop_today

blp = Blueprint("payments", __name__, description="What was paid for orders, and the day's cash.")

_AS_CSV = {200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": examples.CASH_UP_CSV}}}}


@blp.route("/orders/<int:order_id>/payments")
@staff_required
@blp.response(200, PaymentSchema(many=True), description="All, oldest first.", example=[examples.PAYMENT])
def list_payments(order_id: int) -> Response:
    """List what was paid for an order and paid back"""
    with reader() as connection:
        return jsonify(service.list_payments(connection, order_id))


@blp.route("/orders/<int:order_id>/payments", methods=["POST"])
@staff_required
@blp.found_first(service.check_order_exists)
@blp.problems(
    _409="More than is due (`payment_exceeds_total`, with `due`), more given back than was paid "
    "(`refund_exceeds_paid`, with `paid`), or money taken for a cancelled order (`order_cancelled`).",
    _422="A field is not valid, `amount` is not above zero, or `collector_id` is nobody of the staff.",
)
@blp.arguments(RecordPaymentSchema, example=examples.PAID)
@blp.response(201, PaymentSchema, description="The payment.", example=examples.PAYMENT)
def record_payment(body: dict[str, Any], order_id: int) -> Response:
    """Note money that was taken for an order, or given back

    What is collected at the door is noted when the order becomes `delivered`; this is for what is paid before or after
    that. A payment is never changed: a wrong one is taken back with one of the other kind.
    """
    with transaction() as session:
        payment = service.record_payment(session, order_id, **body, actor=current_actor())
    response = jsonify(payment)
    response.status_code = 201
    return response


@blp.route("/reports/cash-up")
@admin_required
@blp.problems(_422="`day` or `format` is not valid.")
@blp.doc(responses=_AS_CSV)
@blp.arguments(CashUpArgsSchema, location="query")
@blp.response(
    200,
    CashUpSchema(many=True),
    description="One entry per collector, by name; none for who has taken nothing.",
    example=[examples.CASH_UP],
)
def get_cash_up(arguments: dict[str, Any]) -> Response:
    """Cash up: what each collector took on a day, beside what was due

    JSON, or CSV with `Accept: text/csv` or `format=csv`. `net` is what has to be in the collector's purse. `difference`
    is 0 when each delivered order was paid as it should; an order that is not delivered yet is in `net` alone.
    """
    day = arguments["day"] or shop_today()
    config = current_app.config
    with reader() as connection:
        entries = cash_up(connection, day, config["TIMEZONE"], config["CURRENCY"])
    response = csv_response(entries, day) if _is_csv_wanted(arguments["format"]) else jsonify(entries)
    response.vary.add("Accept")
    return response


def _is_csv_wanted(wanted: str | None) -> bool:
    if wanted is not None:
        return wanted == "csv"
    return request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv"
