"""What is printed for picking and packing: several orders at once, each slip on a page of its own."""

from flask import Response, request

from grocery.auth.access import staff_required
from grocery.db import reader
from grocery.errors import NotFoundError
from grocery.orders.access import current_actor
from grocery.orders.documents.answering import answer_document, current_shop
from grocery.orders.documents.invoice import describe_invoice
from grocery.orders.documents.packing_slip import describe_packing_slip
from grocery.orders.documents.reading import read_order
from grocery.orders.fulfilment.pick_list import list_picks
from grocery.orders.tracking.links import find_link
from grocery.storefront.desk.board import blp
from grocery.storefront.pages import render

_MOST_ORDERS = 100


@blp.get("/print")
@staff_required
def show_prints() -> Response:
    order_ids = [int(one) for one in request.args.getlist("order") if one.isascii() and one.isdigit() and len(one) < 19]
    order_ids = list(dict.fromkeys(order_ids))[:_MOST_ORDERS]
    if not order_ids:
        raise NotFoundError("No orders are named.")
    with reader() as connection:
        if request.args.get("what") == "slips":
            records = [read_order(connection, order_id, current_actor()) for order_id in order_ids]
            slips = [describe_packing_slip(record, current_shop()).data for record in records]
            return render("desk/slips.html", slips=slips)
        picks = list_picks(connection, order_ids=order_ids)
    return render("desk/picks.html", picks=picks, number=len(order_ids))


@blp.get("/<int:order_id>/packing-slip")
@staff_required
def show_packing_slip(order_id: int) -> Response:
    with reader() as connection:
        order = read_order(connection, order_id, current_actor())
    return answer_document(describe_packing_slip(order, current_shop()))


@blp.get("/<int:order_id>/invoice")
@staff_required
def show_invoice(order_id: int) -> Response:
    with reader() as connection:
        order = read_order(connection, order_id, current_actor())
    return answer_document(describe_invoice(order, current_shop(), find_link(order_id)))
