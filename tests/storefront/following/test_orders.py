"""The list of one's orders and the page of each: what they say, and to whom."""

import re
from typing import Any

import pytest
from flask import Flask

from grocery.config import Settings
from grocery.orders.tracking.links import make_token
from grocery.tickets import read_ticket
from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import move, place
from tests.products.factories import make_product
from tests.storefront.conftest import Browser, Sql, words_in


def test_orders_are_listed_newest_first(
    amina: Browser, customer: Caller, other_customer: Caller, staff: Caller, order: dict[str, Any], soap: int
) -> None:
    place(other_customer, {soap: 1})
    four = {make_product(name=name): 1 for name in ("Apples", "Bread", "Carrots", "Dates")}
    later = place(customer, four)
    move(staff, order, "shipped")
    page = amina.get("/account/orders")
    words = words_in(page)
    assert page.status_code == 200
    assert words.index(later["number"]) < words.index(order["number"])
    assert "Apples, Bread, Carrots and 1 more" in words
    assert f"{order['number']} Ready to collect" in words
    assert "Maize Flour, Beef KSh 557.85 Order again" in words
    assert "Soap" not in words
    assert "Older orders" not in words


def test_who_has_ordered_nothing_is_led_to_the_shop(amina: Browser) -> None:
    assert "You have not ordered anything yet." in words_in(amina.get("/account/orders"))


def test_older_orders_are_a_tap_away(amina: Browser, customer: Caller, run_sql: Sql) -> None:
    run_sql(
        """
        INSERT INTO orders (number, customer_id, subtotal_cents, vat_cents, total_cents, currency)
        SELECT 'G-NO' || n, :id, 0, 0, 0, 'KES' FROM generate_series(1, 12) AS n
        """,
        id=customer.person.id,
    )
    first = amina.get("/account/orders").text
    assert re.findall(r"G-NO\d+(?=</a>)", first) == [f"G-NO{n}" for n in range(12, 2, -1)]
    older = re.search(r'href="(/account/orders\?cursor=[^"]+)"', first)
    assert older
    assert re.findall(r"G-NO\d+(?=</a>)", amina.get(older[1]).text) == ["G-NO2", "G-NO1"]


@pytest.mark.parametrize("cursor", ["x", "%00", "WzFd" * 500, "bnVsbA"])
def test_an_address_that_was_made_up_leads_to_the_newest(amina: Browser, cursor: str) -> None:
    answer = amina.get(f"/account/orders?cursor={cursor}")
    assert (answer.status_code, answer.location) == (303, "/account/orders")


def test_the_page_of_an_order_says_how_far_it_is_and_what_it_costs(
    amina: Browser, order: dict[str, Any], settings: Settings
) -> None:
    page = amina.get(f"/account/orders/{order['id']}").text
    words = words_in(page)
    assert f"Order {order['number']} Received" in words
    assert re.findall(r'data-step="(\w+)"', page) == [
        "pending", "confirmed", "packed", "shipped", "delivered",
    ]  # fmt: skip
    assert page.count('class="reached"') == 1
    assert "Maize Flour 2 × KSh 189 KSh 378" in words
    assert "Beef 1.5 kg × KSh 119.90/kg KSh 179.85" in words
    assert "Total KSh 557.85" in words
    assert "To pay in cash when you collect it KSh 557.85" in words
    assert "For the shop Ring <b>twice</b>" in words
    assert "<b>twice" not in page
    assert f'href="/t/{make_token(order["id"], settings.secret_key)}"' in page
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in page
    assert f'data-stream="/account/orders/{order["id"]}/stream"' in page
    assert not re.search(r"<script>|<style|style=| on[a-z]+=", page)


def test_where_it_goes_and_when(amina: Browser, customer: Caller, flour: int) -> None:
    zone = make_zone(fee_cents=150_00)
    slot = make_slot(zone)
    place = {
        "slot_id": slot,
        "address": "Moi <Avenue> 12",
        "landmark": "near Shell",
        "phone": "0712345678",
        "note": "Ring\nonce",
    }
    answer = customer.post("/orders/", json={"items": [{"product_id": flour, "quantity": 1}], "delivery": place})
    assert answer.status_code == 201, answer.json
    words = words_in(amina.get(f"/account/orders/{answer.json['id']}"))
    assert "Place Moi <Avenue> 12, near Shell" in words
    assert "Phone 0712 345678 For the rider Ring once" in words
    assert "Delivery KSh 150 Total KSh 339" in words
    assert "To pay in cash when it comes KSh 339" in words
    assert re.search(r"Time .*\d\d:\d\d–\d\d:\d\d", words)


def test_what_was_picked_is_said(amina: Browser, staff: Caller, order: dict[str, Any]) -> None:
    flour, beef = (line["id"] for line in order["items"])
    path = f"/orders/{order['id']}/lines"
    assert staff.post(f"{path}/{flour}/pick", json={"picked_quantity": 1}).status_code == 200
    assert staff.post(f"{path}/{beef}/pick", json={"picked_quantity": 1.42}).status_code == 200
    words = words_in(amina.get(f"/account/orders/{order['id']}"))
    assert "Maize Flour 1 × KSh 189 KSh 189 1 of 2 available" in words
    assert "1.42 kg weighed, 1.5 kg ordered" in words
    assert staff.post(f"{path}/{flour}/pick", json={"picked_quantity": 0, "reason": "not_found"}).status_code == 200
    assert "KSh 0 Not available" in words_in(amina.get(f"/account/orders/{order['id']}"))


def test_what_was_paid_is_said_and_nothing_is_due_then(amina: Browser, staff: Caller, order: dict[str, Any]) -> None:
    move(staff, order, "delivered", received_by="Her sister")
    page = amina.get(f"/account/orders/{order['id']}")
    words = words_in(page)
    assert re.search(r"Paid on \w{3} \d+ \w{3}, \d\d:\d\d KSh 557.85", words)
    assert "To pay" not in words
    assert "Received by Her sister" in words
    assert "Njeri" not in words
    assert "tracking.js" not in page.text
    assert "refresh" not in page.text
    assert "data-over" in page.text


def test_what_has_happened_is_told_without_names_of_staff(amina: Browser, staff: Caller, order: dict[str, Any]) -> None:
    line = order["items"][0]["id"]
    staff.patch(f"/orders/{order['id']}/lines/{line}", json={"quantity": 1})
    move(staff, order, "cancelled", note="<script>alert(1)</script> sorry")
    page = amina.get(f"/account/orders/{order['id']}").text
    words = words_in(page[page.index("What has happened") :])
    assert "You placed the order" in words
    assert "Changed; the total is now KSh 368.85" in words
    assert "Cancelled: <script>alert(1)</script> sorry" in words
    assert "<script>alert" not in page
    assert "Njeri" not in words


def test_a_page_may_follow_its_order_and_no_other(
    amina: Browser, customer: Caller, other_customer: Caller, order: dict[str, Any], settings: Settings, soap: int
) -> None:
    answer = amina.get(f"/account/orders/{order['id']}/stream?last_event_id=7")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (307, "no-store")
    found = re.fullmatch(
        rf"http://127.0.0.1:8001/stream/orders/{order['id']}\?ticket=([^&]+)&last_event_id=7", answer.location
    )
    assert found
    ticket = read_ticket(found[1], settings.secret_key)
    assert (ticket.order_id, ticket.is_public) == (order["id"], False)
    theirs = place(other_customer, {soap: 1})
    assert amina.get(f"/account/orders/{theirs['id']}/stream").status_code == 404
    for nonsense in ("x", "-1", "9" * 30, "1&ticket=mine"):
        made = amina.get(f"/account/orders/{order['id']}/stream?last_event_id={nonsense}").location
        assert "ticket=mine" not in made
        assert made.count("last_event_id") <= 1
        assert "last_event_id=-" not in made


def test_papers_are_pdfs(amina: Browser, customer: Caller, staff: Caller, order: dict[str, Any]) -> None:
    answer = amina.get(f"/account/orders/{order['id']}/invoice.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF")
    assert "no-store" in answer.headers["Cache-Control"]
    move(staff, order, "delivered")
    back = {"items": [{"line_id": order["items"][0]["id"], "quantity": 1, "is_restocked": False}], "reason": "damaged"}
    made = staff.post(f"/orders/{order['id']}/returns", json=back).json
    page = amina.get(f"/account/orders/{order['id']}").text
    path = f"/account/orders/{order['id']}/returns/{made['id']}/credit-note.pdf"
    assert f'href="{path}"' in page
    assert amina.get(path).data.startswith(b"%PDF")


def test_orders_of_others_are_not_found(
    amina: Browser, other_customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    theirs = place(other_customer, {soap: 1})
    line = theirs["items"][0]["id"]
    before = run_sql("SELECT version, status FROM orders")
    for path in ("", "/stream", "/cancel", "/invoice.pdf", "/returns/1/credit-note.pdf"):
        answer = amina.get(f"/account/orders/{theirs['id']}{path}")
        assert answer.status_code == 404
        assert "This page is not there" in answer.text
        assert theirs["number"] not in answer.text
    for path in ("/reorder", "/cancel", f"/lines/{line}/refuse"):
        assert amina.post(f"/account/orders/{theirs['id']}{path}").status_code == 404
    assert run_sql("SELECT version, status FROM orders") == before
    assert run_sql("SELECT count(*) FROM cart_items") == [(0,)]
    # Here staff are customers, too: what they may do as staff they do at the desk.
    amina.sign_in(staff.person)
    assert amina.get(f"/account/orders/{theirs['id']}").status_code == 404
    assert "You have not ordered anything yet." in words_in(amina.get("/account/orders"))
    assert amina.post(f"/account/orders/{theirs['id']}/cancel").status_code == 404


@pytest.mark.parametrize("order_id", [0, 999_999, 2**63 - 1, 2**63, 10**30])
def test_orders_that_are_not_there_are_not_found(amina: Browser, order_id: int) -> None:
    for path in ("", "/stream", "/cancel", "/invoice.pdf"):
        assert amina.get(f"/account/orders/{order_id}{path}").status_code == 404
    for path in ("/reorder", "/cancel", "/lines/1/refuse"):
        assert amina.post(f"/account/orders/{order_id}{path}").status_code == 404


def test_visitors_sign_in_first(browser: Browser, order: dict[str, Any]) -> None:
    answer = browser.get(f"/account/orders/{order['id']}")
    assert (answer.status_code, answer.location) == (
        303,
        f"/sign-in?return_to=/account/orders/{order['id']}",
    )
    assert browser.get("/account/orders").status_code == 303


def test_names_are_never_markup(amina: Browser, customer: Caller) -> None:
    order = place(customer, {make_product(name="<script>alert(1)</script>"): 1})
    for path in ("", f"/{order['id']}", f"/{order['id']}/cancel"):
        page = amina.get(f"/account/orders{path}").text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_staff_find_their_own_orders_here(browser: Browser, soap: int) -> None:
    person = make_customer(role="admin")
    browser.sign_in(person)
    assert browser.get("/account/orders").status_code == 200


def test_the_public_page_of_an_order_shows_nothing_about_the_person(
    amina: Browser, app: Flask, customer: Caller, flour: int, run_sql: Sql
) -> None:
    placed = place(customer, {flour: 1}, note="Ring twice")
    run_sql("UPDATE orders SET landmark = 'near Shell', address = 'House 4', phone = '+254700111222'")
    page = amina.get(f"/account/orders/{placed['id']}").text
    link = re.search(r"/t/[\w.-]+", page)
    assert link
    stranger = Browser(app.test_client())
    shown = stranger.get(link[0])
    assert (shown.status_code, shown.headers["Referrer-Policy"]) == (200, "no-referrer")
    person = customer.person
    for secret in (person.name, person.email, person.phone, "Ring twice", "near Shell", "House 4", "254700111222"):
        assert not secret or secret not in shown.text
    assert "557" not in shown.text
    assert "Set-Cookie" not in shown.headers
