"""From the form to the order: once, as shown, and never with anything else than the shopper has seen."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.auth.factories import make_customer
from tests.conftest import IsolatedClient
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.promotions.factories import make_promotion
from tests.products.factories import make_product
from tests.storefront.checkout.conftest import PLACE, Shopper, Sql
from tests.storefront.conftest import Browser, words_in
from tests.storefront.forms import read_form


def test_an_order_is_placed_as_the_form_says(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread, 2)
    answer = amina.place(**PLACE, note="Ripe ones, please", if_unavailable="call")
    [(order_id, *row)] = run_sql("""
        SELECT id, customer_id, status, delivery_method, slot_id, landmark, address, phone, note, payment_method,
               total_cents
        FROM orders
    """)
    assert row == [
        amina.person.id,
        "pending",
        "delivery",
        slot,
        "near Shell, blue gate",
        "House 4",
        "+254712345678",
        "Ripe ones, please",
        "cash_on_delivery",
        350_00,
    ]
    assert (answer.status_code, answer.location) == (303, f"/checkout/done/{order_id}")
    assert run_sql("SELECT if_unavailable FROM order_lines") == [("call",)]
    assert run_sql("SELECT draft FROM carts") == [(None,)]
    assert run_sql("SELECT count(*) FROM cart_items") == [(0,)]


def test_the_wish_of_single_products_stays_unless_one_for_all_is_chosen(
    amina: Shopper, slot: int, run_sql: Sql
) -> None:
    milk, rice = make_product(name="Milk"), make_product(name="Rice")
    amina.put(milk)
    amina.put(rice)
    amina.browser.post("/basket/wish", {"product_id": milk, "if_unavailable": "remove"})
    assert amina.form().fields["if_unavailable"] == ""
    assert amina.place(**PLACE).status_code == 303
    assert run_sql("SELECT product_id, if_unavailable FROM order_lines ORDER BY product_id") == [
        (milk, "remove"),
        (rice, "substitute"),
    ]


def test_a_new_place_is_saved_once_and_chosen_the_next_time(
    amina: Shopper, bread: int, slot: int, run_sql: Sql
) -> None:
    amina.put(bread)
    amina.place(**PLACE)
    saved = run_sql("SELECT id, landmark, address, is_default FROM addresses")
    assert saved[0][1:] == ("near Shell, blue gate", "House 4", True)
    amina.put(bread)
    form = amina.form()
    assert form.fields["place"] == str(saved[0][0])
    assert amina.send(form).status_code == 303
    amina.put(bread)
    assert amina.place(place="new", **PLACE).status_code == 303
    assert len(run_sql("SELECT id FROM addresses")) == 1
    assert run_sql("SELECT landmark, phone FROM orders") == [("near Shell, blue gate", "+254712345678")] * 3


def test_the_place_of_the_last_order_is_chosen_not_the_default(
    amina: Shopper, bread: int, slot: int, run_sql: Sql
) -> None:
    amina.put(bread)
    amina.place(landmark="Home gate")
    amina.put(bread)
    amina.place(place="new", landmark="Office gate")
    [(office,)] = run_sql("SELECT id FROM addresses WHERE landmark = 'Office gate' AND NOT is_default")
    amina.put(bread)
    assert amina.form().fields["place"] == str(office)


def test_a_pickup_needs_neither_place_nor_time(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    form = amina.form()
    amina.send(form, to="/checkout/quote", method="pickup")
    page = amina.browser.get("/checkout")
    form = read_form(page.text, "checkout-form")
    assert form.fields["method"] == "pickup"
    assert "slot_id" not in form.choices
    assert amina.send(form).status_code == 303
    assert run_sql("SELECT delivery_method, slot_id, delivery_fee_cents FROM orders") == [("pickup", None, 0)]
    assert run_sql("SELECT count(*) FROM addresses") == [(0,)]


def test_a_returning_customer_needs_four_taps_and_types_nothing(amina: Shopper, bread: int, slot: int) -> None:
    amina.put(bread)
    amina.place(**PLACE)
    taps = []

    def tap(answer: Any) -> Any:
        taps.append(answer)
        return answer

    browser = amina.browser
    home = browser.get("/").text
    assert "Buy again" in home
    tap(browser.post(f"/basket/items/{bread}", {"quantity": 1, "return_to": "/"}))
    assert 'href="/basket"' in browser.get("/").text
    basket = tap(browser.get("/basket")).text
    assert 'href="/checkout"' in basket
    form = read_form(tap(browser.get("/checkout")).text, "checkout-form")
    done = tap(browser.post(form.action, form.fields))
    assert done.location.startswith("/checkout/done/")
    assert len(taps) == 4


def test_the_same_form_sent_again_shows_the_same_order(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    form = amina.form()
    first = amina.send(form, **PLACE)
    again = amina.send(form, **PLACE)
    assert (again.status_code, again.location) == (303, first.location)
    assert run_sql("SELECT count(*) FROM orders") == [(1,)]
    assert run_sql("SELECT draft FROM carts") == [(None,)]


def test_double_taps_at_once_make_one_order(amina: Shopper, app: Any, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    form = amina.form()
    browsers = []
    for _ in range(4):
        browser = Browser(IsolatedClient(app, app.response_class))
        for kind in ("access", "refresh", "csrf"):
            cookie = amina.browser.client.get_cookie(kind)
            browser.client.set_cookie(kind, cookie.value)
        browser.csrf_token = amina.browser.csrf_token
        browsers.append(browser)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda one: one.post(form.action, {**form.fields, **PLACE}), browsers))
    [(order_id,)] = run_sql("SELECT id FROM orders")
    assert [answer.location for answer in answers] == [f"/checkout/done/{order_id}"] * 4
    assert run_sql("SELECT booked FROM delivery_slots") == [(1,)]


def test_a_key_with_another_form_shows_the_order_that_it_has_placed(
    amina: Shopper, bread: int, slot: int, run_sql: Sql
) -> None:
    amina.put(bread)
    form = amina.form()
    first = amina.send(form, **PLACE)
    answer = amina.send(form, landmark="Elsewhere")
    assert answer.location == first.location
    assert "This order was placed before. What you have changed since is not in it." in words_in(
        amina.browser.get(answer.location)
    )
    assert run_sql("SELECT landmark FROM orders") == [("near Shell, blue gate",)]


def test_a_key_with_another_basket_places_nothing_and_asks(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    form = amina.form()
    amina.send(form, **PLACE)
    amina.put(make_product(name="Milk", price_cents=70_00), 3)
    answer = amina.send(form, landmark="Elsewhere")
    assert answer.status_code == 422
    assert "This page has placed an order already. To order what is in your basket now, tap again." in words_in(answer)
    new = read_form(answer.text, "checkout-form")
    assert new.fields["key"] != form.fields["key"]
    assert run_sql("SELECT count(*) FROM orders") == [(1,)]
    assert amina.send(new).status_code == 303
    assert run_sql("SELECT total_cents FROM orders ORDER BY id") == [(250_00,), (360_00,)]


def test_a_key_of_somebody_else_is_no_key_of_mine(
    amina: Shopper, app: Any, bread: int, slot: int, run_sql: Sql
) -> None:
    amina.put(bread)
    form = amina.form()
    amina.send(form, **PLACE)
    brian = Shopper(Browser(IsolatedClient(app, app.response_class)), make_customer("Brian", phone="+254722000000"))
    brian.browser.sign_in(brian.person)
    brian.put(bread)
    answer = brian.place(key=form.fields["key"], **PLACE)
    assert answer.location != f"/checkout/done/{run_sql('SELECT min(id) FROM orders')[0][0]}"
    assert len(run_sql("SELECT id FROM orders")) == 2


@pytest.mark.parametrize(
    "shown", ["", "0.00 0.00 0.00 0.00", "100.00 0.00 150.00 1.00", "NaN NaN NaN NaN", "-1", "x" * 9999]
)
def test_a_total_that_was_not_shown_is_not_charged(
    amina: Shopper, bread: int, slot: int, run_sql: Sql, shown: str
) -> None:
    amina.put(bread)
    answer = amina.place(shown=shown, **PLACE)
    assert answer.status_code in (303, 409)
    assert answer.location in (None, "/checkout")
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_a_place_of_somebody_else_is_none_to_choose(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    other = make_customer("Brian")
    [(address_id,)] = run_sql(
        "INSERT INTO addresses (customer_id, landmark) VALUES (:id, 'Secret gate') RETURNING id", id=other.id
    )
    amina.put(bread)
    answer = amina.place(place=address_id)
    assert answer.status_code == 422
    assert "Secret gate" not in answer.text
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_a_time_of_a_cheaper_area_is_refused(amina: Shopper, bread: int, run_sql: Sql) -> None:
    far, near = make_zone(name="Far", fee_cents=500_00), make_zone(name="Near", fee_cents=10_00)
    make_slot(far)
    cheap = make_slot(near)
    run_sql(
        "INSERT INTO addresses (customer_id, landmark, zone_id) VALUES (:id, 'Gate', :zone)",
        id=amina.person.id,
        zone=far,
    )
    amina.put(bread)
    answer = amina.place(slot_id=cheap)
    assert answer.status_code == 422
    assert "Choose a time: the one you had is not for this area." in words_in(answer)
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]
    assert run_sql("SELECT sum(booked) FROM delivery_slots") == [(0,)]


def test_orders_are_limited_as_in_the_api(amina: Shopper, app: Any, bread: int, slot: int, run_sql: Sql) -> None:
    app.config["RATE_LIMIT_ORDERS"] = "1/minute"
    try:
        amina.put(bread)
        assert amina.place(**PLACE).status_code == 303
        amina.put(bread)
        answer = amina.place()
    finally:
        app.config["RATE_LIMIT_ORDERS"] = ""
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many orders in a short time." in words_in(answer)
    assert run_sql("SELECT count(*) FROM orders") == [(1,)]
    assert run_sql("SELECT count(*) FROM cart_items") == [(1,)]


def test_a_forged_form_places_nothing(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    form = amina.form()
    assert amina.send(form, csrf_token="forged", **PLACE).status_code == 403
    assert amina.browser.post(form.action, form.fields, headers={"Origin": "https://evil.example"}).status_code == 403
    assert amina.browser.post("/checkout/quote", {"csrf_token": "x"}).status_code == 403
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_a_coupon_is_counted(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    make_promotion(name="Karibu", code="KARIBU")
    amina.put(bread)
    form = amina.form()
    assert amina.send(form, to="/checkout/quote", coupon=" karibu ").location == "/checkout"
    page = amina.browser.get("/checkout")
    assert "KARIBU is taken off." in words_in(page)
    assert amina.send(read_form(page.text, "checkout-form"), **PLACE).status_code == 303
    assert run_sql("SELECT coupon, discount_cents, total_cents FROM orders") == [("KARIBU", 10_00, 240_00)]


def test_two_tabs_of_one_basket_make_one_order(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    one, other = amina.form(), amina.form()
    assert one.fields["key"] != other.fields["key"]
    assert amina.send(one, **PLACE).status_code == 303
    assert amina.send(other, **PLACE).location == "/basket"
    assert run_sql("SELECT count(*) FROM orders") == [(1,)]
