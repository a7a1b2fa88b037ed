"""The routes of documents, below an order."""

from flask import Response

from grocery.api import Blueprint
from grocery.auth.access import customer_required, staff_required
from grocery.db import reader
from grocery.limits import TOO_MANY
from grocery.orders.access import current_actor
from grocery.orders.documents.answering import answer_document, current_shop
from grocery.orders.documents.credit_note import describe_credit_note
from grocery.orders.documents.invoice import describe_invoice
from grocery.orders.documents.packing_slip import describe_packing_slip
from grocery.orders.documents.reading import read_order, read_return
from grocery.orders.tracking.links import find_link

blp = Blueprint("documents", __name__, url_prefix="/orders", description="Invoices, packing slips and credit notes.")

_PDF = {
    "schema": {"type": "string", "format": "binary"},
    "content_type": "application/pdf",
    "headers": {"ETag": {"schema": {"type": "string"}, "description": "For `If-None-Match`."}},
}
_UNCHANGED = "Nothing that it says has changed since the answer with this ETag."


@blp.route("/<int:order_id>/invoice")
@customer_required
@blp.problems(_429=TOO_MANY)
@blp.alt_response(304, description=_UNCHANGED, success=True)
@blp.response(200, description="The invoice, A4.", **_PDF)
def get_invoice(order_id: int) -> Response:
    """The invoice of an order as PDF

    Until it is delivered, the order as it stands ("Order"). All amounts are those of the order, for what was really
    picked. Credit notes are taken off what is due. Another customer's order is a 404.
    """
    with reader() as connection:
        order = read_order(connection, order_id, current_actor())
    return answer_document(describe_invoice(order, current_shop(), find_link(order_id)))


@blp.route("/<int:order_id>/packing-slip")
@staff_required
@blp.problems(_429=TOO_MANY)
@blp.alt_response(304, description=_UNCHANGED, success=True)
@blp.response(200, description="The packing slip, A4.", **_PDF)
def get_packing_slip(order_id: int) -> Response:
    """The packing slip of an order as PDF

    What goes into the bags, by category, with the customer's wishes; the only amount is the one to collect.
    """
    with reader() as connection:
        order = read_order(connection, order_id, current_actor())
    return answer_document(describe_packing_slip(order, current_shop()))


@blp.route("/<int:order_id>/returns/<int:return_id>/credit-note")
@customer_required
@blp.problems(_429=TOO_MANY)
@blp.alt_response(304, description=_UNCHANGED, success=True)
@blp.response(200, description="The credit note, A4.", **_PDF)
def get_credit_note(order_id: int, return_id: int) -> Response:
    """The credit note of a return as PDF

    What came back, what is refunded for it, and the VAT inside by class. Another customer's is a 404.
    """
    with reader() as connection:
        rows = read_return(connection, order_id, return_id, current_actor())
    return answer_document(describe_credit_note(rows, current_shop()))
