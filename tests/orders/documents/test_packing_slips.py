"""GET /orders/{id}/packing-slip: what goes into the bags."""

from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.documents.factories import add_line, change_line, change_order, sum_up
from tests.orders.documents.paper import amounts_in, fetch, pages_of, text_of
from tests.orders.factories import place
from tests.problems import assert_problem
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

Order = dict[str, Any]


def slip(staff: Caller, order: Order) -> str:
    return text_of(staff, order, "packing-slip")


def test_it_says_what_to_pack_for_whom_and_what_to_collect(staff: Caller, order: Order) -> None:
    beef, flour, _ = order["items"]
    change_line(beef, "if_unavailable = 'call'")
    change_line(flour, "if_unavailable = 'substitute'")
    answer = fetch(staff, order, "packing-slip")
    assert answer.headers["Content-Disposition"] == f'inline; filename="{order["number"]}-packing-slip.pdf"'
    [text] = pages_of(answer.data)
    for part in (
        f"Packing slip {order['number']} To collect KES 689.03",
        "Amina Otieno Moi Avenue 12 near Shell, blue gate +254712345678",
        "Sunday 1 November 2026, 01:30–03:30",
        "No plastic bags Ring twice",
        # By category, not as ordered.
        "Home if there is none 1 Soap leave it out "
        "Meat if there is none 0.75 kg Beef call first "
        "Pantry / Flour if there is none 2 Maize Flour 2 kg replace it",
    ):
        assert part in text, part
    # The amount to collect is the only one; the other is a weight.
    assert amounts_in(text) == ["0.75", "689.03"]


def test_what_was_picked_already_counts_as_picked(staff: Caller, order: Order) -> None:
    beef, flour, soap = order["items"]
    change_line(beef, "picked_quantity = 0.812")
    change_line(flour, "picked_quantity = 0")
    add_line(order, name="Soko Flour", quantity=2, picked_quantity=2, substitute_for=flour["id"])
    text = slip(staff, order)
    assert "0.812 kg Beef" in text
    assert "2 Soko Flour instead of Maize Flour 2 kg" in text
    assert "Left out • Maize Flour 2 kg" in text
    assert text.count("×") == 2
    assert "Left out" not in slip(staff, place_one(staff))
    assert soap["picked_quantity"] is None


def test_what_was_paid_already_is_not_collected(staff: Caller, order: Order) -> None:
    for paid, collected in (("600_00", "89.03"), ("700_00", "0.00")):
        change_order(order, f"paid_cents = {paid}")
        assert f"To collect KES {collected} " in slip(staff, order)


def test_a_cancelled_order_is_not_packed(staff: Caller, order: Order) -> None:
    change_order(order, "status = 'cancelled'")
    assert f"Cancelled: do not pack {order['number']} To collect KES 0.00" in slip(staff, order)


def test_an_order_to_be_picked_up_has_neither_slot_nor_notes(staff: Caller) -> None:
    text = slip(staff, place_one(staff))
    assert "Njeri Staff Pickup at the shop Placed " in text


def test_long_ones_go_on_with_their_category(staff: Caller) -> None:
    order = place_one(staff)
    for number in range(45):
        add_line(order, name=f"Line {number}")
    sum_up(order)
    pages = pages_of(fetch(staff, order, "packing-slip").data)
    assert [page.count("Pantry if there is none") for page in pages] == [1, 1]
    assert [f"Page {number} of 2" in page for number, page in enumerate(pages, start=1)] == [True, True]


def test_it_is_for_the_staff(customer: Caller, staff: Caller, order: Order) -> None:
    path = f"/orders/{order['id']}/packing-slip"
    assert_problem(customer.get(path), 403, "forbidden")
    assert_problem(staff.get(f"/orders/{order['id'] + 1}/packing-slip"), 404, "not_found")
    tag = staff.get(path).headers["ETag"]
    answer = staff.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.data) == (304, b"")


def place_one(staff: Caller) -> Order:
    return place(staff, {make_product(name="Milk"): 1})
