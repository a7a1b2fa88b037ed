"""The credit note of a return."""

from collections.abc import Sequence

from grocery import money
from grocery.db import Row
from grocery.orders.documents.wording import VAT_CLASSES, Document, Shop, place_lines, quantity_text
from grocery.orders.quote import sum_up_vat
from grocery.orders.quoting import vat_json

_REASONS = {
    "damaged": "Damaged",
    "spoiled": "Spoiled",
    "wrong_item": "Wrong item",
    "unwanted": "Not wanted",
    "other": "Other",
}


def describe_credit_note(rows: Sequence[Row], shop: Shop) -> Document:
    """What the credit note says about a return, read as one row for each of its lines."""
    returned = rows[0]
    lines = [row for row in rows if row["line_id"] is not None]
    paid = [(line["vat_class"], line["vat_rate"], line["amount_cents"], line["vat_cents"]) for line in lines]
    data = {
        "title": "Credit note",
        "number": returned["number"],
        "shop": shop.json,
        "customer": {"name": returned["customer_name"], "place": place_lines(returned)},
        "facts": [
            ("Date", shop.moment(returned["created_at"])),
            ("For invoice", _invoice(returned, shop)),
            ("Reason", _REASONS[returned["reason"]]),
        ],
        "currency": returned["currency"],
        "lines": [
            {
                "name": line["name"],
                "quantity": quantity_text(line["quantity"], line["unit"]),
                "unit_price": money.to_text(line["unit_price_cents"]),
                "amount": money.to_text(line["amount_cents"]),
            }
            for line in lines
        ],
        "total": money.to_text(returned["refund_cents"]),
        "vat": [{**one, "name": VAT_CLASSES[one["vat_class"]]} for one in vat_json(sum_up_vat(paid, 0))],
        "vat_total": money.to_text(returned["return_vat_cents"]),
    }
    return Document("credit-note.typ", f"{returned['number']}.pdf", returned["version"], data)


def _invoice(returned: Row, shop: Shop) -> str:
    delivered_at = returned["delivered_at"]
    return f"{returned['order_number']} of {shop.day(delivered_at)}" if delivered_at else returned["order_number"]
