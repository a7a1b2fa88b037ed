"""GET /orders/{id}/returns/{return_id}/credit-note."""

from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.documents.factories import change_order, make_return
from tests.orders.documents.paper import amounts_in, fetch, pages_of
from tests.orders.factories import place
from tests.problems import assert_problem
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

Order = dict[str, Any]


@pytest.fixture
def delivered(order: Order) -> Order:
    change_order(order, "status = 'delivered', delivered_at = '2026-11-01T21:30:00Z'")
    return order


@pytest.fixture
def return_id(delivered: Order) -> int:
    beef, flour, soap = delivered["items"]
    return make_return(delivered, "C-77", [(beef, 0.5, 54_65, 0), (flour, 1, 163_66, 0), (soap, 1, 105_74, 14_59)])


def test_it_says_what_came_back_and_the_vat_of_it(customer: Caller, delivered: Order, return_id: int) -> None:
    answer = fetch(customer, delivered, f"returns/{return_id}/credit-note")
    assert answer.headers["Content-Disposition"] == 'inline; filename="C-77.pdf"'
    [text] = pages_of(answer.data)
    for part in (
        "Credit note C-77 Customer Amina Otieno Moi Avenue 12",
        "Date 4 November 2026, 00:30",
        f"For invoice {delivered['number']} of 2 November 2026",
        "Reason Wrong item",
        "Beef 0.5 kg 119.90 54.65 Maize Flour 2 kg 1 189.00 163.66 Soap 1 116.00 105.74",
        "Standard 16.00 % 105.74 14.59 Zero-rated 0.00 % 163.66 0.00 Exempt 0.00 % 54.65 0.00 VAT included 14.59",
        "Refund KES 324.05",
    ):
        assert part in text, part
    lines = ["119.90", "54.65", "189.00", "163.66", "116.00", "105.74"]
    vat = ["16.00", "105.74", "14.59", "0.00", "163.66", "0.00", "0.00", "54.65", "0.00", "14.59"]
    assert amounts_in(text) == sorted([*lines, *vat, "324.05"])


def test_it_is_for_the_owner_and_the_staff(
    customer: Caller, other_customer: Caller, staff: Caller, delivered: Order, return_id: int
) -> None:
    path = f"/orders/{delivered['id']}/returns/{return_id}/credit-note"
    assert staff.get(path).data == customer.get(path).data
    assert_problem(other_customer.get(path), 404, "not_found")
    assert customer.client.get(path).status_code == 401


def test_a_return_of_another_order_is_not_found(customer: Caller, staff: Caller, order: Order, return_id: int) -> None:
    other = place(customer, {make_product(): 1})
    for order_id, wanted in ((other["id"], return_id), (order["id"], return_id + 1), (order["id"], 2**63 - 1)):
        for who in (customer, staff):
            assert_problem(who.get(f"/orders/{order_id}/returns/{wanted}/credit-note"), 404, "not_found")


def test_one_that_is_known_is_not_sent_again(customer: Caller, delivered: Order, return_id: int) -> None:
    path = f"/orders/{delivered['id']}/returns/{return_id}/credit-note"
    tag = customer.get(path).headers["ETag"]
    answer = customer.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.data) == (304, b"")
