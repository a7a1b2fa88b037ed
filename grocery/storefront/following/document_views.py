"""The documents of one's own orders, for browsers."""

from flask import Response

from grocery.auth.access import customer_required
from grocery.db import reader
from grocery.orders.documents.answering import answer_document, current_shop
from grocery.orders.documents.credit_note import describe_credit_note
from grocery.orders.documents.invoice import describe_invoice
from grocery.orders.documents.reading import read_order, read_return
from grocery.orders.tracking.links import find_link
from grocery.storefront.following.views import blp, own_actor


@blp.get("/<int:order_id>/invoice.pdf")
@customer_required
def show_invoice(order_id: int) -> Response:
    with reader() as connection:
        order = read_order(connection, order_id, own_actor())
    return answer_document(describe_invoice(order, current_shop(), find_link(order_id)))


@blp.get("/<int:order_id>/returns/<int:return_id>/credit-note.pdf")
@customer_required
def show_credit_note(order_id: int, return_id: int) -> Response:
    with reader() as connection:
        rows = read_return(connection, order_id, return_id, own_actor())
    return answer_document(describe_credit_note(rows, current_shop()))
