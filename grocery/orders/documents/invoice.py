"""The invoice of an order; before it is delivered, the order as it stands."""

from collections.abc import Iterable, Mapping
from typing import Any

from grocery import money
from grocery.db import Row
from grocery.orders.documents.reading import OrderRecord
from grocery.orders.documents.wording import (
    VAT_CLASSES,
    Document,
    Shop,
    effective_quantity,
    place_lines,
    quantity_text,
)

_TITLES = {"delivered": "Invoice", "cancelled": "Cancelled order"}
_SHORT = {"not_found": "not in stock", "damaged": "damaged", "unwanted": "not wanted"}


def describe_invoice(order: OrderRecord, shop: Shop, tracking_url: str | None) -> Document:
    """What the invoice says: all amounts are those of the order's JSON."""
    document = order.json
    data = {
        "title": _TITLES.get(order.row["status"], "Order"),
        "number": document["number"],
        "shop": shop.json,
        "customer": {"name": order.customer_name, "place": place_lines(order.row)},
        "facts": _facts(order, shop),
        "currency": document["currency"],
        "lines": list(_lines(order)),
        "sums": [
            ("Subtotal", document["subtotal"]),
            *[(_discount_name(discount), f"-{discount['amount']}") for discount in document["discounts"]],
            ("Delivery fee", document["delivery_fee"]),
        ],
        "total": document["total"],
        "payment": _payment(order),
        "vat": [{**one, "name": VAT_CLASSES[one["vat_class"]]} for one in document["vat_classes"]],
        "vat_total": document["vat"],
        "tracking_url": tracking_url,
    }
    return Document("invoice.typ", f"{document['number']}.pdf", document["version"], data)


def _facts(order: OrderRecord, shop: Shop) -> list[tuple[str, str]]:
    row = order.row
    facts = [("Placed", shop.moment(row["placed_at"]))]
    if row["delivered_at"]:
        facts.append(("Delivered", shop.moment(row["delivered_at"])))
    if row["slot_starts_at"]:
        facts.append(("Slot", shop.window(row["slot_starts_at"], row["slot_ends_at"])))
    if row["received_by"]:
        facts.append(("Received by", row["received_by"]))
    facts.append(("Payment", row["payment_method"].replace("_", " ").capitalize()))
    return facts


def _lines(order: OrderRecord) -> Iterable[dict[str, Any]]:
    """The lines in their order, each substitute after what it stands for."""
    names = {line["id"]: line["name"] for line in order.lines}
    shown = {line["id"]: said for line, said in zip(order.lines, order.json["items"], strict=True)}
    for line in sorted(order.lines, key=lambda line: (line["substitute_for"] or line["id"], line["id"])):
        yield _line(line, shown[line["id"]], names.get(line["substitute_for"]))


def _line(line: Row, shown: Mapping[str, Any], replaced: str | None) -> dict[str, Any]:
    quantity = effective_quantity(line)
    notes = []
    if replaced:
        notes.append(f"instead of {replaced}")
    if not quantity:
        reason = _SHORT.get(line["short_reason"])
        notes.append(f"not delivered: {reason}" if reason else "not delivered")
    if quantity != line["quantity"]:
        notes.append(f"ordered: {quantity_text(line['quantity'], line['unit'])}")
    return {
        "name": line["name"],
        "notes": notes,
        "quantity": quantity_text(quantity, line["unit"]),
        "unit_price": shown["unit_price"],
        "total": shown["line_total"],
        "discount": shown["discount"],
        "vat": "exempt" if line["vat_class"] == "exempt" else f"{line['vat_rate'].normalize():f} %",
    }


def _discount_name(discount: Mapping[str, Any]) -> str:
    return f"{discount['name']} ({discount['code']})" if discount["code"] else discount["name"]


def _payment(order: OrderRecord) -> list[tuple[str, str]]:
    """What happened to the total since: goods that came back, money that was paid, and what is left."""
    owed = order.owed_cents
    rows = [(f"Credit note {one['number']}", f"-{money.to_text(one['refund_cents'])}") for one in order.returns]
    rows += [("Paid", order.json["paid"]), ("Due", money.to_text(max(owed, 0)))]
    if owed < 0:
        rows.append(("To be paid back", money.to_text(-owed)))
    return rows
