"""What stands on a PDF, and whether an invoice says what its order does."""

import io
import re
from typing import Any

from pypdf import PdfReader
from werkzeug.test import TestResponse

from tests.orders.conftest import Caller

_AMOUNT = re.compile(r"-?[0-9]+\.[0-9]{2}(?![0-9])")


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, without its line breaks, and the places where long words may break."""
    return [" ".join(page.extract_text().replace("\u200b", "").split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def fetch(who: Caller, order: dict[str, Any], document: str = "invoice") -> TestResponse:
    answer = who.get(f"/orders/{order['id']}/{document}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf"), answer.data[:500]
    return answer


def text_of(who: Caller, order: dict[str, Any], document: str = "invoice") -> str:
    return " ".join(pages_of(fetch(who, order, document).data))


def amounts_in(text: str) -> list[str]:
    return sorted(_AMOUNT.findall(text))


def assert_invoice_is_order(text: str, order: dict[str, Any], **more: str) -> None:
    """Each number of the order's JSON is in its place on the invoice, and no other amount but those of `more`.

    `more`: `due`, which is not in the JSON, `to_be_paid_back`, and credit notes by a name that says nothing.
    """
    is_discounted = any(line["discount"] != "0.00" for line in order["items"])
    rest = [*more.values(), order["vat"]]
    for line in order["items"]:
        numbers = [line["unit_price"], line["line_total"]]
        numbers += [line["discount"]] if line["discount"] != "0.00" else []
        assert re.search(rf"{re.escape(line['name'])}.*? {_quantity(line)} {' '.join(numbers)} ", text), line
        rest += numbers + _with_two_decimals(line)
    if is_discounted:
        assert "Item Quantity Unit price Total Discount VAT" in text
    for one in order["vat_classes"]:
        assert f" {one['rate']} % {one['gross']} {one['vat']} " in text, one
        rest += [one["rate"], one["gross"], one["vat"]]
    sums = [("Subtotal", order["subtotal"]), ("Delivery fee", order["delivery_fee"])]
    sums += [(f"Total {order['currency']}", order["total"]), ("Paid", order["paid"]), ("Due", more["due"])]
    sums += [(_discount_name(one), f"-{one['amount']}") for one in order["discounts"]]
    for name, amount in sums:
        assert f"{name} {amount}" in text
    rest += [amount for name, amount in sums if name != "Due"]
    assert amounts_in(text) == sorted(rest)


def _quantity(line: dict[str, Any]) -> str:
    quantity = line["quantity"] if line["picked_quantity"] is None else line["picked_quantity"]
    return f"{quantity}" if line["unit"] == "each" else f"{quantity} {line['unit']}"


def _with_two_decimals(line: dict[str, Any]) -> list[str]:
    """The line's quantities that look like amounts."""
    shown = {line["quantity"], line["quantity"] if line["picked_quantity"] is None else line["picked_quantity"]}
    return [found for quantity in shown for found in _AMOUNT.findall(f"{quantity} ")]


def _discount_name(discount: dict[str, Any]) -> str:
    return f"{discount['name']} ({discount['code']})" if discount["code"] else discount["name"]
