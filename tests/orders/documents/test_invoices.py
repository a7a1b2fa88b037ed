"""GET /orders/{id}/invoice: the order on paper, to the cent."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, current_app

from grocery.db import db
from grocery.orders.documents import answering, rendering
from grocery.orders.tracking.links import find_link
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import run_statement
from tests.orders.documents.factories import add_line, change_line, change_order, make_return, sum_up
from tests.orders.documents.paper import amounts_in, assert_invoice_is_order, fetch, pages_of, text_of
from tests.orders.factories import move, place
from tests.problems import assert_problem
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

Order = dict[str, Any]
Sql = Callable[..., list[tuple[Any, ...]]]


def read(who: Caller, order: Order) -> Order:
    return who.get(f"/orders/{order['id']}").json


def deliver(order: Order) -> None:
    change_order(order, "status = 'delivered', delivered_at = '2026-10-31T22:45:00Z', version = version + 1")


def test_it_has_each_number_of_the_order_in_its_place(customer: Caller, order: Order) -> None:
    answer = fetch(customer, order)
    assert answer.headers["Content-Disposition"] == f'inline; filename="{order["number"]}.pdf"'
    text = " ".join(pages_of(answer.data))
    assert (order["total"], order["vat"], len(order["discounts"])) == ("689.03", "38.58", 2)
    assert_invoice_is_order(text, order, due="689.03")
    # Beef, its discount, and no VAT; soap with VAT.
    assert "Beef 0.75 kg 119.90 89.93 7.96 exempt" in text
    assert "Soap 1 116.00 116.00 10.26 16 %" in text
    assert "Maize Flour 2 kg 2 189.00 378.00 50.68 0 %" in text


def test_it_says_who_and_where_and_when_in_the_time_of_the_shop(customer: Caller, order: Order) -> None:
    text = text_of(customer, order)
    for part in (
        "Test Grocer",
        f"Order {order['number']}",
        "Customer Amina Otieno Moi Avenue 12 near Shell, blue gate +254712345678",
        "Placed 30 October 2026, 08:05",
        "Slot Sunday 1 November 2026, 01:30–03:30",
        "Payment Cash on delivery",
        "Page 1 of 1",
    ):
        assert part in text
    assert "Delivered" not in text
    assert "No plastic bags" not in text


def test_it_says_what_the_settings_say_about_the_shop(
    app: Flask, customer: Caller, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"ADDRESS": "Kenyatta Street 1", "PHONE": "+254 700 000000", "EMAIL": "a@b.example", "TAX_PIN": "P051X"}
    before = fetch(customer, order).headers["ETag"]
    for name, value in said.items():
        monkeypatch.setitem(app.config, f"SHOP_{name}", value)
    answer = fetch(customer, order)
    assert "Test Grocer Kenyatta Street 1 +254 700 000000 a@b.example PIN P051X" in pages_of(answer.data)[0]
    assert answer.headers["ETag"] != before


@pytest.mark.parametrize(
    ("status", "title"),
    [
        ("pending", "Order"),
        ("confirmed", "Order"),
        ("packed", "Order"),
        ("shipped", "Order"),
        ("delivered", "Invoice"),
        ("cancelled", "Cancelled order"),
    ],
)
def test_it_is_an_invoice_once_it_is_delivered(customer: Caller, order: Order, status: str, title: str) -> None:
    change_order(order, f"status = '{status}'")
    assert f" {title} {order['number']} Customer " in text_of(customer, order)


def test_after_picking_it_counts_what_is_in_the_bag(customer: Caller, staff: Caller, order: Order) -> None:
    beef, flour, soap = order["items"]
    change_line(beef, "picked_quantity = 0.812, line_total_cents = 97_36")
    change_line(flour, "picked_quantity = 0, line_total_cents = 0, discount_cents = 0, short_reason = 'not_found'")
    change_line(soap, "picked_quantity = 1")
    replaced = {"substitute_for": flour["id"], "quantity": 2, "picked_quantity": 2}
    add_line(order, name="Soko Flour", unit_price_cents=180_00, line_total_cents=360_00, **replaced)
    run_statement("UPDATE order_discounts SET amount_cents = 0 WHERE name = 'Flour days'")
    run_statement("UPDATE order_discounts SET amount_cents = 1822 WHERE name = 'Welcome'")
    sum_up(order)
    change_order(order, "vat_cents = vat_cents + 2400")
    order = read(staff, order)
    text = text_of(customer, order)
    assert (order["subtotal"], order["total"]) == ("573.36", "729.14")
    assert_invoice_is_order(text, order, due="729.14")
    assert "Beef ordered: 0.75 kg 0.812 kg 119.90 97.36" in text
    # What was not there comes before what came instead, and both before the soap that was ordered after it.
    gone = "Maize Flour 2 kg not delivered: not in stock ordered: 2 0 189.00 0.00 0 %"
    instead = "Soko Flour instead of Maize Flour 2 kg 2 180.00 360.00 0 %"
    assert f"{gone} {instead} Soap 1 " in text
    assert "Flour days" not in text


def test_before_picking_nothing_is_said_of_it(customer: Caller, order: Order) -> None:
    text = text_of(customer, order)
    assert not [word for word in ("ordered:", "not delivered", "instead of") if word in text]


def test_paid_and_due(customer: Caller, staff: Caller, order: Order) -> None:
    paid = staff.post(f"/orders/{order['id']}/payments", json={"kind": "capture", "amount": "600.00"})
    assert paid.status_code == 201, paid.json
    assert_invoice_is_order(text_of(customer, order), read(customer, order), due="89.03")
    delivered = move(staff, order, "delivered")
    assert (delivered["status"], delivered["paid"]) == ("delivered", "689.03")
    text = text_of(customer, order)
    assert_invoice_is_order(text, read(customer, order), due="0.00")
    assert "Invoice" in text
    assert "To be paid back" not in text


def test_what_was_paid_too_much_is_to_be_paid_back(customer: Caller, order: Order) -> None:
    change_order(order, "paid_cents = 700_00")
    text = text_of(customer, order)
    assert_invoice_is_order(text, read(customer, order), due="0.00", to_be_paid_back="10.97")
    assert "To be paid back 10.97" in text


def test_nothing_is_due_of_a_cancelled_order(customer: Caller, order: Order) -> None:
    change_order(order, "status = 'cancelled', paid_cents = 100_00")
    text = text_of(customer, order)
    assert_invoice_is_order(text, read(customer, order), due="0.00", to_be_paid_back="100.00")


def test_returns_are_taken_off_what_is_due_and_change_the_tag(customer: Caller, order: Order) -> None:
    deliver(order)
    change_order(order, "paid_cents = total_cents")
    before = fetch(customer, order).headers["ETag"]
    soap = order["items"][2]
    make_return(order, "C-1", [(soap, 1, 105_74, 14_59)])
    answer = customer.get(f"/orders/{order['id']}/invoice", headers={"If-None-Match": before})
    assert answer.status_code == 200
    text = " ".join(pages_of(answer.data))
    assert_invoice_is_order(text, read(customer, order), due="0.00", credit="-105.74", to_be_paid_back="105.74")
    assert "Credit note C-1 -105.74 Paid 689.03 Due 0.00 To be paid back 105.74" in text
    # Once the money was given back, nobody owes anything.
    change_order(order, "paid_cents = paid_cents - 105_74")
    text = text_of(customer, order)
    assert_invoice_is_order(text, read(customer, order), due="0.00", credit="-105.74")


def test_it_has_the_link_to_follow_the_order_if_the_shop_has_an_address(
    app: Flask, customer: Caller, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = find_link(order["id"])
    assert link is not None
    assert link in text_of(customer, order).replace("\u200b", "").replace(" ", "")
    monkeypatch.setitem(app.config, "SHOP_URL", "")
    assert "Follow your order" not in text_of(customer, order)


def test_an_order_without_discounts_has_no_column_for_them(customer: Caller) -> None:
    order = place(customer, {make_product(name="Soap", price_cents=116_00): 3})
    text = text_of(customer, order)
    assert "Item Quantity Unit price Total VAT" in text
    assert "Soap 3 116.00 348.00 16 %" in text
    assert_invoice_is_order(text, order, due="348.00")
    assert "Customer Amina Otieno Pickup at the shop" in text


def test_two_hundred_lines_break_over_pages_with_their_heads(customer: Caller) -> None:
    order = place(customer, {make_product(name="Line 0", vat_class="zero"): 1})
    run_statement(
        """
        INSERT INTO order_lines (order_id, name, category, unit, quantity, unit_price_cents, line_total_cents,
                                 vat_class, vat_rate, vat_cents)
        SELECT :id, 'Line ' || number, 'Pantry', 'each', 1, 10000, 10000, 'zero', 0, 0
        FROM generate_series(1, 199) AS number
        """,
        id=order["id"],
    )
    sum_up(order)
    order = read(customer, order)
    pages = pages_of(fetch(customer, order).data)
    assert (len(order["items"]), len(pages)) == (200, 4)
    assert [page.count("Item Quantity Unit price Total VAT") for page in pages] == [1, 1, 1, 1]
    assert [f"Page {number} of 4" in page for number, page in enumerate(pages, start=1)] == [True] * 4
    assert_invoice_is_order(" ".join(pages), order, due="20000.00")


# Names that are not what they seem.


@pytest.mark.parametrize(
    "name",
    [
        '#panic("x") #read("/etc/passwd")',
        "*bold* _soft_ = Title $x^2$ `raw` @ref <label> // gone /* gone */",
        "\\u{1F600} \\ ~ -- ... \"quoted\" 'single' ]})",
        '{"data": null} %s {0} &amp; <b>bold</b>',
        "Ndũng'ũ wa Mũgo, Ñandú, Łódź, Ştefan, Đorđe, Željko, Ệ",
        "Наталья Ωμέγα",
    ],
)
def test_names_are_put_as_they_are(customer: Caller, name: str) -> None:
    order = place(customer, {make_product(name=name, category="#[x]"): 1}, note="#x")
    run_statement("UPDATE customers SET name = :name", name=name)
    text = text_of(customer, order)
    assert f"Customer {name} Pickup" in text
    assert f"VAT {name} 1 100.00" in text


@pytest.mark.parametrize(
    "name", ["محمد علي", "王伟 😀", "\u202eevil\u2066", "e" + "\u0301" * 150, "नमस्ते", "\ufffd\ufeff"]
)
def test_no_letters_are_in_the_way_of_an_invoice(customer: Caller, name: str) -> None:
    order = place(customer, {make_product(name=name): 1})
    run_statement("UPDATE customers SET name = :name", name=name)
    assert amounts_in(text_of(customer, order)).count("100.00") == 6


def test_words_that_are_longer_than_a_column_are_broken(customer: Caller) -> None:
    order = place(customer, {make_product(name="ŵ" * 200): 1})
    assert text_of(customer, order).count("ŵ") == 200


# Who may see it, and when it is sent again.


def test_it_is_for_the_owner_and_the_staff(
    customer: Caller, other_customer: Caller, staff: Caller, order: Order
) -> None:
    path = f"/orders/{order['id']}/invoice"
    assert fetch(staff, order).data == fetch(customer, order).data
    assert_problem(other_customer.get(path), 404, "not_found")
    assert customer.client.get(path).status_code == 401
    for unknown in (order["id"] + 1, 0, 2**63 - 1, 2**63, 10**30):
        assert_problem(staff.get(f"/orders/{unknown}/invoice"), 404, "not_found")


def test_an_invoice_that_is_known_is_not_made_again(
    customer: Caller, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = fetch(customer, order).headers["ETag"]
    assert tag.startswith(f'"{order["version"]}-')
    assert fetch(customer, order).headers["ETag"] == tag
    monkeypatch.setattr(answering, "render", lambda _document: pytest.fail("made again"))
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = customer.get(f"/orders/{order['id']}/invoice", headers={"If-None-Match": sent})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)


def test_a_change_of_the_order_or_of_a_name_is_another_tag(customer: Caller, staff: Caller, order: Order) -> None:
    tags = {fetch(customer, order).headers["ETag"]}
    move(staff, order, "confirmed")
    tags.add(fetch(customer, order).headers["ETag"])
    run_statement("UPDATE customers SET name = 'Amina Wambui' WHERE name = 'Amina Otieno'")
    tags.add(fetch(customer, order).headers["ETag"])
    staff.post(f"/orders/{order['id']}/payments", json={"kind": "capture", "amount": "1.00"})
    tags.add(fetch(customer, order).headers["ETag"])
    assert len(tags) == 4


def test_no_connection_waits_while_it_is_made(customer: Caller, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []

    def render(document: Any) -> bytes:
        pools = [db.engine.pool, *(current_app.extensions[name].pool for name in ("reads", "replica_reads"))]
        held.append(sum(pool.checkedout() for pool in pools))
        return rendering.render(document)

    monkeypatch.setattr(answering, "render", render)
    fetch(customer, order)
    assert held == [0]


def test_it_changes_nothing(customer: Caller, order: Order, run_sql: Sql) -> None:
    before = run_sql("SELECT * FROM orders") + run_sql("SELECT * FROM order_history")
    fetch(customer, order)
    assert run_sql("SELECT * FROM orders") + run_sql("SELECT * FROM order_history") == before
