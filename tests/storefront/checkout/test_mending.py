"""What has changed between looking and ordering: nothing is placed, nothing is lost, and it is said clearly."""

from typing import Any

import pytest

from tests.orders.delivery.factories import book, make_slot, make_zone
from tests.orders.promotions.factories import make_promotion
from tests.products.factories import make_product
from tests.storefront.checkout.conftest import PLACE, Shopper, Sql
from tests.storefront.conftest import words_in
from tests.storefront.forms import read_form
from tests.storefront.parts import part_of


def nothing_is_placed(run_sql: Sql) -> bool:
    return run_sql("SELECT (SELECT count(*) FROM orders), (SELECT coalesce(sum(booked), 0) FROM delivery_slots)") == [
        (0, 0)
    ]


def test_a_new_price_is_said_before_it_is_charged(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread, 2)
    form = amina.form()
    run_sql("UPDATE products SET price_cents = 12000")
    answer = amina.send(form, **PLACE, note="Ring twice")
    assert answer.status_code == 409
    said = words_in(answer)
    assert "The total has changed: it was KSh 350, now it is KSh 390." in said
    assert "Brown bread: Price changed: KSh 100 → KSh 120" in said
    assert words_in(part_of(answer.text, "checkout-changes")).startswith(
        "Goods KSh 200 → KSh 240 Total KSh 350 → KSh 390"
    )
    assert "<title>Error: Checkout" in answer.text
    assert nothing_is_placed(run_sql)
    again = read_form(answer.text, "checkout-form")
    assert (again.fields["landmark"], again.fields["note"]) == ("near Shell, blue gate", "Ring twice")
    assert again.fields["key"] == form.fields["key"]
    assert amina.send(again).status_code == 303
    assert run_sql("SELECT total_cents FROM orders") == [(390_00,)]


def test_what_is_sold_out_meanwhile_can_be_taken_less_of_or_left_out(
    amina: Shopper, bread: int, slot: int, run_sql: Sql
) -> None:
    milk = make_product(name="Milk", price_cents=50_00)
    amina.put(bread, 3)
    amina.put(milk)
    form = amina.form()
    run_sql("UPDATE products SET stock = 2 WHERE id = :id", id=bread)
    run_sql("UPDATE products SET stock = 0 WHERE id = :id", id=milk)
    answer = amina.send(form, **PLACE)
    assert answer.status_code == 409
    summary = words_in(part_of(answer.text, "problems"))
    assert summary == "Please look at this again Brown bread: Only 2 left Milk: Sold out for now"
    row = part_of(answer.text, f"row-{bread}")
    assert words_in(row) == "Brown bread: Only 2 left Take 2 : Brown bread Remove"
    assert f'action="/basket/items/{bread}"' in row
    assert nothing_is_placed(run_sql)
    back = amina.browser.post(f"/basket/items/{bread}", {"quantity": 2, "return_to": "/checkout"})
    assert back.location.startswith("/checkout")
    amina.browser.post(f"/basket/items/{milk}", {"quantity": 0, "return_to": "/checkout"})
    kept = amina.form()
    assert kept.fields["landmark"] == "near Shell, blue gate"
    assert amina.send(kept).status_code == 303
    assert run_sql("SELECT product_id, quantity::int FROM order_lines") == [(bread, 2)]


def test_what_is_withdrawn_is_said_by_name(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    form = amina.form()
    run_sql("UPDATE products SET is_active = false")
    answer = amina.send(form, **PLACE)
    assert answer.status_code == 409
    assert words_in(part_of(answer.text, "problems")) == "Please look at this again Brown bread: Not sold any more"
    assert nothing_is_placed(run_sql)


def test_a_time_that_is_gone_gives_the_nearest_ones_first(amina: Shopper, bread: int, zone: int, run_sql: Sql) -> None:
    early, wanted, late, later = (make_slot(zone, hours=hours) for hours in (20, 24, 26, 48))
    amina.put(bread)
    form = amina.form()
    book(wanted, 5)
    answer = amina.send(form, slot_id=wanted, **PLACE)
    assert answer.status_code == 409
    said = words_in(part_of(answer.text, "problems"))
    assert said.startswith(
        "Please look at this again The time you chose has just been filled. The nearest one is chosen:"
    )
    again = read_form(answer.text, "checkout-form")
    assert again.choices["slot_id"] == [str(late), str(early), str(later)]
    assert again.disabled["slot_id"] == [str(wanted)]
    assert again.fields["slot_id"] == str(late)
    assert again.fields["landmark"] == "near Shell, blue gate"
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]
    assert amina.send(again).status_code == 303
    assert run_sql("SELECT slot_id FROM orders") == [(late,)]


def test_a_time_that_takes_no_more_orders(amina: Shopper, bread: int, zone: int, run_sql: Sql) -> None:
    wanted, other = make_slot(zone, hours=24), make_slot(zone, hours=26)
    amina.put(bread)
    form = amina.form()
    run_sql("UPDATE delivery_slots SET cutoff_at = now() WHERE id = :id", id=wanted)
    answer = amina.send(form, **PLACE)
    assert answer.status_code == 409
    assert "The time you chose takes no more orders. The nearest one is chosen:" in words_in(answer)
    assert read_form(answer.text, "checkout-form").fields["slot_id"] == str(other)


def test_a_kept_time_that_is_full_by_now_is_said_on_opening(amina: Shopper, bread: int, zone: int) -> None:
    wanted, other = make_slot(zone, hours=24), make_slot(zone, hours=26)
    amina.put(bread)
    amina.browser.post("/checkout/quote", {"slot_id": wanted})
    book(wanted, 5)
    page = amina.browser.get("/checkout")
    assert "The time you chose is full. The nearest one is chosen:" in words_in(page)
    assert read_form(page.text, "checkout-form").fields["slot_id"] == str(other)


def test_without_a_free_time_it_can_be_picked_up(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    book(slot, 5)
    amina.put(bread)
    form = amina.form()
    assert form.choices.get("slot_id") is None
    answer = amina.send(form, **PLACE)
    assert answer.status_code == 422
    assert "There is no other time now. You can pick it up, or try again later." in words_in(answer)
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_below_the_minimum_it_is_said_at_once_and_refused(amina: Shopper, bread: int, run_sql: Sql) -> None:
    make_slot(make_zone(fee_cents=0, min_basket_cents=300_00))
    amina.put(bread)
    page = amina.browser.get("/checkout")
    assert "KSh 200 more to reach what we deliver there." in words_in(page)
    answer = amina.send(read_form(page.text, "checkout-form"), **PLACE)
    assert answer.status_code == 409
    assert "KSh 200 more to reach KSh 300, from which on we deliver there." in words_in(answer)
    assert nothing_is_placed(run_sql)
    assert amina.send(amina.form(), method="pickup").status_code == 303
    assert run_sql("SELECT delivery_method, total_cents FROM orders") == [("pickup", 100_00)]


def test_too_many_open_orders_are_said(amina: Shopper, app: Any, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    amina.place(**PLACE)
    amina.put(bread)
    app.config["MAX_OPEN_UNPAID_ORDERS"] = 1
    try:
        answer = amina.place()
    finally:
        app.config["MAX_OPEN_UNPAID_ORDERS"] = 0
    assert answer.status_code == 409
    assert "1 order of yours is not paid yet." in words_in(answer)
    assert run_sql("SELECT count(*) FROM orders") == [(1,)]


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (None, "There is no such coupon."),
        ({"is_active": False}, "This coupon is not valid any more."),
        ({"min_basket_cents": 500_00}, "This coupon is for baskets from KSh 500 on."),
        ({"usage_limit": 1, "used_count": 1}, "This coupon has been used up."),
    ],
)
def test_a_coupon_that_is_none_is_said_and_nothing_is_taken_off(
    amina: Shopper, bread: int, slot: int, run_sql: Sql, terms: dict[str, Any] | None, said: str
) -> None:
    if terms is not None:
        make_promotion(name="Karibu", code="KARIBU", **terms)
    amina.put(bread)
    form = amina.form()
    parts = amina.send(form, to="/checkout/quote", parts=True, coupon="karibu", **PLACE)
    assert words_in(part_of(parts.text, "coupon-said")) == said
    answer = amina.send(form, coupon="karibu", **PLACE)
    assert answer.status_code in (409, 422)
    assert f"Please look at this again {said}" in words_in(answer)
    again = read_form(answer.text, "checkout-form")
    assert again.fields["coupon"] == "karibu"
    assert nothing_is_placed(run_sql)
    assert amina.send(again, coupon="").status_code == 303


def test_a_delivery_needs_a_landmark(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    answer = amina.place(landmark=" ", address="House 4")
    assert answer.status_code == 422
    assert '<a href="#landmark">Tell the rider what is near' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert read_form(answer.text, "checkout-form").fields["address"] == "House 4"
    assert nothing_is_placed(run_sql)


@pytest.mark.parametrize("phone", ["12", "call me", "+0", "0712 345 678 9 9 9"])
def test_a_phone_that_is_none(amina: Shopper, bread: int, slot: int, run_sql: Sql, phone: str) -> None:
    amina.put(bread)
    answer = amina.place(phone=phone, **PLACE)
    assert answer.status_code == 422
    assert "Write a phone number that the rider can call, such as 0712 345 678." in words_in(answer)
    assert read_form(answer.text, "checkout-form").fields["phone"] == phone
    assert nothing_is_placed(run_sql)


@pytest.mark.parametrize("phone", ["0722 000 111", "722000111", "+254 722 000111"])
def test_another_phone_is_taken_in_any_writing(amina: Shopper, bread: int, slot: int, run_sql: Sql, phone: str) -> None:
    amina.put(bread)
    assert amina.place(phone=phone, **PLACE).status_code == 303
    assert run_sql("SELECT phone FROM orders") == [("+254722000111",)]


@pytest.mark.parametrize(
    "fields",
    [
        {"slot_id": "-1"},
        {"slot_id": "9" * 30},
        {"slot_id": "NaN"},
        {"zone_id": "1e9"},
        {"place": "0"},
        {"method": "<script>"},
        {"payment_method": "gold"},
        {"if_unavailable": "steal"},
        {"quantity": "-5"},
        {"key": "x"},
        {"coupon": "\x00" * 10},
        {"landmark": "\ud83d\ude00" * 10},
        {"note": "x" * 100_000},
    ],
)
@pytest.mark.parametrize("address", ["/checkout", "/checkout/quote"])
def test_whatever_is_sent_nothing_breaks(
    amina: Shopper, bread: int, slot: int, run_sql: Sql, fields: dict[str, str], address: str
) -> None:
    amina.put(bread)
    form = amina.form()
    sent = {name: value.encode("utf-16", "surrogatepass").decode("utf-16") for name, value in fields.items()}
    assert amina.send(form, to=address, **{**PLACE, **sent}).status_code in (303, 409, 422)
    assert amina.browser.get("/checkout").status_code in (200, 303)
    assert run_sql("SELECT count(*) FROM orders WHERE total_cents <> 25000") == [(0,)]
    assert run_sql("SELECT count(*) FROM order_lines WHERE quantity <> 1") == [(0,)]
