"""The packing slip: what goes into the bags, for whom, and what the rider collects."""

from itertools import groupby
from typing import Any

from grocery import money
from grocery.db import Row
from grocery.orders.documents.reading import OrderRecord
from grocery.orders.documents.wording import Document, Shop, effective_quantity, place_lines, quantity_text

_WISHES = {"remove": "leave it out", "substitute": "replace it", "call": "call first"}


def describe_packing_slip(order: OrderRecord, shop: Shop) -> Document:
    """What the slip says. What was picked already counts as it was picked."""
    row = order.row
    names = {line["id"]: line["name"] for line in order.lines}
    there = [line for line in order.lines if effective_quantity(line)]
    there.sort(key=lambda line: (line["category"].casefold(), line["name"].casefold(), line["id"]))
    data = {
        "title": "Cancelled: do not pack" if row["status"] == "cancelled" else "Packing slip",
        "number": row["number"],
        "shop": shop.json,
        "customer": order.customer_name,
        "place": place_lines(row),
        "placed": shop.moment(row["placed_at"]),
        "slot": shop.window(row["slot_starts_at"], row["slot_ends_at"]) if row["slot_starts_at"] else None,
        "collect": f"{row['currency']} {money.to_text(max(order.owed_cents, 0))}",
        "notes": [note for note in (row["note"], row["delivery_note"]) if note],
        "groups": [
            {"category": category.replace("/", " / "), "lines": [_line(line, names) for line in group]}
            for category, group in groupby(there, key=lambda line: line["category"])
        ],
        "left_out": [line["name"] for line in order.lines if not effective_quantity(line)],
    }
    return Document("packing-slip.typ", f"{row['number']}-packing-slip.pdf", row["version"], data)


def _line(line: Row, names: dict[int, str]) -> dict[str, Any]:
    replaced = names.get(line["substitute_for"])
    return {
        "name": line["name"],
        "quantity": quantity_text(effective_quantity(line), line["unit"]),
        "is_picked": line["picked_quantity"] is not None,
        "replaced": f"instead of {replaced}" if replaced else None,
        "wish": _WISHES[line["if_unavailable"]],
    }
